//! Cases at the desk: the list, one of them, a new one, a step.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{BlobHash, Commit, Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::{CASE, CASE_SENSITIVE, LOOP};
use pocketbook_records::mutation::Command;
use pocketbook_records::receipt::Receipt;
use pocketbook_records::wire::Put;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::caller::Desk;
use super::super::path::{Asked, In};
use super::super::payload::{self, Json};
use super::super::problem::Shown;
use super::super::{Shell, docs};
use super::{MAX_BODY, Page, Part, Shows, Taken, kind_of, page, readable, take};
use crate::Refusal;
use crate::desk::steps::{self, NewCase};
use crate::store::blobs;

/// Everything that somebody still has to do something about.
const OPEN: &[&str] = &[
    "submitted",
    "returned",
    "accepted",
    "handling",
    "suspended",
    "feedback",
    "checking",
];

static CASES: &[&Kind] = &[&CASE];
static COMPANIONS: &[&Kind] = &[&CASE_SENSITIVE];

/// 事件列表 · Cases of the caller's grids and units, newest first
#[utoipa::path(
    get, path = "/v1/desk/cases", tag = "desk", params(Part), security(("desk" = [])),
    responses(
        (status = 200, body = Page),
        (status = 400, description = "`bad-query`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 401, description = "`session-expired`, `unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn list(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    Asked(part): Asked<Part>,
) -> Result<Response, Shown> {
    let states = part.states(OPEN, &LOOP.states())?;
    page(&shell, &caller, CASES, states, &part).await
}

/// A case with its sensitive companion.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Whole {
    #[schema(value_type = uuid::Uuid)]
    id: RecordId,
    /// The commit that last changed it.
    #[schema(value_type = u64)]
    rev: Commit,
    /// Its fields; `steps` is its history.
    #[schema(value_type = Object)]
    body: Value,
    /// Caller and phone, for who may see them.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<Value>,
    /// Steps that its workflow has from here, whoever may take them.
    commands: Vec<&'static str>,
    /// 还在手机上的照片 · Photos that it names and that have not arrived yet.
    missing: Vec<Missing>,
}

/// A photo that is still on a phone.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Missing {
    #[schema(value_type = String)]
    hash: BlobHash,
    /// 在谁的手机上 · On whose phone
    with: String,
}

impl From<blobs::Missing> for Missing {
    fn from(missing: blobs::Missing) -> Self {
        Self {
            hash: missing.hash,
            with: missing.with,
        }
    }
}

/// 事件详情 · One case
#[utoipa::path(
    get, path = "/v1/desk/cases/{id}", tag = "desk",
    params(("id" = uuid::Uuid, Path, description = "The case")), security(("desk" = [])),
    responses(
        (status = 200, body = Whole),
        (status = 404, description = "`not-found`, also where the caller may not read it", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn read(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    In(id): In<RecordId>,
) -> Result<Response, Shown> {
    let now = shell.server.now();
    let read = shell.server.read_async(move |store| -> Result<_, Refusal> {
        let Some(case) = readable(store, &caller, CASES, id, now)? else {
            return Ok(None);
        };
        let companion = readable(store, &caller, COMPANIONS, id, now)?;
        Ok(Some(Whole {
            id,
            rev: case.rev,
            commands: commands(&case.body),
            missing: blobs::missing(store, CASE.name, id)?
                .into_iter()
                .map(Missing::from)
                .collect(),
            body: Value::Object(case.body),
            sensitive: companion.map(|record| Value::Object(record.body)),
        }))
    });
    let case = read.await?.ok_or(Refusal::NotFound)?;
    Ok(Json(case).into_response())
}

fn commands(body: &Fields) -> Vec<&'static str> {
    let Some(workflow) = CASE.workflow else {
        return Vec::new();
    };
    let state = workflow.state(body);
    let from_here = workflow
        .lines
        .iter()
        .filter(|line| line.from.contains(&state));
    let mut commands: Vec<&str> = from_here.map(|line| line.command).collect();
    commands.dedup();
    commands
}

/// A case that came by telephone, by letter or from above.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewCaseBody {
    /// Names this step for ever; a repeat is the same step.
    #[schema(value_type = uuid::Uuid)]
    mid: Mid,
    /// 网格代码 · The grid
    grid: String,
    /// 类别代码 · The category; `C…` is damage to a component
    category: String,
    /// 地点 · Where
    place: String,
    /// 情况 · What is the matter
    text: String,
    /// 来源，如 12345 · Where it comes from
    #[schema(example = "12345")]
    source: String,
    /// 工单号 · Ticket of the 12345 line
    ticket: Option<String>,
    /// issue, complaint, suggestion; issue if not said
    sort: Option<String>,
    /// 涉及的户 · The household that it concerns
    #[schema(value_type = Option<uuid::Uuid>)]
    household: Option<RecordId>,
    /// 坐标 `{lat_e7, lon_e7, by}` · Where, WGS-84
    #[schema(value_type = Option<Object>)]
    #[serde(default, deserialize_with = "body::strict")]
    pin: Value,
    /// 照片 SHA-256 · Photos, uploaded before or after
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    photos: Vec<BlobHash>,
    /// 来电人（敏感）· The caller's name, sensitive
    caller: Option<String>,
    /// 来电号码（敏感）· The caller's phone, sensitive
    phone: Option<String>,
}

impl NewCaseBody {
    fn into_case(self, now: i64) -> NewCase {
        NewCase {
            fields: vec![
                ("grid", json!(self.grid)),
                ("sort", json!(self.sort.as_deref().unwrap_or("issue"))),
                ("source", json!(self.source)),
                ("ticket", json!(self.ticket)),
                ("household", json!(self.household)),
                ("category", json!(self.category)),
                ("text", json!(self.text)),
                ("place", json!(self.place)),
                ("pin", json!(self.pin)),
                ("reported_at", json!(now)),
            ],
            photos: self.photos,
            sensitive: vec![("caller", json!(self.caller)), ("phone", json!(self.phone))],
        }
    }
}

/// 登记事件（如 12345 来电）· Report a case at the desk
///
/// The case is reported at once (待受理). Caller and phone go to its sensitive companion.
#[utoipa::path(
    post, path = "/v1/desk/cases", tag = "desk", request_body = NewCaseBody, security(("desk" = [])),
    responses(
        (status = 201, description = "`{receipt, case}`", body = Object),
        (status = 202, description = "`{receipt, case}`: parked, somebody else must decide", body = Object),
        (status = 400, description = "`malformed`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 403, description = "`not-permitted`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 422, description = "`missing`, `not-taken`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn create(
    State(shell): State<Shell>,
    Desk(caller): Desk,
    request: Request,
) -> Result<Response, Shown> {
    let body: NewCaseBody = payload::read(request, MAX_BODY).await?;
    let mid = body.mid;
    let case = body.into_case(shell.server.now());
    let at = shell.server.at();
    let taken = take(&shell, &caller, mid, case.case(mid, at.clone())).await?;
    if let Some(companion) = case.companion(mid, at) {
        take(&shell, &caller, steps::companion_of(mid), companion).await?;
    }
    Ok(CaseTaken::answer(taken, StatusCode::CREATED))
}

/// What a step on a case is answered.
#[derive(Serialize)]
struct CaseTaken {
    receipt: Receipt,
    /// The case as it stands now, if the caller may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<Put>,
}

impl CaseTaken {
    fn answer(taken: Taken, done: StatusCode) -> Response {
        let status = taken.status(done);
        let body = Self {
            receipt: taken.receipt,
            case: taken.record,
        };
        (status, Json(body)).into_response()
    }
}

/// A step of a workflow.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Step {
    /// Names this step for ever; a repeat is the same step.
    #[schema(value_type = uuid::Uuid)]
    pub(super) mid: Mid,
    /// What the screen showed.
    pub(super) expect: Shows,
    /// Arguments, as the workflow names them: `reason`, `unit`, `reply` …
    #[serde(default, deserialize_with = "body::strict_fields")]
    #[schema(value_type = Object)]
    pub(super) args: Fields,
    /// 照片 SHA-256 · Photos that belong to the step
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(super) photos: Vec<BlobHash>,
}

/// 办理一步（受理、分派、办结 …）· Take one step of the six-step loop
///
/// The same door as a phone's: a step that somebody else has overtaken is answered with what
/// happened, not with an error.
#[utoipa::path(
    post, path = "/v1/desk/cases/{id}/commands/{name}", tag = "desk", request_body = Step,
    params(
        ("id" = uuid::Uuid, Path, description = "The case"),
        ("name" = String, Path, description = "accept, return, dispatch, done, transfer, suspend, resume, urge, feedback, send_back, close, rate, reopen, void, unvoid, merge_into, split"),
    ),
    security(("desk" = [])),
    responses(
        (status = 200, description = "`{receipt, case}`; `receipt.outcome` says what became of it: applied, merged, superseded …", body = Object),
        (status = 202, description = "`{receipt, case}`: parked, somebody else must decide", body = Object),
        (status = 403, description = "`not-permitted`: another person's to do", body = docs::Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`, `unknown-command`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 409, description = "`moved-on`, `mid-reused`", body = docs::Problem, content_type = "application/problem+json"),
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
    kind_of(&shell, &caller, CASES, id).await?;
    let command = Command {
        name,
        args: step.args,
        expect: step.expect.into(),
    };
    let frozen = steps::command(&CASE, id, command, step.photos, shell.server.at());
    let taken = take(&shell, &caller, step.mid, frozen).await?;
    Ok(CaseTaken::answer(taken, StatusCode::OK))
}
