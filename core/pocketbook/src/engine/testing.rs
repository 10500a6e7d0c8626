//! A phone in a simulated world: real store, real files; the server is a closure.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use pocketbook_records::ids::{
    BlobHash, Commit, EnrolmentId, Epoch, Hex, RecordId, UserId, check8,
};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::receipt::{Outcome, Receipt, ReceiptRow};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{self, Answer, Certificate, EnrolAnswer, Frame, Put};
use serde_json::json;
use uuid::Uuid;

use super::call::{Credential, Server};
use super::{Engine, SyncEvent, SyncListener};
use crate::books::account;
use crate::photos::Size;
use crate::seams::folder::{Folder, KeyFolder};
use crate::seams::system::SystemEntropy;
use crate::seams::{
    Clock, Entropy, Facts, Network, Platform, Request, Response, Seams, Secret, Transport,
    TransportError,
};
use crate::store::Store;

/// What the server says.
pub(crate) struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<Result<Bytes, TransportError>>,
}

impl Said {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }

    pub(crate) fn body(mut self, media: &str, body: impl Into<Bytes>) -> Self {
        self.body = vec![Ok(body.into())];
        self.header("content-type", media)
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::status(status).body("text/html", "<html>please sign in to the hotel</html>")
    }

    pub(crate) fn problem(status: u16, kind: &str) -> Self {
        let problem = json!({"type": kind, "title": "x", "status": status});
        Self::status(status).body("application/problem+json", problem.to_string())
    }

    /// An answer and frames, as lines.
    pub(crate) fn lines(answer: &Answer, frames: &[Frame]) -> Self {
        let mut text = serde_json::to_string(answer).unwrap() + "\n";
        for frame in frames {
            text += &(serde_json::to_string(frame).unwrap() + "\n");
        }
        Self::status(200).body("application/x-ndjson", text)
    }

    /// Only so many bytes of the body arrive.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        if let Some(Ok(whole)) = self.body.first_mut() {
            whole.truncate(bytes);
        }
        self.body.push(Err(TransportError::Cut));
        self
    }

    pub(crate) fn body_len(&self) -> usize {
        self.body.iter().flatten().map(Bytes::len).sum()
    }

    /// The last bytes are missing, and nobody says so.
    pub(crate) fn shorten(&mut self, bytes: usize) {
        if let Some(Ok(last)) = self.body.last_mut() {
            last.truncate(last.len() - bytes);
        }
    }

    pub(crate) fn packed(mut self) -> Self {
        for piece in self.body.iter_mut().flatten() {
            let mut packed = Vec::new();
            flate2::read::GzEncoder::new(&piece[..], flate2::Compression::fast())
                .read_to_end(&mut packed)
                .unwrap();
            *piece = packed.into();
        }
        self.header("content-encoding", "gzip")
    }

    /// In pieces of so many bytes.
    pub(crate) fn in_pieces(mut self, bytes: usize) -> Self {
        let whole: Vec<Bytes> = self.body.drain(..).flatten().collect();
        let whole = whole.concat();
        self.body = whole
            .chunks(bytes)
            .map(|piece| Ok(piece.to_vec().into()))
            .collect();
        self
    }

    pub(crate) fn response(self) -> Response {
        Response {
            status: self.status,
            headers: self.headers,
            // One that must not be asked again after its end, as bodies of the network are.
            body: stream::unfold(self.body.into_iter(), |mut pieces| async move {
                let piece = pieces.next()?;
                Some((piece, pieces))
            })
            .boxed(),
        }
    }
}

type Handler = Box<dyn FnMut(&Request) -> Result<Said, TransportError> + Send>;

/// The line and who is at its other end.
pub(crate) struct Line {
    handler: Mutex<Handler>,
    pub(crate) asked: Mutex<Vec<Request>>,
}

impl Line {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            handler: Mutex::new(Box::new(|_| Err(TransportError::Unreachable))),
            asked: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn answers(
        &self,
        handler: impl FnMut(&Request) -> Result<Said, TransportError> + Send + 'static,
    ) {
        *self.handler.lock().unwrap() = Box::new(handler);
    }

    /// Returns what was asked: method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|request| format!("{request:?}"))
            .collect()
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let said = (self.handler.lock().unwrap())(&request);
        self.asked.lock().unwrap().push(request);
        tokio::task::yield_now().await;
        Ok(said?.response())
    }

    fn url(&self, path: &str) -> String {
        format!("https://qindu.example{path}")
    }
}

/// A clock that stands still until someone waits.
#[derive(Default)]
pub(crate) struct Still(AtomicI64);

impl Clock for Still {
    fn wall_ms(&self) -> Millis {
        1_790_000_000_000 + self.monotonic_ms()
    }

    fn monotonic_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn boot(&self) -> String {
        "boot".into()
    }

    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
        self.0
            .fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now().boxed()
    }
}

/// Counts.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, into: &mut [u8]) {
        for piece in into.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            let len = piece.len();
            piece.copy_from_slice(&count[8 - len..]);
        }
    }
}

/// The phone's network can be taken away.
pub(crate) struct Phone(pub(crate) AtomicBool);

impl Platform for Phone {
    fn facts(&self) -> Facts {
        let is_online = self.0.load(Ordering::SeqCst);
        Facts {
            network: if is_online {
                Network::Metered
            } else {
                Network::None
            },
            free_bytes: None,
            battery_percent: None,
            is_foreground: true,
        }
    }
}

/// Notes what it hears.
#[derive(Default)]
pub(crate) struct Ears(pub(crate) Mutex<Vec<SyncEvent>>);

impl SyncListener for Ears {
    fn changed(&self, event: SyncEvent) {
        self.0.lock().unwrap().push(event);
    }
}

/// One phone, enrolled.
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) line: Arc<Line>,
    pub(crate) clock: Arc<Still>,
    pub(crate) phone: Arc<Phone>,
    pub(crate) ears: Arc<Ears>,
    pub(crate) bundle_key: ed25519_dalek::SigningKey,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = Line::new();
        let clock = Arc::new(Still::default());
        let phone = Arc::new(Phone(AtomicBool::new(true)));
        let keys = KeyFolder::open(folder.path().join("keys"), Arc::new(SystemEntropy)).unwrap();
        let seams = Seams {
            clock: clock.clone(),
            entropy: Arc::new(Counting::default()),
            transport: line.clone(),
            keys: Arc::new(keys),
            files: Arc::new(Folder::open(folder.path().join("files")).unwrap()),
            platform: phone.clone(),
        };
        let store = account::open(folder.path(), "wang", seams).unwrap();
        let bundle_key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
        let answer = enrol_answer(&hex::encode(bundle_key.verifying_key().as_bytes()));
        store.adopt(&answer).unwrap();
        Self {
            store: Arc::new(store),
            line,
            clock,
            phone,
            ears: Arc::new(Ears::default()),
            bundle_key,
            _folder: folder,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(Arc::clone(&self.store), &credential(), self.ears.clone())
    }

    pub(crate) fn server(&self) -> Server {
        Server::new(self.line.clone(), &credential())
    }

    /// Authors a household and returns its id.
    pub(crate) fn author(&self) -> RecordId {
        let id = self.store.new_id();
        let kind = Kind::named("household").unwrap();
        let frozen = Frozen::new(kind, id, Op::Create, self.store.now().unwrap());
        self.store.author(frozen).unwrap();
        id
    }

    /// Authors a household with a photo, and returns the photo's name.
    pub(crate) fn author_with_photo(&self, seed: u8) -> BlobHash {
        let id = self.store.new_id();
        let kind = Kind::named("household").unwrap();
        let photo = self.store.take_photo(kind, id, &camera(seed), Size::Master);
        let (hash, _) = photo.unwrap();
        let mut frozen = Frozen::new(kind, id, Op::Create, self.store.now().unwrap());
        frozen.blobs.push(hash);
        self.store.author(frozen).unwrap();
        hash
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.store.status().unwrap().waiting
    }

    /// Returns the requests to `/v1/sync`, read.
    pub(crate) fn exchanges(&self) -> Vec<wire::Request> {
        let asked = self.line.asked.lock().unwrap();
        asked
            .iter()
            .filter(|request| request.path == "/v1/sync")
            .map(read_request)
            .collect()
    }
}

/// A picture with enough noise in it to be a few pieces long.
fn camera(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let pixels: Vec<u8> = (0..900 * 700 * 3).map(|_| noise()).collect();
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 90)
        .encode(&pixels, 900, 700, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    jpeg
}

pub(crate) fn credential() -> Credential {
    Credential {
        enrolment: EnrolmentId(Uuid::from_u128(7)),
        secret: Secret::new([9; 32]),
    }
}

pub(crate) fn my_scope() -> Scope {
    Scope::User(UserId(Uuid::from_u128(8)))
}

pub(crate) fn enrol_answer(bundle_key: &str) -> EnrolAnswer {
    let user = UserId(Uuid::from_u128(8));
    EnrolAnswer {
        enrolment: EnrolmentId(Uuid::from_u128(7)),
        user,
        name: "王".into(),
        district: "qindu".into(),
        epoch: Epoch(1),
        grants: vec![my_scope()],
        certificate: Certificate {
            enrolment: EnrolmentId(Uuid::from_u128(7)),
            user,
            secret_hash: Hex([0; 32]),
            at: 0,
            key_id: 1,
            signature: String::new(),
        },
        bundle_key: bundle_key.into(),
        sealing_key: String::new(),
    }
}

/// Reads a request as the server does.
pub(crate) fn read_request(request: &Request) -> wire::Request {
    let is_packed = request
        .headers
        .contains(&("content-encoding", "gzip".into()));
    let mut plain = Vec::new();
    if is_packed {
        flate2::read::GzDecoder::new(&request.body[..])
            .read_to_end(&mut plain)
            .unwrap();
    } else {
        plain.extend_from_slice(&request.body);
    }
    serde_json::from_slice(&plain).unwrap()
}

/// An answer at commit `n` that says nothing.
pub(crate) fn empty_answer(n: u32) -> Answer {
    serde_json::from_value(json!({
        "asof": {"epoch": 1, "commit": Commit::new(Epoch(1), n), "time": 1},
        "tag": "0000000000000000",
        "mac": "00000000000000000000000000000000",
        "contact": "c",
        "received_mseq": 0,
        "durable": 0,
        "minimum": {"pull": 1, "current": 1},
    }))
    .unwrap()
}

/// An answer that applies all that was handed in and catches up every scope read by pages.
pub(crate) fn good_answer(request: &wire::Request, n: u32) -> Answer {
    let commit = Commit::new(Epoch(1), n);
    let mut answer = empty_answer(n);
    if let Some(last) = request.mutations.last() {
        answer.receipts = vec![receipts(request, commit)];
        answer.received_mseq = last.mseq;
    }
    let asked = request
        .pull
        .as_ref()
        .map(|pull| pull.scopes.clone())
        .unwrap_or_default();
    answer.scopes = asked
        .into_keys()
        .map(|scope| {
            let page = wire::Page {
                cursor: format!("1.{n}.x"),
                through: commit,
                caught_up: true,
                total: Some(3),
                ..wire::Page::default()
            };
            (scope, page)
        })
        .collect();
    answer
}

fn receipts(request: &wire::Request, commit: Commit) -> ReceiptRow {
    let receipt = |mutation: &pocketbook_records::mutation::Mutation| Receipt {
        mid: mutation.mid,
        mseq: mutation.mseq,
        check: check8(mutation.frozen.get().as_bytes()),
        outcome: Outcome::Applied,
        rev: Some(commit),
        fates: Vec::new(),
        assigned: BTreeMap::new(),
        reason: None,
    };
    ReceiptRow {
        enrolment: request.enrolment,
        epoch: Epoch(1),
        commit,
        received_at: 1,
        receipts: request.mutations.iter().map(receipt).collect(),
        key_id: 1,
        mac: Hex([0; 16]),
    }
}

/// Answers every exchange well; frames are one empty last one per scope asked for.
pub(crate) fn good(request: &Request, n: u32) -> Said {
    let request = read_request(request);
    let answer = good_answer(&request, n);
    let wants_frames = |ask: &wire::Ask| matches!(ask.mode, wire::Mode::Frames { .. });
    let asked = request.pull.map(|pull| pull.scopes).unwrap_or_default();
    let frames: Vec<Frame> = asked
        .into_iter()
        .filter(|(_, ask)| wants_frames(ask))
        .map(|(scope, _)| frame(scope, n, &[], true))
        .collect();
    Said::lines(&answer, &frames)
}

/// A frame of households.
pub(crate) fn frame(scope: Scope, n: u32, ids: &[u128], last: bool) -> Frame {
    let commit = Commit::new(Epoch(1), n);
    let row = |id: &u128| Put {
        kind: "household".into(),
        id: RecordId(Uuid::from_u128(*id)),
        rev: commit,
        schema: 1,
        body: serde_json::value::RawValue::from_string(r#"{"grid":"g1"}"#.into()).unwrap(),
    };
    Frame {
        scope,
        cursor: format!("1.{n}.x"),
        commit,
        rows: ids.iter().map(row).collect(),
        links: Vec::new(),
        end: None,
        last,
    }
}
