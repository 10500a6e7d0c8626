//! Single rules of judging, each by an example that ends otherwise without it.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{EnrolmentId, Mid};
use pocketbook_records::mutation::{Command, Expect};
use pocketbook_records::time::At;

use super::*;
use crate::apply::judge::is_stale;
use crate::caller::{Station, hash_secret};
use crate::store::accounts::{self, NewEnrolment};
use crate::store::records::Record;

fn one(district: &District, phone: &mut Phone) -> Receipt {
    district.hand_in(phone).remove(0)
}

fn tenure(was: &str, to: &str) -> [(&'static str, Value, Value); 1] {
    [("tenure", json!(was), json!(to))]
}

/// A note of a moment of which nothing is known but that it came before its arrival.
fn some_time() -> At {
    At {
        wall: 0,
        boot: "another".into(),
        monotonic_ms: 0,
        contact: None,
    }
}

fn deletes(phone: &mut Phone, (kind, id): (&Kind, RecordId), seen: Option<Rev>) {
    let mut delete = Frozen::new(kind, id, Op::Delete, phone.at());
    delete.seen = seen;
    phone.author(&delete);
}

/// The same account's phone, enrolled again.
fn enrolled_again(district: &District, phone: &Phone) -> Phone {
    let mut caller = phone.caller.clone();
    caller.enrolment = EnrolmentId(id(0x3000).0);
    let (user, enrolment) = (caller.user, caller.enrolment);
    district.write(move |batch| {
        let new = NewEnrolment {
            enrolment,
            user,
            station: Station::Phone,
            secret: hash_secret(&[77; 32]),
            device: "test",
            schema: 1,
            expires_at: None,
        };
        Ok(accounts::put_enrolment(batch, &new)?)
    });
    Phone {
        caller,
        mseq: 0,
        settled: pocketbook_records::ids::Mseq(0),
        outbox: Vec::new(),
        cursors: phone.cursors.clone(),
        contact: None,
        monotonic_ms: 0,
    }
}

#[test]
fn a_name_is_said_again_only_for_the_same_content_of_the_same_account() {
    let (district, mut wang, rev) = with_household();
    let mut li = li(&district);
    let frozen = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &tenure("own", "rent"),
        wang.at(),
    );
    let other = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &tenure("own", "lent"),
        wang.at(),
    );
    let mid: Mid = wang.author(&frozen);
    assert_eq!(one(&district, &mut wang).outcome, Outcome::Applied);
    let mut again = enrolled_again(&district, &wang);
    let says = |phone: &mut Phone, content: &Frozen| {
        phone.author(content);
        phone.outbox.last_mut().unwrap().mid = mid;
        let receipt = one(&district, phone);
        (receipt.outcome, receipt.reason)
    };
    let refused = (Outcome::Rejected, Some(Reason::MidReused));
    assert_eq!(says(&mut li, &frozen), refused);
    assert_eq!(says(&mut again, &frozen), (Outcome::Applied, None));
    assert_eq!(says(&mut again, &other), refused);
}

#[test]
fn a_number_without_content_has_none() {
    let (district, mut wang, rev) = with_household();
    let mut void = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &tenure("own", "rent"),
        wang.at(),
    );
    void.op = Op::Void;
    wang.author(&void);
    assert_eq!(one(&district, &mut wang).outcome, Outcome::Rejected);
}

#[test]
fn a_desks_screen_is_asked_although_the_desk_wrote_last() {
    let (district, _, rev) = with_household();
    let desk = district.desk(5, Role::StreetDesk, "610402001");
    let outcomes = ["rent", "lent"].map(|to| {
        let at = district.server.at();
        let frozen = testing::patch(&HOUSEHOLD, HOME, Some(rev), &tenure("own", to), at);
        let mid = Mid(crate::seams::uuid_v7(
            district.server.now(),
            district.server.entropy(),
        ));
        let done = testing::now(district.server.apply_desk(&desk, mid, frozen)).unwrap();
        done.receipt.outcome
    });
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Conflict]);
}

#[test]
fn what_was_authored_partly_outside_a_duty_waits_unless_it_only_adds() {
    let (district, mut wang, rev) = with_household();
    district.clock.advance(60_000);
    district.revoke(person(1), Role::GridWorker, GRID);
    district.clock.advance(60_000);
    let change = testing::patch(
        &HOUSEHOLD,
        HOME,
        Some(rev),
        &tenure("own", "rent"),
        some_time(),
    );
    let visit = json!({ "household": HOME, "result": "met" });
    let visit = testing::create(&VISIT, id(8), &visit, some_time());
    wang.author(&change);
    wang.author(&visit);

    let receipts = district.hand_in(&mut wang);

    assert_eq!(outcomes(&receipts), [Outcome::Parked, Outcome::Applied]);
    let marked = Some(Reason::OutsideDuty);
    assert!(receipts.iter().all(|receipt| receipt.reason == marked));
}

#[test]
fn a_record_is_made_once_and_what_hangs_on_a_deleted_one_is_told() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let mut elsewhere = household();
    elsewhere["grid"] = json!(OTHER);
    li.create(&HOUSEHOLD, HOME, elsewhere);
    assert_eq!(one(&district, &mut li).reason, Some(Reason::IdUsed));

    deletes(&mut head, (&HOUSEHOLD, HOME), Some(rev));
    assert_eq!(one(&district, &mut head).outcome, Outcome::Applied);
    wang.create(&PERSON, id(7), json!({ "household": HOME, "name": "甲" }));
    assert_eq!(one(&district, &mut wang).outcome, Outcome::Conflict);
    let told = review::id("household", HOME, "*");
    assert_eq!(district.record(&REVIEW, told).text("state"), Some("open"));

    let record = district.record(&HOUSEHOLD, HOME);
    head.command(&record, "move", json!({ "grid": OTHER }));
    assert_eq!(one(&district, &mut head).reason, Some(Reason::Gone));
}

#[test]
fn a_move_leads_to_a_grid_and_a_case_to_a_unit_that_is_there() {
    let (district, _, _) = with_household();
    let mut head = head(&district);
    let record = district.record(&HOUSEHOLD, HOME);
    for nowhere in ["610402001001", "nowhere"] {
        head.command(&record, "move", json!({ "grid": nowhere }));
        let reason = one(&district, &mut head).reason;
        assert_eq!(reason, Some(Reason::BadValue("grid".into())), "{nowhere}");
    }
}

#[test]
fn a_command_is_stale_by_state_by_turn_and_by_transition() {
    let (district, mut wang, _) = with_household();
    let fields = json!({ "grid": GRID, "category": "E0101", "place": "A-3" });
    wang.create(&CASE, id(50), fields);
    district.hand_in(&mut wang);
    let record = Record {
        body: [
            ("state".to_owned(), json!("submitted")),
            ("turn".to_owned(), json!(2)),
            ("transition".to_owned(), json!(id(60))),
        ]
        .into_iter()
        .collect::<Fields>(),
        ..district.record(&CASE, id(50))
    };
    let last = Some(Mid(id(60).0));
    for (state, turn, after, stale) in [
        ("submitted", 2, last, false),
        ("submitted", 2, None, false),
        ("returned", 2, last, true),
        ("submitted", 1, last, true),
        ("submitted", 2, Some(Mid(id(61).0)), true),
    ] {
        let given = Command {
            name: "accept".into(),
            args: Fields::new(),
            expect: Expect {
                state: state.into(),
                turn,
                after,
            },
        };
        let is_stale = is_stale(CASE.workflow, &record, &given);
        assert_eq!(is_stale, stale, "{state} {turn} {after:?}");
    }
}

#[test]
fn a_deletion_takes_open_questions_along_and_asks_nothing_about_own_work() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    for (phone, to) in [(&mut wang, "rent"), (&mut li, "lent")] {
        phone.edit((&HOUSEHOLD, HOME), Some(rev), &tenure("own", to));
        district.hand_in(phone);
    }
    let asked = review::id("household", HOME, "tenure");
    assert_eq!(district.record(&REVIEW, asked).text("state"), Some("open"));

    let seen = district.record(&HOUSEHOLD, HOME).rev;
    deletes(&mut head, (&HOUSEHOLD, HOME), Some(seen));
    assert_eq!(one(&district, &mut head).outcome, Outcome::Conflict);

    assert_eq!(
        district.record(&REVIEW, asked).text("state"),
        Some("closed")
    );
    let whole = district.record(&REVIEW, review::id("household", HOME, "*"));
    let held = pocketbook_records::decide::candidates(&whole.body);
    for value in ["rent", "lent"] {
        let value = json!({ "tenure": value });
        assert!(held.iter().any(|one| one.value == value), "{value} is kept");
    }

    let (home, own) = (id(9), id(10));
    wang.create(&HOUSEHOLD, home, household());
    wang.edit((&HOUSEHOLD, home), None, &tenure("own", "rent"));
    deletes(&mut wang, (&HOUSEHOLD, home), None);
    wang.create(&VISIT, own, json!({ "household": id(9), "result": "met" }));
    let receipts = district.hand_in(&mut wang);
    assert_eq!(
        receipts[2].outcome,
        Outcome::Applied,
        "it knew its own edit"
    );
    deletes(&mut wang, (&VISIT, own), None);
    assert_eq!(one(&district, &mut wang).reason, Some(Reason::NotPermitted));
}

#[test]
fn what_was_decided_is_the_deciders_and_of_the_fields_shape() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    for (phone, to) in [(&mut wang, "rent"), (&mut li, "lent")] {
        phone.edit((&HOUSEHOLD, HOME), Some(rev), &tenure("own", to));
        district.hand_in(phone);
    }
    let asked = review::id("household", HOME, "tenure");
    let seen = candidates(&district, &REVIEW, asked);
    decide(
        &mut head,
        asked,
        &REVIEW,
        Choice::Value(json!(7)),
        seen.clone(),
    );
    let reason = one(&district, &mut head).reason;
    assert_eq!(reason, Some(Reason::BadValue("choice".into())));
    decide(
        &mut head,
        asked,
        &REVIEW,
        Choice::Value(json!("rent")),
        seen,
    );
    assert_eq!(one(&district, &mut head).outcome, Outcome::Applied);

    // 李 wrote last before the head did, and has not heard of it.
    li.edit((&HOUSEHOLD, HOME), Some(rev), &tenure("lent", "empty"));
    assert_eq!(one(&district, &mut li).outcome, Outcome::Conflict);
}
