//! A phone's database that was emptied, cut, exchanged or bent: it opens, or it says why and stays
//! as it is.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests are the faults that spoil the files"
)]

use std::fs;
use std::path::Path;

use pocketbook::Error;
use pocketbook_records::kinds;
use pocketbook_sqlite::{OpenError, is_encryption_built};
use pocketbook_tests::world::{Phone, World};

use crate::table::{bad, walk};

/// What happens to the folder of a phone that is off.
type Fault = fn(&Path);

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join("book.db")
}

fn bytes(folder: &Path) -> Vec<u8> {
    fs::read(database(folder)).expect("the database is there")
}

fn put(folder: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(database(folder), bytes).expect("the disk takes it");
}

fn bend(folder: &Path, at: usize, with: &[u8]) {
    let mut bytes = bytes(folder);
    bytes[at..at + with.len()].copy_from_slice(with);
    put(folder, bytes);
}

fn runs(folder: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(database(folder)).expect("it opens");
    connection.execute_batch(sql).expect("it runs");
    fold(&connection);
}

/// Folds the log into the database.
fn fold(connection: &rusqlite::Connection) {
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    folded.expect("the log is folded in");
}

fn another(folder: &Path) -> Vec<u8> {
    let path = folder.join("another.db");
    let connection = rusqlite::Connection::open(&path).expect("a fresh database");
    let table = "PRAGMA journal_mode = WAL; CREATE TABLE x (y); INSERT INTO x VALUES (1);";
    connection.execute_batch(table).expect("it runs");
    fs::read(path.with_extension("db-wal")).expect("its log")
}

fn told(opened: pocketbook::Result<()>) -> &'static str {
    match opened {
        Ok(()) => "opens",
        Err(Error::Open(OpenError::Damaged(_))) => "damaged",
        Err(Error::Open(OpenError::WrongKey)) => "wrong key",
        Err(Error::Open(OpenError::NotOurs { .. })) => "not ours",
        Err(Error::Open(OpenError::FromNewerApp { .. })) => "newer app",
        Err(Error::Open(OpenError::Io(_) | OpenError::Medium(_))) => "no file",
        Err(other) => panic!("{other:?}"),
    }
}

/// A worker in step, with one visit that waits; everything in the database itself.
async fn at_work(seed: u64) -> (World, Phone) {
    let world = World::new(seed).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    wang.visits(wang.flat(0), "一切正常");
    (world, wang)
}

#[tokio::test]
async fn a_database_that_is_none_says_why_and_stays_as_it_is() {
    if is_encryption_built() {
        return;
    }
    let (world, wang) = at_work(371).await;
    let table: Vec<crate::table::Bad<Fault, &str>> = vec![
        bad("B71 a byte", |f| put(f, "x"), "damaged"),
        bad(
            "B71 a hundred bytes of its head",
            |f| put(f, &bytes(f)[..100]),
            "damaged",
        ),
        bad(
            "B71 half of it",
            |f| put(f, &bytes(f)[..bytes(f).len() / 2]),
            "damaged",
        ),
        bad("B71 zeroes", |f| put(f, vec![0; bytes(f).len()]), "damaged"),
        bad(
            "B71 a page of the web",
            |f| put(f, "<html>".repeat(1_000)),
            "damaged",
        ),
        bad(
            "B72 another magic word",
            |f| bend(f, 0, b"SQLitf"),
            "damaged",
        ),
        bad(
            "B72 a page size of three",
            |f| bend(f, 16, &[0, 3]),
            "damaged",
        ),
        bad(
            "B72 a format of the future",
            |f| bend(f, 18, &[9, 9]),
            "damaged",
        ),
        bad(
            "B72 a root that is no page",
            |f| bend(f, 100, &[0xff; 8]),
            "damaged",
        ),
        bad(
            "B74 an app one version newer",
            |f| runs(f, "PRAGMA user_version = 7"),
            "newer app",
        ),
        bad(
            "B74 an app of the far future",
            |f| runs(f, "PRAGMA user_version = 2147483647"),
            "newer app",
        ),
        bad(
            "B74 a version below nothing",
            |f| runs(f, "PRAGMA user_version = -1"),
            "damaged",
        ),
        bad(
            "B77 another app's",
            |f| runs(f, "PRAGMA application_id = 7"),
            "not ours",
        ),
        bad(
            "B77 nobody's",
            |f| runs(f, "PRAGMA application_id = 0"),
            "not ours",
        ),
        bad(
            "B73 the log of another",
            |f| fs::write(database(f).with_extension("db-wal"), another(f)).expect("written"),
            "not ours",
        ),
        bad(
            "B73 a log of noise",
            |f| fs::write(database(f).with_extension("db-wal"), vec![7; 40_000]).expect("written"),
            "opens",
        ),
        bad(
            "B73 an index of the log of noise",
            |f| fs::write(database(f).with_extension("db-shm"), vec![7; 40_000]).expect("written"),
            "opens",
        ),
        bad(
            "a folder in its place",
            |f| {
                fs::remove_file(database(f)).expect("goes");
                fs::create_dir(database(f)).expect("comes");
            },
            "no file",
        ),
        bad(
            "B79 an entry of a kind that nobody knows",
            |f| runs(f, "UPDATE authored SET kind = 'spaceship'"),
            "opens",
        ),
        bad(
            "B79 an entry that is no content",
            |f| runs(f, "UPDATE authored SET frozen = 'x' WHERE outcome IS NULL"),
            "opens",
        ),
    ];
    let kept = tempfile::tempdir().expect("a folder of the test");
    wang.is_killed_then(|folder| {
        fold(&rusqlite::Connection::open(database(folder)).expect("it opens"));
        fs::copy(database(folder), kept.path().join("book.db")).expect("a copy");
    });
    let folder_of = |phone: &Phone| phone.next_database().parent().expect("a folder").to_owned();
    walk("databases of a phone", table, async |name, fault| {
        let folder = folder_of(&wang);
        fault(&folder);
        let spoiled = fs::read(database(&folder)).ok();
        let told = told(wang.tries_to_start());
        if told != "opens" {
            assert_eq!(
                fs::read(database(&folder)).ok(),
                spoiled,
                "{name}: not touched"
            );
        } else {
            // Whatever is shown or not, it is shown without a fall.
            let _ = wang.store().status();
            for kind in kinds::ALL {
                let _ = wang.store().list(kind, None, None, 10);
            }
            wang.is_killed_then(|_| {});
        }
        let folder = folder_of(&wang);
        let _ = fs::remove_dir_all(database(&folder));
        for ending in ["db", "db-wal", "db-shm"] {
            let _ = fs::remove_file(database(&folder).with_extension(ending));
        }
        fs::create_dir_all(&folder).expect("there");
        fs::copy(kept.path().join("book.db"), database(&folder)).expect("it is back");
        told
    })
    .await;
    wang.tries_to_start().expect("its own database");
    wang.online();
    wang.syncs().await;
    world.check(&[&wang]).await;
}
