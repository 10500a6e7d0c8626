//! Pocketbook for Kotlin, Swift and Python: a shell without logic.
//!
//! # One call
//!
//! A screen asks for a household. [`PocketBook::household`] goes through one door, which says
//! whether the book is still open and turns a panic into an error; it asks the core's `Book`; the
//! answer is declared again as a plain record ([`models`]). Every function here is these three
//! steps: convert, call, convert.
//!
//! # What crosses
//!
//! - *Reads* are typed records and keyset pages. `rev` and `expect` say what the screen showed,
//!   and go back with a write as they came.
//! - *Writes* are [`PocketBook::create`], [`PocketBook::edit`] and [`PocketBook::command`], for
//!   every kind there is or will be; a few typed verbs sit on them. Values whose shape belongs to
//!   the kind travel as JSON text.
//! - *Failures* are one [`PocketbookError`], sorted by what the app can do about it.
//! - *Callbacks* say what is stale; the app asks again.
//!
//! # Threads
//!
//! Local reads and writes are synchronous and short: call them off the main thread. What waits for
//! the network is async and runs on two threads of the book's own, whoever polls it, so that no
//! SQLite and no photo ever blocks a screen. Dropping such a future does not end the work: that is
//! what [`PocketBook::cancel_sync`] is for.
//!
//! # What it refuses
//!
//! No rule, no SQL and no state of its own. No async callbacks (the Swift 6 compiler does not
//! digest them). No personal data in an error.

mod articles;
mod book;
mod drafts;
mod error;
mod failures;
mod guard;
mod invitation;
mod json;
pub mod models;
mod names;
mod offers;
mod photos;
mod platform;
mod reads;
mod salvage;
mod sentences;
mod settle;
mod shapes;
mod sync;
mod uploads;
mod verbs;
mod writes;

pub use book::{Account, Enrolment, PocketBook};
pub use error::{Anew, BookFault, EnrolFault, Obstacle, PhotoFault, PocketbookError};
pub use invitation::{Invitation, read_invitation};
pub use offers::{Need, Offer};
pub use platform::{
    CallbackError, KeyProvider, KeyPurpose, KeystoreError, PhoneFacts, Stale, SyncWatcher,
};
pub use salvage::{Salvaged, set_aside_and_salvage};
pub use uploads::UploadJob;
pub use verbs::{NewIssue, NewPerson, NewVisit};
pub use writes::{Change, FirstCommand};

uniffi::setup_scaffolding!("pocketbook");
