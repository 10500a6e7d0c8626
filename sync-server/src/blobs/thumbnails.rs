//! Small pictures of photos, which travel beside a page.
//!
//! The server makes a thumbnail of the photo itself: so it shows what the photo shows, whoever
//! delivered it, and those of the desk have one too. It is made as soon as the photo is here and
//! nothing else keeps the press, at the latest when somebody asks. What was made is kept under
//! `thumbnails/`; it can be made again at any time, so no backup holds it.

use std::collections::BTreeMap;
use std::panic::catch_unwind;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use pocketbook_photos::thumbnail;
use pocketbook_records::ids::BlobHash;
use tokio::sync::{Mutex, OnceCell, Semaphore, mpsc};

use super::{BlobError, Blobs, rights, store};
use crate::{Caller, Refusal, Server, may_block};

/// Of a larger file no thumbnail is made: our phones' masters have a tenth of that.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Where thumbnails are kept.
pub(super) struct Thumbnails {
    folder: std::path::PathBuf,
    kept: OnceCell<LocalFileSystem>,
    /// One picture is decoded at a time: its pixels are the most memory that any request takes.
    press: Semaphore,
    /// Files that have just arrived, with their lengths.
    arrived: mpsc::Sender<(BlobHash, u64)>,
    arrivals: Mutex<mpsc::Receiver<(BlobHash, u64)>>,
}

/// So many files may wait for the press; of others a thumbnail is made when somebody asks.
const MOST_WAITING: usize = 1_024;

impl Thumbnails {
    pub(super) fn of(server: &Server) -> Self {
        let (arrived, arrivals) = mpsc::channel(MOST_WAITING);
        Self {
            folder: server.data().join("thumbnails"),
            kept: OnceCell::new(),
            press: Semaphore::new(1),
            arrived,
            arrivals: Mutex::new(arrivals),
        }
    }

    /// Notes that a file is here.
    pub(super) fn note(&self, hash: BlobHash, bytes: u64) {
        // If too many wait, this one waits for who asks.
        let _ = self.arrived.try_send((hash, bytes));
    }

    async fn kept(&self) -> Result<&LocalFileSystem, BlobError> {
        self.kept
            .get_or_try_init(async || store::open(&self.folder))
            .await
    }
}

impl Blobs {
    /// Makes thumbnails of files as they arrive, for ever.
    pub(crate) async fn press_arrivals(&self) {
        let mut arrivals = self.thumbnails.arrivals.lock().await;
        while let Some((hash, bytes)) = arrivals.recv().await {
            if let Err(error) = self.thumbnail(hash, bytes).await {
                tracing::warn!(%error, %hash, "a thumbnail was not made ahead");
            }
        }
    }

    /// Returns the thumbnails of those files that are here and that the caller may read; none for
    /// a file that no picture can be made of.
    ///
    /// # Errors
    /// See [`BlobError`].
    pub async fn thumbnails(
        &self,
        caller: &Caller,
        hashes: &[BlobHash],
    ) -> Result<BTreeMap<BlobHash, Option<Bytes>>, BlobError> {
        if caller.locked {
            return Err(Refusal::Locked.into());
        }
        let mut found = BTreeMap::new();
        for hash in hashes {
            let stored = self.stored(*hash, |store, now| {
                rights::may_read(store, caller, *hash, now)
            })?;
            if let Some(stored) = stored {
                match self.thumbnail(*hash, stored.length).await {
                    Ok(thumbnail) => drop(found.insert(*hash, thumbnail)),
                    // One file that can't be read must not stop the others: it is asked for again.
                    Err(error) => tracing::error!(%error, %hash, "a thumbnail could not be made"),
                }
            }
        }
        Ok(found)
    }

    async fn thumbnail(&self, hash: BlobHash, bytes: u64) -> Result<Option<Bytes>, BlobError> {
        let kept = self.thumbnails.kept().await?;
        if let Some(made) = made(kept, hash).await? {
            return Ok(made);
        }
        if bytes > MOST_BYTES {
            return Ok(None);
        }
        // The semaphore is never closed.
        let _turn = self.thumbnails.press.acquire().await;
        // Who was before may have wanted the same.
        if let Some(made) = made(kept, hash).await? {
            return Ok(made);
        }
        let pieces: Vec<Bytes> = store::read(self.objects().await?, hash, 0..bytes)
            .await?
            .try_collect()
            .await?;
        let photo = pieces.concat();
        let made = may_block(|| catch_unwind(|| thumbnail(&photo)));
        let jpeg = match made {
            Ok(Ok(jpeg)) => Some(Bytes::from(jpeg)),
            Ok(Err(error)) => {
                tracing::info!(%error, "a file has no thumbnail");
                None
            }
            Err(_) => {
                tracing::error!(%hash, "a file broke the decoder");
                None
            }
        };
        // Empty stands for none: what can't be read once can't be read the next time either.
        let note = jpeg.clone().unwrap_or_default();
        if let Err(error) = store::keep(kept, hash, note).await {
            tracing::warn!(%error, "a thumbnail was not kept");
        }
        Ok(jpeg)
    }
}

/// Returns what was made of a file before, if anything was: a thumbnail, or that there is none.
async fn made(kept: &LocalFileSystem, hash: BlobHash) -> Result<Option<Option<Bytes>>, BlobError> {
    Ok(match store::find(kept, hash).await? {
        Some(jpeg) if jpeg.is_empty() => Some(None),
        Some(jpeg) if is_whole(&jpeg) => Some(Some(jpeg)),
        _ => None,
    })
}

/// Says whether a kept file is what was written.
fn is_whole(jpeg: &Bytes) -> bool {
    jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9])
}
