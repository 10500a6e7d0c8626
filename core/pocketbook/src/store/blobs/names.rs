//! Whose a photo is: the work, draft or record that names it.
//!
//! One photo may be named by several: taken once and used in two drafts, named by an entry that is
//! withdrawn and by another that is not. Its row belongs to one of them. When that one lets go, the
//! row passes to whoever else names it, and is forgotten only if nobody does. Own photos that the
//! server lacks, and those that no backup holds yet, are kept in any case, sealed: a server that
//! loses them has them from nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::body;
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
    if Namers::find(connection, [hash], Work::Any)?.pass_on(connection, hash)? {
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE blob SET state = 'draft' WHERE hash = ?1 AND state = 'waiting' AND sent = 0",
        )?
        .execute([hash.0])?;
    Ok(())
}

/// Records have left this device: their files pass to whoever else names them. Returns those
/// forgotten.
pub(crate) fn forget_gone(connection: &Connection) -> Result<Vec<BlobHash>> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, state = 'fetched' FROM blob
         WHERE NOT EXISTS (
               SELECT 1 FROM record WHERE record.kind = blob.kind AND record.id = blob.id
           )
           AND NOT EXISTS (SELECT 1 FROM draft WHERE draft.id = blob.id)",
    )?;
    let left = statement
        .query_map([], |row| {
            Ok((BlobHash(row.get(0)?), row.get::<_, bool>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let namers = Namers::find(connection, left.iter().map(|(hash, _)| *hash), Work::Open)?;
    let mut forgotten = Vec::new();
    for (hash, is_fetched) in left {
        if !namers.pass_on(connection, hash)? && is_fetched {
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
    let namers = Namers::find(connection, left.iter().copied(), Work::Open)?;
    let mut forgotten = Vec::new();
    for hash in left {
        if !namers.pass_on(connection, hash)? {
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
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// What waits for its receipt, or for a decision.
    Open,
    /// Also what is settled: the server may still wait for its files. A file that waits, waits
    /// only for those that are found.
    Any,
}

/// Who names which file, found by one reading of all that may.
struct Namers {
    of: BTreeMap<BlobHash, Named>,
    work: Work,
}

/// Who names a file.
struct Named {
    /// The first that was found: it belongs to that one.
    by: Key,
    /// As urgent as the most urgent of them wants it.
    state: &'static str,
}

impl Work {
    /// Who names files and what each wants of them, the most urgent last.
    fn naming(self) -> [(&'static str, &'static str); 3] {
        let own = match self {
            Self::Any => "SELECT kind, id, frozen FROM authored",
            Self::Open => {
                "SELECT kind, id, frozen FROM authored
                 WHERE outcome IS NULL OR outcome IN ('parked', 'rejected')"
            }
        };
        [
            (
                "fetched",
                "SELECT kind, id, COALESCE(shown, body) FROM record",
            ),
            ("draft", "SELECT kind, id, body FROM draft"),
            ("waiting", own),
        ]
    }
}

impl Namers {
    fn find(
        connection: &Connection,
        files: impl IntoIterator<Item = BlobHash>,
        work: Work,
    ) -> Result<Self> {
        let wanted: BTreeSet<BlobHash> = files.into_iter().collect();
        let mut of: BTreeMap<BlobHash, Named> = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(Self { of, work });
        }
        for (state, query) in work.naming() {
            let mut statement = connection.prepare_cached(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let text = row.get_ref(2)?.as_str().unwrap_or_default();
                for hash in body::files(text) {
                    if !wanted.contains(&hash) {
                        continue;
                    }
                    let by = Key {
                        kind: row.get(0)?,
                        id: RecordId(id_column(row, 1)?),
                    };
                    of.entry(hash)
                        .and_modify(|named| named.state = state)
                        .or_insert(Named { by, state });
                }
            }
        }
        Ok(Self { of, work })
    }

    /// Gives a file that somebody lets go of to whoever else names it. Says whether there was
    /// anyone. Whoever lets go must not name it any more, nor be in view.
    fn pass_on(&self, connection: &Connection, hash: BlobHash) -> Result<bool> {
        let Some(Named { by, state }) = self.of.get(&hash) else {
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
            .execute(params![
                hash.0,
                by.kind,
                by.id.as_bytes(),
                state,
                self.work == Work::Any
            ])?;
        Ok(true)
    }
}
