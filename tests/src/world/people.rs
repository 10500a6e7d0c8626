//! What a worker does with her phone, in the words of the trade.
//!
//! Verbs do what a screen does: they look ([`Phone::sees`]), remember what was shown, and save
//! what was changed from there, so a story can leave a screen open while the world moves on.

use pocketbook::books::{
    CaseDraft, Change, HouseholdFile, NewRecord, OpenReview, PersonFile, Report, Take, TrayItem,
};
use pocketbook::photos::Size;
use pocketbook::store::lists::Shown;
use pocketbook::store::outbox::Authored;
use pocketbook::store::status::SyncStatus;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{BlobHash, RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::mutation::{Command, Expect, Frozen, Op, Set};
use pocketbook_records::path::{self, Path};
use serde_json::{Value, json};

use super::phone::Phone;

/// What a screen showed of a record.
#[derive(Debug, Clone)]
pub struct Screen {
    kind: &'static Kind,
    /// The record as it was shown.
    pub shown: Shown,
}

impl Screen {
    /// Returns the value shown at a path, null if there was none.
    pub fn value(&self, at: &str) -> Value {
        path::get(&self.shown.fields, &field(at)).clone()
    }
}

impl Phone {
    /// Reports a draft as an app would that does not know what a report needs.
    pub fn hands_in_unchecked(&self, draft: CaseDraft) -> RecordId {
        let store = self.store();
        let drafted = store.draft(draft.id).expect("reads").expect("is there");
        let mut frozen = Frozen::new(&CASE, draft.id, Op::Create, store.now().expect("reads"));
        for (name, to) in drafted.fields {
            let path = field(&name);
            match to {
                Value::Array(items) => {
                    let hashes = items
                        .iter()
                        .filter_map(|item| item.as_str()?.parse::<BlobHash>().ok());
                    frozen.blobs.extend(hashes);
                    frozen.add.insert(path, items);
                }
                to => frozen.set.push(Set {
                    path,
                    was: Value::Null,
                    to,
                }),
            }
        }
        frozen.command = Some(Command {
            name: "report".into(),
            args: Fields::new(),
            expect: Expect {
                state: "draft".into(),
                turn: 0,
                after: None,
            },
        });
        store.author(frozen).expect("saved");
        draft.id
    }

    /// Says how the work stands.
    pub fn status(&self) -> SyncStatus {
        self.store().status().expect("the store reads")
    }

    /// Returns all household files here, in the order of their addresses.
    pub fn flats(&self) -> Vec<RecordId> {
        let mut flats = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .book()
                .households(None, after.as_ref(), 200)
                .expect("the list reads");
            flats.extend(page.rows.into_iter().map(|row| row.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return flats,
            }
        }
    }

    /// Returns the nth home in which at least two people live, the first of them with a phone.
    pub fn flat(&self, n: usize) -> RecordId {
        let has_phone = |person: &PersonFile| {
            person
                .sensitive
                .as_ref()
                .is_some_and(|sensitive| sensitive.fields.phone.is_some())
        };
        let lived_in = |id: &RecordId| {
            let people = self.home(*id).people;
            people.len() >= 2 && has_phone(&people[0])
        };
        self.flats()
            .into_iter()
            .filter(lived_in)
            .nth(n)
            .expect("enough homes with people")
    }

    /// Opens a household file.
    pub fn home(&self, household: RecordId) -> HouseholdFile {
        self.book()
            .household(household)
            .expect("the household is here")
    }

    /// Returns the nth person of a household.
    pub fn person(&self, household: RecordId, n: usize) -> RecordId {
        self.home(household).people[n].person.id
    }

    /// Looks at a record; none if it is not on this phone.
    pub fn finds(&self, kind: &'static Kind, id: RecordId) -> Option<Screen> {
        let shown = self.store().shown(kind, id).expect("the store reads")?;
        Some(Screen { kind, shown })
    }

    /// Looks at a record.
    pub fn sees(&self, kind: &'static Kind, id: RecordId) -> Screen {
        self.finds(kind, id)
            .unwrap_or_else(|| panic!("{} is not on {self:?}", kind.name))
    }

    /// Returns a person's phone number as this phone shows it.
    pub fn phone_of(&self, person: RecordId) -> Value {
        self.sees(&PERSON_SENSITIVE, person).value("phone")
    }

    /// Changes a value from what a screen showed.
    pub fn enters(&self, screen: &Screen, at: &str, to: impl Into<Value>) -> Authored {
        self.tries_to_enter(screen, at, to.into())
            .expect("the edit is saved")
    }

    /// Changes a value from what a screen showed, if it can be saved.
    pub fn tries_to_enter(
        &self,
        screen: &Screen,
        at: &str,
        to: Value,
    ) -> pocketbook::Result<Authored> {
        let change = Change {
            path: at.to_owned(),
            was: screen.value(at),
            to,
        };
        self.book()
            .edit(screen.kind, screen.shown.id, screen.shown.rev, &[change])
    }

    /// Changes a person's phone number.
    pub fn changes_phone(&self, person: RecordId, to: &str) -> Authored {
        self.enters(&self.sees(&PERSON_SENSITIVE, person), "phone", to)
    }

    /// Notes a tag on a person.
    pub fn tags(&self, person: RecordId, tag: &str, proof: &str) -> Authored {
        let screen = self.sees(&PERSON, person);
        self.enters(&screen, &format!("tags/{tag}"), json!({"proof": proof}))
    }

    /// Counts one more knock at a door.
    pub fn knocks(&self, household: RecordId) -> Authored {
        let screen = self.sees(&HOUSEHOLD, household);
        let knocks = screen.value("knocks").as_i64().unwrap_or(0);
        self.enters(&screen, "knocks", knocks + 1)
    }

    /// Notes how a home is held.
    pub fn notes_tenure(&self, household: RecordId, tenure: &str) -> Authored {
        self.enters(&self.sees(&HOUSEHOLD, household), "tenure", tenure)
    }

    /// Notes that all have moved out.
    pub fn notes_moving_out(&self, household: RecordId, day: &str) -> Authored {
        self.enters(&self.sees(&HOUSEHOLD, household), "moved_out", day)
    }

    /// Adds somebody to a household.
    pub fn adds_person(&self, household: RecordId, name: &str, relation: &str) -> RecordId {
        let fields = fields(json!({"household": household, "name": name, "relation": relation}));
        self.creates(&PERSON, fields)
    }

    /// Records a visit at which somebody was met.
    pub fn visits(&self, household: RecordId, note: &str) -> RecordId {
        let at = self.store().now().expect("the store reads").wall;
        let fields = json!({"household": household, "purpose": "routine", "result": "met", "note": note, "at": at});
        self.creates(&VISIT, self::fields(fields))
    }

    /// Creates a record.
    pub fn creates(&self, kind: &'static Kind, fields: Fields) -> RecordId {
        let new = NewRecord {
            id: None,
            fields,
            command: None,
        };
        self.book()
            .create(kind, new)
            .expect("the record is saved")
            .0
    }

    /// Begins a report of a broken manhole cover; nothing is handed in yet.
    pub fn drafts_cover(&self, grid: &UnitId, place: &str) -> CaseDraft {
        let draft = json!({
            "grid": grid, "category": "C0101", "place": place, "text": "井盖破损，车过有响声",
            "pin": {"lat_e7": 343_282_600, "lon_e7": 1_087_213_630, "by": "hand"},
        });
        self.book()
            .draft_case(None, &fields(draft))
            .expect("the draft is saved")
    }

    /// Adds a photo to a draft.
    pub fn adds_photo(&self, draft: CaseDraft, camera: &[u8]) -> BlobHash {
        self.book()
            .add_photo(draft, camera, Size::Master)
            .expect("the photo is taken")
    }

    /// Reports a broken manhole cover with these photos.
    pub fn reports_cover(&self, grid: &UnitId, place: &str, photos: &[Vec<u8>]) -> Report {
        let draft = self.drafts_cover(grid, place);
        for camera in photos {
            self.adds_photo(draft, camera);
        }
        self.book().report(draft).expect("the report is saved")
    }

    /// Gives a command to a case as it is shown.
    pub fn commands(&self, case: RecordId, command: &str, args: Value) -> Authored {
        self.book()
            .case_command(case, command, fields(args))
            .expect("the command is saved")
    }

    /// Gives a command to a case with a photo taken on the spot.
    pub fn commands_with_photo(
        &self,
        case: RecordId,
        command: &str,
        reason: &str,
        camera: &[u8],
    ) -> BlobHash {
        let (hash, _) = self
            .store()
            .take_photo(&CASE, case, camera, Size::Master)
            .expect("the photo is taken");
        self.commands(case, command, json!({"reason": reason, "photos": [hash]}));
        hash
    }

    /// Returns the state of a case as it is shown.
    pub fn state_of(&self, case: RecordId) -> Option<String> {
        self.book()
            .case(case)
            .expect("the case is here")
            .fields
            .state
    }

    /// Returns what lies under 待确认 about a record.
    pub fn reviews_of(&self, record: RecordId) -> Vec<OpenReview> {
        self.book().reviews(Some(record)).expect("the store reads")
    }

    /// Decides a review.
    pub fn decides(&self, review: &OpenReview, take: Take) -> Authored {
        self.book()
            .decide(review, take)
            .expect("the decision is saved")
    }

    /// Returns the tray.
    pub fn tray(&self) -> Vec<TrayItem> {
        self.book().tray().expect("the store reads")
    }
}

/// Reads an object as a record's fields.
pub fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => panic!("not an object: {other}"),
    }
}

fn field(path: &str) -> Path {
    Path::parse(path).expect("a path in a test")
}
