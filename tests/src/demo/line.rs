//! What a phone sends, and what the network does to whole requests: loses one, loses an answer,
//! delivers one twice. Under it lies real HTTP; the wire's own faults are the [`link`](pocketbook_tests::stack::link)'s.
//!
//! The line keeps what passed, so that a scene can tell at which offset an upload went on, and can
//! let the network bring old requests once more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt;
use pocketbook::seams::http::{AddressError, HttpTransport, Trust};
use pocketbook::seams::system::Workstation;
use pocketbook::seams::{
    Facts, Method, Network, Platform, Request, Response, Transport, TransportError,
};
use pocketbook_records::ids::BlobHash;

/// A piece that is delivered twice costs its time twice: large ones are spared.
const REPEATED_AT_MOST: usize = 64 * 1024;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Through,
    /// The server never hears of it.
    Lost,
    /// The server acts, the phone does not hear of it.
    AnswerLost,
    /// The server hears it twice.
    Twice,
}

impl Fate {
    /// Throws the dice for the nth request: the same every time.
    fn thrown(n: usize) -> Self {
        let digest = BlobHash::of(&n.to_be_bytes()).0;
        match digest[0] % ONE_OF {
            0 => Self::Lost,
            1 => Self::AnswerLost,
            2 => Self::Twice,
            _ => Self::Through,
        }
    }
}

/// A bad network begins with each of its tricks, so that none is left to chance, and goes on by
/// dice: whatever came in a fixed order could keep step with a phone's retries for ever.
const FIRST: [Fate; 3] = [Fate::AnswerLost, Fate::Twice, Fate::Lost];
/// Out of so many requests, one each is lost, loses its answer, arrives twice.
const ONE_OF: u8 = 8;

/// What the network did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Requests that the phone sent.
    pub(crate) sent: usize,
    /// Requests lost.
    pub(crate) lost: usize,
    /// Answers lost.
    pub(crate) answers_lost: usize,
    /// Requests delivered twice.
    pub(crate) twice: usize,
}

/// A request that passed, and the status that the phone heard.
#[derive(Clone)]
pub(crate) struct Passed {
    /// The request.
    pub(crate) request: Request,
    /// None if no answer came.
    pub(crate) status: Option<u16>,
}

#[derive(Default)]
struct State {
    is_bad: bool,
    tally: Tally,
    passed: Vec<Passed>,
}

/// One phone's line.
pub(crate) struct Line {
    http: HttpTransport,
    reception: Arc<Reception>,
    state: Mutex<State>,
}

impl Line {
    /// Returns a good line to an address.
    pub(crate) fn to(address: &str, reception: Arc<Reception>) -> Result<Self, AddressError> {
        let http = HttpTransport::new(address, &Trust::Web)?;
        Ok(Self {
            http,
            reception,
            state: Mutex::default(),
        })
    }

    /// Begins to lose and repeat.
    pub(crate) fn turns_bad(&self) {
        let mut state = self.lock();
        state.is_bad = true;
        state.tally = Tally::default();
    }

    /// Stops it; returns what it did.
    pub(crate) fn turns_good(&self) -> Tally {
        let mut state = self.lock();
        state.is_bad = false;
        state.tally
    }

    /// Returns what passed so far.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.lock().passed.clone()
    }

    /// Returns how many requests passed so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().passed.len()
    }

    /// The network brings an old request to the server once more; the phone hears nothing of it.
    pub(crate) async fn brings_again(&self, old: &Passed) -> Result<u16, TransportError> {
        let answer = self.http.send(old.request.clone()).await?;
        let status = answer.status;
        read_out(answer).await;
        Ok(status)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, request: &Request) -> Fate {
        let mut state = self.lock();
        let fate = match FIRST.get(state.tally.sent) {
            Some(fate) => *fate,
            None => Fate::thrown(state.tally.sent),
        };
        state.tally.sent += 1;
        if !state.is_bad || (fate == Fate::Twice && request.body.len() > REPEATED_AT_MOST) {
            return Fate::Through;
        }
        match fate {
            Fate::Through => {}
            Fate::Lost => state.tally.lost += 1,
            Fate::AnswerLost => state.tally.answers_lost += 1,
            Fate::Twice => state.tally.twice += 1,
        }
        fate
    }

    fn note(&self, request: &Request, status: Option<u16>) {
        self.lock().passed.push(Passed {
            request: request.clone(),
            status,
        });
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if !self.reception.is_there() {
            return Err(TransportError::Offline);
        }
        let fate = self.fate(&request);
        if fate == Fate::Lost {
            self.note(&request, None);
            return Err(TransportError::Cut);
        }
        if fate == Fate::Twice {
            read_out(self.http.send(request.clone()).await?).await;
        }
        let answer = self.http.send(request.clone()).await;
        if fate == Fate::AnswerLost {
            self.note(&request, None);
            read_out(answer?).await;
            return Err(TransportError::Timeout);
        }
        self.note(&request, answer.as_ref().ok().map(|answer| answer.status));
        answer
    }

    fn url(&self, path: &str) -> String {
        self.http.url(path)
    }
}

/// A body that is not read may not have been written.
async fn read_out(mut answer: Response) {
    while let Some(Ok(_)) = answer.body.next().await {}
}

/// Says which upload a request goes on with, and where.
pub(crate) fn appends(request: &Request) -> Option<(&str, u64)> {
    let hash = request.path.strip_prefix("/v1/blobs/")?;
    let (_, offset) = request
        .headers
        .iter()
        .find(|(name, _)| *name == "upload-offset")?;
    (request.method == Method::Patch).then(|| Some((hash, offset.parse().ok()?)))?
}

/// The bars at the top of a phone's screen: signal or flight mode.
#[derive(Debug)]
pub(crate) struct Reception {
    is_there: AtomicBool,
    machine: Workstation,
}

impl Reception {
    /// Returns good reception for a phone that keeps its files in a folder of this machine.
    pub(crate) fn over(machine: Workstation) -> Self {
        Self {
            is_there: AtomicBool::new(true),
            machine,
        }
    }

    /// Comes or goes.
    pub(crate) fn set(&self, is_there: bool) {
        self.is_there.store(is_there, Ordering::SeqCst);
    }

    fn is_there(&self) -> bool {
        self.is_there.load(Ordering::SeqCst)
    }
}

impl Platform for Reception {
    fn facts(&self) -> Facts {
        let facts = self.machine.facts();
        let network = if self.is_there() {
            facts.network
        } else {
            Network::None
        };
        Facts { network, ..facts }
    }
}
