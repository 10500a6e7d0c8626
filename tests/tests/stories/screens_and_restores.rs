//! A server that was thrown back: what screens had shown by then, what came late, what holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use pocketbook::seams::Method;
use pocketbook::store::hand_in::{BatchLimits, Start};
use pocketbook_records::ids::BlobHash;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::rights::Role;
use pocketbook_records::wire::{Answer, Key};
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Client, Fault, On, World};
use serde_json::json;

/// What the model has found: an edit upon own work that waits names as seen what had arrived
/// beneath it, which no screen had shown.
#[tokio::test]
async fn what_arrived_beneath_own_work_was_not_seen() {
    let world = World::new(211).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    let backup = world.town().backs_up("night").await;

    wang.changes_phone(person, "15400000004");
    li.changes_phone(person, "15400000001");
    li.syncs().await;
    // What hands in fails, what reads does not: 李's value arrives beneath 王's.
    for fault in [Fault::CutRequest(0), Fault::Status(502)] {
        wang.line().next(On::Sync, fault);
        wang.sync().await.expect_err("nothing was handed in");
    }
    let screen = wang.sees(&PERSON_SENSITIVE, person);
    assert_eq!(
        screen.value("phone"),
        "15400000004",
        "only the own value shows"
    );
    wang.enters(&screen, "phone", "15400000005");
    world.town().restores(&backup);

    wang.syncs().await;
    li.syncs().await;
    wang.syncs().await;

    let reviews = wang.reviews_of(person);
    let candidates = reviews.iter().flat_map(|review| &review.candidates);
    let values: Vec<_> = candidates.map(|one| one.value.clone()).collect();
    assert!(
        values.contains(&"15400000001".into()),
        "李's value is lost: {values:?}"
    );
    world.check(&[&wang, &li]).await;
}

/// What the model has found: a word of a history that was lost settled work that the restored
/// server had never heard of, if it arrived late.
#[tokio::test]
async fn a_late_word_of_a_lost_history_settles_nothing() {
    let world = World::new(212).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let backup = world.town().backs_up("night").await;

    let visit = wang.visits(wang.flat(0), "备份之后");
    let hash = wang.reports_cover(&grid, "东门", &[photo(0)]);
    let hash = wang.sees(&CASE, hash.id).value("photos")[0].clone();
    let hash: BlobHash = serde_json::from_value(hash).expect("a hash");
    let limits = BatchLimits {
        bytes: 1 << 20,
        count: 10,
        start: Start::FirstWaiting,
        pull: false,
    };
    let store = wang.store();
    let request = store.next_request(limits).expect("a request");
    // Byte for byte: what is authored is frozen.
    let asked = serde_json::to_vec(&request).expect("plain data");
    let client = Client::with(Arc::clone(world.town()), wang.bearer());
    let json = [("content-type", "application/json")];
    let reply = client.sends("POST", "/v1/sync", &json, asked).await;
    let late: Answer = reply.json();
    let lost = late.asof.commit;
    assert_eq!(late.receipts.len(), 1);
    world.town().restores(&backup);
    // It hears of the new history; what it hands in does not arrive.
    for fault in [Fault::CutRequest(0), Fault::Status(502)] {
        wang.line().next(On::Sync, fault);
        wang.line().next(On::Photo, Fault::CutRequest(0));
        wang.sync().await.expect_err("nothing was handed in");
    }

    let received = request.contact.expect("it has spoken with the server");
    let nothing = BTreeMap::new();
    store.apply_answer(&nothing, &late, received).expect("read");
    store.note_stored(hash, lost).expect("read");

    assert_eq!((wang.status().waiting, wang.status().photos), (2, 1));
    wang.syncs().await;
    assert!(
        Truth::of(&world.town().server())
            .get(&VISIT, visit)
            .is_some()
    );
    world.check(&[&wang]).await;
}

/// What a seed has found: a machine that was set back forgot a revoke until a phone that knew
/// better spoke to it, and took in what it should have parked.
#[tokio::test]
async fn a_revoke_holds_on_a_machine_that_was_set_back_and_does_not_know() {
    let world = World::new(280).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let home = wang.flat(0);
    let copy = world.town().is_copied("copy");
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    world.town().is_rolled_back(&copy);

    wang.notes_tenure(home, "rent");
    wang.syncs().await;

    assert!(wang.finds(&HOUSEHOLD, home).is_none(), "the grid is taken");
    let truth = Truth::of(&world.town().server());
    let held = truth.get(&HOUSEHOLD, home).expect("it is there");
    assert_ne!(held.body["tenure"], "rent");
    world.check(&[&wang]).await;
}

/// What a seed has found: work that had been parked in a history that was lost counted as shown to
/// whoever had read that history, and was overwritten without a word once the restored server took
/// it.
#[tokio::test]
async fn what_was_parked_in_a_lost_history_was_shown_to_nobody() {
    let world = World::new(729).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    wang.syncs().await;
    zhao.syncs().await;
    let home = wang.flat(0);
    let person = wang.person(home, 0);
    let backup = world.town().backs_up("night").await;

    // The home moves away, and what 王 enters about it is not his any more.
    let shown = zhao.sees(&HOUSEHOLD, home).shown;
    let place = fields(json!({ "grid": other }));
    let moved = zhao.book().command(&HOUSEHOLD, &shown, "move", place);
    moved.expect("the move is saved");
    zhao.syncs().await;
    world.hours_pass(1);
    wang.enters(&wang.sees(&PERSON, person), "relation", "lodger");
    wang.syncs().await;
    zhao.syncs().await;
    zhao.enters(&zhao.sees(&PERSON, person), "relation", "other");
    zhao.syncs().await;
    // Now it never moved.
    world.town().restores(&backup);

    wang.syncs().await;
    zhao.syncs().await;
    wang.syncs().await;

    let reviews = zhao.reviews_of(person);
    let candidates = reviews.iter().flat_map(|review| &review.candidates);
    let values: Vec<_> = candidates.map(|one| one.value.clone()).collect();
    assert!(values.contains(&"lodger".into()), "lost: {values:?}");
    world.check(&[&wang, &zhao]).await;
}

/// What a seed has found: a report whose receipt brought its body, before any page did, stayed on
/// the phone when its grid was taken.
#[tokio::test]
async fn a_body_that_came_before_its_page_goes_with_its_grid() {
    let world = World::new(948).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let backup = world.town().backs_up("night").await;
    world.town().restores(&backup);
    let case = wang.reports_cover(&grid, "东门", &[]).id;
    // The work is taken in; before the grid is compared, the server has too much to do.
    let mut asked = 0;
    wang.line().weather(move |request| {
        asked += usize::from(request.path == "/v1/sync");
        (asked > 1).then_some(Fault::Busy)
    });
    wang.sync().await.expect_err("it was put off");
    assert_eq!(wang.status().waiting, 0, "the work was taken in");
    wang.line().is_good();
    world.hours_pass(1);

    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;

    assert!(wang.finds(&CASE, case).is_none());
    world.check(&[&wang]).await;
}

/// What a seed has found: the wrong backup was restored, and then the right one, which was made in
/// the history that the first had thrown away. The phone took the server's word of it for lost: its
/// work waited for ever, and was shown on top of what the server had of it.
#[tokio::test]
async fn a_history_that_was_thrown_away_and_came_back_is_not_lost() {
    let world = World::new(216).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let flat = wang.flat(0);
    let wrong = world.town().backs_up("last night").await;
    wang.knocks(flat);
    wang.reports_cover(&grid, "东门", &[photo(0)]);
    wang.syncs().await;
    let right = world.town().backs_up("this noon").await;
    world.town().restores(&wrong);
    wang.syncs().await;
    world.town().restores(&right);

    li.syncs().await;
    wang.syncs().await;

    assert_eq!(wang.status().waiting + wang.status().photos, 0);
    for phone in [&wang, &li] {
        let knocks = phone.sees(&HOUSEHOLD, flat).value("knocks");
        assert_eq!(knocks, json!(1), "counted once");
    }
    world.check(&[&wang, &li]).await;
}

/// What a seed has found: a mirror brought a masked number of a lost history back, over that of the
/// number written since.
#[tokio::test]
async fn what_others_see_of_a_number_follows_the_number_through_a_restore() {
    let world = World::new(217).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    let backup = world.town().backs_up("night").await;
    wang.tags(person, "empty-nest", "子女在外地");
    wang.syncs().await;
    world.town().restores(&backup);
    li.changes_phone(person, "15412340002");
    li.syncs().await;

    wang.syncs().await;
    li.syncs().await;

    for phone in [&wang, &li] {
        let shown = phone.sees(&PERSON, person).value("masked_phone");
        assert_eq!(shown, json!("154****0002"));
    }
    world.check(&[&wang, &li]).await;
}

/// Plays the day on which two bring the same photo, with a restore to between the two; this lies in
/// the way of the second one.
async fn two_bring_one_photo(seed: u64, fault: Option<Fault>) {
    let world = World::new(seed).await;
    let (here, there) = (world.grid(0), world.grid(1));
    let li = world.worker("李", &here).await;
    let wang = world.worker("王", &there).await;
    let sun = world.worker("孙", &there).await;
    li.reports_cover(&here, "东门", &[photo(0)]);
    li.syncs().await;
    let backup = world.town().backs_up("night").await;
    let id = wang.reports_cover(&there, "西门", &[photo(0)]).id;
    wang.line().weather(move |request| {
        let brings = request.method == Method::Patch;
        brings.then_some(fault).flatten()
    });
    let _ = wang.sync().await;
    wang.line().is_good();
    wang.syncs().await;

    world.town().restores(&backup);
    wang.syncs().await;
    wang.syncs().await;
    sun.syncs().await;

    let hash = wang.book().case(id).expect("it is here").fields.photos[0];
    let case = Key {
        kind: CASE.name.to_owned(),
        id,
    };
    let fetched = sun.engine().fetch_photo(&case, hash).await;
    fetched.expect("who named it has brought it again");
    world.check(&[&wang, &sun, &li]).await;
}

/// Found by reading, after seed 72: who brought a photo that another had brought before was told
/// that one's commit. After a restore to between the two his phone took it for stored, while the
/// server no longer knew that he had brought it, and nobody could read it in his record.
#[tokio::test]
async fn a_photo_is_brought_again_by_whom_a_restore_forgot() {
    two_bring_one_photo(510, None).await;
}

#[tokio::test]
async fn a_photo_is_brought_again_by_whom_a_restore_forgot_though_he_asked_twice() {
    two_bring_one_photo(511, Some(Fault::LoseAnswer)).await;
}

/// What a seed with six phones has found (330): the answer to a report was lost, a colleague read
/// the case and the server was restored. He brought it back first, and the report was parked as if
/// another had taken its id.
#[tokio::test]
async fn a_report_that_a_colleague_brought_back_first_is_in_the_case_already() {
    let world = World::new(330).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let backup = world.town().backs_up("night").await;
    let id = wang.reports_cover(&grid, "东门", &[]).id;
    wang.line().next(On::Sync, Fault::LoseAnswer);
    wang.sync().await.expect_err("he does not hear of it");
    li.syncs().await;

    world.town().restores(&backup);
    li.syncs().await;
    li.syncs().await;
    wang.syncs().await;
    li.syncs().await;

    assert!(wang.tray().is_empty(), "nobody has to decide anything");
    let case = wang.sees(&CASE, id);
    assert_eq!(case.value("state"), "submitted");
    assert_eq!(case.value("steps").as_array().map(Vec::len), Some(1));
    world.check(&[&wang, &li]).await;
}
