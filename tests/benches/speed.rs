//! How fast the shipped path is, as ratios against bare SQLite (or a bare round trip) in the same
//! run, and how many commits it takes. Prints, never fails on time.
//!
//! The server is the real one on loopback with its writer thread; the phone is the real store and
//! engine over HTTP. `--short` takes a few seconds; `--households N` sets the size.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures the true clock and prints"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use pocketbook::books::{Book, Change, account};
use pocketbook::engine::{Credential, Engine, Reason, enrol};
use pocketbook::seams::folder::{Folder, KeyFolder};
use pocketbook::seams::http::{HttpTransport, Trust};
use pocketbook::seams::system::{SystemClock, SystemEntropy, Workstation};
use pocketbook::seams::{Method, Request, Seams, Transport};
use pocketbook::store::Store;
use pocketbook_records::body::write as canonical;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::carry_out;
use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_server::{Options, Server, api};
use pocketbook_tests::data::{OrgFile, households};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

type Failure = Box<dyn std::error::Error>;

/// Measures the shipped path against bare work.
#[derive(Parser)]
struct Arguments {
    /// A few seconds instead of half a minute.
    #[arg(long)]
    short: bool,
    /// Households of the grid.
    #[arg(long)]
    households: Option<usize>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Line {
    what: String,
    ours: Duration,
    bare: Duration,
    baseline: &'static str,
    commits: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let count = arguments
        .households
        .unwrap_or(if arguments.short { 300 } else { 5_000 });
    let district = District::found(count).await?;
    let mut lines = Vec::new();
    let phone = Phone::enrol(&district).await?;
    lines.push(phone.first_sync(count).await?);
    lines.push(phone.saves()?);
    lines.push(phone.push(count.min(2_000)).await?);
    lines.push(phone.nothing_new().await?);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["what", "ours ms", "bare ms", "ratio", "baseline", "commits"]);
    for line in lines {
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        let ratio = line.ours.as_secs_f64() / line.bare.as_secs_f64().max(1e-9);
        table.add_row([
            line.what,
            ms(line.ours),
            ms(line.bare),
            format!("{ratio:.1}"),
            line.baseline.to_owned(),
            line.commits,
        ]);
    }
    for column in 1..4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if cfg!(debug_assertions) {
        println!(
            "debug build: our code is not optimised, bare SQLite is; `cargo bench` tells more"
        );
    }
    println!("{table}");
    Ok(())
}

struct District {
    folder: TempDir,
    address: String,
    code: String,
}

impl District {
    async fn found(count: usize) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let server = Server::init(
            &folder.path().join("server"),
            "610402",
            "秦都区",
            Options::default(),
        )?;
        let org = OrgFile::read()?;
        let grid = org.grids().next().ok_or("a grid")?.code.clone();
        does(
            &server,
            Command::ImportOrg,
            vec![serde_json::to_string(&org)?],
        )
        .await?;
        let lines = households(1, &grid, count).map(|line| serde_json::to_string(&line));
        does(
            &server,
            Command::ImportPeople,
            lines.collect::<Result<_, _>>()?,
        )
        .await?;
        let user = "bench".to_owned();
        let add = Command::AddUser {
            login: user.clone(),
            name: user.clone(),
            number: None,
            password: None,
        };
        does(&server, add, Vec::new()).await?;
        let grant = Command::Grant {
            user: user.clone(),
            role: Role::GridHead,
            unit: grid,
            from: None,
            until: None,
        };
        does(&server, grant, Vec::new()).await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let invite = Command::EnrolCode {
            user,
            url: Some(address.clone()),
            trust: None,
        };
        let Outcome::Code(made) = does(&server, invite, Vec::new()).await? else {
            return Err("a code".into());
        };
        tokio::spawn(async move { axum::serve(listener, api::router(server)).await });
        Ok(Self {
            folder,
            address,
            code: made.invitation.code.to_string(),
        })
    }
}

async fn does(server: &Server, command: Command, lines: Vec<String>) -> Result<Outcome, Failure> {
    let mut lines = lines.into_iter().map(std::io::Result::Ok);
    Ok(carry_out(server, command, &mut lines, &mut |_| {}).await?)
}

struct Phone<'d> {
    district: &'d District,
    store: Arc<Store>,
    engine: Engine,
    transport: Arc<dyn Transport>,
}

impl<'d> Phone<'d> {
    async fn enrol(district: &'d District) -> Result<Self, Failure> {
        let folder = district.folder.path().join("phone");
        let entropy = Arc::new(SystemEntropy);
        let seams = Seams {
            clock: Arc::new(SystemClock::new()),
            entropy: entropy.clone(),
            transport: Arc::new(HttpTransport::new(&district.address, &Trust::Web)?),
            keys: Arc::new(KeyFolder::open(folder.join("keys"), entropy)?),
            files: Arc::new(Folder::open(folder.join("files"))?),
            platform: Arc::new(Workstation::new(&folder)),
        };
        let transport = Arc::clone(&seams.transport);
        let secret = seams.keys.enrolment_secret("bench")?;
        let answer = enrol(
            Arc::clone(&transport),
            &district.code,
            (&secret, None),
            "bench",
        )
        .await?;
        let store = Arc::new(account::open(&folder, "bench", seams)?);
        store.adopt(&answer)?;
        let credential = Credential {
            enrolment: answer.enrolment,
            secret,
        };
        let engine = Engine::new(Arc::clone(&store), &credential, Arc::new(()));
        Ok(Self {
            district,
            store,
            engine,
            transport,
        })
    }

    async fn first_sync(&self, count: usize) -> Result<Line, Failure> {
        let before = self.store.commits();
        let (ours, done) = timed(self.engine.sync_once(Reason::Opened)).await;
        done?;
        let commits = self.store.commits() - before;
        let bodies = self.bodies()?;
        let bare = bare(
            &self.district.folder.path().join("bare-first.db"),
            |connection| {
                let transaction = connection.unchecked_transaction()?;
                for (id, body) in &bodies {
                    transaction
                        .prepare_cached("INSERT INTO record (id, body) VALUES (?1, ?2)")?
                        .execute((id.as_bytes(), body))?;
                }
                transaction.commit()
            },
        )?;
        Ok(Line {
            what: format!(
                "first sync, {count} households ({} rows shown)",
                bodies.len()
            ),
            ours,
            bare,
            baseline: "insert the households' bodies, one commit",
            commits: commits.to_string(),
        })
    }

    fn saves(&self) -> Result<Line, Failure> {
        const TIMES: u32 = 50;
        let book = Book::new(Arc::clone(&self.store));
        let rows = book.households(None, None, TIMES as usize)?.rows;
        let before = self.store.commits();
        let start = Instant::now();
        for row in &rows {
            let change = Change {
                path: "door_code".into(),
                was: json!(row.fields.door_code),
                to: json!("77"),
            };
            book.edit(&HOUSEHOLD, row.id, row.rev, &[change])?;
        }
        let ours = start.elapsed() / TIMES;
        let commits = (self.store.commits() - before) / u64::from(TIMES);
        let bare = bare(
            &self.district.folder.path().join("bare-save.db"),
            |connection| {
                for row in &rows {
                    connection.execute(
                        "INSERT INTO record (id, body) VALUES (?1, ?2)",
                        (row.id.as_bytes(), "x".repeat(600)),
                    )?;
                }
                Ok(())
            },
        )?;
        Ok(Line {
            what: "save one edit on the phone".into(),
            ours,
            bare: bare / TIMES,
            baseline: "insert one row, one commit",
            commits: commits.to_string(),
        })
    }

    async fn push(&self, most: usize) -> Result<Line, Failure> {
        let book = Book::new(Arc::clone(&self.store));
        self.engine.sync_once(Reason::Opened).await?;
        let mut edited = Vec::new();
        let mut after = None;
        while edited.len() < most {
            let page = book.households(None, after.as_ref(), 200)?;
            for row in page.rows.into_iter().take(most - edited.len()) {
                let change = Change {
                    path: "door_code".into(),
                    was: json!(row.fields.door_code),
                    to: json!("88"),
                };
                book.edit(&HOUSEHOLD, row.id, row.rev, &[change])?;
                edited.push(row.id);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let before = self.store.commits();
        let (ours, done) = timed(self.engine.sync_once(Reason::Opened)).await;
        done?;
        let commits = self.store.commits() - before;
        let bodies = self.bodies()?;
        let bare = bare(
            &self.district.folder.path().join("bare-push.db"),
            |connection| {
                let transaction = connection.unchecked_transaction()?;
                for (id, body) in bodies.iter().take(edited.len()) {
                    transaction
                        .prepare_cached("INSERT OR REPLACE INTO record (id, body) VALUES (?1, ?2)")?
                        .execute((id.as_bytes(), body))?;
                }
                transaction.commit()
            },
        )?;
        Ok(Line {
            what: format!("hand in {} edits", edited.len()),
            ours,
            bare,
            baseline: "write as many bodies, one commit",
            commits: format!("{commits} on the phone"),
        })
    }

    async fn nothing_new(&self) -> Result<Line, Failure> {
        const TIMES: u32 = 20;
        self.engine.sync_once(Reason::Opened).await?;
        let before = self.store.commits();
        let start = Instant::now();
        for _ in 0..TIMES {
            self.engine.sync_once(Reason::Opened).await?;
        }
        let ours = start.elapsed() / TIMES;
        let commits = (self.store.commits() - before) as f64 / f64::from(TIMES);
        let start = Instant::now();
        for _ in 0..TIMES {
            let health = Request::new(Method::Get, "/v1/health");
            self.transport.send(health).await?;
        }
        Ok(Line {
            what: "nothing to sync".into(),
            ours,
            bare: start.elapsed() / TIMES,
            baseline: "one round trip (/v1/health)",
            commits: format!("{commits:.1} on the phone"),
        })
    }

    /// Returns the households' bodies as they are stored.
    fn bodies(&self) -> Result<Vec<(RecordId, String)>, Failure> {
        let mut bodies = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.list(&HOUSEHOLD, None, after.as_ref(), 200)?;
            bodies.extend(
                page.rows
                    .into_iter()
                    .map(|row| (row.id, canonical(&row.fields))),
            );
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(bodies),
            }
        }
    }
}

async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let done = work.await;
    (start.elapsed(), done)
}

/// Times bare SQLite at the same durability.
fn bare(
    file: &Path,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<Duration, Failure> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE record (id BLOB PRIMARY KEY, body TEXT NOT NULL) STRICT",
    )?;
    let start = Instant::now();
    work(&connection)?;
    Ok(start.elapsed())
}
