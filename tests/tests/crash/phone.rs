//! A phone whose power is cut, at every change of its storage.

use std::path::Path;

use pocketbook::books::Take;
use pocketbook::books::account::database;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Key;
use pocketbook_sqlite::is_encryption_built;
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Phone, World, pictures};
use serde_json::json;

use super::sweep::{Watch, sweeps};
use super::tables::tables;

/// Opens the app over an image of a phone's storage and returns what it holds. What a row says is
/// here must be here: a photo that waits for its upload has all its bytes.
fn opens(phone: &Phone, folder: &Path) -> Result<String, String> {
    let store = phone
        .opens_at(folder)
        .map_err(|error| format!("{error:?}"))?;
    let state = tables(&database(folder), |_| false)?;
    for row in state.lines().filter_map(|line| line.strip_prefix("blob|")) {
        let mut columns = row.split('|');
        let hash: BlobHash = columns
            .next()
            .and_then(|hash| hash.parse().ok())
            .ok_or("a hash")?;
        let length = columns
            .nth(2)
            .and_then(|bytes| bytes.parse().ok())
            .ok_or("a length")?;
        if !matches!(columns.next(), Some("draft" | "waiting")) {
            continue;
        }
        let mut bytes = vec![0; length];
        let read = store.read_upload(hash, 0, &mut bytes);
        let read = read.map_err(|error| format!("photo {hash}: {error:?}"))?;
        if BlobHash::of(&bytes[..read]) != hash {
            return Err(format!("photo {hash} is not what it was"));
        }
    }
    Ok(state)
}

/// Watches a phone through a scenario and cuts its power at every change.
fn cuts_power(name: (&str, usize), phone: &Phone, watch: Watch) {
    sweeps(name, &watch.ends(), &|folder| opens(phone, folder));
}

/// A worker in step, with a few households; none where the oracle can't read the file.
async fn wang(seed: u64) -> Option<(World, Phone)> {
    if is_encryption_built() {
        return None;
    }
    let world = World::new(seed).await;
    world.settle(&world.grid(0), 3).await;
    let wang = world.worker("王", &world.grid(0)).await;
    wang.syncs().await;
    Some((world, wang))
}

#[tokio::test]
async fn enrolling_and_first_sync() {
    if is_encryption_built() {
        return;
    }
    let world = World::new(1).await;
    world.settle(&world.grid(0), 3).await;
    let wang = world.worker("王", &world.grid(0)).await;
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    // What arrives by itself is kept by itself.
    cuts_power(("phone: first sync", 6), &wang, watch);
}

#[tokio::test]
async fn entering() {
    let Some((_world, wang)) = wang(2).await else {
        return;
    };
    let home = wang.flat(0);
    let person = wang.person(home, 0);
    let watch = Watch::over(&wang.folder());
    wang.changes_phone(person, "15400000001");
    watch.disk.promise();
    wang.visits(home, "一切正常");
    watch.disk.promise();
    wang.adds_person(home, "新来", "other");
    watch.disk.promise();
    wang.tags(person, "disabled", "证件");
    watch.disk.promise();
    let withdrawn = wang.notes_tenure(home, "rent");
    watch.disk.promise();
    wang.book()
        .withdraw(withdrawn.mid)
        .expect("nobody has it yet");
    cuts_power(("phone: entering", 7), &wang, watch);
}

#[tokio::test]
async fn reporting_with_photos() {
    let Some((world, wang)) = wang(3).await else {
        return;
    };
    let watch = Watch::over(&wang.folder());
    let draft = wang.drafts_cover(&world.grid(0), "东门");
    watch.disk.promise();
    for n in 0..2 {
        wang.adds_photo(draft, &pictures::photo(n));
        watch.disk.promise();
    }
    wang.book().report(draft).expect("the report is saved");
    cuts_power(("phone: report with photos", 7), &wang, watch);
}

#[tokio::test]
async fn handing_in_and_uploading() {
    let Some((world, wang)) = wang(4).await else {
        return;
    };
    let home = wang.flat(0);
    wang.changes_phone(wang.person(home, 0), "15400000001");
    wang.visits(home, "一切正常");
    wang.reports_cover(&world.grid(0), "东门", &[pictures::photo(0)]);
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    cuts_power(("phone: hand-in and upload", 4), &wang, watch);
}

#[tokio::test]
async fn losing_a_grid() {
    let Some((world, wang)) = wang(5).await else {
        return;
    };
    wang.reports_cover(&world.grid(0), "东门", &[pictures::photo(0)]);
    wang.syncs().await;
    wang.visits(wang.flat(0), "一切正常");
    world.revoke(&wang, Role::GridWorker, &world.grid(0)).await;
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    cuts_power(("phone: a grid is taken", 3), &wang, watch);
}

#[tokio::test]
async fn deciding_and_correcting() {
    let Some((world, wang)) = wang(6).await else {
        return;
    };
    let zhao = world.head("赵", &world.grid(0)).await;
    zhao.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    wang.changes_phone(person, "15400000001");
    zhao.changes_phone(person, "15400000002");
    zhao.syncs().await;
    wang.syncs().await;
    let review = wang.reviews_of(person).remove(0);
    let watch = Watch::over(&wang.folder());
    wang.decides(&review, Take::Candidate(review.candidates[0].id.clone()));
    watch.disk.promise();
    wang.syncs().await;
    cuts_power(("phone: a decision", 4), &wang, watch);
}

#[tokio::test]
async fn hearing_of_a_restore() {
    let Some((world, wang)) = wang(7).await else {
        return;
    };
    let backup = world.town().backs_up("night").await;
    let home = wang.flat(0);
    wang.changes_phone(wang.person(home, 0), "15400000001");
    wang.visits(home, "一切正常");
    wang.syncs().await;
    world.town().restores(&backup);
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    cuts_power(("phone: a restored server", 5), &wang, watch);
}

#[tokio::test]
async fn reading_the_book() {
    let Some((world, wang)) = wang(8).await else {
        return;
    };
    world.publishes(|part| part.part.articles.truncate(2)).await;
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    cuts_power(("phone: the pocket book", 3), &wang, watch);
}

#[tokio::test]
async fn looking_at_others_photos() {
    let Some((world, wang)) = wang(9).await else {
        return;
    };
    let li = world.worker("李", &world.grid(0)).await;
    let case = li.reports_cover(&world.grid(0), "东门", &[pictures::photo(1)]);
    li.syncs().await;
    let watch = Watch::over(&wang.folder());
    wang.syncs().await;
    watch.disk.promise();
    let of = Key {
        kind: CASE.name.into(),
        id: case.id,
    };
    let shown = wang.sees(&CASE, case.id).value("photos");
    let hash = shown[0].as_str().and_then(|hash| hash.parse().ok());
    let fetched = wang.engine().fetch_photo(&of, hash.expect("a hash")).await;
    fetched.expect("the photo comes");
    cuts_power(("phone: others' photos", 4), &wang, watch);
}

#[tokio::test]
async fn moving_a_household() {
    let Some((world, wang)) = wang(10).await else {
        return;
    };
    world
        .grant(wang.user(), "王", Role::GridWorker, &world.grid(1))
        .await;
    wang.syncs().await;
    let watch = Watch::over(&wang.folder());
    let shown = wang.sees(&HOUSEHOLD, wang.flat(0)).shown;
    let place = fields(json!({"grid": world.grid(1)}));
    let moved = wang.book().command(&HOUSEHOLD, &shown, "move", place);
    moved.expect("the move is saved");
    watch.disk.promise();
    wang.syncs().await;
    cuts_power(("phone: a move", 4), &wang, watch);
}
