//! Photos and files: sealed on the disk, queued for upload, named by the hash of their plain
//! bytes.
//!
//! *The life of a photo.* Taken: master, thumbnail and the camera's own file are sealed, synced,
//! and only then noted as `draft`. Handed in with its record: `waiting`, in the transaction that
//! authors. Uploaded piece by piece: `sent` grows, but the server's word on the offset is what
//! counts. Stored: the camera's file goes, master and thumbnail stay for the screen. Refused, or
//! found damaged: `failed`, until its author takes it again, has it tried again or drops it. A
//! file without a row (a kill between the two) is swept at the next opening.
//!
//! *A photo of somebody else's* is `fetched` when it is looked at, and may go when room is needed
//! ([`room`]). To whom a photo belongs, and when it goes with him, is said in [`names`].

pub(crate) mod names;
mod room;
pub(crate) mod thumbnails;

use std::io::Write;
use std::sync::Arc;

use pocketbook_records::ids::{BlobHash, Commit, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::wire::Key;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Error, Result};
use crate::photos::{self, Prepared, Size};
use crate::seal::{FileId, SealError, SealedReader, SealedWriter};
use crate::seams::{FileReader, FileWriter};
use crate::store::{Store, from_sql_int, histories, id_column, later, sql_int};

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

/// A photo that the server refused, or that is damaged here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPhoto {
    /// Its name.
    pub hash: BlobHash,
    /// The kind of the record that it belongs to.
    pub kind: String,
    /// That record.
    pub id: RecordId,
    /// `too-large` or `damaged`.
    pub reason: String,
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
    /// Somebody else's: fetched from the server, or to be fetched when it is looked at.
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

/// What stands in `reason` of a photo that the server has and this device has not: its master was
/// never fetched, or went to make room.
const AWAY: &str = "away";

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
        self.keep(Rendering::Master, hash, &prepared.master, Lasts::AtOnce)?;
        self.keep(
            Rendering::Thumbnail,
            hash,
            &prepared.thumbnail,
            Lasts::AtOnce,
        )?;
        self.keep(Rendering::Camera, hash, camera, Lasts::AtOnce)?;
        let taken = self.seams.clock.wall_ms();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO blob (hash, kind, id, bytes, state, taken)
                 VALUES (?1, ?2, ?3, ?4, 'draft', ?5)
                 ON CONFLICT (hash) DO UPDATE SET
                     state = CASE state WHEN 'failed' THEN 'waiting'
                                        WHEN 'fetched' THEN 'draft' ELSE state END,
                     kind = CASE state WHEN 'fetched' THEN excluded.kind ELSE kind END,
                     id = CASE state WHEN 'fetched' THEN excluded.id ELSE id END,
                     sent = CASE WHEN state = 'failed' THEN 0 ELSE sent END,
                     bytes = excluded.bytes,
                     ask_at = NULL,
                     reason = NULL
                     WHERE reason IS NOT NULL",
                params![
                    hash.0,
                    kind.name,
                    id.as_bytes(),
                    sql_int(prepared.master.len() as u64),
                    taken
                ],
            )?;
            names::adopt(transaction, hash, kind.name, id)
        })?;
        Ok((hash, prepared))
    }

    /// Keeps a photo that was fetched from the server for a record. The bytes must hash to its
    /// name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the record has left this device meanwhile: then nothing is kept.
    pub(crate) fn keep_fetched(&self, of: &Key, hash: BlobHash, master: &[u8]) -> Result<()> {
        // A thumbnail that came with the record was made of these very bytes, by the server.
        if !matches!(self.photo(hash, Rendering::Thumbnail), Ok(Some(_))) {
            let prepared = photos::prepare(master, Size::Papers)?;
            self.keep(
                Rendering::Thumbnail,
                hash,
                &prepared.thumbnail,
                Lasts::AtOnce,
            )?;
        }
        self.keep(Rendering::Master, hash, master, Lasts::Sometime)?;
        let now = self.seams.clock.wall_ms();
        let is_kept = self.write(|transaction| {
            transaction.execute(
                "INSERT INTO blob (hash, kind, id, bytes, state, taken)
                 SELECT ?1, kind, id, ?4, 'fetched', ?5 FROM record WHERE kind = ?2 AND id = ?3
                 ON CONFLICT (hash) DO UPDATE SET
                     reason = NULL, ask_at = NULL, bytes = excluded.bytes, taken = excluded.taken
                     WHERE reason = ?6",
                params![
                    hash.0,
                    of.kind,
                    of.id.as_bytes(),
                    sql_int(master.len() as u64),
                    now,
                    AWAY
                ],
            )?;
            is_known(transaction, hash)
        })?;
        if is_kept {
            return Ok(());
        }
        self.remove_blob_files(hash)?;
        Err(Error::NotFound)
    }

    /// Says whether a record that is here names a photo.
    pub(crate) fn names_photo(&self, of: &Key, hash: BlobHash) -> Result<bool> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT EXISTS (
                         SELECT 1 FROM record
                         WHERE kind = ?1 AND id = ?2 AND instr(COALESCE(shown, body), ?3) > 0
                     )",
                )?
                .query_row(
                    params![of.kind, of.id.as_bytes(), hash.to_string()],
                    |row| row.get(0),
                )?)
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
                             OR EXISTS (SELECT 1 FROM draft WHERE draft.id = blob.id)
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
        self.unseal(name).map(Some)
    }

    fn unseal(&self, name: String) -> Result<Vec<u8>> {
        let file = FileReader::open(Arc::clone(&self.seams.files), name)?;
        let mut sealed = SealedReader::open(file, &self.file_key)?;
        let length = usize::try_from(sealed.plain_len()).map_err(|_| Error::NotFound)?;
        let mut bytes = vec![0; length];
        let read = sealed.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
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
            let files = statement.query_map([sql_int(most as u64)], |row| {
                Ok(Upload {
                    hash: BlobHash(row.get(0)?),
                    bytes: from_sql_int(row.get(1)?),
                    sent: from_sql_int(row.get(2)?),
                })
            })?;
            // Work comes before its photos.
            let mut uploads = later::uploads(connection)?;
            for file in files {
                uploads.push(file?);
            }
            uploads.truncate(most);
            Ok(uploads)
        })
    }

    /// Reads a piece of a master, or of a change's content, for its upload; allowed whether or not
    /// its record is readable.
    pub fn read_upload(&self, hash: BlobHash, offset: u64, into: &mut [u8]) -> Result<usize> {
        if let Some(content) = self.read(|connection| later::content(connection, hash))? {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = content.as_bytes().get(from..).unwrap_or_default();
            let read = rest.len().min(into.len());
            into[..read].copy_from_slice(&rest[..read]);
            return Ok(read);
        }
        let file = FileReader::open(Arc::clone(&self.seams.files), Rendering::Master.file(hash))?;
        Ok(SealedReader::open(file, &self.file_key)?.read_at(offset, into)?)
    }

    /// Notes how much of a file the server has.
    pub fn note_sent(&self, hash: BlobHash, sent: u64) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE blob SET sent = ?2 WHERE hash = ?1")?
                .execute(params![hash.0, sql_int(sent)])?;
            later::note_sent(transaction, hash, sent)
        })
    }

    /// Notes that the server has a file whole. The camera's own file goes; master and thumbnail
    /// stay, those of a purged record sealed until a backup holds them ([`names::release`]).
    pub fn note_stored(&self, hash: BlobHash, commit: Commit) -> Result<()> {
        let is_lost = self.write(|transaction| {
            if histories::lost(transaction)?.holds(commit) {
                return Ok(true);
            }
            transaction
                .prepare_cached(
                    "UPDATE blob SET state = 'stored', sent = bytes, \"commit\" = ?2
                     WHERE hash = ?1 AND state = 'waiting'",
                )?
                .execute(params![hash.0, sql_int(commit.0)])?;
            later::forget(transaction, hash)?;
            Ok(false)
        })?;
        match is_lost {
            true => Ok(()),
            false => remove_if_there(self, &Rendering::Camera.file(hash)),
        }
    }

    /// Notes that the server will never take this file; it stays here, with the reason.
    pub fn note_refused(&self, hash: BlobHash, reason: &str) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE blob SET state = 'failed', reason = ?2 WHERE hash = ?1 AND state = 'waiting'",
                params![hash.0, reason],
            )?;
            later::forget(transaction, hash)
        })
    }

    /// Has a photo sent again that failed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it has not failed; a failure of its file if that can't be read: then
    /// the picture must be taken again.
    pub fn retry_photo(&self, hash: BlobHash) -> Result<()> {
        if self.photo_state(hash)? != Some(PhotoState::Failed) {
            return Err(Error::NotFound);
        }
        let master = self.unseal(Rendering::Master.file(hash))?;
        if BlobHash::of(&master) != hash {
            return Err(SealError::Changed { chunk: 0 }.into());
        }
        self.write(|transaction| {
            transaction.execute(
                "UPDATE blob SET state = 'waiting', sent = 0, reason = NULL
                 WHERE hash = ?1 AND state = 'failed'",
                [hash.0],
            )?;
            Ok(())
        })
    }

    /// Gives a photo up that failed: its files go, and whoever reads the record sees that it never
    /// came.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it has not failed.
    pub fn drop_photo(&self, hash: BlobHash) -> Result<()> {
        let dropped = self.write(|transaction| {
            Ok(transaction.execute(
                "DELETE FROM blob WHERE hash = ?1 AND state = 'failed'",
                [hash.0],
            )?)
        })?;
        if dropped == 0 {
            return Err(Error::NotFound);
        }
        self.remove_blob_files(hash)
    }

    /// Returns the photos that failed, with the records that they belong to.
    pub fn failed_photos(&self) -> Result<Vec<FailedPhoto>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT hash, kind, id, reason FROM blob WHERE state = 'failed' ORDER BY taken, hash",
            )?;
            Ok(statement
                .query_map([], |row| {
                    Ok(FailedPhoto {
                        hash: BlobHash(row.get(0)?),
                        kind: row.get(1)?,
                        id: RecordId(id_column(row, 2)?),
                        reason: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
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
            let is_known = self.read(|connection| is_known(connection, hash))?;
            if name.ends_with(UNFINISHED) || !is_known {
                self.seams.files.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Seals a rendering. One that is here and whole stays: the same photo may be read for its
    /// upload at this moment.
    fn keep(&self, rendering: Rendering, hash: BlobHash, plain: &[u8], lasts: Lasts) -> Result<()> {
        let (files, name) = (&self.seams.files, rendering.file(hash));
        if files.len(&name)?.is_some() && self.unseal(name.clone()).is_ok_and(|kept| kept == plain)
        {
            return match lasts {
                Lasts::AtOnce => Ok(files.sync(&name)?),
                Lasts::Sometime => Ok(()),
            };
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
        let file = sealed.finish()?;
        if lasts == Lasts::AtOnce {
            file.sync()?;
        }
        Ok(files.rename(&unfinished, &name)?)
    }
}

/// When a kept file is to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// Before anything refers to it: nobody would bring it again.
    AtOnce,
    /// When the system gets round to it: if it is taken, it is found damaged and fetched again.
    Sometime,
}

fn is_known(connection: &Connection, hash: BlobHash) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM blob WHERE hash = ?1)")?
        .query_row([hash.0], |row| row.get(0))?)
}

fn remove_if_there(store: &Store, name: &str) -> Result<()> {
    if store.seams.files.len(name)?.is_some() {
        store.seams.files.remove(name)?;
    }
    Ok(())
}
