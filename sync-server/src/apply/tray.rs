//! The tray: mutations that somebody must look at, kept whole as records like any other.
//!
//! A parked one lies with its author and with whoever holds the grid; a rejected one with its
//! author alone. It leaves by being released (decided anew), refused (back to its author),
//! replaced by a corrected mutation, or discarded.

use serde_json::{Value, json};

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Commit, Mid, Mseq, UnitId, UserId};
use pocketbook_records::kind::{Class, Kind, SCHEMA};
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE};
use pocketbook_records::kinds::review::tray_id;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Cover;
use pocketbook_records::stamp::{Stamp, Stamps};
use pocketbook_records::time::{Interval, Millis};
use pocketbook_records::workflow::{self, Line};

use super::facts::{self, Facts};
use super::verdict::{Change, Effect, Taken, Verdict};
use super::{Ruling, Work, decide, judge};
use crate::store::accounts;
use crate::store::records::{self, Record};
use crate::writer::{Batch, Fault};

/// What is longer stays with its author: it is refused for its length.
const LONGEST: usize = 200_000;

const TRAYS: [&Kind; 2] = [&PARKED, &PARKED_SENSITIVE];

/// Returns the kind of tray that a class of content lies in.
pub(super) fn kind_of(class: Class) -> &'static Kind {
    match class {
        Class::General => &PARKED,
        Class::Sensitive => &PARKED_SENSITIVE,
    }
}

/// Makes the tray item of a mutation.
pub(super) fn item(
    work: &Work,
    state: &str,
    reason: &Reason,
    home: Option<UnitId>,
    (commit, now): (Commit, Millis),
) -> Record {
    let (of, record) = work.target();
    let mut body = Fields::new();
    let mut put = |field: &str, value: Value| body.insert(field.to_owned(), value);
    put("mid", json!(work.mid));
    put("author", json!(work.author.user));
    put("enrolment", json!(work.author.enrolment));
    put("mseq", json!(work.mseq));
    put("of", json!(of));
    put("record", json!(record));
    put("reason", json!(reason.code()));
    if work.text.len() <= LONGEST {
        put("frozen", json!(work.text));
    }
    put("authored_from", json!(work.at.from));
    put("authored_to", json!(work.at.to));
    put("arrived_at", json!(now));
    put("state", json!(state));
    put("turn", json!(1));
    if let Ok(frozen) = &work.frozen
        && !frozen.blobs.is_empty()
    {
        put("photos", json!(frozen.blobs));
    }
    Record {
        kind: kind_of(work.class()),
        id: tray_id(work.mid),
        rev: commit,
        schema: SCHEMA,
        deleted: false,
        archived: false,
        body,
        created: work.stamp(commit),
        stamps: Stamps::default(),
        home,
        home_since: 0,
    }
}

impl Work {
    /// Reads a mutation back from its tray item.
    pub(super) fn of_item(
        batch: &Batch<'_>,
        item: &Record,
        ruling: Ruling,
    ) -> Result<Option<Self>, Fault> {
        let number = |field: &str| item.body.get(field).and_then(Value::as_i64).unwrap_or(0);
        let (Some(text), Some(enrolment), Some(mid)) = (
            item.text("frozen"),
            item.text("enrolment").and_then(|id| id.parse().ok()),
            mid_of(item),
        ) else {
            return Ok(None);
        };
        let known = accounts::enrolment(batch.store(), enrolment)?;
        Ok(known.map(|known| Self {
            author: known.caller,
            mid,
            mseq: Mseq(number("mseq").cast_unsigned()),
            text: text.to_owned(),
            frozen: Frozen::parse(text),
            at: Interval {
                from: number("authored_from"),
                to: number("authored_to"),
            },
            ruling,
            retold: None,
        }))
    }

    /// Returns the stamp of what this mutation makes.
    pub(super) fn stamp(&self, commit: Commit) -> Stamp {
        Stamp {
            commit,
            origin: commit,
            seen: None,
            enrolment: self.author.enrolment,
            mseq: self.mseq,
            mid: self.mid,
            user: self.author.user,
            at: self.at,
        }
    }
}

/// Returns the mutation that lies in a tray item.
pub(super) fn mid_of(item: &Record) -> Option<Mid> {
    item.text("mid").and_then(|mid| mid.parse().ok())
}

/// Finds the tray item of a mutation.
pub(super) fn find(batch: &Batch<'_>, mid: Mid) -> Result<Option<Record>, Fault> {
    for kind in TRAYS {
        if let Some(item) = records::find(batch.store(), kind, tray_id(mid))? {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

/// Says whether a mutation still waits in the tray.
pub(super) fn holds(batch: &Batch<'_>, mid: Mid) -> Result<bool, Fault> {
    for kind in TRAYS {
        let state = records::state(batch.store(), kind, tray_id(mid))?;
        if matches!(state.as_deref(), Some("parked" | "rejected")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the first of the mutations which this one builds on that still waits in the tray.
pub(super) fn binding(batch: &Batch<'_>, frozen: &Frozen) -> Result<Option<Mid>, Fault> {
    let replaced = frozen.replaces.as_ref().map(|replaces| replaces.mid);
    for dep in &frozen.deps {
        if Some(*dep) != replaced && holds(batch, *dep)? {
            return Ok(Some(*dep));
        }
    }
    Ok(None)
}

/// Returns the edit with each `was` that only an own untaken mutation had put on the screen
/// replaced by what that one had found there.
pub(super) fn as_seen_without_rejected(
    batch: &Batch<'_>,
    frozen: &Frozen,
) -> Result<Frozen, Fault> {
    let mut edit = frozen.clone();
    for dep in frozen.deps.iter().rev() {
        let Some(item) = find(batch, *dep)? else {
            continue;
        };
        let untaken = matches!(
            item.text("state"),
            Some("parked" | "rejected" | "replaced" | "discarded")
        );
        let Some(Ok(earlier)) = item.text("frozen").filter(|_| untaken).map(Frozen::parse) else {
            continue;
        };
        if (earlier.kind.as_str(), earlier.id) != (frozen.kind.as_str(), frozen.id) {
            continue;
        }
        for set in &mut edit.set {
            let shown = earlier
                .set
                .iter()
                .find(|s| s.path == set.path && s.to == set.was);
            if let Some(shown) = shown {
                set.was = shown.was.clone();
            }
        }
    }
    Ok(edit)
}

/// Returns the tray item that a mutation puts right, if it is its author's and as he saw it.
pub(super) fn replaced(batch: &Batch<'_>, work: &Work) -> Result<Option<Record>, Fault> {
    let frozen = work.frozen.as_ref().ok();
    let Some(replaces) = frozen.and_then(|frozen| frozen.replaces.as_ref()) else {
        return Ok(None);
    };
    let item = find(batch, replaces.mid)?;
    Ok(item.filter(|item| {
        let own = item.text("author") == Some(work.author.user.to_string().as_str());
        let waits = matches!(item.text("state"), Some("parked" | "rejected"));
        let turn = item.body.get("turn").and_then(Value::as_u64);
        own && waits && turn == Some(u64::from(replaces.turn))
    }))
}

/// Returns a tray item after a transition of the server's own.
pub(super) fn advance(
    item: &Record,
    (command, to): (&'static str, &'static str),
    mid: Mid,
    by: Option<UserId>,
    at: Millis,
) -> Record {
    let line = Line {
        from: &[],
        command,
        to: Some(to),
        who: &[],
        needs: &[],
        sets: &[],
    };
    let mut after = item.clone();
    workflow::carry_out(&mut after.body, &line, &Fields::new(), mid, by, at);
    after.home = after.home.filter(|_| to == "parked");
    after
}

/// Decides a command on a tray item: release, refuse, discard.
pub(super) fn command(batch: &mut Batch<'_>, facts: &Facts, work: &Work) -> Result<Verdict, Fault> {
    // Who sees it is told that it is there, and another's to decide.
    let not_yours = match &facts.record {
        Some(item) if facts::reads(batch, work, item)? => Reason::NotPermitted,
        _ => Reason::NotYours,
    };
    let (item, line) = match legal(facts, work, not_yours) {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut after = item.clone();
    let args = facts.edit.command.as_ref().map(|given| given.args.clone());
    workflow::carry_out(
        &mut after.body,
        line,
        &args.unwrap_or_default(),
        work.mid,
        Some(work.author.user),
        work.at.to,
    );
    after.home = None;
    let mut effect = Effect::default();
    match line.command {
        "release" => {
            let ruling = Ruling::Released(work.author.user);
            let Some(inner) = Work::of_item(batch, item, ruling)? else {
                return Ok(Verdict::Rejected(Reason::Gone));
            };
            match decide(batch, &inner)?.verdict {
                Verdict::Parked(reason, _) | Verdict::Rejected(reason) => {
                    return Ok(Verdict::Rejected(reason));
                }
                verdict => effect.released = Some((inner, verdict)),
            }
        }
        "refuse" => {
            let reason = Reason::Refused.code();
            after.body.insert("reason".into(), json!(reason));
        }
        _ => {}
    }
    if line.command != "refuse" {
        effect.frees.extend(mid_of(item).map(|mid| mid.0));
    }
    effect.record = Some(Change::of(item, after));
    Ok(Taken::of(Outcome::Applied, effect).into())
}

fn legal<'f>(
    facts: &'f Facts,
    work: &Work,
    not_yours: Reason,
) -> Result<(&'f Record, &'static Line), Verdict> {
    let not_yours = || Verdict::Rejected(not_yours.clone());
    let item = facts.record.as_ref().ok_or_else(not_yours)?;
    // The author's own scope holds his tray items, whatever became of his duties.
    if facts.standing.cover != Cover::Wholly && !facts.standing.actor.author {
        return Err(not_yours());
    }
    let (Some(given), Some(workflow), Op::Command) =
        (&facts.edit.command, facts.kind.workflow, facts.edit.op)
    else {
        return Err(Verdict::Rejected(Reason::Malformed));
    };
    let actor = &facts.standing.actor;
    if judge::is_stale(facts.kind.workflow, item, given) {
        return Err(Verdict::Superseded);
    }
    let step = workflow.step(&item.body, &given.name, &given.args, actor, work.at);
    let line = step.map_err(|illegal| Verdict::Rejected(illegal.into()))?;
    Ok((item, line))
}
