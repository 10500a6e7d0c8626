//! Why a synchronisation stopped, said so that a worker knows whether to do something.

use pocketbook_records::wire::Problem;
use thiserror::Error;

use super::plan::Trouble;
use crate::error::Error as StoreError;
use crate::seams::TransportError;

/// The longest that is waited after a 429 or 503 without a word on how long.
const UNTOLD_WAIT_MS: u64 = 10_000;

/// Why the device is not in step with its server. Whatever it is, nothing leaves the outbox by it.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The network failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Someone between the device and its server answered: a sign-in page of a Wi-Fi, a proxy.
    #[error("understand the answer: it did not come from the district's server")]
    NotOurs,
    /// It was more than the server, or someone in between, lets through.
    #[error("hand in so much at once")]
    TooMuch,
    /// The server takes no file of that size.
    #[error("hand in a file of that size")]
    TooLarge,
    /// The server asks to come back later.
    #[error("be served now: the server asks to come back in {retry_after_ms} ms")]
    Busy {
        /// After so long.
        retry_after_ms: u64,
    },
    /// It is not yet time to try again.
    #[error("synchronise before the next attempt in {ms} ms")]
    NotYet {
        /// In so long.
        ms: u64,
    },
    /// The server does not let this phone in; the worker must enrol anew or ask the district.
    #[error("be let in: {}", .0.kind)]
    NotLetIn(Box<Problem>),
    /// The server refuses the request.
    #[error("be served: {}", .0.kind)]
    Refused(Box<Problem>),
    /// The server is broken.
    #[error("be served: the server failed with status {status}")]
    ServerFault {
        /// The HTTP status.
        status: u16,
    },
    /// The record is here, its photo is still on the phone of whoever took it.
    #[error("fetch the photo: it has not reached the server yet")]
    NotThereYet,
    /// A signature or hash is wrong: the content was changed on its way.
    #[error("trust what came: its signature or hash is wrong")]
    Forged,
    /// The device's own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody stopped it.
    #[error("finish: it was stopped")]
    Stopped,
}

impl SyncError {
    /// Says what a refusal by status and, if the server wrote one, problem means.
    pub(crate) fn of_status(
        status: u16,
        problem: Option<Problem>,
        told_wait_ms: Option<u64>,
    ) -> Self {
        match (status, problem) {
            (413, _) => Self::TooMuch,
            (429 | 503, problem) => Self::Busy {
                retry_after_ms: problem
                    .and_then(|problem| problem.retry_after_ms)
                    .or(told_wait_ms)
                    .unwrap_or(UNTOLD_WAIT_MS),
            },
            (401 | 403, Some(problem)) => Self::NotLetIn(Box::new(problem)),
            (_, Some(problem)) => Self::Refused(Box::new(problem)),
            (500.., None) => Self::ServerFault { status },
            (_, None) => Self::NotOurs,
        }
    }

    /// Says what it means for what to do next.
    pub(crate) fn trouble(&self) -> Trouble {
        match self {
            Self::Transport(TransportError::Cut | TransportError::Timeout) => Trouble::BadLine,
            Self::NotOurs | Self::TooMuch => Trouble::TooMuch,
            Self::Transport(TransportError::Garbled) => Trouble::Fault,
            Self::Transport(_) | Self::Stopped | Self::NotYet { .. } => Trouble::NoLine,
            Self::Busy { retry_after_ms } => Trouble::Busy(*retry_after_ms),
            Self::NotLetIn(_) => Trouble::Refused,
            Self::Refused(_)
            | Self::ServerFault { .. }
            | Self::TooLarge
            | Self::NotThereYet
            | Self::Forged
            | Self::Store(_) => Trouble::Fault,
        }
    }
}
