//! Photos that others took: fetched when somebody looks at them, and kept.
//!
//! A record names its photos by hash, and arrives before they do. So a photo may be here, or at the
//! server, or still on the phone of whoever took it ([`SyncError::NotThereYet`]); none of that holds
//! the record up. What arrived before a line broke counts within one call: the rest is asked for as
//! a range. The bytes are believed only if they hash to their name, and kept only while the record
//! that names them is on this device.

use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::Key;

use crate::engine::SyncError;
use crate::engine::call::{Server, Unpacked, refusal};
use crate::error::Error;
use crate::seams::{Method, Request, TransportError};
use crate::store::Store;

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
