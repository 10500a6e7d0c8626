//! A server whose power is cut, at every change of its data directory.

#![expect(
    clippy::disallowed_methods,
    reason = "the oracle believes the files, not the server"
)]

use std::fs;
use std::path::Path;

use futures_util::FutureExt;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::carry_out;
use pocketbook_server::admin::restore::restore;
use pocketbook_server::admin::wire::{Command, Finding, Level, Outcome};
use pocketbook_tests::world::{Phone, Town, World, pictures};

use super::sweep::{Watch, sweeps};
use super::tables::tables;

/// An opening reserves commit numbers.
const OPENING: &[&str] = &["districts"];
/// One after a restore also begins a history and leaps official numbers; cut off, it does so again.
const RESTORING: &[&str] = &["districts", "lost_intervals", "commits", "counters"];
/// What a doctor may complain of here: the test machine's disk, and that nobody made a backup.
const NOT_OURS: [&str; 2] = ["磁盘空间", "备份"];

/// Opens the server over an image of its data directory, lets the doctor look, and returns what
/// the database holds, but for some tables.
fn opens(town: &Town, folder: &Path, but: &[&str]) -> Result<String, String> {
    let server = town
        .opens_at(folder)
        .map_err(|error| format!("{error:?}"))?;
    let mut none = std::iter::empty();
    let examined = carry_out(&server, Command::Doctor, &mut none, &mut |_| {}).now_or_never();
    let examined = examined
        .ok_or("the doctor waits")?
        .map_err(|error| error.to_string())?;
    server.stop();
    let Outcome::Findings { findings } = examined else {
        return Err("no findings".to_owned());
    };
    let is_bad = |finding: &&Finding| {
        finding.level == Level::Alarm
            && !NOT_OURS.iter().any(|name| finding.about.starts_with(name))
    };
    if let Some(bad) = findings.iter().find(is_bad) {
        return Err(format!("{}: {}", bad.about, bad.text));
    }
    let database = folder.join("data/pocketbook.db");
    let state = tables(&database, |table| but.contains(&table))?;
    // What a restore replays counts as state; a restore itself adds to it with each try.
    let outside = match but == OPENING {
        true => fs::read_to_string(folder.join("beside/outside.ndjson")).unwrap_or_default(),
        false => String::new(),
    };
    Ok(state + &outside)
}

/// Watches a server through a scenario and cuts its power at every change.
fn cuts_power(name: (&str, usize), world: &World, watch: Watch) {
    sweeps(name, &watch.ends(), &|folder| {
        opens(world.town(), folder, OPENING)
    });
}

/// A worker in step, with a few households.
async fn wang(seed: u64) -> (World, Phone) {
    let world = World::new(seed).await;
    world.settle(&world.grid(0), 3).await;
    let wang = world.worker("王", &world.grid(0)).await;
    wang.syncs().await;
    (world, wang)
}

#[tokio::test]
async fn taking_work_and_photos() {
    let (world, wang) = wang(21).await;
    let home = wang.flat(0);
    wang.changes_phone(wang.person(home, 0), "15400000001");
    wang.visits(home, "一切正常");
    wang.reports_cover(&world.grid(0), "东门", &[pictures::photo(0)]);
    let watch = Watch::over(&world.town().data());
    wang.syncs().await;
    cuts_power(("server: work and photos", 3), &world, watch);
}

#[tokio::test]
async fn importing_people() {
    let world = World::new(22).await;
    let watch = Watch::over(&world.town().data());
    world.settle(&world.grid(0), 2).await;
    watch.disk.promise();
    world.settle(&world.grid(1), 2).await;
    cuts_power(("server: import", 3), &world, watch);
}

#[tokio::test]
async fn publishing_the_book() {
    let world = World::new(23).await;
    let watch = Watch::over(&world.town().data());
    world.publishes(|part| part.part.articles.truncate(2)).await;
    cuts_power(("server: pocket book", 2), &world, watch);
}

#[tokio::test]
async fn giving_and_taking_a_grid() {
    let (world, wang) = wang(24).await;
    let watch = Watch::over(&world.town().data());
    world
        .grant(wang.user(), "王", Role::GridWorker, &world.grid(1))
        .await;
    watch.disk.promise();
    world.revoke(&wang, Role::GridWorker, &world.grid(0)).await;
    cuts_power(("server: grant and revoke", 5), &world, watch);
}

#[tokio::test]
async fn accounts_and_enrolments() {
    let world = World::new(25).await;
    let watch = Watch::over(&world.town().data());
    world.account("王").await;
    watch.disk.promise();
    let code = world.code("王").await;
    watch.disk.promise();
    Phone::new(world.town(), "王", "phone")
        .enrols(&code.code)
        .await;
    cuts_power(("server: account and enrolment", 4), &world, watch);
}

#[tokio::test]
async fn working_at_the_desk() {
    let (world, wang) = wang(26).await;
    let case = wang.reports_cover(&world.grid(0), "东门", &[]).id;
    wang.syncs().await;
    let desk = world.street_desk("孙").await;
    let watch = Watch::over(&world.town().data());
    desk.accepts(case).await;
    watch.disk.promise();
    desk.dispatches(case, &world.menders(), 24).await;
    cuts_power(("server: desk", 3), &world, watch);
}

#[tokio::test]
async fn backing_up() {
    let (world, wang) = wang(27).await;
    wang.reports_cover(&world.grid(0), "东门", &[pictures::photo(0)]);
    wang.syncs().await;
    let watch = Watch::over(&world.town().data());
    world.town().backs_up("night").await;
    cuts_power(("server: during a backup", 2), &world, watch);
}

/// A restore that is cut off is not begun, or goes on with the next try.
#[tokio::test]
async fn restoring() {
    let (world, wang) = wang(28).await;
    let backup = world.town().backs_up("night").await;
    wang.visits(wang.flat(0), "一切正常");
    wang.syncs().await;
    let watch = Watch::over(&world.town().data());
    world.town().restores(&backup);
    sweeps(("server: restore", 2), &watch.ends(), &|folder| {
        if opens(world.town(), folder, RESTORING).is_err() {
            // It can't be opened while the data directory is on its way: the operator tries again.
            let options = world.town().options();
            restore(folder, &backup, options).map_err(|error| format!("{error:?}"))?;
        }
        opens(world.town(), folder, RESTORING)
    });
}
