//! Canonical JSON: the one form in which a body is stored, hashed and sent.
//!
//! Keys are sorted, there is no white space, no null (absent and null are one value), no float
//! (decimals are text), no duplicate key and no NUL. Two ends that hold the same value therefore
//! hold the same bytes, and a field that this version does not know survives byte for byte.
//!
//! [`Fields`] relies on `serde_json`'s sorted map; a test below fails if some dependency ever
//! switches on `preserve_order`.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::ids::BlobHash;

/// The fields of a record, sorted by name.
pub type Fields = Map<String, Value>;

/// How deep a value may nest: a body is a form, not a program.
pub const MAX_DEPTH: usize = 8;

/// How much may lie around a value that somebody authors: a review keeps it in a list of
/// candidates, a record's history in the arguments of a step. What is deeper than the rest would be
/// stored and never read again.
const AROUND: usize = 4;

/// Why a text is not canonical JSON that we can keep.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Syntax, duplicate key, NUL, float or depth; the position is in the source.
    #[error("failed to read the body as canonical JSON")]
    Json(#[from] serde_json::Error),
    /// The top is something else than an object.
    #[error("failed to read the body: it is not a JSON object")]
    NotAnObject,
}

/// Reads a JSON object strictly; nulls vanish.
pub fn parse(text: &str) -> Result<Fields, BodyError> {
    match read(text, 0)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(BodyError::NotAnObject),
    }
}

/// Reads any JSON value that somebody authors, strictly; nulls inside objects vanish.
pub fn parse_value(text: &str) -> Result<Value, BodyError> {
    read(text, AROUND)
}

fn read(text: &str, depth: usize) -> Result<Value, BodyError> {
    let mut from = serde_json::Deserializer::from_str(text);
    let value = Strict { depth }.deserialize(&mut from)?;
    from.end()?;
    Ok(value)
}

/// Writes fields in canonical form.
pub fn write(fields: &Fields) -> String {
    serde_json::to_string(fields).expect("a map of strings to values always serializes")
}

/// Reads an authored value strictly where serde expects one; for `#[serde(deserialize_with)]`.
pub fn strict<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Strict { depth: AROUND }.deserialize(from)
}

/// Reads an authored element of a list strictly: one list more lies around it than around a value.
pub fn strict_element<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Strict { depth: AROUND + 1 }.deserialize(from)
}

/// Reads authored fields strictly where serde expects them.
pub fn strict_fields<'de, D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
    match strict(from)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(de::Error::custom("not an object")),
    }
}

/// Says whether a value that came another way than through [`strict`] may be kept: what it says can
/// be written and read again.
pub fn may_be_kept(value: &Value) -> bool {
    fits(value, AROUND)
}

/// Says the same of an element of a list.
pub fn may_be_kept_in_list(element: &Value) -> bool {
    fits(element, AROUND + 1)
}

fn fits(value: &Value, depth: usize) -> bool {
    let is_text = |text: &str| !text.contains('\0');
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => is_text(text),
        Value::Array(items) => depth < MAX_DEPTH && items.iter().all(|item| fits(item, depth + 1)),
        Value::Object(fields) => fields
            .iter()
            .all(|(name, inner)| depth < MAX_DEPTH && is_text(name) && fits(inner, depth + 1)),
    }
}

/// Reads only the named fields of an object that was checked before, without a tree for the rest.
pub fn pick(text: &str, names: &[&str]) -> Result<Fields, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_str(text);
    from.deserialize_map(Pick { names })
}

/// Returns the files that a body names, wherever in it: SHA-256 in small hex letters.
///
/// A name is 64 letters long, so that one of every 64 bytes lies in it: a body without files costs
/// next to nothing.
pub fn files(text: &str) -> Vec<BlobHash> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| matches!(bytes.get(at), Some(b'0'..=b'9' | b'a'..=b'f'));
    let mut found = Vec::new();
    let mut at = FILE_LETTERS - 1;
    while at < bytes.len() {
        if is_hex(at) {
            let start = (0..at)
                .rev()
                .take_while(|at| is_hex(*at))
                .last()
                .unwrap_or(at);
            let mut end = at + 1;
            while is_hex(end) {
                end += 1;
            }
            if end - start == FILE_LETTERS
                && let Ok(hash) = text[start..end].parse()
            {
                found.push(hash);
            }
            at = end;
        }
        at += FILE_LETTERS;
    }
    found
}

/// The length of a file's name.
const FILE_LETTERS: usize = 64;

struct Pick<'n> {
    names: &'n [&'n str],
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if self.names.contains(&key.as_ref()) {
                fields.insert(key.into_owned(), map.next_value()?);
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}

struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, an integer, a flag, a list or an object")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(|value| Value::Number(Number::from(value)))
            .map_err(|_| E::custom("number out of range"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a decimal is written as text"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        if text.contains('\0') {
            return Err(E::custom("NUL in text"));
        }
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Fields::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.deeper()?)?;
            if key.contains('\0') {
                return Err(de::Error::custom("NUL in a field's name"));
            }
            if fields.insert(key, value).is_some() {
                return Err(de::Error::custom("duplicate field"));
            }
        }
        fields.retain(|_, value| !value.is_null());
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_is_sorted_and_without_null() {
        let fields = parse(r#"{ "b": null, "c": [1, {"z": 1, "a": null}], "a": "字" }"#).unwrap();
        assert_eq!(write(&fields), r#"{"a":"字","c":[1,{"z":1}]}"#);
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20), "]".repeat(20));
        for text in [
            "",
            "[]",
            "{",
            r#"{"a":1.5}"#,
            r#"{"a":1e400}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":null,"a":2}"#,
            r#"{"a":"\u0000"}"#,
            r#"{"a":9223372036854775808}"#,
            r#"{"a":1} x"#,
            deep.as_str(),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_as_deep_as_its_author_may_nest_it_is_read_again_wherever_it_is_kept() {
        let nested =
            |levels: usize| format!("{}1{}", r#"{"x":"#.repeat(levels), "}".repeat(levels));
        let deepest = (1..20).take_while(|levels| parse_value(&nested(*levels)).is_ok());
        let value = nested(deepest.last().expect("a value may nest"));

        for kept in [
            format!(r#"{{"pin":{value}}}"#),
            format!(r#"{{"candidates":[{{"value":{value}}}]}}"#),
            format!(r#"{{"candidates":[{{"value":{{"pin":{value}}}}}]}}"#),
            format!(r#"{{"steps":[{{"args":{value}}}]}}"#),
        ] {
            assert!(parse(&kept).is_ok(), "{kept}");
        }
    }

    #[test]
    fn an_address_with_nul_that_no_decoder_saw_does_not_fit() {
        use crate::kind::Shape;
        let group = |inner: Value| serde_json::json!({ "compound": inner });
        for (inner, fits) in [
            (Value::from("渭滨苑"), true),
            (Value::from("a\0b"), false),
            (Value::from(1.5), false),
            (Value::from(u64::MAX), false),
            (Value::from("长".repeat(10_000)), false),
            (serde_json::json!({"\0": 1}), false),
            (serde_json::json!([[["deep"]]]), true),
            (serde_json::json!([[[["deeper"]]]]), false),
        ] {
            let value = group(inner);
            assert_eq!(Shape::Group.accepts(&value), fits, "{value}");
        }
        assert!(!Shape::List.accepts(&serde_json::json!([{"id": "n", "text": "\0"}])));
    }

    #[test]
    fn files_are_found_wherever_they_stand_and_nothing_else_is() {
        let [one, two] = [7, 200].map(|byte| BlobHash([byte; 32]));
        for ahead in 0..130 {
            let text = format!(
                r#"{}{{"photos":["{one}","{two}"],"other":"{}"}}"#,
                "x".repeat(ahead),
                "ab".repeat(33)
            );
            assert_eq!(files(&text), [one, two], "{ahead}");
        }
        let escaped = format!(r#"{{"frozen":"{{\"blobs\":[\"{one}\"]}}"}}"#);
        assert_eq!(files(&escaped), [one]);
        assert_eq!(files(&one.to_string()), [one]);
        assert_eq!(files(&one.to_string()[1..]), []);
        assert_eq!(files("网格员".repeat(100).as_str()), []);
    }
}
