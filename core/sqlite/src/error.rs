//! What may keep a database from opening, and what an error of SQLite means to us.
//!
//! SQLite knows some hundred codes; a caller can do about six things. [`OpenError`] is sorted by
//! these: ask for the key, ask for an update, set the file aside, free space, wait, give up.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Why a database was not opened. The file is as it was, but for the steps of the ladder that
/// were completed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A key was given to a build without encryption; nothing was opened or created.
    #[error("open an encrypted database with a build that has no encryption")]
    EncryptionNotBuilt,
    /// The key is not the file's, or one is missing, or the file is not encrypted.
    #[error("open a database with a key that does not fit it")]
    WrongKey,
    /// A sound database that belongs to something else.
    #[error("open a database that is not ours (application id {found})")]
    NotOurs {
        /// The application id in the file; 0 if it has none.
        found: i32,
    },
    /// A newer app has written this database; this one must be updated.
    #[error("open a database of a newer app (version {found}, known up to {known})")]
    FromNewerApp {
        /// The version in the file.
        found: u32,
        /// The highest version this build knows.
        known: u32,
    },
    /// The file is broken: set it aside, then begin anew.
    #[error("open a damaged database")]
    Damaged(#[source] Damage),
    /// There is no room for a step of the ladder or for the log.
    #[error("write to a full disk")]
    DiskFull(#[source] rusqlite::Error),
    /// The database has to be written (created, or brought to this version) and may only be read.
    #[error("bring a read-only database up to date")]
    ReadOnly,
    /// Another connection held the database for longer than the time-out.
    #[error("get hold of a busy database")]
    Busy(#[source] rusqlite::Error),
    /// The file is missing or forbidden, or the medium fails.
    #[error("reach the database file")]
    Io(#[source] std::io::Error),
    /// Like [`OpenError::Io`], seen by SQLite.
    #[error("read or write the database file")]
    Medium(#[source] rusqlite::Error),
    /// A step of the ladder does not run on this database; nothing of it is left.
    #[error("bring {ladder} to version {version}")]
    Step {
        /// The ladder's name.
        ladder: &'static str,
        /// The version the step leads to.
        version: u32,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A step would leave rows that refer to nothing; nothing of it is left.
    #[error("keep all references of {ladder} in version {version}")]
    StepBreaksReferences {
        /// The ladder's name.
        ladder: &'static str,
        /// The version the step leads to.
        version: u32,
    },
    /// SQLite refused one of our settings.
    #[error("set up the database connection")]
    Setting(#[source] rusqlite::Error),
}

/// How a database is broken.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The file holds something, but does not begin as a database does.
    #[error("the file does not begin as a database")]
    NoHeader,
    /// The file is shorter than its first page.
    #[error("the file ends within its first page")]
    Truncated,
    /// A log is there with content, its database is missing or empty.
    #[error("the log has lost its database")]
    LogWithoutDatabase,
    /// The version number in the file is none that a ladder gives.
    #[error("the version {0} is impossible")]
    ImpossibleVersion(i32),
    /// SQLite found it.
    #[error(transparent)]
    Found(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_disk_full(&error) {
            return Self::DiskFull(error);
        }
        if is_busy(&error) {
            return Self::Busy(error);
        }
        if is_damaged(&error) {
            return Self::Damaged(Damage::Found(error));
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => Self::Medium(error),
            _ => Self::Setting(error),
        }
    }
}

/// Returns whether the write failed for want of space: the edit is refused with a sentence, what
/// was saved before stays.
///
/// A quota is not always seen: SQLite reports some as plain input/output errors.
#[must_use]
pub fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|cause| {
        // The shared index of the log is grown apart from the database and has its own code.
        cause.code == ErrorCode::DiskFull || cause.extended_code == SQLITE_IOERR_SHMSIZE
    })
}

/// Returns whether another connection was in the way: the same call may work later.
#[must_use]
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Returns whether the database itself is broken: no repetition helps, the file is to be set
/// aside.
#[must_use]
pub fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
