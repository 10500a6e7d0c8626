//! What an operator asks for and what he is told, as values.
//!
//! A command is the same whether it goes through the socket of a running server or is carried out
//! in this process: [`Command`] first, then (for imports) its input line by line, and back come
//! [`Event`]s, the last of which is [`Event::Done`] or [`Event::Failed`].

use std::path::PathBuf;

use pocketbook_records::ids::{Commit, UnitId, UserId};
use pocketbook_records::invitation::{Invitation, Trust};
use pocketbook_records::rights::Role;
use pocketbook_records::time::Millis;
use serde::{Deserialize, Serialize};

/// One administrative step.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Takes the organisation from one line of input: units, workers and their duties.
    ImportOrg,
    /// Takes household files, one line each.
    ImportPeople,
    /// Moves households to another grid: those whose ids are given, one a line, or all.
    MoveHouseholds {
        /// Code of the grid that they lie in.
        from: UnitId,
        /// Code of the grid that they go to.
        to: UnitId,
        /// Whether all of them go.
        all: bool,
    },
    /// Takes the parts of a pocket book, one line each.
    PublishBook,
    /// Opens an account.
    AddUser {
        /// What the person types to sign in.
        login: String,
        /// The name that others see.
        name: String,
        /// The staff number.
        number: Option<String>,
        /// The desk's password; none for somebody who works on a phone only.
        password: Option<String>,
    },
    /// Gives a duty.
    Grant {
        /// Login of the account.
        user: String,
        /// As what.
        role: Role,
        /// Code of the unit.
        unit: String,
        /// From when; now if not said.
        from: Option<Millis>,
        /// Until when, if it ends.
        until: Option<Millis>,
    },
    /// Ends a duty now.
    Revoke {
        /// Login of the account.
        user: String,
        /// As what.
        role: Role,
        /// Code of the unit.
        unit: String,
    },
    /// Makes a one-time code for a new phone.
    EnrolCode {
        /// Login of the account.
        user: String,
        /// The address that the phone reaches; what `serve` was told, if none.
        #[serde(default)]
        url: Option<String>,
        /// By what the phone knows the server; what `serve` found out, if none.
        #[serde(default)]
        trust: Option<Trust>,
    },
    /// Stops an account from reading; its work is still taken.
    Block {
        /// Login of the account.
        user: String,
    },
    /// Lets an account read again.
    Unblock {
        /// Login of the account.
        user: String,
    },
    /// Copies the database, the files and the pocket book into a new folder.
    Backup {
        /// The folder.
        folder: PathBuf,
    },
    /// Looks for what is wrong or will be.
    Doctor,
}

impl std::fmt::Debug for Command {
    /// Names the command and nothing that a person typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Command {
    /// Returns the name of the subcommand.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ImportOrg => "import-org",
            Self::ImportPeople => "import-people",
            Self::MoveHouseholds { .. } => "move-households",
            Self::PublishBook => "publish-book",
            Self::AddUser { .. } => "add-user",
            Self::Grant { .. } => "grant",
            Self::Revoke { .. } => "revoke",
            Self::EnrolCode { .. } => "enrol-code",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::Backup { .. } => "backup",
            Self::Doctor => "doctor",
        }
    }
}

/// What is told while a command is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// So much is done: lines of input, pages of a copy.
    Progress {
        /// Done.
        done: u64,
        /// Of so many, if that is known.
        total: Option<u64>,
    },
    /// A line of input was left out; the rest goes on.
    BadLine {
        /// Its number, from 1.
        number: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It is done.
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// It was not done.
    Failed {
        /// Why, as a sentence that completes "failed to …".
        reason: String,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// An import of the organisation.
    Org {
        /// Units that are new or changed.
        units: u64,
        /// Accounts that are new.
        users: u64,
        /// Duties that are new.
        duties: u64,
    },
    /// An import of household files.
    People {
        /// Records that are new.
        added: u64,
        /// Records that were here already.
        known: u64,
        /// Lines that were left out.
        bad: u64,
    },
    /// Grids that were redrawn.
    Households {
        /// Households that moved, each with all that hangs on it.
        moved: u64,
        /// Those that did not, and lines that name none.
        bad: u64,
    },
    /// A publication.
    Book {
        /// Communities whose book has a new version.
        renewed: u64,
        /// Communities whose book stays as it is.
        unchanged: u64,
        /// Parts that were not here yet.
        parts: u64,
    },
    /// An account.
    User {
        /// Its id.
        id: UserId,
    },
    /// A duty was given, ended, or was so already.
    Duty {
        /// Whether anything changed.
        changed: bool,
    },
    /// An account is blocked or not.
    Standing {
        /// Whether anything changed.
        changed: bool,
    },
    /// A code for a new phone.
    Code(EnrolCode),
    /// A backup.
    Backup {
        /// It holds every commit up to here.
        commit: Commit,
        /// Files copied.
        blobs: u64,
        /// Their bytes and the database's.
        bytes: u64,
    },
    /// A doctor's findings.
    Findings {
        /// All of them, the worst first.
        findings: Vec<Finding>,
    },
}

/// A code for a new phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolCode {
    /// The code, with all that the phone needs to know.
    pub invitation: Invitation,
    /// Until when it can be used.
    pub expires_at: Millis,
}

/// One thing that a doctor looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at: `database`, `keys`, `backup` …
    pub about: String,
    /// What was found, and what to do.
    pub text: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Act now.
    Alarm,
    /// Act soon.
    Warning,
    /// In order.
    Good,
}
