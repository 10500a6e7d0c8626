//! One mutation: the door through which every change of a record comes, whoever authored it. A
//! phone's hand-in, a desk's call and an import all end here.
//!
//! # The life of one mutation
//!
//! 1. *Its name.* A `mid` is used once in a district. A second use is refused loudly; a mere
//!    repeat never gets this far, its stored receipt answers it ([`crate::exchange`]).
//! 2. *Its form.* What can be checked without a record is checked by the same function as on the
//!    phone. Malformed content is this mutation's rejection, never the batch's.
//! 3. *The facts* ([`facts`]): everything that the decision may ask for is read first: the record,
//!    what it hangs on, where it lay while the mutation was authored, the author's duties, open
//!    reviews, what still lies in the tray.
//! 4. *The decision* ([`judge`]): a pure function of facts and mutation. It reads nothing and
//!    writes nothing, and its whole effect is a value ([`verdict::Effect`]).
//! 5. *The effect* ([`effect`]): record, companion's masks, reviews, index rows, descendants that
//!    follow a moved household, or the tray item ([`tray`]) that keeps what was not taken.
//! 6. *The receipt and the journal's line*, in the same commit.
//! 7. *What waited for it* ([`dependants`]): a created record or a tray item that was released,
//!    replaced or discarded frees others, which are decided anew in the order of authoring, in
//!    the same commit. Their first receipts stay as they were.
//!
//! # What it promises
//!
//! A mutation that arrives always gets a terminal word, and one that does not depend on another
//! is not held up by it. Nothing is lost: what can't be applied lies in the tray, whole. Somebody
//! without right learns nothing: an unknown record and a forbidden one are parked alike.
//!
//! # What it refuses
//!
//! Savepoints per mutation: a decision that fails has written nothing. Trust in clocks: only the
//! authoring *interval* counts, and against the duties and the grid of then. Silence: an outcome
//! that is not plainly "applied" names its reason or its fates.

pub(crate) mod content;
mod dependants;
mod effect;
mod facts;
mod judge;
mod reviews;
mod standing;
#[cfg(test)]
mod tests;
mod tray;
mod verdict;
pub(crate) mod witness;

use pocketbook_records::ids::{Commit, Mid, Mseq, RecordId, UserId};
use pocketbook_records::kind::{Class, Home, Kind};
use pocketbook_records::mutation::{self, Frozen, MAX_FROZEN, Op};
use pocketbook_records::receipt::{Outcome, Reason, Receipt};
use pocketbook_records::time::Interval;
use pocketbook_records::wire::{Key, Put};
use serde_json::Value;

use crate::caller::Caller;
use crate::store::{accounts, journal, receipts, records};
use crate::writer::{Batch, Fault};

use effect::Done;
use facts::Facts;
use verdict::{Judged, Verdict};

/// One mutation as it is handed in.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Who hands it in.
    pub(crate) author: Caller,
    /// Its name.
    pub(crate) mid: Mid,
    /// Its place.
    pub(crate) mseq: Mseq,
    /// What was authored, byte for byte.
    pub(crate) text: String,
    /// The same, read; or why it can't be.
    pub(crate) frozen: Result<Frozen, Reason>,
    /// When it was authored, as far as can be bounded.
    pub(crate) at: Interval,
    /// Whether somebody has ruled on it already.
    pub(crate) ruling: Ruling,
    /// What it had become in a history that was lost, if a phone brings it back with proof of that.
    pub(crate) retold: Option<Retold>,
}

/// A mutation's effect in a history that was lost: nobody's rights are judged twice.
#[derive(Debug, Clone)]
pub(crate) struct Retold {
    /// The commit that took it.
    pub(crate) origin: Commit,
    /// The official number that it was given.
    pub(crate) number: Option<Value>,
}

/// Under which ruling a mutation is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// By the author's own rights.
    Ordinary,
    /// Somebody who may has released it: he answers for it.
    Released(UserId),
}

/// What became of a mutation.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The word on it.
    pub(crate) receipt: Receipt,
    /// Records whose bodies its author can't work out alone.
    pub(crate) touched: Vec<Key>,
}

/// Takes one mutation in.
pub(crate) fn apply(batch: &mut Batch<'_>, work: &Work) -> Result<Applied, Fault> {
    if !claim_name(batch, work)? {
        return match word_before(batch, work)? {
            Some(receipt) => Ok(Applied::again(receipt)),
            None => Ok(Applied::without_trace(work, Reason::MidReused)),
        };
    }
    let judged = decide(batch, work)?;
    take(batch, work, judged)
}

/// Notes that its name is used; says no if it was used before.
fn claim_name(batch: &Batch<'_>, work: &Work) -> Result<bool, Fault> {
    let by = receipts::Used {
        enrolment: work.author.enrolment,
        mseq: work.mseq,
        check: mutation::check(&work.text),
    };
    Ok(receipts::claim(batch, work.mid, &by)?)
}

/// Finds the word on the same mutation of the same account under an earlier enrolment, whose
/// receipt never arrived: it is said again under the new number.
fn word_before(batch: &Batch<'_>, work: &Work) -> Result<Option<Receipt>, Fault> {
    let store = batch.store();
    let Some(used) = receipts::used(store, work.mid)? else {
        return Ok(None);
    };
    let earlier = accounts::enrolment(store, used.enrolment)?;
    let is_same = used.enrolment != work.author.enrolment
        && used.check == mutation::check(&work.text)
        && earlier.is_some_and(|earlier| earlier.caller.user == work.author.user);
    if !is_same {
        return Ok(None);
    }
    let word = receipts::find(store, used.enrolment, used.mseq)?;
    Ok(word.map(|word| Receipt {
        mseq: work.mseq,
        ..word
    }))
}

/// Parks a mutation at which the server itself fails, unread.
pub(crate) fn park_faulty(batch: &mut Batch<'_>, work: &Work) -> Result<Applied, Fault> {
    claim_name(batch, work)?;
    let judged = Judged {
        verdict: Verdict::Parked(Reason::ServerFault, Vec::new()),
        home: None,
    };
    take(batch, work, judged)
}

/// Writes what was decided, with its receipt, its line and what it frees.
fn take(batch: &mut Batch<'_>, work: &Work, judged: Judged) -> Result<Applied, Fault> {
    let done = effect::carry_out(batch, work, judged)?;
    note(batch, work, done.outcome)?;
    let mut touched = done.touched.clone();
    touched.extend(dependants::decide_again(batch, &done.frees)?);
    Ok(Applied {
        receipt: work.receipt(done),
        touched,
    })
}

/// Returns a record as it stands now, if the author of a mutation may read it.
pub(crate) fn readable(
    batch: &mut Batch<'_>,
    work: &Work,
    kind: &'static Kind,
    id: RecordId,
) -> Result<Option<Put>, Fault> {
    let record = records::find(batch.store(), kind, id)?;
    match record.filter(|record| !record.deleted) {
        Some(record) if facts::reads(batch, work, &record)? => Ok(Some(record.as_put()?)),
        _ => Ok(None),
    }
}

/// Reads the facts and decides; writes nothing.
fn decide(batch: &mut Batch<'_>, work: &Work) -> Result<Judged, Fault> {
    let frozen = match &work.frozen {
        Ok(frozen) => frozen,
        Err(reason) => return Ok(Judged::rejected(reason.clone())),
    };
    match frozen.op {
        // An edit in it would be gone without a trace.
        Op::Void | Op::Later if !frozen.is_formed() => {
            return Ok(Judged::rejected(Reason::Malformed));
        }
        Op::Void => return Ok(Judged::from(Verdict::Void)),
        Op::Later => {
            return Ok(match &frozen.later {
                Some(later) if later.bytes <= MAX_FROZEN as u64 => {
                    let waits = vec![content::target(later)];
                    Judged::from(Verdict::Parked(Reason::AwaitingContent, waits))
                }
                _ => Judged::rejected(Reason::TooLarge),
            });
        }
        _ => {}
    }
    let Some(kind) = Kind::named(&frozen.kind) else {
        return Ok(Judged::rejected(Reason::UnknownKind));
    };
    if let Err(reason) = frozen.check(kind) {
        return Ok(Judged::rejected(reason));
    }
    let facts = Facts::gather(batch, kind, work, frozen)?;
    let verdict = match (kind.home, frozen.op) {
        (Home::AuthorAnd(_), Op::Command) => tray::command(batch, &facts, work)?,
        _ => judge::judge(&facts, work),
    };
    Ok(Judged {
        verdict,
        home: facts.home,
    })
}

/// Writes the journal's line.
fn note(batch: &mut Batch<'_>, work: &Work, outcome: Outcome) -> Result<(), Fault> {
    let (kind, id) = work.target();
    let line = journal::Line {
        mid: work.mid,
        enrolment: work.author.enrolment,
        user: work.author.user,
        kind,
        id,
        outcome,
        content: &work.text,
        class: work.class(),
    };
    journal::append(batch, &line)
}

impl Work {
    /// Returns the kind and id that it names; nothing sensible if it can't be read.
    fn target(&self) -> (&str, RecordId) {
        match &self.frozen {
            Ok(frozen) => (&frozen.kind, frozen.id),
            Err(_) => ("", RecordId(uuid::Uuid::nil())),
        }
    }

    /// Returns the class that its content is kept under; the careful one if it can't be told.
    pub(crate) fn class(&self) -> Class {
        Kind::named(self.target().0).map_or(Class::Sensitive, |kind| kind.class)
    }

    fn receipt(&self, done: Done) -> Receipt {
        Receipt {
            mid: self.mid,
            mseq: self.mseq,
            check: mutation::check(&self.text),
            outcome: done.outcome,
            rev: done.rev,
            fates: done.fates,
            assigned: done.assigned,
            reason: done.reason,
        }
    }
}

impl Applied {
    /// The word on a mutation that leaves nothing behind but its receipt: its name belongs to
    /// another one, so no tray item could be named after it.
    fn again(receipt: Receipt) -> Self {
        Self {
            receipt,
            touched: Vec::new(),
        }
    }

    fn without_trace(work: &Work, reason: Reason) -> Self {
        let done = Done {
            reason: Some(reason),
            ..Done::of(Outcome::Rejected)
        };
        Self {
            receipt: work.receipt(done),
            touched: Vec::new(),
        }
    }
}
