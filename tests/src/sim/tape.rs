//! Tapes: what happens in a run, drawn from a seed before anything does.
//!
//! Workload and schedule come from streams of their own. An act names its people, records and
//! values by numbers that the run counts off among what there is, so any act may be left out and
//! the rest still means something.

use std::fmt;

use crate::world::{Fault, On};

/// A small generator: splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Returns the dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap_or(0)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A value that people disagree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// One of the two people with a phone.
pub type Who = usize;

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
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
    /// A phone synchronises; these lie in the way, and it may be killed after so many turns.
    Syncs(Who, Vec<(On, Fault)>, Option<u16>),
    /// The network brings an old request once more.
    Repeats(Who, usize),
    /// The app is killed and opened again.
    Killed(Who),
    /// The server ends and begins again.
    Restarts,
    /// A wall clock is set so many minutes off.
    Clock(Who, i64),
    /// A phone is switched off and on.
    Boots(Who),
    /// Hours pass.
    Hours(i64),
    /// The worker's duty at the grid ends.
    Revoked,
    /// It begins again.
    Granted,
    /// Zhao moves a home to his other grid, or back.
    Moves(usize),
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

impl Act {
    /// Says whether an operator, or a clerk at the desk, does it, who waits while the disk is full.
    pub fn needs_room(&self) -> bool {
        matches!(
            self,
            Self::Desk(_)
                | Self::Restarts
                | Self::Revoked
                | Self::Granted
                | Self::BacksUp
                | Self::Restored
                | Self::SetBack
        )
    }

    /// Returns what is wrong in it and whom it hits, if it is a mishap; what is met on the line is
    /// counted there.
    pub fn mishap(&self) -> Option<(&'static str, Who)> {
        Some(match *self {
            Self::Syncs(who, _, Some(_)) => ("killed while syncing", who),
            Self::Repeats(who, _) => ("old request again", who),
            Self::Killed(who) => ("killed", who),
            Self::Restarts => ("server restarts", 0),
            Self::Clock(who, _) => ("clock off", who),
            Self::Boots(who) => ("boots", who),
            Self::Hours(400) => ("weeks offline", 0),
            Self::Revoked => ("grid taken", 0),
            Self::Granted => ("grid given", 0),
            Self::Moves(_) => ("home moves", 1),
            Self::Restored => ("restored", 1),
            Self::SetBack => ("set back", 1),
            Self::PhoneFull(who, true) => ("phone full", who),
            Self::ServerFull(true) => ("server full", 1),
            _ => return None,
        })
    }
}

/// Everything that a run of many seeds must have met.
pub const MISHAPS: [&str; 27] = [
    "request lost",
    "answer lost",
    "arrives twice",
    "request cut",
    "answer cut",
    "line dies",
    "line freezes",
    "sign-in page",
    "proxy's error",
    "server busy",
    "phone unknown",
    "delay",
    "old answer",
    "killed while syncing",
    "old request again",
    "killed",
    "server restarts",
    "clock off",
    "boots",
    "weeks offline",
    "grid taken",
    "grid given",
    "home moves",
    "restored",
    "set back",
    "phone full",
    "server full",
];

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |who: &Who| ["Wang", "Zhao"][*who];
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
            Self::Syncs(who, faults, kill) => {
                write!(f, "{} syncs", name(who))?;
                for (on, fault) in faults {
                    write!(f, ", {fault:?} on {on:?}")?;
                }
                kill.map_or(Ok(()), |turns| write!(f, ", killed after {turns} turns"))
            }
            Self::Repeats(who, n) => write!(f, "request {n} of {} arrives again", name(who)),
            Self::Killed(who) => write!(f, "the app of {} is killed", name(who)),
            Self::Restarts => write!(f, "the server restarts"),
            Self::Clock(who, minutes) => {
                write!(f, "the clock of {} is {minutes} min off", name(who))
            }
            Self::Boots(who) => write!(f, "the phone of {} boots", name(who)),
            Self::Hours(hours) => write!(f, "{hours} h pass"),
            Self::Revoked => write!(f, "Wang loses the grid"),
            Self::Granted => write!(f, "Wang has the grid again"),
            Self::Moves(n) => write!(f, "Zhao moves home {n} to the other grid"),
            Self::BacksUp => write!(f, "the server is backed up"),
            Self::Restored => write!(f, "the server is restored"),
            Self::Copied => write!(f, "the server's disk is copied"),
            Self::SetBack => write!(f, "the server is set back to the copy"),
            Self::PhoneFull(who, full) => write!(f, "the phone of {} is full: {full}", name(who)),
            Self::ServerFull(full) => write!(f, "the server's disk is full: {full}"),
        }
    }
}

/// What happens in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Tape {
    /// What it was drawn from.
    pub seed: u64,
    /// The acts, in order.
    pub acts: Vec<Act>,
}

/// So many acts has a tape at most.
const LONGEST: usize = 60;

impl Tape {
    /// Draws a tape.
    pub fn drawn(seed: u64) -> Self {
        let mut work = Dice::new(seed);
        let mut schedule = Dice::new(!seed);
        let mut acts = Vec::new();
        while acts.len() < 12 || (acts.len() < LONGEST && !schedule.once_in(40)) {
            acts.push(if schedule.below(5) < 2 {
                happening(&mut schedule)
            } else {
                doing(&mut work)
            });
        }
        Self { seed, acts }
    }
}

fn doing(dice: &mut Dice) -> Act {
    let who = dice.below(2);
    // Few targets, so that people meet; the newest records are at the end.
    let n = dice.below(4);
    match dice.below(26) {
        0..=1 => Act::Looks(who, spot(dice), n),
        2..=10 => Act::Enters {
            who,
            spot: spot(dice),
            n,
            stale: dice.once_in(3),
            again: dice.once_in(6),
        },
        11..=13 => Act::Knocks(who, n),
        14..=15 => Act::Tags(who, n),
        16 => Act::Notes(who, n),
        17 => Act::Adds(who, n),
        18 => Act::Visits(who, n),
        19 => Act::Reports(who, dice.once_in(3)),
        20 => Act::Commands(who, n),
        21 => Act::Desk(n),
        22..=23 => Act::Decides(who, n),
        24 => Act::Deletes(who, n),
        _ => Act::Moves(n),
    }
}

fn spot(dice: &mut Dice) -> Spot {
    [Spot::Tenure, Spot::Relation, Spot::Phone, Spot::Name][dice.below(4)]
}

fn happening(dice: &mut Dice) -> Act {
    let who = dice.below(2);
    match dice.below(26) {
        0..=10 => {
            let mut faults = Vec::new();
            while faults.len() < 4 && dice.once_in(2) {
                faults.push((on(dice), fault(dice)));
            }
            let kill = dice.once_in(6).then(|| [0, 1, 3, 10, 40][dice.below(5)]);
            Act::Syncs(who, faults, kill)
        }
        11 => Act::Repeats(who, dice.below(8)),
        12 => Act::Killed(who),
        13 => Act::Restarts,
        14 => Act::Clock(who, [-525_600, -90, 0, 7, 2_880][dice.below(5)]),
        15 => Act::Boots(who),
        16..=17 => Act::Hours([1, 5, 30, 400][dice.below(4)]),
        18 => Act::Revoked,
        19 => Act::Granted,
        20 => Act::BacksUp,
        21 => Act::Restored,
        22 => match dice.once_in(2) {
            true => Act::Copied,
            false => Act::SetBack,
        },
        23..=24 => Act::PhoneFull(who, dice.once_in(2)),
        _ => Act::ServerFull(dice.once_in(2)),
    }
}

fn on(dice: &mut Dice) -> On {
    [On::Any, On::Sync, On::Sync, On::Photo, On::Thumbnails][dice.below(5)]
}

fn fault(dice: &mut Dice) -> Fault {
    let bytes = [0, 20, 300, 900, 5_000][dice.below(5)];
    match dice.below(16) {
        0..=1 => Fault::LoseRequest,
        2..=3 => Fault::LoseAnswer,
        4 => Fault::Repeat,
        5 => Fault::CutRequest(bytes),
        6 => Fault::CutAnswer(bytes),
        7 => Fault::DieAfter(bytes),
        8 => Fault::FreezeAfter(bytes),
        9 => Fault::SignInPage,
        10 => Fault::Status(502),
        11 => Fault::Delay([900, 50_000][dice.below(2)]),
        12 => Fault::Busy,
        13 => Fault::Stranger,
        _ => Fault::OldAnswer(dice.below(12)),
    }
}
