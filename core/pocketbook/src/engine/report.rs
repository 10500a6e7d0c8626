//! What the app tells the engine, and what it hears from it.

use std::collections::BTreeSet;

use pocketbook_records::ids::{BlobHash, UnitId};

/// Why to synchronise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What became stale on the screens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// A burst began.
    Began,
    /// Records of these kinds changed; the status too.
    Records(BTreeSet<&'static str>),
    /// The status changed.
    Status,
    /// A photo came further.
    Photo(BlobHash),
    /// Small pictures of others' photos came.
    Thumbnails,
    /// A community's pocket book has a new edition.
    Book(UnitId),
    /// The burst ended; how, the status says.
    Ended,
}

/// Hears what is stale, to ask the books again.
///
/// Called in the middle of the work, without a lock held: it should only note, and must not call
/// the engine's futures.
pub trait SyncListener: Send + Sync {
    /// Something changed.
    fn changed(&self, event: SyncEvent);
}

/// Nobody listens.
impl SyncListener for () {
    fn changed(&self, _: SyncEvent) {}
}

/// What a burst did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
