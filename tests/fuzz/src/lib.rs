//! Why this crate exists: tables of bad inputs hold what somebody thought of. The targets in
//! `tests/targets` are given what nobody thought of, and each asserts something that can fail.
//!
//! *The life of one input.* It begins as a file of `corpus/<target>/corpus`: a message as it was
//! once sent, a photo, a line that a person typed. `cargo test` replays these files and then, from
//! a fixed seed, a bounded number of [`variations`](vary) of them; `cargo bolero test <target>`
//! goes on for as long as one likes, guided by coverage. An input that fails is left in
//! `corpus/<target>/crashes`, and both try it first from then on.
//!
//! *What it promises.* A plain test run takes seconds and repeats itself: same files, same
//! variations, same result.
//!
//! *What it refuses.* Bolero's own random inputs in a plain test run. They come from the system's
//! randomness, so no seed repeats them, and bytes without form do not get past a JSON decoder.

mod chance;
mod corpus;
mod variation;

pub use corpus::{folder, vary};

// Cargo builds the tests of the library too, and a fuzzing engine must be linked into each.
#[cfg(test)]
use bolero as _;
