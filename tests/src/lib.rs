//! The world in which Pocketbook is tested and shown.
//!
//! - [`data`]: real input, and people made from a seed.
//! - [`world`]: a district with its server, phones and desks in one process, with time, chance,
//!   network and storage played. Stories, bad inputs and the simulation happen in it.
//!
//! The stories are in `tests/`, one file each; the messages and databases that were ever shipped
//! are in `fixtures/`.

pub mod data;
pub mod world;
