//! Tapes: what happens in a run, drawn from a seed before anything does.
//!
//! An act names its people, records and values by numbers that the run counts off among what there
//! is, so any act may be left out and the rest still means something. [`drawn`] draws tapes,
//! [`told`] says in words what is on them.

mod drawn;
mod told;

use serde::{Deserialize, Serialize};

pub use self::drawn::Dice;
use super::cast::{Size, Who};
use crate::world::{Fault, On};

/// A value that people disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Spot {
    /// How a home is held.
    Tenure,
    /// A person's relation to the head of the household.
    Relation,
    /// A person's phone number, which is sensitive.
    Phone,
    /// A person's name, which no machine decides.
    Name,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// A screen is opened and left open.
    Looks(Who, Spot, usize),
    /// A value is changed, on the screen left open if there is one and `stale`.
    Enters {
        /// By whom.
        who: Who,
        /// Which value.
        spot: Spot,
        /// Of which record.
        n: usize,
        /// Whether from a screen left open.
        stale: bool,
        /// Whether to a value that was written before.
        again: bool,
    },
    /// Somebody knocks at a door, which is counted.
    Knocks(Who, usize),
    /// A tag comes or goes.
    Tags(Who, usize),
    /// A note is added.
    Notes(Who, usize),
    /// A person is added.
    Adds(Who, usize),
    /// A visit is recorded.
    Visits(Who, usize),
    /// A case is reported, with a photo or without.
    Reports(Who, bool),
    /// A command is given to a case.
    Commands(Who, usize),
    /// The desk moves a case on.
    Desk(usize),
    /// A review is decided.
    Decides(Who, usize),
    /// A person is taken away.
    Deletes(Who, usize),
    /// A head moves a home to the other grid of the beat, or back.
    Moves(Who, usize),
    /// A phone synchronises; these lie in the way, and it may be killed after so many turns.
    Syncs(Who, Vec<(On, Fault)>, Option<u16>),
    /// A phone synchronises while one request in so many is lost.
    Flaps(Who, usize),
    /// The network brings an old request once more.
    Repeats(Who, usize),
    /// Somebody without any duty sends what he has seen of another's request.
    Stolen(Who, usize),
    /// The app is killed and opened again.
    Killed(Who),
    /// The server ends and begins again.
    Restarts,
    /// The server's program dies, and is begun again.
    Dies,
    /// A wall clock is set so many minutes off.
    Clock(Who, i64),
    /// A wall clock stands still, or goes on.
    ClockStands(Who, bool),
    /// A phone is switched off and on.
    Boots(Who),
    /// A phone is on a line that costs, or no longer.
    Metered(Who, bool),
    /// Hours pass.
    Hours(i64),
    /// The worker's duty at the grid ends.
    Revoked(Who),
    /// It begins again.
    Granted(Who),
    /// The worker helps out in the other grid of the beat, or no longer.
    Lent(Who, bool),
    /// The account is locked, or opened.
    Blocked(Who, bool),
    /// The operator makes a backup.
    BacksUp,
    /// The last backup is all that is left of the server.
    Restored,
    /// The server's machine is copied behind its back.
    Copied,
    /// It is set back to the last copy, and nobody says so.
    SetBack,
    /// A phone's storage runs full, or has room again.
    PhoneFull(Who, bool),
    /// The server's disk runs full, or has room again.
    ServerFull(bool),
}

/// Whom a mishap meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// One phone.
    One(Who),
    /// All that the server has.
    All,
}

impl Act {
    /// Says whether an operator, or a clerk at the desk, does it, who waits while the disk is full.
    pub fn needs_room(&self) -> bool {
        matches!(
            self,
            Self::Desk(_)
                | Self::Restarts
                | Self::Dies
                | Self::Revoked(_)
                | Self::Granted(_)
                | Self::Lent(..)
                | Self::Blocked(..)
                | Self::BacksUp
                | Self::Restored
                | Self::SetBack
        )
    }

    /// Returns whose phone it changes, if it changes one.
    pub fn phone(&self) -> Option<Who> {
        Some(match *self {
            Self::Looks(who, ..)
            | Self::Enters { who, .. }
            | Self::Knocks(who, _)
            | Self::Tags(who, _)
            | Self::Notes(who, _)
            | Self::Adds(who, _)
            | Self::Visits(who, _)
            | Self::Reports(who, _)
            | Self::Commands(who, _)
            | Self::Decides(who, _)
            | Self::Deletes(who, _)
            | Self::Moves(who, _)
            | Self::Syncs(who, ..)
            | Self::Flaps(who, _)
            | Self::Killed(who)
            | Self::Boots(who) => who,
            _ => return None,
        })
    }

    /// Returns what is wrong in it and whom it meets, if it is a mishap; what is met on the line
    /// is counted there.
    pub fn mishap(&self) -> Option<(&'static str, Meets)> {
        use Meets::{All, One};
        Some(match *self {
            Self::Syncs(who, _, Some(_)) => ("killed while syncing", One(who)),
            Self::Flaps(who, _) => ("line flaps", One(who)),
            Self::Repeats(who, _) => ("old request again", One(who)),
            Self::Stolen(who, _) => ("request stolen", One(who)),
            Self::Killed(who) => ("killed", One(who)),
            Self::Restarts => ("server restarts", All),
            Self::Dies => ("server dies", All),
            Self::Clock(who, _) => ("clock off", One(who)),
            Self::ClockStands(who, true) => ("clock stands", One(who)),
            Self::Boots(who) => ("boots", One(who)),
            Self::Metered(who, true) => ("metered line", One(who)),
            Self::Hours(WEEKS) => ("weeks offline", All),
            Self::Revoked(who) => ("grid taken", One(who)),
            Self::Granted(who) => ("grid given", One(who)),
            Self::Lent(who, true) => ("second grid given", One(who)),
            Self::Lent(who, false) => ("second grid taken", One(who)),
            Self::Blocked(who, true) => ("account locked", One(who)),
            Self::Moves(who, _) => ("home moves", One(who)),
            Self::Restored => ("restored", All),
            Self::SetBack => ("set back", All),
            Self::PhoneFull(who, true) => ("phone full", One(who)),
            Self::ServerFull(true) => ("server full", All),
            _ => return None,
        })
    }
}

/// So many hours are weeks.
const WEEKS: i64 = 400;

/// Everything that a run of many seeds must have met.
pub const MISHAPS: [&str; 36] = [
    "request lost",
    "answer lost",
    "arrives twice",
    "request cut",
    "answer cut",
    "line dies",
    "line freezes",
    "line flaps",
    "sign-in page",
    "proxy's error",
    "server busy",
    "phone unknown",
    "delay",
    "old answer",
    "killed while syncing",
    "old request again",
    "request stolen",
    "killed",
    "server restarts",
    "server dies",
    "server dies answering",
    "clock off",
    "clock stands",
    "boots",
    "metered line",
    "weeks offline",
    "grid taken",
    "grid given",
    "second grid given",
    "second grid taken",
    "account locked",
    "home moves",
    "restored",
    "set back",
    "phone full",
    "server full",
];

/// What happens in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Tape {
    /// What it was drawn from; ids and secrets are drawn from it too.
    pub seed: u64,
    /// How many phones there are.
    pub size: Size,
    /// The acts, in order.
    pub acts: Vec<Act>,
}
