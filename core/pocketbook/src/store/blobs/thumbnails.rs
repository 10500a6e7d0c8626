//! Small pictures of photos that others took: they come soon after the records that name them, so
//! that lists and cases show something without a network. The photo itself is fetched when somebody
//! opens it ([`crate::downloads`]).
//!
//! The server has a thumbnail as soon as it has the photo, which may be long after the record. What
//! it does not have yet is asked for again from time to time.

use std::collections::BTreeMap;

use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::wire::MAX_THUMBNAILS;
use rusqlite::{Connection, params};

use super::{AWAY, Rendering, is_known, remove_if_there};
use crate::error::Result;
use crate::store::{Store, sql_int};

/// How long until the server is asked again for what it did not have.
const AGAIN_MS: i64 = 15 * 60_000;

/// A record that came names a photo: unless it is known, its thumbnail is to be asked for.
pub(crate) fn expect(
    connection: &Connection,
    hash: BlobHash,
    kind: &str,
    id: RecordId,
    wall: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO blob (hash, kind, id, bytes, state, taken, reason, ask_at)
             VALUES (?1, ?2, ?3, 0, 'fetched', ?4, ?5, 0)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![hash.0, kind, id.as_bytes(), wall, AWAY])?;
    Ok(())
}

impl Store {
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
                    params![now, AGAIN_MS, sql_int(MAX_THUMBNAILS as u64)],
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
                self.keep(Rendering::Thumbnail, *hash, jpeg)?;
            }
        }
        let again = self.seams.clock.wall_ms() + AGAIN_MS;
        let gone = self.write(|transaction| {
            let mut gone = Vec::new();
            for hash in asked {
                let ask_at = (!answered.contains_key(hash)).then_some(again);
                transaction
                    .prepare_cached(
                        "UPDATE blob SET ask_at = ?2 WHERE hash = ?1 AND ask_at IS NOT NULL",
                    )?
                    .execute(params![hash.0, ask_at])?;
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
