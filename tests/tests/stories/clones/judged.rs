//! What a copy did is judged by what it knew, and when, and not by its clone.

use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::path::Path;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::Phone;

use super::{all_sync, one};

#[tokio::test]
async fn what_a_copy_did_before_a_revoke_is_judged_by_when_it_did_it() {
    let (world, wang) = one(834).await;
    let zhao = world.head("赵", &world.grid(0)).await;
    let flat = wang.flat(0);
    let copy = wang.is_copied_onto("copy");
    world.hours_pass(1);
    copy.notes_tenure(flat, "lent");
    world.hours_pass(1);
    world.revoke(&wang, Role::GridWorker, &world.grid(0)).await;
    world.hours_pass(1);
    // The other phone has not heard yet, and hands in first: work of after the revoke.
    wang.knocks(flat);
    wang.syncs().await;

    copy.syncs().await;

    zhao.syncs().await;
    let seen = zhao.sees(&HOUSEHOLD, flat);
    assert_eq!(seen.value("tenure"), "lent", "done while she might");
    assert_eq!(seen.value("knocks"), 1, "and what she might not waits");
    world.check(&[&zhao]).await;
}

#[tokio::test]
async fn what_a_copy_had_heard_before_bounds_what_it_did_after() {
    let (world, wang) = one(839).await;
    let grid = world.grid(1);
    world.settle(&grid, 3).await;
    world.hours_pass(1);
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    world.hours_pass(1);
    wang.syncs().await;
    let copy = wang.is_copied_onto("copy");
    wang.knocks(wang.flat(0));
    wang.syncs().await;
    let flats = copy.flats();
    let lies_there = |flat: &&RecordId| copy.sees(&HOUSEHOLD, **flat).value("grid") == grid.0;
    let flat = *flats.iter().find(lies_there).expect("it is hers now");
    copy.notes_tenure(flat, "lent");

    copy.syncs().await;

    assert!(copy.tray().is_empty(), "the duty had begun, and it knew");
    wang.syncs().await;
    assert_eq!(wang.sees(&HOUSEHOLD, flat).value("tenure"), "lent");
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn a_copy_takes_back_what_it_had_done_before_it_was_one() {
    let (world, wang) = one(838).await;
    let person = wang.person(wang.flat(0), 0);
    wang.offline();
    wang.tags(person, "empty-nest", "子女在外地");
    let copy = wang.is_copied_onto("copy");
    // Nothing of what the server makes of the tag is here yet.
    let frozen = taking_off(&copy, person, "empty-nest");
    wang.knocks(wang.flat(0));
    wang.online();
    wang.syncs().await;
    copy.store().author(frozen).expect("it is saved");

    copy.syncs().await;

    all_sync(&[&wang, &copy]).await;
    for phone in [&wang, &copy] {
        assert!(phone.reviews_of(person).is_empty(), "she knew of it");
        let tags = phone.sees(&PERSON, person).value("tags");
        assert!(tags.get("empty-nest").is_none(), "{tags}");
    }
    world.check(&[&wang, &copy]).await;
}

fn taking_off(phone: &Phone, person: RecordId, tag: &str) -> Frozen {
    let at = phone.store().now().expect("a note of this moment");
    let mut frozen = Frozen::new(&PERSON, person, Op::Patch, at);
    frozen.seen = phone.sees(&PERSON, person).shown.rev;
    let tags = Path::field("tags");
    frozen.remove.insert(tags, vec![tag.to_owned()]);
    frozen
}
