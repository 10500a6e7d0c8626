//! The clock.

use futures_util::future::BoxFuture;
use pocketbook_records::time::{Millis, Now};

/// Tells the time, and waits.
///
/// No rule trusts the wall clock: it is shown to people and nothing else. Durations are measured
/// with the monotonic clock, which never goes back within one boot.
pub trait Clock: Send + Sync {
    /// Returns the wall clock: milliseconds since 1970 in UTC, right or wrong.
    fn wall_ms(&self) -> Millis;

    /// Returns the milliseconds since the boot that [`Clock::boot`] names, those asleep included.
    fn monotonic_ms(&self) -> i64;

    /// Names the boot. Two equal names mean that `monotonic_ms` counts from the same moment.
    fn boot(&self) -> String;

    /// Waits for as long as told.
    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()>;

    /// Reads all clocks at once, as requests and mutations carry them.
    fn now(&self) -> Now {
        Now {
            wall: self.wall_ms(),
            boot: self.boot(),
            monotonic_ms: self.monotonic_ms(),
        }
    }
}
