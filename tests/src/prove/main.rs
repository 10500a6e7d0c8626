//! What is proven of this product, run and printed: `cargo prove`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "this is a tool of the repository: it builds copies of it and prints what it found"
)]

mod planted;

use std::path::Path;
use std::time::Instant;

use planted::{Noticed, Planted, TABLE};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the workspace");
    let only: Vec<String> = std::env::args().skip(1).collect();
    let planted = Planted::build(root)?;
    let mut missed = 0;
    for bug in TABLE
        .iter()
        .filter(|bug| only.is_empty() || only.iter().any(|name| bug.name.contains(name.as_str())))
    {
        let begun = Instant::now();
        match planted.tries(bug)? {
            Noticed::After(seeds, why) => println!(
                "✓ {:60} {seeds:4} {why} ({:.1?})",
                bug.name,
                begun.elapsed()
            ),
            Noticed::Not => {
                missed += 1;
                println!("✗ {:60} unnoticed ({:.1?})", bug.name, begun.elapsed());
            }
        }
    }
    println!("{missed} unnoticed");
    Ok(())
}
