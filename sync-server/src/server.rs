//! The server as its shell sees it: opened once per data directory, cloned freely.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pocketbook_records::ids::{Commit, UnitId};
use pocketbook_records::invitation::Address;
use pocketbook_records::time::{At, Millis};
use pocketbook_records::wire::{Echo, Fork};

use crate::beside::{self, BesideError, Lock, Ordinal, Outside, OutsideLog};
use crate::caller::Station;
use crate::keyring::Keyring;
use crate::present::Present;
use crate::refusal::Refusal;
use crate::seams::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::store::accounts::{self, Blip, NewEnrolment, User};
use crate::store::org::{self, Unit};
use crate::store::{District, LADDER, Sql, SqlError, Store, districts, histories, scopes};
use crate::writer::{Batch, Fault, Seat, Writer};

/// The most readers that work at the same time.
const READERS: usize = 8;

/// How a server runs.
#[derive(Clone)]
pub struct Options {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes what nobody can guess.
    pub entropy: Arc<dyn Entropy>,
    /// On which threads.
    pub form: Form,
}

/// On which threads the store's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A writer's thread and a pool of readers: for `serve`.
    Threaded,
    /// The caller's thread: for tests, simulations and subcommands.
    Inline,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            form: Form::Threaded,
        }
    }
}

impl Options {
    /// Returns the options of a subcommand: the machine's clock, no threads.
    pub fn inline() -> Self {
        Self {
            form: Form::Inline,
            ..Self::default()
        }
    }
}

/// Why a data directory can't be opened or set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `init` was not run here.
    #[error("failed to find a district in this folder: run `init` first")]
    NotSetUp,
    /// `init` was run here already.
    #[error("failed to set up a folder that holds a district already")]
    AlreadySetUp,
    /// A restore was cut off between taking the old data away and putting the backup there.
    #[error("failed to open a folder in which a restore was cut off: run `restore` again")]
    HalfRestored,
    /// Another process works on it.
    #[error("failed to take a folder that another process works on")]
    Taken,
    /// The code is not six to twelve digits.
    #[error("failed to read the district's code: it is six to twelve digits")]
    Code,
    /// The folder can't be used.
    #[error("failed to use the folder")]
    Folder(#[from] io::Error),
    /// The database can't be opened.
    #[error("failed to open the district's database")]
    Database(#[from] pocketbook_sqlite::OpenError),
    /// The files beside the database can't be used.
    #[error("failed to use the files beside the database")]
    Beside(#[from] BesideError),
    /// The first reads and writes failed.
    #[error("failed to begin work on the database")]
    Begin(#[from] Fault),
}

impl From<SqlError> for OpenError {
    fn from(error: SqlError) -> Self {
        Self::Begin(error.into())
    }
}

/// A district's server over one data directory.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) dir: PathBuf,
    pub(crate) district: District,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) present: Arc<Present>,
    pub(crate) writer: Writer,
    form: Form,
    outside: OutsideLog,
    address: OnceLock<Address>,
    readers: Mutex<Vec<Sql>>,
    seats: tokio::sync::Semaphore,
    _lock: Lock,
}

impl Server {
    /// Sets a district up in a folder and opens it.
    pub fn init(dir: &Path, code: &str, name: &str, options: Options) -> Result<Self, OpenError> {
        let formed = (6..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let district = code.parse().ok().filter(|_| formed).map(District);
        let district = district.ok_or(OpenError::Code)?;
        beside::make_folder(&data_of(dir))?;
        beside::make_folder(dir)?;
        let lock = beside::lock(dir)?.ok_or(OpenError::Taken)?;
        if !beside::is_set_up(dir)? {
            Keyring::make(dir, options.entropy.as_ref())?;
        }
        let sql = Sql::open(&database(&data_of(dir)), &LADDER)?;
        if districts::only(&sql)?.is_none() {
            districts::found(&sql, district, code, name)?;
        }
        let server = Self::over(dir, sql, lock, options)?;
        if server
            .read(|store| accounts::enrolment(store, accounts::SYSTEM))?
            .is_some()
        {
            return Err(OpenError::AlreadySetUp);
        }
        let (code, name) = (code.to_owned(), name.to_owned());
        server
            .writer()
            .run(move |batch| settle_in(batch, &code, &name))?;
        Ok(server)
    }

    /// Opens a folder that was set up.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        if !beside::is_set_up(dir)? {
            return Err(OpenError::NotSetUp);
        }
        let lock = beside::lock(dir)?.ok_or(OpenError::Taken)?;
        if !data_of(dir).try_exists()? && beside::is_restoring(dir)? {
            return Err(OpenError::HalfRestored);
        }
        let sql = Sql::open(&database(&data_of(dir)), &LADDER)?;
        let noted = beside::read_ordinal(dir)?;
        let district = districts::only(&sql)?.ok_or(OpenError::NotSetUp)?;
        let head = districts::head(&sql, district)?;
        let server = Self::over(dir, sql, lock, options)?;
        if server
            .read(|store| accounts::enrolment(store, accounts::SYSTEM))?
            .is_none()
        {
            return Err(OpenError::NotSetUp);
        }
        let is_restored = beside::is_restoring(dir)?;
        let noted = noted.filter(|noted| is_restored || is_behind(&head, noted));
        match noted {
            Some(noted) => server.begin_anew(Commit::new(noted.ordinal, noted.reserved))?,
            None => server.heed_outside()?,
        }
        if is_restored {
            beside::forget_restoring(dir)?;
        }
        Ok(server)
    }

    /// Begins the next history after the last commit that is here; those up to another one are
    /// noted as lost.
    pub(crate) fn begin_anew(&self, until: Commit) -> Result<(), OpenError> {
        let after = self.read(histories::newest)?;
        let job = self
            .beginning(Fork { after, until })
            .map_err(OpenError::from)?;
        Ok(self.writer().run(job)?)
    }

    /// Begins the next history because of a roll-back that a phone's echo tells of, unless another
    /// phone has told of it meanwhile.
    pub(crate) async fn fork(&self, told: Echo) -> Result<(), Refusal> {
        let fork = self
            .read_async(move |store| Ok::<_, Fault>(histories::told_by(store, &told)?))
            .await?;
        if let Some(fork) = fork {
            let job = self.beginning(fork).map_err(Fault::from)?;
            self.writer().run_async(job).await?;
        }
        Ok(())
    }

    /// Notes a lost history outside the database, and returns the job that begins the next one
    /// there: what a restore must not undo is done again.
    fn beginning(
        &self,
        fork: Fork,
    ) -> Result<impl FnMut(&mut Batch<'_>) -> Result<(), Fault> + Send + 'static, BesideError> {
        let at = self.now();
        self.outside().append(&[Outside::Lost { at, fork }])?;
        let outside = self.outside().read()?;
        tracing::error!(after = %fork.after, until = %fork.until, "a history was lost: phones bring it back");
        Ok(move |batch: &mut Batch<'_>| {
            histories::begin_anew(batch)?;
            replay(batch, &outside, 0)
        })
    }

    /// Does again what stands in the outside log and not in the database: the database may have
    /// been set back without a word, and until a phone tells of it a revoke must hold all the same.
    fn heed_outside(&self) -> Result<(), OpenError> {
        let outside = self.outside().read()?;
        let known = self.read(districts::outside_lines)?;
        if outside.len() > known {
            let job = move |batch: &mut Batch<'_>| replay(batch, &outside, known);
            self.writer().run(job)?;
        }
        Ok(())
    }

    fn over(dir: &Path, sql: Sql, lock: Lock, options: Options) -> Result<Self, OpenError> {
        let district = districts::only(&sql)?.ok_or(OpenError::NotSetUp)?;
        let keyring = Keyring::read(dir, options.entropy.clone())?.ok_or(OpenError::NotSetUp)?;
        let keyring = Arc::new(keyring);
        let store = Store {
            sql: &sql,
            district,
            keyring: &keyring,
        };
        let heads: HashMap<_, _> = scopes::heads(store)?.into_iter().collect();
        let head = districts::head(&sql, district)?;
        let present = Arc::new(Present::new(head, heads));
        let seat = Seat {
            sql,
            district,
            dir: dir.to_owned(),
            keyring: keyring.clone(),
            clock: options.clock.clone(),
            entropy: options.entropy.clone(),
            present: present.clone(),
        };
        let writer = match options.form {
            Form::Inline => Writer::inline(seat)?,
            Form::Threaded => Writer::threaded(seat)?,
        };
        present.note_opened();
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            district,
            keyring,
            clock: options.clock,
            entropy: options.entropy,
            present,
            writer,
            form: options.form,
            outside: OutsideLog::open(dir)?,
            address: OnceLock::new(),
            readers: Mutex::default(),
            seats: tokio::sync::Semaphore::new(READERS),
            _lock: lock,
        })))
    }

    /// Returns the district's folder.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Returns the data directory in it.
    pub fn data(&self) -> PathBuf {
        data_of(&self.0.dir)
    }

    /// Says where phones reach this server, once it is served.
    pub fn is_reached_at(&self, address: Address) {
        // The address of one process doesn't change: the first word stands.
        let _ = self.0.address.set(address);
    }

    /// Returns where phones reach this server, if it is served and that is known.
    pub fn address(&self) -> Option<&Address> {
        self.0.address.get()
    }

    /// Returns the one writer.
    pub fn writer(&self) -> &Writer {
        &self.0.writer
    }

    /// Returns the keys.
    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// Returns the source of randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        self.0.entropy.as_ref()
    }

    /// Returns the log of what a restore must not undo; it is written before the database is.
    pub fn outside(&self) -> &OutsideLog {
        &self.0.outside
    }

    /// Returns the server's time.
    pub fn now(&self) -> Millis {
        let high_water = self.0.present.look(|picture| picture.head.time);
        self.clock().now_ms().max(high_water)
    }

    /// Returns the present history and commit.
    pub fn asof(&self) -> pocketbook_records::wire::AsOf {
        let now = self.clock().now_ms();
        self.0.present.look(|picture| picture.head.asof(now))
    }

    /// Returns the moment of authoring for what is authored here and now.
    pub fn at(&self) -> At {
        At {
            wall: self.now(),
            boot: "server".to_owned(),
            monotonic_ms: 0,
            contact: None,
        }
    }

    /// Reads in one snapshot, on this thread.
    pub fn read<T, E: From<SqlError>>(
        &self,
        read: impl FnOnce(Store<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.read(read)
    }

    /// Reads in one snapshot, on a reader's thread.
    pub async fn read_async<T, E>(
        &self,
        read: impl FnOnce(Store<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<SqlError> + From<Fault> + Send + 'static,
    {
        if self.0.form == Form::Inline {
            return self.0.read(read);
        }
        let Ok(_seat) = self.0.seats.acquire().await else {
            return Err(Fault::Stopped.into());
        };
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.read(read))
            .await
            .unwrap_or_else(|_| Err(Fault::Panicked.into()))
    }

    /// Returns the radar of unsynced work: each phone as it last spoke.
    pub async fn radar(&self) -> Result<Vec<Blip>, Refusal> {
        let mut blips = self
            .read_async(|store| accounts::radar(store).map_err(Refusal::from))
            .await?;
        let contacts = self.0.present.contacts();
        for blip in &mut blips {
            if let Some(contact) = contacts.get(&blip.enrolment) {
                blip.contact = Some(contact.clone());
            }
        }
        Ok(blips)
    }

    /// Finishes what waits and cuts the log back. Later writes are refused.
    pub fn stop(&self) {
        let contacts = self.0.present.contacts();
        let noted = self.writer().run(move |batch| {
            for (enrolment, contact) in &contacts {
                accounts::note_contact(batch, *enrolment, contact)?;
            }
            Ok(())
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "the last contacts were not noted");
        }
        self.writer().stop();
    }
}

impl Inner {
    pub(crate) fn read<T, E: From<SqlError>>(
        &self,
        read: impl FnOnce(Store<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let waiting = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let sql = match waiting {
            Some(sql) => sql,
            None => {
                Sql::open_reader(&database(&data_of(&self.dir)), &LADDER).map_err(SqlError::from)?
            }
        };
        sql.begin_reading()?;
        let outcome = read(Store {
            sql: &sql,
            district: self.district,
            keyring: &self.keyring,
        });
        sql.roll_back()?;
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sql);
        outcome
    }
}

/// Returns the data directory in a district's folder: all that a backup holds. Keys and what a
/// restore must not undo lie [beside](crate::beside) it.
pub(crate) fn data_of(dir: &Path) -> PathBuf {
    dir.join("data")
}

/// Returns the path of the database in a data directory, or in a backup of one.
pub(crate) fn database(data: &Path) -> PathBuf {
    data.join("pocketbook.db")
}

/// Says whether the database is older than what is noted beside it: it was rolled back.
fn is_behind(head: &districts::Head, noted: &Ordinal) -> bool {
    (head.epoch, head.reserved) < (noted.ordinal, noted.reserved)
}

/// Does again what was noted outside the database; what is so already stays as it is.
/// Does again what the outside log says from one line on.
fn replay(batch: &mut Batch<'_>, outside: &[Outside], from: usize) -> Result<(), Fault> {
    for line in &outside[from..] {
        enact(batch, line)?;
    }
    districts::note_outside_lines(batch, outside.len())?;
    batch.note_org();
    Ok(())
}

fn enact(batch: &mut Batch<'_>, line: &Outside) -> Result<(), Fault> {
    match line {
        Outside::Grant { duty, .. } => org::put_duty(batch, duty)?,
        Outside::Revoke {
            user,
            role,
            unit,
            until,
            ..
        } => drop(org::end_duties(batch, *user, *role, unit, *until)?),
        Outside::Block { user, .. } => accounts::set_blocked(batch, *user, true)?,
        Outside::Unblock { user, .. } => accounts::set_blocked(batch, *user, false)?,
        Outside::Lost { fork, .. } => histories::note_lost(batch, *fork)?,
    }
    Ok(())
}

/// Writes the rows that every district has.
fn settle_in(batch: &mut Batch<'_>, code: &str, name: &str) -> Result<(), Fault> {
    batch.commit()?;
    let unit = Unit {
        unit: UnitId::from(code),
        level: "district".to_owned(),
        name: name.to_owned(),
        parent: None,
        extra: "{}".to_owned(),
    };
    org::put_unit(batch, &unit)?;
    let system = User {
        user: accounts::SYSTEM_USER,
        login: "system".to_owned(),
        name: name.to_owned(),
        number: None,
        password: None,
        blocked: false,
    };
    accounts::put_user(batch, &system)?;
    let mut secret = [0; 32];
    batch.entropy().fill(&mut secret);
    let enrolment = NewEnrolment {
        enrolment: accounts::SYSTEM,
        user: accounts::SYSTEM_USER,
        station: Station::System,
        secret,
        device: "server",
        schema: pocketbook_records::kind::SCHEMA,
        expires_at: None,
    };
    accounts::put_enrolment(batch, &enrolment)?;
    Ok(())
}
