//! Every way in which the server says no to a whole request. What becomes of single mutations is
//! not here: those always get a receipt.

use pocketbook_records::receipt::Reason;

use crate::writer::Fault;

/// Why a request gets no answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The credential is missing or not ours.
    #[error("failed to recognise the caller")]
    UnknownCaller,
    /// The session is over; signing in again helps.
    #[error("failed to go on with a session that has expired")]
    SessionExpired,
    /// The account or the enrolment is locked: reading is closed, handing in is not.
    #[error("failed to read for a locked account")]
    Locked,
    /// Not there, or not the caller's to see: alike on purpose.
    #[error("failed to find it among what the caller may see")]
    NotFound,
    /// The request is no request of this protocol.
    #[error("failed to read the request: {0}")]
    Malformed(&'static str),
    /// A protocol that this server does not speak.
    #[error("failed to find a protocol in common")]
    Protocol,
    /// More than the limits of the message.
    #[error("failed to take more than the limit")]
    TooLarge,
    /// The name of the mutation was used by somebody else or for something else.
    #[error("failed to use the name of a mutation again")]
    MidReused,
    /// The desk's step was not taken, and why.
    #[error("failed to take the step: {}", .0.code())]
    NotTaken(Reason),
    /// The server can't write now; nothing was recorded.
    #[error("failed to write")]
    Unavailable(#[source] Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault)
    }
}

impl From<crate::store::SqlError> for Refusal {
    fn from(error: crate::store::SqlError) -> Self {
        Self::Unavailable(error.into())
    }
}
