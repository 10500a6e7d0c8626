//! Edits of the same record by several people.

use super::*;

#[test]
fn different_fields_merge_without_a_question() {
    let (district, mut wang, rev) = with_household();
    let mut li = li(&district);
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    li.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("door_code", Value::Null, json!("42"))],
    );
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    assert_eq!(outcomes(&district.hand_in(&mut li)), [Outcome::Merged]);
    let body = district.record(&HOUSEHOLD, HOME).body;
    assert_eq!(
        (&body["tenure"], &body["door_code"]),
        (&json!("rent"), &json!("42"))
    );
}

#[test]
fn the_same_field_opens_a_review_that_holds_both_and_a_decision_closes_it() {
    let (district, mut wang, rev) = with_household();
    let mut li = li(&district);
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    li.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("empty"))],
    );
    district.hand_in(&mut wang);
    let receipts = district.hand_in(&mut li);
    assert_eq!(outcomes(&receipts), [Outcome::Conflict]);
    let review = review::id("household", HOME, "tenure");
    assert_eq!(receipts[0].fates[0].fate, FateKind::Shown);
    assert_eq!(receipts[0].fates[0].review, Some(review));
    let seen = candidates(&district, &REVIEW, review);
    assert_eq!(seen.len(), 3);

    decide(
        &mut wang,
        review,
        &REVIEW,
        Choice::Value(json!("rent")),
        seen,
    );
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    assert_eq!(district.record(&HOUSEHOLD, HOME).body["tenure"], "rent");
    assert_eq!(district.record(&REVIEW, review).body["state"], "closed");
}

#[test]
fn a_name_waits_for_the_head() {
    let (district, mut wang, _) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    district.hand_in(&mut wang);
    let rev = district.record(&PERSON, who).rev;
    wang.edit(
        (&PERSON, who),
        Some(rev),
        &[("name", json!("甲"), json!("乙"))],
    );
    li.edit(
        (&PERSON, who),
        Some(rev),
        &[("name", json!("甲"), json!("丙"))],
    );
    district.hand_in(&mut wang);
    let receipts = district.hand_in(&mut li);
    assert_eq!(receipts[0].fates[0].fate, FateKind::Proposed);
    assert_eq!(district.record(&PERSON, who).body["name"], "乙");

    let review = review::id("person", who, "name");
    let seen = candidates(&district, &REVIEW, review);
    decide(
        &mut li,
        review,
        &REVIEW,
        Choice::Value(json!("丙")),
        seen.clone(),
    );
    assert_eq!(outcomes(&district.hand_in(&mut li)), [Outcome::Conflict]);
    assert_eq!(district.record(&PERSON, who).body["name"], "乙");

    let seen = candidates(&district, &REVIEW, review);
    decide(&mut head, review, &REVIEW, Choice::Value(json!("丙")), seen);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    assert_eq!(district.record(&PERSON, who).body["name"], "丙");
}

#[test]
fn the_same_value_again_is_a_duplicate_and_keeps_the_rev() {
    let (district, _, rev) = with_household();
    let mut li = li(&district);
    li.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("rent"), json!("own"))],
    );
    assert_eq!(outcomes(&district.hand_in(&mut li)), [Outcome::Duplicate]);
    assert_eq!(district.record(&HOUSEHOLD, HOME).rev, rev);
}
