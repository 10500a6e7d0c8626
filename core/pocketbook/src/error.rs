//! What can go wrong on the device, said so that the app can tell its user what to do.

use pocketbook_records::receipt::Reason;
use pocketbook_sqlite::OpenError;

use crate::photos::PhotoError;
use crate::seal::SealError;
use crate::seams::{FilesError, KeysError};

/// A failure of the device's store. Texts carry no personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The phone is full. What was saved before is safe.
    #[error("failed to save: the device is full; free some space and try again")]
    DiskFull,
    /// The change does not fit the record; the reason names the field.
    #[error("failed to save: {}", .0.code())]
    Refused(Reason),
    /// No such record here.
    #[error("failed to find the record on this device")]
    NotFound,
    /// The item was sent and can't be withdrawn any more.
    #[error("failed to withdraw: it has been sent; undo it by a new change")]
    AlreadySent,
    /// The book is locked.
    #[error("failed to read: the book is locked")]
    Locked,
    /// What lies in the tray has no fields to be corrected.
    #[error("failed to correct: {0}")]
    DoAnew(Anew),
    /// The book on this device is another account's.
    #[error(
        "failed to enrol: this book belongs to another account; open one of its own for the new one"
    )]
    OtherAccount,
    /// No account is enrolled on this device.
    #[error("failed to open: this device is not enrolled")]
    NotEnrolled,
    /// The database can't be opened.
    #[error("failed to open the book")]
    Open(#[source] OpenError),
    /// The database failed.
    #[error("failed to use the book's database")]
    Database(#[source] rusqlite::Error),
    /// Something stored does not read back.
    #[error("failed to read what is stored")]
    Stored(#[from] serde_json::Error),
    /// A file failed.
    #[error("failed to use a file")]
    Files(#[source] FilesError),
    /// The key is not to be had.
    #[error("failed to get the key")]
    Keys(#[from] KeysError),
    /// A sealed file is damaged or of another account.
    #[error("failed to unseal a file")]
    Seal(#[from] SealError),
    /// The photo can't be used.
    #[error("failed to take the photo")]
    Photo(#[from] PhotoError),
}

/// What is done once more instead of being corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Anew {
    /// The decision of a review.
    #[error("discard the item and decide the review again")]
    Decision,
    /// The deletion of a record.
    #[error("discard the item and delete the record again")]
    Deletion,
}

/// The result of everything that the device does.
pub type Result<T> = std::result::Result<T, Error>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if pocketbook_sqlite::is_disk_full(&error) {
            Self::DiskFull
        } else {
            Self::Database(error)
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::DiskFull { .. } => Self::DiskFull,
            other => Self::Open(other),
        }
    }
}

impl From<FilesError> for Error {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::DiskFull => Self::DiskFull,
            other => Self::Files(other),
        }
    }
}
