//! The town: a district's server with its data directory, in this process, under the true time.
//!
//! The server is the real one (`Form::Inline`: its work is done on the caller's thread, so that a
//! seed repeats a run), and so is its router. What an operator types goes through the same
//! [`carry_out`] as the command line.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http;
use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::rights::Role;
use pocketbook_records::scope::Scope;
use pocketbook_server::admin::carry_out;
use pocketbook_server::admin::restore::{Restored, restore};
use pocketbook_server::admin::wire::{Command, Event, Outcome};
use pocketbook_server::server::{Form, OpenError};
use pocketbook_server::{Batch, Options, Server, api};
use tempfile::TempDir;
use tower::ServiceExt;

use super::seams::{Chance, TrueTime};

/// The password of everyone who works at a desk.
pub const PASSWORD: &str = "weihe-1938-qindu";

struct Station {
    server: Server,
    router: Router,
}

/// Somebody's duty, as the town's own memory has it: the oracle does not ask the server.
#[derive(Debug, Clone)]
struct Post {
    user: UserId,
    role: Role,
    unit: UnitId,
}

/// A district's server and everything around it.
pub struct Town {
    /// What the time really is.
    pub time: Arc<TrueTime>,
    /// The world's seed.
    pub seed: u64,
    folder: TempDir,
    entropy: Arc<Chance>,
    station: Mutex<Option<Station>>,
    posts: Mutex<Vec<Post>>,
}

impl std::fmt::Debug for Town {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Town")
    }
}

impl Town {
    /// Sets a district up in a folder that goes with the town.
    pub fn found(seed: u64) -> Self {
        Self::found_in(seed, &std::env::temp_dir())
    }

    /// The same, with the town's folder in this one.
    pub fn found_in(seed: u64, place: &Path) -> Self {
        let town = Self::without_server(seed, place);
        let made = Server::init(&town.data(), "610402", "秦都区", town.options());
        town.opens(made.expect("a fresh folder takes a district"));
        town
    }

    /// Opens a data directory from elsewhere: a fixture, a backup. It is copied, not touched.
    pub fn of(seed: u64, data: &Path) -> Self {
        Self::of_in(seed, data, &std::env::temp_dir())
    }

    /// The same, with the town's folder in this one.
    pub fn of_in(seed: u64, data: &Path, place: &Path) -> Self {
        let town = Self::without_server(seed, place);
        carry_over(data, &town.data()).expect("a copy into the world");
        town.opens(Server::open(&town.data(), town.options()).expect("the directory opens"));
        town
    }

    fn without_server(seed: u64, place: &Path) -> Self {
        Self {
            time: Arc::default(),
            seed,
            entropy: Arc::new(Chance::new(seed, "server")),
            folder: TempDir::new_in(place).expect("a folder for a world"),
            station: Mutex::new(None),
            posts: Mutex::default(),
        }
    }

    /// Returns the server's data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Returns a folder of the world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the running server.
    pub fn server(&self) -> Server {
        self.station()
            .as_ref()
            .map(|station| station.server.clone())
            .expect("the server runs")
    }

    /// Ends the server in good order and begins it again.
    pub fn restarts(&self) {
        self.server().stop();
        self.is_gone();
        let server = Server::open(&self.data(), self.options());
        self.opens(server.expect("a folder that was closed in order"));
    }

    /// The server's program dies, and is begun again over what it had written.
    #[expect(
        clippy::disallowed_methods,
        reason = "the town moves its server's folders as an operator does"
    )]
    pub fn dies(&self) {
        let (data, image) = (self.data(), self.folder.path().join("image"));
        // Copied while its files are open: its end must tidy nothing up.
        carry_over(&data, &image).expect("a copy of the machine");
        self.is_gone();
        std::fs::remove_dir_all(&data).expect("what the end tidied up");
        std::fs::rename(&image, &data).expect("the image takes its place");
        self.opens(Server::open(&data, self.options()).expect("a killed server opens"));
    }

    /// Opens the server as it lies in another folder: an image of this machine's disk.
    pub fn opens_at(&self, folder: &Path) -> Result<Server, OpenError> {
        Server::open(folder, self.options())
    }

    /// Backs the district up; the folder is named by the world.
    pub async fn backs_up(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let command = Command::Backup {
            folder: folder.clone(),
        };
        self.does(command, Vec::new()).await;
        folder
    }

    /// Restores a backup and begins the server again.
    pub fn restores(&self, backup: &Path) -> Restored {
        self.server().stop();
        self.is_gone();
        let restored = restore(&self.data(), backup, self.options()).expect("the backup is whole");
        self.opens(Server::open(&self.data(), self.options()).expect("it opens"));
        restored
    }

    /// The machine is set back to what its disk held when a copy was made: nobody says so.
    #[expect(
        clippy::disallowed_methods,
        reason = "the town moves its server's folders as an operator does"
    )]
    pub fn is_rolled_back(&self, copy: &Path) {
        self.server().stop();
        self.is_gone();
        let data = self.data().join("data");
        std::fs::remove_dir_all(&data).expect("the data directory goes");
        carry_over(copy, &data).expect("the copy takes its place");
        self.opens(Server::open(&self.data(), self.options()).expect("it opens"));
    }

    /// Copies what the disk holds now, to be rolled back to.
    pub fn is_copied(&self, name: &str) -> PathBuf {
        let copy = self.folder.path().join(name);
        carry_over(&self.data().join("data"), &copy).expect("a copy of the data");
        copy
    }

    /// Copies the server's folder to where [`Self::of`] finds it.
    pub fn is_copied_to(&self, folder: &Path) {
        carry_over(&self.data(), folder).expect("a copy out of the world");
    }

    /// The server's machine is gone: nothing answers.
    pub fn is_gone(&self) {
        *self.station() = None;
    }

    /// The server's disk runs full: its database can't grow.
    pub fn fills_disk(&self) {
        self.limits_pages("PRAGMA max_page_count = 1");
    }

    /// There is room again.
    pub fn frees_disk(&self) {
        self.limits_pages("PRAGMA max_page_count = 1073741823");
    }

    fn limits_pages(&self, pragma: &'static str) {
        // SQLite never goes below what is in use, so one page means: not one more.
        let limit = move |batch: &mut Batch<'_>| {
            let limited = batch.store().sql.one(pragma, &[], |_| Ok(()));
            Ok(limited.map(drop)?)
        };
        self.server()
            .writer()
            .run(limit)
            .expect("the writer takes a limit");
    }

    /// Answers a request; none if the machine is gone.
    pub async fn answers(&self, request: http::Request<Body>) -> Option<http::Response<Body>> {
        let router = self
            .station()
            .as_ref()
            .map(|station| station.router.clone())?;
        router.oneshot(request).await.ok()
    }

    /// Carries an operator's command out; fails the test if the server does not.
    pub async fn does(&self, command: Command, input: Vec<String>) -> Outcome {
        let (outcome, bad) = self.tries(command, input).await;
        assert!(bad.is_empty(), "lines left out: {bad:?}");
        outcome
    }

    /// Carries an operator's command out and returns the numbers of lines left out beside it.
    pub async fn tries(&self, command: Command, input: Vec<String>) -> (Outcome, Vec<u64>) {
        let server = self.server();
        let mut bad = Vec::new();
        let mut lines = input.into_iter().map(io::Result::Ok);
        let mut hear = |event| {
            if let Event::BadLine { number, .. } = event {
                bad.push(number);
            }
        };
        let done = carry_out(&server, command, &mut lines, &mut hear).await;
        (done.expect("the operator's command is carried out"), bad)
    }

    /// Notes a duty that the operator has given.
    pub(super) fn posts(&self, user: UserId, role: Role, unit: &UnitId) {
        lock(&self.posts).push(Post {
            user,
            role,
            unit: unit.clone(),
        });
    }

    /// Notes that the operator has ended it.
    pub(super) fn recalls(&self, user: UserId, role: Role, unit: &UnitId) {
        lock(&self.posts).retain(|post| (post.user, post.role, &post.unit) != (user, role, unit));
    }

    /// Returns what somebody's phone may hold. Worked out from what the operator did, for the
    /// roles that a phone has: duties at a grid itself, and handling units.
    pub fn entitled(&self, user: UserId) -> Vec<Scope> {
        use pocketbook_records::kind::Class::{General, Sensitive};
        let mut scopes = vec![Scope::User(user)];
        for post in lock(&self.posts)
            .iter()
            .filter(|post| post.user == user && post.role.syncs())
        {
            if post.role == Role::Handler {
                scopes.push(Scope::Unit(post.unit.clone()));
            }
            for class in [General, Sensitive]
                .into_iter()
                .filter(|class| post.role.reads(*class))
            {
                scopes.push(Scope::grid(post.unit.clone(), class));
            }
        }
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// Returns how the server is opened in this world.
    pub fn options(&self) -> Options {
        Options {
            clock: self.time.clone(),
            entropy: self.entropy.clone(),
            form: Form::Inline,
        }
    }

    fn opens(&self, server: Server) {
        let router = api::router(server.clone());
        *self.station() = Some(Station { server, router });
    }

    fn station(&self) -> MutexGuard<'_, Option<Station>> {
        lock(&self.station)
    }
}

/// Copies a folder: of a database everything but the index of its log, which SQLite makes anew.
#[expect(
    clippy::disallowed_methods,
    reason = "kills, backups and fixtures are played by copying folders of the world"
)]
pub(super) fn carry_over(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_left = name.to_string_lossy().ends_with("-shm");
        if entry.file_type()?.is_dir() {
            carry_over(&entry.path(), &to.join(name))?;
        } else if entry.file_type()?.is_file() && !is_left {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
