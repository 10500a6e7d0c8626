//! Backing up a district in use: a new folder with the database, the files and the pocket book.
//!
//! A backup begins with a commit of its own, whose number and time say what it holds: the database
//! is copied in a snapshot taken after it, then the files, so that every file which a row speaks
//! of is there. The folder gets its name when all of it is on the disk. Only then phones are told
//! (`durable`) that they may let go of photos stored by then.
//!
//! Keys are not in it. Sensitive records are sealed in the copy as in the original, so a lost
//! backup tells nobody's health; and a backup alone, without the keys kept apart, restores nobody's
//! either. The operator is told.

#![expect(
    clippy::disallowed_methods,
    reason = "a backup is written file by file, each brought to the disk"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use pocketbook_records::ids::Commit;

use super::wire::{Event, Outcome};
use super::{AdminError, doctor};
use crate::store::{LADDER, Sql, blobs, districts};
use crate::{Batch, Fault, Server, server};

/// Makes a backup.
///
/// # Errors
/// See [`AdminError`]; what was written so far stays under a name that ends in `.part`, and goes
/// with the next backup of this name.
pub(super) async fn make(
    server: &Server,
    folder: &Path,
    tell: &mut dyn FnMut(Event),
) -> Result<Outcome, AdminError> {
    if folder.try_exists().map_err(AdminError::BackupFiles)? {
        return Err(AdminError::FolderTaken);
    }
    let part = part_of(folder);
    begin(&part).map_err(AdminError::BackupFiles)?;

    let begins = |batch: &mut Batch<'_>| batch.commit();
    let commit: Commit = server.writer().run_async(begins).await?;
    copy_database(server, &part, tell)?;
    let copied = copy_files(server, &part, tell)?;
    fs::rename(&part, folder).map_err(AdminError::BackupFiles)?;
    sync_above(folder).map_err(AdminError::BackupFiles)?;

    let note = move |batch: &mut Batch<'_>| {
        districts::note_durable(batch, commit)?;
        batch.note_org();
        Ok(())
    };
    server.writer().run_async(note).await?;
    Ok(Outcome::Backup {
        commit,
        blobs: copied.files,
        bytes: copied.bytes,
    })
}

fn part_of(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes the folder anew.
fn begin(part: &Path) -> io::Result<()> {
    match fs::remove_dir_all(part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(part)
}

fn copy_database(
    server: &Server,
    part: &Path,
    tell: &mut dyn FnMut(Event),
) -> Result<(), AdminError> {
    let reader = Sql::open_reader(&server::database(&server.data()), &LADDER)
        .map_err(|error| Fault::Sql(error.into()))?;
    let to = server::database(part);
    pocketbook_sqlite::backup(reader.engine(), &to, None, |progress| {
        let total = u64::try_from(progress.pagecount).unwrap_or(0);
        let left = u64::try_from(progress.remaining).unwrap_or(0);
        tell(Event::Progress {
            done: total.saturating_sub(left),
            total: Some(total),
        });
    })?;
    Ok(())
}

#[derive(Default)]
struct Copied {
    files: u64,
    bytes: u64,
}

/// Copies what the copied database speaks of, and the whole pocket book.
fn copy_files(
    server: &Server,
    part: &Path,
    tell: &mut dyn FnMut(Event),
) -> Result<Copied, AdminError> {
    let stored = server.read(blobs::all)?;
    let total = stored.len() as u64;
    let mut copied = Copied::default();
    for (hash, bytes) in stored {
        let (from, to) = (
            doctor::blob_path(&server.data(), hash),
            doctor::blob_path(part, hash),
        );
        copy(&from, &to).map_err(AdminError::BackupFiles)?;
        copied.files += 1;
        copied.bytes += bytes;
        tell(Event::Progress {
            done: copied.files,
            total: Some(total),
        });
    }
    let book = server.data().join("book");
    copied.bytes += copy_folder(&book, &part.join("book")).map_err(AdminError::BackupFiles)?;
    copied.bytes += fs::metadata(server::database(part))
        .map_err(AdminError::BackupFiles)?
        .len();
    Ok(copied)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        bytes += copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(bytes)
}

fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let bytes = fs::copy(from, to)?;
    File::open(to)?.sync_all()?;
    Ok(bytes)
}

fn sync_above(folder: &Path) -> io::Result<()> {
    match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => File::open(above)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
