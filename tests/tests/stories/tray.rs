//! 需修改 and 待确认: what the server did not take is kept, put right and sent again.

use pocketbook::Error;
use pocketbook::books::Change;
use pocketbook::store::status::SyncState;
use pocketbook::store::view::mark;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::receipt::Reason;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Phone, World};
use serde_json::{Value, json};

#[tokio::test]
async fn a_report_that_lacks_its_place_is_refused_before_it_is_saved() {
    let world = World::new(76).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let lacking = fields(json!({"grid": grid, "category": "C0101"}));
    let draft = wang
        .book()
        .draft_case(None, &lacking)
        .expect("a draft may lack anything");
    let refused = wang.book().report(draft);
    assert!(matches!(refused, Err(Error::Refused(Reason::Missing(field))) if field == "place"));
    assert_eq!(wang.status().waiting, 0);
    assert_eq!(
        wang.store().drafts().expect("reads").len(),
        1,
        "the draft stays"
    );
}

#[tokio::test]
async fn a_rejected_report_is_shown_with_its_reason_put_right_and_taken() {
    let world = World::new(71).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let draft = wang.book().draft_case(
        None,
        &fields(json!({
            "grid": grid, "category": "C0101", "text": "井盖破损"
        })),
    );
    let draft = draft.expect("the draft is saved");
    wang.adds_photo(draft, &photo(0));
    let case = wang.hands_in_unchecked(draft);
    wang.syncs().await;

    let tray = wang.tray();
    let [item] = &tray[..] else {
        panic!("one item: {tray:?}")
    };
    assert!(item.is_mine);
    assert_eq!(item.item.fields.state.as_deref(), Some("rejected"));
    assert!(
        item.item
            .fields
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("missing"))
    );
    let shown = wang.sees(&CASE, case);
    assert_eq!(
        shown.value("text"),
        "井盖破损",
        "the work stays in its author's list"
    );
    assert_ne!(shown.shown.mark & mark::NEEDS_FIXING, 0);
    assert_eq!(wang.status().needs_fixing, 1);

    let place = Change {
        path: "place".into(),
        was: Value::Null,
        to: json!("东门"),
    };
    wang.book()
        .fix(item, &[place])
        .expect("the correction is saved");
    wang.syncs().await;

    assert!(wang.tray().is_empty());
    assert_eq!(wang.status().state, SyncState::Synced);
    assert_eq!(wang.state_of(case).as_deref(), Some("submitted"));
    assert_eq!(wang.sees(&CASE, case).value("place"), "东门");
    assert_eq!(
        wang.book().case(case).expect("here").fields.photos.len(),
        1,
        "with its photo"
    );
    world.check(&[&wang]).await;
}

/// 王 edits a relation after her grid was taken: it waits for 赵.
async fn one_parked(seed: u64) -> (World, Phone, Phone, RecordId) {
    let world = World::new(seed).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    let person = wang.person(wang.flat(0), 1);
    wang.offline();
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    wang.enters(&wang.sees(&PERSON, person), "relation", "other");
    wang.online();
    wang.syncs().await;
    zhao.syncs().await;
    (world, wang, zhao, person)
}

#[tokio::test]
async fn a_parked_edit_refused_in_words_comes_back_and_can_be_discarded() {
    let (world, wang, zhao, person) = one_parked(72).await;
    let before = zhao.sees(&PERSON, person).value("relation");
    let waiting = zhao.tray();
    let [item] = &waiting[..] else {
        panic!("one item waits: {waiting:?}")
    };

    let reason = fields(json!({"reason": "关系已核实，不改"}));
    zhao.book()
        .tray_command(item, "refuse", reason)
        .expect("the head may");
    zhao.syncs().await;
    wang.syncs().await;

    assert!(zhao.tray().is_empty());
    let back = wang.tray();
    let [item] = &back[..] else {
        panic!("it came back: {back:?}")
    };
    assert_eq!(item.item.fields.state.as_deref(), Some("rejected"));
    let said = item
        .item
        .fields
        .steps
        .last()
        .map(|step| step["args"]["reason"].clone());
    assert_eq!(
        said,
        Some(json!("关系已核实，不改")),
        "with the holder's words"
    );

    wang.book()
        .tray_command(item, "discard", fields(json!({})))
        .expect("it is hers");
    wang.syncs().await;
    zhao.syncs().await;
    assert!(wang.tray().is_empty());
    assert_eq!(zhao.sees(&PERSON, person).value("relation"), before);
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_parked_edit_is_released_at_the_desk_and_reaches_everyone() {
    let (world, wang, zhao, person) = one_parked(73).await;
    let chen = world.street_desk("陈").await;

    let parked = chen.parked().await;
    let [item] = &parked[..] else {
        panic!("one item waits: {parked:?}")
    };
    let released = chen.tray(item, "release", json!({})).await.ok();
    assert_eq!(released["receipt"]["outcome"], "applied");
    zhao.syncs().await;
    wang.syncs().await;

    assert!(chen.parked().await.is_empty());
    assert_eq!(zhao.sees(&PERSON, person).value("relation"), "other");
    assert!(wang.tray().is_empty() && zhao.tray().is_empty());
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn what_builds_on_a_rejected_report_follows_once_it_is_put_right() {
    let world = World::new(74).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let draft = wang.book().draft_case(
        None,
        &fields(json!({
            "grid": grid, "category": "C0101", "text": "井盖破损"
        })),
    );
    let case = wang.hands_in_unchecked(draft.expect("saved"));
    wang.enters(&wang.sees(&CASE, case), "text", "井盖破损，已围挡");
    wang.online();
    wang.syncs().await;
    assert_eq!(wang.status().waiting, 0);
    assert_eq!(
        wang.sees(&CASE, case).value("text"),
        "井盖破损，已围挡",
        "she sees what she wrote"
    );

    let tray = wang.tray();
    let rejected = tray
        .iter()
        .find(|item| item.item.fields.state.as_deref() == Some("rejected"));
    let place = Change {
        path: "place".into(),
        was: Value::Null,
        to: json!("东门"),
    };
    wang.book()
        .fix(rejected.expect("the report"), &[place])
        .expect("saved");
    wang.syncs().await;

    let shown = wang.sees(&CASE, case);
    assert_eq!(
        (shown.value("place"), shown.value("text")),
        (json!("东门"), json!("井盖破损，已围挡"))
    );
    assert!(wang.tray().is_empty());
    world.check(&[&wang]).await;
}
