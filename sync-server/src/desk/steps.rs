//! One step of the desk: a mutation of the session's enrolment, made from what the desk sent.
//!
//! The desk names the step (`mid`), so that a repeated request is the same step, and says what its
//! screen showed, so that two clerks never overrule each other unseen.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{BlobHash, Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::{CASE, CASE_SENSITIVE};
use pocketbook_records::mutation::{Command, Decide, Expect, Frozen, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::time::At;
use serde_json::{Value, json};

/// A case that came by telephone, by letter or from above.
#[derive(Debug)]
pub struct NewCase {
    /// Fields of the case by name; null is left out.
    pub fields: Vec<(&'static str, Value)>,
    /// Photos of the report.
    pub photos: Vec<BlobHash>,
    /// Fields of the sensitive companion.
    pub sensitive: Vec<(&'static str, Value)>,
}

/// Returns the id of the record that a step creates: the same for the same step.
pub fn created_by(mid: Mid) -> RecordId {
    RecordId(uuid::Uuid::new_v5(&CREATED, mid.as_bytes()))
}

/// Returns the step that creates a case's sensitive companion.
pub fn companion_of(mid: Mid) -> Mid {
    Mid(uuid::Uuid::new_v5(&COMPANION, mid.as_bytes()))
}

/// Names the spaces of derived ids; drawn once, never to change.
const CREATED: uuid::Uuid = uuid::uuid!("5c1f5b0e-2f35-5a0c-8d1f-3a6f0f5f7b11");
const COMPANION: uuid::Uuid = uuid::uuid!("a7b6d6f0-94c4-5b59-9f0e-7c1d2b3a4e22");

impl NewCase {
    /// Returns the creation of the case, already reported.
    pub fn case(&self, mid: Mid, at: At) -> Frozen {
        let mut frozen = Frozen::new(&CASE, created_by(mid), Op::Create, at);
        fill(&mut frozen, &self.fields);
        if !self.photos.is_empty() {
            let photos = self.photos.iter().map(|hash| json!(hash)).collect();
            frozen.add.insert(Path::field("photos"), photos);
            frozen.blobs.clone_from(&self.photos);
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
        frozen
    }

    /// Returns the creation of its companion, if there is anything to keep in it.
    pub fn companion(&self, mid: Mid, at: At) -> Option<Frozen> {
        let mut frozen = Frozen::new(&CASE_SENSITIVE, created_by(mid), Op::Create, at);
        fill(&mut frozen, &self.sensitive);
        frozen.has_edits().then_some(frozen)
    }
}

fn fill(frozen: &mut Frozen, fields: &[(&str, Value)]) {
    for (name, to) in fields {
        if !to.is_null() {
            frozen.set.push(Set {
                path: Path::field(name),
                was: Value::Null,
                to: to.clone(),
            });
        }
    }
}

/// Returns a step of a record's workflow.
pub fn command(
    kind: &Kind,
    id: RecordId,
    mut command: Command,
    photos: Vec<BlobHash>,
    at: At,
) -> Frozen {
    if !photos.is_empty() {
        command.args.insert("photos".into(), json!(photos));
    }
    Frozen {
        command: Some(command),
        blobs: photos,
        ..Frozen::new(kind, id, Op::Command, at)
    }
}

/// Returns a decision of a review.
pub fn decide(kind: &Kind, id: RecordId, decide: Decide, at: At) -> Frozen {
    Frozen {
        decide: Some(decide),
        ..Frozen::new(kind, id, Op::Decide, at)
    }
}
