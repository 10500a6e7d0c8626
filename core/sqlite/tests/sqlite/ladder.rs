//! Climbing, and refusing to climb.

use pocketbook_sqlite::{Ladder, OpenError, Step};
use rusqlite::Connection;

use crate::{FIRST, LADDER, Place, add_note, bytes, number, older, schema};

#[test]
fn a_fresh_database_equals_a_migrated_one() {
    let fresh = Place::new();
    let migrated = Place::new();
    add_note(&migrated.open(&older(1)).unwrap(), "old");

    let fresh = fresh.open(&LADDER).unwrap();
    let migrated = migrated.open(&LADDER).unwrap();

    assert_eq!(schema(&fresh), schema(&migrated));
    assert_eq!(number(&fresh, "PRAGMA user_version"), 3);
    assert_eq!(number(&migrated, "PRAGMA user_version"), 3);
    assert_eq!(
        number(&fresh, "PRAGMA application_id"),
        i64::from(LADDER.application_id)
    );
    assert_eq!(number(&migrated, "SELECT count(*) FROM note"), 1);
}

#[test]
fn opening_again_changes_nothing() {
    let place = Place::new();
    drop(place.open(&LADDER).unwrap());
    let before = bytes(&place.path());

    drop(place.open(&LADDER).unwrap());

    assert_eq!(bytes(&place.path()), before);
    assert_eq!(place.names(), ["book.db"]);
}

#[test]
fn of_a_step_that_breaks_off_nothing_stays() {
    let place = Place::new();
    add_note(&place.open(&older(1)).unwrap(), "kept");
    let broken = Ladder {
        steps: &[
            FIRST,
            Step {
                sql: "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;
                      DELETE FROM note;
                      INSERT INTO missing VALUES (1);",
            },
        ],
        ..LADDER
    };

    let error = place.open(&broken).unwrap_err();

    assert!(
        matches!(
            error,
            OpenError::Step {
                ladder: "notes",
                version: 2,
                ..
            }
        ),
        "{error:?}"
    );
    let connection = place.open(&older(1)).unwrap();
    assert_eq!(number(&connection, "PRAGMA user_version"), 1);
    assert_eq!(number(&connection, "SELECT count(*) FROM note"), 1);
    assert_eq!(schema(&connection).len(), 2);
}

#[test]
fn a_step_is_not_half_there_after_a_kill() {
    let place = Place::new();
    let connection = place.open(&older(1)).unwrap();
    add_note(&connection, "kept");
    connection.pragma_update(None, "cache_size", 1).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;")
        .unwrap();
    connection.execute_batch(LADDER.steps[1].sql).unwrap();
    connection
        .execute("UPDATE folder SET name = ?1", ["x".repeat(100_000)])
        .unwrap();
    assert!(bytes(&place.beside("book.db-wal")).len() > 100_000);

    let place = place.as_if_killed();

    let connection = place.open(&older(1)).unwrap();
    assert_eq!(number(&connection, "PRAGMA user_version"), 1);
    assert_eq!(schema(&connection).len(), 2);
    drop(connection);
    let connection = place.open(&LADDER).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM note"), 1);
}

#[test]
fn steps_before_a_broken_one_stay() {
    let place = Place::new();
    let broken = Ladder {
        steps: &[FIRST, Step { sql: "nonsense" }],
        ..LADDER
    };

    place.open(&broken).unwrap_err();

    let connection = place.open(&LADDER).unwrap();
    assert_eq!(number(&connection, "PRAGMA user_version"), 3);
}

#[test]
fn a_step_that_orphans_rows_is_refused() {
    let place = Place::new();
    add_note(&place.open(&older(1)).unwrap(), "kept");
    let careless = Ladder {
        steps: &[
            FIRST,
            Step {
                sql: "DELETE FROM folder",
            },
        ],
        ..LADDER
    };

    let error = place.open(&careless).unwrap_err();

    assert!(
        matches!(error, OpenError::StepBreaksReferences { version: 2, .. }),
        "{error:?}"
    );
    let connection = place.open(&LADDER).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM folder"), 1);
}

#[test]
fn a_database_from_a_newer_app_stays_as_it_is_byte_for_byte() {
    let place = Place::new();
    let newer = place.open(&LADDER).unwrap();
    add_note(&newer, "from the future");
    let place = place.as_if_killed();
    let (database, log) = (place.path(), place.beside("book.db-wal"));
    let before = (bytes(&database), bytes(&log));
    assert!(!before.1.is_empty());

    let error = place.open(&older(2)).unwrap_err();

    assert!(
        matches!(error, OpenError::FromNewerApp { found: 3, known: 2 }),
        "{error:?}"
    );
    assert_eq!((bytes(&database), bytes(&log)), before);
}

#[test]
fn a_database_of_somebody_else_stays_as_it_is() {
    let place = Place::new();
    let foreign = Connection::open(place.path()).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (id)").unwrap();
    drop(foreign);
    let before = bytes(&place.path());

    let unmarked = place.open(&LADDER).unwrap_err();
    let other_kind = Place::new();
    drop(other_kind.open(&LADDER).unwrap());
    let other = other_kind.open(&Ladder {
        application_id: 5,
        ..LADDER
    });

    assert!(matches!(unmarked, OpenError::NotOurs { found: 0 }));
    assert_eq!(bytes(&place.path()), before);
    assert!(matches!(other, Err(OpenError::NotOurs { found }) if found == LADDER.application_id));
}

#[test]
fn an_impossible_version_is_damage() {
    let place = Place::new();
    let connection = place.open(&LADDER).unwrap();
    connection.pragma_update(None, "user_version", -1).unwrap();
    drop(connection);

    let error = place.open(&LADDER).unwrap_err();

    assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
}

#[test]
fn a_comment_at_the_end_of_a_step_does_not_swallow_its_number() {
    let place = Place::new();
    let commented = Ladder {
        steps: &[Step {
            sql: "CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT -- and nothing else",
        }],
        ..LADDER
    };

    let connection = place.open(&commented).unwrap();

    assert_eq!(number(&connection, "PRAGMA user_version"), 1);
}
