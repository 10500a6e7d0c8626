//! Who may do what, where and when.

use super::*;

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
