//! Scopes: how far each has been read, and which records lie in it.

use std::collections::BTreeMap;

use pocketbook_records::ids::{Commit, RecordId};
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Answer, Ask, Frame, Key, Mode, Page};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::{from_sql_int, id_column, sql_int, tombs, wants};

/// A scope as far as it has been read.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) id: i64,
    /// Pages go on from here; none while the first sync is under way.
    pub(crate) cursor: Option<String>,
    /// Its ranges are to be asked for.
    pub(crate) is_to_be_compared: bool,
    /// Frames of what differs are being read.
    pub(crate) is_being_compared: bool,
    lowest: Option<String>,
}

/// What stands in `compare` while ranges are still to be asked for.
const ASK: &str = "ask";

/// Finds a scope.
pub(crate) fn find(connection: &Connection, scope: &Scope) -> Result<Option<Read>> {
    Ok(connection
        .prepare_cached("SELECT id, cursor, lowest, compare FROM scope WHERE name = ?1")?
        .query_row([scope.to_string()], |row| {
            let compare: Option<String> = row.get(3)?;
            Ok(Read {
                id: row.get(0)?,
                cursor: row.get(1)?,
                lowest: row.get(2)?,
                is_to_be_compared: compare.as_deref() == Some(ASK),
                is_being_compared: compare.is_some_and(|compare| compare != ASK),
            })
        })
        .optional()?)
}

/// Notes newly granted scopes; says whether there were any.
pub(crate) fn admit(connection: &Connection, grants: &[Scope]) -> Result<bool> {
    let mut any = false;
    for scope in grants {
        any |= connection
            .prepare_cached("INSERT INTO scope (name) VALUES (?1) ON CONFLICT (name) DO NOTHING")?
            .execute([scope.to_string()])?
            > 0;
    }
    Ok(any)
}

/// Returns what to ask of each scope.
pub(crate) fn asks(connection: &Connection) -> Result<BTreeMap<Scope, Ask>> {
    let mut statement = connection
        .prepare_cached("SELECT name, cursor, resume_kind, resume_id, compare FROM scope")?;
    let mut rows = statement.query([])?;
    let mut asks = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let Ok(scope) = row
            .get_ref(0)?
            .as_str()
            .unwrap_or_default()
            .parse::<Scope>()
        else {
            continue;
        };
        let cursor: Option<String> = row.get(1)?;
        let after = match row.get::<_, Option<String>>(2)? {
            Some(kind) => Some(Key {
                kind,
                id: RecordId(id_column(row, 3)?),
            }),
            None => None,
        };
        let mode = match (&cursor, row.get::<_, Option<String>>(4)?) {
            (Some(_), _) => Mode::Pages,
            (None, None) => Mode::Frames { after },
            (None, Some(asks)) if asks == ASK => Mode::Pairs { after: None },
            (None, Some(spans)) => Mode::Parts {
                spans: serde_json::from_str(&spans)?,
                after,
            },
        };
        asks.insert(scope, Ask { cursor, mode });
    }
    Ok(asks)
}

/// Puts a record into a scope.
pub(crate) fn join(connection: &Connection, scope: i64, key: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO membership (scope, key) VALUES (?1, ?2)
             ON CONFLICT (scope, key) DO UPDATE SET pending_to = NULL",
        )?
        .execute([scope, key])?;
    Ok(())
}

/// Keeps a record that left a scope until the scope that it went to has been read so far; says
/// whether there is anything to wait for.
pub(crate) fn keep_until_read(
    connection: &Connection,
    (scope, key): (i64, i64),
    to: &Scope,
    commit: Commit,
) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "UPDATE membership SET pending_to = (SELECT id FROM scope WHERE name = ?3)
             WHERE scope = ?1 AND key = ?2
               AND EXISTS (
                   SELECT 1 FROM scope
                   WHERE name = ?3 AND (cursor IS NULL OR caught_up = 0 OR through < ?4)
               )
               AND NOT EXISTS (
                   SELECT 1 FROM membership AS other JOIN scope ON scope.id = other.scope
                   WHERE other.key = ?2 AND scope.name = ?3
               )",
        )?
        .execute(params![scope, key, to.to_string(), sql_int(commit.0)])?
        > 0)
}

/// Returns the memberships that wait for a scope: read to its head or dropped, it won't confirm
/// them.
pub(crate) fn unconfirmed(connection: &Connection, scope: i64) -> Result<Vec<(i64, Key)>> {
    let mut statement = connection.prepare_cached(
        "SELECT membership.scope, record.kind, record.id
         FROM membership JOIN record ON record.key = membership.key
         WHERE membership.pending_to = ?1",
    )?;
    Ok(statement
        .query_map([scope], |row| {
            let id = RecordId(id_column(row, 2)?);
            let kind = row.get(1)?;
            Ok((row.get(0)?, Key { kind, id }))
        })?
        .collect::<rusqlite::Result<_>>()?)
}

/// Takes a record out of a scope; says whether it lies in any other.
pub(crate) fn part(connection: &Connection, scope: i64, key: i64) -> Result<bool> {
    connection
        .prepare_cached("DELETE FROM membership WHERE scope = ?1 AND key = ?2")?
        .execute([scope, key])?;
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM membership WHERE key = ?1)")?
        .query_row([key], |row| row.get(0))?)
}

/// Moves a scope on after a page.
pub(crate) fn advance(
    connection: &Connection,
    scope: i64,
    page: &Page,
    caught_up: bool,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE scope SET cursor = ?2, through = ?3, caught_up = ?4 WHERE id = ?1")?
        .execute(params![
            scope,
            page.cursor,
            sql_int(page.through.0),
            caught_up
        ])?;
    Ok(())
}

/// Moves a first sync on after a frame. Once the last one is in, pages start at the lowest
/// snapshot used; if all were read at one, the scope is complete already. Says whether it is.
pub(crate) fn note_frame(connection: &Connection, scope: &Read, frame: &Frame) -> Result<bool> {
    let lowest = scope.lowest.as_ref().unwrap_or(&frame.cursor);
    if frame.last {
        let caught_up = *lowest == frame.cursor && !wants::any_of(connection, scope.id)?;
        connection
            .prepare_cached(
                "UPDATE scope SET cursor = ?2, lowest = NULL, resume_kind = NULL, resume_id = NULL,
                     compare = NULL, through = ?3, caught_up = ?4
                 WHERE id = ?1",
            )?
            .execute(params![
                scope.id,
                lowest,
                sql_int(frame.commit.0),
                caught_up
            ])?;
        tombs::forget(connection)?;
        return Ok(caught_up);
    }
    let last_row = frame.rows.last().map(|last| (&last.kind, last.id));
    let end = frame.end.as_ref().map(|end| (&end.kind, end.id));
    if let Some((kind, id)) = end.or(last_row) {
        connection
            .prepare_cached(
                "UPDATE scope SET lowest = ?2, resume_kind = ?3, resume_id = ?4 WHERE id = ?1",
            )?
            .execute(params![scope.id, lowest, kind, id.as_bytes()])?;
    }
    Ok(false)
}

/// Says whether any first sync or comparison is under way.
pub(crate) fn any_unfinished(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM scope WHERE cursor IS NULL)")?
        .query_row([], |row| row.get(0))?)
}

/// Notes how many records a scope has.
pub(crate) fn note_total(connection: &Connection, scope: i64, total: u64) -> Result<()> {
    connection
        .prepare_cached("UPDATE scope SET total = ?2 WHERE id = ?1")?
        .execute([scope, sql_int(total)])?;
    Ok(())
}

/// A scope may hold other records than the server's: it is compared ([`super::compare`]). One that
/// is still being read for the first time goes on, since it has no place in the sequence yet.
pub(crate) fn doubt(connection: &Connection, scope: i64) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE scope SET cursor = NULL, lowest = NULL, resume_kind = NULL, resume_id = NULL,
                 compare = ?2, caught_up = 0
             WHERE id = ?1 AND (cursor IS NOT NULL OR compare IS NOT NULL)",
        )?
        .execute(params![scope, ASK])?;
    wants::forget_all(connection, scope)
}

/// The server knows neither us nor any cursor of ours: every scope is compared.
pub(crate) fn doubt_all(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT id FROM scope")?;
    let scopes = statement.query_map([], |row| row.get(0))?;
    let scopes = scopes.collect::<rusqlite::Result<Vec<i64>>>()?;
    scopes
        .into_iter()
        .try_for_each(|scope| doubt(connection, scope))
}

/// The server could not serve some cursors, or knows none at all: those scopes are compared.
pub(crate) fn doubt_unanswered(
    connection: &Connection,
    asked: &BTreeMap<Scope, Ask>,
    answer: &Answer,
) -> Result<()> {
    if answer.grants.is_none() {
        return doubt_all(connection);
    }
    let unanswered = asked
        .keys()
        .filter(|scope| !answer.scopes.contains_key(scope));
    for name in unanswered {
        if let Some(scope) = find(connection, name)? {
            doubt(connection, scope.id)?;
        }
    }
    Ok(())
}

/// A scope was found equal at a snapshot: pages go on from there.
pub(crate) fn resume_pages(
    connection: &Connection,
    scope: i64,
    cursor: &str,
    through: Commit,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE scope SET cursor = ?2, compare = NULL, through = ?3, caught_up = 1
             WHERE id = ?1",
        )?
        .execute(params![scope, cursor, sql_int(through.0)])?;
    tombs::forget(connection)
}

/// Returns the newest commit that frames may have been read at, which may be later than any answer:
/// that of the scopes that are read to their heads, and no bound while one is not.
pub(crate) fn read_through(connection: &Connection) -> Result<Commit> {
    let through: Option<i64> = connection
        .prepare_cached(
            "SELECT CASE WHEN MIN(caught_up) = 0 THEN NULL ELSE COALESCE(MAX(through), 0) END
             FROM scope",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(through.map_or(Commit(u64::MAX), |through| Commit(from_sql_int(through))))
}

/// How far the first sync is: records here and records in all, over scopes not yet complete.
pub(crate) fn progress(connection: &Connection) -> Result<Progress> {
    let (unfinished, all): (i64, i64) = connection
        .prepare_cached("SELECT COUNT(*) FILTER (WHERE caught_up = 0), COUNT(*) FROM scope")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let first: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM scope WHERE cursor IS NULL AND compare IS NULL)",
        )?
        .query_row([], |row| row.get(0))?;
    let (here, total): (i64, i64) = connection
        .prepare_cached(
            "SELECT (SELECT COUNT(*) FROM membership), (SELECT COALESCE(SUM(total), 0) FROM scope)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Progress {
        is_first: first,
        is_caught_up: unfinished == 0 && all > 0,
        here: from_sql_int(here),
        total: from_sql_int(total),
    })
}

/// How far the reading of all scopes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) is_first: bool,
    pub(crate) is_caught_up: bool,
    pub(crate) here: u64,
    pub(crate) total: u64,
}
