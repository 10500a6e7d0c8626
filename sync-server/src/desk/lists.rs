//! Lists at the desk: newest first, by keyset pages over the places that a caller may read.
//!
//! A caller reads a set of grids (and perhaps handling units), a list shows records of one kind in
//! some states. For each pair of place and state there is a run of the index, already in order of
//! time; a page is the newest rows over all runs. Once a page is full, a further run is asked only
//! for what is newer than the page's last row, so that a desk with 900 grids pays for 900 looks
//! into the index and for few rows.

use std::collections::BTreeMap;
use std::str::FromStr;

use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::time::Millis;

use crate::params;
use crate::store::{SqlError, Store};

/// The most rows of a page.
pub const MAX_LIMIT: usize = 200;

/// Where a row stands in a list: by time, then by id. Travels as `<time>.<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The list's time of the record.
    pub time: Millis,
    /// Its id.
    pub id: RecordId,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.time, self.id)
    }
}

/// Why a text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a position in a list")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (time, id) = text.split_once('.').ok_or(NoPosition)?;
        Ok(Self {
            time: time.parse().map_err(|_| NoPosition)?,
            id: id.parse().map_err(|_| NoPosition)?,
        })
    }
}

/// A place whose records are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A grid that they lie in.
    Home(UnitId),
    /// A handling unit that they were dispatched to.
    Unit(UnitId),
}

/// Records of one kind in the places where somebody reads that kind.
#[derive(Debug)]
pub struct Source {
    /// The kind.
    pub kind: &'static Kind,
    /// Where.
    pub places: Vec<Place>,
}

/// What a page shows.
#[derive(Debug)]
pub struct Asked<'a> {
    /// From where; kinds that are listed together are ordered together.
    pub sources: &'a [Source],
    /// In which states.
    pub states: &'a [&'a str],
    /// Rows after this one; none from the newest on.
    pub after: Option<Position>,
    /// So many rows.
    pub limit: usize,
}

/// One row of a page.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// Where it stands.
    pub position: Position,
    /// Its kind.
    pub kind: &'static Kind,
}

/// Returns the rows of a page, newest first.
///
/// # Errors
/// Fails if a statement fails.
pub fn page(store: Store<'_>, asked: &Asked<'_>) -> Result<Vec<Listed>, SqlError> {
    let mut page = BTreeMap::new();
    for Source { kind, places } in asked.sources {
        for place in places {
            for state in asked.states {
                let last = page.first_key_value().map(|(position, _)| *position);
                let newer_than = last.filter(|_| page.len() >= asked.limit);
                let run = run(store, asked, (kind.name, place, state), newer_than)?;
                page.extend(run.into_iter().map(|position| (position, *kind)));
                while page.len() > asked.limit {
                    page.pop_first();
                }
            }
        }
    }
    let rows = page.into_iter().rev();
    Ok(rows
        .map(|(position, kind)| Listed { position, kind })
        .collect())
}

/// A run of a grid.
const BY_HOME: &str = "
    SELECT time, id
      FROM records
     WHERE district = $1 AND kind = $2 AND home = $3 AND state = $4
       AND (time, id) < ($5, $6)
       AND (time, id) > ($7, $8)
       AND deleted = 0
     ORDER BY time DESC, id DESC
     LIMIT $9";

/// A run of a handling unit.
const BY_UNIT: &str = "
    SELECT time, id
      FROM records
     WHERE district = $1 AND kind = $2 AND unit = $3 AND state = $4
       AND (time, id) < ($5, $6)
       AND (time, id) > ($7, $8)
       AND deleted = 0
     ORDER BY time DESC, id DESC
     LIMIT $9";

/// Reads one run of the index: one place, one state.
fn run(
    store: Store<'_>,
    asked: &Asked<'_>,
    (kind, place, state): (&str, &Place, &str),
    newer_than: Option<Position>,
) -> Result<Vec<Position>, SqlError> {
    let (sql, unit) = match place {
        Place::Home(unit) => (BY_HOME, unit),
        Place::Unit(unit) => (BY_UNIT, unit),
    };
    let (above, below) = (asked.after.unwrap_or(NEWEST), newer_than.unwrap_or(OLDEST));
    let limit = u32::try_from(asked.limit).unwrap_or(u32::MAX);
    store.sql.all(
        sql,
        params![
            store.district,
            kind,
            *unit,
            state,
            above.time,
            above.id,
            below.time,
            below.id,
            limit
        ],
        |row| {
            Ok(Position {
                time: row.get(0)?,
                id: row.get(1)?,
            })
        },
    )
}

const NEWEST: Position = Position {
    time: Millis::MAX,
    id: RecordId(uuid::Uuid::max()),
};
const OLDEST: Position = Position {
    time: Millis::MIN,
    id: RecordId(uuid::Uuid::nil()),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Server};

    #[test]
    fn a_position_reads_back_what_it_writes() {
        let position = Position {
            time: -5,
            id: RecordId(uuid::Uuid::max()),
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "5", "x.y", "5.not-an-id"] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text}");
        }
    }

    #[test]
    fn a_run_is_a_search_of_its_index_and_no_sort() {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::init(dir.path(), "610402", "秦都区", Options::inline()).unwrap();

        for (sql, index) in [(BY_HOME, "records_by_home"), (BY_UNIT, "records_by_unit")] {
            let plan = server.read(|store| -> Result<_, SqlError> {
                let (text, number) = ("x", 1_i64);
                let id = RecordId(uuid::Uuid::nil());
                let params = params![
                    store.district,
                    text,
                    text,
                    text,
                    number,
                    id,
                    number,
                    id,
                    number
                ];
                let explain = format!("EXPLAIN QUERY PLAN {sql}");
                store.sql.all(&explain, params, |row| row.get::<String>(3))
            });
            let plan = plan.unwrap().join("; ");
            assert!(
                plan.contains(index) && plan.contains("(time,id)<"),
                "{plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
