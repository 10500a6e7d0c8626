//! A grid is taken from a worker, or a household moves to another grid: what is no longer hers
//! leaves the phone, and what she did before still arrives.

use pocketbook::photos::Size;
use pocketbook::store::blobs::Rendering;
use pocketbook::store::trace::Why;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::rights::Role;
use pocketbook_tests::data::households;
use pocketbook_tests::sim::look::beside;
use pocketbook_tests::world::check::shown_on;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, Phone, World};
use serde_json::json;

#[tokio::test]
async fn rows_photos_and_pages_of_a_taken_grid_leave_the_phone() {
    let world = World::new(31).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 60).await;
    world.settle(&other, 10).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    li.syncs().await;
    let hash = wang.book().case(case).expect("here").fields.photos[0];
    assert!(
        wang.store()
            .photo(hash, Rendering::Master)
            .expect("reads")
            .is_some()
    );
    let neighbour = households(31, &grid.0, 60)
        .flat_map(|line| line.people)
        .find(|p| p.phone.is_some());
    let neighbour = neighbour.expect("somebody with a phone");
    let number = neighbour.phone.expect("a number");
    if !pocketbook_sqlite::is_encryption_built() {
        assert!(
            !wang.files_with(&number).is_empty(),
            "the number is on the phone now"
        );
    }

    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;

    assert_eq!(wang.flats().len(), 10, "the other grid stays");
    assert!(wang.finds(&PERSON, RecordId(neighbour.id)).is_none());
    assert!(
        wang.finds(&PERSON_SENSITIVE, RecordId(neighbour.id))
            .is_none()
    );
    assert!(
        wang.store()
            .photo(hash, Rendering::Master)
            .expect("reads")
            .is_none()
    );
    assert!(
        wang.files_with(&number).is_empty(),
        "no page of any file keeps it"
    );
    assert!(wang.files_with(&neighbour.name).is_empty());
    let trace = wang.store().vanished(1_000).expect("the store reads");
    let why = trace.iter().find(|line| line.id == RecordId(neighbour.id));
    assert_eq!(why.map(|line| line.why), Some(Why::Revoked));
    let left = wang.store();
    assert!(
        !left
            .status()
            .expect("reads")
            .state
            .eq(&pocketbook::store::status::SyncState::Waiting)
    );
    world.check(&[&wang, &li]).await;

    // The same after the app is closed in the middle of nothing and opened again.
    wang.is_killed();
    assert!(wang.files_with(&number).is_empty());
    world.check(&[&wang, &li]).await;
}

#[tokio::test]
async fn an_edit_from_before_the_revoke_is_applied_and_one_from_after_it_waits_for_the_head() {
    let world = World::new(32).await;
    let grid = world.grid(0);
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    let (first, second) = (wang.person(flat, 0), wang.person(flat, 1));
    let note = zhao.sees(&PERSON, second).value("relation");

    wang.offline();
    wang.changes_phone(first, "15411110001");
    let visit = wang.visits(flat, "走访时老人在家");
    world.hours_pass(1);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    world.hours_pass(1);
    wang.enters(&wang.sees(&PERSON, second), "relation", "other");
    wang.online();
    wang.syncs().await;
    zhao.syncs().await;

    assert_eq!(
        zhao.phone_of(first),
        "15411110001",
        "made while it was hers"
    );
    assert!(zhao.finds(&VISIT, visit).is_some());
    assert_eq!(
        zhao.sees(&PERSON, second).value("relation"),
        note,
        "made after it"
    );
    let tray = zhao.tray();
    let [item] = &tray[..] else {
        panic!("one item waits: {tray:?}")
    };
    assert!(!item.is_mine);
    assert_eq!(item.record(), Some(second));
    assert_eq!(wang.status().waiting, 0, "everything was delivered");
    assert_eq!(wang.status().parked, 1, "and she reads that one waits");
    assert!(wang.flats().is_empty());

    zhao.book()
        .tray_command(item, "release", fields(json!({})))
        .expect("the head may");
    zhao.syncs().await;
    wang.syncs().await;
    assert_eq!(zhao.sees(&PERSON, second).value("relation"), "other");
    assert!(zhao.tray().is_empty() && wang.tray().is_empty());
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn work_that_waits_on_a_dead_line_is_out_of_sight_after_a_revoke_and_still_arrives() {
    let world = World::new(33).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);

    wang.offline();
    let case = wang.reports_cover(&grid, "东门", &[photo(1)]).id;
    let visit = wang.visits(flat, "一切正常");
    world.hours_pass(1);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.online();
    // Photos do not get through for now.
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    assert!(wang.flats().is_empty());
    assert!(wang.book().case(case).is_err(), "out of sight");
    assert_eq!(
        wang.status().photos,
        1,
        "its photo is still to be delivered"
    );

    wang.is_killed();
    wang.line().is_good();
    wang.syncs().await;
    zhao.syncs().await;
    assert!(zhao.finds(&VISIT, visit).is_some());
    assert_eq!(zhao.state_of(case).as_deref(), Some("submitted"));
    assert_eq!(wang.status().photos, 0);
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn a_household_that_moves_takes_its_people_along_and_leaves_the_old_grids_phones() {
    let world = World::new(34).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    let feng = world.worker("冯", &other).await;
    for phone in [&wang, &zhao, &feng] {
        phone.syncs().await;
    }
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "下周搬家");
    wang.syncs().await;
    zhao.syncs().await;
    let people: Vec<_> = zhao.home(flat).people.iter().map(|p| p.person.id).collect();
    let others = shown_on(&wang).len();

    let shown = zhao.sees(&HOUSEHOLD, flat).shown;
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", fields(json!({"grid": other})))
        .expect("saved");
    zhao.syncs().await;
    wang.syncs().await;
    feng.syncs().await;

    assert!(wang.finds(&HOUSEHOLD, flat).is_none());
    assert!(
        people
            .iter()
            .all(|person| wang.finds(&PERSON, *person).is_none())
    );
    assert_eq!(feng.home(flat).people.len(), people.len());
    assert_eq!(feng.home(flat).visits[0].id, visit);
    assert!(shown_on(&wang).len() < others);
    edit_reaches(&feng, &feng, people[0]).await;
    world.check(&[&wang, &zhao, &feng]).await;
}

#[tokio::test]
async fn a_household_that_moves_between_grids_of_one_phone_never_leaves_it() {
    let world = World::new(35).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    let (hash, _) = wang
        .store()
        .take_photo(&HOUSEHOLD, flat, &photo(0), Size::Master)
        .expect("the photo is taken");
    wang.enters(&wang.sees(&HOUSEHOLD, flat), "photos", json!([hash]));
    wang.syncs().await;
    zhao.syncs().await;
    let people = wang.home(flat).people.len();
    let shown = zhao.sees(&HOUSEHOLD, flat).shown;
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", fields(json!({"grid": other})))
        .expect("saved");
    zhao.syncs().await;

    wang.syncs().await;

    let home = wang.home(flat);
    assert_eq!(home.household.fields.grid.as_deref(), Some(&*other.0));
    assert_eq!(home.people.len(), people);
    let photo = wang.store().photo(hash, Rendering::Master).expect("reads");
    assert!(photo.is_some(), "its photo stays on the phone");
    world.check(&[&wang, &zhao]).await;

    world.revoke(&wang, Role::GridWorker, &other).await;
    wang.syncs().await;
    assert!(wang.finds(&HOUSEHOLD, flat).is_none());
    let photo = wang.store().photo(hash, Rendering::Master).expect("reads");
    assert!(photo.is_none());
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn who_moved_a_home_away_may_still_have_written_about_a_person_deleted_meanwhile() {
    let world = World::new(652).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    let person = wang.person(flat, 0);
    zhao.offline();
    let shown = zhao.sees(&HOUSEHOLD, flat).shown;
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", fields(json!({"grid": other})))
        .expect("saved");
    world.hours_pass(1);
    let seen = wang.sees(&PERSON, person).shown.rev;
    wang.book().delete(&PERSON, person, seen).expect("saved");
    wang.syncs().await;
    world.hours_pass(1);
    zhao.enters(&zhao.sees(&PERSON, person), "relation", "other");
    world.hours_pass(1);
    zhao.online();
    zhao.syncs().await;

    assert_eq!(zhao.tray().len(), 0, "he held the home while he wrote");
    let feng = world.head("冯", &other).await;
    feng.syncs().await;
    let reviews = feng.reviews_of(person);
    assert_eq!(reviews.len(), 1, "edited after deletion: somebody decides");
    wang.syncs().await;
    world.check(&[&wang, &zhao, &feng]).await;
}

#[tokio::test]
async fn an_edit_stays_in_view_where_a_grid_was_taken_and_given_back_unheard() {
    let world = World::new(739).await;
    let grid = world.grid(0);
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    wang.notes_tenure(flat, "borrowed");
    world.hours_pass(1);
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.line().next(On::Sync, Fault::CutAnswer(300));
    let _ = wang.sync().await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    let tenure = || wang.home(flat).household.fields.tenure.clone();
    assert_eq!(tenure().as_deref(), Some("borrowed"));

    wang.line().next(On::Sync, Fault::Delay(50_000)); // the work by itself
    wang.line().next(On::Sync, Fault::LoseAnswer); // the news by themselves
    let _ = wang.sync().await;

    assert_eq!(
        tenure().as_deref(),
        Some("borrowed"),
        "its receipt alone takes nothing away"
    );
    wang.syncs().await;
    assert_eq!(tenure().as_deref(), Some("borrowed"));
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn what_left_while_cursors_were_unknown_leaves_the_phone_once_all_is_read_anew() {
    let world = World::new(36).await;
    let grid = world.grid(0);
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let (here, flat) = (wang.flats().len(), wang.flat(0));
    // A row in the scope that the server never put there, and cursors of another server.
    let Some(connection) = beside(&wang) else {
        // Where the database is encrypted, nobody can plant anything beside the store.
        return;
    };
    connection
        .execute_batch(
            "INSERT INTO record (kind, id, rev, schema, body, under)
                 SELECT kind, zeroblob(16), rev, schema, body, under FROM record
                 WHERE kind = 'household' LIMIT 1;
             INSERT INTO membership (scope, key)
                 SELECT scope, last_insert_rowid() FROM membership
                 WHERE key = (SELECT MIN(key) FROM record WHERE kind = 'household');
             UPDATE scope SET cursor = 'another server';",
        )
        .expect("it is planted");
    assert_eq!(wang.flats().len(), here + 1);
    let visit = wang.visits(flat, "一切正常");

    wang.syncs().await;

    assert_eq!(wang.flats().len(), here, "the stray row is gone");
    assert_eq!(wang.home(flat).visits[0].id, visit);
    world.check(&[&wang]).await;
}

/// Whoever holds the household now works on it as on any other.
async fn edit_reaches(author: &Phone, reader: &Phone, person: RecordId) {
    author.changes_phone(person, "15422220001");
    author.syncs().await;
    reader.syncs().await;
    assert_eq!(reader.phone_of(person), "15422220001");
}

#[tokio::test]
async fn a_household_on_its_way_to_a_grid_that_is_taken_before_it_was_read_goes_too() {
    let world = World::new(310).await;
    let (from, to) = (world.grid(0), world.grid(1));
    world.settle(&from, 3).await;
    world.settle(&to, 400).await;
    let wang = world.worker("王", &from).await;
    let zhao = world.head("赵", &from).await;
    world.grant(zhao.user(), "赵", Role::GridHead, &to).await;
    wang.syncs().await;
    zhao.syncs().await;
    let gone = wang.flat(0);
    world.grant(wang.user(), "王", Role::GridWorker, &to).await;
    wang.line().weather(|_| Some(Fault::CutAnswer(1_500)));
    let _ = wang.sync().await;
    let shown = zhao.sees(&HOUSEHOLD, gone).shown;
    let moved = fields(json!({ "grid": to }));
    zhao.book()
        .command(&HOUSEHOLD, &shown, "move", moved)
        .expect("a head moves");
    zhao.syncs().await;
    let _ = wang.sync().await;
    assert!(
        wang.finds(&HOUSEHOLD, gone).is_some(),
        "it stays in view until its new grid was read"
    );

    world.revoke(&wang, Role::GridWorker, &to).await;
    wang.line().is_good();
    wang.syncs().await;

    assert!(wang.finds(&HOUSEHOLD, gone).is_none());
    world.check(&[&wang, &zhao]).await;
}
