//! The district's sync server and desk: keeps the truth per record, takes whatever phones hand
//! in, and tells each caller what concerns its grids and nothing else.
//!
//! # One edit, from the line to the neighbour's phone
//!
//! A phone posts a [`wire::Request`](pocketbook_records::wire::Request) to `/v1/sync`
//! ([`api`]). The [`server::Server`] hands its mutations to the one [`writer`], which lets
//! waiting batches share a transaction. [`apply`] judges each mutation purely and then writes
//! what it decided: the record, its place in every scope, its receipt, its line in the journal.
//! Once the transaction is on the disk the picture in memory ([`present`]) is exchanged, and only
//! then the phone is answered. The neighbour's next request finds the scope's head moved on and
//! gets the record by a page of the [`feed`].
//!
//! # The rooms
//!
//! - What is kept: [`store`] (one module per table), [`keyring`] and [`beside`] (what must not lie
//!   in the database).
//! - What decides: [`apply`], with the rules of `pocketbook-records`.
//! - What is told: [`feed`], [`present`], [`exchange`].
//! - Who asks, and how he is refused: [`caller`], [`refusal`].
//! - The shell: [`api`], [`desk`], [`blobs`], [`book`], [`enrol`], [`admin`], [`serve`], [`command`].
//!
//! # What it promises
//!
//! Hand-in is always open: whatever an enrolled phone sends gets a terminal receipt, committed
//! with its effect. A repeat changes nothing and gets the same receipt. Nobody reads a row, a
//! number of rows or a hint of a row outside his duties as of the same snapshot. No commit number
//! is used twice, also not after the database or the files beside it were rolled back.
//!
//! # What it refuses
//!
//! Several writers: one is enough for a district and makes sequence order, commit order and order
//! of visibility the same thing. A log of changes to replay: state and an index row per scope do.

pub mod admin;
pub mod api;
pub mod apply;
pub mod archive;
pub mod beside;
pub mod blobs;
mod blocking;
pub mod book;
pub mod caller;
pub mod command;
pub mod desk;
pub mod enrol;
pub mod exchange;
pub mod feed;
pub mod keyring;
pub mod present;
pub mod refusal;
pub mod seams;
pub mod serve;
pub mod server;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tidy;
pub mod writer;

pub(crate) use blocking::may_block;
pub use caller::Caller;
pub use refusal::Refusal;
pub use server::{Options, Server};
pub use writer::{Batch, Fault, Writer};
