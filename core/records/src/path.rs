//! Paths into a body: `phone`, `tags/lives-alone/proof`.
//!
//! A path has one segment (a field), two (an element of a map or set) or three (a register inside
//! an element of a map). Absent and null are one value, and an object that loses its last field
//! inside a map stays as `{}`: the element is still there.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::body::Fields;

/// Names a place in a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Path(String);

/// The text is no path: empty, too long, too deep, or with an empty segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a path: one to three names joined by '/'")]
pub struct PathError;

/// The longest path, in bytes.
pub const MAX_PATH: usize = 200;

impl Path {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let segments = text.split('/').count();
        let fits = text.len() <= MAX_PATH
            && segments <= 3
            && !text.contains('\0')
            && text.split('/').all(|segment| !segment.is_empty());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(PathError)
        }
    }

    /// Returns the path of a field that is known to be well formed.
    pub fn field(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns the path of an element below this one.
    pub fn join(&self, segment: &str) -> Result<Self, PathError> {
        Self::parse(&format!("{}/{segment}", self.0))
    }

    /// Returns the name of the field that the path lies in.
    pub fn root(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// Returns the segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Returns the value at a path, null if there is none.
pub fn get<'a>(fields: &'a Fields, path: &Path) -> &'a Value {
    let mut segments = path.segments();
    let mut value = segments.next().and_then(|name| fields.get(name));
    for segment in segments {
        value = value
            .and_then(Value::as_object)
            .and_then(|inner| inner.get(segment));
    }
    value.unwrap_or(&Value::Null)
}

/// Puts a value at a path; null takes it away. Objects on the way come into being.
pub fn set(fields: &mut Fields, path: &Path, to: Value) {
    let segments: Vec<&str> = path.segments().collect();
    let Some((last, way)) = segments.split_last() else {
        return;
    };
    let mut inner = fields;
    for segment in way {
        if to.is_null() && !inner.get(*segment).is_some_and(Value::is_object) {
            return;
        }
        let next = inner
            .entry((*segment).to_owned())
            .or_insert_with(|| Value::Object(Fields::new()));
        if !next.is_object() {
            *next = Value::Object(Fields::new());
        }
        let Value::Object(object) = next else { return };
        inner = object;
    }
    if to.is_null() {
        inner.remove(*last);
    } else {
        inner.insert((*last).to_owned(), to);
    }
}
