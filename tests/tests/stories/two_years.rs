//! Two years on: settled work leaves the phones and stays at the desk; what is touched comes back.

use pocketbook::store::trace::Why;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::case::{CASE, CASE_SENSITIVE};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::receipt::Outcome;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Desk, HOUR, HandMade, Phone, World};
use serde_json::json;

const TWO_YEARS: i64 = 2 * 365 * 24;

async fn archive(world: &World) -> u64 {
    let server = world.town().server();
    let archived = server.archive_aged(server.now() - TWO_YEARS * HOUR).await;
    archived.expect("it is done")
}

/// A case of the 12345 line, with a caller, handled and closed.
async fn a_settled_case(world: &World, chen: &Desk, zhao: &Phone) -> RecordId {
    let menders = world.menders();
    let sun = world.at_desk("孙", Role::Handler, &menders).await;
    let case = chen
        .takes_call(&world.grid(0), "12345-0001", "井盖缺失")
        .await;
    chen.accepts(case).await;
    chen.dispatches(case, &menders, 24).await;
    sun.has_done(case, "已更换", &photo(1)).await;
    chen.feeds_back(case, "已告知").await;
    zhao.syncs().await;
    zhao.commands(case, "close", json!({}));
    zhao.syncs().await;
    case
}

fn why(phone: &Phone, id: RecordId) -> Option<Why> {
    let trace = phone.store().vanished(1_000).expect("the store reads");
    trace.iter().find(|line| line.id == id).map(|line| line.why)
}

#[tokio::test]
async fn settled_work_leaves_the_phones_after_two_years_and_a_touch_brings_it_back() {
    let world = World::new(1601).await;
    let grid = world.grid(0);
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    let li = world.worker("李", &grid).await;
    let chen = world.street_desk("陈").await;
    for phone in [&wang, &zhao, &li] {
        phone.syncs().await;
    }
    let home = wang.flat(0);
    let visit = wang.visits(home, "一切都好");
    wang.syncs().await;
    let settled = a_settled_case(&world, &chen, &zhao).await;
    let open = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    li.syncs().await;
    li.offline();
    assert_eq!(archive(&world).await, 0, "nothing is old yet");

    world.hours_pass(TWO_YEARS - 24);
    let recent = wang.visits(home, "搬来新邻居");
    wang.syncs().await;
    world.hours_pass(48);
    let chen = world.signs_in("陈").await;
    assert_eq!(archive(&world).await, 2, "the visit and the settled case");
    assert_eq!(archive(&world).await, 0);
    wang.syncs().await;
    zhao.syncs().await;

    for phone in [&wang, &zhao] {
        assert!(phone.finds(&VISIT, visit).is_none());
        assert!(phone.finds(&CASE, settled).is_none());
        assert!(phone.finds(&CASE_SENSITIVE, settled).is_none());
        assert!(phone.finds(&CASE, open).is_some(), "open work stays");
        assert!(phone.finds(&HOUSEHOLD, home).is_some());
        assert_eq!(why(phone, settled), Some(Why::Archived));
        assert_eq!(why(phone, visit), Some(Why::Archived));
    }
    assert_eq!(wang.home(home).visits[0].id, recent);
    assert_eq!(chen.state_of(settled).await, "closed");
    assert!(chen.cases("closed").await.contains(&settled));
    let fresh = world.worker("钱", &grid).await;
    fresh.syncs().await;
    assert!(fresh.finds(&CASE, settled).is_none());
    assert!(fresh.finds(&CASE, open).is_some());
    world.check(&[&wang, &zhao, &fresh]).await;

    // The desk touches the case; and 李, who was away all the time, what he still has of it.
    chen.does(settled, "rate", json!({"rating": 5})).await;
    let number = wang.finds(&CASE_SENSITIVE, settled);
    assert!(number.is_none());
    for phone in [&wang, &zhao, &fresh] {
        phone.syncs().await;
        assert!(phone.finds(&CASE, settled).is_some());
        assert!(phone.finds(&CASE_SENSITIVE, settled).is_some());
    }
    let shown = li.sees(&VISIT, visit);
    li.enters(
        &shown,
        "redactions",
        json!([{"id": "r1", "text": "记错了日期"}]),
    );
    li.online();
    li.syncs().await;
    wang.syncs().await;
    assert!(wang.finds(&VISIT, visit).is_some(), "it was touched");
    for phone in [&wang, &zhao, &li, &fresh] {
        phone.syncs().await;
    }
    world.check(&[&wang, &zhao, &li, &fresh]).await;

    // A household takes with it what is archived, without showing it to anyone.
    world.hours_pass(TWO_YEARS + 24);
    assert!(archive(&world).await >= 2);
    let other = world.grid(1);
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    zhao.syncs().await;
    let shown = zhao.sees(&HOUSEHOLD, home).shown;
    let place = pocketbook_tests::world::people::fields(json!({"grid": other}));
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", place)
        .expect("saved");
    for phone in [&zhao, &wang, &li, &fresh] {
        phone.syncs().await;
    }
    assert!(zhao.finds(&HOUSEHOLD, home).is_some());
    assert!(zhao.finds(&VISIT, visit).is_none());
    world.check(&[&wang, &zhao, &li, &fresh]).await;
}

#[tokio::test]
async fn an_archived_case_that_is_deleted_stays_away_with_its_companion() {
    let world = World::new(1602).await;
    let grid = world.grid(0);
    let zhao = world.head("赵", &grid).await;
    let li = world.worker("李", &grid).await;
    let chen = world.street_desk("陈").await;
    let case = a_settled_case(&world, &chen, &zhao).await;
    li.syncs().await;
    li.offline();
    world.hours_pass(TWO_YEARS + 24);
    assert_eq!(archive(&world).await, 1);
    zhao.syncs().await;
    let seen = li.sees(&CASE, case).shown.rev;
    li.book().delete(&CASE, case, seen).expect("saved");

    li.online();
    li.syncs().await;

    zhao.syncs().await;
    li.syncs().await;
    for phone in [&zhao, &li] {
        assert!(phone.finds(&CASE, case).is_none());
        assert!(phone.finds(&CASE_SENSITIVE, case).is_none());
    }
    world.check(&[&zhao, &li]).await;
}

#[tokio::test]
async fn what_a_companion_or_a_question_keeps_in_use_does_not_leave() {
    let world = World::new(1603).await;
    let grid = world.grid(0);
    let zhao = world.head("赵", &grid).await;
    let li = world.worker("李", &grid).await;
    let chen = world.street_desk("陈").await;
    let case = a_settled_case(&world, &chen, &zhao).await;
    li.syncs().await;
    world.hours_pass(TWO_YEARS - 24);
    zhao.enters(&zhao.sees(&CASE_SENSITIVE, case), "caller", "来电人之妻");
    zhao.syncs().await;
    world.hours_pass(48);
    assert_eq!(archive(&world).await, 0, "its caller was changed lately");
    li.offline();
    world.hours_pass(TWO_YEARS);
    assert_eq!(archive(&world).await, 1);
    zhao.syncs().await;
    assert!(zhao.finds(&CASE, case).is_none());

    // Somebody of another grid has something to say about it: the head must see what.
    world.worker("外", &world.grid(1)).await;
    let code = world.code("外").await.code;
    let outsider = HandMade::enrol(world.town(), "外", &code).await;
    let edit = outsider.change(&CASE, case, "place", json!("东门"), json!("西门"));
    let told = outsider.hands_in(vec![outsider.numbers(&edit)]).await;
    assert_eq!(told[0].outcome, Outcome::Parked);
    zhao.syncs().await;

    assert_eq!(zhao.tray().len(), 1);
    assert!(zhao.finds(&CASE, case).is_some());
    assert!(zhao.finds(&CASE_SENSITIVE, case).is_some());
    assert_eq!(archive(&world).await, 0, "somebody's word is awaited");
    li.online();
    li.syncs().await;
    world.check(&[&zhao, &li]).await;
}
