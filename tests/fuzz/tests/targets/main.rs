//! The fuzz targets, one module for each door that something comes in by.
//!
//! Each target replays its corpus and a bounded number of variations in `cargo test`, and runs for
//! as long as one likes under `cargo bolero test`. See the crate's README.

mod bodies;
mod device;
mod merging;
mod names;
mod phone;
mod photos;
mod server;
mod wire;
