//! A part of a file, as HTTP asks for it.

use std::ops::Range;

/// A range as a caller asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// From a byte on, to another one if it is said.
    From(u64, Option<u64>),
    /// So many bytes at the end.
    Last(u64),
}

impl Wanted {
    /// Reads the one form of `Range` that phones send: one range of bytes.
    pub fn read(header: &str) -> Option<Self> {
        let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
        match (first.is_empty(), last.is_empty()) {
            (false, true) => Some(Self::From(first.parse().ok()?, None)),
            (false, false) => Some(Self::From(first.parse().ok()?, Some(last.parse().ok()?))),
            (true, false) => Some(Self::Last(last.parse().ok()?)),
            (true, true) => None,
        }
    }

    pub(super) fn within(self, bytes: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => {
                first..last.map_or(bytes, |last| last.saturating_add(1).min(bytes))
            }
            Self::Last(count) => bytes.saturating_sub(count)..bytes,
        };
        (!range.is_empty()).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_held_within_the_file() {
        let within = |header: &str| Wanted::read(header).and_then(|wanted| wanted.within(10));
        assert_eq!(within("bytes=2-4"), Some(2..5));
        assert_eq!(within("bytes=2-"), Some(2..10));
        assert_eq!(within("bytes=-3"), Some(7..10));
        assert_eq!(within("bytes=2-99"), Some(2..10));
        for wrong in ["bytes=10-", "bytes=5-4", "bytes=-0", "bytes=-", "lines=1-2"] {
            assert_eq!(within(wrong), None, "{wrong}");
        }
    }
}
