//! Tables of bad inputs: each row has a name of its own, what is tried, and the one answer that it
//! must get.
//!
//! A table is walked to its end before it fails, so that one run shows every wrong answer. How many
//! rows there are stands in [`TABLES`]: a table that loses some is noticed.

#![expect(
    clippy::disallowed_methods,
    reason = "an answer that takes its time is told, so the time is looked at"
)]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;
use std::time::Instant;

use pocketbook_tests::proofs;

/// Every table and the number of its rows.
const TABLES: &[(&str, usize)] = &[
    ("requests", 19),
    ("contents", 29),
    ("cursors", 8),
    ("contents that come later", 8),
    ("answers of others", 17),
    ("malformed pictures", 52),
    ("bodies of requests", 51),
    ("credentials", 20),
    ("enrolments", 16),
    ("identities", 14),
    ("announcements of files", 21),
    ("pieces of files", 17),
    ("reads of files", 13),
    ("lines of household files", 36),
    ("odd lines of household files", 8),
    ("values of contents", 50),
    ("texts of contents", 11),
    ("steps and parents of contents", 30),
    ("scanned invitations", 35),
    ("pages of the book", 19),
    ("questions of consoles", 24),
    ("calls at a desk", 11),
    ("arguments of steps", 7),
    ("databases of a phone", 20),
];

/// One row.
#[derive(Debug)]
pub(crate) struct Bad<I, A> {
    name: &'static str,
    input: I,
    answer: A,
}

/// Returns a row.
pub(crate) fn bad<I, A>(name: &'static str, input: I, answer: A) -> Bad<I, A> {
    Bad {
        name,
        input,
        answer,
    }
}

impl<I, A> Bad<I, A> {
    /// Makes the input ready to be sent.
    pub(crate) fn with<J>(self, made: impl FnOnce(I) -> J) -> Bad<J, A> {
        bad(self.name, made(self.input), self.answer)
    }

    /// Says that it must be refused so, where it might be taken.
    pub(crate) fn wrapped(self) -> Bad<I, Option<A>> {
        bad(self.name, self.input, Some(self.answer))
    }
}

/// How the server refuses: the status and the problem's name.
pub(crate) type Refusal = (u16, String);

/// Returns a refusal.
pub(crate) fn refused(status: u16, kind: &str) -> Refusal {
    (status, kind.to_owned())
}

/// Tries every row and compares what is heard with what must be.
pub(crate) async fn walk<I, A: PartialEq + Debug>(
    table: &str,
    rows: Vec<Bad<I, A>>,
    mut tried: impl AsyncFnMut(&'static str, I) -> A,
) {
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "a row has a name of its own");
    let count = rows.len();
    let (mut wrong, mut slowest) = (Vec::new(), (0, ""));
    for row in rows {
        let begun = Instant::now();
        let heard = tried(row.name, row.input).await;
        slowest = slowest.max((begun.elapsed().as_millis(), row.name));
        if heard != row.answer {
            wrong.push(format!("{}: {heard:?}, not {:?}", row.name, row.answer));
        }
    }
    assert!(wrong.is_empty(), "{table}:\n{}", wrong.join("\n"));
    tell(&format!(
        "{table}: {count} bad inputs, the slowest {} ms ({})",
        slowest.0, slowest.1
    ));
    counted(table, count);
    proofs::tell("bad-inputs", count as u64);
}

/// Fails unless a table has as many rows as it is said to have.
pub(crate) fn counted(table: &str, rows: usize) {
    let said = TABLES.iter().find(|(name, _)| *name == table);
    let said = said.map(|(_, rows)| *rows);
    assert_eq!(said, Some(rows), "{table}: its number of rows is noted");
}

fn tell(text: &str) {
    // Not by the macro: a test that passes is silent unless asked.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn there_are_some_hundred_named_bad_inputs() {
    let names: BTreeSet<_> = TABLES.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), TABLES.len());
    let total: usize = TABLES.iter().map(|(_, rows)| rows).sum();
    tell(&format!(
        "{total} named bad inputs in {} tables",
        TABLES.len()
    ));
    assert!(total >= 150, "{total}");
}
