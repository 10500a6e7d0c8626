//! `POST /v1/sync`: hand-in and pull in one exchange, answered line by line.
//!
//! The first line is ready when the push is on the disk. Frames are read from the database while
//! earlier ones are on their way, each line flushed on its own, so that a phone applies the first
//! records of a grid while the last are still unread here, and neither end holds the whole.

use std::io::Write;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use flate2::write::GzEncoder;
use futures_util::stream;
use pocketbook_records::wire;

use super::caller::{self, Phone};
use super::payload;
use super::problem::Shown;
use super::{Shell, docs};
use crate::Refusal;
use crate::feed::frames::Frames;

/// 同步：上交与下发 · Hand in and pull
///
/// Takes a `wire::Request`; see the project's `core/docs/sync.md` for its fields. Answers lines of
/// JSON: first one `Answer`, then `Frame`s of scopes asked for in mode `frames`. A line received
/// whole can be applied; a stream that breaks off is resumed after the last row applied.
#[utoipa::path(
    post, path = "/v1/sync", tag = "phone", security(("phone" = [])),
    request_body(content = Object, description = "`{proto, enrolment, echo?, settled_mseq, highest_mseq, pending, now, contact?, schema, pull?, mutations}`, gzip allowed, at most 4 MiB decoded"),
    responses(
        (status = 200, description = "`Answer` and `Frame` lines, gzip if accepted", body = String, content_type = "application/x-ndjson"),
        (status = 400, description = "`malformed`, `bad-gzip`, `body-cut`, `protocol`: the envelope; nothing was recorded. A bad mutation is no 400 but a receipt", body = docs::Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unknown-caller`: keep the outbox and enrol again", body = docs::Problem, content_type = "application/problem+json"),
        (status = 413, description = "`too-large`: send less at a time", body = docs::Problem, content_type = "application/problem+json"),
        (status = 503, description = "`disk-full`, `unavailable`: nothing was recorded, come back after `retry_after_ms`", body = docs::Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sync(
    State(shell): State<Shell>,
    phone: Result<Phone, Shown>,
    request: Request,
) -> Result<Response, Shown> {
    let takes_gzip = payload::takes_gzip(request.headers());
    let bearer = caller::bearer(request.headers())?.to_owned();
    let asked: Result<wire::Request, Shown> = payload::read(request, wire::MAX_REQUEST_BYTES).await;
    let (caller, asked) = match (phone, asked) {
        (Ok(Phone(caller)), asked) => (caller, asked?),
        (Err(Shown::Core(Refusal::UnknownCaller)), Ok(asked)) => {
            let certificate = asked.certificate.as_ref();
            (shell.server.readmit(&bearer, certificate).await?, asked)
        }
        (Err(refused), _) => return Err(refused),
    };
    let synced = shell.server.sync(&caller, asked).await?;
    let first = serde_json::to_vec(&synced.answer).map_err(|_| Shown::Panicked)?;

    let lines = Lines {
        first: Some(first),
        frames: synced.frames,
        pack: Pack::new(takes_gzip),
    };
    let body = Body::from_stream(stream::unfold(lines, Lines::next));
    let mut response = ([(CONTENT_TYPE, "application/x-ndjson")], body).into_response();
    if takes_gzip {
        let gzip = axum::http::HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

/// The lines of an answer that are still to be sent.
struct Lines {
    first: Option<Vec<u8>>,
    frames: Frames,
    pack: Pack,
}

impl Lines {
    /// Returns the next piece of the body. An error ends it without the end of the gzip stream, so
    /// that a phone never takes a broken answer for a whole one.
    async fn next(mut self) -> Option<(Result<Bytes, Refusal>, Self)> {
        if self.pack.is_over() {
            return None;
        }
        let line = match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self
                .frames
                .next()
                .await
                .map(|frame| frame.map(String::into_bytes)),
        };
        let piece = line.map(|line| match line {
            Some(line) => self.pack.line(&line),
            None => self.pack.end(),
        });
        if let Err(refusal) = &piece {
            tracing::error!(
                error = refusal as &dyn std::error::Error,
                "a stream of frames broke off"
            );
            self.pack = Pack::Over;
        }
        Some((piece, self))
    }
}

/// How lines become bytes.
enum Pack {
    Plain,
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Over,
}

impl Pack {
    fn new(gzip: bool) -> Self {
        if gzip {
            Self::Gzip(Box::new(GzEncoder::new(Vec::new(), payload::LEVEL)))
        } else {
            Self::Plain
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    fn line(&mut self, line: &[u8]) -> Bytes {
        match self {
            Self::Plain | Self::Over => [line, b"\n"].concat().into(),
            Self::Gzip(encoder) => {
                let packed = encoder
                    .write_all(line)
                    .and_then(|()| encoder.write_all(b"\n"))
                    .and_then(|()| encoder.flush());
                packed.expect("writing to memory does not fail");
                std::mem::take(encoder.get_mut()).into()
            }
        }
    }

    fn end(&mut self) -> Bytes {
        match std::mem::replace(self, Self::Over) {
            Self::Plain | Self::Over => Bytes::new(),
            Self::Gzip(encoder) => {
                let rest = encoder.finish();
                rest.expect("writing to memory does not fail").into()
            }
        }
    }
}
