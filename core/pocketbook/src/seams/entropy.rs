//! Randomness.

use uuid::{Builder, Uuid};

use super::Clock;

/// Makes bytes that nobody can predict.
pub trait Entropy: Send + Sync {
    /// Fills all of `into`.
    fn fill(&self, into: &mut [u8]);
}

/// Makes a UUIDv7: wall clock first, so that neighbours in time are neighbours in an index; the
/// other 74 bits random, so that a clock set back repeats none.
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let wall_ms = u64::try_from(clock.wall_ms()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(wall_ms, &random).into_uuid()
}
