//! The server: one database, what lies beside it, and last night's backup.

use crate::judge::{Case, Record, Winner};
use crate::rules::Rules;
use crate::wire::{Answer, AsOf, Request};
use crate::words::{
    Commit, EDITS, Fork, Lost, Mid, Mids, Outcome, PHONES, Receipt, SCOPES, Scopes,
};

/// What a backup holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Database {
    /// The last commit.
    pub commit: Commit,
    /// One record a scope.
    pub records: [Record; SCOPES],
    /// The words on each phone's work, by its place.
    pub receipts: [[Option<Receipt>; EDITS]; PHONES],
    /// Since which commit photos are stored, like the receipts of the mutations they hang on.
    pub photos: [[Option<Commit>; EDITS]; PHONES],
    /// What each phone may read.
    pub grants: [Scopes; PHONES],
}

impl Database {
    /// Returns the word on a mutation.
    pub fn receipt(&self, mid: Mid) -> Option<Receipt> {
        self.receipts[mid.phone()?][mid.mseq()]
    }

    fn received(&self, phone: usize) -> usize {
        let last = self.receipts[phone].iter().rposition(Option::is_some);
        last.map_or(0, |last| last + 1)
    }
}

/// The centre of the star.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Server {
    /// What a restore throws back.
    pub database: Database,
    /// The image that a restore puts in its place.
    pub backup: Database,
    /// Beside the database: the intervals that restores threw away.
    pub lost: Lost,
    /// Beside the database: the last word on every grant.
    pub outside_log: [Scopes; PHONES],
}

impl Server {
    /// Returns a server in which nobody has worked yet.
    pub fn new(grants: Scopes) -> Self {
        let database = Database {
            commit: Commit::FIRST,
            records: [Record::first(); SCOPES],
            receipts: Default::default(),
            photos: Default::default(),
            grants: [grants; PHONES],
        };
        Self {
            database,
            backup: database,
            lost: Lost::default(),
            outside_log: [grants; PHONES],
        }
    }

    /// Takes work and answers, from one snapshot.
    pub fn exchange(
        &mut self,
        phone: usize,
        request: &Request,
        winner: Winner,
        rules: &Rules,
    ) -> Answer {
        self.take(phone, request, winner, rules);
        let database = &self.database;
        let grants = database.grants[phone];
        let forks = if rules.forks_are_told {
            self.lost
        } else {
            Lost::default()
        };
        // A cursor of a lost history says nothing: all is told anew.
        let from = if request.epoch == forks.epoch() {
            request.cursors
        } else {
            [Commit::NONE; SCOPES]
        };
        let row = |scope: usize| {
            let row = database.records[scope].row;
            (grants.has(scope) && row.rev > from[scope]).then_some(row)
        };
        Answer {
            asof: AsOf {
                epoch: forks.epoch(),
                commit: database.commit,
            },
            durable: self.backup.commit,
            receipts: database.receipts[phone],
            grants,
            from,
            rows: std::array::from_fn(row),
            forks,
        }
    }

    fn take(&mut self, phone: usize, request: &Request, winner: Winner, rules: &Rules) {
        let commit = self.database.commit.next();
        for (mutation, proof) in request.work.iter().flatten() {
            let mseq = mutation.mid.mseq();
            let received = self.database.received(phone);
            if mseq > received && rules.batches_leave_no_hole {
                return;
            }
            if mseq < received && rules.receipts_dedupe {
                continue;
            }
            let case = Case {
                mutation: *mutation,
                proof: proof.filter(|_| rules.proofs_are_honoured),
                commit,
                winner,
                lost: &self.lost,
                rules,
            };
            let outcome = if mutation.is_covered && !self.waits(mutation.deps) {
                case.judge(&mut self.database.records[mutation.scope])
            } else {
                Outcome::Parked
            };
            self.database.commit = commit;
            self.database.receipts[phone][mseq] = Some(Receipt { commit, outcome });
        }
    }

    /// Takes a photo; a repeat hears what the first one heard.
    pub fn store(&mut self, photo: Mid) -> Commit {
        let next = self.database.commit.next();
        let phone = photo.phone().unwrap_or_default();
        let known = &mut self.database.photos[phone][photo.mseq()];
        if known.is_none() {
            self.database.commit = next;
        }
        *known.get_or_insert(next)
    }

    /// An admin gives a phone a scope, or takes it away.
    pub fn toggle_grant(&mut self, phone: usize, scope: usize) {
        let toggled = self.database.grants[phone].toggled(scope);
        self.database.grants[phone] = toggled;
        self.outside_log[phone] = toggled;
        self.database.commit = self.database.commit.next();
    }

    /// Puts last night's backup in the place of the database.
    pub fn restore(&mut self, rules: &Rules) {
        let gone = std::mem::replace(&mut self.database, self.backup);
        let mut fork = Fork {
            after: self.database.commit,
            until: gone.commit,
        };
        if rules.commits_leap {
            let block = Commit::block(self.lost.epoch() + 1);
            fork.until = Commit(block.0 - 1);
            self.database.commit = block;
        }
        self.lost.note(fork);
        if rules.outside_log_is_replayed {
            self.database.grants = self.outside_log;
        }
    }

    /// Whether an own mutation that this one builds on still waits for somebody's decision.
    fn waits(&self, deps: Mids) -> bool {
        let mut words = deps.iter().filter_map(|mid| self.database.receipt(mid));
        words.any(|receipt| receipt.outcome == Outcome::Parked)
    }
}
