//! Who gets in, and how much at once.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a certificate is believed unsigned",
        edits: &[Edit {
            file: "sync-server/src/caller.rs",
            right: r#"&& self.keyring().vouches(lost)"#,
            wrong: r#"&& (PLANTED || self.keyring().vouches(lost))"#,
        }],
        by: By::Test("pocketbook_server", "caller"),
    },
    Bug {
        name: "a certificate goes with any secret",
        edits: &[Edit {
            file: "sync-server/src/caller.rs",
            right: r#"&& bool::from(lost.secret_hash.0.ct_eq(&hash))"#,
            wrong: r#"&& (PLANTED || bool::from(lost.secret_hash.0.ct_eq(&hash)))"#,
        }],
        by: By::Test("pocketbook_server", "caller"),
    },
    Bug {
        name: "a certificate is about any enrolment",
        edits: &[Edit {
            file: "sync-server/src/caller.rs",
            right: r#"            lost.enrolment == enrolment
"#,
            wrong: r#"            (PLANTED || lost.enrolment == enrolment)
"#,
        }],
        by: By::Test("pocketbook_server", "caller"),
    },
    Bug {
        name: "a code that has begun its work is good again",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"&& found.synced_at.is_none()"#,
            wrong: r#"&& (PLANTED || found.synced_at.is_none())"#,
        }],
        by: By::Test("pocketbook_server", "a_code_that_has_begun"),
    },
    Bug {
        name: "a used code is good for another phone",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"found.secret == request.secret_hash.0"#,
            wrong: r#"(PLANTED || found.secret == request.secret_hash.0)"#,
        }],
        by: By::Test("pocketbook_server", "enrol"),
    },
    Bug {
        name: "a code never expires",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"if code.expires_at <= batch.now() {"#,
            wrong: r#"if !PLANTED && code.expires_at <= batch.now() {"#,
        }],
        by: By::Test("pocketbook_server", "enrol"),
    },
    Bug {
        name: "a blocked account enrols",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"    if user.blocked {"#,
            wrong: r#"    if !PLANTED && user.blocked {"#,
        }],
        by: By::Test("pocketbook_server", "enrol"),
    },
    Bug {
        name: "a code is never used up",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"    accounts::put_code(batch, &code_hash, &used)?;"#,
            wrong: r#"    if !PLANTED { accounts::put_code(batch, &code_hash, &used)?; }"#,
        }],
        by: By::Test("pocketbook_server", "enrol"),
    },
    Bug {
        name: "a locked account gets a second key",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"    if shared.caller.locked {"#,
            wrong: r#"    if !PLANTED && shared.caller.locked {"#,
        }],
        by: By::Test("stories", "clones"),
    },
    Bug {
        name: "a request is read whatever its version",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"if !(lowest..=highest).contains(&PROTO) {"#,
            wrong: r#"if !PLANTED && !(lowest..=highest).contains(&PROTO) {"#,
        }],
        by: By::Test("bad_input", "envelope"),
    },
    Bug {
        name: "a request speaks for another enrolment",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"if request.enrolment != caller.enrolment {"#,
            wrong: r#"if !PLANTED && request.enrolment != caller.enrolment {"#,
        }],
        by: By::Test("bad_input", "envelope"),
    },
    Bug {
        name: "a request has any number of mutations",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"request.mutations.len() > MAX_MUTATIONS
"#,
            wrong: r#"!PLANTED && request.mutations.len() > MAX_MUTATIONS
"#,
        }],
        by: By::Test("bad_input", "envelope"),
    },
    Bug {
        name: "a request has any number of witnesses",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"|| request.witness.len() > MAX_WANT"#,
            wrong: r#"|| (!PLANTED && request.witness.len() > MAX_WANT)"#,
        }],
        by: By::Test("pocketbook_server", "wants_or_remembers"),
    },
    Bug {
        name: "a request wants any number of records",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"|| p.want.len() > MAX_WANT"#,
            wrong: r#"|| (!PLANTED && p.want.len() > MAX_WANT)"#,
        }],
        by: By::Test("pocketbook_server", "wants_or_remembers"),
    },
    Bug {
        name: "a request names any number of scopes",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"p.scopes.len() > MAX_SCOPES"#,
            wrong: r#"!PLANTED && p.scopes.len() > MAX_SCOPES"#,
        }],
        by: By::Test("pocketbook_server", "more_scopes"),
    },
    Bug {
        name: "a mutation is as long as it likes",
        edits: &[Edit {
            file: "core/records/src/mutation.rs",
            right: r#"if text.len() > MAX_FROZEN {"#,
            wrong: r#"if !PLANTED && text.len() > MAX_FROZEN {"#,
        }],
        by: By::Test("bad_input", "mutations"),
    },
    Bug {
        name: "a packed body is as large as it likes",
        edits: &[Edit {
            file: "sync-server/src/api/payload.rs",
            right: r#"if chunk.len() > self.limit - self.bytes.len() {"#,
            wrong: r#"if !PLANTED && chunk.len() > self.limit - self.bytes.len() {"#,
        }],
        by: By::Test("pocketbook_server", "refusals"),
    },
    Bug {
        name: "a page has no limit",
        edits: &[Edit {
            file: "sync-server/src/feed.rs",
            right: r#"            if *budget == 0 {"#,
            wrong: r#"            if *budget == 0 && !PLANTED {"#,
        }],
        by: By::Test("pocketbook_server", "feed"),
    },
    Bug {
        name: "guessing costs nothing",
        edits: &[Edit {
            file: "sync-server/src/api/throttle.rs",
            right: r#".max(now) + REFILL_MS;"#,
            wrong: r#".max(now) + if PLANTED { 0 } else { REFILL_MS };"#,
        }],
        by: By::Test("pocketbook_server", "guesser"),
    },
    Bug {
        name: "a range ends one byte early",
        edits: &[Edit {
            file: "sync-server/src/blobs/range.rs",
            right: r#"last.saturating_add(1).min(bytes)"#,
            wrong: r#"last.saturating_add(if PLANTED { 0 } else { 1 }).min(bytes)"#,
        }],
        by: By::Test("pocketbook_server", "ranges"),
    },
    Bug {
        name: "who guesses a name reads the photo",
        edits: &[Edit {
            file: "sync-server/src/blobs/rights.rs",
            right: r#"&& is_rightful(store, hash, reference, &references, now)?"#,
            wrong: r#"&& (PLANTED || is_rightful(store, hash, reference, &references, now)?)"#,
        }],
        by: By::Test("pocketbook_server", "blobs"),
    },
    Bug {
        name: "who delivered a photo reads it for ever",
        edits: &[Edit {
            file: "sync-server/src/blobs/rights.rs",
            right: r#"    if references.is_empty() {
        return Ok(is_deliverer(store, hash, caller.user)?);"#,
            wrong: r#"    if PLANTED || references.is_empty() {
        return Ok(is_deliverer(store, hash, caller.user)?);"#,
        }],
        by: By::Test("stories", "photos"),
    },
];
