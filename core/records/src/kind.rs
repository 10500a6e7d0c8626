//! Kinds: what sorts of records there are, declared as tables.
//!
//! The sync engine, the merge, the outbox and the index know a kind only through its [`Kind`]
//! table; there is no sync code per kind. [`kind!`](crate::kind!) writes the table and, from the same lines,
//! the struct that a feature *reads*. Writes never go through that struct: they are patches that
//! carry what the screen showed, so a field that this version does not know survives.
//!
//! A new kind is one file in [`crate::kinds`] and one line in its list.

use serde_json::Value;

use crate::body::Fields;
use crate::workflow::Workflow;

/// The schema number that this version writes.
///
/// 1 (2026-11): the first one shipped.
pub const SCHEMA: u16 = 1;

/// Whether a kind may be read with the general grant or needs the sensitive one (PIPL 28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Read by everyone who works in the grid.
    General,
    /// Health, identity numbers, phones and the like.
    Sensitive,
}

/// Where a record's grid comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// A field of the record names the grid.
    Grid(&'static str),
    /// The grid is that of the parent.
    Parent(Parent),
    /// The server notes it; the named field holds a user whose own scope has the record too.
    AuthorAnd(&'static str),
    /// The grid is that of the record which the review is about; the server notes it.
    Noted,
}

/// The record that another one hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The parent's kind.
    pub kind: &'static str,
    /// The field that names it; `None` if parent and child share one id (a companion).
    pub field: Option<&'static str>,
}

/// How a list of this kind is filtered and sorted; its columns are filled when a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The field that names the record which this one is listed under.
    pub under: Option<&'static str>,
    /// The values that make up the sorting text, in order.
    pub sort: &'static [&'static str],
    /// The time (ms) that lists are ordered by, newest first, where the order is by time.
    pub time: Option<&'static str>,
}

/// Which records of a kind leave the phones two years after their last change; desks keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ages {
    /// None: they are of use as long as they are there.
    Never,
    /// All.
    Always,
    /// Those that are in one of these states.
    In(&'static [&'static str]),
}

impl Ages {
    /// Says whether a record in this state ages.
    pub fn covers(self, state: Option<&str>) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::In(states) => state.is_some_and(|state| states.contains(&state)),
        }
    }
}

/// The table of a kind.
#[derive(Debug)]
pub struct Kind {
    /// The name that travels.
    pub name: &'static str,
    /// General or sensitive.
    pub class: Class,
    /// Where its grid comes from.
    pub home: Home,
    /// The field that names a handling unit whose scope has the record too.
    pub unit: Option<&'static str>,
    /// Whether a record is never changed after its creation (but by appending).
    pub append_only: bool,
    /// Which of its records leave the phones in time.
    pub ages: Ages,
    /// How it is listed.
    pub listing: Listing,
    /// The commands that move its state.
    pub workflow: Option<&'static Workflow>,
    /// Its fields.
    pub fields: &'static [Field],
}

/// The most characters of a text in a [`Shape::Group`].
const LONGEST_IN_GROUP: usize = 2_000;

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text of at most so many characters.
    Text(usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An integer.
    Integer,
    /// Yes or no.
    Flag,
    /// Milliseconds since 1970, UTC.
    Time,
    /// A calendar day, `2026-11-25`.
    Day,
    /// The id of a record or user.
    Id,
    /// An 18-digit identity number with a right check digit (GB 11643).
    IdNumber,
    /// A telephone number.
    Phone,
    /// An object of the kind's own making (place, pin), taken as one value.
    Group,
    /// A set of texts.
    Texts,
    /// Key → registers.
    Map,
    /// Elements with an `id`.
    List,
    /// SHA-256 names of files, a set.
    Blobs,
}

/// What the merge does when two people wrote without having seen each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// One value; the provisional winner is the later one, a review holds both.
    Register,
    /// One value; the stored one stays until the head or clerk decides.
    NeverAuto,
    /// Increments add up.
    Counter,
    /// Add wins, per element.
    Set,
    /// Key → registers: add wins per key, register rule per leaf.
    Map,
    /// The union by element id.
    Append,
    /// The greater value.
    Max,
    /// The smaller value.
    Min,
    /// Changed by commands only.
    State,
}

/// Who may write a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whoever may write the record.
    Author,
    /// Set at creation, never patched.
    Creation,
    /// The server: numbers, limits, states.
    Server,
    /// The server, which makes it of another record whenever that changes: masks.
    Derived,
}

/// One line of a kind's table.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// How two writes meet.
    pub rule: Rule,
    /// Who writes it.
    pub owner: Owner,
    /// The schema that brought it.
    pub since: u16,
}

impl Kind {
    /// Returns the kind of a name.
    pub fn named(name: &str) -> Option<&'static Kind> {
        crate::kinds::ALL
            .iter()
            .copied()
            .find(|kind| kind.name == name)
    }

    /// Returns a field of the table.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the parent's kind and the field that names it.
    pub fn parent(&self) -> Option<Parent> {
        match self.home {
            Home::Parent(parent) => Some(parent),
            _ => None,
        }
    }

    /// Returns the kinds whose records share their ids with this one's: its companions, or the kind
    /// that it is a companion of and that one's others.
    pub fn kin(&self) -> impl Iterator<Item = &'static Kind> {
        let (name, main) = (self.name, self.main());
        let all = crate::kinds::ALL.iter().copied();
        all.filter(move |kind| kind.name != name && kind.main() == main)
    }

    /// Returns the name of the kind that this one is a companion of, or its own.
    fn main(&self) -> &'static str {
        match self.parent() {
            Some(parent) if parent.field.is_none() => parent.kind,
            _ => self.name,
        }
    }

    /// Returns the text by which a list sorts this body.
    pub fn sort_text(&self, body: &Fields) -> String {
        let mut text = String::new();
        for path in self.listing.sort {
            let mut segments = path.split('/');
            let mut value = segments.next().and_then(|name| body.get(name));
            for segment in segments {
                value = value.and_then(|inner| inner.get(segment));
            }
            push_sortable(&mut text, value.unwrap_or(&Value::Null));
            text.push('\u{1}');
        }
        text
    }
}

/// Pads runs of digits so that building 3 comes before building 12.
fn push_sortable(text: &mut String, value: &Value) {
    let plain = match value {
        Value::String(plain) => plain.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    let mut digits = String::new();
    for char in plain.chars().chain(std::iter::once('\0')) {
        if char.is_ascii_digit() {
            digits.push(char);
            continue;
        }
        if !digits.is_empty() {
            text.extend(std::iter::repeat_n(
                '0',
                8_usize.saturating_sub(digits.len()),
            ));
            text.push_str(&digits);
            digits.clear();
        }
        if char != '\0' {
            text.push(char);
        }
    }
}

impl Shape {
    /// Says whether a value fits; null (take away) always does.
    pub fn accepts(self, value: &Value) -> bool {
        let text = |longest: usize| {
            value
                .as_str()
                .is_some_and(|t| t.chars().count() <= longest && !t.contains('\0'))
        };
        match self {
            _ if value.is_null() => true,
            Self::Text(longest) => text(longest),
            Self::OneOf(texts) => value.as_str().is_some_and(|t| texts.contains(&t)),
            Self::Integer | Self::Time => value.is_i64(),
            Self::Flag => value.is_boolean(),
            Self::Day => value.as_str().is_some_and(crate::id_number::is_day),
            Self::Id => value
                .as_str()
                .is_some_and(|t| uuid::Uuid::try_parse(t).is_ok()),
            Self::IdNumber => value.as_str().is_some_and(crate::id_number::is_valid),
            Self::Phone => value.as_str().is_some_and(is_phone),
            Self::Group => value.as_object().is_some_and(|group| {
                let mut texts = group.values().filter_map(Value::as_str);
                texts.all(|text| text.chars().count() <= LONGEST_IN_GROUP)
                    && crate::body::may_be_kept(value)
            }),
            Self::Texts => each(value, |item| item.as_str().is_some_and(is_key)),
            Self::Blobs => each(value, |item| {
                item.as_str()
                    .is_some_and(|t| t.parse::<crate::ids::BlobHash>().is_ok())
            }),
            Self::Map => value.as_object().is_some_and(|map| {
                map.iter()
                    .all(|(key, leaves)| is_key(key) && leaves.is_object())
            }),
            Self::List => each(value, |item| {
                item.get("id").and_then(Value::as_str).is_some_and(is_key)
                    && crate::body::may_be_kept_in_list(item)
            }),
        }
    }
}

fn each(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.len() <= 500 && items.iter().all(fits))
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && !text.contains(['/', '\0'])
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (5..=20).contains(&digits)
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+- ".contains(&b))
}

/// How a shape is read by the struct that `kind!` writes.
#[doc(hidden)]
pub mod read {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::body::Fields;

    pub type Text = Option<String>;
    pub type OneOf = Option<String>;
    pub type Integer = Option<i64>;
    pub type Flag = Option<bool>;
    pub type Time = Option<i64>;
    pub type Day = Option<String>;
    pub type Id = Option<uuid::Uuid>;
    pub type IdNumber = Option<String>;
    pub type Phone = Option<String>;
    pub type Group = Fields;
    pub type Texts = Vec<String>;
    pub type Map = BTreeMap<String, Fields>;
    pub type List = Vec<Value>;
    pub type Blobs = Vec<crate::ids::BlobHash>;
}

/// Declares a kind: its table and the struct that features read.
#[macro_export]
#[doc(hidden)]
macro_rules! kind {
    (
        $(#[$doc:meta])*
        $struct:ident $table:ident $name:literal, $class:ident, $home:expr;
        [
            $(unit $unit:literal;)?
            $(list $listing:expr;)?
            $(workflow $workflow:expr;)?
            $(append_only $append:literal;)?
            $(ages $ages:expr;)?
        ]
        $(
            $(#[$field_doc:meta])*
            $field:ident: $shape:ident $(($limit:expr))?, $rule:ident $(, $owner:ident)?;
        )*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        pub struct $struct {
            $( $(#[$field_doc])* pub $field: $crate::kind::read::$shape, )*
        }

        impl $struct {
            /// Reads the fields that this version knows; what does not fit is left out by the
            /// server's checks, so a failure means a damaged store.
            pub fn read(body: &$crate::body::Fields) -> Result<Self, serde_json::Error> {
                serde::Deserialize::deserialize(serde_json::Value::Object(body.clone()))
            }
        }

        #[doc = concat!("The table of `", $name, "`.")]
        pub static $table: $crate::kind::Kind = $crate::kind::Kind {
            name: $name,
            class: $crate::kind::Class::$class,
            home: $home,
            unit: $crate::kind!(@or None $(, Some($unit))?),
            append_only: $crate::kind!(@or false $(, $append)?),
            ages: $crate::kind!(@or $crate::kind::Ages::Never $(, $ages)?),
            listing: $crate::kind!(@or
                $crate::kind::Listing { under: None, sort: &[], time: None } $(, $listing)?),
            workflow: $crate::kind!(@or None $(, Some($workflow))?),
            fields: &[ $( $crate::kind::Field {
                name: stringify!($field),
                shape: $crate::kind::Shape::$shape $(($limit))?,
                rule: $crate::kind::Rule::$rule,
                owner: $crate::kind!(@or
                    $crate::kind::Owner::Author $(, $crate::kind::Owner::$owner)?),
                since: 1,
            }, )* ],
        };
    };
    (@or $default:expr) => { $default };
    (@or $default:expr, $given:expr) => { $given };
}
