//! Lists: keyset pages over the view, by the columns that every row has filled when written.

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{RecordId, Rev};
use pocketbook_records::kind::Kind;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::{Store, from_sql_int, id_column};

/// One record as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its id.
    pub id: RecordId,
    /// The rev on the screen: goes back with an edit as `seen`.
    pub rev: Option<Rev>,
    /// Its fields, own work laid over.
    pub fields: Fields,
    /// Badges: see [`crate::store::view::mark`].
    pub mark: i64,
}

/// Where the next page of a list starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    under: String,
    sort: String,
    id: RecordId,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts; none at the end.
    pub next: Option<After>,
}

/// The most rows of one page.
pub const MAX_PAGE: usize = 200;

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}",
            self.id,
            hex::encode(&self.under),
            hex::encode(&self.sort)
        )
    }
}

impl std::str::FromStr for After {
    type Err = crate::error::Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        let id = next().parse().map_err(|_| crate::error::Error::NotFound)?;
        let text = |hexed: &str| {
            hex::decode(hexed)
                .ok()
                .and_then(|b| String::from_utf8(b).ok())
                .unwrap_or_default()
        };
        Ok(Self {
            id,
            under: text(next()),
            sort: text(next()),
        })
    }
}

impl Store {
    /// Returns one record as it is shown.
    pub fn shown(&self, kind: &Kind, id: RecordId) -> Result<Option<Shown>> {
        self.read(|connection| one(connection, kind, id))
    }

    /// Returns a page of the records of a kind, under one record or grid or under all.
    pub fn list(
        &self,
        kind: &Kind,
        under: Option<&str>,
        after: Option<&After>,
        limit: usize,
    ) -> Result<Rows<Shown>> {
        self.read(|connection| page(connection, kind, under, after, limit))
    }
}

/// Returns one record as it is shown.
pub(crate) fn one(connection: &Connection, kind: &Kind, id: RecordId) -> Result<Option<Shown>> {
    connection
        .prepare_cached(
            "SELECT id, rev, COALESCE(shown, body), mark, under, sort FROM record
             WHERE kind = ?1 AND id = ?2 AND hidden = 0",
        )?
        .query_row(params![kind.name, id.as_bytes()], |row| Ok(read(row)))
        .optional()?
        .transpose()
        .map(|found| found.map(|(shown, _)| shown))
}

/// Returns every record listed under another one; for the few that hang on a household.
pub(crate) fn all_under(connection: &Connection, kind: &Kind, under: &str) -> Result<Vec<Shown>> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let mut next = page(connection, kind, Some(under), after.as_ref(), MAX_PAGE)?;
        rows.append(&mut next.rows);
        match next.next {
            Some(more) => after = Some(more),
            None => return Ok(rows),
        }
    }
}

fn page(
    connection: &Connection,
    kind: &Kind,
    under: Option<&str>,
    after: Option<&After>,
    limit: usize,
) -> Result<Rows<Shown>> {
    let limit = limit.clamp(1, MAX_PAGE);
    let (from_under, from_sort, from_id) = match after {
        Some(after) => (
            after.under.as_str(),
            after.sort.as_str(),
            after.id.as_bytes().to_vec(),
        ),
        None => (under.unwrap_or(""), "", Vec::new()),
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, rev, COALESCE(shown, body), mark, under, sort FROM record
         WHERE kind = ?1 AND hidden = 0 AND (under, sort, id) > (?2, ?3, ?4)
           AND (?5 IS NULL OR under = ?5)
         ORDER BY under, sort, id LIMIT ?6",
    )?;
    let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![
        kind.name, from_under, from_sort, from_id, under, most
    ])?;
    let mut list = Rows {
        rows: Vec::new(),
        next: None,
    };
    let mut last = None;
    while let Some(row) = rows.next()? {
        if list.rows.len() == limit {
            list.next = last;
            break;
        }
        let (shown, place) = read(row)?;
        last = Some(place);
        list.rows.push(shown);
    }
    Ok(list)
}

fn read(row: &rusqlite::Row<'_>) -> Result<(Shown, After)> {
    let id = RecordId(id_column(row, 0)?);
    let rev: Option<i64> = row.get(1)?;
    let fields = body::parse(row.get_ref(2)?.as_str().unwrap_or_default()).unwrap_or_default();
    let rev = rev.map(|rev| pocketbook_records::ids::Commit(from_sql_int(rev)));
    let shown = Shown {
        id,
        rev,
        fields,
        mark: row.get(3)?,
    };
    Ok((
        shown,
        After {
            under: row.get(4)?,
            sort: row.get(5)?,
            id,
        },
    ))
}
