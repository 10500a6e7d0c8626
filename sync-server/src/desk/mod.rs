//! The desk (工作台): clerks, heads, handlers and district staff work the same records as phones,
//! through the same apply door, while they are online.
//!
//! - [`session`]: signing in. A session is an enrolment like a phone's, with a token instead of a
//!   secret and an end.
//! - [`reach`]: what somebody reads at a moment.
//! - [`lists`]: pages, newest first, over the places that somebody reads.
//! - [`steps`]: one step of the desk as one mutation.

pub mod lists;
pub mod reach;
pub mod session;
pub mod steps;

pub use session::Door;
