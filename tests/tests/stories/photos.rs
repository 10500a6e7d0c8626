//! Photos beside the main road: looked at by others, named twice, damaged, in the way.

#![expect(
    clippy::disallowed_methods,
    reason = "a test damages a photo as a bad disk does: behind the app's back"
)]

use pocketbook::books::Change;
use pocketbook::engine::SyncError;
use pocketbook::photos::{self, Size};
use pocketbook::seams::{Files, TransportError};
use pocketbook::store::blobs::{PhotoState, Rendering};
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Key;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Client, Desk, Fault, On, Phone, World};
use serde_json::{Value, json};

fn case(id: RecordId) -> Key {
    Key {
        kind: "case".into(),
        id,
    }
}

fn first_photo(phone: &Phone, id: RecordId) -> BlobHash {
    phone
        .book()
        .case(id)
        .expect("the case is here")
        .fields
        .photos[0]
}

fn has(phone: &Phone, hash: BlobHash, rendering: Rendering) -> bool {
    let photo = phone.store().photo(hash, rendering);
    photo.expect("the photo reads").is_some()
}

fn state(phone: &Phone, hash: BlobHash) -> Option<PhotoState> {
    phone.store().photo_state(hash).expect("the store reads")
}

/// Returns how many files of a photo lie on a phone's disk, readable or not.
fn files_of(phone: &Phone, hash: BlobHash) -> usize {
    let files = phone.storage().list("").expect("the files list");
    let name = hash.to_string();
    files.iter().filter(|file| file.starts_with(&name)).count()
}

/// Damages the master of a photo on a phone's disk.
fn damage(phone: &Phone, hash: BlobHash) {
    let mut folders = vec![phone.folder()];
    let name = format!("{hash}.m");
    let mut damaged = false;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with(&name) {
                let mut bytes = std::fs::read(&path).expect("a file");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(&path, bytes).expect("a file");
                damaged = true;
            }
        }
    }
    assert!(damaged, "the photo lies on the disk");
}

#[tokio::test]
async fn a_thumbnail_comes_with_the_record_and_the_photo_when_somebody_looks() {
    let world = World::new(513).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    li.syncs().await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0), photo(1)]).id;
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;

    let before = li.syncs().await;
    let hash = first_photo(&li, id);
    assert_eq!(before.thumbnails, 0, "the photos are still on his phone");
    assert_eq!(state(&li, hash), Some(PhotoState::Fetched));
    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(
        li.syncs().await.thumbnails,
        0,
        "it is not asked for all the time"
    );
    world.hours_pass(1);
    li.line().next(On::Thumbnails, Fault::CutAnswer(100));
    let cut = li.syncs().await;
    assert_eq!((cut.thumbnails, cut.put_off), (0, 1));

    let came = li.syncs().await;

    assert_eq!(came.thumbnails, 2);
    li.offline();
    let [here, there] = [&li, &wang].map(|phone| {
        let thumbnail = phone.store().photo(hash, Rendering::Thumbnail);
        thumbnail.expect("reads").expect("is here")
    });
    let jpeg = photos::prepare(&there, Size::Master).expect("a picture");
    let same = photos::prepare(&here, Size::Master).expect("a picture");
    assert_eq!((jpeg.width, jpeg.height), (same.width, same.height));
    assert!(here.len() <= photos::THUMBNAIL_MAX_BYTES);
    assert!(!has(&li, hash, Rendering::Master), "nobody looked yet");
    assert_eq!(li.status().photos, 0, "nothing of it waits here");
    li.online();

    world.revoke(&li, Role::GridWorker, &grid).await;
    li.syncs().await;
    assert!(!has(&li, hash, Rendering::Thumbnail));
    assert_eq!(state(&li, hash), None);
    assert_eq!(
        li.engine()
            .fetch_photo(&case(id), hash)
            .await
            .err()
            .map(|e| e.to_string()),
        Some(pocketbook::Error::NotFound.to_string())
    );
}

#[tokio::test]
async fn a_desks_photo_has_a_thumbnail_too_and_a_file_that_is_no_picture_has_none() {
    let world = World::new(514).await;
    let grid = world.grid(0);
    let li = world.worker("李", &grid).await;
    let chen = world.street_desk("陈").await;
    let desk = chen.client();
    let picture = desk.uploads(&photo(2)).await;
    let other = desk.uploads(b"%PDF-1.7 not a picture").await;
    let asked = json!({
        "mid": chen.mid(), "grid": grid, "category": "C0101", "place": "渭阳西路",
        "text": "井盖缺失", "source": "12345", "photos": [picture, other],
    });
    desk.posts("/v1/desk/cases", &asked).await.ok();
    let [picture, other] = [picture, other].map(|hash| hash.parse().expect("a hash"));

    let came = li.syncs().await;

    assert_eq!(came.thumbnails, 1);
    assert!(has(&li, picture, Rendering::Thumbnail));
    assert!(!has(&li, other, Rendering::Thumbnail));
    world.hours_pass(1);
    let asked = |phone: &Phone| {
        let passed = phone.line().passed();
        passed
            .iter()
            .filter(|passed| passed.request.path == "/v1/thumbnails")
            .count()
    };
    let before = asked(&li);
    li.syncs().await;
    assert_eq!(asked(&li), before, "what has none is not asked for again");
}

#[tokio::test]
async fn a_file_that_the_server_lost_stops_no_other_and_is_asked_for_ever_more_rarely() {
    let world = World::new(515).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    li.syncs().await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0), photo(1), photo(2)]);
    wang.syncs().await;
    let photos = wang.book().case(case.id).expect("here").fields.photos;
    let lost = photos[0].to_string();
    let object = world.town().data().join("data/blobs").join(&lost[..2]);
    std::fs::remove_file(object.join(&lost[2..])).expect("the object is there");

    let came = li.syncs().await;

    assert_eq!((came.thumbnails, came.put_off), (2, 0));
    let asked = || {
        let passed = li.line().passed();
        let asked = passed
            .iter()
            .filter(|passed| passed.request.path == "/v1/thumbnails");
        asked.count()
    };
    let before = asked();
    for _ in 0..14 * 24 {
        world.hours_pass(1);
        li.syncs().await;
    }
    assert!((10..40).contains(&(asked() - before)), "{}", asked());
}

#[tokio::test]
async fn a_neighbours_photo_is_fetched_once_it_is_there_and_goes_with_the_grid() {
    let world = World::new(501).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    li.syncs().await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    li.syncs().await;
    let hash = first_photo(&li, id);
    let chen = world.street_desk("陈").await;
    let missing = async |desk: &Desk| desk.sees(id).await["missing"].clone();
    assert_eq!(
        missing(&chen).await,
        json!([{"hash": hash, "with": "王"}]),
        "the desk reads on whose phone it is"
    );

    let early = li.engine().fetch_photo(&case(id), hash).await;
    assert!(matches!(early, Err(SyncError::NotThereYet)), "{early:?}");

    wang.line().is_good();
    wang.syncs().await;
    assert_eq!(missing(&chen).await, json!([]));
    li.line().next(On::Fetch, Fault::CutAnswer(20_000));
    li.engine()
        .fetch_photo(&case(id), hash)
        .await
        .expect("the rest comes after a cut");
    let ranges = li.line().passed().into_iter().filter(|passed| {
        let mut headers = passed.request.headers.iter();
        headers.any(|(name, value)| *name == "range" && value == "bytes=20000-")
    });
    assert_eq!(
        ranges.count(),
        1,
        "what had arrived was not asked for again"
    );
    let [here, there] = [&li, &wang].map(|phone| {
        let photo = phone.store().photo(hash, Rendering::Master);
        photo.expect("reads").expect("is here")
    });
    assert_eq!(here, there);
    assert!(has(&li, hash, Rendering::Thumbnail));
    assert_eq!(li.status().photos, 0, "nothing of it waits on her phone");

    li.offline();
    li.engine()
        .fetch_photo(&case(id), hash)
        .await
        .expect("what is here needs no line");
    let offline = li.engine().fetch_photo(&case(id), BlobHash([7; 32])).await;
    assert!(offline.is_err(), "no record names it");
    li.online();

    world.revoke(&li, Role::GridWorker, &grid).await;
    li.syncs().await;
    assert!(!has(&li, hash, Rendering::Master) && !has(&li, hash, Rendering::Thumbnail));
    assert_eq!(state(&li, hash), None, "a fetched photo goes at once");
}

#[tokio::test]
async fn without_a_line_fetching_says_so() {
    let world = World::new(502).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    li.syncs().await;
    li.offline();

    let offline = li
        .engine()
        .fetch_photo(&case(id), first_photo(&li, id))
        .await;

    assert!(
        matches!(offline, Err(SyncError::Transport(TransportError::Offline))),
        "{offline:?}"
    );
}

#[tokio::test]
async fn of_two_entries_with_one_photo_one_is_withdrawn_and_the_photo_still_arrives() {
    let world = World::new(503).await;
    let grid = world.grid(0);
    world.settle(&grid, 3).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let flat = wang.flat(0);
    let seen = wang.sees(&HOUSEHOLD, flat).shown.rev;
    let taken = wang
        .store()
        .take_photo(&HOUSEHOLD, flat, &photo(0), Size::Master);
    let hash = taken.expect("a photo").0;
    let change = Change {
        path: "photos".into(),
        was: Value::Null,
        to: json!([hash]),
    };
    let edit = |change: &Change| {
        let edited = wang
            .book()
            .edit(&HOUSEHOLD, flat, seen, std::slice::from_ref(change));
        edited.expect("an edit")
    };
    edit(&change);
    let twice = edit(&change);
    wang.book().withdraw(twice.mid).expect("nothing was sent");

    assert_eq!(state(&wang, hash), Some(PhotoState::Waiting));
    wang.online();
    wang.syncs().await;

    assert_eq!(state(&wang, hash), Some(PhotoState::Stored));
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_photo_of_a_taken_grid_that_a_draft_names_too_is_still_the_drafts() {
    let world = World::new(504).await;
    let (taken, other) = (world.grid(0), world.grid(1));
    let wang = world.worker("王", &taken).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    wang.syncs().await;
    wang.reports_cover(&taken, "东门", &[photo(0)]);
    let draft = wang.drafts_cover(&other, "西门");
    let hash = wang.adds_photo(draft, &photo(0));

    world.revoke(&wang, Role::GridWorker, &taken).await;
    wang.syncs().await;
    wang.syncs().await;

    assert!(has(&wang, hash, Rendering::Thumbnail), "the draft shows it");
    let reported = wang.book().report(draft).expect("it is reported");
    wang.syncs().await;
    assert_eq!(first_photo(&wang, reported.id), hash);
    assert!(has(&wang, hash, Rendering::Master));
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_draft_of_a_taken_grid_keeps_its_photo() {
    let world = World::new(505).await;
    let grid = world.grid(0);
    world.settle(&grid, 2).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let draft = wang.drafts_cover(&grid, "东门");
    let hash = wang.adds_photo(draft, &photo(0));

    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &grid)
        .await;
    wang.syncs().await;

    wang.book().report(draft).expect("the draft is whole");
    wang.syncs().await;
    assert_eq!(state(&wang, hash), Some(PhotoState::Stored));
}

#[tokio::test]
async fn a_damaged_photo_is_named_and_taken_again_or_dropped() {
    let world = World::new(506).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let report = |place: &str, n: usize| {
        let draft = wang.drafts_cover(&grid, place);
        let hash = wang.adds_photo(draft, &photo(n));
        damage(&wang, hash);
        wang.book().report(draft).expect("it is reported");
        hash
    };
    let (again, dropped) = (report("东门", 0), report("西门", 1));
    let _ = wang.sync().await;

    let failed = wang.store().failed_photos().expect("the store reads");
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|failed| failed.reason == "damaged"));
    assert!(
        wang.store().retry_photo(again).is_err(),
        "it can't be sent as it is"
    );

    let elsewhere = wang.drafts_cover(&grid, "北门");
    assert_eq!(wang.adds_photo(elsewhere, &photo(0)), again);
    wang.store().drop_photo(dropped).expect("it had failed");
    wang.syncs().await;

    assert_eq!(state(&wang, again), Some(PhotoState::Stored));
    assert_eq!(state(&wang, dropped), None);
    assert!(
        wang.store().drop_photo(again).is_err(),
        "only what failed is dropped"
    );
    assert_eq!(wang.status().failed_photos, 0);
}

#[tokio::test]
async fn on_a_full_phone_masters_go_that_the_server_surely_has() {
    let world = World::new(507).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    let own = first_photo(&wang, id);
    wang.syncs().await;
    li.syncs().await;
    li.engine()
        .fetch_photo(&case(id), own)
        .await
        .expect("it is there");

    wang.has_free(1024 * 1024);
    li.has_free(1024 * 1024);
    wang.syncs().await;
    li.syncs().await;
    assert!(
        has(&wang, own, Rendering::Master),
        "no backup holds it yet: it stays"
    );
    assert!(!has(&li, own, Rendering::Master), "it can be fetched again");
    assert!(has(&li, own, Rendering::Thumbnail));

    world.town().backs_up("night").await;
    wang.syncs().await;
    wang.syncs().await;
    assert!(!has(&wang, own, Rendering::Master));
    assert_eq!(state(&wang, own), Some(PhotoState::Stored));

    wang.has_free(8 * 1024 * 1024 * 1024);
    wang.engine()
        .fetch_photo(&case(id), own)
        .await
        .expect("it is fetched when it is looked at");
    assert!(has(&wang, own, Rendering::Master));
    world.check(&[&wang, &li]).await;
}

/// The server has it, but might be thrown back to before it had.
#[tokio::test]
async fn an_own_photo_of_a_taken_grid_stays_until_a_backup_holds_it() {
    let world = World::new(509).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    let own = first_photo(&wang, id);
    wang.syncs().await;
    li.syncs().await;
    let fetched = li.engine().fetch_photo(&case(id), own).await;
    fetched.expect("it is there");

    for phone in [&wang, &li] {
        world.revoke(phone, Role::GridWorker, &grid).await;
        phone.syncs().await;
        assert!(!has(phone, own, Rendering::Master), "it is shown to nobody");
    }
    assert_eq!(state(&wang, own), Some(PhotoState::Stored), "and kept");
    assert_eq!(files_of(&li, own), 0, "what was fetched goes at once");

    world.town().backs_up("night").await;
    wang.syncs().await;
    wang.syncs().await;
    assert_eq!(state(&wang, own), None);
    assert_eq!(files_of(&wang, own), 0);
    world.check(&[&wang, &li]).await;
}

#[tokio::test]
async fn an_account_that_enrolled_again_owns_the_photos_of_before() {
    let world = World::new(508).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    wang.line().is_good();
    wang.enrols(world.code("王").await.code).await;
    wang.syncs().await;
    li.syncs().await;

    li.engine()
        .fetch_photo(&case(id), first_photo(&li, id))
        .await
        .expect("she who named it has delivered it");
}

#[tokio::test]
async fn who_delivered_a_photo_reads_it_as_long_as_he_reads_its_record() {
    let world = World::new(509).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    let id = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    let hash = first_photo(&wang, id);
    wang.syncs().await;
    let client = Client::with(world.town().clone(), wang.bearer());
    let path = format!("/v1/blobs/{hash}");
    assert_eq!(client.gets(&path).await.status, 200);

    world.revoke(&wang, Role::GridWorker, &grid).await;

    assert_eq!(client.gets(&path).await.status, 404);
}

/// Found by reading: who was told that the server has his photo, since he could read another's
/// record with the same one, had no right to name it any more once that grid was taken from him.
#[tokio::test]
async fn a_photo_that_need_not_be_sent_is_its_authors_all_the_same() {
    let world = World::new(72).await;
    let (taken, kept) = (world.grid(0), world.grid(1));
    let li = world.worker("李", &taken).await;
    let wang = world.worker("王", &kept).await;
    let sun = world.worker("孙", &kept).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &taken)
        .await;
    li.reports_cover(&taken, "东门", &[photo(0)]);
    li.syncs().await;
    wang.syncs().await;
    wang.reports_cover(&kept, "西门", &[photo(0)]);
    wang.syncs().await;

    world.revoke(&wang, Role::GridWorker, &taken).await;
    wang.syncs().await;
    sun.syncs().await;

    world.check(&[&wang, &sun, &li]).await;
}
