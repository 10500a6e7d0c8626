//! Reviews: opening one from a dispute, and deciding it.
//!
//! A decision settles the field only if its author had been shown every candidate. Else it is one
//! more candidate and settles nothing, so two people who decide without having seen each other
//! end with an open review and both values, never with a silent winner. While a `never_auto`
//! field is under review, only head or clerk settle it; a worker's choice is a proposal.

use serde_json::{Value, json};

use crate::body::Fields;
use crate::ids::RecordId;
use crate::kinds::review::{BASE, Candidate};
use crate::merge::Dispute;
use crate::mutation::{Choice, Decide};
use crate::receipt::Reason;
use crate::stamp::Author;
use crate::time::Millis;

/// The path of a review that is about a record as a whole: it was edited after its deletion.
pub const WHOLE: &str = "*";

/// What a decision does to its review.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// The field gets this value, the review is closed.
    Settled {
        /// The review's fields afterwards.
        review: Fields,
        /// The value; null takes it away.
        value: Value,
    },
    /// One candidate more; the field stays.
    Proposed {
        /// The review's fields afterwards.
        review: Fields,
    },
    /// The same was decided before.
    Same,
}

/// Returns the review's fields once a dispute is added to what it holds already.
pub fn open(
    existing: Option<&Fields>,
    kind: &str,
    record: RecordId,
    dispute: &Dispute,
    now: Millis,
) -> Fields {
    let mut review = existing.cloned().unwrap_or_default();
    let was_open = state(&review) == "open";
    if existing.is_none() {
        review.insert("of".into(), json!(kind));
        review.insert("record".into(), json!(record));
        review.insert("path".into(), json!(dispute.path));
        review.insert("held".into(), json!(dispute.held));
        review.insert("opened_at".into(), json!(now));
    }
    let mut all = candidates(&review);
    for new in &dispute.candidates {
        add(&mut all, new.clone());
    }
    put(&mut review, &all);
    review.insert("shown".into(), json!(dispute.shown));
    if !was_open {
        turn(&mut review, "open");
        review.remove("decided_by");
    }
    review
}

/// Judges a decision.
pub fn decide(review: &Fields, decide: &Decide, author: &Author) -> Result<Decided, Reason> {
    let mut all = candidates(review);
    let (chosen, value) = match &decide.choice {
        Choice::Candidate(id) => {
            let found = all
                .iter()
                .find(|c| &c.id == id)
                .ok_or(Reason::BadValue("choice".into()))?;
            (found.id.clone(), found.value.clone())
        }
        Choice::Value(value) => match all.iter().find(|c| &c.value == value && c.id != BASE) {
            Some(same) => (same.id.clone(), value.clone()),
            None => (author.mid.to_string(), value.clone()),
        },
    };
    let is_open = state(review) == "open";
    let shown = review
        .get("shown")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !is_open && all.iter().any(|c| c.id == shown && c.value == value) {
        return Ok(Decided::Same);
    }
    let mut unseen = all
        .iter()
        .any(|candidate| !decide.seen.contains(&candidate.id));
    if !is_open {
        let closing = review
            .get("transition")
            .and_then(Value::as_str)
            .unwrap_or_default();
        unseen |= !decide.seen.iter().any(|seen| seen == closing);
    }
    let held = review.get("held").and_then(Value::as_bool).unwrap_or(false);
    let mut review = review.clone();
    let mine = Candidate {
        id: author.mid.to_string(),
        value: value.clone(),
        by: Some(author.user),
        at: Some(author.at),
    };
    if unseen || (held && !author.holder) {
        add(&mut all, mine);
        put(&mut review, &all);
        if !is_open {
            turn(&mut review, "open");
            review.remove("decided_by");
        }
        return Ok(Decided::Proposed { review });
    }
    if chosen == mine.id {
        add(&mut all, mine);
        put(&mut review, &all);
    }
    turn(&mut review, "closed");
    review.insert("shown".into(), json!(chosen));
    review.insert("transition".into(), json!(author.mid));
    review.insert("decided_by".into(), json!(author.user));
    Ok(Decided::Settled { review, value })
}

/// Returns the candidates that a review holds.
pub fn candidates(review: &Fields) -> Vec<Candidate> {
    let list = review
        .get("candidates")
        .cloned()
        .unwrap_or_else(|| json!([]));
    serde_json::from_value(list).unwrap_or_default()
}

/// Says whether a review waits for a decision.
pub fn is_open(review: &Fields) -> bool {
    state(review) == "open"
}

fn state(review: &Fields) -> &str {
    review
        .get("state")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn turn(review: &mut Fields, state: &str) {
    let turn = review.get("turn").and_then(Value::as_i64).unwrap_or(0) + 1;
    review.insert("turn".into(), json!(turn));
    review.insert("state".into(), json!(state));
}

fn add(all: &mut Vec<Candidate>, new: Candidate) {
    if let Err(at) = all.binary_search_by(|c| c.id.cmp(&new.id)) {
        all.insert(at, new);
    }
}

fn put(review: &mut Fields, all: &[Candidate]) {
    review.insert("candidates".into(), json!(all));
}
