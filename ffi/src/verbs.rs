//! Typed verbs for what is done every day; each is the generic writes with the fields spelt out.

use pocketbook::books::{CaseDraft, NewRecord};
use pocketbook::error::Error;
use pocketbook::photos::Size;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{BlobHash, RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::receipt::Reason;
use serde_json::{Value, json};

use crate::book::{Opened, PocketBook};
use crate::error::Result;
use crate::json;
use crate::models::Saved;

/// A resident met for the first time.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewPerson {
    /// The household he or she belongs to.
    pub household: RecordId,
    /// Name (姓名).
    pub name: String,
    /// Relation to the head of the household (与户主关系).
    #[uniffi(default = None)]
    pub relation: Option<String>,
    /// male or female.
    #[uniffi(default = None)]
    pub sex: Option<String>,
    /// Day of birth, `1950-03-02`.
    #[uniffi(default = None)]
    pub birth: Option<String>,
    /// Identity number (身份证号).
    #[uniffi(default = None)]
    pub id_number: Option<String>,
    /// Phone (电话).
    #[uniffi(default = None)]
    pub phone: Option<String>,
}

/// A visit (走访) that was made.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewVisit {
    /// The household visited.
    pub household: RecordId,
    /// routine, care, check, request.
    pub purpose: String,
    /// met, no-answer, refused, moved, died.
    pub result: String,
    /// The persons met.
    #[uniffi(default = [])]
    pub people: Vec<RecordId>,
    /// What there is to say.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// When (ms); now, if none.
    #[uniffi(default = None)]
    pub at: Option<i64>,
    /// Photos as the camera gave them.
    #[uniffi(default = [])]
    pub photos: Vec<Vec<u8>>,
}

/// An issue (问题) to be reported.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewIssue {
    /// The grid it lies in.
    pub grid: UnitId,
    /// Category code.
    pub category: String,
    /// Where, in words.
    pub place: String,
    /// What is the matter.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// The household that it concerns.
    #[uniffi(default = None)]
    pub household: Option<RecordId>,
    /// Photos as the camera gave them.
    #[uniffi(default = [])]
    pub photos: Vec<Vec<u8>>,
}

#[uniffi::export]
impl PocketBook {
    /// Registers a resident: the general part, and the sensitive one if there is anything in it,
    /// both or neither.
    pub fn add_person(&self, person: NewPerson) -> Result<Saved> {
        self.write(|opened| add_person(opened, person))
    }

    /// Records a visit with its photos.
    pub fn record_visit(&self, visit: NewVisit) -> Result<Saved> {
        self.write(|opened| record_visit(opened, visit))
    }

    /// Reports an issue with its photos. If one of them is unusable, nothing is reported.
    pub fn report_issue(&self, issue: NewIssue) -> Result<Saved> {
        self.write(|opened| report_issue(opened, issue))
    }
}

fn add_person(opened: &Opened, person: NewPerson) -> Result<Saved> {
    let NewPerson {
        household,
        name,
        relation,
        sex,
        birth,
        id_number,
        phone,
    } = person;
    let general = filled([
        ("household", json!(household)),
        ("name", json!(name)),
        ("relation", json!(relation)),
        ("sex", json!(sex)),
        ("birth", json!(birth)),
    ])?;
    let sensitive = filled([("id_number", json!(id_number)), ("phone", json!(phone))])?;
    let (id, authored) = opened.book.add_person(general, sensitive)?;
    Ok(Saved::new(id, authored))
}

fn record_visit(opened: &Opened, visit: NewVisit) -> Result<Saved> {
    let NewVisit {
        household,
        purpose,
        result,
        people,
        note,
        at,
        photos,
    } = visit;
    let id = opened.book.store()?.new_id();
    let take = || -> Result<Saved> {
        let hashes = take_photos(opened, &VISIT, id, &photos)?;
        let fields = filled([
            ("household", json!(household)),
            ("purpose", json!(purpose)),
            ("result", json!(result)),
            ("people", listed(json!(people))),
            ("note", json!(note)),
            (
                "at",
                json!(at.unwrap_or_else(|| opened.seams.clock.wall_ms())),
            ),
            ("photos", listed(json!(hashes))),
        ])?;
        let (id, authored) = opened.book.create(&VISIT, new(Some(id), fields))?;
        Ok(Saved::new(id, authored))
    };
    take().or_else(|error| forget(opened, id, error))
}

fn report_issue(opened: &Opened, issue: NewIssue) -> Result<Saved> {
    let NewIssue {
        grid,
        category,
        place,
        text,
        household,
        photos,
    } = issue;
    let fields = filled([
        ("grid", json!(grid)),
        ("category", json!(category)),
        ("place", json!(place)),
        ("text", json!(text)),
        ("household", json!(household)),
    ])?;
    check(&CASE, &fields)?;
    let draft = opened.book.draft_case(None, &fields)?;
    let hand_in = |draft: CaseDraft| -> Result<Saved> {
        for photo in &photos {
            opened.book.add_photo(draft, photo, Size::Master)?;
        }
        let report = opened.book.report(draft)?;
        Ok(Saved::new(report.id, report.authored))
    };
    hand_in(draft).or_else(|error| forget(opened, draft.id, error))
}

fn take_photos(
    opened: &Opened,
    kind: &Kind,
    id: RecordId,
    photos: &[Vec<u8>],
) -> Result<Vec<BlobHash>> {
    let store = opened.book.store()?;
    let mut hashes = Vec::new();
    for photo in photos {
        let (hash, _) = store.take_photo(kind, id, photo, Size::Master)?;
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    Ok(hashes)
}

/// Leaves nothing of what could not be saved whole; the caller still has all of it.
fn forget(opened: &Opened, id: RecordId, error: crate::PocketbookError) -> Result<Saved> {
    opened.book.store()?.discard_draft(id)?;
    Err(error)
}

/// Checks values against their fields, as the write will, before anything else is written.
fn check(kind: &Kind, fields: &Fields) -> Result<()> {
    for (name, value) in fields {
        if kind
            .field(name)
            .is_none_or(|field| !field.shape.accepts(value))
        {
            return Err(Error::Refused(Reason::BadValue(name.clone())).into());
        }
    }
    Ok(())
}

fn new(id: Option<RecordId>, fields: Fields) -> NewRecord {
    NewRecord {
        id,
        fields,
        command: None,
    }
}

/// Leaves out what was not said. What a body can't hold is refused, as in JSON from outside.
fn filled<const N: usize>(fields: [(&str, Value); N]) -> Result<Fields> {
    let said = fields.into_iter().filter(|(_, value)| !value.is_null());
    let strict = |(name, value): (&str, Value)| {
        Ok((
            name.to_owned(),
            json::value(Some(&value.to_string()), name)?,
        ))
    };
    said.map(strict).collect()
}

/// An empty list says nothing.
fn listed(list: Value) -> Value {
    if list == json!([]) { Value::Null } else { list }
}
