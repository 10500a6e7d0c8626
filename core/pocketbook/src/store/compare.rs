//! Comparing a scope with the server's: a digest says *that* they differ, ranges say *where*, and
//! only what differs travels.
//!
//! *The life of a doubt.* When a scope is caught up, the digest in the answer must be that of what
//! lies here. It is worked out when a reading from the start has ended and then once a day, so that
//! an ordinary exchange pays nothing for it. A scope in doubt, or one whose cursor the server can't
//! serve, is asked for its ranges: each stands for about 64 records of one kind. Those that differ
//! are asked for as frames, under the rules of a first sync, and pages go on from the snapshot of
//! the ranges. The scope is not called complete in between, and its rows stay readable.
//!
//! *What it promises.* What lies here in a range that differs, and is not sent, goes as if it had
//! left the scope; what is sent replaces what lies here, whatever commit that claims to be of
//! ([`overrule`]). Kinds of a newer server are left alone: this app stores none of them. If
//! [`ROUNDS`] rounds don't make the scope equal, a fault is at work that comparing can't mend: it
//! is told to the log and tried again a day later, so that no phone compares for ever.

use std::collections::BTreeMap;

use pocketbook_records::digest::Digest;
use pocketbook_records::ids::{Commit, RecordId, Rev};
use pocketbook_records::kinds;
use pocketbook_records::wire::{Echo, Page, Put, Range, Span};
use rusqlite::{Connection, params};

use crate::error::Result;
use crate::store::{from_sql_int, id_column, meta, scopes, sql_int};

/// How long an equal digest is believed.
const BELIEVED_MS: i64 = 24 * 3_600_000;

/// A scope is compared so often before it is left alone for a day.
const ROUNDS: i64 = 3;

/// What lies in a scope, by kind and id.
type Held = BTreeMap<&'static str, Vec<(RecordId, Rev)>>;

/// Looks whether a scope that was just caught up holds what the server holds. If not, it is in
/// doubt.
pub(crate) fn verify(connection: &Connection, scope: i64, page: &Page, wall: i64) -> Result<bool> {
    let Some(expected) = page.digest else {
        return Ok(true);
    };
    let (verified, rounds): (i64, i64) = connection
        .prepare_cached("SELECT verified, rounds FROM scope WHERE id = ?1")?
        .query_row([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if (verified..verified.saturating_add(BELIEVED_MS)).contains(&wall) {
        return Ok(true);
    }
    let mut digest = Digest::default();
    for (kind, records) in held(connection, scope)? {
        for (id, rev) in records {
            digest.toggle(kind, id, rev);
        }
    }
    let is_equal = expected == digest.into();
    if is_equal || rounds >= ROUNDS {
        if !is_equal {
            tracing::warn!(rounds, "a scope stays unequal to the server's");
        }
        note_verified(connection, scope, wall)?;
        return Ok(true);
    }
    connection
        .prepare_cached("UPDATE scope SET rounds = rounds + 1 WHERE id = ?1")?
        .execute([scope])?;
    scopes::doubt(connection, scope)?;
    Ok(false)
}

fn note_verified(connection: &Connection, scope: i64, wall: i64) -> Result<()> {
    connection
        .prepare_cached("UPDATE scope SET verified = ?2, rounds = 0 WHERE id = ?1")?
        .execute([scope, wall])?;
    Ok(())
}

/// Takes the ranges of a scope in doubt. Says whether all are equal, which makes it complete; else
/// what lies here in those that differ waits to be confirmed by their frames.
pub(crate) fn take_ranges(
    connection: &Connection,
    scope: i64,
    page: &Page,
    wall: i64,
) -> Result<bool> {
    let mut spans = Vec::new();
    for (kind, records) in held(connection, scope)? {
        let ranges: Vec<&Range> = page.ranges.iter().filter(|r| r.to.kind == kind).collect();
        spans.extend(differing(kind, &records, &ranges));
    }
    if spans.is_empty() {
        // What differed has come meanwhile, or is of kinds that this app does not store.
        note_verified(connection, scope, wall)?;
        scopes::resume_pages(connection, scope, &page.cursor, page.through)?;
        return Ok(true);
    }
    for span in &spans {
        await_word(connection, scope, span)?;
    }
    connection
        .prepare_cached("UPDATE scope SET compare = ?2, lowest = ?3 WHERE id = ?1")?
        .execute(params![scope, serde_json::to_string(&spans)?, page.cursor])?;
    Ok(false)
}

/// Returns the spans of a kind in which the server holds other records than lie here.
fn differing(kind: &str, records: &[(RecordId, Rev)], ranges: &[&Range]) -> Vec<Span> {
    let whole = Span {
        kind: kind.to_owned(),
        after: None,
        to: None,
    };
    if ranges.is_empty() {
        return if records.is_empty() {
            Vec::new()
        } else {
            vec![whole]
        };
    }
    let mut spans: Vec<Span> = Vec::new();
    let (mut rest, mut after) = (records, None);
    for (n, range) in ranges.iter().enumerate() {
        let to = (n + 1 < ranges.len()).then_some(range.to.id);
        let end = to.map_or(rest.len(), |to| rest.partition_point(|(id, _)| *id <= to));
        let (own, others) = rest.split_at(end);
        let mut digest = Digest::default();
        own.iter()
            .for_each(|(id, rev)| digest.toggle(kind, *id, *rev));
        if range.count != own.len() as u64 || range.digest != digest.into() {
            match spans.last_mut() {
                Some(last) if last.to == after && after.is_some() => last.to = to,
                _ => spans.push(Span {
                    after,
                    to,
                    ..whole.clone()
                }),
            }
        }
        (rest, after) = (others, to);
    }
    spans
}

/// What lies here in a span goes at the end, unless a frame confirms it.
fn await_word(connection: &Connection, scope: i64, span: &Span) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE membership SET pending_to = scope
             WHERE scope = ?1 AND key IN (
                 SELECT key FROM record
                 WHERE kind = ?2 AND id > ?3 AND (?4 IS NULL OR id <= ?4)
             )",
        )?
        .execute(params![
            scope,
            span.kind,
            span.after
                .as_ref()
                .map_or(&[][..], |id| id.as_bytes().as_slice()),
            span.to.as_ref().map(|id| id.as_bytes().as_slice()),
        ])?;
    Ok(())
}

/// A frame is the server's word on a record as of its snapshot. What lies here may be newer, by a
/// body that came with a receipt since; but of a commit that the snapshot had, or that no answer has
/// named yet, it can't be: then it is wrong, and gives way.
pub(crate) fn overrule(connection: &Connection, put: &Put, snapshot: Commit) -> Result<()> {
    let echo: Option<Echo> = meta::read_json(connection, meta::ECHO)?;
    let newest = echo.map_or(snapshot, |echo| echo.commit.max(snapshot));
    connection
        .prepare_cached(
            "UPDATE record SET rev = 0
             WHERE kind = ?1 AND id = ?2 AND rev > ?3 AND (rev <= ?4 OR rev > ?5)",
        )?
        .execute(params![
            put.kind,
            put.id.as_bytes(),
            sql_int(put.rev.0),
            sql_int(snapshot.0),
            sql_int(newest.0)
        ])?;
    Ok(())
}

/// Returns what lies in a scope; kinds of which nothing does are there too.
fn held(connection: &Connection, scope: i64) -> Result<Held> {
    let mut held: Held = kinds::ALL
        .iter()
        .map(|kind| (kind.name, Vec::new()))
        .collect();
    let mut statement = connection.prepare_cached(
        "SELECT record.kind, record.id, COALESCE(record.rev, 0)
         FROM membership JOIN record ON record.key = membership.key
         WHERE membership.scope = ?1 AND membership.pending_to IS NULL",
    )?;
    let mut rows = statement.query([scope])?;
    while let Some(row) = rows.next()? {
        if let Some(records) = held.get_mut(row.get_ref(0)?.as_str().unwrap_or_default()) {
            let id = RecordId(id_column(row, 1)?);
            records.push((id, Commit(from_sql_int(row.get(2)?))));
        }
    }
    held.values_mut()
        .for_each(|records| records.sort_unstable());
    Ok(held)
}
