//! The phone's surroundings, played: clock, chance, storage, what the phone knows of itself.
//!
//! One [`TrueTime`] rules the whole world and moves only when somebody moves it. Each phone sees
//! it through a clock of its own, which may be wrong, and which begins anew with each boot.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use pocketbook::seams::folder::Folder;
use pocketbook::seams::{Clock, Entropy, Facts, Files, FilesError, Network, Platform};
use pocketbook_records::time::Millis;

/// The moment at which every world begins: a Monday morning, 2026-11-23 08:00 in Shanghai.
pub const MORNING: Millis = 1_795_392_000_000;

/// What the time really is. Nobody in the world may look at it but the server and the tests.
#[derive(Debug)]
pub struct TrueTime(AtomicI64);

impl Default for TrueTime {
    fn default() -> Self {
        Self(AtomicI64::new(MORNING))
    }
}

impl TrueTime {
    /// Returns the time.
    pub fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub fn passes(&self, ms: Millis) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn reaches(&self, moment: Millis) {
        self.0.fetch_max(moment, Ordering::SeqCst);
    }
}

impl pocketbook_server::seams::Clock for TrueTime {
    fn now_ms(&self) -> Millis {
        self.now()
    }
}

/// A phone's clock: the true time as a phone sees it.
#[derive(Debug)]
pub struct PhoneClock {
    time: Arc<TrueTime>,
    name: String,
    skew_ms: AtomicI64,
    /// What the wall clock shows while it stands; 0 while it goes.
    stands_at: AtomicI64,
    boot: AtomicU64,
    booted_at: AtomicI64,
}

impl PhoneClock {
    /// Returns a right clock of a phone that was switched on an hour ago.
    pub fn new(time: Arc<TrueTime>, name: &str) -> Self {
        Self {
            booted_at: AtomicI64::new(time.now() - 3_600_000),
            time,
            name: name.to_owned(),
            skew_ms: AtomicI64::new(0),
            stands_at: AtomicI64::new(0),
            boot: AtomicU64::new(1),
        }
    }

    /// Sets the wall clock so much ahead of the truth, or behind it.
    pub fn is_off_by(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::SeqCst);
    }

    /// Lets the wall clock stand still where it is, or go on.
    pub fn stands(&self, stands: bool) {
        let at = if stands { self.wall_ms() } else { 0 };
        self.stands_at.store(at, Ordering::SeqCst);
    }

    /// Switches the phone off and on.
    pub fn boots(&self) {
        self.boot.fetch_add(1, Ordering::SeqCst);
        self.booted_at.store(self.time.now(), Ordering::SeqCst);
    }
}

impl Clock for PhoneClock {
    fn wall_ms(&self) -> Millis {
        match self.stands_at.load(Ordering::SeqCst) {
            0 => self.time.now() + self.skew_ms.load(Ordering::SeqCst),
            standing => standing,
        }
    }

    fn monotonic_ms(&self) -> i64 {
        self.time.now() - self.booted_at.load(Ordering::SeqCst)
    }

    fn boot(&self) -> String {
        format!("{}-{}", self.name, self.boot.load(Ordering::SeqCst))
    }

    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
        let until = self.time.now() + i64::try_from(ms).unwrap_or(i64::MAX);
        Box::pin(Sleep {
            time: Arc::clone(&self.time),
            until,
            is_asleep: false,
        })
    }
}

/// A sleep gives everybody else one turn and then moves the world's time: a world in which all
/// sleep does not wait.
struct Sleep {
    time: Arc<TrueTime>,
    until: Millis,
    is_asleep: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_asleep {
            self.time.reaches(self.until);
            return Poll::Ready(());
        }
        self.is_asleep = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Chance that a seed repeats. Each name draws from a stream of its own, so that one phone more
/// does not change what the others draw.
#[derive(Debug)]
pub struct Chance {
    seed: u64,
    name: String,
    drawn: AtomicU64,
}

impl Chance {
    /// Returns the stream of a name.
    pub fn new(seed: u64, name: &str) -> Self {
        Self {
            seed,
            name: name.to_owned(),
            drawn: AtomicU64::new(0),
        }
    }

    fn draw(&self, into: &mut [u8]) {
        for piece in into.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes())
                .chain_update(&self.name)
                .finalize();
            piece.copy_from_slice(&block[..piece.len()]);
        }
    }
}

impl Entropy for Chance {
    fn fill(&self, into: &mut [u8]) {
        self.draw(into);
    }
}

impl pocketbook_server::seams::Entropy for Chance {
    fn fill(&self, buffer: &mut [u8]) {
        self.draw(buffer);
    }
}

/// A phone's storage: a real folder that can run full.
#[derive(Debug)]
pub struct Storage {
    folder: Folder,
    is_full: AtomicBool,
}

impl Storage {
    /// Returns the storage over a folder.
    pub fn new(folder: Folder) -> Self {
        Self {
            folder,
            is_full: AtomicBool::new(false),
        }
    }

    /// Lets it run full, or frees space.
    pub fn is_full(&self, full: bool) {
        self.is_full.store(full, Ordering::SeqCst);
    }

    fn room(&self) -> Result<(), FilesError> {
        if self.is_full.load(Ordering::SeqCst) {
            Err(FilesError::DiskFull)
        } else {
            Ok(())
        }
    }
}

impl Files for Storage {
    fn create(&self, name: &str) -> Result<(), FilesError> {
        self.room()?;
        self.folder.create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        self.room()?;
        self.folder.append(name, bytes)
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, FilesError> {
        self.folder.read_at(name, offset, into)
    }

    fn len(&self, name: &str) -> Result<Option<u64>, FilesError> {
        self.folder.len(name)
    }

    fn remove(&self, name: &str) -> Result<(), FilesError> {
        self.folder.remove(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, FilesError> {
        self.folder.list(folder)
    }

    fn sync(&self, name: &str) -> Result<(), FilesError> {
        self.folder.sync(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FilesError> {
        self.folder.rename(from, to)
    }
}

/// What the phone tells about itself.
#[derive(Debug)]
pub struct PhoneFacts(Mutex<Facts>);

impl Default for PhoneFacts {
    fn default() -> Self {
        Self(Mutex::new(Facts {
            network: Network::Unmetered,
            free_bytes: Some(8 * 1024 * 1024 * 1024),
            battery_percent: Some(80),
            is_foreground: true,
        }))
    }
}

impl PhoneFacts {
    /// Changes what it is connected to.
    pub fn network(&self, network: Network) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .network = network;
    }

    /// Changes how much space is left.
    pub fn free(&self, bytes: u64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .free_bytes = Some(bytes);
    }
}

impl Platform for PhoneFacts {
    fn facts(&self) -> Facts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
