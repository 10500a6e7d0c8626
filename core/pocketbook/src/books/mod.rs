//! The books: what a worker does with them, as verbs.
//!
//! [`Book`] is one account on one device. Its reads answer from the view and never ask the
//! network; its writes go through the one door ([`crate::store::outbox`]) and are on the disk when
//! they return. Typed verbs for households, visits, cases, reviews and the tray sit on two generic
//! writes, [`Book::edit`] and [`Book::command`], so a new kind needs no new door.
//!
//! A locked book answers no verb; its outbox is still handed in.

pub mod account;
mod cases;
pub mod correction;
mod households;
mod reviews;
pub mod salvage;
mod tray;
mod writes;

pub use cases::{CaseDraft, Report};
pub use households::{HouseholdFile, PersonFile};
pub use reviews::{OpenReview, Take};
pub use tray::TrayItem;
pub use writes::{Change, NewRecord};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{RecordId, Rev};

use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::lists::Shown;

/// One account's book on this device.
#[derive(Debug)]
pub struct Book {
    store: Arc<Store>,
    is_locked: AtomicBool,
}

/// A record as it is shown, read as its kind's struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// Its id.
    pub id: RecordId,
    /// The rev on the screen: goes back with an edit.
    pub rev: Option<Rev>,
    /// Badges: see [`crate::store::view::mark`].
    pub mark: i64,
    /// What this version knows of it.
    pub fields: T,
}

impl<T: Default> Entry<T> {
    fn read(
        shown: Shown,
        read: impl Fn(&Fields) -> std::result::Result<T, serde_json::Error>,
    ) -> Self {
        // A field that does not fit its shape any more must not hide the record.
        let fields = read(&shown.fields).unwrap_or_default();
        Self {
            id: shown.id,
            rev: shown.rev,
            mark: shown.mark,
            fields,
        }
    }
}

impl Book {
    /// Opens the book over a store.
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            is_locked: AtomicBool::new(false),
        }
    }

    /// Locks the screens: no verb answers until [`Self::unlock`]. Hand-in goes on.
    pub fn lock(&self) {
        self.is_locked.store(true, Ordering::Release);
    }

    /// Unlocks the screens.
    pub fn unlock(&self) {
        self.is_locked.store(false, Ordering::Release);
    }

    /// Returns the store, unless the book is locked.
    pub fn store(&self) -> Result<&Arc<Store>> {
        if self.is_locked.load(Ordering::Acquire) {
            Err(Error::Locked)
        } else {
            Ok(&self.store)
        }
    }
}
