//! Files that are no longer databases, and where they go.

use std::fs;

use pocketbook_sqlite::{Damage, Health, OpenError, check, set_aside};

use crate::{LADDER, Place, add_note, bytes, number};

#[test]
fn an_empty_file_becomes_a_database() {
    let place = Place::new();
    fs::write(place.path(), b"").unwrap();

    let connection = place.open(&LADDER).unwrap();

    assert_eq!(number(&connection, "PRAGMA user_version"), 3);
}

#[test]
fn garbage_is_damage_and_stays_as_it_is() {
    for garbage in [
        vec![b'x'; 10_000],
        b"<html>404</html>".to_vec(),
        vec![0; 4096],
        b"SQLite format 3\0".to_vec(),
        [&b"SQLite format 3\0"[..], &[0xff; 9000]].concat(),
    ] {
        let place = Place::new();
        fs::write(place.path(), &garbage).unwrap();

        let error = place.open(&LADDER).unwrap_err();

        assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
        assert_eq!(bytes(&place.path()), garbage);
    }
}

#[test]
fn a_truncated_database_is_set_aside_and_a_new_one_takes_its_place() {
    for kept in [1, 100, 4095, 4096, 9000] {
        let place = Place::new();
        let connection = place.open(&LADDER).unwrap();
        add_note(&connection, &"x".repeat(50_000));
        drop(connection);
        let truncated = bytes(&place.path())[..kept].to_vec();
        fs::write(place.path(), &truncated).unwrap();

        let error = place.open(&LADDER).unwrap_err();
        let aside = set_aside(&place.path()).unwrap();

        assert!(matches!(error, OpenError::Damaged(_)), "{kept}: {error:?}");
        assert_eq!(aside, place.beside("book.db.damaged-1"));
        assert_eq!(bytes(&aside), truncated);
        place.open(&LADDER).unwrap();
    }
}

#[test]
fn a_log_without_its_database_is_not_cleaned_away() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    add_note(&connection, "only in the log");
    let lost = place.as_if_killed();
    let emptied = place.as_if_killed();
    fs::remove_file(lost.path()).unwrap();
    fs::write(emptied.path(), b"").unwrap();

    for place in [lost, emptied] {
        let log = bytes(&place.beside("book.db-wal"));

        let error = place.open(&LADDER).unwrap_err();

        assert!(
            matches!(error, OpenError::Damaged(Damage::LogWithoutDatabase)),
            "{error:?}"
        );
        assert_eq!(bytes(&place.beside("book.db-wal")), log);
        set_aside(&place.path()).unwrap();
        assert_eq!(bytes(&place.beside("book.db.damaged-1-wal")), log);
    }
}

#[test]
fn what_is_set_aside_keeps_its_log_and_can_be_salvaged() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    add_note(&connection, "in the log");
    let place = place.as_if_killed();

    let aside = set_aside(&place.path()).unwrap();

    let salvaged = rusqlite::Connection::open(aside).unwrap();
    assert_eq!(number(&salvaged, "SELECT count(*) FROM note"), 1);
}

#[test]
fn setting_aside_never_overwrites() {
    let place = Place::new();
    fs::write(place.beside("book.db.damaged-1"), b"first").unwrap();
    fs::write(place.beside("book.db.damaged-2-wal"), b"second").unwrap();
    fs::write(place.path(), b"third").unwrap();

    let aside = set_aside(&place.path()).unwrap();

    assert_eq!(aside, place.beside("book.db.damaged-3"));
    assert_eq!(
        place.names(),
        [
            "book.db.damaged-1",
            "book.db.damaged-2-wal",
            "book.db.damaged-3"
        ]
    );
    assert_eq!(bytes(&place.beside("book.db.damaged-1")), b"first");
    assert_eq!(bytes(&place.beside("book.db.damaged-2-wal")), b"second");
    assert_eq!(bytes(&aside), b"third");
}

#[test]
fn there_must_be_something_to_set_aside() {
    let place = Place::new();

    let error = set_aside(&place.path()).unwrap_err();

    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(place.names().is_empty());
}

#[test]
fn a_check_tells_a_sound_database_from_a_broken_one() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    add_note(&connection, &"x".repeat(50_000));
    let sound = check(&connection).unwrap();
    drop(connection);

    let mut content = bytes(&place.path());
    for page in content.chunks_mut(4096).skip(1) {
        page[..64].fill(0xff);
    }
    fs::write(place.path(), content).unwrap();

    let broken = check(&place.open(&LADDER).unwrap()).unwrap();
    assert_eq!(sound, Health::Sound);
    assert!(matches!(broken, Health::Damaged { findings } if !findings.is_empty()));
}
