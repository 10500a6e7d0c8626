//! Records as screens read them: plain, typed, complete.
//!
//! Each is taken apart field by field from what the core reads, so a field that is new there does
//! not compile here until somebody has decided what becomes of it. What the kind leaves open
//! (answers, materials, extras) is JSON text.
//!
//! Groups and map elements keep their whole value as `json` beside the parts that this version
//! knows: it is the `was` of an edit, so that what this version does not know survives.

mod case;
mod household;
mod parts;
mod person;
mod record;
mod review;
mod tray;
mod visit;

pub use case::{Case, CasePage};
pub use household::{Household, HouseholdFile, HouseholdPage};
pub use parts::{Badges, Note, Pin, Place, Saved, Step, Tag};
pub use person::{Person, PersonSensitive};
pub use record::{Draft, Record, RecordPage};
pub use review::{Candidate, Review, Take};
pub use tray::TrayItem;
pub use visit::Visit;
