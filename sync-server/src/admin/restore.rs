//! Restoring a district from a backup.
//!
//! The backup is copied beside the data directory first, and only when all of it is on the disk the
//! two change places; what was there is set aside, never deleted. A mark beside the data tells the
//! next opening that it is older than what phones have seen: that opening begins a new history and
//! does again what a restore must not undo ([`Server::open`]). So a restore that is cut off
//! anywhere is either not begun, or goes on with the next try.
//!
//! What was taken after the backup comes back by itself: phones have kept it.

#![expect(
    clippy::disallowed_methods,
    reason = "a restore moves the files of the data directory"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use pocketbook_records::time::Millis;
use pocketbook_records::wire::Fork;

use crate::beside;
use crate::server::{self, OpenError, Options, Server};
use crate::store::{LADDER, Sql, SqlError, Store, districts, histories};

/// What a restore brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made.
    pub made_at: Millis,
    /// The commits that phones bring back.
    pub lost: Fork,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A server works on the directory.
    #[error("failed to restore while the server runs: stop `serve` first (请先停止服务)")]
    Running,
    /// It is no backup, or not a whole one.
    #[error("failed to read the backup: {0}")]
    NoBackup(&'static str),
    /// The backup's database can't be opened.
    #[error("failed to open the backup's database")]
    Backup(#[from] SqlError),
    /// Another district's.
    #[error("failed to restore another district's backup")]
    OtherDistrict,
    /// The files can't be moved.
    #[error("failed to put the backup's files in place")]
    Files(#[from] io::Error),
    /// What is there now can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Puts a backup in the place of a district's data, and opens it once.
///
/// # Errors
/// See [`RestoreError`]. What was there before is never touched until the copy is whole.
pub fn restore(dir: &Path, backup: &Path, options: Options) -> Result<Restored, RestoreError> {
    if !beside::is_set_up(dir)? {
        return Err(OpenError::NotSetUp.into());
    }
    let lock = beside::lock(dir)?.ok_or(RestoreError::Running)?;
    let made_at = look_at(dir, backup)?;
    let (part, new) = (dir.join("data.part"), dir.join("data.new"));
    for leftover in [&part, &new] {
        match fs::remove_dir_all(leftover) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    copy(backup, &part)?;
    fs::rename(&part, &new)?;
    beside::note_restoring(dir)?;
    let data = server::data_of(dir);
    if data.try_exists()? {
        fs::rename(&data, free_name(dir)?)?;
    }
    fs::rename(&new, &data)?;
    File::open(dir)?.sync_all()?;
    drop(lock);
    let server = Server::open(dir, options)?;
    let lost = server.read(histories::lost)?;
    server.stop();
    let lost = lost.0.last().copied();
    Ok(Restored {
        made_at,
        lost: lost.ok_or(RestoreError::NoBackup("no history was begun"))?,
    })
}

/// Checks that it is a backup of this district, and returns when it was made.
fn look_at(dir: &Path, backup: &Path) -> Result<Millis, RestoreError> {
    let database = server::database(backup);
    if !database.try_exists()? {
        return Err(RestoreError::NoBackup("there is no database in the folder"));
    }
    let district_of = |database: &Path| -> Result<_, RestoreError> {
        let sql = Sql::open_reader(database, &LADDER).map_err(SqlError::from)?;
        let district = districts::only(&sql)?;
        Ok((sql, district.ok_or(RestoreError::NoBackup("it is empty"))?))
    };
    let (sql, district) = district_of(&database)?;
    let present = server::database(&server::data_of(dir));
    // Whatever is there may be damaged: that is what restores are for.
    if let Ok((_, here)) = district_of(&present)
        && here != district
    {
        return Err(RestoreError::OtherDistrict);
    }
    let keyring = crate::keyring::Keyring::read(dir, Options::inline().entropy)
        .map_err(OpenError::from)?
        .ok_or(OpenError::NotSetUp)?;
    let store = Store {
        sql: &sql,
        district,
        keyring: &keyring,
    };
    let newest = histories::newest(store)?;
    Ok(districts::time_of(store, newest)?.unwrap_or(0))
}

fn free_name(dir: &Path) -> io::Result<std::path::PathBuf> {
    for n in 1_u32.. {
        let name = dir.join(format!("data.replaced-{n}"));
        if !name.try_exists()? {
            return Ok(name);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Copies a folder with all below it, each file brought to the disk.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
            File::open(&to)?.sync_all()?;
        }
    }
    File::open(to)?.sync_all()
}
