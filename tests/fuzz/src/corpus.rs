//! The committed files of a target, and the bounded run over variations of them.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is a folder of the repository"
)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::chance::Chance;
use crate::variation::Seeds;

/// Returns the folder of a target, as [`bolero`](https://docs.rs/bolero) expects it.
pub fn folder(target: &str) -> String {
    format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"))
}

/// Gives a target so many variations of its corpus, the same in every run.
///
/// `FUZZ_TIMES=100` multiplies their number, for a long run without a fuzzing engine.
pub fn vary(target: &str, rounds: usize, check: impl Fn(&[u8])) {
    let files = files(target);
    assert!(!files.is_empty(), "{target} has no corpus");
    let seeds = Seeds::of(files);
    let mut chance = Chance::of(target);
    for _ in 0..rounds.saturating_mul(times()) {
        let tried = Tried {
            target,
            input: seeds.varied(&mut chance),
        };
        check(&tried.input);
    }
}

fn times() -> usize {
    let asked = std::env::var("FUZZ_TIMES");
    asked.ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Reads the files of a corpus in the order of their names.
fn files(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(folder(target)).join("corpus");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| !is_found(path))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).expect("a file of the corpus");
    paths.iter().map(read).collect()
}

/// Says whether a fuzzing engine put the file there: its name is a hash. A bounded run keeps to
/// what is committed, so that it is the same everywhere.
fn is_found(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An input while it is tried: if the target fails, it is left among the crashes.
struct Tried<'t> {
    target: &'t str,
    input: Vec<u8>,
}

impl Drop for Tried<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let name = self.input.iter().fold(0_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let crashes = PathBuf::from(folder(self.target)).join("crashes");
        // A test that fails already says so; if the file can't be written, the text below is all.
        let _ = fs::create_dir_all(&crashes);
        let path = crashes.join(format!("{name:016x}"));
        let _ = fs::write(&path, &self.input);
        let shown = String::from_utf8_lossy(&self.input);
        let shown: String = shown.chars().take(2_000).collect();
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("left in {}:\n{shown}\n", path.display()).as_bytes(),
        );
    }
}
