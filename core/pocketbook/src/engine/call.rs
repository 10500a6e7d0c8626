//! Calls to the server: who asks, what came back, unpacked and bounded.
//!
//! Whatever answers may be anyone: a proxy, the sign-in page of a hotel, a server cut off in the
//! middle of a word. So every body has a limit that counts *unpacked* bytes, is unpacked in small
//! pieces (a bomb is stopped before it grows), and a refusal counts as the server's own only if it
//! is written as one.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use futures_util::StreamExt;
use futures_util::stream::Fuse;
use pocketbook_records::ids::EnrolmentId;
use pocketbook_records::wire::Problem;
use serde::de::DeserializeOwned;

use super::error::SyncError;
use crate::seams::{Body, Request, Response, Secret, Transport, TransportError};
use crate::store::Store;

/// The longest body of a refusal that is read.
const MAX_PROBLEM: usize = 64 * 1024;
/// So many packed bytes are unpacked at once: 16 MiB at the very most.
const PIECE: usize = 16 * 1024;
/// Smaller bodies are not worth packing.
const WORTH_PACKING: usize = 512;

/// Who this account on this phone is to the server.
#[derive(Debug)]
pub struct Credential {
    /// The identity.
    pub enrolment: EnrolmentId,
    /// Its proof.
    pub secret: Secret,
}

impl Credential {
    /// Returns the credential of whoever is enrolled in a store.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`](crate::Error::NotEnrolled), or the keystore's refusal.
    pub fn of(store: &Store) -> crate::Result<Self> {
        Ok(Self {
            enrolment: store.account()?.enrolment,
            secret: store.enrolment_secret()?,
        })
    }
}

/// The server, as one account sees it.
#[derive(Clone)]
pub(crate) struct Server {
    transport: Arc<dyn Transport>,
    bearer: Option<Arc<str>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    pub(crate) fn new(transport: Arc<dyn Transport>, credential: &Credential) -> Self {
        let secret = hex::encode(credential.secret.bytes());
        let bearer = format!("Bearer {}.{secret}", credential.enrolment);
        Self {
            transport,
            bearer: Some(bearer.into()),
        }
    }

    /// Returns the server as someone sees it who is not enrolled yet.
    pub(crate) fn unknown(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            bearer: None,
        }
    }

    /// Sends a request; any status is a response.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SyncError> {
        let request = match &self.bearer {
            Some(bearer) => request.header("authorization", bearer.as_ref()),
            None => request,
        };
        Ok(self.transport.send(request).await?)
    }

    /// Sends a request and takes success only.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, SyncError> {
        let response = self.send(request.header("accept-encoding", "gzip")).await?;
        if (200..300).contains(&response.status) {
            Ok(response)
        } else {
            Err(refusal(response).await)
        }
    }

    /// Returns the address and headers by which a platform's own uploader reaches a path.
    pub(crate) fn address(&self, path: &str) -> (String, Vec<(&'static str, String)>) {
        let authorization = self.bearer.iter().map(|b| ("authorization", b.to_string()));
        (self.transport.url(path), authorization.collect())
    }
}

/// Reads what a response that is no success means.
pub(crate) async fn refusal(response: Response) -> SyncError {
    let status = response.status;
    let told_wait_ms = response
        .header("retry-after")
        .and_then(|seconds| seconds.parse::<u64>().ok())
        .map(|seconds| seconds.saturating_mul(1000));
    let problem: Option<Problem> = if is_of_type(&response, "application/problem+json") {
        read_json(response, MAX_PROBLEM).await.ok()
    } else {
        None
    };
    SyncError::of_status(status, problem, told_wait_ms)
}

/// Says whether a body claims to be of a type.
pub(crate) fn is_of_type(response: &Response, wanted: &str) -> bool {
    let media = response.header("content-type").unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(wanted)
}

/// Reads a whole body as JSON.
pub(crate) async fn read_json<T: DeserializeOwned>(
    response: Response,
    limit: usize,
) -> Result<T, SyncError> {
    let text = read_whole(response, limit).await?;
    serde_json::from_slice(&text).map_err(|_| SyncError::NotOurs)
}

/// Reads a whole body.
pub(crate) async fn read_whole(response: Response, limit: usize) -> Result<Vec<u8>, SyncError> {
    let mut unpacked = Unpacked::new(response);
    let mut whole = Vec::new();
    while let Some(piece) = unpacked.next().await? {
        if whole.len() + piece.len() > limit {
            return Err(SyncError::NotOurs);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// Packs a body; says whether it did.
pub(crate) fn pack(plain: Vec<u8>) -> (Bytes, bool) {
    if plain.len() < WORTH_PACKING {
        return (plain.into(), false);
    }
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    match packer.write_all(&plain).and_then(|()| packer.finish()) {
        Ok(packed) => (packed.into(), true),
        // Memory doesn't refuse bytes; if it did, they would go as they are.
        Err(_) => (plain.into(), false),
    }
}

/// A body as it arrives, unpacked.
pub(crate) struct Unpacked {
    body: Fuse<Body>,
    gzip: Option<GzDecoder<Vec<u8>>>,
    packed: Bytes,
}

impl Unpacked {
    pub(crate) fn new(response: Response) -> Self {
        let is_packed = response.header("content-encoding") == Some("gzip");
        Self {
            body: response.body.fuse(),
            gzip: is_packed.then(|| GzDecoder::new(Vec::new())),
            packed: Bytes::new(),
        }
    }

    /// Returns the next bytes, never empty; nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, SyncError> {
        loop {
            if self.packed.is_empty() {
                let Some(arrived) = self.body.next().await else {
                    return self.end();
                };
                self.packed = arrived?;
            }
            let Some(gzip) = &mut self.gzip else {
                let plain = std::mem::take(&mut self.packed);
                if plain.is_empty() {
                    continue;
                }
                return Ok(Some(plain));
            };
            let piece = self.packed.split_to(self.packed.len().min(PIECE));
            // The flush brings out what is known so far: a line must not wait for the next one.
            gzip.write_all(&piece)
                .and_then(|()| gzip.flush())
                .map_err(|_| SyncError::NotOurs)?;
            let plain = std::mem::take(gzip.get_mut());
            if !plain.is_empty() {
                return Ok(Some(plain.into()));
            }
        }
    }

    /// A packed body carries its own check; without it the end is a cut.
    fn end(&mut self) -> Result<Option<Bytes>, SyncError> {
        let Some(gzip) = self.gzip.take() else {
            return Ok(None);
        };
        let rest = gzip.finish().map_err(|_| TransportError::Cut)?;
        Ok((!rest.is_empty()).then(|| rest.into()))
    }
}
