//! What parked mutations wait for: another mutation that lies in the tray, or a record that is
//! not known yet.

use uuid::Uuid;

use pocketbook_records::ids::{EnrolmentId, Mid, Mseq};

use super::{Row, SqlError, Store};
use crate::params;

/// A parked mutation that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) enrolment: EnrolmentId,
    pub(crate) mseq: Mseq,
    pub(crate) mid: Mid,
    /// The kind of its tray item.
    pub(crate) tray: String,
}

/// Notes what a mutation waits for.
pub(crate) fn put(store: Store<'_>, target: Uuid, waiting: &Waiting) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "INSERT INTO waits (district, target, enrolment, mseq, mid, tray)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (district, target, enrolment, mseq, mid) DO NOTHING",
            params![
                store.district,
                Mid(target),
                waiting.enrolment,
                waiting.mseq,
                waiting.mid,
                waiting.tray
            ],
        )
        .map(drop)
}

/// Returns what waits, or waited, for a target, in the order of authoring.
pub(crate) fn of(store: Store<'_>, target: Uuid) -> Result<Vec<Waiting>, SqlError> {
    store.sql.all(
        "SELECT enrolment, mseq, mid, tray
         FROM waits
         WHERE district = $1 AND target = $2
         ORDER BY enrolment, mseq",
        params![store.district, Mid(target)],
        read,
    )
}

/// Returns what waits for a target, in the order of authoring, and forgets it.
pub(crate) fn take(store: Store<'_>, target: Uuid) -> Result<Vec<Waiting>, SqlError> {
    let mut waiting = store.sql.all(
        "DELETE FROM waits
         WHERE district = $1 AND target = $2
         RETURNING enrolment, mseq, mid, tray",
        params![store.district, Mid(target)],
        read,
    )?;
    waiting.sort_by_key(|waiting| (waiting.enrolment, waiting.mseq));
    Ok(waiting)
}

fn read(row: &Row<'_>) -> Result<Waiting, SqlError> {
    Ok(Waiting {
        enrolment: row.get(0)?,
        mseq: row.get(1)?,
        mid: row.get(2)?,
        tray: row.get(3)?,
    })
}
