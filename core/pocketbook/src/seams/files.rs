//! Files.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use thiserror::Error;

/// Keeps an account's files: named byte strings that grow at the end.
///
/// A name is one to four parts of `a-z`, `0-9`, `-`, `_` and `.`, joined by `/`; no part begins
/// with a dot. Folders come and go with the files in them.
///
/// A file is durable once [`Files::sync`] returned; until then a power cut may take any of it.
/// To replace a file whole, write a new one, sync it and [`Files::rename`] it over the old one.
pub trait Files: Send + Sync {
    /// Begins an empty file. One of that name must not exist.
    fn create(&self, name: &str) -> Result<(), FilesError>;

    /// Adds bytes at the end. After an error the file may hold any first part of them.
    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError>;

    /// Fills `into` from `offset` on and returns how many bytes there were: fewer only at the end.
    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, FilesError>;

    /// Returns the length in bytes, or nothing if there is no such file.
    fn len(&self, name: &str) -> Result<Option<u64>, FilesError>;

    /// Takes a file away; that there is none is fine.
    fn remove(&self, name: &str) -> Result<(), FilesError>;

    /// Returns the names of all files in a folder, those in folders below too, sorted; the empty
    /// name is the account's own folder.
    fn list(&self, folder: &str) -> Result<Vec<String>, FilesError>;

    /// Makes the file durable: its bytes and its name.
    fn sync(&self, name: &str) -> Result<(), FilesError>;

    /// Renames a file, durably and at once; one of the new name is replaced.
    fn rename(&self, from: &str, to: &str) -> Result<(), FilesError>;
}

/// Why a file can't be used.
#[derive(Debug, Error)]
pub enum FilesError {
    /// There is no space left.
    #[error("write the file: the phone's storage is full")]
    DiskFull,
    /// There is no such file.
    #[error("open the file: there is none of that name")]
    Missing,
    /// There is one already.
    #[error("create the file: there is one of that name")]
    Exists,
    /// The name is not one that can be kept everywhere.
    #[error("use the file: its name is not allowed")]
    BadName,
    /// The storage failed.
    #[error("use the file: the storage failed")]
    Io(#[source] io::Error),
}

impl From<io::Error> for FilesError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::AlreadyExists => Self::Exists,
            _ => Self::Io(error),
        }
    }
}

impl From<FilesError> for io::Error {
    fn from(error: FilesError) -> Self {
        let kind = match error {
            FilesError::DiskFull => io::ErrorKind::StorageFull,
            FilesError::Missing => io::ErrorKind::NotFound,
            FilesError::Exists => io::ErrorKind::AlreadyExists,
            FilesError::BadName => io::ErrorKind::InvalidInput,
            FilesError::Io(error) => return error,
        };
        Self::new(kind, error)
    }
}

/// Writes a new file from its begin on.
pub struct FileWriter {
    files: Arc<dyn Files>,
    name: String,
}

impl FileWriter {
    /// Begins the file.
    pub fn create(files: Arc<dyn Files>, name: impl Into<String>) -> Result<Self, FilesError> {
        let name = name.into();
        files.create(&name)?;
        Ok(Self { files, name })
    }

    /// Makes the file durable.
    pub fn sync(self) -> Result<(), FilesError> {
        self.files.sync(&self.name)
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.files.append(&self.name, bytes)?;
        Ok(bytes.len())
    }

    /// Does nothing: no byte is held back here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a file from any position.
pub struct FileReader {
    files: Arc<dyn Files>,
    name: String,
    len: u64,
    position: u64,
}

impl FileReader {
    /// Opens a file that no one writes to any more.
    pub fn open(files: Arc<dyn Files>, name: impl Into<String>) -> Result<Self, FilesError> {
        let name = name.into();
        let len = files.len(&name)?.ok_or(FilesError::Missing)?;
        Ok(Self {
            files,
            name,
            len,
            position: 0,
        })
    }
}

impl Read for FileReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.files.read_at(&self.name, self.position, into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
