//! Photos that others took: thumbnails come with the records, photos when somebody looks at them.
//!
//! A record names its photos by hash, and arrives before they do. So a photo may be here, or at the
//! server, or still on the phone of whoever took it ([`SyncError::NotThereYet`]); none of that holds
//! the record up. What arrived before a line broke counts within one call: the rest is asked for as
//! a range. The bytes are believed only if they hash to their name, and kept only while the record
//! that names them is on this device.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::{Key, ThumbnailsAnswer, ThumbnailsRequest};

use crate::engine::SyncError;
use crate::engine::call::{Server, Unpacked, read_json, refusal};
use crate::error::Error;
use crate::seams::{Method, Request, TransportError};
use crate::store::Store;

/// More bytes than an answer with thumbnails has.
const MAX_ANSWER: usize = 1024 * 1024;
/// More bytes than any thumbnail has.
const MAX_THUMBNAIL: usize = 32 * 1024;

/// Asks for thumbnails that records of this device lack, as many as one request may; says how many
/// came.
pub(crate) async fn fetch_thumbnails(server: &Server, store: &Store) -> Result<u64, SyncError> {
    let hashes = store.thumbnails_to_ask()?;
    let asked = serde_json::to_vec(&ThumbnailsRequest {
        hashes: hashes.clone(),
    })
    .map_err(Error::from)?;
    let request = Request::new(Method::Post, "/v1/thumbnails")
        .header("content-type", "application/json")
        .body(asked);
    let answer: ThumbnailsAnswer = read_json(server.ask(request).await?, MAX_ANSWER).await?;
    let mut came = BTreeMap::new();
    for (hash, jpeg) in answer.thumbnails {
        let jpeg = jpeg
            .map(|text| BASE64_STANDARD.decode(text))
            .transpose()
            .map_err(|_| SyncError::NotOurs)?;
        // Whatever else it may be, it is not shown to anyone, and asked for again.
        if jpeg.as_ref().is_none_or(|jpeg| is_thumbnail(jpeg)) {
            came.insert(hash, jpeg);
        }
    }
    store.take_thumbnails(&hashes, &came)?;
    Ok(came.values().flatten().count() as u64)
}

fn is_thumbnail(jpeg: &[u8]) -> bool {
    jpeg.len() <= MAX_THUMBNAIL && jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9])
}

/// More bytes than any photo has.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Fetches a photo that a record of this device names.
pub(crate) async fn fetch(
    server: &Server,
    store: &Store,
    of: &Key,
    hash: BlobHash,
) -> Result<(), SyncError> {
    if !store.names_photo(of, hash)? {
        return Err(Error::NotFound.into());
    }
    let mut master = Vec::new();
    loop {
        let had = master.len();
        match receive(server, hash, &mut master).await {
            Ok(()) => break,
            Err(SyncError::Transport(TransportError::Cut | TransportError::Timeout))
                if master.len() > had => {}
            Err(error) => return Err(error),
        }
    }
    if BlobHash::of(&master) != hash {
        return Err(SyncError::Forged);
    }
    Ok(store.keep_fetched(of, hash, &master)?)
}

/// Receives what is missing.
async fn receive(server: &Server, hash: BlobHash, have: &mut Vec<u8>) -> Result<(), SyncError> {
    let mut request = Request::new(Method::Get, format!("/v1/blobs/{hash}"));
    if !have.is_empty() {
        request = request.header("range", format!("bytes={}-", have.len()));
    }
    let response = server.send(request).await?;
    match response.status {
        206 => {}
        200 => have.clear(),
        _ => {
            return Err(match refusal(response).await {
                // The record may be read, so its photo may be too, once it is there.
                SyncError::Refused(problem) if problem.kind == "not-found" => {
                    SyncError::NotThereYet
                }
                // What is here is as long as what is there, and other than its name says.
                SyncError::Refused(problem) if problem.kind == "bad-range" => SyncError::Forged,
                error => error,
            });
        }
    }
    let mut body = Unpacked::new(response);
    while let Some(piece) = body.next().await? {
        if have.len() + piece.len() > MAX_BYTES {
            return Err(SyncError::NotOurs);
        }
        have.extend_from_slice(&piece);
    }
    Ok(())
}
