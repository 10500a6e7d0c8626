//! "Why did it vanish?": every record that was taken from this device leaves a line, with the day
//! and the reason but nothing of what it held. It is kept for ninety days.

use pocketbook_records::ids::RecordId;
use pocketbook_records::wire::Key;
use rusqlite::{Connection, params};

use crate::error::Result;
use crate::store::{Store, id_column, sql_int};

/// How long lines are kept.
const KEPT_MS: i64 = 90 * 24 * 3_600_000;

/// A record that was taken from this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// When (wall ms).
    pub at: i64,
    /// Its kind's name.
    pub kind: String,
    /// Its id.
    pub id: RecordId,
    /// Why.
    pub why: Why,
}

/// Why a record was taken from this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// 已迁出: it moved to a grid that is not held here.
    Moved,
    /// 已删除: somebody deleted it.
    Deleted,
    /// 不再负责: its grid is no longer this account's.
    Revoked,
    /// 已归档: settled and untouched for two years; the desk has it.
    Archived,
}

impl Why {
    /// Returns why a record left a scope.
    pub(crate) fn left(archived: bool) -> Self {
        match archived {
            true => Self::Archived,
            false => Self::Moved,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::Revoked => "revoked",
            Self::Archived => "archived",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "deleted" => Self::Deleted,
            "revoked" => Self::Revoked,
            "archived" => Self::Archived,
            _ => Self::Moved,
        }
    }
}

impl Store {
    /// Returns what was taken from this device, the latest first.
    pub fn vanished(&self, most: usize) -> Result<Vec<Vanished>> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT at, kind, id, what FROM trace ORDER BY n DESC LIMIT ?1")?;
            let mut rows = statement.query([sql_int(most as u64)])?;
            let mut vanished = Vec::new();
            while let Some(row) = rows.next()? {
                vanished.push(Vanished {
                    at: row.get(0)?,
                    kind: row.get(1)?,
                    id: RecordId(id_column(row, 2)?),
                    why: Why::named(row.get_ref(3)?.as_str().unwrap_or_default()),
                });
            }
            Ok(vanished)
        })
    }
}

/// Notes that a record is taken from this device.
pub(crate) fn note(connection: &Connection, key: &Key, why: Why, wall: i64) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO trace (at, kind, id, what) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![wall, key.kind, key.id.as_bytes(), why.name()])?;
    Ok(())
}

/// Forgets lines that are old.
pub(crate) fn forget_old(connection: &Connection, wall: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM trace WHERE at < ?1")?
        .execute([wall - KEPT_MS])?;
    Ok(())
}
