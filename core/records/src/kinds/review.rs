//! Reviews (待确认): a field on which people disagreed, with every value that was written.
//!
//! There is one per (kind, id, path), its id derived from these, so that two ends and two
//! histories open the same one. The server writes reviews; people decide them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{Mid, RecordId, UserId};
use crate::kind;
use crate::kind::{Ages, Home, Listing};
use crate::time::Interval;

macro_rules! review_kind {
    ($(#[$doc:meta])* $struct:ident $table:ident $name:literal $class:ident) => {
        kind! {
            $(#[$doc])*
            $struct $table $name, $class, Home::Noted;
    [
                list Listing { under: Some("record"), sort: &["state"], time: Some("opened_at") };
                ages Ages::In(&["closed"]);
    ]

            /// Kind of the record in question.
            of: Text(40), Register, Server;
            /// Id of the record in question.
            record: Id, Register, Server;
            /// The field; `*` for the record as a whole ("edited after deletion").
            path: Text(200), Register, Server;
            /// Whether only head or clerk decide (never_auto).
            held: Flag, Register, Server;
            /// open or closed.
            state: Text(20), State, Server;
            /// Grows when it is closed or re-opened.
            turn: Integer, State, Server;
            /// The decision that closed it.
            transition: Id, State, Server;
            /// The values: see [`Candidate`].
            candidates: List, Append, Server;
            /// The candidate that is shown meanwhile, or was chosen.
            shown: Text(40), Register, Server;
            /// Who closed it.
            decided_by: Id, Register, Server;
            /// When it was opened (ms, server time).
            opened_at: Time, Register, Server;
        }
    };
}

review_kind! {
    /// A review of a general record's field (待确认).
    Review REVIEW "review" General
}

review_kind! {
    /// A review of a sensitive record's field.
    ReviewSensitive REVIEW_SENSITIVE "review-sensitive" Sensitive
}

/// The candidate that stands for the value before anyone disagreed.
pub const BASE: &str = "base";

/// One value of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The mutation that wrote it, or [`BASE`].
    pub id: String,
    /// The value; absent means "taken away".
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Interval>,
}

/// Returns the id of the review of a field.
pub fn id(kind: &str, record: RecordId, path: &str) -> RecordId {
    let name = format!("{kind}/{record}/{path}");
    RecordId(uuid::Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

/// Returns the id of the tray item of a mutation.
pub fn tray_id(mid: Mid) -> RecordId {
    RecordId(uuid::Uuid::new_v5(&NAMESPACE, mid.as_bytes()))
}

/// Names the space of derived ids; drawn once, never to change.
const NAMESPACE: uuid::Uuid = uuid::uuid!("6b1b36a5-6b0f-5f0a-8f5e-3f2f8d1f0a61");
