//! What the app gives the book: a keystore, facts about the phone, an ear for what is stale.
//!
//! Three small interfaces, synchronous, each may fail. No lock is held while one is called. An
//! exception that an implementation did not mean to throw arrives here with its stack trace; that
//! text is dropped, never shown or sent.

use std::sync::{Arc, Mutex, PoisonError};

use pocketbook::engine::{SyncEvent, SyncListener};
use pocketbook::seams::{Facts, Keys, KeysError, Network, Platform, Secret};
use pocketbook_records::ids::{BlobHash, UnitId};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum KeyPurpose {
    /// Encrypts the account's database.
    Database,
    /// Seals the account's photos and files.
    Files,
    /// Proves to the server that this is the device that was enrolled.
    Enrolment,
}

/// Keeps keys: the platform's keystore.
///
/// Keys must be readable after the first unlock since boot, since a locked phone hands work in
/// too.
#[uniffi::export(foreign)]
pub trait KeyProvider: Send + Sync {
    /// Returns 32 random bytes, made at the first call for this account and purpose and the same
    /// ever after. They are stored durably before they are returned.
    fn key(&self, account: String, purpose: KeyPurpose) -> Result<Vec<u8>, KeystoreError>;

    /// Destroys all keys of an account.
    fn forget(&self, account: String) -> Result<(), KeystoreError>;
}

/// Why a key is not at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeystoreError {
    /// The phone was not unlocked since it started.
    #[error("read a key before the phone was unlocked")]
    Locked,
    /// The keystore lost or refuses it.
    #[error("read a key from the keystore")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeystoreError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

/// An app's callback failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// It threw.
    #[error("carry out a callback of the app")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Knows the phone.
#[uniffi::export(foreign)]
pub trait PhoneFacts: Send + Sync {
    /// Tells how things stand at this moment.
    fn facts(&self) -> Result<Facts, CallbackError>;
}

/// What became stale on the screens.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Stale {
    /// Nothing yet: a synchronisation began.
    Began,
    /// Lists and records of these kinds, and the status.
    Records {
        /// The kinds' names.
        kinds: Vec<String>,
    },
    /// The status.
    Status,
    /// Where a photo stands.
    Photo {
        /// The photo.
        hash: BlobHash,
    },
    /// Small pictures of others' photos: lists that show some.
    Thumbnails,
    /// The pocket book of a community.
    Book {
        /// The community.
        unit: UnitId,
    },
    /// The status: a synchronisation ended.
    Ended,
}

/// Hears what is stale, to ask the book again: later, from a thread of the app's own. Called in
/// the middle of the work, on a thread of the book's.
#[uniffi::export(foreign)]
pub trait SyncWatcher: Send + Sync {
    /// Something changed.
    fn stale(&self, what: Stale) -> Result<(), CallbackError>;
}

/// The app's keystore as the core's.
pub(crate) struct Keystore(pub(crate) Arc<dyn KeyProvider>);

impl Keystore {
    fn key(&self, account: &str, purpose: KeyPurpose) -> Result<Secret, KeysError> {
        let key = self.0.key(account.to_owned(), purpose)?;
        Ok(Secret::new(
            key.try_into().map_err(|_| KeysError::Unavailable)?,
        ))
    }
}

impl Keys for Keystore {
    fn database_key(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, KeyPurpose::Database)
    }

    fn file_key(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, KeyPurpose::Files)
    }

    fn enrolment_secret(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, KeyPurpose::Enrolment)
    }

    fn forget(&self, account: &str) -> Result<(), KeysError> {
        Ok(self.0.forget(account.to_owned())?)
    }
}

impl From<KeystoreError> for KeysError {
    fn from(error: KeystoreError) -> Self {
        match error {
            KeystoreError::Locked => Self::Locked,
            KeystoreError::Unavailable => Self::Unavailable,
        }
    }
}

/// The app's facts as the core's.
pub(crate) struct Phone(pub(crate) Arc<dyn PhoneFacts>);

impl Platform for Phone {
    fn facts(&self) -> Facts {
        // A phone that can't say how it stands is taken to be in a pocket, on a line that costs.
        self.0.facts().unwrap_or(Facts {
            network: Network::Metered,
            free_bytes: None,
            battery_percent: None,
            is_foreground: false,
        })
    }
}

/// Passes on what the engine says to whoever watches at the time.
#[derive(Default)]
pub(crate) struct Relay(Mutex<Option<Arc<dyn SyncWatcher>>>);

impl Relay {
    pub(crate) fn turn_to(&self, watcher: Option<Arc<dyn SyncWatcher>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = watcher;
    }
}

impl SyncListener for Relay {
    fn changed(&self, event: SyncEvent) {
        let watcher = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(watcher) = watcher {
            // A screen that failed to note it asks at its next opening.
            let _ = watcher.stale(event.into());
        }
    }
}

impl From<SyncEvent> for Stale {
    fn from(event: SyncEvent) -> Self {
        match event {
            SyncEvent::Began => Self::Began,
            SyncEvent::Records(kinds) => Self::Records {
                kinds: kinds.into_iter().map(str::to_owned).collect(),
            },
            SyncEvent::Status => Self::Status,
            SyncEvent::Photo(hash) => Self::Photo { hash },
            SyncEvent::Thumbnails => Self::Thumbnails,
            SyncEvent::Book(unit) => Self::Book { unit },
            SyncEvent::Ended => Self::Ended,
        }
    }
}
