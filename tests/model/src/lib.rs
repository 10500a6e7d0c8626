//! The sync protocol as a model that is searched exhaustively, beside the code that follows it.
//!
//! A simulated seed shows one day among very many. Here every day is tried that a small world can
//! have: a server, two phones, a few edits, a restore, and between them a network that loses,
//! doubles and reorders. A search that ends without a finding says that the *rules* are right
//! within these bounds; whether the code keeps them is for `pocketbook-tests` to show.
//!
//! *The life of an edit.* Somebody opens a record on a [`phone`] and saves what she thinks of the
//! screen, which may be old by then. The edit waits in the outbox, is sent, lost, sent again,
//! delivered twice ([`wire`]). The [`server`] has it decided by the [`judge`] and answers with a
//! receipt and with what others wrote. The answer comes late or not at all. Meanwhile the database
//! is thrown back to last night's backup, or the scope is taken away. Every step is an
//! [`world::Action`], and after every step the [`invariants`] must hold; at the end, when lines
//! hold, all work must be at the server and all phones equal to it.
//!
//! *What it promises.* Each of the [`rules`] that protect the protocol can be taken out, and then a
//! search finds the day on which something is lost (`tests/rules.rs`). With all of them no search
//! finds any (`tests/protocol.rs`). A rule that nothing falls without is one too many.
//!
//! *What it takes from the text rather than from the code.* Three rules are as strict here as the
//! invariants need them:
//!
//! - [`Rules::overlay_keeps_its_rev`]: while own work lies over a record, its screen has not shown
//!   the rev that arrived beneath. With that rev as `seen`, a restore takes what arrived for known.
//! - [`Rules::lost_words_settle_nothing`]: a receipt or a `stored` of a lost commit may arrive after
//!   the phone has heard of the loss.
//! - [`Rules::lost_reviews_open_again`]: by the receipts brought back; witnesses are not here.
//!
//! *What a restore may cost.* A question, never a value. A review may ask about what was settled
//! before if its author had been shown the one value by way of a third; if the receipt was lost
//! before its author had it; and after a second restore, since receipts do not say where a mutation
//! was *first* decided.
//!
//! *What it leaves out.* Clocks (both winners of a conflict are tried, and the authoring interval is
//! known exactly), more than one field a record, other merge rules than register and counter,
//! commands, deletion, creation, release of parked work, first sync by frames, moves between
//! scopes, thumbnails, witnesses, clones, withdrawal, old apps, an upload in pieces, crashes within
//! a transaction other than between cursor and rows, and backups older than the last one. The
//! simulation has these.

mod heal;
pub mod invariants;
pub mod judge;
pub mod phone;
pub mod rules;
pub mod scene;
pub mod server;
pub mod wire;
pub mod words;
pub mod world;

pub use rules::Rules;
pub use scene::Scene;
pub use world::Play;
