//! Figures that tests tell the report: one line each, which `cargo prove` adds up.

#![expect(
    clippy::print_stdout,
    reason = "the figures are for the report, and for people who run a test alone"
)]

/// The word that such a line begins with.
pub const WORD: &str = "proof:";

/// Tells a figure.
pub fn tell(what: &str, count: u64) {
    println!("{WORD} {what} {count}");
}
