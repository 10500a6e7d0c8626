//! A worker's phone: the real store, books and engine, in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pocketbook::books::account;
use pocketbook::books::{Book, HouseholdFile, OpenReview, Report, Take};
use pocketbook::engine::{
    Credential, Engine, Reason, SyncError, SyncEvent, SyncListener, SyncReport, enrol,
};
use pocketbook::seams::Clock;
use pocketbook::seams::system::{SystemClock, Workstation};
use pocketbook::store::Store;
use pocketbook::store::lists::Shown;
use pocketbook::store::outbox::Authored;
use pocketbook::store::status::{SyncState, SyncStatus};
use pocketbook_records::ids::{EnrolmentId, RecordId, UnitId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_tests::stack::device;
use pocketbook_tests::stack::hands::Hands;
use pocketbook_tests::stack::link::Link;
use serde_json::Value;

use super::Result;
use super::line::{Line, Reception};

/// Bursts after which a phone that is not in step will not be.
const MOST_BURSTS: u32 = 400;
/// Between two of them.
const PAUSE_MS: u64 = 40;

/// What a first sync's watcher does with the percentage.
type Watch = Box<dyn FnMut(u8) + Send>;

/// Looks at each step of a first sync.
struct Watcher {
    store: Arc<Store>,
    watch: Mutex<Option<Watch>>,
}

impl SyncListener for Watcher {
    fn changed(&self, _: SyncEvent) {
        let mut watching = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(watch), Ok(status)) = (&mut *watching, self.store.status()) else {
            return;
        };
        match status.state {
            SyncState::FirstSync { percent } => watch(percent),
            // It has ended: there is no more to see.
            _ => {
                watch(100);
                *watching = None;
            }
        }
    }
}

/// A worker's phone.
pub(crate) struct Phone {
    name: &'static str,
    folder: PathBuf,
    link: Link,
    line: Arc<Line>,
    reception: Arc<Reception>,
    hands: Hands,
    watcher: Arc<Watcher>,
    engine: Engine,
    enrolment: EnrolmentId,
    user: UserId,
    bearer: String,
    authored: Mutex<Vec<Authored>>,
}

impl Phone {
    /// Enrols a new phone with a code; nothing is on it yet.
    pub(crate) async fn enrol(
        name: &'static str,
        account: &str,
        folder: &Path,
        link: Link,
        code: &str,
    ) -> Result<Self> {
        let reception = Arc::new(Reception::over(Workstation::new(folder)));
        let line = Arc::new(Line::to(
            &format!("http://{}", link.address()),
            Arc::clone(&reception),
        )?);
        let seams = device::seams(folder, line.clone(), reception.clone())?;
        let keys = seams.keys.clone();
        let store = Arc::new(account::open(folder, account, seams)?);
        let secret = keys.enrolment_secret(account)?;
        let answer = enrol(
            line.clone(),
            code,
            (&secret, None),
            &format!("{name}的手机"),
        )
        .await?;
        store.adopt(&answer)?;
        let (enrolment, user) = (answer.enrolment, answer.user);
        let bearer = format!("{enrolment}.{}", hex::encode(secret.bytes()));
        let watcher = Arc::new(Watcher {
            store: store.clone(),
            watch: Mutex::new(None),
        });
        let credential = Credential { enrolment, secret };
        Ok(Self {
            name,
            folder: folder.to_owned(),
            link,
            line,
            reception,
            engine: Engine::new(store.clone(), &credential, watcher.clone()),
            hands: Hands::on(store),
            watcher,
            enrolment,
            user,
            bearer,
            authored: Mutex::default(),
        })
    }

    /// Returns the worker's name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the folder with all that is on the phone.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the wire to the server.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Returns what passes over it.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Returns the store.
    pub(crate) fn store(&self) -> &Arc<Store> {
        self.hands.store()
    }

    /// Returns the verbs.
    pub(crate) fn book(&self) -> &Book {
        self.hands.book()
    }

    /// Returns the identity that authors.
    pub(crate) fn enrolment(&self) -> EnrolmentId {
        self.enrolment
    }

    /// Returns the account.
    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    /// Returns the credential as it stands after `Bearer`.
    pub(crate) fn bearer(&self) -> &str {
        &self.bearer
    }

    /// Returns everything that was authored here.
    pub(crate) fn authored(&self) -> Vec<Authored> {
        self.authored
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Flight mode.
    pub(crate) fn goes_offline(&self) {
        self.reception.set(false);
    }

    /// A network again.
    pub(crate) fn comes_online(&self) {
        self.reception.set(true);
    }

    /// Synchronises as far as it goes.
    pub(crate) async fn syncs(&self) -> std::result::Result<SyncReport, SyncError> {
        self.engine.sync_once(Reason::Asked).await
    }

    /// Synchronises and shows each step of a first sync to a watcher, the end as 100.
    pub(crate) async fn syncs_watched(
        &self,
        watch: impl FnMut(u8) + Send + 'static,
    ) -> std::result::Result<SyncReport, SyncError> {
        self.watch(Some(Box::new(watch)));
        let done = self.syncs().await;
        self.watch(None);
        done
    }

    fn watch(&self, watch: Option<Watch>) {
        *self
            .watcher
            .watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = watch;
    }

    /// Synchronises until nothing waits, however often the line fails; returns how often it began.
    pub(crate) async fn delivers(&self) -> Result<u32> {
        for burst in 1..=MOST_BURSTS {
            let failed = self.syncs().await.err();
            if self.is_in_step()? {
                return Ok(burst);
            }
            if let Some(SyncError::Store(error)) = failed {
                return Err(error.into());
            }
            SystemClock::new().sleep(PAUSE_MS).await;
        }
        Err(format!("{} does not get in step: {:?}", self.name, self.status()?).into())
    }

    /// Says how the work stands.
    pub(crate) fn status(&self) -> Result<SyncStatus> {
        Ok(self.store().status()?)
    }

    /// Says whether the server has confirmed everything and all news are here.
    pub(crate) fn is_in_step(&self) -> Result<bool> {
        Ok(self.hands.is_in_step()?)
    }

    /// Returns all households of a grid that are here.
    pub(crate) fn households(&self, grid: &UnitId) -> Result<Vec<RecordId>> {
        Ok(self.hands.households(grid)?)
    }

    /// Opens a household file.
    pub(crate) fn home(&self, household: RecordId) -> Result<HouseholdFile> {
        Ok(self.book().household(household)?)
    }

    /// Looks at a record; none if it is not on this phone.
    pub(crate) fn finds(&self, kind: &Kind, id: RecordId) -> Result<Option<Shown>> {
        Ok(self.hands.finds(kind, id)?)
    }

    /// Returns a value as it is shown, null if there is none.
    pub(crate) fn value(&self, kind: &Kind, id: RecordId, at: &str) -> Result<Value> {
        Ok(self.hands.value(kind, id, at)?)
    }

    /// Changes a value from what is shown.
    pub(crate) fn enters(
        &self,
        kind: &Kind,
        id: RecordId,
        at: &str,
        to: impl Into<Value>,
    ) -> Result<()> {
        self.note(self.hands.enters(kind, id, at, to)?);
        Ok(())
    }

    /// Creates a record.
    pub(crate) fn creates(&self, kind: &Kind, fields: Value) -> Result<RecordId> {
        let (id, authored) = self.hands.creates(kind, fields)?;
        self.note(authored);
        Ok(id)
    }

    /// Reports a case with photos as the camera gave them.
    pub(crate) fn reports(&self, fields: Value, photos: &[Vec<u8>]) -> Result<Report> {
        let report = self.hands.reports(fields, photos)?;
        self.note(report.authored);
        Ok(report)
    }

    /// Decides a review.
    pub(crate) fn decides(&self, review: &OpenReview, take: Take) -> Result<()> {
        let authored = self.book().decide(review, take)?;
        self.note(authored);
        Ok(())
    }

    fn note(&self, authored: Authored) {
        self.authored
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(authored);
    }
}
