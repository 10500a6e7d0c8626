//! The scenes: how many take part, and how much may happen. Each is searched to its end.
//!
//! A scene is small on purpose: two phones, three edits, one restore are enough for every fault
//! that a rule here guards against, and a search that ends says "never", not "not yet".

/// The bounds of one search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scene {
    /// What it is about.
    pub name: &'static str,
    /// How many scopes, of one record each.
    pub scopes: usize,
    /// How many mutations each phone may author; there are as many phones as numbers.
    pub edits: &'static [usize],
    /// How many messages of one phone may be on the way at a time.
    pub in_flight: usize,
    /// How often an admin may give the first phone a scope, or take it away.
    pub steps: u8,
    /// How often the database may be backed up, beyond the backup of its beginning.
    pub backups: u8,
    /// How often a backup may be restored.
    pub restores: u8,
    /// Whether edits may have photos.
    pub photos: bool,
    /// Whether reviews may be decided.
    pub decides: bool,
}

impl Scene {
    /// Two phones hand in and pull; screens are stale, messages lost, doubled, late.
    pub const EXCHANGE: Self = Self {
        name: "exchange",
        scopes: 1,
        edits: &[1, 1],
        in_flight: 2,
        steps: 0,
        backups: 0,
        restores: 0,
        photos: false,
        decides: false,
    };

    /// The same with more work, one message at a time.
    pub const CHAIN: Self = Self {
        name: "chain",
        edits: &[2, 1],
        in_flight: 1,
        ..Self::EXCHANGE
    };

    /// Two phones disagree; one decides while the other adds.
    pub const REVIEW: Self = Self {
        name: "review",
        edits: &[2, 2],
        in_flight: 1,
        decides: true,
        ..Self::EXCHANGE
    };

    /// A server is restored while two phones work.
    pub const RESTORE: Self = Self {
        name: "restore",
        in_flight: 1,
        backups: 1,
        restores: 1,
        ..Self::EXCHANGE
    };

    /// A server is thrown back to its beginning while two phones work more.
    pub const RESTART: Self = Self {
        name: "restart",
        edits: &[1, 2],
        backups: 0,
        ..Self::RESTORE
    };

    /// One phone is given a scope and loses it, with answers crossing, and a restore.
    pub const REVOKE: Self = Self {
        name: "revoke",
        edits: &[1],
        steps: 2,
        backups: 1,
        restores: 1,
        ..Self::EXCHANGE
    };

    /// The same with two scopes: what happens to one leaves the other alone.
    pub const SCOPES: Self = Self {
        name: "scopes",
        scopes: 2,
        backups: 0,
        restores: 0,
        ..Self::REVOKE
    };

    /// Photos on their way into a backup, through a restore.
    pub const PHOTOS: Self = Self {
        name: "photos",
        edits: &[1],
        backups: 2,
        restores: 1,
        photos: true,
        ..Self::EXCHANGE
    };

    /// What every run of the tests searches.
    pub const ALL: [Self; 8] = [
        Self::EXCHANGE,
        Self::CHAIN,
        Self::REVIEW,
        Self::RESTORE,
        Self::RESTART,
        Self::REVOKE,
        Self::SCOPES,
        Self::PHOTOS,
    ];

    /// What is searched on request, since it takes minutes.
    pub const DEEP: [Self; 7] = [
        Self {
            restores: 2,
            ..Self::RESTORE
        },
        Self {
            edits: &[1, 2],
            ..Self::RESTORE
        },
        Self {
            restores: 2,
            ..Self::RESTART
        },
        Self {
            edits: &[2, 1],
            ..Self::EXCHANGE
        },
        Self {
            edits: &[2],
            ..Self::REVOKE
        },
        Self {
            edits: &[2],
            in_flight: 1,
            ..Self::PHOTOS
        },
        Self {
            edits: &[1, 1, 1],
            ..Self::REVIEW
        },
    ];
}
