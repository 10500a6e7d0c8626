//! Rules of the merge and of reviews: what becomes of two edits that meet.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
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
            right: r#"let waits_for_holder = never_auto && reviewed"#,
            wrong: r#"let waits_for_holder = !PLANTED && never_auto && reviewed"#,
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
        name: "edits are judged by the revision that was shown",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"now != set.was && !self.is_own"#,
            wrong: r#"(if PLANTED { !self.author.lost.includes(self.edit.seen, last.commit) } else { now != set.was }) && !self.is_own"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a plain edit passes by an open question",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"let reviewed = (self.under_review)(&set.path);"#,
            wrong: r#"let reviewed = !PLANTED && (self.under_review)(&set.path);"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "anybody settles a head's field by a plain edit",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"&& !self.author.holder;"#,
            wrong: r#"&& !(PLANTED || self.author.holder);"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a later day does not win",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"if stored.is_none_or(|stored| to.is_some_and(|to| wins(stored, to))) {"#,
            wrong: r#"if PLANTED || stored.is_none_or(|stored| to.is_some_and(|to| wins(stored, to))) {"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "the earlier of two values is shown",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"let is_later = !last.at.is_after(self.author.at);"#,
            wrong: r#"let is_later = PLANTED || !last.at.is_after(self.author.at);"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a question forgets the value before",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"candidates.push(base);"#,
            wrong: r#"if !PLANTED { candidates.push(base); }"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "what was brought back is done twice",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#".is_some_and(|origin| lost.includes(last.seen, origin))"#,
            wrong: r#".is_some_and(|origin| !PLANTED && lost.includes(last.seen, origin))"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "work upon lost history is compared with what it saw there",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"&& !self.is_made_upon(&last);"#,
            wrong: r#"&& (PLANTED || !self.is_made_upon(&last));"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "an element that was taken out leaves no trace",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"stamp.gone = Some(self.author.commit);"#,
            wrong: r#"if !PLANTED { stamp.gone = Some(self.author.commit); }"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "an element that was added again counts as taken out",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"stamp.gone = None;"#,
            wrong: r#"if !PLANTED { stamp.gone = None; }"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "adds of an element outlive it",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"stamp.adds.clear();"#,
            wrong: r#"if !PLANTED { stamp.adds.clear(); }"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "writing in an element does not add it",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"if !set.to.is_null()
            && let"#,
            wrong: r#"if !PLANTED && !set.to.is_null()
            && let"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "an own add is in the way of a remove",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"self.has_seen(add.commit, add.origin) || self.is_own(*who, add.mseq)"#,
            wrong: r#"self.has_seen(add.commit, add.origin) || (!PLANTED && self.is_own(*who, add.mseq))"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "an add that was brought back counts as unseen",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"|| origin.is_some_and(|origin| lost.includes(self.edit.seen, origin))"#,
            wrong: r#"|| (!PLANTED && origin.is_some_and(|origin| lost.includes(self.edit.seen, origin)))"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "who enters the same value is not its author",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"if now == set.to {
            self.write(set);"#,
            wrong: r#"if now == set.to {
            if !PLANTED { self.write(set); }"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "what was not changed is an edit",
        edits: &[Edit {
            file: "core/records/src/merge.rs",
            right: r#"edit.set.iter().filter(|set| set.was != set.to)"#,
            wrong: r#"edit.set.iter().filter(|set| PLANTED || set.was != set.to)"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "own later work counts as known",
        edits: &[Edit {
            file: "core/records/src/stamp.rs",
            right: r#"enrolment == self.enrolment && mseq <= self.mseq;"#,
            wrong: r#"enrolment == self.enrolment && (PLANTED || mseq <= self.mseq);"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a phone that enrolled again does not know its work",
        edits: &[Edit {
            file: "core/records/src/stamp.rs",
            right: r#"|| self.earlier.iter().any(is_earlier))"#,
            wrong: r#"|| (!PLANTED && self.earlier.iter().any(is_earlier)))"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a closed question is decided again unseen",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"unseen |= !decide.seen.iter().any(|seen| seen == closing);"#,
            wrong: r#"if !PLANTED { unseen |= !decide.seen.iter().any(|seen| seen == closing); }"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "an equal decision asks once more",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"if !is_open && all.iter().any(|c| c.id == shown && c.value == value) {"#,
            wrong: r#"if !PLANTED && !is_open && all.iter().any(|c| c.id == shown && c.value == value) {"#,
        }],
        by: By::Test("merge", ""),
    },
    Bug {
        name: "a question asked again stays closed",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"    if !was_open {
        turn"#,
            wrong: r#"    if !PLANTED && !was_open || review.get("state").is_none() {
        turn"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a question asked again forgets what it held",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"let mut all = candidates(&review);
    for"#,
            wrong: r#"let mut all = if PLANTED { Vec::new() } else { candidates(&review) };
    for"#,
        }],
        by: By::Test("conflicts", ""),
    },
    Bug {
        name: "a question forgets that it is a head's",
        edits: &[Edit {
            file: "core/records/src/decide.rs",
            right: r#"json!(dispute.held)"#,
            wrong: r#"json!(!PLANTED && dispute.held)"#,
        }],
        by: By::Test("merge", ""),
    },
];
