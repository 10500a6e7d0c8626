//! The protocol's words, as small as a model needs them: a state is hashed and copied millions of
//! times, so everything here fits into a byte or two.
//!
//! A register's value is named by the mutation that set it: every edit says something new, and
//! what became of it can be followed through every copy.

/// How many phones a world can hold.
pub const PHONES: usize = 3;
/// How many scopes there are; each holds one record.
pub const SCOPES: usize = 2;
/// How many mutations one phone can author.
pub const EDITS: usize = 2;
/// How many restores there can be.
pub const RESTORES: usize = 2;

/// The number of an applied batch or an admin's step: sixteen of each history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Commit(pub u8);

impl Commit {
    /// Before everything: a cursor that has not moved.
    pub const NONE: Self = Self(0);
    /// The commit that every world begins at.
    pub const FIRST: Self = Self(1);
    const BLOCK: u8 = 16;

    /// Returns the commit after this one; the bounds of a scene keep it within its block.
    #[must_use]
    pub fn next(self) -> Self {
        let next = self.0 + 1;
        assert!(!next.is_multiple_of(Self::BLOCK), "a scene fills a block");
        Self(next)
    }

    /// Returns the first commit of a history.
    pub fn block(epoch: u8) -> Self {
        Self(epoch * Self::BLOCK)
    }
}

/// The name of a mutation and of the value that it set; none for what was there at first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mid(u8);

impl Mid {
    /// The value that every record begins with. Nobody authored it.
    pub const NONE: Self = Self(0);

    /// Returns the name of a phone's `mseq`th mutation, counted from nought.
    #[expect(clippy::cast_possible_truncation, reason = "three phones, two edits")]
    pub fn new(phone: usize, mseq: usize) -> Self {
        Self((1 + phone * EDITS + mseq) as u8)
    }

    /// Returns its author's number, if anybody authored it.
    pub fn phone(self) -> Option<usize> {
        Some(usize::from(self.0.checked_sub(1)?) / EDITS)
    }

    /// Returns its place in a table of all.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Returns its place in its author's work, counted from nought.
    pub fn mseq(self) -> usize {
        usize::from(self.0.saturating_sub(1)) % EDITS
    }
}

/// A set of mutations, or of the values that they set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mids(u16);

impl Mids {
    /// Says whether one is among them.
    pub fn has(self, mid: Mid) -> bool {
        self.0 & (1 << mid.0) != 0
    }

    /// Returns them and those.
    #[must_use]
    pub fn and(self, others: impl IntoIterator<Item = Mid>) -> Self {
        others
            .into_iter()
            .fold(self, |all, mid| Self(all.0 | 1 << mid.0))
    }

    /// Returns both sets in one.
    #[must_use]
    pub fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Says whether all of these are among those.
    pub fn are_all_in(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Says whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns them one by one.
    pub fn iter(self) -> impl Iterator<Item = Mid> {
        (0..16).map(Mid).filter(move |mid| self.has(*mid))
    }
}

/// A set of scopes: what a phone is granted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Scopes(pub u8);

impl Scopes {
    /// Returns the first so many.
    pub fn first(count: usize) -> Self {
        Self((1 << count) - 1)
    }

    /// Says whether a scope is among them.
    pub fn has(self, scope: usize) -> bool {
        self.0 & (1 << scope) != 0
    }

    /// Returns them with a scope added, or taken away.
    #[must_use]
    pub fn toggled(self, scope: usize) -> Self {
        Self(self.0 ^ (1 << scope))
    }
}

/// An interval of commits that a restore threw away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fork {
    /// The last commit kept.
    pub after: Commit,
    /// The last commit thrown away.
    pub until: Commit,
}

impl Fork {
    fn holds(self, commit: Commit) -> bool {
        self.after < commit && commit <= self.until
    }
}

/// All intervals that restores threw away; there are as many as histories before the present one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Lost([Option<Fork>; RESTORES]);

impl Lost {
    /// Returns the number of the present history: how many were lost before it.
    pub fn epoch(self) -> u8 {
        self.0.iter().flatten().fold(0, |count, _| count + 1)
    }

    /// Notes one more.
    pub fn note(&mut self, fork: Fork) {
        let free = self.0.iter_mut().find(|slot| slot.is_none());
        *free.expect("no scene restores more often") = Some(fork);
    }

    /// Says whether a commit was thrown away.
    pub fn holds(&self, commit: Commit) -> bool {
        self.0.iter().flatten().any(|fork| fork.holds(commit))
    }

    /// Says whether who had been shown `seen` had been shown what commit `k` did.
    pub fn includes(&self, seen: Commit, k: Commit) -> bool {
        let mut forks = self.0.iter().flatten();
        k <= seen && forks.all(|fork| !fork.holds(k) || fork.holds(seen))
    }
}

/// What became of a mutation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// It is the stored value, or was.
    Applied,
    /// It met the value of another mutation, and a review holds both.
    Conflict(Mid),
    /// It was brought back, and who has written since had been shown it.
    Duplicate,
    /// Someone else must decide.
    Parked,
}

/// The server's terminal word on one mutation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Receipt {
    /// The commit that decided it.
    pub commit: Commit,
    /// What became of it.
    pub outcome: Outcome,
}

/// A body as the server sends it and a phone keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Row {
    /// The commit that last changed it.
    pub rev: Commit,
    /// Its register.
    pub value: Mid,
    /// Its counter: every mutation adds one.
    pub visits: u8,
    /// The candidates of its open review; none if there is none.
    pub review: Mids,
}

/// One authored change of one record: sets the register to a value of its own and counts a visit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mutation {
    /// Its name and its place.
    pub mid: Mid,
    /// The scope of its record.
    pub scope: usize,
    /// The value that was shown.
    pub was: Mid,
    /// The rev that was shown.
    pub seen: Commit,
    /// The candidates that a decision of a review had been shown; none if it is a plain edit.
    pub decides: Mids,
    /// Own earlier mutations of the same record.
    pub deps: Mids,
    /// Whether its author held the scope when she saved it: the authoring interval, known exactly.
    pub is_covered: bool,
}
