//! What somebody reads at a moment, at a desk or on a phone: his duties, spread over units.

use std::collections::BTreeSet;

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::kind::Class;
use pocketbook_records::rights::{Cover, Duty, Role};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::{Interval, Millis};

use super::lists::Place;
use crate::params;
use crate::store::records::Record;
use crate::store::{SqlError, Store, org};

/// The duties that somebody has now.
fn present(store: Store<'_>, user: UserId, now: Millis) -> Result<Vec<Duty>, SqlError> {
    let mut duties = org::duties(store, user)?;
    duties.retain(|duty| duty.covers(Interval::moment(now)) == Cover::Wholly);
    Ok(duties)
}

/// Returns the places whose records of a class somebody lists: grids, and for general records the
/// handling units that he belongs to.
///
/// # Errors
/// Fails if a statement fails.
pub fn places(
    store: Store<'_>,
    user: UserId,
    class: Class,
    now: Millis,
) -> Result<Vec<Place>, SqlError> {
    let mut grids = BTreeSet::new();
    let mut places = Vec::new();
    for duty in present(store, user, now)? {
        if duty.role.reads(class) {
            grids.extend(org::below(store, &duty.unit, "grid")?);
        }
        if duty.role.reads_unit() && class == Class::General {
            places.push(Place::Unit(duty.unit));
        }
    }
    places.extend(grids.into_iter().map(Place::Home));
    Ok(places)
}

/// Says whether somebody may read a record.
///
/// # Errors
/// Fails if a statement fails.
pub fn may_read(
    store: Store<'_>,
    user: UserId,
    record: &Record,
    now: Millis,
) -> Result<bool, SqlError> {
    for scope in record.scopes() {
        let reads = match scope {
            Scope::User(owner) => owner == user,
            Scope::Unit(unit) => handles(store, user, &unit, now)?,
            Scope::General(grid) => org::reads_grid(store, user, &grid, Class::General, now)?,
            Scope::Sensitive(grid) => org::reads_grid(store, user, &grid, Class::Sensitive, now)?,
        };
        if reads {
            return Ok(true);
        }
    }
    Ok(false)
}

fn handles(store: Store<'_>, user: UserId, unit: &UnitId, now: Millis) -> Result<bool, SqlError> {
    let duties = present(store, user, now)?;
    Ok(duties
        .iter()
        .any(|duty| duty.role.reads_unit() && duty.unit == *unit))
}

/// Returns the people who work, worked or will work at or below the units where somebody leads:
/// those whose unsynced work is his concern.
///
/// # Errors
/// Fails if a statement fails.
pub fn led_by(store: Store<'_>, leader: UserId, now: Millis) -> Result<BTreeSet<UserId>, SqlError> {
    let mut led = BTreeSet::new();
    for duty in present(store, leader, now)? {
        let leads = duty.role.holds()
            || matches!(
                duty.role,
                Role::DistrictDesk | Role::SystemAdmin | Role::SecurityAdmin
            );
        if leads {
            led.extend(workers_below(store, &duty.unit)?);
        }
    }
    Ok(led)
}

fn workers_below(store: Store<'_>, unit: &UnitId) -> Result<Vec<UserId>, SqlError> {
    store.sql.all(
        "WITH RECURSIVE below (unit, depth) AS (
             SELECT unit, 0
             FROM units
             WHERE district = $1 AND unit = $2
             UNION ALL
             SELECT u.unit, below.depth + 1
             FROM below
             JOIN units AS u ON u.district = $1 AND u.parent = below.unit
             WHERE below.depth < 10
         )
         SELECT DISTINCT d.user
         FROM duties AS d
         JOIN below ON below.unit = d.unit
         WHERE d.district = $1",
        params![store.district, *unit],
        |row| row.get(0),
    )
}
