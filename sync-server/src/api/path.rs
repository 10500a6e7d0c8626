//! What stands in an address, read by us, so that a wrong one is refused in our words.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Shown;
use crate::Refusal;

/// The parts of a path. One that is no id names nothing that exists.
pub(super) struct In<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for In<T> {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Shown> {
        let read: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        let Path(inner) = read.map_err(|_| Refusal::NotFound)?;
        Ok(Self(inner))
    }
}

/// The query.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Shown> {
        let read: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        let Query(inner) = read.map_err(|_| Shown::BadQuery)?;
        Ok(Self(inner))
    }
}
