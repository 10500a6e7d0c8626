//! A phone's folder was copied, keys and all, or a phone was set back to an old copy of itself: two
//! have one identity. Both work is kept, and counted once.

mod chance;
mod judged;
mod restored;

use pocketbook::engine::SyncError;
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::{EnrolmentId, RecordId};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_server::admin::wire::Command;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, Phone, World};
use serde_json::json;

/// Somebody with a phone that is in step.
async fn one(seed: u64) -> (World, Phone) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.visits(wang.flat(0), "第一次");
    wang.knocks(wang.flat(0));
    wang.syncs().await;
    (world, wang)
}

async fn all_sync(phones: &[&Phone]) {
    for _ in 0..3 {
        for phone in phones {
            phone.syncs().await;
        }
    }
}

fn enrolment(phone: &Phone) -> EnrolmentId {
    phone.store().account().expect("it is enrolled").enrolment
}

fn knocks(world: &World, flat: RecordId) -> serde_json::Value {
    let truth = Truth::of(&world.town().server());
    let held = truth.get(&HOUSEHOLD, flat).expect("it is there");
    held.body["knocks"].clone()
}

fn visits(world: &World) -> usize {
    Truth::of(&world.town().server()).of_kind(&VISIT).count()
}

#[tokio::test]
async fn two_phones_of_one_folder_lose_nothing_however_they_alternate() {
    let (world, wang) = one(801).await;
    let flat = wang.flat(0);
    let person = wang.person(flat, 0);
    let copy = wang.is_copied_onto("copy");
    assert_eq!(enrolment(&wang), enrolment(&copy));
    for phone in [&wang, &copy] {
        phone.offline();
    }
    wang.visits(flat, "原机");
    copy.visits(flat, "副本");
    copy.visits(flat, "副本再访");
    wang.changes_phone(person, "15411110001");
    copy.changes_phone(person, "15411110002");
    let case = copy.reports_cover(&world.grid(0), "东门", &[photo(0)]).id;
    for phone in [&wang, &copy] {
        phone.knocks(flat);
        phone.online();
    }

    wang.syncs().await;
    copy.syncs().await;

    assert_ne!(enrolment(&wang), enrolment(&copy), "it has one of its own");
    all_sync(&[&wang, &copy]).await;
    for round in 0..3 {
        for phone in [&wang, &copy] {
            phone.knocks(flat);
            phone.visits(flat, &format!("第{round}轮"));
        }
        all_sync(&[&copy, &wang]).await;
    }

    assert_eq!(visits(&world), 1 + 3 + 6);
    assert_eq!(knocks(&world, flat), json!(1 + 2 + 6), "each counted once");
    for phone in [&wang, &copy] {
        assert_eq!(phone.reviews_of(person).len(), 1, "both numbers are kept");
        assert!(phone.finds(&CASE, case).is_some());
        assert_eq!(phone.status().waiting, 0);
    }
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn work_that_waited_while_the_folder_was_copied_is_taken_once() {
    let (world, wang) = one(802).await;
    let flat = wang.flat(0);
    wang.offline();
    wang.knocks(flat);
    wang.visits(flat, "共有的");
    let copy = wang.is_copied_onto("copy");
    wang.knocks(flat);
    copy.knocks(flat);
    copy.visits(flat, "副本的");
    wang.online();

    copy.syncs().await;
    wang.syncs().await;

    all_sync(&[&wang, &copy]).await;
    assert_eq!(visits(&world), 3);
    assert_eq!(knocks(&world, flat), json!(4));
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn a_phone_set_back_to_yesterdays_copy_goes_on_under_a_new_name() {
    for new in [0, 1, 2, 5] {
        let (world, wang) = one(803 + new).await;
        let flat = wang.flat(0);
        let yesterday = wang.is_backed_up("yesterday");
        let before = enrolment(&wang);
        wang.visits(flat, "今天");
        wang.knocks(flat);
        wang.syncs().await;

        wang.is_set_back_to(&yesterday);
        for _ in 0..new {
            wang.knocks(flat);
        }
        wang.syncs().await;

        assert_ne!(enrolment(&wang), before, "{new} more");
        assert_eq!(wang.home(flat).visits.len(), 2, "what it did is back");
        assert_eq!(knocks(&world, flat), json!(2 + new));
        wang.knocks(flat);
        wang.syncs().await;
        assert_eq!(knocks(&world, flat), json!(3 + new));
        assert_eq!(wang.status().state, SyncState::Synced);
        world.check(&[&wang]).await;
    }
}

/// How far a phone comes before it is killed.
#[derive(Debug, Clone, Copy)]
enum Killed {
    Told,
    Answered,
    AnsweredInPart,
    Adopted,
    HandedIn,
}

#[tokio::test]
async fn a_phone_killed_at_any_step_goes_on_with_the_next_start() {
    use Killed::{Adopted, Answered, AnsweredInPart, HandedIn, Told};
    for (n, killed) in [Told, Answered, AnsweredInPart, Adopted, HandedIn]
        .into_iter()
        .enumerate()
    {
        let (world, wang) = one(820 + n as u64).await;
        let flat = wang.flat(0);
        let copy = wang.is_copied_onto("copy");
        wang.knocks(flat);
        wang.syncs().await;
        copy.knocks(flat);
        copy.visits(flat, "副本");
        copy.line().next(
            On::Enrol,
            match killed {
                Told | Adopted | HandedIn => Fault::LoseRequest,
                Answered => Fault::LoseAnswer,
                AnsweredInPart => Fault::FreezeAfter(40),
            },
        );
        if let AnsweredInPart = killed {
            copy.syncs_until_killed().await;
        } else {
            copy.sync().await.expect_err("the line broke");
            copy.is_killed();
        }
        assert_eq!(copy.status().waiting, 2, "{killed:?}");
        let second = match killed {
            Adopted => Some(Fault::LoseRequest),
            HandedIn => Some(Fault::LoseAnswer),
            Told | Answered | AnsweredInPart => None,
        };
        if let Some(fault) = second {
            copy.line().next(On::Sync, fault);
            copy.sync().await.expect_err("the line broke again");
            assert_ne!(enrolment(&copy), enrolment(&wang), "it was adopted");
            copy.is_killed();
        }

        all_sync(&[&copy, &wang]).await;

        assert_ne!(enrolment(&copy), enrolment(&wang), "{killed:?}");
        assert_eq!(knocks(&world, flat), json!(3), "{killed:?}");
        assert_eq!(visits(&world), 2, "{killed:?}");
        let phones = phones_of(&world, &wang);
        assert_eq!(
            phones, 2,
            "{killed:?}: one new enrolment, whatever was repeated"
        );
        world.check(&[&wang, &copy]).await;
    }
}

/// Returns how many enrolments an account's phones have.
fn phones_of(world: &World, phone: &Phone) -> usize {
    let server = world.town().server();
    let radar = server.read(pocketbook_server::store::accounts::radar);
    let blips = radar.expect("the server reads");
    blips
        .iter()
        .filter(|blip| blip.user == phone.user())
        .count()
}

#[tokio::test]
async fn two_that_are_told_at_once_get_one_each() {
    let (world, wang) = one(830).await;
    let flat = wang.flat(0);
    let (left, right) = (wang.is_copied_onto("left"), wang.is_copied_onto("right"));
    let all = [&wang, &left, &right];
    for phone in all {
        phone.knocks(flat);
        phone.visits(flat, &format!("{phone:?}"));
    }
    wang.syncs().await;
    // Both hear of it before either has a new name.
    for phone in [&left, &right] {
        phone.line().next(On::Enrol, Fault::LoseRequest);
        phone.sync().await.expect_err("the line broke");
    }

    all_sync(&all).await;

    let names = all.map(enrolment);
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    assert_eq!(visits(&world), 4);
    assert_eq!(knocks(&world, flat), json!(4));
    world.check(&all).await;
}

#[tokio::test]
async fn a_clone_of_a_clone_is_found_again() {
    let (world, wang) = one(831).await;
    let flat = wang.flat(0);
    let copy = wang.is_copied_onto("copy");
    wang.knocks(flat);
    wang.syncs().await;
    copy.knocks(flat);
    // Copied once more in the moment between being told and getting a name.
    copy.line().next(On::Enrol, Fault::LoseAnswer);
    copy.sync().await.expect_err("the answer was lost");
    let second = copy.is_copied_onto("second");
    second.knocks(flat);
    copy.visits(flat, "副本");
    all_sync(&[&copy, &second, &wang]).await;
    // And once more when it has one.
    let third = second.is_copied_onto("third");
    for phone in [&second, &third, &copy] {
        phone.knocks(flat);
    }

    all_sync(&[&third, &second, &copy, &wang]).await;

    let all = [&wang, &copy, &second, &third];
    for (n, one) in all.iter().enumerate() {
        for other in &all[..n] {
            assert_ne!(enrolment(one), enrolment(other), "{one:?} {other:?}");
        }
    }
    assert_eq!(knocks(&world, flat), json!(1 + 3 + 3));
    assert_eq!(visits(&world), 2);
    world.check(&all).await;
}

#[tokio::test]
async fn a_copy_without_work_of_its_own_parts_too() {
    let (world, wang) = one(832).await;
    let flat = wang.flat(0);
    let copy = wang.is_copied_onto("copy");
    wang.knocks(flat);
    wang.knocks(flat);
    wang.syncs().await;

    copy.syncs().await;

    assert_ne!(enrolment(&copy), enrolment(&wang));
    copy.knocks(flat);
    copy.syncs().await;
    wang.syncs().await;
    assert_eq!(knocks(&world, flat), json!(4));
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn a_locked_copys_work_waits_until_the_account_is_open_again() {
    let (world, wang) = one(833).await;
    let flat = wang.flat(0);
    let copy = wang.is_copied_onto("copy");
    wang.knocks(flat);
    wang.syncs().await;
    copy.knocks(flat);
    let user = || "王".to_owned();
    world
        .town()
        .does(Command::Block { user: user() }, vec![])
        .await;

    let refused = copy.sync().await;

    assert!(
        matches!(refused, Err(SyncError::NotYet { .. })),
        "{refused:?}"
    );
    assert_eq!(copy.status().waiting, 1, "it is kept");
    assert_eq!(enrolment(&copy), enrolment(&wang));
    world
        .town()
        .does(Command::Unblock { user: user() }, vec![])
        .await;
    all_sync(&[&copy, &wang]).await;
    assert_ne!(enrolment(&copy), enrolment(&wang));
    assert_eq!(knocks(&world, flat), json!(3));
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn a_new_code_ends_the_sharing_as_well() {
    let (world, wang) = one(837).await;
    let flat = wang.flat(0);
    let copy = wang.is_copied_onto("copy");
    wang.knocks(flat);
    wang.syncs().await;
    copy.knocks(flat);
    copy.line().next(On::Enrol, Fault::LoseRequest);
    copy.sync().await.expect_err("the line broke");

    copy.enrols(&world.code("王").await.code).await;
    copy.knocks(flat);
    copy.syncs().await;

    wang.syncs().await;
    assert_eq!(knocks(&world, flat), json!(4));
    world.check(&[&wang, &copy]).await;
}
