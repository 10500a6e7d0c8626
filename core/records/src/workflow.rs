//! Workflows as tables: (state, command, who, needs) → next state, turn + 1.
//!
//! The same [`Workflow::step`] previews on the device and decides on the server. A record with a workflow
//! holds `state`, `turn` (grows with each transition), `transition` (the mutation of the last
//! one) and `steps` (each transition with person, time and arguments): the history of a case is
//! part of the case.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::body::Fields;
use crate::ids::{Mid, UserId};
use crate::receipt::Reason;
use crate::time::Interval;

/// A kind's commands.
#[derive(Debug)]
pub struct Workflow {
    /// The state of a record that nobody has given a command.
    pub start: &'static str,
    /// The lines of the table.
    pub lines: &'static [Line],
}

impl Workflow {
    /// Returns every state of the table.
    pub fn states(&self) -> BTreeSet<&'static str> {
        let followed = self.lines.iter().filter_map(|line| line.to);
        let left = self.lines.iter().flat_map(|line| line.from.iter().copied());
        std::iter::once(self.start)
            .chain(followed)
            .chain(left)
            .collect()
    }
}

/// One line: in these states, these people may give this command.
#[derive(Debug)]
pub struct Line {
    /// The states that it may be given in.
    pub from: &'static [&'static str],
    /// The command.
    pub command: &'static str,
    /// The state that follows; `None` leaves it.
    pub to: Option<&'static str>,
    /// Who may.
    pub who: &'static [Who],
    /// What must come with it.
    pub needs: &'static [Need],
    /// Arguments that become fields: (argument, field).
    pub sets: &'static [(&'static str, &'static str)],
}

/// Who may give a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The record's author.
    Author,
    /// A worker of its grid.
    Worker,
    /// The head of its grid.
    Head,
    /// The head of its grid, unless he wrote it himself.
    OtherHead,
    /// The clerk of its community.
    Clerk,
    /// The desk of its street or the district.
    Desk,
    /// The unit that it was dispatched to.
    Handler,
    /// The user whom a field names.
    Named(&'static str),
}

/// What must come with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Text under this argument.
    Text(&'static str),
    /// At least one photo under `photos`.
    Photo,
    /// At least one photo if the record's category is of component damage (部件).
    PhotoIfComponent,
    /// A future or past moment under this argument.
    Time(&'static str),
    /// An integer within bounds under this argument.
    Within(&'static str, i64, i64),
    /// The record's last transition is at most so many days old.
    WithinDays(i64),
    /// These fields of the record are filled.
    Fields(&'static [&'static str]),
}

/// What the person who gives a command is to the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub user: Option<UserId>,
    /// Is its author.
    pub author: bool,
    /// Works in its grid.
    pub worker: bool,
    /// Is head of its grid.
    pub head: bool,
    /// Is clerk of its community.
    pub clerk: bool,
    /// Sits at the desk above it.
    pub desk: bool,
    /// Belongs to the unit it was dispatched to.
    pub handler: bool,
}

/// Why a command can't be given here and now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The workflow has no such command.
    #[error("failed to find the command {0}")]
    UnknownCommand(String),
    /// Not in this state.
    #[error("failed to give the command {command} in the state {state}")]
    WrongState {
        /// What was asked.
        command: String,
        /// Where the record stands.
        state: String,
    },
    /// In this state, but not by this person.
    #[error("failed to give the command {0}: it is another person's to give")]
    NotYours(String),
    /// Something is missing.
    #[error("failed to give the command {command}: {missing} is missing or wrong")]
    Missing {
        /// What was asked.
        command: String,
        /// The argument or field.
        missing: String,
    },
}

impl From<Illegal> for Reason {
    fn from(illegal: Illegal) -> Self {
        match illegal {
            Illegal::UnknownCommand(_) => Self::UnknownCommand,
            Illegal::WrongState { .. } => Self::WrongState,
            Illegal::NotYours(_) => Self::NotPermitted,
            Illegal::Missing { missing, .. } => Self::Missing(missing),
        }
    }
}

impl Workflow {
    /// Returns the state that a body is in.
    pub fn state<'a>(&self, body: &'a Fields) -> &'a str
    where
        Self: 'a,
    {
        body.get("state")
            .and_then(Value::as_str)
            .unwrap_or(self.start)
    }

    /// Returns the commands that this person may give now, for the buttons of a screen.
    pub fn commands(&self, body: &Fields, actor: &Actor) -> Vec<&'static str> {
        let state = self.state(body);
        self.lines
            .iter()
            .filter(|line| line.from.contains(&state) && actor.is_one_of(line.who, body))
            .map(|line| line.command)
            .collect()
    }

    /// Finds the line of a command, or says why there is none.
    pub fn step(
        &self,
        body: &Fields,
        command: &str,
        args: &Fields,
        actor: &Actor,
        at: Interval,
    ) -> Result<&'static Line, Illegal> {
        let state = self.state(body);
        let mut known = self
            .lines
            .iter()
            .filter(|line| line.command == command)
            .peekable();
        if known.peek().is_none() {
            return Err(Illegal::UnknownCommand(command.to_owned()));
        }
        let mut here = known.filter(|line| line.from.contains(&state)).peekable();
        if here.peek().is_none() {
            let (command, state) = (command.to_owned(), state.to_owned());
            return Err(Illegal::WrongState { command, state });
        }
        let line = here
            .find(|line| actor.is_one_of(line.who, body))
            .ok_or_else(|| Illegal::NotYours(command.to_owned()))?;
        match line
            .needs
            .iter()
            .find_map(|need| need.missing(body, args, at))
        {
            Some(missing) => Err(Illegal::Missing {
                command: command.to_owned(),
                missing,
            }),
            None => Ok(line),
        }
    }
}

impl Actor {
    /// Returns somebody who may give any command: for a device, which can judge what a command
    /// needs, but not what its user is to the record.
    pub fn anyone() -> Self {
        Self {
            user: None,
            author: true,
            worker: true,
            head: true,
            clerk: true,
            desk: true,
            handler: true,
        }
    }

    fn is_one_of(&self, who: &[Who], body: &Fields) -> bool {
        who.iter().any(|who| match who {
            Who::Author => self.author,
            Who::Worker => self.worker || self.head,
            Who::Head => self.head,
            Who::OtherHead => self.head && !self.author,
            Who::Clerk => self.clerk,
            Who::Desk => self.desk,
            Who::Handler => self.handler,
            Who::Named(field) => {
                let named = body
                    .get(*field)
                    .and_then(Value::as_str)
                    .and_then(|id| id.parse().ok());
                self.user.is_some() && self.user == named
            }
        })
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Need {
    fn missing(self, body: &Fields, args: &Fields, at: Interval) -> Option<String> {
        let photos = args
            .get("photos")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let is_component = body
            .get("category")
            .and_then(Value::as_str)
            .is_some_and(|code| code.starts_with('C'));
        let text = |name: &str| {
            args.get(name)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.trim().is_empty())
        };
        let (holds, what) = match self {
            Self::Text(name) => (text(name), name),
            Self::Photo => (photos > 0, "photos"),
            Self::PhotoIfComponent => (photos > 0 || !is_component, "photos"),
            Self::Time(name) => (args.get(name).is_some_and(Value::is_i64), name),
            Self::Within(name, least, most) => (
                args.get(name)
                    .and_then(Value::as_i64)
                    .is_some_and(|n| (least..=most).contains(&n)),
                name,
            ),
            Self::WithinDays(days) => {
                let last = body
                    .get("steps")
                    .and_then(Value::as_array)
                    .and_then(|steps| steps.last());
                let last = last
                    .and_then(|step| step.get("at"))
                    .and_then(Value::as_i64)
                    .unwrap_or(0);
                (at.to.saturating_sub(last) <= days * DAY_MS, "time")
            }
            Self::Fields(names) => {
                return names
                    .iter()
                    .find(|name| !body.contains_key(**name))
                    .map(|n| (*n).to_owned());
            }
        };
        (!holds).then(|| what.to_owned())
    }
}

/// Carries a transition out on a body: state, turn, the argument's fields, a line of history.
pub fn carry_out(
    body: &mut Fields,
    line: &Line,
    args: &Fields,
    mid: Mid,
    user: Option<UserId>,
    at_ms: i64,
) {
    let turn = body.get("turn").and_then(Value::as_i64).unwrap_or(0) + 1;
    let from = body.get("state").cloned().unwrap_or(Value::Null);
    if let Some(to) = line.to {
        body.insert("state".into(), json!(to));
    }
    body.insert("turn".into(), json!(turn));
    body.insert("transition".into(), json!(mid));
    for (argument, field) in line.sets {
        if let Some(value) = args.get(*argument) {
            body.insert((*field).into(), value.clone());
        }
    }
    let mut step = Fields::new();
    step.insert("id".into(), json!(mid));
    step.insert("command".into(), json!(line.command));
    step.insert("at".into(), json!(at_ms));
    step.insert("turn".into(), json!(turn));
    for (name, value) in [("from", from), ("to", json!(line.to)), ("by", json!(user))] {
        if !value.is_null() {
            step.insert(name.into(), value);
        }
    }
    if !args.is_empty() {
        step.insert("args".into(), Value::Object(args.clone()));
    }
    if let Value::Array(steps) = body.entry("steps").or_insert_with(|| json!([])) {
        steps.push(Value::Object(step));
    }
}
