//! The files of a database: the glance before opening, and setting a broken one aside.
//!
//! A database is up to four files: itself, `-wal` (commits not yet in it), `-shm` (an index of
//! that log, worthless alone) and, while it is created, `-journal` (how to undo the last write).
//! They belong together: a database without its log has lost its last commits, so they move
//! together.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the seam between databases and the file system"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::{Damage, OpenError, RawKey};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 32;
const LOG: &str = "-wal";
const LOG_INDEX: &str = "-shm";
const JOURNAL: &str = "-journal";

/// The database goes first. Killed in between, a log without a database remains, which the next
/// opening refuses; a database without its log would open, its last commits missing.
const PIECES: [&str; 4] = ["", LOG, JOURNAL, LOG_INDEX];

/// Looks at a file before SQLite does and refuses what SQLite would misread or clean away.
pub(crate) fn inspect(path: &Path, key: Option<&RawKey>) -> Result<(), OpenError> {
    let length = length_of(path)?;
    let log = length_of(&beside(path, LOG))?.unwrap_or(0);
    let journal = length_of(&beside(path, JOURNAL))?.unwrap_or(0);
    match length {
        None if log > 0 || journal > 0 => damaged(Damage::LogWithoutDatabase),
        Some(0) if log > 0 => damaged(Damage::LogWithoutDatabase),
        None | Some(0) => Ok(()),
        // The last write broke off: SQLite undoes it first, until then the header may be torn.
        Some(_) if journal > 0 => Ok(()),
        Some(length) => match judge_header(path, length, key) {
            // The power went while the log was being moved into the file: whatever tore there, the
            // log still has whole, and SQLite reads the log first.
            Err(OpenError::Damaged(_)) if log > 0 => Ok(()),
            judged => judged,
        },
    }
}

fn judge_header(path: &Path, length: u64, key: Option<&RawKey>) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    File::open(path)
        .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header))
        .map_err(OpenError::Io)?;
    if !header.starts_with(MAGIC) {
        return damaged(Damage::NoHeader);
    }
    let Some(header) = header.first_chunk::<HEADER_BYTES>() else {
        return damaged(Damage::Truncated);
    };
    // The page size (1 stands for 65,536), and the space that each page leaves to encryption.
    let (page_size, reserved) = ([header[16], header[17]], header[20]);
    let page_bytes = match u16::from_be_bytes(page_size) {
        1 => 65_536,
        size => u64::from(size),
    };
    if length < page_bytes {
        return damaged(Damage::Truncated);
    }
    if (reserved > 0) != key.is_some() {
        return Err(OpenError::WrongKey);
    }
    Ok(())
}

fn damaged(damage: Damage) -> Result<(), OpenError> {
    Err(OpenError::Damaged(damage))
}

/// Renames a database with all that belongs to it and returns its new name, so that the place is
/// free for a new one and everything stays for a salvage. Deletes nothing, overwrites nothing.
///
/// The new name is the old one with `.damaged-1`, or the next number that is free. No connection
/// may be open.
///
/// # Errors
/// Fails if there is no such database, or if the file system refuses. Called again it finishes
/// what a kill interrupted, under the next number.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut pieces = Vec::new();
    for piece in PIECES {
        if beside(path, piece).try_exists()? {
            pieces.push(piece);
        }
    }
    if pieces.is_empty() {
        return Err(ErrorKind::NotFound.into());
    }

    let aside = claim_name(path)?;
    for piece in pieces {
        fs::rename(beside(path, piece), beside(&aside, piece))?;
    }
    sync_directory_of(path)?;
    Ok(aside)
}

/// Takes a free name by creating an empty file, so that two callers never get the same one.
fn claim_name(path: &Path) -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        number += 1;
        let name = beside(path, &format!(".damaged-{number}"));
        if has_companions(&name)? {
            continue;
        }
        match File::create_new(&name) {
            Ok(_) => return Ok(name),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn has_companions(path: &Path) -> io::Result<bool> {
    for piece in [LOG, JOURNAL, LOG_INDEX] {
        if beside(path, piece).try_exists()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the path with something appended to the file's whole name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns whether a database has a write-ahead log that holds anything.
pub(crate) fn has_log(path: &Path) -> bool {
    length_of(&beside(path, LOG)).is_ok_and(|log| log.is_some_and(|length| length > 0))
}

fn length_of(path: &Path) -> Result<Option<u64>, OpenError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::Io(error)),
    }
}

/// Brings a finished file to the disk and gives it its name.
pub(crate) fn publish(part: &Path, name: &Path) -> io::Result<()> {
    File::options().write(true).open(part)?.sync_all()?;
    fs::rename(part, name)?;
    sync_directory_of(name)
}

/// Removes an unfinished file of ours, if it is there.
pub(crate) fn discard(part: &Path) -> io::Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes renames in a file's directory survive a power cut.
#[cfg(unix)]
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be opened, and the file system keeps renames by itself.
#[cfg(not(unix))]
fn sync_directory_of(_path: &Path) -> io::Result<()> {
    Ok(())
}
