//! What waits for something else, and when it is decided.

use super::*;

fn tray(district: &District, receipt: &Receipt) -> crate::store::records::Record {
    district.record(&PARKED, tray_id(receipt.mid))
}

/// What a seed has found: a decision of a review that a restored server had forgotten was parked,
/// and lay with nobody when the conflict came back.
#[test]
fn a_decision_that_came_before_its_review_is_decided_when_it_opens() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let review = review::id("household", HOME, "tenure");
    let (choice, seen) = (Choice::Value(json!("lent")), vec!["base".to_owned()]);
    decide(&mut head, review, &REVIEW, choice, seen);
    let early = district.hand_in(&mut head).remove(0);
    assert_eq!(early.outcome, Outcome::Parked);

    for (phone, to) in [(&mut wang, "rent"), (&mut li, "empty")] {
        let change = ("tenure", json!("own"), json!(to));
        phone.edit((&HOUSEHOLD, HOME), Some(rev), &[change]);
        district.hand_in(phone);
    }

    assert_eq!(tray(&district, &early).text("state"), Some("released"));
    let held = candidates(&district, &REVIEW, review);
    assert!(held.contains(&early.mid.to_string()), "{held:?}");
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
fn what_waits_is_decided_in_the_order_of_authoring_and_each_time_written_down() {
    let district = District::new();
    let (mut wang, mut li) = (wang(&district), li(&district));
    let steps = [("own", "rent"), ("rent", "empty"), ("empty", "lent")];
    let mids = steps.map(|(was, to)| {
        let change = ("tenure", json!(was), json!(to));
        li.edit((&HOUSEHOLD, HOME), None, &[change])
    });
    district.hand_in(&mut li);

    wang.create(&HOUSEHOLD, HOME, household());
    district.hand_in(&mut wang);

    assert_eq!(district.record(&HOUSEHOLD, HOME).body["tenure"], "lent");
    assert!(
        district
            .find(&REVIEW, review::id("household", HOME, "tenure"))
            .is_none()
    );
    for mid in mids {
        let lines: Option<i64> = district
            .server
            .read(|store| {
                let count = "SELECT COUNT(*) FROM journal WHERE mid = $1";
                store.sql.one(count, crate::params![mid], |row| row.get(0))
            })
            .unwrap();
        assert_eq!(lines, Some(2), "parked, then taken");
    }
}

#[test]
fn what_waits_for_two_is_decided_after_both() {
    let (district, _, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut head = head(&district);
    let fields = [
        ("tenure", json!("own"), json!("rent")),
        ("door_code", Value::Null, json!("1")),
    ];
    let firsts = fields.map(|change| neighbour.edit((&HOUSEHOLD, HOME), Some(rev), &[change]));
    let sets = [("registration", Value::Null, json!("here"))];
    let mut last = testing::patch(&HOUSEHOLD, HOME, Some(rev), &sets, neighbour.at());
    last.deps = firsts.to_vec();
    let last = neighbour.author(&last);
    district.hand_in(&mut neighbour);
    district.grant(neighbour.caller.user, Role::GridWorker, GRID);
    let state = |mid: Mid| district.record(&PARKED, tray_id(mid)).body["state"].clone();

    for (n, mid) in firsts.into_iter().enumerate() {
        let item = district.record(&PARKED, tray_id(mid));
        head.command(&item, "release", json!({}));
        assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
        assert_eq!(state(last), ["parked", "released"][n]);
    }
    assert_eq!(
        district.record(&HOUSEHOLD, HOME).body["registration"],
        "here"
    );
}

#[test]
fn what_was_discarded_while_it_waited_is_not_decided() {
    let district = District::new();
    let (mut wang, mut li) = (wang(&district), li(&district));
    let change = ("tenure", json!("own"), json!("rent"));
    let mid = li.edit((&HOUSEHOLD, HOME), None, &[change]);
    district.hand_in(&mut li);
    let item = district.record(&PARKED, tray_id(mid));
    li.command(&item, "discard", json!({}));
    assert_eq!(outcomes(&district.hand_in(&mut li)), [Outcome::Applied]);

    wang.create(&HOUSEHOLD, HOME, household());
    district.hand_in(&mut wang);

    assert_eq!(district.record(&HOUSEHOLD, HOME).body["tenure"], "own");
}
