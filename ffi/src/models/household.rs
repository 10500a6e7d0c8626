//! Household files (户档案).

use pocketbook::books::{self, Entry};
use pocketbook::store::lists::{After, Rows};
use pocketbook_records::ids::{BlobHash, RecordId, Rev, UnitId};
use pocketbook_records::kinds::household::{self, HOUSEHOLD};
use pocketbook_records::mutation::Expect;
use serde_json::json;

use super::parts::expect;
use super::{Badges, Case, Note, Person, Pin, Place, Step, Tag, Visit};

/// A household (户).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Household {
    /// Its id.
    pub id: RecordId,
    /// What the screen shows: goes back with an edit.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// Where it stands: goes back with a command.
    pub expect: Expect,
    /// The grid it lies in.
    pub grid: Option<UnitId>,
    /// Where it is.
    pub place: Option<Place>,
    /// own, rent, empty, lent, business (产权).
    pub tenure: Option<String>,
    /// here or elsewhere (人户分离).
    pub registration: Option<String>,
    /// The person who is its head (户主).
    pub head: Option<RecordId>,
    /// Tags of the home itself.
    pub tags: Vec<Tag>,
    /// Code of the front door.
    pub door_code: Option<String>,
    /// Where the door is.
    pub pin: Option<Pin>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Photos of the home.
    pub photos: Vec<BlobHash>,
    /// Answers to the district's own questions, a JSON object.
    pub extras_json: String,
    /// How often somebody knocked.
    pub knocks: i64,
    /// The day of the last visit (ms).
    pub last_visit: Option<i64>,
    /// Since when the household is known (ms).
    pub known_since: Option<i64>,
    /// The day on which all moved out (迁出).
    pub moved_out: Option<String>,
    /// Its moves between grids.
    pub steps: Vec<Step>,
}

impl From<Entry<household::Household>> for Household {
    fn from(entry: Entry<household::Household>) -> Self {
        let household::Household {
            grid,
            state,
            turn,
            transition,
            steps,
            place,
            tenure,
            registration,
            head,
            tags,
            door_code,
            pin,
            notes,
            photos,
            extras,
            knocks,
            last_visit,
            known_since,
            moved_out,
        } = entry.fields;
        Self {
            id: entry.id,
            rev: entry.rev,
            badges: Badges::of(entry.mark),
            expect: expect(&HOUSEHOLD, state, turn, transition),
            grid: grid.map(UnitId),
            place: Place::read(&place),
            tenure,
            registration,
            head: head.map(RecordId),
            tags: Tag::all(&tags),
            door_code,
            pin: Pin::read(&pin),
            notes: Note::all(&notes),
            photos,
            extras_json: json!(extras).to_string(),
            knocks: knocks.unwrap_or(0),
            last_visit,
            known_since,
            moved_out,
            steps: Step::all(&steps),
        }
    }
}

/// A page of households.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct HouseholdPage {
    /// The rows, by address.
    pub rows: Vec<Household>,
    /// Where the next page starts; none at the end.
    pub next: Option<After>,
}

impl From<Rows<Entry<household::Household>>> for HouseholdPage {
    fn from(page: Rows<Entry<household::Household>>) -> Self {
        Self {
            rows: page.rows.into_iter().map(Into::into).collect(),
            next: page.next,
        }
    }
}

/// A household with everything that hangs on it, read at one moment.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct HouseholdFile {
    /// The household.
    pub household: Household,
    /// Its people.
    pub people: Vec<Person>,
    /// Visits, the newest first.
    pub visits: Vec<Visit>,
    /// Cases, the newest first.
    pub cases: Vec<Case>,
}

impl From<books::HouseholdFile> for HouseholdFile {
    fn from(file: books::HouseholdFile) -> Self {
        let books::HouseholdFile {
            household,
            people,
            visits,
            cases,
        } = file;
        Self {
            household: household.into(),
            people: people.into_iter().map(Into::into).collect(),
            visits: visits.into_iter().map(Into::into).collect(),
            cases: cases.into_iter().map(Into::into).collect(),
        }
    }
}
