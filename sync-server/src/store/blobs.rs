//! Photos and files as rows: which are stored, who delivered them, which records refer to them,
//! and which are still missing. Their bytes lie in the blob folder.

use pocketbook_records::ids::{BlobHash, Commit, EnrolmentId, RecordId, UserId};
use pocketbook_records::wire::Key;

use super::{SqlError, Store};
use crate::caller::Caller;
use crate::params;
use crate::writer::{Batch, Fault};

/// The most missing files that one answer names.
const WANTS: i64 = 200;

/// A record that refers to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The record.
    pub key: Key,
    /// The account that referred to the file.
    pub user: UserId,
}

/// Notes that a record refers to a file, and that the file is wanted if it is not here.
pub(crate) fn refer(
    batch: &mut Batch<'_>,
    hash: BlobHash,
    key: &Key,
    author: &Caller,
) -> Result<(), Fault> {
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO blob_refs (district, hash, kind, id, enrolment)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (district, hash, kind, id, enrolment) DO NOTHING",
        params![store.district, hash, key.kind, key.id, author.enrolment],
    )?;
    if stored(store, hash)?.is_none() {
        store.sql.execute(
            "INSERT INTO blob_wants (district, enrolment, hash)
             VALUES ($1, $2, $3)
             ON CONFLICT (district, enrolment, hash) DO NOTHING",
            params![store.district, author.enrolment, hash],
        )?;
        batch.note_user(author.user);
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

/// Notes that a file is here whole, delivered by an enrolment. Each who delivers it has a commit of
/// his own: told the first one's, he would keep his word over a restore that lost who he is.
pub fn note_stored(
    batch: &mut Batch<'_>,
    hash: BlobHash,
    bytes: u64,
    enrolment: EnrolmentId,
) -> Result<Commit, Fault> {
    let store = batch.store();
    let commit = batch.commit()?;
    store.sql.execute(
        "INSERT INTO blobs (district, hash, bytes, number)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (district, hash) DO NOTHING",
        params![store.district, hash, bytes.cast_signed(), commit],
    )?;
    store.sql.execute(
        "INSERT INTO blob_owners (district, hash, enrolment)
         VALUES ($1, $2, $3)
         ON CONFLICT (district, hash, enrolment) DO NOTHING",
        params![store.district, hash, enrolment],
    )?;
    let waited = store.sql.all(
        "SELECT DISTINCT e.user
         FROM blob_wants AS w
         JOIN enrolments AS e ON e.district = w.district AND e.enrolment = w.enrolment
         WHERE w.district = $1 AND w.hash = $2",
        params![store.district, hash],
        |row| row.get(0),
    )?;
    if waited.is_empty() {
        return Ok(commit);
    }
    store.sql.execute(
        "DELETE FROM blob_wants
         WHERE district = $1 AND hash = $2",
        params![store.district, hash],
    )?;
    for user in waited {
        batch.note_user(user);
    }
    Ok(commit)
}

/// Returns the files that an account has referred to and that are not here: a phone that was
/// enrolled again still has those of its earlier enrolment.
pub fn wanted(store: Store<'_>, user: UserId) -> Result<Vec<BlobHash>, SqlError> {
    store.sql.all(
        "SELECT DISTINCT w.hash
         FROM enrolments AS e
         JOIN blob_wants AS w ON w.district = e.district AND w.enrolment = e.enrolment
         WHERE e.district = $1 AND e.user = $2
         ORDER BY w.hash
         LIMIT $3",
        params![store.district, user, WANTS],
        |row| row.get(0),
    )
}

/// Returns the records that refer to a file.
pub fn references(store: Store<'_>, hash: BlobHash) -> Result<Vec<Reference>, SqlError> {
    store.sql.all(
        "SELECT DISTINCT r.kind, r.id, e.user
         FROM blob_refs AS r
         JOIN enrolments AS e ON e.district = r.district AND e.enrolment = r.enrolment
         WHERE r.district = $1 AND r.hash = $2
         ORDER BY r.kind, r.id, e.user",
        params![store.district, hash],
        |row| {
            Ok(Reference {
                key: Key {
                    kind: row.get(0)?,
                    id: row.get(1)?,
                },
                user: row.get(2)?,
            })
        },
    )
}

/// A file that a record refers to and that is not here yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The file.
    pub hash: BlobHash,
    /// The name of whoever has it on his phone.
    pub with: String,
}

/// Returns the files that a record refers to and that are not here yet.
pub fn missing(store: Store<'_>, kind: &str, id: RecordId) -> Result<Vec<Missing>, SqlError> {
    store.sql.all(
        "SELECT DISTINCT r.hash, u.name
         FROM blob_refs AS r
         JOIN enrolments AS e ON e.district = r.district AND e.enrolment = r.enrolment
         JOIN users AS u ON u.district = e.district AND u.user = e.user
         LEFT JOIN blobs AS b ON b.district = r.district AND b.hash = r.hash
         WHERE r.district = $1 AND r.kind = $2 AND r.id = $3 AND b.hash IS NULL
         ORDER BY r.hash, u.name",
        params![store.district, kind, id],
        |row| {
            Ok(Missing {
                hash: row.get(0)?,
                with: row.get(1)?,
            })
        },
    )
}

/// Says whether an account delivered a file itself, by whichever of its enrolments.
pub fn is_deliverer(store: Store<'_>, hash: BlobHash, user: UserId) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM blob_owners AS o
         JOIN enrolments AS e ON e.district = o.district AND e.enrolment = o.enrolment
         WHERE o.district = $1 AND o.hash = $2 AND e.user = $3
         LIMIT 1",
        params![store.district, hash, user],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
