//! What the core's failures mean for what the app can do: the only place that decides it.

use pocketbook::engine::SyncError;
use pocketbook::error::{self, Error};
use pocketbook::photos::PhotoError;
use pocketbook::seams::http::AddressError;
use pocketbook::seams::{FilesError, KeysError, TransportError};
use pocketbook_records::invitation::InvitationError;
use pocketbook_records::receipt::Reason;
use pocketbook_records::wire::Problem;
use pocketbook_sqlite::OpenError;

use crate::error::{Anew, BookFault, EnrolFault, Obstacle, PhotoFault, PocketbookError};

impl From<Error> for PocketbookError {
    fn from(error: Error) -> Self {
        match error {
            Error::DiskFull => Self::FreeSpace,
            Error::Refused(reason) => reason.into(),
            Error::NotFound => Self::NotFound,
            Error::AlreadySent => Self::AlreadySent,
            Error::DoAnew(what) => Self::DoAnew { what: what.into() },
            Error::Locked => Self::Unlock,
            Error::OtherAccount => Self::Enrol {
                why: EnrolFault::OtherAccount,
            },
            Error::NotEnrolled => Self::Enrol {
                why: EnrolFault::NotYet,
            },
            Error::Open(error) => error.into(),
            Error::Database(error) if pocketbook_sqlite::is_damaged(&error) => Self::BookDamaged {
                why: BookFault::Broken,
            },
            Error::Database(error) if pocketbook_sqlite::is_busy(&error) => {
                Self::retry(Obstacle::Busy)
            }
            Error::Database(_) => Self::internal("database"),
            Error::Stored(_) => Self::internal("stored"),
            Error::Files(error) => error.into(),
            Error::Keys(error) => error.into(),
            Error::Seal(_) => Self::PhotoUnusable {
                why: PhotoFault::Damaged,
            },
            Error::Photo(error) => Self::PhotoUnusable { why: error.into() },
        }
    }
}

impl From<error::Anew> for Anew {
    fn from(what: error::Anew) -> Self {
        match what {
            error::Anew::Decision => Self::Decision,
            error::Anew::Deletion => Self::Deletion,
        }
    }
}

impl From<InvitationError> for PocketbookError {
    fn from(error: InvitationError) -> Self {
        let why = match error {
            InvitationError::Newer(_) => return Self::UpdateApp,
            InvitationError::NotOne => EnrolFault::NotAnInvitation,
            InvitationError::BadCode | InvitationError::Damaged(_) => EnrolFault::DamagedInvitation,
        };
        Self::Enrol { why }
    }
}

impl From<Reason> for PocketbookError {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::UnknownField(field)
            | Reason::ServerField(field)
            | Reason::BadValue(field)
            | Reason::Missing(field) => Self::field(field),
            Reason::UnknownKind => Self::field("kind"),
            Reason::UnknownCommand => Self::field("command"),
            other => Self::ShowAnew {
                reason: other.code().to_owned(),
            },
        }
    }
}

impl From<OpenError> for PocketbookError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Damaged(_) => Self::BookDamaged {
                why: BookFault::Broken,
            },
            OpenError::WrongKey => Self::BookDamaged {
                why: BookFault::WrongKey,
            },
            OpenError::NotOurs { .. } => Self::BookDamaged {
                why: BookFault::NotOurs,
            },
            OpenError::FromNewerApp { .. } => Self::UpdateApp,
            OpenError::DiskFull(_) => Self::FreeSpace,
            OpenError::Busy(_) => Self::retry(Obstacle::Busy),
            OpenError::EncryptionNotBuilt => Self::internal("no-encryption"),
            OpenError::ReadOnly | OpenError::Io(_) | OpenError::Medium(_) => {
                Self::internal("storage")
            }
            OpenError::Step { .. } | OpenError::StepBreaksReferences { .. } => {
                Self::internal("schema")
            }
            OpenError::Setting(_) => Self::internal("database"),
        }
    }
}

impl From<FilesError> for PocketbookError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::DiskFull => Self::FreeSpace,
            FilesError::Missing => Self::NotFound,
            FilesError::Exists | FilesError::BadName | FilesError::Io(_) => {
                Self::internal("storage")
            }
        }
    }
}

impl From<KeysError> for PocketbookError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Locked => Self::Unlock,
            KeysError::Unavailable => Self::internal("keystore"),
        }
    }
}

impl From<PhotoError> for PhotoFault {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::Empty => Self::Empty,
            PhotoError::UnsupportedFormat { name } => Self::Format {
                name: name.to_owned(),
            },
            PhotoError::NotAPicture => Self::NotAPicture,
            PhotoError::TooManyPixels { .. } => Self::TooLarge,
            PhotoError::TooManyScans
            | PhotoError::Damaged(_)
            | PhotoError::Scale(_)
            | PhotoError::Encode(_) => Self::Damaged,
        }
    }
}

impl From<AddressError> for PocketbookError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NotAnAddress | AddressError::NotEncrypted => Self::field("server"),
            AddressError::BadAuthority(_) => Self::field("authority"),
            AddressError::Client(_) => Self::internal("client"),
        }
    }
}

impl From<SyncError> for PocketbookError {
    fn from(error: SyncError) -> Self {
        let wait = |ms| Self::Retry {
            why: Obstacle::Busy,
            after_ms: Some(ms),
        };
        match error {
            SyncError::Transport(error) => Self::retry(error.into()),
            SyncError::NotOurs => Self::retry(Obstacle::Intercepted),
            SyncError::TooMuch | SyncError::TooLarge => Self::retry(Obstacle::Busy),
            SyncError::Busy { retry_after_ms } => wait(retry_after_ms),
            SyncError::NotYet { ms } => wait(ms),
            SyncError::NotLetIn(problem) => of_problem(&problem).unwrap_or(Self::Enrol {
                why: EnrolFault::NotLetIn,
            }),
            SyncError::Refused(problem) => {
                of_problem(&problem).unwrap_or_else(|| Self::internal(&problem.kind))
            }
            SyncError::ServerFault { .. } => Self::retry(Obstacle::ServerFault),
            SyncError::NotThereYet => Self::retry(Obstacle::PhotoOnItsWay),
            SyncError::Forged => Self::retry(Obstacle::Untrusted),
            SyncError::Store(error) => error.into(),
            SyncError::Stopped => Self::retry(Obstacle::Stopped),
        }
    }
}

impl From<TransportError> for Obstacle {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Offline => Self::NoNetwork,
            TransportError::Unreachable => Self::NoServer,
            TransportError::Cut | TransportError::Timeout => Self::BadLine,
            TransportError::BadCertificate => Self::Untrusted,
            TransportError::Garbled => Self::Intercepted,
        }
    }
}

/// Returns what a refusal means that has a way out of its own.
fn of_problem(problem: &Problem) -> Option<PocketbookError> {
    let why = match problem.kind.as_str() {
        "protocol" => return Some(PocketbookError::UpdateApp),
        "locked" => EnrolFault::Blocked,
        "clone" => EnrolFault::NotLetIn,
        "code-unknown" => EnrolFault::UnknownCode,
        "code-used" => EnrolFault::UsedCode,
        "code-expired" => EnrolFault::ExpiredCode,
        _ => return None,
    };
    Some(PocketbookError::Enrol { why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(kind: &str) -> Box<Problem> {
        Box::new(Problem {
            kind: kind.into(),
            title: String::new(),
            status: 403,
            retry_after_ms: None,
        })
    }

    #[test]
    fn a_code_that_does_not_serve_says_why() {
        for (kind, why) in [
            ("code-unknown", EnrolFault::UnknownCode),
            ("code-used", EnrolFault::UsedCode),
            ("code-expired", EnrolFault::ExpiredCode),
        ] {
            let enrol = PocketbookError::Enrol { why };
            assert_eq!(
                PocketbookError::from(SyncError::NotLetIn(problem(kind))),
                enrol
            );
            assert_eq!(
                PocketbookError::from(SyncError::Refused(problem(kind))),
                enrol
            );
        }
    }

    #[test]
    fn a_phone_that_is_not_let_in_shall_enrol_anew() {
        let refused = SyncError::NotLetIn(problem("unknown-credential"));
        assert_eq!(
            PocketbookError::from(refused),
            PocketbookError::Enrol {
                why: EnrolFault::NotLetIn
            }
        );
    }

    #[test]
    fn a_refused_value_names_its_field() {
        let refused = Error::Refused(Reason::BadValue("phone".into()));
        assert_eq!(
            PocketbookError::from(refused),
            PocketbookError::field("phone")
        );
    }

    #[test]
    fn a_full_disk_is_the_same_wherever_it_shows() {
        for error in [
            PocketbookError::from(Error::DiskFull),
            PocketbookError::from(FilesError::DiskFull),
            PocketbookError::from(SyncError::Store(Error::DiskFull)),
        ] {
            assert_eq!(error, PocketbookError::FreeSpace);
        }
    }

    #[test]
    fn the_servers_wait_is_passed_on() {
        let busy = PocketbookError::from(SyncError::Busy {
            retry_after_ms: 1500,
        });
        assert_eq!(
            busy,
            PocketbookError::Retry {
                why: Obstacle::Busy,
                after_ms: Some(1500)
            }
        );
    }

    #[test]
    fn a_format_is_refused_by_its_name() {
        let heic = Error::Photo(PhotoError::UnsupportedFormat { name: "HEIC" });
        let why = PhotoFault::Format {
            name: "HEIC".into(),
        };
        assert_eq!(
            PocketbookError::from(heic),
            PocketbookError::PhotoUnusable { why }
        );
    }
}
