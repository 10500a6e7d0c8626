//! The conversation between device and server: one exchange, hand-in and pull in one.
//!
//! `POST /v1/sync` takes one [`Request`] (JSON, gzip allowed) and answers lines of JSON
//! (`application/x-ndjson`, gzip): first one [`Answer`], then, for scopes asked for in
//! [`Mode::Frames`], any number of [`Frame`]s as the server reads them. A line that was received
//! whole can be applied; a cut stream is resumed after the last row applied.
//!
//! Every field that the protocol will need exists from the first version on (sync-protocol §9),
//! so that none has to change shape. Unknown fields of these messages are ignored; unknown fields
//! of *records* are not (see [`crate::mutation`]).
//!
//! Limits stand here and are enforced on both ends; they count decoded bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{BlobHash, Commit, EnrolmentId, Epoch, Hex, Mseq, RecordId, Rev, UnitId, UserId};
use crate::mutation::Mutation;
use crate::receipt::ReceiptRow;
use crate::scope::Scope;
use crate::time::{Contact, Millis, Now};

/// The protocol that this version speaks.
///
/// 1 (2026-11): the first one shipped.
pub const PROTO: u16 = 1;

/// The most decoded bytes of a request.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// The most mutations in one request.
pub const MAX_MUTATIONS: usize = 2_000;
/// The most scopes in one request.
pub const MAX_SCOPES: usize = 4_096;
/// The most spans of a scope asked for in one request.
pub const MAX_SPANS: usize = 2_048;
/// The most single records asked for in one request.
pub const MAX_WANT: usize = 1_000;
/// The most thumbnails asked for in one request.
pub const MAX_THUMBNAILS: usize = 16;
/// The size that a frame aims at.
pub const FRAME_BYTES: usize = 256 * 1024;
/// The size that the entries of an answer aim at when the request names none.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// So long (s) the server waits for the next request of a connection. A phone gives a connection up
/// before that: a request that meets its end on the way is lost, and can't be told from one that
/// arrived.
pub const KEPT_OPEN_S: u64 = 20;
/// The first hand-in's size in bytes; it doubles on success and halves on failure.
pub const FIRST_BATCH_BYTES: usize = 64 * 1024;

/// What a device sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The protocols that it speaks, lowest and highest.
    pub proto: (u16, u16),
    /// Who it is; the credential is in the `Authorization` header.
    pub enrolment: EnrolmentId,
    /// The state of the last answer applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<Echo>,
    /// Receipts up to here are stored on the device.
    pub settled_mseq: Mseq,
    /// The highest number that it ever gave.
    pub highest_mseq: Mseq,
    /// What else waits on the device.
    pub pending: Pending,
    /// Its clocks.
    pub now: Now,
    /// The last answer received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The server's word on this enrolment, for a server restored from before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// The schema that its app knows.
    pub schema: u16,
    /// Whether and where to pull; none asks for receipts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Pull>,
    /// Work, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutations: Vec<Mutation>,
    /// Receipts of work that a restored server may have lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<ReceiptRow>,
    /// Bodies that a restored server may have lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<Put>,
}

/// The part of a request that asks for news.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Pull {
    /// How to read each scope.
    pub scopes: BTreeMap<Scope, Ask>,
    /// Single records to send whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub want: Vec<Key>,
    /// Whether what it holds through another scope, or has made itself, may come as a [`Link`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_links: bool,
    /// About how many bytes of entries to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
}

/// How to read one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Where the last page ended; none before the first sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Pages, frames or pairs.
    pub mode: Mode,
}

/// How a scope is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Entries after the cursor, by sequence.
    Pages,
    /// All records as they stand, by (kind, id), after the key given.
    Frames {
        /// Where the last stream broke off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Key>,
    },
    /// Digests of ranges over (kind, id, rev) of all records, to compare.
    Pairs {
        /// Where the last stream broke off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Key>,
    },
    /// The records of these spans as they stand, as frames, after the key given.
    Parts {
        /// Where to look, by (kind, id), at most [`MAX_SPANS`].
        spans: Vec<Span>,
        /// Where the last stream broke off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Key>,
    },
}

/// Records of one kind whose ids lie between two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Their kind.
    pub kind: String,
    /// They come after this one; none: from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RecordId>,
    /// This is the last one; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RecordId>,
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: RecordId,
}

/// The state of the last answer that a device applied: tells a restored server what it lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The history.
    pub epoch: Epoch,
    /// The commit.
    pub commit: Commit,
    /// The journal's tag at that commit.
    pub tag: Hex<8>,
    /// The server's code over these.
    pub mac: Hex<16>,
}

/// What waits on a device: the radar of unsynced work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Mutations without a receipt.
    pub mutations: u64,
    /// Photos and files not yet stored.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was authored, by the device's wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Millis>,
}

/// The server's signed word that it knows an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The identity.
    pub enrolment: EnrolmentId,
    /// The account.
    pub user: UserId,
    /// SHA-256 of the device's secret.
    pub secret_hash: Hex<32>,
    /// When it was enrolled.
    pub at: Millis,
    /// The key that signed.
    pub key_id: u32,
    /// Ed25519 over the above.
    pub signature: String,
}

/// What the server answers: the first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The snapshot that everything in it was read at.
    pub asof: AsOf,
    /// The journal's tag at that commit.
    pub tag: Hex<8>,
    /// The server's code over epoch, commit and tag; comes back as [`Echo`].
    pub mac: Hex<16>,
    /// Token of this answer for [`Contact`].
    pub contact: String,
    /// The highest mutation of this enrolment that has a receipt.
    pub received_mseq: Mseq,
    /// Set if the batch began too late: send from here. Nothing of it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_order: Option<Mseq>,
    /// All receipts above the request's `settled_mseq`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<ReceiptRow>,
    /// Commits up to here are in a backup.
    pub durable: Commit,
    /// Why nothing was pulled, if so: `locked`, `bad-cursor`, `update-app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The scopes granted in this snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Scope>>,
    /// Single records: those wanted, and those that the receipts are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Put>,
    /// News per scope.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<Scope, Page>,
    /// Files that records need and that the server lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<BlobHash>,
    /// Lost intervals of earlier histories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forks: Vec<Fork>,
    /// The pocket book's version per community.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<BundleVersion>,
    /// The oldest schemas that may hand in and pull.
    pub minimum: Minimum,
    /// Set if another phone uses this identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clone: Option<CloneFound>,
    /// Come back after so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// Names a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// The history.
    pub epoch: Epoch,
    /// The last commit in it.
    pub commit: Commit,
    /// The server's time.
    pub time: Millis,
}

/// Why nothing was pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The account is locked or the enrolment revoked; work is taken all the same.
    Locked,
    /// A cursor or echo that this server never gave.
    BadCursor,
    /// The app is too old to pull; work is taken all the same.
    UpdateApp,
}

/// News of one scope.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Page {
    /// Entries by sequence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
    /// Where this page ends. With frames: where pages start once all frames are in.
    pub cursor: String,
    /// The commit that the scope has been read through.
    pub through: Commit,
    /// Whether the scope equals the server's state at `through` once this is applied.
    pub caught_up: bool,
    /// Digest over (kind, id, rev) of all records, with `caught_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Hex<16>>,
    /// Ranges to compare when digests differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// How many records the scope has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// The digest of a range of one kind's records, by id: those after the range before it, up to and
/// with `to`. A kind's last range stands for all that would follow, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First key.
    pub from: Key,
    /// Last key.
    pub to: Key,
    /// Number of records.
    pub count: u64,
    /// Their digest.
    pub digest: Hex<16>,
}

/// One change of a scope.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// The record as it stands.
    Put(Put),
    /// The record is in this scope too; its body is with the device already.
    Link(Link),
    /// The record left this scope.
    Leave {
        /// Kind of the record.
        kind: String,
        /// Id of the record.
        id: RecordId,
        /// The commit that took it away.
        commit: Commit,
        /// Where to, if the caller may know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Scope>,
        /// It is old enough to be kept at the desk only.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        archived: bool,
    },
    /// The record was deleted.
    Tomb {
        /// Kind of the record.
        kind: String,
        /// Id of the record.
        id: RecordId,
        /// The commit that deleted it.
        rev: Rev,
    },
}

/// A record that the device holds already, through a scope that it has left, or that it can work
/// out by itself. Without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: RecordId,
    /// The rev that the device must have.
    pub rev: Rev,
    /// Set where its own work made this rev: what it shows may be the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likeness: Option<Likeness>,
}

/// By what a device knows that it has worked a body out rightly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Likeness {
    /// Schema of the body.
    pub schema: u16,
    /// Eight bytes of the body's hash.
    pub check: Hex<8>,
}

/// A record as it stands. Its body is copied, never parsed, on the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Put {
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: RecordId,
    /// The commit that last changed it.
    pub rev: Rev,
    /// The schema that the body was written with.
    pub schema: u16,
    /// Its fields, canonical JSON.
    pub body: Box<RawValue>,
}

/// A piece of a scope's first sync: rows by (kind, id).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frame {
    /// The scope.
    pub scope: Scope,
    /// The cursor of the snapshot that the rows were read at: pages start at the lowest used.
    pub cursor: String,
    /// The commit of that snapshot.
    pub commit: Commit,
    /// The rows.
    pub rows: Vec<Put>,
    /// Rows that the device holds already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The key that the next frame comes after, if that is not the last row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Key>,
    /// Whether it is the scope's last frame.
    pub last: bool,
}

/// A lost interval: the commits (after, until] of a history that a restore threw away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The last commit that survived.
    pub after: Commit,
    /// The last commit that was lost.
    pub until: Commit,
}

/// The pocket book's version for a community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleVersion {
    /// The community.
    pub unit: UnitId,
    /// The version: grows.
    pub version: u64,
    /// SHA-256 of the manifest.
    pub manifest: BlobHash,
}

/// The oldest schemas that the server still serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minimum {
    /// Below this nothing is pulled.
    pub pull: u16,
    /// The server's own.
    pub current: u16,
}

/// Another phone uses this identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneFound {
    /// The first number that both used.
    pub first_mseq: Mseq,
}

/// A file that the server has whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBlob {
    /// Its name.
    pub hash: BlobHash,
    /// The commit that noted it; the master may go once this is durable.
    pub commit: Commit,
}

/// `POST /v1/thumbnails`: the small pictures of photos that records name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ThumbnailsRequest {
    /// The photos, at most [`MAX_THUMBNAILS`].
    pub hashes: Vec<BlobHash>,
}

/// What the server has of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ThumbnailsAnswer {
    /// JPEG in base64; null: no picture can be made of that file. A photo that is not named is not
    /// there yet, or not for the caller to see.
    pub thumbnails: BTreeMap<BlobHash, Option<String>>,
}

/// `POST /v1/enrol`: an account on an installation introduces itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time code.
    pub code: String,
    /// SHA-256 of the secret that the device has made; the same code with the same hash gets the
    /// same answer until first use.
    pub secret_hash: Hex<32>,
    /// What the device calls itself.
    pub device: String,
    /// The schema that its app knows.
    pub schema: u16,
    /// The same account was enrolled on this installation before: its numbers go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continues>,
}

/// An enrolment whose work a new one of the same account takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continues {
    /// The earlier one.
    pub enrolment: EnrolmentId,
    /// The first number that it has no receipt for.
    pub first_mseq: Mseq,
}

/// `POST /v1/enrol/again`: another phone has the identity that this one shows (a folder was copied,
/// an old backup was put back), so it asks for one of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolAgain {
    /// SHA-256 of the new secret; the same hash gets the same answer.
    pub secret_hash: Hex<32>,
    /// The first number that has no receipt on this phone: from here on its work is its own.
    pub first_mseq: Mseq,
    /// The schema that its app knows.
    pub schema: u16,
}

/// What a new enrolment is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The identity.
    pub enrolment: EnrolmentId,
    /// The account.
    pub user: UserId,
    /// The account's name.
    pub name: String,
    /// The district's unit.
    pub district: UnitId,
    /// The history.
    pub epoch: Epoch,
    /// The scopes granted now.
    pub grants: Vec<Scope>,
    /// The server's word, to keep.
    pub certificate: Certificate,
    /// Ed25519 key that signs pocket books, hex.
    pub bundle_key: String,
    /// Key that recovery parcels are sealed to, hex.
    pub sealing_key: String,
}

/// The pocket book's table of contents for one community; signed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The community.
    pub unit: UnitId,
    /// The version: grows.
    pub version: u64,
    /// When it was published.
    pub at: Millis,
    /// Its parts, district before street before community.
    pub parts: Vec<ManifestPart>,
}

/// One part of a pocket book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPart {
    /// What it is: `approval-items`, `service-guides` …
    pub part: String,
    /// The unit whose layer it belongs to.
    pub unit: UnitId,
    /// Title for people.
    pub title: String,
    /// SHA-256 of its bytes.
    pub hash: BlobHash,
    /// Their number.
    pub bytes: u64,
    /// Number of articles.
    pub articles: u64,
}

/// A manifest with its signature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedManifest {
    /// The manifest, byte for byte; reads as [`Manifest`].
    pub manifest: Box<RawValue>,
    /// The key that signed.
    pub key_id: u32,
    /// Ed25519 over the bytes of `manifest`, hex.
    pub signature: String,
}

/// Every refusal of the server: `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Short name of the refusal, stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// A sentence for people that says what to do.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Come back after so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
