//! A document of the peers' data set as a household file, and back.
//!
//! The peers hold a document as one value. Here it is one `household` record with its residents
//! inside, in fields whose merge rules fit: the text of the notes is a register, so that two
//! people's texts end in a review; visits are a counter; the two moments are `max` and `min`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use pocketbook::books::Change;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::time::At;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use pocketbook_tests::stack::Result;

/// How the data set writes a moment.
const MOMENT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// One household of the data set.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: RecordId,
    grid: String,
    community: String,
    address: String,
    building: String,
    unit: String,
    door: String,
    residents: Vec<Map<String, Value>>,
    care: Vec<String>,
    notes: String,
    visits: i64,
    created_at: String,
    updated_at: String,
}

impl Document {
    /// Returns what enters it as a household of one of our grids.
    pub(crate) fn creation(&self, grid: &UnitId, at: At) -> Result<Frozen> {
        let mut new = Frozen::new(&HOUSEHOLD, self.id, Op::Create, at);
        let mut register = |path: Path, to: &Value| {
            new.set.push(Set {
                path,
                was: Value::Null,
                to: to.clone(),
            });
        };
        register(Path::field("grid"), &json!(grid));
        let values = self.values()?;
        for (name, value) in &values {
            match (name.as_str(), value) {
                ("knocks", _) => {}
                ("tags" | "extras", Value::Object(entries)) => {
                    for (key, leaves) in entries {
                        let of_key = Path::field(name).join(key)?;
                        for (leaf, to) in leaves.as_object().into_iter().flatten() {
                            register(of_key.join(leaf)?, to);
                        }
                    }
                }
                _ => register(Path::field(name), value),
            }
        }
        new.inc.insert(Path::field("knocks"), self.visits);
        for name in ["tags", "extras"] {
            let keys = values[name].as_object().into_iter().flatten();
            let keys: Vec<_> = keys.map(|(key, _)| json!(key)).collect();
            if !keys.is_empty() {
                new.add.insert(Path::field(name), keys);
            }
        }
        Ok(new)
    }

    fn values(&self) -> Result<Fields> {
        let mut extras = Map::new();
        extras.insert("notes".into(), json!({"value": self.notes}));
        for (n, resident) in self.residents.iter().enumerate() {
            extras.insert(format!("resident-{n}"), json!(resident));
        }
        let tags: BTreeMap<_, _> = self.care.iter().map(|tag| (tag, json!({}))).collect();
        let fields = json!({
            "place": {
                "compound": self.address, "building": self.building, "unit": self.unit,
                "room": self.door, "grid": self.grid, "community": self.community,
            },
            "tags": tags,
            "extras": extras,
            "knocks": self.visits,
            "known_since": read_moment(&self.created_at)?,
            "last_visit": read_moment(&self.updated_at)?,
        });
        match fields {
            Value::Object(fields) => Ok(fields),
            _ => Err("a document is an object".into()),
        }
    }

    /// Returns what an author changes who makes this version out of `before`.
    pub(crate) fn changes(&self, before: &Self) -> Result<Vec<Change>> {
        let (was, to) = (before.values()?, self.values()?);
        let mut changes = Vec::new();
        for (name, to) in to {
            let was = was.get(&name).cloned().unwrap_or_default();
            if was != to {
                changes.push(Change {
                    path: name,
                    was,
                    to,
                });
            }
        }
        Ok(changes.into_iter().flat_map(down_to_leaves).collect())
    }
}

/// A map's change is said leaf by leaf, as a screen with one box per answer says it.
fn down_to_leaves(change: Change) -> Vec<Change> {
    match change.path.as_str() {
        "extras" => {
            let entries = change.to.as_object().into_iter().flatten();
            let leaves = entries.flat_map(|(key, to)| {
                let was = change.was.get(key).cloned().unwrap_or_default();
                let leaves = to.as_object().into_iter().flatten();
                let changed = leaves.filter_map(move |(leaf, to)| {
                    let was = was.get(leaf).cloned().unwrap_or_default();
                    (was != *to).then(|| Change {
                        path: format!("extras/{key}/{leaf}"),
                        was,
                        to: to.clone(),
                    })
                });
                changed.collect::<Vec<_>>()
            });
            leaves.collect()
        }
        _ => vec![change],
    }
}

fn read_moment(text: &str) -> Result<i64> {
    let moment = NaiveDateTime::parse_from_str(text, MOMENT)?;
    Ok(moment.and_utc().timestamp_millis())
}

fn written_moment(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The data set's check of a store: how many records, and an order-free hash of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    n: usize,
    xor: u64,
}

impl Sum {
    /// Adds a household as it is shown.
    pub(crate) fn add(&mut self, id: RecordId, fields: &Fields) {
        let notes = fields
            .get("extras")
            .and_then(|extras| extras.get("notes"))
            .and_then(|notes| notes.get("value"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let updated = fields
            .get("last_visit")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        let hash = Sha256::digest(format!("{id}\n{notes}\n{}", written_moment(updated)));
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        self.xor ^= u64::from_be_bytes(first);
        self.n += 1;
    }

    /// Returns it as the harness prints it.
    pub(crate) fn told(&self) -> Value {
        json!({"n": self.n, "xor": format!("{:016x}", self.xor)})
    }
}
