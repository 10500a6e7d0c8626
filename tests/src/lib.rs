//! The world in which Pocketbook is tested and shown.
//!
//! - [`data`]: real input, and people made from a seed.
//! - [`world`]: a district with its server, phones and desks in one process, with time, chance,
//!   network and storage played. Stories and bad inputs happen in it.
//! - [`proofs`]: figures for the report of what is proven.
//! - [`sim`]: days that a seed makes up, in that world, and the protocol's invariants over them.
//!
//! The stories are in `tests/`, one file each; the messages and databases that were ever shipped
//! are in `fixtures/`.

pub mod data;
pub mod proofs;
pub mod sim;
pub mod world;
