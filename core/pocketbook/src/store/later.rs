//! Work whose content comes later: a mutation that never got through although all else did is
//! handed in without its content, so that what follows it goes on; the content goes by the door of
//! files.
//!
//! *The life of one.* Announced here ([`Store::announce_first`]), it travels as `later{hash,
//! bytes}` under its own name and number. Its receipt says that the server awaits the content; from
//! then on that is uploaded like a photo, out of the outbox itself. Once the server has it, it is
//! forgotten here; what became of it is told by the tray. A server that was restored asks for the
//! mutation again, and then it goes its way anew.

use pocketbook_records::ids::BlobHash;
use pocketbook_records::mutation::{Frozen, Later, Op};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::blobs::Upload;
use crate::store::hand_in::Start;
use crate::store::{Store, from_sql_int, sql_int};

/// What the server said whose content it awaits.
const AWAITED: &str = "authored.outcome = 'parked' AND authored.reason = '\"awaiting-content\"'";

impl Store {
    /// Has the first entry that waits travel without its content from now on.
    pub(crate) fn announce_first(&self, start: Start) -> Result<()> {
        self.write(|transaction| {
            let first: Option<(i64, String)> = transaction
                .prepare_cached(
                    "SELECT mseq, frozen FROM authored
                     WHERE outcome IS NULL AND mseq >= ?1 ORDER BY mseq LIMIT 1",
                )?
                .query_row([sql_int(start.lowest().0)], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            if let Some((mseq, frozen)) = first {
                tracing::warn!(
                    mseq,
                    "a change never comes through: its content goes by another way"
                );
                transaction
                    .prepare_cached(
                        "INSERT INTO later (mseq, hash, bytes) VALUES (?1, ?2, ?3)
                         ON CONFLICT (mseq) DO UPDATE SET sent = 0",
                    )?
                    .execute(params![
                        mseq,
                        BlobHash::of(frozen.as_bytes()).0,
                        sql_int(frozen.len() as u64)
                    ])?;
            }
            Ok(())
        })
    }
}

/// Returns what travels of an entry: its content, or the announcement of it.
pub(crate) fn travels(connection: &Connection, mseq: i64, content: String) -> Result<String> {
    let announced: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM later WHERE mseq = ?1)")?
        .query_row([mseq], |row| row.get(0))?;
    Ok(match Frozen::parse(&content).ok().filter(|_| announced) {
        Some(whole) => announcement(whole, &content).freeze().get().to_owned(),
        None => content,
    })
}

fn announcement(whole: Frozen, content: &str) -> Frozen {
    Frozen {
        op: Op::Later,
        seen: None,
        deps: Vec::new(),
        set: Vec::new(),
        inc: Default::default(),
        add: Default::default(),
        remove: Default::default(),
        command: None,
        decide: None,
        replaces: None,
        later: Some(Later {
            hash: BlobHash::of(content.as_bytes()),
            bytes: content.len() as u64,
        }),
        blobs: Vec::new(),
        ..whole
    }
}

/// Returns the contents that the server awaits.
pub(crate) fn uploads(connection: &Connection) -> Result<Vec<Upload>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT later.hash, later.bytes, later.sent
         FROM later JOIN authored ON authored.mseq = later.mseq
         WHERE {AWAITED} ORDER BY later.mseq"
    ))?;
    Ok(statement
        .query_map([], |row| {
            Ok(Upload {
                hash: BlobHash(row.get(0)?),
                bytes: from_sql_int(row.get(1)?),
                sent: from_sql_int(row.get(2)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

/// Returns a content by its name, if it is one.
pub(crate) fn content(connection: &Connection, hash: BlobHash) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached(
            "SELECT authored.frozen FROM later JOIN authored ON authored.mseq = later.mseq
             WHERE later.hash = ?1",
        )?
        .query_row([hash.0], |row| row.get(0))
        .optional()?)
}

/// Notes how much of a content the server has.
pub(crate) fn note_sent(connection: &Connection, hash: BlobHash, sent: u64) -> Result<()> {
    connection
        .prepare_cached("UPDATE later SET sent = ?2 WHERE hash = ?1")?
        .execute(params![hash.0, sql_int(sent)])?;
    Ok(())
}

/// The server has a content, or will never take it.
pub(crate) fn forget(connection: &Connection, hash: BlobHash) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM later WHERE hash = ?1")?
        .execute([hash.0])?;
    Ok(())
}
