//! Days that seeds make up: see `pocketbook_tests::sim`.
//!
//! `SEEDS=n` plays those up to n, from `FROM` on if that is given; `SEED=n` plays one again and
//! prints what happened. `QUICK=1` plays each once and prints a failing one as it is. What fails is
//! saved as a script; those in `scripts` are played again for ever. `DISTRICT=1` plays the whole
//! district.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pocketbook::books::Take;
use pocketbook::store::view::mark;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::rights::Role;
use pocketbook_tests::proofs;
use pocketbook_tests::sim::{
    Canary, Coverage, MISHAPS, Mornings, Ran, Size, Tape, run, script, shrunk,
};
use pocketbook_tests::world::{Fault, On, World};

/// So long are seeds played where nobody says how many.
const WHILE: Duration = Duration::from_secs(50);

/// From so many seeds on, every mishap must have met a phone in every state.
const MANY: u64 = 2_000;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn is_quick() -> bool {
    asked("QUICK").is_some()
}

/// What was played.
#[derive(Debug, Default)]
struct Tally {
    seeds: u64,
    actions: u64,
    device_ms: u64,
    coverage: Coverage,
    failed: Option<Ran>,
}

impl Tally {
    fn takes(&mut self, ran: &Ran) {
        self.seeds += 1;
        self.actions += ran.tape.acts.len() as u64;
        let phones = ran.tape.size.phones() as u64;
        self.device_ms += phones * ran.virtual_ms.unsigned_abs();
        self.coverage.adds(&ran.coverage);
    }
}

/// Plays seeds on all processors until there are enough of them or one fails.
fn plays(mornings: &Mornings, is_enough: impl Fn(u64) -> bool + Sync) -> Tally {
    let next = AtomicU64::new(asked("FROM").unwrap_or(1));
    let tally = Mutex::new(Tally::default());
    let taken = || tally.lock().expect("nobody panics with it");
    let one_after_another = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if is_enough(seed) || taken().failed.is_some() {
                return;
            }
            let first = run(mornings, Tape::drawn(seed), None);
            taken().takes(&first);
            if !first.broken.is_empty() {
                taken().failed = Some(first);
                return;
            }
            if is_quick() {
                continue;
            }
            let second = run(mornings, Tape::drawn(seed), None);
            assert_eq!(first.script, second.script, "seed {seed} does not repeat");
            assert_eq!(first.trace, second.trace, "seed {seed} does not repeat");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(one_after_another);
        }
    });
    tally.into_inner().expect("nobody panics with it")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "how many seeds are played is a matter of real time; what they do is not"
)]
fn whatever_a_seed_does_nothing_is_lost_and_everything_ends_in_step() {
    let mornings = &Mornings::default();
    if let Some(seed) = asked("SEED") {
        let ran = run(mornings, Tape::drawn(seed), None);
        println!("{ran}");
        holds(mornings, ran);
        return;
    }
    let begun = Instant::now();
    let tally = match asked("SEEDS") {
        Some(seeds) => plays(mornings, |seed| seed > seeds),
        None => plays(mornings, |_| begun.elapsed() > WHILE),
    };
    let times = if is_quick() { "once" } else { "twice" };
    println!(
        "{} seeds, each {times}, in {:?}",
        tally.seeds,
        begun.elapsed()
    );
    println!("{}", tally.coverage);
    proofs::tell("seeds", tally.seeds);
    proofs::tell("actions", tally.actions);
    let restores = ["restored", "set back"].map(|how| tally.coverage.times(how));
    proofs::tell("restores", restores.iter().sum());
    let whole = tally.coverage.whole(&MISHAPS);
    proofs::tell("mishaps", whole as u64);
    proofs::tell("device-seconds", tally.device_ms / 1000);
    proofs::tell(
        "simulation-ms",
        u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    );
    if let Some(failing) = tally.failed {
        println!("failed after {} seeds", tally.seeds);
        fails(mornings, failing);
    }
    if tally.seeds >= MANY {
        let gaps = tally.coverage.gaps(&MISHAPS);
        assert!(gaps.is_empty(), "{gaps:#?}");
    }
}

/// Shrinks a run that failed, saves its script and fails the test.
#[expect(
    clippy::disallowed_methods,
    reason = "a script is for the repository, not for a device"
)]
fn fails(mornings: &Mornings, failing: Ran) -> ! {
    let shown = match is_quick() {
        true => failing,
        false => shrunk(mornings, failing, None),
    };
    let name = format!(
        "{}/seed-{}.txt",
        env!("CARGO_TARGET_TMPDIR"),
        shown.tape.seed
    );
    let text = script::written(&shown.tape, &shown.broken.join("\n"));
    let saved = std::fs::write(&name, text).map(|()| name);
    panic!("{shown}saved: {saved:?}");
}

fn holds(mornings: &Mornings, ran: Ran) {
    if !ran.broken.is_empty() {
        fails(mornings, ran);
    }
}

#[test]
fn fifty_phones_end_in_step_too() {
    let mornings = Mornings::default();
    holds(
        &mornings,
        run(&mornings, Tape::of_size(50, Size::Phones(50)), None),
    );
    proofs::tell("phones", 50);
}

#[test]
fn the_whole_district_ends_in_step_too() {
    if asked("DISTRICT").is_none() {
        // It takes minutes: see `cargo prove --nightly`.
        return;
    }
    let mornings = Mornings::default();
    holds(
        &mornings,
        run(&mornings, Tape::of_size(1212, Size::District), None),
    );
    proofs::tell("district", 1_212);
}

/// What seeds have found, as the scripts that they were shrunk to.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "scripts are read from the source tree, not by a device"
)]
fn what_was_found_once_is_not_found_again() {
    let mornings = Mornings::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).expect("the scripts are there") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a script");
        let tape = script::read(&text).unwrap_or_else(|error| panic!("{path:?}: {error:?}"));
        let ran = run(&mornings, tape, None);
        assert!(ran.broken.is_empty(), "{path:?}: {ran}");
        played += 1;
    }
    assert!(played > 0, "no script was found");
}

/// Plays seeds with a rule broken, until the oracle names it.
fn is_caught(canary: Canary) {
    let mornings = Mornings::default();
    let caught = (1..=40).find(|seed| {
        let ran = run(&mornings, Tape::drawn(*seed), Some(canary));
        ran.invariant() == Some(canary.breaks())
    });
    assert!(caught.is_some(), "{canary:?} goes unnoticed");
}

#[test]
fn work_that_vanishes_from_a_phone_is_noticed() {
    if pocketbook_sqlite::is_encryption_built() {
        // Neither the canary nor the oracle can read the file beside the app.
        return;
    }
    is_caught(Canary::ForgetsWhatWaits);
}

#[test]
fn a_silent_winner_is_noticed() {
    is_caught(Canary::DropsReviews);
}

#[test]
fn a_record_that_appears_under_a_passed_number_is_noticed() {
    is_caught(Canary::NumbersLate);
}

/// What a seed has found: a decision lay over its review for ever, and over a resident who was
/// no longer there, once somebody else had deleted the resident.
#[tokio::test]
async fn a_settled_decision_about_a_deleted_record_does_not_stay_in_the_view() {
    let world = World::new(31).await;
    let grid = world.grid(0);
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let person = wang.person(wang.flat(0), 1);
    let shown = zhao.sees(&PERSON, person);
    wang.enters(&wang.sees(&PERSON, person), "relation", "other");
    wang.syncs().await;
    let book = zhao.book();
    book.delete(&PERSON, person, shown.shown.rev)
        .expect("the deletion is saved");
    zhao.syncs().await;
    let review = zhao.reviews_of(person).remove(0);
    let deleted = review.candidates.iter().find(|one| one.value.is_null());
    let deleted = deleted.expect("the deletion is a candidate").id.clone();
    zhao.decides(&review, Take::Candidate(deleted));
    assert!(zhao.finds(&PERSON, person).is_none());
    zhao.syncs().await;
    wang.syncs().await;
    assert!(zhao.finds(&PERSON, person).is_none());
    world.check(&[&wang, &zhao]).await;
}

/// What a seed has found: an edit from a screen that was older than the record's deletion brought
/// the record back on its author's phone, for ever.
#[tokio::test]
async fn a_settled_edit_of_a_deleted_record_does_not_stay_in_the_view() {
    let world = World::new(959).await;
    let grid = world.grid(0);
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let person = wang.person(wang.flat(0), 1);
    let rev = wang.sees(&PERSON, person).shown.rev;
    wang.book()
        .delete(&PERSON, person, rev)
        .expect("the deletion is saved");
    wang.syncs().await;

    let left_open = zhao.sees(&PERSON_SENSITIVE, person);
    zhao.syncs().await;
    zhao.enters(&left_open, "phone", "15400000001");
    zhao.syncs().await;

    assert!(zhao.finds(&PERSON_SENSITIVE, person).is_none());
    assert_eq!(zhao.reviews_of(person).len(), 1, "the edit is kept there");
    wang.syncs().await;
    world.check(&[&wang, &zhao]).await;
}

/// What a seed has found: own work that went out of sight with a grid stayed out of sight when the
/// grid came back, if it was parked.
#[tokio::test]
async fn a_parked_report_comes_back_into_view_with_its_grid() {
    let world = World::new(1462).await;
    let grid = world.grid(0);
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    world.revoke(&wang, Role::GridWorker, &grid).await;
    let case = wang.reports_cover(&grid, "东门", &[]).id;
    // What hands in fails, what reads does not: the phone hears of the revoke first.
    for fault in [Fault::CutRequest(0), Fault::Status(502)] {
        wang.line().next(On::Sync, fault);
        wang.sync().await.expect_err("nothing was handed in");
    }
    assert!(wang.finds(&CASE, case).is_none(), "it is sealed");

    world.hours_pass(1);
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    wang.syncs().await;

    assert_eq!(wang.tray().len(), 1);
    assert_eq!(wang.sees(&CASE, case).shown.mark, mark::PARKED);
    world.check(&[&wang]).await;
}

/// What a seed has found: an edit that arrived too late for its grid left a household of that one
/// value on the phone, and lay over the real one when the grid came back.
#[tokio::test]
async fn a_household_with_a_parked_edit_comes_back_whole_with_its_grid() {
    let world = World::new(56).await;
    let grid = world.grid(0);
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let home = wang.flat(0);
    let place = wang.sees(&HOUSEHOLD, home).value("place");
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    wang.notes_tenure(home, "rent-out");
    wang.syncs().await;
    assert!(wang.finds(&HOUSEHOLD, home).is_none(), "it is taken");

    world.hours_pass(1);
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    wang.syncs().await;

    let shown = wang.sees(&HOUSEHOLD, home);
    assert_eq!(shown.value("place"), place);
    assert_eq!(shown.value("tenure"), "rent-out", "it still waits");
    world.check(&[&wang]).await;
}
