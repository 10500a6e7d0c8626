//! A run: the tape played against real phones and the real server, with the oracle looking on.

mod deeds;
mod mishaps;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_server::{Batch, Fault as WriterFault, params};
use serde_json::Value;

use super::cast::{Member, Who};
use super::coverage::{Coverage, Phase};
use super::look;
use super::morning::{self, Beat, Mornings};
use super::oracle::Oracle;
use super::tape::{Act, Meets, Spot, Tape};
use crate::world::people::Screen;
use crate::world::{Desk, Phone, World, check};

/// A rule broken on purpose, behind everyone's back: the oracle must name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// A phone forgets what waits, without a receipt.
    ForgetsWhatWaits,
    /// The server drops its reviews: who came second wins silently.
    DropsReviews,
    /// A record appears under a number that was passed long ago.
    NumbersLate,
}

impl Canary {
    /// Returns the invariant that it breaks.
    pub fn breaks(self) -> &'static str {
        match self {
            Self::ForgetsWhatWaits => "I5",
            Self::DropsReviews => "I8",
            Self::NumbersLate => "I1",
        }
    }
}

struct Day {
    world: World,
    phones: Vec<Phone>,
    members: Vec<Member>,
    beats: Vec<Beat>,
    grids: Vec<UnitId>,
    /// Which phones' accounts have their grids.
    has_grid: Vec<bool>,
    /// Which have the other grid of their beat too.
    is_lent: Vec<bool>,
    is_locked: Vec<bool>,
    screens: BTreeMap<(Who, Spot, RecordId), Screen>,
    values: BTreeMap<Spot, Vec<Value>>,
    drawn: u32,
    desk: Option<Desk>,
    thieves: u32,
    backups: Vec<PathBuf>,
    copies: Vec<PathBuf>,
    is_server_full: bool,
    oracle: Oracle,
}

/// After so many acts the oracle looks at all phones; in between at those that acted.
const ROUND: usize = 50;

/// Plays a tape and returns what broke.
pub(super) async fn play(
    mornings: &Mornings,
    tape: &Tape,
    canary: Option<Canary>,
    script: &Mutex<Vec<String>>,
    (coverage, ended): (&Mutex<Coverage>, &AtomicI64),
) -> Vec<String> {
    let note = |line: String| {
        script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    };
    let mut day = Day::begins(mornings.day(tape.seed, tape.size).await);
    for (at, act) in tape.acts.iter().enumerate() {
        day.world.town().time.passes(40_000);
        let met = day.meets(act);
        let came = day.happens(act).await;
        day.note_mishaps(act, &came, &met, coverage);
        ended.store(day.world.town().time.now(), Ordering::SeqCst);
        day.sabotage(canary);
        note(format!("{at:2} {act} → {came}; {}", day.stands(act)));
        let acted: Vec<Who> = act.phone().into_iter().collect();
        let broken = match at % ROUND == ROUND - 1 {
            true => day.watches_all(),
            false => day.oracle.watch(day.world.town(), &day.phones, &acted),
        };
        if !broken.is_empty() {
            return broken;
        }
    }
    let broken = day.heals(&note).await;
    if !broken.is_empty() {
        return broken;
    }
    if canary == Some(Canary::DropsReviews) {
        day.at_server("DELETE FROM records WHERE kind IN ('review', 'review-sensitive')");
        return day.oracle.at_the_end(day.world.town(), &day.phones);
    }
    let mut broken = day.oracle.at_the_end(day.world.town(), &day.phones);
    let phones: Vec<&Phone> = day.phones.iter().collect();
    let compared = check::compare(day.world.town(), &phones).await;
    let differs = compared.differences.into_iter();
    broken.extend(differs.map(|difference| format!("I3: {difference}")));
    broken
}

impl Day {
    fn begins(morning: morning::Day) -> Self {
        let morning::Day {
            world,
            phones,
            members,
            beats,
            grids,
        } = morning;
        let count = phones.len();
        let oracle = Oracle::new(world.town(), &phones, &members);
        Self {
            world,
            phones,
            members,
            beats,
            grids,
            has_grid: vec![true; count],
            is_lent: vec![false; count],
            is_locked: vec![false; count],
            screens: BTreeMap::new(),
            values: BTreeMap::new(),
            drawn: 0,
            desk: None,
            thieves: 0,
            backups: Vec::new(),
            copies: Vec::new(),
            is_server_full: false,
            oracle,
        }
    }

    /// Faults end, and after two rounds nothing may be left to do.
    async fn heals(&mut self, note: &impl Fn(String)) -> Vec<String> {
        self.world.hours_pass(2);
        self.world.town().frees_disk();
        for who in 0..self.phones.len() {
            self.locks(who, false).await;
        }
        for round in 1..=2 {
            for (who, phone) in self.phones.iter().enumerate() {
                phone.online();
                phone.line().is_good();
                phone.storage().is_full(false);
                let done = phone.sync().await;
                note(format!("healing {round}: {phone:?} → {done:?}"));
                let mut broken = self.oracle.watch(self.world.town(), &self.phones, &[who]);
                if let Err(error) = done {
                    broken.push(format!("healing: {phone:?} does not sync: {error:?}"));
                }
                if !broken.is_empty() {
                    return broken;
                }
            }
        }
        self.watches_all()
    }

    fn watches_all(&mut self) -> Vec<String> {
        let all: Vec<Who> = (0..self.phones.len()).collect();
        self.oracle.looks_afresh();
        self.oracle.watch(self.world.town(), &self.phones, &all)
    }

    fn phase(&self, who: Who) -> Phase {
        Phase::of(&self.phones[who].status())
    }

    /// Returns in which states a mishap meets phones, each once, and in which stands the phone
    /// that acts.
    fn meets(&self, act: &Act) -> (Vec<Phase>, Option<Phase>) {
        let acting = act.phone().map(|who| self.phase(who));
        let mut met = match act.mishap() {
            Some((_, Meets::One(who))) => vec![acting.unwrap_or_else(|| self.phase(who))],
            Some((_, Meets::All)) => (0..self.phones.len()).map(|who| self.phase(who)).collect(),
            None => Vec::new(),
        };
        met.sort_unstable();
        met.dedup();
        (met, acting)
    }

    fn note_mishaps(
        &self,
        act: &Act,
        came: &str,
        (met, acting): &(Vec<Phase>, Option<Phase>),
        coverage: &Mutex<Coverage>,
    ) {
        let mut coverage = coverage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((mishap, _)) = act.mishap().filter(|_| came != nothing()) {
            for phase in met {
                coverage.meets(mishap, *phase);
            }
        }
        if let (Some(who), Some(phase)) = (act.phone(), acting) {
            for fault in self.phones[who].line().met() {
                coverage.meets(fault.name(), *phase);
            }
        }
    }

    /// Says how both sides stand: part of the trace.
    fn stands(&self, act: &Act) -> String {
        let commit = self.world.town().server().asof().commit.0;
        let Some(who) = act.phone() else {
            return commit.to_string();
        };
        let s = self.phones[who].status();
        let queues = (s.waiting, s.photos, s.needs_fixing, s.parked, s.reviews);
        format!("{:?} {queues:?} {:?} | {commit}", s.state, s.last_contact)
    }

    fn sabotage(&self, canary: Option<Canary>) {
        match canary {
            Some(Canary::ForgetsWhatWaits) => {
                if let Some(connection) = look::beside(&self.phones[0]) {
                    let forgets = "DELETE FROM authored WHERE outcome IS NULL
                         AND mseq <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'sent')";
                    connection.execute(forgets, []).expect("it forgets");
                }
            }
            Some(Canary::NumbersLate) => {
                self.at_server("UPDATE memberships SET seq = -seq WHERE kind = 'case' AND seq > 0");
            }
            _ => {}
        }
    }

    fn at_server(&self, sql: &'static str) {
        let act = move |batch: &mut Batch<'_>| -> Result<(), WriterFault> {
            batch.store().sql.execute(sql, params![])?;
            Ok(())
        };
        let server = self.world.town().server();
        // A full disk takes no sabotage either.
        let _ = server.writer().run(act);
    }

    async fn happens(&mut self, act: &Act) -> String {
        if self.is_server_full && act.needs_room() {
            return nothing();
        }
        match *act {
            Act::Looks(who, spot, n) => self.looks(who, spot, n),
            Act::Enters {
                who,
                spot,
                n,
                stale,
                again,
            } => self.enters(who, spot, n, stale, again),
            Act::Knocks(who, n) => self.knocks(who, n),
            Act::Tags(who, n) => self.tags(who, n),
            Act::Notes(who, n) => self.notes(who, n),
            Act::Adds(who, n) => self.adds(who, n),
            Act::Visits(who, n) => self.visits(who, n),
            Act::Reports(who, with_photo) => self.reports(who, with_photo),
            Act::Commands(who, n) => self.commands(who, n),
            Act::Desk(n) => self.desk_moves(n).await,
            Act::Decides(who, n) => self.decides(who, n),
            Act::Deletes(who, n) => self.deletes(who, n),
            Act::Moves(who, n) => self.moves(who, n),
            ref mishap => self.befalls(mishap).await,
        }
    }
}

fn done() -> String {
    "done".to_owned()
}

fn nothing() -> String {
    "nothing".to_owned()
}

/// Even numbers count from the oldest, odd ones from the newest.
fn pick<T: Clone>(among: &[T], n: usize) -> T {
    let place = (n / 2) % among.len();
    let at = if n.is_multiple_of(2) {
        place
    } else {
        among.len() - 1 - place
    };
    among[at].clone()
}

fn newest(among: &[RecordId], n: usize) -> Option<RecordId> {
    (!among.is_empty()).then(|| among[among.len() - 1 - n % among.len().min(2)])
}
