//! Names: of records, places in them, scopes, files, invitations, pages. A text is either refused
//! or stands for exactly one thing.

use std::fmt::{Debug, Display};
use std::panic::AssertUnwindSafe;
use std::path::Path as Folder;
use std::str::FromStr;

use pocketbook::seams::folder::Folder as Storage;
use pocketbook::seams::{Files, FilesError};
use pocketbook_fuzz::{folder, vary};
use pocketbook_records::id_number;
use pocketbook_records::ids::{BlobHash, Commit, Epoch, Mid, RecordId};
use pocketbook_records::invitation::{Code, Invitation, MAX_INVITATION};
use pocketbook_records::path::{MAX_PATH, Path};
use pocketbook_records::scope::Scope;
use pocketbook_server::feed::cursor::Cursor;
use pocketbook_server::keyring::Keyring;
use pocketbook_server::seams::SeededEntropy;

fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter_map(|line| std::str::from_utf8(line).ok())
}

/// Reads a name, writes it, reads that: it is the same one.
fn same_again<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let name: T = text.parse().ok()?;
    let written = name.to_string();
    let again: T = written.parse().expect("what was written is read");
    assert_eq!(again, name);
    assert_eq!(again.to_string(), written);
    Some(name)
}

fn read_names(bytes: &[u8]) {
    for line in lines(bytes) {
        same_again::<RecordId>(line);
        same_again::<Mid>(line);
        same_again::<Scope>(line);
        if let Some(hash) = same_again::<BlobHash>(line) {
            assert_eq!(hash.to_string(), line, "one file has one name");
        }
        if let Ok(path) = Path::parse(line) {
            assert_eq!(path.as_str(), line);
            assert!(line.len() <= MAX_PATH);
            assert!((1..=3).contains(&path.segments().count()));
        }
        if id_number::is_valid(line) {
            let day = id_number::birth(line).expect("a valid number has a day of birth");
            assert!(id_number::is_day(&day));
        }
        let masked = id_number::mask(line);
        assert_eq!(masked.chars().count(), line.chars().count());
    }
}

fn read_invitation(bytes: &[u8]) {
    for line in lines(bytes) {
        same_again::<Code>(line);
        let Ok(invitation) = Invitation::parse(line) else {
            continue;
        };
        assert!(line.len() <= MAX_INVITATION);
        let written = invitation.write();
        assert_eq!(Invitation::parse(&written).as_ref(), Ok(&invitation));
        let code = invitation.code.plain();
        assert_eq!(code.len(), 16);
        assert!(
            !format!("{invitation:?}").contains(code),
            "it shows in no log"
        );
    }
}

/// A cursor that is read was made here, for this scope, at a place that was given out.
fn read_cursors(keyring: &AssertUnwindSafe<Keyring>, bytes: &[u8]) {
    for line in lines(bytes) {
        for scope in ["grid:610402001003001:general", "user:x"] {
            let Some(cursor) = Cursor::read(keyring, scope, line) else {
                continue;
            };
            let given = (cursor.epoch, cursor.seq, scope);
            assert_eq!(
                given,
                (Epoch(1), 7, "grid:610402001003001:general"),
                "{line}"
            );
        }
    }
}

/// A file is kept below its folder and nowhere else, or not at all.
fn keep_files(root: &Folder, bytes: &[u8]) {
    let storage = Storage::open(root.join("inside")).expect("a folder of the test");
    for name in lines(bytes).take(20) {
        match storage.create(name) {
            Ok(()) => {
                assert!(storage.list("").expect("lists").iter().any(|n| n == name));
                storage.append(name, b"x").expect("a file that is there");
                assert_eq!(storage.len(name).expect("there"), Some(1));
                storage.remove(name).expect("goes");
            }
            Err(FilesError::Io(error)) => {
                // A folder of that name, or a file where a folder should be.
                assert_ne!(error.kind(), std::io::ErrorKind::InvalidInput, "{name:?}");
            }
            Err(_) => {}
        }
    }
    let beside = Storage::open(root).expect("the folder");
    let names = beside.list("").expect("lists");
    assert!(
        names.iter().all(|name| name.starts_with("inside/")),
        "{names:?}"
    );
}

#[test]
fn names() {
    bolero::check!(name = folder("names"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_names(bytes));
    vary("names", 3_000, read_names);
}

#[test]
fn invitation() {
    bolero::check!(name = folder("invitation"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_invitation(bytes));
    vary("invitation", 3_000, read_invitation);
}

#[test]
fn cursor() {
    let dir = tempfile::tempdir().expect("a folder");
    let entropy = SeededEntropy::new(7);
    Keyring::make(dir.path(), &entropy).expect("keys");
    let keyring = Keyring::read(dir.path(), std::sync::Arc::new(entropy));
    let keyring = AssertUnwindSafe(keyring.expect("reads").expect("there are keys"));
    let genuine = Cursor {
        epoch: Epoch(1),
        seq: 7,
        through: Commit(5),
    };
    let genuine = genuine.write(&keyring, "grid:610402001003001:general");
    assert_eq!(genuine, GENUINE, "the corpus holds a cursor of these keys");
    bolero::check!(name = folder("cursor"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_cursors(&keyring, bytes));
    vary("cursor", 3_000, |bytes| read_cursors(&keyring, bytes));
}

/// The only cursor that the keys of the seed give out here.
const GENUINE: &str = "1.7.5.c577d28b09104247";

#[test]
fn file_names() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path();
    bolero::check!(name = folder("file_names"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| keep_files(root, bytes));
    vary("file_names", 200, |bytes| keep_files(root, bytes));
}
