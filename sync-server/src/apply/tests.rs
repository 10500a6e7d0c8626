//! What becomes of single mutations.

mod examples;
mod waiting;

use serde_json::{Value, json};

use pocketbook_records::digest::Digest;
use pocketbook_records::ids::{RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::PARKED;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::review::{self, REVIEW, REVIEW_SENSITIVE, tray_id};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::mutation::{Choice, Decide, Frozen, Op, Replaces};
use pocketbook_records::receipt::{FateKind, Outcome, Reason, Receipt};
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Entry;

use crate::testing::{self, DAWN, District, GRID, OTHER, Phone, household, id, person};

const HOME: RecordId = RecordId(uuid::uuid!("01900000-0000-7000-8000-0000000000aa"));
const PHONE: &str = "13912345678";

fn wang(district: &District) -> Phone {
    district.phone(1, Role::GridWorker, GRID)
}

fn li(district: &District) -> Phone {
    district.phone(2, Role::GridWorker, GRID)
}

fn head(district: &District) -> Phone {
    district.phone(3, Role::GridHead, GRID)
}

/// A district in which Wang has made a household file, and the file's rev.
fn with_household() -> (District, Phone, Rev) {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    let rev = district.record(&HOUSEHOLD, HOME).rev;
    (district, wang, rev)
}

fn outcomes(receipts: &[Receipt]) -> Vec<Outcome> {
    receipts.iter().map(|receipt| receipt.outcome).collect()
}

fn decide(phone: &mut Phone, review: RecordId, kind: &Kind, choice: Choice, seen: Vec<String>) {
    let mut frozen = Frozen::new(kind, review, Op::Decide, phone.at());
    frozen.decide = Some(Decide { choice, seen });
    phone.author(&frozen);
}

fn candidates(district: &District, kind: &Kind, review: RecordId) -> Vec<String> {
    let body = district.record(kind, review).body;
    let all = pocketbook_records::decide::candidates(&body);
    all.into_iter().map(|candidate| candidate.id).collect()
}

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

#[test]
fn what_waits_for_an_unknown_record_is_decided_when_it_comes() {
    let district = District::new();
    let (mut wang, mut li) = (wang(&district), li(&district));
    let who = id(7);
    li.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    li.edit(
        (&PERSON, who),
        None,
        &[("relation", Value::Null, json!("self"))],
    );
    let receipts = district.hand_in(&mut li);
    assert_eq!(outcomes(&receipts), [Outcome::Parked, Outcome::Parked]);
    assert_eq!(receipts[0].reason, Some(Reason::NotYours));
    assert!(district.find(&PERSON, who).is_none());

    wang.create(&HOUSEHOLD, HOME, household());
    district.hand_in(&mut wang);
    assert_eq!(district.record(&PERSON, who).body["relation"], "self");
    for receipt in receipts {
        let item = district.record(&PARKED, tray_id(receipt.mid));
        assert_eq!(item.body["state"], "released");
    }
}

#[test]
fn a_forbidden_record_and_an_unknown_one_are_answered_alike() {
    let (district, _, rev) = with_household();
    let mut stranger = district.phone(9, Role::GridWorker, OTHER);
    let sets = [("tenure", json!("own"), json!("rent"))];
    stranger.edit((&HOUSEHOLD, HOME), Some(rev), &sets);
    stranger.edit((&HOUSEHOLD, id(99)), Some(rev), &sets);
    let receipts = district.hand_in(&mut stranger);
    let word = |r: &Receipt| (r.outcome, r.reason.clone(), r.rev);
    assert_eq!(word(&receipts[0]), word(&receipts[1]));
    assert_eq!(receipts[0].reason, Some(Reason::NotYours));
    let [known, unknown] = [0, 1].map(|n| district.record(&PARKED, tray_id(receipts[n].mid)));
    let shape =
        |item: &crate::store::records::Record| item.body.keys().cloned().collect::<Vec<_>>();
    assert_eq!(shape(&known), shape(&unknown));
}

#[test]
fn an_edit_before_a_revoke_is_applied_and_one_after_it_lies_with_the_head() {
    let (district, mut wang, rev) = with_household();
    let mut head = head(&district);
    district.sync(&mut head);
    district.clock.advance(60_000);
    wang.monotonic_ms = 60_000;
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    district.clock.advance(60_000);
    district.revoke(person(1), Role::GridWorker, GRID);
    district.clock.advance(60_000);
    wang.monotonic_ms = 180_000;
    let late = wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("door_code", Value::Null, json!("1"))],
    );
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Applied, Outcome::Parked]);
    assert_eq!(receipts[0].rev, None, "who may not read is told no rev");
    assert_eq!(district.record(&HOUSEHOLD, HOME).body["tenure"], "rent");

    let item = district.record(&PARKED, tray_id(late));
    assert_eq!(item.home.as_ref().map(|home| home.0.as_str()), Some(GRID));
    let mut release = testing::command(&PARKED, &item, "release", json!({}), head.at());
    release.seen = Some(item.rev);
    head.author(&release);
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    assert_eq!(district.record(&HOUSEHOLD, HOME).body["door_code"], "1");
    assert_eq!(
        district.record(&PARKED, tray_id(late)).body["state"],
        "released"
    );
}

#[test]
fn what_builds_on_a_parked_creation_is_parked_and_released_with_it() {
    let (district, _, _) = with_household();
    let (mut stranger, mut head) = (district.phone(9, Role::GridWorker, OTHER), head(&district));
    let who = id(7);
    let first = stranger.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    let mut next = testing::patch(
        &PERSON,
        who,
        None,
        &[("relation", Value::Null, json!("self"))],
        stranger.at(),
    );
    next.deps = vec![first];
    let second = stranger.author(&next);
    let receipts = district.hand_in(&mut stranger);
    assert_eq!(outcomes(&receipts), [Outcome::Parked, Outcome::Parked]);
    assert_eq!(receipts[1].reason, Some(Reason::DependsOn));

    let item = district.record(&PARKED, tray_id(first));
    head.command(&item, "release", json!({}));
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    assert!(district.find(&PERSON, who).is_some());
    // Its own author still has no right to the grid: the second is now the head's to release.
    let item = district.record(&PARKED, tray_id(second));
    assert_eq!(item.body["reason"], "not-yours");
    assert_eq!(item.home.as_ref().map(|home| home.0.as_str()), Some(GRID));
}

#[test]
fn a_rejected_mutation_is_kept_and_its_replacement_frees_what_hung_on_it() {
    let (district, mut wang, _) = with_household();
    let who = id(7);
    let bad = json!({ "household": HOME, "name": "甲", "birth": "1990-13-01" });
    let first = wang.create(&PERSON, who, bad);
    let mut next = testing::patch(
        &PERSON,
        who,
        None,
        &[("relation", Value::Null, json!("self"))],
        wang.at(),
    );
    next.deps = vec![first];
    wang.author(&next);
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Rejected, Outcome::Parked]);
    assert_eq!(receipts[0].reason, Some(Reason::BadValue("birth".into())));
    let item = district.record(&PARKED, tray_id(first));
    assert_eq!(
        (&item.body["state"], &item.home),
        (&json!("rejected"), &None)
    );

    let good = json!({ "household": HOME, "name": "甲", "birth": "1990-12-01" });
    let mut fixed = testing::create(&PERSON, who, &good, wang.at());
    fixed.replaces = Some(Replaces {
        mid: first,
        turn: 1,
    });
    wang.author(&fixed);
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    assert_eq!(
        district.record(&PARKED, tray_id(first)).body["state"],
        "replaced"
    );
    assert_eq!(district.record(&PERSON, who).body["relation"], "self");
}

#[test]
fn after_a_discard_the_next_edit_is_compared_with_what_the_first_had_found() {
    let (district, mut wang, rev) = with_household();
    let mut stranger_duty = district.phone(9, Role::GridWorker, OTHER);
    let sets = [("tenure", json!("own"), json!("rent"))];
    let first = stranger_duty.edit((&HOUSEHOLD, HOME), Some(rev), &sets);
    assert_eq!(
        outcomes(&district.hand_in(&mut stranger_duty)),
        [Outcome::Parked]
    );
    district.grant(person(9), Role::GridWorker, GRID);
    district.clock.advance(1);
    stranger_duty.monotonic_ms = 5_000;
    district.clock.advance(10_000);
    let mut second = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &[("tenure", json!("rent"), json!("lent"))],
        stranger_duty.at(),
    );
    second.deps = vec![first];
    stranger_duty.author(&second);
    assert_eq!(
        outcomes(&district.hand_in(&mut stranger_duty)),
        [Outcome::Parked]
    );
    let item = district.record(&PARKED, tray_id(first));
    stranger_duty.command(&item, "discard", json!({}));
    assert_eq!(
        outcomes(&district.hand_in(&mut stranger_duty)),
        [Outcome::Applied]
    );
    assert_eq!(district.record(&HOUSEHOLD, HOME).body["tenure"], "lent");
    let review = review::id("household", HOME, "tenure");
    assert!(district.find(&REVIEW, review).is_none());
    district.sync(&mut wang);
}

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

#[test]
fn masks_are_derived_and_sensitive_values_are_nowhere_in_clear() {
    let (district, mut wang, _) = with_household();
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(
        &PERSON_SENSITIVE,
        who,
        json!({ "phone": PHONE, "id_number": "11010519491231002X" }),
    );
    wang.edit(
        (&PERSON_SENSITIVE, who),
        None,
        &[("phone", json!(PHONE), json!("13900001111"))],
    );
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Applied; 3]);
    let person = district.record(&PERSON, who).body;
    assert_eq!(person["masked_phone"], "139****1111");
    assert_eq!(person["masked_id"], "110105********002X");
    district.server.stop();
    for name in ["data/pocketbook.db", "data/pocketbook.db-wal"] {
        let bytes = testing::bytes_of(&district.dir.path().join(name));
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!holds(PHONE) && !holds("11010519491231002X"));
    }
}

#[test]
fn a_moved_household_takes_everything_along_and_no_rev_changes() {
    let (district, mut wang, _) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut clerk = district.phone(4, Role::CommunityClerk, "610402001001");
    let (who, when) = (id(7), id(8));
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(&PERSON_SENSITIVE, who, json!({ "phone": PHONE }));
    wang.create(&VISIT, when, json!({ "household": HOME, "result": "met" }));
    district.hand_in(&mut wang);
    district.sync(&mut wang);
    district.sync(&mut neighbour);
    let rev = district.record(&PERSON_SENSITIVE, who).rev;

    let record = district.record(&HOUSEHOLD, HOME);
    clerk.command(&record, "move", json!({ "grid": OTHER }));
    assert_eq!(outcomes(&district.hand_in(&mut clerk)), [Outcome::Applied]);
    assert_eq!(district.record(&PERSON_SENSITIVE, who).rev, rev);

    let left = entries(&district, &mut wang);
    assert_eq!(left.len(), 4);
    let quiet = |entry: &Entry| matches!(entry, Entry::Leave { to: None, .. });
    assert!(left.iter().all(quiet), "where it went is not hers to know");
    let come = entries(&district, &mut neighbour);
    assert_eq!(
        come.iter().filter(|e| matches!(e, Entry::Put(_))).count(),
        4
    );
    digests_hold(&district);
}

fn entries(district: &District, phone: &mut Phone) -> Vec<Entry> {
    let answer = district.sync(phone);
    answer
        .scopes
        .into_values()
        .flat_map(|page| page.entries)
        .collect()
}

#[test]
fn an_edit_made_before_a_move_is_judged_where_the_record_lay_then() {
    let (district, mut wang, rev) = with_household();
    let mut clerk = district.phone(4, Role::CommunityClerk, "610402001001");
    district.clock.advance(60_000);
    wang.monotonic_ms = 60_000;
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    district.clock.advance(60_000);
    let record = district.record(&HOUSEHOLD, HOME);
    clerk.command(&record, "move", json!({ "grid": OTHER }));
    district.hand_in(&mut clerk);
    district.clock.advance(60_000);
    wang.monotonic_ms = 180_000;
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("door_code", Value::Null, json!("1"))],
    );
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Applied, Outcome::Parked]);
}

#[test]
fn a_case_goes_through_the_loop_and_gets_its_official_number() {
    let (district, mut wang, _) = with_household();
    let desk = district.desk(5, Role::StreetDesk, "610402001");
    let handler = district.desk(6, Role::Handler, "water");
    let case = id(50);
    let mut report = testing::create(
        &CASE,
        case,
        &json!({ "grid": GRID, "category": "E0101", "place": "A-3" }),
        wang.at(),
    );
    report.command = Some(pocketbook_records::mutation::Command {
        name: "report".into(),
        args: Default::default(),
        expect: pocketbook_records::mutation::Expect {
            state: "draft".into(),
            turn: 0,
            after: None,
        },
    });
    wang.author(&report);
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    let body = district.record(&CASE, case).body;
    assert_eq!(
        (&body["state"], &body["author"]),
        (&json!("submitted"), &json!(person(1)))
    );

    let stale = district.record(&CASE, case);
    let accepted = district.command(&desk, (&CASE, case), "accept", json!({ "number": "mine" }));
    let number = accepted.receipt.assigned.values().next().unwrap();
    assert_eq!(number, "QD-2026-000001");
    assert_eq!(district.record(&CASE, case).body["number"], *number);
    district.command(&desk, (&CASE, case), "dispatch", json!({ "unit": "water" }));
    let done = district.command(&handler, (&CASE, case), "done", json!({ "reply": "ok" }));
    assert_eq!(done.receipt.outcome, Outcome::Applied);
    assert_eq!(district.record(&CASE, case).body["state"], "feedback");

    wang.command(&stale, "withdraw", json!({}));
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Superseded]);
    let mut late = testing::command(&CASE, &stale, "withdraw", json!({}), wang.at());
    late.blobs = vec![pocketbook_records::ids::BlobHash([7; 32])];
    wang.author(&late);
    let receipts = district.hand_in(&mut wang);
    assert_eq!(receipts[0].reason, Some(Reason::Stale));
    assert_eq!(outcomes(&receipts), [Outcome::Parked]);
}

#[test]
fn a_case_is_not_closed_before_it_was_handled() {
    let (district, _, _) = with_household();
    let mut head = head(&district);
    let case = id(50);
    let fields = json!({ "grid": GRID, "category": "E0101", "place": "A-3" });
    head.create(&CASE, case, fields);
    district.hand_in(&mut head);
    let record = district.record(&CASE, case);
    head.command(&record, "close", json!({}));
    let receipts = district.hand_in(&mut head);
    assert_eq!(receipts[0].reason, Some(Reason::WrongState));
    assert_eq!(outcomes(&receipts), [Outcome::Parked]);
}

#[test]
fn a_worker_does_not_release_what_is_parked() {
    let (district, mut wang, rev) = with_household();
    let mut stranger = district.phone(9, Role::GridWorker, OTHER);
    let sets = [("tenure", json!("own"), json!("rent"))];
    let mid = stranger.edit((&HOUSEHOLD, HOME), Some(rev), &sets);
    district.hand_in(&mut stranger);
    let item = district.record(&PARKED, tray_id(mid));
    wang.command(&item, "release", json!({}));
    let receipts = district.hand_in(&mut wang);
    assert_eq!(receipts[0].reason, Some(Reason::NotPermitted));
    assert_eq!(
        district.record(&PARKED, tray_id(mid)).body["state"],
        "parked"
    );
}

#[test]
fn bad_content_is_one_mutations_matter() {
    let (district, mut wang, rev) = with_household();
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.into()).unwrap();
    for text in [
        "{}",
        "7",
        r#"{"schema":1,"kind":"planet","id":"01900000-0000-7000-8000-0000000000aa","op":"create","at":{"wall":0,"boot":"b","monotonic_ms":0}}"#,
    ] {
        wang.mseq += 1;
        let mid = pocketbook_records::ids::Mid(id(0x9000 + u128::from(wang.mseq)).0);
        wang.outbox.push(pocketbook_records::mutation::Mutation {
            mid,
            mseq: pocketbook_records::ids::Mseq(wang.mseq),
            frozen: raw(text),
        });
    }
    let sets = |path| [(path, Value::Null, json!("x"))];
    wang.edit((&HOUSEHOLD, HOME), Some(rev), &sets("colour"));
    wang.edit((&PERSON, id(7)), Some(rev), &sets("masked_id"));
    wang.edit((&HOUSEHOLD, HOME), Some(rev), &sets("grid"));
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    let receipts = district.hand_in(&mut wang);
    let reasons: Vec<_> = receipts.iter().map(|r| r.reason.clone()).collect();
    assert_eq!(
        reasons,
        [
            Some(Reason::Malformed),
            Some(Reason::Malformed),
            Some(Reason::UnknownKind),
            Some(Reason::UnknownField("colour".into())),
            Some(Reason::ServerField("masked_id".into())),
            Some(Reason::ServerField("grid".into())),
            None
        ]
    );
    assert_eq!(receipts[6].outcome, Outcome::Applied);
}

#[test]
fn a_part_timer_registers_blind() {
    let (district, _, _) = with_household();
    let mut helper = district.phone(8, Role::PartTimer, GRID);
    let who = id(7);
    helper.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    helper.create(&PERSON_SENSITIVE, who, json!({ "phone": PHONE }));
    let receipts = district.hand_in(&mut helper);
    assert_eq!(outcomes(&receipts), [Outcome::Applied; 2]);
    assert!(receipts[0].rev.is_some() && receipts[1].rev.is_none());
    let answer = district.sync(&mut helper);
    let text = serde_json::to_string(&answer).unwrap();
    assert!(!text.contains(PHONE));
}

/// Recomputes every scope's digest from the records and compares.
pub(crate) fn digests_hold(district: &District) {
    use crate::store::{records, scopes};
    use std::collections::BTreeMap;
    district
        .server
        .read(|store| {
            let all = store.sql.all(
                "SELECT kind, id FROM records WHERE deleted = 0",
                &[],
                |row| Ok((row.get::<String>(0)?, row.get::<RecordId>(1)?)),
            )?;
            let mut digests: BTreeMap<String, (Digest, u64)> = BTreeMap::new();
            for (kind, id) in all {
                let kind = Kind::named(&kind).unwrap();
                let record = records::find(store, kind, id)?.unwrap();
                for scope in record.scopes() {
                    let (digest, count) = digests.entry(scope.to_string()).or_default();
                    digest.toggle(kind.name, id, record.rev);
                    *count += 1;
                }
            }
            for (scope, head) in scopes::heads(store)? {
                let expected = digests.get(&scope).copied().unwrap_or_default();
                assert_eq!((head.digest, head.count), expected, "{scope}");
            }
            Ok::<_, crate::Fault>(())
        })
        .unwrap();
    assert!(district.server.now() >= DAWN);
}
