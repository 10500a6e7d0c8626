//! 需修改 and 待确认: what the server did not take is kept, put right and sent again.

use pocketbook::Error;
use pocketbook::books::Change;
use pocketbook::error::Anew;
use pocketbook::photos::Size;
use pocketbook::store::status::SyncState;
use pocketbook::store::view::mark;
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::mutation::Op;
use pocketbook_records::receipt::Reason;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Desk, Phone, World};
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

/// 王 sends a case back with a photo while the desk urges it: it waits for somebody.
async fn one_parked_step(seed: u64) -> (World, Phone, Desk, RecordId, BlobHash) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let chen = world.street_desk("陈").await;
    let menders = world.menders();
    let sun = world.at_desk("孙", Role::Handler, &menders).await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    chen.accepts(case).await;
    chen.dispatches(case, &menders, 24).await;
    sun.has_done(case, "已更换井盖", &photo(1)).await;
    wang.syncs().await;

    wang.offline();
    let taken = wang.commands_with_photo(case, "send_back", "还响", &photo(2));
    chen.does(case, "urge", json!({"reason": "居民再次来电"}))
        .await;
    wang.online();
    wang.syncs().await;
    (world, wang, chen, case, taken)
}

#[tokio::test]
async fn a_parked_step_is_corrected_and_taken_with_its_photos() {
    let (world, wang, chen, case, taken) = one_parked_step(77).await;
    let tray = wang.tray();
    let [item] = &tray[..] else {
        panic!("one item: {tray:?}")
    };
    assert_eq!(item.item.fields.state.as_deref(), Some("parked"));
    assert_eq!(chen.state_of(case).await, "feedback");

    let unknown = Change {
        path: "reason".into(),
        was: Value::Null,
        to: json!("还响"),
    };
    let refused = wang.book().fix(item, &[unknown]);
    assert!(
        matches!(&refused, Err(Error::Refused(Reason::BadValue(path))) if path == "reason"),
        "an argument is called args/reason: {refused:?}"
    );
    let reason = Change {
        path: "args/reason".into(),
        was: json!("还响"),
        to: json!("还响，井盖没有固定"),
    };
    wang.book()
        .fix(item, &[reason])
        .expect("the correction is saved");
    assert_eq!(wang.state_of(case).as_deref(), Some("handling"));
    wang.syncs().await;

    assert!(wang.tray().is_empty());
    assert_eq!(wang.status().state, SyncState::Synced);
    let body = chen.case(case).await;
    assert_eq!(body["state"], "handling");
    let step = body["steps"].as_array().and_then(|steps| steps.last());
    let step = step.expect("the step is in the history");
    assert_eq!(step["command"], "send_back");
    assert_eq!(step["args"]["reason"], "还响，井盖没有固定");
    assert_eq!(step["args"]["photos"], json!([taken]));
    let got = chen.client().gets(&format!("/v1/blobs/{taken}")).await;
    assert_eq!(got.status, 200, "the desk reads the photo");
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_corrected_edit_keeps_its_counts_and_photos() {
    let world = World::new(78).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let zhao = world.head("赵", &grid).await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    wang.offline();
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    let seen = wang.sees(&CASE, case);
    let (taken, _) = wang
        .store()
        .take_photo(&CASE, case, &photo(1), Size::Master)
        .expect("the photo is taken");
    let mut photos = seen.value("photos");
    let before = photos.clone();
    photos.as_array_mut().expect("a list").push(json!(taken));
    let change = |path: &str, was: Value, to: Value| Change {
        path: path.into(),
        was,
        to,
    };
    let edit = [
        change("trips_saved", Value::Null, json!(2)),
        change("photos", before, photos),
        change("text", seen.value("text"), json!("井盖破损")),
    ];
    wang.book()
        .edit(&CASE, case, seen.shown.rev, &edit)
        .expect("the edit is saved");
    wang.online();
    wang.syncs().await;
    let tray = wang.tray();
    let [item] = &tray[..] else {
        panic!("one item: {tray:?}")
    };
    let frozen = item.frozen.as_ref().expect("it is kept whole");
    assert_eq!(
        (frozen.inc.len(), frozen.blobs.as_slice()),
        (1, &[taken][..])
    );

    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    wang.syncs().await;
    wang.book()
        .fix(
            item,
            &[change("text", json!("井盖破损"), json!("井盖丢失"))],
        )
        .expect("the correction is saved");
    wang.syncs().await;
    assert!(wang.tray().is_empty());
    zhao.syncs().await;

    let shown = zhao.sees(&CASE, case);
    assert_eq!(shown.value("trips_saved"), 2);
    assert_eq!(shown.value("text"), "井盖丢失");
    assert!(
        shown
            .value("photos")
            .as_array()
            .is_some_and(|photos| photos.contains(&json!(taken)))
    );
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_deletion_and_a_decision_are_done_again_instead_of_being_corrected() {
    let world = World::new(79).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let seen = wang.sees(&HOUSEHOLD, flat).shown.rev;
    wang.book()
        .delete(&HOUSEHOLD, flat, seen)
        .expect("the deletion is saved");
    wang.syncs().await;
    let tray = wang.tray();
    let [item] = &tray[..] else {
        panic!("one item: {tray:?}")
    };
    let change = Change {
        path: "tenure".into(),
        was: Value::Null,
        to: json!("rent"),
    };
    let waiting = wang.status().waiting;

    let refused = wang.book().fix(item, std::slice::from_ref(&change));
    assert!(matches!(refused, Err(Error::DoAnew(Anew::Deletion))));
    let mut decision = item.clone();
    let frozen = decision.frozen.as_mut().expect("it is kept whole");
    frozen.op = Op::Decide;
    let refused = wang.book().fix(&decision, &[change]);
    assert!(matches!(refused, Err(Error::DoAnew(Anew::Decision))));

    let said = [Anew::Deletion, Anew::Decision].map(|what| Error::DoAnew(what).to_string());
    assert!(said[0].contains("delete the record again"), "{}", said[0]);
    assert!(said[1].contains("decide the review again"), "{}", said[1]);
    assert_eq!(wang.status().waiting, waiting, "nothing was sent for it");
    assert_eq!(item.record(), Some(flat));
}

/// What a seed has found: a creation that was parked stayed behind when its home moved, and the
/// workers of the grid to which the home came did not see it.
#[tokio::test]
async fn a_parked_newcomer_goes_where_the_home_goes() {
    let world = World::new(5).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let zhao = world.head("赵", &grid).await;
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    for phone in [&wang, &li, &zhao] {
        phone.syncs().await;
    }
    let home = wang.flat(0);
    let moves_to = |grid| {
        let screen = zhao.sees(&HOUSEHOLD, home);
        let args = fields(json!({ "grid": grid }));
        let moved = zhao.book().command(&HOUSEHOLD, &screen.shown, "move", args);
        moved.expect("the move is saved")
    };
    moves_to(&other);
    zhao.syncs().await;
    wang.adds_person(home, "王小宝", "child");
    wang.syncs().await;
    assert_eq!(wang.tray().len(), 1, "the home was not hers any more");

    moves_to(&grid);
    zhao.syncs().await;
    li.syncs().await;
    wang.syncs().await;

    world.check(&[&wang, &li, &zhao]).await;
}
