//! Copies of a database in use.

use std::fs;

use pocketbook_sqlite::{BackupError, Health, Options, backup, check, open};

use crate::{LADDER, Place, add_note, bytes, number};

#[test]
fn a_backup_is_one_moment_while_others_write() {
    let place = Place::new();
    let writer = place.open(&LADDER).unwrap();
    for _ in 0..100 {
        add_note(&writer, &"x".repeat(50_000));
    }
    let reader = place.open(&LADDER).unwrap();
    let mut reports = Vec::new();

    backup(&reader, &place.beside("copy.db"), None, |progress| {
        add_note(&writer, "written meanwhile");
        reports.push(progress.remaining);
    })
    .unwrap();

    let copy = open(&Options::new(place.beside("copy.db")), &LADDER).unwrap();
    assert!(reports.len() > 2, "{reports:?}");
    assert!(
        reports.is_sorted_by(|earlier, later| earlier > later),
        "{reports:?}"
    );
    assert_eq!(reports.last(), Some(&0));
    assert_eq!(number(&copy, "SELECT count(*) FROM note"), 100);
    assert_eq!(check(&copy).unwrap(), Health::Sound);
    assert!(number(&writer, "SELECT count(*) FROM note") > 100);
}

#[test]
fn a_backup_holds_what_is_still_in_the_log() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    add_note(&connection, "in the log");

    backup(&connection, &place.beside("copy.db"), None, |_| {}).unwrap();

    let copy = open(&Options::new(place.beside("copy.db")), &LADDER).unwrap();
    assert_eq!(number(&copy, "SELECT count(*) FROM note"), 1);
}

#[test]
fn a_backup_never_replaces_a_file() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    fs::write(place.beside("copy.db"), b"precious").unwrap();

    let error = backup(&connection, &place.beside("copy.db"), None, |_| {}).unwrap_err();

    assert!(matches!(error, BackupError::NameTaken), "{error:?}");
    assert_eq!(bytes(&place.beside("copy.db")), b"precious");
}

#[test]
fn a_backup_that_broke_off_is_begun_anew() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    fs::write(place.beside("copy.db.part"), b"half of yesterday's").unwrap();

    backup(&connection, &place.beside("copy.db"), None, |_| {}).unwrap();

    assert!(place.names().contains(&"copy.db".to_owned()));
    assert!(!place.names().contains(&"copy.db.part".to_owned()));
}

#[test]
fn of_a_failed_backup_nothing_is_left() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    connection.execute_batch("BEGIN").unwrap();

    let error = backup(&connection, &place.beside("copy.db"), None, |_| {}).unwrap_err();

    assert!(matches!(error, BackupError::Copy(_)), "{error:?}");
    assert!(!error.is_disk_full());
    assert!(!place.names().iter().any(|name| name.starts_with("copy")));
}
