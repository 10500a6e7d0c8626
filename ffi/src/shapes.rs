//! Shapes of the core that cross as they are, declared again: a difference does not compile.

use pocketbook::engine::{Reason, SyncReport};
use pocketbook::photos::Size;
use pocketbook::seams::{Facts, Network};
use pocketbook::store::blobs::{FailedPhoto, PhotoState, Rendering};
use pocketbook::store::book::{ArticleTitle, BookPart};
use pocketbook::store::status::{SyncState, SyncStatus};
use pocketbook::store::trace::{Vanished, Why};
use pocketbook_records::ids::{BlobHash, Mid, RecordId};
use pocketbook_records::mutation::Expect;
use pocketbook_records::time::Interval;

/// Where a record stood in its workflow on the screen: goes back with a command as it came.
#[uniffi::remote(Record)]
pub struct Expect {
    /// Its state.
    pub state: String,
    /// Its turn.
    pub turn: u32,
    /// The mutation of the transition shown.
    pub after: Option<Mid>,
}

/// An interval that surely holds a moment (ms UTC).
#[uniffi::remote(Record)]
pub struct Interval {
    /// Not before.
    pub from: i64,
    /// Not after.
    pub to: i64,
}

/// What the bar at the top of every screen says.
#[uniffi::remote(Enum)]
pub enum SyncState {
    /// 首次同步: the first sync is under way.
    FirstSync {
        /// How far, in percent.
        percent: u8,
    },
    /// 待同步: something waits here, or there may be news.
    Waiting,
    /// 有冲突 or 需修改: everything is in step, but somebody must look at something.
    NeedsAttention,
    /// 已同步: the server has confirmed everything, photos too.
    Synced,
    /// The account is locked; work is handed in, nothing is pulled.
    Locked,
    /// The app is too old to pull; work is handed in all the same.
    UpdateApp,
}

/// How the work stands.
#[uniffi::remote(Record)]
pub struct SyncStatus {
    /// What the bar says.
    pub state: SyncState,
    /// Own changes without a receipt.
    pub waiting: u64,
    /// Photos and files not yet stored.
    pub photos: u64,
    /// Their bytes.
    pub photo_bytes: u64,
    /// Photos and files that the server refused; they are kept here.
    pub failed_photos: u64,
    /// When the oldest change was made (wall ms).
    pub oldest: Option<i64>,
    /// When all was last in step (wall ms).
    pub last_success: Option<i64>,
    /// When the server last answered (wall ms).
    pub last_contact: Option<i64>,
    /// Own changes that must be corrected (需修改).
    pub needs_fixing: u64,
    /// Own changes on which others decide.
    pub parked: u64,
    /// Open reviews (待确认).
    pub reviews: u64,
}

/// A record that was taken from this device.
#[uniffi::remote(Record)]
pub struct Vanished {
    /// When (wall ms).
    pub at: i64,
    /// Its kind's name.
    pub kind: String,
    /// Its id.
    pub id: RecordId,
    /// Why.
    pub why: Why,
}

/// Why a record was taken from this device.
#[uniffi::remote(Enum)]
pub enum Why {
    /// 已迁出: it moved to a grid that is not held here.
    Moved,
    /// 已删除: somebody deleted it.
    Deleted,
    /// 不再负责: its grid is no longer this account's.
    Revoked,
    /// 已归档: settled and untouched for two years; the desk has it.
    Archived,
}

/// What a synchronisation did.
#[uniffi::remote(Record)]
pub struct SyncReport {
    /// Exchanges that were answered.
    pub exchanges: u64,
    /// Mutations that went, repeats included.
    pub handed_in: u64,
    /// Mutations that were settled by a receipt.
    pub settled: u64,
    /// Records written.
    pub rows: u64,
    /// Pieces of photos that arrived.
    pub pieces: u64,
    /// Photos that the server has whole now.
    pub photos: u64,
    /// Thumbnails that came.
    pub thumbnails: u64,
    /// Pieces of photos, thumbnails and books that failed and will be tried again.
    pub put_off: u64,
    /// Pocket books brought up to date.
    pub books: u64,
}

/// Why to synchronise.
#[uniffi::remote(Enum)]
pub enum Reason {
    /// The account was opened, or the app came to the foreground.
    Opened,
    /// The worker asked for it.
    Asked,
    /// A network appeared.
    Connected,
    /// Work was authored.
    Authored,
    /// The server hinted that there is news.
    Hinted,
    /// Time passed: only what is due by the clock.
    Timer,
}

/// How large a photo stays.
#[uniffi::remote(Enum)]
pub enum Size {
    /// A scene: at most 1600 pixels on the longest edge.
    Master,
    /// Papers (材料) whose small print must stay readable: at most 2200 pixels.
    Papers,
}

/// Which rendering of a photo.
#[uniffi::remote(Enum)]
pub enum Rendering {
    /// At most 8 KiB, for lists.
    Thumbnail,
    /// What is uploaded.
    Master,
    /// The camera's own file; here until the server has the master.
    Camera,
}

/// Where a photo stands.
#[uniffi::remote(Enum)]
pub enum PhotoState {
    /// Belongs to a draft.
    Draft,
    /// Waits for its upload.
    Waiting,
    /// The server has it.
    Stored,
    /// The server refused it.
    Failed,
    /// Fetched from the server.
    Fetched,
}

/// A photo that the server refused, or that is damaged here.
#[uniffi::remote(Record)]
pub struct FailedPhoto {
    /// Its name.
    pub hash: BlobHash,
    /// The kind of the record that it belongs to.
    pub kind: String,
    /// That record.
    pub id: RecordId,
    /// `too-large` or `damaged`.
    pub reason: String,
}

/// A part of the pocket book.
#[uniffi::remote(Record)]
pub struct BookPart {
    /// Its name.
    pub part: String,
    /// Its title.
    pub title: String,
    /// How many articles it has.
    pub articles: u64,
}

/// An article's line in a list.
#[uniffi::remote(Record)]
pub struct ArticleTitle {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// How things stand on the phone.
#[uniffi::remote(Record)]
pub struct Facts {
    /// What it is connected to.
    pub network: Network,
    /// Space left for files, if known.
    pub free_bytes: Option<u64>,
    /// Charge of the battery, if known and if not being charged.
    pub battery_percent: Option<u8>,
    /// Whether someone is looking.
    pub is_foreground: bool,
}

/// What the phone is connected to.
#[uniffi::remote(Enum)]
pub enum Network {
    /// Nothing: sending is not tried.
    None,
    /// A line that costs by the byte.
    Metered,
    /// A line that does not.
    Unmetered,
}
