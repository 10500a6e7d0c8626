//! The decision: facts and mutation in, verdict out. Pure: it reads nothing, writes nothing, and
//! the same facts always give the same verdict.
//!
//! Creations and edits are judged here, [`commands`], [`deletion`]s and [`decision`]s of reviews
//! next door.

mod commands;
mod decision;
mod deletion;

use serde_json::{Value, json};

use pocketbook_records::body::Fields;
use pocketbook_records::kind::{Field, Home, Owner};
use pocketbook_records::kinds::review::Candidate;
use pocketbook_records::merge::{self, Dispute, Merged, Stored};
use pocketbook_records::mutation::Op;
use pocketbook_records::overlay::overlay;
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Cover;
use pocketbook_records::stamp::{Author, Stamp, Stamps};

pub(super) use commands::is_stale;

use super::facts::{Facts, Parent};
use super::verdict::{Change, Disputed, Effect, Taken, Verdict};
use super::{Work, reviews};
use crate::caller::Station;
use crate::store::accounts::SYSTEM;
use crate::store::records::{Brief, Record};

/// Decides a mutation that is well formed.
pub(super) fn judge(facts: &Facts, work: &Work) -> Verdict {
    if let Some(mid) = facts.bound_by {
        return Verdict::Parked(Reason::DependsOn, vec![mid.0]);
    }
    let judged = match facts.edit.op {
        Op::Create => create(facts, work),
        Op::Patch => patch(facts, work),
        Op::Command => commands::command(facts, work),
        Op::Delete => deletion::delete(facts, work),
        Op::Decide => decision::decide(facts, work),
        Op::Void | Op::Later => Err(Verdict::Void),
    };
    judged.map_or_else(|verdict| verdict, Verdict::from)
}

/// Whether a mutation that is brought back is in the record already: a witness of what came of it,
/// or of its like, was there first. Whose author never heard of it comes without proof: a step is
/// named after the mutation that made it.
fn is_in(facts: &Facts, work: &Work, record: &Record, stamp: Option<&Stamp>) -> bool {
    let steps = record.body.get("steps").and_then(Value::as_array);
    let mut steps = steps.into_iter().flatten();
    if steps.any(|step| step["id"] == json!(work.mid)) {
        return true;
    }
    let stamp = stamp.unwrap_or(&record.created);
    let retold = work.retold.as_ref();
    retold.is_some_and(|retold| facts.lost.includes(stamp.seen, retold.origin))
}

/// The record keeps its body and gets a new rev, which includes this commit: whoever witnesses it
/// after another restore has been shown this mutation, too.
fn duplicate(record: &Record) -> Taken {
    let change = Change {
        renews: true,
        ..Change::of(record, record.clone())
    };
    let effect = Effect {
        record: Some(change),
        ..Effect::default()
    };
    Taken::of(Outcome::Duplicate, effect)
}

/// Returns the author as the merge sees him.
pub(super) fn author(facts: &Facts, work: &Work) -> Author {
    Author {
        enrolment: work.author.enrolment,
        user: work.author.user,
        mid: work.mid,
        mseq: work.mseq,
        at: work.at,
        own_chain: work.author.station == Station::Phone,
        earlier: facts.earlier.clone(),
        holder: facts.standing.holder,
        commit: facts.commit,
        origin: work.retold.as_ref().map(|retold| retold.origin),
        lost: facts.lost.clone(),
    }
}

/// Says whether the author's duties cover the interval; a mark if only in part and that is enough.
fn admit(facts: &Facts) -> Result<Option<Reason>, Verdict> {
    match facts.standing.cover {
        Cover::Wholly => Ok(None),
        Cover::Partly if facts.kind.append_only => Ok(Some(Reason::OutsideDuty)),
        Cover::Partly => Err(Verdict::parked(Reason::OutsideDuty)),
        Cover::None => Err(Verdict::parked(Reason::NotYours)),
    }
}

/// Returns the record, or parks until it is known.
fn known(facts: &Facts) -> Result<&Record, Verdict> {
    let unknown = || Verdict::Parked(Reason::NotYours, vec![facts.edit.id.0]);
    facts.record.as_ref().ok_or_else(unknown)
}

fn create(facts: &Facts, work: &Work) -> Result<Taken, Verdict> {
    if matches!(facts.kind.home, Home::AuthorAnd(_) | Home::Noted) {
        return Err(Verdict::Rejected(Reason::Malformed));
    }
    if let Some(record) = &facts.record {
        // An id is made once: a witness of it has its creation in it.
        let is_witnessed = work.retold.is_some() && record.created.enrolment == SYSTEM;
        if is_witnessed || is_in(facts, work, record, None) {
            return Ok(duplicate(record));
        }
        return create_over(facts, work, record);
    }
    if facts.is_spent {
        return Err(Verdict::parked(Reason::Gone));
    }
    if let Parent::Unknown(parent) = facts.parent {
        let waits = parent.into_iter().collect();
        return Err(Verdict::Parked(Reason::NotYours, waits));
    }
    if let Home::Grid(field) = facts.kind.home
        && path::get(&proposed(facts), &Path::field(field)).is_null()
    {
        return Err(Verdict::Rejected(Reason::BadValue(field.to_owned())));
    }
    let mark = admit(facts)?;
    if facts.home.is_none() {
        return Err(Verdict::parked(Reason::NotYours));
    }
    let author = author(facts, work);
    let mut record = Record {
        kind: facts.kind,
        id: facts.edit.id,
        rev: facts.commit,
        schema: facts.edit.schema,
        deleted: false,
        archived: false,
        body: proposed(facts),
        created: author.stamp(facts.edit.seen),
        stamps: Stamps::default(),
        home: facts.home.clone(),
        home_since: 0,
    };
    if facts
        .kind
        .field("author")
        .is_some_and(|f| f.owner == Owner::Server)
    {
        record.body.insert("author".into(), json!(work.author.user));
    }
    if let Some(given) = &facts.edit.command {
        let (line, args) = commands::legal(facts, &record.body, given, work)?;
        commands::carry_out(&mut record, line, &args, work);
    }
    let mut effect = Effect {
        frees: vec![record.id.0],
        record: Some(Change::new(record)),
        ..Effect::default()
    };
    effect.disputes.extend(under_deleted_parent(facts, &author));
    let outcome = if effect.disputes.is_empty() {
        Outcome::Applied
    } else {
        Outcome::Conflict
    };
    Ok(Taken {
        mark,
        ..Taken::of(outcome, effect)
    })
}

/// Returns the fields that a creation gives.
fn proposed(facts: &Facts) -> Fields {
    let mut body = Fields::new();
    overlay(facts.kind, &mut body, &facts.edit);
    body
}

/// A creation over a record that is there is judged as edits; a command in it can't be.
fn create_over(facts: &Facts, work: &Work, record: &Record) -> Result<Taken, Verdict> {
    if record.deleted {
        return Err(Verdict::parked(Reason::Gone));
    }
    if facts.edit.command.is_some() || !facts.edit.has_edits() {
        return Err(Verdict::parked(Reason::IdUsed));
    }
    let is_fixed = |field: &Field| field.owner == Owner::Creation;
    let rewrites = facts.edit.set.iter().any(|set| {
        facts.kind.field(set.path.root()).is_some_and(is_fixed)
            && *path::get(&record.body, &set.path) != set.to
    });
    if rewrites {
        return Err(Verdict::parked(Reason::IdUsed));
    }
    patch(facts, work)
}

/// What is created under a deleted parent is kept, and the parent's holder is told.
fn under_deleted_parent(facts: &Facts, author: &Author) -> Option<Disputed> {
    let Parent::Known(Brief {
        kind,
        id,
        home,
        deleted: true,
        ..
    }) = &facts.parent
    else {
        return None;
    };
    let what = json!({ "created": facts.kind.name, "id": facts.edit.id });
    Some(Disputed {
        kind,
        id: *id,
        home: home.clone(),
        dispute: reviews::after_deletion(vec![candidate(author, what)]),
    })
}

fn candidate(author: &Author, value: Value) -> Candidate {
    Candidate {
        id: author.mid.to_string(),
        value,
        by: Some(author.user),
        at: Some(author.at),
    }
}

fn patch(facts: &Facts, work: &Work) -> Result<Taken, Verdict> {
    let record = known(facts)?;
    let mark = admit(facts)?;
    let author = author(facts, work);
    let stored = Stored {
        body: record.body.clone(),
        created: record.created.clone(),
        stamps: record.stamps.clone(),
    };
    let under_review = |path: &Path| facts.reviewed.contains(path);
    let merged = merge::merge(facts.kind, stored, &facts.edit, &author, &under_review);
    let outcome = outcome(record, &merged, facts, &author);
    let after = Record {
        body: merged.body,
        stamps: merged.stamps,
        schema: record.schema.max(facts.edit.schema),
        created: record.created.clone(),
        home: record.home.clone(),
        ..*record
    };
    let mut disputes: Vec<Dispute> = merged.disputes;
    if record.deleted {
        // The edit is kept in the body that a restore would bring back.
        let what = edits_of(facts);
        disputes = vec![reviews::after_deletion(vec![candidate(&author, what)])];
    }
    let mut change = Change::of(record, after);
    change.renews |= work.retold.is_some();
    let effect = Effect {
        disputes: disputes
            .into_iter()
            .map(|dispute| Disputed::of(record, dispute))
            .collect(),
        record: Some(change),
        ..Effect::default()
    };
    Ok(Taken {
        outcome,
        mark,
        fates: merged.fates,
        effect,
    })
}

fn outcome(record: &Record, merged: &Merged, facts: &Facts, author: &Author) -> Outcome {
    if record.deleted || !merged.disputes.is_empty() {
        return Outcome::Conflict;
    }
    if merged.body == record.body && merged.fates.is_empty() {
        return Outcome::Duplicate;
    }
    let unseen = |stamp: &Stamp| {
        stamp.enrolment != author.enrolment
            && facts.edit.seen.is_none_or(|seen| stamp.commit > seen)
    };
    let beside = unseen(&record.created) || record.stamps.fields.values().any(unseen);
    if beside || !merged.fates.is_empty() {
        Outcome::Merged
    } else {
        Outcome::Applied
    }
}

/// Returns what a patch meant, for people who look at a review.
fn edits_of(facts: &Facts) -> Value {
    let sets = facts.edit.set.iter();
    let mut edits: Fields = sets
        .map(|set| (set.path.to_string(), or_touched(&set.to)))
        .collect();
    for (path, items) in &facts.edit.add {
        edits.insert(path.to_string(), json!(items));
    }
    for path in facts.edit.inc.keys().chain(facts.edit.remove.keys()) {
        edits.entry(path.to_string()).or_insert(json!(true));
    }
    Value::Object(edits)
}

/// A stored body holds no null: what was taken away is only said to have been touched.
fn or_touched(value: &Value) -> Value {
    match value {
        Value::Null => json!(true),
        value => value.clone(),
    }
}
