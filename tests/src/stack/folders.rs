//! Looking into folders from outside: what bytes are really there.

#![expect(
    clippy::disallowed_methods,
    reason = "what is proved is proved by the bytes on the disk, whoever wrote them"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use pocketbook_records::ids::BlobHash;

/// The digits of a mobile number.
const PHONE: usize = 11;

/// Copies a folder with all in it into another, which is made if need be.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Returns which of these phone numbers stand in clear in any file of a folder.
pub fn numbers_in(folder: &Path, numbers: &BTreeSet<String>) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    each_file(folder, &mut |bytes| {
        let digits = bytes.windows(PHONE).filter(|window| window[0] == b'1');
        let texts = digits.filter_map(|window| std::str::from_utf8(window).ok());
        found.extend(
            texts
                .filter(|text| numbers.contains(*text))
                .map(str::to_owned),
        );
    })?;
    Ok(found)
}

/// Returns the SHA-256 of every file of a folder.
pub fn hashes_in(folder: &Path) -> io::Result<BTreeSet<BlobHash>> {
    let mut hashes = BTreeSet::new();
    each_file(folder, &mut |bytes| hashes.extend([BlobHash::of(bytes)]))?;
    Ok(hashes)
}

fn each_file(folder: &Path, look: &mut impl FnMut(&[u8])) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), look)?;
        } else {
            look(&fs::read(entry.path())?);
        }
    }
    Ok(())
}
