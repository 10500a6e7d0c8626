//! What the server keeps, one module per table or two. A module's functions hold one literal
//! statement each; nobody else writes to its table.
//!
//! Reads take a [`Store`] (a transaction of the writer or a reader's snapshot), writes take the
//! [`crate::writer::Batch`] that they belong to.

mod sql;
mod values;

pub mod accounts;
pub mod blobs;
pub mod bundles;
pub mod districts;
pub mod histories;
pub mod journal;
pub mod ledger;
pub mod org;
pub mod receipts;
pub mod records;
pub mod scopes;
pub mod waits;

use pocketbook_sqlite::{Ladder, Step};

pub use crate::params;
pub use sql::{Row, Sql, SqlError};
pub use values::{Bind, Column, Param};

use crate::keyring::Keyring;

/// The server's database: name, mark and steps.
pub static LADDER: Ladder = Ladder {
    name: "the district's database",
    application_id: 0x5042_5331,
    steps: &[
        Step {
            sql: include_str!("schema/0001.sql"),
        },
        Step {
            sql: include_str!("schema/0002.sql"),
        },
        Step {
            sql: include_str!("schema/0003.sql"),
        },
        Step {
            sql: include_str!("schema/0004.sql"),
        },
    ],
};

/// Names a district within a database that may hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct District(pub i64);

impl Bind for District {
    fn param(&self) -> Param<'_> {
        Param::Int(self.0)
    }
}

/// One district's rows as one transaction sees them, with the keys to read them.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    /// The transaction.
    pub sql: &'a Sql,
    /// Whose rows.
    pub district: District,
    /// The keys.
    pub keyring: &'a Keyring,
}
