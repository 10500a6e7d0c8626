//! 已同步 is said only when the server confirmed everything.

use pocketbook::store::status::SyncState;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, World};
use serde_json::Value;

#[tokio::test]
async fn in_step_is_said_only_when_outbox_and_photos_are_empty_and_all_scopes_read() {
    let world = World::new(51).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    assert!(
        matches!(wang.status().state, SyncState::FirstSync { .. }),
        "nothing was read yet"
    );
    wang.syncs().await;
    assert_eq!(wang.status().state, SyncState::Synced);
    let flat = wang.flat(0);

    wang.visits(flat, "一切正常");
    assert_eq!(wang.status().state, SyncState::Waiting, "an entry waits");

    // The server took it, but its word was lost.
    wang.line().next(On::Sync, Fault::LoseAnswer);
    wang.line().weather(|_| Some(Fault::LoseRequest));
    wang.sync().await.expect_err("no answer came");
    assert_eq!(
        (wang.status().state, wang.status().waiting),
        (SyncState::Waiting, 1)
    );
    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(wang.status().state, SyncState::Synced);

    // Records are through, a photo is not.
    wang.reports_cover(&grid, "东门", &[photo(0)]);
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    let status = wang.status();
    assert_eq!((status.waiting, status.photos), (0, 1));
    assert_eq!(status.state, SyncState::Waiting, "a photo waits");
    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(wang.status().state, SyncState::Synced);

    // A grid more: its scope is not read yet.
    let other = world.grid(1);
    world.settle(&other, 10).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let mut exchanges = 0;
    wang.line().weather(move |_| {
        exchanges += 1;
        (exchanges > 1).then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    assert_ne!(
        wang.status().state,
        SyncState::Synced,
        "a scope is granted and not read"
    );
    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(wang.status().state, SyncState::Synced);
    assert_eq!(wang.flats().len(), 20);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn one_poisoned_item_never_blocks_the_rest() {
    let world = World::new(52).await;
    let grid = world.grid(0);
    world.settle(&grid, 40).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let flats = wang.flats();

    for (n, flat) in flats.iter().enumerate() {
        if n == 6 {
            // A report without a place: the workflow will not take it.
            let draft = wang.drafts_cover(&grid, "东门");
            let mut fields = wang
                .store()
                .draft(draft.id)
                .expect("reads")
                .expect("a draft")
                .fields;
            fields.remove("place");
            wang.book().draft_case(Some(draft), &fields).expect("saved");
            wang.hands_in_unchecked(draft);
        }
        wang.visits(*flat, "一切正常");
    }
    wang.online();
    wang.syncs().await;

    let status = wang.status();
    assert_eq!((status.waiting, status.needs_fixing), (0, 1));
    assert_eq!(status.state, SyncState::NeedsAttention);
    let visited = flats
        .iter()
        .filter(|flat| wang.home(**flat).visits.len() == 1)
        .count();
    assert_eq!(visited, flats.len(), "all others went through");
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn pull_works_while_hand_in_fails_and_hand_in_works_while_pull_fails() {
    let world = World::new(53).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let flat = wang.flat(0);

    // Whatever carries work is swallowed by something in between.
    wang.visits(flat, "一切正常");
    let news = li.visits(flat, "下午又来");
    li.syncs().await;
    wang.line()
        .weather(|request| carries(request, "mutations").then_some(Fault::Status(502)));
    let _ = wang.sync().await;
    assert_eq!(wang.status().waiting, 1);
    assert!(
        wang.home(flat).visits.iter().any(|visit| visit.id == news),
        "news came all the same"
    );

    // Whatever asks for news is swallowed.
    wang.line()
        .weather(|request| carries(request, "pull").then_some(Fault::Status(502)));
    let _ = wang.sync().await;
    assert_eq!(wang.status().waiting, 0, "work went all the same");
    li.syncs().await;
    assert_eq!(li.home(flat).visits.len(), 2);
    wang.line().is_good();
    wang.syncs().await;
    world.check(&[&wang, &li]).await;
}

/// What a seed has found (258): an edit waited in the tray, and lay over the record on the author's
/// other phone too. What others changed there since then did not show on it.
#[tokio::test]
async fn news_show_beneath_what_another_phone_has_in_the_tray() {
    let world = World::new(258).await;
    let grid = world.grid(0);
    world.settle(&grid, 6).await;
    let wang = world.worker("王", &grid).await;
    let tablet = world.another_device("王", "tablet").await;
    let li = world.worker("李", &grid).await;
    for phone in [&wang, &tablet, &li] {
        phone.syncs().await;
    }
    let person = wang.person(wang.flat(0), 0);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    wang.enters(&wang.sees(&PERSON, person), "name", "张三");
    world.hours_pass(1);
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    wang.syncs().await;
    tablet.syncs().await;
    assert_eq!(tablet.sees(&PERSON, person).value("name"), "张三");

    li.enters(&li.sees(&PERSON, person), "relation", "other");
    li.syncs().await;
    tablet.syncs().await;

    let shown = tablet.sees(&PERSON, person);
    assert_eq!(shown.value("name"), "张三", "it still waits");
    assert_eq!(shown.value("relation"), "other");
    wang.syncs().await;
    world.check(&[&wang, &tablet, &li]).await;
}

/// What a seed has found (311): a screen was left open while its grid was taken and given back. The
/// edit entered on it did not wait for the one that was sealed with the grid and lay in the tray;
/// it was taken, and the older one lay over it.
#[tokio::test]
async fn an_edit_from_an_old_screen_waits_for_sealed_work() {
    let world = World::new(311).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let home = wang.flat(0);
    let left_open = wang.sees(&HOUSEHOLD, home);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    wang.enters(&left_open, "tenure", "值一");
    wang.syncs().await;
    assert!(wang.finds(&HOUSEHOLD, home).is_none(), "it is sealed");
    world.hours_pass(1);
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;

    wang.enters(&left_open, "tenure", "值二");
    wang.syncs().await;

    assert_eq!(wang.tray().len(), 2, "the second waits for the first");
    assert_eq!(wang.sees(&HOUSEHOLD, home).value("tenure"), "值二");
    world.check(&[&wang]).await;
}

/// Says whether an exchange carries a part that is not empty.
fn carries(request: &pocketbook::seams::Request, part: &str) -> bool {
    use std::io::Read;
    let mut text = Vec::new();
    let is_packed = request
        .headers
        .iter()
        .any(|(name, _)| *name == "content-encoding");
    if is_packed {
        let read = flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut text);
        read.expect("a packed body unpacks");
    } else {
        text.extend_from_slice(&request.body);
    }
    let body: Value = serde_json::from_slice(&text).unwrap_or_default();
    !body[part].is_null()
}
