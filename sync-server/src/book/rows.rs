//! The pocket book's tables: parts and manifests. Rows are added, never changed.

use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::time::Millis;

use super::folder::Part;
use crate::Batch;
use crate::params;
use crate::store::{SqlError, Store};

/// A manifest as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) version: u64,
    pub(super) hash: BlobHash,
    pub(super) manifest: String,
    pub(super) key_id: u32,
    pub(super) signature: String,
    pub(super) published_at: Millis,
}

/// Returns the newest manifest of a community.
pub(super) fn newest(store: Store<'_>, unit: &UnitId) -> Result<Option<Stored>, SqlError> {
    store.sql.one(
        "SELECT version, hash, manifest, key_id, signature, published_at
         FROM book_manifests
         WHERE district = $1 AND unit = $2
         ORDER BY version DESC
         LIMIT 1",
        params![store.district, *unit],
        |row| {
            Ok(Stored {
                version: row.get(0)?,
                hash: row.get(1)?,
                manifest: row.get(2)?,
                key_id: row.get(3)?,
                signature: row.get(4)?,
                published_at: row.get(5)?,
            })
        },
    )
}

/// Adds a manifest.
pub(super) fn add(batch: &Batch<'_>, unit: &UnitId, stored: &Stored) -> Result<(), SqlError> {
    let store = batch.store();
    let version = stored.version.cast_signed();
    store
        .sql
        .execute(
            "INSERT INTO book_manifests
                 (district, unit, version, hash, manifest, key_id, signature, published_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                store.district,
                *unit,
                version,
                stored.hash,
                stored.manifest,
                stored.key_id,
                stored.signature,
                stored.published_at
            ],
        )
        .map(drop)
}

/// Adds a part, if it is new; says whether it was.
pub(super) fn add_part(
    batch: &Batch<'_>,
    unit: &UnitId,
    hash: BlobHash,
    part: &Part,
) -> Result<bool, SqlError> {
    let store = batch.store();
    let bytes = part.bytes.len() as i64;
    let added = store.sql.execute(
        "INSERT INTO book_parts (district, hash, part, unit, bytes)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (district, hash) DO NOTHING",
        params![store.district, hash, part.part, *unit, bytes],
    )?;
    Ok(added > 0)
}

/// Says whether a part was ever published.
pub(super) fn has_part(store: Store<'_>, hash: BlobHash) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM book_parts
         WHERE district = $1 AND hash = $2",
        params![store.district, hash],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
