//! The device's store: one SQLite file per account.
//!
//! Two doors lead in. [`outbox`] takes what the worker does; [`mirror`] takes what the server
//! says. Whatever is shown is computed in one place, [`view`]. Every door is one transaction with
//! `synchronous = FULL`: "saved" means saved.
//!
//! One connection writes; another reads, so that a list never waits for a first sync.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pocketbook_sqlite::{Access, Deleted, Ladder, Options, RawKey, Step};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::{Error, Result};
use crate::seal::SealKey;
use crate::seams::Seams;

pub mod blobs;
pub mod book;
pub mod clones;
pub(crate) mod compare;
pub mod drafts;
pub mod hand_in;
pub(crate) mod histories;
pub(crate) mod journal;
pub(crate) mod later;
pub mod lists;
pub(crate) mod meta;
pub mod mirror;
pub mod outbox;
pub(crate) mod purge;
pub(crate) mod receipts;
pub(crate) mod scopes;
pub mod status;
pub(crate) mod tombs;
pub mod trace;
pub mod view;
pub(crate) mod wants;

pub(crate) static LADDER: Ladder = Ladder {
    name: "pocket book",
    application_id: 0x504f_434b, // "POCK"
    steps: &[
        Step {
            sql: include_str!("schema/0001.sql"),
        },
        Step {
            sql: include_str!("schema/0002.sql"),
        },
        Step {
            sql: include_str!("schema/0003.sql"),
        },
        Step {
            sql: include_str!("schema/0004.sql"),
        },
        Step {
            sql: include_str!("schema/0005.sql"),
        },
        Step {
            sql: include_str!("schema/0006.sql"),
        },
    ],
};

/// What a first sync fills: with less, its indexes go out and come in again all the time.
const WRITER_CACHE_KIB: u32 = 16 * 1024;

/// The store of one account.
pub struct Store {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    commits: AtomicU64,
    pub(crate) seams: Seams,
    /// What the keystore calls the account.
    name: String,
    /// Seals photos and files.
    file_key: SealKey,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the file, creating it if there is none. `name` is what the keystore calls the account.
    ///
    /// A damaged file is not touched: [`Error::Open`] says so, and
    /// [`crate::books::salvage::salvage`] sets it aside.
    pub(crate) fn open(
        file: &Path,
        name: &str,
        (key, file_key): (Option<RawKey>, SealKey),
        seams: Seams,
    ) -> Result<Self> {
        let options = Options {
            key,
            deleted: Deleted::Overwritten,
            cache_kib: WRITER_CACHE_KIB,
            ..Options::new(file)
        };
        let writer = pocketbook_sqlite::open(&options, &LADDER)?;
        let reader = pocketbook_sqlite::open(
            &Options {
                access: Access::ReadOnly,
                cache_kib: Options::new(file).cache_kib,
                ..options
            },
            &LADDER,
        )?;
        let store = Self {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            commits: AtomicU64::new(0),
            seams,
            name: name.to_owned(),
            file_key,
        };
        store.sweep_files()?;
        if let Err(error) = store.expect_thumbnails() {
            // A full disk must not close the book: the next opening tries again.
            tracing::warn!(%error, "photos of older records were not looked for");
        }
        Ok(store)
    }

    /// Runs one write transaction.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        // A panic elsewhere left no half transaction behind: SQLite rolled it back.
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(done)
    }

    /// Returns how many write transactions have been committed since the opening: what a phone's
    /// flash feels, so tests count them.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Runs reads in one snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.reader();
        let snapshot = connection.transaction()?;
        work(&snapshot)
    }

    /// Cuts the log back to nothing, so that what was deleted is nowhere in it.
    pub(crate) fn truncate_log(&self) -> Result<()> {
        let reader = self.reader();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        drop(reader);
        Ok(())
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads sixteen bytes that a column holds.
pub(crate) fn id_column(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<uuid::Uuid> {
    row.get::<_, [u8; 16]>(column).map(uuid::Uuid::from_bytes)
}

/// Writes an unsigned number where SQLite keeps signed ones.
pub(crate) fn sql_int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads it back.
pub(crate) fn from_sql_int(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Returns the kind of a stored name; the store only ever holds known ones or keeps them aside.
pub(crate) fn kind_named(name: &str) -> Result<&'static pocketbook_records::kind::Kind> {
    pocketbook_records::kind::Kind::named(name).ok_or(Error::NotFound)
}
