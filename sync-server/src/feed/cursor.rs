//! Cursors: where a page of a scope ended, in a text that only this server can make.

use pocketbook_records::ids::{Commit, Epoch};

use crate::keyring::{Keyring, Purpose};

/// A place in a scope: `<epoch>.<seq>.<commit>.<code>`. Phones keep it and understand nothing of
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The history.
    pub epoch: Epoch,
    /// The scope's number that was read last.
    pub seq: u64,
    /// The commit that the scope has been read through: whoever has the cursor has its records as
    /// they stood then.
    pub through: Commit,
}

impl Cursor {
    /// Writes it for a scope.
    pub fn write(self, keyring: &Keyring, scope: &str) -> String {
        let code = keyring.code::<8>(Purpose::Cursor, &self.signed(scope));
        let (epoch, seq, through) = (self.epoch, self.seq, self.through);
        format!("{epoch}.{seq}.{through}.{}", hex::encode(code))
    }

    /// Reads it for a scope; none if it was not made here or for another scope.
    pub fn read(keyring: &Keyring, scope: &str, text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        let cursor = Self {
            epoch: Epoch(parts.next()?.parse().ok()?),
            seq: parts.next()?.parse().ok()?,
            through: Commit(parts.next()?.parse().ok()?),
        };
        let mut given = [0; 8];
        hex::decode_to_slice(parts.next()?, &mut given).ok()?;
        let genuine = keyring.verifies(Purpose::Cursor, &cursor.signed(scope), &given);
        genuine.then_some(cursor)
    }

    fn signed(self, scope: &str) -> Vec<u8> {
        format!("{scope} {} {} {}", self.epoch, self.seq, self.through).into_bytes()
    }
}
