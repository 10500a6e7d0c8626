//! The one way a connection is made.
//!
//! The order matters. Until the ladder has accepted the file nothing may change it, not even the
//! clean-up that SQLite does when the last connection closes; then the log mode is set, the steps
//! are climbed, and only then references are enforced.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the place that opens databases"
)]

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::key::{is_encryption_built, unlock};
use crate::{Damage, Ladder, OpenError, RawKey, files, is_damaged};

/// The log is cut back to this size after a checkpoint, so that one first sync does not keep its
/// space for ever.
const LOG_LIMIT_BYTES: u32 = 8 * 1024 * 1024;
/// The log is folded in when it has so many pages, unless told otherwise: rarely enough that a first
/// sync does not write each page of an index many times.
const LOG_PAGES: u32 = 2_000;

/// How a database is opened. Fill in what differs: `Options { key, ..Options::new(path) }`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file.
    pub path: PathBuf,
    /// The file's key; `None` for a file in clear.
    pub key: Option<RawKey>,
    /// Whether the connection may write, and create the file.
    pub access: Access,
    /// How much of the file one connection keeps in memory.
    pub cache_kib: u32,
    /// The log is folded into the file when it has so many pages.
    pub log_pages: u32,
    /// How long a statement waits for another connection before it fails as busy.
    pub busy_timeout: Duration,
    /// What becomes of deleted content.
    pub deleted: Deleted,
    /// How many prepared statements the connection keeps.
    pub statements: usize,
}

/// Whether a connection may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; creates the file if there is none and climbs the ladder.
    ReadWrite,
    /// Only reads, in an existing file that is up to date.
    ReadOnly,
}

/// What becomes of deleted content in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is overwritten with zeros: what was purged cannot be dug out.
    Overwritten,
    /// It stays until its place is needed: for content that is no secret.
    LeftInPlace,
}

impl Options {
    /// Returns the options most callers want: reading and writing, no key, 4 MiB of cache, five
    /// seconds of patience, deleted content overwritten.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            key: None,
            access: Access::ReadWrite,
            cache_kib: 4 * 1024,
            log_pages: LOG_PAGES,
            busy_timeout: Duration::from_secs(5),
            deleted: Deleted::Overwritten,
            statements: 64,
        }
    }
}

/// Opens a database, creating it and bringing it up to date if the access allows.
///
/// # Errors
/// See [`OpenError`]. After [`OpenError::FromNewerApp`], [`OpenError::NotOurs`] and
/// [`OpenError::WrongKey`] the file and its log are as they were, byte for byte.
pub fn open(options: &Options, ladder: &Ladder) -> Result<Connection, OpenError> {
    if options.key.is_some() && !is_encryption_built() {
        return Err(OpenError::EncryptionNotBuilt);
    }
    files::inspect(&options.path, options.key.as_ref())?;
    connect(options, ladder).map_err(|error| match error {
        OpenError::Damaged(Damage::Found(cause))
            if options.key.is_some()
                && (cause.sqlite_error_code() == Some(ErrorCode::NotADatabase)
                    // Under another key a log reads as damaged before the first page does.
                    || (is_damaged(&cause) && files::has_log(&options.path))) =>
        {
            OpenError::WrongKey
        }
        error => error,
    })
}

fn connect(options: &Options, ladder: &Ladder) -> Result<Connection, OpenError> {
    let flags = match options.access {
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection =
        Connection::open_with_flags(&options.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if let Some(key) = &options.key {
        unlock(&connection, key)?;
    }
    configure(&connection, options)?;

    let standing = ladder.standing(&connection)?;
    match options.access {
        Access::ReadWrite => {
            connection.execute_batch("PRAGMA journal_mode = WAL")?;
            ladder.climb(&connection)?;
        }
        Access::ReadOnly if standing < ladder.top() => return Err(OpenError::ReadOnly),
        Access::ReadOnly => {}
    }

    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

/// Sets what holds for one connection; changes nothing in the file.
fn configure(connection: &Connection, options: &Options) -> Result<(), OpenError> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(options.statements);
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        // Else a statement whose plan might depend on a value is prepared anew for each value.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, value)?;
    }

    let secure_delete = match options.deleted {
        Deleted::Overwritten => "ON",
        Deleted::LeftInPlace => "OFF",
    };
    // Apple's fsync does not reach the medium; the two full ones do, and mean nothing elsewhere.
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -{};
         PRAGMA journal_size_limit = {LOG_LIMIT_BYTES};
         PRAGMA wal_autocheckpoint = {};
         PRAGMA secure_delete = {secure_delete};",
        options.cache_kib, options.log_pages
    ))?;
    Ok(())
}
