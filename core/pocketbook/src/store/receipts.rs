//! The server's word on own work, and when it stops lying over the mirror.

use std::collections::BTreeSet;

use pocketbook_records::body;
use pocketbook_records::ids::{Commit, Mid, Mseq, RecordId, check8};
use pocketbook_records::kind::Kind;
use pocketbook_records::receipt::{Outcome, Receipt, ReceiptRow};
use pocketbook_records::wire::Key;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use uuid::Uuid;

use crate::books::account::Account;
use crate::error::Result;
use crate::store::{from_sql_int, hand_in, histories, id_column, meta, mirror, outbox, sql_int};

/// What receipts settled.
#[derive(Default)]
pub(crate) struct Settled {
    /// How many.
    pub(crate) count: usize,
    /// Records whose own work was taken and waits to be seen: they are shown as they were, without
    /// the mark of what waits.
    pub(crate) confirmed: BTreeSet<Key>,
    /// Records that are to be shown anew.
    pub(crate) touched: BTreeSet<Key>,
}

/// Takes receipts. `read` is the newest commit that anything here was read at: what was settled
/// after it can't be seen yet.
pub(crate) fn take(connection: &Connection, rows: &[ReceiptRow], read: Commit) -> Result<Settled> {
    let mut settled = Settled::default();
    let lost = histories::lost(connection)?;
    let account: Option<Account> = meta::read_json(connection, meta::ACCOUNT)?;
    let own = account.map(|account| account.enrolment);
    // Another enrolment's numbers are not ours, and a late answer may still bring some.
    let is_ours = |row: &&ReceiptRow| own.is_none_or(|own| own == row.enrolment);
    for row in rows
        .iter()
        .filter(is_ours)
        .filter(|row| !lost.holds(row.commit))
    {
        let (Some(first), Some(last)) = (row.receipts.first(), row.receipts.last()) else {
            continue;
        };
        let is_new = connection
            .prepare_cached(
                // What was said under an earlier enrolment is said again under the present one.
                "INSERT INTO receipt (first_mseq, last_mseq, \"commit\", row)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (first_mseq) DO UPDATE SET
                     last_mseq = excluded.last_mseq,
                     \"commit\" = excluded.\"commit\",
                     row = excluded.row
                 WHERE receipt.\"commit\" <> excluded.\"commit\"",
            )?
            .execute(params![
                sql_int(first.mseq.0),
                sql_int(last.mseq.0),
                sql_int(row.commit.0),
                serde_json::to_string(row)?
            ])?
            > 0;
        if !is_new {
            continue;
        }
        // Also what a copy of this device handed in.
        hand_in::note_sent(connection, last.mseq)?;
        for receipt in &row.receipts {
            let is_other = author_again_if_other(connection, receipt)?;
            let Some(keys) = settle(connection, row, receipt)? else {
                continue;
            };
            settled.count += 1;
            let in_tray = matches!(receipt.outcome, Outcome::Parked | Outcome::Rejected);
            let waits_to_be_seen =
                row.commit > read && receipt.rev.is_some() && !in_tray && !is_other;
            match waits_to_be_seen {
                true => settled.confirmed.extend(keys),
                false => settled.touched.extend(keys),
            }
        }
    }
    Ok(settled)
}

/// Settles one mutation; returns the records that are shown differently by it, nothing if it was
/// settled before.
fn settle(
    connection: &Connection,
    row: &ReceiptRow,
    receipt: &Receipt,
) -> Result<Option<Vec<Key>>> {
    let settled: Option<(Key, Option<Key>)> = connection
        .prepare_cached(
            "UPDATE authored SET outcome = ?3, reason = ?4, \"commit\" = ?5
             WHERE mseq = ?2 AND mid = ?1 AND outcome IS NULL
             RETURNING kind, id, about_kind, about_id",
        )?
        .query_row(
            params![
                receipt.mid.as_bytes(),
                sql_int(receipt.mseq.0),
                outcome_name(receipt.outcome),
                receipt
                    .reason
                    .as_ref()
                    .map(serde_json::to_string)
                    .transpose()?,
                sql_int(row.commit.0),
            ],
            |row| Ok(keys_of(row)),
        )
        .optional()?
        .transpose()?;
    let Some((key, about)) = settled else {
        return Ok(None);
    };
    let in_tray = matches!(receipt.outcome, Outcome::Parked | Outcome::Rejected);
    if receipt.rev.is_none() && !in_tray {
        uncover_blind(connection, receipt)?;
    }
    Ok(Some([key].into_iter().chain(about).collect()))
}

/// What was accepted about a record that the author may not read is never seen again. One that is
/// here is readable again, or leaves with the next page, and one that it created may yet come: the
/// pages have the word.
fn uncover_blind(connection: &Connection, receipt: &Receipt) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE authored SET overlaid = 0
             WHERE mseq = ?1 AND json_extract(frozen, '$.op') <> 'create' AND NOT EXISTS (
                 SELECT 1 FROM record
                 WHERE record.kind = authored.kind AND record.id = authored.id
                   AND record.rev IS NOT NULL
             )",
        )?
        .execute([sql_int(receipt.mseq.0)])?;
    Ok(())
}

/// The server's word is on other content under the same name (this database was tampered with, or
/// is the copy of another): what lies here never arrived, so it is authored once more, under a name
/// that follows from both. Says whether that was so.
fn author_again_if_other(connection: &Connection, receipt: &Receipt) -> Result<bool> {
    let here: Option<String> = connection
        .prepare_cached(
            "SELECT frozen FROM authored WHERE mseq = ?2 AND mid = ?1 AND outcome IS NULL",
        )?
        .query_row(
            params![receipt.mid.as_bytes(), sql_int(receipt.mseq.0)],
            |row| row.get(0),
        )
        .optional()?;
    // Once only: a server that never knows what it was given must not fill the outbox.
    let is_first = receipt.mid.0.get_version_num() != 5;
    let is_other = |here: &String| is_first && check8(here.as_bytes()) != receipt.check;
    let Some(here) = here.filter(is_other) else {
        return Ok(false);
    };
    let mid = Uuid::new_v5(&receipt.mid.0, here.as_bytes());
    connection
        .prepare_cached(
            "INSERT INTO authored (mseq, mid, kind, id, about_kind, about_id, frozen, authored)
             SELECT ?2, ?3, kind, id, about_kind, about_id, frozen, authored FROM authored
             WHERE mid = ?1",
        )?
        .execute(params![
            receipt.mid.as_bytes(),
            sql_int(outbox::next_mseq(connection)?.0),
            mid.as_bytes()
        ])?;
    connection
        .prepare_cached("UPDATE authored SET overlaid = 0 WHERE mid = ?1")?
        .execute([receipt.mid.as_bytes()])?;
    Ok(true)
}

/// Own work that the mirror visibly contains. A decision about a record that was deleted, and a
/// creation of one, are in the mirror as soon as every scope is read so far.
const VISIBLE: &str =
    "overlaid = 1 AND outcome IS NOT NULL AND outcome NOT IN ('parked', 'rejected')
    AND \"commit\" <= MAX(
        COALESCE((
            SELECT record.asof FROM record
            WHERE record.kind = COALESCE(about_kind, authored.kind)
              AND record.id = COALESCE(about_id, authored.id)
        ), 0),
        COALESCE((
            SELECT MAX(scope.through) FROM record
            JOIN membership ON membership.key = record.key AND membership.pending_to IS NULL
            JOIN scope ON scope.id = membership.scope AND scope.caught_up = 1
            WHERE record.kind = COALESCE(about_kind, authored.kind)
              AND record.id = COALESCE(about_id, authored.id)
        ), (
            SELECT MIN(scope.through * scope.caught_up) FROM scope
            WHERE about_kind IS NOT NULL OR json_extract(authored.frozen, '$.op') = 'create'
        ), 0)
    )";

/// Takes own work off the view once the mirror visibly contains it; records concerned go into
/// `touched`.
pub(crate) fn uncover(connection: &Connection, touched: &mut BTreeSet<Key>) -> Result<()> {
    let sql = format!(
        "UPDATE authored SET overlaid = 0 WHERE {VISIBLE} RETURNING kind, id, about_kind, about_id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, about) = keys_of(row)?;
        touched.insert(key);
        touched.extend(about);
    }
    Ok(())
}

/// The same for work on the records in `touched` only: where nothing was read, no other has become
/// visible.
pub(crate) fn uncover_these(connection: &Connection, touched: &mut BTreeSet<Key>) -> Result<()> {
    let mut others = Vec::new();
    for of in [("kind", "id"), ("about_kind", "about_id")] {
        let sql = format!(
            "UPDATE authored SET overlaid = 0 WHERE {VISIBLE} AND {} = ?1 AND {} = ?2
             RETURNING kind, id, about_kind, about_id",
            of.0, of.1
        );
        let mut statement = connection.prepare_cached(&sql)?;
        for key in &*touched {
            let mut rows = statement.query(params![key.kind, key.id.as_bytes()])?;
            while let Some(row) = rows.next()? {
                let (key, about) = keys_of(row)?;
                others.push(key);
                others.extend(about);
            }
        }
    }
    touched.extend(others);
    Ok(())
}

/// Takes a review or a tray item that came; returns the record that is shown differently by it.
pub(crate) fn take_tray(connection: &Connection, kind: &Kind, text: &str) -> Result<Option<Key>> {
    if kind.field("of").is_none() {
        return Ok(None);
    }
    let item = body::pick(text, &["of", "record", "mid", "state"])?;
    let field = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Ok(mid) = field("mid").parse() {
        note_tray(connection, mid, field("state"))?;
    }
    let (Some(of), Ok(id)) = (Kind::named(field("of")), field("record").parse()) else {
        return Ok(None);
    };
    let is_here = mirror::find(connection, of.name, id)?.is_some();
    Ok(is_here.then(|| Key {
        kind: of.name.to_owned(),
        id,
    }))
}

/// Only what is settled is archived, also if this device never heard how: an archived tray item
/// no longer lies over the view.
pub(crate) fn settle_archived(connection: &Connection, key: &Key) -> Result<()> {
    if let Some(text) = outbox::shown(connection, &key.kind, key.id)?
        && let Some(mid) = body::pick(&text, &["mid"])?
            .get("mid")
            .and_then(Value::as_str)
        && let Ok(mid) = mid.parse()
    {
        note_tray(connection, mid, "archived")?;
    }
    Ok(())
}

/// Notes what became of a tray item: settled ones no longer lie over the view.
fn note_tray(connection: &Connection, mid: Mid, state: &str) -> Result<()> {
    let is_open = matches!(state, "parked" | "rejected");
    connection
        .prepare_cached(
            "UPDATE authored SET
                 overlaid = CASE WHEN ?2 THEN overlaid ELSE 0 END,
                 outcome = CASE WHEN ?3 = 'rejected' AND outcome = 'parked' THEN 'rejected' ELSE outcome END
             WHERE mid = ?1 AND outcome IS NOT NULL",
        )?
        .execute(params![mid.as_bytes(), is_open, state])?;
    Ok(())
}

/// Returns up to where every mutation has a receipt: the server need not repeat these.
pub(crate) fn settled_mseq(connection: &Connection) -> Result<Mseq> {
    let first_open: Option<i64> = connection
        .prepare_cached("SELECT MIN(mseq) FROM authored WHERE outcome IS NULL")?
        .query_row([], |row| row.get(0))?;
    match first_open {
        Some(mseq) => Ok(Mseq(from_sql_int(mseq - 1))),
        None => outbox::highest_mseq(connection),
    }
}

pub(crate) fn keys_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Key, Option<Key>)> {
    let key = Key {
        kind: row.get(0)?,
        id: RecordId(id_column(row, 1)?),
    };
    let about = match row.get::<_, Option<String>>(2)? {
        Some(kind) => Some(Key {
            kind,
            id: RecordId(id_column(row, 3)?),
        }),
        None => None,
    };
    Ok((key, about))
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Merged => "merged",
        Outcome::Conflict => "conflict",
        Outcome::Superseded => "superseded",
        Outcome::Duplicate => "duplicate",
        Outcome::Void => "void",
        Outcome::Parked => "parked",
        Outcome::Rejected => "rejected",
    }
}

/// Says whether own work lies over any record, be it that of the account's other phones, which lies
/// in the tray.
pub(crate) fn is_any_overlaid(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM authored WHERE overlaid = 1)
                 OR EXISTS (SELECT 1 FROM record WHERE kind IN ('parked', 'parked-sensitive'))",
        )?
        .query_row([], |row| row.get(0))?)
}

/// Says whether own work lies over a record.
pub(crate) fn is_overlaid(connection: &Connection, key: &Key) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM authored WHERE overlaid = 1 AND kind = ?1 AND id = ?2)
                 OR EXISTS (
                     SELECT 1 FROM authored
                     WHERE overlaid = 1 AND about_kind = ?1 AND about_id = ?2
                 )
                 OR EXISTS (
                     SELECT 1 FROM record
                     WHERE kind IN ('parked', 'parked-sensitive') AND under = ?3
                 )",
        )?
        .query_row(
            params![key.kind, key.id.as_bytes(), key.id.to_string()],
            |row| row.get(0),
        )?)
}
