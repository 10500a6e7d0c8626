//! Commands: which buttons a record's screen has, and what each asks for.

use pocketbook::store::lists::Shown;
use pocketbook_records::ids::{RecordId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::workflow::{self, Actor};
use serde_json::Value;

use crate::book::PocketBook;
use crate::error::{PocketbookError, Result};
use crate::reads::table;

/// A command that may be given to a record as it stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Offer {
    /// Its name.
    pub command: String,
    /// The state that follows; none if it stays.
    pub leads_to: Option<String>,
    /// What must come with it.
    pub needs: Vec<Need>,
}

/// What must come with a command.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Need {
    /// Text under this argument.
    Text {
        /// The argument.
        argument: String,
    },
    /// At least one photo under `photos`.
    Photo,
    /// At least one photo if the record's category is of component damage (部件).
    PhotoIfComponent,
    /// A moment (ms) under this argument.
    Time {
        /// The argument.
        argument: String,
    },
    /// An integer within bounds under this argument.
    Within {
        /// The argument.
        argument: String,
        /// At least.
        least: i64,
        /// At most.
        most: i64,
    },
    /// The record's last transition is at most so many days old.
    WithinDays {
        /// The days.
        days: i64,
    },
    /// These fields of the record are filled.
    Fields {
        /// Their names.
        names: Vec<String>,
    },
}

#[uniffi::export]
impl PocketBook {
    /// Returns the commands that the owner of a phone may give to a record as it stands.
    ///
    /// A phone does not know whether its owner is head of a grid or just works there, so some of
    /// these may be another's to give: such a one is parked, and waits for whoever may decide.
    pub fn commands(&self, kind: String, record: RecordId) -> Result<Vec<Offer>> {
        self.call(|opened| {
            let kind = table(&kind)?;
            let store = opened.book.store()?;
            let shown = store
                .shown(kind, record)?
                .ok_or(PocketbookError::NotFound)?;
            Ok(offers(kind, &shown, store.account()?.user))
        })
    }
}

fn offers(kind: &Kind, shown: &Shown, user: UserId) -> Vec<Offer> {
    let Some(workflow) = kind.workflow else {
        return Vec::new();
    };
    let author = shown
        .fields
        .get("author")
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok());
    let actor = Actor {
        user: Some(user),
        author: author == Some(user),
        worker: true,
        head: true,
        handler: true,
        ..Actor::default()
    };
    let state = workflow.state(&shown.fields);
    let given = workflow.commands(&shown.fields, &actor);
    let lines = workflow
        .lines
        .iter()
        .filter(|line| line.from.contains(&state));
    lines
        .filter(|line| given.contains(&line.command))
        .map(Offer::of)
        .collect()
}

impl Offer {
    fn of(line: &workflow::Line) -> Self {
        Self {
            command: line.command.to_owned(),
            leads_to: line.to.map(str::to_owned),
            needs: line.needs.iter().copied().map(Into::into).collect(),
        }
    }
}

impl From<workflow::Need> for Need {
    fn from(need: workflow::Need) -> Self {
        match need {
            workflow::Need::Text(argument) => Self::Text {
                argument: argument.to_owned(),
            },
            workflow::Need::Photo => Self::Photo,
            workflow::Need::PhotoIfComponent => Self::PhotoIfComponent,
            workflow::Need::Time(argument) => Self::Time {
                argument: argument.to_owned(),
            },
            workflow::Need::Within(argument, least, most) => Self::Within {
                argument: argument.to_owned(),
                least,
                most,
            },
            workflow::Need::WithinDays(days) => Self::WithinDays { days },
            workflow::Need::Fields(names) => Self::Fields {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
            },
        }
    }
}
