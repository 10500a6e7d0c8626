//! Whose a photo is: the work, draft or record that names it.
//!
//! One photo may be named by several: taken once and used in two drafts, named by an entry that is
//! withdrawn and by another that is not. Its row belongs to one of them. When that one lets go, the
//! row passes to whoever else names it, and is forgotten only if nobody does. Own photos that the
//! server lacks, and those that no backup holds yet, are kept in any case, sealed: a server that
//! loses them has them from nowhere else.

use pocketbook_records::ids::{BlobHash, Commit, RecordId};
use pocketbook_records::wire::Key;
use rusqlite::{Connection, params};

use crate::error::Result;
use crate::store::{id_column, sql_int};

/// The server lacks files that our work names: those that are still here wait again.
pub(crate) fn want(connection: &Connection, wanted: &[BlobHash], asof: Commit) -> Result<()> {
    for hash in wanted {
        connection
            .prepare_cached(
                "UPDATE blob SET state = 'waiting', sent = 0, \"commit\" = NULL
                 WHERE hash = ?1 AND reason IS NULL
                   AND (state IN ('draft', 'fetched') OR (state = 'stored' AND \"commit\" <= ?2))",
            )?
            .execute(params![hash.0, sql_int(asof.0)])?;
    }
    Ok(())
}

/// Hands a file in with the record that names it.
pub(crate) fn hand_in(
    connection: &Connection,
    hash: BlobHash,
    kind: &str,
    id: RecordId,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE blob SET state = 'waiting', kind = ?2, id = ?3
             WHERE hash = ?1 AND state = 'draft'",
        )?
        .execute(params![hash.0, kind, id.as_bytes()])?;
    adopt(connection, hash, kind, id)
}

/// Gives a file to a record if the one that it belonged to is not here any more.
pub(super) fn adopt(
    connection: &Connection,
    hash: BlobHash,
    kind: &str,
    id: RecordId,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE blob SET kind = ?2, id = ?3
             WHERE hash = ?1
               AND NOT EXISTS (
                   SELECT 1 FROM record WHERE record.kind = blob.kind AND record.id = blob.id
               )
               AND NOT EXISTS (SELECT 1 FROM draft WHERE draft.id = blob.id)",
        )?
        .execute(params![hash.0, kind, id.as_bytes()])?;
    Ok(())
}

/// An entry that named a file was withdrawn: if no other does, it is a draft's again.
pub(crate) fn let_go(connection: &Connection, hash: BlobHash) -> Result<()> {
    if pass_on(connection, hash, Work::Any)? {
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE blob SET state = 'draft' WHERE hash = ?1 AND state = 'waiting' AND sent = 0",
        )?
        .execute([hash.0])?;
    Ok(())
}

/// A record has left this device: its files pass to whoever else names them. Returns those
/// forgotten.
pub(crate) fn forget_of(connection: &Connection, of: &Key) -> Result<Vec<BlobHash>> {
    let mut statement = connection
        .prepare_cached("SELECT hash, state = 'fetched' FROM blob WHERE kind = ?1 AND id = ?2")?;
    let files = statement
        .query_map(params![of.kind, of.id.as_bytes()], |row| {
            Ok((BlobHash(row.get(0)?), row.get::<_, bool>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut forgotten = Vec::new();
    for (hash, is_fetched) in files {
        if !pass_on(connection, hash, Work::Open)? && is_fetched {
            forgotten.push(forget(connection, hash)?);
        }
    }
    Ok(forgotten)
}

/// Forgets own files of records that have left this device, once a backup holds them. Returns
/// those forgotten.
pub(crate) fn release(connection: &Connection, durable: Commit) -> Result<Vec<BlobHash>> {
    let mut statement = connection.prepare_cached(
        "SELECT hash FROM blob
         WHERE state = 'stored' AND \"commit\" <= ?1
           AND NOT EXISTS (
               SELECT 1 FROM record WHERE record.kind = blob.kind AND record.id = blob.id
           )
           AND NOT EXISTS (SELECT 1 FROM draft WHERE draft.id = blob.id)",
    )?;
    let left = statement
        .query_map([sql_int(durable.0)], |row| row.get(0).map(BlobHash))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    forget_unnamed(connection, left)
}

/// Forgets the files of a draft thrown away, except those that others name. Returns those
/// forgotten.
pub(crate) fn forget_drafted(connection: &Connection, id: RecordId) -> Result<Vec<BlobHash>> {
    let mut statement =
        connection.prepare_cached("SELECT hash FROM blob WHERE id = ?1 AND state = 'draft'")?;
    let left = statement
        .query_map([id.as_bytes()], |row| row.get(0).map(BlobHash))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    forget_unnamed(connection, left)
}

fn forget_unnamed(connection: &Connection, left: Vec<BlobHash>) -> Result<Vec<BlobHash>> {
    let mut forgotten = Vec::new();
    for hash in left {
        if !pass_on(connection, hash, Work::Open)? {
            forgotten.push(forget(connection, hash)?);
        }
    }
    Ok(forgotten)
}

fn forget(connection: &Connection, hash: BlobHash) -> Result<BlobHash> {
    connection
        .prepare_cached("DELETE FROM blob WHERE hash = ?1")?
        .execute([hash.0])?;
    Ok(hash)
}

/// Which own work counts as naming a file.
#[derive(Clone, Copy)]
enum Work {
    /// What waits for its receipt, or for a decision.
    Open,
    /// Also what is settled: the server may still wait for its files. A file that waits, waits
    /// only for those that are found.
    Any,
}

/// Gives a file that somebody lets go of to whoever else names it: a record that can be seen, a
/// draft, own work. Says whether there was anyone. Whoever lets go must not name it any more, nor
/// be in view.
fn pass_on(connection: &Connection, hash: BlobHash, work: Work) -> Result<bool> {
    let is_any = matches!(work, Work::Any);
    let mut statement = connection.prepare_cached(
        "SELECT kind, id, 'fetched' FROM record WHERE instr(COALESCE(shown, body), ?1) > 0
         UNION ALL
         SELECT kind, id, 'draft' FROM draft WHERE instr(body, ?1) > 0
         UNION ALL
         SELECT kind, id, 'waiting' FROM authored
         WHERE (?2 OR outcome IS NULL OR outcome IN ('parked', 'rejected'))
           AND instr(frozen, ?1) > 0",
    )?;
    let named_by = statement
        .query_map(params![hash.to_string(), is_any], |row| {
            Ok((
                row.get::<_, String>(0)?,
                id_column(row, 1)?,
                row.get::<_, String>(2)?,
            ))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    // It belongs to the first, and is as urgent as the most urgent of them wants it.
    let (Some((kind, id, _)), Some(state)) = (
        named_by.first(),
        ["waiting", "draft", "fetched"]
            .into_iter()
            .find(|state| named_by.iter().any(|(_, _, wants)| wants == state)),
    ) else {
        return Ok(false);
    };
    connection
        .prepare_cached(
            "UPDATE blob SET kind = ?2, id = ?3,
                 state = CASE WHEN sent > 0 OR reason IS NOT NULL THEN state
                              WHEN state IN ('draft', 'fetched') THEN ?4
                              WHEN state = 'waiting' AND ?5 THEN ?4
                              ELSE state END
             WHERE hash = ?1",
        )?
        .execute(params![hash.0, kind, id.as_bytes(), state, is_any])?;
    Ok(true)
}
