//! A phone's store by itself: real SQLite in a folder of its own, enrolled, with one household that
//! its worker has entered and nobody has heard of yet.

use std::sync::Arc;

use async_trait::async_trait;
use pocketbook::books::account::{self, database};
use pocketbook::seams::folder::{Folder, KeyFolder};
use pocketbook::seams::{Request, Response, Seams, Transport, TransportError};
use pocketbook::store::Store;
use pocketbook_records::ids::{Mid, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::wire::EnrolAnswer;
use pocketbook_tests::world::seams::{Chance, PhoneClock, PhoneFacts, Storage};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nobody answers.
struct NoLine;

#[async_trait]
impl Transport for NoLine {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Err(TransportError::Offline)
    }

    fn url(&self, path: &str) -> String {
        format!("http://nobody.invalid{path}")
    }
}

/// A phone's store and what lies in it.
pub(crate) struct Device {
    folder: TempDir,
    pub(crate) store: Store,
    /// The entry that waits.
    pub(crate) mid: Mid,
    /// The household that it is about.
    pub(crate) home: RecordId,
}

/// The grid that the phone is granted.
pub(crate) const GRID: &str = "610402001003001";

fn enrolment() -> EnrolAnswer {
    let (enrolment, user) = (
        "01890000-0000-7000-8000-00000000000a",
        "01890000-0000-7000-8000-00000000000b",
    );
    let answer = json!({
        "enrolment": enrolment, "user": user, "name": "王", "district": "610402", "epoch": 1,
        "grants": [format!("user:{user}"), format!("grid:{GRID}:general"), format!("grid:{GRID}:sensitive")],
        "certificate": {"enrolment": enrolment, "user": user, "secret_hash": "00".repeat(32),
            "at": 1, "key_id": 1, "signature": "00".repeat(64)},
        "bundle_key": "00".repeat(32), "sealing_key": "00".repeat(32),
    });
    serde_json::from_value(answer).expect("an enrolment's answer")
}

impl Device {
    /// Returns the same device as ever: chance comes from a seed.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder of the test");
        let chance = Arc::new(Chance::new(7, "fuzz"));
        let keys = KeyFolder::open(folder.path().join("keys"), chance.clone());
        let files = Folder::open(folder.path().join("files")).expect("a folder of the test");
        let seams = Seams {
            clock: Arc::new(PhoneClock::new(Arc::default(), "fuzz")),
            entropy: chance,
            transport: Arc::new(NoLine),
            keys: Arc::new(keys.expect("a folder for keys")),
            files: Arc::new(Storage::new(files)),
            platform: Arc::new(PhoneFacts::default()),
        };
        let store = account::open(folder.path(), "fuzz", seams).expect("a fresh store");
        store.adopt(&enrolment()).expect("a fresh store adopts");
        let home = store.new_id();
        let at = store.now().expect("the store tells the time");
        let mut frozen = Frozen::new(&HOUSEHOLD, home, Op::Create, at);
        frozen.set.push(Set {
            path: Path::field("grid"),
            was: Value::Null,
            to: json!(GRID),
        });
        let mid = store.author(frozen).expect("the entry is saved").mid;
        Self {
            folder,
            store,
            mid,
            home,
        }
    }

    /// Opens the database beside the app.
    #[expect(
        clippy::disallowed_methods,
        reason = "the target looks at what the app has written"
    )]
    fn beside(&self) -> Connection {
        Connection::open(database(self.folder.path())).expect("the database is in clear")
    }

    /// Returns everything that stands in some columns, a row a line.
    pub(crate) fn dump(&self) -> String {
        let connection = self.beside();
        let tables = [
            "SELECT kind, hex(id), rev, body, shown, hidden, mark, under, sort FROM record ORDER BY 1, 2",
            "SELECT name, cursor, lowest, resume_kind, through, caught_up, total FROM scope ORDER BY 1",
            "SELECT scope, key, pending_to FROM membership ORDER BY 1, 2",
            "SELECT kind, hex(id), rev FROM tomb ORDER BY 1, 2",
            "SELECT mseq, hex(mid), frozen, outcome, reason, \"commit\", overlaid FROM authored ORDER BY 1",
        ];
        let mut text = String::new();
        for table in tables {
            let mut statement = connection.prepare(table).expect("a table of the store");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("the table is read");
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    let value: rusqlite::types::Value = row.get(column).expect("a value");
                    text.push_str(&format!("{value:?}|"));
                }
                text.push('\n');
            }
        }
        text
    }

    /// Counts the rows that a query finds.
    pub(crate) fn count(&self, query: &str) -> i64 {
        let counted = self.beside().query_row(query, [], |row| row.get(0));
        counted.expect("a query of the test")
    }

    /// Fails unless SQLite finds the file whole.
    pub(crate) fn is_sound(&self) {
        let connection = self.beside();
        let found: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("it is checked");
        assert_eq!(found, "ok");
    }
}
