//! Settled work on the phone: kept as long as a restored server may need it, and no longer.

use pocketbook_records::kinds::visit::VISIT;
use pocketbook_tests::sim::look;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Phone, World};
use serde_json::json;

/// How many entries of the journal hold a text; `or` where the phone is encrypted.
fn journal_with(phone: &Phone, text: &str, or: i64) -> i64 {
    let Some(connection) = look::beside(phone) else {
        return or;
    };
    let count = "SELECT COUNT(*) FROM authored WHERE instr(frozen, ?1) > 0";
    let counted = connection.query_row(count, [text], |row| row.get(0));
    counted.expect("the journal reads")
}

#[tokio::test]
async fn settled_work_keeps_its_number_and_loses_its_content_a_month_after_its_backup() {
    let world = World::new(301).await;
    let grid = world.grid(0);
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let early = world.town().backs_up("early").await;
    let visit = wang.visits(wang.flat(0), "门口的记录");
    wang.syncs().await;
    assert_eq!(journal_with(&wang, "门口的记录", 1), 1);

    world.hours_pass(31 * 24);
    wang.syncs().await;
    assert_eq!(
        journal_with(&wang, "门口的记录", 1),
        1,
        "no backup holds it"
    );
    world.town().backs_up("late").await;
    wang.knocks(wang.flat(1));
    wang.syncs().await;
    assert_eq!(journal_with(&wang, "门口的记录", 0), 0);
    world.town().backs_up("later").await;
    wang.syncs().await;
    assert_eq!(
        journal_with(&wang, "knocks", 1),
        1,
        "it is new, whatever holds it"
    );
    assert!(wang.finds(&VISIT, visit).is_some());

    // The older backup all the same: mirrors bring the record back, numbers have no hole.
    world.town().restores(&early);
    wang.syncs().await;
    wang.syncs().await;
    assert!(
        Truth::of(&world.town().server())
            .get(&VISIT, visit)
            .is_some()
    );
    let visit = wang.visits(wang.flat(0), "又一次");
    wang.syncs().await;
    assert!(
        Truth::of(&world.town().server())
            .get(&VISIT, visit)
            .is_some()
    );
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn what_lies_in_the_tray_keeps_its_content() {
    let world = World::new(302).await;
    let grid = world.grid(0);
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    // Without a place it must be corrected.
    let unplaced = json!({"grid": grid, "category": "C0101", "text": "待改文字"});
    let draft = wang.book().draft_case(None, &fields(unplaced));
    wang.hands_in_unchecked(draft.expect("the draft is saved"));
    wang.syncs().await;
    world.town().backs_up("night").await;
    world.hours_pass(60 * 24);
    wang.syncs().await;

    assert_eq!(wang.tray().len(), 1);
    assert_eq!(journal_with(&wang, "待改文字", 1), 1);
    world.check(&[&wang]).await;
}
