//! `cargo demo`: a day with Pocketbook, played with the real server and two real phones.
//!
//! # What happens
//! The program starts itself a second time as the district's server: a process of its own with
//! its own data directory, so that it can be killed like one. Two phones (real stores, real
//! engines) and three desks reach it over HTTP on loopback, the phones through a line
//! ([`link`](pocketbook_tests::stack::link), [`mod@line`]) that can be slow, cut, lossy and repetitive. The scenes ([`scenes`]) tell in Chinese
//! and English what happens and check it as they go.
//!
//! # What it promises
//! - What it says was checked was looked up in the stores, not remembered by the demo.
//! - The last table ([`audit`]) is computed from the server's own directory, opened after the
//!   process ended, and from the phones' databases, record by record.
//! - One failed check and the exit code is not zero.
//! - Nothing is left behind: all data lies in a folder for this run, which goes with it.
//!
//! # What it refuses
//! To mend anything: where a line fails, the worker taps "sync" again, and that is all.

mod audit;
mod desk;
mod line;
mod phone;
mod scenes;
mod stage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use pocketbook_server::serve::asked_to_stop;
pub(crate) use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::district;

use self::stage::Stage;
use pocketbook_tests::stack::screen::Screen;

/// Scenes told, for their headings.
const SCENES: usize = 12;
/// So many households in each grid.
const HOUSEHOLDS: u32 = 300;
/// And in a short demo.
const FEW_HOUSEHOLDS: u32 = 60;

/// 口袋书演示：两部手机、一台服务器、一天的工作 · Two phones, one server, a day's work
#[derive(Debug, Parser)]
#[command(name = "cargo demo", max_term_width = 80)]
struct Args {
    /// 演完后服务器继续运行，直到 Ctrl-C · Leave the server and its pages open at the end
    #[arg(long)]
    stay: bool,
    /// 每个网格的户数，默认 300 · Households in each grid, 300 if not said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=20_000))]
    households: Option<u32>,
    /// 简短版：户数少，照片小 · A shorter demo: fewer households, smaller photos
    #[arg(long)]
    short: bool,
}

impl Args {
    fn households(&self) -> u32 {
        let usual = if self.short {
            FEW_HOUSEHOLDS
        } else {
            HOUSEHOLDS
        };
        self.households.unwrap_or(usual)
    }
}

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    match words.get(1) {
        Some(word) if word == district::PART => {
            return pocketbook_server::command::run(words.into_iter().skip(1));
        }
        // Both `cargo demo --stay` and `cargo demo -- --stay` are typed.
        Some(word) if word == "--" => drop(words.remove(1)),
        _ => {}
    }
    let args = Args::parse_from(words);
    let screen = Screen::new(SCENES);
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
    let done = runtime.block_on(perform(args, screen));
    runtime.shutdown_background();
    done
}

async fn perform(args: &Args, screen: &Screen) -> Result<()> {
    let stage = Stage::set(screen, args)?;
    tokio::select! {
        played = scenes::play(&stage) => played.inspect_err(|_| screen.log(&stage.district_log())),
        () = asked_to_stop() => Err("被中断 · interrupted".into()),
    }?;
    if args.stay {
        scenes::stay(&stage).await?;
    }
    Ok(())
}
