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
//! - *One bad thing stops nothing else* ([`Beside`]). Each photo and each community's book has its
//!   own back-off.
//! - *The server's word is kept.* If it says "not before", nothing at all is sent before, whoever
//!   asks. Our own back-off ends at once when a person asks or a network appears.
//! - *No answer is no receipt.* Nothing that goes wrong here takes anything out of the outbox;
//!   this mind does not even know what is in it.
//!
//! Known gap: a single mutation that never comes through is sent again for ever; sending its
//! content by the blob door (`later`) is not decided here yet.

use pocketbook_records::ids::{BlobHash, Mseq, UnitId};

use super::Reason;
use super::beside::Beside;
use super::pace::Moment;
use super::records::Records;

/// What came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// There is a reason to look.
    Kicked(Reason),
    /// An exchange was answered.
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

/// What an answer brought.
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
    /// Bytes of the request.
    pub(crate) sent_bytes: usize,
    /// Until the answer began.
    pub(crate) took_ms: i64,
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
    /// Where the work begins, if the server named it.
    pub(crate) from: Option<Mseq>,
    /// Whether it asks for news.
    pub(crate) pull: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Answered = Answered {
        more_work: false,
        more_news: false,
        is_fruitful: true,
        out_of_order: None,
        frames_follow: false,
        poll_after_ms: None,
        sent_bytes: 100,
        took_ms: 100,
    };

    fn at(ms: i64) -> Moment {
        Moment {
            ms,
            dice: 0,
            is_online: true,
            is_foreground: true,
        }
    }

    fn photo(n: u8) -> BlobHash {
        BlobHash([n; 32])
    }

    fn waiting(uploads: Vec<BlobHash>) -> Event {
        Event::PhotosWaiting(Photos {
            uploads,
            lack_thumbnails: false,
        })
    }

    /// Plans and leaves out the looking for photos.
    fn plan(state: &mut State, event: Event, ms: i64) -> Vec<Effect> {
        let mut effects = state.plan(event, at(ms));
        effects.retain(|effect| *effect != Effect::LookForPhotos);
        effects
    }

    /// What is exchanged: (hands in, pulls).
    fn exchanged(effects: &[Effect]) -> Option<(bool, bool)> {
        match effects {
            [Effect::Exchange(exchange)] => Some((exchange.hands_in(), exchange.pull)),
            [] => None,
            other => panic!("not one exchange: {other:?}"),
        }
    }

    fn kicked() -> State {
        let mut state = State::new();
        let effects = plan(&mut state, Event::Kicked(Reason::Asked), 0);
        assert_eq!(exchanged(&effects), Some((true, true)));
        state
    }

    fn uploads(effects: &[Effect]) -> Vec<BlobHash> {
        let hash = |effect: &Effect| match effect {
            Effect::Upload { hash, .. } => Some(*hash),
            _ => None,
        };
        effects.iter().filter_map(hash).collect()
    }

    #[test]
    fn hand_in_and_pull_ride_together() {
        let mut state = kicked();
        assert_eq!(plan(&mut state, Event::Answered(OK), 10), []);
        assert_eq!(state.records_due_ms(), None);
    }

    #[test]
    fn what_is_authored_during_an_exchange_goes_with_the_next() {
        let mut state = kicked();
        assert_eq!(plan(&mut state, Event::Kicked(Reason::Authored), 5), []);

        let next = plan(&mut state, Event::Answered(OK), 10);

        assert_eq!(exchanged(&next), Some((true, true)));
    }

    #[test]
    fn a_failing_hand_in_does_not_stop_the_pull() {
        let mut state = kicked();

        let first = plan(&mut state, Event::Unanswered(Trouble::Fault), 10);
        let second = plan(&mut state, Event::Unanswered(Trouble::Fault), 20);
        let third = plan(&mut state, Event::Answered(OK), 30);

        assert_eq!(exchanged(&first), Some((true, false)));
        assert_eq!(exchanged(&second), Some((false, true)));
        assert_eq!(exchanged(&third), None);
        assert_eq!(state.records_due_ms(), Some(2_020));
    }

    #[test]
    fn a_failing_pull_does_not_stop_the_hand_in() {
        let mut state = kicked();
        plan(&mut state, Event::Unanswered(Trouble::Fault), 10);

        let pull = plan(&mut state, Event::Answered(OK), 20);
        let none = plan(&mut state, Event::Unanswered(Trouble::Fault), 30);
        let work = plan(&mut state, Event::Kicked(Reason::Authored), 40);
        let end = plan(&mut state, Event::Answered(OK), 50);

        assert_eq!(exchanged(&pull), Some((false, true)));
        assert_eq!(exchanged(&none), None);
        assert_eq!(exchanged(&work), Some((true, false)));
        assert_eq!(exchanged(&end), None);
    }

    #[test]
    fn they_ride_together_again_once_both_work() {
        let mut state = kicked();
        plan(&mut state, Event::Unanswered(Trouble::Fault), 10);
        plan(&mut state, Event::Answered(OK), 20);
        plan(&mut state, Event::Answered(OK), 30);

        let next = plan(&mut state, Event::Kicked(Reason::Authored), 40);

        assert_eq!(exchanged(&next), Some((true, true)));
    }

    #[test]
    fn too_much_is_halved_down_to_a_single_mutation_and_then_put_off() {
        let mut state = kicked();
        let mut sizes = Vec::new();
        let mut now = 0;
        let mut counts = Vec::new();
        while let [Effect::Exchange(exchange)] =
            plan(&mut state, Event::Unanswered(Trouble::TooMuch), now).as_slice()
        {
            if !exchange.hands_in() {
                break;
            }
            sizes.push(exchange.bytes);
            counts.push(exchange.count);
            now += 10;
        }
        assert_eq!(sizes, [32_768, 16_384, 8_192, 4_096, 2_048, 1_024]);
        assert_eq!(counts.last(), Some(&1));
        plan(&mut state, Event::Answered(OK), now);
        assert_eq!(state.records_due_ms(), Some(now + 2_000));
    }

    #[test]
    fn batches_double_while_the_line_is_good() {
        let mut state = kicked();
        let mut sizes = Vec::new();
        for _ in 0..8 {
            let sent = state.records.batch_bytes();
            let more = Answered {
                more_work: true,
                sent_bytes: sent,
                ..OK
            };
            match plan(&mut state, Event::Answered(more), 0).as_slice() {
                [Effect::Exchange(exchange)] => sizes.push(exchange.bytes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sizes[..3], [128 << 10, 256 << 10, 512 << 10]);
        assert_eq!(sizes[7], 3 << 20);
    }

    #[test]
    fn a_batch_out_of_order_begins_where_the_server_says_and_is_no_failure() {
        let mut state = kicked();
        let before = state.records.batch_bytes();
        let told = Answered {
            out_of_order: Some(Mseq(7)),
            is_fruitful: false,
            ..OK
        };

        let effects = plan(&mut state, Event::Answered(told.clone()), 10);

        let [Effect::Exchange(exchange)] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        assert_eq!(exchange.from, Some(Mseq(7)));
        assert_eq!(exchange.bytes, before);
        plan(&mut state, Event::Answered(told.clone()), 20);
        assert_eq!(plan(&mut state, Event::Answered(told), 30), []);
        assert!(state.records_due_ms() > Some(30));
    }

    #[test]
    fn work_goes_out_while_the_frames_of_a_first_sync_still_come_in() {
        let mut state = kicked();
        plan(&mut state, waiting(vec![photo(1)]), 5);
        let frames = Answered {
            frames_follow: true,
            ..OK
        };
        assert_eq!(plan(&mut state, Event::Answered(frames), 10), []);

        let urgent = plan(&mut state, Event::Kicked(Reason::Authored), 20);
        let held = plan(&mut state, Event::Answered(OK), 30);
        let streamed = Streamed {
            more_news: true,
            is_fruitful: true,
        };
        let pages = plan(&mut state, Event::Streamed(Ok(streamed)), 40);
        let photos = plan(&mut state, Event::Answered(OK), 50);

        assert_eq!(exchanged(&urgent), Some((true, false)));
        assert_eq!(held, []);
        assert_eq!(exchanged(&pages), Some((false, true)));
        assert_eq!(uploads(&photos), [photo(1)]);
    }

    #[test]
    fn a_stream_that_never_brings_anything_is_asked_for_less_and_less_often() {
        let mut state = kicked();
        let frames = Answered {
            frames_follow: true,
            is_fruitful: false,
            ..OK
        };
        let nothing = Streamed {
            more_news: true,
            is_fruitful: false,
        };
        let mut asked = 0;
        loop {
            asked += 1;
            assert_eq!(plan(&mut state, Event::Answered(frames.clone()), 10), []);
            if plan(&mut state, Event::Streamed(Ok(nothing)), 10).is_empty() {
                break;
            }
        }
        assert_eq!(asked, 3);
        assert_eq!(state.records_due_ms(), Some(2_010));
    }

    #[test]
    fn answers_that_bring_nothing_are_not_asked_for_without_end() {
        let mut state = kicked();
        let empty = Answered {
            more_news: true,
            is_fruitful: false,
            ..OK
        };
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..6 {
            if plan(&mut state, Event::Answered(empty.clone()), now).is_empty() {
                let next = state.records_due_ms().unwrap();
                waits.push(next - now);
                now = next;
                plan(&mut state, Event::Kicked(Reason::Timer), now);
            }
        }
        assert_eq!(waits, [2_000, 4_000, 8_000, 16_000]);
    }

    #[test]
    fn the_servers_not_before_holds_for_everything_and_everyone() {
        let mut state = kicked();
        plan(&mut state, waiting(vec![photo(1)]), 5);
        plan(&mut state, Event::Unanswered(Trouble::Busy(9_000)), 10);

        assert_eq!(plan(&mut state, Event::Kicked(Reason::Asked), 9_009), []);
        assert_eq!(state.next_ms(at(9_009)), 9_010);
        let next = plan(&mut state, Event::Kicked(Reason::Timer), 9_010);
        assert_eq!(exchanged(&next), Some((true, true)));
    }

    #[test]
    fn a_person_who_asks_ends_our_own_waiting() {
        let mut state = kicked();
        plan(&mut state, Event::Unanswered(Trouble::NoLine), 10);

        assert_eq!(plan(&mut state, Event::Kicked(Reason::Authored), 20), []);
        let asked = plan(&mut state, Event::Kicked(Reason::Asked), 30);

        assert_eq!(exchanged(&asked), Some((true, true)));
    }

    #[test]
    fn a_refused_credential_is_tried_again_later_and_takes_nothing() {
        let mut state = kicked();

        assert_eq!(
            plan(&mut state, Event::Unanswered(Trouble::Refused), 10),
            []
        );

        assert_eq!(state.records_due_ms(), Some(2_010));
    }

    #[test]
    fn photos_follow_the_records_three_at_once() {
        let mut state = kicked();
        let photos = (1..=5).map(photo).collect();
        assert_eq!(plan(&mut state, waiting(photos), 5), []);

        let begun = plan(&mut state, Event::Answered(OK), 10);

        assert_eq!(uploads(&begun), [photo(1), photo(2), photo(3)]);
        let next = plan(&mut state, Event::Uploaded(photo(2), Ok(Piece::Last)), 20);
        assert_eq!(uploads(&next), [photo(4)]);
    }

    #[test]
    fn urgent_work_cuts_in_between_two_pieces_of_a_photo() {
        let mut state = kicked();
        plan(&mut state, Event::Answered(OK), 10);
        let begun = plan(&mut state, waiting(vec![photo(1)]), 15);
        assert_eq!(uploads(&begun), [photo(1)]);

        let urgent = plan(&mut state, Event::Kicked(Reason::Authored), 20);
        let piece = Ok(Piece::Sent {
            bytes: 1,
            took_ms: 1,
        });
        let held = plan(&mut state, Event::Uploaded(photo(1), piece), 30);
        let goes_on = plan(&mut state, Event::Answered(OK), 40);

        assert_eq!(exchanged(&urgent), Some((true, true)));
        assert_eq!(held, []);
        assert_eq!(uploads(&goes_on), [photo(1)]);
    }

    #[test]
    fn one_bad_photo_stops_no_other_and_no_record() {
        let mut state = kicked();
        plan(&mut state, Event::Answered(OK), 10);
        plan(&mut state, waiting(vec![photo(1), photo(2)]), 15);

        let failed = Event::Uploaded(photo(1), Err(Trouble::Fault));
        assert_eq!(plan(&mut state, failed, 20), []);
        let piece = Ok(Piece::Sent {
            bytes: 1,
            took_ms: 1,
        });
        let other = plan(&mut state, Event::Uploaded(photo(2), piece), 30);
        assert_eq!(uploads(&other), [photo(2)]);
        let work = plan(&mut state, Event::Kicked(Reason::Authored), 40);
        assert_eq!(exchanged(&work), Some((true, true)));
    }

    #[test]
    fn photos_go_though_records_fail() {
        let mut state = kicked();
        plan(&mut state, waiting(vec![photo(1)]), 5);

        let effects = plan(&mut state, Event::Unanswered(Trouble::BadLine), 10);

        assert_eq!(uploads(&effects), [photo(1)]);
    }

    #[test]
    fn a_book_that_cannot_be_read_stops_no_other_book() {
        let mut state = kicked();
        let (a, b) = (UnitId::from("a"), UnitId::from("b"));
        plan(&mut state, Event::Answered(OK), 10);
        let first = plan(
            &mut state,
            Event::BooksOffered(vec![a.clone(), b.clone()]),
            20,
        );
        let second = plan(
            &mut state,
            Event::BookRead(a.clone(), Err(Trouble::Fault)),
            30,
        );
        let end = plan(&mut state, Event::BookRead(b.clone(), Ok(())), 40);

        assert_eq!(first, [Effect::ReadBook(a)]);
        assert_eq!(second, [Effect::ReadBook(b)]);
        assert_eq!(end, []);
        assert_eq!(state.next_ms(at(40)), 2_030);
    }

    #[test]
    fn thumbnails_are_fetched_one_request_at_a_time_with_a_back_off_of_their_own() {
        let mut state = kicked();
        let lacking = || {
            Event::PhotosWaiting(Photos {
                uploads: Vec::new(),
                lack_thumbnails: true,
            })
        };

        let during = plan(&mut state, lacking(), 5);
        let begun = plan(&mut state, Event::Answered(OK), 10);
        let again = plan(&mut state, lacking(), 15);
        let more = plan(&mut state, Event::ThumbnailsFetched(Ok(())), 20);
        let failed = Event::ThumbnailsFetched(Err(Trouble::BadLine));
        let put_off = plan(&mut state, failed, 30);

        assert_eq!((during, again, put_off), (vec![], vec![], vec![]));
        assert_eq!(begun, [Effect::FetchThumbnails]);
        assert_eq!(more, [Effect::FetchThumbnails]);
        assert_eq!(state.next_ms(at(30)), 2_030);
        let later = plan(&mut state, Event::Kicked(Reason::Timer), 2_030);
        assert_eq!(later, [Effect::FetchThumbnails]);
    }

    #[test]
    fn without_network_nothing_is_tried() {
        let mut state = State::new();
        let moment = Moment {
            is_online: false,
            ..at(0)
        };

        let effects = state.plan(Event::Kicked(Reason::Asked), moment);

        assert_eq!(effects, [Effect::LookForPhotos]);
        assert!(state.next_ms(moment) > 0);
        let back = plan(&mut state, Event::Kicked(Reason::Connected), 10);
        assert_eq!(exchanged(&back), Some((true, true)));
    }

    #[test]
    fn what_was_under_way_when_the_driver_stopped_is_still_due() {
        let mut state = kicked();
        state.start_over();

        assert_eq!(state.records_due_ms(), Some(0));
    }

    #[test]
    fn news_are_asked_for_from_time_to_time_and_not_sooner_than_told() {
        let mut state = kicked();
        let told = Answered {
            poll_after_ms: Some(100_000),
            ..OK
        };
        plan(&mut state, Event::Answered(told), 0);

        assert_eq!(state.next_ms(at(0)), 100_000);
        assert_eq!(plan(&mut state, Event::Kicked(Reason::Timer), 99_999), []);
        let due = plan(&mut state, Event::Kicked(Reason::Timer), 100_000);
        assert_eq!(exchanged(&due), Some((true, true)));
    }
}
