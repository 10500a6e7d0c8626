//! Photos and files on the wire: the tus 1.0 core over content-addressed names.

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::StreamExt;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::{MAX_THUMBNAILS, ThumbnailsAnswer, ThumbnailsRequest};

use super::caller::Anyone;
use super::path::In;
use super::payload::{self, Json};
use super::problem::Shown;
use super::{Shell, docs};
use crate::Refusal;
use crate::blobs::{MAX_BYTES, Progress, Wanted};

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The commit that noted the file as stored; the phone's copy may go once it is durable.
const STORED: HeaderName = HeaderName::from_static("pocketbook-stored");

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// The largest piece that our phones send.
const HEARD_OUT: usize = 1024 * 1024;

/// More than a hash takes in a request.
const HASH_BYTES: usize = 128;

/// 上传能力 · What the upload endpoint can do
#[utoipa::path(
    options, path = "/v1/blobs", tag = "blobs",
    responses((status = 204, description = "`Tus-Version`, `Tus-Extension`, `Tus-Max-Size`"))
)]
pub(super) async fn options() -> Response {
    let headers = [
        (TUS_RESUMABLE, VERSION),
        (TUS_VERSION, VERSION),
        (TUS_EXTENSION, HeaderValue::from_static("creation")),
        (TUS_MAX_SIZE, HeaderValue::from(MAX_BYTES)),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// 开始上传 · Announce a file
///
/// The location follows from the hash, so the call may be repeated. `Upload-Metadata: sha256
/// <base64 of the 64 hex letters>`.
#[utoipa::path(
    post, path = "/v1/blobs", tag = "blobs", security(("phone" = []), ("desk" = [])),
    params(
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = u64, Header, description = "Bytes of the file, at most 33554432"),
        ("Upload-Metadata" = String, Header, description = "sha256 and the base64 of its hex"),
    ),
    responses(
        (status = 201, description = "`Location`, `Upload-Offset`; `Pocketbook-Stored` if it is here whole"),
        (status = 400, description = "`bad-header`, `empty-upload`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 412, description = "`tus-version`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too-large`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(shell): State<Shell>,
    Anyone(caller): Anyone,
    headers: HeaderMap,
) -> Result<Response, Shown> {
    speaks_tus(&headers)?;
    let length = number(&headers, &UPLOAD_LENGTH).ok_or(Shown::BadHeader("upload-length"))?;
    let hash = announced_hash(&headers).ok_or(Shown::BadHeader("upload-metadata"))?;
    let progress = shell.blobs.announce(&caller, hash, length).await?;
    let mut response = progress_response(StatusCode::CREATED, progress);
    let location = HeaderValue::try_from(format!("/v1/blobs/{hash}"))
        .map_err(|_| Shown::BadHeader("upload-metadata"))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// 查询续传位置 · How far an upload is
#[utoipa::path(
    head, path = "/v1/blobs/{hash}", tag = "blobs", security(("phone" = []), ("desk" = [])),
    params(("hash" = String, Path, description = "SHA-256, hex")),
    responses(
        (status = 200, description = "`Upload-Offset`, `Upload-Length`; `Pocketbook-Stored` if it is here whole"),
        (status = 404, description = "No upload was begun"),
        (status = 460, description = "The bytes were not what their name says; begin anew"),
    )
)]
pub(super) async fn offset(
    State(shell): State<Shell>,
    Anyone(caller): Anyone,
    In(hash): In<BlobHash>,
) -> Result<Response, Shown> {
    let progress = shell.blobs.progress(&caller, hash).await?;
    let mut response = progress_response(StatusCode::OK, progress);
    let fresh = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, fresh);
    Ok(response)
}

/// 续传 · Append bytes
///
/// What arrived before a line broke counts. The last byte has the whole file checked.
#[utoipa::path(
    patch, path = "/v1/blobs/{hash}", tag = "blobs", security(("phone" = []), ("desk" = [])),
    params(
        ("hash" = String, Path, description = "SHA-256, hex"),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "Must be the offset that the server has"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "`Upload-Offset`; `Pocketbook-Stored` once the file is whole and safe"),
        (status = 404, description = "`no-upload`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 409, description = "`wrong-offset`, with the right one in `Upload-Offset`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 413, description = "`longer-than-announced`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 415, description = "`not-octets`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 460, description = "`hash-mismatch`: the upload begins anew", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn append(
    State(shell): State<Shell>,
    Anyone(caller): Anyone,
    In(hash): In<BlobHash>,
    request: Request,
) -> Result<Response, Shown> {
    let headers = request.headers();
    speaks_tus(headers)?;
    let is_octets = headers
        .get(CONTENT_TYPE)
        .is_some_and(|sort| sort == "application/offset+octet-stream");
    if !is_octets {
        return Err(Shown::NotOctets);
    }
    let offset = number(headers, &UPLOAD_OFFSET).ok_or(Shown::BadHeader("upload-offset"))?;
    let mut chunks = request.into_body().into_data_stream();
    let appended = shell.blobs.append(&caller, hash, offset, &mut chunks);
    match appended.await {
        Ok(progress) => Ok(progress_response(StatusCode::NO_CONTENT, progress)),
        Err(error) => {
            hear_out(chunks).await;
            Err(error.into())
        }
    }
}

/// Reads what a phone is still sending, so that it hears why it was refused and where to go on: a
/// connection closed over unread bytes takes the answer with it.
async fn hear_out(mut chunks: BodyDataStream) {
    let mut heard = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        heard += chunk.len();
        if heard > HEARD_OUT {
            break;
        }
    }
}

/// 取照片或文件 · Read a file, or a range of it
///
/// Only for who reads a record that refers to it, or delivered it and none refers to it yet.
#[utoipa::path(
    get, path = "/v1/blobs/{hash}", tag = "blobs", security(("phone" = []), ("desk" = [])),
    params(
        ("hash" = String, Path, description = "SHA-256, hex"),
        ("Range" = Option<String>, Header, description = "One range, `bytes=0-1023`"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, description = "`locked`", body = docs::Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`, also where the caller may not see it", body = docs::Problem, content_type = "application/problem+json"),
        (status = 416, description = "`bad-range`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read(
    State(shell): State<Shell>,
    Anyone(caller): Anyone,
    In(hash): In<BlobHash>,
    headers: HeaderMap,
) -> Result<Response, Shown> {
    // A range that we don't understand is ignored, as the standard has it.
    let wanted = headers
        .get(RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(Wanted::read);
    let reading = shell.blobs.read(&caller, hash, wanted).await?;
    let (range, bytes) = (reading.range, reading.bytes);
    let body = Body::from_stream(reading.body);
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (CONTENT_LENGTH, HeaderValue::from(range.end - range.start)),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        // Whoever loses the right to a record shall not find its photos in a cache.
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    let mut response = (headers, body).into_response();
    if wanted.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(CONTENT_RANGE, value);
        }
    }
    Ok(response)
}

/// 取缩略图 · Small pictures of photos
///
/// The server makes them of the photos; a photo that is not named in the answer is not there yet,
/// or not for the caller to see.
#[utoipa::path(
    post, path = "/v1/thumbnails", tag = "blobs", security(("phone" = []), ("desk" = [])),
    request_body(content = Object, description = "`{hashes}`, SHA-256 in hex, at most 16"),
    responses(
        (status = 200, description = "`{thumbnails}`: hash → JPEG of at most 8 KiB in base64, or null if no picture can be made of the file", body = Object),
        (status = 413, description = "`too-large`: ask for fewer", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn thumbnails(
    State(shell): State<Shell>,
    Anyone(caller): Anyone,
    request: Request,
) -> Result<Json<ThumbnailsAnswer>, Shown> {
    let asked: ThumbnailsRequest = payload::read(request, MAX_THUMBNAILS * HASH_BYTES).await?;
    if asked.hashes.len() > MAX_THUMBNAILS {
        return Err(Refusal::TooLarge.into());
    }
    let found = shell.blobs.thumbnails(&caller, &asked.hashes).await?;
    let written = found
        .into_iter()
        .map(|(hash, jpeg)| (hash, jpeg.map(|jpeg| BASE64_STANDARD.encode(jpeg))))
        .collect();
    Ok(Json(ThumbnailsAnswer {
        thumbnails: written,
    }))
}

fn speaks_tus(headers: &HeaderMap) -> Result<(), Shown> {
    match headers.get(TUS_RESUMABLE) {
        Some(version) if version == VERSION => Ok(()),
        _ => Err(Shown::TusVersion),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// Finds `sha256` among the pairs of `Upload-Metadata`.
fn announced_hash(headers: &HeaderMap) -> Option<BlobHash> {
    let pairs = headers.get(UPLOAD_METADATA)?.to_str().ok()?;
    let encoded = pairs
        .split(',')
        .find_map(|pair| pair.trim().strip_prefix("sha256 "))?;
    let hex = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    std::str::from_utf8(&hex).ok()?.parse().ok()
}

fn progress_response(status: StatusCode, progress: Progress) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(progress.offset));
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(progress.length));
    if let Some(commit) = progress.stored {
        headers.insert(STORED, HeaderValue::from(commit.0));
    }
    response
}
