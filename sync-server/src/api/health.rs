//! Whether the server is well, for monitors; says nothing about anyone.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::{Commit, Epoch};
use serde::Serialize;

use super::Shell;
use super::payload::Json;
use super::problem::Shown;
use crate::Refusal;
use crate::store::districts;

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok`; anything else is a problem and another status.
    status: &'static str,
    version: &'static str,
    /// The present history.
    #[schema(value_type = u32)]
    epoch: Epoch,
    /// The last commit.
    #[schema(value_type = u64)]
    commit: Commit,
}

/// 服务器状态 · Whether the server is well
#[utoipa::path(
    get, path = "/v1/health", tag = "server",
    responses(
        (status = 200, body = Health),
        (status = 503, description = "The database can't be read", body = super::docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn health(State(shell): State<Shell>) -> Result<Response, Shown> {
    let read = shell.server.read_async(|store| {
        let head = districts::head(store.sql, store.district);
        head.map_err(Refusal::from)
    });
    let head = read.await?;
    let health = Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        epoch: head.epoch,
        commit: head.last,
    };
    Ok(Json(health).into_response())
}
