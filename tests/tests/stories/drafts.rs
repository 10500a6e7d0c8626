//! What is begun and what is saved: drafts survive a kill and hold no number; what was saved can
//! be taken back until it left.

use pocketbook::Error;
use pocketbook::store::blobs::Rendering;
use pocketbook::store::hand_in::{BatchLimits, Start};
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::Mseq;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::person::PERSON_SENSITIVE;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::mutation::Frozen;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, Phone, World};
use serde_json::json;

#[tokio::test]
async fn a_draft_with_its_photos_survives_a_kill_and_holds_no_number() {
    let world = World::new(41).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;

    let draft = wang.drafts_cover(&grid, "东门");
    let hash = wang.adds_photo(draft, &photo(0));
    wang.is_killed();

    let drafts = wang.store().drafts().expect("the store reads");
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].fields["place"], "东门");
    assert_eq!(drafts[0].fields["photos"], json!([hash]));
    assert!(
        wang.store()
            .photo(hash, Rendering::Thumbnail)
            .expect("reads")
            .is_some()
    );
    assert_eq!(
        (wang.status().waiting, wang.status().photos),
        (0, 0),
        "a draft is not work to send"
    );
    assert_eq!(wang.status().state, SyncState::Synced);
    let report = wang.book().report(draft).expect("the report is saved");
    assert_eq!(
        report.authored.mseq,
        Mseq(1),
        "numbers begin with what is handed in"
    );
    let camera = |phone: &Phone| {
        let file = phone.store().photo(hash, Rendering::Camera);
        file.expect("the photo's file reads")
    };
    let kept = camera(&wang);
    assert_eq!(
        kept,
        Some(photo(0)),
        "the camera's own file stays until the server has it"
    );
    wang.syncs().await;
    assert_eq!(camera(&wang), None);
    assert!(wang.store().drafts().expect("the store reads").is_empty());
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn what_was_saved_before_a_kill_is_sent_after_it() {
    let world = World::new(42).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let flat = wang.flat(0);

    let visit = wang.visits(flat, "一切正常");
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.is_killed();
    assert_eq!((wang.status().waiting, wang.status().photos), (2, 1));
    assert!(wang.finds(&VISIT, visit).is_some() && wang.finds(&CASE, case).is_some());

    wang.online();
    wang.syncs().await;
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_kill_between_the_server_s_word_and_its_reading_loses_nothing_and_doubles_nothing() {
    let world = World::new(43).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "一切正常");

    wang.line().next(On::Sync, Fault::FreezeAfter(10));
    wang.syncs_until_killed().await;
    assert_eq!(wang.status().waiting, 1, "no word was read");

    wang.syncs().await;
    assert_eq!(wang.home(flat).visits.len(), 1);
    assert_eq!(wang.home(flat).visits[0].id, visit);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn what_did_not_leave_can_be_withdrawn_and_what_left_can_not() {
    let world = World::new(44).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    let old = wang.phone_of(person);
    wang.offline();

    let typo = wang.changes_phone(person, "15411110009");
    wang.book().withdraw(typo.mid).expect("it did not leave");
    assert_eq!(
        wang.phone_of(person),
        old,
        "what was shown before is shown again"
    );
    let kept = wang.changes_phone(person, "15411110001");
    assert_eq!(kept.mseq.0, typo.mseq.0 + 1, "its number is not used again");

    // The request may have arrived: from now on it can't be withdrawn.
    wang.online();
    wang.line().next(On::Sync, Fault::LoseAnswer);
    wang.line().weather(|_| Some(Fault::LoseRequest));
    wang.sync().await.expect_err("no answer came");
    assert!(matches!(
        wang.book().withdraw(kept.mid),
        Err(Error::AlreadySent)
    ));

    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(
        wang.sees(&PERSON_SENSITIVE, person).value("phone"),
        "15411110001"
    );
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_photo_that_waits_is_not_at_risk_when_it_is_taken_again_on_a_full_phone() {
    let world = World::new(45).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    let hash = wang.book().case(case).expect("here").fields.photos[0];
    let again = wang.drafts_cover(&grid, "西门");

    wang.storage().is_full(true);
    assert_eq!(
        wang.adds_photo(again, &photo(0)),
        hash,
        "it is here already"
    );
    wang.storage().is_full(false);
    wang.is_killed();

    wang.online();
    wang.syncs().await;
    assert_eq!(wang.status().photos, 0);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_photo_in_two_drafts_stays_with_the_one_that_is_kept() {
    let world = World::new(46).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let (first, second) = (
        wang.drafts_cover(&grid, "东门"),
        wang.drafts_cover(&grid, "西门"),
    );
    let hash = wang.adds_photo(first, &photo(0));
    wang.adds_photo(second, &photo(0));

    wang.store().discard_draft(first.id).expect("it is hers");

    let kept = wang.store().photo(hash, Rendering::Master).expect("reads");
    assert!(kept.is_some(), "the other draft has it still");
    wang.offline();
    let report = wang.book().report(second).expect("the report is saved");
    let third = wang.reports_cover(&grid, "北门", &[photo(0)]);
    wang.book().withdraw(report.authored.mid).expect("not sent");
    assert_eq!(wang.status().photos, 1, "the other report still needs it");
    wang.online();
    wang.syncs().await;
    assert_eq!(wang.status().photos, 0);
    assert_eq!(
        wang.book().case(third.id).expect("here").fields.photos,
        [hash]
    );
    world.check(&[&wang]).await;
}

/// Work upon own work that the server has not settled says so: if that one must wait, this one waits
/// with it, and whoever decides sees both.
#[tokio::test]
async fn work_upon_own_work_that_waits_names_it() {
    let world = World::new(507).await;
    let grid = world.grid(0);
    world.settle(&grid, 4).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let first = wang.notes_tenure(flat, "rent");
    let other = wang.knocks(flat);
    wang.notes_tenure(flat, "own");
    let limits = BatchLimits {
        bytes: 1 << 20,
        count: 10,
        start: Start::FirstWaiting,
        pull: false,
    };

    let request = wang.store().next_request(limits).expect("a request");

    let third = Frozen::parse(request.mutations[2].frozen.get()).expect("well formed");
    assert_eq!(third.deps, [first.mid]);
    assert!(!third.deps.contains(&other.mid));
}
