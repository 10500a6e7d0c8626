//! Carries out what the mind decided: the only place where the engine waits.
//!
//! All that is under way are futures of one burst, polled together; no task lives on when the
//! burst is dropped. The store is called in line: its transactions are short, and whoever needs
//! the thread for something else runs the engine on one of its own.

mod asked;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use pocketbook_records::ids::{BlobHash, Mseq, UnitId};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{Answer, Ask, BundleVersion, Echo, Put, Request};

use self::asked::{asks_for_frames, moves_a_cursor};
use super::Engine;
use super::error::SyncError;
use super::exchange::{self, Frames};
use super::plan::{Answered, Effect, Event, Exchange, Heard, Photos, Piece, State, Streamed};
use super::report::{SyncEvent, SyncReport};
use crate::book_sync;
use crate::downloads;
use crate::error::Error;
use crate::seams::TransportError;
use crate::store::blobs::Upload;
use crate::store::hand_in::{BatchLimits, Start};
use crate::store::mirror::Applied;
use crate::uploads;

/// So many waiting photos are looked at; more are found when these are through.
const UPLOADS_SEEN: usize = 64;

/// A request is with the transport after so long.
const SEEN_OFF_MS: u64 = 1;

/// How an effect ended.
enum Ended {
    Exchange(Exchange, Result<Box<Said>, SyncError>),
    Stream(Result<Stream, SyncError>),
    Upload(BlobHash, Result<Piece, SyncError>),
    Thumbnails(Result<u64, SyncError>),
    Book(UnitId, Result<(), SyncError>),
}

/// An answer that is here and not yet taken in.
struct Said {
    answer: Answer,
    /// What follows it, if anything was asked for that does.
    frames: Option<Frames>,
    contact: Contact,
    asked: BTreeMap<Scope, Ask>,
    echo: Option<Echo>,
    witness: Vec<Put>,
    handed_in: usize,
    heard: Heard,
}

/// What an exchange did.
struct Exchanged {
    answered: Answered,
    handed_in: usize,
    settled: usize,
    rows: usize,
    offered: Vec<UnitId>,
    frames: Option<Frames>,
}

/// What a stream of frames did.
#[derive(Default)]
struct Stream {
    frames: usize,
    rows: usize,
    more: bool,
}

/// The work of one burst.
pub(crate) struct Burst<'e> {
    engine: &'e Engine,
    mind: &'e mut State,
    running: FuturesUnordered<BoxFuture<'e, Ended>>,
    /// What has ended and was not looked at yet.
    ended: VecDeque<Ended>,
    /// How long the last answer took to be taken in.
    busy_ms: i64,
    waiting: BTreeMap<BlobHash, Upload>,
    report: SyncReport,
    /// Why work does not go out, and why no news come in.
    failures: [Option<SyncError>; 2],
}

impl<'e> Burst<'e> {
    pub(crate) fn new(engine: &'e Engine, mind: &'e mut State) -> Self {
        Self {
            engine,
            mind,
            running: FuturesUnordered::new(),
            ended: VecDeque::new(),
            busy_ms: 0,
            waiting: BTreeMap::new(),
            report: SyncReport::default(),
            failures: [None, None],
        }
    }

    /// Lets the mind take an event, and begins what it names.
    pub(crate) fn take(&mut self, event: Event) -> Result<(), SyncError> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.mind.plan(event, self.engine.moment()) {
                match effect {
                    Effect::LookForPhotos => events.push_back(self.look_for_photos()?),
                    effect => self.begin(effect),
                }
            }
        }
        Ok(())
    }

    /// Waits for all that is under way and all that follows from it.
    pub(crate) async fn run(mut self) -> Result<SyncReport, SyncError> {
        while !self.running.is_empty() || !self.ended.is_empty() {
            let ended = match self.ended.pop_front() {
                Some(ended) => Some(ended),
                None => {
                    let kicked = std::pin::pin!(self.engine.kicked.notified());
                    match select(self.running.next(), kicked).await {
                        Either::Left((ended, _)) => ended,
                        Either::Right(_) => None,
                    }
                }
            };
            if let Some(ended) = ended {
                self.end(ended).await?;
            }
            for reason in self.engine.take_kicks() {
                self.take(Event::Kicked(reason))?;
            }
        }
        self.conclude()
    }

    fn look_for_photos(&mut self) -> Result<Event, SyncError> {
        let store = &self.engine.store;
        let waiting = store.next_uploads(UPLOADS_SEEN)?;
        let uploads = waiting.iter().map(|upload| upload.hash).collect();
        self.waiting = waiting
            .into_iter()
            .map(|upload| (upload.hash, upload))
            .collect();
        Ok(Event::PhotosWaiting(Photos {
            uploads,
            lack_thumbnails: !store.thumbnails_to_ask()?.is_empty(),
        }))
    }

    fn begin(&mut self, effect: Effect) {
        let engine = self.engine;
        let work = match effect {
            Effect::Exchange(exchange) => async move {
                let said = engine.converse(exchange).await;
                Ended::Exchange(exchange, said.map(Box::new))
            }
            .boxed(),
            Effect::Upload { hash, bytes } => {
                let Some(upload) = self.waiting.get(&hash).cloned() else {
                    return;
                };
                async move {
                    let server = engine.server();
                    let sent = uploads::send_piece(&server, &engine.store, &upload, bytes);
                    Ended::Upload(hash, sent.await)
                }
                .boxed()
            }
            Effect::FetchThumbnails => async move {
                let fetched = downloads::fetch_thumbnails(&engine.server(), &engine.store).await;
                Ended::Thumbnails(fetched)
            }
            .boxed(),
            Effect::ReadBook(unit) => async move {
                let read = book_sync::read_book(&engine.server(), &engine.store, &unit).await;
                Ended::Book(unit, read)
            }
            .boxed(),
            Effect::LookForPhotos => return,
        };
        self.running.push(work);
    }

    async fn end(&mut self, ended: Ended) -> Result<(), SyncError> {
        match ended {
            Ended::Exchange(exchange, Ok(mut said)) => {
                if let Start::Ahead(_) = exchange.start {
                    // Meanwhile this device was busy, not the line.
                    said.heard.took_ms = (said.heard.took_ms - self.busy_ms).max(0);
                }
                self.take(Event::Heard(said.heard))?;
                if said.heard.next.is_some() {
                    self.see_off().await;
                }
                let began_ms = self.engine.store.seams.clock.monotonic_ms();
                let taken = self.engine.take_in(exchange, *said);
                self.busy_ms = self.engine.store.seams.clock.monotonic_ms() - began_ms;
                match taken {
                    Ok(done) => self.exchanged(exchange, done),
                    Err(error) => self.unanswered(exchange, error),
                }
            }
            Ended::Exchange(exchange, Err(error)) => self.unanswered(exchange, error),
            Ended::Stream(Ok(stream)) => {
                self.report.rows += stream.rows as u64;
                self.take(Event::Streamed(Ok(Streamed {
                    more_news: stream.more,
                    is_fruitful: stream.frames > 0,
                })))
            }
            Ended::Stream(Err(error)) => {
                let event = Event::Streamed(Err(error.trouble()));
                self.note_failure(1, error);
                self.take(event)
            }
            Ended::Upload(hash, end) => {
                self.note_piece(hash, &end);
                // How far it is now is in the store.
                let waiting = self.look_for_photos()?;
                self.take(waiting)?;
                self.take(Event::Uploaded(hash, end.map_err(|error| error.trouble())))
            }
            Ended::Thumbnails(end) => {
                match &end {
                    Ok(0) => {}
                    Ok(came) => {
                        self.report.thumbnails += came;
                        self.tell(SyncEvent::Thumbnails);
                    }
                    Err(error) => self.put_off(error, "thumbnails wait"),
                }
                let waiting = self.look_for_photos()?;
                self.take(waiting)?;
                let end = end.map(drop).map_err(|error| error.trouble());
                self.take(Event::ThumbnailsFetched(end))
            }
            Ended::Book(unit, end) => {
                match &end {
                    Ok(()) => {
                        self.report.books += 1;
                        self.tell(SyncEvent::Book(unit.clone()));
                    }
                    Err(error) => self.put_off(error, "the pocket book waits"),
                }
                self.take(Event::BookRead(unit, end.map_err(|error| error.trouble())))
            }
        }
    }

    /// Lets what goes ahead get on its way before this device has its hands full.
    async fn see_off(&mut self) {
        let moment = self.engine.store.seams.clock.sleep(SEEN_OFF_MS);
        if let Either::Left((ended, _)) = select(self.running.next(), moment).await {
            self.ended.extend(ended);
        }
    }

    fn unanswered(&mut self, exchange: Exchange, error: SyncError) -> Result<(), SyncError> {
        let event = Event::Unanswered(error.trouble());
        self.note_failure(if exchange.hands_in() { 0 } else { 1 }, error);
        self.take(event)
    }

    fn exchanged(&mut self, exchange: Exchange, done: Exchanged) -> Result<(), SyncError> {
        self.report.exchanges += 1;
        self.report.handed_in += done.handed_in as u64;
        self.report.settled += done.settled as u64;
        self.report.rows += done.rows as u64;
        if exchange.hands_in() {
            self.failures[0] = None;
        }
        if exchange.pull {
            self.failures[1] = None;
            self.take(Event::BooksOffered(done.offered))?;
        }
        if let Some(frames) = done.frames {
            let engine = self.engine;
            let stream = async move { Ended::Stream(engine.take_frames(frames).await) };
            self.running.push(stream.boxed());
        }
        self.take(Event::Answered(done.answered))
    }

    /// The first failure of a burst says more than the attempts that followed from it.
    fn note_failure(&mut self, side: usize, error: SyncError) {
        tracing::info!(%error, "records wait");
        self.failures[side].get_or_insert(error);
    }

    fn note_piece(&mut self, hash: BlobHash, end: &Result<Piece, SyncError>) {
        match end {
            Ok(piece) => {
                self.report.pieces += 1;
                self.report.photos += u64::from(*piece == Piece::Last);
                self.tell(SyncEvent::Photo(hash));
            }
            Err(error) => self.put_off(error, "a photo waits"),
        }
    }

    fn put_off(&mut self, error: &SyncError, what: &'static str) {
        tracing::info!(%error, what);
        self.report.put_off += 1;
    }

    fn conclude(self) -> Result<SyncReport, SyncError> {
        let store = &self.engine.store;
        if let Some(free_bytes) = store.seams.platform.facts().free_bytes {
            store.make_room(free_bytes)?;
        }
        if let Some(error) = self.failures.into_iter().flatten().next() {
            return Err(error);
        }
        let moment = self.engine.moment();
        if let Some(due_ms) = self.mind.records_due_ms() {
            let ms = u64::try_from(due_ms - moment.ms).unwrap_or(0);
            return Err(match moment.is_online {
                true => SyncError::NotYet { ms },
                false => TransportError::Offline.into(),
            });
        }
        store.note_success()?;
        Ok(self.report)
    }

    fn tell(&self, event: SyncEvent) {
        self.engine.listener.changed(event);
    }
}

impl Engine {
    /// Sends a request and waits for its answer.
    async fn converse(&self, exchange: Exchange) -> Result<Said, SyncError> {
        if exchange.hands_in() {
            self.part_from_clone().await?;
        }
        if exchange.announces {
            self.store.announce_first(exchange.start)?;
        }
        let request = self.store.next_request(BatchLimits {
            bytes: exchange.bytes,
            count: exchange.count,
            start: exchange.start,
            pull: exchange.pull,
        })?;
        let written = exchange::write(&request).map_err(Error::from)?;
        let sent_bytes = written.bytes;
        let clock = Arc::clone(&self.store.seams.clock);
        let began_ms = clock.monotonic_ms();
        let (answer, frames) = exchange::begin(&self.server(), written).await?;
        let contact = Contact {
            token: answer.contact.clone(),
            boot: clock.boot(),
            monotonic_ms: clock.monotonic_ms(),
        };
        let heard = Heard {
            next: self.next_after(&request, exchange.start, &answer)?,
            sent_bytes,
            took_ms: contact.monotonic_ms - began_ms,
            out_of_order: answer.out_of_order.is_some(),
        };
        let asked = request.pull.map(|pull| pull.scopes).unwrap_or_default();
        let frames = match asks_for_frames(&asked) {
            true => Some(frames),
            false => {
                frames.see_out().await;
                None
            }
        };
        Ok(Said {
            answer,
            frames,
            contact,
            asked,
            echo: request.echo,
            witness: request.witness,
            handed_in: request.mutations.len(),
            heard,
        })
    }

    /// Returns from where work may go on before an answer is taken in: nothing unusual was said, so
    /// that nothing in it can change what goes.
    fn next_after(
        &self,
        request: &Request,
        start: Start,
        answer: &Answer,
    ) -> Result<Option<Mseq>, SyncError> {
        let Some(last) = request.mutations.last().map(|mutation| mutation.mseq) else {
            return Ok(None);
        };
        let epoch = request.echo.as_ref().map(|echo| echo.epoch);
        let is_usual = epoch == Some(answer.asof.epoch)
            && !matches!(start, Start::Asked(_))
            && request.witness.is_empty()
            && (last..=request.highest_mseq).contains(&answer.received_mseq)
            && answer.out_of_order.is_none()
            && answer.clone.is_none();
        match is_usual {
            true => Ok(self.store.waits_after(last)?),
            false => Ok(None),
        }
    }

    /// Takes an answer in.
    fn take_in(&self, exchange: Exchange, said: Said) -> Result<Exchanged, SyncError> {
        let Said {
            answer,
            frames,
            contact,
            asked,
            echo,
            witness,
            handed_in,
            ..
        } = said;
        let applied = self.store.apply_answer(&asked, &answer, contact)?;
        if echo.is_some_and(|echo| echo.epoch == answer.asof.epoch) {
            self.store.forget_witness(&witness)?;
        }
        let brings_back = applied.brings_back || !witness.is_empty();
        // What lies behind an answer that is no news was read when it was.
        let frames = frames.filter(|_| !applied.was_stale);
        self.tell_applied(&applied);
        Ok(Exchanged {
            handed_in,
            settled: applied.receipts,
            rows: applied.rows,
            offered: self.newer_books(&answer.bundles)?,
            answered: Answered {
                more_work: brings_back
                    || applied.is_shared
                    || (exchange.hands_in() && self.store.waits_after(Mseq(0))?.is_some()),
                more_news: exchange.pull
                    && (applied.more || applied.was_stale || applied.is_shared),
                is_fruitful: brings_back
                    || applied.receipts > 0
                    || applied.found > 0
                    || moves_a_cursor(&asked, &answer),
                out_of_order: answer.out_of_order,
                frames_follow: frames.is_some(),
                poll_after_ms: answer.retry_after_ms,
            },
            frames,
        })
    }

    /// Applies frames as they arrive. A stream that breaks off leaves more to come: what it
    /// brought is kept, and the next exchange asks for what follows.
    async fn take_frames(&self, mut frames: Frames) -> Result<Stream, SyncError> {
        let mut stream = Stream::default();
        loop {
            let group = match frames.next_group().await {
                Ok(group) if group.is_empty() => return Ok(stream),
                Ok(group) => group,
                Err(error) => {
                    tracing::info!(%error, "the stream of frames broke off");
                    stream.more = true;
                    return Ok(stream);
                }
            };
            let applied = self.store.apply_frames(&group)?;
            self.tell_applied(&applied);
            stream.frames += group.len();
            stream.rows += applied.rows;
            stream.more |= applied.more;
        }
    }

    fn tell_applied(&self, applied: &Applied) {
        let event = match applied.kinds.is_empty() {
            true => SyncEvent::Status,
            false => SyncEvent::Records(applied.kinds.clone()),
        };
        self.listener.changed(event);
    }

    fn newer_books(&self, offered: &[BundleVersion]) -> Result<Vec<UnitId>, SyncError> {
        let mut newer = Vec::new();
        for book in offered {
            if self.store.book_version(&book.unit)? < Some(book.version) {
                newer.push(book.unit.clone());
            }
        }
        Ok(newer)
    }
}
