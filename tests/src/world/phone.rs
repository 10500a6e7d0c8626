//! One account on one device: the real store, books and engine over played seams.
//!
//! A phone lives from one start of the app to the next kill. Each life has a folder of its own, so
//! that a kill is what it is: the files as they were at that moment, and nothing tidied up.

#![expect(
    clippy::disallowed_methods,
    reason = "kills are played on the folders of the world"
)]

mod copies;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pocketbook::books::Book;
use pocketbook::books::account::{self, database};
use pocketbook::books::salvage::{Salvaged, salvage};
use pocketbook::engine::{Credential, Engine, Reason, SyncError, SyncReport, enrol};
use pocketbook::seams::folder::{Folder, KeyFolder};
use pocketbook::seams::{Keys, Network, Seams};
use pocketbook::store::Store;
use pocketbook_records::ids::UserId;
use pocketbook_records::wire::EnrolAnswer;

use super::network::Line;
use super::seams::{Chance, PhoneClock, PhoneFacts, Storage};
use super::town::{Town, carry_over};

/// A piece of hardware: one clock, one line, however many accounts.
#[derive(Debug)]
struct Device {
    name: String,
    clock: Arc<PhoneClock>,
    line: Arc<Line>,
    facts: Arc<PhoneFacts>,
}

impl Device {
    fn of(town: &Arc<Town>, owner: &str, device: &str) -> Arc<Self> {
        let label = format!("{device}-{}", hex::encode(owner));
        Arc::new(Self {
            clock: Arc::new(PhoneClock::new(Arc::clone(&town.time), &label)),
            line: Arc::new(Line::new(Arc::clone(town))),
            facts: Arc::default(),
            name: label,
        })
    }
}

/// From one start of the app to its end.
struct Life {
    folder: PathBuf,
    storage: Arc<Storage>,
    store: Arc<Store>,
    book: Arc<Book>,
    engine: Option<Arc<Engine>>,
}

/// One account on one device.
pub struct Phone {
    town: Arc<Town>,
    name: String,
    device: Arc<Device>,
    chance: Arc<Chance>,
    /// The folder of the account; below it one folder for each life.
    folder: PathBuf,
    lives: Mutex<u32>,
    life: Mutex<Option<Life>>,
    user: Mutex<Option<UserId>>,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}'s {}", self.name, self.device.name)
    }
}

impl Phone {
    /// Returns somebody's new device with the app on it, not enrolled.
    pub fn new(town: &Arc<Town>, name: &str, device: &str) -> Self {
        Self::on(town, name, Device::of(town, name, device))
    }

    /// Returns the app as somebody else opens it on this device, not enrolled.
    pub fn lent_to(&self, name: &str) -> Self {
        Self::on(&self.town, name, Arc::clone(&self.device))
    }

    fn on(town: &Arc<Town>, name: &str, device: Arc<Device>) -> Self {
        let phone = Self::switched_off(town, name, device);
        phone.starts();
        phone
    }

    fn switched_off(town: &Arc<Town>, name: &str, device: Arc<Device>) -> Self {
        let account = hex::encode(name);
        let folder = town.folder().join(&device.name).join(&account);
        let chance = Arc::new(Chance::new(
            town.seed,
            &format!("{}/{account}", device.name),
        ));
        Self {
            town: Arc::clone(town),
            name: name.to_owned(),
            device,
            chance,
            folder,
            lives: Mutex::new(0),
            life: Mutex::new(None),
            user: Mutex::new(None),
        }
    }

    fn account(&self) -> String {
        hex::encode(&self.name)
    }

    fn starts(&self) {
        self.tries_to_start()
            .unwrap_or_else(|error| panic!("{self:?} does not start: {error:?}"));
    }

    /// Opens the app in the folder of its present life.
    pub fn tries_to_start(&self) -> pocketbook::Result<()> {
        let folder = self.life_folder();
        fs::create_dir_all(&folder).expect("a folder in the world");
        let (seams, storage) = self.seams(&folder);
        let store = Arc::new(account::open(&folder, &self.account(), seams.clone())?);
        let engine = match store.account() {
            Ok(_) => {
                let credential = Credential::of(&store)?;
                Some(Arc::new(Engine::new(
                    store.clone(),
                    &credential,
                    Arc::new(()),
                )))
            }
            Err(_) => None,
        };
        let book = Arc::new(Book::new(store.clone()));
        *lock(&self.life) = Some(Life {
            folder,
            storage,
            store,
            book,
            engine,
        });
        Ok(())
    }

    /// Opens the account's store as it lies in another folder: an image of this phone's disk.
    pub fn opens_at(&self, folder: &Path) -> pocketbook::Result<Store> {
        let (seams, _) = self.seams(folder);
        account::open(folder, &self.account(), seams)
    }

    /// Sets a damaged database aside and begins a new one with what could be read.
    pub fn is_salvaged(&self) -> Salvaged {
        let folder = self.life_folder();
        let (seams, _) = self.seams(&folder);
        let (_, salvaged) = salvage(&folder, &self.account(), seams).expect("there is room for it");
        salvaged
    }

    fn life_folder(&self) -> PathBuf {
        self.folder.join(format!("life-{}", lock(&self.lives)))
    }

    /// Returns the database that the next start will open.
    pub fn next_database(&self) -> PathBuf {
        database(&self.life_folder())
    }

    /// The keystore forgets this account and makes new keys.
    pub fn loses_its_keys(&self) {
        self.keys().forget(&self.account()).expect("the keys go");
    }

    fn keys(&self) -> Arc<dyn Keys> {
        let keys = KeyFolder::open(self.folder.join("keys"), self.chance.clone());
        Arc::new(keys.expect("a folder for keys"))
    }

    fn seams(&self, folder: &Path) -> (Seams, Arc<Storage>) {
        let files = Folder::open(folder.join("files")).expect("a folder in the world");
        let storage = Arc::new(Storage::new(files));
        let seams = Seams {
            clock: self.device.clock.clone(),
            entropy: self.chance.clone(),
            transport: self.device.line.clone(),
            keys: self.keys(),
            files: storage.clone(),
            platform: self.device.facts.clone(),
        };
        (seams, storage)
    }

    /// The app is killed at this moment and opened again: what was written is there, what was
    /// only meant is not.
    pub fn is_killed(&self) {
        self.is_killed_then(|_| {});
        self.starts();
    }

    /// The app is killed, and something happens to its folder before it is opened again.
    pub fn is_killed_then(&self, happens: impl FnOnce(&Path)) {
        let old = self.folder();
        let new = {
            let mut lives = lock(&self.lives);
            *lives += 1;
            self.folder.join(format!("life-{lives}"))
        };
        // Copied while the old life still has its files open: its end must tidy nothing up.
        carry_over(&old, &new).expect("a copy within the world");
        *lock(&self.life) = None;
        fs::remove_dir_all(&old).expect("the old life's folder");
        happens(&new);
    }

    fn with<T>(&self, read: impl FnOnce(&Life) -> T) -> T {
        read(lock(&self.life).as_ref().expect("the app is open"))
    }

    /// Returns the folder that holds database and photos.
    pub fn folder(&self) -> PathBuf {
        self.with(|life| life.folder.clone())
    }

    /// Returns the database file.
    pub fn database(&self) -> PathBuf {
        database(&self.folder())
    }

    /// Returns the verbs.
    pub fn book(&self) -> Arc<Book> {
        self.with(|life| life.book.clone())
    }

    /// Returns the store.
    pub fn store(&self) -> Arc<Store> {
        self.with(|life| life.store.clone())
    }

    /// Returns the engine.
    pub fn engine(&self) -> Arc<Engine> {
        self.with(|life| life.engine.clone())
            .expect("the phone is enrolled")
    }

    /// Returns the storage.
    pub fn storage(&self) -> Arc<Storage> {
        self.with(|life| life.storage.clone())
    }

    /// Returns the line.
    pub fn line(&self) -> &Line {
        &self.device.line
    }

    /// Returns the clock.
    pub fn clock(&self) -> &PhoneClock {
        &self.device.clock
    }

    /// Leaves the phone so much space.
    pub fn has_free(&self, bytes: u64) {
        self.device.facts.free(bytes);
    }

    /// Returns the person's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the account.
    pub fn user(&self) -> UserId {
        lock(&self.user).expect("the phone is enrolled")
    }

    /// Returns the credential as it stands after `Bearer`.
    pub fn bearer(&self) -> String {
        let shown = Credential::of(&self.store()).expect("the phone is enrolled");
        format!("{}.{}", shown.enrolment, hex::encode(shown.secret.bytes()))
    }

    /// Enrols with a code.
    pub async fn enrols(&self, code: impl Display) {
        self.tries_to_enrol(code).await.expect("the code is good");
    }

    /// Enrols with a code, if the server takes it.
    pub async fn tries_to_enrol(&self, code: impl Display) -> Result<EnrolAnswer, SyncError> {
        let secret = self.store().enrolment_secret().expect("a secret is made");
        let line = self.device.line.clone();
        let introduction = (&secret, self.store().continues()?);
        let answer = enrol(line, &code.to_string(), introduction, &self.device.name).await?;
        self.store().adopt(&answer)?;
        *lock(&self.user) = Some(answer.user);
        let credential = Credential {
            enrolment: answer.enrolment,
            secret,
        };
        let engine = Arc::new(Engine::new(self.store(), &credential, Arc::new(())));
        if let Some(life) = lock(&self.life).as_mut() {
            life.engine = Some(engine);
        }
        Ok(answer)
    }

    /// The line costs by the byte, or no longer.
    pub fn is_metered(&self, metered: bool) {
        let network = if metered {
            Network::Metered
        } else {
            Network::Unmetered
        };
        self.device.facts.network(network);
    }

    /// Flight mode.
    pub fn offline(&self) {
        self.device.facts.network(Network::None);
        self.line().dies();
    }

    /// A network again.
    pub fn online(&self) {
        self.device.facts.network(Network::Unmetered);
        self.line().comes_back();
    }

    /// Synchronises as far as it goes.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.engine().sync_once(Reason::Asked).await
    }

    /// Synchronises, and nothing goes wrong.
    pub async fn syncs(&self) -> SyncReport {
        self.sync()
            .await
            .unwrap_or_else(|error| panic!("{self:?} does not sync: {error:?}"))
    }

    /// Synchronises until the line freezes, and kills the app there.
    pub async fn syncs_until_killed(&self) {
        let engine = self.engine();
        tokio::select! {
            done = engine.sync_once(Reason::Asked) => panic!("the line did not freeze: {done:?}"),
            () = self.freezes() => {}
        }
        drop(engine);
        self.is_killed();
    }

    /// Waits for the line to freeze and lets everything that came before it be worked off.
    async fn freezes(&self) {
        self.line().frozen().await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }

    /// Returns this account's files in which a text stands in clear.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        files_with(&self.folder(), text)
    }
}

/// Returns the files below a folder in which a text stands in clear.
pub fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).expect("a file");
            let mut places = bytes.windows(text.len());
            if places.any(|place| place == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
