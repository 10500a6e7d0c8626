//! A consistent copy of a database in use.
//!
//! The copy is one snapshot: a read transaction is held open on the source while its pages are
//! copied, so that commits of other connections neither show nor make the copying start again.
//! The price is that the log cannot be cut back meanwhile. The copy grows under a name of its own
//! (`.part`) and gets its real name when it is whole and on the disk, so a backup that can be seen
//! is a backup that can be restored.

#![expect(
    clippy::disallowed_methods,
    reason = "the copy is not opened but made, page by page"
)]

use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::files::{beside, discard, publish};
use crate::key::{is_encryption_built, unlock};
use crate::{RawKey, is_disk_full};

pub use rusqlite::backup::Progress;

/// Few enough that progress is seen and many enough that it costs nothing: 1 MiB.
const PAGES_AT_ONCE: i32 = 256;

/// Why there is no backup. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A key was given to a build without encryption.
    #[error("make an encrypted backup with a build that has no encryption")]
    EncryptionNotBuilt,
    /// The name is taken; a backup never replaces another file.
    #[error("make a backup under a name that is taken")]
    NameTaken,
    /// The source could not be read or the copy not be written.
    #[error("copy the database")]
    Copy(#[from] rusqlite::Error),
    /// The source was locked by its own connection.
    #[error("copy a locked database")]
    Locked,
    /// The copy could not be brought to the disk.
    #[error("write the backup file")]
    Io(#[from] io::Error),
}

impl BackupError {
    /// Returns whether the backup failed for want of space.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Copy(error) => is_disk_full(error),
            Self::Io(error) => error.kind() == io::ErrorKind::StorageFull,
            Self::EncryptionNotBuilt | Self::NameTaken | Self::Locked => false,
        }
    }
}

/// Copies a database to a new file while others go on reading and writing, and returns when the
/// copy is on the disk. The copy has the source's key, which is to be given again.
///
/// `from` must not be in a transaction; a reader's connection does well. `progress` is told after
/// each mebibyte.
///
/// # Errors
/// See [`BackupError`]. An encrypted source without its key is refused: a copy is never in clear.
pub fn backup(
    from: &Connection,
    to: &Path,
    key: Option<&RawKey>,
    progress: impl FnMut(Progress),
) -> Result<(), BackupError> {
    if key.is_some() && !is_encryption_built() {
        return Err(BackupError::EncryptionNotBuilt);
    }
    if to.try_exists()? {
        return Err(BackupError::NameTaken);
    }
    let part = beside(to, ".part");
    discard(&part)?;
    let outcome = copy(from, &part, key, progress).and_then(|()| Ok(publish(&part, to)?));
    if outcome.is_err() {
        // The first failure is the one to tell; what stays behind goes with the next backup.
        let _ = discard(&part);
    }
    outcome
}

fn copy(
    from: &Connection,
    part: &Path,
    key: Option<&RawKey>,
    mut progress: impl FnMut(Progress),
) -> Result<(), BackupError> {
    let snapshot = from.unchecked_transaction()?;
    // A transaction gets its snapshot with its first read.
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;

    let mut target = Connection::open(part)?;
    if let Some(key) = key {
        unlock(&target, key)?;
    }
    // The file is thrown away if anything fails, so it needs no journal.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;")?;
    copy_pages(&snapshot, &mut target, &mut progress)?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn copy_pages(
    from: &Connection,
    target: &mut Connection,
    progress: &mut impl FnMut(Progress),
) -> Result<(), BackupError> {
    let backup = Backup::new(from, target)?;
    loop {
        let step = backup.step(PAGES_AT_ONCE)?;
        progress(backup.progress());
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(BackupError::Locked),
        }
    }
}
