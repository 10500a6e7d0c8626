//! Variations of good inputs: a message whose form is right and whose contents are not, a file
//! with a bit flipped, two inputs spliced.

mod json;

use serde_json::Value;

use crate::chance::Chance;

/// The longest input: a target's own limits are smaller, or tried by a table.
const LONGEST: usize = 64 * 1024;

/// What the inputs are made from.
pub(crate) struct Seeds {
    files: Vec<Vec<u8>>,
    /// Those of them that are JSON.
    trees: Vec<Value>,
}

impl Seeds {
    pub(crate) fn of(files: Vec<Vec<u8>>) -> Self {
        let read = |file: &Vec<u8>| serde_json::from_slice(file).ok();
        let trees = files.iter().filter_map(read).collect();
        Self { files, trees }
    }

    /// Returns one more input.
    pub(crate) fn varied(&self, chance: &mut Chance) -> Vec<u8> {
        if chance.once_in(60) {
            return noise(chance);
        }
        let mut input = if self.trees.is_empty() || chance.once_in(4) {
            chance.one_of(&self.files).clone()
        } else {
            let tree = json::varied(&self.trees, chance);
            if chance.once_in(8) {
                tree
            } else {
                return tree;
            }
        };
        for _ in 0..=chance.below(4) {
            self.disturb(&mut input, chance);
        }
        input.truncate(LONGEST);
        input
    }

    fn disturb(&self, input: &mut Vec<u8>, chance: &mut Chance) {
        let at = chance.below(input.len() + 1);
        let to = (at + 1 + chance.below(32)).min(input.len());
        match chance.below(8) {
            0 if at < input.len() => input[at] ^= 1 << chance.below(8),
            1 if at < input.len() => input[at] = chance.byte(),
            2 if at < input.len() => input[at] = *chance.one_of(&[0, 0x7f, 0x80, 0xfe, 0xff]),
            3 => input.truncate(at),
            4 if at < to => drop(input.drain(at..to)),
            5 if at < to => {
                let again = input[at..to].to_vec();
                input.splice(to..to, again);
            }
            6 => {
                let other = chance.one_of(&self.files);
                let from = chance.below(other.len() + 1);
                let until = (from + chance.below(256)).min(other.len());
                input.splice(at..to.max(at), other[from..until].iter().copied());
            }
            _ => {
                let token = chance.one_of(TOKENS);
                input.splice(at..at, token.bytes());
            }
        }
    }
}

fn noise(chance: &mut Chance) -> Vec<u8> {
    let length = chance.below(200);
    (0..length).map(|_| chance.byte()).collect()
}

/// Texts that readers stumble over.
const TOKENS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\r\n",
    "\0",
    "..",
    "/",
    "%00",
    "%2e%2e",
    "-0",
    "+1",
    "1e400",
    "NaN",
    "null",
    "18446744073709551616",
    "-9223372036854775809",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "😀",
    "𠮷",
    "é",
    "e\u{301}",
    "bytes=",
    "sha256 ",
    "W/",
];
