//! What is answered from memory is what the database says.

use std::sync::Arc;

use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::Key;

use super::*;
use crate::store::blobs;

#[test]
fn a_lock_holds_in_memory_too() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    district.sync(&mut wang);
    let user = wang.caller.user;
    district.write(move |batch| Ok(accounts::set_blocked(batch, user, true)?));
    for _ in 0..2 {
        let answer = district.sync(&mut wang);
        assert_eq!(answer.refused, Some(Refused::Locked));
        assert!(answer.grants.is_none() && answer.scopes.is_empty());
    }
}

#[test]
fn what_is_wanted_is_read() {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    district.sync(&mut wang);
    district.sync(&mut wang);
    let mut request = wang.request(district.server.now());
    request.pull.as_mut().unwrap().want = vec![Key {
        kind: "household".into(),
        id: HOME,
    }];
    let asked = now(district.server.sync(&wang.caller, request)).unwrap();
    assert_eq!(asked.answer.bodies.len(), 1);
}

#[test]
fn a_phone_hears_how_far_its_work_came_and_which_files_it_is_to_send() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    district.sync(&mut wang);
    let hash = BlobHash([7; 32]);
    let mut home = testing::create(&HOUSEHOLD, HOME, &household(), wang.at());
    home.add.insert(
        pocketbook_records::path::Path::field("photos"),
        vec![json!(hash)],
    );
    home.blobs = vec![hash];
    wang.author(&home);
    assert_eq!(district.sync(&mut wang).wanted, [hash]);
    let answer = district.sync(&mut wang);
    assert_eq!((answer.received_mseq, answer.wanted), (Mseq(1), vec![hash]));

    let owner = wang.caller.enrolment;
    district.write(move |batch| blobs::note_stored(batch, hash, 5, owner));
    assert!(district.sync(&mut wang).wanted.is_empty());
}

#[test]
fn a_forged_echo_begins_no_history() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    let before = district.server.asof().epoch;
    let mut request = wang.request(district.server.now());
    request.echo = Some(Echo {
        epoch: before,
        commit: pocketbook_records::ids::Commit::new(before, u32::MAX),
        tag: Hex([1; 8]),
        mac: Hex([2; 16]),
    });
    let told = now(district.server.sync(&wang.caller, request)).unwrap();
    assert_eq!(told.answer.refused, Some(Refused::BadCursor));
    assert_eq!(district.server.asof().epoch, before);
}

#[test]
fn what_was_handed_in_is_answered_although_its_first_answer_was_never_made() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    district.sync(&mut wang);
    wang.create(&HOUSEHOLD, HOME, household());
    let mut request = wang.request(district.server.now());
    let said = accounts::Contact {
        at: district.server.now(),
        pending: request.pending.clone(),
        skew: 0,
    };
    let cut = district
        .server
        .hand_in(&wang.caller, Arc::new(request.clone()), said);
    now(cut).unwrap();

    request.mutations.clear();
    request.pull = None;
    let heard = now(district.server.sync(&wang.caller, request)).unwrap();

    assert_eq!(heard.answer.received_mseq, Mseq(1));
    assert_eq!(heard.answer.receipts.len(), 1);
}

#[test]
fn what_was_read_before_a_change_is_not_known_after_it() {
    let district = District::new();
    let mut wang = wang(&district);
    district.sync(&mut wang);
    district.sync(&mut wang);
    let (present, enrolment) = (&district.server.0.present, wang.caller.enrolment);
    let generation = present.generation();
    let known = present.look(|picture| picture.known(enrolment)).unwrap();
    let user = wang.caller.user;
    district.write(move |batch| Ok(accounts::set_blocked(batch, user, true)?));

    present.find(generation, known);

    let answer = district.sync(&mut wang);
    assert_eq!(answer.refused, Some(Refused::Locked));
}
