//! Rules of what is told to whom: pages, frames, grants, keys.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
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
        name: "a lost history's cursor is served by pages",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"cursor.epoch == self.asof.epoch && cursor.seq <= head.seq;"#,
            wrong: r#"(PLANTED || cursor.epoch == self.asof.epoch) && cursor.seq <= head.seq;"#,
        }],
        by: By::Test("pocketbook_server", "a_cursor_of_a_history"),
    },
    Bug {
        name: "any scope is read by whoever names it",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"            if !self.granted.scopes.contains(scope) {
                continue;"#,
            wrong: r#"            if !PLANTED && !self.granted.scopes.contains(scope) {
                continue;"#,
        }],
        by: By::Test("pocketbook_server", "a_neighbours_scope"),
    },
    Bug {
        name: "a stream outlives its grant",
        edits: &[Edit {
            file: "sync-server/src/feed/frames.rs",
            right: r#"Ok(is_open && org::granted(store, user, now)?.scopes.contains(scope))"#,
            wrong: r#"Ok(PLANTED || is_open && org::granted(store, user, now)?.scopes.contains(scope))"#,
        }],
        by: By::Test("pocketbook_server", "ends_the_stream"),
    },
    Bug {
        name: "a stream outlives its account",
        edits: &[Edit {
            file: "sync-server/src/feed/frames.rs",
            right: r#"is_some_and(|enrolment| !enrolment.caller.locked);"#,
            wrong: r#"is_some_and(|enrolment| PLANTED || !enrolment.caller.locked);"#,
        }],
        by: By::Test("pocketbook_server", "a_lock_in_the_middle"),
    },
    Bug {
        name: "a commit that was cut counts as read",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"page.through = Commit(row.get::<Commit>(3)?.0 - 1);"#,
            wrong: r#"page.through = Commit(row.get::<Commit>(3)?.0 - u64::from(!PLANTED));"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "a cursor is good for any scope",
        edits: &[Edit {
            file: "sync-server/src/feed/cursor.rs",
            right: r#"    fn signed(self, scope: &str) -> Vec<u8> {"#,
            wrong: r#"    fn signed(self, scope: &str) -> Vec<u8> {
        let scope = if PLANTED { "" } else { scope };"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "a cursor is believed unsigned",
        edits: &[Edit {
            file: "sync-server/src/feed/cursor.rs",
            right: r#"genuine.then_some(cursor)"#,
            wrong: r#"(PLANTED || genuine).then_some(cursor)"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "what left stays in the digest",
        edits: &[Edit {
            file: "sync-server/src/store/scopes.rs",
            right: r#"        head.take(kind, id, from.1);
        let seq"#,
            wrong: r#"        if !PLANTED { head.take(kind, id, from.1); }
        let seq"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "a frame claims to be the last",
        edits: &[Edit {
            file: "sync-server/src/feed/frames.rs",
            right: r#"",\"last\":{}}}", !is_full);"#,
            wrong: r#"",\"last\":{}}}", PLANTED || !is_full);"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "a grant outlives its end by a moment",
        edits: &[Edit {
            file: "sync-server/src/store/org.rs",
            right: r#"if now < duty.from || now >= ends || !duty.role.syncs() {"#,
            wrong: r#"if now < duty.from || (now > ends || !PLANTED && now == ends) || !duty.role.syncs() {"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "memory asks for files that came",
        edits: &[Edit {
            file: "sync-server/src/present.rs",
            right: r#".retain(|_, known| known.enrolment.caller.user != user);"#,
            wrong: r#".retain(|_, known| PLANTED || known.enrolment.caller.user != user);"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "an old key's codes are forgotten",
        edits: &[Edit {
            file: "sync-server/src/keyring.rs",
            right: r#"        self.mac
            .iter()
            .any("#,
            wrong: r#"        self.mac
            .iter()
            .skip(if PLANTED { self.mac.len() - 1 } else { 0 })
            .any("#,
        }],
        by: By::Test("pocketbook_server", "keyring"),
    },
    Bug {
        name: "an old key's seals stay shut",
        edits: &[Edit {
            file: "sync-server/src/keyring.rs",
            right: r#"let known = self.seal.iter().find(|(known, _)| *known == id);"#,
            wrong: r#"let known = self.seal.iter().skip(if PLANTED { self.seal.len() - 1 } else { 0 }).find(|(known, _)| *known == id);"#,
        }],
        by: By::Test("pocketbook_server", "keyring"),
    },
    Bug {
        name: "an old key's certificates are worth nothing",
        edits: &[Edit {
            file: "sync-server/src/keyring.rs",
            right: r#"let key = keys.find(|key| key.id == *key_id);"#,
            wrong: r#"let key = keys.find(|key| key.id == *key_id).filter(|key| !PLANTED || key.id == self.bundle_id());"#,
        }],
        by: By::Test("pocketbook_server", "keyring"),
    },
    Bug {
        name: "a code serves any purpose",
        edits: &[Edit {
            file: "sync-server/src/keyring.rs",
            right: r#"mac.update(purpose.label());"#,
            wrong: r#"if !PLANTED { mac.update(purpose.label()); }"#,
        }],
        by: By::Test("pocketbook_server", "keyring"),
    },
    Bug {
        name: "a sealed value opens anywhere",
        edits: &[
            Edit {
                file: "sync-server/src/keyring.rs",
                right: r#"key.encrypt_in_place(&XNonce::from(nonce), place, &mut sealed)"#,
                wrong: r#"key.encrypt_in_place(&XNonce::from(nonce), if PLANTED { b"" } else { place }, &mut sealed)"#,
            },
            Edit {
                file: "sync-server/src/keyring.rs",
                right: r#"key.decrypt_in_place(&XNonce::from(nonce), place, &mut plain)"#,
                wrong: r#"key.decrypt_in_place(&XNonce::from(nonce), if PLANTED { b"" } else { place }, &mut plain)"#,
            },
        ],
        by: By::Test("pocketbook_server", "keyring"),
    },
    Bug {
        name: "the journal keeps sensitive content in clear",
        edits: &[
            Edit {
                file: "sync-server/src/store/journal.rs",
                right: r#"if line.class == Class::Sensitive {"#,
                wrong: r#"if !PLANTED && line.class == Class::Sensitive {"#,
            },
            Edit {
                file: "sync-server/src/store/journal.rs",
                right: r#"if class == Class::Sensitive {"#,
                wrong: r#"if !PLANTED && class == Class::Sensitive {"#,
            },
        ],
        by: By::Test("pocketbook_server", "masks_are_derived"),
    },
];
