//! What lies in the tray, and what waits for it.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "another account puts a tray item right",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"own && waits"#,
            wrong: r#"(PLANTED || own) && waits"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a tray item is put right that was settled meanwhile",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"waits && turn =="#,
            wrong: r#"(PLANTED || waits) && turn =="#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a tray item is put right as it was seen long ago",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"turn == Some(u64::from(replaces.turn))"#,
            wrong: r#"(PLANTED || turn == Some(u64::from(replaces.turn)))"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what is put right waits for itself",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"if Some(*dep) != replaced &&"#,
            wrong: r#"if (PLANTED || Some(*dep) != replaced) &&"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "an item that was refused stays with the grid",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"after.home = after.home.filter(|_| to == "parked");"#,
            wrong: r#"after.home = after.home.filter(|_| PLANTED || to == "parked");"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "an item that was decided stays with the grid",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"    after.home = None;
    let mut effect"#,
            wrong: r#"    if !PLANTED { after.home = None; }
    let mut effect"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a stale command on a tray item takes effect",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"if judge::is_stale(facts.kind.workflow, item, given) {"#,
            wrong: r#"if !PLANTED && judge::is_stale(facts.kind.workflow, item, given) {"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a stranger commands a tray item",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"facts.standing.cover != Cover::Wholly && !facts.standing.actor.author"#,
            wrong: r#"!PLANTED && facts.standing.cover != Cover::Wholly && !facts.standing.actor.author"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "an author loses his tray item with his duty",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"Cover::Wholly && !facts.standing.actor.author"#,
            wrong: r#"Cover::Wholly && (PLANTED || !facts.standing.actor.author)"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a sensitive item lies in the plain tray",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"Class::Sensitive => &PARKED_SENSITIVE,"#,
            wrong: r#"Class::Sensitive => if PLANTED { &PARKED } else { &PARKED_SENSITIVE },"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "an unreadable item lies in the plain tray",
        edits: &[Edit {
            file: "sync-server/src/apply.rs",
            right: r#".map_or(Class::Sensitive, |kind| kind.class)"#,
            wrong: r#".map_or(if PLANTED { Class::General } else { Class::Sensitive }, |kind| kind.class)"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "an own tray item undoes edits of another record",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"if (earlier.kind.as_str(), earlier.id) != (frozen.kind.as_str(), frozen.id) {"#,
            wrong: r#"if !PLANTED && (earlier.kind.as_str(), earlier.id) != (frozen.kind.as_str(), frozen.id) {"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a tray item names no files",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"&& !frozen.blobs.is_empty()"#,
            wrong: r#"&& !PLANTED && !frozen.blobs.is_empty()"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what a release refuses is released",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"Verdict::Parked(reason, _) | Verdict::Rejected(reason) => {"#,
            wrong: r#"Verdict::Parked(reason, _) | Verdict::Rejected(reason) if !PLANTED => {"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what a correction frees is not decided",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"done.frees.extend(tray::mid_of(item).map(|mid| mid.0));"#,
            wrong: r#"if !PLANTED { done.frees.extend(tray::mid_of(item).map(|mid| mid.0)); }"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what is freed in turn is not decided",
        edits: &[Edit {
            file: "sync-server/src/apply/dependants.rs",
            right: r#"freed.extend(&done.frees);"#,
            wrong: r#"if !PLANTED { freed.extend(&done.frees); }"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what still waits waits for nothing any more",
        edits: &[Edit {
            file: "sync-server/src/apply/dependants.rs",
            right: r#"effect::wait(batch, work, &targets)?;"#,
            wrong: r#"if !PLANTED { effect::wait(batch, work, &targets)?; }"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "what was decided by hand is decided again",
        edits: &[Edit {
            file: "sync-server/src/apply/dependants.rs",
            right: r#".filter(|item| item.text("state") == Some("parked"))"#,
            wrong: r#".filter(|item| PLANTED || item.text("state") == Some("parked"))"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a decision after waiting leaves no line in the journal",
        edits: &[Edit {
            file: "sync-server/src/apply/dependants.rs",
            right: r#"            effect::write(batch, Change::of(before, after), &mut done)?;
            note(batch, work, done.outcome)?;
            done.frees"#,
            wrong: r#"            effect::write(batch, Change::of(before, after), &mut done)?;
            if !PLANTED { note(batch, work, done.outcome)?; }
            done.frees"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "dependants are decided latest first",
        edits: &[Edit {
            file: "sync-server/src/store/waits.rs",
            right: r#"    waiting.sort_by_key(|waiting| (waiting.enrolment, waiting.mseq));"#,
            wrong: r#"    waiting.sort_by_key(|waiting| (waiting.enrolment, if PLANTED { u64::MAX - waiting.mseq.0 } else { waiting.mseq.0 }));"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
];
