//! What phones remember of a history that was lost, and what may come of it.

use pocketbook_records::ids::Commit;
use pocketbook_records::wire::{Fork, Put};

use super::*;
use crate::caller::Caller;
use crate::store::{accounts, histories, ledger, org, records};

/// Throws commits away, as a restore does; returns one of them.
fn lost(district: &District) -> Commit {
    let after = district.server.asof().commit;
    let until = Commit(after.0 + 100);
    district.write(move |batch| {
        histories::note_lost(batch, Fork { after, until })?;
        histories::begin_anew(batch)
    });
    Commit(after.0 + 50)
}

fn put(kind: &Kind, id: RecordId, rev: Commit, body: &Value) -> Put {
    Put {
        kind: kind.name.to_owned(),
        id,
        rev,
        schema: 1,
        body: serde_json::value::RawValue::from_string(body.to_string()).unwrap(),
    }
}

/// Says whether anything came of a witness.
fn hears(district: &District, bearer: &Phone, put: Put) -> bool {
    let bearer: Caller = bearer.caller.clone();
    district.write(move |batch| {
        let granted = org::granted(batch.store(), bearer.user, batch.now())?;
        crate::apply::witness::hear(batch, &bearer, &granted.scopes, &put)
    })
}

#[test]
fn a_record_that_only_a_mirror_remembers_comes_back_once() {
    let district = District::new();
    let (wang, rev) = (wang(&district), lost(&district));
    let home = put(&HOUSEHOLD, HOME, rev, &household());
    assert!(hears(&district, &wang, home.clone()));
    let mut head = head(&district);
    let came = district.record(&HOUSEHOLD, HOME).rev;
    head.edit(
        (&HOUSEHOLD, HOME),
        Some(came),
        &[("door_code", Value::Null, json!("42"))],
    );
    district.hand_in(&mut head);

    let mut again = household();
    again["registration"] = json!("here");
    assert!(!hears(&district, &wang, put(&HOUSEHOLD, HOME, rev, &again)));

    let body = district.record(&HOUSEHOLD, HOME).body;
    assert_eq!(body["door_code"], "42");
    assert!(!body.contains_key("registration"));
}

#[test]
fn who_may_not_read_it_who_makes_it_up_and_who_is_locked_bring_nothing_back() {
    let district = District::new();
    let mut wang = wang(&district);
    let neighbour = district.phone(9, Role::GridWorker, OTHER);
    let living = district.server.asof().commit;
    let rev = lost(&district);
    let mut wrong = household();
    wrong["tenure"] = json!(7);

    assert!(!hears(
        &district,
        &neighbour,
        put(&HOUSEHOLD, HOME, rev, &household())
    ));
    assert!(!hears(
        &district,
        &wang,
        put(&HOUSEHOLD, HOME, living, &household())
    ));
    assert!(!hears(&district, &wang, put(&HOUSEHOLD, HOME, rev, &wrong)));
    let user = wang.caller.user;
    district.write(move |batch| Ok(accounts::set_blocked(batch, user, true)?));
    wang.caller.locked = true;
    let mut request = wang.request(district.server.now());
    request.witness = vec![put(&HOUSEHOLD, HOME, rev, &household())];
    testing::now(district.server.sync(&wang.caller, request)).unwrap();

    assert!(district.find(&HOUSEHOLD, HOME).is_none());
}

#[test]
fn neither_what_was_deleted_nor_what_lies_in_the_tray_is_a_witness_s_to_change() {
    let (district, wang, seen) = with_household();
    let mut head = head(&district);
    let mut neighbour = district.phone(9, Role::GridWorker, OTHER);
    let change = ("tenure", json!("own"), json!("rent"));
    let mid = neighbour.edit((&HOUSEHOLD, HOME), Some(seen), &[change]);
    district.hand_in(&mut neighbour);
    let mut delete = Frozen::new(&HOUSEHOLD, HOME, Op::Delete, head.at());
    delete.seen = Some(seen);
    head.author(&delete);
    district.hand_in(&mut head);
    let spent = id(0xbb);
    district.write(move |batch| {
        let commit = batch.commit()?;
        Ok(ledger::enter(batch.store(), "household", spent, commit)?)
    });
    let rev = lost(&district);
    let mut body = household();
    body["registration"] = json!("here");
    let mut item = Value::Object(district.record(&PARKED, tray_id(mid)).body);
    item["turn"] = json!(2);
    item["state"] = json!("released");

    assert!(!hears(&district, &wang, put(&HOUSEHOLD, HOME, rev, &body)));
    assert!(!hears(&district, &wang, put(&HOUSEHOLD, spent, rev, &body)));
    assert!(!hears(
        &district,
        &wang,
        put(&PARKED, tray_id(mid), rev, &item)
    ));

    assert!(district.record(&HOUSEHOLD, HOME).deleted);
    assert!(district.find(&HOUSEHOLD, spent).is_none());
    let item = district.record(&PARKED, tray_id(mid));
    assert_eq!(item.body["state"], "parked");
}

#[test]
fn what_waits_for_a_record_is_decided_when_a_witness_brings_it() {
    let district = District::new();
    let (wang, mut li) = (wang(&district), li(&district));
    li.edit(
        (&HOUSEHOLD, HOME),
        None,
        &[("door_code", Value::Null, json!("42"))],
    );
    district.hand_in(&mut li);
    let rev = lost(&district);

    assert!(hears(
        &district,
        &wang,
        put(&HOUSEHOLD, HOME, rev, &household())
    ));

    assert_eq!(district.record(&HOUSEHOLD, HOME).body["door_code"], "42");
}

#[test]
fn a_move_that_a_witness_shows_takes_everybody_along() {
    let (district, mut wang, _) = with_household();
    wang.create(&PERSON, id(7), json!({ "household": HOME, "name": "甲" }));
    district.hand_in(&mut wang);
    let rev = lost(&district);
    let mut moved = household();
    moved["grid"] = json!(OTHER);
    moved["turn"] = json!(1);

    assert!(hears(&district, &wang, put(&HOUSEHOLD, HOME, rev, &moved)));

    for (kind, id) in [(&HOUSEHOLD, HOME), (&PERSON, id(7))] {
        let lies = district
            .server
            .read(|store| records::brief(store, kind, id))
            .unwrap();
        assert_eq!(lies.unwrap().home, Some(OTHER.into()), "{}", kind.name);
    }
}
