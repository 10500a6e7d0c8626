//! Cases on their way.

use super::*;

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
