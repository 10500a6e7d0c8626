//! Variations of a JSON tree: one value exchanged for another, left out, said twice, or taken from
//! elsewhere. They get past the decoder's syntax and reach the rules behind it.

use serde_json::{Value, json};

use crate::chance::Chance;

/// Numbers and words that a tree can't hold but a text can.
const RAW: &[&str] = &[
    "1e400",
    "-0",
    "NaN",
    "1.5",
    "18446744073709551616",
    "-9223372036854775809",
    "9007199254740993",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "0123",
    "",
];

/// Returns the text of a tree of the list with up to four things changed.
pub(super) fn varied(trees: &[Value], chance: &mut Chance) -> Vec<u8> {
    let mut tree = chance.one_of(trees).clone();
    for _ in 0..=chance.below(4) {
        let target = chance.below(size(&tree));
        let donor = chance.one_of(trees);
        change(&mut tree, target, donor, chance);
    }
    let mut text = String::new();
    let twist = chance.once_in(6).then(|| chance.below(size(&tree)));
    write(&tree, &mut text, &mut Twist { left: twist }, chance);
    text.into_bytes()
}

/// Counts the values of a tree.
fn size(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// Returns the value that has this number, counted from the root.
fn nth(tree: &mut Value, mut n: usize) -> Option<&mut Value> {
    if n == 0 {
        return Some(tree);
    }
    n -= 1;
    let inner: Vec<&mut Value> = match tree {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        let below = size(value);
        if n < below {
            return nth(value, n);
        }
        n -= below;
    }
    None
}

fn change(tree: &mut Value, target: usize, donor: &Value, chance: &mut Chance) {
    let Some(value) = nth(tree, target) else {
        return;
    };
    let taken = chance.below(size(donor));
    let borrowed = nth(&mut donor.clone(), taken).map(|value| value.take());
    match (chance.below(6), &mut *value) {
        (0, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(chance.below(fields.len())).cloned();
            name.map(|name| fields.remove(&name));
        }
        (1, Value::Object(fields)) => {
            let name = *chance.one_of(&["", "x", "id", "kind", "a/b", "\u{0}", "tags", "grid"]);
            fields.insert(name.to_owned(), borrowed.unwrap_or_default());
        }
        (0, Value::Array(items)) if !items.is_empty() => {
            let at = chance.below(items.len());
            items.remove(at);
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            let again = chance.one_of(items).clone();
            items.push(again);
        }
        (2, _) => *value = borrowed.unwrap_or_default(),
        (3, Value::Number(number)) => {
            let number = number.as_i64().unwrap_or(0);
            *value = json!(number.wrapping_add(i64::from(chance.byte()) - 128));
        }
        (3, Value::String(text)) => {
            let ending: &&str = chance.one_of(&["x", "/", "0", " ", "\u{202e}"]);
            text.push_str(ending);
        }
        (4, Value::String(text)) => drop(text.pop()),
        _ => *value = odd(chance),
    }
}

/// Returns a value that somebody forgot.
fn odd(chance: &mut Chance) -> Value {
    match chance.below(20) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(i64::MAX),
        5 => json!(i64::MIN),
        6 => json!(u64::MAX),
        7 => json!(u64::from(u32::MAX) + 1),
        8 => json!(""),
        9 => json!([]),
        10 => json!({}),
        11 => json!("长".repeat(chance.below(3_000))),
        12 => json!("ab".repeat(32)),
        13 => json!(format!(
            "01890000-0000-7000-8000-0000000000{:02x}",
            chance.byte()
        )),
        14 => json!(chance.below(1 << 40)),
        15 => (0..chance.below(12)).fold(json!("deep"), |inner, _| json!([inner])),
        16 => (0..chance.below(12)).fold(json!("deep"), |inner, _| json!({"x": inner})),
        17 => json!("2024-02-29"),
        18 => json!("a/b/c"),
        _ => json!("e\u{301}😀\u{202e}\u{0}"),
    }
}

/// One place where the text says what no tree can.
struct Twist {
    left: Option<usize>,
}

impl Twist {
    /// Counts one value; says whether it is the one.
    fn is_here(&mut self) -> bool {
        let is_here = self.left == Some(0);
        self.left = self.left.and_then(|left| left.checked_sub(1));
        is_here
    }
}

fn write(value: &Value, text: &mut String, twist: &mut Twist, chance: &mut Chance) {
    if twist.is_here() && !value.is_object() {
        let raw: &&str = chance.one_of(RAW);
        text.push_str(raw);
        return;
    }
    match value {
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                text.push_str(if n == 0 { "" } else { "," });
                write(item, text, twist, chance);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (n, (name, inner)) in fields.iter().enumerate() {
                text.push_str(if n == 0 { "" } else { "," });
                let name = Value::from(name.as_str()).to_string();
                if twist.left == Some(0) && inner.is_object() {
                    // The same name twice, with different values.
                    text.push_str(&format!("{name}:{},", odd(chance)));
                }
                text.push_str(&name);
                text.push(':');
                write(inner, text, twist, chance);
            }
            text.push('}');
        }
        leaf => text.push_str(&leaf.to_string()),
    }
}
