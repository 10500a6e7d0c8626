//! Visits (走访).

use pocketbook::books::Entry;
use pocketbook_records::ids::{BlobHash, RecordId, Rev};
use pocketbook_records::kinds::visit;

use super::{Badges, Note, Pin};

/// A visit (走访): written once, corrected by redactions that stay visible.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Visit {
    /// Its id.
    pub id: RecordId,
    /// What the screen shows.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// The household visited.
    pub household: Option<RecordId>,
    /// The persons met.
    pub people: Vec<RecordId>,
    /// routine, care, check, request.
    pub purpose: Option<String>,
    /// met, no-answer, refused, moved, died.
    pub result: Option<String>,
    /// What there is to say.
    pub note: Option<String>,
    /// When, by the worker's own word (ms).
    pub at: Option<i64>,
    /// Photos.
    pub photos: Vec<BlobHash>,
    /// The resident's signature.
    pub signature: Option<BlobHash>,
    /// Place stamp, if the worker chose to give one.
    pub pin: Option<Pin>,
    /// Redactions.
    pub redactions: Vec<Note>,
}

impl From<Entry<visit::Visit>> for Visit {
    fn from(entry: Entry<visit::Visit>) -> Self {
        let visit::Visit {
            household,
            people,
            purpose,
            result,
            note,
            at,
            photos,
            signature,
            pin,
            redactions,
        } = entry.fields;
        Self {
            id: entry.id,
            rev: entry.rev,
            badges: Badges::of(entry.mark),
            household: household.map(RecordId),
            people: people.iter().filter_map(|id| id.parse().ok()).collect(),
            purpose,
            result,
            note,
            at,
            photos,
            signature: signature.and_then(|hash| hash.parse().ok()),
            pin: Pin::read(&pin),
            redactions: Note::all(&redactions),
        }
    }
}
