//! Keys.

use std::fmt;

use thiserror::Error;

/// Keeps the keys of the accounts on this phone.
///
/// Each method returns 32 random bytes, made at the first call for that account and the same at
/// every later one: a key is stored durably *before* it is returned, so that nothing is ever
/// sealed with, or promised to a server under, a key that a crash could take back. The database
/// key and the file key must be readable after the first unlock since boot, as a locked phone
/// hands work in too.
pub trait Keys: Send + Sync {
    /// Returns the key of the account's database.
    fn database_key(&self, account: &str) -> Result<Secret, KeysError>;

    /// Returns the key that seals the account's photos and files.
    fn file_key(&self, account: &str) -> Result<Secret, KeysError>;

    /// Returns the secret by which the server knows this account on this phone, or what that is
    /// made of once the account has parted from a clone of itself.
    fn enrolment_secret(&self, account: &str) -> Result<Secret, KeysError>;

    /// Destroys all of the account's keys. What they sealed is gone with them.
    fn forget(&self, account: &str) -> Result<(), KeysError>;
}

/// 32 bytes that nobody may see, overwritten when they go out of use.
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler would leave the overwriting out.
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Why a key is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeysError {
    /// The phone was not unlocked since it started.
    #[error("read the account's key before the phone was unlocked")]
    Locked,
    /// The platform's keystore lost or refuses it.
    #[error("read the account's key from the keystore")]
    Unavailable,
}
