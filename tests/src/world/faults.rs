//! What may happen to a request or its answer on the way.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use pocketbook::seams::{Body, Method, Request, Response, TransportError};

/// What happens to a request or its answer on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The server never hears of it.
    LoseRequest,
    /// The server acts, the phone does not hear of it.
    LoseAnswer,
    /// It arrives twice; the phone hears the second answer.
    Repeat,
    /// The server gets so many bytes of the body, then the line breaks.
    CutRequest(usize),
    /// The phone gets so many bytes of the answer's body, then the line breaks.
    CutAnswer(usize),
    /// As before, and the line stays dead until [`Line::comes_back`](super::Line::comes_back).
    DieAfter(usize),
    /// The phone gets so many bytes, then nothing and no end: to kill the app in the middle.
    FreezeAfter(usize),
    /// A hotel's sign-in page answers with status 200; the server never hears of it.
    SignInPage,
    /// Something in between answers with this status and no sentence of ours.
    Status(u16),
    /// Something in between answers with status 200, this type and this body.
    #[serde(skip)]
    Answer(#[serde(skip)] &'static str, #[serde(skip)] &'static str),
    /// Somebody answers with this status and a refusal in the server's form.
    #[serde(skip)]
    Refusal(u16, #[serde(skip)] &'static str),
    /// The server is busy and asks to come back in a minute.
    Busy,
    /// The server does not know the phone for the moment.
    Stranger,
    /// The server acts, dies before it answers, and is begun again.
    ServerDies,
    /// It takes so many milliseconds each way.
    Delay(i64),
    /// Something in between brings its copy of an answer that this address gave to this phone:
    /// the first is 0.
    OldAnswer(usize),
}

impl Fault {
    /// Returns what it is called, whatever its numbers.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoseRequest => "request lost",
            Self::LoseAnswer => "answer lost",
            Self::Repeat => "arrives twice",
            Self::CutRequest(_) => "request cut",
            Self::CutAnswer(_) => "answer cut",
            Self::DieAfter(_) => "line dies",
            Self::FreezeAfter(_) => "line freezes",
            Self::SignInPage => "sign-in page",
            Self::Status(_) => "proxy's error",
            Self::Answer(..) => "stranger's answer",
            Self::Refusal(..) => "refusal",
            Self::Busy => "server busy",
            Self::Stranger => "phone unknown",
            Self::ServerDies => "server dies answering",
            Self::Delay(_) => "delay",
            Self::OldAnswer(_) => "old answer",
        }
    }
}

/// Which requests a fault waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// The next one, whatever it is.
    Any,
    /// An exchange of records.
    Sync,
    /// A piece of a photo.
    Photo,
    /// A photo that is fetched.
    Fetch,
    /// Thumbnails that are fetched.
    Thumbnails,
    /// An enrolment.
    Enrol,
    /// A part or table of contents of the pocket book.
    Book,
}

impl On {
    pub(super) fn is_met_by(self, request: &Request) -> bool {
        match self {
            Self::Any => true,
            Self::Sync => request.path == "/v1/sync",
            Self::Photo => request.method == Method::Patch,
            Self::Fetch => request.method == Method::Get && request.path.starts_with("/v1/blobs/"),
            Self::Thumbnails => request.path == "/v1/thumbnails",
            Self::Enrol => request.path.starts_with("/v1/enrol"),
            Self::Book => request.path.starts_with("/v1/book/"),
        }
    }
}

/// What a server says that has too much to do.
pub(super) const BUSY: &str =
    r#"{"type":"busy","title":"busy","status":503,"retry_after_ms":60000}"#;
/// What a server says that does not know who asks.
pub(super) const STRANGER: &str = r#"{"type":"unknown-caller","title":"unknown","status":401}"#;

/// What a hotel answers to everything.
pub(super) const SIGN_IN: &str = "<!doctype html><title>欢迎使用免费无线网络</title><form>…</form>";

/// Returns what somebody else answers.
pub(super) fn page(status: u16, sort: &str, text: &'static str) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), sort.to_owned())],
        body: stream::iter([Ok(Bytes::from_static(text.as_bytes()))]).boxed(),
    }
}

/// Lets the first bytes of a body through.
pub(super) fn cut(body: Body, first: usize) -> Body {
    body.scan(first, |left, piece| {
        let piece = piece.map(|bytes| {
            let bytes = bytes.slice(..bytes.len().min(*left));
            *left -= bytes.len();
            bytes
        });
        let is_over = matches!(&piece, Ok(bytes) if bytes.is_empty());
        std::future::ready((!is_over).then_some(piece))
    })
    .boxed()
}

/// The end of a line that broke.
pub(super) fn broken() -> Body {
    stream::iter([Err(TransportError::Cut)]).boxed()
}
