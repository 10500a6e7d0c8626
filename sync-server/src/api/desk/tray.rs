//! What waits for somebody's word: reviews and parked work.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::{Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::parked::{self, PARKED, PARKED_SENSITIVE};
use pocketbook_records::kinds::review::{REVIEW, REVIEW_SENSITIVE};
use pocketbook_records::mutation::{Choice, Command, Decide};
use serde::Deserialize;

use super::super::caller::Desk;
use super::super::path::{Asked, In};
use super::super::payload;
use super::super::problem::Shown;
use super::super::{Shell, docs};
use super::cases::Step;
use super::{MAX_BODY, Page, Part, kind_of, page, take};
use crate::desk::steps;

static REVIEWS: &[&Kind] = &[&REVIEW, &REVIEW_SENSITIVE];
static TRAY: &[&Kind] = &[&PARKED, &PARKED_SENSITIVE];

/// 待确认（有冲突的字段）· Fields on which people disagreed
#[utoipa::path(
    get, path = "/v1/desk/reviews", tag = "desk", params(Part), security(("desk" = [])),
    responses(
        (status = 200, body = Page),
        (status = 401, description = "`session-expired`, `unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn reviews(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    Asked(part): Asked<Part>,
) -> Result<Response, Shown> {
    let states = part.states(&["open"], &BTreeSet::from(["open", "closed"]))?;
    page(&shell, &caller, REVIEWS, states, &part).await
}

/// A decision.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Decision {
    /// Names this step for ever; a repeat is the same step.
    #[schema(value_type = uuid::Uuid)]
    mid: Mid,
    /// `{"candidate": "<id>"}` or `{"value": …}`.
    #[schema(value_type = Object)]
    choice: Choice,
    /// The candidates that the screen showed; unless it was all of them, nothing is settled.
    seen: Vec<String>,
}

/// 裁定 · Decide a review
#[utoipa::path(
    post, path = "/v1/desk/reviews/{id}/decide", tag = "desk", request_body = Decision,
    params(("id" = uuid::Uuid, Path, description = "The review")), security(("desk" = [])),
    responses(
        (status = 200, description = "`{receipt, record}`", body = Object),
        (status = 404, description = "`not-found`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 422, description = "`not-taken`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn decide(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    In(id): In<RecordId>,
    request: Request,
) -> Result<Response, Shown> {
    let decision: Decision = payload::read(request, MAX_BODY).await?;
    let kind = kind_of(&shell, &caller, REVIEWS, id).await?;
    let decide = Decide {
        choice: decision.choice,
        seen: decision.seen,
    };
    let frozen = steps::decide(kind, id, decide, shell.server.at());
    let taken = take(&shell, &caller, decision.mid, frozen).await?;
    Ok(taken.into_response())
}

/// 待处理件 · Work that was parked for somebody's word
#[utoipa::path(
    get, path = "/v1/desk/parked", tag = "desk", params(Part), security(("desk" = [])),
    responses(
        (status = 200, body = Page),
        (status = 401, description = "`session-expired`, `unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn parked(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    Asked(part): Asked<Part>,
) -> Result<Response, Shown> {
    let states = part.states(&["parked"], &parked::TRAY.states())?;
    page(&shell, &caller, TRAY, states, &part).await
}

/// 放行或退回 · Release parked work, or refuse it with a reason
#[utoipa::path(
    post, path = "/v1/desk/parked/{id}/commands/{name}", tag = "desk", request_body = Step,
    params(
        ("id" = uuid::Uuid, Path, description = "The tray item"),
        ("name" = String, Path, description = "release, refuse"),
    ),
    security(("desk" = [])),
    responses(
        (status = 200, description = "`{receipt, record}`", body = Object),
        (status = 404, description = "`not-found`, `unknown-command`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 422, description = "`missing`, `not-taken`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn command(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    In((id, name)): In<(RecordId, String)>,
    request: Request,
) -> Result<Response, Shown> {
    let step: Step = payload::read(request, MAX_BODY).await?;
    let kind = kind_of(&shell, &caller, TRAY, id).await?;
    let command = Command {
        name,
        args: step.args,
        expect: step.expect.into(),
    };
    let frozen = steps::command(kind, id, command, step.photos, shell.server.at());
    let taken = take(&shell, &caller, step.mid, frozen).await?;
    Ok(taken.into_response())
}
