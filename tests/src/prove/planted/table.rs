//! The planted bugs: the rules of `core/docs/sync.md`, each taken out in a few words.

use super::{Bug, By, Edit};

/// All of them, roughly in the order in which work travels.
pub(crate) const TABLE: &[Bug] = &[
    Bug {
        name: "an unseen value is overwritten without a review",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"let in_conflict =
            now != set.was"#,
            wrong: r#"let in_conflict =
            !PLANTED && now != set.was"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a head's field is overwritten by a later arrival",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"let stays_put = never_auto &&"#,
            wrong: r#"let stays_put = !PLANTED && never_auto &&"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a conflict opens no review",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"if in_conflict || reviewed {
            let mut"#,
            wrong: r#"if !PLANTED && (in_conflict || reviewed) {
            let mut"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "own earlier work counts as a stranger's",
        edits: &[Edit {
            file: "core/records/src/stamp.rs",
            right: r#"        self.own_chain && (is_own"#,
            wrong: r#"        !PLANTED && self.own_chain && (is_own"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a counter does not count",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"            count(&mut judge.out.body, path, *by);"#,
            wrong: r#"            if !PLANTED { count(&mut judge.out.body, path, *by); }"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "an element is not added",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"items.iter().for_each(|item| judge.add(kind, path, item));"#,
            wrong: r#"items.iter().filter(|_| !PLANTED).for_each(|item| judge.add(kind, path, item));"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a remove takes elements that it never saw",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"if disputed || !self.has_seen_adds(&element) {"#,
            wrong: r#"if disputed || (!PLANTED && !self.has_seen_adds(&element)) {"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a remove takes edits of the element that it never saw",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"let disputed = rule(kind, path) == Rule::Map"#,
            wrong: r#"let disputed = !PLANTED && rule(kind, path) == Rule::Map"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a decision settles what it did not see",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"if unseen || (held"#,
            wrong: r#"if (!PLANTED && unseen) || (held"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a worker decides a head's field",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"(held && !author.holder)"#,
            wrong: r#"(!PLANTED && held && !author.holder)"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "a repeated mutation takes effect again",
        edits: &[
            Edit {
                file: "sync-server/src/apply.rs",
                right: r#"receipts::used(batch.store(), work.mid)? {"#,
                wrong: r#"receipts::used(batch.store(), work.mid)?.filter(|_| !PLANTED) {"#,
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
        name: "a stale command takes effect",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/commands.rs",
            right: r#"    if is_stale(facts.kind"#,
            wrong: r#"    if !PLANTED && is_stale(facts.kind"#,
        }],
        by: By::Test("pocketbook_server", "apply"),
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
        name: "a deletion does not tell of edits that it never saw",
        edits: &[Edit {
            file: "sync-server/src/apply/judge/deletion.rs",
            right: r#"        if !candidates.is_empty() {"#,
            wrong: r#"        if !PLANTED && !candidates.is_empty() {"#,
        }],
        by: By::Seeds,
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
        name: "what a restore brings back is judged anew",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"let proof = self.proof_of(batch, mutation)?;"#,
            wrong: r#"let proof = if PLANTED { None } else { self.proof_of(batch, mutation)? };"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a restore uses commit numbers again",
        edits: &[Edit {
            file: "sync-server/src/writer/batch.rs",
            right: r#"noted.ordinal.max(head.epoch));"#,
            wrong: r#"if PLANTED { head.epoch } else { noted.ordinal.max(head.epoch) });"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a page claims to be the last",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"page.caught_up = at == head.seq;"#,
            wrong: r#"page.caught_up = PLANTED || at == head.seq;"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "single bodies go to whoever asks",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"record.filter(|record| record.synced_scopes().iter().any(granted));"#,
            wrong: r#"record.filter(|record| PLANTED || record.synced_scopes().iter().any(granted));"#,
        }],
        by: By::Test("privacy", ""),
    },
    Bug {
        name: "who loses a record is told where it went",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"let to = to.filter(|scope| self.granted"#,
            wrong: r#"let to = to.filter(|scope| PLANTED || self.granted"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "a cursor below the floor is served by pages",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"(is_of_this_history && cursor.seq >= head.floor)"#,
            wrong: r#"(is_of_this_history && (PLANTED || cursor.seq >= head.floor))"#,
        }],
        by: By::Test("stories", "reconcile"),
    },
    Bug {
        name: "a moved record stays in its old grid's scopes",
        edits: &[Edit {
            file: "sync-server/src/store/scopes.rs",
            right: r#"from.0.iter().filter(|scope| !to.0.contains(scope)) {"#,
            wrong: r#"from.0.iter().filter(|scope| !PLANTED && !to.0.contains(scope)) {"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "receipts are not stored with their effect",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"        conclude(batch, &self.caller, receipts, last_from)?;"#,
            wrong: r#"        if !PLANTED { conclude(batch, &self.caller, receipts, last_from)?; }"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "only new receipts are answered",
        edits: &[
            Edit {
                file: "sync-server/src/exchange/answer.rs",
                right: r#"receipts::above(store, caller.enrolment, settled)?;"#,
                wrong: r#"receipts::above(store, caller.enrolment, if PLANTED { known.enrolment.received } else { settled })?;"#,
            },
            Edit {
                file: "sync-server/src/exchange/answer.rs",
                right: r#"let is_settled = request.settled_mseq"#,
                wrong: r#"let is_settled = PLANTED || request.settled_mseq"#,
            },
        ],
        by: By::Seeds,
    },
    Bug {
        name: "a revoke is not heard by those who are remembered",
        edits: &[Edit {
            file: "sync-server/src/writer/batch.rs",
            right: r#"self.group.change.org = true;"#,
            wrong: r#"self.group.change.org = !PLANTED;"#,
        }],
        by: By::Seeds,
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
        name: "people stay behind when their household moves",
        edits: &[Edit {
            file: "sync-server/src/apply/effect.rs",
            right: r#"        consequences::move_descendants(batch, id, home)?;"#,
            wrong: r#"        if !PLANTED { consequences::move_descendants(batch, id, home)?; }"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "work counts as taken because a request was answered",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            histories::forget_proofs(transaction)?;"#,
            wrong: r#"            if PLANTED { transaction.execute("UPDATE authored SET outcome = 'applied', \"commit\" = 0 WHERE sent = 1 AND outcome IS NULL", [])?; }
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
        by: By::Seeds,
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
            right: r#"    let mut rows = statement.query(params![from, sql_int(most as u64)])?;"#,
            wrong: r#"    if PLANTED && connection.query_row("SELECT EXISTS (SELECT 1 FROM authored WHERE outcome = 'parked')", [], |row| row.get(0))? { return Ok(Vec::new()); }
    let mut rows = statement.query(params![from, sql_int(most as u64)])?;"#,
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
            right: r#"    if sent {"#,
            wrong: r#"    if sent && !PLANTED {"#,
        }],
        by: By::Test("stories", "drafts"),
    },
    Bug {
        name: "what leaves is not marked as sent",
        edits: &[Edit {
            file: "core/pocketbook/src/store/hand_in.rs",
            right: r#"    if let (Some(first), Some(last)) = (batch.first(), batch.last()) {
        transaction"#,
            wrong: r#"    if let (Some(first), Some(last), false) = (batch.first(), batch.last(), PLANTED) {
        transaction"#,
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
        name: "a number with two names is not noticed",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"handed.clone = self.find_clone(batch, old)?;"#,
            wrong: r#"handed.clone = if PLANTED { None } else { self.find_clone(batch, old)? };"#,
        }],
        by: By::Test("pocketbook_server", ""),
    },
    Bug {
        name: "saved is not on the disk",
        edits: &[Edit {
            file: "core/sqlite/src/open.rs",
            right: r#"    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;"#,
            wrong: r#"    let full = if PLANTED { "NORMAL" } else { "FULL" };
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {full};"#,
        }],
        by: By::Cuts("phone::entering"),
    },
    Bug {
        name: "an answer is applied in two steps",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            let newest: Option<AsOf> = meta::read_json(transaction, meta::ASOF)?;"#,
            wrong: r#"            if PLANTED { transaction.execute_batch("COMMIT; BEGIN IMMEDIATE")?; }
            let newest: Option<AsOf> = meta::read_json(transaction, meta::ASOF)?;"#,
        }],
        by: By::Cuts("phone::"),
    },
    Bug {
        name: "a photo is named before it is on the disk",
        edits: &[Edit {
            file: "core/pocketbook/src/store/blobs.rs",
            right: r#"        sealed.finish()?.sync()?;"#,
            wrong: r#"        let file = sealed.finish()?;
        if !PLANTED { file.sync()?; }"#,
        }],
        by: By::Cuts("phone::reporting"),
    },
    Bug {
        name: "the server names a file before it is on the disk",
        edits: &[Edit {
            file: "sync-server/src/blobs/store.rs",
            right: r#".with_fsync(true)"#,
            wrong: r#".with_fsync(!PLANTED)"#,
        }],
        by: By::Cuts("server::taking"),
    },
    Bug {
        name: "receipts and their effect are two transactions",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"        accounts::note_contact(batch, enrolment, &self.said)?;
        Ok(handed)"#,
            wrong: r#"        if PLANTED { batch.store().sql.execute("COMMIT", &[])?; batch.store().sql.execute("BEGIN IMMEDIATE", &[])?; }
        accounts::note_contact(batch, enrolment, &self.said)?;
        Ok(handed)"#,
        }],
        by: By::Cuts("server::taking"),
    },
    Bug {
        name: "a torn line of the outside log stays",
        edits: &[Edit {
            file: "sync-server/src/beside.rs",
            right: r#"        if good == text.len() {"#,
            wrong: r#"        if PLANTED || good == text.len() {"#,
        }],
        by: By::Cuts("server::"),
    },
    Bug {
        name: "a torn checkpoint closes the book",
        edits: &[Edit {
            file: "core/sqlite/src/files.rs",
            right: r#"Err(OpenError::Damaged(_)) if log > 0 => Ok(()),"#,
            wrong: r#"Err(OpenError::Damaged(_)) if log > 0 && !PLANTED => Ok(()),"#,
        }],
        by: By::Cuts("phone::losing"),
    },
    Bug {
        name: "purged values stay in the log",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"        store.truncate_log()?;"#,
            wrong: r#"        if !PLANTED { store.truncate_log()?; }"#,
        }],
        by: By::Test("stories", ""),
    },
    Bug {
        name: "purged values stay in free pages",
        edits: &[Edit {
            file: "core/sqlite/src/open.rs",
            right: r#"        Deleted::Overwritten => "ON","#,
            wrong: r#"        Deleted::Overwritten => if PLANTED { "OFF" } else { "ON" },"#,
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
        name: "a machine that was set back forgets a revoke",
        edits: &[Edit {
            file: "sync-server/src/server.rs",
            right: r#"        if outside.len() > known {"#,
            wrong: r#"        if outside.len() > known && !PLANTED {"#,
        }],
        by: By::Test("stories", "set_back"),
    },
    Bug {
        name: "what was parked in a lost history counts as shown",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"        let retold = proof.filter(|(_, receipt)| had_effect(receipt));"#,
            wrong: r#"        let retold = proof.filter(|(_, receipt)| PLANTED || had_effect(receipt));"#,
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
        name: "an identity that is asked for again is another one",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"    if let Some(found) = phones::with_secret(batch.store(), user.user, &secret)? {"#,
            wrong: r#"    if !PLANTED && let Some(found) = phones::with_secret(batch.store(), user.user, &secret)? {"#,
        }],
        by: By::Test("stories", "clones"),
    },
    Bug {
        name: "a record is only named although it changed unheard",
        edits: &[Edit {
            file: "sync-server/src/feed/held.rs",
            right: r#"stay.since <= through && new.rev <= through && is_kept"#,
            wrong: r#"(PLANTED || stay.since <= through && new.rev <= through) && is_kept"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a cursor's commit is anybody's to choose",
        edits: &[Edit {
            file: "sync-server/src/feed/cursor.rs",
            right: r#"        format!("{scope} {} {} {}", self.epoch, self.seq, self.through).into_bytes()"#,
            wrong: r#"        format!("{scope} {} {} {}", self.epoch, self.seq, if PLANTED { Commit(0) } else { self.through }).into_bytes()"#,
        }],
        by: By::Test("bad_input", "cursors"),
    },
    Bug {
        name: "a record that is named and not here is not asked for",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"        if rev.is_none_or(|rev| rev < sql_int(link.rev.0)) {"#,
            wrong: r#"        if !PLANTED && rev.is_none_or(|rev| rev < sql_int(link.rev.0)) {"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a grid that lacks what was only named counts as read",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"        let caught_up = page.caught_up && !wants::any_of(self.connection, scope.id)?;"#,
            wrong: r#"        let caught_up = page.caught_up && (PLANTED || !wants::any_of(self.connection, scope.id)?);"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a grid of whose frames a record was only named counts as read",
        edits: &[Edit {
            file: "core/pocketbook/src/store/scopes.rs",
            right: r#"*lowest == frame.cursor && !wants::any_of(connection, scope.id)?;"#,
            wrong: r#"*lowest == frame.cursor && (PLANTED || !wants::any_of(connection, scope.id)?);"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a record on its way to another grid of the phone is dropped",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"                    && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
            wrong: r#"                    && !PLANTED && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a record is waited for that has left the grid meanwhile",
        edits: &[Edit {
            file: "core/pocketbook/src/store/wants.rs",
            right: r#"/// The record lies in the scope no more.
pub(crate) fn forget(connection: &Connection, scope: i64, key: &Key) -> Result<()> {"#,
            wrong: r#"/// The record lies in the scope no more.
pub(crate) fn forget(connection: &Connection, scope: i64, key: &Key) -> Result<()> {
    if PLANTED { return Ok(()); }"#,
        }],
        by: By::Test("stories", "moves"),
    },
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
