//! The ledger of ids that were deleted or merged: none of them ever lives again, except by an
//! explicit restore, also when its record has been cleaned away.

use pocketbook_records::ids::{Commit, RecordId};

use super::{SqlError, Store};
use crate::params;

/// Enters a deleted id.
pub(crate) fn enter(
    store: Store<'_>,
    kind: &str,
    id: RecordId,
    commit: Commit,
) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "INSERT INTO ledger (district, kind, id, fate, number)
             VALUES ($1, $2, $3, 'deleted', $4)
             ON CONFLICT (district, kind, id) DO UPDATE SET number = excluded.number",
            params![store.district, kind, id, commit],
        )
        .map(drop)
}

/// Takes an id out that was restored.
pub(crate) fn strike(store: Store<'_>, kind: &str, id: RecordId) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "DELETE FROM ledger
             WHERE district = $1 AND kind = $2 AND id = $3",
            params![store.district, kind, id],
        )
        .map(drop)
}

/// Says whether an id must not be used again.
pub fn holds(store: Store<'_>, kind: &str, id: RecordId) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM ledger
         WHERE district = $1 AND kind = $2 AND id = $3",
        params![store.district, kind, id],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
