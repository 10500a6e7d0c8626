//! Files and keys in a folder of this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the seam: elsewhere files are reached through it"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Entropy, Files, FilesError, Keys, KeysError, Secret};

/// A folder as a place for an account's files.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens the folder, and makes it if need be.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, FilesError> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    fn path(&self, name: &str) -> Result<PathBuf, FilesError> {
        let parts = name.split('/').count();
        let is_good = parts <= 4 && name.split('/').all(is_good_part);
        is_good
            .then(|| self.root.join(name))
            .ok_or(FilesError::BadName)
    }

    /// Makes the names in a file's folder durable, and the folder's own.
    fn sync_names(&self, file: &Path) -> io::Result<()> {
        for folder in file.ancestors().skip(1) {
            File::open(folder)?.sync_all()?;
            if folder == self.root {
                break;
            }
        }
        Ok(())
    }

    fn walk(&self, folder: &Path, into: &mut Vec<String>) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                self.walk(&path, into)?;
            } else if let Ok(name) = path.strip_prefix(&self.root) {
                into.push(name.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
}

fn is_good_part(part: &str) -> bool {
    let is_good = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    !part.is_empty() && !part.starts_with('.') && part.len() <= 100 && part.bytes().all(is_good)
}

impl Files for Folder {
    fn create(&self, name: &str) -> Result<(), FilesError> {
        let path = self.path(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create_new(path)?;
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> Result<(), FilesError> {
        let mut file = OpenOptions::new().append(true).open(self.path(name)?)?;
        Ok(file.write_all(bytes)?)
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, FilesError> {
        let mut file = File::open(self.path(name)?)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while filled < into.len() {
            match file.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    fn len(&self, name: &str) -> Result<Option<u64>, FilesError> {
        match fs::metadata(self.path(name)?) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&self, name: &str) -> Result<(), FilesError> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, FilesError> {
        let mut names = Vec::new();
        let folder = match folder {
            "" => self.root.clone(),
            named => self.path(named)?,
        };
        self.walk(&folder, &mut names)?;
        names.sort();
        Ok(names)
    }

    fn sync(&self, name: &str) -> Result<(), FilesError> {
        let path = self.path(name)?;
        File::open(&path)?.sync_all()?;
        Ok(self.sync_names(&path)?)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), FilesError> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(&from, &to)?;
        self.sync_names(&to)?;
        if from.parent() != to.parent() {
            self.sync_names(&from)?;
        }
        Ok(())
    }
}

/// A folder of key files, readable by its owner only: for machines without a keystore.
///
/// It keeps keys from other people of the machine, not from whoever takes the disk.
pub struct KeyFolder {
    folder: PathBuf,
    entropy: Arc<dyn Entropy>,
    making: Mutex<()>,
}

impl KeyFolder {
    /// Opens the folder, and makes it if need be.
    pub fn open(folder: impl Into<PathBuf>, entropy: Arc<dyn Entropy>) -> Result<Self, FilesError> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            entropy,
            making: Mutex::new(()),
        })
    }

    fn path(&self, account: &str, purpose: &str) -> Result<PathBuf, KeysError> {
        if !is_good_part(account) {
            return Err(KeysError::Unavailable);
        }
        Ok(self.folder.join(format!("{account}.{purpose}.key")))
    }

    fn key(&self, account: &str, purpose: &str) -> Result<Secret, KeysError> {
        let path = self.path(account, purpose)?;
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.make(&path),
            found => found,
        };
        let bytes = found.map_err(|_| KeysError::Unavailable)?;
        let key = bytes.try_into().map_err(|_| KeysError::Unavailable)?;
        Ok(Secret::new(key))
    }

    /// Makes a key. It gets its name only once it is durable: half a key would be one that opens
    /// nothing.
    fn make(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut key = vec![0; 32];
        self.entropy.fill(&mut key);
        let new = path.with_extension("new");
        let mut file = owner_only().open(&new)?;
        file.write_all(&key)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(key)
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Keys for KeyFolder {
    fn database_key(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, "database")
    }

    fn file_key(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, "files")
    }

    fn enrolment_secret(&self, account: &str) -> Result<Secret, KeysError> {
        self.key(account, "enrolment")
    }

    fn forget(&self, account: &str) -> Result<(), KeysError> {
        for purpose in ["database", "files", "enrolment"] {
            match fs::remove_file(self.path(account, purpose)?) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(KeysError::Unavailable);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::system::SystemEntropy;
    use crate::seams::{FileReader, FileWriter};

    fn folder() -> (tempfile::TempDir, Arc<Folder>) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path().join("account")).unwrap();
        (root, Arc::new(folder))
    }

    #[test]
    fn what_was_appended_is_read_back_from_any_offset() {
        let (_root, files) = folder();
        let mut writer = FileWriter::create(files.clone(), "photos/ab/one.sealed").unwrap();
        writer.write_all(b"hello ").unwrap();
        writer.write_all(b"grid").unwrap();
        writer.sync().unwrap();

        let mut reader = FileReader::open(files.clone(), "photos/ab/one.sealed").unwrap();
        reader.seek(SeekFrom::End(-4)).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();

        assert_eq!(text, "grid");
        assert_eq!(files.len("photos/ab/one.sealed").unwrap(), Some(10));
        assert_eq!(files.list("photos").unwrap(), ["photos/ab/one.sealed"]);
        assert_eq!(files.list("").unwrap(), ["photos/ab/one.sealed"]);
    }

    #[test]
    fn a_rename_replaces_and_a_removal_may_be_repeated() {
        let (_root, files) = folder();
        for (name, text) in [("old", b"1"), ("new", b"2")] {
            files.create(name).unwrap();
            files.append(name, text).unwrap();
        }

        files.rename("new", "old").unwrap();

        let mut byte = [0];
        assert_eq!(files.read_at("old", 0, &mut byte).unwrap(), 1);
        assert_eq!(&byte, b"2");
        assert_eq!(files.len("new").unwrap(), None);
        files.remove("old").unwrap();
        files.remove("old").unwrap();
        assert!(matches!(
            files.read_at("old", 0, &mut byte),
            Err(FilesError::Missing)
        ));
    }

    #[test]
    fn a_file_is_begun_once() {
        let (_root, files) = folder();
        files.create("a").unwrap();

        assert!(matches!(files.create("a"), Err(FilesError::Exists)));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let (_root, files) = folder();
        for name in [
            "",
            "..",
            "../a",
            "a/../../b",
            "/etc/x",
            ".a",
            "a//b",
            "A",
            "é",
            "a\0b",
        ] {
            assert!(
                matches!(files.create(name), Err(FilesError::BadName)),
                "{name}"
            );
        }
    }

    #[test]
    fn a_key_is_made_once_and_is_the_owners() {
        let root = tempfile::tempdir().unwrap();
        let open = || KeyFolder::open(root.path(), Arc::new(SystemEntropy)).unwrap();
        let first = open().database_key("wang").unwrap();

        assert_eq!(open().database_key("wang").unwrap().bytes(), first.bytes());
        assert_ne!(open().file_key("wang").unwrap().bytes(), first.bytes());
        assert_ne!(open().database_key("li").unwrap().bytes(), first.bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(root.path().join("wang.database.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        open().forget("wang").unwrap();
        assert_ne!(open().database_key("wang").unwrap().bytes(), first.bytes());
    }

    #[test]
    fn a_damaged_key_file_is_refused_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let keys = KeyFolder::open(root.path(), Arc::new(SystemEntropy)).unwrap();
        fs::write(root.path().join("wang.files.key"), b"short").unwrap();

        assert_eq!(keys.file_key("wang").err(), Some(KeysError::Unavailable));
        assert_eq!(
            fs::read(root.path().join("wang.files.key")).unwrap(),
            b"short"
        );
    }
}
