//! A server whose disk is full: nothing is recorded, nothing is lost, and the phone is told.

use pocketbook::engine::SyncError;
use pocketbook_tests::world::World;
use pocketbook_tests::world::check::Truth;

#[tokio::test]
async fn a_full_disk_answers_503_records_nothing_and_the_work_arrives_later() {
    let world = World::new(181).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let before = Truth::of(&world.town().server());
    let commit = world.town().server().asof().commit;
    world.town().fills_disk();

    for flat in wang.flats() {
        // Long notes, so that the pages left free do not take them.
        wang.visits(flat, &"天天走访".repeat(400));
    }
    let heard = wang.sync().await.expect_err("there is no room");
    assert!(matches!(heard, SyncError::Busy { .. }), "{heard:?}");
    assert_eq!(wang.status().waiting, 10);
    assert_eq!(
        before.records(),
        Truth::of(&world.town().server()).records()
    );
    assert_eq!(world.town().server().asof().commit, commit);
    let refused = wang
        .line()
        .passed()
        .into_iter()
        .filter_map(|passed| passed.status)
        .collect::<Vec<_>>();
    assert!(refused.contains(&503), "{refused:?}");

    world.town().frees_disk();
    world.hours_pass(1);
    wang.syncs().await;
    world.check(&[&wang]).await;
}
