//! Rules of the exchange: what the server takes in, believes and answers.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
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
        name: "a number with two names is not noticed",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"handed.clone = self.find_clone(batch, old)?;"#,
            wrong: r#"handed.clone = if PLANTED { None } else { self.find_clone(batch, old)? };"#,
        }],
        by: By::Test("pocketbook_server", ""),
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
        name: "an identity that is asked for again is another one",
        edits: &[Edit {
            file: "sync-server/src/enrol.rs",
            right: r#"    if let Some(found) = phones::with_secret(batch.store(), user.user, &secret)? {"#,
            wrong: r#"    if !PLANTED && let Some(found) = phones::with_secret(batch.store(), user.user, &secret)? {"#,
        }],
        by: By::Test("stories", "clones"),
    },
    Bug {
        name: "memory outlives a grant",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"let is_current = known.granted.until.is_none_or(|until| now < until);"#,
            wrong: r#"let is_current = PLANTED || known.granted.until.is_none_or(|until| now < until);"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "memory answers a locked account",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"let is_closed = known.enrolment.caller.locked ||"#,
            wrong: r#"let is_closed = !PLANTED && known.enrolment.caller.locked ||"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "memory leaves a question unanswered",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"if !pull.want.is_empty() {"#,
            wrong: r#"if !PLANTED && !pull.want.is_empty() {"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "a locked account reads",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"if known.enrolment.caller.locked {
        Some"#,
            wrong: r#"if !PLANTED && known.enrolment.caller.locked {
        Some"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "a forged echo may read",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"echo.is_none_or(|echo| contact::is_genuine(keyring, echo))"#,
            wrong: r#"echo.is_none_or(|echo| PLANTED || contact::is_genuine(keyring, echo))"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "a forged echo begins a history",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"let genuine = |echo: &&Echo| contact::is_genuine(self.keyring(), echo);"#,
            wrong: r#"let genuine = |echo: &&Echo| PLANTED || contact::is_genuine(self.keyring(), echo);"#,
        }],
        by: By::Test("pocketbook_server", "memory"),
    },
    Bug {
        name: "numbers may have holes",
        edits: &[Edit {
            file: "sync-server/src/exchange.rs",
            right: r#"if !in_order || !are_numbers {"#,
            wrong: r#"if !PLANTED && (!in_order || !are_numbers) {"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "a batch that begins too late is taken",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#".is_some_and(|first| first.mseq > next) {"#,
            wrong: r#".is_some_and(|first| !PLANTED && first.mseq > next) {"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "one poisoned mutation stops its batch",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"Err(fault) if fault.may_be_one_mutation() && care == Care::Apply => {"#,
            wrong: r#"Err(fault) if !PLANTED && fault.may_be_one_mutation() && care == Care::Apply => {"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "a repeat is not answered again",
        edits: &[Edit {
            file: "sync-server/src/exchange/answer.rs",
            right: r#"Some(first) => request.settled_mseq.min(Mseq(first.0.saturating_sub(1))),"#,
            wrong: r#"Some(_) if PLANTED => request.settled_mseq,
        Some(first) => request.settled_mseq.min(Mseq(first.0.saturating_sub(1))),"#,
        }],
        by: By::Test("pocketbook_server", "exchange"),
    },
    Bug {
        name: "a phone tells when it was spoken to",
        edits: &[Edit {
            file: "sync-server/src/exchange/contact.rs",
            right: r#"genuine.then_some(time)"#,
            wrong: r#"(PLANTED || genuine).then_some(time)"#,
        }],
        by: By::Test("pocketbook_server", "contact"),
    },
    Bug {
        name: "a time told to one is believed of all",
        edits: &[Edit {
            file: "sync-server/src/exchange/contact.rs",
            right: r#"[enrolment.as_bytes().as_slice(), &time.to_be_bytes()].concat()"#,
            wrong: r#"[if PLANTED { &[][..] } else { enrolment.as_bytes().as_slice() }, &time.to_be_bytes()].concat()"#,
        }],
        by: By::Test("pocketbook_server", "contact"),
    },
    Bug {
        name: "the server's time runs back",
        edits: &[Edit {
            file: "sync-server/src/writer/batch.rs",
            right: r#"head.time = head.time.max(seat.clock.now_ms());"#,
            wrong: r#"head.time = if PLANTED { seat.clock.now_ms() } else { head.time.max(seat.clock.now_ms()) };"#,
        }],
        by: By::Test("pocketbook_server", "time_never"),
    },
    Bug {
        name: "a proof is believed unsigned",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"is_own && keyring.verifies(Purpose::Receipts, &row.signed_bytes(), &row.mac.0);"#,
            wrong: r#"is_own && (PLANTED || keyring.verifies(Purpose::Receipts, &row.signed_bytes(), &row.mac.0));"#,
        }],
        by: By::Test("stories", "proof"),
    },
    Bug {
        name: "a proof proves other content",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"receipt.mid == mutation.mid && receipt.check == check;"#,
            wrong: r#"receipt.mid == mutation.mid && (PLANTED || receipt.check == check);"#,
        }],
        by: By::Test("stories", "proofs"),
    },
    Bug {
        name: "a proof proves another account's work",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"Ok(earlier.is_some_and(|earlier| earlier.caller.user == self.caller.user))"#,
            wrong: r#"Ok(PLANTED || earlier.is_some_and(|earlier| earlier.caller.user == self.caller.user))"#,
        }],
        by: By::Test("stories", "proofs"),
    },
];
