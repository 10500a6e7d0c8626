//! A phone whose storage is full, broken, or from another time.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests are the faults that spoil the files"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use pocketbook::Error;
use pocketbook::seams::Request;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_sqlite::{OpenError, is_encryption_built};
use pocketbook_tests::world::network::asked;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, Phone, World};
use serde_json::json;

/// A worker in step, with one visit that waits and one draft.
async fn at_work(seed: u64) -> (World, Phone) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    wang.visits(wang.flat(0), "一切正常");
    wang.drafts_cover(&grid, "东门");
    (world, wang)
}

#[tokio::test]
async fn a_photo_on_a_full_phone_is_refused_with_a_sentence_and_the_draft_stays() {
    let (world, wang) = at_work(171).await;
    let draft = wang.drafts_cover(&world.grid(0), "西门");
    let kept = wang.adds_photo(draft, &photo(0));

    wang.storage().is_full(true);
    let refused = wang
        .book()
        .add_photo(draft, &photo(1), pocketbook::photos::Size::Master);
    let refused = refused.expect_err("there is no room");
    assert!(matches!(refused, Error::DiskFull), "{refused:?}");
    assert!(refused.to_string().contains("free some space"));
    wang.storage().is_full(false);

    let fields = wang
        .store()
        .draft(draft.id)
        .expect("reads")
        .expect("the draft stands")
        .fields;
    assert_eq!(fields["photos"], json!([kept]));
    wang.online();
    wang.book().report(draft).expect("the report is saved");
    wang.syncs().await;
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn an_edit_on_a_full_disk_is_refused_with_a_sentence_and_earlier_work_stays() {
    let (world, wang) = at_work(172).await;
    let flat = wang.flat(0);
    // A log that takes nothing more, as on a full disk; what it held is in the database by now.
    let mut is_played = false;
    wang.is_killed_then(|folder| is_played = fill_log(&folder.join("book.db")));
    if !is_played || is_encryption_built() {
        // Only the administrator of a machine may make such a device, and SQLCipher reads the
        // log before it opens: there the disk is full for the opening already.
        return;
    }
    wang.tries_to_start()
        .expect("a full phone still opens its book");

    let full = wang.tries_to_enter(
        &wang.sees(&pocketbook_records::kinds::household::HOUSEHOLD, flat),
        "tenure",
        json!("lent"),
    );
    assert!(matches!(full, Err(Error::DiskFull)), "{full:?}");
    assert_eq!(wang.status().waiting, 1, "earlier work stays");
    assert_eq!(wang.home(flat).visits.len(), 1, "and is shown");

    wang.is_killed_then(|folder| {
        let _ = fs::remove_file(folder.join("book.db-wal"));
    });
    wang.tries_to_start().expect("there is room again");
    wang.online();
    wang.notes_tenure(flat, "lent");
    wang.syncs().await;
    world.check(&[&wang]).await;
}

/// Folds the log into the database and puts the device that is always full in its place; says
/// whether this machine let us.
fn fill_log(database: &Path) -> bool {
    if !is_encryption_built() {
        let connection = rusqlite::Connection::open(database).expect("the database opens");
        let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(folded, Ok(0), "the whole log is folded in");
    }
    let log = database.with_extension("db-wal");
    let _ = fs::remove_file(&log);
    let _ = fs::remove_file(database.with_extension("db-shm"));
    let made = Command::new("mknod")
        .arg(&log)
        .args(["c", "1", "7"])
        .output();
    made.is_ok_and(|made| made.status.success())
}

#[tokio::test]
async fn a_damaged_database_is_left_as_it_is_then_set_aside_and_its_outbox_saved() {
    let (world, wang) = at_work(173).await;
    let mut spoiled = Vec::new();
    wang.is_killed_then(|folder| {
        let database = folder.join("book.db");
        // The log alone would be enough to read all of it.
        if is_encryption_built() {
            fs::remove_file(folder.join("book.db-wal")).expect("there is a log");
        } else {
            let connection = rusqlite::Connection::open(&database).expect("the database opens");
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        let mut bytes = fs::read(&database).expect("the database is there");
        // A torn write: the last pages are zero.
        let from = bytes.len() - bytes.len() / 4;
        bytes[from..].fill(0);
        bytes[..100].fill(0xff);
        fs::write(&database, &bytes).expect("the disk takes it");
        spoiled = bytes;
    });

    let refused = wang.tries_to_start().expect_err("it is damaged");
    let is_told = matches!(
        refused,
        Error::Open(OpenError::Damaged(_) | OpenError::WrongKey)
    );
    assert!(is_told, "{refused:?}");

    let saved = wang.is_salvaged();
    assert_eq!(
        fs::read(&saved.set_aside).expect("it is kept"),
        spoiled,
        "set aside, byte for byte"
    );
    wang.tries_to_start().expect("a fresh book");
    drop(world);
}

#[tokio::test]
async fn work_that_can_be_read_from_a_damaged_database_is_carried_over_and_arrives() {
    let (world, wang) = at_work(174).await;
    if is_encryption_built() {
        return;
    }
    let flat = wang.flat(0);
    wang.is_killed_then(|folder| {
        // One index of the mirror is torn; the pages with the work are sound.
        let connection = rusqlite::Connection::open(folder.join("book.db")).expect("it opens");
        let page: i64 = connection
            .query_row(
                "SELECT rootpage FROM sqlite_schema WHERE name = 'record_listed'",
                [],
                |row| row.get(0),
            )
            .expect("the index is there");
        let size: i64 = connection
            .query_row("PRAGMA page_size", [], |row| row.get(0))
            .expect("a size");
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        drop(connection);
        let mut bytes = fs::read(folder.join("book.db")).expect("the database is there");
        let from = usize::try_from((page - 1) * size).expect("a page of the file");
        bytes[from..from + 100].fill(0xff);
        fs::write(folder.join("book.db"), bytes).expect("the disk takes it");
    });

    let saved = wang.is_salvaged();
    assert!(saved.account, "{saved:?}");
    assert_eq!((saved.changes, saved.lost, saved.drafts), (1, 0, 1));
    wang.tries_to_start().expect("a fresh book");
    wang.online();
    wang.syncs().await;
    assert_eq!(wang.home(flat).visits.len(), 1);
    assert!(wang.finds(&VISIT, wang.home(flat).visits[0].id).is_some());
    assert_eq!(wang.store().drafts().expect("reads").len(), 1);
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_database_of_a_newer_app_is_refused_and_not_touched() {
    let (_world, wang) = at_work(175).await;
    if is_encryption_built() {
        return;
    }
    let mut before = Vec::new();
    wang.is_killed_then(|folder| {
        let connection = rusqlite::Connection::open(folder.join("book.db")).expect("it opens");
        connection
            .execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("written");
        drop(connection);
        before = fs::read(folder.join("book.db")).expect("the database is there");
    });

    let refused = wang.tries_to_start().expect_err("it is from the future");
    assert!(
        matches!(
            refused,
            Error::Open(OpenError::FromNewerApp { found: 99, .. })
        ),
        "{refused:?}"
    );
    assert_eq!(fs::read(wang.next_database()).expect("it is there"), before);
}

#[tokio::test]
async fn a_database_under_another_key_is_refused_and_not_touched() {
    let (_world, wang) = at_work(176).await;
    if !is_encryption_built() {
        return;
    }
    let mut before = Vec::new();
    wang.is_killed_then(|folder| before = fs::read(folder.join("book.db")).expect("it is there"));
    wang.loses_its_keys();

    let refused = wang.tries_to_start().expect_err("the key is another one");
    assert!(
        matches!(refused, Error::Open(OpenError::WrongKey)),
        "{refused:?}"
    );
    assert_eq!(fs::read(wang.next_database()).expect("it is there"), before);
}

/// A box in between that breaks what carries a certain text, and lets no file through.
fn breaks_secrets(request: &Request) -> Option<Fault> {
    let is_file = request.path.starts_with("/v1/blobs");
    let body = asked(request);
    let is_secret = String::from_utf8_lossy(&body).contains("<script>");
    (is_file || is_secret).then_some(Fault::LoseRequest)
}

#[tokio::test]
async fn content_that_the_server_still_awaits_is_carried_over_from_a_damaged_database() {
    let world = World::new(177).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    let zhao = world.head("赵", &grid).await;
    wang.syncs().await;
    wang.line().weather(breaks_secrets);
    let awaited = wang.visits(wang.flat(0), "<script>");
    for _ in 0..40 {
        let _ = wang.sync().await;
        world.hours_pass(1);
    }
    assert_eq!((wang.status().waiting, wang.status().parked), (0, 1));
    wang.offline();
    wang.visits(wang.flat(1), "一切正常");
    wang.visits(wang.flat(1), "明天再来");

    wang.is_killed_then(|_| ());
    let saved = wang.is_salvaged();
    assert_eq!((saved.changes, saved.lost), (2, 0), "{saved:?}");
    wang.tries_to_start().expect("a fresh book");
    assert!(wang.finds(&VISIT, awaited).is_some(), "she sees it");
    wang.line().is_good();
    wang.online();
    wang.syncs().await;
    // News of what the door of files did are for the next exchange.
    wang.syncs().await;

    zhao.syncs().await;
    assert_eq!(zhao.sees(&VISIT, awaited).value("note"), "<script>");
    world.check(&[&wang, &zhao]).await;
}
