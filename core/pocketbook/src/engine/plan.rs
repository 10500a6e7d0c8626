//! What to do next, decided without doing it.
//!
//! The engine's mind is a value. An [`Event`] changes it, and it names the [`Effect`]s to carry
//! out; the driver carries them out and brings back how they ended as further events. Nothing here
//! waits, sends, stores or reads a clock, so every rule below is a test of a few lines, and the
//! simulator runs the very same mind as the phone.
//!
//! The rules:
//!
//! - *Records first* ([`Records`]). While an exchange runs no piece of a photo and no part of a
//!   book begins; one that is under way ends. So an urgent report waits for one piece at most, and
//!   for the frames of a first sync not at all.
//! - *Together if possible, apart if need be.* Hand-in and pull ride in one exchange. If that fails
//!   in a way that one of them may have caused, each is tried by itself with its own back-off:
//!   pull works with a failing hand-in and the other way round.
//! - *Neither end waits for the other to work.* While an answer is taken in, the next work is on its
//!   way already ([`Start::Ahead`]); it asks for no news, whose cursors are only just being moved.
//! - *One bad thing stops nothing else* ([`Beside`]). Each photo and each community's book has its
//!   own back-off.
//! - *The server's word is kept.* If it says "not before", nothing at all is sent before, whoever
//!   asks. Our own back-off ends at once when a person asks or a network appears.
//! - *No answer is no receipt.* Nothing that goes wrong here takes anything out of the outbox;
//!   this mind does not even know what is in it.
//!
//! - *No change stops those after it.* One that fails alone three times, while news come through,
//!   goes on without its content, and that by the door of files ([`crate::store::later`]).
//!
//! Known gap: after a restore, a body that a box in between breaks rides as a witness in every
//! exchange, so that no news come through either; nothing is lost, and nothing moves on.

#[cfg(test)]
mod tests;

use pocketbook_records::ids::{BlobHash, Mseq, UnitId};

use super::Reason;
use super::beside::Beside;
use super::pace::Moment;
use super::records::Records;
use crate::store::hand_in::Start;

/// What came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// There is a reason to look.
    Kicked(Reason),
    /// An exchange was answered, and its answer is about to be taken.
    Heard(Heard),
    /// The answer of an exchange was taken.
    Answered(Answered),
    /// An exchange was not answered.
    Unanswered(Trouble),
    /// The frames after an answer ended.
    Streamed(Result<Streamed, Trouble>),
    /// What there is to do about photos.
    PhotosWaiting(Photos),
    /// A piece of a photo ended.
    Uploaded(BlobHash, Result<Piece, Trouble>),
    /// The fetching of thumbnails ended.
    ThumbnailsFetched(Result<(), Trouble>),
    /// These communities' books are newer than ours.
    BooksOffered(Vec<UnitId>),
    /// The reading of a book ended.
    BookRead(UnitId, Result<(), Trouble>),
}

/// What there is to do about photos.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Photos {
    /// These wait for their upload, oldest first.
    pub(crate) uploads: Vec<BlobHash>,
    /// Whether there are thumbnails to ask for.
    pub(crate) lack_thumbnails: bool,
}

/// What is known as soon as an answer is here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The number, if any, from which the next work may go while this answer is taken in.
    pub(crate) next: Option<Mseq>,
    /// Bytes of the request.
    pub(crate) sent_bytes: usize,
    /// Until the answer began.
    pub(crate) took_ms: i64,
    /// The batch began too late.
    pub(crate) out_of_order: bool,
}

/// What an answer brought, once it was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    /// More work waits than went.
    pub(crate) more_work: bool,
    /// More news wait than came.
    pub(crate) more_news: bool,
    /// It settled or changed something here.
    pub(crate) is_fruitful: bool,
    /// The batch began too late.
    pub(crate) out_of_order: Option<Mseq>,
    /// Frames follow; until they ended, news are neither asked for nor judged.
    pub(crate) frames_follow: bool,
    /// How long until news are worth asking for.
    pub(crate) poll_after_ms: Option<u64>,
}

/// What a stream of frames brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Streamed {
    /// More news wait than came.
    pub(crate) more_news: bool,
    /// It brought something.
    pub(crate) is_fruitful: bool,
}

/// What became of a piece of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// More pieces follow.
    Sent {
        /// Its bytes.
        bytes: usize,
        /// How long it took.
        took_ms: i64,
    },
    /// It was the last one, or the photo was given up.
    Last,
}

impl Piece {
    /// Notes how long it took.
    pub(crate) fn took(self, took_ms: i64) -> Self {
        match self {
            Self::Sent { bytes, .. } => Self::Sent { bytes, took_ms },
            Self::Last => Self::Last,
        }
    }
}

/// What went wrong, as far as it matters for what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no way to the server.
    NoLine,
    /// The server knows us and wants nothing of us.
    Refused,
    /// The line broke or was too slow.
    BadLine,
    /// It was too much, or someone in between answered.
    TooMuch,
    /// The server asks to come back later.
    Busy(u64),
    /// The server, or this device, could not do it.
    Fault,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Exchange records.
    Exchange(Exchange),
    /// Tell what there is to do about photos.
    LookForPhotos,
    /// Send the next piece of a photo.
    Upload {
        /// Which.
        hash: BlobHash,
        /// At most so many bytes.
        bytes: usize,
    },
    /// Fetch thumbnails.
    FetchThumbnails,
    /// Read a community's book.
    ReadBook(UnitId),
}

/// What an exchange carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Bytes of work, if it hands any in.
    pub(crate) bytes: usize,
    /// Number of mutations; none if it only pulls.
    pub(crate) count: usize,
    /// Where the work begins.
    pub(crate) start: Start,
    /// Whether it asks for news.
    pub(crate) pull: bool,
    /// Whether its first mutation travels without its content from now on.
    pub(crate) announces: bool,
}

impl Exchange {
    /// Says whether it hands work in.
    pub(crate) fn hands_in(self) -> bool {
        self.count > 0
    }
}

/// The engine's mind.
#[derive(Debug, Clone)]
pub(crate) struct State {
    records: Records,
    beside: Beside,
    /// The server's "not before".
    closed_until_ms: i64,
}

impl State {
    /// Returns a mind that knows nothing and has nothing to do.
    pub(crate) fn new() -> Self {
        Self {
            records: Records::new(),
            beside: Beside::new(),
            closed_until_ms: 0,
        }
    }

    /// Takes up what was under way when the driver was stopped in the middle.
    pub(crate) fn start_over(&mut self) {
        self.records.start_over();
        self.beside.start_over();
    }

    /// Says whether records are still to be exchanged, and from when that may be tried.
    pub(crate) fn records_due_ms(&self) -> Option<i64> {
        Some(self.records.due_ms()?.max(self.closed_until_ms))
    }

    /// Returns when there will be something to do if nothing happens meanwhile.
    pub(crate) fn next_ms(&self, moment: Moment) -> i64 {
        let records = self.records.next_ms();
        let next = match self.beside.due_ms() {
            Some(beside) => beside.min(records),
            None => records,
        };
        match moment.is_online {
            true => next.max(self.closed_until_ms),
            false => moment.ms + super::records::POLL_MS,
        }
    }

    /// Takes an event and names what to do now.
    pub(crate) fn plan(&mut self, event: Event, moment: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Kicked(reason) => {
                self.kicked(reason, moment);
                effects.push(Effect::LookForPhotos);
            }
            Event::Heard(heard) => self.records.heard(heard),
            Event::Answered(answered) => {
                self.records.answered(&answered, moment);
                effects.push(Effect::LookForPhotos);
            }
            Event::Unanswered(trouble) => {
                self.heed(trouble, moment);
                self.records.unanswered(trouble, moment);
            }
            Event::Streamed(end) => self.records.streamed(end, moment),
            Event::PhotosWaiting(photos) => self.beside.photos_waiting(photos),
            Event::Uploaded(hash, end) => {
                end.err()
                    .into_iter()
                    .for_each(|trouble| self.heed(trouble, moment));
                self.beside.uploaded(hash, end, moment);
            }
            Event::ThumbnailsFetched(end) => {
                end.err()
                    .into_iter()
                    .for_each(|trouble| self.heed(trouble, moment));
                self.beside.thumbnails_fetched(end, moment);
            }
            Event::BooksOffered(units) => self.beside.books_offered(units),
            Event::BookRead(unit, end) => {
                end.err()
                    .into_iter()
                    .for_each(|trouble| self.heed(trouble, moment));
                self.beside.book_read(&unit, end, moment);
            }
        }
        if moment.is_online && self.closed_until_ms <= moment.ms {
            self.begin(moment, &mut effects);
        }
        effects
    }

    fn kicked(&mut self, reason: Reason, moment: Moment) {
        if reason != Reason::Timer || self.records.is_time_to_poll(moment.ms) {
            self.records.due();
        }
        if matches!(reason, Reason::Asked | Reason::Opened | Reason::Connected) {
            self.records.try_now();
            self.beside.try_now();
        }
    }

    /// Keeps the server's word.
    fn heed(&mut self, trouble: Trouble, moment: Moment) {
        if let Trouble::Busy(ms) = trouble {
            self.closed_until_ms = moment.after_order(ms);
        }
    }

    fn begin(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        effects.extend(self.records.begin(moment.ms).map(Effect::Exchange));
        if !self.records.is_running() {
            self.beside.begin(moment.ms, effects);
        }
    }
}
