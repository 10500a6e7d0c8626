//! Reviews as records: opening, closing, and the one about a record as a whole.

use serde_json::{Value, json};

use pocketbook_records::decide::{self, WHOLE};
use pocketbook_records::ids::RecordId;
use pocketbook_records::kind::{Class, Home, Kind};
use pocketbook_records::kinds::review::{self, BASE, Candidate, REVIEW, REVIEW_SENSITIVE};
use pocketbook_records::merge::Dispute;
use pocketbook_records::path::Path;
use pocketbook_records::stamp::{Author, Stamps};

use super::Work;
use super::verdict::{Change, Disputed};
use crate::store::Store;
use crate::store::records::{self, Brief, Record};
use crate::writer::{Batch, Fault};

/// Returns the kind of the reviews of a kind's records.
fn kind_of(kind: &Kind) -> &'static Kind {
    match kind.class {
        Class::General => &REVIEW,
        Class::Sensitive => &REVIEW_SENSITIVE,
    }
}

/// Says whether there is any review about a record, open or not: most have none.
pub(super) fn any_about(store: Store<'_>, record: &Record) -> Result<bool, Fault> {
    Ok(records::hangs_on(store, kind_of(record.kind), record.id)?)
}

/// Says whether a field waits for a decision.
pub(super) fn is_open(store: Store<'_>, record: &Record, path: &Path) -> Result<bool, Fault> {
    let id = review::id(record.kind.name, record.id, path.as_str());
    Ok(records::state(store, kind_of(record.kind), id)?.as_deref() == Some("open"))
}

/// Returns the open reviews among what hangs on a record.
pub(super) fn open_of(
    store: Store<'_>,
    record: &Record,
    hanging: &[Brief],
) -> Result<Vec<Record>, Fault> {
    let mut open = Vec::new();
    for brief in hanging {
        if !matches!(brief.kind.home, Home::Noted) {
            continue;
        }
        let Some(review) = records::find(store, brief.kind, brief.id)? else {
            continue;
        };
        let is_ours = review.text("of") == Some(record.kind.name);
        if is_ours && decide::is_open(&review.body) && review.text("path") != Some(WHOLE) {
            open.push(review);
        }
    }
    Ok(open)
}

/// Returns the record that a review is about.
pub(super) fn target(store: Store<'_>, review: &Record) -> Result<Option<Record>, Fault> {
    let kind = review.text("of").and_then(Kind::named);
    match (kind, review.id_in("record")) {
        (Some(kind), Some(id)) => records::find(store, kind, id),
        _ => Ok(None),
    }
}

/// Returns the dispute "edited after deletion": a candidate without value leaves the record
/// deleted, any other brings it back. A mutation is one candidate, with all the fields that it wrote.
pub(super) fn after_deletion(all: Vec<Candidate>) -> Dispute {
    let mut candidates: Vec<Candidate> = Vec::new();
    for one in all {
        let same = candidates.iter_mut().find(|other| other.id == one.id);
        match (same.map(|same| &mut same.value), one.value) {
            (Some(Value::Object(fields)), Value::Object(more)) => fields.extend(more),
            (Some(_), _) => {}
            (None, value) => candidates.push(Candidate { value, ..one }),
        }
    }
    let shown = candidates.iter().find(|c| c.value.is_null());
    Dispute {
        path: Path::field(WHOLE),
        held: false,
        shown: shown.map(|c| c.id.clone()).unwrap_or_default(),
        candidates,
    }
}

/// Returns an open review's candidates as those of a deleted record.
pub(super) fn moved_candidates(review: &Record) -> Vec<Candidate> {
    let path = review.text("path").unwrap_or_default();
    let all = decide::candidates(&review.body).into_iter();
    all.filter(|candidate| candidate.id != BASE && !candidate.value.is_null())
        .map(|candidate| Candidate {
            value: json!({ path: candidate.value }),
            ..candidate
        })
        .collect()
}

/// Closes a review whose candidates were moved.
pub(super) fn close_moved(review: &Record, author: &Author) -> Change {
    let mut after = review.clone();
    let turn = after.body.get("turn").and_then(Value::as_i64);
    after
        .body
        .insert("turn".into(), json!(turn.unwrap_or(0) + 1));
    after.body.insert("state".into(), json!("closed"));
    after.body.insert("transition".into(), json!(author.mid));
    after.body.insert("decided_by".into(), json!(author.user));
    Change::of(review, after)
}

/// Puts a dispute into the review of its field; opens it if need be.
pub(super) fn open(
    batch: &mut Batch<'_>,
    work: &Work,
    disputed: &Disputed,
) -> Result<(RecordId, Change), Fault> {
    let kind = kind_of(disputed.kind);
    let path = disputed.dispute.path.as_str();
    let id = review::id(disputed.kind.name, disputed.id, path);
    let existing = records::find(batch.store(), kind, id)?;
    let body = decide::open(
        existing.as_ref().map(|review| &review.body),
        disputed.kind.name,
        disputed.id,
        &disputed.dispute,
        batch.now(),
    );
    let change = match existing {
        Some(before) => {
            let mut after = before.clone();
            after.body = body;
            Change::of(&before, after)
        }
        None => Change::new(Record {
            kind,
            id,
            rev: batch.commit()?,
            schema: pocketbook_records::kind::SCHEMA,
            deleted: false,
            archived: false,
            body,
            created: work.stamp(batch.commit()?),
            stamps: Stamps::default(),
            home: disputed.home.clone(),
            home_since: 0,
        }),
    };
    Ok((id, change))
}
