//! The server as a command: `pocketbook-server …`, and whichever program carries it inside.
//!
//! `serve` runs until the system asks it to end; every other subcommand is one of [`crate::admin`].
//! A program that wants a server in a process of its own (the demo does, to kill it) starts itself
//! again and calls [`run`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to its terminal"
)]

use std::error::Error;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::admin::cli::{Action, Cli, Serve};
use crate::admin::{self, RunError};
use crate::serve::{Line, asked_to_stop, bind, serve};
use crate::{Options, Server};

/// Carries out a command line, whose first word is the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Cli { dir, action } = Cli::parse_from(words);
    let done = match action {
        Action::Serve(asked) => serve_until_asked(dir, asked).map(|()| true),
        action => within_runtime(Cli { dir, action }),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("未完成 · {}", admin::told(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Commands block on files and sockets, so the runtime lends them a thread that may.
fn within_runtime(cli: Cli) -> Result<bool, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let work = runtime.spawn_blocking(move || admin::run(cli));
    Ok(runtime.block_on(work)??)
}

fn serve_until_asked(dir: Option<PathBuf>, asked: Serve) -> Result<(), Box<dyn Error>> {
    let dir = asked.at.or(dir).ok_or(RunError::NoDirectory)?;
    write_log(asked.log_json);
    let line = match (asked.cert, asked.key) {
        (Some(cert), Some(key)) => Line::Tls { cert, key },
        _ if asked.behind_proxy => Line::BehindProxy,
        _ => Line::Loopback,
    };
    let listener = bind(asked.listen, &line)?;
    let server = Server::open(&dir, Options::default())?;
    let scheme = match line {
        Line::Tls { .. } => "https",
        Line::Loopback | Line::BehindProxy => "http",
    };
    let address = listener.local_addr()?;
    if let Some(reached_at) = line.reached_at(address, asked.url.as_deref())? {
        server.is_reached_at(reached_at);
    }
    // The one line that a starting program waits for; the log goes to standard error.
    let ready = || println!("listening {scheme}://{address}");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = serve(server.clone(), listener, line, ready, asked_to_stop());
    let served = runtime.block_on(served);
    server.stop();
    Ok(served?)
}

fn write_log(as_json: bool) {
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if as_json {
        log.json().init();
    } else {
        log.init();
    }
}
