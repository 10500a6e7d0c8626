//! Who is asking: one extractor for phones, one for desks, both over the same recognition.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::Shell;
use super::problem::Shown;
use crate::caller::Station;
use crate::{Caller, Refusal};

/// A recognised phone. Locked ones are let in: hand-in is always open.
pub(super) struct Phone(pub(super) Caller);

/// A recognised desk session whose account is not blocked.
pub(super) struct Desk(pub(super) Caller);

/// Anyone recognised, phone or desk.
pub(super) struct Anyone(pub(super) Caller);

/// Returns what stands after `Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(Refusal::UnknownCaller)
}

async fn recognise(parts: &Parts, shell: &Shell) -> Result<Caller, Shown> {
    Ok(shell.server.caller(bearer(&parts.headers)?).await?)
}

impl FromRequestParts<Shell> for Anyone {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, shell: &Shell) -> Result<Self, Shown> {
        recognise(parts, shell).await.map(Self)
    }
}

impl FromRequestParts<Shell> for Phone {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, shell: &Shell) -> Result<Self, Shown> {
        let caller = recognise(parts, shell).await?;
        match caller.station {
            Station::Phone => Ok(Self(caller)),
            Station::Desk | Station::System => Err(Refusal::UnknownCaller.into()),
        }
    }
}

impl FromRequestParts<Shell> for Desk {
    type Rejection = Shown;

    async fn from_request_parts(parts: &mut Parts, shell: &Shell) -> Result<Self, Shown> {
        let caller = recognise(parts, shell).await?;
        match caller.station {
            _ if caller.locked => Err(Refusal::Locked.into()),
            Station::Desk => Ok(Self(caller)),
            Station::Phone | Station::System => Err(Refusal::UnknownCaller.into()),
        }
    }
}
