//! What lies in the tray, and how it leaves it.

use super::*;

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

/// A neighbour's edit of the household, which lies in the tray.
fn parked(district: &District, neighbour: &mut Phone, rev: Rev) -> Mid {
    let sets = [("tenure", json!("own"), json!("rent"))];
    let mid = neighbour.edit((&HOUSEHOLD, HOME), Some(rev), &sets);
    assert_eq!(outcomes(&district.hand_in(neighbour)), [Outcome::Parked]);
    mid
}

/// Hands in what puts a tray item right, as if it stood at this turn.
fn put_right(district: &District, phone: &mut Phone, mid: Mid, turn: u32) -> Receipt {
    let sets = [("tenure", json!("own"), json!("lent"))];
    let mut edit = testing::patch(&HOUSEHOLD, HOME, None, &sets, phone.at());
    edit.deps = vec![mid];
    edit.replaces = Some(Replaces { mid, turn });
    phone.author(&edit);
    district.hand_in(phone).remove(0)
}

#[test]
fn an_item_is_put_right_once_by_its_author_and_as_he_saw_it() {
    let (district, _, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut another = district.phone(10, Role::GridWorker, OTHER);
    let mid = parked(&district, &mut neighbour, rev);
    let stands = |state: &str, turn: u32| {
        let body = district.record(&PARKED, tray_id(mid)).body;
        assert_eq!(
            (&body["state"], &body["turn"]),
            (&json!(state), &json!(turn))
        );
    };

    put_right(&district, &mut another, mid, 1);
    stands("parked", 1);
    put_right(&district, &mut neighbour, mid, 7);
    stands("parked", 1);
    let right = put_right(&district, &mut neighbour, mid, 1);
    assert_eq!(
        right.reason,
        Some(Reason::NotYours),
        "it does not wait for what it replaces"
    );
    stands("replaced", 2);
    put_right(&district, &mut neighbour, mid, 2);
    stands("replaced", 2);
}

#[test]
fn an_item_that_was_decided_leaves_its_holders() {
    let (district, _, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut head = head(&district);
    let mid = parked(&district, &mut neighbour, rev);
    let mut next = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &[("door_code", Value::Null, json!("42"))],
        neighbour.at(),
    );
    next.deps = vec![mid];
    let next = neighbour.author(&next);
    district.hand_in(&mut neighbour);
    let item = district.record(&PARKED, tray_id(mid));
    assert!(item.home.is_some());

    district.grant(neighbour.caller.user, Role::GridWorker, GRID);
    head.command(&item, "release", json!({}));
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);

    for mid in [mid, next] {
        let item = district.record(&PARKED, tray_id(mid));
        assert!(item.home.is_none(), "{:?}", item.body["state"]);
    }
}

#[test]
fn of_two_words_on_an_item_the_first_holds_and_a_stranger_has_none() {
    let (district, _, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut stranger = district.phone(10, Role::GridWorker, OTHER);
    let mut head = head(&district);
    let mid = parked(&district, &mut neighbour, rev);
    let shown = district.record(&PARKED, tray_id(mid));

    stranger.command(&shown, "release", json!({}));
    let refused = district.hand_in(&mut stranger).remove(0);
    assert_eq!(refused.reason, Some(Reason::NotYours));
    head.command(&shown, "refuse", json!({ "reason": "不是这户" }));
    assert_eq!(outcomes(&district.hand_in(&mut head)), [Outcome::Applied]);
    neighbour.command(&shown, "discard", json!({}));
    assert_eq!(
        outcomes(&district.hand_in(&mut neighbour)),
        [Outcome::Superseded]
    );
    let item = district.record(&PARKED, tray_id(mid));
    assert_eq!((&item.body["state"], item.home), (&json!("rejected"), None));
}

#[test]
fn what_is_sensitive_or_can_not_be_read_lies_in_the_sensitive_tray_with_its_photos() {
    let (district, mut wang, _) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(&PERSON_SENSITIVE, who, json!({ "phone": PHONE }));
    district.hand_in(&mut wang);
    let sets = [("phone", json!(PHONE), json!("13900001111"))];
    let edit = neighbour.edit((&PERSON_SENSITIVE, who), None, &sets);
    let unreadable = neighbour.author(&Frozen::new(&HOUSEHOLD, HOME, Op::Patch, neighbour.at()));
    let raw = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    neighbour.outbox[1].frozen = raw;
    let photo = pocketbook_records::ids::BlobHash([7; 32]);
    let sets = [("tenure", json!("own"), json!("rent"))];
    let mut pictured = testing::patch(&HOUSEHOLD, HOME, None, &sets, neighbour.at());
    pictured.blobs = vec![photo];
    let pictured = neighbour.author(&pictured);
    district.hand_in(&mut neighbour);

    for mid in [edit, unreadable] {
        assert!(district.find(&PARKED, tray_id(mid)).is_none());
        assert!(district.find(&PARKED_SENSITIVE, tray_id(mid)).is_some());
    }
    let item = district.record(&PARKED, tray_id(pictured));
    assert_eq!(item.body["photos"], json!([photo]));
}

#[test]
fn what_can_not_be_released_stays_where_it_is() {
    let (district, mut wang, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let mut head = head(&district);
    wang.create(&PERSON, id(7), json!({ "household": HOME, "name": "甲" }));
    district.hand_in(&mut wang);
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, neighbour.at());
    delete.seen = Some(rev);
    let mid = neighbour.author(&delete);
    district.hand_in(&mut neighbour);

    let item = district.record(&PARKED, tray_id(mid));
    head.command(&item, "release", json!({}));
    let word = district.hand_in(&mut head).remove(0);

    assert_eq!(
        (word.outcome, word.reason),
        (Outcome::Rejected, Some(Reason::HasChildren))
    );
    let item = district.record(&PARKED, tray_id(mid));
    assert_eq!(item.body["state"], "parked");
}

#[test]
fn what_was_discarded_on_one_record_says_nothing_of_another() {
    let (district, mut wang, rev) = with_household();
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let other = id(0xbb);
    let mut fields = household();
    fields["tenure"] = json!("rent");
    wang.create(&HOUSEHOLD, other, fields);
    district.hand_in(&mut wang);
    let mid = parked(&district, &mut neighbour, rev);
    let item = district.record(&PARKED, tray_id(mid));
    neighbour.command(&item, "discard", json!({}));
    district.grant(neighbour.caller.user, Role::GridWorker, GRID);
    district.hand_in(&mut neighbour);

    let seen = Some(district.record(&HOUSEHOLD, other).rev);
    let sets = [("tenure", json!("rent"), json!("empty"))];
    let mut edit = testing::patch(&HOUSEHOLD, other, seen, &sets, neighbour.at());
    edit.deps = vec![mid];
    neighbour.author(&edit);

    assert_eq!(
        outcomes(&district.hand_in(&mut neighbour)),
        [Outcome::Applied]
    );
}
