//! Laying a change over fields, without judging it: what its author sees before the server has
//! spoken, what a creation makes, and the small steps that the merge takes too.

use serde_json::{Value, json};

use crate::body::Fields;
use crate::kind::{Kind, Rule};
use crate::mutation::Frozen;
use crate::path::{self, Path};

/// Lays an own edit over a body: what its author sees before the server has spoken.
pub fn overlay(kind: &Kind, body: &mut Fields, edit: &Frozen) {
    for set in &edit.set {
        let stored = path::get(body, &set.path).as_i64();
        let wins = match (rule(kind, &set.path), stored, set.to.as_i64()) {
            (Rule::Max, Some(stored), Some(to)) => to > stored,
            (Rule::Min, Some(stored), Some(to)) => to < stored,
            _ => true,
        };
        if wins {
            path::set(body, &set.path, set.to.clone());
        }
    }
    for (path, by) in &edit.inc {
        count(body, path, *by);
    }
    for (path, items) in &edit.add {
        for item in items {
            put_element(kind, body, path, item);
        }
    }
    for (path, items) in &edit.remove {
        for item in items {
            take_element(kind, body, path, item);
        }
    }
}

pub(crate) fn rule(kind: &Kind, path: &Path) -> Rule {
    kind.field(path.root())
        .map_or(Rule::Register, |field| field.rule)
}

pub(crate) fn count(body: &mut Fields, path: &Path, by: i64) {
    let stored = path::get(body, path).as_i64().unwrap_or(0);
    path::set(body, path, json!(stored.saturating_add(by)));
}

pub(crate) fn put_element(kind: &Kind, body: &mut Fields, path: &Path, item: &Value) {
    if rule(kind, path) == Rule::Map {
        if let Some(Ok(element)) = item.as_str().map(|key| path.join(key))
            && path::get(body, &element).is_null()
        {
            path::set(body, &element, json!({}));
        }
        return;
    }
    let mut items = path::get(body, path)
        .as_array()
        .cloned()
        .unwrap_or_default();
    // Sorted, so that the order of arrival leaves no trace; ids of elements grow with time.
    if let Err(at) = items.binary_search_by(|other| name_of(other).cmp(name_of(item))) {
        items.insert(at, item.clone());
        path::set(body, path, Value::Array(items));
    }
}

pub(crate) fn take_element(kind: &Kind, body: &mut Fields, path: &Path, item: &str) {
    if rule(kind, path) == Rule::Map {
        if let Ok(element) = path.join(item) {
            path::set(body, &element, Value::Null);
        }
        return;
    }
    if let Value::Array(items) = path::get(body, path) {
        let left: Vec<Value> = items
            .iter()
            .filter(|other| name_of(other) != item)
            .cloned()
            .collect();
        path::set(
            body,
            path,
            if left.is_empty() {
                Value::Null
            } else {
                Value::Array(left)
            },
        );
    }
}

fn name_of(item: &Value) -> &str {
    item.as_str()
        .or_else(|| item.get("id").and_then(Value::as_str))
        .unwrap_or("")
}
