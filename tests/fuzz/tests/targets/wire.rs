//! What travels between phone and server: a message that is read says the same again when it is
//! written, and what somebody authored in it keeps its bytes.

use std::fmt::Debug;

use pocketbook_fuzz::{folder, vary};
use pocketbook_records::receipt::ReceiptRow;
use pocketbook_records::wire::{
    Answer, EnrolAgain, EnrolAnswer, EnrolRequest, Frame, Problem, Request,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a message, writes it, reads that: nothing may have changed on the way.
fn same_again<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) -> Option<(T, T)> {
    let first: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_string(&first).expect("what was read is written");
    let second: T = serde_json::from_str(&written)
        .unwrap_or_else(|error| panic!("{error}: {written} can't be read again"));
    let again = serde_json::to_string(&second).expect("what was read is written");
    assert_eq!(again, written);
    Some((first, second))
}

fn read_request(bytes: &[u8]) {
    let Some((first, second)) = same_again::<Request>(bytes) else {
        return;
    };
    for (one, other) in first.mutations.iter().zip(&second.mutations) {
        assert_eq!(
            one.frozen.get(),
            other.frozen.get(),
            "its bytes never change"
        );
    }
    for (one, other) in first.witness.iter().zip(&second.witness) {
        assert_eq!(one.body.get(), other.body.get(), "its bytes never change");
    }
}

/// An answer's lines: the first is the answer, the others are frames.
fn read_answer(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some((first, second)) = same_again::<Answer>(line) {
            for (one, other) in first.bodies.iter().zip(&second.bodies) {
                assert_eq!(one.body.get(), other.body.get(), "its bytes never change");
            }
        }
        same_again::<Frame>(line);
    }
}

fn read_enrolment(bytes: &[u8]) {
    same_again::<EnrolRequest>(bytes);
    same_again::<EnrolAgain>(bytes);
    same_again::<EnrolAnswer>(bytes);
    same_again::<Problem>(bytes);
}

fn read_receipts(bytes: &[u8]) {
    let Some((first, second)) = same_again::<ReceiptRow>(bytes) else {
        return;
    };
    assert_eq!(first, second);
    assert_eq!(
        first.signed_bytes(),
        second.signed_bytes(),
        "a row that was kept and brought back is still covered by its code"
    );
}

#[test]
fn request() {
    bolero::check!(name = folder("request"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_request(bytes));
    vary("request", 2_000, read_request);
}

#[test]
fn answer() {
    bolero::check!(name = folder("answer"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_answer(bytes));
    vary("answer", 2_000, read_answer);
}

#[test]
fn enrolment() {
    bolero::check!(name = folder("enrolment"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_enrolment(bytes));
    vary("enrolment", 2_000, read_enrolment);
}

#[test]
fn receipt() {
    bolero::check!(name = folder("receipt"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_receipts(bytes));
    vary("receipt", 3_000, read_receipts);
}
