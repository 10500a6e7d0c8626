//! Photos and files: named by the SHA-256 of their bytes, uploaded in pieces, kept for ever.
//!
//! # The life of one photo
//! A phone announces it (`POST`), asks how much is here (`HEAD`) and appends (`PATCH`) until the
//! line breaks or it is whole; what arrived before a cut counts. The pieces grow in the [`spool`],
//! per enrolment. With the last byte the whole file is read once more, hashed and put into the
//! object store under `ab/cdef…`; only then one commit notes it as stored, and the phone learns
//! that commit. If the bytes are not what their name says, the upload begins anew.
//!
//! The content of a mutation that could not be handed in whole comes the same way, and goes to
//! the door of mutations instead of the store ([`content`]).
//!
//! # What it promises
//! A `kill -9` at any point leaves an upload that goes on where it was: before the commit the
//! spool's file is there, after it the row is. A newer request for the same upload ends an older
//! one, since a phone whose line broke comes back long before the server notices. Nobody learns
//! that a file exists unless he uploaded it or may read a record that refers to it ([`rights`]):
//! another's identical photo is uploaded again, and stored once.
//!
//! # What it refuses
//! Empty files, files above [`MAX_BYTES`], and bytes beyond the announced length.

mod active;
mod range;
mod rights;
mod spool;
mod store;
mod thumbnails;

use std::fmt;
use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use object_store::local::LocalFileSystem;
use pocketbook_records::ids::{BlobHash, Commit};
use pocketbook_records::mutation::MAX_FROZEN;
use pocketbook_records::time::Millis;
use tokio::sync::OnceCell;

pub use self::range::Wanted;

use self::active::Active;
use self::spool::{Key, Spool, Upload};
use self::thumbnails::Thumbnails;
use crate::apply::content;
use crate::store::{Store, blobs as rows, districts};
use crate::{Batch, Caller, Fault, Refusal, Server, may_block};

/// The most bytes of a file.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Why a file was not taken or given.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Not there, or not this caller's to see.
    #[error("failed to find the file among what the caller may see")]
    NotFound,
    /// No upload was begun.
    #[error("failed to find the upload")]
    NoUpload,
    /// The bytes would not follow those that are here.
    #[error("failed to append at the wrong offset")]
    WrongOffset {
        /// So many bytes are here.
        offset: u64,
    },
    /// Nothing to upload.
    #[error("failed to take an empty file")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("failed to take more than {MAX_BYTES} bytes")]
    TooLarge,
    /// More bytes than announced; those that fit are here.
    #[error("failed to take an upload longer than announced")]
    LongerThanAnnounced,
    /// The bytes are not what their name says; the upload begins anew.
    #[error("failed to find the announced bytes: the hash differs")]
    HashMismatch,
    /// The line broke; what had arrived counts.
    #[error("failed to receive the whole piece")]
    Cut,
    /// The range asked for is not in the file.
    #[error("failed to send a range that is not in the file")]
    BadRange {
        /// Its length.
        bytes: u64,
    },
    /// The database refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The disk refused.
    #[error("failed to reach the spool")]
    Spool(#[from] io::Error),
    /// The object store refused.
    #[error("failed to reach the file store")]
    Store(#[from] object_store::Error),
}

impl From<crate::store::SqlError> for BlobError {
    fn from(error: crate::store::SqlError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Fault> for BlobError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
    }
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So many bytes are here.
    pub offset: u64,
    /// So many there shall be.
    pub length: u64,
    /// A commit up to which the whole file is noted as here and the caller's.
    pub stored: Option<Commit>,
}

/// A file on its way out.
pub struct Reading {
    /// The whole file's length.
    pub bytes: u64,
    /// The part that is sent.
    pub range: Range<u64>,
    /// Its bytes.
    pub body: BoxStream<'static, object_store::Result<Bytes>>,
}

/// The files of a server.
pub struct Blobs {
    server: Server,
    spool: Spool,
    objects: OnceCell<LocalFileSystem>,
    thumbnails: Thumbnails,
    active: Active,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").finish_non_exhaustive()
    }
}

fn spool_of(server: &Server) -> Spool {
    Spool::of(server.data().join("spool"))
}

/// Forgets uploads that nobody has gone on with for so long; returns how many.
pub(crate) fn forget_abandoned(server: &Server, idle: Duration) -> io::Result<u64> {
    spool_of(server).sweep(idle)
}

impl Blobs {
    /// Returns the files of a server.
    pub fn of(server: Server) -> Self {
        Self {
            spool: spool_of(&server),
            objects: OnceCell::new(),
            thumbnails: Thumbnails::of(&server),
            active: Active::default(),
            server,
        }
    }

    /// Returns the object store, opened when it is first needed.
    async fn objects(&self) -> Result<&LocalFileSystem, BlobError> {
        let folder = self.server.data().join("blobs");
        self.objects
            .get_or_try_init(async || store::open(&folder))
            .await
    }

    /// Begins an upload, or finds it begun or done: the same call may be made any number of times.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn announce(
        &self,
        caller: &Caller,
        hash: BlobHash,
        length: u64,
    ) -> Result<Progress, BlobError> {
        match length {
            0 => return Err(BlobError::Empty),
            _ if length > MAX_BYTES => return Err(BlobError::TooLarge),
            _ => {}
        }
        let key = key(caller, hash);
        let _hold = self.active.take_over(key).await;
        if let Some(stored) = self.stored_for(caller, hash, Some(length)).await? {
            return Ok(stored);
        }
        Ok(Progress::of(&self.spool.begin(key, length)?))
    }

    /// Says how far an upload is. One whose last bytes came just before a kill is finished here.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn progress(&self, caller: &Caller, hash: BlobHash) -> Result<Progress, BlobError> {
        let key = key(caller, hash);
        let _hold = self.active.take_over(key).await;
        let begun = self.spool.find(key)?;
        let length = begun.as_ref().map(|upload| upload.length);
        if let Some(stored) = self.stored_for(caller, hash, length).await? {
            return Ok(stored);
        }
        let upload = begun.ok_or(BlobError::NoUpload)?;
        if upload.is_whole() {
            return self.finish(caller, key, &upload).await;
        }
        may_block(|| upload.settle())?;
        Ok(Progress::of(&upload))
    }

    /// Appends bytes as they arrive. What came before a cut counts.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn append<E>(
        &self,
        caller: &Caller,
        hash: BlobHash,
        offset: u64,
        chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Progress, BlobError> {
        let key = key(caller, hash);
        let hold = self.active.take_over(key).await;
        let length = self.spool.find(key)?.map(|upload| upload.length);
        if let Some(stored) = self.stored_for(caller, hash, length).await? {
            if offset == stored.length {
                return Ok(stored);
            }
            let offset = stored.length;
            return Err(BlobError::WrongOffset { offset });
        }
        let upload = self.spool.find(key)?.ok_or(BlobError::NoUpload)?;
        if offset != upload.offset {
            return Err(BlobError::WrongOffset {
                offset: upload.offset,
            });
        }
        let superseded = hold.superseded.cancelled();
        tokio::pin!(superseded);
        let received = tokio::select! {
            received = receive(&upload, chunks) => received,
            () = superseded => Err(BlobError::Cut),
        };
        let upload = self.spool.find(key)?.ok_or(BlobError::NoUpload)?;
        received?;
        if upload.is_whole() {
            return self.finish(caller, key, &upload).await;
        }
        Ok(Progress::of(&upload))
    }

    /// Reads a file, or a range of it.
    ///
    /// # Errors
    /// See [`BlobError`]; what the caller may not see is [`BlobError::NotFound`].
    pub async fn read(
        &self,
        caller: &Caller,
        hash: BlobHash,
        range: Option<Wanted>,
    ) -> Result<Reading, BlobError> {
        if caller.locked {
            return Err(Refusal::Locked.into());
        }
        let stored = self.stored(hash, |store, now| {
            rights::may_read(store, caller, hash, now)
        })?;
        let bytes = stored.ok_or(BlobError::NotFound)?.length;
        let range = match range {
            None => 0..bytes,
            Some(wanted) => wanted.within(bytes).ok_or(BlobError::BadRange { bytes })?,
        };
        let body = store::read(self.objects().await?, hash, range.clone()).await?;
        Ok(Reading { bytes, range, body })
    }

    /// Returns a file that is here whole, if this caller may know it: who need not bring it counts
    /// as having delivered it, whatever is taken from him later. A mutation's content is taken
    /// whenever it is brought: no file stands for it.
    async fn stored_for(
        &self,
        caller: &Caller,
        hash: BlobHash,
        length: Option<u64>,
    ) -> Result<Option<Progress>, BlobError> {
        if let Some(length) = length
            && self.is_content(caller, hash, length)?
        {
            return Ok(None);
        }
        let mut is_deliverer = false;
        let mut stored = self.stored(hash, |store, now| {
            is_deliverer = rows::is_deliverer(store, hash, caller.user)?;
            Ok(is_deliverer || rights::may_read(store, caller, hash, now)?)
        })?;
        if let Some(stored) = stored.as_mut().filter(|_| !is_deliverer) {
            stored.stored = Some(self.note(caller, hash, stored.length).await?);
        }
        Ok(stored)
    }

    /// Returns a file that is here whole, if it may be told, as of the newest commit: a restore to
    /// before it may have lost whose file it is.
    fn stored(
        &self,
        hash: BlobHash,
        may_tell: impl FnOnce(Store<'_>, Millis) -> Result<bool, Fault>,
    ) -> Result<Option<Progress>, BlobError> {
        let now = self.server.now();
        may_block(|| {
            self.server.read(|store| {
                let Some(length) = rows::length(store, hash)? else {
                    return Ok(None);
                };
                let newest = districts::head(store.sql, store.district)?.last;
                Ok(may_tell(store, now)?.then_some(Progress {
                    offset: length,
                    length,
                    stored: Some(newest),
                }))
            })
        })
    }

    /// Says whether an upload is the content of a mutation that was announced without it.
    fn is_content(&self, caller: &Caller, hash: BlobHash, bytes: u64) -> Result<bool, BlobError> {
        let is_announced = |store: Store<'_>| content::is_announced(store, caller, hash, bytes);
        let is_short = bytes <= MAX_FROZEN as u64;
        Ok(is_short && may_block(|| self.server.read(is_announced))?)
    }

    /// Hands a mutation's content to the door of mutations.
    async fn finish_content(
        &self,
        caller: &Caller,
        key: Key,
        upload: &Upload,
    ) -> Result<Progress, BlobError> {
        // It is far shorter than a piece.
        let bytes = may_block(|| upload.read()?.next())?;
        if BlobHash::of(&bytes) != key.hash {
            self.spool.discard(key)?;
            return Err(BlobError::HashMismatch);
        }
        let (caller, hash) = (caller.clone(), key.hash);
        let take = move |batch: &mut Batch<'_>| content::arrived(batch, &caller, hash, &bytes);
        let commit = self.server.writer().run_async(take).await?;
        self.spool.discard(key)?;
        Ok(Progress {
            offset: upload.length,
            length: upload.length,
            stored: Some(commit),
        })
    }

    /// Checks a whole upload, stores it and notes it in a commit.
    async fn finish(
        &self,
        caller: &Caller,
        key: Key,
        upload: &Upload,
    ) -> Result<Progress, BlobError> {
        if self.is_content(caller, key.hash, upload.length)? {
            return self.finish_content(caller, key, upload).await;
        }
        if !store::put(self.objects().await?, key.hash, upload).await? {
            self.spool.discard(key)?;
            return Err(BlobError::HashMismatch);
        }
        let bytes = upload.length;
        let commit = self.note(caller, key.hash, bytes).await?;
        self.thumbnails.note(key.hash, bytes);
        self.spool.discard(key)?;
        Ok(Progress {
            offset: bytes,
            length: bytes,
            stored: Some(commit),
        })
    }

    /// Notes that a file is here, and whose it is.
    async fn note(&self, caller: &Caller, hash: BlobHash, bytes: u64) -> Result<Commit, BlobError> {
        let owner = caller.enrolment;
        let note = move |batch: &mut Batch<'_>| rows::note_stored(batch, hash, bytes, owner);
        Ok(self.server.writer().run_async(note).await?)
    }
}

impl Progress {
    fn of(upload: &Upload) -> Self {
        Self {
            offset: upload.offset,
            length: upload.length,
            stored: None,
        }
    }
}

fn key(caller: &Caller, hash: BlobHash) -> Key {
    Key {
        owner: caller.enrolment,
        hash,
    }
}

/// Writes chunks as they come; whatever ends the stream, what was written is brought to the disk.
async fn receive<E>(
    upload: &Upload,
    mut chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<(), BlobError> {
    let mut file = upload.append()?;
    let ended = loop {
        match chunks.next().await {
            None => break Ok(()),
            Some(Err(_)) => break Err(BlobError::Cut),
            Some(Ok(chunk)) if file.push(&chunk)? => {}
            Some(Ok(_)) => break Err(BlobError::LongerThanAnnounced),
        }
    };
    may_block(|| file.finish())?;
    ended
}
