//! Which version of the pocket book each community has.

use pocketbook_records::ids::UnitId;
use pocketbook_records::wire::BundleVersion;

use super::{SqlError, Store};
use crate::params;

/// Returns the newest version for a community, if one was published.
pub fn newest(store: Store<'_>, unit: &UnitId) -> Result<Option<BundleVersion>, SqlError> {
    store.sql.one(
        "SELECT version, hash
         FROM book_manifests
         WHERE district = $1 AND unit = $2
         ORDER BY version DESC
         LIMIT 1",
        params![store.district, unit],
        |row| {
            Ok(BundleVersion {
                unit: unit.clone(),
                version: row.get(0)?,
                manifest: row.get(1)?,
            })
        },
    )
}
