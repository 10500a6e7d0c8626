//! `POST /v1/enrol`: the one door without a credential.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use pocketbook_records::wire::EnrolRequest;

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
