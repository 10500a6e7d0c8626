//! Sealed files: photos at rest, readable only with the account's key.
//!
//! A lost phone must not give away residents' papers, and an upload that stopped at byte 700,000 must go
//! on from there. So a file is sealed in chunks of 64 KiB, each authenticated by itself: any part can be
//! read without the parts before it.
//!
//! ```text
//! header   suite (1) │ key id (8) │ file id (16)
//! chunk 0  64 KiB of XChaCha20 │ tag (16)
//! …
//! last     up to 64 KiB of XChaCha20 │ tag (16)      an empty file has one empty chunk
//! ```
//!
//! Chunk *n* is sealed under the nonce `file id ‖ position`, where position = 2·*n* + 1 for the last chunk
//! and 2·*n* for the others (the STREAM construction), and header and position are its associated data:
//! a suite with a shorter nonce, such as SM4-GCM, changes the nonce and not what is bound.
//!
//! What it promises: bytes that were changed, swapped between places or files, repeated, cut off or
//! appended are refused, never returned. Opening reads the last chunk, so a file's length is proven before
//! its first byte is used. What it does not promise: *which* file this is. The caller names files by
//! content and checks the hash, or a file could be exchanged for another one of the same account.
//!
//! Randomness comes from the caller: a [`FileId`] must be fresh for every file written under a key.
//! A writer that is dropped before [`SealedWriter::finish`] leaves a file that doesn't open.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom, Write},
};

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::AeadInOut};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// XChaCha20-Poly1305 over chunks of 64 KiB. Further suites get further numbers.
const SUITE_XCHACHA20_POLY1305: u8 = 1;

const KEY_ID_LEN: usize = 8;
const FILE_ID_LEN: usize = 16;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + FILE_ID_LEN;
const CHUNK_LEN: usize = 64 * 1024;
const TAG_LEN: usize = 16;
const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;

/// The key of one account's files, overwritten when it goes out of use.
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Takes 32 random bytes, as the platform's keystore gave or keeps them.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Returns a name for the key that tells nothing about it.
    fn id(&self) -> [u8; KEY_ID_LEN] {
        let digest = Sha256::new()
            .chain_update(b"pocketbook seal key id\0")
            .chain_update(self.0)
            .finalize();
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&digest[..KEY_ID_LEN]);
        id
    }
}

impl Drop for SealKey {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler would leave the overwriting out.
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(redacted)")
    }
}

/// The random name of one sealed file; using one twice under a key gives its content away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(pub [u8; FILE_ID_LEN]);

/// Why a sealed file can't be written or read.
#[derive(Debug, Error)]
pub enum SealError {
    /// The file below failed.
    #[error("reach the sealed file")]
    Io(#[from] io::Error),
    /// The file was sealed by a newer version.
    #[error("open the sealed file: suite {suite} is unknown")]
    UnknownSuite {
        /// The suite's number.
        suite: u8,
    },
    /// The file belongs to another key.
    #[error("open the sealed file: it was sealed with another key")]
    WrongKey,
    /// The file is shorter or longer than any sealed file can be.
    #[error("open the sealed file: {sealed_len} bytes is not the length of a whole file")]
    BadLength {
        /// The file's length in bytes.
        sealed_len: u64,
    },
    /// A chunk is not what was sealed in its place.
    #[error("read the sealed file: chunk {chunk} was changed")]
    Changed {
        /// The chunk's number, from 0.
        chunk: u64,
    },
}

/// Returns the length of the sealed file of `plain_len` bytes.
pub fn sealed_len(plain_len: u64) -> u64 {
    let chunks = plain_len.div_ceil(CHUNK_LEN as u64).max(1);
    HEADER_LEN as u64 + plain_len + chunks * TAG_LEN as u64
}

/// Returns the length of what a sealed file of `sealed_len` bytes holds, or nothing if no file has that
/// length.
pub fn plain_len(sealed_len: u64) -> Option<u64> {
    let body = sealed_len.checked_sub(HEADER_LEN as u64)?;
    let chunks = body.div_ceil(SEALED_CHUNK_LEN as u64);
    let plain = body.checked_sub(chunks * TAG_LEN as u64)?;
    (self::sealed_len(plain) == sealed_len).then_some(plain)
}

/// What every chunk of a file has in common.
struct Seal {
    cipher: XChaCha20Poly1305,
    header: [u8; HEADER_LEN],
}

impl Seal {
    fn new(key: &SealKey, file_id: FileId) -> Self {
        let mut header = [0; HEADER_LEN];
        header[0] = SUITE_XCHACHA20_POLY1305;
        header[1..1 + KEY_ID_LEN].copy_from_slice(&key.id());
        header[1 + KEY_ID_LEN..].copy_from_slice(&file_id.0);
        Self {
            cipher: key.cipher(),
            header,
        }
    }

    /// Accepts the header of an existing file.
    fn of(key: &SealKey, header: [u8; HEADER_LEN]) -> Result<Self, SealError> {
        if header[0] != SUITE_XCHACHA20_POLY1305 {
            return Err(SealError::UnknownSuite { suite: header[0] });
        }
        if header[1..1 + KEY_ID_LEN] != key.id() {
            return Err(SealError::WrongKey);
        }
        Ok(Self {
            cipher: key.cipher(),
            header,
        })
    }

    fn seal(&self, place: ChunkPlace, chunk: &mut Vec<u8>) {
        self.cipher
            .encrypt_in_place(&self.nonce(place), &self.bound(place), chunk)
            .expect("64 KiB is far below the cipher's limit and a vector grows");
    }

    fn open(&self, place: ChunkPlace, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        self.cipher
            .decrypt_in_place(&self.nonce(place), &self.bound(place), chunk)
            .map_err(|_| SealError::Changed {
                chunk: place.number,
            })
    }

    fn nonce(&self, place: ChunkPlace) -> XNonce {
        let mut nonce = [0; FILE_ID_LEN + 8];
        nonce[..FILE_ID_LEN].copy_from_slice(&self.header[1 + KEY_ID_LEN..]);
        nonce[FILE_ID_LEN..].copy_from_slice(&place.position());
        nonce.into()
    }

    fn bound(&self, place: ChunkPlace) -> [u8; HEADER_LEN + 8] {
        let mut bound = [0; HEADER_LEN + 8];
        bound[..HEADER_LEN].copy_from_slice(&self.header);
        bound[HEADER_LEN..].copy_from_slice(&place.position());
        bound
    }
}

/// Which chunk of its file a chunk is.
#[derive(Clone, Copy)]
struct ChunkPlace {
    number: u64,
    is_last: bool,
}

impl ChunkPlace {
    fn position(self) -> [u8; 8] {
        (self.number << 1 | u64::from(self.is_last)).to_be_bytes()
    }
}

/// Seals what is written to it and passes it on.
pub struct SealedWriter<W> {
    sink: W,
    seal: Seal,
    chunk: Vec<u8>,
    number: u64,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a file; `file_id` is fresh random bytes.
    pub fn new(mut sink: W, key: &SealKey, file_id: FileId) -> Result<Self, SealError> {
        let seal = Seal::new(key, file_id);
        sink.write_all(&seal.header)?;
        Ok(Self {
            sink,
            seal,
            chunk: Vec::with_capacity(SEALED_CHUNK_LEN),
            number: 0,
        })
    }

    /// Writes the last chunk and gives the sink back, flushed; making it durable is the caller's part.
    pub fn finish(mut self) -> Result<W, SealError> {
        self.write_chunk(true)?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn write_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let number = self.number;
        self.seal
            .seal(ChunkPlace { number, is_last }, &mut self.chunk);
        self.number += 1;
        self.sink.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    /// Takes what fits into the chunk at hand. A full chunk waits for more: it may be the last one.
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK_LEN && !plain.is_empty() {
            self.write_chunk(false)?;
        }
        let taken = plain.len().min(CHUNK_LEN - self.chunk.len());
        self.chunk.extend_from_slice(&plain[..taken]);
        Ok(taken)
    }

    /// Flushes the sink; bytes of an unfinished chunk stay here.
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Reads any part of a sealed file, holding one open chunk.
pub struct SealedReader<R> {
    source: R,
    seal: Seal,
    plain_len: u64,
    chunk: Vec<u8>,
    /// Number of the chunk held open, if one is.
    held: Option<u64>,
}

impl<R: Read + Seek> SealedReader<R> {
    /// Opens a file and proves its length.
    pub fn open(mut source: R, key: &SealKey) -> Result<Self, SealError> {
        let sealed_len = source.seek(SeekFrom::End(0))?;
        let plain_len = plain_len(sealed_len).ok_or(SealError::BadLength { sealed_len })?;
        let mut header = [0; HEADER_LEN];
        source.seek(SeekFrom::Start(0))?;
        source.read_exact(&mut header)?;
        let mut reader = Self {
            source,
            seal: Seal::of(key, header)?,
            plain_len,
            chunk: Vec::with_capacity(SEALED_CHUNK_LEN),
            held: None,
        };
        reader.hold(reader.last_chunk())?;
        Ok(reader)
    }

    /// Returns the length of the content in bytes.
    pub fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// Fills `into` from `offset` on and returns how many bytes there were: fewer only at the end.
    pub fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, SealError> {
        let mut filled = 0;
        while filled < into.len() {
            let at = offset.saturating_add(filled as u64);
            if at >= self.plain_len {
                break;
            }
            self.hold(at / CHUNK_LEN as u64)?;
            let from = usize::try_from(at % CHUNK_LEN as u64).unwrap_or(usize::MAX);
            let part = self.chunk.get(from..).unwrap_or_default();
            let taken = part.len().min(into.len() - filled);
            into[filled..filled + taken].copy_from_slice(&part[..taken]);
            filled += taken;
        }
        Ok(filled)
    }

    fn last_chunk(&self) -> u64 {
        self.plain_len.saturating_sub(1) / CHUNK_LEN as u64
    }

    fn hold(&mut self, number: u64) -> Result<(), SealError> {
        if self.held == Some(number) {
            return Ok(());
        }
        self.held = None;
        let start = HEADER_LEN as u64 + number * SEALED_CHUNK_LEN as u64;
        self.source.seek(SeekFrom::Start(start))?;
        self.chunk.clear();
        self.source
            .by_ref()
            .take(SEALED_CHUNK_LEN as u64)
            .read_to_end(&mut self.chunk)?;
        let is_last = number == self.last_chunk();
        self.seal
            .open(ChunkPlace { number, is_last }, &mut self.chunk)?;
        self.held = Some(number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// `pocketbook`, sealed by another implementation of the cipher after the layout above.
    const FIRST_VERSION: &str = "01e8390b3419271f57010101010101010101010101010101014\
        eaa1f20fcda4cabe0f045e459ebb7600a22da45216d909265c9";

    fn key() -> SealKey {
        SealKey::new([7; 32])
    }

    fn seal_as(file_id: u8, plain: &[u8]) -> Vec<u8> {
        let file_id = FileId([file_id; FILE_ID_LEN]);
        let mut writer = SealedWriter::new(Vec::new(), &key(), file_id).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn seal(plain: &[u8]) -> Vec<u8> {
        seal_as(1, plain)
    }

    fn open(sealed: &[u8]) -> Result<SealedReader<Cursor<&[u8]>>, SealError> {
        SealedReader::open(Cursor::new(sealed), &key())
    }

    fn unseal(sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut reader = open(sealed)?;
        let mut plain = vec![0; usize::try_from(reader.plain_len()).unwrap()];
        let read = reader.read_at(0, &mut plain)?;
        assert_eq!(read, plain.len());
        Ok(plain)
    }

    /// Content whose chunks all differ.
    fn content(len: usize) -> Vec<u8> {
        (0..len)
            .map(|at| u8::try_from((at / 251 + at) % 256).unwrap())
            .collect()
    }

    /// The nth chunk of a sealed file.
    fn chunk(sealed: &mut [u8], number: usize) -> &mut [u8] {
        &mut sealed[HEADER_LEN + number * SEALED_CHUNK_LEN..][..SEALED_CHUNK_LEN]
    }

    fn lengths() -> impl Strategy<Value = usize> {
        prop_oneof![
            0_usize..40,
            CHUNK_LEN - 2..CHUNK_LEN + 3,
            2 * CHUNK_LEN - 1..2 * CHUNK_LEN + 2,
            0_usize..4 * CHUNK_LEN,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_sealed_comes_back_however_it_was_written(
            len in lengths(),
            piece in 1_usize..100_000,
        ) {
            let plain = content(len);
            let file_id = FileId([1; FILE_ID_LEN]);
            let mut writer = SealedWriter::new(Vec::new(), &key(), file_id).unwrap();
            for piece in plain.chunks(piece) {
                writer.write_all(piece).unwrap();
            }
            let sealed = writer.finish().unwrap();

            prop_assert_eq!(sealed.len() as u64, sealed_len(len as u64));
            prop_assert_eq!(plain_len(sealed.len() as u64), Some(len as u64));
            prop_assert_eq!(&sealed, &seal(&plain));
            prop_assert!(unseal(&sealed).unwrap() == plain);
        }

        #[test]
        fn any_part_can_be_read_from_any_offset(
            len in lengths(),
            parts in prop::collection::vec((0_usize..5 * CHUNK_LEN, 0_usize..100_000), 1..6),
        ) {
            let plain = content(len);
            let sealed = seal(&plain);
            let mut reader = open(&sealed).unwrap();
            for (offset, size) in parts {
                let mut part = vec![0; size];
                let read = reader.read_at(offset as u64, &mut part).unwrap();
                let from = offset.min(len);
                prop_assert!(part[..read] == plain[from..(from + size).min(len)]);
            }
        }

        #[test]
        fn a_changed_bit_is_refused(
            len in lengths(),
            at in any::<prop::sample::Index>(),
            bit in 0_u32..8,
        ) {
            let mut sealed = seal(&content(len));
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;

            prop_assert!(unseal(&sealed).is_err());
        }

        #[test]
        fn a_file_of_another_length_does_not_open(
            len in lengths(),
            keep in any::<prop::sample::Index>(),
            tail in prop::collection::vec(any::<u8>(), 1..100),
        ) {
            let sealed = seal(&content(len));

            prop_assert!(open(&sealed[..keep.index(sealed.len())]).is_err());
            prop_assert!(open(&[&sealed[..], &tail].concat()).is_err());
        }

        #[test]
        fn only_lengths_of_whole_files_have_a_content(sealed in 0_u64..300_000) {
            match plain_len(sealed) {
                Some(plain) => prop_assert_eq!(sealed_len(plain), sealed),
                None => prop_assert!(open(&vec![SUITE_XCHACHA20_POLY1305; usize::try_from(sealed).unwrap()]).is_err()),
            }
        }
    }

    #[test]
    fn a_file_cut_between_two_chunks_does_not_open() {
        let sealed = seal(&content(3 * CHUNK_LEN));

        let cut = open(&sealed[..HEADER_LEN + 2 * SEALED_CHUNK_LEN]);

        assert!(matches!(cut.err(), Some(SealError::Changed { chunk: 1 })));
    }

    #[test]
    fn a_file_does_not_grow_by_its_own_chunks() {
        let mut sealed = seal(&content(2 * CHUNK_LEN));
        let last = chunk(&mut sealed, 1).to_vec();
        sealed.extend(last);

        assert!(matches!(
            open(&sealed).err(),
            Some(SealError::Changed { chunk: 2 })
        ));
    }

    #[test]
    fn chunks_do_not_change_places() {
        let mut sealed = seal(&content(3 * CHUNK_LEN));
        let first = chunk(&mut sealed, 0).to_vec();
        let second = chunk(&mut sealed, 1).to_vec();
        chunk(&mut sealed, 0).copy_from_slice(&second);
        chunk(&mut sealed, 1).copy_from_slice(&first);

        assert!(matches!(
            unseal(&sealed),
            Err(SealError::Changed { chunk: 0 })
        ));
    }

    #[test]
    fn a_chunk_of_another_file_is_refused() {
        let mut sealed = seal(&content(2 * CHUNK_LEN));
        let mut other = seal_as(2, &content(2 * CHUNK_LEN));
        chunk(&mut sealed, 0).copy_from_slice(chunk(&mut other, 0));

        assert!(matches!(
            unseal(&sealed),
            Err(SealError::Changed { chunk: 0 })
        ));
    }

    #[test]
    fn a_damaged_chunk_leaves_the_others_readable() {
        let plain = content(3 * CHUNK_LEN);
        let mut sealed = seal(&plain);
        chunk(&mut sealed, 1)[0] ^= 1;
        let mut reader = open(&sealed).unwrap();
        let mut part = vec![0; CHUNK_LEN];

        assert!(reader.read_at(CHUNK_LEN as u64, &mut part).is_err());
        reader.read_at(0, &mut part).unwrap();
        assert!(part == plain[..CHUNK_LEN]);
    }

    #[test]
    fn an_unfinished_file_does_not_open() {
        let mut sealed = Vec::new();
        let file_id = FileId([1; FILE_ID_LEN]);
        let mut writer = SealedWriter::new(&mut sealed, &key(), file_id).unwrap();
        writer.write_all(&content(3 * CHUNK_LEN)).unwrap();
        drop(writer);

        assert!(open(&sealed).is_err());
    }

    #[test]
    fn a_foreign_key_and_a_newer_suite_are_told_apart_from_damage() {
        let mut sealed = seal(b"papers");
        let foreign = SealedReader::open(Cursor::new(&sealed), &SealKey::new([8; 32]));
        assert!(matches!(foreign.err(), Some(SealError::WrongKey)));

        sealed[0] = 2;
        assert!(matches!(
            open(&sealed).err(),
            Some(SealError::UnknownSuite { suite: 2 })
        ));
    }

    #[test]
    fn files_sealed_by_the_first_version_stay_readable() {
        let sealed = hex::decode(FIRST_VERSION).unwrap();

        assert_eq!(unseal(&sealed).unwrap(), b"pocketbook");
        assert_eq!(seal(b"pocketbook"), sealed);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", key()), "SealKey(redacted)");
    }
}
