//! The oracle: the protocol's invariants, one function each.
//!
//! It is told what each author meant and had been shown ([`Write`]), listens on the lines, and
//! reads the tables of both sides after every step. A finding begins with its invariant's name.

mod ends;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{EnrolmentId, Epoch, Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::receipt::{Outcome, Receipt};
use pocketbook_records::wire::{Answer, Request};
use serde_json::{Value, json};

use super::look::{self, Device, Index, Place};
use super::tape::Who;
use crate::world::check::{Held, Truth};
use crate::world::{Phone, Town};

/// What an author meant.
#[derive(Debug, Clone)]
pub enum What {
    /// One value in the place of the one on the screen.
    Value {
        /// Where.
        path: &'static str,
        /// What the screen showed.
        was: Value,
        /// What it shall be.
        to: Value,
    },
    /// One more knock: each has a bit of its own, so none can count twice unseen.
    Bit(i64),
    /// A note of this id.
    Item(String),
    /// A new record.
    Born,
    /// No such record any more, of which the screen showed this.
    Gone(Fields),
    /// A decision on a review of this path, which showed these candidates.
    Decided {
        /// The field in question.
        path: String,
        /// The candidates.
        seen: Vec<String>,
    },
    /// Something that is only counted.
    Other,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { path, was, to } => write!(f, "{path}: {was} → {to}"),
            Self::Gone(_) => f.write_str("gone"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// A change that was saved.
#[derive(Debug, Clone)]
pub struct Write {
    /// By whom.
    pub who: Who,
    /// Its name.
    pub mid: Mid,
    /// Its number.
    pub mseq: u64,
    /// The record's kind.
    pub kind: &'static str,
    /// The record.
    pub id: RecordId,
    /// What was meant.
    pub what: What,
    /// Whether its author had the grid at that moment.
    pub is_allowed: bool,
}

/// The server's word on a change, in its latest history.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    epoch: Epoch,
    outcome: Outcome,
    text: String,
}

/// What has been seen of a run.
#[derive(Debug)]
pub struct Oracle {
    enrolments: [EnrolmentId; 2],
    writes: Vec<Write>,
    heard: [usize; 2],
    receipts: BTreeMap<Mid, Word>,
    waiting: [BTreeSet<Mid>; 2],
    epochs: [u32; 2],
    /// Whether a phone has heard of a new history and not yet read all of it.
    adopts: [bool; 2],
    index: BTreeMap<Place, Index>,
    bodies: BTreeMap<(String, RecordId, u64), String>,
    knocks: BTreeMap<(Who, RecordId), i64>,
    is_wang_away: bool,
    was_restored: bool,
    /// The server was set back in this history, and no phone has told it yet.
    unnoticed: Option<Epoch>,
    moved: BTreeSet<RecordId>,
}

impl Oracle {
    /// Returns the oracle of a morning on which nothing was authored yet.
    pub fn new(town: &Town, phones: &[Phone; 2]) -> Self {
        let enrolment = |phone: &Phone| phone.store().account().expect("enrolled").enrolment;
        Self {
            enrolments: [enrolment(&phones[0]), enrolment(&phones[1])],
            writes: Vec::new(),
            heard: [0; 2],
            receipts: BTreeMap::new(),
            waiting: Default::default(),
            epochs: [0; 2],
            adopts: [false; 2],
            index: look::index(&town.server()),
            bodies: BTreeMap::new(),
            knocks: BTreeMap::new(),
            is_wang_away: false,
            was_restored: false,
            unnoticed: None,
            moved: BTreeSet::new(),
        }
    }

    /// Hears that a home is moved, or tried to be.
    pub fn moved(&mut self, home: RecordId) {
        self.moved.insert(home);
    }

    /// Hears that the server was restored: what it knew since is in the phones alone.
    pub fn restored(&mut self, town: &Town) {
        self.index = look::index(&town.server());
        self.was_restored = true;
    }

    /// Hears that the server was set back and does not know it: until a phone tells, the two can't
    /// be compared.
    pub fn set_back(&mut self, town: &Town) {
        self.restored(town);
        self.unnoticed = Some(town.server().asof().epoch);
    }

    /// Hears that a change was saved.
    pub fn noted(&mut self, write: Write) {
        self.waiting[write.who].insert(write.mid);
        self.writes.push(write);
    }

    /// Looks at everything after a step and returns what broke.
    pub fn watch(&mut self, town: &Arc<Town>, phones: &[Phone; 2]) -> Vec<String> {
        let mut broken = Vec::new();
        self.note_absence(town, &phones[0]);
        for (who, phone) in phones.iter().enumerate() {
            let passed = phone.line().passed();
            for exchange in passed[self.heard[who]..]
                .iter()
                .filter_map(|p| p.exchange())
            {
                every_delivery_is_receipted(&exchange, &mut broken);
                self.a_repeat_has_the_same_receipt(&exchange.1, &mut broken);
            }
            self.heard[who] = passed.len();
        }
        let index = look::index(&town.server());
        self.no_number_comes_late(&index, &mut broken);
        for ((kind, id), held) in Truth::of(&town.server()).records() {
            let body = body::write(&held.body);
            self.a_rev_names_one_body((*kind).to_owned(), *id, held.rev.0, body, &mut broken);
        }
        for (who, phone) in phones.iter().enumerate() {
            if let Some(device) = look::device(phone) {
                if self.epochs[who] != device.epoch {
                    self.epochs[who] = device.epoch;
                    self.adopts[who] = true;
                }
                if self.adopts[who] {
                    // What others counted since the backup is theirs to bring back.
                    self.knocks.retain(|(whose, _), _| *whose != who);
                    self.adopts[who] = !device.scopes.values().all(|read| read.is_caught_up);
                }
                let epoch = town.server().asof().epoch;
                if device.epoch == epoch.0 && self.unnoticed != Some(epoch) {
                    cursors_cover_their_rows(phone, &device, &index, &mut broken);
                    complete_means_complete(phone, &device, &index, &mut broken);
                }
                self.work_leaves_by_receipt(who, &device, &mut broken);
                self.numbers_have_no_holes(who, &device, &mut broken);
                self.the_mirror_shows_through(who, phone, &device, &mut broken);
                for (kind, id, rev, text) in device.mirror {
                    let rev = rev.cast_unsigned();
                    self.a_rev_names_one_body(kind, id, rev, canonical(&text), &mut broken);
                }
            }
            self.own_edits_do_not_flicker(who, phone, &mut broken);
            self.knocks_count_once_in_the_view(who, phone, &mut broken);
            self.own_creations_stay_visible(who, phone, &mut broken);
        }
        self.index = index;
        broken
    }

    /// Looks at everything once all is in step.
    pub fn at_the_end(&self, town: &Arc<Town>, phones: &[Phone; 2]) -> Vec<String> {
        let mut broken = Vec::new();
        let truth = Truth::of(&town.server());
        for (who, phone) in phones.iter().enumerate() {
            self.both_sides_agree(who, phone, town, &mut broken);
        }
        self.nothing_waits_behind_another(&mut broken);
        self.effects_are_those_of_one(&truth, &mut broken);
        self.no_value_is_lost(&truth, &mut broken);
        self.nothing_is_taken_from_who_may_not(&mut broken);
        self.held_fields_wait_for_their_holder(town, &mut broken);
        self.nobody_is_asked_needlessly(&mut broken);
        broken
    }

    /// Wang is away from the moment the grid is taken until it is given back and here again whole.
    fn note_absence(&mut self, town: &Town, wang: &Phone) {
        let granted = town.entitled(wang.user());
        let is_whole = |device: Device| {
            let mut scopes = granted.iter().map(ToString::to_string);
            scopes.all(|scope| device.scopes.get(&scope).is_some_and(|s| s.is_caught_up))
        };
        if granted.len() < 2 {
            self.is_wang_away = true;
            self.knocks.retain(|(who, _), _| *who != 0);
        } else if self.is_wang_away {
            self.is_wang_away = !look::device(wang).is_some_and(is_whole);
        }
    }

    fn of(&self, who: Who) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(move |write| write.who == who)
    }

    fn outcome(&self, write: &Write) -> Option<Outcome> {
        self.receipts.get(&write.mid).map(|word| word.outcome)
    }

    fn was_taken(&self, write: &Write) -> bool {
        !matches!(
            self.outcome(write),
            None | Some(Outcome::Parked | Outcome::Rejected | Outcome::Superseded | Outcome::Void)
        )
    }

    fn is_deleted(&self, id: RecordId) -> bool {
        let mut writes = self.writes.iter();
        writes.any(|write| write.id == id && matches!(write.what, What::Gone(_)))
    }

    /// I1: sequence order is commit order, and nothing appears behind a number that was passed.
    fn no_number_comes_late(&self, index: &BTreeMap<Place, Index>, broken: &mut Vec<String>) {
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
    fn a_repeat_has_the_same_receipt(&mut self, answer: &Answer, broken: &mut Vec<String>) {
        for row in &answer.receipts {
            for receipt in &row.receipts {
                let word = Word {
                    epoch: row.epoch,
                    outcome: receipt.outcome,
                    text: json!([row.commit, receipt]).to_string(),
                };
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
    fn work_leaves_by_receipt(&mut self, who: Who, device: &Device, broken: &mut Vec<String>) {
        let waits = device.authored.iter().filter(|kept| kept.outcome.is_none());
        let waiting: BTreeSet<Mid> = waits.map(|kept| kept.mid).collect();
        for left in self.waiting[who].difference(&waiting) {
            if !self.receipts.contains_key(left) {
                broken.push(format!(
                    "I5: {left} left the outbox of {who} without a receipt"
                ));
            }
        }
        self.waiting[who] = waiting;
    }

    /// I7, at every step: what was authored is there, in order and without holes.
    fn numbers_have_no_holes(&self, who: Who, device: &Device, broken: &mut Vec<String>) {
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
    fn a_rev_names_one_body(
        &mut self,
        kind: String,
        id: RecordId,
        rev: u64,
        body: String,
        broken: &mut Vec<String>,
    ) {
        let first = self
            .bodies
            .entry((kind.clone(), id, rev))
            .or_insert_with(|| body.clone());
        if *first != body {
            broken.push(format!("I27: {kind} {id} at {rev} is {first} and {body}"));
        }
    }

    /// Says whether a change waits or was taken as it was meant.
    fn stands(&self, write: &Write) -> bool {
        self.outcome(write).is_none() || self.was_taken(write)
    }
}

/// I2: a cursor never covers a row that is not here.
fn cursors_cover_their_rows(
    phone: &Phone,
    device: &Device,
    index: &BTreeMap<Place, Index>,
    broken: &mut Vec<String>,
) {
    for (place, row) in index {
        let read = device.scopes.get(&place.0).and_then(|read| read.seq);
        if read.is_some_and(|seq| row.seq <= seq) && !agrees(device, place, row) {
            broken.push(format!(
                "I2: {phone:?} read past {place:?} {row:?} and has another"
            ));
        }
    }
}

/// I3: what is shown as complete up to a commit is complete.
fn complete_means_complete(
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
fn every_delivery_is_receipted((asked, answer): &(Request, Answer), broken: &mut Vec<String>) {
    if answer.out_of_order.is_some() {
        return;
    }
    let rows = answer.receipts.iter();
    let receipted: BTreeSet<Mid> = rows.flat_map(|row| &row.receipts).map(|r| r.mid).collect();
    let delivered = asked.mutations.iter().map(|mutation| mutation.mid);
    for lacking in delivered.filter(|mid| !receipted.contains(mid)) {
        broken.push(format!("I6: {lacking} was delivered and has no receipt"));
    }
}

fn each<'h>(held: &'h Held, list: &str) -> impl Iterator<Item = &'h Value> {
    held.body
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn named(kind: &str) -> &'static Kind {
    Kind::named(kind).expect("a known kind")
}

fn word(receipt: &Receipt) -> String {
    json!(receipt.outcome)
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn canonical(text: &str) -> String {
    let body: Fields = serde_json::from_str(text).expect("a body in the mirror");
    body::write(&body)
}

fn to(write: &Write) -> &Value {
    match &write.what {
        What::Value { to, .. } => to,
        _ => &Value::Null,
    }
}

fn was(write: &Write) -> &Value {
    match &write.what {
        What::Value { was, .. } => was,
        _ => &Value::Null,
    }
}
