//! Rules about duties and moments, and about histories that were lost.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a screen of the new history has seen what was lost",
        edits: &[
            Edit {
                file: "core/records/src/history.rs",
                right: r#"k <= seen && forks.all("#,
                wrong: r#"k <= seen && (PLANTED || forks.all("#,
            },
            Edit {
                file: "core/records/src/history.rs",
                right: r#"|| fork.holds(seen))"#,
                wrong: r#"|| fork.holds(seen)))"#,
            },
        ],
        by: By::Test("pocketbook_records", "history"),
    },
    Bug {
        name: "the last commit of a lost history is not lost",
        edits: &[Edit {
            file: "core/records/src/history.rs",
            right: r#"self.after < commit && commit <= self.until"#,
            wrong: r#"self.after < commit && (commit < self.until || !PLANTED && commit == self.until)"#,
        }],
        by: By::Test("pocketbook_records", "history"),
    },
    Bug {
        name: "a history that came back is taken for lost",
        edits: &[Edit {
            file: "sync-server/src/store/histories.rs",
            right: r#"here.map_or(fork.after, |(commit, _)| commit.max(fork.after));"#,
            wrong: r#"here.filter(|_| !PLANTED).map_or(fork.after, |(commit, _)| commit.max(fork.after));"#,
        }],
        by: By::Test("stories", "screens_and_restores"),
    },
    Bug {
        name: "a duty covers its own end",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#"at.to < until {"#,
            wrong: r#"(at.to < until || PLANTED && at.to == until) {"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a duty covers what was before it",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#"if at.from >= self.from &&"#,
            wrong: r#"if (PLANTED || at.from >= self.from) &&"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a handler edits cases",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#"Self::Handler => kind.name == "case" && op == Op::Command,"#,
            wrong: r#"Self::Handler => kind.name == "case" && (PLANTED || op == Op::Command),"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a volunteer reads what is sensitive",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#"Self::PartTimer | Self::Volunteer | Self::DistrictDesk => class == Class::General,"#,
            wrong: r#"Self::PartTimer | Self::Volunteer | Self::DistrictDesk => PLANTED || class == Class::General,"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a volunteer changes files",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#""person-sensitive" | "person" | "household" => op == Op::Create,"#,
            wrong: r#""person-sensitive" | "person" | "household" => PLANTED || op == Op::Create,"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a worker gives tasks",
        edits: &[Edit {
            file: "core/records/src/rights.rs",
            right: r#"kind.name != "task" || op == Op::Command || self.holds()"#,
            wrong: r#"PLANTED || kind.name != "task" || op == Op::Command || self.holds()"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a head checks what he reported himself",
        edits: &[Edit {
            file: "core/records/src/workflow.rs",
            right: r#"Who::OtherHead => self.head && !self.author,"#,
            wrong: r#"Who::OtherHead => self.head && (PLANTED || !self.author),"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a moment is measured across a restart",
        edits: &[Edit {
            file: "core/records/src/time.rs",
            right: r#"let since = if contact.boot == at.boot {"#,
            wrong: r#"let since = if PLANTED || contact.boot == at.boot {"#,
        }],
        by: By::Test("pocketbook_records", "time"),
    },
    Bug {
        name: "a moment is measured back across a restart",
        edits: &[Edit {
            file: "core/records/src/time.rs",
            right: r#"if at.boot == now.boot && at.monotonic_ms"#,
            wrong: r#"if (PLANTED || at.boot == now.boot) && at.monotonic_ms"#,
        }],
        by: By::Test("pocketbook_records", "time"),
    },
    Bug {
        name: "a phone's clock is believed",
        edits: &[Edit {
            file: "core/records/src/time.rs",
            right: r#"let mut to = received;"#,
            wrong: r#"if PLANTED { return Interval::moment(at.wall); }
    let mut to = received;"#,
        }],
        by: By::Test("pocketbook_records", "time"),
    },
    Bug {
        name: "who need not send a photo loses it with the grid that he read it in",
        edits: &[Edit {
            file: "sync-server/src/blobs/mod.rs",
            right: r#"stored.as_mut().filter(|_| !is_deliverer) {"#,
            wrong: r#"stored.as_mut().filter(|_| !PLANTED && !is_deliverer) {"#,
        }],
        by: By::Test("stories", "a_photo_that_need_not_be_sent"),
    },
    Bug {
        name: "a witness takes away what it did not show",
        edits: &[Edit {
            file: "core/records/src/witness.rs",
            right: r#"if self.author.lost.includes(Some(self.rev), last.origin) {"#,
            wrong: r#"if PLANTED || self.author.lost.includes(Some(self.rev), last.origin) {"#,
        }],
        by: By::Test("pocketbook_records", "witness"),
    },
    Bug {
        name: "a witness brings back what was taken out",
        edits: &[Edit {
            file: "core/records/src/witness.rs",
            right: r#"stamp.is_some_and(|stamp| stamp.gone.is_some())"#,
            wrong: r#"stamp.is_some_and(|stamp| !PLANTED && stamp.gone.is_some())"#,
        }],
        by: By::Test("pocketbook_records", "witness"),
    },
    Bug {
        name: "a witness brings an old mask back",
        edits: &[Edit {
            file: "core/records/src/witness.rs",
            right: r#"(Rule::Counter, _) | (_, Owner::Derived) => {}"#,
            wrong: r#"(Rule::Counter, _) => {}
            (_, Owner::Derived) if !PLANTED => {}"#,
        }],
        by: By::Test("stories", "follows_the_number"),
    },
    Bug {
        name: "a witness sets a state back",
        edits: &[Edit {
            file: "core/records/src/witness.rs",
            right: r#"                if is_further {"#,
            wrong: r#"                if PLANTED || is_further {"#,
        }],
        by: By::Test("pocketbook_records", "witness"),
    },
];
