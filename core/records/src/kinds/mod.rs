//! The kinds of records. A new one is a file here and a line in [`ALL`].

pub mod case;
pub mod household;
pub mod parked;
pub mod person;
pub mod review;
pub mod task;
pub mod visit;

use crate::kind::Kind;

/// Every kind, in the order in which a first sync sends them: what hangs on another record comes
/// after it.
pub static ALL: &[&Kind] = &[
    &review::REVIEW,
    &review::REVIEW_SENSITIVE,
    &parked::PARKED,
    &parked::PARKED_SENSITIVE,
    &case::CASE,
    &case::CASE_SENSITIVE,
    &task::TASK,
    &household::HOUSEHOLD,
    &person::PERSON,
    &person::PERSON_SENSITIVE,
    &visit::VISIT,
];
