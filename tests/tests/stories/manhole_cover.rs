//! A broken manhole cover: reported offline with three photos over a bad line, sent back once,
//! closed (field-work S3, steps 1, 2 and 5 to 9; no twin, watermark or time limits).

use pocketbook::store::blobs::{PhotoState, Rendering};
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::check::{Truth, photos_of};
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Client, Fault, World};
use serde_json::{Value, json};

#[tokio::test]
async fn text_arrives_before_photos_and_a_photo_goes_on_at_its_offset_after_a_kill() {
    let world = World::new(11).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let chen = world.street_desk("陈").await;
    wang.syncs().await;

    wang.offline();
    let report = wang.reports_cover(&grid, "东门", &[photo(0), photo(1), photo(2)]);
    assert_eq!((wang.status().waiting, wang.status().photos), (1, 3));
    assert_eq!(wang.status().state, SyncState::Waiting);

    // The first photo gets through; of the second 20,000 bytes arrive, and then nothing more.
    wang.online();
    let mut pieces = 0;
    wang.line().weather(move |request| {
        pieces += usize::from(request.path.starts_with("/v1/blobs/"));
        match pieces {
            0 | 1 => None,
            2 => Some(Fault::CutRequest(20_000)),
            _ => Some(Fault::CutRequest(0)),
        }
    });
    let _ = wang.sync().await;
    assert_eq!(
        chen.state_of(report.id).await,
        "submitted",
        "the text is at the desk"
    );
    let photos = photos_of(
        "case",
        chen.case(report.id).await.as_object().expect("fields"),
    );
    assert_eq!(photos.len(), 3);
    assert_eq!(at_the_desk(chen.client(), &photos).await, 1, "照片 1/3");
    assert_eq!(
        wang.status().state,
        SyncState::Waiting,
        "not 已同步 while photos wait"
    );

    wang.is_killed();
    let before = wang.line().passed().len();
    wang.line().is_good();
    wang.syncs().await;

    assert_eq!(at_the_desk(chen.client(), &photos).await, 3);
    let resumed = wang.line().passed().into_iter().skip(before).any(|passed| {
        passed
            .request
            .headers
            .contains(&("upload-offset", "20000".to_owned()))
            && passed.status == Some(204)
    });
    assert!(resumed, "the second photo goes on from its offset");
    let sizes: usize = photos.iter().map(|hash| master(&wang, *hash).len()).sum();
    let sent: usize = wang.line().bytes_sent_to("/v1/blobs/");
    assert!(sent * 10 <= sizes * 12, "{sent} bytes sent for {sizes}");
    for hash in &photos {
        assert_eq!(BlobHash::of(&master(&wang, *hash)), *hash);
        let state = wang.store().photo_state(*hash).expect("the store reads");
        assert_eq!(state, Some(PhotoState::Stored));
    }
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn six_steps_with_one_return_lead_to_closure_and_each_names_person_and_time() {
    let world = World::new(12).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    let chen = world.street_desk("陈").await;
    let menders = world.menders();
    let sun = world.at_desk("孙", Role::Handler, &menders).await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    let early = sun.finds(case).await;
    assert!(
        early.is_none(),
        "a handler sees what was dispatched to him and nothing else"
    );

    let accepted = chen.accepts(case).await;
    let number = accepted["number"].as_str().expect("an official number");
    assert!(number.starts_with("QD-2026-"), "{number}");
    chen.dispatches(case, &menders, 24).await;
    wang.syncs().await;
    assert_eq!(
        wang.book()
            .case(case)
            .expect("here")
            .fields
            .number
            .as_deref(),
        Some(number)
    );
    assert_eq!(wang.state_of(case).as_deref(), Some("handling"));

    let without = sun.may_not(case, "done", json!({"reply": "已更换"})).await;
    assert_eq!(
        (without.status, without.kind.as_str()),
        (422, "missing"),
        "damage needs an after photo"
    );
    sun.has_done(case, "已更换井盖", &photo(3)).await;
    chen.feeds_back(case, "已电话告知").await;

    // 赵 on the spot, with his phone: not done.
    zhao.syncs().await;
    zhao.offline();
    zhao.commands_with_photo(case, "send_back", "井盖仍松动", &photo(4));
    zhao.online();
    zhao.syncs().await;
    let returned = sun.case(case).await;
    assert_eq!(returned["state"], "handling");
    let last = steps(&returned).pop().expect("a step");
    assert_eq!(
        last["args"]["reason"], "井盖仍松动",
        "the handler reads why"
    );

    sun.has_done(case, "重新固定", &photo(5)).await;
    chen.feeds_back(case, "已当面告知").await;
    zhao.syncs().await;
    zhao.commands(case, "close", json!({}));
    zhao.syncs().await;
    chen.does(case, "rate", json!({"rating": 5})).await;

    wang.syncs().await;
    zhao.syncs().await;
    assert_eq!(wang.state_of(case).as_deref(), Some("closed"));
    let told = chen.case(case).await;
    let commands: Vec<_> = steps(&told)
        .into_iter()
        .map(|step| step["command"].clone())
        .collect();
    assert_eq!(
        commands,
        [
            "report",
            "accept",
            "dispatch",
            "done",
            "feedback",
            "send_back",
            "done",
            "feedback",
            "close",
            "rate"
        ]
    );
    for step in steps(&told) {
        assert!(step["by"].is_string() && step["at"].is_i64(), "{step}");
    }
    let photos = photos_of("case", told.as_object().expect("fields"));
    assert_eq!(
        at_the_desk(chen.client(), &photos).await,
        4,
        "before, two after, one of the return"
    );
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn who_reported_a_case_does_not_close_it_and_a_stale_step_is_told_what_happened() {
    let world = World::new(13).await;
    let grid = world.grid(0);
    let zhao = world.head("赵", &grid).await;
    let chen = world.street_desk("陈").await;
    let menders = world.menders();
    let sun = world.at_desk("孙", Role::Handler, &menders).await;
    let community = world.community();
    let clerk = world.at_desk("吴", Role::CommunityClerk, &community).await;
    zhao.syncs().await;
    let case = zhao.reports_cover(&grid, "西门", &[photo(0)]).id;
    zhao.syncs().await;

    let two_screens = chen.step(case, json!({})).await;
    let other_clerk = clerk.step(case, json!({})).await;
    let first = chen.sends(case, "accept", &two_screens).await.ok();
    assert_eq!(first["receipt"]["outcome"], "applied");
    let second = clerk.sends(case, "accept", &other_clerk).await.ok();
    assert_eq!(
        second["receipt"]["outcome"], "superseded",
        "no error: someone was first"
    );
    let once_more = chen.sends(case, "accept", &two_screens).await.ok();
    assert_eq!(
        once_more["receipt"], first["receipt"],
        "a repeat is the same step"
    );

    chen.dispatches(case, &menders, 24).await;
    sun.has_done(case, "已更换", &photo(1)).await;
    chen.feeds_back(case, "已告知").await;
    let head_at_desk = world.signs_in("赵").await;
    let refused = head_at_desk.may_not(case, "close", json!({})).await;
    assert_eq!(
        (refused.status, refused.kind.as_str()),
        (403, "not-permitted")
    );
    assert_eq!(chen.state_of(case).await, "checking");
    clerk.closes(case).await;
    zhao.syncs().await;
    assert_eq!(zhao.state_of(case).as_deref(), Some("closed"));
    world.check(&[&zhao]).await;
}

#[tokio::test]
async fn a_returned_case_is_completed_offline_and_one_may_be_withdrawn_before_it_is_accepted() {
    let world = World::new(14).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let chen = world.street_desk("陈").await;
    let case = wang.reports_cover(&grid, "东门", &[]).id;
    let other = wang.reports_cover(&grid, "北门", &[]).id;
    wang.syncs().await;
    chen.returns(case, "照片不清").await;
    wang.syncs().await;
    assert_eq!(wang.state_of(case).as_deref(), Some("returned"));

    wang.offline();
    wang.commands(case, "complete", json!({}));
    wang.commands(other, "withdraw", json!({}));
    assert_eq!(
        wang.state_of(case).as_deref(),
        Some("submitted"),
        "shown at once"
    );
    wang.online();
    wang.syncs().await;

    assert_eq!(chen.cases("submitted").await, [case]);
    assert_eq!(chen.state_of(other).await, "withdrawn");
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_caller_of_12345_is_known_to_who_may_know_and_the_case_reaches_the_grid() {
    let world = World::new(15).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let helper = world.with_phone("郑", Role::PartTimer, &grid).await;
    let chen = world.street_desk("陈").await;
    wang.syncs().await;
    helper.syncs().await;

    let case = chen
        .takes_call(&grid, "20260612-0077", "东门井盖破损")
        .await;
    wang.syncs().await;
    helper.syncs().await;

    assert_eq!(
        wang.book()
            .case(case)
            .expect("here")
            .fields
            .ticket
            .as_deref(),
        Some("20260612-0077")
    );
    assert_eq!(helper.state_of(case).as_deref(), Some("submitted"));
    let truth = Truth::of(&world.town().server());
    let sensitive = &pocketbook_records::kinds::case::CASE_SENSITIVE;
    assert!(truth.get(sensitive, case).is_some());
    assert!(wang.finds(sensitive, case).is_some());
    assert!(
        helper.finds(sensitive, case).is_none(),
        "a part-timer never holds the caller's number"
    );
    world.check(&[&wang, &helper]).await;
}

fn steps(case: &Value) -> Vec<Value> {
    case["steps"].as_array().cloned().unwrap_or_default()
}

fn master(phone: &pocketbook_tests::world::Phone, hash: BlobHash) -> Vec<u8> {
    let photo = phone
        .store()
        .photo(hash, Rendering::Master)
        .expect("the photo's file reads");
    photo.expect("the photo is here")
}

/// Counts the photos whose bytes the desk gets, whole.
async fn at_the_desk(client: &Client, photos: &[BlobHash]) -> usize {
    let mut here = 0;
    for hash in photos {
        let reply = client.gets(&format!("/v1/blobs/{hash}")).await;
        if reply.status == 200 {
            assert_eq!(BlobHash::of(&reply.body), *hash);
            here += 1;
        } else {
            assert_eq!(reply.problem().status, 404);
        }
    }
    here
}
