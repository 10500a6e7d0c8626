//! The radar of unsynced work: which phones still hold something, and how long it has been.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pocketbook_records::ids::{EnrolmentId, UserId};
use pocketbook_records::time::{CLOCK_SKEW_SHOWN_MS, Millis};
use serde::Serialize;

use super::super::caller::Desk;
use super::super::payload::Json;
use super::super::problem::Shown;
use super::super::{Shell, docs};
use crate::desk::reach;
use crate::store::accounts::Blip;

/// All phones that the caller answers for.
#[derive(Serialize, utoipa::ToSchema)]
pub(in super::super) struct Radar {
    /// The longest silent first.
    phones: Vec<Phone>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Phone {
    #[schema(value_type = uuid::Uuid)]
    enrolment: EnrolmentId,
    #[schema(value_type = uuid::Uuid)]
    user: UserId,
    /// The account's name.
    name: String,
    /// What the phone calls itself.
    device: String,
    /// Its last exchange, server time; absent before the first.
    #[schema(value_type = Option<i64>)]
    last_contact: Option<Millis>,
    /// Work without a receipt.
    mutations: u64,
    /// Photos and files not yet stored.
    blobs: u64,
    /// Their bytes.
    bytes: u64,
    /// When the oldest was authored, by the phone's clock.
    #[schema(value_type = Option<i64>)]
    oldest: Option<Millis>,
    /// The phone's clock less ours.
    skew_ms: i64,
    /// Whether that is so much that people should be told.
    clock_is_wrong: bool,
}

impl From<Blip> for Phone {
    fn from(blip: Blip) -> Self {
        let contact = blip.contact;
        let pending = contact.as_ref().map(|contact| contact.pending.clone());
        let pending = pending.unwrap_or_default();
        let skew_ms = contact.as_ref().map_or(0, |contact| contact.skew);
        Self {
            enrolment: blip.enrolment,
            user: blip.user,
            name: blip.name,
            device: blip.device,
            last_contact: contact.map(|contact| contact.at),
            mutations: pending.mutations,
            blobs: pending.blobs,
            bytes: pending.bytes,
            oldest: pending.oldest,
            skew_ms,
            clock_is_wrong: skew_ms.saturating_abs() > CLOCK_SKEW_SHOWN_MS,
        }
    }
}

/// 未同步雷达 · Phones with unsynced work, of the caller's units
///
/// Phones of people whose duty has ended are shown too: their work is still to come.
#[utoipa::path(
    get, path = "/v1/desk/radar", tag = "desk", security(("desk" = [])),
    responses(
        (status = 200, body = Radar),
        (status = 401, description = "`session-expired`, `unknown-caller`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(in super::super) async fn radar(
    State(shell): State<Shell>,
    Desk(caller): Desk,
) -> Result<Response, Shown> {
    let mut blips = shell.server.radar().await?;
    let now = shell.server.now();
    let read = shell.server.read_async(move |store| {
        reach::led_by(store, caller.user, now).map_err(crate::Refusal::from)
    });
    let led = read.await?;
    blips.retain(|blip| led.contains(&blip.user));
    let mut phones: Vec<Phone> = blips.into_iter().map(Phone::from).collect();
    phones.sort_by_key(|phone| phone.last_contact);
    Ok(Json(Radar { phones }).into_response())
}
