//! The journal: own work that the server has settled, kept for a server that may be restored.
//!
//! It is needed no longer once a backup holds it and a month has passed since. Then its content
//! goes; its number, its name and the server's receipt stay, so that numbers have no holes and a
//! server restored from an older backup is told of it as a *void* (sync-protocol §6). What lies in
//! the tray or over the view keeps its content, whatever its age.

use pocketbook_records::ids::{Commit, RecordId};
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::time::Millis;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::{id_column, kind_named, meta, sql_int};

/// So long is settled work kept, by the server's clock.
const KEPT_MS: Millis = 30 * 24 * 3_600_000;
/// So many entries are looked at in one transaction.
const MOST: i64 = 200;

/// Lets the content of settled work go that a backup up to `durable` holds, oldest first; `now` is
/// the server's time.
pub(crate) fn expire(connection: &Connection, durable: Commit, now: Millis) -> Result<()> {
    let done: Option<String> = meta::read(connection, meta::EXPIRED)?;
    let done: i64 = done.and_then(|mseq| mseq.parse().ok()).unwrap_or(0);
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT MAX(last_mseq) FROM (
                 SELECT last_mseq FROM receipt
                 WHERE last_mseq > ?1 AND \"commit\" <= ?2
                   AND json_extract(row, '$.received_at') <= ?3
                 ORDER BY first_mseq LIMIT ?4
             )",
        )?
        .query_row(
            params![done, sql_int(durable.0), now - KEPT_MS, MOST],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    let Some(last) = last else { return Ok(()) };
    let settled = {
        let mut statement = connection.prepare_cached(
            "SELECT mseq, kind, id, frozen FROM authored
             WHERE mseq > ?1 AND mseq <= ?2 AND overlaid = 0
               AND outcome IS NOT NULL AND outcome NOT IN ('parked', 'rejected')",
        )?;
        statement
            .query_map([done, last], |row| {
                let (mseq, kind): (i64, String) = (row.get(0)?, row.get(1)?);
                let text: String = row.get(3)?;
                Ok((mseq, kind, RecordId(id_column(row, 2)?), text))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?
    };
    for (mseq, kind, id, text) in settled {
        let Ok(old) = Frozen::parse(&text) else {
            continue;
        };
        let void = Frozen::new(kind_named(&kind)?, id, Op::Void, old.at);
        connection
            .prepare_cached("UPDATE authored SET frozen = ?2 WHERE mseq = ?1")?
            .execute(params![mseq, void.freeze().get()])?;
    }
    meta::write(connection, meta::EXPIRED, &last.to_string())
}
