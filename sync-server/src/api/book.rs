//! The pocket book on the wire.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::{BlobHash, UnitId};
use serde::Deserialize;

use super::Shell;
use super::caller::Anyone;
use super::path::{Asked, In};
use super::payload::Json;
use super::problem::Shown;
use crate::{Refusal, book};

#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Of {
    /// 社区代码 · Code of the community
    #[param(example = "610402002013", value_type = String)]
    unit: UnitId,
}

/// 社区口袋书目录（签名）· A community's table of contents, signed
///
/// `manifest` is signed byte for byte (Ed25519, key from the enrolment); a part that the phone
/// holds by its hash is not downloaded again.
#[utoipa::path(
    get, path = "/v1/book/manifest", tag = "book", params(Of),
    security(("phone" = []), ("desk" = [])),
    responses(
        (status = 200, description = "`{manifest: {unit, version, at, parts: [{part, unit, title, hash, bytes, articles}]}, key_id, signature}`", body = Object),
        (status = 404, description = "Nothing published for it", body = super::docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn manifest(
    State(shell): State<Shell>,
    Anyone(_): Anyone,
    Asked(of): Asked<Of>,
) -> Result<Response, Shown> {
    let manifest = book::manifest(&shell.server, &of.unit)?;
    Ok(Json(manifest).into_response())
}

/// 口袋书的一份内容 · The bytes of one part
///
/// Named by their SHA-256, so they never change and may be cached for ever.
#[utoipa::path(
    get, path = "/v1/book/parts/{hash}", tag = "book",
    params(("hash" = String, Path, description = "SHA-256, hex")),
    security(("phone" = []), ("desk" = [])),
    responses(
        (status = 200, description = "`{part, title, title_en, articles}`", body = Object),
        (status = 404, description = "Never published", body = super::docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn part(
    State(shell): State<Shell>,
    Anyone(_): Anyone,
    In(hash): In<BlobHash>,
) -> Result<Response, Shown> {
    let bytes = book::part(&shell.server, hash)?.ok_or(Refusal::NotFound)?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}
