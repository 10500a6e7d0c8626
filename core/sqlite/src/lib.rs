//! Opening SQLite the one way this product opens it: on the phone for the worker's copy, on the
//! server for the district's truth.
//!
//! # Why a crate of its own
//! What makes a saved edit survive a power cut, a full disk, a killed app, a bad block or an old
//! app meeting a new file is not in SQL: it is in how the file is opened. Both ends need the same
//! answers, and they must not know each other, so the answers live here, below both.
//!
//! # The life of one opening
//! 1. *A glance at the file* before SQLite touches it: is it a database, is it encrypted, has a
//!    write-ahead log lost its database? SQLite deletes such a log without a word; we refuse.
//! 2. *The key*, if there is one; a build without encryption says so and creates nothing.
//! 3. *Whose is it, and from when?* The application id and the version are read before anything
//!    may be written. A database from a newer app stays as it is, byte for byte.
//! 4. *Settings*: write-ahead log, every commit on the disk (`synchronous = FULL`), deleted data
//!    overwritten, the schema not trusted.
//! 5. *The ladder*: the missing steps, each in one transaction with its number.
//!
//! # Promises
//! - A step of the ladder is there whole or not at all, whenever the power goes.
//! - Nothing here deletes a database or writes over one. [`set_aside`] renames, [`backup`]
//!   refuses a name that is taken.
//! - A key is never ignored: without encryption in the build it is an error.
//! - Every refusal is a variant of [`OpenError`] that tells the caller what to do next, and its
//!   text holds no path and no content. (SQLite's own text, kept as source, may name the file.)
//!
//! # Refused on purpose
//! - No pool, no async, no wrapper around [`rusqlite::Connection`]: one writer and a few readers
//!   are opened by whoever owns them.
//! - No downward steps: an old app refuses a new database, a restored backup climbs again.
//! - `synchronous = NORMAL`: in simulated power cuts it lost acknowledged transactions in about
//!   half of the runs.
//!
//! # Known gaps
//! - Damage to the first page of an encrypted database looks like a wrong key; only the caller
//!   knows whether his key can be wrong.
//! - The key's bytes are not wiped from memory when they are dropped.

mod backup;
mod check;
mod error;
mod files;
mod key;
mod ladder;
mod open;

pub use backup::{BackupError, Progress, backup};
pub use check::{Health, check};
pub use error::{Damage, OpenError, is_busy, is_damaged, is_disk_full};
pub use files::set_aside;
pub use key::{RawKey, is_encryption_built};
pub use ladder::{Ladder, Step};
pub use open::{Access, Deleted, Options, open};
