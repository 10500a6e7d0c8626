//! Cursors: where a page of a scope ended, in a text that only this server can make.

use pocketbook_records::ids::Epoch;

use crate::keyring::{Keyring, Purpose};

/// A place in a scope: `<epoch>.<seq>.<code>`. Phones keep it and understand nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The history.
    pub epoch: Epoch,
    /// The scope's number that was read last.
    pub seq: u64,
}

impl Cursor {
    /// Writes it for a scope.
    pub fn write(self, keyring: &Keyring, scope: &str) -> String {
        let code = keyring.code::<8>(Purpose::Cursor, &self.signed(scope));
        format!("{}.{}.{}", self.epoch, self.seq, hex::encode(code))
    }

    /// Reads it for a scope; none if it was not made here or for another scope.
    pub fn read(keyring: &Keyring, scope: &str, text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (epoch, seq, code) = (parts.next()?, parts.next()?, parts.next()?);
        let cursor = Self {
            epoch: Epoch(epoch.parse().ok()?),
            seq: seq.parse().ok()?,
        };
        let mut given = [0; 8];
        hex::decode_to_slice(code, &mut given).ok()?;
        let genuine = keyring.verifies(Purpose::Cursor, &cursor.signed(scope), &given);
        genuine.then_some(cursor)
    }

    fn signed(self, scope: &str) -> Vec<u8> {
        format!("{scope} {} {}", self.epoch, self.seq).into_bytes()
    }
}
