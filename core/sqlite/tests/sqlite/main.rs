//! Opening, climbing, refusing, setting aside and backing up, on real files.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests make, break and compare database files"
)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail too")]

mod backup;
mod damaged;
#[cfg(feature = "sqlcipher")]
mod encrypted;
mod ladder;
mod opening;

use std::path::{Path, PathBuf};

use pocketbook_sqlite::{Ladder, OpenError, Options, Step, open};
use rusqlite::Connection;
use tempfile::TempDir;

/// A small schema with a reference, an index and a rebuilt table, as real ladders have.
const LADDER: Ladder = Ladder {
    name: "notes",
    application_id: 0x5042_0001,
    steps: &[
        FIRST,
        Step {
            sql: "CREATE TABLE folder_new (
                      id INTEGER PRIMARY KEY,
                      name TEXT NOT NULL,
                      colour TEXT NOT NULL DEFAULT 'red'
                  ) STRICT;
                  INSERT INTO folder_new (id, name) SELECT id, name FROM folder;
                  DROP TABLE folder;
                  ALTER TABLE folder_new RENAME TO folder;",
        },
        Step {
            sql: "CREATE INDEX note_by_folder ON note (folder);",
        },
    ],
};

const FIRST: Step = Step {
    sql: "CREATE TABLE folder (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
                  CREATE TABLE note (
                      id INTEGER PRIMARY KEY,
                      folder INTEGER NOT NULL REFERENCES folder,
                      body TEXT NOT NULL
                  ) STRICT;",
};

/// The same ladder, as an older app knew it.
fn older(steps: usize) -> Ladder {
    Ladder {
        steps: &LADDER.steps[..steps],
        ..LADDER
    }
}

/// A directory for one test's database.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.beside("book.db")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, ladder: &Ladder) -> Result<Connection, OpenError> {
        open(&Options::new(self.path()), ladder)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Copies the files of a database that is still open, as a kill would leave them.
    fn as_if_killed(&self) -> Self {
        let copy = Self::new();
        for name in ["book.db", "book.db-wal"] {
            std::fs::copy(self.beside(name), copy.beside(name)).unwrap();
        }
        copy
    }
}

fn schema(connection: &Connection) -> Vec<(String, String, Option<String>)> {
    connection
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn add_note(connection: &Connection, body: &str) {
    connection
        .execute(
            "INSERT OR IGNORE INTO folder (id, name) VALUES (1, 'all')",
            [],
        )
        .unwrap();
    connection
        .execute("INSERT INTO note (folder, body) VALUES (1, ?1)", [body])
        .unwrap();
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
