//! Planted bugs: rules of the product taken out one by one, each of which a test must miss.
//!
//! The product has no switches for this. A copy of the sources gets them: [`table()`] names a file,
//! a piece of its text and what stands there instead, where the word `PLANTED` asks whether this
//! bug is on. The copy is built once; a bug is then one run with its name in the environment. A
//! piece of text that is no longer there, or there twice, fails: the table goes along with the
//! code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) use table::table;

mod table;

/// One rule taken out.
pub(crate) struct Bug {
    /// What is wrong, in a few words that name it.
    pub(crate) name: &'static str,
    /// Where it is planted.
    pub(crate) edits: &'static [Edit],
    /// Who notices.
    pub(crate) by: By,
}

/// A piece of text, and what stands there in the copy.
pub(crate) struct Edit {
    /// The file, from the workspace's root.
    pub(crate) file: &'static str,
    /// What is there, once.
    pub(crate) right: &'static str,
    /// What stands there instead.
    pub(crate) wrong: &'static str,
}

/// The test that must fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Some seed of the simulation.
    Seeds,
    /// Power cuts, of the scenarios with this in their name.
    Cuts(&'static str),
    /// A test program, and what its tests have in their names.
    Test(&'static str, &'static str),
}

/// How a bug was noticed.
pub(crate) enum Noticed {
    /// After so many seeds or tests, by this.
    After(u64, String),
    /// By nobody.
    Not,
}

/// So many seeds are tried before a bug counts as unnoticed.
const MOST_SEEDS: u64 = 200;
/// So long may a run take.
const PATIENCE: Duration = Duration::from_secs(200);

/// The copy of the sources with the bugs in it, and its test programs.
pub(crate) struct Planted {
    root: PathBuf,
    programs: Vec<(String, PathBuf)>,
}

impl Planted {
    /// Copies the sources, plants all bugs and builds the tests.
    pub(crate) fn build(root: &Path) -> io::Result<Self> {
        let copy = root.join("target/planted");
        for part in PARTS {
            carry_over(root, &copy, Path::new(part))?;
        }
        let built = Command::new(env!("CARGO"))
            .args(["test", "--quiet", "--workspace", "--no-run", "--lib"])
            .args(TESTS.iter().flat_map(|test| ["--test", test]))
            .args(["--message-format", "json-render-diagnostics"])
            // Libraries are built once for both; programs of the same name lie apart.
            .env("CARGO_BUILD_BUILD_DIR", root.join("target"))
            .env("CARGO_TARGET_DIR", copy.join("programs"))
            .current_dir(&copy)
            .stderr(Stdio::inherit())
            .output()?;
        if !built.status.success() {
            return Err(io::Error::other(
                "the copy with the planted bugs does not build",
            ));
        }
        let programs = programs(&built);
        Ok(Self {
            root: copy,
            programs,
        })
    }

    /// Runs the test that must notice a bug.
    pub(crate) fn tries(&self, bug: &Bug) -> io::Result<Noticed> {
        let (program, filter) = match bug.by {
            By::Seeds => ("simulation", "whatever"),
            By::Cuts(filter) => ("crash", filter),
            By::Test(program, filter) => (program, filter),
        };
        let path = self.programs.iter().find(|(name, _)| name == program);
        let (_, path) =
            path.ok_or_else(|| io::Error::other(format!("no test program {program}")))?;
        let mut command = Command::new(path);
        command
            .args([filter, "--nocapture"])
            .env("PLANTED", bug.name)
            .env("SEEDS", MOST_SEEDS.to_string())
            .env("QUICK", "1")
            .env("RUST_BACKTRACE", "0")
            .current_dir(self.root.join("tests"));
        let Some(ended) = within(PATIENCE, command)? else {
            return Ok(Noticed::Not);
        };
        if ended.status.success() {
            return Ok(Noticed::Not);
        }
        let text = String::from_utf8_lossy(&ended.stdout).into_owned()
            + &String::from_utf8_lossy(&ended.stderr);
        let seeds = text.lines().find_map(|line| {
            line.strip_prefix("failed after ")?
                .split(' ')
                .next()?
                .parse()
                .ok()
        });
        let mut said = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("✗ "));
        let why = said
            .next()
            .map_or_else(|| filter.to_owned(), |said| said.chars().take(60).collect());
        Ok(Noticed::After(seeds.unwrap_or(1), why))
    }
}

/// Runs a program, for so long at most.
fn within(patience: Duration, mut command: Command) -> io::Result<Option<Output>> {
    let log = tempfile::NamedTempFile::new()?;
    let into = log.reopen()?;
    let mut child = command.stdout(into.try_clone()?).stderr(into).spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(Output {
                status,
                stdout: fs::read(log.path())?,
                stderr: Vec::new(),
            }));
        }
        if begun.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The test programs that may notice something, beside the libraries' own tests.
const TESTS: [&str; 7] = [
    "simulation",
    "bad_input",
    "crash",
    "stories",
    "privacy",
    "merge",
    "conflicts",
];

/// The libraries that bugs are planted in.
const LIBRARIES: [&str; 4] = [
    "core/records/src/lib.rs",
    "core/sqlite/src/lib.rs",
    "core/pocketbook/src/lib.rs",
    "sync-server/src/lib.rs",
];

const SWITCH: &str = r#"
/// Says whether a bug is on.
pub mod planted {
    /// The bug that is on.
    static ON: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("PLANTED").ok());
    /// Says whether this one is.
    pub fn is(name: &str) -> bool {
        ON.as_deref() == Some(name)
    }
}
"#;

/// What the copy is made of.
const PARTS: [&str; 7] = [
    "core",
    "ffi",
    "sync-server",
    "tests",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
];

/// Copies files with the bugs in them. What has not changed is not written, so that it is not
/// built again.
fn carry_over(root: &Path, copy: &Path, name: &Path) -> io::Result<()> {
    let (from, to) = (root.join(name), copy.join(name));
    if from.is_dir() {
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(from)? {
            carry_over(root, copy, &name.join(entry?.file_name()))?;
        }
        return Ok(());
    }
    let bytes = planted(name, fs::read(from)?)?;
    match fs::read(&to) {
        Ok(there) if there == bytes => Ok(()),
        _ => fs::write(to, bytes),
    }
}

/// Plants all bugs of a file.
fn planted(name: &Path, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let edits = table()
        .into_iter()
        .flat_map(|bug| bug.edits.iter().map(move |edit| (bug, edit)));
    let here: Vec<_> = edits
        .filter(|(_, edit)| Path::new(edit.file) == name)
        .collect();
    if name == Path::new("Cargo.toml") {
        // Under a version of its own nothing that is built here passes for the product.
        let text = String::from_utf8(bytes).map_err(io::Error::other)?;
        let planted = text.replacen("\nversion = \"", "\nversion = \"0.0.0-planted.", 1);
        return Ok(planted.into_bytes());
    }
    let is_library = LIBRARIES.iter().any(|library| Path::new(library) == name);
    if here.is_empty() && !is_library {
        return Ok(bytes);
    }
    let mut text = String::from_utf8(bytes).map_err(io::Error::other)?;
    for (bug, edit) in here {
        let found = text.matches(edit.right).count();
        if found != 1 {
            let (bug, file) = (bug.name, edit.file);
            let error = format!("{bug}: what it takes out of {file} is there {found} times");
            return Err(io::Error::other(error));
        }
        let asks = format!("crate::planted::is({:?})", bug.name);
        text = text.replace(edit.right, &edit.wrong.replace("PLANTED", &asks));
    }
    if is_library {
        text += SWITCH;
    }
    Ok(text.into_bytes())
}

/// Reads from cargo's messages where the test programs lie.
fn programs(built: &Output) -> Vec<(String, PathBuf)> {
    let text = String::from_utf8_lossy(&built.stdout);
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter_map(|line: serde_json::Value| {
            let name = line["target"]["name"].as_str()?.to_owned();
            let program = line["executable"].as_str()?.into();
            Some((name, program))
        })
        .collect()
}
