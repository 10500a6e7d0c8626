//! JSON text on its way in and out, strict in both directions.

use pocketbook_records::body::{self, Fields};
use serde_json::Value;

use crate::error::{PocketbookError, Result};

/// Reads an object; no text is an empty one. `field` is blamed for what is not canonical JSON.
pub(crate) fn fields(text: Option<&str>, field: &str) -> Result<Fields> {
    match text {
        None => Ok(Fields::new()),
        Some(_) => match value(text, field)? {
            Value::Object(fields) => Ok(fields),
            _ => Err(PocketbookError::field(field)),
        },
    }
}

/// Reads a value; no text is null, which stands for absent.
pub(crate) fn value(text: Option<&str>, field: &str) -> Result<Value> {
    match text {
        None => Ok(Value::Null),
        Some(text) => body::parse_value(text).map_err(|_| PocketbookError::field(field)),
    }
}

/// Writes a value; null is no text.
pub(crate) fn text(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// Writes an object.
pub(crate) fn object(fields: &Fields) -> String {
    body::write(fields)
}
