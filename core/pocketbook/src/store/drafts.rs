//! Drafts: begun and not handed in. They survive a kill and hold no number.

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::RecordId;
use pocketbook_records::kind::Kind;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::blobs::names;
use crate::store::{Store, id_column};

/// Something begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The record's future id.
    pub id: RecordId,
    /// Its kind's name.
    pub kind: String,
    /// The fields so far.
    pub fields: Fields,
    /// When it was last saved (wall ms).
    pub updated: i64,
}

impl Store {
    /// Saves a draft as it stands; the same id again replaces it.
    pub fn save_draft(&self, kind: &Kind, id: RecordId, fields: &Fields) -> Result<()> {
        let now = self.seams.clock.wall_ms();
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO draft (id, kind, body, updated) VALUES (?1, ?2, ?3, ?4)",
                params![id.as_bytes(), kind.name, body::write(fields), now],
            )?;
            Ok(())
        })
    }

    /// Returns all drafts, the newest first.
    pub fn drafts(&self) -> Result<Vec<Draft>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, kind, body, updated FROM draft ORDER BY updated DESC",
            )?;
            let mut rows = statement.query([])?;
            let mut drafts = Vec::new();
            while let Some(row) = rows.next()? {
                drafts.push(read(row)?);
            }
            Ok(drafts)
        })
    }

    /// Returns one draft.
    pub fn draft(&self, id: RecordId) -> Result<Option<Draft>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id, kind, body, updated FROM draft WHERE id = ?1")?
                .query_row([id.as_bytes()], |row| Ok(read(row)))
                .optional()?
                .transpose()
        })
    }

    /// Throws a draft away, its photos too.
    pub fn discard_draft(&self, id: RecordId) -> Result<()> {
        let files = self.write(|transaction| {
            forget(transaction, id)?;
            names::forget_drafted(transaction, id)
        })?;
        for hash in files {
            self.remove_blob_files(hash)?;
        }
        Ok(())
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Draft> {
    let text: String = row.get(2)?;
    Ok(Draft {
        id: RecordId(id_column(row, 0)?),
        kind: row.get(1)?,
        fields: body::parse(&text).unwrap_or_default(),
        updated: row.get(3)?,
    })
}

/// A draft ends when its record is authored.
pub(crate) fn forget(connection: &Connection, id: RecordId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM draft WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    Ok(())
}
