//! Bodies: what comes in is bounded before it is believed, what goes out is compressed if asked.
//!
//! A limit counts *decoded* bytes: a gzip bomb stops where a plain body of that size would stop,
//! and a plain body is not read further than its limit either. What is no JSON of the right shape
//! becomes a [`Shown`] refusal of ours, never a text of the framework's.

use std::io::Write;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Shown;
use crate::may_block;

/// Below this the head of a gzip stream costs more than it saves.
const WORTH_COMPRESSING: usize = 1024;

/// Reading a body of this size takes long enough for others to wait.
const LONG: usize = 64 * 1024;

/// A middle level: on bodies of records it gives up 4 % of the size for half of the time.
pub(super) const LEVEL: Compression = Compression::new(4);

/// Reads a JSON body of at most `limit` decoded bytes.
pub(super) async fn read<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Shown> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Shown::NotJson);
    }
    let bytes = collect(&parts.headers, body, limit).await?;
    let read = || serde_json::from_slice(&bytes);
    let read = match bytes.len() {
        0..LONG => read(),
        _ => may_block(read),
    };
    read.map_err(|error| Shown::BadShape {
        line: error.line(),
        column: error.column(),
    })
}

/// Missing is taken for JSON, so that a `curl -d` without a header is told about its content.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    given.to_str().is_ok_and(|text| {
        let sort = text.split(';').next().unwrap_or_default().trim();
        sort.eq_ignore_ascii_case("application/json")
    })
}

async fn collect(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Shown> {
    let mut decoder = match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Decoder::Plain(Bounded::new(limit)),
        Some(b"gzip") => Decoder::Gzip(Box::new(GzDecoder::new(Bounded::new(limit)))),
        Some(_) => return Err(Shown::UnknownEncoding),
    };
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Shown::BodyCut)?;
        decoder.push(&chunk, limit)?;
    }
    decoder.finish(limit)
}

enum Decoder {
    Plain(Bounded),
    Gzip(Box<GzDecoder<Bounded>>),
}

impl Decoder {
    fn push(&mut self, chunk: &[u8], limit: usize) -> Result<(), Shown> {
        let (written, is_full) = match self {
            Self::Plain(to) => (to.write_all(chunk), to.is_full),
            Self::Gzip(decoder) => (decoder.write_all(chunk), decoder.get_ref().is_full),
        };
        match written {
            Ok(()) => Ok(()),
            Err(_) if is_full => Err(Shown::TooLarge { limit }),
            Err(_) => Err(Shown::BadGzip),
        }
    }

    fn finish(self, limit: usize) -> Result<Vec<u8>, Shown> {
        match self {
            Self::Plain(to) => Ok(to.bytes),
            Self::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes)),
                Err(_) if decoder.get_ref().is_full => Err(Shown::TooLarge { limit }),
                Err(_) => Err(Shown::BadGzip),
            },
        }
    }
}

/// A buffer that refuses the byte after its limit and remembers that it did.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Bounded {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            is_full: false,
        }
    }
}

impl Write for Bounded {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        if chunk.len() > self.limit - self.bytes.len() {
            self.is_full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Says whether the caller takes gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().any(|value| {
        value.to_str().is_ok_and(|text| {
            text.split(',').any(|item| {
                let mut parts = item.split(';').map(str::trim);
                let is_named = matches!(parts.next(), Some("gzip" | "*"));
                is_named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0"))
            })
        })
    })
}

/// A JSON answer; [`super::compressed`] packs it if the caller takes gzip.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let bytes = serde_json::to_vec(&self.0).expect("answers hold only text keys");
        let json = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, json)], bytes).into_response()
    }
}

/// Packs a whole answer.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), LEVEL);
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

/// Packs JSON and text answers that nobody has packed yet, for callers that take gzip.
pub(super) async fn compressed(request: Request, next: axum::middleware::Next) -> Response {
    let wanted = takes_gzip(request.headers());
    let answer = next.run(request).await;
    let is_text = answer
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|sort| sort.contains("json") && !sort.contains("ndjson"));
    if !is_text || answer.headers().contains_key(CONTENT_ENCODING) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    parts
        .headers
        .append(VARY, HeaderValue::from_static("accept-encoding"));
    // These bodies were made whole in memory by a handler, so there is nothing to wait for.
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_else(|_| Bytes::new());
    if !wanted || bytes.len() < WORTH_COMPRESSING {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts
        .headers
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(pack(&bytes)))
}
