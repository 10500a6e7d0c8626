//! Mutations: one authored change of one record.
//!
//! The *frozen* part is what the author meant; its bytes never change from the moment of
//! authoring, whatever the server, the network or a newer app does. The envelope around it says
//! who sent it and where it stands in that enrolment's work. Every edit carries what the screen
//! showed (`seen`, `was`): the core never fills these in from a newer copy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::body::{self, Fields};
use crate::ids::{BlobHash, Hex, Mid, Mseq, RecordId, Rev, check_of, check8};
use crate::kind::{Field, Kind, Owner, Rule, SCHEMA, Shape};
use crate::path::Path;
use crate::receipt::Reason;
use crate::time::At;

/// The most bytes of a frozen mutation when it is authored.
pub const MAX_FROZEN: usize = 128 * 1024;

/// The most that one mutation adds to a counter or takes from it: nine thousand million of these
/// fit, so a sum never runs over.
pub const MAX_INC: u64 = 1_000_000_000;

/// A mutation as it travels and as the outbox keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mutation {
    /// Its name.
    pub mid: Mid,
    /// Its place in its enrolment's work.
    pub mseq: Mseq,
    /// What was authored, byte for byte; reads as [`Frozen`].
    pub frozen: Box<RawValue>,
}

/// What sort of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A new record; may carry edits and a first command.
    Create,
    /// Edits of fields.
    Patch,
    /// A step of the kind's workflow.
    Command,
    /// Takes the record away.
    Delete,
    /// Decides a review.
    Decide,
    /// A number without content: a withdrawn or unreadable entry.
    Void,
    /// The content comes by the blob door, since it never got through by this one.
    Later,
}

/// What the author meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// The schema that the author's app knew.
    pub schema: u16,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: RecordId,
    /// What sort of change.
    pub op: Op,
    /// The rev shown on the screen; none for a record not yet acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Rev>,
    /// Own mutations that this one builds on and that were not settled when it was authored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Mid>,
    /// Registers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Set>,
    /// Counters.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique"
    )]
    pub inc: BTreeMap<Path, i64>,
    /// Elements added to sets, lists and maps (there: the key).
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "adds"
    )]
    pub add: BTreeMap<Path, Vec<Value>>,
    /// Elements taken out of sets and maps.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique"
    )]
    pub remove: BTreeMap<Path, Vec<String>>,
    /// A step of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// A decision of a review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide: Option<Decide>,
    /// The tray item that this one puts right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
    /// Where the content is, for `later`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
    /// Files that the change refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobHash>,
    /// When.
    pub at: At,
}

/// One register: what was shown and what it shall be. Null stands for absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// Where.
    pub path: Path,
    /// What the screen showed.
    #[serde(
        default,
        skip_serializing_if = "Value::is_null",
        deserialize_with = "body::strict"
    )]
    pub was: Value,
    /// What it shall be.
    #[serde(
        default,
        skip_serializing_if = "Value::is_null",
        deserialize_with = "body::strict"
    )]
    pub to: Value,
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its name in the workflow's table.
    pub name: String,
    /// Its arguments.
    #[serde(
        default,
        skip_serializing_if = "Fields::is_empty",
        deserialize_with = "body::strict_fields"
    )]
    pub args: Fields,
    /// What the screen showed.
    pub expect: Expect,
}

/// Where a record stood in its workflow on the author's screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// Its state.
    pub state: String,
    /// Its turn.
    pub turn: u32,
    /// The mutation of the transition shown, own unacknowledged ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Mid>,
}

impl Expect {
    /// Returns where a record of this body stands; one without fields is still to be created.
    pub fn of(kind: &Kind, shown: &Fields) -> Self {
        let turn = shown.get("turn").and_then(Value::as_u64).unwrap_or(0);
        let last = shown.get("transition").and_then(Value::as_str);
        let state = kind.workflow.map_or("", |workflow| workflow.state(shown));
        Self {
            state: state.to_owned(),
            turn: u32::try_from(turn).unwrap_or(u32::MAX),
            after: last.and_then(|mid| mid.parse().ok()),
        }
    }
}

/// A decision of a review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decide {
    /// Which value it shall be.
    pub choice: Choice,
    /// The candidates that the screen showed.
    pub seen: Vec<String>,
}

/// Which value a field shall have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// One of the review's candidates.
    Candidate(String),
    /// Another value.
    Value(#[serde(deserialize_with = "body::strict")] Value),
}

/// Which tray item a mutation puts right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaces {
    /// The mutation in the tray.
    pub mid: Mid,
    /// The tray item's turn that the screen showed.
    pub turn: u32,
}

/// Where the content of a mutation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The file that holds the frozen bytes.
    pub hash: BlobHash,
    /// Its length.
    pub bytes: u64,
}

fn adds<'de, D>(from: D) -> Result<BTreeMap<Path, Vec<Value>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Strict(#[serde(deserialize_with = "body::strict_element")] Value);
    let read: BTreeMap<Path, Vec<Strict>> = unique(from)?;
    Ok(read
        .into_iter()
        .map(|(path, items)| (path, items.into_iter().map(|i| i.0).collect()))
        .collect())
}

/// Reads a map in which no path stands twice: the second would silently drop the first.
fn unique<'de, D, V>(from: D) -> Result<BTreeMap<Path, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Unique<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<Path, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of paths")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some((path, value)) = map.next_entry()? {
                if all.insert(path, value).is_some() {
                    return Err(de::Error::custom("a path stands twice"));
                }
            }
            Ok(all)
        }
    }

    from.deserialize_map(Unique(PhantomData))
}

/// Returns the eight bytes by which a receipt knows a content: those of its hash, also where only
/// that hash was handed in.
pub fn check(text: &str) -> Hex<8> {
    let announced = || Frozen::parse(text).ok()?.later;
    match text.contains("\"later\"").then(announced).flatten() {
        Some(later) => check_of(later.hash),
        None => check8(text.as_bytes()),
    }
}

impl Frozen {
    /// Returns an empty change of a record, to be filled.
    pub fn new(kind: &Kind, id: RecordId, op: Op, at: At) -> Self {
        Self {
            schema: SCHEMA,
            kind: kind.name.to_owned(),
            id,
            op,
            seen: None,
            deps: Vec::new(),
            set: Vec::new(),
            inc: BTreeMap::new(),
            add: BTreeMap::new(),
            remove: BTreeMap::new(),
            command: None,
            decide: None,
            replaces: None,
            later: None,
            blobs: Vec::new(),
            at,
        }
    }

    /// Reads what a mutation carries.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.len() > MAX_FROZEN {
            return Err(Reason::TooLarge);
        }
        let mut unknown = None;
        let mut from = serde_json::Deserializer::from_str(text);
        let frozen: Self = serde_ignored::deserialize(&mut from, |path| {
            unknown.get_or_insert_with(|| path.to_string());
        })
        .map_err(|_| Reason::Malformed)?;
        from.end().map_err(|_| Reason::Malformed)?;
        match unknown {
            // What a newer app means by it is not ours to judge: its bytes are kept.
            Some(name) if frozen.schema <= SCHEMA => Err(Reason::UnknownField(name)),
            _ if frozen.schema == 0 => Err(Reason::Malformed),
            _ => Ok(frozen),
        }
    }

    /// Writes the bytes that never change again.
    pub fn freeze(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(self).expect("strings, integers and maps always serialize")
    }

    /// Says whether it writes fields.
    pub fn has_edits(&self) -> bool {
        !(self.set.is_empty()
            && self.inc.is_empty()
            && self.add.is_empty()
            && self.remove.is_empty())
    }

    /// Says whether it has the parts of its sort and no others. Holds for any kind: a void with an
    /// edit in it would lose the edit.
    pub fn is_formed(&self) -> bool {
        let shape = (
            self.command.is_some(),
            self.decide.is_some(),
            self.later.is_some(),
        );
        match self.op {
            Op::Create => matches!(shape, (_, false, false)),
            Op::Patch => matches!(shape, (false, false, false)) && self.has_edits(),
            Op::Command => matches!(shape, (true, false, false)) && !self.has_edits(),
            Op::Delete | Op::Void => matches!(shape, (false, false, false)) && !self.has_edits(),
            Op::Decide => matches!(shape, (false, true, false)) && !self.has_edits(),
            Op::Later => matches!(shape, (false, false, true)) && !self.has_edits(),
        }
    }

    /// Checks everything that can be checked without the record: both ends do, the author's
    /// before it is saved, the server before it decides.
    pub fn check(&self, kind: &Kind) -> Result<(), Reason> {
        let paths: BTreeSet<&Path> = self.set.iter().map(|set| &set.path).collect();
        if !self.is_formed() || paths.len() < self.set.len() {
            return Err(Reason::Malformed);
        }
        for set in &self.set {
            self.check_set(kind, set)?;
        }
        for (path, by) in &self.inc {
            self.check_field(kind, path, &[Rule::Counter])?;
            if by.unsigned_abs() > MAX_INC {
                return Err(Reason::bad_value(path));
            }
        }
        for (path, items) in &self.add {
            let field = self.check_field(kind, path, &[Rule::Set, Rule::Append, Rule::Map])?;
            let whole = Value::Array(items.clone());
            let fits = match field.map(|f| f.shape) {
                None => true,
                Some(Shape::Map) => Shape::Texts.accepts(&whole),
                Some(shape) => shape.accepts(&whole),
            };
            if !fits {
                return Err(Reason::bad_value(path));
            }
        }
        for path in self.remove.keys() {
            self.check_field(kind, path, &[Rule::Set, Rule::Map])?;
        }
        Ok(())
    }

    fn check_set(&self, kind: &Kind, set: &Set) -> Result<(), Reason> {
        let depth = set.path.segments().count();
        let Some(field) = self.check_field(
            kind,
            &set.path,
            &[
                Rule::Register,
                Rule::NeverAuto,
                Rule::Max,
                Rule::Min,
                Rule::Map,
                Rule::State,
            ],
        )?
        else {
            return Ok(());
        };
        let fits = match field.rule {
            Rule::Map => depth == 3 && is_leaf(&set.to),
            _ => depth == 1 && field.shape.accepts(&set.to),
        };
        if fits {
            Ok(())
        } else {
            Err(Reason::bad_value(&set.path))
        }
    }

    /// Finds the field; none if it is unknown here and the author's schema is newer.
    fn check_field<'k>(
        &self,
        kind: &'k Kind,
        path: &Path,
        rules: &[Rule],
    ) -> Result<Option<&'k Field>, Reason> {
        let Some(field) = kind.field(path.root()) else {
            let newer = self.schema > SCHEMA;
            return if newer {
                Ok(None)
            } else {
                Err(Reason::unknown_field(path))
            };
        };
        let creating = self.op == Op::Create;
        match field.owner {
            Owner::Server | Owner::Derived => return Err(Reason::server_field(path)),
            Owner::Creation if !creating => return Err(Reason::server_field(path)),
            _ => {}
        }
        if kind.append_only && !creating && field.rule != Rule::Append {
            return Err(Reason::server_field(path));
        }
        if rules.contains(&field.rule) {
            Ok(Some(field))
        } else {
            Err(Reason::bad_value(path))
        }
    }
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => text.chars().count() <= 2000 && !text.contains('\0'),
        Value::Array(items) => items.len() <= 100 && items.iter().all(Value::is_string),
        Value::Object(_) => false,
    }
}
