//! The book: opened, enrolled, locked, closed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pocketbook::books::{Book, account};
use pocketbook::engine::{self, Credential, Engine, Reason};
use pocketbook::error::Error;
use pocketbook::seams::folder::Folder;
use pocketbook::seams::http::HttpTransport;
use pocketbook::seams::system::{SystemClock, SystemEntropy};
use pocketbook::seams::{Seams, Secret, Transport};
use pocketbook::store::Store;
use pocketbook_records::ids::{BlobHash, Hex, UnitId, UserId};
use pocketbook_records::invitation::{Address, Trust};
use pocketbook_records::wire::EnrolAnswer;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{EnrolFault, PocketbookError, Result};
use crate::guard::{Tasks, caught};
use crate::invitation::Invitation;
use crate::platform::{KeyProvider, Keystore, Phone, PhoneFacts, Relay, SyncWatcher};

/// Which account is to be opened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Account {
    /// A folder of the account's own, private to the app.
    pub folder: String,
    /// What the keystore calls it: a few of `a-z`, `0-9` and `-`.
    pub name: String,
    /// The server's address, from the invitation: `https://…`; `http://…` for this very machine
    /// only.
    pub server: String,
    /// The district's own certificate authority, PEM, where the invitation named one.
    #[uniffi(default = None)]
    pub authority_pem: Option<String>,
    /// The SHA-256 of the server's public key, hex, where the invitation named one: then nobody
    /// else is believed, and nobody vouches for it.
    #[uniffi(default = None)]
    pub server_key: Option<String>,
}

/// Who is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Enrolment {
    /// The account.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// The district.
    pub district: UnitId,
}

/// One account's pocket book on this device. (口袋书)
///
/// It may be used from several threads. It lives until it is closed: [`Self::close_book`], or the
/// last reference going, ends its threads; the database is let go when the call under way has
/// ended. Two of one folder at the same time are not supported.
#[derive(uniffi::Object)]
pub struct PocketBook {
    opened: RwLock<Option<Arc<Opened>>>,
}

/// What an open book consists of.
pub(crate) struct Opened {
    pub(crate) book: Book,
    pub(crate) store: Arc<Store>,
    pub(crate) seams: Seams,
    /// Where the account's files lie.
    pub(crate) files: PathBuf,
    pub(crate) tasks: Tasks,
    pub(crate) relay: Arc<Relay>,
    /// Where its server is.
    address: Address,
    /// There once the device is enrolled.
    engine: Mutex<Option<Arc<Engine>>>,
}

#[uniffi::export]
impl PocketBook {
    /// Opens an account's book, and begins one if there is none. No network is asked.
    #[uniffi::constructor]
    pub fn open(
        account: Account,
        keys: Arc<dyn KeyProvider>,
        phone: Arc<dyn PhoneFacts>,
    ) -> Result<Arc<Self>> {
        caught(|| {
            let opened = Opened::open(account, keys, phone)?;
            Ok(Arc::new(Self {
                opened: RwLock::new(Some(Arc::new(opened))),
            }))
        })
    }

    /// Returns who is enrolled here, if anyone is.
    pub fn enrolment(&self) -> Result<Option<Enrolment>> {
        self.call(|opened| match opened.store.account() {
            Ok(account) => Ok(Some(Enrolment {
                user: account.user,
                name: account.name,
                district: account.district,
            })),
            Err(Error::NotEnrolled) => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Enrols this device with a one-time code that somebody typed. `device` is what the operators
    /// will read in the list of devices. After a lost answer the same code may be handed in again.
    /// An account may enrol again; another one can't take its book over.
    pub async fn enrol(&self, code: String, device: String) -> Result<Enrolment> {
        let opened = self.opened()?;
        let asks = Arc::clone(&opened);
        let enrol = async move {
            let (transport, secret) = asks.introduction()?;
            let answer = engine::enrol(
                transport,
                &code,
                (&secret, asks.store.continues()?),
                &device,
            )
            .await?;
            asks.adopt(answer)
        };
        opened.tasks.carry_out(enrol).await
    }

    /// Enrols this device by an invitation that was scanned; the book was opened with the server
    /// that it names. The answer is believed only if it comes with the keys that it names.
    pub async fn accept(&self, invitation: Invitation, device: String) -> Result<Enrolment> {
        let opened = self.opened()?;
        let asks = Arc::clone(&opened);
        let accept = async move {
            let invitation = invitation.read()?;
            if invitation.server != asks.address {
                return Err(PocketbookError::field("server"));
            }
            let (transport, secret) = asks.introduction()?;
            let answer = engine::accept(
                transport,
                &invitation,
                (&secret, asks.store.continues()?),
                &device,
            )
            .await?;
            asks.adopt(answer)
        };
        opened.tasks.carry_out(accept).await
    }

    /// Locks the screens: no read and no write answers but the status. Work is handed in all the
    /// same.
    pub fn lock(&self) -> Result<()> {
        self.call(|opened| {
            opened.book.lock();
            Ok(())
        })
    }

    /// Unlocks the screens, once the app has made sure who holds the phone.
    pub fn unlock(&self) -> Result<()> {
        self.call(|opened| {
            opened.book.unlock();
            Ok(())
        })
    }

    /// Sets who hears what is stale; nobody, if none.
    pub fn watch(&self, watcher: Option<Arc<dyn SyncWatcher>>) -> Result<()> {
        self.call(|opened| {
            opened.relay.turn_to(watcher);
            Ok(())
        })
    }

    /// Closes the book. Whatever waits in it fails as stopped, later calls as closed. Closing
    /// twice is fine.
    pub fn close_book(&self) -> Result<()> {
        caught(|| {
            let last = self
                .opened
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(opened) = last {
                opened.relay.turn_to(None);
                opened.tasks.stop_doing();
                opened.tasks.cancel();
            }
            Ok(())
        })
    }
}

impl PocketBook {
    /// The door of every call: the book is open, and no panic gets out.
    pub(crate) fn call<T>(&self, work: impl FnOnce(&Arc<Opened>) -> Result<T>) -> Result<T> {
        caught(|| work(&self.opened()?))
    }

    /// The door of every call that authors: the engine hears of it.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Opened) -> Result<T>) -> Result<T> {
        self.call(|opened| {
            let done = work(opened)?;
            if let Some(engine) = opened.engine() {
                engine.kick(Reason::Authored);
            }
            Ok(done)
        })
    }

    pub(crate) fn opened(&self) -> Result<Arc<Opened>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.clone().ok_or(PocketbookError::Closed)
    }
}

impl Opened {
    fn open(
        account: Account,
        keys: Arc<dyn KeyProvider>,
        phone: Arc<dyn PhoneFacts>,
    ) -> Result<Self> {
        let (seams, files) = seams(&account, keys, phone)?;
        let address = address(&account)?;
        let folder = PathBuf::from(account.folder);
        let store = Arc::new(account::open(&folder, &account.name, seams.clone())?);
        let opened = Self {
            book: Book::new(Arc::clone(&store)),
            store,
            seams,
            files,
            tasks: Tasks::new()?,
            relay: Arc::default(),
            address,
            engine: Mutex::new(None),
        };
        match opened.start_engine() {
            Ok(())
            | Err(PocketbookError::Enrol {
                why: EnrolFault::NotYet,
            }) => Ok(opened),
            Err(error) => Err(error),
        }
    }

    fn start_engine(&self) -> Result<()> {
        let credential = Credential::of(&self.store)?;
        let engine = Engine::new(
            Arc::clone(&self.store),
            &credential,
            Arc::clone(&self.relay) as _,
        );
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(engine));
        Ok(())
    }

    /// Returns what a device needs to introduce itself.
    fn introduction(&self) -> Result<(Arc<dyn Transport>, Secret)> {
        let secret = self.store.enrolment_secret()?;
        Ok((Arc::clone(&self.seams.transport), secret))
    }

    fn adopt(&self, answer: EnrolAnswer) -> Result<Enrolment> {
        self.store.adopt(&answer)?;
        self.start_engine()?;
        Ok(Enrolment {
            user: answer.user,
            name: answer.name,
            district: answer.district,
        })
    }

    /// Returns the engine, if the device is enrolled.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the engine, or says that the device must be enrolled first.
    pub(crate) fn enrolled(&self) -> Result<Arc<Engine>> {
        self.engine().ok_or(PocketbookError::Enrol {
            why: EnrolFault::NotYet,
        })
    }
}

/// Returns the world of an account, and the folder of its files.
pub(crate) fn seams(
    account: &Account,
    keys: Arc<dyn KeyProvider>,
    phone: Arc<dyn PhoneFacts>,
) -> Result<(Seams, PathBuf)> {
    let address = address(account)?;
    let transport = HttpTransport::new(&address.url, &address.trust)?;
    // Apart from the database, which is nobody's to sweep.
    let files = PathBuf::from(&account.folder).join("files");
    let seams = Seams {
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        transport: Arc::new(transport),
        keys: Arc::new(Keystore(keys)),
        files: Arc::new(Folder::open(&files)?),
        platform: Arc::new(Phone(phone)),
    };
    Ok((seams, files))
}

fn address(account: &Account) -> Result<Address> {
    let trust = match (&account.authority_pem, &account.server_key) {
        (None, None) => Trust::Web,
        (Some(pem), None) => match CertificateDer::from_pem_slice(pem.as_bytes()) {
            Ok(der) => Trust::Authority(der.to_vec()),
            Err(_) => return Err(PocketbookError::field("authority")),
        },
        (None, Some(key)) => match key.parse::<BlobHash>() {
            Ok(hash) => Trust::Key(Hex(hash.0)),
            Err(_) => return Err(PocketbookError::field("server_key")),
        },
        (Some(_), Some(_)) => return Err(PocketbookError::field("server_key")),
    };
    Address::new(&account.server, trust).ok_or_else(|| PocketbookError::field("server"))
}
