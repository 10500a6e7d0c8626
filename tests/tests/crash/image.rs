//! What a disk may hold after a power cut.
//!
//! A file's bytes are sure once the file was synced, and its making with it, as on ext4, XFS and
//! APFS; renames and removals once the folder was. What came after that may be there, may be gone,
//! or may be there in part: sectors of a write, the first of several renames.

#![expect(
    clippy::disallowed_methods,
    reason = "images of disks are built in folders"
)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Op;

/// What the disk does with what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All of it is there: the app was killed, the machine went on.
    Kept,
    /// None of it is there.
    Dropped,
    /// Some of it is there, and some sectors hold noise.
    Torn(u64),
}

type File = usize;
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Unsure {
    Write(File, u64, Arc<[u8]>),
    Resize(File, u64),
}

#[derive(Debug, Clone)]
enum Renaming {
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// A folder as it is, and as it surely is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    root: PathBuf,
    live: Vec<Vec<u8>>,
    sure: Vec<Vec<u8>>,
    unsure: Vec<Unsure>,
    names: BTreeMap<PathBuf, File>,
    sure_names: BTreeMap<PathBuf, File>,
    renamings: Vec<Renaming>,
}

impl Image {
    /// Reads a folder whose files are all on the disk.
    pub(crate) fn of(root: &Path) -> Self {
        let mut image = Self {
            root: fs::canonicalize(root).expect("the folder is there"),
            ..Self::default()
        };
        let root = image.root.clone();
        image.read(&root);
        image.sure = image.live.clone();
        image.sure_names = image.names.clone();
        image
    }

    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, sort) = (entry.path(), entry.file_type().expect("a type"));
            if sort.is_dir() {
                self.read(&path);
            } else if sort.is_file() && !path.to_string_lossy().ends_with("-shm") {
                let file = self.made(&path);
                self.live[file] = fs::read(&path).expect("a file");
            }
        }
    }

    fn made(&mut self, path: &Path) -> File {
        if let Some(file) = self.names.get(path) {
            return *file;
        }
        self.live.push(Vec::new());
        self.sure.push(Vec::new());
        self.names.insert(path.to_owned(), self.live.len() - 1);
        self.live.len() - 1
    }

    /// Does what was noted of the real disk.
    pub(crate) fn applies(&mut self, op: &Op) {
        match op {
            Op::Write(path, at, bytes) => {
                let file = self.made(path);
                let unsure = Unsure::Write(file, *at, Arc::clone(bytes));
                does(&mut self.live, &unsure);
                self.unsure.push(unsure);
            }
            Op::Resize(path, length) => {
                let file = self.made(path);
                let unsure = Unsure::Resize(file, *length);
                does(&mut self.live, &unsure);
                self.unsure.push(unsure);
            }
            Op::Sync(path) => self.syncs(path),
            Op::Rename(from, to) => {
                let renaming = Renaming::Rename(from.clone(), to.clone());
                renames(&mut self.names, &renaming);
                self.renamings.push(renaming);
            }
            Op::Remove(path) => {
                let renaming = Renaming::Remove(path.clone());
                renames(&mut self.names, &renaming);
                self.renamings.push(renaming);
            }
            Op::Promise => {}
        }
    }

    fn syncs(&mut self, path: &Path) {
        let Some(file) = self.names.get(path).copied() else {
            // A folder: the names in it are sure.
            let is_in = |name: &Path| name.parent() == Some(path);
            let renamings = std::mem::take(&mut self.renamings);
            for renaming in renamings {
                let is_sure = match &renaming {
                    Renaming::Rename(from, to) => is_in(from) || is_in(to),
                    Renaming::Remove(name) => is_in(name),
                };
                match is_sure {
                    true => renames(&mut self.sure_names, &renaming),
                    false => self.renamings.push(renaming),
                }
            }
            return;
        };
        self.sure[file].clone_from(&self.live[file]);
        self.unsure.retain(|unsure| unsure.file() != file);
        if !self.sure_names.values().any(|sure| *sure == file) {
            let name = self.renamings.iter().find_map(|renaming| match renaming {
                Renaming::Rename(from, to) if to == path => Some(from.clone()),
                _ => None,
            });
            self.sure_names
                .insert(name.unwrap_or_else(|| path.to_owned()), file);
        }
    }

    /// Puts what is there after a cut into an empty folder.
    pub(crate) fn lies_in(&self, folder: &Path, cut: Cut) -> io::Result<()> {
        let (files, names) = self.after(cut);
        for (path, file) in names {
            let path = folder.join(path.strip_prefix(&self.root).expect("a path below it"));
            if let Some(above) = path.parent() {
                fs::create_dir_all(above)?;
            }
            // All of it is private to its owner, on phones and servers alike.
            let mut private = OpenOptions::new();
            let mut made = private
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            made.write_all(&files[file])?;
        }
        Ok(())
    }

    fn after(&self, cut: Cut) -> (Vec<Vec<u8>>, BTreeMap<PathBuf, File>) {
        match cut {
            Cut::Kept => (self.live.clone(), self.names.clone()),
            Cut::Dropped => (self.sure.clone(), self.sure_names.clone()),
            Cut::Torn(seed) => {
                let mut dice = Dice(seed);
                let (mut files, mut names) = (self.sure.clone(), self.sure_names.clone());
                for (name, file) in &self.names {
                    let is_known = names.values().any(|known| known == file);
                    if !is_known && dice.below(2) == 0 {
                        names.insert(name.clone(), *file);
                    }
                }
                for renaming in self
                    .renamings
                    .iter()
                    .take(dice.below(self.renamings.len() + 1))
                {
                    renames(&mut names, renaming);
                }
                for unsure in &self.unsure {
                    tears(&mut files, unsure, &mut dice);
                }
                (files, names)
            }
        }
    }
}

impl Unsure {
    fn file(&self) -> File {
        match self {
            Self::Write(file, ..) | Self::Resize(file, _) => *file,
        }
    }
}

fn does(files: &mut [Vec<u8>], unsure: &Unsure) {
    match unsure {
        Unsure::Write(file, at, bytes) => puts(&mut files[*file], place(*at), bytes),
        Unsure::Resize(file, length) => files[*file].resize(place(*length), 0),
    }
}

/// Lets each sector of a write be there, or not, or be noise.
fn tears(files: &mut [Vec<u8>], unsure: &Unsure, dice: &mut Dice) {
    let Unsure::Write(file, at, bytes) = unsure else {
        if dice.below(2) == 0 {
            does(files, unsure);
        }
        return;
    };
    let mut from = 0;
    while from < bytes.len() {
        let start = place(*at) + from;
        let to = bytes.len().min(from + SECTOR - start % SECTOR);
        match dice.below(4) {
            0 => {}
            1 => {
                let noise: Vec<u8> = (from..to).map(|_| dice.byte()).collect();
                puts(&mut files[*file], start, &noise);
            }
            _ => puts(&mut files[*file], start, &bytes[from..to]),
        }
        from = to;
    }
}

fn puts(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn renames(names: &mut BTreeMap<PathBuf, File>, renaming: &Renaming) {
    match renaming {
        Renaming::Remove(name) => {
            names.remove(name);
        }
        Renaming::Rename(from, to) => {
            let below = |name: &PathBuf| name.starts_with(from);
            let moved: Vec<_> = names.keys().filter(|name| below(name)).cloned().collect();
            for name in moved {
                let file = names.remove(&name);
                let rest = name.strip_prefix(from).expect("it is below");
                let new = match rest.as_os_str().is_empty() {
                    true => to.clone(),
                    false => to.join(rest),
                };
                names.extend(file.map(|file| (new, file)));
            }
        }
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).expect("files of tests fit into memory")
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).expect("it is small")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}
