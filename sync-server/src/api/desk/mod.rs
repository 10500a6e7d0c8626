//! The desk's routes.

pub(super) mod cases;
pub(super) mod radar;
pub(super) mod session;
pub(super) mod tray;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::{Commit, Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Expect, Frozen};
use pocketbook_records::receipt::{Outcome, Reason, Receipt};
use pocketbook_records::wire::Put;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shell;
use super::payload::Json;
use super::problem::Shown;
use crate::desk::lists::{self, MAX_LIMIT, Position, Source};
use crate::desk::reach;
use crate::exchange::DeskReceipt;
use crate::store::{Store, records};
use crate::{Caller, Fault, Refusal};

/// The most bytes of a desk's request.
const MAX_BODY: usize = 256 * 1024;
/// The rows of a page, if the caller names no number.
const LIMIT: usize = 50;

/// Which part of a list.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Part {
    /// 状态，逗号分隔 · States, separated by commas; without it all that are open
    state: Option<String>,
    /// 上一页的 `next` · The `next` of the page before
    after: Option<String>,
    /// 条数，至多 200 · So many rows
    limit: Option<usize>,
}

/// A page of records, newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Page {
    /// The records.
    items: Vec<Item>,
    /// Give it as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A record as it stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Item {
    kind: &'static str,
    #[schema(value_type = uuid::Uuid)]
    id: RecordId,
    /// The commit that last changed it.
    #[schema(value_type = u64)]
    rev: Commit,
    /// Its fields.
    #[schema(value_type = Object)]
    body: Value,
}

impl From<records::Record> for Item {
    fn from(record: records::Record) -> Self {
        Self {
            kind: record.kind.name,
            id: record.id,
            rev: record.rev,
            body: Value::Object(record.body),
        }
    }
}

/// Reads a page of kinds that are listed together, each where the caller reads its class.
async fn page(
    shell: &Shell,
    caller: &Caller,
    kinds: &'static [&'static Kind],
    states: Vec<&'static str>,
    part: &Part,
) -> Result<Response, Shown> {
    let after = match &part.after {
        Some(text) => Some(text.parse::<Position>().map_err(|_| Shown::BadQuery)?),
        None => None,
    };
    let limit = part.limit.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
    let (user, now) = (caller.user, shell.server.now());
    let read = shell
        .server
        .read_async(move |store| -> Result<Page, Refusal> {
            let mut sources = Vec::new();
            for kind in kinds {
                let places = reach::places(store, user, kind.class, now)?;
                sources.push(Source { kind, places });
            }
            let asked = lists::Asked {
                sources: &sources,
                states: &states,
                after,
                limit,
            };
            let rows = lists::page(store, &asked)?;
            let full = rows.len() == limit;
            let next = rows.last().filter(|_| full).map(|row| row.position);
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let found = records::find(store, row.kind, row.position.id)?;
                items.extend(found.map(Item::from));
            }
            Ok(Page {
                items,
                next: next.map(|position| position.to_string()),
            })
        });
    Ok(Json(read.await?).into_response())
}

impl Part {
    /// Returns the states asked for, each one of those that there are.
    fn states(
        &self,
        open: &'static [&'static str],
        all: &BTreeSet<&'static str>,
    ) -> Result<Vec<&'static str>, Shown> {
        let Some(asked) = &self.state else {
            return Ok(open.to_vec());
        };
        asked
            .split(',')
            .map(|state| all.get(state.trim()).copied().ok_or(Shown::BadQuery))
            .collect()
    }
}

/// Finds a record of one of these kinds that the caller may read.
fn readable(
    store: Store<'_>,
    caller: &Caller,
    kinds: &[&'static Kind],
    id: RecordId,
    now: i64,
) -> Result<Option<records::Record>, Fault> {
    for kind in kinds {
        if let Some(record) = records::find(store, kind, id)?
            && reach::may_read(store, caller.user, &record, now)?
        {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Returns which of two kinds a record is, if the caller may read it.
async fn kind_of(
    shell: &Shell,
    caller: &Caller,
    kinds: &'static [&'static Kind],
    id: RecordId,
) -> Result<&'static Kind, Shown> {
    let (caller, now) = (caller.clone(), shell.server.now());
    let read = shell.server.read_async(move |store| -> Result<_, Refusal> {
        Ok(readable(store, &caller, kinds, id, now)?.map(|record| record.kind))
    });
    Ok(read.await?.ok_or(Refusal::NotFound)?)
}

/// A step that was taken, or parked for somebody else's word.
struct Taken {
    receipt: Receipt,
    /// The record as it stands now, if the caller may read it.
    record: Option<Put>,
}

/// What a step is answered.
#[derive(Serialize)]
struct TakenBody {
    receipt: Receipt,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Put>,
}

impl Taken {
    /// What was parked is received, not done.
    fn status(&self, done: StatusCode) -> StatusCode {
        match self.receipt.outcome {
            Outcome::Parked => StatusCode::ACCEPTED,
            _ => done,
        }
    }
}

impl IntoResponse for Taken {
    fn into_response(self) -> Response {
        let status = self.status(StatusCode::OK);
        let Self { receipt, record } = self;
        (status, Json(TakenBody { receipt, record })).into_response()
    }
}

/// Takes a step through the apply door. What its author has to correct is refused: unlike a phone,
/// a desk is there to hear it.
async fn take(shell: &Shell, caller: &Caller, mid: Mid, frozen: Frozen) -> Result<Taken, Shown> {
    let DeskReceipt { receipt, record } = shell.server.apply_desk(caller, mid, frozen).await?;
    match receipt.outcome {
        Outcome::Rejected => {
            let reason = receipt.reason.unwrap_or(Reason::Malformed);
            Err(Refusal::NotTaken(reason).into())
        }
        _ => Ok(Taken { receipt, record }),
    }
}

/// Where the record stood on the desk's screen.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Shows {
    /// Its state.
    state: String,
    /// Its turn.
    turn: u32,
    /// The step of the transition shown.
    #[schema(value_type = Option<uuid::Uuid>)]
    after: Option<Mid>,
}

impl From<Shows> for Expect {
    fn from(shows: Shows) -> Self {
        Self {
            state: shows.state,
            turn: shows.turn,
            after: shows.after,
        }
    }
}
