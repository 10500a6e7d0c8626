//! A change that somebody in between lets through in no request: all that follows it goes on, and
//! its content comes by the door of files.

use pocketbook::seams::Request;
use pocketbook::store::status::SyncState;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_tests::world::network::asked;
use pocketbook_tests::world::{Fault, Phone, World};

/// What nobody lets through.
const POISON: &str = "走访记录：<script>";

/// A box in between that breaks every exchange which carries a certain text.
fn is_poisoned(request: &Request) -> bool {
    let body = asked(request);
    let text = String::from_utf8_lossy(&body);
    request.path == "/v1/sync" && text.contains("<script>")
}

fn filter(request: &Request) -> Option<Fault> {
    is_poisoned(request).then_some(Fault::LoseRequest)
}

fn filter_and_no_files(request: &Request) -> Option<Fault> {
    match request.path.starts_with("/v1/blobs") {
        true => Some(Fault::LoseRequest),
        false => filter(request),
    }
}

/// Hours pass until something is so.
async fn until(world: &World, phone: &Phone, is_so: impl Fn(&Phone) -> bool) {
    for _ in 0..40 {
        let _ = phone.sync().await;
        if is_so(phone) {
            return;
        }
        world.hours_pass(1);
    }
    panic!("it never comes so: {:?}", phone.status());
}

fn is_synced(phone: &Phone) -> bool {
    phone.status().state == SyncState::Synced
}

#[tokio::test]
async fn what_no_request_may_carry_comes_by_the_door_of_files_and_holds_nothing_up() {
    let world = World::new(951).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    wang.line().weather(filter);
    let poisoned = wang.visits(flat, POISON);
    let after = wang.visits(flat, "一切正常");

    until(&world, &wang, is_synced).await;
    // News of what the door of files did are for the next exchange.
    let _ = wang.sync().await;

    assert_eq!(wang.status().waiting, 0);
    assert!(wang.tray().is_empty());
    zhao.syncs().await;
    assert!(zhao.finds(&VISIT, after).is_some());
    assert_eq!(zhao.sees(&VISIT, poisoned).value("note"), POISON);
    assert_eq!(
        zhao.sees(&VISIT, poisoned).value("by"),
        zhao.sees(&VISIT, after).value("by")
    );
    // The network brings the content once more.
    let pieces = wang.line().passed();
    for piece in pieces
        .iter()
        .filter(|sent| sent.request.path.starts_with("/v1/blobs"))
    {
        wang.line().repeats(piece).await;
    }
    let _ = wang.sync().await;
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_line_that_is_bad_for_all_makes_nothing_late() {
    let world = World::new(952).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.visits(wang.flat(0), "一切正常");
    wang.line().weather(|_| Some(Fault::LoseRequest));
    for _ in 0..30 {
        let _ = wang.sync().await;
        world.hours_pass(1);
    }
    wang.line().is_good();
    let before = wang.line().passed().len();

    wang.syncs().await;

    let sent = wang.line().passed().split_off(before);
    let is_late =
        |request: &Request| String::from_utf8_lossy(&asked(request)).contains("\"later\"");
    assert!(!sent.iter().any(|passed| is_late(&passed.request)));
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_content_that_was_announced_survives_kills_on_both_sides() {
    let world = World::new(953).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    wang.line().weather(filter_and_no_files);
    let poisoned = wang.visits(flat, POISON);
    until(&world, &wang, |wang| wang.status().waiting == 0).await;
    assert_eq!(wang.status().parked, 1, "the server awaits its content");
    assert!(wang.finds(&VISIT, poisoned).is_some(), "she sees it");
    zhao.syncs().await;
    assert!(zhao.finds(&VISIT, poisoned).is_none());

    wang.is_killed();
    world.town().restarts();
    wang.line().weather(filter);
    until(&world, &wang, is_synced).await;
    let _ = wang.sync().await;

    zhao.syncs().await;
    assert_eq!(zhao.sees(&VISIT, poisoned).value("note"), POISON);
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_content_that_a_restored_server_no_longer_awaits_arrives_all_the_same() {
    for files in [filter, filter_and_no_files] {
        let world = World::new(954).await;
        let grid = world.grid(0);
        world.settle(&grid, 10).await;
        let wang = world.worker("王", &grid).await;
        let zhao = world.head("赵", &grid).await;
        wang.syncs().await;
        zhao.syncs().await;
        let backup = world.town().backs_up("night").await;
        wang.line().weather(files);
        let poisoned = wang.visits(wang.flat(0), POISON);
        until(&world, &wang, |wang| wang.status().waiting == 0).await;

        world.town().restores(&backup);
        wang.line().weather(filter);
        until(&world, &wang, is_synced).await;
        until(&world, &wang, is_synced).await;

        zhao.syncs().await;
        assert_eq!(zhao.sees(&VISIT, poisoned).value("note"), POISON);
        world.check(&[&wang, &zhao]).await;
    }
}
