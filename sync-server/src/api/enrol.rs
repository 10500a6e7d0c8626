//! `POST /v1/enrol`: the one door without a credential; and `POST /v1/enrol/again`, where a phone
//! that shares its identity with another gets one of its own.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use pocketbook_records::wire::{EnrolAgain, EnrolRequest};

use super::caller::Phone;
use super::payload::{self, Json};
use super::problem::Shown;
use super::{Shell, docs, throttle};
use crate::enrol::{self, EnrolError};

/// A code, a hash and a name.
const MAX_BODY: usize = 8 * 1024;

/// 注册手机 · Enrol a phone
///
/// The same code with the same hash gets the same answer until the phone's first exchange.
#[utoipa::path(
    post, path = "/v1/enrol", tag = "phone", request_body = docs::Enrol,
    responses(
        (status = 200, description = "`{enrolment, user, name, district, epoch, grants, certificate, bundle_key, sealing_key}`", body = Object),
        (status = 403, description = "`code-used`, `locked`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 404, description = "`code-unknown`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 410, description = "`code-expired`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too-many`: wait `retry_after_ms`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enrol(State(shell): State<Shell>, request: Request) -> Result<Response, Shown> {
    let (peer, now) = (throttle::peer(request.extensions()), shell.server.now());
    if let Some(wait_ms) = shell.throttle.wait_ms(peer, now) {
        return Err(Shown::TooMany { wait_ms });
    }
    let asked: EnrolRequest = payload::read(request, MAX_BODY).await?;
    let enrolled = enrol::enrol(&shell.server, asked).await;
    let answer = enrolled.inspect_err(|error| {
        if matches!(error, EnrolError::Unknown) {
            shell.throttle.failed(peer, now);
        }
    })?;
    tracing::info!(enrolment = %answer.enrolment, user = %answer.user, "enrolled");
    Ok(Json(answer).into_response())
}

/// 换发身份 · Enrol again, in one's own name
///
/// For a phone that was told, by `clone` or by a `received_mseq` above its own highest, that
/// another phone has its identity. The same hash gets the same answer. The other phone keeps the
/// old enrolment; work from `first_mseq` on is handed in under the new one, with its old `mid`s.
#[utoipa::path(
    post, path = "/v1/enrol/again", tag = "phone", security(("phone" = [])),
    request_body = docs::EnrolAgain,
    responses(
        (status = 200, description = "As of `POST /v1/enrol`", body = Object),
        (status = 400, description = "`malformed`: also a secret that is no new one", body = docs::Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 403, description = "`locked`: the work waits on the phone", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enrol_again(
    State(shell): State<Shell>,
    Phone(caller): Phone,
    request: Request,
) -> Result<Response, Shown> {
    let asked: EnrolAgain = payload::read(request, MAX_BODY).await?;
    let answer = enrol::enrol_again(&shell.server, &caller, asked).await?;
    let (shared, enrolment) = (caller.enrolment, answer.enrolment);
    tracing::info!(%shared, %enrolment, user = %answer.user, "enrolled again, for two phones had one identity");
    Ok(Json(answer).into_response())
}
