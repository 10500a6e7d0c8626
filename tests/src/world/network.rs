//! The line between a phone and the town's server: in one process, and as bad as a test wants it.
//!
//! A request reaches the server's real router; what may happen to it on the way is a [`Fault`].
//! Faults are laid in the way one by one ([`Line::next`]) or drawn by a closure
//! ([`Line::weather`]). The line keeps what passed ([`Passed`]), so that a test can count bytes,
//! and let the network bring an old request once more ([`Line::repeats`]).

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::body::Body as AxumBody;
use axum::http;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use pocketbook::seams::{Method, Request, Response, Transport, TransportError};
use pocketbook_records::wire::{self, Frame};

use super::faults::{BUSY, Fault, On, SIGN_IN, STRANGER, broken, cut, page};
use super::town::Town;

/// A request that was sent, with as much of its answer as came back.
#[derive(Clone)]
pub struct Passed {
    /// The request.
    pub request: Request,
    /// The status that the phone saw; none if no answer came.
    pub status: Option<u16>,
    headers: Vec<(String, String)>,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} -> {:?}", self.request, self.status)
    }
}

impl Passed {
    /// Returns how many bytes of the answer's body came.
    pub fn answer_bytes(&self) -> usize {
        lock(&self.answer).len()
    }

    /// Returns the frames of a first sync that came whole.
    pub fn frames(&self) -> Vec<Frame> {
        let plain = self.answer();
        let whole = plain.split_inclusive(|byte| *byte == b'\n').skip(1);
        whole
            .filter(|line| line.ends_with(b"\n"))
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }

    /// Returns an exchange of records of which the phone heard at least the answer's first line.
    pub fn exchange(&self) -> Option<(wire::Request, wire::Answer)> {
        let asked = asked(&self.request);
        let answer = self.answer();
        let first = answer.split_inclusive(|byte| *byte == b'\n').next()?;
        let heard = first.ends_with(b"\n").then_some(first)?;
        Some((
            serde_json::from_slice(&asked).ok()?,
            serde_json::from_slice(heard).ok()?,
        ))
    }

    /// Returns what came of an exchange's answer, unpacked; a cut stream gives what came before.
    fn answer(&self) -> Vec<u8> {
        if self.request.path != "/v1/sync" {
            return Vec::new();
        }
        let is_packed = self
            .headers
            .iter()
            .any(|(name, value)| name == "content-encoding" && value == "gzip");
        unpacked(&lock(&self.answer), is_packed)
    }
}

/// Returns a request's body, unpacked.
pub fn asked(request: &Request) -> Vec<u8> {
    let headers = request.headers.iter();
    let is_packed = headers
        .into_iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("content-encoding") && value == "gzip");
    unpacked(&request.body, is_packed)
}

fn unpacked(bytes: &[u8], is_packed: bool) -> Vec<u8> {
    if !is_packed {
        return bytes.to_vec();
    }
    let mut plain = Vec::new();
    let _ = flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain);
    plain
}

const PROBLEM: &str = "application/problem+json";

type Weather = Box<dyn FnMut(&Request) -> Option<Fault> + Send>;

struct State {
    is_dead: bool,
    faults: VecDeque<(On, Fault)>,
    weather: Option<Weather>,
    passed: Vec<Passed>,
    met: Vec<Fault>,
}

/// One phone's line.
pub struct Line {
    town: Arc<Town>,
    state: Mutex<State>,
    frozen: Notify,
    /// The server's file store works on threads of its own: one request at a time, so that a seed
    /// repeats a run.
    turn: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// Returns a good line to the town's server.
    pub fn new(town: Arc<Town>) -> Self {
        let state = State {
            is_dead: false,
            faults: VecDeque::new(),
            weather: None,
            passed: Vec::new(),
            met: Vec::new(),
        };
        Self {
            town,
            state: Mutex::new(state),
            frozen: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Lays a fault in the way of the next request of a sort; several are met one after another.
    pub fn next(&self, on: On, fault: Fault) {
        self.lock().faults.push_back((on, fault));
    }

    /// Asks a closure about each request for which no fault lies ready.
    pub fn weather(&self, weather: impl FnMut(&Request) -> Option<Fault> + Send + 'static) {
        self.lock().weather = Some(Box::new(weather));
    }

    /// Clears the sky and all that lies in the way.
    pub fn is_good(&self) {
        let mut state = self.lock();
        state.weather = None;
        state.faults.clear();
        state.is_dead = false;
    }

    /// Lets no request through.
    pub fn dies(&self) {
        self.lock().is_dead = true;
    }

    /// Lets requests through again.
    pub fn comes_back(&self) {
        self.lock().is_dead = false;
    }

    /// Returns what passed since the world began.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed_since(0)
    }

    /// Returns what passed after the first so many.
    pub fn passed_since(&self, first: usize) -> Vec<Passed> {
        self.lock().passed[first..].to_vec()
    }

    /// Returns the faults that requests have met since this was asked last.
    pub fn met(&self) -> Vec<Fault> {
        std::mem::take(&mut self.lock().met)
    }

    /// Returns the bytes of all bodies sent to an address that begins so.
    pub fn bytes_sent_to(&self, path: &str) -> usize {
        let state = self.lock();
        let there = state
            .passed
            .iter()
            .filter(|passed| passed.request.path.starts_with(path));
        there.map(|passed| passed.request.body.len()).sum()
    }

    /// Resolves when an answer froze.
    pub async fn frozen(&self) {
        self.frozen.notified().await;
    }

    /// The network brings an old request to the server once more; the phone hears nothing of it.
    /// Returns the status that it would have heard.
    pub async fn repeats(&self, old: &Passed) -> u16 {
        self.repeats_as(old, None).await
    }

    /// The same, with another's credential in the place of its own.
    pub async fn repeats_as(&self, old: &Passed, bearer: Option<&str>) -> u16 {
        let mut again = old.request.clone();
        for (name, value) in &mut again.headers {
            if let Some(bearer) = bearer.filter(|_| name.eq_ignore_ascii_case("authorization")) {
                *value = format!("Bearer {bearer}");
            }
        }
        match self.reach(&again, None).await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // The body is read, since the server may act while it is.
                let read = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
                read.map_or(0, |_| status)
            }
            Err(_) => 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn fault_for(&self, request: &Request) -> Result<Option<Fault>, TransportError> {
        let mut state = self.lock();
        if state.is_dead {
            return Err(TransportError::Offline);
        }
        let ready = state
            .faults
            .iter()
            .position(|(on, _)| on.is_met_by(request));
        let ready = ready
            .and_then(|at| state.faults.remove(at))
            .map(|(_, fault)| fault);
        let met = ready.or_else(|| state.weather.as_mut().and_then(|weather| weather(request)));
        state.met.extend(met);
        Ok(met)
    }

    /// Hands a request to the server's router; `first` cuts its body.
    async fn reach(
        &self,
        request: &Request,
        first: Option<usize>,
    ) -> Result<http::Response<AxumBody>, TransportError> {
        let body = match first {
            None => AxumBody::from(request.body.clone()),
            Some(first) => {
                let head = request.body.slice(..first.min(request.body.len()));
                let broken = io::Error::from(io::ErrorKind::ConnectionReset);
                AxumBody::from_stream(stream::iter([Ok(head), Err(broken)]))
            }
        };
        let mut asked = http::Request::builder()
            .method(method(request.method))
            .uri(&request.path)
            .body(body)
            .map_err(|_| TransportError::Garbled)?;
        for (name, value) in &request.headers {
            let value = http::HeaderValue::from_str(value).map_err(|_| TransportError::Garbled)?;
            asked.headers_mut().append(*name, value);
        }
        let _turn = self.turn.lock().await;
        self.town
            .answers(asked)
            .await
            .ok_or(TransportError::Unreachable)
    }

    /// Turns the server's answer into what the phone sees of it.
    fn bring(
        &self,
        request: &Request,
        answer: http::Response<AxumBody>,
        fault: Option<Fault>,
    ) -> Response {
        let (parts, body) = answer.into_parts();
        let headers: Vec<_> = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let status = parts.status.as_u16();
        let came = Arc::default();
        self.lock().passed.push(Passed {
            request: request.clone(),
            status: Some(status),
            headers: headers.clone(),
            answer: Arc::clone(&came),
        });
        let whole = body
            .into_data_stream()
            .map(|piece| piece.map_err(|_| TransportError::Cut))
            .boxed();
        let body = match fault {
            Some(Fault::CutAnswer(first)) => cut(whole, first).chain(broken()).boxed(),
            Some(Fault::DieAfter(first)) => {
                self.lock().is_dead = true;
                cut(whole, first).chain(broken()).boxed()
            }
            Some(Fault::FreezeAfter(first)) => {
                self.frozen.notify_one();
                cut(whole, first).chain(stream::pending()).boxed()
            }
            _ => whole,
        };
        let body = body
            .then(async |piece| {
                takes_a_turn().await;
                piece
            })
            .inspect(move |piece| {
                if let Ok(piece) = piece {
                    lock(&came).extend_from_slice(piece);
                }
            })
            .boxed();
        Response {
            status,
            headers,
            body,
        }
    }

    fn note_unanswered(&self, request: &Request) {
        self.lock().passed.push(Passed {
            request: request.clone(),
            status: None,
            headers: Vec::new(),
            answer: Arc::default(),
        });
    }

    fn old_answer(&self, request: &Request, n: usize) -> Option<Response> {
        let state = self.lock();
        let there =
            |passed: &&Passed| passed.request.path == request.path && passed.status.is_some();
        let old = state.passed.iter().filter(there).nth(n)?;
        let bytes = Bytes::from(lock(&old.answer).clone());
        Some(Response {
            status: old.status?,
            headers: old.headers.clone(),
            body: stream::iter([Ok(bytes)]).boxed(),
        })
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let fault = self.fault_for(&request)?;
        match fault {
            Some(Fault::LoseRequest) => {
                self.note_unanswered(&request);
                return Err(TransportError::Cut);
            }
            Some(Fault::CutRequest(first)) => {
                let sent = request.body.slice(..first.min(request.body.len()));
                self.note_unanswered(&Request {
                    body: sent,
                    ..request.clone()
                });
                // What the server says to half a request, nobody hears.
                let _ = self.reach(&request, Some(first)).await;
                return Err(TransportError::Cut);
            }
            Some(Fault::SignInPage) => return Ok(page(200, "text/html; charset=utf-8", SIGN_IN)),
            Some(Fault::Status(status)) => {
                return Ok(page(status, "text/html", "<html>proxy</html>"));
            }
            Some(Fault::Answer(sort, text)) => return Ok(page(200, sort, text)),
            Some(Fault::Refusal(status, text)) => {
                return Ok(page(status, PROBLEM, text));
            }
            Some(Fault::Busy) => return Ok(page(503, PROBLEM, BUSY)),
            Some(Fault::Stranger) => return Ok(page(401, PROBLEM, STRANGER)),
            Some(Fault::OldAnswer(n)) => {
                if let Some(old) = self.old_answer(&request, n) {
                    return Ok(old);
                }
            }
            Some(Fault::Delay(ms)) => self.town.time.passes(ms),
            Some(Fault::Repeat) => {
                let first = self.reach(&request, None).await?;
                // A body that is not read may not be written.
                let _ = axum::body::to_bytes(first.into_body(), usize::MAX).await;
            }
            _ => {}
        }
        let answer = self.reach(&request, None).await?;
        takes_a_turn().await;
        match fault {
            Some(Fault::LoseAnswer) => {
                let _ = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
                self.note_unanswered(&request);
                return Err(TransportError::Timeout);
            }
            Some(Fault::ServerDies) => {
                drop(answer);
                self.town.dies();
                self.note_unanswered(&request);
                return Err(TransportError::Cut);
            }
            Some(Fault::Delay(ms)) => self.town.time.passes(ms),
            _ => {}
        }
        Ok(self.bring(&request, answer, fault))
    }

    fn url(&self, path: &str) -> String {
        format!("http://town.invalid{path}")
    }
}

/// What is under way takes a turn of whoever waits for it: meanwhile an app can be killed.
async fn takes_a_turn() {
    tokio::task::yield_now().await;
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Patch => http::Method::PATCH,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
