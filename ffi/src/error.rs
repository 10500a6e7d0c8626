//! The one error that crosses, sorted by what the app can do about it.
//!
//! What it tells the worker is [`PocketbookError::sentence`].

/// Why a call did not do what it was asked to. Nothing that was saved before is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
#[uniffi::export(Display)]
pub enum PocketbookError {
    /// Try again later; work keeps waiting safely meanwhile.
    Retry {
        /// What is in the way.
        why: Obstacle,
        /// Not before so long, if that is known.
        after_ms: Option<u64>,
    },
    /// Enrol this device with a new code.
    Enrol {
        /// What is wrong with the present standing or code.
        why: EnrolFault,
    },
    /// Update the app.
    UpdateApp,
    /// Free space on the phone, then do it again.
    FreeSpace,
    /// Correct this field.
    CorrectField {
        /// The field's name; its path in an edit.
        field: String,
    },
    /// Show the record anew: where it stands now, this can't be done to it.
    ShowAnew {
        /// A short name of the reason.
        reason: String,
    },
    /// Don't correct it: throw the tray item away and do it again.
    DoAnew {
        /// What to do again.
        what: Anew,
    },
    /// Unlock the book, or the phone.
    Unlock,
    /// It is not on this device (any more).
    NotFound,
    /// It was sent: undo it by a new change.
    AlreadySent,
    /// Take or choose another photo.
    PhotoUnusable {
        /// What is wrong with this one.
        why: PhotoFault,
    },
    /// Set the database aside and enrol anew; the file is kept.
    BookDamaged {
        /// What is wrong with it.
        why: BookFault,
    },
    /// The book was closed: open it again.
    Closed,
    /// Tell the operators the code.
    Internal {
        /// Names the fault.
        code: String,
    },
}

/// The result of every call.
pub(crate) type Result<T> = std::result::Result<T, PocketbookError>;

/// What is in the way of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Obstacle {
    /// There is no network.
    NoNetwork,
    /// The network does not lead to the server.
    NoServer,
    /// The line broke or was too slow.
    BadLine,
    /// Someone in between answers: the sign-in page of a Wi-Fi, a proxy.
    Intercepted,
    /// What answers is not the district's server, or what came was changed on its way.
    Untrusted,
    /// The server or the database is busy.
    Busy,
    /// The server failed.
    ServerFault,
    /// The photo is still on the phone of whoever took it.
    PhotoOnItsWay,
    /// It was stopped by the app.
    Stopped,
}

/// What is done once more instead of being corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Anew {
    /// Decide the review again.
    Decision,
    /// Delete the record again.
    Deletion,
}

/// Why this device must be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EnrolFault {
    /// It was not enrolled yet.
    NotYet,
    /// The server does not let it in any more.
    NotLetIn,
    /// The account is blocked: only an administrator can help.
    Blocked,
    /// There is no such code.
    UnknownCode,
    /// The code was used before.
    UsedCode,
    /// The code is too old.
    ExpiredCode,
    /// What was scanned is something else.
    NotAnInvitation,
    /// The invitation is not whole, or its code has not the shape of one.
    DamagedInvitation,
    /// The book on this device is another account's: open one of its own.
    OtherAccount,
}

/// What is wrong with a photo.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PhotoFault {
    /// The file has no bytes.
    Empty,
    /// A format that is not read: choose JPEG or PNG.
    Format {
        /// Its usual name.
        name: String,
    },
    /// Not a picture.
    NotAPicture,
    /// Too many pixels.
    TooLarge,
    /// Damaged or cut off.
    Damaged,
}

/// What is wrong with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum BookFault {
    /// It is broken.
    Broken,
    /// The keystore's key does not fit it.
    WrongKey,
    /// It belongs to something else.
    NotOurs,
}

impl PocketbookError {
    /// Returns the error of a field.
    pub(crate) fn field(field: impl Into<String>) -> Self {
        Self::CorrectField {
            field: field.into(),
        }
    }

    /// Returns the error of a fault that only the operators can look into.
    pub(crate) fn internal(code: &str) -> Self {
        Self::Internal {
            code: code.to_owned(),
        }
    }

    /// Returns the error of something in the way.
    pub(crate) fn retry(why: Obstacle) -> Self {
        Self::Retry {
            why,
            after_ms: None,
        }
    }
}

impl std::error::Error for PocketbookError {}
