//! A shared iPad is enrolled; its first sync breaks twice (field-work S1, without the PIN).

use std::collections::BTreeSet;

use pocketbook::Error;
use pocketbook::engine::SyncError;
use pocketbook::seams::TransportError;
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Role;
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::Mode;
use pocketbook_tests::data::households;
use pocketbook_tests::sim::look;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::{Fault, HandMade, On, Phone, World};
use serde_json::json;

#[tokio::test]
async fn a_first_sync_broken_twice_goes_on_where_it_was() {
    let world = World::new(1).await;
    let grid = world.grid(0);
    world.settle(&grid, 1_000).await;
    world.publishes(|_| {}).await;
    let probe = world.worker("王", &grid).await;
    probe.syncs().await;
    let all = bytes_of_first_sync(&probe);

    let wang = world.another_device("王", "ipad").await;
    wang.line().next(On::Sync, Fault::DieAfter(all * 4 / 10));
    let broke = wang.sync().await;
    assert!(
        matches!(broke, Err(SyncError::Transport(TransportError::Offline))),
        "{broke:?}"
    );
    let paused = wang.status().state;
    assert!(
        matches!(paused, SyncState::FirstSync { percent: 10..=90 }),
        "{paused:?}"
    );
    let received = wang.flats();
    assert!(
        received.len() > 50,
        "households that came can be opened: {}",
        received.len()
    );
    let _ = wang.home(received[0]);

    wang.line().comes_back();
    wang.line().next(On::Sync, Fault::DieAfter(all * 3 / 10));
    wang.sync().await.expect_err("the line died once more");
    wang.is_killed();
    assert!(
        wang.flats().len() >= received.len(),
        "a kill takes nothing back"
    );
    assert!(matches!(wang.status().state, SyncState::FirstSync { .. }));

    wang.line().comes_back();
    wang.syncs().await;
    assert_eq!(wang.status().state, SyncState::Synced);
    assert_eq!(wang.flats().len(), 1_000);
    assert!(
        !wang
            .store()
            .articles("approval-items")
            .expect("the store reads")
            .is_empty()
    );
    let sent: Vec<_> = wang
        .line()
        .passed()
        .iter()
        .flat_map(|passed| passed.frames())
        .collect();
    let most = sent.iter().map(|frame| frame.rows.len()).max().unwrap_or(0);
    let rows: Vec<_> = sent
        .iter()
        .flat_map(|frame| &frame.rows)
        .map(|row| (&row.kind, row.id))
        .collect();
    let once: BTreeSet<_> = rows.iter().collect();
    assert!(
        rows.len() - once.len() <= most,
        "at most one page is sent twice"
    );
    world.check(&[&wang, &probe]).await;
}

/// Returns the size of the exchange in which all of a grid came.
fn bytes_of_first_sync(phone: &Phone) -> usize {
    let passed = phone.line().passed();
    let exchanges = passed
        .iter()
        .filter(|passed| passed.request.path == "/v1/sync");
    exchanges
        .map(|passed| passed.answer_bytes())
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn an_app_killed_while_pages_stream_in_keeps_what_had_come() {
    let world = World::new(2).await;
    let grid = world.grid(0);
    world.settle(&grid, 400).await;
    let probe = world.worker("王", &grid).await;
    probe.syncs().await;
    let all = bytes_of_first_sync(&probe);

    let wang = world.another_device("王", "ipad").await;
    wang.line().next(On::Sync, Fault::FreezeAfter(all * 9 / 10));
    wang.syncs_until_killed().await;

    assert!(!wang.flats().is_empty(), "nine tenths had come");
    wang.syncs().await;
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn two_accounts_on_one_ipad_do_not_see_each_others_work() {
    let world = World::new(3).await;
    let grid = world.grid(0);
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let li_user = world.account("李").await;
    world.grant(li_user, "李", Role::GridWorker, &grid).await;

    wang.offline();
    wang.drafts_cover(&grid, "东门");
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "一切正常");
    wang.online();
    let li = wang.lent_to("李");
    li.enrols(&world.code("李").await.code).await;
    li.syncs().await;

    assert_eq!(li.status().waiting, 0);
    assert!(li.store().drafts().expect("the store reads").is_empty());
    assert!(
        li.home(flat).visits.is_empty(),
        "what waits on one account is not the other's"
    );
    assert_eq!(wang.status().waiting, 1);
    assert_eq!(wang.store().drafts().expect("the store reads").len(), 1);

    wang.book().lock();
    assert!(matches!(wang.book().household(flat), Err(Error::Locked)));
    wang.syncs().await;
    assert!(matches!(wang.book().tray(), Err(Error::Locked)));
    li.syncs().await;
    assert_eq!(
        li.home(flat).visits[0].id,
        visit,
        "a locked account still hands in"
    );
    wang.book().unlock();
    world.check(&[&wang, &li]).await;
}

#[tokio::test]
async fn a_neighbouring_grid_is_not_on_the_phone_and_the_server_refuses_it() {
    let world = World::new(4).await;
    let (grid, neighbour) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    world.settle(&neighbour, 20).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let theirs = households(4, &neighbour.0, 1)
        .next()
        .expect("the neighbour's first household");
    let (household, name) = (
        RecordId(theirs.household.id),
        theirs.household.place.compound,
    );

    assert!(wang.finds(&HOUSEHOLD, household).is_none());
    assert!(
        theirs
            .people
            .iter()
            .all(|person| wang.finds(&PERSON, RecordId(person.id)).is_none())
    );

    // A phone that asks for it all the same.
    let asking = HandMade::enrol(world.town(), "王", &world.code("王").await.code).await;
    let mut request = asking.pull(&Mode::Frames { after: None });
    let pull = request.pull.as_mut().expect("it pulls");
    let ask = pull
        .scopes
        .values()
        .next()
        .expect("it asks for its own")
        .clone();
    pull.scopes.clear();
    for scope in [
        Scope::General(neighbour.clone()),
        Scope::Sensitive(neighbour.clone()),
    ] {
        pull.scopes.insert(scope, ask.clone());
    }
    pull.want.push(pocketbook_records::wire::Key {
        kind: "household".into(),
        id: household,
    });
    let heard = asking.asks(&request).await;
    assert!(
        heard.frames.is_empty() && heard.answer.scopes.is_empty() && heard.answer.bodies.is_empty()
    );
    assert!(!format!("{:?}", heard.answer).contains(&name));

    let forbidden = asking.change(&HOUSEHOLD, household, "tenure", json!("own"), json!("rent"));
    let unknown = asking.change(
        &HOUSEHOLD,
        RecordId(asking.uuid()),
        "tenure",
        json!("own"),
        json!("rent"),
    );
    let work = vec![asking.numbers(&forbidden), asking.numbers(&unknown)];
    for word in asking.hands_in(work).await {
        assert_eq!((word.outcome, word.rev), (Outcome::Parked, None));
        assert_eq!(
            word.reason,
            Some(Reason::NotYours),
            "forbidden and unknown sound alike"
        );
    }
}

#[tokio::test]
async fn a_used_or_old_code_is_refused_with_a_sentence_and_the_same_phone_may_ask_again() {
    let world = World::new(5).await;
    let grid = world.grid(0);
    let user = world.account("王").await;
    world.grant(user, "王", Role::GridWorker, &grid).await;
    let refused = |answer: Result<_, SyncError>| match answer {
        Err(SyncError::NotLetIn(problem) | SyncError::Refused(problem)) => problem.kind,
        other => panic!(
            "{:?}",
            other.map(|_: pocketbook_records::wire::EnrolAnswer| ())
        ),
    };

    let code = world.code("王").await.code;
    let wang = Phone::new(world.town(), "王", "ipad");
    wang.line().next(On::Enrol, Fault::LoseAnswer);
    wang.tries_to_enrol(&code)
        .await
        .expect_err("the answer was lost");
    let again = wang
        .tries_to_enrol(&code)
        .await
        .expect("the same phone gets the same answer");
    let once_more = wang
        .tries_to_enrol(&code)
        .await
        .expect("until it has begun");
    assert_eq!(again.enrolment, once_more.enrolment);
    let thief = Phone::new(world.town(), "王", "other");
    assert_eq!(refused(thief.tries_to_enrol(&code).await), "code-used");
    wang.syncs().await;
    assert_eq!(refused(wang.tries_to_enrol(&code).await), "code-used");

    let old = world.code("王").await.code;
    world.hours_pass(25);
    assert_eq!(refused(thief.tries_to_enrol(&old).await), "code-expired");
    assert_eq!(
        refused(thief.tries_to_enrol("0000-0000-0000-0000").await),
        "code-unknown"
    );
}

#[tokio::test]
async fn another_account_never_takes_a_book_over_and_the_same_one_may_enrol_again() {
    let world = World::new(6).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let li = world.account("李").await;
    world.grant(li, "李", Role::GridWorker, &grid).await;
    wang.offline();
    let visit = wang.visits(wang.flat(0), "一切正常");
    wang.online();

    let refused = wang.tries_to_enrol(&world.code("李").await.code).await;

    let Err(SyncError::Store(error @ Error::OtherAccount)) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("another account"), "{error}");
    assert_eq!(wang.status().waiting, 1, "her work is still hers");
    wang.syncs().await;
    let kept = world
        .town()
        .server()
        .read(|store| pocketbook_server::store::records::find(store, &VISIT, visit));
    let kept = kept.expect("the server reads").expect("the visit arrived");
    assert_eq!(kept.created.user, wang.user());

    let again = wang.tries_to_enrol(&world.code("王").await.code).await;
    assert_eq!(again.expect("the same account may").user, wang.user());
}

#[tokio::test]
async fn an_account_that_enrols_again_goes_on_with_its_work_and_nothing_is_taken_twice() {
    let world = World::new(7).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    wang.visits(flat, "第一次");
    wang.syncs().await;
    // This one arrives, and its receipt does not.
    wang.visits(flat, "第二次");
    wang.line().next(On::Sync, Fault::LoseAnswer);
    wang.line().weather(|_| Some(Fault::LoseRequest));
    wang.sync().await.expect_err("no answer came");
    wang.visits(flat, "第三次");
    wang.line().is_good();

    wang.enrols(&world.code("王").await.code).await;
    wang.visits(flat, "第四次");
    wang.syncs().await;

    assert_eq!(wang.status().state, SyncState::Synced);
    assert_eq!(wang.home(flat).visits.len(), 4);
    let truth = Truth::of(&world.town().server());
    assert_eq!(truth.of_kind(&VISIT).count(), 4);
    assert!(wang.tray().is_empty());
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn content_that_was_changed_beside_the_store_after_it_left_is_authored_once_more() {
    let world = World::new(8).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "第一次");
    wang.line().next(On::Sync, Fault::LoseAnswer);
    wang.line().weather(|_| Some(Fault::LoseRequest));
    wang.sync().await.expect_err("no answer came");
    let Some(connection) = look::beside(&wang) else {
        return;
    };
    connection
        .execute(
            "UPDATE authored SET frozen = replace(frozen, '第一次', '改过的')",
            [],
        )
        .expect("it is changed");
    wang.line().is_good();

    wang.syncs().await;
    wang.syncs().await;

    assert_eq!(wang.status().waiting, 0);
    let enrolment = wang.store().account().expect("enrolled").enrolment;
    let rows = look::receipts(&world.town().server(), enrolment);
    let words: usize = rows.iter().map(|row| row.receipts.len()).sum();
    assert_eq!(words, 2, "both contents have a word of the server's");
    assert_eq!(wang.sees(&VISIT, visit).value("note"), "改过的");
}
