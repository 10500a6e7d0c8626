//! Door two of a phone: whatever an answer says, the store stays whole, own work stays until a
//! receipt names it, and a list can be shown.
//!
//! An input is a list of `{"asked", "answer"?, "frames"}`; `@mid` and `@home` stand for the entry
//! that waits on the phone and the household that it is about.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_fuzz::{folder, vary};
use pocketbook_records::ids::Mid;
use pocketbook_records::kinds;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{Answer, Ask, Frame};
use serde::Deserialize;

use crate::device::Device;

#[derive(Deserialize)]
struct Heard {
    #[serde(default)]
    asked: BTreeMap<Scope, Ask>,
    answer: Option<Answer>,
    #[serde(default)]
    frames: Vec<Frame>,
}

fn read(device: &Device, bytes: &[u8]) -> Option<Vec<Heard>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text
        .replace("@mid", &device.mid.to_string())
        .replace("@home", &device.home.to_string());
    serde_json::from_str(&text).ok()
}

/// Applies one thing that was heard; what can't be applied must have changed nothing.
fn apply(device: &Device, heard: &Heard) {
    let received = Contact {
        token: "1.0".to_owned(),
        boot: "fuzz-1".to_owned(),
        monotonic_ms: 1,
    };
    let before = device.dump();
    if let Some(answer) = &heard.answer
        && device
            .store
            .apply_answer(&heard.asked, answer, received)
            .is_err()
    {
        assert_eq!(device.dump(), before, "an answer applies as a whole");
    }
    let before = device.dump();
    if device.store.apply_frames(&heard.frames).is_err() {
        assert_eq!(device.dump(), before, "frames apply as a whole");
    }
}

fn named(all: &[Heard]) -> BTreeSet<Mid> {
    let answers = all.iter().filter_map(|heard| heard.answer.as_ref());
    let rows = answers.flat_map(|answer| &answer.receipts);
    rows.flat_map(|row| row.receipts.iter().map(|receipt| receipt.mid))
        .collect()
}

fn hear(bytes: &[u8]) {
    let device = Device::new();
    let Some(all) = read(&device, bytes) else {
        return;
    };
    all.iter().take(8).for_each(|heard| apply(&device, heard));

    device.is_sound();
    let own = format!(
        "SELECT COUNT(*) FROM authored WHERE mseq = 1 AND hex(mid) = '{:X}'",
        device.mid.0.simple()
    );
    assert_eq!(device.count(&own), 1, "own work never vanishes");
    if !named(&all).contains(&device.mid) {
        let waiting = device.store.status().expect("the status reads").waiting;
        assert_eq!(waiting, 1, "only a receipt that names it settles an entry");
    }
    let loose = "SELECT COUNT(*) FROM membership
                 WHERE key NOT IN (SELECT key FROM record) OR scope NOT IN (SELECT id FROM scope)";
    assert_eq!(device.count(loose), 0, "what is in a scope is here");
    for kind in kinds::ALL {
        let listed = device.store.list(kind, None, None, 100);
        listed.unwrap_or_else(|error| panic!("{}: {error:?}", kind.name));
    }
    let limits = pocketbook::store::hand_in::BatchLimits {
        bytes: 1 << 20,
        count: 10,
        start: pocketbook::store::hand_in::Start::FirstWaiting,
        pull: true,
    };
    device
        .store
        .next_request(limits)
        .expect("it goes on asking");

    let other = Device::new();
    all.iter().take(8).for_each(|heard| apply(&other, heard));
    assert_eq!(
        device.dump(),
        other.dump(),
        "two phones that hear the same hold the same"
    );
}

#[test]
fn pages() {
    bolero::check!(name = folder("pages"))
        .with_iterations(0)
        // Every try is two databases.
        .with_shrink_time(std::time::Duration::ZERO)
        .for_each(|bytes: &[u8]| hear(bytes));
    vary("pages", 100, hear);
}
