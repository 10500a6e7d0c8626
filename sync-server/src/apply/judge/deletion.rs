//! Deletions: what hangs on the record, and what its author had not been shown.

use serde_json::{Value, json};

use pocketbook_records::kind::Home;
use pocketbook_records::kinds::review::Candidate;
use pocketbook_records::path;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::stamp::{Author, Stamp};

use super::{admit, author, candidate, known, or_touched};
use crate::apply::facts::Facts;
use crate::apply::verdict::{Change, Disputed, Effect, Taken, Verdict};
use crate::apply::{Work, reviews};
use crate::store::records::{Brief, Record};

pub(super) fn delete(facts: &Facts, work: &Work) -> Result<Taken, Verdict> {
    let record = known(facts)?;
    admit(facts)?;
    if facts.kind.append_only || matches!(facts.kind.home, Home::AuthorAnd(_) | Home::Noted) {
        return Err(Verdict::Rejected(Reason::NotPermitted));
    }
    if record.deleted {
        return Ok(Taken::of(Outcome::Duplicate, Effect::default()));
    }
    let is_child = |brief: &&Brief| {
        let parent = brief.kind.parent();
        let of_this =
            parent.is_some_and(|parent| parent.kind == facts.kind.name && parent.field.is_some());
        of_this && !brief.deleted
    };
    if facts.hanging.iter().any(|brief| is_child(&brief)) {
        return Err(Verdict::parked(Reason::HasChildren));
    }
    let author = author(facts, work);
    let mut also = Vec::new();
    let mut disputes = Vec::new();
    let companions = facts.companions.iter();
    let companions = companions.map(|(companion, reviews)| (companion, reviews));
    for (record, open_reviews) in companions.chain([(record, &facts.open_reviews)]) {
        let mut candidates = unseen_edits(record, facts, &author);
        for review in open_reviews {
            candidates.extend(reviews::moved_candidates(review));
            also.push(reviews::close_moved(review, &author));
        }
        if !candidates.is_empty() {
            candidates.push(candidate(&author, Value::Null));
            disputes.push(Disputed::of(record, reviews::after_deletion(candidates)));
        }
    }
    let mut after = record.clone();
    after.deleted = true;
    let outcome = if disputes.is_empty() {
        Outcome::Applied
    } else {
        Outcome::Conflict
    };
    let effect = Effect {
        record: Some(Change::of(record, after)),
        also,
        disputes,
        ..Effect::default()
    };
    Ok(Taken::of(outcome, effect))
}

/// Returns what others had written and the deleting author had not been shown.
fn unseen_edits(record: &Record, facts: &Facts, author: &Author) -> Vec<Candidate> {
    let unseen = |stamp: &Stamp| {
        let same = author.own_chain && stamp.enrolment == author.enrolment;
        let own = same || author.is_own(stamp.enrolment, stamp.mseq);
        !own && facts.edit.seen.is_none_or(|seen| stamp.commit > seen)
    };
    let fields = record.stamps.fields.iter();
    fields
        .filter(|(_, stamp)| unseen(stamp))
        .map(|(path, stamp)| Candidate {
            id: stamp.mid.to_string(),
            value: json!({ path.as_str(): or_touched(path::get(&record.body, path)) }),
            by: Some(stamp.user),
            at: Some(stamp.at),
        })
        .collect()
}
