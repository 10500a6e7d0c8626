//! What is proven of this product, run and printed: `cargo prove`.
//!
//! - `cargo prove`: the daily tier, some minutes after compiling.
//! - `cargo prove --nightly`: more seeds, deeper searches, every cut, all planted bugs.
//! - `cargo prove --bugs [NAME …]`: only planted bugs, those with such a name or all.
//!
//! Every step is a test program of the workspace; what it counts it tells by lines of
//! `pocketbook_tests::proofs`, which are added up here and set beside what was aimed at.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is a tool of the repository: it runs its tests and prints what they found"
)]

mod planted;
mod report;

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::Parser;

use planted::{Bug, Noticed, Planted, table};
use report::{Caught, Figures};

/// So many planted bugs are tried each day; which ones follows from the date.
const DAILY_BUGS: usize = 10;

/// Runs what proves the product, and prints the report.
#[derive(Parser)]
struct Asked {
    /// More seeds, deeper searches, every cut, all planted bugs.
    #[arg(long)]
    nightly: bool,
    /// Only planted bugs: those with such a name, or all.
    #[arg(long, num_args = 0..)]
    bugs: Option<Vec<String>>,
}

/// Test programs, and how large they are played daily and nightly.
struct Step {
    title: &'static str,
    tests: &'static [&'static str],
    daily: &'static [(&'static str, &'static str)],
    nightly: &'static [(&'static str, &'static str)],
}

const STEPS: [Step; 6] = [
    Step {
        title: "simulation",
        tests: &["simulation"],
        daily: &[("SEEDS", "500")],
        nightly: &[("SEEDS", "20000"), ("DISTRICT", "1")],
    },
    Step {
        title: "power cuts and failing disks",
        tests: &["crash"],
        daily: &[("TORN", "8")],
        nightly: &[("TORN", "400"), ("POINTS", "1000")],
    },
    Step {
        title: "model",
        tests: &["protocol", "rules"],
        daily: &[],
        nightly: &[("DEEP", "1")],
    },
    Step {
        title: "rights and canaries",
        tests: &["privacy"],
        daily: &[],
        nightly: &[],
    },
    Step {
        title: "bad inputs",
        tests: &["bad_input"],
        daily: &[],
        nightly: &[],
    },
    Step {
        title: "fuzzing",
        tests: &["targets"],
        daily: &[],
        nightly: &[("FUZZ_TIMES", "200")],
    },
];

fn main() -> io::Result<ExitCode> {
    let asked = Asked::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or(io::ErrorKind::NotFound)?;
    let mut figures = Figures::default();
    if asked.bugs.is_none() {
        for step in &STEPS {
            run(root, step, asked.nightly, &mut figures)?;
        }
    }
    let caught = tries_bugs(root, &asked)?;
    println!("{}", report::table(&figures, &caught, &commit(root)));
    let is_well = figures.failed.is_empty() && caught.iter().all(|bug| bug.noticed.is_some());
    Ok(match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs a step and takes down its figures; what it prints is shown if it fails.
fn run(root: &Path, step: &Step, nightly: bool, figures: &mut Figures) -> io::Result<()> {
    let begun = Instant::now();
    let sizes = if nightly { step.nightly } else { step.daily };
    let ended = Command::new(env!("CARGO"))
        // Of the whole workspace, so that nothing is built with other features than `tests/run` does.
        .args(["test", "--quiet", "--workspace"])
        .args(step.tests.iter().flat_map(|test| ["--test", test]))
        .args(["--", "--nocapture"])
        .envs(sizes.iter().copied())
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&ended.stdout);
    figures.take(&text);
    println!("{:32} {:.0?}", step.title, begun.elapsed());
    if !ended.status.success() {
        println!("{text}");
        figures.failed.push(step.title);
    }
    Ok(())
}

/// Tries the bugs that were asked for: by name, all of them, or the day's.
fn tries_bugs(root: &Path, asked: &Asked) -> io::Result<Vec<Caught>> {
    let today = chrono::Utc::now().timestamp() / 86_400;
    let first = usize::try_from(today).unwrap_or(0) * DAILY_BUGS;
    let all = table();
    let of_today = (first..first + DAILY_BUGS).map(|n| all[n % all.len()]);
    let of_today: Vec<&Bug> = of_today.collect();
    let bugs: Vec<&Bug> = match &asked.bugs {
        Some(names) if !names.is_empty() => {
            let is_named = |bug: &&Bug| names.iter().any(|name| bug.name.contains(name.as_str()));
            all.into_iter().filter(is_named).collect()
        }
        Some(_) => all,
        None if asked.nightly => all,
        None => of_today,
    };
    let planted = Planted::build(root)?;
    let mut caught = Vec::new();
    for bug in bugs {
        let begun = Instant::now();
        let noticed = match planted.tries(bug)? {
            Noticed::After(seeds, why) => {
                println!("✓ {:58} {seeds:4}  {why}", bug.name);
                Some(seeds)
            }
            Noticed::Not => {
                println!("✗ {:58} unnoticed after {:.0?}", bug.name, begun.elapsed());
                None
            }
        };
        caught.push(Caught {
            by_seeds: bug.by == planted::By::Seeds,
            noticed,
        });
    }
    Ok(caught)
}

fn commit(root: &Path) -> String {
    let asked = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(root)
        .output();
    asked.map_or_else(
        |_| "?".to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}
