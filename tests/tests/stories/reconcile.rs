//! A phone and the server find out by themselves that they differ, and only what differs travels.

use pocketbook::store::status::SyncState;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::rights::Role;
use pocketbook_tests::sim::look::beside;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Fault, HOUR, Phone, World};
use serde_json::json;

/// Bytes that the phone heard, and how many records came with them.
fn heard(phone: &Phone, since: usize) -> (usize, usize) {
    let passed = phone.line().passed().split_off(since);
    let bytes = passed.iter().map(|passed| passed.answer_bytes()).sum();
    let frames = passed.iter().flat_map(|passed| passed.frames());
    (bytes, frames.map(|frame| frame.rows.len()).sum())
}

#[tokio::test]
async fn a_difference_is_found_within_a_day_and_mended_in_two_rounds() {
    let world = World::new(81).await;
    let grid = world.grid(0);
    world.settle(&grid, 1_500).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let (first_sync, _) = heard(&wang, 0);
    wang.syncs().await;
    let Some(connection) = beside(&wang) else {
        // Where the database is encrypted, nobody can spoil anything beside the store.
        return;
    };
    let here = wang.flats().len();
    connection
        .execute_batch(
            "DELETE FROM record WHERE key = (SELECT MIN(key) FROM record WHERE kind = 'household');
             DELETE FROM membership WHERE key NOT IN (SELECT key FROM record);
             INSERT INTO record (kind, id, rev, schema, body, under)
                 SELECT kind, zeroblob(16), rev, schema, body, under FROM record
                 WHERE kind = 'person' LIMIT 1;
             INSERT INTO membership (scope, key)
                 SELECT scope, last_insert_rowid() FROM membership
                 WHERE key = (SELECT MIN(key) FROM record WHERE kind = 'person');
             UPDATE record SET rev = rev - 1, body = '{}'
             WHERE key = (SELECT MAX(key) FROM record WHERE kind = 'household');",
        )
        .expect("it is spoiled");
    let visit = wang.visits(wang.flat(0), "一切正常");
    wang.syncs().await;
    assert_eq!(wang.flats().len(), here - 1, "nobody has looked yet");

    world.hours_pass(25);
    let before = wang.line().passed().len();
    wang.syncs().await;

    assert_eq!(wang.flats().len(), here);
    assert_eq!(wang.home(wang.flat(0)).visits[0].id, visit);
    assert_eq!(wang.status().state, SyncState::Synced);
    let (bytes, rows) = heard(&wang, before);
    assert!(rows <= 3 * 64, "{rows} records for three differences");
    assert!(
        bytes * 10 < first_sync,
        "{bytes} bytes, and {first_sync} for all of it"
    );
    world.check(&[&wang]).await;
    let before = wang.line().passed().len();
    wang.syncs().await;
    assert_eq!(heard(&wang, before).1, 0, "the doubt is over");
}

#[tokio::test]
async fn a_comparison_cut_anywhere_goes_on_and_hides_nothing() {
    let world = World::new(82).await;
    let grid = world.grid(0);
    world.settle(&grid, 200).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let Some(connection) = beside(&wang) else {
        return;
    };
    let here = wang.flats().len();
    connection
        .execute_batch(
            "DELETE FROM membership WHERE key % 3 = 0;
             DELETE FROM record WHERE key NOT IN (SELECT key FROM membership);",
        )
        .expect("it is spoiled");
    world.hours_pass(25);

    for bytes in [300, 3_000] {
        wang.line().weather(move |_| Some(Fault::CutAnswer(bytes)));
        let _ = wang.sync().await;
        wang.is_killed();
        let flat = wang.flats()[0];
        assert!(
            wang.home(flat).household.id == flat,
            "what is here is shown"
        );
        let is_in_doubt = wang.status().state != SyncState::Synced;
        assert_eq!(
            is_in_doubt,
            bytes == 3_000,
            "as soon as an answer was heard"
        );
        zhao.notes_tenure(zhao.flat(3), if bytes == 3_000 { "own" } else { "lent" });
        zhao.syncs().await;
    }
    wang.line().is_good();
    wang.syncs().await;
    wang.syncs().await;

    assert_eq!(wang.flats().len(), here);
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_phone_that_was_away_for_years_is_never_told_less_than_it_must_hear() {
    let world = World::new(83).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 30).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    wang.syncs().await;
    zhao.syncs().await;
    let (gone, stays) = (wang.flat(0), wang.flat(1));
    let person = wang.person(gone, 0);
    let shown = zhao.sees(&HOUSEHOLD, gone).shown;
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", fields(json!({"grid": other})))
        .expect("saved");
    zhao.syncs().await;
    world.hours_pass(3 * 365 * 24);
    let visit = wang.visits(stays, "外出三年回来");

    let server = world.town().server();
    let forgotten = server.forget_departed(server.now() - HOUR).await;
    assert!(
        forgotten.expect("it is done") > 1,
        "the household and its people"
    );
    wang.syncs().await;

    assert!(wang.finds(&HOUSEHOLD, gone).is_none());
    assert!(wang.finds(&PERSON, person).is_none());
    assert_eq!(wang.home(stays).visits[0].id, visit);
    zhao.syncs().await;
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_row_that_claims_to_be_newer_than_the_servers_is_replaced_and_comparing_ends() {
    for ahead in [1, 1_000_000] {
        let world = World::new(904).await;
        let grid = world.grid(0);
        world.settle(&grid, 30).await;
        let wang = world.worker("王", &grid).await;
        wang.syncs().await;
        let Some(database) = beside(&wang) else {
            return;
        };
        database
            .execute(
                "UPDATE record SET rev = rev + ?1
                 WHERE key = (SELECT MIN(key) FROM record WHERE kind = 'household')",
                [ahead],
            )
            .expect("a row is changed");
        drop(database);
        world.hours_pass(25);
        let before = wang.line().passed().len();
        let mut left = 30;
        wang.line().weather(move |_| {
            left -= 1;
            (left < 0).then_some(Fault::LoseRequest)
        });

        wang.syncs().await;

        assert!(wang.line().passed().len() - before < 10, "{ahead}");
        assert_eq!(wang.status().state, SyncState::Synced);
        world.check(&[&wang]).await;
    }
}
