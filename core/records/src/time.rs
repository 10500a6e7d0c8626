//! Time without trust in a device's clock.
//!
//! The moment of authoring is *bounded*, not proven (sync-protocol, "Time"): the last answer that
//! the device had received bounds it from below, the request that brings the mutation bounds it
//! from above; where the boot is the same, the monotonic clock (which counts sleep) tightens both.
//! Neighbouring mutations of the same enrolment tighten further. Whatever a wall clock says only
//! ever decides which of two *kept* values is shown first.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970 in UTC.
pub type Millis = i64;

/// A wall clock further off than this is shown to people.
pub const CLOCK_SKEW_SHOWN_MS: Millis = 5 * 60 * 1000;

/// An interval that surely holds a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Not before.
    pub from: Millis,
    /// Not after.
    pub to: Millis,
}

impl Interval {
    /// Returns the interval that is one known moment.
    pub fn moment(at: Millis) -> Self {
        Self { from: at, to: at }
    }

    /// Says whether all of this lies after all of the other.
    pub fn is_after(self, other: Self) -> bool {
        self.from > other.to
    }
}

/// What a device noted when it authored something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The wall clock, for display only.
    pub wall: Millis,
    /// Names the boot within which `monotonic_ms` counts.
    pub boot: String,
    /// Milliseconds since that boot, sleep included.
    pub monotonic_ms: i64,
    /// The last answer of the server received before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// The last answer that a device had received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The server's token: its time and a code that only it can make.
    pub token: String,
    /// The boot in which it was received.
    pub boot: String,
    /// Milliseconds since that boot.
    pub monotonic_ms: i64,
}

/// The device's clocks when it sends a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// The wall clock.
    pub wall: Millis,
    /// Names the boot.
    pub boot: String,
    /// Milliseconds since that boot, sleep included.
    pub monotonic_ms: i64,
}

/// Bounds the moment of authoring.
///
/// `contact_time` is the server time in `at.contact`'s token once its code was checked;
/// `received` is the server's time now; `not_before` is the lower bound of the enrolment's
/// previous mutation.
pub fn bound(
    at: &At,
    contact_time: Option<Millis>,
    now: &Now,
    received: Millis,
    not_before: Millis,
) -> Interval {
    let mut to = received;
    if at.boot == now.boot && at.monotonic_ms <= now.monotonic_ms {
        to = received.saturating_sub(now.monotonic_ms.saturating_sub(at.monotonic_ms));
    }
    let mut from = not_before;
    if let (Some(time), Some(contact)) = (contact_time, &at.contact) {
        let since = if contact.boot == at.boot {
            at.monotonic_ms.saturating_sub(contact.monotonic_ms).max(0)
        } else {
            0
        };
        from = from.max(time.saturating_add(since));
    }
    // A device that lies about its monotonic clock can't turn the interval inside out.
    let to = to.clamp(not_before.min(received), received);
    Interval {
        from: from.min(to),
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: &str, monotonic_ms: i64, contact: Option<Contact>) -> At {
        At {
            wall: 77,
            boot: boot.into(),
            monotonic_ms,
            contact,
        }
    }

    #[test]
    fn the_same_boot_bounds_from_both_sides() {
        let contact = Contact {
            token: String::new(),
            boot: "b".into(),
            monotonic_ms: 1_000,
        };
        let now = Now {
            wall: 0,
            boot: "b".into(),
            monotonic_ms: 61_000,
        };
        let interval = bound(
            &at("b", 31_000, Some(contact)),
            Some(500_000),
            &now,
            560_000,
            0,
        );
        assert_eq!(
            interval,
            Interval {
                from: 530_000,
                to: 530_000
            }
        );
    }

    #[test]
    fn another_boot_leaves_only_what_was_received() {
        let contact = Contact {
            token: String::new(),
            boot: "a".into(),
            monotonic_ms: 9,
        };
        let now = Now {
            wall: 0,
            boot: "c".into(),
            monotonic_ms: 35,
        };
        let interval = bound(&at("b", 31, Some(contact)), Some(500), &now, 900, 0);
        assert_eq!(interval, Interval { from: 500, to: 900 });
    }

    #[test]
    fn a_lying_clock_never_turns_the_interval_inside_out() {
        for monotonic_ms in [i64::MIN, -1, 0, i64::MAX] {
            let now = Now {
                wall: i64::MAX,
                boot: "b".into(),
                monotonic_ms: 0,
            };
            let interval = bound(&at("b", monotonic_ms, None), None, &now, 900, 800);
            assert!(interval.from <= interval.to && interval.to <= 900);
        }
    }
}
