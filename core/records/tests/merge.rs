//! Properties of the merge: what holds for any records, edits and orders of arrival.

use pocketbook_records::body;
use pocketbook_records::decide::{self, Decided};
use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, EnrolmentId, Mid, Mseq, RecordId, UserId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::merge::{Merged, Stored, merge};
use pocketbook_records::mutation::{Choice, Decide, Frozen, Op, Set};
use pocketbook_records::overlay::overlay;
use pocketbook_records::path::Path;
use pocketbook_records::receipt::Reason;
use pocketbook_records::stamp::{Author, Stamp, Stamps};
use pocketbook_records::time::{At, Interval};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn at() -> At {
    At {
        wall: 0,
        boot: "b".into(),
        monotonic_ms: 0,
        contact: None,
    }
}

fn author(phone: u128, mseq: u64, from: i64, to: i64, commit: u64) -> Author {
    Author {
        enrolment: EnrolmentId(Uuid::from_u128(phone)),
        user: UserId(Uuid::from_u128(phone + 100)),
        mid: Mid(Uuid::from_u128((phone << 64) + u128::from(mseq))),
        mseq: Mseq(mseq),
        at: Interval { from, to },
        own_chain: true,
        earlier: Vec::new(),
        holder: false,
        commit: Commit(commit),
        origin: None,
        lost: Lost::default(),
    }
}

fn stored(fields: Value) -> Stored {
    let Value::Object(body) = fields else {
        panic!("an object")
    };
    Stored {
        body,
        created: author(9, 1, 0, 0, 1).stamp(None),
        stamps: Stamps::default(),
    }
}

fn patch() -> Frozen {
    let mut frozen = Frozen::new(&HOUSEHOLD, RecordId(Uuid::nil()), Op::Patch, at());
    frozen.seen = Some(Commit(1));
    frozen
}

fn path(text: &str) -> Path {
    Path::parse(text).expect("a path of the test")
}

fn set(text: &str, was: Value, to: Value) -> Set {
    Set {
        path: path(text),
        was,
        to,
    }
}

fn apply(base: &Stored, edit: &Frozen, by: &Author) -> (Stored, Merged) {
    let merged = merge(&HOUSEHOLD, base.clone(), edit, by, &|_| false);
    let after = Stored {
        body: merged.body.clone(),
        created: base.created.clone(),
        stamps: merged.stamps.clone(),
    };
    (after, merged)
}

#[test]
fn two_phones_that_change_different_fields_meet_without_a_question() {
    let base = stored(json!({"tenure": "own"}));
    let mut one = patch();
    one.set.push(set("tenure", json!("own"), json!("rent")));
    let mut other = patch();
    other
        .set
        .push(set("registration", Value::Null, json!("here")));
    let (after, first) = apply(&base, &one, &author(1, 1, 5, 6, 2));
    let (after, second) = apply(&after, &other, &author(2, 1, 5, 6, 3));
    assert!(first.disputes.is_empty() && second.disputes.is_empty());
    assert_eq!(
        Value::Object(after.body),
        json!({"registration": "here", "tenure": "rent"})
    );
}

#[test]
fn a_register_written_by_two_keeps_all_three_values_and_shows_the_later() {
    let base = stored(json!({"tenure": "own"}));
    let mut one = patch();
    one.set.push(set("tenure", json!("own"), json!("rent")));
    let mut other = patch();
    other.set.push(set("tenure", json!("own"), json!("lent")));
    let (middle, _) = apply(&base, &one, &author(1, 1, 50, 60, 2));
    for (from, to, shown) in [(70, 80, "lent"), (10, 20, "rent"), (55, 58, "lent")] {
        let (after, merged) = apply(&middle, &other, &author(2, 1, from, to, 3));
        assert_eq!(after.body["tenure"], shown);
        let values: Vec<&Value> = merged.disputes[0]
            .candidates
            .iter()
            .map(|c| &c.value)
            .collect();
        assert_eq!(values, [&json!("rent"), &json!("own"), &json!("lent")]);
    }
}

#[test]
fn an_own_later_edit_is_no_conflict_even_from_a_stale_screen() {
    let base = stored(json!({"tenure": "own"}));
    let mut first = patch();
    first.set.push(set("tenure", json!("own"), json!("rent")));
    let mut second = patch();
    second.set.push(set("tenure", json!("own"), json!("lent")));
    let (after, _) = apply(&base, &first, &author(1, 1, 5, 6, 2));
    let (mine, merged) = apply(&after, &second, &author(1, 2, 7, 8, 3));
    assert!(merged.disputes.is_empty());
    assert_eq!(mine.body["tenure"], "lent");
    let enrolled_again = |first| Author {
        enrolment: author(2, 1, 0, 0, 0).enrolment,
        mseq: Mseq(first),
        earlier: vec![(author(1, 1, 0, 0, 0).enrolment, Mseq(first))],
        ..author(1, 2, 7, 8, 3)
    };
    assert!(
        apply(&after, &second, &enrolled_again(2))
            .1
            .disputes
            .is_empty(),
        "a phone that enrolled again knows its work"
    );
    assert_eq!(
        apply(&after, &second, &enrolled_again(1)).1.disputes.len(),
        1,
        "and not what its clone did under the same name"
    );
    let desk = Author {
        own_chain: false,
        ..author(1, 2, 7, 8, 3)
    };
    assert_eq!(
        apply(&after, &second, &desk).1.disputes.len(),
        1,
        "a desk's screens don't chain"
    );
}

#[test]
fn a_never_auto_field_stays_until_its_holder_decides() {
    let base = stored(json!({"moved_out": "2026-01-01"}));
    let mut edit = patch();
    edit.set
        .push(set("moved_out", Value::Null, json!("2026-02-02")));
    let (after, merged) = apply(&base, &edit, &author(1, 1, 900, 950, 2));
    assert_eq!(after.body["moved_out"], "2026-01-01");
    assert!(merged.disputes[0].held);
    let review = decide::open(
        None,
        "household",
        RecordId(Uuid::nil()),
        &merged.disputes[0],
        5,
    );
    let seen: Vec<String> = decide::candidates(&review)
        .into_iter()
        .map(|c| c.id)
        .collect();
    let decision = Decide {
        choice: Choice::Value(json!("2026-02-02")),
        seen,
    };
    let worker = author(1, 2, 960, 961, 3);
    let proposed = decide::decide(&review, &decision, &worker).unwrap();
    assert!(matches!(proposed, Decided::Proposed { .. }));
    let head = Author {
        holder: true,
        ..author(3, 1, 970, 971, 4)
    };
    let Decided::Settled { value, .. } = decide::decide(&review, &decision, &head).unwrap() else {
        panic!("the head settles");
    };
    assert_eq!(value, json!("2026-02-02"));
}

#[test]
fn a_decision_that_has_not_seen_every_candidate_settles_nothing() {
    let base = stored(json!({"tenure": "rent"}));
    let mut edit = patch();
    edit.set.push(set("tenure", json!("own"), json!("lent")));
    let (_, merged) = apply(&base, &edit, &author(1, 1, 5, 6, 2));
    let review = decide::open(
        None,
        "household",
        RecordId(Uuid::nil()),
        &merged.disputes[0],
        5,
    );
    let all: Vec<String> = decide::candidates(&review)
        .into_iter()
        .map(|c| c.id)
        .collect();
    let part = Decide {
        choice: Choice::Candidate(all[0].clone()),
        seen: all[..2].to_vec(),
    };
    let by = author(2, 5, 8, 8, 4);
    assert!(matches!(
        decide::decide(&review, &part, &by),
        Ok(Decided::Proposed { .. })
    ));
    let whole = Decide {
        choice: Choice::Candidate(all[0].clone()),
        seen: all.clone(),
    };
    let Ok(Decided::Settled { review: closed, .. }) = decide::decide(&review, &whole, &by) else {
        panic!("all were seen");
    };
    assert_eq!(
        decide::decide(&closed, &whole, &author(3, 1, 9, 9, 5)),
        Ok(Decided::Same)
    );
    let other = Decide {
        choice: Choice::Candidate(all[2].clone()),
        seen: all,
    };
    let Ok(Decided::Proposed { review: again }) =
        decide::decide(&closed, &other, &author(3, 1, 9, 9, 5))
    else {
        panic!("it had not seen the closing decision");
    };
    assert!(decide::is_open(&again));
}

#[test]
fn removing_a_tag_disputes_the_proof_that_was_not_seen() {
    let base = stored(json!({"tags": {"lives-alone": {"proof": "old"}}}));
    let mut edited = patch();
    edited
        .set
        .push(set("tags/lives-alone/proof", json!("old"), json!("new")));
    let mut removed = patch();
    removed
        .set
        .push(set("tags/lives-alone/proof", json!("old"), Value::Null));
    removed
        .remove
        .insert(path("tags"), vec!["lives-alone".into()]);
    let (after, _) = apply(&base, &edited, &author(1, 1, 5, 6, 2));
    let (after, merged) = apply(&after, &removed, &author(2, 1, 1, 2, 3));
    assert_eq!(after.body["tags"]["lives-alone"]["proof"], "new");
    assert_eq!(merged.disputes[0].path, path("tags/lives-alone/proof"));
    let (alone, merged) = apply(&base, &removed, &author(2, 1, 1, 2, 3));
    assert!(merged.disputes.is_empty());
    assert_eq!(Value::Object(alone.body), json!({"tags": {}}));
}

#[test]
fn removing_a_tag_asks_about_what_was_written_in_it_meanwhile() {
    let base = stored(json!({"tags": {"lives-alone": {"proof": "old"}}}));
    let mut writes = patch();
    writes.set.push(set(
        "tags/lives-alone/since",
        Value::Null,
        json!("2020-01-01"),
    ));
    let mut removes = patch();
    removes
        .remove
        .insert(path("tags"), vec!["lives-alone".into()]);
    let (middle, _) = apply(&base, &writes, &author(1, 1, 5, 6, 2));
    let (after, merged) = apply(&middle, &removes, &author(2, 1, 5, 6, 3));
    assert_eq!(after.body["tags"]["lives-alone"]["since"], "2020-01-01");
    assert_eq!(merged.disputes[0].path, path("tags/lives-alone/since"));
}

#[test]
fn edits_are_checked_against_the_table() {
    let check = |mut frozen: Frozen, text: &str, to: Value| {
        frozen.set.push(set(text, Value::Null, to));
        frozen.check(&HOUSEHOLD)
    };
    assert_eq!(check(patch(), "tenure", json!("own")), Ok(()));
    assert_eq!(
        check(patch(), "tenure", json!(7)),
        Err(Reason::BadValue("tenure".into()))
    );
    assert_eq!(
        check(patch(), "grid", json!("g")),
        Err(Reason::ServerField("grid".into()))
    );
    assert_eq!(
        check(patch(), "state", json!("x")),
        Err(Reason::ServerField("state".into()))
    );
    assert_eq!(
        check(patch(), "colour", json!("x")),
        Err(Reason::UnknownField("colour".into()))
    );
    let newer = Frozen {
        schema: u16::MAX,
        ..patch()
    };
    assert_eq!(
        check(newer, "colour", json!("x")),
        Ok(()),
        "kept from a newer schema"
    );
    assert_eq!(
        check(patch(), "knocks", json!(1)),
        Err(Reason::BadValue("knocks".into()))
    );
    assert_eq!(
        patch().check(&PERSON),
        Err(Reason::Malformed),
        "a patch without edits"
    );
}

/// An edit of the fields whose merge must not depend on the order of arrival.
fn free_edit() -> impl Strategy<Value = Frozen> {
    let item = prop::sample::select(vec!["a", "b", "c"]);
    (
        -5_i64..5,
        0_i64..9,
        0_i64..9,
        prop::collection::vec((item, any::<bool>()), 0..4),
        0_u8..4,
    )
        .prop_map(|(by, late, early, items, note)| {
            let mut frozen = patch();
            frozen.inc.insert(path("knocks"), by);
            frozen.set.push(set("last_visit", Value::Null, json!(late)));
            frozen
                .set
                .push(set("known_since", Value::Null, json!(early)));
            for (item, adds) in items {
                if adds {
                    frozen
                        .add
                        .entry(path("tags"))
                        .or_default()
                        .push(json!(item));
                    frozen
                        .add
                        .entry(path("photos"))
                        .or_default()
                        .push(json!(item));
                } else {
                    frozen
                        .remove
                        .entry(path("photos"))
                        .or_default()
                        .push(item.into());
                }
            }
            frozen.add.insert(
                path("notes"),
                vec![json!({"id": format!("n{note}"), "text": "x"})],
            );
            frozen
        })
}

proptest! {
    #[test]
    fn counter_set_map_append_max_and_min_do_not_depend_on_the_order(
        edits in prop::collection::vec(free_edit(), 1..5),
        order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let base = stored(json!({"photos": ["a", "b"], "knocks": 3}));
        let run = |order: &[usize]| {
            let mut now = base.clone();
            for (commit, index) in order.iter().filter(|i| **i < edits.len()).enumerate() {
                let by = author(*index as u128 + 1, 1, 5, 6, commit as u64 + 2);
                now = apply(&now, &edits[*index], &by).0;
            }
            body::write(&now.body)
        };
        prop_assert_eq!(run(&[0, 1, 2, 3, 4]), run(&order));
    }

    #[test]
    fn the_merge_is_deterministic_and_keeps_what_it_does_not_know(
        edits in prop::collection::vec(free_edit(), 1..5),
    ) {
        let run = || {
            let mut now = stored(json!({"future": {"deep": [1, "二"]}, "tenure": "own"}));
            for (index, edit) in edits.iter().enumerate() {
                now = apply(&now, edit, &author(1, index as u64 + 1, 5, 6, index as u64 + 2)).0;
            }
            now
        };
        let (one, other) = (run(), run());
        prop_assert_eq!(body::write(&one.body), body::write(&other.body));
        prop_assert_eq!(one.stamps, other.stamps);
        prop_assert_eq!(&one.body["future"], &json!({"deep": [1, "二"]}));
    }

    #[test]
    fn applying_the_same_edit_of_elements_twice_changes_nothing_more(edit in free_edit()) {
        let mut edit = edit;
        edit.inc.clear();
        let base = stored(json!({"photos": ["a", "b"]}));
        let by = author(1, 1, 5, 6, 2);
        let once = apply(&base, &edit, &by).0;
        prop_assert_eq!(&apply(&once, &edit, &by).0.body, &once.body);
    }

    #[test]
    fn an_edit_alone_is_what_its_author_was_shown(edit in free_edit()) {
        let base = stored(json!({"photos": ["a", "b"], "knocks": 1}));
        let mut preview = base.body.clone();
        overlay(&HOUSEHOLD, &mut preview, &edit);
        let merged = apply(&base, &edit, &author(1, 1, 5, 6, 2)).0;
        prop_assert_eq!(body::write(&preview), body::write(&merged.body));
    }

    #[test]
    fn canonical_text_reads_back_as_itself(edit in free_edit()) {
        let base = stored(json!({}));
        let text = body::write(&apply(&base, &edit, &author(1, 1, 5, 6, 2)).0.body);
        prop_assert_eq!(body::write(&body::parse(&text).unwrap()), text);
    }

    #[test]
    fn a_frozen_mutation_reads_back_as_itself(edit in free_edit()) {
        prop_assert_eq!(Frozen::parse(edit.freeze().get()).unwrap(), edit);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Frozen::parse(&text);
        let _ = body::parse(&text);
    }
}

#[test]
fn a_stamp_survives_its_column() {
    let stamp = author(1, 2, 3, 4, 5).stamp(Some(Commit(1)));
    let text = serde_json::to_string(&stamp).unwrap();
    assert_eq!(serde_json::from_str::<Stamp>(&text).unwrap(), stamp);
    let mut stamps = Stamps::default();
    stamps.fields.insert(path("a"), stamp);
    let text = serde_json::to_string(&stamps).unwrap();
    assert_eq!(serde_json::from_str::<Stamps>(&text).unwrap(), stamps);
}
