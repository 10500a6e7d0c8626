//! The world in which Pocketbook is tested and shown.
//!
//! - [`data`]: real input, and people made from a seed.
//! - [`world`]: a district with its server, phones and desks in one process, with time, chance,
//!   network and storage played. Stories and bad inputs happen in it.
//! - [`proofs`]: figures for the report of what is proven.
//! - [`stack`]: the real server in a process of its own, real certificates, and a real network that
//!   fails, for the programs that play nothing (`demo`, `chaos`).
//! - [`sim`]: days that a seed makes up, in that world, and the protocol's invariants over them.
//!
//! The stories are in `tests/`, one file each; the messages and databases that were ever shipped
//! are in `fixtures/`.

pub mod data;
pub mod proofs;
pub mod sim;
pub mod stack;
pub mod world;
