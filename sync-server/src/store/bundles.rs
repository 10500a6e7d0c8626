//! The pocket book: which version each community has, and which parts were ever published. Rows
//! are added, never changed; the bytes of parts lie on the shelf ([`crate::book`]).

use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::BundleVersion;

use super::{SqlError, Store};
use crate::params;
use crate::writer::Batch;

/// Returns the newest version for a community, if one was published.
pub fn newest(store: Store<'_>, unit: &UnitId) -> Result<Option<BundleVersion>, SqlError> {
    store.sql.one(
        "SELECT version, hash
         FROM book_manifests
         WHERE district = $1 AND unit = $2
         ORDER BY version DESC
         LIMIT 1",
        params![store.district, unit],
        |row| {
            Ok(BundleVersion {
                unit: unit.clone(),
                version: row.get(0)?,
                manifest: row.get(1)?,
            })
        },
    )
}

/// A manifest as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its version and hash.
    pub version: BundleVersion,
    /// JSON, signed byte for byte.
    pub text: String,
    /// The key that signed.
    pub key_id: u32,
    /// Its signature, hex.
    pub signature: String,
    /// When it was published.
    pub at: Millis,
}

/// Returns the newest manifest of a community.
pub fn manifest(store: Store<'_>, unit: &UnitId) -> Result<Option<Manifest>, SqlError> {
    store.sql.one(
        "SELECT version, hash, manifest, key_id, signature, published_at
         FROM book_manifests
         WHERE district = $1 AND unit = $2
         ORDER BY version DESC
         LIMIT 1",
        params![store.district, unit],
        |row| {
            Ok(Manifest {
                version: BundleVersion {
                    unit: unit.clone(),
                    version: row.get(0)?,
                    manifest: row.get(1)?,
                },
                text: row.get(2)?,
                key_id: row.get(3)?,
                signature: row.get(4)?,
                at: row.get(5)?,
            })
        },
    )
}

/// Adds a manifest.
pub fn put_manifest(batch: &mut Batch<'_>, manifest: &Manifest) -> Result<(), SqlError> {
    let store = batch.store();
    let version = &manifest.version;
    store.sql.execute(
        "INSERT INTO book_manifests
             (district, unit, version, hash, manifest, key_id, signature, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            store.district,
            version.unit,
            version.version.cast_signed(),
            version.manifest,
            manifest.text,
            manifest.key_id,
            manifest.signature,
            manifest.at
        ],
    )?;
    batch.note_org();
    Ok(())
}

/// A part as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// SHA-256 of its bytes.
    pub hash: BlobHash,
    /// Its name.
    pub part: &'a str,
    /// The unit whose layer it belongs to.
    pub unit: &'a UnitId,
    /// Its length.
    pub bytes: u64,
}

/// Adds a part. Says whether it was new.
pub fn put_part(batch: &mut Batch<'_>, part: &Part<'_>) -> Result<bool, SqlError> {
    let store = batch.store();
    let added = store.sql.execute(
        "INSERT INTO book_parts (district, hash, part, unit, bytes)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (district, hash) DO NOTHING",
        params![
            store.district,
            part.hash,
            part.part,
            *part.unit,
            part.bytes.cast_signed()
        ],
    )?;
    Ok(added > 0)
}

/// Says whether a part was ever published.
pub fn has_part(store: Store<'_>, hash: BlobHash) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM book_parts
         WHERE district = $1 AND hash = $2",
        params![store.district, hash],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Returns all parts that were ever published, with their lengths.
pub fn parts(store: Store<'_>) -> Result<Vec<(BlobHash, u64)>, SqlError> {
    store.sql.all(
        "SELECT hash, bytes
         FROM book_parts
         WHERE district = $1
         ORDER BY hash",
        params![store.district],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
