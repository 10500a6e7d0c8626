//! The tables of both sides and the lines, after every step.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{Mid, RecordId};
use pocketbook_records::receipt::Outcome;
use pocketbook_records::wire::{Answer, Request};
use serde_json::json;

use super::{Oracle, Word};
use crate::sim::cast::Who;
use crate::sim::look::{Device, Index, Place};
use crate::world::Phone;

impl Oracle {
    /// I1: sequence order is commit order, and nothing appears behind a number that was passed.
    pub(super) fn no_number_comes_late(
        &self,
        index: &BTreeMap<Place, Index>,
        broken: &mut Vec<String>,
    ) {
        let mut heads: BTreeMap<&str, i64> = BTreeMap::new();
        for ((scope, ..), row) in &self.index {
            let head = heads.entry(scope).or_default();
            *head = row.seq.max(*head);
        }
        let mut order: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for (place, row) in index {
            let head = heads.get(place.0.as_str()).copied().unwrap_or(0);
            if self.index.get(place) != Some(row) && row.seq <= head {
                broken.push(format!("I1: {place:?} got {} below {head}", row.seq));
            }
            order.insert((&place.0, row.seq), row.changed);
        }
        for (one, next) in order.iter().zip(order.iter().skip(1)) {
            if one.0.0 == next.0.0 && one.1 > next.1 {
                broken.push(format!("I1: {:?} was committed after {:?}", one.0, next.0));
            }
        }
    }

    /// I4: a repeat brings the same receipt.
    pub(super) fn a_repeat_has_the_same_receipt(
        &mut self,
        answer: &Answer,
        broken: &mut Vec<String>,
    ) {
        for row in &answer.receipts {
            for receipt in &row.receipts {
                let word = Word {
                    // Who speaks, not of when: a history that was thrown away may come back.
                    epoch: answer.asof.epoch,
                    outcome: receipt.outcome,
                    text: json!([row.commit, receipt]).to_string(),
                };
                if receipt.outcome == Outcome::Conflict {
                    self.disputed.insert(receipt.mid);
                }
                let first = self.receipts.entry(receipt.mid).or_insert(word.clone());
                if first.epoch < word.epoch || self.unnoticed == Some(word.epoch) {
                    // What a restore threw away is judged anew, and so is what a machine that was
                    // set back has forgotten.
                    *first = word;
                } else if first.epoch == word.epoch && *first != word {
                    broken.push(format!("I4: {} became {}", first.text, word.text));
                }
            }
        }
    }

    /// I5: an entry leaves the outbox only by a receipt that names it.
    pub(super) fn work_leaves_by_receipt(
        &mut self,
        who: Who,
        device: &Device,
        broken: &mut Vec<String>,
    ) {
        let waits = device.authored.iter().filter(|kept| kept.outcome.is_none());
        let waiting: BTreeSet<Mid> = waits.map(|kept| kept.mid).collect();
        for left in self.phones[who].waiting.difference(&waiting) {
            if !self.receipts.contains_key(left) {
                broken.push(format!(
                    "I5: {left} left the outbox of {who} without a receipt"
                ));
            }
        }
        self.phones[who].waiting = waiting;
    }

    /// I7, at every step: what was authored is there, in order and without holes.
    pub(super) fn numbers_have_no_holes(
        &self,
        who: Who,
        device: &Device,
        broken: &mut Vec<String>,
    ) {
        let meant: Vec<_> = self.of(who).map(|write| (write.mseq, write.mid)).collect();
        let kept = device.authored.iter().map(|kept| (kept.mseq, kept.mid));
        let kept: Vec<_> = kept.collect();
        let is_dense = meant.iter().zip(1..).all(|((mseq, _), n)| *mseq == n);
        if meant != kept || !is_dense {
            broken.push(format!(
                "I7: {who} authored {meant:?}, the phone keeps {kept:?}"
            ));
        }
    }

    /// I27: kind, id and rev name one body, on whichever side.
    pub(super) fn a_rev_names_one_body(
        &mut self,
        kind: &str,
        id: RecordId,
        rev: u64,
        body: &str,
        broken: &mut Vec<String>,
    ) {
        let key = (kind.to_owned(), id, rev);
        let first = self.bodies.entry(key).or_insert_with(|| canonical(body));
        if first != body && *first != canonical(body) {
            broken.push(format!("I27: {kind} {id} at {rev} is {first} and {body}"));
        }
    }
}

/// I2: a cursor never covers a row that is neither here nor asked for.
pub(super) fn cursors_cover_their_rows(
    phone: &Phone,
    device: &Device,
    index: &BTreeMap<Place, Index>,
    broken: &mut Vec<String>,
) {
    for (place, row) in index {
        let read = device.scopes.get(&place.0).and_then(|read| read.seq);
        let is_passed = read.is_some_and(|seq| row.seq <= seq);
        let is_wanted = device.wants.contains(place);
        if is_passed && !is_wanted && !agrees(device, place, row) {
            broken.push(format!(
                "I2: {phone:?} read past {place:?} {row:?} and has another"
            ));
        }
    }
}

/// I3: what is shown as complete up to a commit is complete.
pub(super) fn complete_means_complete(
    phone: &Phone,
    device: &Device,
    index: &BTreeMap<Place, Index>,
    broken: &mut Vec<String>,
) {
    let complete = |scope: &str| device.scopes.get(scope).filter(|read| read.is_caught_up);
    for (place, row) in index {
        let is_covered = complete(&place.0).is_some_and(|read| row.changed <= read.through);
        if is_covered && !agrees(device, place, row) {
            broken.push(format!(
                "I3: {phone:?} is complete without {place:?} {row:?}"
            ));
        }
    }
    for place in device.rows.keys() {
        if complete(&place.0).is_some() && !index.contains_key(place) {
            broken.push(format!(
                "I3: {phone:?} holds {place:?}, which never was there"
            ));
        }
    }
}

fn agrees(device: &Device, place: &Place, row: &Index) -> bool {
    match device.rows.get(place) {
        Some(rev) => !row.is_gone && rev.is_some_and(|rev| rev >= row.rev),
        None => row.is_gone,
    }
}

/// I6: whatever is delivered gets its receipt in that answer.
pub(super) fn every_delivery_is_receipted(
    (asked, answer): &(Request, Answer),
    broken: &mut Vec<String>,
) {
    // Who hears that another has his identity hands in again, under one of his own.
    if answer.out_of_order.is_some() || answer.clone.is_some() {
        return;
    }
    let rows = answer.receipts.iter();
    let receipted: BTreeSet<Mid> = rows.flat_map(|row| &row.receipts).map(|r| r.mid).collect();
    let delivered = asked.mutations.iter().map(|mutation| mutation.mid);
    for lacking in delivered.filter(|mid| !receipted.contains(mid)) {
        broken.push(format!("I6: {lacking} was delivered and has no receipt"));
    }
}

fn canonical(text: &str) -> String {
    let body: Fields = serde_json::from_str(text).expect("a body in the mirror");
    body::write(&body)
}
