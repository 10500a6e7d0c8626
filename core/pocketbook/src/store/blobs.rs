//! Photos and files: sealed on the disk, queued for upload, named by the hash of their plain
//! bytes.
//!
//! *The life of a photo.* Taken: master, thumbnail and the camera's own file are sealed, synced,
//! and only then noted as `draft`. Handed in with its record: `waiting`, in the transaction that
//! authors. Uploaded piece by piece: `sent` grows, but the server's word on the offset is what
//! counts. Stored: the camera's file goes, master and thumbnail stay for the screen. A file
//! without a row (a kill between the two) is swept at the next opening.

use std::io::Write;
use std::sync::Arc;

use pocketbook_records::ids::{BlobHash, Commit, RecordId};
use pocketbook_records::kind::Kind;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Error, Result};
use crate::photos::{self, Prepared, Size};
use crate::seal::{self, FileId, SealedReader, SealedWriter};
use crate::seams::{FileReader, FileWriter};
use crate::store::{Store, from_sql_int, id_column, sql_int};

/// A file that waits for its upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub hash: BlobHash,
    /// Its length.
    pub bytes: u64,
    /// How much the server has, as far as is known.
    pub sent: u64,
}

/// Which rendering of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendering {
    /// At most 8 KiB, for lists.
    Thumbnail,
    /// What is uploaded: 1600 px, papers 2200 px.
    Master,
    /// The camera's own file; here until the server has the master.
    Camera,
}

/// Where a photo stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoState {
    /// Belongs to a draft.
    Draft,
    /// Waits for its upload.
    Waiting,
    /// The server has it.
    Stored,
    /// The server refused it; the reason is with it.
    Failed,
    /// Fetched from the server.
    Fetched,
}

impl Rendering {
    fn file(self, hash: BlobHash) -> String {
        match self {
            Self::Thumbnail => format!("{hash}.t"),
            Self::Master => format!("{hash}.m"),
            Self::Camera => format!("{hash}.c"),
        }
    }
}

/// The end of a file's name until all of it is on the disk.
const UNFINISHED: &str = ".new";

const RENDERINGS: [Rendering; 3] = [Rendering::Thumbnail, Rendering::Master, Rendering::Camera];

impl Store {
    /// Takes a photo for a record that is being drafted: prepares, seals and notes it.
    pub fn take_photo(
        &self,
        kind: &Kind,
        id: RecordId,
        camera: &[u8],
        size: Size,
    ) -> Result<(BlobHash, Prepared)> {
        let prepared = photos::prepare(camera, size)?;
        let hash = BlobHash::of(&prepared.master);
        self.keep(Rendering::Master, hash, &prepared.master)?;
        self.keep(Rendering::Thumbnail, hash, &prepared.thumbnail)?;
        self.keep(Rendering::Camera, hash, camera)?;
        let taken = self.seams.clock.wall_ms();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO blob (hash, kind, id, bytes, state, taken)
                 VALUES (?1, ?2, ?3, ?4, 'draft', ?5)
                 ON CONFLICT (hash) DO NOTHING",
                params![
                    hash.0,
                    kind.name,
                    id.as_bytes(),
                    sql_int(prepared.master.len() as u64),
                    taken
                ],
            )?;
            Ok(())
        })?;
        Ok((hash, prepared))
    }

    /// Keeps a photo that was fetched from the server. The bytes must hash to its name.
    pub fn keep_fetched(
        &self,
        kind: &Kind,
        id: RecordId,
        hash: BlobHash,
        master: &[u8],
    ) -> Result<()> {
        let prepared = photos::prepare(master, Size::Papers)?;
        self.keep(Rendering::Master, hash, master)?;
        self.keep(Rendering::Thumbnail, hash, &prepared.thumbnail)?;
        let now = self.seams.clock.wall_ms();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO blob (hash, kind, id, bytes, state, taken)
                 VALUES (?1, ?2, ?3, ?4, 'fetched', ?5)
                 ON CONFLICT (hash) DO NOTHING",
                params![
                    hash.0,
                    kind.name,
                    id.as_bytes(),
                    sql_int(master.len() as u64),
                    now
                ],
            )?;
            Ok(())
        })
    }

    /// Returns a photo's bytes, if they are here and its record is still on this device.
    pub fn photo(&self, hash: BlobHash, rendering: Rendering) -> Result<Option<Vec<u8>>> {
        let is_readable: bool = self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT EXISTS (
                         SELECT 1 FROM blob WHERE hash = ?1 AND (
                             EXISTS (SELECT 1 FROM record WHERE record.kind = blob.kind AND record.id = blob.id)
                             OR state = 'draft'
                         )
                     )",
                )?
                .query_row([hash.0], |row| row.get(0))?)
        })?;
        let name = rendering.file(hash);
        if !is_readable || self.seams.files.len(&name)?.is_none() {
            return Ok(None);
        }
        let mut sealed = SealedReader::open(
            FileReader::open(Arc::clone(&self.seams.files), name)?,
            &self.file_key,
        )?;
        let length = usize::try_from(sealed.plain_len()).map_err(|_| Error::NotFound)?;
        let mut bytes = vec![0; length];
        let read = sealed.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Some(bytes))
    }

    /// Says where a photo stands.
    pub fn photo_state(&self, hash: BlobHash) -> Result<Option<PhotoState>> {
        self.read(|connection| {
            let state: Option<String> = connection
                .prepare_cached("SELECT state FROM blob WHERE hash = ?1")?
                .query_row([hash.0], |row| row.get(0))
                .optional()?;
            Ok(state.map(|state| match state.as_str() {
                "draft" => PhotoState::Draft,
                "waiting" => PhotoState::Waiting,
                "stored" => PhotoState::Stored,
                "failed" => PhotoState::Failed,
                _ => PhotoState::Fetched,
            }))
        })
    }

    /// Returns the next files to upload, the oldest first.
    pub fn next_uploads(&self, most: usize) -> Result<Vec<Upload>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT hash, bytes, sent FROM blob WHERE state = 'waiting' ORDER BY taken, hash LIMIT ?1",
            )?;
            Ok(statement
                .query_map([sql_int(most as u64)], |row| {
                    Ok(Upload {
                        hash: BlobHash(row.get(0)?),
                        bytes: from_sql_int(row.get(1)?),
                        sent: from_sql_int(row.get(2)?),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Reads a piece of a master for its upload; allowed whether or not its record is readable.
    pub fn read_upload(&self, hash: BlobHash, offset: u64, into: &mut [u8]) -> Result<usize> {
        let file = FileReader::open(Arc::clone(&self.seams.files), Rendering::Master.file(hash))?;
        Ok(SealedReader::open(file, &self.file_key)?.read_at(offset, into)?)
    }

    /// Notes how much of a file the server has.
    pub fn note_sent(&self, hash: BlobHash, sent: u64) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE blob SET sent = ?2 WHERE hash = ?1")?
                .execute(params![hash.0, sql_int(sent)])?;
            Ok(())
        })
    }

    /// Notes that the server has a file whole. The camera's own file goes; master and thumbnail
    /// stay, those of a purged record sealed until a backup holds them ([`release`]).
    pub fn note_stored(&self, hash: BlobHash, commit: Commit) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "UPDATE blob SET state = 'stored', sent = bytes, \"commit\" = ?2
                     WHERE hash = ?1 AND state = 'waiting'",
                )?
                .execute(params![hash.0, sql_int(commit.0)])?;
            Ok(())
        })?;
        remove_if_there(self, &Rendering::Camera.file(hash))
    }

    /// Notes that the server will never take this file; it stays here, with the reason.
    pub fn note_refused(&self, hash: BlobHash, reason: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE blob SET state = 'failed', reason = ?2 WHERE hash = ?1 AND state = 'waiting'",
                params![hash.0, reason],
            )?;
            Ok(())
        })
    }

    /// Removes all renderings of a file.
    pub(crate) fn remove_blob_files(&self, hash: BlobHash) -> Result<()> {
        RENDERINGS
            .iter()
            .try_for_each(|rendering| remove_if_there(self, &rendering.file(hash)))
    }

    /// Removes what a kill left: files that no row names, and files not written to their end.
    pub(crate) fn sweep_files(&self) -> Result<()> {
        for name in self.seams.files.list("")? {
            let Some(hash) = name
                .split('.')
                .next()
                .and_then(|hash| hash.parse::<BlobHash>().ok())
            else {
                continue;
            };
            if name.ends_with(UNFINISHED) || !self.is_known(hash)? {
                self.seams.files.remove(&name)?;
            }
        }
        Ok(())
    }

    fn is_known(&self, hash: BlobHash) -> Result<bool> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM blob WHERE hash = ?1)")?
                .query_row([hash.0], |row| row.get(0))?)
        })
    }

    /// Seals a rendering. One that is here stays: the same photo may be waiting for its upload, and
    /// must not be at risk while it is written again.
    fn keep(&self, rendering: Rendering, hash: BlobHash, plain: &[u8]) -> Result<()> {
        let (files, name) = (&self.seams.files, rendering.file(hash));
        let whole = seal::sealed_len(plain.len() as u64);
        if files.len(&name)? == Some(whole) && self.is_known(hash)? {
            return Ok(());
        }
        let unfinished = format!("{name}{UNFINISHED}");
        files.remove(&unfinished)?;
        let mut id = [0; 16];
        self.seams.entropy.fill(&mut id);
        let file = FileWriter::create(Arc::clone(files), &unfinished)?;
        let mut sealed = SealedWriter::new(file, &self.file_key, FileId(id))?;
        sealed
            .write_all(plain)
            .map_err(|error| Error::from(crate::seams::FilesError::from(error)))?;
        sealed.finish()?.sync()?;
        Ok(files.rename(&unfinished, &name)?)
    }
}

fn remove_if_there(store: &Store, name: &str) -> Result<()> {
    if store.seams.files.len(name)?.is_some() {
        store.seams.files.remove(name)?;
    }
    Ok(())
}

/// The server lacks files that it had confirmed: those that are still here wait again.
pub(crate) fn want(connection: &Connection, wanted: &[BlobHash], asof: Commit) -> Result<()> {
    for hash in wanted {
        connection
            .prepare_cached(
                "UPDATE blob SET state = 'waiting', sent = 0, \"commit\" = NULL
                 WHERE hash = ?1 AND state = 'stored' AND \"commit\" <= ?2",
            )?
            .execute(params![hash.0, sql_int(asof.0)])?;
    }
    Ok(())
}

/// Hands a file in with the record that names it.
pub(crate) fn hand_in(
    connection: &Connection,
    hash: BlobHash,
    kind: &str,
    id: RecordId,
) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE blob SET state = 'waiting', kind = ?2, id = ?3 WHERE hash = ?1 AND state = 'draft'",
        )?
        .execute(params![hash.0, kind, id.as_bytes()])?;
    Ok(())
}

/// A withdrawn entry's file is a draft's again, or that of whoever else names it.
pub(crate) fn let_go(connection: &Connection, hash: BlobHash, id: RecordId) -> Result<()> {
    if pass_on(connection, hash, id)? {
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE blob SET state = 'draft' WHERE hash = ?1 AND state = 'waiting' AND sent = 0",
        )?
        .execute([hash.0])?;
    Ok(())
}

/// Forgets the files of a record that leaves this device, except those that others name, those
/// still to be delivered, and own ones that no backup holds yet: a server that loses them has them
/// from nowhere else. Returns those forgotten.
pub(crate) fn forget_of(
    connection: &Connection,
    kind: &str,
    id: RecordId,
) -> Result<Vec<BlobHash>> {
    let mut statement = connection.prepare_cached(
        "SELECT hash FROM blob
         WHERE kind = ?1 AND id = ?2 AND state NOT IN ('waiting', 'stored')",
    )?;
    let hashes = statement
        .query_map(params![kind, id.as_bytes()], |row| row.get(0).map(BlobHash))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    forget(connection, hashes, id)
}

/// Forgets own files of records that have left this device, once a backup holds them. Returns
/// those forgotten.
pub(crate) fn release(connection: &Connection, durable: Commit) -> Result<Vec<BlobHash>> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, id FROM blob
         WHERE state = 'stored' AND \"commit\" <= ?1
           AND NOT EXISTS (
               SELECT 1 FROM record WHERE record.kind = blob.kind AND record.id = blob.id
           )",
    )?;
    let left = statement
        .query_map([sql_int(durable.0)], |row| {
            Ok((BlobHash(row.get(0)?), RecordId(id_column(row, 1)?)))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut forgotten = Vec::new();
    for (hash, id) in left {
        forgotten.extend(forget(connection, vec![hash], id)?);
    }
    Ok(forgotten)
}

/// Forgets the files of a draft thrown away, except those that others name. Returns those
/// forgotten.
pub(crate) fn forget_drafted(connection: &Connection, id: RecordId) -> Result<Vec<BlobHash>> {
    let mut statement =
        connection.prepare_cached("SELECT hash FROM blob WHERE id = ?1 AND state = 'draft'")?;
    let hashes = statement
        .query_map([id.as_bytes()], |row| row.get(0).map(BlobHash))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    forget(connection, hashes, id)
}

fn forget(connection: &Connection, hashes: Vec<BlobHash>, id: RecordId) -> Result<Vec<BlobHash>> {
    let mut forgotten = Vec::new();
    for hash in hashes {
        if !pass_on(connection, hash, id)? {
            connection
                .prepare_cached("DELETE FROM blob WHERE hash = ?1")?
                .execute([hash.0])?;
            forgotten.push(hash);
        }
    }
    Ok(forgotten)
}

/// Gives a file that `from` lets go of to whoever else names it: own work that is on its way, a
/// draft, a record. Says whether there was anyone.
fn pass_on(connection: &Connection, hash: BlobHash, from: RecordId) -> Result<bool> {
    let other = connection
        .prepare_cached(
            "SELECT kind, id, 'waiting' FROM authored
             WHERE id <> ?1 AND (outcome IS NULL OR outcome IN ('parked', 'rejected'))
               AND instr(frozen, ?2) > 0
             UNION ALL
             SELECT kind, id, 'draft' FROM draft WHERE id <> ?1 AND instr(body, ?2) > 0
             UNION ALL
             SELECT kind, id, 'fetched' FROM record
             WHERE id <> ?1 AND instr(COALESCE(shown, body), ?2) > 0
             LIMIT 1",
        )?
        .query_row(params![from.as_bytes(), hash.to_string()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                id_column(row, 1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    let Some((kind, id, state)) = other else {
        return Ok(false);
    };
    connection
        .prepare_cached(
            "UPDATE blob SET kind = ?2, id = ?3,
                 state = CASE WHEN state IN ('draft', 'waiting') AND sent = 0 THEN ?4 ELSE state END
             WHERE hash = ?1",
        )?
        .execute(params![hash.0, kind, id.as_bytes(), state])?;
    Ok(true)
}
