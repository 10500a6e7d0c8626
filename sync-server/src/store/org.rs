//! Units and duties: who is what, where and from when to when, and what that lets him read.

use std::collections::BTreeSet;

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::kind::Class;
use pocketbook_records::rights::{Duty, Role};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::{Interval, Millis};

use super::{Row, SqlError, Store};
use crate::params;
use crate::writer::Batch;

/// A unit of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its id.
    pub unit: UnitId,
    /// district, street, community, grid, unit.
    pub level: String,
    /// Its name.
    pub name: String,
    /// The unit above.
    pub parent: Option<UnitId>,
    /// What else is known of it, JSON.
    pub extra: String,
}

/// Writes a unit. Says whether anything changed.
pub fn put_unit(batch: &mut Batch<'_>, unit: &Unit) -> Result<bool, SqlError> {
    let store = batch.store();
    let changed = store.sql.execute(
        "INSERT INTO units (district, unit, level, name, parent, extra)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (district, unit) DO UPDATE SET
             level = excluded.level,
             name = excluded.name,
             parent = excluded.parent,
             extra = excluded.extra
         WHERE level <> excluded.level OR name <> excluded.name
             OR parent IS DISTINCT FROM excluded.parent OR extra <> excluded.extra",
        params![
            store.district,
            unit.unit,
            unit.level,
            unit.name,
            unit.parent,
            unit.extra
        ],
    )?;
    batch.note_org();
    Ok(changed > 0)
}

fn read_unit(row: &Row<'_>) -> Result<Unit, SqlError> {
    Ok(Unit {
        unit: row.get(0)?,
        level: row.get(1)?,
        name: row.get(2)?,
        parent: row.get(3)?,
        extra: row.get(4)?,
    })
}

/// Reads all units.
pub fn units(store: Store<'_>) -> Result<Vec<Unit>, SqlError> {
    store.sql.all(
        "SELECT unit, level, name, parent, extra
         FROM units
         WHERE district = $1
         ORDER BY unit",
        params![store.district],
        read_unit,
    )
}

/// Reads a unit.
pub fn unit(store: Store<'_>, unit: &UnitId) -> Result<Option<Unit>, SqlError> {
    store.sql.one(
        "SELECT unit, level, name, parent, extra
         FROM units
         WHERE district = $1 AND unit = $2",
        params![store.district, unit],
        read_unit,
    )
}

/// Returns a unit and all above it, nearest first.
pub fn above(store: Store<'_>, unit: &UnitId) -> Result<Vec<UnitId>, SqlError> {
    store.sql.all(
        "WITH RECURSIVE above (unit, parent, height) AS (
             SELECT unit, parent, 0
             FROM units
             WHERE district = $1 AND unit = $2
             UNION ALL
             SELECT u.unit, u.parent, above.height + 1
             FROM above
             JOIN units AS u ON u.district = $1 AND u.unit = above.parent
             WHERE above.height < 10
         )
         SELECT unit
         FROM above
         ORDER BY height",
        params![store.district, unit],
        |row| row.get(0),
    )
}

/// Returns the units of a level at and below a unit.
pub fn below(store: Store<'_>, unit: &UnitId, level: &str) -> Result<Vec<UnitId>, SqlError> {
    store.sql.all(
        "WITH RECURSIVE below (unit, level, depth) AS (
             SELECT unit, level, 0
             FROM units
             WHERE district = $1 AND unit = $2
             UNION ALL
             SELECT u.unit, u.level, below.depth + 1
             FROM below
             JOIN units AS u ON u.district = $1 AND u.parent = below.unit
             WHERE below.depth < 10
         )
         SELECT unit
         FROM below
         WHERE level = $3
         ORDER BY unit",
        params![store.district, unit, level],
        |row| row.get(0),
    )
}

/// Returns all duties of somebody, past and future ones too.
pub fn duties(store: Store<'_>, user: UserId) -> Result<Vec<Duty>, SqlError> {
    let found = store.sql.all(
        "SELECT role, unit, since, until
         FROM duties
         WHERE district = $1 AND user = $2
         ORDER BY since, role, unit",
        params![store.district, user],
        |row| {
            Ok(Duty {
                user,
                role: row
                    .text(0)?
                    .parse()
                    .map_err(|_| SqlError::Stored("a role"))?,
                unit: row.get(1)?,
                from: row.get(2)?,
                until: row.get(3)?,
            })
        },
    )?;
    Ok(found)
}

/// Writes a duty; one that is there already gets the new end.
pub fn put_duty(batch: &mut Batch<'_>, duty: &Duty) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO duties (district, user, role, unit, since, until)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (district, user, role, unit, since) DO UPDATE SET until = excluded.until",
        params![
            store.district,
            duty.user,
            duty.role.name(),
            duty.unit,
            duty.from,
            duty.until
        ],
    )?;
    batch.note_org();
    Ok(())
}

/// Ends somebody's duties of a role at a unit. Returns how many were running.
pub fn end_duties(
    batch: &mut Batch<'_>,
    user: UserId,
    role: Role,
    unit: &UnitId,
    until: Millis,
) -> Result<usize, SqlError> {
    let store = batch.store();
    let ended = store.sql.execute(
        "UPDATE duties
         SET until = $1
         WHERE district = $2 AND user = $3 AND role = $4 AND unit = $5
             AND (until IS NULL OR until > $1)",
        params![until, store.district, user, role.name(), unit],
    )?;
    batch.note_org();
    Ok(ended)
}

/// What somebody may read at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The scopes that are synced to his phone.
    pub scopes: BTreeSet<Scope>,
    /// The communities whose pocket book he carries.
    pub communities: BTreeSet<UnitId>,
    /// When this changes by itself: a duty begins or ends.
    pub until: Option<Millis>,
}

/// Expands somebody's duties of a moment to scopes.
pub fn granted(store: Store<'_>, user: UserId, now: Millis) -> Result<Granted, SqlError> {
    let mut granted = Granted::default();
    granted.scopes.insert(Scope::User(user));
    for duty in duties(store, user)? {
        let ends = duty.until.unwrap_or(Millis::MAX);
        let changes = [duty.from, ends].into_iter().filter(|at| *at > now);
        granted.until = granted.until.into_iter().chain(changes).min();
        if now < duty.from || now >= ends || !duty.role.syncs() {
            continue;
        }
        if duty.role.reads_unit() {
            granted.scopes.insert(Scope::Unit(duty.unit.clone()));
        }
        for grid in below(store, &duty.unit, "grid")? {
            for class in [Class::General, Class::Sensitive] {
                if duty.role.reads(class) {
                    granted.scopes.insert(Scope::grid(grid.clone(), class));
                }
            }
            let community = above(store, &grid)?.into_iter().nth(1);
            granted.communities.extend(community);
        }
    }
    granted.until = granted.until.filter(|until| *until != Millis::MAX);
    Ok(granted)
}

/// Says whether somebody reads a class of a grid at a moment, on the phone or at a desk.
pub fn reads_grid(
    store: Store<'_>,
    user: UserId,
    grid: &UnitId,
    class: Class,
    now: Millis,
) -> Result<bool, SqlError> {
    let above = above(store, grid)?;
    let duties = duties(store, user)?;
    Ok(duties.iter().any(|duty| {
        duty.role.reads(class)
            && above.contains(&duty.unit)
            && duty.covers(Interval::moment(now)) == pocketbook_records::rights::Cover::Wholly
    }))
}
