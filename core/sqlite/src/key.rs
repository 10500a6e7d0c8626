//! The key of an encrypted database and the file format that goes with it.
//!
//! The format is fixed for ever by a fixture: SQLCipher's fourth, pages of 4096 bytes, the first
//! 32 bytes in clear, the salt kept with the key. iOS ends an app that holds a lock on a shared
//! file in the background, unless it sees that the file is an SQLite database in log mode; that
//! is what the clear bytes are for. They tell the page size, the number of pages and a change
//! counter, nothing of the content. SQLCipher usually keeps its salt in those bytes, so it moves
//! to the keystore.

use std::fmt;

use rusqlite::Connection;

/// The key of one database file: 32 bytes of key and 16 bytes of salt, random, made once with the
/// file and kept in the platform's keystore. No passphrase, so opening needs no slow derivation.
#[derive(Clone, PartialEq, Eq)]
pub struct RawKey([u8; Self::LEN]);

impl RawKey {
    /// How many random bytes a key takes.
    pub const LEN: usize = 48;

    /// Wraps the bytes the keystore gave: the key, then the salt.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawKey(…)")
    }
}

/// Returns whether this build's SQLite can encrypt.
///
/// Asked of SQLite itself: one without encryption accepts a key silently and writes everything in
/// clear, so a cargo feature is not proof enough.
#[must_use]
pub fn is_encryption_built() -> bool {
    Connection::open_in_memory()
        .and_then(|memory| memory.query_row("PRAGMA cipher_version", [], |_| Ok(())))
        .is_ok()
}

/// Gives the key to a connection that has not yet read its file.
pub(crate) fn unlock(connection: &Connection, key: &RawKey) -> rusqlite::Result<()> {
    // Without the first line SQLCipher writes to stderr or the device's log when a key is wrong.
    connection.execute_batch(&format!(
        "PRAGMA cipher_log_level = NONE;
         PRAGMA key = \"x'{}'\";
         PRAGMA cipher_compatibility = 4;
         PRAGMA cipher_plaintext_header_size = 32;",
        hex::encode(key.0)
    ))
}
