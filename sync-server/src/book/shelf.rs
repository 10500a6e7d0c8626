//! The shelf: parts as immutable files, `book/<hash>`. A file that is there is whole.

#![expect(
    clippy::disallowed_methods,
    reason = "the seam for the files of the pocket book"
)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pocketbook_records::ids::BlobHash;

fn path(dir: &Path, hash: BlobHash) -> PathBuf {
    dir.join("book").join(hash.to_string())
}

/// Puts parts on the shelf; what is there stays. Returns when all are on the disk.
pub(super) fn put<'a>(
    dir: &Path,
    parts: impl Iterator<Item = (BlobHash, &'a [u8])>,
) -> io::Result<()> {
    let folder = dir.join("book");
    fs::create_dir_all(&folder)?;
    for (hash, bytes) in parts {
        let path = path(dir, hash);
        if path.try_exists()? {
            continue;
        }
        let unfinished = path.with_extension("part");
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
    }
    File::open(&folder)?.sync_all()
}

/// Reads a part.
pub(super) fn read(dir: &Path, hash: BlobHash) -> io::Result<Vec<u8>> {
    fs::read(path(dir, hash))
}
