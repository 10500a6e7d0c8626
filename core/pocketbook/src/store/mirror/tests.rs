//! What comes late or twice, brought to the door by hand.

use std::collections::BTreeMap;

use pocketbook_records::ids::{Commit, Epoch, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{Answer, Ask, Entry, Frame, Mode, Page};
use uuid::Uuid;

use crate::engine::testing::{World, empty_answer, frame, my_scope};
use crate::store::Store;
use crate::store::hand_in::BatchLimits;

fn at(n: u32) -> Commit {
    Commit::new(Epoch(1), n)
}

fn grid() -> Scope {
    Scope::General("g1".into())
}

fn home(n: u128) -> RecordId {
    RecordId(Uuid::from_u128(n))
}

/// What the store would ask of each scope now.
fn asks(store: &Store) -> BTreeMap<Scope, Ask> {
    let limits = BatchLimits {
        bytes: 1 << 20,
        count: 10,
        from: None,
        pull: true,
    };
    let request = store.next_request(limits).unwrap();
    request.pull.expect("it pulls").scopes
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
