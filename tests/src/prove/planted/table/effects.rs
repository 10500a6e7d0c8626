//! Rules of commands, deletions and decisions, and of what follows from them.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a stale command takes effect",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"    if is_stale(facts.kind"#,
            wrong: r#"    if !PLANTED && is_stale(facts.kind"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "a deletion does not tell of edits that it never saw",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"        if !candidates.is_empty() {"#,
            wrong: r#"        if !PLANTED && !candidates.is_empty() {"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a deletion tells of one field of each edit that it never saw",
        edits: &[Edit {
            file: "sync-server/src/apply/reviews.rs",
            right: r#"(Some(Value::Object(fields)), Value::Object(more)) =>"#,
            wrong: r#"(Some(Value::Object(fields)), Value::Object(more)) if !PLANTED =>"#,
        }],
        by: By::Test("stories", "lists_all_that_it_wrote"),
    },
    Bug {
        name: "a household is deleted with people in it",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"    if facts.hanging.iter()"#,
            wrong: r#"    if !PLANTED && facts.hanging.iter()"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "people stay behind when their household moves",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"        consequences::move_descendants(batch, id, home)?;"#,
            wrong: r#"        if !PLANTED { consequences::move_descendants(batch, id, home)?; }"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "what waited for a question is not decided when it opens",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"done.frees.push(review.0);"#,
            wrong: r#"if !PLANTED { done.frees.push(review.0); }"#,
        }],
        by: By::Test("pocketbook_server", "waiting"),
    },
    Bug {
        name: "a stale command with photos is dropped",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"if attached || !facts.edit.blobs.is_empty() {"#,
            wrong: r#"if !PLANTED && (attached || !facts.edit.blobs.is_empty()) {"#,
        }],
        by: By::Test("pocketbook_server", "a_case_goes"),
    },
    Bug {
        name: "a command does not ask for the state",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"given.expect.state != state
"#,
            wrong: r#"(!PLANTED && given.expect.state != state)
"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a command does not ask for the turn",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"|| u64::from(given.expect.turn) != turn"#,
            wrong: r#"|| (!PLANTED && u64::from(given.expect.turn) != turn)"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a command does not ask for the transition",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"|| shown.is_some_and(|shown| Some(shown) != last)"#,
            wrong: r#"|| (!PLANTED && shown.is_some_and(|shown| Some(shown) != last))"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a home moves to nowhere",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"if !fits || (names_unit && !facts.names_known_unit) {"#,
            wrong: r#"if !fits || (!PLANTED && names_unit && !facts.names_known_unit) {"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a deleted home moves",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"    if record.deleted {"#,
            wrong: r#"    if !PLANTED && record.deleted {"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a deletion leaves questions open",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"also.push(reviews::close_moved(review, &author));"#,
            wrong: r#"if !PLANTED { also.push(reviews::close_moved(review, &author)); }"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a deletion forgets what was in question",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"candidates.extend(reviews::moved_candidates(review));"#,
            wrong: r#"if !PLANTED { candidates.extend(reviews::moved_candidates(review)); }"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a deletion asks about its author's own work",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"!own && facts.edit.seen"#,
            wrong: r#"(PLANTED || !own) && facts.edit.seen"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a visit is deleted",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"if facts.kind.append_only || matches!"#,
            wrong: r#"if !PLANTED && facts.kind.append_only || matches!"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "what was decided is not the decider's",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/decision.rs",
            right: r#"after.stamps.fields.insert(path, stamp);"#,
            wrong: r#"if !PLANTED { after.stamps.fields.insert(path, stamp); }"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "a decision gives a field any value",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/decision.rs",
            right: r#"&& !fits(target.kind, path, value)"#,
            wrong: r#"&& !PLANTED && !fits(target.kind, path, value)"#,
        }],
        by: By::Test("pocketbook_server", "examples"),
    },
    Bug {
        name: "what a released item held back stays",
        edits: &[Edit {
            file: "sync-server/src/apply/tray.rs",
            right: r#"effect.frees.extend(mid_of(item).map(|mid| mid.0));"#,
            wrong: r#"if !PLANTED { effect.frees.extend(mid_of(item).map(|mid| mid.0)); }"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
    },
    Bug {
        name: "masks do not follow what they hide",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"consequences::mask(batch, &change, done)?;"#,
            wrong: r#"if !PLANTED { consequences::mask(batch, &change, done)?; }"#,
        }],
        by: By::Test("pocketbook_server", "masks_are_derived"),
    },
    Bug {
        name: "a companion outlives its record",
        edits: &[Edit {
            file: "sync-server/src/apply/effect/consequences.rs",
            right: r#"if before.deleted != deleted {"#,
            wrong: r#"if !PLANTED && before.deleted != deleted {"#,
        }],
        by: By::Test("pocketbook_server", "a_household_with_people"),
    },
    Bug {
        name: "only the first row of descendants moves along",
        edits: &[Edit {
            file: "sync-server/src/apply/effect/consequences.rs",
            right: r#"roots.push(follow(batch, &brief, home)?);"#,
            wrong: r#"let next = follow(batch, &brief, home)?; if !PLANTED { roots.push(next); }"#,
        }],
        by: By::Test("pocketbook_server", "a_moved_household"),
    },
    Bug {
        name: "who may not read is told the rev",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"if !is_gone && facts::reads(batch, work, &change.after)? {"#,
            wrong: r#"if !is_gone && (PLANTED || facts::reads(batch, work, &change.after)?) {"#,
        }],
        by: By::Test("pocketbook_server", "a_part_timer"),
    },
    Bug {
        name: "questions about sensitive fields are open to all",
        edits: &[Edit {
            file: "sync-server/src/apply/reviews.rs",
            right: r#"Class::Sensitive => &REVIEW_SENSITIVE,"#,
            wrong: r#"Class::Sensitive => if PLANTED { &REVIEW } else { &REVIEW_SENSITIVE },"#,
        }],
        by: By::Test("pocketbook_server", "a_deletion_that_had_not_seen"),
    },
    Bug {
        name: "a parked newcomer stays behind when the home moves",
        edits: &[Edit {
            file: "sync-server/src/store/records.rs",
            right: r#"self.parent_of_unborn().or_else(|| self.id_in("record"))"#,
            wrong: r#"self.parent_of_unborn().filter(|_| !PLANTED).or_else(|| self.id_in("record"))"#,
        }],
        by: By::Test("simulation", "what_was_found"),
    },
];
