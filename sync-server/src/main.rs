//! The district's Pocketbook server, as a command: see `pocketbook-server --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to its terminal"
)]

use std::error::Error;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use pocketbook_server::admin::RunError;
use pocketbook_server::admin::cli::{Action, Cli, Serve};
use pocketbook_server::serve::{Line, asked_to_stop, bind, serve};
use pocketbook_server::{Options, Server, admin};

fn main() -> ExitCode {
    let Cli { dir, action } = Cli::parse();
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
    // The one line that a starting program waits for; the log goes to standard error.
    println!("listening {scheme}://{}", listener.local_addr()?);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(server.clone(), listener, line, asked_to_stop()));
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
