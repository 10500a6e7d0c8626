//! Scopes: the unit of replication, authorization and repair.
//!
//! A record lies in the scopes that [`scopes`] computes from its kind, its body and its *home*:
//! the grid (or unit) that the server has noted for it, inherited from its parent. Children
//! follow their household, so a move is one mutation of the household and the server fans out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::body::Fields;
use crate::ids::{IdError, UnitId, UserId};
use crate::kind::{Class, Home, Kind};

/// Names a scope. Travels as `grid:<id>:general`, `grid:<id>:sensitive`, `unit:<id>`, `user:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Work of one account: its tray, its notices.
    User(UserId),
    /// Work sent to a handling unit.
    Unit(UnitId),
    /// A grid's general records.
    General(UnitId),
    /// A grid's sensitive records.
    Sensitive(UnitId),
}

impl Scope {
    /// Returns the scope of a class of a grid.
    pub fn grid(grid: UnitId, class: Class) -> Self {
        match class {
            Class::General => Self::General(grid),
            Class::Sensitive => Self::Sensitive(grid),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Unit(id) => write!(f, "unit:{id}"),
            Self::General(id) => write!(f, "grid:{id}:general"),
            Self::Sensitive(id) => write!(f, "grid:{id}:sensitive"),
        }
    }
}

impl FromStr for Scope {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        const ERROR: IdError = IdError::new("a scope");
        let (sort, id) = text.split_once(':').ok_or(ERROR)?;
        if id.is_empty() || text.len() > 120 {
            return Err(ERROR);
        }
        match sort {
            "user" => Ok(Self::User(id.parse()?)),
            "unit" => Ok(Self::Unit(UnitId::from(id))),
            "grid" => match id.rsplit_once(':') {
                Some((grid, "general")) => Ok(Self::General(UnitId::from(grid))),
                Some((grid, "sensitive")) => Ok(Self::Sensitive(UnitId::from(grid))),
                _ => Err(ERROR),
            },
            _ => Err(ERROR),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Returns the scopes that a record lies in.
///
/// `home` is the grid noted for the record (its own, or its parent's); a record whose home is not
/// known lies in nobody's grid, only with its author.
pub fn scopes(kind: &Kind, body: &Fields, home: Option<&UnitId>) -> Vec<Scope> {
    let mut scopes = Vec::with_capacity(2);
    if let Some(grid) = home {
        scopes.push(Scope::grid(grid.clone(), kind.class));
    }
    if let Home::AuthorAnd(field) = kind.home
        && let Some(user) = body
            .get(field)
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok())
    {
        scopes.push(Scope::User(user));
    }
    if let Some(field) = kind.unit
        && let Some(unit) = body.get(field).and_then(Value::as_str)
    {
        scopes.push(Scope::Unit(UnitId::from(unit)));
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_what_it_writes() {
        for text in [
            "grid:610402001001001:general",
            "grid:a:b:sensitive",
            "unit:U-1",
            "user:01890000-0000-7000-8000-000000000001",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "grid:", "grid:x", "grid:x:other", "user:7", "planet:x"] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }
}
