//! The oracle itself: a comparison that finds nothing wrong must be able to find something.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests are the faults that the oracle must see"
)]

use pocketbook_records::rights::Role;
use pocketbook_tests::world::check::compare;
use pocketbook_tests::world::{Phone, World};

async fn in_step(seed: u64) -> (World, Phone) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let comparison = world.check(&[&wang]).await;
    assert!(
        comparison.records > 20,
        "it compared something: {comparison:?}"
    );
    (world, wang)
}

/// What the oracle says after a statement was run on the phone's database behind the app's back.
async fn said_after(world: &World, wang: &Phone, statement: &str) -> Option<Vec<String>> {
    if pocketbook_sqlite::is_encryption_built() {
        return None;
    }
    wang.is_killed_then(|folder| {
        let connection = rusqlite::Connection::open(folder.join("book.db")).expect("it opens");
        assert_eq!(connection.execute(statement, []), Ok(1), "{statement}");
    });
    wang.tries_to_start().expect("the app starts");
    Some(compare(world.town(), &[wang]).await.differences)
}

#[tokio::test]
async fn it_sees_a_record_that_is_missing_one_that_differs_and_an_old_one() {
    let one = "key = (SELECT MIN(key) FROM record WHERE kind = 'household')";
    for (statement, word) in [
        (format!("DELETE FROM record WHERE {one}"), "lacks"),
        (
            format!("UPDATE record SET body = json_set(body, '$.tenure', 'x') WHERE {one}"),
            "the server has",
        ),
        (
            format!("UPDATE record SET rev = rev - 1 WHERE {one}"),
            "the server has",
        ),
    ] {
        let (world, wang) = in_step(91).await;
        let Some(said) = said_after(&world, &wang, &statement).await else {
            return;
        };
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(word), "{said:?}");
    }
}

#[tokio::test]
async fn it_sees_records_that_a_phone_may_not_hold_any_more() {
    let (world, wang) = in_step(92).await;
    let grid = world.grid(0);

    world.revoke(&wang, Role::GridWorker, &grid).await;
    let said = compare(world.town(), &[&wang]).await.differences;

    assert!(
        said.len() > 20 && said.iter().all(|line| line.contains("not its")),
        "{said:?}"
    );
    wang.syncs().await;
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn it_sees_work_that_waits_and_a_photo_that_the_server_lacks() {
    let (world, wang) = in_step(93).await;
    wang.reports_cover(
        &world.grid(0),
        "东门",
        &[pocketbook_tests::world::pictures::photo(0)],
    );
    let waiting = compare(world.town(), &[&wang]).await.differences;
    assert!(
        waiting.iter().any(|line| line.contains("is not done")),
        "{waiting:?}"
    );

    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(pocketbook_tests::world::Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    let lacking = compare(world.town(), &[&wang]).await.differences;
    assert!(
        lacking.iter().any(|line| line.contains("404")),
        "{lacking:?}"
    );
}
