//! Our column of the peers' benchmark: the shipped server, store, engine and HTTP client on the
//! harness's data set, with the harness's arguments and lines (`../harness/README.md`).
//!
//! # A run
//! The program starts itself again as the district's server and once as the client, so that they
//! are two processes. The district is seeded once for each size, by a phone that enters every
//! household and hands it in, and copied for each run. On the clock the client goes the way that
//! users go: token, grants, receipts, journal, view and merge are there; its phones enrol by
//! invitation. Built with SQLCipher it serves over TLS and calls itself `project-cipher`.
//!
//! # What the figures leave out
//! There is no search on the phone and no live channel yet, so no figure for them. The photos are
//! noise of the size of the data set's blobs, since those cannot be decoded; preparing and sealing
//! them is off the clock, as is for the peers what they do with a file before it waits.

#![expect(
    clippy::disallowed_methods,
    reason = "the client is a process of its own, and a seed that is whole is marked by a file"
)]

mod document;
mod machine;
mod noise;
mod phone;
mod stage;
mod work;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use pocketbook_sqlite::is_encryption_built;
use pocketbook_tests::stack::hands::object;
use pocketbook_tests::stack::{Result, district};
use serde_json::{Map, Value, json};

use self::machine::{cpu_seconds, emit, peak_mb};
use self::stage::{Content, SEEDER, Stage, seed_folder};
use self::work::{Orders, Task};

/// The word by which this program knows that it is to be a client.
const CLIENT: &str = "pocketbook-client";
/// More grids for the same households: many scopes instead of one.
const SCOPES: usize = 20;
/// Phones that hand in at once, and what each has waiting.
const CROWD: usize = 200;
const EACH: usize = 50;

/// Our column of the peers' benchmark.
#[derive(Debug, Parser)]
struct Arguments {
    /// W1 to W6, as the harness names them.
    workload: String,
    /// Where the harness keeps this program; nothing else is needed from there.
    #[arg(long, default_value = ".")]
    bin: PathBuf,
    /// The data set.
    #[arg(long)]
    data: PathBuf,
    /// A folder for this run.
    #[arg(long)]
    work: PathBuf,
    /// Households.
    #[arg(long, default_value_t = 20_000)]
    n: usize,
    /// Repetitions.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Round-trip time of the line (ms).
    #[arg(long)]
    rtt: Option<u32>,
    /// To the client (kbit/s).
    #[arg(long, default_value_t = 0)]
    down: u32,
    /// From the client (kbit/s).
    #[arg(long, default_value_t = 0)]
    up: u32,
    /// The harness's program that plays the line.
    #[arg(long, default_value = "limits")]
    limits: PathBuf,
}

/// One line of the result: what is done, on which district, with how many edits.
struct Measure {
    name: String,
    task: Task,
    content: Content,
    edits: usize,
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let part = words.get(1).and_then(|word| word.to_str());
    if part == Some(district::PART) {
        return pocketbook_server::command::run(words.into_iter().skip(1));
    }
    let done = match part {
        Some(CLIENT) => be_client(words.get(2)),
        _ => within_runtime(measure_all(&Arguments::parse_from(words))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = error.to_string();
            emit(&[&object(json!({"peer": name(), "error": error}))]);
            ExitCode::FAILURE
        }
    }
}

fn within_runtime(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

fn name() -> &'static str {
    match is_encryption_built() {
        true => "project-cipher",
        false => "project",
    }
}

async fn measure_all(arguments: &Arguments) -> Result<()> {
    let measures = measures(arguments)?;
    for rep in 0..arguments.reps {
        for measure in &measures {
            let base = object(json!({
                "peer": name(), "version": concat!("pocketbook ", env!("CARGO_PKG_VERSION")),
                "workload": measure.name, "n": measure.n(), "rep": rep,
            }));
            match one(arguments, measure).await {
                Ok(figures) => emit(&[&base, &figures]),
                Err(error) => emit(&[&base, &object(json!({"error": error.to_string()}))]),
            }
        }
    }
    Ok(())
}

fn measures(arguments: &Arguments) -> Result<Vec<Measure>> {
    let content = |grids| Content {
        households: arguments.n,
        grids,
        is_divided: false,
    };
    let measure = |task, content, edits| Measure {
        name: arguments.workload.clone(),
        task,
        content,
        edits,
    };
    Ok(match arguments.workload.as_str() {
        "W1" => vec![
            measure(Task::W1, content(1), 0),
            Measure {
                name: "W1scopes".into(),
                ..measure(Task::W1, content(SCOPES), 0)
            },
        ],
        "W2" => vec![
            measure(Task::W2, content(1), 1_000),
            measure(Task::W2, content(1), arguments.n.min(20_000)),
        ],
        "W3" => vec![measure(Task::W3, content(1), 0)],
        "W4" => vec![measure(Task::W4, content(1), 0)],
        "W5" => vec![measure(Task::W5, content(1), 0)],
        "W6" => vec![measure(
            Task::W6,
            Content {
                households: CROWD * EACH,
                grids: CROWD,
                is_divided: true,
            },
            CROWD * EACH,
        )],
        other => return Err(format!("no workload {other}").into()),
    })
}

impl Measure {
    /// What the harness prints as `n`: of the hand-in the edits, else the records.
    fn n(&self) -> usize {
        match self.task {
            Task::W2 => self.edits,
            _ => self.content.households,
        }
    }
}

async fn one(arguments: &Arguments, measure: &Measure) -> Result<Map<String, Value>> {
    let content = &measure.content;
    let seed = seed_folder(&arguments.work, content);
    if !seed.join("whole").exists() {
        seed_district(arguments, content, &seed).await?;
    }
    let folder = arguments.work.join("run");
    let stage = Stage::copied(&seed, &folder, arguments)?;
    let workers = content.workers();
    let invitations = workers.iter().map(|login| stage.invite(login));
    let orders = Orders {
        task: measure.task,
        data: arguments.data.clone(),
        folder,
        invitations: invitations.collect::<Result<_>>()?,
        households: content.households,
        grids: content.grids,
        edits: measure.edits,
    };
    let server = stage.process();
    let before = cpu_seconds(server);
    let mut figures = client(&orders)?;
    figures.insert("server_cpu_s".into(), json!(cpu_seconds(server) - before));
    figures.insert("server_peak_rss_mb".into(), json!(peak_mb(server)));
    figures.extend(stage.told_by_link().await?);
    stage.ends()?;
    Ok(figures)
}

async fn seed_district(arguments: &Arguments, content: &Content, seed: &Path) -> Result<()> {
    let stage = Stage::found(seed, content)?;
    client(&Orders {
        task: Task::Seed,
        data: arguments.data.clone(),
        folder: seed.to_owned(),
        invitations: vec![stage.invite(SEEDER)?],
        households: content.households,
        grids: content.grids,
        edits: 0,
    })?;
    stage.ends()?;
    Ok(std::fs::write(seed.join("whole"), [])?)
}

/// Runs the client's process to its end.
fn client(orders: &Orders) -> Result<Map<String, Value>> {
    let ran = Command::new(std::env::current_exe()?)
        .arg(CLIENT)
        .arg(serde_json::to_string(orders)?)
        .stderr(Stdio::inherit())
        .output()?;
    let figures: Value = serde_json::from_slice(&ran.stdout)?;
    let figures = object(figures);
    match figures.get("error") {
        Some(error) => Err(error.to_string().into()),
        None => Ok(figures),
    }
}

fn be_client(orders: Option<&OsString>) -> Result<()> {
    let orders = orders.and_then(|orders| orders.to_str()).unwrap_or("");
    let orders: Orders = serde_json::from_str(orders)?;
    within_runtime(async move {
        emit(&[&orders.carry_out().await?]);
        Ok(())
    })
}
