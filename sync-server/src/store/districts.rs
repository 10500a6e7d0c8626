//! The district's head row, its commits, lost intervals and counters.
//!
//! The head row is the one row that every writing transaction holds: it says which history this
//! is, which commit was the last, and how far numbers are reserved.

use pocketbook_records::ids::{Commit, Epoch, Hex};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::AsOf;

use super::{District, Sql, SqlError, Store};
use crate::params;

/// The head row.
#[derive(Debug, Clone)]
pub struct Head {
    /// The present history.
    pub epoch: Epoch,
    /// The last commit given.
    pub last: Commit,
    /// Numbers of the epoch up to here are reserved.
    pub reserved: u32,
    /// No later commit is older than this.
    pub time: Millis,
    /// The hash of the journal's last line.
    pub journal: [u8; 32],
}

impl Head {
    /// Returns the journal's tag: the first bytes of its last line's hash.
    pub fn tag(&self) -> Hex<8> {
        let mut tag = [0; 8];
        tag.copy_from_slice(&self.journal[..8]);
        Hex(tag)
    }

    /// Returns the snapshot that this head stands for.
    pub fn asof(&self, now: Millis) -> AsOf {
        AsOf {
            epoch: self.epoch,
            commit: self.last,
            time: now.max(self.time),
        }
    }
}

/// Finds the one district of a database.
pub fn only(sql: &Sql) -> Result<Option<District>, SqlError> {
    sql.one(
        "SELECT district
         FROM districts
         LIMIT 1",
        &[],
        |row| row.get(0).map(District),
    )
}

/// Writes the head row of a new district.
pub fn found(sql: &Sql, district: District, code: &str, name: &str) -> Result<(), SqlError> {
    sql.execute(
        "INSERT INTO districts
             (district, code, name, number_prefix, epoch, last, reserved, time, journal_head, durable)
         VALUES ($1, $2, $3, 'QD', 1, $4, 0, 0, $5, 0)",
        params![district, code, name, Commit::new(Epoch(1), 0), [0_u8; 32]],
    )
    .map(drop)
}

/// Reads the head row.
pub fn head(sql: &Sql, district: District) -> Result<Head, SqlError> {
    let head = sql.one(
        "SELECT epoch, last, reserved, time, journal_head
         FROM districts
         WHERE district = $1",
        params![district],
        |row| {
            Ok(Head {
                epoch: row.get(0)?,
                last: row.get(1)?,
                reserved: row.get(2)?,
                time: row.get(3)?,
                journal: row.get(4)?,
            })
        },
    )?;
    head.ok_or(SqlError::Stored("the district's head row"))
}

/// Writes what a transaction has changed in the head row.
pub(crate) fn put_head(sql: &Sql, district: District, head: &Head) -> Result<(), SqlError> {
    sql.execute(
        "UPDATE districts
         SET epoch = $1, last = $2, reserved = $3, time = $4, journal_head = $5
         WHERE district = $6",
        params![
            head.epoch,
            head.last,
            head.reserved,
            head.time,
            head.journal,
            district
        ],
    )
    .map(drop)
}

/// Notes a commit.
pub(crate) fn put_commit(sql: &Sql, district: District, head: &Head) -> Result<(), SqlError> {
    sql.execute(
        "INSERT INTO commits (district, number, time, tag)
         VALUES ($1, $2, $3, $4)",
        params![district, head.last, head.time, head.tag()],
    )
    .map(drop)
}

/// Returns the district's code and name.
pub fn name(store: Store<'_>) -> Result<(String, String), SqlError> {
    let found = store.sql.one(
        "SELECT code, name
         FROM districts
         WHERE district = $1",
        params![store.district],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    found.ok_or(SqlError::Stored("the district's head row"))
}

/// Returns when a commit was made; none if it was not made here.
pub fn time_of(store: Store<'_>, commit: Commit) -> Result<Option<Millis>, SqlError> {
    store.sql.one(
        "SELECT time
         FROM commits
         WHERE district = $1 AND number = $2",
        params![store.district, commit],
        |row| row.get(0),
    )
}

/// Returns the last commit that was made before a moment.
pub(crate) fn last_before(store: Store<'_>, time: Millis) -> Result<Option<Commit>, SqlError> {
    store.sql.one(
        "SELECT number
         FROM commits
         WHERE district = $1 AND time < $2
         ORDER BY number DESC
         LIMIT 1",
        params![store.district, time],
        |row| row.get(0),
    )
}

/// Returns up to which commit a backup exists.
pub fn durable(store: Store<'_>) -> Result<Commit, SqlError> {
    let durable = store.sql.one(
        "SELECT durable
         FROM districts
         WHERE district = $1",
        params![store.district],
        |row| row.get(0),
    )?;
    Ok(durable.unwrap_or_default())
}

/// Notes that a backup holds everything up to a commit.
pub fn note_durable(batch: &mut crate::Batch<'_>, commit: Commit) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "UPDATE districts
             SET durable = max(durable, $1)
             WHERE district = $2",
        params![commit, store.district],
    )?;
    batch.note_org();
    Ok(())
}

/// China Standard Time, in which official years turn.
const ZONE_MS: i64 = 8 * 60 * 60 * 1000;
/// More official numbers than are given between two backups.
const LEAP: i64 = 1_000;

fn this_year(batch: &crate::Batch<'_>) -> i64 {
    let moment = chrono::DateTime::from_timestamp_millis(batch.now().saturating_add(ZONE_MS));
    moment.map_or(1970, |moment| i64::from(chrono::Datelike::year(&moment)))
}

/// Leaps over the official numbers that may have been given in a history that was lost.
pub(crate) fn leap(batch: &crate::Batch<'_>) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO counters (district, name, value)
         VALUES ($1, $2, 0)
         ON CONFLICT (district, name) DO NOTHING",
        params![store.district, format!("case/{}", this_year(batch))],
    )?;
    store.sql.execute(
        "UPDATE counters
         SET value = value + $1
         WHERE district = $2 AND name LIKE 'case/%'",
        params![LEAP, store.district],
    )?;
    Ok(())
}

/// The counter of the outside log's lines that are in the database.
const OUTSIDE: &str = "outside";

/// Returns how many lines of the outside log are in the database for sure.
pub(crate) fn outside_lines(store: Store<'_>) -> Result<usize, SqlError> {
    let lines: Option<i64> = store.sql.one(
        "SELECT value
         FROM counters
         WHERE district = $1 AND name = $2",
        params![store.district, OUTSIDE],
        |row| row.get(0),
    )?;
    Ok(lines
        .and_then(|lines| usize::try_from(lines).ok())
        .unwrap_or(0))
}

/// Notes how many lines of the outside log are in the database.
pub(crate) fn note_outside_lines(batch: &crate::Batch<'_>, lines: usize) -> Result<(), SqlError> {
    let (store, lines) = (batch.store(), i64::try_from(lines).unwrap_or(i64::MAX));
    store.sql.execute(
        "INSERT INTO counters (district, name, value)
         VALUES ($1, $2, $3)
         ON CONFLICT (district, name) DO UPDATE SET value = excluded.value",
        params![store.district, OUTSIDE, lines],
    )?;
    Ok(())
}

/// Gives the next official number of the year: `QD-2026-000123`.
pub(crate) fn official_number(batch: &crate::Batch<'_>) -> Result<String, SqlError> {
    let (store, year) = (batch.store(), this_year(batch));
    let next: Option<i64> = store.sql.one(
        "INSERT INTO counters (district, name, value)
         VALUES ($1, $2, 1)
         ON CONFLICT (district, name) DO UPDATE SET value = counters.value + 1
         RETURNING value",
        params![store.district, format!("case/{year}")],
        |row| row.get(0),
    )?;
    let prefix: Option<String> = store.sql.one(
        "SELECT number_prefix
         FROM districts
         WHERE district = $1",
        params![store.district],
        |row| row.get(0),
    )?;
    let (Some(next), Some(prefix)) = (next, prefix) else {
        return Err(SqlError::Stored("an official number"));
    };
    Ok(format!("{prefix}-{year}-{next:06}"))
}

/// Returns the working hours that a case of a category may take, if the pocket book says so.
pub fn limit_hours(store: Store<'_>, category: &str) -> Result<Option<i64>, SqlError> {
    store.sql.one(
        "SELECT hours
         FROM category_limits
         WHERE district = $1 AND category = $2",
        params![store.district, category],
        |row| row.get(0),
    )
}

/// Sets the working hours that cases of a category may take.
pub fn set_limit_hours(
    batch: &crate::Batch<'_>,
    category: &str,
    hours: i64,
) -> Result<(), SqlError> {
    let store = batch.store();
    store
        .sql
        .execute(
            "INSERT INTO category_limits (district, category, hours)
             VALUES ($1, $2, $3)
             ON CONFLICT (district, category) DO UPDATE SET hours = excluded.hours",
            params![store.district, category, hours],
        )
        .map(drop)
}
