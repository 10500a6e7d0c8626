//! A new history: the server was restored, and this phone remembers what it forgot.
//!
//! *The life of an adoption.* An answer of a later epoch names the intervals of commits that were
//! thrown away. Before any row is replaced, in the same transaction: bodies of lost revs are kept
//! as *witness*, since desks have no phones that bring their work back; own work that was taken by
//! a lost commit waits again, with the server's own receipts as *proof*; photos that were stored
//! by one wait again, too; and every scope is compared. Nothing was lost as long as the phone
//! lives.
//!
//! *What it promises.* Work that waits again keeps its name and number: the server counts it once.
//! What the person sees does not change; nothing is asked of her.

use std::collections::BTreeSet;

use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, Mseq, RecordId};
use pocketbook_records::receipt::ReceiptRow;
use pocketbook_records::wire::{Fork, Key, Put};
use rusqlite::{Connection, params};
use serde_json::value::RawValue;

use crate::error::Result;
use crate::store::{Store, from_sql_int, id_column, meta, receipts, scopes, sql_int};

/// About how many bytes of witness a request carries.
const WITNESS_BYTES: usize = 256 * 1024;
/// And at most so many rows.
const WITNESS_ROWS: i64 = 500;

/// Adopts a later history. Records to be shown anew go into `touched`.
pub(crate) fn adopt(
    connection: &Connection,
    forks: &[Fork],
    touched: &mut BTreeSet<Key>,
) -> Result<()> {
    for fork in forks {
        let interval = [sql_int(fork.after.0), sql_int(fork.until.0)];
        connection.execute(
            "INSERT OR IGNORE INTO witness (kind, id, rev, schema, body)
             SELECT kind, id, rev, schema, body FROM record
             WHERE rev > ?1 AND rev <= ?2",
            interval,
        )?;
        // The server's present body has an earlier rev and replaces it all the same.
        connection.execute(
            "UPDATE record SET rev = 0 WHERE rev > ?1 AND rev <= ?2",
            interval,
        )?;
        // What the body here contains already is laid over once the server's body is here.
        let mut waits_again = connection.prepare(
            "UPDATE authored SET outcome = NULL, reason = NULL, \"commit\" = NULL,
                 overlaid = CASE overlaid WHEN 1 THEN 1 ELSE -1 END
             WHERE outcome IS NOT NULL AND \"commit\" > ?1 AND \"commit\" <= ?2
             RETURNING kind, id, about_kind, about_id",
        )?;
        let mut rows = waits_again.query(interval)?;
        while let Some(row) = rows.next()? {
            let (key, about) = receipts::keys_of(row)?;
            touched.insert(key);
            touched.extend(about);
        }
        connection.execute(
            "INSERT OR REPLACE INTO proof (first_mseq, last_mseq, row)
             SELECT first_mseq, last_mseq, row FROM receipt
             WHERE \"commit\" > ?1 AND \"commit\" <= ?2",
            interval,
        )?;
        connection.execute(
            "DELETE FROM receipt WHERE \"commit\" > ?1 AND \"commit\" <= ?2",
            interval,
        )?;
        connection.execute(
            "UPDATE blob SET state = 'waiting', sent = 0, \"commit\" = NULL
             WHERE state = 'stored' AND \"commit\" > ?1 AND \"commit\" <= ?2",
            interval,
        )?;
    }
    meta::write_json(connection, meta::FORKS, &forks)?;
    scopes::doubt_all(connection)
}

/// Returns what restores threw away. A word of such a history may still arrive, and settles
/// nothing: what it speaks of was lost, and is on its way to the server again.
pub(crate) fn lost(connection: &Connection) -> Result<Lost> {
    let forks: Option<Vec<Fork>> = meta::read_json(connection, meta::FORKS)?;
    Ok(Lost(forks.unwrap_or_default()))
}

/// Returns the proofs of a run of mutations.
pub(crate) fn proofs(connection: &Connection, first: Mseq, last: Mseq) -> Result<Vec<ReceiptRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT row FROM proof WHERE last_mseq >= ?1 AND first_mseq <= ?2 ORDER BY first_mseq",
    )?;
    let mut rows = statement.query([sql_int(first.0), sql_int(last.0)])?;
    let mut proofs = Vec::new();
    while let Some(row) = rows.next()? {
        proofs.push(serde_json::from_str(
            row.get_ref(0)?.as_str().unwrap_or_default(),
        )?);
    }
    Ok(proofs)
}

/// Forgets the proofs of work that has a word of the present history.
pub(crate) fn forget_proofs(connection: &Connection) -> Result<()> {
    let any: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM proof)")?
        .query_row([], |row| row.get(0))?;
    if any {
        let settled = receipts::settled_mseq(connection)?;
        connection.execute(
            "DELETE FROM proof WHERE last_mseq <= ?1",
            [sql_int(settled.0)],
        )?;
    }
    Ok(())
}

/// Returns the next bodies that the server may lack.
pub(crate) fn witness(connection: &Connection) -> Result<Vec<Put>> {
    // By kind: what hangs on another record comes after it.
    let mut statement = connection.prepare_cached(
        "SELECT kind, id, rev, schema, body FROM witness ORDER BY kind, id, rev LIMIT ?1",
    )?;
    let mut rows = statement.query([WITNESS_ROWS])?;
    let (mut witness, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let body: String = row.get(4)?;
        bytes += body.len();
        if bytes > WITNESS_BYTES && !witness.is_empty() {
            break;
        }
        witness.push(Put {
            kind: row.get(0)?,
            id: RecordId(id_column(row, 1)?),
            rev: Commit(from_sql_int(row.get(2)?)),
            schema: row.get(3)?,
            body: RawValue::from_string(body)?,
        });
    }
    Ok(witness)
}

impl Store {
    /// Forgets bodies that the server has been shown.
    pub fn forget_witness(&self, shown: &[Put]) -> Result<()> {
        if shown.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            let mut statement = transaction
                .prepare_cached("DELETE FROM witness WHERE kind = ?1 AND id = ?2 AND rev = ?3")?;
            for put in shown {
                statement.execute(params![put.kind, put.id.as_bytes(), sql_int(put.rev.0)])?;
            }
            Ok(())
        })
    }
}
