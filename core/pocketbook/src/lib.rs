//! The device: what runs on a grid worker's phone or iPad, without a screen.
//!
//! # One day
//!
//! A worker enrols with a code and her books come in ([`engine`], first sync by frames that can be
//! cut and resumed). From then on everything answers from the device: [`books`] are the verbs that
//! screens call, [`store`] is one encrypted SQLite file with two doors and one view, [`photos`]
//! turns what a camera gives into what travels, sealed at rest ([`seal`]). What she does is in the
//! outbox when the verb returns. Whenever there is a network the engine hands in and takes what is
//! new; nothing ever waits for it.
//!
//! # The rooms
//!
//! - [`books`]: verbs, read models. No SQL, no network.
//! - [`store`]: tables. [`store::outbox`] is the door for what the worker does, [`store::mirror`]
//!   for what the server says, [`store::view`] computes what is shown.
//! - [`engine`]: decides purely (`plan`), acts dumbly (`driver`).
//! - [`seams`]: clock, randomness, network, keys, files, platform: the only places that touch the
//!   world, so that tests can play it.
//!
//! # What it promises
//!
//! "Saved" means on the disk. An entry leaves the outbox by a receipt that names it, and by
//! nothing else. 已同步 is said only when the server confirmed everything. What an account may no
//! longer read is gone from database, log and files in the transaction that learns of it.

pub mod book_sync;
pub mod books;
pub(crate) mod downloads;
pub mod engine;
pub mod error;
pub mod seal;
pub mod seams;
pub mod store;
pub mod uploads;

pub use error::{Error, Result};
pub use pocketbook_photos as photos;
