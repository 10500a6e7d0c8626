//! Names of things, as they cross: ids are UUIDs of the platform, the rest is opaque.
//!
//! A text that is no such name is refused as [`PocketbookError::NotFound`]: nothing can be called
//! that.

use pocketbook::store::lists::After;
use pocketbook_records::ids::{BlobHash, Mid, RecordId, Rev, UnitId, UserId};

use crate::error::PocketbookError;

uniffi::custom_type!(RecordId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| PocketbookError::NotFound)?),
});

uniffi::custom_type!(Mid, String, {
    remote,
    lower: |mid| mid.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| PocketbookError::NotFound)?),
});

uniffi::custom_type!(UserId, String, {
    remote,
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| PocketbookError::NotFound)?),
});

uniffi::custom_type!(UnitId, String, {
    remote,
    lower: |id| id.0,
    try_lift: |text| Ok(UnitId(text)),
});

uniffi::custom_type!(BlobHash, String, {
    remote,
    lower: |hash| hash.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| PocketbookError::NotFound)?),
});

uniffi::custom_type!(Rev, u64, {
    remote,
    lower: |rev| rev.0,
    try_lift: |number| Ok(pocketbook_records::ids::Commit(number)),
});

uniffi::custom_type!(After, String, {
    remote,
    lower: |after| after.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| PocketbookError::NotFound)?),
});
