//! Refusals on the wire: `application/problem+json` (RFC 9457), one sentence that says what to do,
//! Chinese first.
//!
//! [`Shown`] is every way in which a request can end other than well: what the core refuses
//! ([`Refusal`]) and what never gets as far. One `match` gives each its status, its stable name
//! and its sentence. No sentence repeats what the caller sent.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pocketbook_records::wire::Problem;

use crate::blobs::BlobError;
use crate::book::BookError;
use crate::desk::session::SignInError;
use crate::enrol::EnrolError;
use crate::{Fault, Refusal};

/// A phone that was told to wait without a better figure waits so long.
const RETRY_MS: u64 = 5_000;

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Shown {
    #[error(transparent)]
    Core(#[from] Refusal),
    #[error("failed to read JSON of the right shape at line {line}, column {column}")]
    BadShape { line: usize, column: usize },
    #[error("failed to take another content type than JSON")]
    NotJson,
    #[error("failed to take another content type than octets")]
    NotOctets,
    #[error("failed to unpack the body")]
    BadGzip,
    #[error("failed to unpack an unknown content encoding")]
    UnknownEncoding,
    #[error("failed to receive the whole body")]
    BodyCut,
    #[error("failed to take more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("failed to find the address")]
    NoSuchAddress,
    #[error("failed to use this method here")]
    WrongMethod,
    #[error("failed to take so many requests at once")]
    Overloaded,
    #[error("failed within the server")]
    Panicked,
    #[error("failed to take so many failures")]
    TooMany { wait_ms: u64 },
    #[error(transparent)]
    Enrol(EnrolError),
    #[error(transparent)]
    SignIn(SignInError),
    #[error(transparent)]
    Blob(BlobError),
    #[error("failed to speak this version of tus")]
    TusVersion,
    #[error("failed to read a header: {0}")]
    BadHeader(&'static str),
    #[error("failed to read the query")]
    BadQuery,
    #[error(transparent)]
    Book(#[from] BookError),
}

impl From<Fault> for Shown {
    fn from(fault: Fault) -> Self {
        Self::Core(fault.into())
    }
}

impl From<crate::store::SqlError> for Shown {
    fn from(error: crate::store::SqlError) -> Self {
        Self::Core(error.into())
    }
}

impl From<EnrolError> for Shown {
    fn from(error: EnrolError) -> Self {
        Self::Enrol(error)
    }
}

impl From<SignInError> for Shown {
    fn from(error: SignInError) -> Self {
        Self::SignIn(error)
    }
}

impl From<BlobError> for Shown {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Refused(refusal) => Self::Core(refusal),
            error => Self::Blob(error),
        }
    }
}

impl Shown {
    fn retry_after_ms(&self, status: u16) -> Option<u64> {
        match self {
            Self::TooMany { wait_ms } | Self::SignIn(SignInError::Wait { wait_ms }) => {
                Some(*wait_ms)
            }
            _ if status == 503 => Some(RETRY_MS),
            _ => None,
        }
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let (status, kind, title) = self.word();
        let retry_after_ms = self.retry_after_ms(status);
        if status >= 500 {
            tracing::error!(error = &self as &dyn std::error::Error, kind, "refused");
        } else {
            tracing::debug!(error = &self as &dyn std::error::Error, kind, "refused");
        }
        let problem = Problem {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status,
            retry_after_ms,
        };
        let body = serde_json::to_vec(&problem).expect("a problem holds texts and numbers");
        let status = StatusCode::from_u16(status).expect("the table holds statuses");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        match self {
            Self::Blob(BlobError::WrongOffset { offset }) => {
                headers.insert("upload-offset", HeaderValue::from(offset));
            }
            Self::Blob(BlobError::BadRange { bytes }) => {
                if let Ok(whole) = HeaderValue::try_from(format!("bytes */{bytes}")) {
                    headers.insert(axum::http::header::CONTENT_RANGE, whole);
                }
            }
            _ if status == StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
