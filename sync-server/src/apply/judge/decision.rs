//! Decisions of reviews, and what they do to the field in question.

use serde_json::Value;

use pocketbook_records::body::Fields;
use pocketbook_records::decide::{self, Decided, WHOLE};
use pocketbook_records::kind::{Home, Kind};
use pocketbook_records::mutation::Choice;
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::stamp::Author;

use super::{admit, author, known};
use crate::apply::Work;
use crate::apply::facts::Facts;
use crate::apply::verdict::{Change, Effect, Taken, Verdict};
use crate::store::records::Record;

pub(super) fn decide(facts: &Facts, work: &Work) -> Result<Taken, Verdict> {
    let review = known(facts)?;
    admit(facts)?;
    let malformed = Verdict::Rejected(Reason::Malformed);
    if !matches!(facts.kind.home, Home::Noted) {
        return Err(malformed);
    }
    let given = facts.edit.decide.as_ref().ok_or(malformed)?;
    let author = author(facts, work);
    let path = review.text("path").unwrap_or(WHOLE);
    if let (Choice::Value(value), Some(target)) = (&given.choice, &facts.target)
        && !fits(target.kind, path, value)
    {
        return Err(Verdict::Rejected(Reason::BadValue("choice".into())));
    }
    let decided = decide::decide(&review.body, given, &author).map_err(Verdict::Rejected)?;
    let mut effect = Effect::default();
    let outcome = match decided {
        Decided::Same => Outcome::Duplicate,
        Decided::Proposed { review: body } => {
            effect.record = Some(Change::of(review, with_body(review, body)));
            Outcome::Conflict
        }
        Decided::Settled {
            review: body,
            value,
        } => {
            effect.record = Some(Change::of(review, with_body(review, body)));
            let target = facts.target.as_ref();
            effect.also = target
                .map(|t| settle(t, path, value, facts, &author))
                .into_iter()
                .collect();
            Outcome::Applied
        }
    };
    Ok(Taken::of(outcome, effect))
}

fn with_body(record: &Record, body: Fields) -> Record {
    Record {
        body,
        ..record.clone()
    }
}

fn fits(kind: &Kind, path: &str, value: &Value) -> bool {
    let (field, inner) = path.split_once('/').unwrap_or((path, ""));
    let field = kind.field(field).filter(|_| inner.is_empty());
    field.is_none_or(|field| field.shape.accepts(value))
}

/// Gives the field its value; of a whole record: brings it back, or leaves it deleted.
fn settle(target: &Record, path: &str, value: Value, facts: &Facts, author: &Author) -> Change {
    let mut after = target.clone();
    if path == WHOLE {
        after.deleted &= value.is_null();
    } else if let Ok(path) = Path::parse(path) {
        path::set(&mut after.body, &path, value);
        let stamp = author.stamp(facts.edit.seen);
        after.stamps.fields.insert(path, stamp);
    }
    Change::of(target, after)
}
