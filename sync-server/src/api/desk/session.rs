//! Signing in and out.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::UserId;
use pocketbook_records::rights::Role;
use pocketbook_records::time::Millis;
use serde::{Deserialize, Serialize};

use super::super::caller::Desk;
use super::super::payload::{self, Json};
use super::super::problem::Shown;
use super::super::{Shell, docs, throttle};
use crate::desk::session::SignInError;

/// More is no password.
const MAX_BODY: usize = 8 * 1024;

#[derive(Deserialize, utoipa::ToSchema)]
pub(in super::super) struct SignIn {
    /// 登录名 · What the person types
    login: String,
    /// 密码 · The password
    #[schema(format = Password)]
    password: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct SignedIn {
    /// For `Authorization: Bearer`.
    #[schema(example = "desk.…64 hex…")]
    token: String,
    /// The session ends then, ms since 1970.
    #[schema(value_type = i64)]
    expires_at: Millis,
    /// The account.
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// Its name.
    name: String,
    /// What it is now.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
}

/// 登录 · Sign in
#[utoipa::path(
    post, path = "/v1/desk/session", tag = "desk", request_body = SignIn,
    responses(
        (status = 200, body = SignedIn),
        (status = 401, description = "`wrong-password`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 403, description = "`locked`: the account is blocked", body = docs::Problem, content_type = "application/problem+json"),
        (status = 429, description = "`sign-in-locked`, `too-many`: wait `retry_after_ms`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn begin(
    State(shell): State<Shell>,
    request: Request,
) -> Result<Response, Shown> {
    let (peer, now) = (throttle::peer(request.extensions()), shell.server.now());
    if let Some(wait_ms) = shell.throttle.wait_ms(peer, now) {
        return Err(Shown::TooMany { wait_ms });
    }
    let asked: SignIn = payload::read(request, MAX_BODY).await?;
    let signing_in = shell
        .door
        .sign_in(&shell.server, &asked.login, &asked.password);
    let session = signing_in.await.inspect_err(|error| {
        if matches!(error, SignInError::Wrong) {
            shell.throttle.failed(peer, now);
        }
    })?;
    tracing::info!(user = %session.user, "signed in");
    let signed_in = SignedIn {
        token: format!("desk.{}", hex::encode(session.token)),
        expires_at: session.expires_at,
        user: session.user,
        name: session.name,
        roles: session.roles,
    };
    Ok(Json(signed_in).into_response())
}

/// 退出 · Sign out
#[utoipa::path(
    delete, path = "/v1/desk/session", tag = "desk", security(("desk" = [])),
    responses(
        (status = 204, description = "The token is worthless from now on"),
        (status = 401, description = "`session-expired`, `unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn end(
    State(shell): State<Shell>,
    Desk(caller): Desk,
) -> Result<Response, Shown> {
    shell.door.sign_out(&shell.server, &caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
