//! Real input for the tests, the benches and the demo.
//!
//! Small things are stored in `tests/data` (its README names origins and licences) and read through typed
//! structs that refuse unknown fields, so that a stored file and its reader cannot drift apart. Large things
//! are made: [`households`] yields any number of households for a grid, the same ones every time.
//!
//! Nothing here describes a real person: ID and phone numbers come from ranges that were never assigned.

mod book;
mod cases;
mod circumstances;
mod family;
mod files;
mod household;
mod names;
mod numbers;
mod org;
mod people;
mod tags;

pub use book::{Article, Layer, Part, PartFile, Section, book_folder, parts};
pub use cases::{CaseReport, case_reports};
pub use files::{DataError, data_folder};
pub use household::{
    HouseholdFile, HouseholdLine, Person, Place, Registration, Relation, Sex, TagMap, TagNote,
    Tenure,
};
pub use numbers::{RESERVED_AREAS, check_digit, is_reserved_phone};
pub use org::{Center, District, Level, OrgFile, OrgUnit, Worker, org_path};
pub use people::{REFERENCE_YEAR, households};
pub use tags::{Tag, TagClass, tags};
