//! What lies between phone and server: a set of messages, any of which may be lost, arrive late,
//! in any order, or more than once.

use crate::words::{Commit, EDITS, Lost, Mid, Mutation, Receipt, Row, SCOPES, Scopes};

/// A moment of the server: which history, and how far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AsOf {
    /// How many restores there were.
    pub epoch: u8,
    /// The last commit.
    pub commit: Commit,
}

/// Work handed in and news asked for, in one exchange.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Request {
    /// The history that the phone knows.
    pub epoch: u8,
    /// How far each scope is here.
    pub cursors: [Commit; SCOPES],
    /// Own work without a receipt, by its place; with the lost one if it had one.
    pub work: [Option<(Mutation, Option<Receipt>)>; EDITS],
}

impl Request {
    /// Says whether it hands in nothing.
    pub fn is_idle(&self) -> bool {
        self.work.iter().all(Option::is_none)
    }
}

/// What the server says, read from one snapshot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Answer {
    /// The snapshot.
    pub asof: AsOf,
    /// The intervals that were thrown away.
    pub forks: Lost,
    /// The commit that a backup has reached.
    pub durable: Commit,
    /// The word on the caller's work, by its place.
    pub receipts: [Option<Receipt>; EDITS],
    /// What the caller may read.
    pub grants: Scopes,
    /// The cursors that were asked from.
    pub from: [Commit; SCOPES],
    /// What has changed since.
    pub rows: [Option<Row>; SCOPES],
}

/// A message of, or to, a phone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Message {
    /// An exchange, on its way to the server.
    Request(Request),
    /// The same, on its way back.
    Answer(Answer),
    /// The photo of a mutation, by its own door.
    Upload(Mid),
    /// The server has a photo, as of a commit.
    Stored(Mid, Commit),
}

/// What is on the way, with the phone that it is from or for; sorted, each once.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Network(pub Vec<(usize, Message)>);

impl Network {
    /// Puts a message on the way; one that is there already stays one, which may arrive twice.
    pub fn put(&mut self, phone: usize, message: Message) {
        let entry = (phone, message);
        if let Err(at) = self.0.binary_search(&entry) {
            self.0.insert(at, entry);
        }
    }

    /// Returns how many messages of a phone are on the way.
    pub fn count(&self, phone: usize) -> usize {
        self.0.iter().filter(|(of, _)| *of == phone).count()
    }
}
