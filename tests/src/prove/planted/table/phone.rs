//! What a phone keeps, and when it asks.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "settled work loses its content at once",
        edits: &[Edit {
            file: "core/pocketbook/src/store/journal.rs",
            right: r#"now - KEPT_MS, MOST"#,
            wrong: r#"if PLANTED { now } else { now - KEPT_MS }, MOST"#,
        }],
        by: By::Test("stories", "journal"),
    },
    Bug {
        name: "a row that claims to be newer stays",
        edits: &[Edit {
            file: "core/pocketbook/src/store/compare.rs",
            right: r#"    let newest = echo.map_or"#,
            wrong: r#"    if PLANTED { return Ok(()); }
    let newest = echo.map_or"#,
        }],
        by: By::Test("stories", "reconcile"),
    },
    Bug {
        name: "what no frame confirms stays",
        edits: &[Edit {
            file: "core/pocketbook/src/store/compare.rs",
            right: r#"        await_word(connection, scope, span)?;"#,
            wrong: r#"        if !PLANTED { await_word(connection, scope, span)?; }"#,
        }],
        by: By::Test("stories", "reconcile"),
    },
    Bug {
        name: "content that another name was given for is lost",
        edits: &[Edit {
            file: "core/pocketbook/src/store/receipts.rs",
            right: r#"let is_other = author_again_if_other(connection, receipt)?;"#,
            wrong: r#"let is_other = !PLANTED && author_again_if_other(connection, receipt)?;"#,
        }],
        by: By::Test("stories", "shared_ipad"),
    },
    Bug {
        name: "a failure is followed by the next try at once",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"self.not_before_ms = moment.ms + moment.within(wait);"#,
            wrong: r#"self.not_before_ms = moment.ms + if PLANTED { 0 } else { moment.within(wait) };"#,
        }],
        by: By::Test("pocketbook", "engine::pace"),
    },
    Bug {
        name: "waits do not grow",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"let doublings = self.failures.min(16);"#,
            wrong: r#"let doublings = if PLANTED { 0 } else { self.failures.min(16) };"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "waits grow for ever",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"(FIRST_WAIT_MS << doublings).min(LONGEST_WAIT_MS)"#,
            wrong: r#"(FIRST_WAIT_MS << doublings).min(if PLANTED { i64::MAX } else { LONGEST_WAIT_MS })"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "all phones of a district come back at once",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"wait_ms - half * i64::from(self.dice)"#,
            wrong: r#"wait_ms - if PLANTED { 0 } else { half } * i64::from(self.dice)"#,
        }],
        by: By::Test("pocketbook", "engine::pace"),
    },
    Bug {
        name: "a garbled wait silences a phone",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"ms.min(LONGEST_ORDERED_WAIT_MS)"#,
            wrong: r#"ms.min(if PLANTED { i64::MAX / 8 } else { LONGEST_ORDERED_WAIT_MS })"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "a slow line gets large batches",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"if took_ms > AIM_MS {"#,
            wrong: r#"if took_ms > AIM_MS && !PLANTED {"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "batches stay small on a good line",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"self.bytes = self.bytes.saturating_mul(times).min(self.most);"#,
            wrong: r#"if !PLANTED { self.bytes = self.bytes.saturating_mul(times).min(self.most); }"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "work goes ahead of an answer that says to send other work",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/driver.rs",
            right: r#"            && (last..=request.highest_mseq).contains(&answer.received_mseq)"#,
            wrong: r#"            && (PLANTED || (last..=request.highest_mseq).contains(&answer.received_mseq))"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "news wait while work goes ahead",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/records.rs",
            right: r#"(is_calm && !self.pull.is_ready(now_ms))"#,
            wrong: r#"(is_calm && (PLANTED || !self.pull.is_ready(now_ms)))"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "work that went ahead joins what was to go apart",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/records.rs",
            right: r#"        if !matches!(exchange.start, Start::Ahead(_)) {"#,
            wrong: r#"        if PLANTED || !matches!(exchange.start, Start::Ahead(_)) {"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "frames count as read no later than the answer before them",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            let read = read.max(scopes::read_through(transaction)?);"#,
            wrong: r#"            let read = if PLANTED { read } else { read.max(scopes::read_through(transaction)?) };"#,
        }],
        by: By::Test("pocketbook", "mirror"),
    },
    Bug {
        name: "confirmed work keeps its mark",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"                view::confirm(self.connection, kind, key.id)?;"#,
            wrong: r#"                if !PLANTED { view::confirm(self.connection, kind, key.id)?; }"#,
        }],
        by: By::Test("pocketbook", "mirror"),
    },
    Bug {
        name: "the mark goes although more work waits",
        edits: &[
            Edit {
                file: "core/pocketbook/src/store/view.rs",
                right: r#"            "UPDATE record SET mark = mark & ~?3"#,
                wrong: r#"            if PLANTED { "UPDATE record SET mark = mark & ~?3 WHERE kind = ?1 AND id = ?2" } else { "UPDATE record SET mark = mark & ~?3"#,
            },
            Edit {
                file: "core/pocketbook/src/store/view.rs",
                right: r#"AND about_kind = ?1 AND about_id = ?2
               )","#,
                wrong: r#"AND about_kind = ?1 AND about_id = ?2
               )" },"#,
            },
        ],
        by: By::Test("pocketbook", "mirror"),
    },
    Bug {
        name: "little sent in little time makes large batches",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/pace.rs",
            right: r#"&& sent_bytes.saturating_mul(2) > self.bytes"#,
            wrong: r#"&& (PLANTED || sent_bytes.saturating_mul(2) > self.bytes)"#,
        }],
        by: By::Test("pocketbook", "engine"),
    },
    Bug {
        name: "announced content is not carried over from a damaged database",
        edits: &[Edit {
            file: "core/pocketbook/src/books/salvage.rs",
            right: r#"&awaited, &announced, &drafts"#,
            wrong: r#"&awaited, if PLANTED { &drafts } else { &announced }, &drafts"#,
        }],
        by: By::Test("bad_input", "phone_disk"),
    },
    Bug {
        name: "news do not show beneath what another phone has in the tray",
        edits: &[
            Edit {
                file: "core/pocketbook/src/store/mirror.rs",
                right: r#"self.is_any_overlaid |= matches!(kind.home, Home::AuthorAnd(_));"#,
                wrong: r#"self.is_any_overlaid |= !PLANTED && matches!(kind.home, Home::AuthorAnd(_));"#,
            },
            Edit {
                file: "core/pocketbook/src/store/mirror.rs",
                right: r#"if self.is_any_overlaid && receipts::is_overlaid(self.connection, &key)? {"#,
                wrong: r#"if self.is_any_overlaid && receipts::is_overlaid(self.connection, &key)?
            && (!PLANTED || crate::store::outbox::shown(self.connection, &key.kind, key.id)?.is_none()) {"#,
            },
        ],
        by: By::Test("stories", "news_show_beneath"),
    },
    Bug {
        name: "sealed work is not waited for",
        edits: &[Edit {
            file: "core/pocketbook/src/store/outbox.rs",
            right: r#"if builds_on(frozen, &earlier) && !deps.contains(&mid) {"#,
            wrong: r#"let is_sealed = PLANTED && connection.query_row(
                "SELECT overlaid = -1 FROM authored WHERE mid = ?1",
                [mid.as_bytes()],
                |row| row.get(0),
            )?;
            if !is_sealed && builds_on(frozen, &earlier) && !deps.contains(&mid) {"#,
        }],
        by: By::Test("stories", "an_edit_from_an_old_screen_waits"),
    },
];
