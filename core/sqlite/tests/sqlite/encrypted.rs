//! Encrypted files: their format is fixed, their key is needed, nothing shows.

use std::fs;

use pocketbook_sqlite::{
    BackupError, Health, OpenError, Options, RawKey, backup, check, is_encryption_built, open,
};

use crate::{LADDER, Place, add_note, bytes, number};

/// Written by the first release: [`LADDER`], key bytes 0 to 47, one note "as on the first day".
/// It must open for ever.
const FIRST_RELEASE: &[u8] = include_bytes!("encrypted-1.db");

fn first_key() -> RawKey {
    RawKey::new(std::array::from_fn(|index| u8::try_from(index).unwrap()))
}

fn other_key() -> RawKey {
    RawKey::new([9; RawKey::LEN])
}

fn with_key(place: &Place, key: RawKey) -> Options {
    Options {
        key: Some(key),
        ..Options::new(place.path())
    }
}

fn encrypted() -> Place {
    let place = Place::new();
    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();
    add_note(&connection, "张三 610402190001010000");
    drop(connection);
    place
}

#[test]
fn the_file_of_the_first_release_opens() {
    let place = Place::new();
    fs::write(place.path(), FIRST_RELEASE).unwrap();

    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();

    let body: String = connection
        .query_row("SELECT body FROM note", [], |row| row.get(0))
        .unwrap();
    assert!(is_encryption_built());
    assert_eq!(body, "as on the first day");
    assert_eq!(check(&connection).unwrap(), Health::Sound);
}

#[test]
fn a_new_file_has_the_format_of_the_first_release() {
    let place = encrypted();

    let header = bytes(&place.path())[..24].to_vec();

    assert_eq!(header, FIRST_RELEASE[..24]);
    assert_eq!(&header[..16], b"SQLite format 3\0");
    assert_eq!(&header[16..18], 4096_u16.to_be_bytes());
    assert_eq!(header[20], 80);
}

#[test]
fn nothing_of_the_content_shows_in_the_file_or_its_log() {
    let place = Place::new();
    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();
    add_note(&connection, "610402190001010000");

    let files = [bytes(&place.path()), bytes(&place.beside("book.db-wal"))].concat();

    for secret in [&b"610402190001010000"[..], b"CREATE TABLE", b"note"] {
        assert!(!files.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn a_key_that_does_not_fit_changes_nothing() {
    let place = encrypted();
    let before = bytes(&place.path());
    let mut other_salt = std::array::from_fn(|index| u8::try_from(index).unwrap());
    other_salt[47] = 0;

    let wrong = open(&with_key(&place, other_key()), &LADDER).unwrap_err();
    let salt = open(&with_key(&place, RawKey::new(other_salt)), &LADDER).unwrap_err();
    let missing = place.open(&LADDER).unwrap_err();

    assert!(matches!(wrong, OpenError::WrongKey), "{wrong:?}");
    assert!(matches!(salt, OpenError::WrongKey), "{salt:?}");
    assert!(matches!(missing, OpenError::WrongKey), "{missing:?}");
    assert_eq!(bytes(&place.path()), before);
    open(&with_key(&place, first_key()), &LADDER).unwrap();
}

#[test]
fn a_file_in_clear_does_not_open_with_a_key() {
    let place = Place::new();
    drop(place.open(&LADDER).unwrap());

    let error = open(&with_key(&place, first_key()), &LADDER).unwrap_err();

    assert!(matches!(error, OpenError::WrongKey), "{error:?}");
}

#[test]
fn garbage_and_truncated_files_are_damage_not_a_wrong_key() {
    let whole = bytes(&encrypted().path());
    for content in [&[b'x'; 10_000][..], &whole[..100], &whole[..4096]] {
        let place = Place::new();
        fs::write(place.path(), content).unwrap();

        let error = open(&with_key(&place, first_key()), &LADDER).unwrap_err();

        assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
    }
}

#[test]
fn one_changed_byte_is_found() {
    let place = encrypted();
    let mut content = bytes(&place.path());
    let middle_of_page_3 = 2 * 4096 + 2048;
    content[middle_of_page_3] ^= 1;
    fs::write(place.path(), content).unwrap();

    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();

    assert!(matches!(
        check(&connection).unwrap(),
        Health::Damaged { .. }
    ));
}

#[test]
fn the_log_of_a_killed_app_is_read_with_the_key() {
    let place = Place::new();
    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();
    add_note(&connection, "in the log");

    let place = place.as_if_killed();

    let connection = open(&with_key(&place, first_key()), &LADDER).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM note"), 1);
}

#[test]
fn a_backup_has_the_same_key_and_is_never_in_clear() {
    let place = encrypted();
    let source = open(&with_key(&place, first_key()), &LADDER).unwrap();
    let copy = Place::new();

    let in_clear = backup(&source, &copy.path(), None, |_| {}).unwrap_err();
    assert!(matches!(in_clear, BackupError::Copy(_)), "{in_clear:?}");
    assert!(copy.names().is_empty());

    backup(&source, &copy.path(), Some(&first_key()), |_| {}).unwrap();
    let copied = open(&with_key(&copy, first_key()), &LADDER).unwrap();
    assert_eq!(number(&copied, "SELECT count(*) FROM note"), 1);
    assert_eq!(bytes(&copy.path())[..24], bytes(&place.path())[..24]);
}
