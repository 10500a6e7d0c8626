//! What holds for every connection.

use std::time::Duration;

use pocketbook_sqlite::{
    Access, Deleted, OpenError, Options, RawKey, is_busy, is_disk_full, is_encryption_built, open,
};

use crate::{LADDER, Place, add_note, number, older};

#[test]
fn a_commit_is_on_the_disk_and_a_deletion_leaves_nothing() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();

    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();

    assert_eq!(mode, "wal");
    assert_eq!(number(&connection, "PRAGMA synchronous"), 2);
    assert_eq!(number(&connection, "PRAGMA fullfsync"), 1);
    assert_eq!(number(&connection, "PRAGMA checkpoint_fullfsync"), 1);
    assert_eq!(number(&connection, "PRAGMA secure_delete"), 1);
    assert_eq!(number(&connection, "PRAGMA foreign_keys"), 1);
    assert_eq!(number(&connection, "PRAGMA trusted_schema"), 0);
    assert_eq!(number(&connection, "PRAGMA cell_size_check"), 1);
    assert_eq!(number(&connection, "PRAGMA temp_store"), 2);
    assert_eq!(number(&connection, "PRAGMA cache_size"), -4096);
    assert_eq!(number(&connection, "PRAGMA page_size"), 4096);
}

#[test]
fn content_that_is_no_secret_may_be_left_in_place() {
    let place = Place::new();
    let options = Options {
        deleted: Deleted::LeftInPlace,
        ..Options::new(place.path())
    };

    let connection = open(&options, &LADDER).unwrap();

    assert_eq!(number(&connection, "PRAGMA secure_delete"), 0);
}

#[test]
fn a_misspelt_column_in_double_quotes_is_an_error_not_a_text() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();

    let outcome = connection.prepare("SELECT \"bdoy\" FROM note");

    assert!(outcome.is_err());
}

#[test]
fn a_row_that_refers_to_nothing_is_refused() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();

    let outcome = connection.execute("INSERT INTO note (folder, body) VALUES (9, '')", []);

    assert!(outcome.is_err());
}

#[test]
fn a_reader_sees_what_the_writer_committed_and_cannot_write() {
    let place = Place::new();
    let writer = place.open(&LADDER).unwrap();
    let reader = open(&read_only(&place), &LADDER).unwrap();

    add_note(&writer, "seen");

    assert_eq!(number(&reader, "SELECT count(*) FROM note"), 1);
    assert!(reader.execute("DELETE FROM note", []).is_err());
}

#[test]
fn a_reader_neither_creates_nor_migrates() {
    let place = Place::new();

    let missing = open(&read_only(&place), &LADDER).unwrap_err();
    drop(place.open(&older(1)).unwrap());
    let old = open(&read_only(&place), &LADDER).unwrap_err();

    assert!(matches!(missing, OpenError::Medium(_)), "{missing:?}");
    assert!(matches!(old, OpenError::ReadOnly), "{old:?}");
}

#[test]
fn a_held_lock_is_told_as_busy() {
    let place = Place::new();
    let holder = place.open(&older(1)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let impatient = Options {
        busy_timeout: Duration::ZERO,
        ..Options::new(place.path())
    };

    let climbing = open(&impatient, &LADDER).unwrap_err();
    let writing = open(&impatient, &older(1))
        .unwrap()
        .execute("DELETE FROM note", [])
        .unwrap_err();

    assert!(matches!(climbing, OpenError::Busy(_)), "{climbing:?}");
    assert!(is_busy(&writing));
}

#[test]
fn a_full_disk_refuses_the_edit_and_keeps_earlier_ones() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    add_note(&connection, "earlier");
    let pages = number(&connection, "PRAGMA page_count");
    connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();

    let error = connection
        .execute(
            "INSERT INTO note (folder, body) VALUES (1, ?1)",
            ["x".repeat(100_000)],
        )
        .unwrap_err();

    assert!(is_disk_full(&error));
    assert_eq!(number(&connection, "SELECT count(*) FROM note"), 1);
}

#[test]
fn a_key_is_never_ignored() {
    if is_encryption_built() {
        return;
    }
    let place = Place::new();
    let options = Options {
        key: Some(RawKey::new([7; RawKey::LEN])),
        ..Options::new(place.path())
    };

    let error = open(&options, &LADDER).unwrap_err();

    assert!(matches!(error, OpenError::EncryptionNotBuilt), "{error:?}");
    assert!(place.names().is_empty());
}

#[test]
fn a_key_does_not_show_in_logs() {
    let key = RawKey::new([7; RawKey::LEN]);

    assert_eq!(format!("{key:?}"), "RawKey(…)");
}

fn read_only(place: &Place) -> Options {
    Options {
        access: Access::ReadOnly,
        ..Options::new(place.path())
    }
}
