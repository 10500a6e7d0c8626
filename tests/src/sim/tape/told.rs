//! Acts in words.

use std::fmt;

use super::Act;
use crate::sim::cast::Who;

/// Somebody as a script names him.
struct Name(Who);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("Wang"),
            1 => f.write_str("Zhao"),
            more => write!(f, "P{more}"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |who: &Who| Name(*who);
        match self {
            Self::Looks(who, spot, n) => write!(f, "{} opens {spot:?} {n}", name(who)),
            Self::Enters {
                who,
                spot,
                n,
                stale,
                again,
            } => {
                let from = if *stale { " from an old screen" } else { "" };
                let to = if *again { " to a known value" } else { "" };
                write!(f, "{} changes {spot:?} {n}{to}{from}", name(who))
            }
            Self::Knocks(who, n) => write!(f, "{} knocks at home {n}", name(who)),
            Self::Tags(who, n) => write!(f, "{} tags person {n}", name(who)),
            Self::Notes(who, n) => write!(f, "{} adds a note to person {n}", name(who)),
            Self::Adds(who, n) => write!(f, "{} adds a person to home {n}", name(who)),
            Self::Visits(who, n) => write!(f, "{} visits home {n}", name(who)),
            Self::Reports(who, photo) => write!(f, "{} reports, photo: {photo}", name(who)),
            Self::Commands(who, n) => write!(f, "{} moves case {n}", name(who)),
            Self::Desk(n) => write!(f, "the desk moves case {n}"),
            Self::Decides(who, n) => write!(f, "{} decides review {n}", name(who)),
            Self::Deletes(who, n) => write!(f, "{} deletes person {n}", name(who)),
            Self::Moves(who, n) => write!(f, "{} moves home {n} to the other grid", name(who)),
            Self::Syncs(who, faults, kill) => {
                write!(f, "{} syncs", name(who))?;
                for (on, fault) in faults {
                    write!(f, ", {fault:?} on {on:?}")?;
                }
                kill.map_or(Ok(()), |turns| write!(f, ", killed after {turns} turns"))
            }
            Self::Flaps(who, one_in) => {
                write!(f, "{} syncs, one request in {one_in} lost", name(who))
            }
            Self::Repeats(who, n) => write!(f, "request {n} of {} arrives again", name(who)),
            Self::Stolen(who, n) => write!(f, "a thief sends request {n} of {}", name(who)),
            Self::Killed(who) => write!(f, "the app of {} is killed", name(who)),
            Self::Restarts => write!(f, "the server restarts"),
            Self::Dies => write!(f, "the server dies and begins again"),
            Self::Clock(who, minutes) => {
                write!(f, "the clock of {} is {minutes} min off", name(who))
            }
            Self::ClockStands(who, stands) => {
                write!(f, "the clock of {} stands: {stands}", name(who))
            }
            Self::Boots(who) => write!(f, "the phone of {} boots", name(who)),
            Self::Metered(who, metered) => write!(f, "the line of {} costs: {metered}", name(who)),
            Self::Hours(hours) => write!(f, "{hours} h pass"),
            Self::Revoked(who) => write!(f, "{} loses the grid", name(who)),
            Self::Granted(who) => write!(f, "{} has the grid again", name(who)),
            Self::Lent(who, lent) => write!(f, "{} has the other grid: {lent}", name(who)),
            Self::Blocked(who, locked) => {
                write!(f, "the account of {} is locked: {locked}", name(who))
            }
            Self::BacksUp => write!(f, "the server is backed up"),
            Self::Restored => write!(f, "the server is restored"),
            Self::Copied => write!(f, "the server's disk is copied"),
            Self::SetBack => write!(f, "the server is set back to the copy"),
            Self::PhoneFull(who, full) => write!(f, "the phone of {} is full: {full}", name(who)),
            Self::ServerFull(full) => write!(f, "the server's disk is full: {full}"),
        }
    }
}
