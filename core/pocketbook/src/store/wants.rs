//! Wants: records that a scope holds and that did not come with it, since the server took them for
//! being here already. They are asked for singly, and their scope is not called complete before.
//!
//! A want ends by its body, whichever way it comes, or by the word that the record left the scope:
//! one of both always comes, since the scope's pages go on from where it was named.

use pocketbook_records::ids::RecordId;
use pocketbook_records::wire::{Key, Link, MAX_WANT, Put};
use rusqlite::{Connection, params};

use crate::error::Result;
use crate::store::{id_column, sql_int};

/// Notes a record that is lacking here.
pub(crate) fn note(connection: &Connection, scope: i64, link: &Link) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO want (scope, kind, id, rev) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            scope,
            link.kind,
            link.id.as_bytes(),
            sql_int(link.rev.0)
        ])?;
    Ok(())
}

/// Returns what to ask for next.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<Key>> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT kind, id FROM want ORDER BY kind, id LIMIT ?1")?;
    Ok(statement
        .query_map([sql_int(MAX_WANT as u64)], |row| {
            let id = RecordId(id_column(row, 1)?);
            let kind = row.get(0)?;
            Ok(Key { kind, id })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

/// A body came: returns the scopes that it was lacking in.
pub(crate) fn answer(connection: &Connection, put: &Put) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM want WHERE kind = ?1 AND id = ?2 AND rev <= ?3 RETURNING scope",
    )?;
    Ok(statement
        .query_map(
            params![put.kind, put.id.as_bytes(), sql_int(put.rev.0)],
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<_>>()?)
}

/// The record lies in the scope no more.
pub(crate) fn forget(connection: &Connection, scope: i64, key: &Key) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM want WHERE scope = ?1 AND kind = ?2 AND id = ?3")?
        .execute(params![scope, key.kind, key.id.as_bytes()])?;
    Ok(())
}

/// The scope went, or is compared as a whole.
pub(crate) fn forget_all(connection: &Connection, scope: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM want WHERE scope = ?1")?
        .execute([scope])?;
    Ok(())
}

/// Says whether a scope lacks anything.
pub(crate) fn any_of(connection: &Connection, scope: i64) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM want WHERE scope = ?1)")?
        .query_row([scope], |row| row.get(0))?)
}
