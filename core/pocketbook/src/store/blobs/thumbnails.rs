//! Small pictures of photos that others took: they come soon after the records that name them, so
//! that lists and cases show something without a network. The photo itself is fetched when somebody
//! opens it ([`crate::downloads`]).
//!
//! The server has a thumbnail as soon as it has the photo, which may be long after the record. What
//! it does not have yet is asked for again, ever more rarely.

use std::collections::BTreeMap;

use pocketbook_records::body;
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::wire::MAX_THUMBNAILS;
use rusqlite::{Connection, params};

use super::{AWAY, Lasts, Rendering, is_known, remove_if_there};
use crate::error::Result;
use crate::store::{Store, id_column, meta, sql_int};

/// The server is asked again for what it did not have after half the time that it has been missing
/// for: soon for a photo that is on its way, ever more rarely for one that never comes.
const SOONEST_MS: i64 = 15 * 60_000;
const LATEST_MS: i64 = 24 * 3_600_000;
/// Of a record that names more files, the others are fetched when somebody looks.
const MOST_OF_A_RECORD: usize = 100;

/// A record came: the thumbnails of files that it names and that are not known are to be asked for.
pub(crate) fn expect(
    connection: &Connection,
    (kind, id): (&str, RecordId),
    text: &str,
    wall: i64,
) -> Result<()> {
    for hash in body::files(text).into_iter().take(MOST_OF_A_RECORD) {
        connection
            .prepare_cached(
                "INSERT INTO blob (hash, kind, id, bytes, state, taken, reason, ask_at)
                 VALUES (?1, ?2, ?3, 0, 'fetched', ?4, ?5, 0)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![hash.0, kind, id.as_bytes(), wall, AWAY])?;
    }
    Ok(())
}

impl Store {
    /// Looks, once, through records that came before thumbnails travelled: they name photos too.
    pub(crate) fn expect_thumbnails(&self) -> Result<()> {
        let done: Option<String> =
            self.read(|connection| meta::read(connection, meta::THUMBNAILS))?;
        if done.is_some() {
            return Ok(());
        }
        let now = self.seams.clock.wall_ms();
        self.write(|transaction| {
            let mut statement =
                transaction.prepare("SELECT kind, id, body FROM record WHERE body IS NOT NULL")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (kind, id): (String, _) = (row.get(0)?, RecordId(id_column(row, 1)?));
                let text = row.get_ref(2)?.as_str().unwrap_or_default();
                expect(transaction, (&kind, id), text, now)?;
            }
            meta::write(transaction, meta::THUMBNAILS, "expected")
        })
    }

    /// Returns photos whose thumbnails are to be asked for now.
    pub(crate) fn thumbnails_to_ask(&self) -> Result<Vec<BlobHash>> {
        let now = self.seams.clock.wall_ms();
        self.read(|connection| {
            // A wall clock that was put back must not silence the question for long.
            let mut statement = connection.prepare_cached(
                "SELECT hash FROM blob
                 WHERE ask_at IS NOT NULL AND (ask_at <= ?1 OR ask_at > ?1 + ?2)
                 ORDER BY ask_at, hash LIMIT ?3",
            )?;
            Ok(statement
                .query_map(
                    params![now, LATEST_MS, sql_int(MAX_THUMBNAILS as u64)],
                    |row| row.get(0).map(BlobHash),
                )?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Keeps what the server said of the thumbnails asked for.
    pub(crate) fn take_thumbnails(
        &self,
        asked: &[BlobHash],
        answered: &BTreeMap<BlobHash, Option<Vec<u8>>>,
    ) -> Result<()> {
        for hash in asked {
            if let Some(Some(jpeg)) = answered.get(hash) {
                self.keep(Rendering::Thumbnail, *hash, jpeg, Lasts::AtOnce)?;
            }
        }
        let now = self.seams.clock.wall_ms();
        let gone = self.write(|transaction| {
            let mut gone = Vec::new();
            for hash in asked {
                let is_over = answered.contains_key(hash);
                transaction
                    .prepare_cached(
                        "UPDATE blob SET ask_at = CASE WHEN ?2 THEN NULL
                             ELSE ?3 + MAX(?4, MIN(?5, (?3 - taken) / 2)) END
                         WHERE hash = ?1 AND ask_at IS NOT NULL",
                    )?
                    .execute(params![hash.0, is_over, now, SOONEST_MS, LATEST_MS])?;
                if !is_known(transaction, *hash)? {
                    gone.push(*hash);
                }
            }
            Ok(gone)
        })?;
        // Their records have left this device meanwhile.
        gone.into_iter()
            .try_for_each(|hash| remove_if_there(self, &Rendering::Thumbnail.file(hash)))
    }
}
