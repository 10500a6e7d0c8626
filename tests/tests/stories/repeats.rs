//! Whatever the network repeats changes nothing.

use pocketbook::store::status::SyncState;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::check::{Truth, shown_on};
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, World};
use serde_json::json;

/// A day with everything in it, on lines that do as told; the world's truth at its end.
async fn day(seed: u64, fault: Option<Fault>) -> Day {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    let chen = world.street_desk("陈").await;
    for phone in [&wang, &zhao] {
        phone.line().weather(move |_| fault);
        phone.syncs().await;
    }
    let flat = wang.flat(0);
    let person = wang.person(flat, 0);
    wang.changes_phone(person, "15411110001");
    wang.visits(flat, "一切正常");
    wang.adds_person(flat, "刘小雨", "child");
    let case = wang.reports_cover(&grid, "东门", &[photo(0), photo(1)]).id;
    wang.syncs().await;
    chen.accepts(case).await;
    zhao.changes_phone(person, "15411110002");
    zhao.syncs().await;
    wang.syncs().await;
    Day {
        world,
        wang,
        zhao,
        flat,
        case,
    }
}

struct Day {
    world: World,
    wang: pocketbook_tests::world::Phone,
    zhao: pocketbook_tests::world::Phone,
    flat: pocketbook_records::ids::RecordId,
    case: pocketbook_records::ids::RecordId,
}

#[tokio::test]
async fn a_day_on_which_every_request_arrives_twice_ends_like_any_other() {
    let day = day(61, Some(Fault::Repeat)).await;

    let file = day.zhao.home(day.flat);
    assert_eq!(file.visits.len(), 1);
    let added = file
        .people
        .iter()
        .filter(|p| p.person.fields.name.as_deref() == Some("刘小雨"));
    assert_eq!(added.count(), 1);
    assert_eq!(day.wang.state_of(day.case).as_deref(), Some("accepted"));
    day.world.check(&[&day.wang, &day.zhao]).await;
}

#[tokio::test]
async fn every_old_request_brought_once_more_in_any_order_changes_nothing() {
    let day = day(62, None).await;
    let before = Truth::of(&day.world.town().server());
    let asof = day.world.town().server().asof().commit;

    for phone in [&day.wang, &day.zhao] {
        let passed = phone.line().passed();
        for old in passed.iter().chain(passed.iter().rev()) {
            phone.line().repeats(old).await;
        }
    }

    assert_eq!(
        before.records(),
        Truth::of(&day.world.town().server()).records()
    );
    assert_eq!(
        asof,
        day.world.town().server().asof().commit,
        "not one commit was made"
    );
    for phone in [&day.wang, &day.zhao] {
        phone.line().is_good();
        phone.syncs().await;
    }
    day.world.check(&[&day.wang, &day.zhao]).await;
}

#[tokio::test]
async fn an_old_answer_brought_once_more_takes_nothing_back() {
    let day = day(63, None).await;
    let (wang, other) = (&day.wang, day.world.grid(1));
    day.world.settle(&other, 10).await;
    day.world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let chen = day.world.signs_in("陈").await;
    chen.dispatches(day.case, &day.world.menders(), 24).await;
    wang.syncs().await;
    assert_eq!(wang.flats().len(), 30);
    let seen = shown_on(wang);

    // Answers from before the second grid was hers, and from before the case was dispatched.
    for n in 0..3 {
        let mut exchanges = 0;
        wang.line().weather(move |_| {
            exchanges += 1;
            let is_first = exchanges == 1;
            Some(if is_first {
                Fault::OldAnswer(n)
            } else {
                Fault::LoseRequest
            })
        });
        let _ = wang.sync().await;
        assert_eq!(
            shown_on(wang),
            seen,
            "answer {n} from then takes nothing away now"
        );
    }
    wang.line().is_good();
    day.world.hours_pass(1);
    wang.syncs().await;
    day.world.check(&[wang]).await;
}

#[tokio::test]
async fn a_phone_that_enrols_again_works_on_between_two_tries_with_one_code() {
    let world = World::new(901).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.visits(wang.flat(0), "一");
    let code = world.code("王").await.code;
    wang.line().next(On::Enrol, Fault::LoseAnswer);
    assert!(wang.tries_to_enrol(&code).await.is_err());
    wang.syncs().await;
    wang.visits(wang.flat(0), "二");

    wang.tries_to_enrol(&code)
        .await
        .expect("the same code, the same secret: the same answer");
    wang.syncs().await;

    assert_eq!(wang.status().waiting, 0);
    world.check(&[&wang]).await;
}

/// An answer from before the revoke that arrives after it is no news: it brings nothing back.
#[tokio::test]
async fn an_answer_that_comes_late_brings_no_taken_grid_back() {
    let world = World::new(66).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;
    assert!(wang.flats().is_empty());

    wang.line().next(On::Sync, Fault::OldAnswer(0));
    // The engine may go on and hear the truth; it must not depend on that.
    wang.line().next(On::Sync, Fault::LoseRequest);
    let _ = wang.sync().await;

    assert!(wang.flats().is_empty());
    assert_eq!(wang.status().state, SyncState::Synced);
    wang.syncs().await;
    world.check(&[&wang]).await;
}

/// The frames behind an answer that is no news are none either.
#[tokio::test]
async fn frames_that_come_late_bring_nothing_back() {
    let world = World::new(67).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    let other = world.grid(1);
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    wang.syncs().await;
    zhao.syncs().await;
    let home = zhao.flat(0);
    let passed = wang.line().passed();
    let with_frames = passed.iter().filter(|passed| passed.exchange().is_some());
    let first_sync = with_frames
        .enumerate()
        .find(|(_, passed)| !passed.frames().is_empty());
    let (first_sync, _) = first_sync.expect("it has read for the first time");
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;
    // Meanwhile it moves to a grid that never was hers.
    let shown = zhao.sees(&HOUSEHOLD, home).shown;
    let place = fields(json!({ "grid": other }));
    let moved = zhao.book().command(&HOUSEHOLD, &shown, "move", place);
    moved.expect("the move is saved");
    zhao.syncs().await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;

    let mut asked = 0;
    wang.line().weather(move |request| {
        asked += usize::from(request.path == "/v1/sync");
        match asked {
            1 => None,
            2 => Some(Fault::OldAnswer(first_sync)),
            _ => Some(Fault::LoseRequest),
        }
    });
    let _ = wang.sync().await;
    assert!(wang.finds(&HOUSEHOLD, home).is_none(), "it is not hers");
    assert_ne!(wang.status().state, SyncState::Synced);

    wang.line().is_good();
    world.hours_pass(1);
    wang.syncs().await;
    assert_eq!(wang.flats().len(), 2);
    world.check(&[&wang, &zhao]).await;
}
