//! The rules of Pocketbook (口袋书), pure: no disk, no network, no clock, no threads, no
//! randomness. Device and server meet here and nowhere else.
//!
//! # One edit, from thumb to stored value
//!
//! A grid worker (网格员) changes a phone number in a household file. Her device asks
//! [`kind::Kind`] what the field is, writes a [`mutation::Frozen`] that carries the value her
//! screen showed and the value she typed, checks it with [`mutation::Frozen::check`], and lays it
//! over what she sees with [`overlay::overlay`]. Some time later it travels in a
//! [`wire::Request`]. The server bounds the moment of authoring ([`time::bound`]), asks
//! [`rights`] whether she might, lets [`merge::merge`] judge it against what others have written
//! meanwhile, opens a review ([`decide::open`]) if two people really disagreed, and answers with
//! a [`receipt::Receipt`]. What changed reaches the neighbour's phone as an [`wire::Entry`] of
//! each [`scope::Scope`] that the record lies in.
//!
//! # The rooms
//!
//! - What there is: [`kind`] (tables), [`kinds`] (the tables themselves), [`body`] (canonical
//!   JSON), [`path`], [`ids`].
//! - What people do: [`mutation`], [`workflow`] (the six-step loop), [`rights`].
//! - What becomes of it: [`merge`], [`decide`], [`stamp`], [`receipt`].
//! - How it travels: [`wire`], [`scope`], [`time`]; how a phone comes to know of it: [`invitation`].
//!
//! # What it promises
//!
//! The merge is deterministic, and the same in device and server. Counters, sets, maps, lists,
//! maxima and minima do not depend on the order of arrival. No value that its overwriter had not
//! been shown disappears without a review that holds it. A field that this version does not know
//! survives byte for byte.
//!
//! # What it refuses
//!
//! No CRDT library: a district needs to *see* a disagreement about an identity number, not to
//! have it resolved. No last-write-wins by clock: no device's clock is trusted for more than the
//! choice of which of two kept values is shown first. No sync code per kind.

pub mod body;
pub mod decide;
pub mod digest;
pub mod history;
pub mod id_number;
pub mod ids;
pub mod invitation;
pub mod kind;
pub mod kinds;
pub mod merge;
pub mod mutation;
pub mod overlay;
pub mod path;
pub mod receipt;
pub mod rights;
pub mod scope;
pub mod stamp;
pub mod time;
pub mod wire;
pub mod witness;
pub mod workflow;
