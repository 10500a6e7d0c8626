//! Records of any kind: for kinds without a model of their own, and for edit screens.

use pocketbook::store::drafts;
use pocketbook::store::lists::{After, Rows, Shown};
use pocketbook_records::ids::{BlobHash, RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Expect;
use serde_json::Value;

use super::Badges;
use super::parts::expect;
use crate::json;

/// A record as it is shown.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// What the screen shows: goes back with an edit.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// Where it stands in its workflow, if its kind has one: goes back with a command.
    pub expect: Option<Expect>,
    /// All its fields, a JSON object; those that this version does not know too.
    pub fields_json: String,
}

impl Record {
    pub(crate) fn of(kind: &Kind, shown: Shown) -> Self {
        let text = |name| shown.fields.get(name).and_then(Value::as_str);
        let state = text("state").map(str::to_owned);
        let turn = shown.fields.get("turn").and_then(Value::as_i64);
        let transition = text("transition").and_then(|mid| mid.parse().ok());
        Self {
            id: shown.id,
            rev: shown.rev,
            badges: Badges::of(shown.mark),
            expect: kind.workflow.map(|_| expect(kind, state, turn, transition)),
            fields_json: json::object(&shown.fields),
        }
    }
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RecordPage {
    /// The rows, in the order of the kind.
    pub rows: Vec<Record>,
    /// Where the next page starts; none at the end.
    pub next: Option<After>,
}

impl RecordPage {
    pub(crate) fn of(kind: &Kind, page: Rows<Shown>) -> Self {
        Self {
            rows: page
                .rows
                .into_iter()
                .map(|shown| Record::of(kind, shown))
                .collect(),
            next: page.next,
        }
    }
}

/// Something begun and not handed in.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Draft {
    /// The record's future id.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// The fields so far, a JSON object.
    pub fields_json: String,
    /// Its photos.
    pub photos: Vec<BlobHash>,
    /// When it was last saved (wall ms).
    pub updated: i64,
}

impl From<drafts::Draft> for Draft {
    fn from(draft: drafts::Draft) -> Self {
        let drafts::Draft {
            id,
            kind,
            fields,
            updated,
        } = draft;
        let photos = fields
            .get("photos")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let photos = photos
            .iter()
            .filter_map(|hash| hash.as_str()?.parse().ok())
            .collect();
        Self {
            id,
            kind,
            fields_json: json::object(&fields),
            photos,
            updated,
        }
    }
}
