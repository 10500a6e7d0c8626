//! The district's one writer: every change of the database is a job of it.
//!
//! # The life of a job
//! A job is a function over a [`Batch`]. Jobs that wait at the same time share one transaction
//! (group commit), in the order of their arrival, the later one seeing what the earlier one wrote.
//! A job that writes anything gets a commit number of its own; one that only looks gets none. When
//! the transaction is on the disk, the picture in memory ([`Present`]) is exchanged, and only then
//! the callers are answered: whoever is answered finds his own work.
//!
//! # When something fails
//! If one job of a group fails, or panics, or the disk is full, the whole transaction is rolled
//! back and each job runs alone, so that one bad batch never stops another. A job may therefore
//! run more than once: it must take what it needs from the batch and not from outside. Which of a
//! push's mutations it was, the caller finds out by halving ([`crate::exchange`]).
//!
//! # Numbers
//! Commit numbers come from a block that was reserved in the database, then beside it, and only
//! then used; every opening reserves a new one. Whichever of the two is rolled back, no number is
//! used for two histories.
//!
//! # Two forms
//! Threaded in production; inline in tests and simulations, where the caller's thread does the
//! work and a seed repeats a run.

#![expect(
    clippy::disallowed_methods,
    reason = "the writer owns the one thread of the store"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use pocketbook_records::ids::Epoch;

use crate::beside::{self, BesideError, Ordinal};
use crate::keyring::{Keyring, SealError};
use crate::present::{Change, Present};
use crate::seams::{Clock, Entropy};
use crate::store::{District, Sql, SqlError, districts};

mod batch;
#[cfg(test)]
mod tests;

pub use batch::Batch;
use batch::Group;

/// The most jobs that share a transaction: keeps the first one's wait short.
const GROUP: usize = 64;
/// Numbers reserved at a time.
const BLOCK: u32 = 1 << 14;

/// Why a job failed. Nothing of it was recorded.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A statement failed.
    #[error("failed to read or write the database")]
    Sql(#[from] SqlError),
    /// A sealed value can't be opened.
    #[error("failed to open a stored value")]
    Seal(#[from] SealError),
    /// A stored value is not what we wrote.
    #[error("failed to understand a stored value")]
    Stored(#[from] serde_json::Error),
    /// A stored body is not canonical.
    #[error("failed to understand a stored body")]
    Body(#[from] pocketbook_records::body::BodyError),
    /// A file beside the database failed.
    #[error("failed to reserve commit numbers")]
    Beside(#[from] BesideError),
    /// The history has no numbers left.
    #[error("failed to find a commit number that was never used")]
    Exhausted,
    /// The job panicked.
    #[error("failed in an unforeseen way")]
    Panicked,
    /// The server is stopping.
    #[error("failed to write while stopping")]
    Stopped,
}

impl Fault {
    /// Says whether there was no room: the caller may come back later.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Sql(error) => matches!(error, SqlError::Full(_)),
            Self::Beside(BesideError::Io(error)) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// Says whether the fault may lie with one mutation among others.
    pub fn may_be_one_mutation(&self) -> bool {
        match self {
            Self::Sql(error) => !matches!(error, SqlError::Full(_) | SqlError::Busy(_)),
            Self::Seal(_) | Self::Stored(_) | Self::Body(_) | Self::Panicked => true,
            Self::Beside(_) | Self::Exhausted | Self::Stopped => false,
        }
    }
}

/// What the writer works with.
pub(crate) struct Seat {
    pub(crate) sql: Sql,
    pub(crate) district: District,
    pub(crate) dir: PathBuf,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) present: Arc<Present>,
}

/// The way to the writer.
pub struct Writer(Form);

enum Form {
    Inline(Mutex<Seat>),
    Threaded(Mutex<Option<Thread>>),
}

struct Thread {
    jobs: Sender<Box<dyn Job>>,
    handle: JoinHandle<()>,
}

/// A job with the place where its answer goes.
trait Job: Send {
    fn attempt(&mut self, batch: &mut Batch<'_>) -> Result<(), Fault>;
    fn answer(self: Box<Self>, outcome: Result<(), Fault>);
}

struct Asked<T, F, R> {
    run: F,
    made: Option<T>,
    reply: R,
}

impl<T, F, R> Job for Asked<T, F, R>
where
    T: Send,
    F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send,
    R: FnOnce(Result<T, Fault>) + Send,
{
    fn attempt(&mut self, batch: &mut Batch<'_>) -> Result<(), Fault> {
        self.made = Some((self.run)(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Fault>) {
        let Self { made, reply, .. } = *self;
        reply(outcome.and_then(|()| made.ok_or(Fault::Panicked)));
    }
}

impl Writer {
    /// Returns a writer that works on its callers' threads.
    pub(crate) fn inline(seat: Seat) -> Result<Self, Fault> {
        seat.reserve()?;
        Ok(Self(Form::Inline(Mutex::new(seat))))
    }

    /// Starts the writer's thread.
    pub(crate) fn threaded(seat: Seat) -> Result<Self, Fault> {
        seat.reserve()?;
        let (jobs, waiting) = channel();
        let handle = std::thread::spawn(move || serve(&seat, &waiting));
        Ok(Self(Form::Threaded(Mutex::new(Some(Thread {
            jobs,
            handle,
        })))))
    }

    /// Runs a job and waits for it to be on the disk; it may run more than once, see above.
    ///
    /// Blocks the thread (async callers use [`Self::run_async`]); must not be called from a job.
    pub fn run<T, F>(&self, job: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        // Who went away meanwhile finds the outcome by repeating.
        self.hand(job, move |made| drop(reply.send(made)))?;
        answer.recv().map_err(|_| Fault::Stopped)?
    }

    /// Like [`Self::run`], for async callers.
    pub async fn run_async<T, F>(&self, job: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.hand(job, move |made| drop(reply.send(made)))?;
        answer.await.map_err(|_| Fault::Stopped)?
    }

    fn hand<T, F, R>(&self, run: F, reply: R) -> Result<(), Fault>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
        R: FnOnce(Result<T, Fault>) + Send + 'static,
    {
        let job = Box::new(Asked {
            run,
            made: None,
            reply,
        });
        match &self.0 {
            Form::Inline(seat) => seat
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .work(vec![job]),
            Form::Threaded(thread) => {
                let thread = thread.lock().unwrap_or_else(PoisonError::into_inner);
                let thread = thread.as_ref().ok_or(Fault::Stopped)?;
                thread.jobs.send(job).map_err(|_| Fault::Stopped)?;
            }
        }
        Ok(())
    }

    /// Finishes the jobs that wait, cuts the log back and ends.
    pub fn stop(&self) {
        match &self.0 {
            Form::Inline(seat) => {
                let seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
                seat.rest();
            }
            Form::Threaded(thread) => {
                let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(Thread { jobs, handle }) = thread {
                    drop(jobs);
                    if handle.join().is_err() {
                        tracing::error!("the writer's thread had panicked");
                    }
                }
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(seat: &Seat, waiting: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        seat.work(group);
    }
    seat.rest();
}

impl Seat {
    /// Runs jobs in one transaction; if that fails, each alone.
    fn work(&self, mut jobs: Vec<Box<dyn Job>>) {
        match self.together(&mut jobs) {
            Ok(()) => jobs.into_iter().for_each(|job| job.answer(Ok(()))),
            Err(fault) if jobs.len() == 1 => {
                if let Some(job) = jobs.pop() {
                    job.answer(Err(fault));
                }
            }
            Err(_) => {
                for mut job in jobs {
                    let outcome = self.together(std::slice::from_mut(&mut job));
                    job.answer(outcome);
                }
            }
        }
    }

    fn together(&self, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        if self.is_running_short(jobs.len())? {
            self.reserve()?;
        }
        self.sql.begin_writing()?;
        let attempt = || {
            let mut group = Group::begin(self)?;
            for job in jobs.iter_mut() {
                let mut batch = Batch::new(self, &mut group);
                job.attempt(&mut batch)?;
                batch.close()?;
            }
            let change = group.close(self)?;
            self.sql.commit()?;
            Ok(change)
        };
        let outcome = catch_unwind(AssertUnwindSafe(attempt)).unwrap_or(Err(Fault::Panicked));
        match outcome {
            Ok(change) => {
                self.present.exchange(change);
                Ok(())
            }
            Err(fault) => {
                self.sql.roll_back()?;
                Err(fault)
            }
        }
    }

    fn is_running_short(&self, jobs: usize) -> Result<bool, Fault> {
        let head = districts::head(&self.sql, self.district)?;
        let left = u64::from(head.reserved).saturating_sub(head.last.0 & u64::from(u32::MAX));
        Ok(left < jobs as u64)
    }

    /// Reserves a block of numbers: in the database, then beside it. It moves the head, so the
    /// answers from memory must know: an older present would be stale to who has read the newer.
    fn reserve(&self) -> Result<(), Fault> {
        let noted = beside::read_ordinal(&self.dir)?;
        self.sql.begin_writing()?;
        let reserved = self.reserve_here(noted).and_then(|head| {
            self.sql.commit()?;
            Ok(head)
        });
        match reserved {
            Ok(head) => {
                let ordinal = Ordinal {
                    ordinal: head.epoch,
                    reserved: head.reserved,
                };
                // What is beside a database that was rolled back is the truth: it stays.
                let is_behind = noted.is_some_and(|noted| noted.ordinal > ordinal.ordinal);
                self.present.exchange(Change {
                    head: Some(head),
                    ..Change::default()
                });
                match is_behind {
                    true => Ok(()),
                    false => Ok(beside::write_ordinal(&self.dir, &ordinal)?),
                }
            }
            Err(fault) => {
                self.sql.roll_back()?;
                Err(fault)
            }
        }
    }

    fn reserve_here(&self, noted: Option<Ordinal>) -> Result<districts::Head, Fault> {
        let mut head = districts::head(&self.sql, self.district)?;
        let noted = noted.filter(|noted| noted.ordinal == head.epoch);
        let used = noted.map_or(0, |noted| noted.reserved).max(head.reserved);
        head.last = head.last.max(at(head.epoch, used));
        head.reserved = used.checked_add(BLOCK).ok_or(Fault::Exhausted)?;
        districts::put_head(&self.sql, self.district, &head)?;
        Ok(head)
    }

    fn rest(&self) {
        if let Err(error) = self.sql.checkpoint() {
            tracing::warn!(%error, "the log was not cut back");
        }
    }
}

fn at(epoch: Epoch, number: u32) -> pocketbook_records::ids::Commit {
    pocketbook_records::ids::Commit::new(epoch, number)
}
