//! What a record is made of: bodies are canonical, and a change that was checked leaves a body that
//! can be kept, sent and read again.

use pocketbook_fuzz::{folder, vary};
use pocketbook_records::body::{self, MAX_DEPTH};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Frozen, MAX_FROZEN};
use pocketbook_records::overlay::overlay;
use serde_json::Value;

/// Fails unless a body is what [`body::parse`] would give back for it.
pub(crate) fn is_canonical(fields: &body::Fields) {
    let text = body::write(fields);
    match body::parse(&text) {
        Ok(read) => assert_eq!(read, *fields, "{text}"),
        Err(error) => panic!("{error:?}: {text}"),
    }
}

/// Counts what lies around the innermost value.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => None,
    };
    inner.map_or(0, |inner| inner + 1)
}

fn read_body(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let files = body::files(text);
    assert!(files.len() <= text.len() / 64);
    assert!(files.iter().all(|file| text.contains(&file.to_string())));
    let Ok(fields) = body::parse(text) else {
        return;
    };
    is_canonical(&fields);
    let value = Value::Object(fields.clone());
    assert!(depth(&value) <= MAX_DEPTH, "{text}");
    let written = body::write(&fields);
    let names: Vec<&str> = fields.keys().map(String::as_str).take(3).collect();
    let picked = body::pick(&written, &names).expect("what was checked is read");
    for name in names {
        assert_eq!(picked.get(name), fields.get(name));
    }
}

fn read_mutation(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(frozen) = Frozen::parse(text) else {
        return;
    };
    assert!(text.len() <= MAX_FROZEN);
    let again = frozen.freeze();
    assert_eq!(Frozen::parse(again.get()).as_ref(), Ok(&frozen));
    let Some(kind) = Kind::named(&frozen.kind) else {
        return;
    };
    if frozen.check(kind).is_err() {
        return;
    }
    let mut shown = body::Fields::new();
    overlay(kind, &mut shown, &frozen);
    is_canonical(&shown);
    let once = shown.clone();
    for field in kind.fields {
        if let Some(value) = once.get(field.name) {
            assert!(field.shape.accepts(value), "{}: {value}", field.name);
        }
    }
}

#[test]
fn canonical_body() {
    bolero::check!(name = folder("canonical_body"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_body(bytes));
    vary("canonical_body", 3_000, read_body);
}

#[test]
fn mutation() {
    bolero::check!(name = folder("mutation"))
        .with_iterations(0)
        .for_each(|bytes: &[u8]| read_mutation(bytes));
    vary("mutation", 4_000, read_mutation);
}
