//! `cargo chaos`: the real stack under faults, for a minute.
//!
//! # What happens
//! The program starts itself again as the district's server, which serves over TLS with a
//! certificate made for this run, and once for each phone: processes of their own with the real
//! store, the real engine and the real HTTP client, pinned to that certificate by their
//! invitation. Each phone reaches the server through a proxy that cuts, stalls, slows down, half
//! closes and corrupts ([`pocketbook_tests::stack::faults`]). The workers enter, visit, register,
//! report and decide at random, while servers and phones are killed (`kill -9`) and started again,
//! servers end in good order, and a grid is taken and given back ([`storm`]). What a verb answered
//! as saved is written down outside the phone before the next one begins ([`diary`]): that is what
//! a worker was told.
//!
//! Then the weather clears, all come in step, everything ends in good order, and the directories
//! are opened from outside ([`audit`]).
//!
//! # What it promises
//! - One violation and the exit code is not zero; then the folder of the run is kept.
//! - A run in which nothing was killed or some kind of fault befell nobody proves nothing, and
//!   fails too.
//!
//! # What it refuses
//! To be repeatable. The seed that is printed drives the choice of deeds, kills and faults; when
//! each of them happens is up to the machine, and to real time. What it finds is to be told in the
//! simulation, which repeats.
//!
//! # Known gaps
//! - `kill -9` leaves to the system what was written: what a power cut takes is played in
//!   `tests/crash`.
//! - No silence lasts as long as the minute after which either end gives a connection up.
//! - No backup is taken in the middle: once there is one, phones forget what it holds, and the
//!   audit could no longer count from their journals. Restores are the simulation's.
//! - Phones are not encrypted here, for the same reason: their journals are read from outside.

mod audit;
mod counted;
mod deeds;
mod diary;
mod effects;
mod phone;
mod process;
mod storm;
mod tally;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use pocketbook::seams::Entropy;
use pocketbook::seams::system::SystemEntropy;
use pocketbook_server::serve::asked_to_stop;
use pocketbook_tests::stack::screen::{Finding, Screen};
use pocketbook_tests::stack::{Result, district};

/// 真实环境试验：真进程、真 TLS、坏网络、随时被杀 · Real processes, real TLS, a bad network, kills
#[derive(Debug, Parser)]
#[command(name = "cargo chaos", max_term_width = 80)]
struct Args {
    /// 故障持续的秒数 · So many seconds of faults
    #[arg(long, env = "CHAOS_SECONDS", default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// 随机种子；不给则任取 · The seed; any if not given
    #[arg(long, env = "CHAOS_SEED", value_name = "N")]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    match words.get(1).and_then(|word| word.to_str()) {
        Some(district::PART) => {
            return pocketbook_server::command::run(words.into_iter().skip(1));
        }
        Some(phone::PART) => return phone::run(words.into_iter().skip(2)),
        // Both `cargo chaos --seconds 9` and `cargo chaos -- --seconds 9` are typed.
        Some("--") => drop(words.remove(1)),
        _ => {}
    }
    let args = Args::parse_from(words);
    let screen = Screen::new(3);
    match within_runtime(&args, &screen) {
        Ok(()) if screen.failures() == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            screen.broken(&pocketbook_server::admin::told(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn within_runtime(args: &Args, screen: &Screen) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut folder = tempfile::Builder::new()
        .prefix("pocketbook-chaos-")
        .tempdir()?;
    let done = runtime.block_on(perform(args, screen, folder.path()));
    runtime.shutdown_background();
    if done.is_err() || screen.failures() > 0 {
        folder.disable_cleanup(true);
        screen.plain(&format!("   {}", folder.path().display()));
    }
    done
}

async fn perform(args: &Args, screen: &Screen, folder: &Path) -> Result<()> {
    let seed = args.seed.unwrap_or_else(any_seed);
    tokio::select! {
        findings = played(seed, args.seconds, screen, folder) => {
            screen.table(&findings?);
            let violations = screen.failures();
            screen.end(
                &format!("违例 {violations} 项，种子 {seed}。"),
                &format!("{violations} violations, seed {seed}."),
            );
            Ok(())
        }
        () = asked_to_stop() => Err("被中断 · interrupted".into()),
    }
}

async fn played(seed: u64, seconds: u64, screen: &Screen, folder: &Path) -> Result<Vec<Finding>> {
    screen.title(
        &format!("真实环境试验，{seconds} 秒，种子 {seed}"),
        &format!(
            "The real stack under faults for {seconds} s, seed {seed} (it drives the choices; real time keeps a run from repeating exactly)"
        ),
    );
    let mut storm = storm::Storm::gathers(screen, seed, folder).await?;
    storm.rages(seconds).await?;
    storm.clears().await?;
    audit::findings(&mut storm)
}

fn any_seed() -> u64 {
    let mut random = [0; 4];
    SystemEntropy.fill(&mut random);
    u64::from(u32::from_le_bytes(random))
}
