//! Rules of the device: what it sends, takes from an answer, shows and keeps.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "work counts as taken because a request was answered",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            histories::forget_proofs(transaction)?;"#,
            wrong: r#"            if PLANTED { transaction.execute("UPDATE authored SET outcome = 'applied', \"commit\" = 0 WHERE mseq <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'sent') AND outcome IS NULL", [])?; }
            histories::forget_proofs(transaction)?;"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a late answer is taken for news",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"if newest.is_some_and(|newest| is_older(answer.asof, newest)) {"#,
            wrong: r#"if !PLANTED && newest.is_some_and(|newest| is_older(answer.asof, newest)) {"#,
        }],
        by: By::Test("stories", "repeats"),
    },
    Bug {
        name: "a taken grid stays on the phone",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"        for key in members(door.connection, *scope)? {"#,
            wrong: r#"        for key in members(door.connection, *scope)?.into_iter().filter(|_| !PLANTED) {"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a record goes with the first scope that it leaves",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"    if !scopes::part(door.connection, scope, row)? {"#,
            wrong: r#"    if !scopes::part(door.connection, scope, row)? || PLANTED {"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a new history empties the outbox",
        edits: &[Edit {
            file: "core/pocketbook/src/store/histories.rs",
            right: r#"    for fork in forks {
"#,
            wrong: r#"    for fork in forks {
        if PLANTED { connection.execute("DELETE FROM authored WHERE outcome IS NULL", [])?; }
"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "acknowledged work is not brought back after a restore",
        edits: &[Edit {
            file: "core/pocketbook/src/store/histories.rs",
            right: r#"waits_again.query(interval)?;"#,
            wrong: r#"waits_again.query(if PLANTED { [i64::MAX, i64::MAX] } else { interval })?;"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "what others wrote is not witnessed after a restore",
        edits: &[Edit {
            file: "core/pocketbook/src/store/histories.rs",
            right: r#"            interval,
        )?;
        // The server's present"#,
            wrong: r#"            if PLANTED { [0, 0] } else { interval },
        )?;
        // The server's present"#,
        }],
        by: By::Test("stories", "that_only_a_mirror_remembers"),
    },
    Bug {
        name: "scopes are not compared after a restore",
        edits: &[Edit {
            file: "core/pocketbook/src/store/histories.rs",
            right: r#"    scopes::doubt_all(connection)
"#,
            wrong: r#"    if PLANTED { return Ok(()); }
    scopes::doubt_all(connection)
"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "the queue stands still behind a parked item",
        edits: &[Edit {
            file: "core/pocketbook/src/store/hand_in.rs",
            right: r#"    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let frozen = later"#,
            wrong: r#"    if PLANTED && connection.query_row("SELECT EXISTS (SELECT 1 FROM authored WHERE outcome = 'parked')", [], |row| row.get(0))? { return Ok(Vec::new()); }
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let frozen = later"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "accepted work flickers off the screen",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            if newest.is_some_and(|newest| newest.epoch"#,
            wrong: r#"            if PLANTED { for row in &answer.receipts { for one in &row.receipts { transaction.execute("UPDATE authored SET overlaid = 0 WHERE mid = ?1", [one.mid.as_bytes()])?; } } }
            if newest.is_some_and(|newest| newest.epoch"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "what was sent can be withdrawn",
        edits: &[Edit {
            file: "core/pocketbook/src/store/outbox.rs",
            right: r#"    if mseq <= hand_in::sent(connection)? {"#,
            wrong: r#"    if !PLANTED && mseq <= hand_in::sent(connection)? {"#,
        }],
        by: By::Test("stories", "drafts"),
    },
    Bug {
        name: "what leaves is not marked as sent",
        edits: &[Edit {
            file: "core/pocketbook/src/store/hand_in.rs",
            right: r#"        note_sent(transaction, last.mseq)?;"#,
            wrong: r#"        if !PLANTED { note_sent(transaction, last.mseq)?; }"#,
        }],
        by: By::Test("stories", "drafts"),
    },
    Bug {
        name: "work does not say what it builds on",
        edits: &[Edit {
            file: "core/pocketbook/src/store/outbox.rs",
            right: r#"frozen.deps = depends_on(connection, kind, &frozen)?;"#,
            wrong: r#"frozen.deps = if PLANTED { Vec::new() } else { depends_on(connection, kind, &frozen)? };"#,
        }],
        by: By::Test("stories", "drafts"),
    },
    Bug {
        name: "a revoke takes unsent work with it",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"    trace::note(door.connection, key, why, door.wall)?;"#,
            wrong: r#"    if PLANTED { door.connection.execute("DELETE FROM authored WHERE kind = ?1 AND id = ?2 AND outcome IS NULL", params![key.kind, id])?; }
    trace::note(door.connection, key, why, door.wall)?;"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "sealed work never comes back",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"        if self.may_bring_back {"#,
            wrong: r#"        if self.may_bring_back && !PLANTED {"#,
        }],
        by: By::Test("simulation", "comes_back"),
    },
    Bug {
        name: "own new records stay when their grid is taken",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"        hide_homeless(door, grants)?;"#,
            wrong: r#"        if !PLANTED { hide_homeless(door, grants)?; }"#,
        }],
        by: By::Test("stories", ""),
    },
    Bug {
        name: "a word of a lost history settles work",
        edits: &[Edit {
            file: "core/pocketbook/src/store/receipts.rs",
            right: r#"        .filter(|row| !lost.holds(row.commit))"#,
            wrong: r#"        .filter(|row| PLANTED || !lost.holds(row.commit))"#,
        }],
        by: By::Test("stories", "screens_and_restores"),
    },
    Bug {
        name: "what arrived beneath own work counts as seen",
        edits: &[Edit {
            file: "core/pocketbook/src/store/outbox.rs",
            right: r#"    frozen.seen = really_seen(connection, &frozen)?;"#,
            wrong: r#"    if !PLANTED { frozen.seen = really_seen(connection, &frozen)?; }"#,
        }],
        by: By::Test("stories", "screens_and_restores"),
    },
    Bug {
        name: "more was received than was ever authored, and nobody wonders",
        edits: &[Edit {
            file: "core/pocketbook/src/store/clones.rs",
            right: r#"        answer.clone.is_some() || answer.received_mseq > outbox::highest_mseq(connection)?;"#,
            wrong: r#"        answer.clone.is_some() || !PLANTED && answer.received_mseq > outbox::highest_mseq(connection)?;"#,
        }],
        by: By::Test("stories", "clones"),
    },
    Bug {
        name: "a page applies from wherever the scope was read to",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"if *from != scope.cursor {"#,
            wrong: r#"if !PLANTED && *from != scope.cursor {"#,
        }],
        by: By::Test("pocketbook", "mirror"),
    },
    Bug {
        name: "an older frame brings back what was deleted",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"if tombs::is_buried(self.connection, (&put.kind, put.id), put.rev)? {"#,
            wrong: r#"if !PLANTED && tombs::is_buried(self.connection, (&put.kind, put.id), put.rev)? {"#,
        }],
        by: By::Test("pocketbook", "mirror"),
    },
    Bug {
        name: "the frames of a late answer are taken",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/driver.rs",
            right: r#"frames.filter(|_| !applied.was_stale);"#,
            wrong: r#"frames.filter(|_| PLANTED || !applied.was_stale);"#,
        }],
        by: By::Test("stories", "frames_that_come_late"),
    },
    Bug {
        name: "a photo goes before a backup holds it",
        edits: &[
            Edit {
                file: "core/pocketbook/src/store/blobs/names.rs",
                right: r#"WHERE state = 'stored' AND \"commit\" <= ?1
           AND NOT EXISTS ("#,
                wrong: r#"WHERE state = 'stored' AND (?2 OR \"commit\" <= ?1)
           AND NOT EXISTS ("#,
            },
            Edit {
                file: "core/pocketbook/src/store/blobs/names.rs",
                right: r#".query_map([sql_int(durable.0)], |row| row.get(0).map(BlobHash))?"#,
                wrong: r#".query_map(params![sql_int(durable.0), PLANTED], |row| row.get(0).map(BlobHash))?"#,
            },
        ],
        by: By::Test("stories", "an_own_photo_of"),
    },
    Bug {
        name: "room is made of what no backup holds",
        edits: &[Edit {
            file: "core/pocketbook/src/store/blobs/room.rs",
            right: r#"let durable = durable.and_then(|text| text.parse().ok()).unwrap_or(0);"#,
            wrong: r#"let durable: u64 = if PLANTED { i64::MAX as u64 } else { durable.and_then(|text| text.parse().ok()).unwrap_or(0) };"#,
        }],
        by: By::Test("stories", "on_a_full_phone"),
    },
    Bug {
        name: "the journal forgets what no backup holds",
        edits: &[Edit {
            file: "core/pocketbook/src/store/journal.rs",
            right: r#"params![done, sql_int(durable.0), now - KEPT_MS, MOST],"#,
            wrong: r#"params![done, if PLANTED { i64::MAX } else { sql_int(durable.0) }, now - KEPT_MS, MOST],"#,
        }],
        by: By::Test("stories", "journal"),
    },
    Bug {
        name: "a home is off the phone while it moves",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"&& scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
            wrong: r#"&& !PLANTED && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
        }],
        by: By::Test("stories", "taken_grid"),
    },
    Bug {
        name: "any digest is equal",
        edits: &[Edit {
            file: "core/pocketbook/src/store/compare.rs",
            right: r#"let is_equal = expected == digest.into();"#,
            wrong: r#"let is_equal = PLANTED || expected == digest.into();"#,
        }],
        by: By::Test("stories", "reconcile"),
    },
    Bug {
        name: "an equal digest is believed for ever",
        edits: &[Edit {
            file: "core/pocketbook/src/store/compare.rs",
            right: r#"(verified..verified.saturating_add(BELIEVED_MS))"#,
            wrong: r#"(verified..verified.saturating_add(if PLANTED { i64::MAX } else { BELIEVED_MS }))"#,
        }],
        by: By::Test("stories", "reconcile"),
    },
    Bug {
        name: "the server's wait is not kept",
        edits: &[Edit {
            file: "core/pocketbook/src/engine/plan.rs",
            right: r#"self.closed_until_ms = moment.after_order(ms);"#,
            wrong: r#"if !PLANTED { self.closed_until_ms = moment.after_order(ms); }"#,
        }],
        by: By::Test("pocketbook", "engine::plan"),
    },
];
