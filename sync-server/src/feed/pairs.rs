//! Ranges: what a scope holds, as digests that a phone compares with its own.

use pocketbook_records::digest::Digest;
use pocketbook_records::wire::{Key, Range};

use crate::store::{Store, scopes};
use crate::writer::Fault;

/// About how many records a range holds: small enough that one difference costs little.
const RECORDS: u64 = 64;
/// The most ranges of an answer.
const RANGES: u64 = 512;

/// Returns the ranges of a scope that holds so many records, by kind and id.
pub(super) fn ranges(store: Store<'_>, scope: &str, count: u64) -> Result<Vec<Range>, Fault> {
    let full = RECORDS.max(count.div_ceil(RANGES));
    let mut ranges: Vec<Range> = Vec::new();
    let mut digest = Digest::default();
    scopes::pairs(store, scope, |kind, id, rev| {
        let key = Key {
            kind: kind.to_owned(),
            id,
        };
        match ranges.last_mut() {
            Some(range) if range.to.kind == kind && range.count < full => {
                digest.toggle(kind, id, rev);
                range.to = key;
                range.count += 1;
                range.digest = digest.into();
            }
            _ => {
                digest = Digest::default();
                digest.toggle(kind, id, rev);
                ranges.push(Range {
                    from: key.clone(),
                    to: key,
                    count: 1,
                    digest: digest.into(),
                });
            }
        }
    })?;
    Ok(ranges)
}
