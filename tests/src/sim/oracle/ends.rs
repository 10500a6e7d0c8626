//! The end: what became of everything, once all is in step.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::body::Fields;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE};
use pocketbook_records::kinds::review::{self, REVIEW, REVIEW_SENSITIVE, tray_id};
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::{FateKind, Outcome, Receipt};
use serde_json::{Value, json};

use super::{Oracle, What, Write, each, named, word};
use crate::sim::cast::{Standing, Who};
use crate::sim::look;
use crate::world::check::{Held, Truth};
use crate::world::{Phone, Town};

/// Fields that only their holder decides.
const HELD: [&str; 1] = ["name"];

impl Oracle {
    /// I7, at the end: the phone's outcomes are the server's, one for each mutation.
    pub(super) fn both_sides_agree(
        &self,
        who: Who,
        phone: &Phone,
        (town, truth): (&Town, &Truth),
        broken: &mut Vec<String>,
    ) {
        let rows = look::receipts(&town.server(), self.phones[who].enrolment);
        let receipts = rows.iter().flat_map(|row| &row.receipts);
        // A receipt stays what it was; what was refused after it had waited is so in the tray.
        let is_refused = |receipt: &Receipt| {
            let mut items = [&PARKED, &PARKED_SENSITIVE].into_iter();
            let state = |item: &Held| item.body.get("state") == Some(&json!("rejected"));
            receipt.outcome == Outcome::Parked
                && items.any(|kind| truth.get(kind, tray_id(receipt.mid)).is_some_and(state))
        };
        let judged: Vec<_> = receipts
            .map(|receipt| match is_refused(receipt) {
                true => (receipt.mseq.0, receipt.mid, Some("rejected".to_owned())),
                false => (receipt.mseq.0, receipt.mid, Some(word(receipt))),
            })
            .collect();
        let meant = self.of(who).map(|write| (write.mseq, write.mid));
        if !meant.eq(judged.iter().map(|(mseq, mid, _)| (*mseq, *mid))) {
            broken.push(format!("I7: the server judged {judged:?} of {who}"));
        }
        let Some(device) = look::device(phone) else {
            return;
        };
        let authored = device.authored.into_iter();
        let kept: Vec<_> = authored
            .map(|kept| (kept.mseq, kept.mid, kept.outcome))
            .collect();
        if kept != judged {
            broken.push(format!("I7: {who} keeps {kept:?}, the server {judged:?}"));
        }
    }

    /// I4, at the end: whatever was delivered how often, the effect is that of one.
    pub(super) fn effects_are_those_of_one(&self, truth: &Truth, broken: &mut Vec<String>) {
        self.knocks_are_those_of_one(truth, broken);
        for write in self.writes.iter().filter(|write| self.was_taken(write)) {
            let record = truth.get(named(write.kind), write.id);
            let times = match (&write.what, record) {
                (What::Born, None) if !self.is_deleted(write.id) => 0,
                (What::Item(note), Some(held)) => each(held, "notes")
                    .filter(|item| item["id"] == note.as_str())
                    .count(),
                _ => 1,
            };
            if times != 1 {
                broken.push(format!(
                    "I4: {} {} is there {times} times",
                    write.kind, write.what
                ));
            }
        }
        for (case, held) in truth.of_kind(&CASE) {
            let steps: Vec<_> = each(held, "steps")
                .map(|step| step["id"].to_string())
                .collect();
            if steps.iter().collect::<BTreeSet<_>>().len() != steps.len() {
                broken.push(format!("I4: {case} made a step twice: {steps:?}"));
            }
        }
    }

    fn knocks_are_those_of_one(&self, truth: &Truth, broken: &mut Vec<String>) {
        let mut knocks: BTreeMap<RecordId, i64> = BTreeMap::new();
        for write in self.writes.iter().filter(|write| self.was_taken(write)) {
            if let What::Bit(bit) = write.what {
                *knocks.entry(write.id).or_default() += bit;
            }
        }
        for (home, expected) in knocks {
            let held = truth.get(&HOUSEHOLD, home);
            let counted = held.and_then(|held| held.body.get("knocks"));
            if counted != Some(&json!(expected)) {
                broken.push(format!(
                    "I4: {home} counts {counted:?} instead of {expected:b}"
                ));
            }
        }
    }

    /// Returns what was written by those who hold their grids, or by the others.
    fn by_holders(&self, holds: bool) -> impl Iterator<Item = &Write> {
        let writes = self.writes.iter();
        writes.filter(move |write| (self.phones[write.who].standing == Standing::Holds) == holds)
    }

    /// I6, at the end: heads keep their grids, so whatever needs nobody's word was taken, no matter
    /// what was parked before it.
    pub(super) fn nothing_waits_behind_another(&self, broken: &mut Vec<String>) {
        for write in self.by_holders(true).filter(|write| !self.was_taken(write)) {
            use What::{Bit, Born, Item, Value};
            if matches!(write.what, Value { .. } | Bit(_) | Item(_) | Born) {
                let became = self.outcome(write);
                broken.push(format!("I6: {} {} is {became:?}", write.kind, write.what));
            }
        }
    }

    /// What somebody did while the grid was not his waits for its holder; only what is added and
    /// changes nothing may be taken with a mark.
    pub(super) fn nothing_is_taken_from_who_may_not(&self, broken: &mut Vec<String>) {
        for write in self.writes.iter().filter(|write| !write.is_allowed) {
            let is_edit = matches!(
                write.what,
                What::Value { .. } | What::Bit(_) | What::Gone(_)
            );
            if is_edit && self.was_taken(write) && !self.moved.contains(&write.id) {
                let what = &write.what;
                broken.push(format!("I11: {} {what} was not his to change", write.kind));
            }
        }
    }

    /// I8: a field that no machine decides gives way to nobody but its holder: what comes in between
    /// is a proposal, and so is a worker's decision.
    pub(super) fn held_fields_wait_for_their_holder(&self, town: &Town, broken: &mut Vec<String>) {
        // What a holder changes knowingly is decided by that.
        let mut others = self.phones.iter();
        while let Some(known) = others.find(|known| known.standing != Standing::Holds) {
            let rows = look::receipts(&town.server(), known.enrolment);
            for receipt in rows.iter().flat_map(|row| &row.receipts) {
                let is_held = |path: &str| HELD.contains(&path);
                let mut fates = receipt.fates.iter();
                if fates.any(|fate| is_held(fate.path.as_str()) && fate.fate == FateKind::Shown) {
                    broken.push(format!("I8: a held field gave way to {}", receipt.mid));
                }
            }
        }
        for write in self.by_holders(false) {
            if let What::Decided { path, .. } = &write.what
                && HELD.contains(&path.as_str())
                && self.outcome(write) == Some(Outcome::Applied)
            {
                broken.push(format!("I8: a worker decided {path} of {}", write.id));
            }
        }
    }

    /// I8, the other way round: nobody is asked about a value that nobody else has touched.
    pub(super) fn nobody_is_asked_needlessly(&self, broken: &mut Vec<String>) {
        if self.was_restored {
            return;
        }
        for write in &self.writes {
            let What::Value { path, .. } = write.what else {
                continue;
            };
            let meddles = |other: &&Write| match &other.what {
                What::Value { path: at, .. } => other.who != write.who && *at == path,
                What::Decided { .. } | What::Gone(_) => true,
                _ => false,
            };
            let mut here = self.writes.iter().filter(|other| other.id == write.id);
            if self.outcome(write) == Some(Outcome::Conflict) && !here.any(|one| meddles(&one)) {
                let of = (write.kind, write.id);
                broken.push(format!(
                    "I8: {of:?} {} was in conflict with nobody",
                    write.what
                ));
            }
        }
    }

    /// I8: a value that was taken is there, or its follower had been shown it, or a review has it.
    pub(super) fn no_value_is_lost(&self, truth: &Truth, broken: &mut Vec<String>) {
        for write in self.writes.iter().filter(|write| self.was_taken(write)) {
            let What::Value { path, ref to, .. } = write.what else {
                continue;
            };
            let held = truth.get(named(write.kind), write.id);
            let is_stored = held.is_some_and(|held| at(&held.body, path) == to);
            // What was taken away leaves nothing that could be lost.
            if !to.is_null()
                && !is_stored
                && !self.was_shown(write, path, to)
                && !self.is_in_review(truth, write, path, to)
            {
                broken.push(format!(
                    "I8: {} {} {} is lost",
                    write.kind, write.id, write.what
                ));
            }
        }
    }

    /// Says whether somebody who wrote later had been shown this value, or wrote it.
    pub(super) fn was_shown(&self, write: &Write, path: &str, to: &Value) -> bool {
        let mut others = self.writes.iter();
        others.any(|other| {
            if other.mid == write.mid || other.id != write.id || !self.was_taken(other) {
                return false;
            }
            let is_own = other.who == write.who && other.mseq > write.mseq;
            match &other.what {
                What::Value { path: at, was, .. } => *at == path && (was == to || is_own),
                What::Gone(shown) => {
                    is_own || at(shown, path) == to || self.lay_over(other, write, path)
                }
                What::Decided { path: at, seen } => {
                    (at == path || at == "*") && seen.contains(&write.mid.to_string())
                }
                _ => false,
            }
        })
    }

    /// Says whether own work in the tray lay over this value when its record was taken away.
    pub(super) fn lay_over(&self, gone: &Write, write: &Write, path: &str) -> bool {
        self.of(gone.who).any(|own| {
            let is_here = own.kind == write.kind && own.id == write.id && own.mseq < gone.mseq;
            let is_parked = matches!(self.outcome(own), Some(Outcome::Parked | Outcome::Rejected));
            is_here && is_parked && matches!(own.what, What::Value { path: at, .. } if at == path)
        })
    }

    /// Says whether a review holds this value: an open one, or one whose decision had been shown it.
    fn is_in_review(&self, truth: &Truth, write: &Write, path: &str, to: &Value) -> bool {
        let whole = [("person", "*"), ("person-sensitive", "*")];
        let asked = whole.into_iter().chain([(write.kind, path)]);
        asked.into_iter().any(|(kind, at)| {
            let id = review::id(kind, write.id, at);
            let kinds = [&REVIEW, &REVIEW_SENSITIVE];
            let mut held = kinds.into_iter().filter_map(|kind| truth.get(kind, id));
            held.any(|held| {
                // What a mirror brought back after a restore has another name; of a deleted record
                // the candidates are fields by path.
                let mut candidates = each(held, "candidates");
                let own = candidates.find(|one| {
                    let value = &one["value"];
                    one["id"] == json!(write.mid) || value == to || value[path] == *to
                });
                own.is_some_and(|own| self.was_decided_knowingly(held, &own["id"]))
            })
        })
    }

    /// Says whether the decision that closed a review, if one of ours did, had been shown this
    /// candidate.
    fn was_decided_knowingly(&self, review: &Held, candidate: &Value) -> bool {
        let is_closed = review.body.get("state") == Some(&json!("closed"));
        let by = review.body.get("transition");
        let mut writes = self.writes.iter();
        let closing = writes.find(|write| by == Some(&json!(write.mid)));
        !is_closed
            || closing.is_none_or(|closing| match &closing.what {
                What::Decided { seen, .. } => seen.iter().any(|seen| candidate == seen),
                _ => true,
            })
    }
}

fn at<'a>(body: &'a Fields, path: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    Path::parse(path).map_or(&NOTHING, |path| path::get(body, &path))
}
