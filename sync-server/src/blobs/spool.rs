//! The spool: uploads that are not whole yet, one file each, in `spool/<enrolment>/<hash>-<length>`.
//!
//! The file *is* the state. Its name says whose upload it is and how long it will be, its length
//! says how much has arrived, so there is nothing to keep in step with it and a `kill -9` in the
//! middle of a chunk leaves a length that is true. No phone is told a length that is not on the
//! disk, so a power cut takes nothing that a phone counts on.

#![expect(
    clippy::disallowed_methods,
    reason = "the seam for unfinished uploads: durability is thought of here"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pocketbook_records::ids::{BlobHash, EnrolmentId};

/// Whose upload of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The identity that uploads.
    pub(super) owner: EnrolmentId,
    /// What it uploads.
    pub(super) hash: BlobHash,
}

/// An upload as it stands on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upload {
    /// So many bytes are here.
    pub(super) offset: u64,
    /// So many there shall be.
    pub(super) length: u64,
    file: PathBuf,
}

/// The folder of unfinished uploads.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Returns the spool in a folder, which is made when it is first needed.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins an upload, or finds the one that was begun; another length begins it anew.
    pub(super) fn begin(&self, key: Key, length: u64) -> io::Result<Upload> {
        if let Some(upload) = self.find(key)? {
            if upload.length == length {
                return Ok(upload);
            }
            discard(&upload.file)?;
        }
        let folder = self.folder_of(key);
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}-{length}", key.hash));
        File::create(&file)?;
        Ok(Upload {
            offset: 0,
            length,
            file,
        })
    }

    /// Finds an upload that was begun.
    pub(super) fn find(&self, key: Key) -> io::Result<Option<Upload>> {
        let entries = match fs::read_dir(self.folder_of(key)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        let hash = key.hash.to_string();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let length = name
                .to_str()
                .and_then(|name| name.strip_prefix(hash.as_str())?.strip_prefix('-'))
                .and_then(|length| length.parse().ok());
            if let Some(length) = length {
                return Ok(Some(Upload {
                    offset: entry.metadata()?.len(),
                    length,
                    file: entry.path(),
                }));
            }
        }
        Ok(None)
    }

    /// Forgets an upload.
    pub(super) fn discard(&self, key: Key) -> io::Result<()> {
        match self.find(key)? {
            Some(upload) => discard(&upload.file),
            None => Ok(()),
        }
    }

    /// Forgets uploads to which nothing was added for so long; whoever still wants one begins it
    /// anew. Returns how many.
    pub(super) fn sweep(&self, idle: Duration) -> io::Result<u64> {
        let owners = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            owners => owners?,
        };
        let mut swept = 0;
        for owner in owners {
            let owner = owner?;
            if !owner.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(owner.path())? {
                let file = file?;
                let is_idle = file.metadata()?.modified()?.elapsed();
                if is_idle.is_ok_and(|since| since >= idle) {
                    discard(&file.path())?;
                    swept += 1;
                }
            }
        }
        Ok(swept)
    }

    fn folder_of(&self, key: Key) -> PathBuf {
        self.folder.join(key.owner.to_string())
    }
}

impl Upload {
    pub(super) fn is_whole(&self) -> bool {
        self.offset == self.length
    }

    /// Opens the file for the bytes that follow.
    pub(super) fn append(&self) -> io::Result<Appender> {
        Ok(Appender {
            file: File::options().append(true).open(&self.file)?,
            room: self.length - self.offset,
        })
    }

    /// Brings what is here to the disk: a request that was cut off may not have.
    pub(super) fn settle(&self) -> io::Result<()> {
        File::open(&self.file)?.sync_data()
    }

    /// Opens the file for reading it whole.
    pub(super) fn read(&self) -> io::Result<Pieces> {
        Ok(Pieces(File::open(&self.file)?))
    }
}

/// Takes the bytes of one request.
pub(super) struct Appender {
    file: File,
    room: u64,
}

impl Appender {
    /// Appends a chunk; `false` if it would make the file longer than announced, and nothing of
    /// it is taken.
    pub(super) fn push(&mut self, chunk: &[u8]) -> io::Result<bool> {
        let Some(room) = self.room.checked_sub(chunk.len() as u64) else {
            return Ok(false);
        };
        self.file.write_all(chunk)?;
        self.room = room;
        Ok(true)
    }

    /// Brings what has arrived to the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// A file, piece by piece.
pub(super) struct Pieces(File);

impl Pieces {
    /// Returns the next piece, empty at the end.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        const PIECE: u64 = 1024 * 1024;
        let mut piece = Vec::new();
        Read::by_ref(&mut self.0)
            .take(PIECE)
            .read_to_end(&mut piece)?;
        Ok(piece)
    }
}

fn discard(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_that_nobody_goes_on_with_is_forgotten_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of(folder.path().join("spool"));
        assert_eq!(spool.sweep(Duration::ZERO).unwrap(), 0);
        let upload = spool.begin(key(), 5).unwrap();
        upload.append().unwrap().push(b"he").unwrap();

        assert_eq!(spool.sweep(Duration::from_secs(3_600)).unwrap(), 0);
        assert_eq!(spool.find(key()).unwrap().unwrap().offset, 2);
        assert_eq!(spool.sweep(Duration::ZERO).unwrap(), 1);

        assert!(spool.find(key()).unwrap().is_none());
        assert_eq!(spool.begin(key(), 5).unwrap().offset, 0);
    }

    fn key() -> Key {
        Key {
            owner: EnrolmentId::from_slice(&[7; 16]).unwrap(),
            hash: BlobHash::of(b"hello"),
        }
    }

    #[test]
    fn what_arrived_before_a_kill_counts() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of(folder.path().into());
        let mut appender = spool.begin(key(), 5).unwrap().append().unwrap();
        assert!(appender.push(b"hel").unwrap());
        // No finish: the process died here.
        drop(appender);

        let found = Spool::of(folder.path().into()).find(key()).unwrap();

        let upload = found.unwrap();
        assert_eq!((upload.offset, upload.length), (3, 5));
        assert!(!upload.append().unwrap().push(b"lo!").unwrap());
    }

    #[test]
    fn another_length_begins_anew_and_the_same_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of(folder.path().into());
        let mut appender = spool.begin(key(), 5).unwrap().append().unwrap();
        assert!(appender.push(b"hel").unwrap());
        appender.finish().unwrap();

        assert_eq!(spool.begin(key(), 5).unwrap().offset, 3);
        assert_eq!(spool.begin(key(), 6).unwrap().offset, 0);
        spool.discard(key()).unwrap();
        assert_eq!(spool.find(key()).unwrap(), None);
    }
}
