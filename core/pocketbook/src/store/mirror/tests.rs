//! What comes late or twice, brought to the door by hand.

use std::collections::BTreeMap;

use pocketbook_records::ids::{Commit, Epoch, RecordId, check8};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{Answer, Ask, Entry, Frame, Likeness, Link, Mode, Page, Request};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::engine::testing::{World, empty_answer, frame, good_answer, my_scope};
use crate::store::Store;
use crate::store::hand_in::{BatchLimits, Start};
use crate::store::view::mark;

fn at(n: u32) -> Commit {
    Commit::new(Epoch(1), n)
}

fn grid() -> Scope {
    Scope::General("g1".into())
}

fn home(n: u128) -> RecordId {
    RecordId(Uuid::from_u128(n))
}

/// Builds the next request, with so many mutations at most.
fn requests(store: &Store, count: usize, pull: bool) -> Request {
    let limits = BatchLimits {
        bytes: 1 << 20,
        count,
        start: Start::FirstWaiting,
        pull,
    };
    store.next_request(limits).unwrap()
}

/// What the store would ask of each scope now.
fn asks(store: &Store) -> BTreeMap<Scope, Ask> {
    requests(store, 10, true).pull.expect("it pulls").scopes
}

/// A phone that has read its one scope, which is empty, up to a commit.
fn in_step(n: u32) -> World {
    let world = World::new();
    let store = &world.store;
    hears(store, &BTreeMap::new(), &grants(1, &[my_scope()]));
    store
        .apply_frames(&[frame(my_scope(), 1, &[], true)])
        .unwrap();
    hears(store, &asks(store), &page(n, my_scope(), Vec::new()));
    world
}

fn hears(store: &Store, asked: &BTreeMap<Scope, Ask>, answer: &Answer) {
    let received = Contact {
        token: String::new(),
        boot: String::new(),
        monotonic_ms: 0,
    };
    store.apply_answer(asked, answer, received).unwrap();
}

/// An answer at a commit by which these scopes are granted.
fn grants(n: u32, scopes: &[Scope]) -> Answer {
    Answer {
        grants: Some(scopes.to_vec()),
        ..empty_answer(n)
    }
}

/// An answer at a commit with a page of one scope.
fn page(n: u32, scope: Scope, entries: Vec<Entry>) -> Answer {
    let page = Page {
        entries,
        cursor: format!("1.{n}.x"),
        through: at(n),
        caught_up: true,
        ..Page::default()
    };
    Answer {
        scopes: [(scope, page)].into(),
        ..empty_answer(n)
    }
}

fn puts(n: u32, id: u128) -> Entry {
    Entry::Put(frame(grid(), n, &[id], true).rows.remove(0))
}

fn is_here(store: &Store, id: u128) -> bool {
    store.shown(&HOUSEHOLD, home(id)).unwrap().is_some()
}

/// A duty that ends and another that begins make no commit: an answer from between them is as new
/// as any. A page goes on from where the scope was read to, or not at all.
#[test]
fn a_page_of_a_scope_that_is_read_anew_meanwhile_does_not_call_it_read() {
    let world = World::new();
    let store = &world.store;
    hears(store, &BTreeMap::new(), &grants(1, &[my_scope(), grid()]));
    store
        .apply_frames(&[frame(grid(), 1, &[1, 2], true)])
        .unwrap();
    let asked = asks(store);
    let late = page(3, grid(), vec![puts(3, 3)]);
    hears(store, &asked, &late);
    assert!(is_here(store, 1) && is_here(store, 3));
    hears(store, &BTreeMap::new(), &grants(3, &[my_scope()]));
    hears(store, &BTreeMap::new(), &grants(3, &[my_scope(), grid()]));
    assert!(!is_here(store, 1));

    hears(store, &asked, &late);

    assert_eq!(asks(store)[&grid()].mode, Mode::Frames { after: None });
    assert!(!is_here(store, 3), "what it brings comes with the frames");
}

#[test]
fn a_frame_that_was_read_before_a_deletion_brings_nothing_back() {
    let world = World::new();
    let store = &world.store;
    let other = Scope::General("g2".into());
    let scopes = [my_scope(), grid(), other.clone()];
    hears(store, &BTreeMap::new(), &grants(1, &scopes));
    let late: Frame = frame(other.clone(), 1, &[1], true);
    // It moved to the grid that is read already, and was deleted there.
    store.apply_frames(&[frame(grid(), 1, &[], true)]).unwrap();
    let tomb = Entry::Tomb {
        kind: "household".into(),
        id: home(1),
        rev: at(4),
    };
    let asked = asks(store);
    hears(store, &asked, &page(4, grid(), vec![tomb]));

    store.apply_frames(&[late]).unwrap();

    assert!(!is_here(store, 1));
    store.apply_frames(&[frame(other, 5, &[2], true)]).unwrap();
    assert_eq!(
        asks(store)[&Scope::General("g2".into())].mode,
        Mode::Pages,
        "and what follows goes on"
    );
}

/// Has the work that waits taken by the server in a commit.
fn takes_all(store: &Store, n: u32) {
    let request = requests(store, 10, false);
    hears(store, &BTreeMap::new(), &good_answer(&request, n));
}

fn mark_of(store: &Store, id: RecordId) -> i64 {
    store.shown(&HOUSEHOLD, id).unwrap().unwrap().mark
}

fn notes(store: &Store, id: RecordId, note: &str) {
    let mut frozen = Frozen::new(&HOUSEHOLD, id, Op::Patch, store.now().unwrap());
    frozen.set = vec![Set {
        path: Path::field("known_since"),
        was: Value::Null,
        to: note.len().into(),
    }];
    store.author(frozen).unwrap();
}

#[test]
fn what_the_server_took_is_shown_as_before_and_waits_no_more() {
    let world = in_step(2);
    let store = &world.store;
    let id = world.author();
    let before = store.shown(&HOUSEHOLD, id).unwrap().unwrap();
    assert_eq!(before.mark, mark::WAITING);

    takes_all(store, 3);

    let after = store.shown(&HOUSEHOLD, id).unwrap().unwrap();
    assert_eq!((after.mark, &after.fields), (0, &before.fields));
}

#[test]
fn the_mark_stays_while_later_work_on_the_record_waits() {
    let world = in_step(2);
    let store = &world.store;
    let id = world.author();
    let first = requests(store, 1, false);
    notes(store, id, "later");

    hears(store, &BTreeMap::new(), &good_answer(&first, 3));

    assert_eq!(mark_of(store, id), mark::WAITING);
    takes_all(store, 4);
    assert_eq!(mark_of(store, id), 0);
}

/// An answer with a page that names a record and by what its body is known.
fn named(n: u32, id: RecordId, body: &str) -> Answer {
    let link = Link {
        kind: "household".into(),
        id,
        rev: at(n),
        likeness: Some(Likeness {
            schema: 1,
            check: check8(body.as_bytes()),
        }),
    };
    page(n, my_scope(), vec![Entry::Link(link)])
}

#[test]
fn what_own_work_made_needs_no_body_if_it_is_the_one_that_is_shown() {
    for (body, is_asked_for) in [("{}", false), (r#"{"known_since":7}"#, true)] {
        let world = in_step(2);
        let store = &world.store;
        let id = world.author();
        takes_all(store, 3);

        hears(store, &asks(store), &named(3, id, body));

        let want = requests(store, 1, true).pull.unwrap().want;
        assert_eq!(want.len(), usize::from(is_asked_for), "{body}");
        let shown = store.shown(&HOUSEHOLD, id).unwrap().unwrap();
        assert_eq!(shown.rev, (!is_asked_for).then(|| at(3)));
    }
}

/// A frame is read later than the answer before it, and may hold what is only just being received.
#[test]
fn what_a_frame_shows_already_is_not_laid_over_it_once_more() {
    let world = World::new();
    let store = &world.store;
    hears(store, &BTreeMap::new(), &grants(1, &[my_scope()]));
    store
        .apply_frames(&[frame(my_scope(), 1, &[1], true)])
        .unwrap();
    hears(store, &asks(store), &page(2, my_scope(), Vec::new()));
    hears(store, &BTreeMap::new(), &grants(2, &[my_scope(), grid()]));
    let mut knock = Frozen::new(&HOUSEHOLD, home(1), Op::Patch, store.now().unwrap());
    knock.inc.insert(Path::field("knocks"), 1);
    store.author(knock).unwrap();
    let request = requests(store, 10, false);
    let mut later = frame(grid(), 5, &[1], true);
    later.rows[0].body = RawValue::from_string(r#"{"knocks":1}"#.to_owned()).unwrap();
    store.apply_frames(&[later]).unwrap();

    hears(store, &BTreeMap::new(), &good_answer(&request, 4));

    let shown = store.shown(&HOUSEHOLD, home(1)).unwrap().unwrap();
    assert_eq!((shown.fields["knocks"].as_i64(), shown.mark), (Some(1), 0));
}
