//! Whole files in the object store: a local folder now, S3 by the same calls later.

#![expect(
    clippy::disallowed_methods,
    reason = "the object store's folder is made here"
)]

use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
};
use pocketbook_records::ids::BlobHash;
use sha2::{Digest, Sha256};

use super::BlobError;
use super::spool::Upload;
use crate::may_block;

/// Opens the folder; what it says is stored is on the disk.
pub(super) fn open(folder: &Path) -> Result<LocalFileSystem, BlobError> {
    std::fs::create_dir_all(folder)?;
    Ok(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
}

fn name(hash: BlobHash) -> Name {
    let hash = hash.to_string();
    let (shelf, rest) = hash.split_at(2);
    Name::from_iter([shelf, rest])
}

/// Puts a whole upload into the store while hashing it; `false` if it is not what its name says,
/// and nothing of it is kept. A file that is there already is the same one.
pub(super) async fn put(
    objects: &LocalFileSystem,
    hash: BlobHash,
    upload: &Upload,
) -> Result<bool, BlobError> {
    let mut writing = objects.put_multipart(&name(hash)).await?;
    match copy(writing.as_mut(), upload).await {
        Ok(found) if found == hash => {
            writing.complete().await?;
            Ok(true)
        }
        Ok(_) => {
            writing.abort().await?;
            Ok(false)
        }
        Err(error) => {
            // The first failure is the one to tell.
            let _ = writing.abort().await;
            Err(error)
        }
    }
}

async fn copy(writing: &mut dyn MultipartUpload, upload: &Upload) -> Result<BlobHash, BlobError> {
    let mut pieces = upload.read()?;
    let mut hasher = Sha256::new();
    loop {
        let piece = may_block(|| {
            let piece = pieces.next()?;
            hasher.update(&piece);
            io::Result::Ok(piece)
        })?;
        if piece.is_empty() {
            return Ok(BlobHash(hasher.finalize().into()));
        }
        writing.put_part(PutPayload::from(piece)).await?;
    }
}

/// Reads a range of a file.
pub(super) async fn read(
    objects: &LocalFileSystem,
    hash: BlobHash,
    range: Range<u64>,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>, BlobError> {
    let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
    Ok(objects
        .get_opts(&name(hash), options)
        .await?
        .into_stream()
        .boxed())
}

/// Reads a small file whole, if it is there.
pub(super) async fn find(
    objects: &LocalFileSystem,
    hash: BlobHash,
) -> Result<Option<Bytes>, BlobError> {
    match objects.get(&name(hash)).await {
        Ok(found) => Ok(Some(found.bytes().await?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Keeps a small file under a name.
pub(super) async fn keep(
    objects: &LocalFileSystem,
    hash: BlobHash,
    bytes: Bytes,
) -> Result<(), BlobError> {
    objects.put(&name(hash), bytes.into()).await?;
    Ok(())
}
