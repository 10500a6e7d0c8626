//! What waited: decided anew, in the order of authoring, in the commit that freed it.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;
use uuid::Uuid;

use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::review::tray_id;
use pocketbook_records::receipt::Outcome;
use pocketbook_records::wire::Key;

use super::effect::{self, Done};
use super::verdict::{Change, Judged, Verdict};
use super::{Ruling, Work, decide, note, tray};
use crate::store::Store;
use crate::store::records::{self, Record};
use crate::store::waits::{self, Waiting};
use crate::writer::{Batch, Fault};

/// Decides anew what waited for any of these mutations or records, and what that frees in turn.
/// Returns the records that changed.
pub(super) fn decide_again(batch: &mut Batch<'_>, freed: &[Uuid]) -> Result<Vec<Key>, Fault> {
    let mut freed: VecDeque<Uuid> = freed.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut touched = Vec::new();
    while let Some(target) = freed.pop_front() {
        if !seen.insert(target) {
            continue;
        }
        for waiting in waits::take(batch.store(), target)? {
            let Some(item) = find(batch, &waiting)? else {
                continue;
            };
            let Some(work) = Work::of_item(batch, &item, Ruling::Ordinary)? else {
                continue;
            };
            let judged = decide(batch, &work)?;
            let done = settle(batch, &work, (&item, &item), judged)?;
            freed.extend(&done.frees);
            touched.extend(done.touched);
        }
    }
    Ok(touched)
}

/// Returns the tray item if it still waits.
pub(super) fn find(batch: &Batch<'_>, waiting: &Waiting) -> Result<Option<Record>, Fault> {
    Ok(item(batch.store(), waiting)?.filter(|item| item.text("state") == Some("parked")))
}

/// Returns the tray item.
pub(super) fn item(store: Store<'_>, waiting: &Waiting) -> Result<Option<Record>, Fault> {
    match Kind::named(&waiting.tray) {
        Some(kind) => records::find(store, kind, tray_id(waiting.mid)),
        None => Ok(None),
    }
}

/// Settles a tray item by a new decision; `item` is what shall lie in it from now on.
pub(super) fn settle(
    batch: &mut Batch<'_>,
    work: &Work,
    (before, item): (&Record, &Record),
    judged: Judged,
) -> Result<Done, Fault> {
    let now = batch.now();
    let after_step = |step| tray::advance(item, step, work.mid, None, now);
    match judged.verdict {
        Verdict::Parked(reason, targets) => {
            effect::wait(batch, work, &targets)?;
            effect::refer(batch, work, item.kind, item.id)?;
            let mut after = item.clone();
            after.body.insert("reason".into(), json!(reason.code()));
            after.home = judged.home;
            let mut done = Done::of(Outcome::Parked);
            let change = Change::of(before, after);
            let moved = change.after.home != before.home;
            let change = Change {
                renews: change.renews || moved,
                ..change
            };
            effect::write(batch, change, &mut done)?;
            Ok(done)
        }
        Verdict::Rejected(reason) => {
            let mut after = after_step(("refuse", "rejected"));
            after.body.insert("reason".into(), json!(reason.code()));
            let mut done = Done::of(Outcome::Rejected);
            effect::write(batch, Change::of(before, after), &mut done)?;
            note(batch, work, done.outcome)?;
            Ok(done)
        }
        verdict => {
            let after = after_step(("release", "released"));
            let mut done = effect::carry_out(batch, work, Judged::from(verdict))?;
            effect::write(batch, Change::of(before, after), &mut done)?;
            note(batch, work, done.outcome)?;
            done.frees.push(work.mid.0);
            Ok(done)
        }
    }
}
