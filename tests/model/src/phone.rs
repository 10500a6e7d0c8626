//! A phone: mirror, own work, the screen that somebody looks at, photos.
//!
//! Outbox and journal are one list, as they are one table in `core/pocketbook`: an entry waits
//! until it is settled, and is kept after that until a backup has it.

use crate::rules::Rules;
use crate::wire::{Answer, AsOf, Request};
use crate::words::{
    Commit, EDITS, Lost, Mid, Mids, Mutation, Outcome, Receipt, Row, SCOPES, Scopes,
};

/// Own work, in the outbox until it is settled and in the journal from then on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Own {
    /// What was authored.
    pub mutation: Mutation,
    /// The server's word, perhaps of a lost history.
    pub receipt: Option<Receipt>,
    /// Whether the word stands.
    pub is_settled: bool,
    /// Whether it lies over the mirror.
    pub is_overlaid: bool,
}

impl Own {
    fn settle(&mut self, receipt: Receipt, lost: &Lost, rules: &Rules) {
        if !self.is_settled {
            self.receipt = Some(receipt);
            self.is_settled = !lost.holds(receipt.commit) || !rules.lost_words_settle_nothing;
        }
    }

    /// Says whether it must be kept: it waits, is shown, or no backup has it.
    fn is_needed(&self, durable: Commit, rules: &Rules) -> bool {
        let is_durable = self.receipt.is_some_and(|word| word.commit <= durable);
        let is_kept = !is_durable && rules.journal_until_durable;
        !self.is_settled || self.is_overlaid || is_kept
    }
}

/// What somebody looks at: it stays as it was opened, whatever arrives meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Screen {
    /// The scope of the record.
    pub scope: usize,
    /// The value shown.
    pub value: Mid,
    /// The rev shown.
    pub rev: Commit,
    /// The candidates shown.
    pub review: Mids,
}

/// The photo of a mutation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Photo {
    /// None was taken.
    #[default]
    None,
    /// It is here and not known to be stored.
    Waiting,
    /// It is here, and the server has it since a commit.
    Stored(Commit),
    /// Its file was dropped.
    Dropped,
}

/// How an answer is written down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Write {
    /// Wholly.
    Whole,
    /// The phone dies between cursor and rows.
    Torn,
}

/// A leaf of the star.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Phone {
    /// The newest snapshot applied.
    pub asof: AsOf,
    /// The intervals it knows to be lost.
    pub lost: Lost,
    /// The commit that it knows a backup has.
    pub durable: Commit,
    /// What it may read, as of the snapshot.
    pub grants: Scopes,
    /// How far each scope is here.
    pub cursors: [Commit; SCOPES],
    /// The server's bodies.
    pub mirror: [Option<Row>; SCOPES],
    /// Outbox and journal, by place.
    pub own: [Option<Own>; EDITS],
    /// Everything it ever authored, by scope.
    pub written: [Mids; SCOPES],
    /// What is shown.
    pub screen: Option<Screen>,
    /// The photos of its mutations, by their place.
    pub photos: [Photo; EDITS],
    /// The newest snapshot that ever arrived, applied or not, and its grants; only invariants ask.
    pub heard: (AsOf, Scopes),
}

impl Phone {
    /// Returns a phone that has pulled everything once.
    pub fn new(grants: Scopes) -> Self {
        let asof = AsOf {
            epoch: 0,
            commit: Commit::FIRST,
        };
        let first = crate::judge::Record::first().row;
        let held = |scope| grants.has(scope);
        Self {
            asof,
            lost: Lost::default(),
            durable: Commit::FIRST,
            grants,
            cursors: std::array::from_fn(|scope| {
                if held(scope) {
                    Commit::FIRST
                } else {
                    Commit::NONE
                }
            }),
            mirror: std::array::from_fn(|scope| held(scope).then_some(first)),
            own: Default::default(),
            written: Default::default(),
            screen: None,
            photos: Default::default(),
            heard: (asof, grants),
        }
    }

    /// Returns how many mutations it has authored.
    pub fn authored(&self) -> usize {
        self.written.iter().map(|mids| mids.iter().count()).sum()
    }

    /// Returns what a screen of a scope's record would show, if there is anything to show.
    pub fn view(&self, scope: usize, rules: &Rules) -> Option<Screen> {
        let row = self.mirror[scope]?;
        let mut laid_over = self.own.iter().flatten().rev();
        let last = laid_over.find(|own| own.is_overlaid && own.mutation.scope == scope);
        let covers = last.filter(|_| rules.overlay_keeps_its_rev);
        Some(Screen {
            scope,
            value: last.map_or(row.value, |own| own.mutation.mid),
            rev: covers.map_or(row.rev, |own| own.mutation.seen.min(row.rev)),
            review: row.review,
        })
    }

    /// Saves an edit, or a decision, of what the screen shows.
    pub fn save(
        &mut self,
        mid: Mid,
        screen: Screen,
        decides: Mids,
        is_covered: bool,
        rules: &Rules,
    ) {
        let newest = self.mirror[screen.scope].map_or(screen.rev, |row| row.rev);
        let mutation = Mutation {
            mid,
            scope: screen.scope,
            was: screen.value,
            seen: if rules.screen_says_what_it_saw {
                screen.rev
            } else {
                newest
            },
            decides,
            deps: self.written[screen.scope],
            is_covered,
        };
        let written = &mut self.written[screen.scope];
        *written = written.and([mid]);
        self.own[mid.mseq()] = Some(Own {
            mutation,
            receipt: None,
            is_settled: false,
            is_overlaid: true,
        });
    }

    /// Returns what it would send now.
    pub fn request(&self) -> Request {
        let sent = |own: &Option<Own>| {
            let waiting = own.filter(|own| !own.is_settled)?;
            Some((waiting.mutation, waiting.receipt))
        };
        Request {
            epoch: self.asof.epoch,
            cursors: self.cursors,
            work: self.own.each_ref().map(sent),
        }
    }

    /// Takes an answer, in one transaction.
    pub fn receive(&mut self, answer: &Answer, write: Write, rules: &Rules) {
        self.heard = self.heard.max((answer.asof, answer.grants));
        if answer.asof.epoch > self.asof.epoch {
            self.adopt(&answer.forks);
        }
        for (own, receipt) in self.own.iter_mut().zip(answer.receipts) {
            if let (Some(own), Some(receipt)) = (own, receipt) {
                own.settle(receipt, &self.lost, rules);
            }
        }
        if !rules.settled_by_mid {
            let came_well = Receipt {
                commit: answer.asof.commit,
                outcome: Outcome::Applied,
            };
            for own in self.own.iter_mut().flatten().filter(|own| !own.is_settled) {
                own.receipt = Some(came_well);
                own.is_settled = true;
            }
        }
        let is_late = answer.asof < self.asof;
        if !is_late || !rules.late_answers_yield_receipts_only {
            self.take_news(answer, write, rules);
        }
        self.uncover(rules);
        let durable = self.durable;
        self.keep(|own| own.is_needed(durable, rules));
    }

    /// Keeps what of own work is to be kept.
    fn keep(&mut self, is_kept: impl Fn(&Own) -> bool) {
        for own in &mut self.own {
            own.take_if(|own| !is_kept(own));
        }
    }

    /// The server has a new history: what the old one took waits again.
    fn adopt(&mut self, forks: &Lost) {
        self.lost = *forks;
        for own in self.own.iter_mut().flatten() {
            if own
                .receipt
                .is_some_and(|receipt| forks.holds(receipt.commit))
            {
                own.is_settled = false;
                own.is_overlaid = true;
            }
        }
        for photo in &mut self.photos {
            if matches!(photo, Photo::Stored(commit) if forks.holds(*commit)) {
                *photo = Photo::Waiting;
            }
        }
        // The body stays until the server's is here; its rev says nothing any more.
        for row in self.mirror.iter_mut().flatten() {
            if forks.holds(row.rev) {
                row.rev = Commit::NONE;
            }
        }
        self.cursors = [Commit::NONE; SCOPES];
    }

    fn take_news(&mut self, answer: &Answer, write: Write, rules: &Rules) {
        for scope in (0..SCOPES).filter(|scope| answer.grants.has(*scope)) {
            let fits = answer.from[scope] == self.cursors[scope];
            if !fits && rules.pages_fit_their_cursor {
                continue;
            }
            self.cursors[scope] = answer.asof.commit;
            if write == Write::Whole {
                self.put(scope, answer.rows[scope]);
            }
        }
        self.grants = answer.grants;
        if rules.revoke_purges {
            self.purge(rules);
        }
        self.asof = answer.asof;
        self.durable = answer.durable;
    }

    /// Nothing replaces a newer rev.
    fn put(&mut self, scope: usize, row: Option<Row>) {
        let here = self.mirror[scope].map(|row| row.rev);
        if row.map(|row| row.rev) > here {
            self.mirror[scope] = row;
        }
    }

    fn purge(&mut self, rules: &Rules) {
        let grants = self.grants;
        for scope in (0..SCOPES).filter(|scope| !grants.has(*scope)) {
            self.mirror[scope] = None;
            self.cursors[scope] = Commit::NONE;
            self.screen.take_if(|screen| screen.scope == scope);
            if !rules.revoke_spares_outbox {
                self.keep(|own| own.mutation.scope != scope);
            }
        }
    }

    fn uncover(&mut self, rules: &Rules) {
        let cursors = self.cursors;
        for own in self.own.iter_mut().flatten().filter(|own| own.is_settled) {
            let read = cursors[own.mutation.scope];
            let is_read = own.receipt.is_some_and(|receipt| receipt.commit <= read);
            own.is_overlaid &= !is_read && rules.overlaid_until_read;
        }
    }

    /// Hears that the server has a photo.
    pub fn stored(&mut self, photo: Mid, commit: Commit, rules: &Rules) {
        let stands = !self.lost.holds(commit) || !rules.lost_words_settle_nothing;
        let here = &mut self.photos[photo.mseq()];
        if stands && *here == Photo::Waiting {
            *here = Photo::Stored(commit);
        }
    }

    /// Says whether the file of a photo may go.
    pub fn may_drop(&self, mseq: usize, rules: &Rules) -> bool {
        let Photo::Stored(commit) = self.photos[mseq] else {
            return false;
        };
        let waits = |own: &Own| own.mutation.mid.mseq() == mseq && !own.is_settled;
        let is_durable = commit <= self.durable || !rules.files_until_durable;
        is_durable && !self.own.iter().flatten().any(waits)
    }
}
