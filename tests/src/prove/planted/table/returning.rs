//! What comes back: after a restore, out of the archive, by witness.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a witness is heard twice",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"if is_known || !batch"#,
            wrong: r#"if (is_known && !PLANTED) || !batch"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a witness of a living history is heard",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"!batch.lost()?.holds(put.rev) ||"#,
            wrong: r#"(!PLANTED && !batch.lost()?.holds(put.rev)) ||"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a witness of any shape is heard",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"|| !fits(kind, &body)"#,
            wrong: r#"|| (!PLANTED && !fits(kind, &body))"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "anybody is a witness of anything",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"    if !readable {"#,
            wrong: r#"    if !PLANTED && !readable {"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a witness makes tray items",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"|| matches!(record.kind.home, Home::AuthorAnd(_))"#,
            wrong: r#"|| (!PLANTED && matches!(record.kind.home, Home::AuthorAnd(_)))"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a witness raises a deleted id",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"if ledger::holds(store, kind.name, put.id)? {"#,
            wrong: r#"if !PLANTED && ledger::holds(store, kind.name, put.id)? {"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a locked account is a witness",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"request.witness.is_empty() || caller.locked"#,
            wrong: r#"request.witness.is_empty() || (!PLANTED && caller.locked)"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "what waits for a witnessed record waits for ever",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"frees: vec![record.id.0],"#,
            wrong: r#"frees: if PLANTED { Vec::new() } else { vec![record.id.0] },"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a witnessed move moves nobody",
        edits: &[Edit {
            file: "sync-server/src/apply/witness.rs",
            right: r#"effect.rehome = Some(grid);"#,
            wrong: r#"effect.rehome = Some(grid).filter(|_| !PLANTED);"#,
        }],
        by: By::Test("pocketbook_server", "witness"),
    },
    Bug {
        name: "a companion stays in the archive",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"if comes_back &&"#,
            wrong: r#"if !PLANTED && comes_back &&"#,
        }],
        by: By::Test("stories", "two_years"),
    },
    Bug {
        name: "a deleted companion comes out of the archive",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"&& !after.deleted {"#,
            wrong: r#"&& (PLANTED || !after.deleted) {"#,
        }],
        by: By::Test("stories", "two_years"),
    },
    Bug {
        name: "what is in question stays in the archive",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"    archive::bring_back_subject(batch, &after)?;"#,
            wrong: r#"    if !PLANTED { archive::bring_back_subject(batch, &after)?; }"#,
        }],
        by: By::Test("stories", "two_years"),
    },
    Bug {
        name: "the companion of what is in question stays in the archive",
        edits: &[Edit {
            file: "sync-server/src/archive.rs",
            right: r#"        bring_back_kin(batch, &subject)?;"#,
            wrong: r#"        if !PLANTED { bring_back_kin(batch, &subject)?; }"#,
        }],
        by: By::Test("stories", "two_years"),
    },
    Bug {
        name: "a roll-back that was noted is found again",
        edits: &[Edit {
            file: "sync-server/src/store/histories.rs",
            right: r#"    if lost(store)?.holds(echo.commit) {"#,
            wrong: r#"    if !PLANTED && lost(store)?.holds(echo.commit) {"#,
        }],
        by: By::Test("pocketbook_server", "histories"),
    },
    Bug {
        name: "a history of the same numbers is the same",
        edits: &[Edit {
            file: "sync-server/src/store/histories.rs",
            right: r#"if tag == echo.tag &&"#,
            wrong: r#"if (PLANTED || tag == echo.tag) &&"#,
        }],
        by: By::Test("pocketbook_server", "histories"),
    },
    Bug {
        name: "an echo from beyond the head is no roll-back",
        edits: &[Edit {
            file: "sync-server/src/store/histories.rs",
            right: r#"&& echo.commit <= head.last {"#,
            wrong: r#"&& (PLANTED || echo.commit <= head.last) {"#,
        }],
        by: By::Test("pocketbook_server", "histories"),
    },
    Bug {
        name: "what was lost ends with the echo",
        edits: &[Edit {
            file: "sync-server/src/store/histories.rs",
            right: r#"next.map_or(end.max(echo.commit), |next|"#,
            wrong: r#"next.map_or(if PLANTED { echo.commit } else { end.max(echo.commit) }, |next|"#,
        }],
        by: By::Test("pocketbook_server", "histories"),
    },
    Bug {
        name: "a finding from before a change is put in place",
        edits: &[Edit {
            file: "sync-server/src/present.rs",
            right: r#"if picture.generation == generation {"#,
            wrong: r#"if PLANTED || picture.generation == generation {"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "what was handed in is not heard by memory",
        edits: &[Edit {
            file: "sync-server/src/present.rs",
            right: r#"            picture.known.remove(&enrolment);"#,
            wrong: r#"            if !PLANTED { picture.known.remove(&enrolment); }"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "the journal has no chain",
        edits: &[Edit {
            file: "sync-server/src/store/journal.rs",
            right: r#"    *head = hash;"#,
            wrong: r#"    if !PLANTED { *head = hash; }"#,
        }],
        by: By::Test("pocketbook_server", "journal"),
    },
    Bug {
        name: "the journal is hashed without salt",
        edits: &[Edit {
            file: "sync-server/src/store/journal.rs",
            right: r#"batch.entropy().fill(&mut value);"#,
            wrong: r#"if !PLANTED { batch.entropy().fill(&mut value); }"#,
        }],
        by: By::Test("pocketbook_server", "journal"),
    },
    Bug {
        name: "a step that somebody else brought back is not known again",
        edits: &[Edit {
            file: "sync-server/src/apply/judge.rs",
            right: r#"if steps.any(|step| step["id"] == json!(work.mid)) {"#,
            wrong: r#"if !PLANTED && steps.any(|step| step["id"] == json!(work.mid)) {"#,
        }],
        by: By::Test("stories", "a_report_that_a_colleague_brought_back"),
    },
    Bug {
        name: "who brings a photo as the second is told the first one's commit",
        edits: &[Edit {
            file: "sync-server/src/store/blobs.rs",
            right: r#"    let commit = batch.commit()?;"#,
            wrong: r#"    let commit = stored(store, hash)?.filter(|_| PLANTED).map_or_else(|| batch.commit(), Ok)?;"#,
        }],
        by: By::Test("stories", "a_photo_is_brought_again"),
    },
    Bug {
        name: "who asks again after his photo is told the first one's commit",
        edits: &[Edit {
            file: "sync-server/src/blobs/mod.rs",
            right: r#"let newest = districts::head(store.sql, store.district)?.last;"#,
            wrong: r#"let newest = match rows::stored(store, hash)? {
                    Some(first) if PLANTED => first,
                    _ => districts::head(store.sql, store.district)?.last,
                };"#,
        }],
        by: By::Test("stories", "though_he_asked_twice"),
    },
];
