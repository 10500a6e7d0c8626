//! Digests: whether two ends hold the same records, in sixteen bytes.
//!
//! A record adds one piece, the hash of its name and rev; the digest of many is the exclusive or of
//! their pieces, so that it changes by what enters and what leaves and nobody ever recounts. It
//! finds mistakes, not malice: both ends believe each other as far as records go.

use sha2::{Digest as _, Sha256};

use crate::ids::{Hex, RecordId, Rev};

/// The digest of a set of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Puts a record in, or takes it out if it is in.
    pub fn toggle(&mut self, kind: &str, id: RecordId, rev: Rev) {
        let hash = Sha256::new()
            .chain_update(kind)
            .chain_update([0])
            .chain_update(id.as_bytes())
            .chain_update(rev.0.to_be_bytes())
            .finalize();
        for (byte, other) in self.0.iter_mut().zip(hash) {
            *byte ^= other;
        }
    }
}

impl From<Digest> for Hex<16> {
    fn from(digest: Digest) -> Self {
        Self(digest.0)
    }
}
