//! What several records are made of.

use pocketbook::store::outbox::Authored;
use pocketbook::store::view::mark;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Mid, RecordId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Expect;
use serde_json::Value;
use uuid::Uuid;

use crate::json;

/// The badges beside a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Badges {
    /// 待同步: own work that the server has not confirmed.
    pub is_waiting: bool,
    /// 需修改: the author must correct something.
    pub needs_fixing: bool,
    /// Someone else must decide about own work.
    pub is_parked: bool,
    /// 有冲突: a review is open.
    pub is_in_conflict: bool,
}

impl Badges {
    pub(crate) fn of(marks: i64) -> Self {
        Self {
            is_waiting: marks & mark::WAITING != 0,
            needs_fixing: marks & mark::NEEDS_FIXING != 0,
            is_parked: marks & mark::PARKED != 0,
            is_in_conflict: marks & mark::IN_CONFLICT != 0,
        }
    }
}

/// What was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Saved {
    /// The record.
    pub record: RecordId,
    /// The mutation: names it for `withdraw` until it is sent.
    pub mutation: Mid,
}

impl Saved {
    pub(crate) fn new(record: RecordId, authored: Authored) -> Self {
        Self {
            record,
            mutation: authored.mid,
        }
    }
}

/// Compound, building, unit and room (小区-幢-单元-室).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Place {
    /// 小区.
    pub compound: Option<String>,
    /// 幢.
    pub building: Option<String>,
    /// 单元.
    pub unit: Option<String>,
    /// 室.
    pub room: Option<String>,
    /// The whole value.
    pub json: String,
}

impl Place {
    pub(crate) fn read(group: &Fields) -> Option<Self> {
        (!group.is_empty()).then(|| Self {
            compound: text(group, "compound"),
            building: text(group, "building"),
            unit: text(group, "unit"),
            room: text(group, "room"),
            json: json::object(group),
        })
    }
}

/// A point on the map: WGS-84, in units of 1e-7 degrees.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Pin {
    /// Latitude.
    pub lat_e7: i64,
    /// Longitude.
    pub lon_e7: i64,
    /// Who placed it: `fix` (the phone) or `hand`.
    pub by: Option<String>,
    /// The whole value.
    pub json: String,
}

impl Pin {
    pub(crate) fn read(group: &Fields) -> Option<Self> {
        Some(Self {
            lat_e7: number(group, "lat_e7")?,
            lon_e7: number(group, "lon_e7")?,
            by: text(group, "by"),
            json: json::object(group),
        })
    }
}

/// A tag (标签) with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Tag {
    /// Its code in the catalogue.
    pub code: String,
    /// The document that proves it.
    pub proof: Option<String>,
    /// Since when.
    pub since: Option<String>,
    /// When it is to be looked at again.
    pub review: Option<String>,
    /// The whole value.
    pub json: String,
}

impl Tag {
    pub(crate) fn all<'m>(map: impl IntoIterator<Item = (&'m String, &'m Fields)>) -> Vec<Self> {
        let read = |(code, leaves): (&'m String, &'m Fields)| Self {
            code: code.clone(),
            proof: text(leaves, "proof"),
            since: text(leaves, "since"),
            review: text(leaves, "review"),
            json: json::object(leaves),
        };
        map.into_iter().map(read).collect()
    }
}

/// A note, remark or redaction.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Note {
    /// Its id within the list.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub by: Option<UserId>,
    /// When (ms).
    pub at: Option<i64>,
}

impl Note {
    pub(crate) fn all(list: &[Value]) -> Vec<Self> {
        let read = |item: &Value| {
            let item = item.as_object()?;
            Some(Self {
                id: text(item, "id")?,
                text: text(item, "text").unwrap_or_default(),
                by: user(item, "by"),
                at: number(item, "at"),
            })
        };
        list.iter().filter_map(read).collect()
    }
}

/// A step that a record took through its workflow.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Step {
    /// The command.
    pub command: String,
    /// The state before.
    pub state_before: Option<String>,
    /// The state after; none if it stayed.
    pub state_after: Option<String>,
    /// Who gave it.
    pub by: Option<UserId>,
    /// When (ms).
    pub at: Option<i64>,
    /// Its arguments, a JSON object.
    pub args_json: String,
}

impl Step {
    pub(crate) fn all(list: &[Value]) -> Vec<Self> {
        let nothing = Fields::new();
        let read = |item: &Value| {
            let item = item.as_object()?;
            Some(Self {
                command: text(item, "command")?,
                state_before: text(item, "from"),
                state_after: text(item, "to"),
                by: user(item, "by"),
                at: number(item, "at"),
                args_json: json::object(
                    item.get("args")
                        .and_then(Value::as_object)
                        .unwrap_or(&nothing),
                ),
            })
        };
        list.iter().filter_map(read).collect()
    }
}

/// Returns where a record stands, as a command wants it back.
pub(crate) fn expect(
    kind: &Kind,
    state: Option<String>,
    turn: Option<i64>,
    transition: Option<Uuid>,
) -> Expect {
    let start = || {
        kind.workflow
            .map_or("", |workflow| workflow.start)
            .to_owned()
    };
    Expect {
        state: state.unwrap_or_else(start),
        turn: turn.and_then(|turn| u32::try_from(turn).ok()).unwrap_or(0),
        after: transition.map(Mid),
    }
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(fields: &Fields, name: &str) -> Option<i64> {
    fields.get(name)?.as_i64()
}

fn user(fields: &Fields, name: &str) -> Option<UserId> {
    fields.get(name)?.as_str()?.parse().ok()
}
