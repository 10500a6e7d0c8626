//! The oracle: the protocol's invariants, one function each.
//!
//! It is told what each author meant and had been shown ([`Write`]), listens on the lines, and
//! reads the tables of both sides after every step. A finding begins with its invariant's name.

mod ends;
mod steps;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{Commit, EnrolmentId, Epoch, Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::receipt::{Outcome, Receipt};
use pocketbook_records::scope::Scope;
use serde_json::{Value, json};

use self::steps::{complete_means_complete, cursors_cover_their_rows, every_delivery_is_receipted};
use super::cast::{Member, Standing, Who};
use super::look::{self, Device, Index, Place};
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
    /// Whether its author had a grid at that moment in which the record may lie.
    pub is_allowed: bool,
}

/// The server's word on a change, in its latest history.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    epoch: Epoch,
    outcome: Outcome,
    text: String,
}

/// What is known of a phone.
#[derive(Debug)]
struct Known {
    enrolment: EnrolmentId,
    /// The first phone of its account.
    account: Who,
    standing: Standing,
    /// What he has while all his grids are his.
    scopes: Vec<Scope>,
    /// So much of what passed on its line was looked at.
    heard: usize,
    waiting: BTreeSet<Mid>,
    epoch: u32,
    /// Whether it has heard of a new history and not yet read all of it.
    adopts: bool,
    /// Whether a grid was taken and is not here again whole.
    is_away: bool,
}

/// What has been seen of a run.
#[derive(Debug)]
pub struct Oracle {
    phones: Vec<Known>,
    writes: Vec<Write>,
    receipts: BTreeMap<Mid, Word>,
    /// What was in conflict in whichever history: its review comes back by witness, and the change
    /// itself is then told as a duplicate.
    disputed: BTreeSet<Mid>,
    index: BTreeMap<Place, Index>,
    /// The commit up to which the server was looked at; none if it must be looked at afresh.
    looked: Option<Commit>,
    bodies: BTreeMap<(String, RecordId, u64), String>,
    knocks: BTreeMap<(Who, RecordId), i64>,
    was_restored: bool,
    /// The server was set back in this history, and no phone has told it yet.
    unnoticed: Option<Epoch>,
    moved: BTreeSet<RecordId>,
}

impl Oracle {
    /// Returns the oracle of a morning on which nothing was authored yet.
    pub fn new(town: &Town, phones: &[Phone], members: &[Member]) -> Self {
        let known = phones.iter().zip(members).map(|(phone, member)| Known {
            enrolment: phone.store().account().expect("enrolled").enrolment,
            account: member.account,
            standing: member.standing,
            scopes: town.entitled(phone.user()),
            heard: phone.line().passed_since(0).len(),
            waiting: BTreeSet::new(),
            epoch: 0,
            adopts: false,
            is_away: false,
        });
        Self {
            phones: known.collect(),
            writes: Vec::new(),
            receipts: BTreeMap::new(),
            disputed: BTreeSet::new(),
            index: look::index(&town.server()),
            looked: None,
            bodies: BTreeMap::new(),
            knocks: BTreeMap::new(),
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
        self.looked = None;
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
        self.phones[write.who].waiting.insert(write.mid);
        self.writes.push(write);
    }

    /// Forgets that the server was looked at: nothing may have changed behind its commits' back.
    pub fn looks_afresh(&mut self) {
        self.looked = None;
    }

    /// Looks, after a step, at the server if it committed anything, and at those phones that may
    /// have changed, and returns what broke. What no step touches can break nothing: a phone's
    /// tables change by its own acts alone, and the server's index is held against what it was.
    pub fn watch(&mut self, town: &Arc<Town>, phones: &[Phone], acted: &[Who]) -> Vec<String> {
        let mut broken = Vec::new();
        for who in acted {
            self.hears(*who, &phones[*who], &mut broken);
        }
        self.watch_server(town, &mut broken);
        self.note_absences(town, phones);
        for who in acted {
            self.watch_phone(*who, town, &phones[*who], &mut broken);
        }
        broken
    }

    fn hears(&mut self, who: Who, phone: &Phone, broken: &mut Vec<String>) {
        let passed = phone.line().passed_since(self.phones[who].heard);
        for exchange in passed.iter().filter_map(|passed| passed.exchange()) {
            every_delivery_is_receipted(&exchange, broken);
            self.a_repeat_has_the_same_receipt(&exchange.1, broken);
        }
        self.phones[who].heard += passed.len();
    }

    fn watch_server(&mut self, town: &Arc<Town>, broken: &mut Vec<String>) {
        let server = town.server();
        let now = server.asof().commit;
        if self.looked == Some(now) {
            return;
        }
        let index = look::index(&server);
        self.no_number_comes_late(&index, broken);
        self.index = index;
        for ((kind, id), held) in Truth::since(&server, self.looked.unwrap_or_default()).records() {
            let body = body::write(&held.body);
            self.a_rev_names_one_body(kind, *id, held.rev.0, &body, broken);
        }
        self.looked = Some(now);
    }

    fn watch_phone(&mut self, who: Who, town: &Arc<Town>, phone: &Phone, broken: &mut Vec<String>) {
        if let Some(device) = look::device(phone) {
            self.notes_epoch(who, &device);
            let epoch = town.server().asof().epoch;
            if device.epoch == epoch.0 && self.unnoticed != Some(epoch) {
                cursors_cover_their_rows(phone, &device, &self.index, broken);
                complete_means_complete(phone, &device, &self.index, broken);
            }
            self.work_leaves_by_receipt(who, &device, broken);
            self.numbers_have_no_holes(who, &device, broken);
            self.the_mirror_shows_through(who, phone, &device, broken);
            // A rev of 0 says that the body may be one of a lost history: it will be compared.
            for (kind, id, rev, text) in device.mirror.iter().filter(|row| row.2 > 0) {
                let rev = rev.cast_unsigned();
                self.a_rev_names_one_body(kind, *id, rev, text, broken);
            }
        }
        self.own_edits_do_not_flicker(who, phone, broken);
        self.knocks_count_once_in_the_view(who, phone, broken);
        self.own_creations_stay_visible(who, phone, broken);
    }

    fn notes_epoch(&mut self, who: Who, device: &Device) {
        let known = &mut self.phones[who];
        if known.epoch != device.epoch {
            known.epoch = device.epoch;
            known.adopts = true;
        }
        if known.adopts {
            // What others counted since the backup is theirs to bring back.
            self.knocks.retain(|(whose, _), _| *whose != who);
            known.adopts = !device.scopes.values().all(|read| read.is_caught_up);
        }
    }

    /// Looks at everything once all is in step.
    pub fn at_the_end(&self, town: &Arc<Town>, phones: &[Phone]) -> Vec<String> {
        let mut broken = Vec::new();
        let truth = Truth::of(&town.server());
        for (who, phone) in phones.iter().enumerate() {
            self.both_sides_agree(who, phone, (town, &truth), &mut broken);
        }
        self.nothing_waits_behind_another(&mut broken);
        self.effects_are_those_of_one(&truth, &mut broken);
        self.no_value_is_lost(&truth, &mut broken);
        self.nothing_is_taken_from_who_may_not(&mut broken);
        self.held_fields_wait_for_their_holder(town, &mut broken);
        self.nobody_is_asked_needlessly(&mut broken);
        broken
    }

    /// Somebody is away from the moment a grid of his is taken until all is given back and here
    /// again whole.
    fn note_absences(&mut self, town: &Town, phones: &[Phone]) {
        for (who, phone) in phones.iter().enumerate() {
            if self.phones[who].standing != Standing::Roams {
                continue;
            }
            let granted = town.entitled(phone.user());
            let is_whole = |device: Device| {
                let mut scopes = granted.iter().map(ToString::to_string);
                scopes.all(|scope| device.scopes.get(&scope).is_some_and(|s| s.is_caught_up))
            };
            let known = &mut self.phones[who];
            if known.scopes.iter().any(|scope| !granted.contains(scope)) {
                known.is_away = true;
                self.knocks.retain(|(whose, _), _| *whose != who);
            } else if known.is_away {
                known.is_away = !look::device(phone).is_some_and(is_whole);
            }
        }
    }

    /// Returns what the phones of somebody's account wrote.
    fn of_account(&self, who: Who) -> impl Iterator<Item = &Write> {
        let account = self.phones[who].account;
        let writes = self.writes.iter();
        writes.filter(move |write| self.phones[write.who].account == account)
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

    /// Says whether a change waits or was taken as it was meant.
    fn stands(&self, write: &Write) -> bool {
        self.outcome(write).is_none() || self.was_taken(write)
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
