//! Content that comes later, by the blob door.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a change that never comes through stops all after it",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/records.rs",
            right: r#"            announces: hand_in && self.alone"#,
            wrong: r#"            announces: !PLANTED && hand_in && self.alone"#,
        }],
        by: By::Test("stories", "late_content"),
    },
    Bug {
        name: "a bad line makes all work late",
        edits: &[
            Edit {
                file: "core/pocketbook/src/engine/records.rs",
                right: r#"        if exchange.pull {
            // The line itself may be at fault.
            self.alone = 0;
        } else if exchange.count == 1 && matches!(trouble, Trouble::BadLine | Trouble::TooMuch) {"#,
                wrong: r#"        if exchange.pull && !PLANTED {
            // The line itself may be at fault.
            self.alone = 0;
        } else if (PLANTED || exchange.count == 1) && matches!(trouble, Trouble::BadLine | Trouble::TooMuch) {"#,
            },
            Edit {
                file: "core/pocketbook/src/engine/records.rs",
                right: r#"self.alone >= ALONE && !self.pull.is_failing()"#,
                wrong: r#"self.alone >= ALONE && (PLANTED || !self.pull.is_failing())"#,
            },
        ],
        by: By::Test("stories", "late_content"),
    },
    Bug {
        name: "a content that comes later is believed whatever its bytes",
        edits: &[Edit {
            file: "sync-server/src/blobs/mod.rs",
            right: r#"        if BlobHash::of(&bytes) != key.hash {"#,
            wrong: r#"        if !PLANTED && BlobHash::of(&bytes) != key.hash {"#,
        }],
        by: By::Test("bad_input", "late_content"),
    },
    Bug {
        name: "a content that comes later is about another record",
        edits: &[Edit {
            file: "sync-server/src/apply/content.rs",
            right: r#"        Ok((text, frozen)) if is_of_record(&frozen) => {"#,
            wrong: r#"        Ok((text, frozen)) if PLANTED || is_of_record(&frozen) => {"#,
        }],
        by: By::Test("bad_input", "late_content"),
    },
    Bug {
        name: "anybody brings the content of a mutation",
        edits: &[Edit {
            file: "sync-server/src/apply/content.rs",
            right: r#"    Ok(author.is_some_and(|author| author.caller.user == user))"#,
            wrong: r#"    Ok(author.is_some_and(|author| PLANTED || author.caller.user == user))"#,
        }],
        by: By::Test("bad_input", "late_content"),
    },
];
