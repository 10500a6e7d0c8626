//! Tombs: deletions that were heard of while a scope is read from the start. A frame that was read
//! earlier must not bring back what they buried.

use pocketbook_records::ids::{RecordId, Rev};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::{from_sql_int, scopes, sql_int};

/// Remembers a deletion while any scope is read from the start.
pub(crate) fn remember(connection: &Connection, kind: &str, id: RecordId, rev: Rev) -> Result<()> {
    if scopes::any_unfinished(connection)? {
        connection
            .prepare_cached("INSERT OR REPLACE INTO tomb (kind, id, rev) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, id.as_bytes(), sql_int(rev.0)])?;
    }
    Ok(())
}

/// Says whether a record was deleted after it was read at this rev.
pub(crate) fn is_buried(
    connection: &Connection,
    (kind, id): (&str, RecordId),
    read: Rev,
) -> Result<bool> {
    let rev: Option<i64> = connection
        .prepare_cached("SELECT rev FROM tomb WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind, id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(rev.is_some_and(|rev| from_sql_int(rev) >= read.0))
}

/// Forgets all once every scope has been read.
pub(crate) fn forget(connection: &Connection) -> Result<()> {
    if !scopes::any_unfinished(connection)? {
        connection.execute("DELETE FROM tomb", [])?;
    }
    Ok(())
}
