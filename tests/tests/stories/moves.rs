//! Households move between grids, grids are split and merged: what a phone holds already is named
//! to it, and not sent once more.

use pocketbook::store::status::SyncState;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Entry;
use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_tests::sim::look::beside;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Fault, Phone, World};
use serde_json::json;

/// What a phone heard since so many requests: bodies, names without bodies, and bytes of both.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    bodies: Vec<(String, RecordId)>,
    links: Vec<(String, RecordId)>,
}

fn heard(phone: &Phone, since: usize) -> Heard {
    let mut heard = Heard::default();
    let mut put =
        |put: &pocketbook_records::wire::Put| heard.bodies.push((put.kind.clone(), put.id));
    let mut links = Vec::new();
    for passed in phone.line().passed().split_off(since) {
        if let Some((_, answer)) = passed.exchange() {
            answer.bodies.iter().for_each(&mut put);
            for entry in answer.scopes.values().flat_map(|page| &page.entries) {
                match entry {
                    Entry::Put(body) => put(body),
                    Entry::Link(link) => links.push((link.kind.clone(), link.id)),
                    Entry::Leave { .. } | Entry::Tomb { .. } => {}
                }
            }
        }
        for frame in passed.frames() {
            frame.rows.iter().for_each(&mut put);
            links.extend(frame.links.into_iter().map(|link| (link.kind, link.id)));
        }
    }
    heard.links = links;
    heard
}

fn so_far(phone: &Phone) -> usize {
    phone.line().passed().len()
}

fn of(kind: &str, heard: &[(String, RecordId)]) -> usize {
    heard.iter().filter(|(name, _)| name == kind).count()
}

/// A worker of two grids, in step.
async fn worker_of_both(world: &World, name: &str) -> Phone {
    let wang = world.worker(name, &world.grid(0)).await;
    world
        .grant(wang.user(), name, Role::GridWorker, &world.grid(1))
        .await;
    wang.syncs().await;
    wang
}

/// The line lets so many requests through, and loses the others.
fn only(phone: &Phone, requests: usize) {
    let mut left = requests;
    phone.line().weather(move |_| match left {
        0 => Some(Fault::LoseRequest),
        _ => {
            left -= 1;
            None
        }
    });
}

fn moves(head: &Phone, flat: RecordId, to: &UnitId) {
    let shown = head.sees(&HOUSEHOLD, flat).shown;
    head.book()
        .command(&HOUSEHOLD, &shown, "move", fields(json!({"grid": to})))
        .expect("saved");
}

async fn redraws(world: &World, from: &UnitId, to: &UnitId, flats: Option<&[RecordId]>) -> u64 {
    let command = Command::MoveHouseholds {
        from: from.clone(),
        to: to.clone(),
        all: flats.is_none(),
    };
    let lines = flats.unwrap_or_default().iter().map(ToString::to_string);
    match world.town().does(command, lines.collect()).await {
        Outcome::Households { moved, bad: 0 } => moved,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_household_that_moves_between_two_grids_of_a_phone_is_not_sent_again() {
    let world = World::new(901).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = worker_of_both(&world, "王").await;
    let zhao = world.head("赵", &grid).await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    let visit = wang.visits(flat, "下周搬家");
    wang.syncs().await;
    zhao.syncs().await;
    let people = wang.home(flat).people.len();
    let feng = world.worker("冯", &other).await;
    feng.syncs().await;
    moves(&zhao, flat, &other);
    zhao.syncs().await;
    let (before, before_feng) = (so_far(&wang), so_far(&feng));

    wang.syncs().await;
    feng.syncs().await;

    let here = heard(&wang, before);
    assert_eq!(
        here.bodies,
        [("household".to_owned(), flat)],
        "only it has changed"
    );
    assert_eq!(of("person", &here.links), people);
    assert_eq!(of("visit", &here.links), 1);
    let new = heard(&feng, before_feng);
    assert!(new.links.is_empty(), "who did not hold them gets them");
    assert_eq!(of("person", &new.bodies), people);
    assert_eq!(wang.home(flat).visits[0].id, visit);
    assert_eq!(wang.home(flat).people.len(), people);
    world.check(&[&wang, &zhao, &feng]).await;
}

#[tokio::test]
async fn what_changed_before_the_move_and_unheard_is_sent_whole() {
    let world = World::new(902).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = worker_of_both(&world, "王").await;
    let zhao = world.head("赵", &grid).await;
    zhao.syncs().await;
    let flat = wang.flat(0);
    let (changed, unchanged) = (wang.person(flat, 0), wang.person(flat, 1));
    let newcomer = zhao.adds_person(flat, "新生儿", "child");
    zhao.changes_phone(changed, "15411110001");
    zhao.syncs().await;
    moves(&zhao, flat, &other);
    zhao.syncs().await;
    let before = so_far(&wang);

    wang.syncs().await;

    assert_eq!(wang.phone_of(changed), "15411110001");
    assert!(wang.finds(&PERSON, newcomer).is_some());
    let here = heard(&wang, before);
    let is_here = |kind: &str, id| here.bodies.contains(&(kind.to_owned(), id));
    assert!(is_here(PERSON_SENSITIVE.name, changed) && is_here(PERSON.name, newcomer));
    let is_named = |kind: &str, id| here.links.contains(&(kind.to_owned(), id));
    assert!(
        !is_named(PERSON_SENSITIVE.name, changed),
        "she has it not in this form"
    );
    assert!(!is_here(PERSON.name, unchanged));
    world.check(&[&wang, &zhao]).await;
}

#[tokio::test]
async fn what_only_passed_through_a_grid_unheard_is_sent_whole() {
    let world = World::new(908).await;
    let (grid, other, third) = (world.grid(0), world.grid(1), world.grid(2));
    world.settle(&grid, 5).await;
    world.settle(&third, 5).await;
    let wang = worker_of_both(&world, "王").await;
    redraws(&world, &third, &grid, None).await;
    redraws(&world, &grid, &other, None).await;
    let before = so_far(&wang);

    wang.syncs().await;

    let here = heard(&wang, before);
    assert_eq!(wang.flats().len(), 10);
    let twice = here.links.iter().find(|link| here.bodies.contains(link));
    assert_eq!(twice, None, "named although she never had it");
    assert!(of("person", &here.bodies) > 0 && of("person", &here.links) > 0);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_grid_is_split_and_merged_again_and_no_body_that_stays_travels() {
    let world = World::new(903).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 40).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let visit = wang.visits(wang.flat(3), "拆分之前");
    wang.syncs().await;
    let flats = wang.flats();
    let before = so_far(&wang);

    // Split: a new grid for the same worker, whose phone has never read it.
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    assert_eq!(redraws(&world, &grid, &other, Some(&flats[..15])).await, 15);
    wang.syncs().await;

    let split = heard(&wang, before);
    assert_eq!(split.bodies.len(), 15, "{:?}", split.bodies);
    assert_eq!(of("household", &split.bodies), 15);
    assert!(of("person", &split.links) >= 15 && of("visit", &split.links) == 1);
    assert_eq!(wang.flats().len(), 40);
    assert!(wang.finds(&VISIT, visit).is_some());
    world.check(&[&wang]).await;

    // Merged again: all that the new grid holds goes back.
    let before = so_far(&wang);
    assert_eq!(redraws(&world, &other, &grid, None).await, 15);
    wang.syncs().await;
    let merged = heard(&wang, before);
    assert_eq!(merged.bodies.len(), 15);
    assert!(merged.bodies.iter().all(|(kind, _)| kind == "household"));
    assert_eq!(of("person", &merged.links), of("person", &split.links));
    world.revoke(&wang, Role::GridWorker, &other).await;
    wang.syncs().await;
    assert_eq!(wang.flats().len(), 40);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn what_is_named_and_not_here_is_asked_for_and_the_grid_is_not_complete_before() {
    let world = World::new(904).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 30).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flats = wang.flats();
    let people = wang.home(flats[0]).people.len();

    // They moved before the new grid was hers, so they left her phone.
    redraws(&world, &grid, &other, Some(&flats[..10])).await;
    wang.syncs().await;
    assert_eq!(wang.flats().len(), 20);
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    only(&wang, 2);
    let _ = wang.sync().await;
    assert_ne!(
        wang.status().state,
        SyncState::Synced,
        "named, and not here"
    );
    wang.is_killed();
    wang.line().is_good();
    wang.syncs().await;

    assert_eq!(wang.flats().len(), 30);
    assert_eq!(wang.home(flats[0]).people.len(), people);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_row_that_vanished_from_the_phone_comes_whole_where_it_was_only_named() {
    let world = World::new(905).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = worker_of_both(&world, "王").await;
    let flat = wang.flat(0);
    let moving = [flat, wang.flat(1)];
    let (lost, older) = (wang.person(flat, 0), wang.person(moving[1], 0));
    let Some(connection) = beside(&wang) else {
        // Where the database is encrypted, nobody can spoil anything beside the store.
        return;
    };
    connection
        .execute_batch(&format!(
            "DELETE FROM record WHERE kind = 'person' AND id = x'{}';
             DELETE FROM membership WHERE key NOT IN (SELECT key FROM record);
             UPDATE record SET rev = rev - 1, body = '{{}}'
             WHERE kind = 'person' AND id = x'{}';",
            lost.0.simple(),
            older.0.simple()
        ))
        .expect("it is spoiled");
    drop(connection);
    redraws(&world, &grid, &other, Some(&moving)).await;
    let before = so_far(&wang);
    only(&wang, 1);
    let _ = wang.sync().await;
    assert_ne!(
        wang.status().state,
        SyncState::Synced,
        "she lacks two persons"
    );
    wang.line().is_good();

    wang.syncs().await;

    let here = heard(&wang, before);
    let mut bodies: Vec<_> = here
        .bodies
        .iter()
        .filter(|(kind, _)| kind == "person")
        .collect();
    bodies.sort();
    let mut wanted = [("person".to_owned(), lost), ("person".to_owned(), older)];
    wanted.sort();
    assert!(bodies.into_iter().eq(&wanted), "{here:?}");
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_move_that_is_heard_in_pieces_hides_nothing_and_sends_no_body_twice() {
    for bytes in [600, 2_000, 5_000] {
        let world = World::new(906).await;
        let (grid, other) = (world.grid(0), world.grid(1));
        world.settle(&grid, 40).await;
        let wang = worker_of_both(&world, "王").await;
        let flats = wang.flats();
        redraws(&world, &grid, &other, Some(&flats[..20])).await;
        wang.line().weather(move |_| Some(Fault::CutAnswer(bytes)));
        let _ = wang.sync().await;
        wang.is_killed();
        assert_eq!(wang.flats().len(), 40, "all of them stay in view");
        wang.line().is_good();
        let before = so_far(&wang);

        wang.syncs().await;

        let here = heard(&wang, before);
        assert!(here.bodies.iter().all(|(kind, _)| kind == "household"));
        assert_eq!(wang.flats().len(), 40);
        world.check(&[&wang]).await;
    }
}

#[tokio::test]
async fn a_person_deleted_after_the_move_is_not_waited_for() {
    let world = World::new(907).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    world.grant(zhao.user(), "赵", Role::GridHead, &other).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let person = wang.person(flat, 0);
    redraws(&world, &grid, &other, Some(&[flat])).await;
    wang.syncs().await;
    zhao.syncs().await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    // She hears the names, and not yet the bodies.
    only(&wang, 2);
    let _ = wang.sync().await;
    let seen = zhao.sees(&PERSON, person).shown.rev;
    zhao.book().delete(&PERSON, person, seen).expect("saved");
    zhao.syncs().await;
    wang.line().is_good();

    wang.syncs().await;

    assert!(wang.finds(&PERSON, person).is_none());
    assert!(wang.finds(&HOUSEHOLD, flat).is_some());
    world.check(&[&wang, &zhao]).await;
}
