//! Carrying a decision out: the only place that writes records.

mod consequences;

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use pocketbook_records::ids::{RecordId, Rev, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Op;
use pocketbook_records::path::Path;
use pocketbook_records::receipt::{Fate, Outcome, Reason};
use pocketbook_records::wire::Key;

use super::verdict::{Change, Judged, Taken, Verdict};
use super::{Ruling, Work, facts, reviews, tray};
use crate::archive;
use crate::caller::Station;
use crate::store::records::{self, Record};
use crate::store::scopes::{self, Passage};
use crate::store::waits::{self, Waiting};
use crate::writer::{Batch, Fault};

pub(super) use consequences::refer;

/// What was done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) rev: Option<Rev>,
    pub(super) fates: Vec<Fate>,
    pub(super) assigned: BTreeMap<Path, Value>,
    pub(super) reason: Option<Reason>,
    pub(super) touched: Vec<Key>,
    pub(super) frees: Vec<Uuid>,
}

impl Done {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            rev: None,
            fates: Vec::new(),
            assigned: BTreeMap::new(),
            reason: None,
            touched: Vec::new(),
            frees: Vec::new(),
        }
    }
}

/// Writes what was decided; what is not taken goes into the tray.
pub(super) fn carry_out(batch: &mut Batch<'_>, work: &Work, judged: Judged) -> Result<Done, Fault> {
    let mut done = match judged.verdict {
        Verdict::Taken(taken) => take(batch, work, *taken)?,
        Verdict::Void => Done::of(Outcome::Void),
        Verdict::Superseded => Done {
            reason: Some(Reason::Stale),
            ..Done::of(Outcome::Superseded)
        },
        Verdict::Rejected(reason) => lay_aside(batch, work, "rejected", reason, None)?,
        Verdict::Parked(reason, waits) => {
            wait(batch, work, &waits)?;
            lay_aside(batch, work, "parked", reason, judged.home)?
        }
    };
    if let Some(item) = tray::replaced(batch, work)? {
        replace(batch, work, &item, &mut done)?;
    }
    Ok(done)
}

/// Notes what a parked mutation waits for.
pub(super) fn wait(batch: &Batch<'_>, work: &Work, targets: &[Uuid]) -> Result<(), Fault> {
    let waiting = Waiting {
        enrolment: work.author.enrolment,
        mseq: work.mseq,
        mid: work.mid,
        tray: tray::kind_of(work.class()).name.to_owned(),
    };
    for target in targets {
        waits::put(batch.store(), *target, &waiting)?;
    }
    Ok(())
}

/// Keeps a mutation in the tray. A desk reads its rejection in the answer and corrects it there.
fn lay_aside(
    batch: &mut Batch<'_>,
    work: &Work,
    state: &str,
    reason: Reason,
    home: Option<UnitId>,
) -> Result<Done, Fault> {
    let outcome = match state {
        "parked" => Outcome::Parked,
        _ => Outcome::Rejected,
    };
    let mut done = Done::of(outcome);
    if outcome == Outcome::Parked || work.author.station == Station::Phone {
        let moment = (batch.commit()?, batch.now());
        let item = tray::item(work, state, &reason, home, moment);
        refer(batch, work, item.kind, item.id)?;
        write(batch, Change::new(item), &mut done)?;
    }
    done.reason = Some(reason);
    Ok(done)
}

fn replace(
    batch: &mut Batch<'_>,
    work: &Work,
    item: &Record,
    done: &mut Done,
) -> Result<(), Fault> {
    let step = ("replace", "replaced");
    let by = Some(work.author.user);
    let after = tray::advance(item, step, work.mid, by, work.at.to);
    done.frees.extend(tray::mid_of(item).map(|mid| mid.0));
    write(batch, Change::of(item, after), done)
}

/// Writes an effect.
fn take(batch: &mut Batch<'_>, work: &Work, taken: Taken) -> Result<Done, Fault> {
    let Taken {
        outcome,
        mark,
        mut fates,
        mut effect,
    } = taken;
    let mut done = Done {
        reason: mark,
        ..Done::of(outcome)
    };
    consequences::number(batch, work, &mut effect, &mut done)?;
    let changed = effect.record.as_ref().map(|change| {
        let Record { kind, id, .. } = change.after;
        (kind, id)
    });
    // What a witness has brought back already still refers to its author's files.
    let main = changed.or_else(|| {
        let frozen = work
            .frozen
            .as_ref()
            .ok()
            .filter(|_| work.retold.is_some())?;
        Some((Kind::named(&frozen.kind)?, frozen.id))
    });
    if let Some(change) = effect.record {
        let rev = if change.renews {
            batch.commit()?
        } else {
            change.after.rev
        };
        // Brought back by its author and deleted meanwhile: no page will tell of it once more.
        let is_gone = work.retold.is_some() && change.after.deleted;
        if !is_gone && facts::reads(batch, work, &change.after)? {
            done.rev = Some(rev);
        }
        enact(batch, change, &mut done)?;
    }
    for change in effect.also {
        enact(batch, change, &mut done)?;
    }
    for disputed in &effect.disputes {
        let (review, change) = reviews::open(batch, work, disputed)?;
        let path = &disputed.dispute.path;
        for fate in fates.iter_mut().filter(|fate| fate.path == *path) {
            fate.review = Some(review);
        }
        // A decision may have come before its review: from a phone that a restored server forgot.
        done.frees.push(review.0);
        write(batch, change, &mut done)?;
    }
    if let (Some((_, id)), Some(home)) = (main, &effect.rehome) {
        consequences::move_descendants(batch, id, home)?;
    }
    if let Some((kind, id)) = main {
        refer(batch, work, kind, id)?;
        hide_plain(work, outcome, kind, id, &mut done);
    }
    if let Some((inner, verdict)) = effect.released {
        release(batch, &inner, verdict, &mut done)?;
    }
    done.fates = fates;
    done.frees.extend(effect.frees);
    Ok(done)
}

/// Carries a released mutation out.
fn release(
    batch: &mut Batch<'_>,
    inner: &Work,
    verdict: Verdict,
    done: &mut Done,
) -> Result<(), Fault> {
    let of_inner = carry_out(batch, inner, Judged::from(verdict))?;
    super::note(batch, inner, of_inner.outcome)?;
    done.touched.extend(of_inner.touched);
    done.frees.extend(of_inner.frees);
    Ok(())
}

/// Its author can work out himself what a plain edit makes of the record.
fn hide_plain(work: &Work, outcome: Outcome, kind: &Kind, id: RecordId, done: &mut Done) {
    let is_plain = outcome == Outcome::Applied
        && work.ruling == Ruling::Ordinary
        && kind.field("author").is_none()
        && matches!(&work.frozen, Ok(frozen) if matches!(frozen.op, Op::Patch | Op::Create));
    if is_plain {
        done.touched
            .retain(|key| (key.kind.as_str(), key.id) != (kind.name, id));
    }
}

/// Writes one record and what follows from it.
fn enact(batch: &mut Batch<'_>, change: Change, done: &mut Done) -> Result<(), Fault> {
    consequences::bury_or_raise(batch, &change, done)?;
    consequences::mask(batch, &change, done)?;
    write(batch, change, done)
}

/// Writes one record and its place in every scope.
pub(super) fn write(batch: &mut Batch<'_>, change: Change, done: &mut Done) -> Result<(), Fault> {
    let Change {
        before,
        mut after,
        renews,
    } = change;
    if !renews {
        return records::put(batch.store(), &after);
    }
    after.rev = batch.commit()?;
    let comes_back = std::mem::take(&mut after.archived);
    records::put(batch.store(), &after)?;
    // One that is deleted is deleted with its companions: none of them comes back.
    if comes_back && !after.deleted {
        archive::bring_back_kin(batch, &after)?;
    }
    archive::bring_back_subject(batch, &after)?;
    let before = before.unwrap_or_default();
    let passage = Passage {
        kind: after.kind,
        id: after.id,
        from: (&before.scopes, before.rev),
        to: (&after.scopes(), after.rev),
        deleted: after.deleted,
    };
    scopes::pass(batch, &passage)?;
    done.touched.push(Key {
        kind: after.kind.name.to_owned(),
        id: after.id,
    });
    Ok(())
}
