//! What was ever shipped stays readable: the databases of schema 1 and the messages of wire 1.
//!
//! `BLESS=1 cargo test -p pocketbook-tests --test fixtures` writes them anew. That is right for a
//! new schema or wire number, in a folder of its own; a blessed folder of a shipped number never
//! changes again.

#![expect(
    clippy::disallowed_methods,
    reason = "fixtures are files of the source tree"
)]

mod wire_samples;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pocketbook::books::Change;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::wire;
use pocketbook_sqlite::is_encryption_built;
use pocketbook_tests::world::check::{Held, Key, Truth, shown_on};
use pocketbook_tests::world::people::fields;
use pocketbook_tests::world::{Phone, World};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const SEED: u64 = 1_000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// A worker with everything in her database that schema 1 can hold: what is in step, what waits,
/// a draft, a review, something to be corrected.
async fn wangs_day() -> (World, Phone) {
    let world = World::new(SEED).await;
    let grid = world.grid(0);
    world.settle(&grid, 8).await;
    let wang = world.worker("王", &grid).await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let flat = wang.flat(0);
    let person = wang.person(flat, 0);
    wang.visits(flat, "一切正常");
    wang.changes_phone(person, "15411110001");
    li.changes_phone(person, "15411110002");
    let unplaced = json!({"grid": grid, "category": "C0101", "text": "井盖破损"});
    let draft = wang
        .book()
        .draft_case(None, &fields(unplaced))
        .expect("saved");
    wang.book().report(draft).expect("saved");
    li.syncs().await;
    wang.syncs().await;
    wang.offline();
    wang.notes_tenure(flat, "rent");
    wang.drafts_cover(&grid, "东门");
    (world, wang)
}

#[tokio::test]
async fn databases_of_schema_1_open_show_the_same_and_go_on_with_their_work() {
    if is_encryption_built() {
        // The fixture is in clear; the encrypted format has its own in the sqlite crate.
        return;
    }
    let (place, records) = (fixture("schema-1"), fixture("schema-1/records.json"));
    if is_blessing() {
        let (world, wang) = wangs_day().await;
        let _ = fs::remove_dir_all(&place);
        let shown = written(&shown_on(&wang));
        let truth = written(Truth::of(&world.town().server()).records());
        wang.is_killed();
        fold_log(&wang.database());
        wang.is_copied_to(&place.join("phone"));
        world.town().server().stop();
        copy_server(&world.town().data(), &place.join("server"));
        fs::write(&records, pretty(&json!({"phone": shown, "server": truth}))).expect("written");
    }
    let stored: Value =
        serde_json::from_slice(&fs::read(&records).expect("blessed")).expect("JSON");

    // Other chance than when it was made: no name is drawn twice.
    let world = World::of(SEED + 1, &place.join("server"));
    let wang = Phone::of(world.town(), "王", &place.join("phone"));
    assert_eq!(written(&shown_on(&wang)), stored["phone"]);
    assert_eq!(
        written(Truth::of(&world.town().server()).records()),
        stored["server"]
    );
    let status = wang.status();
    assert_eq!(
        (status.waiting, status.needs_fixing, status.reviews),
        (1, 1, 1)
    );
    assert_eq!(wang.store().drafts().expect("reads").len(), 1);

    wang.syncs().await;
    let tray = wang.tray();
    let place = Change {
        path: "place".into(),
        was: Value::Null,
        to: json!("东门"),
    };
    wang.book().fix(&tray[0], &[place]).expect("saved");
    wang.syncs().await;
    assert!(wang.tray().is_empty());
    let truth = Truth::of(&world.town().server());
    assert!(
        truth
            .of_kind(&CASE)
            .any(|(_, case)| case.body["place"] == "东门")
    );
}

#[tokio::test]
async fn a_fresh_database_has_the_schema_of_a_shipped_one_that_was_opened() {
    if is_encryption_built() {
        return;
    }
    let fresh = World::new(1).await;
    let new = fresh.worker("王", &fresh.grid(0)).await;
    let place = fixture("schema-1");
    let shipped = World::of(SEED, &place.join("server"));
    let old = Phone::of(shipped.town(), "王", &place.join("phone"));

    let of_phone = |phone: &Phone| {
        phone.is_killed();
        fold_log(&phone.database());
        schema(&phone.database())
    };
    assert_eq!(of_phone(&new), of_phone(&old));
    let of_server = |world: &World| {
        let database = world.town().data().join("data/pocketbook.db");
        world.town().server().stop();
        fold_log(&database);
        schema(&database)
    };
    assert_eq!(of_server(&fresh), of_server(&shipped));
}

#[test]
fn messages_of_wire_1_read_and_write_as_they_did() {
    let samples = wire_samples::all();
    for (name, sample) in &samples {
        let file = fixture(&format!("wire-1/{name}.json"));
        if is_blessing() {
            fs::create_dir_all(fixture("wire-1")).expect("a folder");
            fs::write(&file, pretty(sample)).expect("written");
        }
        let stored: Value =
            serde_json::from_slice(&fs::read(&file).expect("blessed")).expect("JSON");
        assert_eq!(
            sample, &stored,
            "{name}: today's message is the shipped one"
        );
        let again = match *name {
            "request" => again::<wire::Request>(&stored),
            "answer" => again::<wire::Answer>(&stored),
            "frame" => again::<wire::Frame>(&stored),
            "enrol-request" => again::<wire::EnrolRequest>(&stored),
            "enrol-again" => again::<wire::EnrolAgain>(&stored),
            "enrol-answer" => again::<wire::EnrolAnswer>(&stored),
            "manifest" => again::<wire::Manifest>(&stored),
            "signed-manifest" => again::<wire::SignedManifest>(&stored),
            "problem" => again::<wire::Problem>(&stored),
            "mutation" => again::<pocketbook_records::mutation::Frozen>(&stored),
            other => panic!("no type for {other}"),
        };
        assert_eq!(again, stored, "{name}: nothing is lost on the way");
    }
}

#[test]
fn a_message_with_fields_of_a_newer_protocol_is_read_all_the_same() {
    for (name, mut sample) in wire_samples::all() {
        if name == "mutation" {
            // What a record holds is not the envelope's: see `bad_input/mutations.rs`.
            continue;
        }
        let plain = sample.clone();
        sample["from_the_future"] = json!({"x": [1, 2, 3]});
        let read = match name {
            "request" => again::<wire::Request>(&sample),
            "answer" => again::<wire::Answer>(&sample),
            "frame" => again::<wire::Frame>(&sample),
            _ => continue,
        };
        assert_eq!(read, plain, "{name}");
    }
}

/// Reads a message from its text and writes it again.
fn again<T: DeserializeOwned + Serialize>(stored: &Value) -> Value {
    let read: T = serde_json::from_str(&stored.to_string()).expect("the shipped message reads");
    serde_json::to_value(&read).expect("plain data")
}

fn written(records: &BTreeMap<Key, Held>) -> Value {
    let records = records.iter().map(|((kind, id), held)| {
        (
            format!("{kind}/{id}"),
            json!({"rev": held.rev, "body": held.body}),
        )
    });
    Value::Object(records.collect())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("plain data") + "\n"
}

/// Everything that makes up a database's schema.
#[derive(Debug, PartialEq)]
struct Schema {
    /// Sort, name and statement of each part.
    parts: Vec<(String, String, Option<String>)>,
    version: i64,
    application: i64,
}

/// Reads a schema from a copy, so that the source tree stays as it is.
fn schema(database: &Path) -> Schema {
    let place = tempfile::tempdir().expect("a folder");
    let copy = place.path().join("copy.db");
    fs::copy(database, &copy).expect("copied");
    let connection = rusqlite::Connection::open(&copy).expect("it opens");
    let number = |name: &str| {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .expect("a number")
    };
    let mut statement = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
        .expect("every database has it");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows = rows
        .expect("it reads")
        .collect::<rusqlite::Result<_>>()
        .expect("it reads");
    Schema {
        parts: rows,
        version: number("user_version"),
        application: number("application_id"),
    }
}

/// Brings everything from the log into the file, so that the fixture is one file.
fn fold_log(database: &Path) {
    let connection = rusqlite::Connection::open(database).expect("it opens");
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    assert_eq!(folded, Ok(0));
}

/// Copies what makes up a server: database, keys, what lies beside.
fn copy_server(from: &Path, to: &Path) {
    for part in ["keys", "beside"] {
        fs::create_dir_all(to.join(part)).expect("a folder");
        for entry in fs::read_dir(from.join(part)).expect("a server has it") {
            let entry = entry.expect("a server has it");
            fs::copy(entry.path(), to.join(part).join(entry.file_name())).expect("copied");
        }
    }
    let database = Path::new("data/pocketbook.db");
    fold_log(&from.join(database));
    fs::create_dir_all(to.join("data")).expect("a folder");
    fs::copy(from.join(database), to.join(database)).expect("copied");
}
