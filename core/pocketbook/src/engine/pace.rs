//! How much at once, and how soon again.
//!
//! A line is never asked how good it is: the pace finds out. It doubles what goes at once while
//! that takes less than half of [`AIM_MS`], takes four times as much if it took next to nothing, and
//! halves it when something took too long or did not come through, so that a bad line carries small
//! pieces that arrive rather than large ones that never do.

/// How long one request may keep the line.
const AIM_MS: i64 = 3_000;
/// The first wait after a failure; it doubles with each further one.
const FIRST_WAIT_MS: i64 = 2_000;
/// The longest wait between two attempts.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;
/// The longest that a server's word is taken for: a garbled one must not silence a phone.
pub(crate) const LONGEST_ORDERED_WAIT_MS: i64 = 60 * 60_000;

/// A moment as a decision sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Monotonic.
    pub(crate) ms: i64,
    /// Random: spreads the phones of a district, which all lost their server at the same moment.
    pub(crate) dice: u16,
    /// Whether there is any network.
    pub(crate) is_online: bool,
    /// Whether someone is looking.
    pub(crate) is_foreground: bool,
}

impl Moment {
    /// Returns a wait, shortened by chance by up to a half.
    fn within(self, wait_ms: i64) -> i64 {
        let half = wait_ms / 2;
        wait_ms - half * i64::from(self.dice) / i64::from(u16::MAX)
    }

    /// Returns when an ordered wait is over: never sooner than ordered, a little later by chance.
    pub(crate) fn after_order(self, wait_ms: u64) -> i64 {
        let wait = i64::try_from(wait_ms).map_or(LONGEST_ORDERED_WAIT_MS, |ms| {
            ms.min(LONGEST_ORDERED_WAIT_MS)
        });
        self.ms + wait + wait / 4 * i64::from(self.dice) / i64::from(u16::MAX)
    }
}

/// How many bytes go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    bytes: usize,
    least: usize,
    most: usize,
}

impl Pace {
    pub(crate) const fn new(first: usize, least: usize, most: usize) -> Self {
        Self {
            bytes: first,
            least,
            most,
        }
    }

    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    /// Says whether it can't get any slower.
    pub(crate) fn is_slowest(self) -> bool {
        self.bytes == self.least
    }

    /// Learns from what came through. Little sent in little time says nothing about much.
    pub(crate) fn arrived(&mut self, sent_bytes: usize, took_ms: i64) {
        if took_ms > AIM_MS {
            self.slow_down();
        } else if took_ms.saturating_mul(2) <= AIM_MS && sent_bytes.saturating_mul(2) > self.bytes {
            let times = if took_ms.saturating_mul(16) <= AIM_MS {
                4
            } else {
                2
            };
            self.bytes = self.bytes.saturating_mul(times).min(self.most);
        }
    }

    /// Learns from what did not come through.
    pub(crate) fn slow_down(&mut self) {
        self.bytes = (self.bytes / 2).max(self.least);
    }
}

/// One thing that is done again and again, and may fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Errand {
    /// Whether there is anything to do.
    pub(crate) is_due: bool,
    /// How often in a row it failed.
    failures: u32,
    not_before_ms: i64,
}

impl Errand {
    pub(crate) fn due() -> Self {
        Self {
            is_due: true,
            ..Self::default()
        }
    }

    pub(crate) fn is_ready(self, now_ms: i64) -> bool {
        self.is_due && self.not_before_ms <= now_ms
    }

    /// Returns when it is to be tried, if it is due.
    pub(crate) fn next_ms(self) -> Option<i64> {
        self.is_due.then_some(self.not_before_ms)
    }

    pub(crate) fn is_failing(self) -> bool {
        self.failures > 0
    }

    /// It is under way. What falls due from now on is for the next time.
    pub(crate) fn begun(&mut self) {
        self.is_due = false;
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.not_before_ms = 0;
    }

    pub(crate) fn failed(&mut self, moment: Moment) {
        self.is_due = true;
        let doublings = self.failures.min(16);
        let wait = (FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS);
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = moment.ms + moment.within(wait);
    }

    /// Something changed: waiting longer makes no sense.
    pub(crate) fn try_now(&mut self) {
        self.not_before_ms = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64, dice: u16) -> Moment {
        Moment {
            ms,
            dice,
            is_online: true,
            is_foreground: true,
        }
    }

    #[test]
    fn a_good_line_soon_carries_much_and_a_bad_one_little() {
        let mut pace = Pace::new(64, 1, 4096);
        for _ in 0..10 {
            pace.arrived(pace.bytes(), 200);
        }
        assert_eq!(pace.bytes(), 4096);

        pace.arrived(4096, 12_000);
        assert_eq!(pace.bytes(), 2048);
        for _ in 0..20 {
            pace.slow_down();
        }
        assert!(pace.is_slowest());
    }

    #[test]
    fn a_size_that_would_take_too_long_is_not_tried() {
        let mut pace = Pace::new(64, 1, 4096);
        pace.arrived(64, 1_600);
        assert_eq!(pace.bytes(), 64);
    }

    #[test]
    fn little_sent_says_nothing_about_much() {
        let mut pace = Pace::new(64, 1, 4096);
        pace.arrived(10, 5);
        assert_eq!(pace.bytes(), 64);
    }

    #[test]
    fn chance_shortens_a_wait_by_up_to_a_half() {
        let waits = [0, u16::MAX].map(|dice| {
            let mut errand = Errand::due();
            errand.failed(at(0, dice));
            errand.next_ms()
        });
        assert_eq!(waits, [Some(FIRST_WAIT_MS), Some(FIRST_WAIT_MS / 2)]);
    }

    proptest! {
        #[test]
        fn waits_grow_are_spread_and_end(failures in 1_u32..60, dice: u16) {
            let mut errand = Errand::due();
            for _ in 0..failures {
                errand.failed(at(1_000, dice));
            }
            let wait = errand.next_ms().unwrap() - 1_000;
            let longest = (FIRST_WAIT_MS << (failures - 1).min(16)).min(LONGEST_WAIT_MS);
            prop_assert!(wait >= longest / 2 && wait <= longest);
            prop_assert!(!errand.is_ready(1_000));
        }

        #[test]
        fn an_ordered_wait_is_kept_but_not_for_ever(wait: u64, dice: u16) {
            let until = at(0, dice).after_order(wait);
            let kept = i64::try_from(wait).unwrap_or(i64::MAX).min(LONGEST_ORDERED_WAIT_MS);
            prop_assert!(until >= kept && until <= LONGEST_ORDERED_WAIT_MS * 5 / 4);
        }
    }
}
