//! Edits that meet: whatever two phones send in whatever order, the merge gives one answer, keeps
//! every value that it does not show, and leaves a body that can be kept.
//!
//! An input is `{"kind", "body", "edits": […]}`; its edits come from two phones in turn.

use pocketbook_fuzz::{folder, vary};
use pocketbook_records::body::{self, Fields};
use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, EnrolmentId, Mid, Mseq, UserId};
use pocketbook_records::kind::{Kind, Rule};
use pocketbook_records::merge::{Merged, Stored, merge};
use pocketbook_records::mutation::Frozen;
use pocketbook_records::path;
use pocketbook_records::stamp::{Author, Stamps};
use pocketbook_records::time::Interval;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bodies::is_canonical;

#[derive(Deserialize)]
struct Meeting {
    kind: String,
    #[serde(deserialize_with = "body::strict_fields")]
    body: Fields,
    edits: Vec<Box<RawValue>>,
}

fn author(phone: u64, mseq: u64, commit: u64) -> Author {
    let uuid = |n: u64| Uuid::from_u128(u128::from(n));
    Author {
        enrolment: EnrolmentId(uuid(phone)),
        user: UserId(uuid(phone + 100)),
        mid: Mid(uuid(phone * 1_000 + mseq)),
        mseq: Mseq(mseq),
        at: Interval {
            from: i64::try_from(commit).unwrap_or(0) * 10,
            to: i64::try_from(commit).unwrap_or(0) * 10 + 15,
        },
        own_chain: true,
        earlier: Vec::new(),
        holder: phone == 2,
        commit: Commit(commit),
        origin: None,
        lost: Lost::default(),
    }
}

/// What one edit makes of a record, judged twice.
fn judged(kind: &Kind, stored: &Stored, edit: &Frozen, author: &Author) -> Merged {
    let reviewed = |path: &path::Path| path.as_str().len().is_multiple_of(3);
    let once = merge(kind, stored.clone(), edit, author, &reviewed);
    let again = merge(kind, stored.clone(), edit, author, &reviewed);
    assert_eq!(once.body, again.body);
    assert_eq!(once.stamps, again.stamps);
    assert_eq!(once.fates, again.fates);
    assert_eq!(once.disputes, again.disputes);
    once
}

fn meet(bytes: &[u8]) {
    let Ok(meeting) = serde_json::from_slice::<Meeting>(bytes) else {
        return;
    };
    let Some(kind) = Kind::named(&meeting.kind) else {
        return;
    };
    let mut stored = Stored {
        body: meeting.body,
        created: author(1, 1, 1).stamp(None),
        stamps: Stamps::default(),
    };
    for (commit, text) in (2..).zip(meeting.edits.iter().take(20)) {
        let Ok(edit) = Frozen::parse(text.get()) else {
            continue;
        };
        if edit.check(kind).is_err() {
            continue;
        }
        let author = author(commit % 2 + 1, commit, commit);
        let merged = judged(kind, &stored, &edit, &author);
        is_canonical(&merged.body);
        for set in edit.set.iter().filter(|set| set.was != set.to) {
            let is_register = kind
                .field(set.path.root())
                .is_none_or(|field| matches!(field.rule, Rule::Register | Rule::NeverAuto));
            let is_shown = *path::get(&merged.body, &set.path) == set.to;
            let mut held = merged.disputes.iter().filter(|d| d.path == set.path);
            let is_kept = held.any(|d| d.candidates.iter().any(|c| c.value == set.to));
            assert!(
                !is_register || is_shown || is_kept,
                "{}: what the author wrote is neither shown nor kept",
                set.path
            );
        }
        for dispute in &merged.disputes {
            let ids = dispute.candidates.iter().map(|c| &c.id);
            assert!(ids.clone().any(|id| *id == dispute.shown), "{dispute:?}");
        }
        stored.body = merged.body;
        stored.stamps = merged.stamps;
    }
    let stamps = serde_json::to_string(&stored.stamps).expect("stamps are written");
    let read: Stamps = serde_json::from_str(&stamps).expect("and read");
    assert_eq!(read, stored.stamps);
}

#[test]
fn merging() {
    bolero::check!(name = folder("merging"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| meet(bytes));
    vary("merging", 1_500, meet);
}
