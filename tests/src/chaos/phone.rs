//! A phone: a process of its own with the real store, engine and HTTP client.
//!
//! It enrols by the invitation that lies in its folder, as often as it takes, and then does one of
//! two things. Working, it does deeds and synchronises at random until its standard input ends.
//! Settling, it only synchronises until it is in step, and ends. Either way it may be killed at any moment; the next process goes on in the same folder.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use pocketbook::books::account;
use pocketbook::engine::{Credential, Engine, Reason, SyncError, accept};
use pocketbook::seams::http::HttpTransport;
use pocketbook::seams::system::{SystemClock, Workstation};
use pocketbook::seams::{Clock, Transport};
use pocketbook::store::Store;
use pocketbook_records::invitation::Invitation;
use pocketbook_records::wire::Key;
use pocketbook_tests::sim::tape::Dice;
use pocketbook_tests::stack::hands::Hands;
use pocketbook_tests::stack::{Result, device};
use pocketbook_tests::world::check;
use serde::{Deserialize, Serialize};

use super::counted::Counted;
use super::deeds::Worker;
use super::diary::Diary;

/// The word by which this program knows that it is to be a phone.
pub(crate) const PART: &str = "pocketbook-phone";
/// The name under which the keystore knows the account.
const ACCOUNT: &str = "account";
/// Between two attempts to get in step.
const PAUSE_MS: u64 = 100;

/// What a phone's process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Works until its input ends.
    Work,
    /// Comes in step and ends.
    Settle,
    /// Comes in step, fetches every photo that it may see, and ends.
    SettleWithPhotos,
}

/// What a phone's process is told, as its one argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// Where everything of the phone lies.
    pub(crate) folder: PathBuf,
    /// What its worker was given.
    pub(crate) invitation: Invitation,
    /// The grids in which the worker works.
    pub(crate) grids: Vec<pocketbook_records::ids::UnitId>,
    /// From this the deeds follow.
    pub(crate) seed: u64,
    /// What to do.
    pub(crate) task: Task,
}

/// Is a phone.
pub(crate) fn run(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
    let orders = words
        .next()
        .and_then(|word| serde_json::from_str::<Orders>(word.to_str()?).ok());
    let Some(orders) = orders else {
        tracing::error!("no orders");
        return ExitCode::FAILURE;
    };
    let lived = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| {
            let lived = runtime.block_on(live(&orders));
            runtime.shutdown_background();
            lived
        });
    match lived {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the phone's process ends");
            ExitCode::FAILURE
        }
    }
}

/// Opens the store that lies in a phone's folder.
pub(crate) fn open(folder: &Path, invitation: &Invitation) -> Result<Store> {
    let line = Arc::new(line(invitation)?);
    let seams = device::seams(folder, line, Arc::new(Workstation::new(folder)))?;
    Ok(account::open(folder, ACCOUNT, seams)?)
}

fn line(invitation: &Invitation) -> Result<HttpTransport> {
    let server = &invitation.server;
    Ok(HttpTransport::new(&server.url, &server.trust)?)
}

async fn live(orders: &Orders) -> Result<()> {
    let diary = Arc::new(Mutex::new(Diary::open(&orders.folder)?));
    let counted = Counted::over(line(&orders.invitation)?, Arc::clone(&diary));
    let transport: Arc<dyn Transport> = Arc::new(counted);
    let platform = Arc::new(Workstation::new(&orders.folder));
    let seams = device::seams(&orders.folder, transport.clone(), platform)?;
    let keys = seams.keys.clone();
    let store = Arc::new(account::open(&orders.folder, ACCOUNT, seams)?);
    let secret = keys.enrolment_secret(ACCOUNT)?;
    while store.account().is_err() {
        let introduction = (&secret, None);
        match accept(transport.clone(), &orders.invitation, introduction, "phone").await {
            Ok(answer) => store.adopt(&answer)?,
            Err(error) => {
                note_odd(&diary, &error)?;
                SystemClock::new().sleep(PAUSE_MS).await;
            }
        }
    }
    let credential = Credential {
        enrolment: store.account()?.enrolment,
        secret,
    };
    let engine = Arc::new(Engine::new(store.clone(), &credential, Arc::new(())));
    let hands = Hands::on(store);
    match orders.task {
        Task::Work => work(orders, hands, &engine, &diary).await,
        Task::Settle => settle(&hands, &engine, &diary).await,
        Task::SettleWithPhotos => {
            settle(&hands, &engine, &diary).await?;
            fetch_photos(&hands, &engine).await
        }
    }
}

async fn work(
    orders: &Orders,
    hands: Hands,
    engine: &Arc<Engine>,
    diary: &Arc<Mutex<Diary>>,
) -> Result<()> {
    let syncing = tokio::spawn(sync_now_and_then(
        Arc::clone(engine),
        Arc::clone(diary),
        Dice::new(orders.seed ^ 0x5eed),
    ));
    let mut worker = Worker::new(hands, orders.grids.clone(), Dice::new(orders.seed));
    let input_ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    let working = async {
        loop {
            let pause_ms = worker.pause_ms();
            SystemClock::new().sleep(pause_ms).await;
            match worker.does_something() {
                Ok(done) => {
                    for (mid, photos) in done {
                        lock(diary).saved(mid, &photos)?;
                    }
                    engine.kick(Reason::Authored);
                }
                Err(error) => lock(diary).odd(&format!("a verb failed: {error:?}"))?,
            }
        }
    };
    let worked: Result<()> = tokio::select! {
        ended = working => ended,
        _ = input_ended => Ok(()),
        synced = syncing => synced?,
    };
    engine.stop();
    worked
}

async fn sync_now_and_then(
    engine: Arc<Engine>,
    diary: Arc<Mutex<Diary>>,
    mut dice: Dice,
) -> Result<()> {
    loop {
        if let Err(error) = engine.sync_once(Reason::Asked).await {
            note_odd(&diary, &error)?;
        }
        let pause_ms = 20 + dice.below(600) as u64;
        SystemClock::new().sleep(pause_ms).await;
    }
}

async fn settle(hands: &Hands, engine: &Engine, diary: &Mutex<Diary>) -> Result<()> {
    loop {
        if let Err(error) = engine.sync_once(Reason::Asked).await {
            note_odd(diary, &error)?;
        }
        if hands.is_in_step()? {
            break;
        }
        SystemClock::new().sleep(PAUSE_MS).await;
    }
    Ok(())
}

async fn fetch_photos(hands: &Hands, engine: &Engine) -> Result<()> {
    for ((kind, id), shown) in check::shown_in(hands.store()) {
        for hash in check::photos_of(kind, &shown.body) {
            let of = Key {
                kind: kind.to_owned(),
                id,
            };
            engine.fetch_photo(&of, hash).await?;
        }
    }
    Ok(())
}

/// Writes a failure down that no bad line and no killed server can be the reason of: behind TLS a
/// garbled byte must never look like an answer.
fn note_odd(diary: &Mutex<Diary>, error: &SyncError) -> Result<()> {
    let is_excused = matches!(
        error,
        SyncError::Transport(_)
            | SyncError::Busy { .. }
            | SyncError::NotYet { .. }
            | SyncError::Stopped
    );
    if !is_excused {
        lock(diary).odd(&format!("a synchronisation failed: {error:?}"))?;
    }
    Ok(())
}

fn lock(diary: &Mutex<Diary>) -> std::sync::MutexGuard<'_, Diary> {
    diary.lock().unwrap_or_else(PoisonError::into_inner)
}
