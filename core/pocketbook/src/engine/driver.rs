//! Carries out what the mind decided: the only place where the engine waits.
//!
//! All that is under way are futures of one burst, polled together; no task lives on when the
//! burst is dropped. The store is called in line: its transactions are short, and whoever needs
//! the thread for something else runs the engine on one of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{Answer, Ask, BundleVersion, Mode};

use super::Engine;
use super::error::SyncError;
use super::exchange::{self, Frames};
use super::plan::{Answered, Effect, Event, Exchange, Photos, Piece, State, Streamed};
use super::report::{SyncEvent, SyncReport};
use crate::book_sync;
use crate::downloads;
use crate::error::Error;
use crate::seams::TransportError;
use crate::store::blobs::Upload;
use crate::store::hand_in::BatchLimits;
use crate::store::mirror::Applied;
use crate::store::status::SyncState;
use crate::uploads;

/// So many waiting photos are looked at; more are found when these are through.
const UPLOADS_SEEN: usize = 64;

/// How an effect ended.
enum Ended {
    Exchange(Exchange, Result<Box<Exchanged>, SyncError>),
    Stream(Result<Stream, SyncError>),
    Upload(BlobHash, Result<Piece, SyncError>),
    Thumbnails(Result<u64, SyncError>),
    Book(UnitId, Result<(), SyncError>),
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
        while !self.running.is_empty() {
            let kicked = std::pin::pin!(self.engine.kicked.notified());
            let ended = match select(self.running.next(), kicked).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => None,
            };
            if let Some(ended) = ended {
                self.end(ended)?;
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
                let done = engine.exchange(exchange).await;
                Ended::Exchange(exchange, done.map(Box::new))
            }
            .boxed(),
            Effect::Upload { hash, bytes } => {
                let Some(upload) = self.waiting.get(&hash).cloned() else {
                    return;
                };
                async move {
                    let sent = uploads::send_piece(&engine.server, &engine.store, &upload, bytes);
                    Ended::Upload(hash, sent.await)
                }
                .boxed()
            }
            Effect::FetchThumbnails => async move {
                let fetched = downloads::fetch_thumbnails(&engine.server, &engine.store).await;
                Ended::Thumbnails(fetched)
            }
            .boxed(),
            Effect::ReadBook(unit) => async move {
                let read = book_sync::read_book(&engine.server, &engine.store, &unit).await;
                Ended::Book(unit, read)
            }
            .boxed(),
            Effect::LookForPhotos => return,
        };
        self.running.push(work);
    }

    fn end(&mut self, ended: Ended) -> Result<(), SyncError> {
        match ended {
            Ended::Exchange(exchange, Ok(done)) => self.exchanged(exchange, *done),
            Ended::Exchange(exchange, Err(error)) => {
                let event = Event::Unanswered(error.trouble());
                self.note_failure(if exchange.hands_in() { 0 } else { 1 }, error);
                self.take(event)
            }
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
        if matches!(
            store.status()?.state,
            SyncState::Synced | SyncState::NeedsAttention
        ) {
            store.note_success()?;
        }
        Ok(self.report)
    }

    fn tell(&self, event: SyncEvent) {
        self.engine.listener.changed(event);
    }
}

impl Engine {
    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, SyncError> {
        let request = self.store.next_request(BatchLimits {
            bytes: exchange.bytes,
            count: exchange.count,
            from: exchange.from,
            pull: exchange.pull,
        })?;
        let handed_in = request.mutations.len();
        let waiting = request.pending.mutations;
        let written = exchange::write(&request).map_err(Error::from)?;
        let sent_bytes = written.bytes;
        let clock = Arc::clone(&self.store.seams.clock);
        let began_ms = clock.monotonic_ms();
        let (answer, frames) = exchange::begin(&self.server, written).await?;
        let contact = Contact {
            token: answer.contact.clone(),
            boot: clock.boot(),
            monotonic_ms: clock.monotonic_ms(),
        };
        let took_ms = contact.monotonic_ms - began_ms;
        let asked = request.pull.map(|pull| pull.scopes).unwrap_or_default();
        let applied = self.store.apply_answer(&asked, &answer, contact)?;
        if request
            .echo
            .is_some_and(|echo| echo.epoch == answer.asof.epoch)
        {
            self.store.forget_witness(&request.witness)?;
        }
        let brings_back = applied.brings_back || !request.witness.is_empty();
        self.tell_applied(&applied);
        Ok(Exchanged {
            handed_in,
            settled: applied.receipts,
            rows: applied.rows,
            offered: self.newer_books(&answer.bundles)?,
            answered: Answered {
                more_work: brings_back
                    || (exchange.hands_in() && waiting > applied.receipts as u64),
                more_news: exchange.pull && (applied.more || applied.was_stale),
                is_fruitful: brings_back || applied.receipts > 0 || moves_a_cursor(&asked, &answer),
                out_of_order: answer.out_of_order,
                frames_follow: asks_for_frames(&asked),
                poll_after_ms: answer.retry_after_ms,
                sent_bytes,
                took_ms,
            },
            frames: match asks_for_frames(&asked) {
                true => Some(frames),
                false => {
                    frames.see_out().await;
                    None
                }
            },
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

/// Says whether an answer brings a scope on that is read by pages, or says where one differs.
fn moves_a_cursor(asked: &BTreeMap<Scope, Ask>, answer: &Answer) -> bool {
    asked.iter().any(|(scope, ask)| {
        answer.scopes.get(scope).is_some_and(|page| match ask.mode {
            Mode::Pages => ask.cursor.as_ref() != Some(&page.cursor),
            Mode::Pairs { .. } => true,
            Mode::Frames { .. } | Mode::Parts { .. } => false,
        })
    })
}

fn asks_for_frames(asked: &BTreeMap<Scope, Ask>) -> bool {
    asked
        .values()
        .any(|ask| matches!(ask.mode, Mode::Frames { .. } | Mode::Parts { .. }))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::engine::Reason;
    use crate::engine::testing::{
        Said, World, empty_answer, frame, good, good_answer, my_scope, read_request,
    };

    /// Answers the nth exchange by `answer`, with commits that grow.
    fn nth(
        mut answer: impl FnMut(u32, &crate::seams::Request) -> Result<Said, TransportError>
        + Send
        + 'static,
    ) -> impl FnMut(&crate::seams::Request) -> Result<Said, TransportError> + Send {
        let count = AtomicU32::new(0);
        move |request| answer(count.fetch_add(1, Ordering::SeqCst) + 1, request)
    }

    #[tokio::test]
    async fn a_burst_ends_when_everything_is_in_step() {
        let world = World::new();
        world.author();
        world.line.answers(nth(|n, request| Ok(good(request, n))));

        let report = world.engine().sync_once(Reason::Asked).await.unwrap();

        assert_eq!(world.waiting(), 0);
        assert_eq!((report.handed_in, report.settled), (1, 1));
        assert_eq!(world.store.status().unwrap().state, SyncState::Synced);
        assert!(world.store.status().unwrap().last_success.is_some());
    }

    #[tokio::test]
    async fn nothing_that_is_no_receipt_takes_anything_out_of_the_outbox() {
        for said in [
            || Said::html(200),
            || Said::html(413),
            || Said::problem(400, "malformed"),
            || Said::problem(401, "unknown"),
            || Said::problem(403, "locked"),
            || Said::problem(503, "busy"),
            || Said::html(500),
            || Said::status(204),
            || Said::lines(&empty_answer(1), &[]),
            || Said::lines(&empty_answer(1), &[]).cut_after(30),
            || Said::lines(&empty_answer(1), &[]).packed().cut_after(30),
        ] {
            let world = World::new();
            world.author();
            world.line.answers(move |_| Ok(said()));

            let ended = world.engine().sync_once(Reason::Asked).await;

            assert!(ended.is_err());
            assert_eq!(world.waiting(), 1);
            assert!(world.line.asked().len() < 20, "hammers the server");
        }
    }

    #[tokio::test]
    async fn without_network_nothing_is_sent_and_the_worker_is_told() {
        let world = World::new();
        world.phone.0.store(false, Ordering::SeqCst);

        let ended = world.engine().sync_once(Reason::Asked).await;

        assert!(matches!(
            ended,
            Err(SyncError::Transport(TransportError::Offline))
        ));
        assert!(world.line.asked().is_empty());
    }

    #[tokio::test]
    async fn a_first_sync_that_breaks_off_goes_on_after_the_last_row() {
        let world = World::new();
        let frames = [
            frame(my_scope(), 1, &[1, 2], false),
            frame(my_scope(), 1, &[3], true),
        ];
        let rest = frames[1..].to_vec();
        world.line.answers(nth(move |n, request| {
            let answer = good_answer(&read_request(request), 1);
            Ok(match n {
                1 => Said::lines(&answer, &frames)
                    .cut_after(Said::lines(&answer, &frames[..1]).body_len() + 5),
                2 => Said::lines(&answer, &rest),
                _ => Said::lines(&answer, &[]),
            })
        }));

        let report = world.engine().sync_once(Reason::Opened).await.unwrap();

        let asked =
            |n: usize| world.exchanges()[n].pull.clone().unwrap().scopes[&my_scope()].clone();
        assert_eq!(report.rows, 3);
        assert_eq!(asked(0).mode, Mode::Frames { after: None });
        let Mode::Frames { after: Some(after) } = asked(1).mode else {
            panic!("starts anew")
        };
        assert_eq!(after.id.0.as_u128(), 2);
        assert_eq!(asked(2).mode, Mode::Pages);
        assert_eq!(world.store.status().unwrap().state, SyncState::Synced);
    }

    #[tokio::test]
    async fn pull_works_while_hand_in_fails() {
        let world = World::new();
        world.author();
        world.line.answers(nth(|n, request| {
            let has_work = !read_request(request).mutations.is_empty();
            Ok(if has_work {
                Said::html(500)
            } else {
                good(request, n)
            })
        }));

        let ended = world.engine().sync_once(Reason::Asked).await;

        assert!(matches!(ended, Err(SyncError::ServerFault { status: 500 })));
        assert_eq!(world.waiting(), 1);
        let status = world.store.status().unwrap();
        assert_eq!(status.state, SyncState::Waiting);
        assert!(status.last_contact.is_some());
    }

    #[tokio::test]
    async fn hand_in_works_while_pull_fails() {
        let world = World::new();
        world.author();
        world.line.answers(nth(|n, request| {
            let pulls = read_request(request).pull.is_some();
            Ok(if pulls {
                Said::html(500)
            } else {
                good(request, n)
            })
        }));

        let ended = world.engine().sync_once(Reason::Asked).await;

        assert!(matches!(ended, Err(SyncError::ServerFault { status: 500 })));
        assert_eq!(world.waiting(), 0);
    }

    #[tokio::test]
    async fn a_proxy_that_lets_little_through_gets_little_at_once() {
        let world = World::new();
        for _ in 0..400 {
            world.author();
        }
        world.line.answers(nth(|n, request| {
            let mutations = read_request(request).mutations.len();
            Ok(if mutations > 50 {
                Said::html(413)
            } else {
                good(request, n)
            })
        }));

        world.engine().sync_once(Reason::Asked).await.unwrap();

        assert_eq!(world.waiting(), 0);
    }

    #[tokio::test]
    async fn a_batch_that_began_too_late_is_sent_again_from_where_the_server_says() {
        let world = World::new();
        world.author();
        world.author();
        world.line.answers(nth(|n, request| {
            let mut answer = good_answer(&read_request(request), n);
            if n == 1 {
                answer.receipts.clear();
                answer.out_of_order = Some(pocketbook_records::ids::Mseq(1));
            }
            Ok(Said::lines(&answer, &[frame(my_scope(), n, &[], true)]))
        }));

        world.engine().sync_once(Reason::Asked).await.unwrap();

        assert_eq!(world.waiting(), 0);
        assert_eq!(world.exchanges()[1].mutations[0].mseq.0, 1);
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_again_and_nothing_is_authored_twice() {
        let world = World::new();
        world.author();
        let engine = world.engine();
        world.line.answers(|_| Err(TransportError::Cut));
        assert!(engine.sync_once(Reason::Asked).await.is_err());

        world.line.answers(nth(|n, request| Ok(good(request, n))));
        engine.sync_once(Reason::Asked).await.unwrap();

        let sent: Vec<_> = world
            .exchanges()
            .iter()
            .flat_map(|r| r.mutations.iter().map(|m| m.mid))
            .collect();
        assert!(sent.len() >= 2 && sent.iter().all(|mid| *mid == sent[0]));
        assert_eq!(world.waiting(), 0);
    }

    #[tokio::test]
    async fn a_server_that_asks_for_quiet_gets_it() {
        let world = World::new();
        let engine = world.engine();
        world
            .line
            .answers(|_| Ok(Said::html(503).header("retry-after", 60)));
        let first = engine.sync_once(Reason::Asked).await;
        assert!(matches!(
            first,
            Err(SyncError::Busy {
                retry_after_ms: 60_000
            })
        ));

        let second = engine.sync_once(Reason::Asked).await;

        assert!(matches!(second, Err(SyncError::NotYet { ms: 60_000.. })));
        assert_eq!(world.line.asked().len(), 1);
    }

    #[tokio::test]
    async fn work_authored_during_an_exchange_goes_in_the_same_burst() {
        let world = Arc::new(World::new());
        let engine = Arc::new(world.engine());
        let (author, kicks) = (Arc::downgrade(&world), Arc::downgrade(&engine));
        world.line.answers(nth(move |n, request| {
            let said = good(request, n);
            if n == 1 {
                author.upgrade().unwrap().author();
                kicks.upgrade().unwrap().kick(Reason::Authored);
            }
            Ok(said)
        }));

        engine.sync_once(Reason::Opened).await.unwrap();

        assert_eq!(world.waiting(), 0);
    }

    #[tokio::test]
    async fn stopping_ends_a_burst_and_leaves_everything_due() {
        let world = World::new();
        world.author();
        let engine = Arc::new(world.engine());
        let to_stop = Arc::downgrade(&engine);
        world.line.answers(move |_| {
            to_stop.upgrade().unwrap().stop();
            Ok(Said::html(500))
        });

        let ended = engine.sync_once(Reason::Asked).await;

        assert!(matches!(ended, Err(SyncError::Stopped)));
        assert_eq!(world.ears.0.lock().unwrap().last(), Some(&SyncEvent::Ended));
        world.line.answers(nth(|n, request| Ok(good(request, n))));
        engine.sync_once(Reason::Timer).await.unwrap();
        assert_eq!(world.waiting(), 0);
    }

    #[tokio::test]
    async fn running_asks_for_news_from_time_to_time_until_it_is_stopped() {
        let world = World::new();
        let engine = Arc::new(world.engine());
        let to_stop = Arc::downgrade(&engine);
        let times = Arc::new(Mutex::new(Vec::new()));
        let (clock, noted) = (Arc::clone(&world.clock), Arc::clone(&times));
        world.line.answers(nth(move |n, request| {
            noted
                .lock()
                .unwrap()
                .push(crate::seams::Clock::monotonic_ms(&*clock));
            if n == 5 {
                to_stop.upgrade().unwrap().stop();
            }
            Ok(good(request, n))
        }));

        engine.run().await;

        let times = times.lock().unwrap();
        assert_eq!(times[4] - times[3], 30_000);
    }
}
