//! Stories of a grid's days, told with the real server and real phones in one process.
//!
//! One file, one story; a test's name is the promise that it checks.

mod add_person;
mod clones;
mod commits;
mod drafts;
mod in_step;
mod invitation;
mod journal;
mod late_content;
mod manhole_cover;
mod moves;
mod one_household;
mod oracle;
mod photos;
mod proofs;
mod reconcile;
mod repeats;
mod restore;
mod screens_and_restores;
mod shared_ipad;
mod taken_grid;
mod tray;
mod two_years;
