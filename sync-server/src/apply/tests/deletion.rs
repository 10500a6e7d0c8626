//! What is deleted, and what comes after it.

use super::*;

#[test]
fn an_edit_after_deletion_is_kept_and_one_tap_restores() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, head.at());
    delete.seen = Some(rev);
    head.author(&delete);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    let edit = li.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    assert_eq!(outcomes(&district.hand_in(&mut li)), [Outcome::Conflict]);
    assert!(district.record(&HOUSEHOLD, HOME).deleted);
    wang.create(&HOUSEHOLD, HOME, household());
    let again = district.hand_in(&mut wang);
    assert_eq!(
        again[0].reason,
        Some(Reason::Gone),
        "a deleted id never lives again"
    );

    let review = review::id("household", HOME, "*");
    let seen = candidates(&district, &REVIEW, review);
    let choice = Choice::Candidate(edit.to_string());
    decide(&mut head, review, &REVIEW, choice, seen);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    let restored = district.record(&HOUSEHOLD, HOME);
    assert!(!restored.deleted && restored.body["tenure"] == "rent");
    digests_hold(&district);
}

#[test]
fn a_deletion_that_had_not_seen_an_edit_lists_it() {
    let (district, mut wang, rev) = with_household();
    let mut head = head(&district);
    let edit = wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    district.hand_in(&mut wang);
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, head.at());
    delete.seen = Some(rev);
    head.author(&delete);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Conflict]);
    let review = review::id("household", HOME, "*");
    assert!(candidates(&district, &REVIEW, review).contains(&edit.to_string()));
}

#[test]
fn a_deletion_that_had_not_seen_an_edit_of_the_companion_lists_it_too() {
    let (district, mut wang, _) = with_household();
    let mut head = head(&district);
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(&PERSON_SENSITIVE, who, json!({ "phone": PHONE }));
    district.hand_in(&mut wang);
    let seen = Some(district.record(&PERSON, who).rev);
    let edit = wang.edit(
        (&PERSON_SENSITIVE, who),
        seen,
        &[("phone", json!(PHONE), json!("13900001111"))],
    );
    district.hand_in(&mut wang);
    let mut delete = Frozen::new(&PERSON, who, Op::Delete, head.at());
    delete.seen = seen;
    head.author(&delete);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Conflict]);
    let review = review::id("person-sensitive", who, "*");
    let listed = candidates(&district, &REVIEW_SENSITIVE, review);
    assert!(listed.contains(&edit.to_string()));
    digests_hold(&district);
}

#[test]
fn an_edit_after_deletion_that_took_a_value_away_is_stored_without_null() {
    let (district, _, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, head.at());
    delete.seen = Some(rev);
    head.author(&delete);
    district.hand_in(&mut head);
    li.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), Value::Null)],
    );
    district.hand_in(&mut li);
    let review = district.record(&REVIEW, review::id("household", HOME, "*"));
    let all = pocketbook_records::decide::candidates(&review.body);
    assert!(all.iter().any(|one| one.value["tenure"] == true));
}

#[test]
fn a_household_with_people_is_not_deleted_and_a_person_goes_with_the_companion() {
    let (district, mut wang, rev) = with_household();
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(&PERSON_SENSITIVE, who, json!({ "phone": PHONE }));
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, wang.at());
    delete.seen = Some(rev);
    wang.author(&delete);
    let receipts = district.hand_in(&mut wang);
    assert_eq!(receipts[2].reason, Some(Reason::HasChildren));

    let seen = Some(district.record(&PERSON, who).rev);
    let mut delete = Frozen::new(&PERSON, who, Op::Delete, wang.at());
    delete.seen = seen;
    wang.author(&delete);
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    assert!(district.record(&PERSON_SENSITIVE, who).deleted);
    digests_hold(&district);
}
