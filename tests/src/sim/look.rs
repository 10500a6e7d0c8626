//! What lies on each side after a step, read from the tables themselves.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::ids::{EnrolmentId, Mid, RecordId};
use pocketbook_records::receipt::ReceiptRow;
use pocketbook_records::wire::AsOf;
use pocketbook_server::store::Store;
use pocketbook_server::{Fault, Server, params};
use rusqlite::Connection;
use uuid::Uuid;

use crate::world::Phone;

/// A record in a scope.
pub type Place = (String, String, RecordId);

/// What the server's index says of a record in a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The scope's latest number for it.
    pub seq: i64,
    /// The rev.
    pub rev: i64,
    /// The commit that gave the number.
    pub changed: i64,
    /// Whether it is no longer in.
    pub is_gone: bool,
}

/// Reads the server's index.
pub fn index(server: &Server) -> BTreeMap<Place, Index> {
    let read = |store: Store<'_>| -> Result<_, Fault> {
        let rows = store.sql.all(
            "SELECT scope, kind, id, seq, rev, changed, gone IS NOT NULL
             FROM memberships
             WHERE district = $1",
            params![store.district],
            |row| {
                let index = Index {
                    seq: row.get(3)?,
                    rev: row.get(4)?,
                    changed: row.get(5)?,
                    is_gone: row.get(6)?,
                };
                Ok(((row.get(0)?, row.get(1)?, row.get(2)?), index))
            },
        )?;
        Ok(rows.into_iter().collect())
    };
    server.read(read).expect("the index reads")
}

/// Reads all receipts that the server gave to an enrolment, in order.
pub fn receipts(server: &Server, enrolment: EnrolmentId) -> Vec<ReceiptRow> {
    let read = |store: Store<'_>| -> Result<_, Fault> {
        let lines: Vec<String> = store.sql.all(
            "SELECT line
             FROM receipts
             WHERE district = $1 AND enrolment = $2
             ORDER BY last_mseq",
            params![store.district, enrolment],
            |row| row.get(0),
        )?;
        Ok(lines)
    };
    let lines = server.read(read).expect("the receipts read");
    let parsed = lines.iter().map(|line| serde_json::from_str(line));
    parsed.map(|row| row.expect("a receipt row")).collect()
}

/// An own mutation as a phone keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub mseq: u64,
    /// Its name.
    pub mid: Mid,
    /// What became of it; none while it waits.
    pub outcome: Option<String>,
    /// Its content, as it was authored.
    pub frozen: String,
}

/// How far a phone has read a scope.
#[derive(Debug, Clone)]
pub struct Read {
    /// The number in its cursor; none before the first sync has ended.
    pub seq: Option<i64>,
    /// The commit up to which it has all.
    pub through: i64,
    /// Whether it is shown as complete.
    pub is_caught_up: bool,
}

/// What lies on a phone.
#[derive(Debug)]
pub struct Device {
    /// The history that it knows.
    pub epoch: u32,
    /// Own work, in order.
    pub authored: Vec<Kept>,
    /// The scopes.
    pub scopes: BTreeMap<String, Read>,
    /// The rev of each record of each scope; none of those known from own work only.
    pub rows: BTreeMap<Place, Option<i64>>,
    /// Records that it was named and asks for, with the scopes that lack them.
    pub wants: BTreeSet<Place>,
    /// The mirror: kind, id, rev and body.
    pub mirror: Vec<(String, RecordId, i64, String)>,
}

/// Opens a phone's database beside the app; none where it is encrypted.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracle believes the file, not the app"
)]
pub fn beside(phone: &Phone) -> Option<Connection> {
    if pocketbook_sqlite::is_encryption_built() {
        return None;
    }
    Some(Connection::open(phone.database()).expect("the database opens"))
}

/// Reads what lies on a phone; none where it is encrypted.
pub fn device(phone: &Phone) -> Option<Device> {
    let connection = beside(phone)?;
    let look = || -> rusqlite::Result<Device> {
        Ok(Device {
            epoch: connection
                .query_row("SELECT value FROM meta WHERE name = 'asof'", [], |row| {
                    row.get::<_, String>(0)
                })
                .ok()
                .and_then(|text| serde_json::from_str::<AsOf>(&text).ok())
                .map_or(0, |asof| asof.epoch.0),
            authored: authored(&connection)?,
            scopes: all(
                &connection,
                "SELECT name, cursor, through, caught_up FROM scope",
                |row| {
                    let cursor: Option<String> = row.get(1)?;
                    let seq = cursor.and_then(|text| text.split('.').nth(1)?.parse().ok());
                    let (through, is_caught_up) = (row.get(2)?, row.get(3)?);
                    Ok((
                        row.get(0)?,
                        Read {
                            seq,
                            through,
                            is_caught_up,
                        },
                    ))
                },
            )?
            .into_iter()
            .collect(),
            rows: all(
                &connection,
                "SELECT scope.name, record.kind, record.id, record.rev
                 FROM membership JOIN scope ON scope.id = membership.scope
                                 JOIN record ON record.key = membership.key",
                |row| {
                    Ok((
                        (row.get(0)?, row.get(1)?, RecordId(id(row, 2)?)),
                        row.get(3)?,
                    ))
                },
            )?
            .into_iter()
            .collect(),
            wants: all(
                &connection,
                "SELECT scope.name, want.kind, want.id
                 FROM want JOIN scope ON scope.id = want.scope",
                |row| Ok((row.get(0)?, row.get(1)?, RecordId(id(row, 2)?))),
            )?
            .into_iter()
            .collect(),
            mirror: all(
                &connection,
                "SELECT kind, id, rev, body FROM record WHERE body IS NOT NULL",
                |row| Ok((row.get(0)?, RecordId(id(row, 1)?), row.get(2)?, row.get(3)?)),
            )?,
        })
    };
    Some(look().expect("the phone's tables read"))
}

/// Reads the journal of a device's database: own work, in order.
pub fn authored(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    all(
        connection,
        "SELECT mseq, mid, outcome, frozen FROM authored ORDER BY mseq",
        |row| {
            Ok(Kept {
                mseq: row.get::<_, i64>(0)?.cast_unsigned(),
                mid: Mid(id(row, 1)?),
                outcome: row.get(2)?,
                frozen: row.get(3)?,
            })
        },
    )
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}

fn id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(Uuid::from_bytes(bytes))
}
