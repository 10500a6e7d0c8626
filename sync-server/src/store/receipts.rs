//! Receipts, kept as the rows that are sent and never changed, and the names of mutations, which
//! are unique in a district.

use pocketbook_records::ids::{EnrolmentId, Hex, Mid, Mseq};
use pocketbook_records::receipt::{Receipt, ReceiptRow};

use super::{SqlError, Store};
use crate::params;
use crate::writer::{Batch, Fault};

/// Who used a mutation's name, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Whose it is.
    pub enrolment: EnrolmentId,
    /// Its place.
    pub mseq: Mseq,
    /// Eight bytes of its content's hash.
    pub check: Hex<8>,
}

/// Finds who used a name.
pub fn used(store: Store<'_>, mid: Mid) -> Result<Option<Used>, SqlError> {
    store.sql.one(
        "SELECT enrolment, mseq, checked
         FROM mids
         WHERE district = $1 AND mid = $2",
        params![store.district, mid],
        |row| {
            Ok(Used {
                enrolment: row.get(0)?,
                mseq: row.get(1)?,
                check: row.get(2)?,
            })
        },
    )
}

/// Takes a name; says no if it is used already.
pub(crate) fn claim(batch: &Batch<'_>, mid: Mid, by: &Used) -> Result<bool, SqlError> {
    let store = batch.store();
    let claimed = store.sql.execute(
        "INSERT INTO mids (district, mid, enrolment, mseq, checked)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (district, mid) DO NOTHING",
        params![store.district, mid, by.enrolment, by.mseq, by.check],
    )?;
    Ok(claimed > 0)
}

/// Stores a row.
pub(crate) fn put(batch: &Batch<'_>, row: &ReceiptRow) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (row.receipts.first(), row.receipts.last()) else {
        return Ok(());
    };
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO receipts (district, enrolment, last_mseq, first_mseq, line)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            store.district,
            row.enrolment,
            last.mseq,
            first.mseq,
            serde_json::to_string(row)?
        ],
    )?;
    Ok(())
}

/// Returns the rows that hold any receipt above a number.
pub fn above(
    store: Store<'_>,
    enrolment: EnrolmentId,
    settled: Mseq,
) -> Result<Vec<ReceiptRow>, Fault> {
    let rows = store.sql.all(
        "SELECT line
         FROM receipts
         WHERE district = $1 AND enrolment = $2 AND last_mseq > $3
         ORDER BY last_mseq",
        params![store.district, enrolment, settled],
        |row| Ok(serde_json::from_str(row.text(0)?)),
    )?;
    Ok(rows.into_iter().collect::<Result<_, _>>()?)
}

/// Returns the receipt of one mutation.
pub fn find(
    store: Store<'_>,
    enrolment: EnrolmentId,
    mseq: Mseq,
) -> Result<Option<Receipt>, Fault> {
    let row = row_of(store, enrolment, mseq)?;
    Ok(row.and_then(|row| row.receipts.into_iter().find(|r| r.mseq == mseq)))
}

/// Returns the row that holds the receipt of one mutation.
pub(crate) fn row_of(
    store: Store<'_>,
    enrolment: EnrolmentId,
    mseq: Mseq,
) -> Result<Option<ReceiptRow>, Fault> {
    let row = store.sql.one(
        "SELECT line
         FROM receipts
         WHERE district = $1 AND enrolment = $2 AND last_mseq >= $3
         ORDER BY last_mseq
         LIMIT 1",
        params![store.district, enrolment, mseq],
        |row| Ok(serde_json::from_str::<ReceiptRow>(row.text(0)?)),
    )?;
    Ok(row.transpose()?.filter(|row| {
        let first = row.receipts.first();
        first.is_some_and(|first| first.mseq <= mseq)
    }))
}
