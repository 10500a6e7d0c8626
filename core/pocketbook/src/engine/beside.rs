//! What goes beside the records: photos, thumbnails and the pocket book.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::ids::{BlobHash, UnitId};

use super::pace::{Errand, Moment, Pace};
use super::plan::{Effect, Photos, Piece, Trouble};

/// Photos under way at once.
const UPLOADS_AT_ONCE: usize = 3;
/// The first piece of a photo; a bad line gets smaller ones, and none gets larger ones than that.
const FIRST_PIECE: usize = 256 * 1024;
const LEAST_PIECE: usize = 16 * 1024;
const MOST_PIECE: usize = 1024 * 1024;

/// The part of the mind that sends photos and reads books, each with a back-off of its own.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    /// In the order in which they go.
    uploads: Vec<(BlobHash, Errand)>,
    uploading: BTreeSet<BlobHash>,
    piece: Pace,
    thumbnails: Errand,
    is_fetching: bool,
    books: BTreeMap<UnitId, Errand>,
    reading: Option<UnitId>,
}

impl Beside {
    pub(crate) fn new() -> Self {
        Self {
            uploads: Vec::new(),
            uploading: BTreeSet::new(),
            piece: Pace::new(FIRST_PIECE, LEAST_PIECE, MOST_PIECE),
            thumbnails: Errand::default(),
            is_fetching: false,
            books: BTreeMap::new(),
            reading: None,
        }
    }

    pub(crate) fn start_over(&mut self) {
        self.uploading.clear();
        self.is_fetching = false;
        self.reading = None;
    }

    pub(crate) fn try_now(&mut self) {
        for (_, upload) in &mut self.uploads {
            upload.try_now();
        }
        self.thumbnails.try_now();
        self.books.values_mut().for_each(Errand::try_now);
    }

    /// Returns from when what is due may be tried.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        let uploads = self
            .uploads
            .iter()
            .filter_map(|(_, upload)| upload.next_ms());
        let books = self.books.values().filter_map(|book| book.next_ms());
        uploads.chain(self.thumbnails.next_ms()).chain(books).min()
    }

    /// Begins what is ready.
    pub(crate) fn begin(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        for (hash, upload) in &self.uploads {
            if self.uploading.len() == UPLOADS_AT_ONCE {
                break;
            }
            if upload.is_ready(now_ms) && self.uploading.insert(*hash) {
                let bytes = self.piece.bytes();
                effects.push(Effect::Upload { hash: *hash, bytes });
            }
        }
        if self.thumbnails.is_ready(now_ms) && !self.is_fetching {
            self.is_fetching = true;
            effects.push(Effect::FetchThumbnails);
        }
        let mut ready = self.books.iter().filter(|(_, book)| book.is_ready(now_ms));
        if let (None, Some((unit, _))) = (&self.reading, ready.next()) {
            self.reading = Some(unit.clone());
            effects.push(Effect::ReadBook(unit.clone()));
        }
    }

    pub(crate) fn photos_waiting(&mut self, photos: Photos) {
        let Photos {
            uploads: waiting,
            lack_thumbnails,
        } = photos;
        self.thumbnails.is_due = lack_thumbnails;
        let known: BTreeMap<_, _> = self.uploads.drain(..).collect();
        let errand = |hash| known.get(&hash).copied().unwrap_or_else(Errand::due);
        let uploads = waiting.into_iter().map(|hash| (hash, errand(hash)));
        self.uploads = uploads.collect();
    }

    pub(crate) fn uploaded(&mut self, hash: BlobHash, end: Result<Piece, Trouble>, moment: Moment) {
        self.uploading.remove(&hash);
        match end {
            Ok(Piece::Sent { bytes, took_ms }) => self.piece.arrived(bytes, took_ms),
            Err(Trouble::BadLine | Trouble::TooMuch) => self.piece.slow_down(),
            _ => {}
        }
        let held = self.uploads.iter_mut().find(|(held, _)| *held == hash);
        let Some((_, upload)) = held else {
            return;
        };
        match end {
            Ok(_) => upload.succeeded(),
            Err(_) => upload.failed(moment),
        }
        if end == Ok(Piece::Last) {
            self.uploads.retain(|(held, _)| *held != hash);
        }
    }

    pub(crate) fn thumbnails_fetched(&mut self, end: Result<(), Trouble>, moment: Moment) {
        self.is_fetching = false;
        match end {
            Ok(()) => self.thumbnails.succeeded(),
            Err(_) => self.thumbnails.failed(moment),
        }
    }

    pub(crate) fn books_offered(&mut self, units: Vec<UnitId>) {
        let known = std::mem::take(&mut self.books);
        let errand = |unit: &UnitId| known.get(unit).copied().unwrap_or_else(Errand::due);
        let books = units.into_iter().map(|unit| (unit.clone(), errand(&unit)));
        self.books = books.collect();
    }

    pub(crate) fn book_read(&mut self, unit: &UnitId, end: Result<(), Trouble>, moment: Moment) {
        self.reading = None;
        match (end, self.books.get_mut(unit)) {
            (Err(_), Some(book)) => book.failed(moment),
            _ => drop(self.books.remove(unit)),
        }
    }
}
