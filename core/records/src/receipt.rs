//! Receipts: the server's terminal word on each mutation, committed with its effect.
//!
//! They are kept and sent as [`ReceiptRow`]s: one row for a run of mutations of one enrolment
//! that were decided in one commit. A row is authenticated with the server's own key, because
//! after a restore phones bring rows back as *proof* that their work had been accepted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{Commit, EnrolmentId, Epoch, Hex, Mid, Mseq, RecordId};
use crate::path::Path;
use crate::time::Millis;

/// What became of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Taken as it was.
    Applied,
    /// Taken beside what others had changed meanwhile; nobody needs to look.
    Merged,
    /// Taken, and a review holds the values that disagree.
    Conflict,
    /// Someone else had moved the record on, and nothing was lost: a notice.
    Superseded,
    /// Says what is so already.
    Duplicate,
    /// A number without content.
    Void,
    /// Someone else must decide.
    Parked,
    /// The author must correct it.
    Rejected,
}

/// Why a mutation was parked, rejected or superseded. Never carries a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Unknown record or no right: alike on purpose.
    NotYours,
    /// Not a mutation that this protocol knows.
    Malformed,
    /// More bytes than a mutation may have.
    TooLarge,
    /// No such kind.
    UnknownKind,
    /// No such field in this kind.
    UnknownField(String),
    /// The field is the server's to write.
    ServerField(String),
    /// The value does not fit the field.
    BadValue(String),
    /// The workflow has no such command.
    UnknownCommand,
    /// The workflow does not allow it in this state.
    WrongState,
    /// It is another person's to do.
    NotPermitted,
    /// An argument is missing.
    Missing(String),
    /// Someone else was first.
    Stale,
    /// Authored outside the time of the duty.
    OutsideDuty,
    /// It builds on a mutation that is itself parked or rejected.
    DependsOn,
    /// Other records hang on it.
    HasChildren,
    /// The record was deleted or merged.
    Gone,
    /// The id was used before.
    IdUsed,
    /// The name of the mutation was used with other content.
    MidReused,
    /// The content is still to come by the blob door.
    AwaitingContent,
    /// The server failed at this one; the operators know.
    ServerFault,
    /// Refused by the holder, in words.
    Refused,
}

impl Reason {
    pub(crate) fn unknown_field(path: &Path) -> Self {
        Self::UnknownField(path.root().to_owned())
    }

    pub(crate) fn server_field(path: &Path) -> Self {
        Self::ServerField(path.root().to_owned())
    }

    pub(crate) fn bad_value(path: &Path) -> Self {
        Self::BadValue(path.root().to_owned())
    }

    /// Returns the reason's name without its field.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotYours => "not-yours",
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::UnknownKind => "unknown-kind",
            Self::UnknownField(_) => "unknown-field",
            Self::ServerField(_) => "server-field",
            Self::BadValue(_) => "bad-value",
            Self::UnknownCommand => "unknown-command",
            Self::WrongState => "wrong-state",
            Self::NotPermitted => "not-permitted",
            Self::Missing(_) => "missing",
            Self::Stale => "stale",
            Self::OutsideDuty => "outside-duty",
            Self::DependsOn => "depends-on",
            Self::HasChildren => "has-children",
            Self::Gone => "gone",
            Self::IdUsed => "id-used",
            Self::MidReused => "mid-reused",
            Self::AwaitingContent => "awaiting-content",
            Self::ServerFault => "server-fault",
            Self::Refused => "refused",
        }
    }
}

/// What became of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// Where.
    pub path: Path,
    /// What became of it.
    pub fate: FateKind,
    /// The mutation that it met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Mid>,
    /// The review that holds both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<RecordId>,
}

/// What became of a value that did not simply become the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FateKind {
    /// In conflict; shown meanwhile.
    Shown,
    /// In conflict; the other value is shown meanwhile.
    Behind,
    /// A proposal; head or clerk decide.
    Proposed,
    /// An element that others had added anew stays.
    Stays,
}

/// The word on one mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its name.
    pub mid: Mid,
    /// Its place.
    pub mseq: Mseq,
    /// Eight bytes of the hash of its frozen bytes.
    pub check: Hex<8>,
    /// What became of it.
    pub outcome: Outcome,
    /// The record's rev after it; none for who may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Commit>,
    /// What became of single values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fates: Vec<Fate>,
    /// Values that the server gave: official numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub assigned: BTreeMap<Path, Value>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Receipts of one run of mutations, as stored and sent; never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptRow {
    /// Whose work.
    pub enrolment: EnrolmentId,
    /// In which history.
    pub epoch: Epoch,
    /// The commit that decided them.
    pub commit: Commit,
    /// When the server received them.
    pub received_at: Millis,
    /// The words, by ascending mseq, without holes.
    pub receipts: Vec<Receipt>,
    /// The key that made the code.
    pub key_id: u32,
    /// The server's code over all of the above.
    pub mac: Hex<16>,
}

impl ReceiptRow {
    /// Returns the bytes that the code covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let signed = (
            self.enrolment,
            self.epoch,
            self.commit,
            self.received_at,
            &self.receipts,
            self.key_id,
        );
        serde_json::to_vec(&signed).expect("plain values always serialize")
    }
}
