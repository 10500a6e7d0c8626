//! What a worker was told, beside the phone: one line for each piece of work that was answered as
//! saved, on the disk before the next one begins.
//!
//! The phone's process writes it and may be killed at any byte; the audit reads it.

#![expect(
    clippy::disallowed_methods,
    reason = "what a worker was told must not lie in the store that is examined"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use pocketbook_records::ids::{BlobHash, Mid};

use pocketbook_tests::stack::Result;

/// The name of the file in a phone's folder.
const FILE: &str = "diary";

/// The diary as the phone's process writes it.
#[derive(Debug)]
pub(crate) struct Diary(File);

impl Diary {
    /// Goes on with the diary of a phone's folder.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(folder.join(FILE))?;
        Ok(Self(file))
    }

    /// The worker was told that this is saved, with these photos.
    pub(crate) fn saved(&mut self, mid: Mid, photos: &[BlobHash]) -> io::Result<()> {
        let mut lines = format!("saved {mid}\n");
        for hash in photos {
            lines.push_str(&format!("photo {mid} {hash}\n"));
        }
        self.0.write_all(lines.as_bytes())?;
        self.0.sync_all()
    }

    /// The server answered.
    pub(crate) fn counts(&mut self, what: &str) -> io::Result<()> {
        self.0.write_all(format!("counts {what}\n").as_bytes())
    }

    /// Something happened that no fault excuses.
    pub(crate) fn odd(&mut self, what: &str) -> io::Result<()> {
        let line = format!("odd {}\n", what.replace('\n', " "));
        self.0.write_all(line.as_bytes())?;
        self.0.sync_all()
    }
}

/// A diary as it is read at the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What was answered as saved.
    pub(crate) saved: BTreeSet<Mid>,
    /// The photos of it, each with the work that it belongs to.
    pub(crate) photos: Vec<(Mid, BlobHash)>,
    /// Exchanges that were answered.
    pub(crate) exchanges: u64,
    /// Pieces of photos that were taken.
    pub(crate) pieces: u64,
    /// What no fault excuses.
    pub(crate) odd: Vec<String>,
}

impl Told {
    /// Reads the diary of a phone's folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let text = fs::read_to_string(folder.join(FILE))?;
        let mut told = Self::default();
        // A line without an end was cut off by a kill: its worker was not told yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let (word, rest) = line.split_once(' ').ok_or("a line of one word")?;
            match word {
                "saved" => drop(told.saved.insert(rest.parse()?)),
                "photo" => {
                    let (mid, hash) = rest.split_once(' ').ok_or("two names")?;
                    told.photos.push((mid.parse()?, hash.parse()?));
                }
                "counts" if rest == "piece" => told.pieces += 1,
                "counts" => told.exchanges += 1,
                _ => told.odd.push(rest.to_owned()),
            }
        }
        Ok(told)
    }
}
