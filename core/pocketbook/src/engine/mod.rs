//! The engine: brings the device and its server in step, whenever there is a line.
//!
//! # One round
//! Something happens: work was authored, the app came to the foreground, a network appeared, time
//! passed. The engine's mind (`plan`) turns that into effects; the driver (`driver`) carries
//! them out and tells the mind how they ended. First an *exchange* of records (`exchange`): the
//! head of the outbox out, receipts and news in, a first sync's frames applied while the rest of
//! them arrives. Then photos ([`crate::uploads`]), three at once, piece by piece, and the pocket
//! book ([`crate::book_sync`]). This goes on until nothing is due: a *burst*.
//!
//! # Who runs it
//! Nobody's thread. [`Engine::sync_once`] is one burst, for a background worker that the platform
//! wakes; [`Engine::run`] is burst after burst for as long as someone polls it. Dropping either
//! future, or [`Engine::stop`], ends it between two steps; whatever was under way is still due.
//!
//! # What it promises
//! - No answer, however wrong, takes anything out of the outbox: that is up to a receipt in the
//!   store, and the store is not asked by a garbled answer.
//! - Pull works with a failing hand-in and the other way round; photos delay no record; one bad
//!   item stops nothing else.
//! - What was received whole before a cut is kept.
//! - A server that asks for quiet gets it, and a thousand phones do not come back in one moment.
//!
//! # What it refuses
//! To be called "in step" by itself: 已同步 is computed in the store ([`Store::status`]). To hold
//! data for the screens: a [`SyncListener`] hears *what is stale* and asks the books again.

mod beside;
pub(crate) mod call;
mod driver;
mod enrol;
mod error;
mod exchange;
mod pace;
mod plan;
mod records;
mod report;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{Either, select};
use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::Key;
use tokio::sync::{Notify, watch};

pub use self::call::Credential;
use self::call::Server;
use self::driver::Burst;
pub use self::enrol::{accept, enrol};
pub use self::error::SyncError;
use self::pace::Moment;
pub(crate) use self::plan::Piece;
use self::plan::{Event, State};
pub use self::report::{Reason, SyncEvent, SyncListener, SyncReport};
use crate::downloads;
use crate::seams::Network;
use crate::store::Store;
use crate::store::blobs::{Rendering, Upload};
use crate::uploads::{self, UploadJob};

/// The shortest sleep between two bursts.
const LEAST_PAUSE_MS: i64 = 100;

/// Brings one account's store in step with its server.
pub struct Engine {
    store: Arc<Store>,
    /// As the account's present enrolment sees it.
    server: Mutex<Server>,
    listener: Arc<dyn SyncListener>,
    /// One burst at a time.
    mind: tokio::sync::Mutex<State>,
    kicks: Mutex<Vec<Reason>>,
    kicked: Notify,
    stops: watch::Sender<()>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Makes the engine of a store; nothing is sent.
    pub fn new(
        store: Arc<Store>,
        credential: &Credential,
        listener: Arc<dyn SyncListener>,
    ) -> Self {
        let server = Server::new(Arc::clone(&store.seams.transport), credential);
        Self {
            store,
            server: Mutex::new(server),
            listener,
            mind: tokio::sync::Mutex::new(State::new()),
            kicks: Mutex::new(Vec::new()),
            kicked: Notify::new(),
            stops: watch::Sender::new(()),
        }
    }

    /// Says that there is a reason to synchronise. Cheap, never waits; heard by the burst under
    /// way or, if [`Self::run`] runs, by the next one.
    pub fn kick(&self, reason: Reason) {
        self.lock_kicks().push(reason);
        self.kicked.notify_one();
    }

    /// Runs one burst: until records, photos and books are in step or must wait.
    ///
    /// Fails if work could not be handed in or news could not be pulled. Photos and books that
    /// must wait are no failure; the report counts them.
    pub async fn sync_once(&self, reason: Reason) -> Result<SyncReport, SyncError> {
        self.until_stopped(self.burst(Some(reason))).await?
    }

    /// Runs burst after burst, until stopped or dropped. How each ended is told to the listener.
    pub async fn run(&self) {
        let forever = async {
            let mut reason = Some(Reason::Opened);
            loop {
                if let Err(error) = self.burst(reason).await {
                    tracing::info!(%error, "not in step");
                }
                reason = self.pause().await;
            }
        };
        // Only a stop ends it.
        let _: Result<(), SyncError> = self.until_stopped(forever).await;
    }

    /// Ends the burst under way and [`Self::run`]. Later calls work as ever.
    pub fn stop(&self) {
        self.stops.send_replace(());
    }

    /// Fetches a photo that a record of this device names, if it is not here; then the store has
    /// it ([`Store::photo`]).
    ///
    /// # Errors
    /// [`SyncError::NotThereYet`] while it is on the phone of whoever took it, and whatever a
    /// request runs into.
    pub async fn fetch_photo(&self, of: &Key, hash: BlobHash) -> Result<(), SyncError> {
        let fetch = async {
            // One that is damaged here is fetched anew.
            if matches!(self.store.photo(hash, Rendering::Master), Ok(Some(_))) {
                return Ok(());
            }
            downloads::fetch(&self.server(), &self.store, of, hash).await
        };
        self.until_stopped(fetch).await??;
        self.listener.changed(SyncEvent::Photo(hash));
        Ok(())
    }

    /// Prepares a photo's upload for the platform's own uploader; none if there is nothing to do.
    ///
    /// The engine must not upload the same photo meanwhile: give the platform a job when the app
    /// goes to the background.
    pub async fn upload_job(&self, hash: BlobHash) -> Result<Option<UploadJob>, SyncError> {
        let waiting = self.store.next_uploads(usize::MAX)?;
        match waiting
            .into_iter()
            .find(|upload: &Upload| upload.hash == hash)
        {
            Some(upload) => uploads::job(&self.server(), &self.store, &upload).await,
            None => Ok(None),
        }
    }

    /// Takes the status and headers with which the server answered a job. An upload that did not
    /// arrive whole goes on with the next job or burst.
    pub fn report_upload(
        &self,
        hash: BlobHash,
        status: u16,
        headers: Vec<(String, String)>,
    ) -> Result<(), SyncError> {
        uploads::report(&self.store, hash, status, headers)?;
        self.listener.changed(SyncEvent::Photo(hash));
        Ok(())
    }

    async fn burst(&self, reason: Option<Reason>) -> Result<SyncReport, SyncError> {
        let mut mind = self.mind.lock().await;
        mind.start_over();
        let _told = Told::began(&*self.listener);
        let mut burst = Burst::new(self, &mut mind);
        for reason in reason.into_iter().chain(self.take_kicks()) {
            burst.take(Event::Kicked(reason))?;
        }
        burst.run().await
    }

    /// Waits for the next reason.
    async fn pause(&self) -> Option<Reason> {
        let moment = self.moment();
        let next_ms = self.mind.lock().await.next_ms(moment);
        let pause_ms = (next_ms - moment.ms).max(LEAST_PAUSE_MS);
        let asleep = self.store.seams.clock.sleep(pause_ms.unsigned_abs());
        let kicked = std::pin::pin!(self.kicked.notified());
        match select(kicked, asleep).await {
            Either::Left(_) => None,
            Either::Right(_) => Some(Reason::Timer),
        }
    }

    async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, SyncError> {
        let mut stops = self.stops.subscribe();
        let stopped = std::pin::pin!(stops.changed());
        match select(stopped, std::pin::pin!(work)).await {
            Either::Left(_) => Err(SyncError::Stopped),
            Either::Right((done, _)) => Ok(done),
        }
    }

    fn moment(&self) -> Moment {
        let seams = &self.store.seams;
        let facts = seams.platform.facts();
        let mut dice = [0; 2];
        seams.entropy.fill(&mut dice);
        Moment {
            ms: seams.clock.monotonic_ms(),
            dice: u16::from_le_bytes(dice),
            is_online: facts.network != Network::None,
            is_foreground: facts.is_foreground,
        }
    }

    fn server(&self) -> Server {
        self.lock_server().clone()
    }

    /// Shows the server another credential from now on.
    fn go_on_as(&self, credential: &Credential) {
        *self.lock_server() = Server::new(Arc::clone(&self.store.seams.transport), credential);
    }

    fn lock_server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_kicks(&self) -> Vec<Reason> {
        std::mem::take(&mut *self.lock_kicks())
    }

    fn lock_kicks(&self) -> std::sync::MutexGuard<'_, Vec<Reason>> {
        self.kicks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the listener that a burst began and, however that comes about, that it ended.
struct Told<'l>(&'l dyn SyncListener);

impl<'l> Told<'l> {
    fn began(listener: &'l dyn SyncListener) -> Self {
        listener.changed(SyncEvent::Began);
        Self(listener)
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.changed(SyncEvent::Ended);
    }
}
