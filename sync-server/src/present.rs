//! The present in memory: what an answer without news is made of.
//!
//! Most requests of a day find nothing new. They are answered from here, without a read of the
//! database: where the district and each scope stand, and what is known of the caller. All of it
//! is exchanged at once, after the commit is on the disk and before its author is answered, so a
//! phone that has been told of its own work never reads an older present.
//!
//! What is known of a caller is read lazily. A reader that began before a change must not put an
//! old finding in place after it: findings carry the *generation* that they were begun in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pocketbook_records::ids::{BlobHash, Commit, EnrolmentId, UserId};
use pocketbook_records::wire::{BundleVersion, Fork};

use crate::store::accounts::{Contact, Enrolment};
use crate::store::districts;
use crate::store::org::Granted;
use crate::store::scopes;

/// What a transaction changed, as far as memory must know.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) commits: u32,
    pub(crate) head: Option<districts::Head>,
    pub(crate) heads: Vec<(String, scopes::Head)>,
    pub(crate) org: bool,
    pub(crate) enrolments: Vec<EnrolmentId>,
    pub(crate) users: Vec<UserId>,
}

/// What is known of a caller.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) enrolment: Enrolment,
    pub(crate) granted: Granted,
    pub(crate) wanted: Vec<BlobHash>,
    pub(crate) bundles: Vec<BundleVersion>,
    pub(crate) forks: Vec<Fork>,
    pub(crate) durable: Commit,
}

/// Everything in memory at one moment.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) head: districts::Head,
    pub(crate) scopes: HashMap<String, scopes::Head>,
    /// Where the head stood when this process had reserved its first numbers: all later ones are
    /// its own.
    pub(crate) opened: Commit,
    known: HashMap<EnrolmentId, Arc<Known>>,
    generation: u64,
}

impl Picture {
    pub(crate) fn known(&self, enrolment: EnrolmentId) -> Option<Arc<Known>> {
        self.known.get(&enrolment).cloned()
    }
}

/// The present.
#[derive(Debug)]
pub struct Present {
    picture: RwLock<Picture>,
    contacts: Mutex<HashMap<EnrolmentId, Contact>>,
}

impl Present {
    pub(crate) fn new(head: districts::Head, scopes: HashMap<String, scopes::Head>) -> Self {
        Self {
            picture: RwLock::new(Picture {
                opened: head.last,
                head,
                scopes,
                known: HashMap::new(),
                generation: 0,
            }),
            contacts: Mutex::default(),
        }
    }

    /// Looks at the present; the look must be short.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Picture) -> T) -> T {
        look(&self.picture.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges it for what a transaction has made.
    pub(crate) fn exchange(&self, change: Change) {
        let mut picture = self.picture.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(head) = change.head {
            picture.head = head;
        }
        picture.scopes.extend(change.heads);
        if change.org {
            picture.known.clear();
            picture.generation += 1;
        }
        for user in change.users {
            picture
                .known
                .retain(|_, known| known.enrolment.caller.user != user);
            picture.generation += 1;
        }
        for enrolment in change.enrolments {
            picture.known.remove(&enrolment);
            picture.generation += 1;
        }
    }

    /// Notes that the first numbers are reserved.
    pub(crate) fn note_opened(&self) {
        let mut picture = self.picture.write().unwrap_or_else(PoisonError::into_inner);
        picture.opened = picture.head.last;
    }

    /// Returns the generation to begin a finding in.
    pub(crate) fn generation(&self) -> u64 {
        self.look(|picture| picture.generation)
    }

    /// Puts a finding in place, unless something changed since it was begun.
    pub(crate) fn find(&self, generation: u64, known: Arc<Known>) {
        let mut picture = self.picture.write().unwrap_or_else(PoisonError::into_inner);
        if picture.generation == generation {
            let enrolment = known.enrolment.caller.enrolment;
            picture.known.insert(enrolment, known);
        }
    }

    /// Notes what an enrolment said of itself.
    pub(crate) fn note_contact(&self, enrolment: EnrolmentId, contact: Contact) {
        self.contacts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(enrolment, contact);
    }

    /// Returns what enrolments said of themselves since the server was started.
    pub(crate) fn contacts(&self) -> HashMap<EnrolmentId, Contact> {
        self.contacts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
