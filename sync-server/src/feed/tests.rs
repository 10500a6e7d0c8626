//! What a page and a stream of frames promise.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use pocketbook_records::ids::{Commit, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::rights::Role;
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Ask, Entry, Frame, Key, Mode, Page, Refused};

use super::cursor::Cursor;
use crate::exchange::SyncAnswer;
use crate::refusal::Refusal;
use crate::testing::{District, GRID, OTHER, Phone, household, id, now};

fn general() -> Scope {
    Scope::General(GRID.into())
}

/// A district with so many households in the grid, one commit each.
fn filled(households: u128) -> (District, Phone) {
    let district = District::new();
    let mut wang = district.phone(1, Role::GridWorker, GRID);
    for n in 0..households {
        wang.create(&HOUSEHOLD, id(n), household());
        district.hand_in(&mut wang);
    }
    (district, wang)
}

fn page(district: &District, phone: &mut Phone, cursor: Option<String>, bytes: usize) -> Page {
    phone.cursors = [(general(), cursor)].into();
    let mut request = phone.request(district.server.now());
    if let Some(pull) = &mut request.pull {
        pull.max_bytes = Some(bytes);
    }
    let answer = now(district.server.sync(&phone.caller, request))
        .unwrap()
        .answer;
    answer.scopes.into_values().next().unwrap()
}

#[test]
fn pages_come_in_order_end_at_the_head_and_name_what_was_read_whole() {
    let (district, mut wang) = filled(10);
    let revs: Vec<_> = (0..10)
        .map(|n| district.record(&HOUSEHOLD, id(n)).rev)
        .collect();
    let (mut cursor, mut ids, mut through) = (None, Vec::new(), Commit(0));
    loop {
        let page = page(&district, &mut wang, cursor, 600);
        assert!(page.through >= through);
        through = page.through;
        for entry in page.entries {
            let Entry::Put(put) = entry else {
                panic!("only puts")
            };
            ids.push(put.id);
        }
        let read_whole = revs.iter().filter(|rev| **rev <= through).count();
        assert!(ids.len() >= read_whole);
        cursor = Some(page.cursor);
        if page.caught_up {
            assert_eq!(through, district.server.asof().commit);
            break;
        }
    }
    assert_eq!(ids, (0..10).map(id).collect::<Vec<_>>());
}

#[test]
fn a_commit_cut_by_the_end_of_a_page_is_not_called_read() {
    let (district, mut wang) = filled(0);
    for n in 0..4 {
        wang.create(&HOUSEHOLD, id(n), household());
    }
    district.hand_in(&mut wang);
    let commit = district.record(&HOUSEHOLD, id(0)).rev;
    let page = page(&district, &mut wang, None, 1);
    assert_eq!((page.entries.len(), page.caught_up), (1, false));
    assert!(page.through < commit && page.digest.is_none());
}

#[test]
fn a_record_changed_often_is_sent_once_and_a_deleted_one_as_a_tomb() {
    let (district, mut wang) = filled(2);
    for (was, to) in [("own", "rent"), ("rent", "empty"), ("empty", "lent")] {
        wang.edit(
            (&HOUSEHOLD, id(0)),
            None,
            &[("tenure", json!(was), json!(to))],
        );
        district.hand_in(&mut wang);
    }
    let rev = district.record(&HOUSEHOLD, id(1)).rev;
    let mut delete = Frozen::new(&HOUSEHOLD, id(1), Op::Delete, wang.at());
    delete.seen = Some(rev);
    wang.author(&delete);
    district.hand_in(&mut wang);
    let page = page(&district, &mut wang, None, 100_000);
    assert_eq!(page.entries.len(), 2);
    assert!(matches!(&page.entries[0], Entry::Put(put) if put.body.get().contains("lent")));
    assert!(matches!(&page.entries[1], Entry::Tomb { id: who, .. } if *who == id(1)));
    assert_eq!(page.total, Some(1));
}

#[test]
fn a_neighbours_scope_is_not_answered() {
    let (district, _) = filled(3);
    let mut other = district.phone(9, Role::GridWorker, OTHER);
    other.cursors = [(general(), None)].into();
    let answer = district.sync(&mut other);
    assert!(answer.scopes.is_empty() && answer.bodies.is_empty());
}

/// Reads frames until the stream ends or `most` were read.
fn frames(district: &District, phone: &mut Phone, after: Option<Key>, most: usize) -> Vec<Frame> {
    let mut request = phone.request(district.server.now());
    let mode = Mode::Frames { after };
    let scopes = [Scope::General(GRID.into()), Scope::Sensitive(GRID.into())];
    let asks = scopes.map(|scope| {
        let ask = Ask {
            cursor: None,
            mode: mode.clone(),
        };
        (scope, ask)
    });
    request.pull.as_mut().unwrap().scopes = asks.into();
    let mut answer = now(district.server.sync(&phone.caller, request)).unwrap();
    let mut all = Vec::new();
    while all.len() < most {
        match now(answer.frames.next()).unwrap() {
            Some(line) => all.push(serde_json::from_str::<Frame>(&line).unwrap()),
            None => break,
        }
    }
    all
}

fn large(n: u128) -> Value {
    let mut fields = household();
    fields["door_code"] = json!(n.to_string());
    fields["notes"] = json!([{ "id": "1", "text": "字".repeat(7_000) }]);
    fields
}

#[test]
fn frames_hold_every_row_once_and_resume_after_any_of_them() {
    let (district, mut wang) = filled(0);
    for n in 0..40 {
        wang.create(&HOUSEHOLD, id(n), large(n));
    }
    wang.create(&PERSON, id(0), json!({ "household": id(0), "name": "甲" }));
    wang.create(&PERSON_SENSITIVE, id(0), json!({ "phone": "13912345678" }));
    district.hand_in(&mut wang);
    let all = frames(&district, &mut wang, None, usize::MAX);
    let of = |scope: &Scope| all.iter().filter(|f| f.scope == *scope).collect::<Vec<_>>();
    let frames_of_general = of(&general());
    assert!(frames_of_general.len() > 2);
    assert!(
        frames_of_general
            .iter()
            .rev()
            .skip(1)
            .all(|frame| !frame.last)
    );
    assert!(frames_of_general.last().unwrap().last);
    let keys = |frames: &[&Frame]| -> Vec<(String, RecordId)> {
        let rows = frames.iter().flat_map(|frame| &frame.rows);
        rows.map(|put| (put.kind.clone(), put.id)).collect()
    };
    let whole = keys(&frames_of_general);
    assert_eq!(whole.len(), 41);
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 41);
    assert_eq!(
        whole.last().unwrap().0,
        "person",
        "what hangs on another comes after it"
    );
    let sensitive = of(&Scope::Sensitive(GRID.into()));
    assert!(sensitive[0].rows[0].body.get().contains("13912345678"));

    let (kind, id) = whole[16].clone();
    let rest = frames(&district, &mut wang, Some(Key { kind, id }), usize::MAX);
    let rest: Vec<_> = rest.iter().filter(|f| f.scope == general()).collect();
    assert_eq!(keys(&rest), whole[17..]);
}

#[test]
fn an_empty_scope_is_one_last_frame() {
    let (district, mut wang) = filled(0);
    let all = frames(&district, &mut wang, None, usize::MAX);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|frame| frame.last && frame.rows.is_empty()));
}

/// One frame of a first sync has been taken, and there are more.
fn in_the_middle_of_a_stream() -> (District, Phone, SyncAnswer) {
    let (district, mut wang) = filled(0);
    for n in 0..40 {
        wang.create(&HOUSEHOLD, id(n), large(n));
    }
    district.hand_in(&mut wang);
    let mut request = wang.request(district.server.now());
    let ask = Ask {
        cursor: None,
        mode: Mode::Frames { after: None },
    };
    request.pull.as_mut().unwrap().scopes = [(general(), ask)].into();
    let mut answer = now(district.server.sync(&wang.caller, request)).unwrap();
    assert!(now(answer.frames.next()).unwrap().is_some());
    (district, wang, answer)
}

#[test]
fn a_grant_that_ends_in_the_middle_ends_the_stream() {
    let (district, wang, mut answer) = in_the_middle_of_a_stream();
    district.revoke(wang.caller.user, Role::GridWorker, GRID);
    assert!(now(answer.frames.next()).unwrap().is_none());
}

#[test]
fn a_lock_in_the_middle_ends_the_stream() {
    let (district, wang, mut answer) = in_the_middle_of_a_stream();
    let user = wang.caller.user;
    district.write(move |batch| Ok(crate::store::accounts::set_blocked(batch, user, true)?));
    assert!(now(answer.frames.next()).unwrap().is_none());
}

#[test]
fn a_cursor_belongs_to_one_scope_and_one_server() {
    let district = District::new();
    let keys = district.server.keyring();
    let cursor = Cursor {
        epoch: pocketbook_records::ids::Epoch(1),
        seq: 7,
        through: Commit(3),
    };
    let text = cursor.write(keys, "grid:a:general");
    assert_eq!(Cursor::read(keys, "grid:a:general", &text), Some(cursor));
    assert_eq!(Cursor::read(keys, "grid:b:general", &text), None);
    for changed in [text.replace(".7.", ".8."), text.replace(".3.", ".4.")] {
        assert_eq!(Cursor::read(keys, "grid:a:general", &changed), None);
    }
    let fresh = tempfile::tempdir().unwrap();
    let entropy = std::sync::Arc::new(crate::seams::SeededEntropy::new(8));
    crate::keyring::Keyring::make(fresh.path(), entropy.as_ref()).unwrap();
    let strange = crate::keyring::Keyring::read(fresh.path(), entropy)
        .unwrap()
        .unwrap();
    assert_eq!(Cursor::read(&strange, "grid:a:general", &text), None);
}

/// Its numbers begin anew where the backup ended: the same number names other rows.
#[test]
fn a_cursor_of_a_history_that_was_lost_is_refused() {
    let (district, mut wang) = filled(3);
    let read = page(&district, &mut wang, None, 100_000);
    assert!(read.caught_up);
    district.write(crate::store::histories::begin_anew);

    wang.cursors = [(general(), Some(read.cursor))].into();
    let answer = district.sync(&mut wang);

    assert_eq!(answer.refused, Some(Refused::BadCursor));
    assert!(answer.scopes.is_empty());
}

#[test]
fn more_scopes_than_the_limit_are_refused() {
    let (district, mut wang) = filled(0);
    let mut request = wang.request(district.server.now());
    let ask = Ask {
        cursor: None,
        mode: Mode::Pages,
    };
    let scopes = (0..5_000).map(|n| (Scope::General(format!("g{n}").as_str().into()), ask.clone()));
    request.pull.as_mut().unwrap().scopes = scopes.collect();
    let refused = now(district.server.sync(&wang.caller, request));
    assert!(matches!(refused, Err(Refusal::TooLarge)));
}
