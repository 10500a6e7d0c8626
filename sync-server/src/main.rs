//! The district's Pocketbook server, as a command: see `pocketbook-server --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pocketbook_server::command::run(std::env::args_os())
}
