//! Tapes as files: what a seed has found stays, though tapes drawn from seeds change whenever the
//! simulation grows.
//!
//! A line that begins with `#` is for people. The first lines name the seed, from which ids and
//! secrets come, and the phones; each further line is an act, under what it says in words.

use std::fmt::Write as _;

use super::cast::Size;
use super::tape::{Act, Tape};

/// Why a text is no script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A line is none of a script's.
    #[error("failed to read line {number}")]
    Line {
        /// Which, from 1 on.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It does not say the seed and the phones before the first act.
    #[error("failed to find seed and phones above the acts")]
    Headless,
}

/// The first lines of a script.
#[derive(serde::Serialize, serde::Deserialize)]
struct Head {
    seed: u64,
    /// How many; none for the whole district.
    phones: Option<usize>,
}

/// Writes a tape down, below what it is about.
pub fn written(tape: &Tape, about: &str) -> String {
    let mut text = String::new();
    for line in about.lines() {
        line_of(&mut text, format_args!("# {line}"));
    }
    let head = Head {
        seed: tape.seed,
        phones: match tape.size {
            Size::Phones(phones) => Some(phones),
            Size::District => None,
        },
    };
    line_of(&mut text, format_args!("{}", json(&head)));
    for act in &tape.acts {
        line_of(&mut text, format_args!("\n# {act}\n{}", json(act)));
    }
    text
}

/// Reads a tape.
pub fn read(text: &str) -> Result<Tape, ScriptError> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let failed = |number| move |source| ScriptError::Line { number, source };
    let (number, first) = lines.next().ok_or(ScriptError::Headless)?;
    let head: Head = serde_json::from_str(first).map_err(failed(number))?;
    let acts: Result<Vec<Act>, _> = lines
        .map(|(number, line)| serde_json::from_str(line).map_err(failed(number)))
        .collect();
    Ok(Tape {
        seed: head.seed,
        size: head.phones.map_or(Size::District, Size::Phones),
        acts: acts?,
    })
}

fn json(part: &impl serde::Serialize) -> String {
    serde_json::to_string(part).expect("plain data")
}

fn line_of(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a text takes lines");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_tape() {
        for seed in 1..=20 {
            let tape = Tape::drawn(seed);
            let text = written(&tape, "a tape\nof many acts");
            assert_eq!(read(&text).expect("a script"), tape);
        }
    }

    #[test]
    fn what_is_no_script_is_told_by_its_line() {
        let told = read("{\"seed\":1,\"phones\":2}\n\n{\"Flies\":3}").expect_err("nobody flies");
        assert!(matches!(told, ScriptError::Line { number: 3, .. }));
        assert!(matches!(read("# nothing"), Err(ScriptError::Headless)));
    }
}
