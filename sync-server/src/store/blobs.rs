//! Photos and files as rows: which are stored, who delivered them, which records refer to them,
//! and which are still missing. Their bytes lie in the blob folder.

use pocketbook_records::ids::{BlobHash, Commit, EnrolmentId, RecordId};

use super::{SqlError, Store};
use crate::params;
use crate::writer::{Batch, Fault};

/// The most missing files that one answer names.
const WANTS: i64 = 200;

/// A record that refers to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The record's kind.
    pub kind: String,
    /// The record's id.
    pub id: RecordId,
    /// Who referred to the file.
    pub enrolment: EnrolmentId,
}

/// Notes that a record refers to a file, and that the file is wanted if it is not here.
pub(crate) fn refer(
    batch: &mut Batch<'_>,
    hash: BlobHash,
    reference: &Reference,
) -> Result<(), Fault> {
    let store = batch.store();
    let Reference {
        kind,
        id,
        enrolment,
    } = reference;
    store.sql.execute(
        "INSERT INTO blob_refs (district, hash, kind, id, enrolment)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (district, hash, kind, id, enrolment) DO NOTHING",
        params![store.district, hash, kind, id, enrolment],
    )?;
    if stored(store, hash)?.is_none() {
        store.sql.execute(
            "INSERT INTO blob_wants (district, enrolment, hash)
             VALUES ($1, $2, $3)
             ON CONFLICT (district, enrolment, hash) DO NOTHING",
            params![store.district, enrolment, hash],
        )?;
        batch.note_enrolment(*enrolment);
    }
    Ok(())
}

/// Returns the commit that noted a file as stored.
pub fn stored(store: Store<'_>, hash: BlobHash) -> Result<Option<Commit>, SqlError> {
    store.sql.one(
        "SELECT number
         FROM blobs
         WHERE district = $1 AND hash = $2",
        params![store.district, hash],
        |row| row.get(0),
    )
}

/// Returns the length of a file that is here whole.
pub fn length(store: Store<'_>, hash: BlobHash) -> Result<Option<u64>, SqlError> {
    store.sql.one(
        "SELECT bytes
         FROM blobs
         WHERE district = $1 AND hash = $2",
        params![store.district, hash],
        |row| row.get(0),
    )
}

/// Returns all files that are here whole, with their lengths.
pub fn all(store: Store<'_>) -> Result<Vec<(BlobHash, u64)>, SqlError> {
    store.sql.all(
        "SELECT hash, bytes
         FROM blobs
         WHERE district = $1
         ORDER BY hash",
        params![store.district],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Notes that a file is here whole, delivered by an enrolment.
pub fn note_stored(
    batch: &mut Batch<'_>,
    hash: BlobHash,
    bytes: u64,
    enrolment: EnrolmentId,
) -> Result<Commit, Fault> {
    let store = batch.store();
    let commit = match stored(store, hash)? {
        Some(commit) => commit,
        None => {
            let commit = batch.commit()?;
            store.sql.execute(
                "INSERT INTO blobs (district, hash, bytes, number)
                 VALUES ($1, $2, $3, $4)",
                params![store.district, hash, bytes.cast_signed(), commit],
            )?;
            commit
        }
    };
    store.sql.execute(
        "INSERT INTO blob_owners (district, hash, enrolment)
         VALUES ($1, $2, $3)
         ON CONFLICT (district, hash, enrolment) DO NOTHING",
        params![store.district, hash, enrolment],
    )?;
    let waited = store.sql.all(
        "DELETE FROM blob_wants
         WHERE district = $1 AND hash = $2
         RETURNING enrolment",
        params![store.district, hash],
        |row| row.get(0),
    )?;
    for enrolment in waited {
        batch.note_enrolment(enrolment);
    }
    Ok(commit)
}

/// Returns the files that an enrolment has referred to and that are not here.
pub fn wanted(store: Store<'_>, enrolment: EnrolmentId) -> Result<Vec<BlobHash>, SqlError> {
    store.sql.all(
        "SELECT hash
         FROM blob_wants
         WHERE district = $1 AND enrolment = $2
         ORDER BY hash
         LIMIT $3",
        params![store.district, enrolment, WANTS],
        |row| row.get(0),
    )
}

/// Returns the records that refer to a file.
pub fn references(store: Store<'_>, hash: BlobHash) -> Result<Vec<Reference>, SqlError> {
    store.sql.all(
        "SELECT kind, id, enrolment
         FROM blob_refs
         WHERE district = $1 AND hash = $2
         ORDER BY kind, id, enrolment",
        params![store.district, hash],
        |row| {
            Ok(Reference {
                kind: row.get(0)?,
                id: row.get(1)?,
                enrolment: row.get(2)?,
            })
        },
    )
}

/// Says whether an enrolment delivered a file itself.
pub fn is_owner(
    store: Store<'_>,
    hash: BlobHash,
    enrolment: EnrolmentId,
) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM blob_owners
         WHERE district = $1 AND hash = $2 AND enrolment = $3",
        params![store.district, hash, enrolment],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
