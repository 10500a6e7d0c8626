//! What a phone, a desk and an import can count on.

mod memory;

use serde_json::{Value, json};

use pocketbook_records::ids::{Hex, Mid, Mseq, RecordId};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::PARKED;
use pocketbook_records::kinds::review::tray_id;
use pocketbook_records::mutation::Frozen;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Role;
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Echo, Refused};

use crate::exchange::Authored;
use crate::keyring::Purpose;
use crate::refusal::Refusal;
use crate::store::accounts;
use crate::testing::{self, District, GRID, Phone, household, id, now};

const HOME: RecordId = RecordId(uuid::uuid!("01900000-0000-7000-8000-0000000000aa"));

fn wang(district: &District) -> Phone {
    district.phone(1, Role::GridWorker, GRID)
}

#[test]
fn a_repeat_gets_the_same_receipts_and_changes_nothing() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    wang.edit(
        (&HOUSEHOLD, HOME),
        None,
        &[("tenure", json!("own"), json!("rent"))],
    );
    let request = wang.request(district.server.now());
    let first = now(district.server.sync(&wang.caller, request.clone()))
        .unwrap()
        .answer;
    let commit = district.server.asof().commit;
    district.clock.advance(5_000);
    let again = now(district.server.sync(&wang.caller, request.clone()))
        .unwrap()
        .answer;
    assert_eq!(first.receipts, again.receipts);
    assert_eq!(district.server.asof().commit, commit);

    let mut split = request;
    split.settled_mseq = Mseq(2);
    split.mutations.remove(0);
    let third = now(district.server.sync(&wang.caller, split))
        .unwrap()
        .answer;
    assert_eq!(
        first.receipts, third.receipts,
        "also when it claims to have them"
    );
}

#[test]
fn receipts_carry_a_code_of_this_server() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    let answer = district.sync(&mut wang);
    let mut row = answer.receipts[0].clone();
    let keys = district.server.keyring();
    assert!(keys.verifies(Purpose::Receipts, &row.signed_bytes(), &row.mac.0));
    row.received_at += 1;
    assert!(!keys.verifies(Purpose::Receipts, &row.signed_bytes(), &row.mac.0));
}

#[test]
fn a_batch_that_begins_too_late_is_not_recorded() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.mseq = 1;
    wang.create(&HOUSEHOLD, HOME, household());
    let answer = district.sync(&mut wang);
    assert_eq!(answer.out_of_order, Some(Mseq(1)));
    assert!(answer.receipts.is_empty() && district.find(&HOUSEHOLD, HOME).is_none());
}

#[test]
fn a_batch_with_a_hole_is_no_request() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    wang.mseq += 1;
    wang.create(&HOUSEHOLD, id(3), household());
    assert!(matches!(
        district.try_sync(&mut wang),
        Err(Refusal::Malformed(_))
    ));
}

#[test]
fn a_name_that_another_phone_has_used_is_refused_loudly() {
    let district = District::new();
    let (mut wang, mut li) = (wang(&district), district.phone(2, Role::GridWorker, GRID));
    let mid = wang.create(&HOUSEHOLD, HOME, household());
    district.hand_in(&mut wang);
    li.create(&HOUSEHOLD, id(3), household());
    li.outbox[0].mid = mid;
    let request = li.request(district.server.now());
    let receipts = district.hand_in(&mut li);
    assert_eq!(receipts[0].reason, Some(Reason::MidReused));
    assert!(district.find(&HOUSEHOLD, id(3)).is_none());
    let again = now(district.server.sync(&li.caller, request))
        .unwrap()
        .answer;
    assert!(again.clone.is_none() && again.receipts[0].receipts == receipts);
}

#[test]
fn two_phones_of_one_identity_are_told_apart() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    let mut request = wang.request(district.server.now());
    district.hand_in(&mut wang);
    request.mutations[0].mid = Mid(id(77).0);
    let answer = now(district.server.sync(&wang.caller, request))
        .unwrap()
        .answer;
    assert_eq!(answer.clone.map(|clone| clone.first_mseq), Some(Mseq(1)));
}

#[test]
fn nothing_new_is_answered_from_memory_and_equals_what_is_stored() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    district.sync(&mut wang);
    let read = district.sync(&mut wang);
    let request = wang.request(district.server.now());
    let handed = super::hand_in::Handed::default();
    let server = &district.server;
    let quick = server
        .answer_from_memory(&wang.caller, &request, &handed)
        .unwrap();
    let mut slow = read;
    for page in slow.scopes.values_mut() {
        page.entries.clear();
    }
    assert_eq!(json!(quick), json!(slow));

    let mut li = district.phone(2, Role::GridWorker, GRID);
    let sets = [("tenure", json!("own"), json!("rent"))];
    li.edit((&HOUSEHOLD, HOME), None, &sets);
    district.hand_in(&mut li);
    assert!(
        server
            .answer_from_memory(&wang.caller, &request, &handed)
            .is_none()
    );
}

#[test]
fn a_revoked_scope_is_gone_from_the_next_answer_also_from_memory() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    let before = district.sync(&mut wang).grants.unwrap();
    assert_eq!(before.len(), 3);
    district.revoke(wang.caller.user, Role::GridWorker, GRID);
    let answer = district.sync(&mut wang);
    assert_eq!(answer.grants.unwrap(), [Scope::User(wang.caller.user)]);
    assert!(
        answer
            .scopes
            .keys()
            .all(|scope| matches!(scope, Scope::User(_)))
    );
}

#[test]
fn a_duty_that_ends_by_itself_ends_in_memory_too() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    let user = wang.caller.user;
    let until = district.server.now() + 1_000;
    district.write(move |batch| {
        let unit = GRID.into();
        Ok(crate::store::org::end_duties(
            batch,
            user,
            Role::GridWorker,
            &unit,
            until,
        )?)
    });
    district.sync(&mut wang);
    assert_eq!(district.sync(&mut wang).grants.unwrap().len(), 3);
    district.clock.advance(1_000);
    assert_eq!(district.sync(&mut wang).grants.unwrap().len(), 1);
}

#[test]
fn a_locked_account_hands_in_and_reads_nothing() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    let user = wang.caller.user;
    district.write(move |batch| Ok(accounts::set_blocked(batch, user, true)?));
    wang.create(&HOUSEHOLD, HOME, household());
    let answer = district.sync(&mut wang);
    assert_eq!(answer.refused, Some(Refused::Locked));
    assert!(answer.grants.is_none() && answer.scopes.is_empty() && answer.bodies.is_empty());
    assert_eq!(answer.receipts[0].receipts[0].outcome, Outcome::Applied);
}

#[test]
fn a_cursor_or_echo_that_we_never_gave_is_refused_and_work_is_taken() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    district.sync(&mut wang);
    wang.create(&HOUSEHOLD, HOME, household());
    let general = Scope::General(GRID.into());
    let good = wang.cursors[&general].clone();
    for bad in ["1.0.0000000000000000", "x", "1.99"] {
        wang.cursors.insert(general.clone(), Some(bad.into()));
        let answer = district.sync(&mut wang);
        assert_eq!(answer.refused, Some(Refused::BadCursor));
        assert!(!answer.scopes.contains_key(&general) && answer.scopes.len() == 2);
        wang.cursors.insert(general.clone(), good.clone());
    }
    assert!(district.find(&HOUSEHOLD, HOME).is_some());
    let mut request = wang.request(district.server.now());
    request.echo = Some(Echo {
        epoch: district.server.asof().epoch,
        commit: district.server.asof().commit,
        tag: Hex([0; 8]),
        mac: Hex([0; 16]),
    });
    let answer = now(district.server.sync(&wang.caller, request))
        .unwrap()
        .answer;
    assert_eq!(answer.refused, Some(Refused::BadCursor));
}

#[test]
fn the_one_mutation_that_the_server_fails_at_is_parked_and_the_rest_applied() {
    let district = District::new();
    let mut wang = wang(&district);
    let bad = id(13);
    let hex = hex::encode(bad.as_bytes());
    district.write(move |batch| {
        let trap = format!(
            "CREATE TRIGGER trap BEFORE INSERT ON records WHEN new.id = x'{hex}'
             BEGIN SELECT RAISE(ABORT, 'trap'); END"
        );
        batch.store().sql.execute(&trap, &[])?;
        Ok(())
    });
    for n in 10..17 {
        wang.create(&HOUSEHOLD, id(n), household());
    }
    let receipts = district.hand_in(&mut wang);
    let parked: Vec<_> = receipts
        .iter()
        .filter(|r| r.outcome != Outcome::Applied)
        .collect();
    assert_eq!((receipts.len(), parked.len()), (7, 1));
    assert_eq!(parked[0].reason, Some(Reason::ServerFault));
    assert_eq!(
        district.record(&PARKED, tray_id(parked[0].mid)).body["reason"],
        "server-fault"
    );
}

#[test]
fn a_tray_item_and_a_review_come_with_the_answer_that_made_them() {
    let district = District::new();
    let mut stranger = district.phone(9, Role::GridWorker, GRID);
    let sets = [("tenure", Value::Null, json!("rent"))];
    let mid = stranger.edit((&HOUSEHOLD, id(99)), None, &sets);
    let answer = district.sync(&mut stranger);
    let ids: Vec<_> = answer.bodies.iter().map(|put| put.id).collect();
    assert_eq!(ids, [tray_id(mid)]);
    assert_eq!(answer.bodies[0].rev, answer.receipts[0].commit);
}

#[test]
fn a_desk_call_repeated_gets_the_same_receipt_also_after_signing_in_again() {
    let district = District::new();
    let desk = district.desk(5, Role::StreetDesk, "610402001");
    let fields = json!({ "grid": GRID, "category": "E0101", "place": "A" });
    let frozen = testing::create(&CASE, id(50), &fields, district.server.at());
    let mid = Mid(id(51).0);
    let call = |frozen: Frozen| now(district.server.apply_desk(&desk, mid, frozen));
    let first = call(frozen.clone()).unwrap();
    assert_eq!(first.receipt.outcome, Outcome::Applied);
    assert!(first.record.is_some());
    district.clock.advance(1);
    let again = testing::create(&CASE, id(50), &fields, district.server.at());
    assert_eq!(call(again).unwrap().receipt, first.receipt);
    let other = district.desk(6, Role::StreetDesk, "610402001");
    let foreign = now(district.server.apply_desk(&other, mid, frozen));
    assert!(matches!(foreign, Err(Refusal::MidReused)));
}

#[test]
fn what_the_system_authors_twice_is_there_once() {
    let district = District::new();
    let make = || -> Vec<_> {
        let at = district.server.at();
        let one = |n| testing::create(&HOUSEHOLD, id(n), &household(), at.clone());
        (0..5).map(|n| (Mid(id(100 + n).0), one(n))).collect()
    };
    let first = now(district.server.author_as_system(make())).unwrap();
    assert!(
        first
            .iter()
            .all(|a| a.outcome == Outcome::Applied && !a.repeated)
    );
    let commit = district.server.asof().commit;
    let again: Vec<Authored> = now(district.server.author_as_system(make())).unwrap();
    assert!(again.iter().all(|authored| authored.repeated));
    assert_eq!(district.server.asof().commit, commit);
}

#[test]
fn an_author_before_his_first_answer_is_bounded_by_his_enrolment() {
    let district = District::new();
    district.clock.advance(60_000);
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    assert_eq!(district.hand_in(&mut wang)[0].outcome, Outcome::Applied);
}

#[test]
fn a_request_that_wants_or_remembers_too_much_is_refused() {
    let district = District::new();
    let mut wang = wang(&district);
    let many = pocketbook_records::wire::MAX_WANT + 1;
    let key = pocketbook_records::wire::Key {
        kind: "household".into(),
        id: HOME,
    };
    let body = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    let put = pocketbook_records::wire::Put {
        kind: "household".into(),
        id: HOME,
        rev: pocketbook_records::ids::Commit(1),
        schema: 1,
        body,
    };
    let mut wants = wang.request(district.server.now());
    wants.pull.as_mut().unwrap().want = vec![key; many];
    let mut remembers = wang.request(district.server.now());
    remembers.witness = vec![put; many];

    for request in [wants, remembers] {
        let refused = now(district.server.sync(&wang.caller, request)).err();
        assert!(matches!(refused, Some(Refusal::TooLarge)));
    }
}
