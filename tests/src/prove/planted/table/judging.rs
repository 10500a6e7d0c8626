//! Rules by which the server judges one mutation.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a repeated mutation takes effect again",
        edits: &[
            Edit {
                file: "sync-server/src/apply.rs",
                right: r#"    if !claim_name(batch, work)? {"#,
                wrong: r#"    if !claim_name(batch, work)? && !PLANTED {"#,
            },
            Edit {
                file: "sync-server/src/exchange/hand_in.rs",
                right: r#"let repeated = mutations.iter()"#,
                wrong: r#"let repeated = if PLANTED { 0 } else { usize::MAX }.min(mutations.iter()"#,
            },
            Edit {
                file: "sync-server/src/exchange/hand_in.rs",
                right: r#".take_while(|m| m.mseq < next).count();"#,
                wrong: r#".take_while(|m| m.mseq < next).count());"#,
            },
        ],
        by: By::Seeds,
    },
    Bug {
        name: "work goes on upon work that lies in the tray",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"if let Some(mid) = facts.bound_by {"#,
            wrong: r#"if let Some(mid) = facts.bound_by.filter(|_| !PLANTED) {"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "nobody's rights are judged",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"        Cover::None => Err(Verdict::parked(Reason::NotYours)),"#,
            wrong: r#"        Cover::None if PLANTED => Ok(None),
        Cover::None => Err(Verdict::parked(Reason::NotYours)),"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "an edit after a deletion is dropped",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"    if record.deleted {
        // The edit is kept"#,
            wrong: r#"    if !PLANTED && record.deleted {
        // The edit is kept"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a deleted id lives again",
        edits: &[
            Edit {
                file: "sync-server/src/apply/judge.rs",
                right: r#"    if facts.is_spent {"#,
                wrong: r#"    if !PLANTED && facts.is_spent {"#,
            },
            Edit {
                file: "sync-server/src/apply/judge.rs",
                right: r#"    if record.deleted {
        return Err(Verdict::parked(Reason::Gone));
    }
    if facts.edit.command"#,
                wrong: r#"    if !PLANTED && record.deleted {
        return Err(Verdict::parked(Reason::Gone));
    }
    if facts.edit.command"#,
            },
        ],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "work is judged by the grid of today",
        edits: &[Edit {
            file: "sync-server/src/apply/facts.rs",
            right: r#"    if work.at.from >= since {"#,
            wrong: r#"    if PLANTED || work.at.from >= since {"#,
        }],
        by: By::Test("stories", ""),
    },
    Bug {
        name: "the screen of rejected work is not undone",
        edits: &[Edit {
            file: "sync-server/src/apply/facts.rs",
            right: r#"edit: tray::as_seen_without_rejected(batch, frozen)?,"#,
            wrong: r#"edit: if PLANTED { frozen.clone() } else { tray::as_seen_without_rejected(batch, frozen)? },"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "dependants are not decided again",
        edits: &[Edit {
            file: "sync-server/src/apply.rs",
            right: r#"touched.extend(dependants::decide_again(batch, &done.frees)?);"#,
            wrong: r#"if !PLANTED { touched.extend(dependants::decide_again(batch, &done.frees)?); }"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "a desk's earlier work counts as seen by it",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"own_chain: work.author.station == Station::Phone,"#,
            wrong: r#"own_chain: PLANTED || work.author.station == Station::Phone,"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "work partly outside a duty is taken",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"Cover::Partly => Err(Verdict::parked(Reason::OutsideDuty)),"#,
            wrong: r#"Cover::Partly if PLANTED => Ok(None),
        Cover::Partly => Err(Verdict::parked(Reason::OutsideDuty)),"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a visit partly outside a duty is parked",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"Cover::Partly if facts.kind.append_only =>"#,
            wrong: r#"Cover::Partly if !PLANTED && facts.kind.append_only =>"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "rights that covered it once are asked again",
        edits: &[Edit {
            file: "sync-server/src/apply/facts.rs",
            right: r#"Standing::of(&duties, stays, &question).without_doubt()"#,
            wrong: r#"if PLANTED { Standing::of(&duties, stays, &question) } else { Standing::of(&duties, stays, &question).without_doubt() }"#,
        }],
        by: By::Test("stories", "rights_are_judged_at_the_moment"),
    },
    Bug {
        name: "everybody holds a head's fields",
        edits: &[Edit {
            file: "sync-server/src/apply/standing.rs",
            right: r#"holder: actor.head || actor.clerk || actor.desk,"#,
            wrong: r#"holder: PLANTED || actor.head || actor.clerk || actor.desk,"#,
        }],
        by: By::Test("pocketbook_server", "a_name_waits"),
    },
    Bug {
        name: "who lost a grid reads what became of it",
        edits: &[Edit {
            file: "sync-server/src/apply/facts.rs",
            right: r#"let running = |duty: &&Duty| duty.from <= now"#,
            wrong: r#"let running = |duty: &&Duty| PLANTED || duty.from <= now"#,
        }],
        by: By::Test("pocketbook_server", "an_edit_before_a_revoke"),
    },
    Bug {
        name: "a word is said to another account",
        edits: &[Edit {
            file: "sync-server/src/apply.rs",
            right: r#"&& earlier.is_some_and(|earlier| earlier.caller.user == work.author.user);"#,
            wrong: r#"&& (PLANTED || earlier.is_some_and(|earlier| earlier.caller.user == work.author.user));"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a word is said about other content",
        edits: &[Edit {
            file: "sync-server/src/apply.rs",
            right: r#"&& used.check == mutation::check(&work.text)"#,
            wrong: r#"&& (PLANTED || used.check == mutation::check(&work.text))"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a number without content hides an edit",
        edits: &[Edit {
            file: "sync-server/src/apply.rs",
            right: r#"Op::Void | Op::Later if !frozen.is_formed() => {"#,
            wrong: r#"Op::Void | Op::Later if !PLANTED && !frozen.is_formed() => {"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "nobody is told what hangs on a deleted record",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"effect.disputes.extend(under_deleted_parent(facts, &author));"#,
            wrong: r#"if !PLANTED { effect.disputes.extend(under_deleted_parent(facts, &author)); }"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a second creation moves a record",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"    if rewrites {"#,
            wrong: r#"    if !PLANTED && rewrites {"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "what waits for an unknown record waits for ever",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"Verdict::Parked(Reason::NotYours, vec![facts.edit.id.0]);"#,
            wrong: r#"Verdict::Parked(Reason::NotYours, if PLANTED { Vec::new() } else { vec![facts.edit.id.0] });"#,
        }],
        by: By::Test("pocketbook_server", "waiting"),
    },
    Bug {
        name: "a home moves to a community",
        edits: &[Edit {
            file: "sync-server/src/apply/facts.rs",
            right: r#"found.is_some_and(|unit| !is_move || unit.level == "grid");"#,
            wrong: r#"found.is_some_and(|unit| PLANTED || !is_move || unit.level == "grid");"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
];
