//! Administration: what an operator does to a district, from a terminal.
//!
//! # The life of one command
//! The command line ([`cli`]) becomes a [`Command`] with its input. If a server holds the data
//! directory, the command goes through its admin socket ([`socket`]); else this process opens the
//! directory itself. Both ways end in [`carry_out`], which tells its progress as [`Event`]s, so
//! that a terminal shows the same either way. Imports and publications go through the same doors
//! as everybody's work: the writer, and for records the apply door with author `system`.
//!
//! # What it promises
//! Every import can be repeated: what is here already is left alone. A bad line is reported with
//! its number and the rest goes on. Grants, revokes and blocks are noted beside the database
//! before they take effect in it.
//!
//! # What it refuses
//! Two processes in one data directory. Files read by the server on behalf of the operator: the
//! operator's own process reads them, with the operator's rights.

pub mod cli;
pub mod socket;
pub mod wire;

mod accounts;
mod backup;
mod doctor;
mod grids;
mod household_line;
mod input;
mod organisation;
mod people;
pub mod restore;
mod show;

use std::io;
use std::path::Path;

use self::cli::{Action, Asked, Cli};
use self::show::Screen;
use self::wire::{Command, Event, Outcome};
use crate::book::folder::PartFile;
use crate::book::{self, BookError};
use crate::server::OpenError;
use crate::{Fault, Options, Refusal, Server};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no account of this login.
    #[error("failed to find the account {0}")]
    UnknownUser(String),
    /// The login is taken.
    #[error("failed to open the account {0}: the login is taken")]
    LoginTaken(String),
    /// A password that guards personal data must not be guessed.
    #[error("failed to take a password of fewer than 8 characters")]
    ShortPassword,
    /// There is no unit of this code.
    #[error("failed to find the unit {0}")]
    UnknownUnit(String),
    /// A duty that ends before it begins.
    #[error("failed to give a duty that ends before it begins")]
    EndsBeforeItBegins,
    /// Nobody said where phones reach the server.
    #[error(
        "failed to tell a phone where the server is: give --url, or start `serve` with it \
         (不知道手机访问的地址：请加 --url，或在 serve 时指定)"
    )]
    NoAddress,
    /// The address that a phone shall reach is none.
    #[error("failed to use --url: it is not the address of a web server")]
    Address,
    /// The input is not what the command takes.
    #[error("failed to understand the input: {0}")]
    BadInput(String),
    /// The input could not be read.
    #[error("failed to read the input")]
    Input(#[source] io::Error),
    /// A backup folder that is there already.
    #[error("failed to back up into a folder that exists: name a new one")]
    FolderTaken,
    /// The backup's files could not be written.
    #[error("failed to write the backup")]
    BackupFiles(#[source] io::Error),
    /// The database could not be copied.
    #[error("failed to copy the database")]
    BackupDatabase(#[from] pocketbook_sqlite::BackupError),
    /// The edition was not published.
    #[error(transparent)]
    Publish(#[from] BookError),
    /// The writer failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<crate::store::SqlError> for AdminError {
    fn from(error: crate::store::SqlError) -> Self {
        Self::Fault(error.into())
    }
}

/// Carries a command out, here and now. `input` gives its lines, `tell` hears how it goes.
///
/// # Errors
/// See [`AdminError`]. What an import had taken before it failed stays taken.
pub async fn carry_out(
    server: &Server,
    command: Command,
    input: &mut dyn Iterator<Item = io::Result<String>>,
    tell: &mut dyn FnMut(Event),
) -> Result<Outcome, AdminError> {
    match command {
        Command::ImportOrg => organisation::import(server, input).await,
        Command::ImportPeople => people::import(server, input, tell).await,
        Command::MoveHouseholds { from, to, all } => {
            let which = match all {
                true => grids::Which::All,
                false => grids::Which::Listed(input),
            };
            grids::move_households(server, (from, to), which, tell).await
        }
        Command::PublishBook => publish(server, input).await,
        Command::AddUser {
            login,
            name,
            number,
            password,
        } => {
            let new = accounts::New {
                login,
                name,
                number,
                password,
            };
            accounts::add(server, new).await
        }
        Command::Grant {
            user,
            role,
            unit,
            from,
            until,
        } => {
            let asked = accounts::DutyAsked { user, role, unit };
            accounts::grant(server, asked, from, until).await
        }
        Command::Revoke { user, role, unit } => {
            accounts::revoke(server, accounts::DutyAsked { user, role, unit }).await
        }
        Command::EnrolCode { user, url, trust } => {
            accounts::enrol_code(server, user, url, trust).await
        }
        Command::Block { user } => accounts::set_blocked(server, user, true).await,
        Command::Unblock { user } => accounts::set_blocked(server, user, false).await,
        Command::Backup { folder } => backup::make(server, &folder, tell).await,
        Command::Doctor => doctor::examine(server),
    }
}

async fn publish(
    server: &Server,
    input: &mut dyn Iterator<Item = io::Result<String>>,
) -> Result<Outcome, AdminError> {
    let mut files = Vec::new();
    for line in input {
        let line = line.map_err(AdminError::Input)?;
        let file: PartFile =
            serde_json::from_str(&line).map_err(|_| AdminError::BadInput("no part".into()))?;
        files.push(file);
    }
    let edition = book::publish(server, &files).await?;
    Ok(Outcome::Book {
        renewed: edition.renewed,
        unchanged: edition.unchanged,
        parts: edition.parts,
    })
}

/// Returns an error with its causes as one text, for people.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // A transparent error has shown its cause already.
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Why a command line came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Neither argument nor environment names it.
    #[error("failed to tell the data directory: give --dir DIR or POCKETBOOK_DIR")]
    NoDirectory,
    /// The directory can't be made or opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup was not restored.
    #[error(transparent)]
    Restore(#[from] restore::RestoreError),
    /// The input can't be read.
    #[error("failed to read the input")]
    Input(#[source] io::Error),
    /// The folder is no pocket book.
    #[error(transparent)]
    Folder(#[from] book::folder::FolderError),
    /// The running server can't be asked.
    #[error("failed to ask the running server")]
    Socket(#[source] io::Error),
}

/// Carries out everything but `serve`; returns whether all is well.
///
/// Must be called from a thread that may block, within a runtime.
///
/// # Errors
/// See [`RunError`]. What the command itself ran into has been shown.
pub fn run(cli: Cli) -> Result<bool, RunError> {
    if let Action::Init {
        at,
        district_code,
        district_name,
    } = cli.action
    {
        let dir = at.or(cli.dir).ok_or(RunError::NoDirectory)?;
        Server::init(&dir, &district_code, &district_name, Options::inline())?.stop();
        cli::say(format_args!(
            "数据目录已建立 · Data directory made: {}\n密钥在 keys/，请另行备份 · Keep a copy of keys/ apart",
            dir.display()
        ));
        return Ok(true);
    }
    let dir = cli.dir.ok_or(RunError::NoDirectory)?;
    if let Action::Restore { folder } = &cli.action {
        let restored = restore::restore(&dir, folder, Options::inline())?;
        cli::say(show::restored(&restored));
        return Ok(true);
    }
    let Some(asked) = cli.action.into_asked().map_err(RunError::Input)? else {
        return Ok(true);
    };
    let Asked { command, input } = asked;
    let mut screen = Screen::new();
    let lines = input.open()?;
    match socket::ask(&dir, &command, lines, |event| screen.show(event)) {
        Ok(Some(())) => {}
        Ok(None) => here(&dir, command, &input, &mut screen)?,
        Err(error) => return Err(RunError::Socket(error)),
    }
    Ok(screen.is_done)
}

/// Carries a command out in this process, since no server has the directory.
fn here(
    dir: &Path,
    command: Command,
    input: &cli::Input,
    screen: &mut Screen,
) -> Result<(), RunError> {
    let server = Server::open(dir, Options::inline())?;
    let mut lines = input.open()?;
    let outcome = {
        let mut tell = |event| screen.show(event);
        let work = carry_out(&server, command, &mut lines, &mut tell);
        tokio::runtime::Handle::current().block_on(work)
    };
    let last = match outcome {
        Ok(outcome) => Event::Done { outcome },
        Err(error) => Event::Failed {
            reason: told(&error),
        },
    };
    screen.show(last);
    server.stop();
    Ok(())
}
