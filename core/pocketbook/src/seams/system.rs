//! The system's own clock, randomness and facts.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the seam: elsewhere the clock and randomness are handed in"
)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pocketbook_records::time::Millis;
use rustix::time::{ClockId, clock_gettime};

use super::{Clock, Entropy, Facts, Network, Platform};

/// Where Linux and Android name the boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clock that counts sleep.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WITH_SLEEP: ClockId = ClockId::Boottime;
/// The clock that counts sleep. (On Apple's systems this one does.)
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const WITH_SLEEP: ClockId = ClockId::Monotonic;

/// The system's clock; waiting needs a tokio runtime.
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot: String,
}

impl SystemClock {
    /// Returns the clock of this boot.
    ///
    /// Where the system does not tell which boot it is, the name lasts as long as this value:
    /// that only loosens the bounds of when something was authored.
    pub fn new() -> Self {
        let boot = fs::read_to_string(BOOT_ID).unwrap_or_else(|_| {
            let mut random = [0; 16];
            SystemEntropy.fill(&mut random);
            hex::encode(random)
        });
        Self::of_boot(boot.trim())
    }

    /// Returns the clock with the boot's name as the platform tells it.
    pub fn of_boot(boot: &str) -> Self {
        Self {
            boot: boot.to_owned(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> Millis {
        let since = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Millis::try_from(after.as_millis()),
            Err(before) => Millis::try_from(before.duration().as_millis()).map(|ms| -ms),
        };
        since.unwrap_or(Millis::MAX)
    }

    fn monotonic_ms(&self) -> i64 {
        let since = clock_gettime(WITH_SLEEP);
        since.tv_sec * 1000 + since.tv_nsec / 1_000_000
    }

    fn boot(&self) -> String {
        self.boot.clone()
    }

    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
        tokio::time::sleep(Duration::from_millis(ms)).boxed()
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, into: &mut [u8]) {
        getrandom::fill(into).expect("a running phone or server has a random source");
    }
}

/// A machine on a desk: always connected, always looked at.
#[derive(Debug, Clone)]
pub struct Workstation {
    folder: PathBuf,
}

impl Workstation {
    /// Returns the machine that keeps its files in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }
}

impl Platform for Workstation {
    fn facts(&self) -> Facts {
        let space = rustix::fs::statvfs(&self.folder).ok();
        Facts {
            network: Network::Unmetered,
            free_bytes: space.map(|s| s.f_bavail.saturating_mul(s.f_frsize)),
            battery_percent: None,
            is_foreground: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let clock = SystemClock::new();
        let mut last = clock.monotonic_ms();
        assert!(last > 0);
        for _ in 0..1_000 {
            let next = clock.monotonic_ms();
            assert!(next >= last);
            last = next;
        }
    }

    #[test]
    fn one_boot_has_one_name() {
        let name = SystemClock::of_boot("b").boot();

        assert_eq!(name, "b");
        assert!(!SystemClock::new().boot().is_empty());
    }

    #[test]
    fn ids_of_two_moments_differ_and_sort_by_time() {
        struct At(i64);
        impl Clock for At {
            fn wall_ms(&self) -> Millis {
                self.0
            }
            fn monotonic_ms(&self) -> i64 {
                0
            }
            fn boot(&self) -> String {
                String::new()
            }
            fn sleep(&self, _: u64) -> BoxFuture<'static, ()> {
                futures_util::future::ready(()).boxed()
            }
        }
        let first = super::super::uuid_v7(&At(1_000), &SystemEntropy);
        let again = super::super::uuid_v7(&At(1_000), &SystemEntropy);
        let later = super::super::uuid_v7(&At(2_000), &SystemEntropy);

        assert_ne!(first, again);
        assert!(first < later && again < later);
        assert_eq!(first.get_version_num(), 7);
    }
}
