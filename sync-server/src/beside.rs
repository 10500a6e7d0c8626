//! What lies beside the data directory and never in it: data taken from a backup must not bring an
//! old key, a number used twice, or a grant that was revoked since.
//!
//! - `data/`: database, files, pocket book: what a backup holds and a restore replaces.
//! - `keys/keyring.json`: see [`crate::keyring`].
//! - `beside/ordinal.json`: up to which number commits are reserved.
//! - `beside/outside.ndjson`: every grant, revoke, block and lost history, appended before it is
//!   written to the database; a restore replays it.
//!
//! A file is replaced by writing its successor, bringing it to the disk and renaming it.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the seam for the server's files beside the database"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use pocketbook_records::ids::{Epoch, UnitId, UserId};
use pocketbook_records::rights::{Duty, Role};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::Fork;

/// Why a file beside the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// The disk refused.
    #[error("failed to read or write a file beside the database")]
    Io(#[from] io::Error),
    /// The file is not what we wrote.
    #[error("failed to understand a file beside the database")]
    Content(#[from] serde_json::Error),
}

/// The lock on a data directory, held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock goes with the open file")] File);

/// Takes the directory for this process; none if another one has it.
pub fn lock(dir: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Up to which number commits are reserved, as noted beside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordinal {
    /// The history.
    pub ordinal: Epoch,
    /// Numbers of it up to here may have been used.
    pub reserved: u32,
}

/// Reads the ordinal; none in a new directory.
pub fn read_ordinal(dir: &Path) -> Result<Option<Ordinal>, BesideError> {
    read_json(&dir.join("beside/ordinal.json"))
}

/// Replaces the ordinal.
pub fn write_ordinal(dir: &Path, ordinal: &Ordinal) -> Result<(), BesideError> {
    replace(
        &dir.join("beside/ordinal.json"),
        &serde_json::to_vec(ordinal)?,
    )
}

/// Notes that the data is about to be replaced by a backup: the next opening begins a new history.
pub(crate) fn note_restoring(dir: &Path) -> io::Result<()> {
    let mark = restoring(dir);
    if let Some(folder) = mark.parent() {
        fs::create_dir_all(folder)?;
    }
    private().open(&mark)?.sync_all()?;
    File::open(dir.join("beside"))?.sync_all()
}

/// Says whether the data was replaced by a backup and not opened since.
pub(crate) fn is_restoring(dir: &Path) -> io::Result<bool> {
    restoring(dir).try_exists()
}

/// Takes the mark away.
pub(crate) fn forget_restoring(dir: &Path) -> io::Result<()> {
    match fs::remove_file(restoring(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(dir.join("beside"))?.sync_all(),
    }
}

fn restoring(dir: &Path) -> PathBuf {
    dir.join("beside/restoring")
}

/// Reads a JSON file; none if there is none.
pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(
    path: &Path,
) -> Result<Option<T>, BesideError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces a file, readable by its owner only; after a power cut it is the old one or the new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), BesideError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let successor = path.with_extension("new");
    let mut file = private().truncate(true).open(&successor)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&successor, path)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// One line of the outside log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Outside {
    /// A duty began or was planned.
    Grant {
        /// When it was noted.
        at: Millis,
        /// The duty.
        duty: Duty,
    },
    /// A duty was ended.
    Revoke {
        /// When it was noted.
        at: Millis,
        /// Whose.
        user: UserId,
        /// Which role.
        role: Role,
        /// Where.
        unit: UnitId,
        /// The moment it ends.
        until: Millis,
    },
    /// An account was blocked.
    Block {
        /// When.
        at: Millis,
        /// Which.
        user: UserId,
    },
    /// An account was opened again.
    Unblock {
        /// When.
        at: Millis,
        /// Which.
        user: UserId,
    },
    /// A history was lost. A later restore brings a database that knows nothing of it, and two
    /// histories must not be taken for one.
    Lost {
        /// When it was noted.
        at: Millis,
        /// The commits.
        fork: Fork,
    },
}

/// The append-only log of what a restore must not undo.
#[derive(Debug)]
pub struct OutsideLog {
    path: PathBuf,
    writing: Mutex<()>,
}

impl OutsideLog {
    /// Opens the log of a data directory and cuts off what a power cut left of a last append: it
    /// was never answered for, and the next line must not grow together with it.
    pub fn open(dir: &Path) -> Result<Self, BesideError> {
        let log = Self {
            path: dir.join("beside/outside.ndjson"),
            writing: Mutex::new(()),
        };
        log.mend()?;
        Ok(log)
    }

    /// Reads all lines, the oldest first.
    pub fn read(&self) -> Result<Vec<Outside>, BesideError> {
        let text = self.text()?;
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        lines
            .map(|line| Ok(serde_json::from_slice(line)?))
            .collect()
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            text => text,
        }
    }

    /// Appends lines and brings them to the disk: all of them, or none.
    pub fn append(&self, lines: &[Outside]) -> Result<(), BesideError> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        let _one_at_a_time = self
            .writing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        self.mend()?;
        let mut file = private().append(true).open(&self.path)?;
        file.write_all(&text)?;
        file.sync_all()?;
        Ok(())
    }

    /// Cuts the file back to its last good line, if nothing but rests of one append follows it.
    /// A bad line before a good one is no such rest, and stays for a person to look at.
    fn mend(&self) -> io::Result<()> {
        let text = self.text()?;
        let mut good = 0;
        let mut end = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            end += line.len();
            if line.ends_with(b"\n") && serde_json::from_slice::<Outside>(line).is_ok() {
                good = end;
            }
        }
        if good == text.len() {
            return Ok(());
        }
        tracing::warn!(
            bytes = text.len() - good,
            "an append that a power cut tore was cut off"
        );
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(good as u64)?;
        file.sync_all()
    }
}

/// Says whether a data directory has been set up.
pub fn is_set_up(dir: &Path) -> io::Result<bool> {
    dir.join("keys/keyring.json").try_exists()
}

/// Makes the data directory, open to its owner only: what lies in it is not sealed whole.
pub fn make_folder(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}
