//! Disks that fail while the software goes on: a change that fails once, all changes from one on,
//! a full disk, one that can only be read. Afterwards the disk is well again.
//!
//! Whoever was told "saved" finds it saved; nobody panics; and once the disk is well everything
//! comes into step, with the app begun anew or without.

#![expect(clippy::print_stdout, reason = "the count of points is the result")]

use std::future::Future;

use pocketbook::photos::Size;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::Mid;
use pocketbook_records::kinds::person::PERSON_SENSITIVE;
use pocketbook_sqlite::is_encryption_built;
use pocketbook_tests::proofs;
use pocketbook_tests::sim::look;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Phone, World, pictures};
use serde_json::json;

use super::disk::{Disk, Failure};

const FAILURES: [Failure; 4] = [
    Failure::Once,
    Failure::ForGood,
    Failure::Full,
    Failure::ReadOnly,
];

/// At how many of a scenario's changes the disk begins to fail; `POINTS=n` says otherwise.
fn points() -> usize {
    let asked = std::env::var("POINTS").ok();
    asked.and_then(|points| points.parse().ok()).unwrap_or(8)
}

/// Plays a scenario with a disk that fails at the nth change, for changes all over it.
async fn fails_all_over<F>(name: &str, plays: impl Fn(usize, Failure) -> F)
where
    F: Future<Output = usize>,
{
    let changes = plays(usize::MAX, Failure::Once).await;
    let stride = changes.div_ceil(points()).max(1);
    let mut played = 0;
    for how in FAILURES {
        for n in (1..=changes).step_by(stride) {
            plays(n, how).await;
            played += 1;
        }
    }
    println!("{name}: {played} failing disks at one of {changes} changes");
    proofs::tell("failing-disks", played);
}

async fn wang() -> (World, Phone) {
    let world = World::new(41).await;
    world.settle(&world.grid(0), 3).await;
    let wang = world.worker("王", &world.grid(0)).await;
    wang.syncs().await;
    (world, wang)
}

/// The disk is well: everything comes into step.
async fn comes_into_step(world: &World, wang: &Phone, at: &str) {
    for _ in 0..4 {
        if wang.sync().await.is_ok() {
            break;
        }
        world.hours_pass(1);
    }
    wang.syncs().await;
    let status = wang.status();
    assert_eq!((status.waiting, status.photos), (0, 0), "{at}");
    world.check(&[wang]).await;
}

/// A morning's work, as far as the storage lets it; returns what was saved.
fn works(world: &World, wang: &Phone) -> Vec<Mid> {
    let book = wang.book();
    let home = wang.flat(0);
    let screen = wang.sees(&PERSON_SENSITIVE, wang.person(home, 0));
    let mut saved = Vec::new();
    let edited = wang.tries_to_enter(&screen, "phone", json!("15400000001"));
    saved.extend(edited.map(|authored| authored.mid));
    let member = json!({"household": home, "name": "新来", "relation": "other"});
    let added = book.add_person(fields(member), Fields::new());
    saved.extend(added.map(|(_, authored)| authored.mid));
    let cover =
        json!({"grid": world.grid(0), "category": "C0101", "place": "东门", "text": "井盖破损"});
    let reported = book.draft_case(None, &fields(cover)).and_then(|draft| {
        book.add_photo(draft, &pictures::photo(0), Size::Master)?;
        book.report(draft)
    });
    saved.extend(reported.map(|report| report.authored.mid));
    saved
}

#[tokio::test]
async fn a_phone_whose_storage_fails_keeps_what_it_said_it_had_saved() {
    if is_encryption_built() {
        return;
    }
    fails_all_over("phone at work", |n, how| async move {
        let at = format!("{how:?} from change {n} on");
        let (world, wang) = wang().await;
        let disk = Disk::watch(&wang.folder());
        disk.fails(n, how);
        let saved = works(&world, &wang);
        let _ = wang.sync().await;
        disk.recovers();
        let changes = disk.changes();
        drop(disk);
        if n % 2 == 0 {
            wang.is_killed();
        }
        let kept = look::device(&wang).expect("it is in clear").authored;
        for mid in saved {
            assert!(kept.iter().any(|one| one.mid == mid), "{at}: {mid} is lost");
        }
        works(&world, &wang);
        comes_into_step(&world, &wang, &at).await;
        changes
    })
    .await;
}

#[tokio::test]
async fn a_phone_whose_storage_fails_while_it_reads_a_grid_reads_it_later() {
    if is_encryption_built() {
        return;
    }
    fails_all_over("phone at first sync", |n, how| async move {
        let world = World::new(42).await;
        world.settle(&world.grid(0), 3).await;
        let wang = world.worker("王", &world.grid(0)).await;
        let disk = Disk::watch(&wang.folder());
        disk.fails(n, how);
        let _ = wang.sync().await;
        disk.recovers();
        let changes = disk.changes();
        drop(disk);
        if n % 2 == 0 {
            wang.is_killed();
        }
        comes_into_step(&world, &wang, &format!("{how:?} from change {n} on")).await;
        changes
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_disk_fails_loses_nothing_that_it_answered_for() {
    fails_all_over("server taking work", |n, how| async move {
        let (world, wang) = wang().await;
        works(&world, &wang);
        let disk = Disk::watch(&world.town().data());
        disk.fails(n, how);
        let _ = wang.sync().await;
        disk.recovers();
        let changes = disk.changes();
        drop(disk);
        if n % 2 == 0 {
            world.town().restarts();
        }
        comes_into_step(&world, &wang, &format!("{how:?} from change {n} on")).await;
        changes
    })
    .await;
}
