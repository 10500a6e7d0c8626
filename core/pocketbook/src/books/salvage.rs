//! A damaged database: set aside, never deleted, and the work in it carried over as far as it can
//! be read.
//!
//! The mirror is not carried over: the server has it. What only this device has is: who is
//! enrolled, the outbox, content that was announced and that the server still awaits, drafts, and
//! which photos belong to them. Numbers that can't be read any more go to the server as `void`, so
//! that the sequence has no hole and nothing waits behind it. Photos that nothing names any more
//! stay in the account's folder under another name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::time::At;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::books::account;
use crate::error::Result;
use crate::seams::{FilesError, Seams, uuid_v7};
use crate::store::{Store, id_column, kind_named, meta, view};

/// What could be carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged file lies now.
    pub set_aside: PathBuf,
    /// Whether the enrolment was readable; else the device enrols anew.
    pub account: bool,
    /// Changes that had not been handed in and are saved.
    pub changes: usize,
    /// Changes that can't be read any more.
    pub lost: usize,
    /// Drafts saved.
    pub drafts: usize,
}

/// A table's columns and rows, as far as they could be read.
struct Table {
    insert: String,
    rows: Vec<Vec<Value>>,
}

/// Sets the damaged database of an account aside and opens a new one with what was readable.
pub fn salvage(folder: &Path, name: &str, seams: Seams) -> Result<(Store, Salvaged)> {
    let file = account::database(folder);
    let set_aside = pocketbook_sqlite::set_aside(&file).map_err(FilesError::from)?;
    let old = account::open_damaged(&set_aside, name, &seams).ok();
    let read = |table: &str, filter: &str| match &old {
        Some(old) => Table::read(old, table, filter),
        None => Table {
            insert: String::new(),
            rows: Vec::new(),
        },
    };
    let metas = read("meta", "name IN ('account', 'user')");
    let mut authored = read(
        "authored",
        "outcome IS NULL OR mseq = (SELECT MAX(mseq) FROM authored)",
    );
    // Announced content whose announcement has its receipt: only this device has it.
    let awaited = read(
        "authored",
        "outcome IS NOT NULL AND mseq IN (SELECT mseq FROM later)",
    );
    let announced = read("later", "1");
    let drafts = read("draft", "1");
    let blobs = read("blob", "state IN ('draft', 'waiting')");
    keep_unnamed_files(&seams, &blobs)?;
    let store = account::open(folder, name, seams)?;
    let lost = fill_holes(&store, &mut authored, &awaited);
    store.write(|transaction| {
        for table in [&metas, &authored, &awaited, &announced, &drafts, &blobs] {
            table.write(transaction)?;
        }
        show_again(transaction)
    })?;
    let is_enrolled = store
        .read(|connection| meta::read::<String>(connection, meta::ACCOUNT))?
        .is_some();
    let salvaged = Salvaged {
        set_aside,
        account: is_enrolled,
        changes: authored.rows.len().saturating_sub(lost),
        lost,
        drafts: drafts.rows.len(),
    };
    Ok((store, salvaged))
}

impl Table {
    /// Reads rows until the damage stops it.
    fn read(old: &Connection, table: &str, filter: &str) -> Self {
        let mut read = Self {
            insert: String::new(),
            rows: Vec::new(),
        };
        let Ok(mut statement) = old.prepare(&format!("SELECT * FROM {table} WHERE {filter}"))
        else {
            return read;
        };
        let columns: Vec<String> = statement
            .column_names()
            .map(|name| format!("\"{name}\""))
            .collect();
        let places = vec!["?"; columns.len()].join(", ");
        read.insert = format!(
            "INSERT OR IGNORE INTO {table} ({}) VALUES ({places})",
            columns.join(", ")
        );
        let Ok(mut rows) = statement.query([]) else {
            return read;
        };
        while let Ok(Some(row)) = rows.next() {
            let values = (0..columns.len()).map(|column| row.get(column)).collect();
            match values {
                Ok(values) => read.rows.push(values),
                Err(_) => break,
            }
        }
        read
    }

    fn write(&self, connection: &Connection) -> Result<()> {
        for row in &self.rows {
            connection
                .prepare_cached(&self.insert)?
                .execute(params_from_iter(row))?;
        }
        Ok(())
    }
}

/// Shows the work that was carried over: the view of the new file knows nothing of it yet.
fn show_again(connection: &Connection) -> Result<()> {
    let mut statement =
        connection.prepare("SELECT DISTINCT kind, id FROM authored WHERE overlaid = 1")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind = kind_named(row.get_ref(0)?.as_str().unwrap_or_default())?;
        view::refresh(connection, kind, RecordId(id_column(row, 1)?))?;
    }
    Ok(())
}

/// Gives numbers between the first and the last entry that could not be read a void entry.
fn fill_holes(store: &Store, authored: &mut Table, awaited: &Table) -> usize {
    let number = |row: &Vec<Value>| match row.first() {
        Some(Value::Integer(mseq)) => *mseq,
        _ => 0,
    };
    let known: BTreeSet<i64> = authored.rows.iter().map(number).collect();
    let settled: BTreeSet<i64> = awaited.rows.iter().map(number).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return 0;
    };
    let holes: Vec<i64> = (*first..*last)
        .filter(|mseq| !known.contains(mseq) && !settled.contains(mseq))
        .collect();
    let clock = &store.seams.clock;
    for mseq in &holes {
        let at = At {
            wall: clock.wall_ms(),
            boot: clock.boot(),
            monotonic_ms: clock.monotonic_ms(),
            contact: None,
        };
        let id = RecordId(uuid_v7(&**clock, &*store.seams.entropy));
        let mid = uuid_v7(&**clock, &*store.seams.entropy);
        let void = Frozen::new(&HOUSEHOLD, id, Op::Void, at);
        authored.rows.push(vec![
            Value::Integer(*mseq),
            Value::Blob(mid.as_bytes().to_vec()),
            Value::Text(HOUSEHOLD.name.to_owned()),
            Value::Blob(id.as_bytes().to_vec()),
            Value::Null,
            Value::Null,
            Value::Text(void.freeze().get().to_owned()),
            Value::Integer(clock.wall_ms()),
            Value::Integer(0),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Integer(0),
        ]);
    }
    holes.len()
}

/// Files that no carried-over row names would be swept at the next opening: they get a name that
/// the sweeper does not know.
fn keep_unnamed_files(seams: &Seams, blobs: &Table) -> Result<()> {
    let named: Vec<String> = blobs
        .rows
        .iter()
        .filter_map(|row| match row.first() {
            Some(Value::Blob(hash)) => Some(hex::encode(hash)),
            _ => None,
        })
        .collect();
    for name in seams.files.list("")? {
        let hash = name.split('.').next().unwrap_or_default();
        let is_ours = hash.parse::<BlobHash>().is_ok();
        if is_ours && !named.iter().any(|known| known == hash) {
            seams.files.rename(&name, &format!("aside.{name}"))?;
        }
    }
    Ok(())
}
