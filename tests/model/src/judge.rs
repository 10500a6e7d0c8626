//! The decision about one mutation: what the record becomes of it.
//!
//! It follows `sync-server/src/apply/judge.rs` and `core/records/src/merge.rs` line by line, for a
//! record of one register and one counter.

use crate::rules::Rules;
use crate::words::{Commit, Lost, Mid, Mids, Mutation, Outcome, Receipt, Row};

/// Which of two concurrent values is shown meanwhile; only clocks know, so both are tried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Winner {
    /// The one that arrives later.
    Later,
    /// The one that is stored.
    Stored,
}

/// Who last wrote a register, seen from where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    /// The mutation; none for the creation.
    pub mid: Mid,
    /// The commit that first wrote it, perhaps in a lost history.
    pub origin: Commit,
    /// The rev that its author had been shown.
    pub seen: Commit,
}

/// A record as the server keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Record {
    /// What phones are sent of it.
    pub row: Row,
    /// Who last wrote its register.
    pub stamp: Stamp,
}

impl Record {
    /// The record that every world begins with.
    pub fn first() -> Self {
        Self {
            row: Row {
                rev: Commit::FIRST,
                value: Mid::NONE,
                visits: 0,
                review: Mids::default(),
            },
            stamp: Stamp {
                mid: Mid::NONE,
                origin: Commit::FIRST,
                seen: Commit::NONE,
            },
        }
    }
}

/// A mutation before its judge.
pub struct Case<'a> {
    /// What is to be carried out.
    pub mutation: Mutation,
    /// The word that a lost history had on it.
    pub proof: Option<Receipt>,
    /// The commit in which it arrives.
    pub commit: Commit,
    /// Which value clocks favour if there is a conflict.
    pub winner: Winner,
    /// What restores threw away.
    pub lost: &'a Lost,
    /// The rules in force.
    pub rules: &'a Rules,
}

impl Case<'_> {
    /// Carries the mutation out and returns what became of it.
    pub fn judge(&self, record: &mut Record) -> Outcome {
        record.row.rev = self.commit;
        record.row.visits += 1;
        let known = self.proof.map(|proof| proof.outcome);
        if let Some(Outcome::Conflict(against)) = known
            && self.rules.lost_reviews_open_again
        {
            // Its word stays what it was, for the next restore.
            record.row.review = record.row.review.and([against, self.mutation.mid]);
            self.merge(record);
            return Outcome::Conflict(against);
        }
        self.merge(record)
    }

    fn merge(&self, record: &mut Record) -> Outcome {
        if self.is_done_already(&record.stamp) {
            return Outcome::Duplicate;
        }
        let review = record.row.review;
        if !self.mutation.decides.is_empty() && !review.is_empty() {
            return self.decide(record);
        }
        let stored = record.row.value;
        let in_conflict = self.is_in_conflict(record);
        if !in_conflict || self.winner == Winner::Later {
            self.write(record);
        }
        if !in_conflict && review.is_empty() {
            return Outcome::Applied;
        }
        record.row.review = review.and([stored, self.mutation.mid]);
        if in_conflict {
            record.row.review = record.row.review.and([self.mutation.was]);
        }
        Outcome::Conflict(stored)
    }

    fn decide(&self, record: &mut Record) -> Outcome {
        let covers = record.row.review.are_all_in(self.mutation.decides);
        if covers || !self.rules.decisions_cover_candidates {
            self.write(record);
            record.row.review = Mids::default();
            return Outcome::Applied;
        }
        record.row.review = record.row.review.and([self.mutation.mid]);
        Outcome::Conflict(record.row.value)
    }

    fn is_in_conflict(&self, record: &Record) -> bool {
        let differs = if self.rules.screen_says_what_it_saw {
            record.row.value != self.mutation.was
        } else {
            record.stamp.origin > self.mutation.seen
        };
        differs && !self.is_own(&record.stamp) && !self.is_made_upon(&record.stamp)
    }

    fn is_own(&self, last: &Stamp) -> bool {
        let mid = self.mutation.mid;
        self.rules.own_chain && last.mid.phone() == mid.phone() && last.mid.mseq() <= mid.mseq()
    }

    /// Whether it is brought back, and who wrote the value that is stored had been shown it.
    fn is_done_already(&self, last: &Stamp) -> bool {
        self.proof
            .is_some_and(|proof| self.had_been_shown(last.seen, proof.commit))
    }

    /// Whether it was made upon lost history, which held the value that is stored.
    fn is_made_upon(&self, last: &Stamp) -> bool {
        let seen = self.mutation.seen;
        self.rules.lost_screens_count_as_shown
            && self.lost.holds(seen)
            && self.had_been_shown(seen, last.origin)
    }

    fn had_been_shown(&self, seen: Commit, k: Commit) -> bool {
        if self.rules.histories_are_told_apart {
            self.lost.includes(seen, k)
        } else {
            k <= seen
        }
    }

    fn write(&self, record: &mut Record) {
        record.row.value = self.mutation.mid;
        record.stamp = Stamp {
            mid: self.mutation.mid,
            origin: self.proof.map_or(self.commit, |proof| proof.commit),
            seen: self.mutation.seen,
        };
    }
}
