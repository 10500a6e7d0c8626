//! Room on a full phone: photos that the server has can be fetched again.
//!
//! When the phone runs short, masters go, the oldest first: those fetched from others, then own
//! ones that a backup holds. Thumbnails stay, so the screens look the same; a photo whose master
//! went is fetched when somebody opens it. What the server lacks, or might lose, never goes.

use pocketbook_records::ids::BlobHash;
use rusqlite::params;

use super::{AWAY, Rendering, remove_if_there};
use crate::error::Result;
use crate::store::{Store, from_sql_int, meta, sql_int};

/// Photos leave so much to the rest of the phone.
const FREE_BYTES: u64 = 500 * 1024 * 1024;

impl Store {
    /// Removes masters until the phone has enough free bytes again, or none is left that may go.
    pub fn make_room(&self, free_bytes: u64) -> Result<()> {
        let short = FREE_BYTES.saturating_sub(free_bytes);
        if short == 0 {
            return Ok(());
        }
        let gone = self.write(|transaction| {
            let durable: Option<String> = meta::read(transaction, meta::DURABLE)?;
            let durable = durable.and_then(|text| text.parse().ok()).unwrap_or(0);
            let mut statement = transaction.prepare_cached(
                "SELECT hash, bytes FROM blob
                 WHERE reason IS NULL
                   AND (state = 'fetched' OR (state = 'stored' AND \"commit\" <= ?1))
                 ORDER BY state = 'stored', taken, hash",
            )?;
            let mut rows = statement.query([sql_int(durable)])?;
            let (mut gone, mut freed) = (Vec::new(), 0);
            while freed < short
                && let Some(row) = rows.next()?
            {
                gone.push(BlobHash(row.get(0)?));
                freed += from_sql_int(row.get(1)?);
            }
            for hash in &gone {
                transaction
                    .prepare_cached("UPDATE blob SET reason = ?2 WHERE hash = ?1")?
                    .execute(params![hash.0, AWAY])?;
            }
            Ok(gone)
        })?;
        gone.into_iter()
            .try_for_each(|hash| remove_if_there(self, &Rendering::Master.file(hash)))
    }
}
