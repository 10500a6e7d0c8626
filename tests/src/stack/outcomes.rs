//! What became of many pieces of work, counted and told.

use std::collections::BTreeMap;

use pocketbook_records::receipt::Outcome;

/// How often each outcome was met.
#[derive(Debug, Default)]
pub struct Outcomes(BTreeMap<Word, usize>);

/// The place in which an outcome is told, Chinese, English.
type Word = (u8, &'static str, &'static str);

const LOST: Word = (9, "丢失", "lost");

impl Outcomes {
    /// Counts one; work without an outcome is lost.
    pub fn count(&mut self, outcome: Option<Outcome>) {
        *self.0.entry(outcome.map_or(LOST, word_on)).or_default() += 1;
    }

    /// Returns how much is lost.
    pub fn lost(&self) -> usize {
        self.0.get(&LOST).copied().unwrap_or(0)
    }

    /// Tells all of them, in Chinese and in English.
    pub fn told(&self) -> (String, String) {
        let told = |pick: fn(&Word) -> &'static str| {
            let parts = self.0.iter();
            let parts: Vec<_> = parts
                .map(|(word, n)| format!("{n} {}", pick(word)))
                .collect();
            parts.join(" + ")
        };
        (told(|word| word.1), told(|word| word.2))
    }
}

fn word_on(outcome: Outcome) -> Word {
    match outcome {
        Outcome::Applied => (0, "采纳", "applied"),
        Outcome::Merged => (1, "合并", "merged"),
        Outcome::Conflict => (2, "有冲突", "conflict"),
        Outcome::Superseded => (3, "已有人办", "superseded"),
        Outcome::Duplicate => (4, "重复", "duplicate"),
        Outcome::Void => (5, "撤销", "void"),
        Outcome::Parked => (6, "待处理", "parked"),
        Outcome::Rejected => (7, "需修改", "rejected"),
    }
}
