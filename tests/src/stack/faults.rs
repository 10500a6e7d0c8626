//! What may befall a connection, and the weather that sends it.
//!
//! Each direction of a connection asks the weather for its next fault and meets it when so many
//! bytes have passed. A pause or a slow stretch is followed by the next fault, so a connection that
//! is kept open for long is not spared for long; the others are its end.
//!
//! The dice of the weather have a seed, but who asks them first is up to the machine: a seed gives
//! the same mixture of faults, not the same run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::sim::tape::Dice;

/// What befalls one direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Both ends are hung up on, with whatever was on its way.
    Cut,
    /// Nothing passes for a while, then it goes on.
    Stall {
        /// So long.
        ms: u64,
    },
    /// A stretch of it is slow.
    Throttle {
        /// So slow.
        bytes_s: u64,
        /// So long a stretch.
        bytes: usize,
    },
    /// This direction ends as if its sender had no more to say; the other one stays open for a
    /// while, and nobody tells its sender.
    HalfClose {
        /// So long.
        ms: u64,
    },
    /// One bit arrives as another.
    Corrupt,
}

/// How often each fault befell a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// See [`Fault::Cut`].
    pub cut: u64,
    /// See [`Fault::Stall`].
    pub stalled: u64,
    /// See [`Fault::Throttle`].
    pub throttled: u64,
    /// See [`Fault::HalfClose`].
    pub half_closed: u64,
    /// See [`Fault::Corrupt`].
    pub corrupted: u64,
}

impl Tally {
    /// Returns all of them together.
    pub fn total(&self) -> u64 {
        self.cut + self.stalled + self.throttled + self.half_closed + self.corrupted
    }

    /// Says whether each kind befell somebody.
    pub fn is_of_every_kind(&self) -> bool {
        let kinds = [
            self.cut,
            self.stalled,
            self.throttled,
            self.half_closed,
            self.corrupted,
        ];
        kinds.iter().all(|count| *count > 0)
    }
}

/// A fault that is to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming {
    /// When so many bytes have passed.
    pub(super) after: usize,
    pub(super) fault: Fault,
}

/// Sends faults over all links that stand in it, until it clears.
#[derive(Debug)]
pub struct Weather {
    dice: Mutex<Dice>,
    has_cleared: AtomicBool,
    met: [AtomicU64; 5],
}

impl Weather {
    /// Returns the weather of a seed.
    pub fn of(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            dice: Mutex::new(Dice::new(seed)),
            has_cleared: AtomicBool::new(false),
            met: Default::default(),
        })
    }

    /// Sends no more faults; what hangs in one comes free.
    pub fn clears(&self) {
        self.has_cleared.store(true, Ordering::SeqCst);
    }

    /// Says whether it has cleared.
    pub(super) fn has_cleared(&self) -> bool {
        self.has_cleared.load(Ordering::SeqCst)
    }

    /// Returns what it did so far.
    pub fn tally(&self) -> Tally {
        let [cut, stalled, throttled, half_closed, corrupted] =
            [0, 1, 2, 3, 4].map(|n: usize| self.met[n].load(Ordering::SeqCst));
        Tally {
            cut,
            stalled,
            throttled,
            half_closed,
            corrupted,
        }
    }

    /// Draws what comes next over one direction of a connection.
    pub(super) fn next(&self) -> Coming {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        // A handshake is some 2 kB, an exchange often less than 10, a photo some 300.
        let most = [600, 8_000, 60_000, 250_000][dice.below(4)];
        let after = dice.below(most);
        let mut up_to = |most: usize| dice.below(most) as u64;
        let fault = match up_to(12) {
            0..=2 => Fault::Cut,
            3..=5 => Fault::Stall {
                ms: 200 + up_to(3_000),
            },
            6..=7 => Fault::Throttle {
                bytes_s: 4_000 + up_to(60_000),
                bytes: 4_000 + dice.below(60_000),
            },
            8..=9 => Fault::HalfClose {
                ms: 100 + up_to(2_000),
            },
            _ => Fault::Corrupt,
        };
        Coming { after, fault }
    }

    /// Notes that a fault has come.
    pub(super) fn note(&self, fault: Fault) {
        let n = match fault {
            Fault::Cut => 0,
            Fault::Stall { .. } => 1,
            Fault::Throttle { .. } => 2,
            Fault::HalfClose { .. } => 3,
            Fault::Corrupt => 4,
        };
        self.met[n].fetch_add(1, Ordering::SeqCst);
    }
}
