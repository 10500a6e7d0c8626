//! Last night's backup is all that is left of the server. The phones teach it what it forgot.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests are the cuts that leave files half moved"
)]

use std::fs;

use pocketbook::books::Take;
use pocketbook::store::blobs::Rendering;
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::{Commit, Epoch, Hex, RecordId, check8};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::path::Path;
use pocketbook_records::receipt::{Outcome, Receipt, ReceiptRow};
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Put;
use pocketbook_server::admin::restore::{RestoreError, restore};
use pocketbook_server::server::OpenError;
use pocketbook_server::{Options, Server};
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{HandMade, Phone, World};
use serde_json::json;

/// Two who know each other's grid, in step with the server.
async fn two(seed: u64) -> (World, Phone, Phone) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    (world, wang, zhao)
}

async fn all_sync(phones: &[&Phone]) {
    for _ in 0..3 {
        for phone in phones {
            phone.syncs().await;
        }
    }
}

#[tokio::test]
async fn everything_that_was_ever_acknowledged_comes_back_once() {
    let (world, wang, zhao) = two(91).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let (flat, other) = (wang.flat(0), wang.flat(1));
    let (mother, son) = (wang.person(flat, 0), wang.person(flat, 1));
    wang.visits(flat, "备份之前");
    wang.syncs().await;
    let backup = world.town().backs_up("night").await;

    // A day that the backup knows nothing of.
    let visit = wang.visits(flat, "备份之后");
    let newcomer = wang.adds_person(flat, "新来的", "other");
    wang.tags(mother, "empty-nest", "子女在外地");
    wang.notes_tenure(other, "lent");
    for _ in 0..3 {
        wang.knocks(flat);
    }
    zhao.knocks(flat);
    let case = wang.reports_cover(&grid, "东门", &[photo(0), photo(1)]).id;
    all_sync(&[&wang, &zhao]).await;
    chen.accepts(case).await;
    chen.dispatches(case, &world.menders(), 24).await;
    wang.changes_phone(son, "15411110001");
    zhao.changes_phone(son, "15411110002");
    all_sync(&[&wang, &zhao]).await;
    let number = wang.sees(&CASE, case).value("number");
    assert!(number.is_string(), "it has its official number");
    let knocks = wang.sees(&HOUSEHOLD, flat).value("knocks");
    assert_eq!(zhao.reviews_of(son).len(), 1);
    let before = Truth::of(&world.town().server());

    let restored = world.town().restores(&backup);

    assert!(restored.lost.until > restored.lost.after);
    let server = world.town().server();
    assert!(
        Truth::of(&server).get(&VISIT, visit).is_none(),
        "it has forgotten"
    );
    all_sync(&[&wang, &zhao]).await;

    for phone in [&wang, &zhao] {
        assert_eq!(phone.status().waiting, 0);
        assert_eq!(phone.status().photos, 0);
        assert!(phone.finds(&VISIT, visit).is_some());
        assert!(phone.finds(&PERSON, newcomer).is_some());
        assert_eq!(
            phone.sees(&HOUSEHOLD, flat).value("knocks"),
            knocks,
            "counted once"
        );
        assert_eq!(phone.sees(&HOUSEHOLD, other).value("tenure"), "lent");
        let shown = phone.sees(&CASE, case);
        assert_eq!(shown.value("number"), number, "official numbers stay");
        assert_eq!(
            shown.value("state"),
            "handling",
            "the desk's steps came back"
        );
        assert_eq!(phone.reviews_of(son).len(), 1, "both numbers are kept");
    }
    assert_eq!(wang.home(flat).visits.len(), 2);
    let after = Truth::of(&world.town().server());
    assert_eq!(after.records().len(), before.records().len());
    world.check(&[&wang, &zhao]).await;

    // Numbers given from now on are none of those that were lost.
    let next = wang.reports_cover(&grid, "西门", &[]).id;
    wang.syncs().await;
    let chen = world.signs_in("陈").await;
    chen.accepts(next).await;
    wang.syncs().await;
    assert_ne!(wang.sees(&CASE, next).value("number"), number);
    zhao.decides(&zhao.reviews_of(son)[0], Take::Value(json!("15411110003")));
    all_sync(&[&zhao, &wang]).await;
    assert!(wang.reviews_of(son).is_empty());
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn what_was_taken_from_somebody_stays_taken() {
    let (world, wang, zhao) = two(92).await;
    let grid = world.grid(0);
    let backup = world.town().backs_up("night").await;
    let visit = wang.visits(wang.flat(0), "备份之后");
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    let hash = wang.book().case(case).expect("here").fields.photos[0];
    world.hours_pass(1);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;
    assert!(wang.flats().is_empty());
    let readable = |rendering| wang.store().photo(hash, rendering).expect("reads");
    assert!(readable(Rendering::Master).is_none());

    world.town().restores(&backup);
    all_sync(&[&wang, &zhao]).await;

    assert!(wang.flats().is_empty(), "the revoke is not undone");
    assert!(
        zhao.finds(&VISIT, visit).is_some(),
        "her work is brought back"
    );
    world.check(&[&wang, &zhao]).await;
    let files = || fs::read_dir(wang.folder().join("files")).expect("a folder");
    assert!(files().count() > 0, "sealed, as long as no backup holds it");
    world.town().backs_up("next night").await;
    all_sync(&[&wang]).await;
    assert_eq!(files().count(), 0, "and gone with the next one");
}

#[tokio::test]
async fn work_that_waits_and_work_that_was_taken_come_in_order_and_are_told_apart() {
    let (world, wang, zhao) = two(93).await;
    let backup = world.town().backs_up("night").await;
    let (flat, person) = (wang.flat(0), wang.person(wang.flat(0), 0));
    wang.changes_phone(person, "15411110001");
    all_sync(&[&wang, &zhao]).await;
    // He saw her number and corrects it; this waits while the server is restored.
    zhao.offline();
    zhao.changes_phone(person, "15411110002");
    let visit = zhao.visits(flat, "核对电话");

    world.town().restores(&backup);
    zhao.online();
    all_sync(&[&zhao, &wang]).await;

    for phone in [&wang, &zhao] {
        assert_eq!(phone.phone_of(person), "15411110002");
        assert!(phone.reviews_of(person).is_empty(), "he had seen hers");
        assert!(phone.finds(&VISIT, visit).is_some());
        assert_eq!(phone.status().state, SyncState::Synced);
    }
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_machine_that_was_set_back_is_found_out_by_the_first_phone() {
    let (world, wang, zhao) = two(94).await;
    let copy = world.town().is_copied("snapshot");
    let epoch = world.town().server().asof().epoch;
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "快照之后");
    wang.changes_phone(wang.person(flat, 0), "15411110001");
    wang.syncs().await;

    world.town().is_rolled_back(&copy);
    all_sync(&[&wang, &zhao]).await;

    assert!(world.town().server().asof().epoch > epoch, "a new history");
    assert!(zhao.finds(&VISIT, visit).is_some());
    let phone = zhao.sees(&PERSON_SENSITIVE, wang.person(flat, 0));
    assert_eq!(phone.value("phone"), "15411110001");
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn two_restores_in_a_row_lose_nothing_either() {
    let (world, wang, zhao) = two(95).await;
    let flat = wang.flat(0);
    let backup = world.town().backs_up("night").await;
    let first = wang.visits(flat, "第一天");
    wang.syncs().await;
    world.town().restores(&backup);
    let second = wang.visits(flat, "第二天");
    wang.syncs().await;
    let third = zhao.visits(flat, "也是第二天");
    zhao.syncs().await;
    world.town().restores(&backup);
    zhao.syncs().await;
    world.town().restores(&backup);
    all_sync(&[&wang, &zhao]).await;

    for visit in [first, second, third] {
        assert!(wang.finds(&VISIT, visit).is_some());
        assert!(zhao.finds(&VISIT, visit).is_some());
    }
    assert_eq!(wang.home(flat).visits.len(), 3);
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_phone_enrolled_after_the_backup_hands_in_and_reads_once_it_is_let_in() {
    use pocketbook_server::admin::wire::Command;
    let (world, wang, zhao) = two(96).await;
    let grid = world.grid(0);
    let backup = world.town().backs_up("night").await;
    let li = world.worker("李", &grid).await;
    li.syncs().await;
    let flat = li.flat(0);
    let visit = li.visits(flat, "新来的网格员");
    li.syncs().await;

    world.town().restores(&backup);
    all_sync(&[&li, &zhao]).await;
    assert_eq!(li.status().state, SyncState::Locked, "it reads nothing yet");
    let login = format!("lost-{}", li.user());
    world
        .town()
        .does(Command::Unblock { user: login }, Vec::new())
        .await;
    all_sync(&[&li, &zhao, &wang]).await;

    assert_eq!(li.status().waiting, 0);
    assert_eq!(li.status().state, SyncState::Synced);
    for phone in [&li, &zhao, &wang] {
        assert!(phone.finds(&VISIT, visit).is_some());
    }
    world.check(&[&wang, &zhao, &li]).await;
}

#[tokio::test]
async fn a_record_that_only_a_mirror_remembers_comes_back_and_its_bearer_gains_nothing() {
    let (world, wang, zhao) = two(97).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let backup = world.town().backs_up("night").await;
    let case = chen.takes_call(&grid, "20261125-0007", "路灯不亮").await;
    all_sync(&[&wang, &zhao]).await;
    assert!(wang.finds(&CASE, case).is_some());

    world.town().restores(&backup);
    all_sync(&[&wang, &zhao]).await;

    for phone in [&wang, &zhao] {
        let shown = phone.sees(&CASE, case);
        assert_eq!(shown.value("text"), "路灯不亮");
        assert_eq!(shown.value("ticket"), json!("20261125-0007"));
    }
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_restore_that_is_cut_off_goes_on_with_the_next_try_or_was_never_begun() {
    let (world, wang, _) = two(98).await;
    let visit = wang.visits(wang.flat(0), "备份之前");
    wang.syncs().await;
    let backup = world.town().backs_up("night").await;
    let epoch = world.town().server().asof().epoch;
    let data = world.town().data();
    world.town().server().stop();
    world.town().is_gone();

    // Cut off while copying: nothing has changed.
    fs::create_dir(data.join("data.part")).expect("a folder");
    let server = Server::open(&data, Options::inline()).expect("it opens as before");
    assert_eq!(server.asof().epoch, epoch);
    server.stop();
    drop(server);

    // Cut off between the two renames: no server starts on half of it.
    fs::write(data.join("beside/restoring"), "").expect("the mark");
    fs::rename(data.join("data"), data.join("data.replaced-1")).expect("moved");
    let half = Server::open(&data, Options::inline()).err();
    assert!(matches!(half, Some(OpenError::HalfRestored)), "{half:?}");
    let restored = restore(&data, &backup, Options::inline()).expect("the next try goes through");
    assert!(restored.lost.until > restored.lost.after);

    // Cut off before the first opening: that one begins the new history.
    fs::write(data.join("beside/restoring"), "").expect("the mark");
    let server = Server::open(&data, Options::inline()).expect("it opens");
    assert!(server.asof().epoch.0 >= epoch.0 + 2);
    let found = server.read(|store| pocketbook_server::store::records::find(store, &VISIT, visit));
    assert!(found.expect("it reads").is_some());
    server.stop();
    drop(server);
    assert!(!data.join("beside/restoring").exists());
}

#[tokio::test]
async fn what_is_no_backup_is_not_restored_and_nothing_is_touched() {
    let (world, ..) = two(99).await;
    let (data, empty) = (world.town().data(), world.town().folder().join("empty"));
    fs::create_dir(&empty).expect("a folder");
    let running = restore(&data, &empty, Options::inline()).err();
    assert!(
        matches!(running, Some(RestoreError::Running)),
        "{running:?}"
    );
    world.town().server().stop();
    world.town().is_gone();
    fs::create_dir(empty.join("broken")).expect("a folder");
    fs::write(empty.join("broken/pocketbook.db"), [7; 5_000]).expect("no database");

    for folder in [empty.clone(), empty.join("nowhere"), empty.join("broken")] {
        let refused = restore(&data, &folder, Options::inline()).err();
        assert!(
            matches!(
                refused,
                Some(RestoreError::NoBackup(_) | RestoreError::Backup(_))
            ),
            "{refused:?}"
        );
    }
    assert!(!data.join("data.replaced-1").exists());
    Server::open(&data, Options::inline()).expect("it opens as before");
}

#[tokio::test]
async fn a_forged_proof_and_a_forged_witness_gain_nothing() {
    let world = World::new(100).await;
    let (grid, foreign) = (world.grid(0), world.grid(1));
    world.settle(&foreign, 5).await;
    let user = world.account("王").await;
    world.grant(user, "王", Role::GridWorker, &grid).await;
    let backup = world.town().backs_up("night").await;
    let phone = HandMade::enrol(world.town(), "王", &world.code("王").await.code).await;
    let restored = world.town().restores(&backup);
    let phone = {
        drop(phone);
        HandMade::enrol(world.town(), "王", &world.code("王").await.code).await
    };
    let home = phone.creation(&HOUSEHOLD, json!({"grid": grid}));
    let work = phone.numbers(&home);
    let mut request = phone.request(vec![work.clone()]);
    let lost = restored.lost.until;
    request.proofs = vec![ReceiptRow {
        enrolment: phone.enrolment(),
        epoch: Epoch(1),
        commit: lost,
        received_at: 0,
        receipts: vec![Receipt {
            mid: work.mid,
            mseq: work.mseq,
            check: check8(work.frozen.get().as_bytes()),
            outcome: Outcome::Applied,
            rev: Some(lost),
            fates: Vec::new(),
            assigned: [(Path::field("number"), json!("QD-2026-000001"))].into(),
            reason: None,
        }],
        key_id: 1,
        mac: Hex([7; 16]),
    }];
    let put = |id: RecordId, rev: Commit, body: serde_json::Value| Put {
        kind: "household".to_owned(),
        id,
        rev,
        schema: 1,
        body: serde_json::value::to_raw_value(&body).expect("plain data"),
    };
    let server = world.town().server();
    let other = Truth::of(&server)
        .of_kind(&HOUSEHOLD)
        .map(|(id, _)| id)
        .next()
        .expect("the foreign grid has households");
    request.witness = vec![
        // Somebody else's household, a place in a foreign grid, a rev that was never lost, nonsense.
        put(other, lost, json!({"grid": grid, "tenure": "own"})),
        put(RecordId(phone.uuid()), lost, json!({"grid": foreign})),
        put(RecordId(phone.uuid()), Commit(1), json!({"grid": grid})),
        put(RecordId(phone.uuid()), lost, json!({"grid": 7})),
        put(RecordId(phone.uuid()), lost, json!([])),
    ];
    let before = Truth::of(&server).of_kind(&HOUSEHOLD).count();

    let heard = phone.asks(&request).await;

    assert_eq!(
        heard.answer.receipts[0].receipts[0].outcome,
        Outcome::Applied
    );
    let made =
        server.read(|store| pocketbook_server::store::records::find(store, &HOUSEHOLD, home.id));
    let created = made.expect("it reads").expect("it is there").created;
    assert_eq!(created.origin, created.commit, "it was first taken now");
    assert!(created.at.to > 0, "and authored by now");
    let truth = Truth::of(&server);
    assert_eq!(
        truth.of_kind(&HOUSEHOLD).count(),
        before + 1,
        "her own new one"
    );
    let untouched = truth.get(&HOUSEHOLD, other).expect("it stands");
    assert_eq!(untouched.body["grid"], json!(foreign));
}

/// What a seed has found: the second restore's interval covered the first one's, which the backup
/// knew nothing of, and a screen of one history passed for one of the other.
#[tokio::test]
async fn histories_that_one_backup_lost_are_not_taken_for_one() {
    let (world, wang, zhao) = two(101).await;
    let flat = wang.flat(0);
    let old = zhao.sees(&HOUSEHOLD, flat);
    zhao.offline();
    zhao.enters(&old, "tenure", "他说的");
    let backup = world.town().backs_up("night").await;
    wang.notes_tenure(flat, "她说的");
    wang.syncs().await;
    world.town().restores(&backup);
    zhao.online();
    zhao.syncs().await;
    world.town().restores(&backup);

    all_sync(&[&wang, &zhao]).await;

    for phone in [&wang, &zhao] {
        let reviews = phone.reviews_of(flat);
        assert_eq!(reviews.len(), 1, "neither had seen the other's");
    }
    world.check(&[&wang, &zhao]).await;
}

/// What a seed has found: who had created and deleted somebody saw them again after a restore.
#[tokio::test]
async fn what_was_deleted_since_the_backup_stays_deleted() {
    let (world, wang, zhao) = two(102).await;
    let backup = world.town().backs_up("night").await;
    let (mine, hers) = (
        zhao.adds_person(zhao.flat(0), "先加", "other"),
        wang.adds_person(wang.flat(1), "后删", "other"),
    );
    all_sync(&[&wang, &zhao]).await;
    for person in [mine, hers] {
        let seen = zhao.sees(&PERSON, person);
        let deleted = zhao.book().delete(&PERSON, person, seen.shown.rev);
        deleted.expect("it is saved");
    }
    all_sync(&[&zhao, &wang]).await;

    world.town().restores(&backup);
    all_sync(&[&wang, &zhao]).await;

    for phone in [&wang, &zhao] {
        assert!(phone.finds(&PERSON, mine).is_none());
        assert!(phone.finds(&PERSON, hers).is_none());
        assert_eq!(phone.status().state, SyncState::Synced);
    }
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn rights_are_judged_at_the_moment_of_authoring_the_second_time_too() {
    // Before or after her grid was taken; and whether her phone is started anew in between, which
    // costs it the knowledge of how long ago that was.
    for (in_time, boots) in [(true, false), (true, true), (false, false), (false, true)] {
        let (world, wang, zhao) = two(98).await;
        let grid = world.grid(0);
        let flat = wang.flat(0);
        let backup = world.town().backs_up("night").await;
        world.hours_pass(1);
        wang.offline();
        if in_time {
            wang.notes_tenure(flat, "rent");
            world.hours_pass(1);
        }
        world.revoke(&wang, Role::GridWorker, &grid).await;
        world.hours_pass(1);
        if !in_time {
            wang.notes_tenure(flat, "rent");
            world.hours_pass(1);
        }
        wang.online();
        all_sync(&[&wang, &zhao]).await;
        let stands = || {
            let tenure = zhao.sees(&HOUSEHOLD, flat).value("tenure");
            (tenure == json!("rent"), zhao.tray().len())
        };
        let expected = if in_time { (true, 0) } else { (false, 1) };
        assert_eq!(stands(), expected, "{in_time} {boots}: the first time");

        world.hours_pass(5);
        if boots {
            wang.clock().boots();
        }
        world.town().restores(&backup);
        all_sync(&[&wang, &zhao]).await;

        assert_eq!(stands(), expected, "{in_time} {boots}: told again");
        world.check(&[&wang, &zhao]).await;
    }
}
