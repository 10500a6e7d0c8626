//! Drawing tapes.
//!
//! Workload and schedule come from streams of their own. Each seed leaves about a third of the
//! mishaps out, whole: some bugs show only where little else goes wrong, and what is left comes
//! more often. On some days many photos are taken, so that whatever goes wrong meets a phone with
//! photos to send; and what is undone was done before.

use std::collections::BTreeSet;

use super::{Act, MISHAPS, Spot, Tape, WEEKS};
use crate::sim::cast::{Size, Who};
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

impl Tape {
    /// Draws a tape.
    pub fn drawn(seed: u64) -> Self {
        let size = Size::drawn(&mut Dice::new(seed.rotate_left(32) ^ 0x5eed));
        Self::of_size(seed, size)
    }

    /// Draws a tape for so many phones.
    pub fn of_size(seed: u64, size: Size) -> Self {
        let mut schedule = Dice::new(!seed);
        let length = match size {
            // Those that are short shrink well, those that are long get far.
            Size::Phones(_) => LENGTHS[schedule.below(LENGTHS.len())],
            Size::District => DISTRICT_ACTS,
        };
        Self {
            seed,
            size,
            acts: acts(seed, size.cast().members.len(), length),
        }
    }
}

/// So many acts have the others: 500 seeds, each played twice, fit into a day's tests.
const LENGTHS: [usize; 5] = [15, 30, 45, 70, 120];

/// So many acts has the run of the whole district: some for each phone.
const DISTRICT_ACTS: usize = 6_000;

fn acts(seed: u64, phones: usize, length: usize) -> Vec<Act> {
    let mut work = Dice::new(seed);
    let mut schedule = Dice::new(seed ^ 0x7a9e);
    let left_out = left_out(&mut schedule);
    let is_left_out = |act: &Act| {
        let mishap = act.mishap().map(|(name, _)| name);
        mishap.is_some_and(|name| left_out.contains(name))
    };
    let is_photo_day = schedule.once_in(3);
    let mut begun = Begun::default();
    let mut acts = Vec::new();
    while acts.len() < length {
        let act = match schedule.below(5) {
            0 | 1 => begun.before(happening(&mut schedule, phones)),
            _ if is_photo_day && schedule.once_in(4) => Act::Reports(schedule.below(phones), true),
            _ => doing(&mut work, phones),
        };
        acts.push(match act {
            Act::Syncs(who, mut faults, kill) => {
                faults.retain(|(_, fault)| !left_out.contains(fault.name()));
                let kill = kill.filter(|_| !left_out.contains("killed while syncing"));
                Act::Syncs(who, faults, kill)
            }
            act if is_left_out(&act) => Act::Syncs(
                act.phone().unwrap_or_else(|| schedule.below(phones)),
                vec![],
                None,
            ),
            act => act,
        });
    }
    acts
}

/// What was done and may be undone.
#[derive(Default)]
struct Begun {
    is_backed_up: bool,
    is_copied: bool,
    taken: BTreeSet<Who>,
    lent: BTreeSet<Who>,
}

impl Begun {
    /// Returns an act, or what must come before it.
    fn before(&mut self, act: Act) -> Act {
        match act {
            Act::BacksUp | Act::Restored if !self.is_backed_up => {
                self.is_backed_up = true;
                Act::BacksUp
            }
            Act::Copied | Act::SetBack if !self.is_copied => {
                self.is_copied = true;
                Act::Copied
            }
            // Where there are many, few are drawn twice: what is given back is whoever's it was.
            Act::Granted(who) => match self.taken.pop_first() {
                Some(who) => Act::Granted(who),
                None => self.before(Act::Revoked(who)),
            },
            Act::Revoked(who) => {
                self.taken.insert(who);
                Act::Revoked(who)
            }
            Act::Lent(who, false) => match self.lent.pop_first() {
                Some(who) => Act::Lent(who, false),
                None => self.before(Act::Lent(who, true)),
            },
            Act::Lent(who, true) => {
                self.lent.insert(who);
                Act::Lent(who, true)
            }
            act => act,
        }
    }
}

/// Returns the mishaps that this seed does without.
fn left_out(dice: &mut Dice) -> BTreeSet<&'static str> {
    MISHAPS.into_iter().filter(|_| dice.once_in(3)).collect()
}

fn doing(dice: &mut Dice, phones: usize) -> Act {
    let who = dice.below(phones);
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
        _ => Act::Moves(who, n),
    }
}

fn spot(dice: &mut Dice) -> Spot {
    [Spot::Tenure, Spot::Relation, Spot::Phone, Spot::Name][dice.below(4)]
}

fn happening(dice: &mut Dice, phones: usize) -> Act {
    let who = dice.below(phones);
    let is_on = dice.once_in(2);
    match dice.below(34) {
        0..=13 => syncs(dice, who),
        14 => Act::Repeats(who, dice.below(8)),
        15 => Act::Killed(who),
        16 => match is_on {
            true => Act::Restarts,
            false => Act::Dies,
        },
        17 => Act::Clock(who, [-525_600, -90, 0, 7, 2_880][dice.below(5)]),
        18 => Act::Boots(who),
        19..=20 => Act::Hours([1, 5, 30, WEEKS][dice.below(4)]),
        21 => Act::Revoked(who),
        22 => Act::Granted(who),
        23 => Act::Lent(who, is_on),
        24 => Act::BacksUp,
        25 => Act::Restored,
        26 => match is_on {
            true => Act::Copied,
            false => Act::SetBack,
        },
        27..=28 => Act::PhoneFull(who, is_on),
        29 => Act::ServerFull(is_on),
        30 => match is_on {
            true => Act::Flaps(who, 2 + dice.below(3)),
            false => Act::Stolen(who, dice.below(8)),
        },
        31 => Act::ClockStands(who, is_on),
        32 => Act::Metered(who, is_on),
        _ => Act::Blocked(who, is_on),
    }
}

fn syncs(dice: &mut Dice, who: Who) -> Act {
    let mut faults = Vec::new();
    while faults.len() < 4 && dice.once_in(2) {
        faults.push((on(dice), fault(dice)));
    }
    let kill = dice.once_in(6).then(|| [0, 1, 3, 10, 40][dice.below(5)]);
    Act::Syncs(who, faults, kill)
}

fn on(dice: &mut Dice) -> On {
    [On::Any, On::Sync, On::Sync, On::Photo, On::Thumbnails][dice.below(5)]
}

fn fault(dice: &mut Dice) -> Fault {
    let bytes = [0, 20, 300, 900, 5_000][dice.below(5)];
    match dice.below(17) {
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
        14 => Fault::ServerDies,
        _ => Fault::OldAnswer(dice.below(12)),
    }
}
