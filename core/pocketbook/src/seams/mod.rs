//! Seams: the only places where the device meets the world outside.
//!
//! Time, randomness, the network, keys, files and what the phone can tell about itself come
//! through six small traits. Everything behind them is decided by our own code, so a test that
//! owns the seams owns the run: it stops the clock, cuts a line at a chosen byte, fills the disk,
//! kills the app between two calls, and repeats all of it from a seed.
//!
//! | seam | production | promise |
//! |---|---|---|
//! | [`Clock`] | [`system::SystemClock`] | wall, monotonic with sleep counted, name of the boot |
//! | [`Entropy`] | [`system::SystemEntropy`] | unpredictable bytes, never fails |
//! | [`Transport`] | [`http::HttpTransport`] | one request, one streamed response |
//! | [`Keys`] | [`folder::KeyFolder`], the platform's keystore | one key per account and use, for ever |
//! | [`Files`] | [`folder::Folder`] | what was synced survives a power cut |
//! | [`Platform`] | [`system::Workstation`], the app | network, space, battery, foreground |
//!
//! The traits are object-safe, `Send + Sync`, and apart from [`Transport`] and [`Clock::sleep`]
//! synchronous. No caller holds a lock while calling through one. Databases are no seam: SQLite
//! needs a path, and its faults are played below it.

mod clock;
mod entropy;
mod files;
pub mod folder;
pub mod http;
mod keys;
mod platform;
pub mod system;
mod transport;

use std::fmt;
use std::sync::Arc;

pub use clock::Clock;
pub use entropy::{Entropy, uuid_v7};
pub use files::{FileReader, FileWriter, Files, FilesError};
pub use keys::{Keys, KeysError, Secret};
pub use platform::{Facts, Network, Platform};
pub use transport::{Body, Method, Request, Response, Transport, TransportError};

/// The world of one account.
#[derive(Clone)]
pub struct Seams {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Reaches the account's server.
    pub transport: Arc<dyn Transport>,
    /// Keeps keys.
    pub keys: Arc<dyn Keys>,
    /// Keeps the account's files.
    pub files: Arc<dyn Files>,
    /// Knows the phone.
    pub platform: Arc<dyn Platform>,
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seams")
    }
}
