//! Cases (事件) on the six-step loop.

use pocketbook::books::Entry;
use pocketbook::store::lists::{After, Rows};
use pocketbook_records::ids::{BlobHash, RecordId, Rev, UnitId, UserId};
use pocketbook_records::kinds::case::{self, CASE};
use pocketbook_records::mutation::Expect;
use serde_json::json;

use super::parts::expect;
use super::{Badges, Note, Pin, Step};
use crate::json;

/// A case (事件).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Case {
    /// Its id.
    pub id: RecordId,
    /// What the screen shows: goes back with an edit.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// Where it stands in the loop: goes back with a command.
    pub expect: Expect,
    /// The grid it lies in.
    pub grid: Option<UnitId>,
    /// issue, intake, complaint, suggestion.
    pub sort: Option<String>,
    /// worker, resident, group, 12345, superior, questionnaire, intake.
    pub source: Option<String>,
    /// Ticket number of the 12345 line.
    pub ticket: Option<String>,
    /// The household that it concerns.
    pub household: Option<RecordId>,
    /// The person that it concerns.
    pub person: Option<RecordId>,
    /// Who wrote it.
    pub author: Option<UserId>,
    /// Category code.
    pub category: Option<String>,
    /// What is the matter.
    pub text: Option<String>,
    /// Where, in words.
    pub place: Option<String>,
    /// Where, on the map.
    pub pin: Option<Pin>,
    /// Photos of the report.
    pub photos: Vec<BlobHash>,
    /// When it was reported, by the author's word (ms).
    pub reported_at: Option<i64>,
    /// Approval item of an intake, a JSON object.
    pub item_json: Option<String>,
    /// Answers of the form, a JSON object.
    pub answers_json: String,
    /// Materials, a JSON object.
    pub materials_json: String,
    /// Trips that the resident was saved (少跑一次).
    pub trips_saved: i64,
    /// Remarks.
    pub remarks: Vec<Note>,
    /// Each transition with person, time and arguments.
    pub steps: Vec<Step>,
    /// Official number, given when the desk accepts.
    pub number: Option<String>,
    /// The unit that handles it.
    pub unit: Option<UnitId>,
    /// Units that help.
    pub co_units: Vec<UnitId>,
    /// Working hours it may take.
    pub limit_hours: Option<i64>,
    /// The case that it was merged into (并案).
    pub merged_into: Option<RecordId>,
    /// The checker named for closing it.
    pub checker: Option<UserId>,
    /// The resident's rating, 1 to 5.
    pub rating: Option<i64>,
}

impl From<Entry<case::Case>> for Case {
    fn from(entry: Entry<case::Case>) -> Self {
        let case::Case {
            grid,
            sort,
            source,
            ticket,
            household,
            person,
            author,
            category,
            text,
            place,
            pin,
            photos,
            reported_at,
            item,
            answers,
            materials,
            trips_saved,
            remarks,
            state,
            turn,
            transition,
            steps,
            number,
            unit,
            co_units,
            limit_hours,
            merged_into,
            checker,
            rating,
        } = entry.fields;
        Self {
            id: entry.id,
            rev: entry.rev,
            badges: Badges::of(entry.mark),
            expect: expect(&CASE, state, turn, transition),
            grid: grid.map(UnitId),
            sort,
            source,
            ticket,
            household: household.map(RecordId),
            person: person.map(RecordId),
            author: author.map(UserId),
            category,
            text,
            place,
            pin: Pin::read(&pin),
            photos,
            reported_at,
            item_json: (!item.is_empty()).then(|| json::object(&item)),
            answers_json: json!(answers).to_string(),
            materials_json: json!(materials).to_string(),
            trips_saved: trips_saved.unwrap_or(0),
            remarks: Note::all(&remarks),
            steps: Step::all(&steps),
            number,
            unit: unit.map(UnitId),
            co_units: co_units.into_iter().map(UnitId).collect(),
            limit_hours,
            merged_into: merged_into.map(RecordId),
            checker: checker.map(UserId),
            rating,
        }
    }
}

/// A page of cases.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct CasePage {
    /// The rows, by household and then the newest first.
    pub rows: Vec<Case>,
    /// Where the next page starts; none at the end.
    pub next: Option<After>,
}

impl From<Rows<Entry<case::Case>>> for CasePage {
    fn from(page: Rows<Entry<case::Case>>) -> Self {
        Self {
            rows: page.rows.into_iter().map(Into::into).collect(),
            next: page.next,
        }
    }
}
