//! What the next request carries: the outbox's head, and how far this device has read.

use pocketbook_records::ids::{Mid, Mseq};
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::mutation::Mutation;
use pocketbook_records::time::Now;
use pocketbook_records::wire::{MAX_MUTATIONS, PROTO, Pull, Request};
use rusqlite::{Connection, params};
use serde_json::value::RawValue;

use crate::books::account::Account;
use crate::error::{Error, Result};
use crate::store::{
    Store, clones, from_sql_int, histories, id_column, later, meta, outbox, receipts, scopes,
    sql_int, status, wants,
};

/// How much a request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Bytes of frozen mutations; at least one goes whatever its size.
    pub bytes: usize,
    /// Mutations.
    pub count: usize,
    /// Where it begins.
    pub start: Start,
    /// Whether to ask for news.
    pub pull: bool,
}

/// Where the work of a request begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// With the first that waits.
    #[default]
    FirstWaiting,
    /// With this number, since the server asks for it, whether it waits or not: a server that lost
    /// this enrolment asks for all of it.
    Asked(Mseq),
    /// With this number: all before it has its receipts, which are only just being taken in.
    Ahead(Mseq),
}

impl Start {
    /// Returns the lowest number that may go.
    pub(crate) fn lowest(self) -> Mseq {
        match self {
            Self::FirstWaiting => Mseq(0),
            Self::Asked(from) | Self::Ahead(from) => from,
        }
    }
}

impl Store {
    /// Builds the next request, and marks what it carries as sent before it leaves.
    pub fn next_request(&self, limits: BatchLimits) -> Result<Request> {
        let clock = &self.seams.clock;
        let now = Now {
            wall: clock.wall_ms(),
            boot: clock.boot(),
            monotonic_ms: clock.monotonic_ms(),
        };
        let batch = match self.read(has_work)? {
            true => self.write(|transaction| take(transaction, limits))?,
            false => Vec::new(),
        };
        self.read(|connection| {
            let account: Account =
                meta::read_json(connection, meta::ACCOUNT)?.ok_or(Error::NotEnrolled)?;
            Ok(Request {
                proto: (PROTO, PROTO),
                enrolment: account.enrolment,
                echo: meta::read_json(connection, meta::ECHO)?,
                settled_mseq: match limits.start {
                    Start::Ahead(next) => Mseq(next.0 - 1),
                    _ => receipts::settled_mseq(connection)?,
                },
                highest_mseq: outbox::highest_mseq(connection)?,
                pending: status::pending(connection)?,
                now,
                contact: meta::read_json(connection, meta::CONTACT)?,
                certificate: Some(account.certificate),
                schema: SCHEMA,
                pull: match limits.pull {
                    true => Some(Pull {
                        scopes: scopes::asks(connection)?,
                        want: wants::keys(connection)?,
                        takes_links: true,
                        max_bytes: None,
                    }),
                    false => None,
                },
                proofs: match (batch.first(), batch.last()) {
                    (Some(first), Some(last)) => {
                        histories::proofs(connection, first.mseq, last.mseq)?
                    }
                    _ => Vec::new(),
                },
                mutations: batch,
                witness: histories::witness(connection)?,
            })
        })
    }

    /// Returns the first number after one that waits.
    pub(crate) fn waits_after(&self, after: Mseq) -> Result<Option<Mseq>> {
        self.read(|connection| {
            let first: Option<i64> = connection
                .prepare_cached(
                    "SELECT MIN(mseq) FROM authored WHERE outcome IS NULL AND mseq > ?1",
                )?
                .query_row([sql_int(after.0)], |row| row.get(0))?;
            Ok(first.map(|mseq| Mseq(from_sql_int(mseq))))
        })
    }
}

/// Says whether there is work that may go: none goes under an identity that is another's too.
fn has_work(connection: &Connection) -> Result<bool> {
    let waits: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM authored WHERE outcome IS NULL)")?
        .query_row([], |row| row.get(0))?;
    Ok(waits && !clones::is_parting(connection)?)
}

/// Chooses and notes in one transaction: what is noted is what leaves, and nothing of it can be
/// withdrawn in between.
fn take(transaction: &Connection, limits: BatchLimits) -> Result<Vec<Mutation>> {
    let batch = choose(transaction, limits)?;
    if let Some(last) = batch.last() {
        note_sent(transaction, last.mseq)?;
    }
    Ok(batch)
}

/// Notes up to which number work has, or may have, left this device.
pub(crate) fn note_sent(connection: &Connection, last: Mseq) -> Result<()> {
    if last > sent(connection)? {
        meta::write(connection, meta::SENT, &last.to_string())?;
    }
    Ok(())
}

/// Returns up to which number work may have left this device.
pub(crate) fn sent(connection: &Connection) -> Result<Mseq> {
    let noted: Option<String> = meta::read(connection, meta::SENT)?;
    Ok(Mseq(
        noted.and_then(|text| text.parse().ok()).unwrap_or_default(),
    ))
}

fn choose(connection: &Connection, limits: BatchLimits) -> Result<Vec<Mutation>> {
    let mut statement = connection.prepare_cached(match limits.start {
        Start::FirstWaiting | Start::Ahead(_) => {
            "SELECT mseq, mid, frozen FROM authored
             WHERE outcome IS NULL AND mseq >= ?1 ORDER BY mseq LIMIT ?2"
        }
        Start::Asked(_) => {
            "SELECT mseq, mid, frozen FROM authored
             WHERE mseq >= ?1 ORDER BY mseq LIMIT ?2"
        }
    })?;
    let most = limits.count.min(MAX_MUTATIONS);
    let mut rows = statement.query(params![
        sql_int(limits.start.lowest().0),
        sql_int(most as u64)
    ])?;
    let mut batch: Vec<Mutation> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let frozen = later::travels(connection, row.get(0)?, row.get(2)?)?;
        bytes += frozen.len();
        let mseq = Mseq(from_sql_int(row.get(0)?));
        // In order without holes: what follows an acknowledged one waits for the next request.
        let is_next = batch.last().is_none_or(|last| last.mseq.0 + 1 == mseq.0);
        if !batch.is_empty() && (bytes > limits.bytes || !is_next) {
            break;
        }
        batch.push(Mutation {
            mid: Mid(id_column(row, 1)?),
            mseq,
            frozen: RawValue::from_string(frozen)?,
        });
    }
    Ok(batch)
}
