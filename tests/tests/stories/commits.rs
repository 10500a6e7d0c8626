//! How often a phone waits for its disk: each commit is one wait, and what a worker feels first.

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::path::Path;
use pocketbook_tests::world::{Phone, World};

fn commits(phones: &[&Phone]) -> u64 {
    phones.iter().map(|phone| phone.store().commits()).sum()
}

#[tokio::test]
async fn a_save_is_one_and_what_others_see_of_it_three() {
    let world = World::new(61).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let (wang, li) = (
        world.worker("王", &grid).await,
        world.worker("李", &grid).await,
    );
    for phone in [&wang, &li, &wang, &li] {
        phone.syncs().await;
    }
    let flat = wang.flat(0);
    let both = [&wang, &li];

    let before = commits(&both);
    wang.knocks(flat);
    assert_eq!(commits(&both) - before, 1, "saved");

    let before = commits(&both);
    wang.syncs().await;
    li.syncs().await;
    let knocks = |phone: &Phone| phone.sees(&HOUSEHOLD, flat).value("knocks");
    assert_eq!(knocks(&li), knocks(&wang));
    // Noted as sent, taken in by its author, taken in by the other one.
    assert_eq!(commits(&both) - before, 3, "seen by the other phone");

    let before = commits(&both);
    wang.syncs().await;
    assert_eq!(commits(&both) - before, 1, "nothing new");
}

/// With 20,000 it is 25; here a quarter of them, since the growth of the batches is the same.
#[tokio::test]
async fn much_work_is_handed_in_with_two_for_each_batch() {
    let world = World::new(62).await;
    let grid = world.grid(0);
    world.settle(&grid, 100).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.syncs().await;
    let flats = wang.flats();
    let knock = |n: usize| {
        let flat = flats[n % flats.len()];
        let at = wang.store().now().expect("the store reads");
        let mut frozen = Frozen::new(&HOUSEHOLD, flat, Op::Patch, at);
        frozen.inc.insert(Path::field("knocks"), 1);
        frozen
    };
    let knocks = (0..5_000).map(knock).collect();
    wang.store().author_all(knocks).expect("saved");

    let before = commits(&[&wang]);
    let report = wang.syncs().await;

    assert_eq!(report.settled, 5_000);
    let spent = commits(&[&wang]) - before;
    assert!(
        spent <= 11,
        "{spent} commits, {} exchanges",
        report.exchanges
    );
}
