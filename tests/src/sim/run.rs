//! A run: the tape played against real phones and the real server, with the oracle looking on.

mod deeds;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use pocketbook::engine::Reason;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::rights::Role;
use pocketbook_server::{Batch, Fault as WriterFault, params};
use serde_json::Value;

use super::coverage::{Coverage, Phase};
use super::look;
use super::oracle::Oracle;
use super::tape::{Act, Spot, Tape, Who};
use crate::world::people::Screen;
use crate::world::{Fault, On, Phone, World, check};

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
    grid: UnitId,
    /// Zhao's alone.
    other: UnitId,
    phones: [Phone; 2],
    homes: Vec<RecordId>,
    people: Vec<RecordId>,
    cases: Vec<RecordId>,
    has_grid: bool,
    screens: BTreeMap<(Who, Spot, RecordId), Screen>,
    values: BTreeMap<Spot, Vec<Value>>,
    knocks: BTreeMap<RecordId, u32>,
    drawn: u32,
    backups: Vec<PathBuf>,
    copies: Vec<PathBuf>,
    is_server_full: bool,
    oracle: Oracle,
}

/// Plays a tape and returns what broke.
pub(super) async fn play(
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
    let mut day = Day::begins(tape.seed).await;
    for (at, act) in tape.acts.iter().enumerate() {
        day.world.town().time.passes(40_000);
        let phases = [day.phase(0), day.phase(1)];
        let came = day.happens(act).await;
        day.note_mishaps(act, &came, phases, coverage);
        ended.store(day.world.town().time.now(), Ordering::SeqCst);
        day.sabotage(canary);
        note(format!("{at:2} {act} → {came}; {}", day.stands()));
        let broken = day.oracle.watch(day.world.town(), &day.phones);
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
    async fn begins(seed: u64) -> Self {
        let world = World::new(seed).await;
        let grid = world.grid(0);
        world.settle(&grid, 4).await;
        let phones = [
            world.worker("王", &grid).await,
            world.head("赵", &grid).await,
        ];
        let other = world.grid(1);
        world
            .grant(phones[1].user(), "赵", Role::GridHead, &other)
            .await;
        world.street_desk("陈").await;
        for phone in &phones {
            phone.syncs().await;
        }
        let homes = phones[0].flats();
        let people = homes.iter().flat_map(|home| phones[0].home(*home).people);
        let people = people.map(|file| file.person.id).collect();
        let oracle = Oracle::new(world.town(), &phones);
        Self {
            world,
            grid,
            other,
            phones,
            homes,
            people,
            cases: Vec::new(),
            has_grid: true,
            screens: BTreeMap::new(),
            values: BTreeMap::new(),
            knocks: BTreeMap::new(),
            drawn: 0,
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
        for round in 1..=2 {
            for phone in &self.phones {
                phone.line().is_good();
                phone.storage().is_full(false);
                let done = phone.sync().await;
                note(format!("healing {round}: {phone:?} → {done:?}"));
                let mut broken = self.oracle.watch(self.world.town(), &self.phones);
                if let Err(error) = done {
                    broken.push(format!("healing: {phone:?} does not sync: {error:?}"));
                }
                if !broken.is_empty() {
                    return broken;
                }
            }
        }
        Vec::new()
    }

    fn phase(&self, who: Who) -> Phase {
        Phase::of(&self.phones[who].status())
    }

    fn note_mishaps(&self, act: &Act, came: &str, phases: [Phase; 2], coverage: &Mutex<Coverage>) {
        let mut coverage = coverage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((mishap, who)) = act.mishap().filter(|_| came != nothing()) {
            coverage.meets(mishap, phases[who]);
        }
        for (phone, phase) in self.phones.iter().zip(phases) {
            for fault in phone.line().met() {
                coverage.meets(fault.name(), phase);
            }
        }
    }

    /// Says how both sides stand: part of the trace.
    fn stands(&self) -> String {
        let of = |phone: &Phone| {
            let s = phone.status();
            let queues = (s.waiting, s.photos, s.needs_fixing, s.parked, s.reviews);
            format!("{:?} {queues:?} {:?}", s.state, s.last_contact)
        };
        let asof = self.world.town().server().asof();
        let [wang, zhao] = &self.phones;
        format!("{} | {} | {}", of(wang), of(zhao), asof.commit.0)
    }

    fn sabotage(&self, canary: Option<Canary>) {
        match canary {
            Some(Canary::ForgetsWhatWaits) => {
                if let Some(connection) = look::beside(&self.phones[0]) {
                    let forgets = "DELETE FROM authored WHERE outcome IS NULL AND sent = 1";
                    connection.execute(forgets, []).expect("it forgets");
                }
            }
            Some(Canary::NumbersLate) if !self.cases.is_empty() => {
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
        server.writer().run(act).expect("the sabotage is done");
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
            Act::Syncs(who, ref faults, kill) => self.syncs(who, faults, kill).await,
            Act::Repeats(who, n) => self.repeats(who, n).await,
            Act::Killed(who) => self.is_killed(who),
            Act::Restarts => {
                self.world.town().restarts();
                done()
            }
            Act::Clock(who, minutes) => {
                self.phones[who].clock().is_off_by(minutes * 60_000);
                done()
            }
            Act::Boots(who) => {
                self.phones[who].clock().boots();
                self.is_killed(who)
            }
            Act::Hours(hours) => {
                self.world.hours_pass(hours);
                done()
            }
            Act::Revoked => self.wang_has_grid(false).await,
            Act::Granted => self.wang_has_grid(true).await,
            Act::Moves(n) => self.moves(n),
            Act::BacksUp => {
                let name = format!("backup-{}", self.backups.len());
                self.backups.push(self.world.town().backs_up(&name).await);
                done()
            }
            Act::Restored => self.is_restored(),
            Act::Copied => {
                let name = format!("copy-{}", self.copies.len());
                self.copies.push(self.world.town().is_copied(&name));
                done()
            }
            Act::SetBack => self.is_set_back(),
            Act::PhoneFull(who, full) => {
                self.phones[who].storage().is_full(full);
                done()
            }
            Act::ServerFull(full) => {
                self.is_server_full = full;
                match full {
                    true => self.world.town().fills_disk(),
                    false => self.world.town().frees_disk(),
                }
                done()
            }
        }
    }

    fn is_restored(&mut self) -> String {
        let Some(backup) = self.backups.last() else {
            return nothing();
        };
        let restored = self.world.town().restores(backup);
        self.oracle.restored(self.world.town());
        format!("lost since {}", restored.lost.after)
    }

    fn is_set_back(&mut self) -> String {
        let Some(copy) = self.copies.last() else {
            return nothing();
        };
        self.world.town().is_rolled_back(copy);
        self.oracle.set_back(self.world.town());
        done()
    }

    async fn syncs(&mut self, who: Who, faults: &[(On, Fault)], kill: Option<u16>) -> String {
        let phone = &self.phones[who];
        for (on, fault) in faults {
            phone.line().next(*on, *fault);
        }
        let engine = phone.engine();
        let is_cut_off = async {
            match kill {
                Some(turns) => turns_pass(turns).await,
                None => {
                    phone.line().frozen().await;
                    turns_pass(40).await;
                }
            }
        };
        let ended = tokio::select! {
            biased;
            done = engine.sync_once(Reason::Asked) => Some(done),
            () = is_cut_off => None,
        };
        drop(engine);
        phone.line().is_good();
        match ended {
            Some(Ok(report)) => format!("{report:?}"),
            Some(Err(error)) => format!("{error:?}"),
            None => self.is_killed(who),
        }
    }

    async fn repeats(&self, who: Who, n: usize) -> String {
        let line = self.phones[who].line();
        let mut passed = line.passed();
        passed.retain(|passed| passed.request.path == "/v1/sync");
        let Some(old) = (!passed.is_empty()).then(|| &passed[n % passed.len()]) else {
            return nothing();
        };
        format!("{}", line.repeats(old).await)
    }

    fn is_killed(&mut self, who: Who) -> String {
        self.screens.retain(|(whose, ..), _| *whose != who);
        self.phones[who].is_killed();
        "opened again".to_owned()
    }

    async fn wang_has_grid(&mut self, has: bool) -> String {
        if self.has_grid == has {
            return nothing();
        }
        self.has_grid = has;
        let wang = &self.phones[0];
        match has {
            true => {
                let role = Role::GridWorker;
                self.world.grant(wang.user(), "王", role, &self.grid).await;
            }
            false => self.world.revoke(wang, Role::GridWorker, &self.grid).await,
        }
        done()
    }
}

async fn turns_pass(turns: u16) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
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
