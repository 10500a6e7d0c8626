//! What must leave this device: records that moved away, were deleted, or may no longer be read.
//!
//! A revoked scope is purged in the transaction that applies the answer: rows, listing, own work
//! lying over them. Then the log is truncated and the photos' files go, so that no page of the
//! file keeps what was taken (`secure_delete` overwrites). Own work that was not yet handed in
//! stays in the outbox, readable by no verb, and is still delivered; so do photos of it. It is
//! *sealed* (`authored.overlaid` is -1) and comes back into view if the grid does ([`bring_back`]).

use std::collections::BTreeSet;

use pocketbook_records::body;
use pocketbook_records::ids::{BlobHash, RecordId, Rev, UnitId};
use pocketbook_records::kind::{Home, Kind};
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::Key;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::error::Result;
use crate::store::mirror::{Door, find};
use crate::store::trace::{self, Why};
use crate::store::{Store, id_column, kind_named, outbox, scopes, sql_int, view, wants};

/// What has to be done once the transaction is through.
#[derive(Debug, Default)]
pub(crate) struct Purged {
    rows: usize,
    files: Vec<BlobHash>,
}

impl Purged {
    pub(crate) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    pub(crate) fn add_files(&mut self, files: Vec<BlobHash>) {
        self.files.extend(files);
    }
}

/// Removes files and truncates the log, if anything went.
pub(crate) fn finish(store: &Store, purged: &Purged) -> Result<()> {
    for hash in &purged.files {
        store.remove_blob_files(*hash)?;
    }
    if purged.rows > 0 {
        store.truncate_log()?;
    }
    Ok(())
}

/// Purges every scope that is not granted.
pub(crate) fn keep_only(door: &mut Door<'_>, grants: &[Scope]) -> Result<()> {
    let granted: BTreeSet<String> = grants.iter().map(ToString::to_string).collect();
    let mut statement = door
        .connection
        .prepare_cached("SELECT id, name FROM scope")?;
    let held = statement
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut any = false;
    for (scope, _) in held.iter().filter(|(_, name)| !granted.contains(name)) {
        any = true;
        for key in members(door.connection, *scope)? {
            leave(door, *scope, &key, Why::Revoked)?;
        }
        // What was on its way there has no place any more.
        for (from, key) in scopes::unconfirmed(door.connection, *scope)? {
            leave(door, from, &key, Why::Revoked)?;
        }
        wants::forget_all(door.connection, *scope)?;
        door.connection
            .execute("DELETE FROM scope WHERE id = ?1", [scope])?;
    }
    if any {
        hide_homeless(door, grants)?;
    }
    Ok(())
}

/// Takes a record out of a scope, and off the device if that was its last.
pub(crate) fn leave(door: &mut Door<'_>, scope: i64, key: &Key, why: Why) -> Result<()> {
    let Some(row) = find(door.connection, &key.kind, key.id)? else {
        return Ok(());
    };
    if !scopes::part(door.connection, scope, row)? {
        remove(door, key, why)?;
    }
    Ok(())
}

/// Takes a deleted record off the device, unless a newer body of it is here.
pub(crate) fn bury(door: &mut Door<'_>, key: &Key, rev: Rev) -> Result<()> {
    let is_newer: bool = door
        .connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM record WHERE kind = ?1 AND id = ?2 AND rev > ?3)",
        )?
        .query_row(
            params![key.kind, key.id.as_bytes(), sql_int(rev.0)],
            |row| row.get(0),
        )?;
    if is_newer {
        Ok(())
    } else {
        remove(door, key, Why::Deleted)
    }
}

fn remove(door: &mut Door<'_>, key: &Key, why: Why) -> Result<()> {
    let id = key.id.as_bytes();
    let row: Option<i64> = door
        .connection
        .prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2 RETURNING key")?
        .query_row(params![key.kind, id], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(()) };
    door.connection
        .prepare_cached("DELETE FROM membership WHERE key = ?1")?
        .execute([row])?;
    door.connection
        .prepare_cached(
            "UPDATE authored SET overlaid = -1 WHERE kind = ?1 AND id = ?2 AND overlaid = 1",
        )?
        .execute(params![key.kind, id])?;
    trace::note(door.connection, key, why, door.wall)?;
    door.purged.rows += 1;
    if let Ok(kind) = kind_named(&key.kind) {
        door.applied.kinds.insert(kind.name);
    }
    Ok(())
}

/// What lies in no scope yet goes out of sight with its grid: own new records that the server does
/// not have, and bodies that came with a receipt before a page did.
fn hide_homeless(door: &mut Door<'_>, grants: &[Scope]) -> Result<()> {
    let own = {
        let mut statement = door.connection.prepare_cached(
            "SELECT kind, id FROM record
                 WHERE rev IS NULL
                    OR NOT EXISTS (SELECT 1 FROM membership WHERE membership.key = record.key)",
        )?;
        statement
            .query_map([], key_of)?
            .collect::<rusqlite::Result<Vec<_>>>()?
    };
    for key in own {
        hide_if_homeless(door, &key, grants)?;
    }
    Ok(())
}

fn hide_if_homeless(door: &mut Door<'_>, key: &Key, grants: &[Scope]) -> Result<()> {
    let is_homeless = match home(door.connection, kind_named(&key.kind)?, key.id)? {
        HomeOf::Grid(grid) => !grants.contains(&Scope::General(grid)),
        HomeOf::Lost => true,
        HomeOf::None => false,
    };
    if is_homeless {
        remove(door, key, Why::Revoked)?;
    }
    Ok(())
}

/// Returns the records about which own work is sealed.
pub(crate) fn sealed(connection: &Connection) -> Result<BTreeSet<Key>> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT kind, id FROM authored WHERE overlaid = -1")?;
    Ok(statement
        .query_map([], key_of)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Lays sealed work over the view again where its record is here again, or where a new record's
/// grid is. Call it when such a record was put, and at the end of a first sync: a grid that was
/// taken comes back by one.
pub(crate) fn bring_back(door: &mut Door<'_>) -> Result<()> {
    let sealed = {
        let mut statement = door.connection.prepare_cached(
            "SELECT kind, id,
                    EXISTS (SELECT 1 FROM record
                            WHERE record.kind = authored.kind AND record.id = authored.id
                              AND record.rev > 0) AS is_here
             FROM authored
             WHERE overlaid = -1
             GROUP BY kind, id
             HAVING is_here OR MAX(json_extract(frozen, '$.op') = 'create')
             ORDER BY MIN(mseq)",
        )?;
        statement
            .query_map([], |row| Ok((key_of(row)?, row.get::<_, bool>(2)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?
    };
    if sealed.is_empty() {
        return Ok(());
    }
    let grants: Vec<Scope> = scopes::asks(door.connection)?.into_keys().collect();
    for (key, is_here) in sealed {
        door.connection
            .prepare_cached(
                "UPDATE authored SET overlaid = 1 WHERE kind = ?1 AND id = ?2 AND overlaid = -1",
            )?
            .execute(params![key.kind, key.id.as_bytes()])?;
        view::refresh(door.connection, kind_named(&key.kind)?, key.id)?;
        if !is_here {
            hide_if_homeless(door, &key, &grants)?;
        }
        door.touched.insert(key);
    }
    Ok(())
}

fn key_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        kind: row.get(0)?,
        id: RecordId(id_column(row, 1)?),
    })
}

enum HomeOf {
    Grid(UnitId),
    /// Its parent is not here any more.
    Lost,
    /// The kind has none.
    None,
}

fn home(connection: &Connection, kind: &'static Kind, id: RecordId) -> Result<HomeOf> {
    let (mut kind, mut id) = (kind, id);
    loop {
        let Some(text) = outbox::shown(connection, kind.name, id)? else {
            return Ok(HomeOf::Lost);
        };
        let fields = body::parse(&text).unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        match kind.home {
            Home::Grid(field) => return Ok(HomeOf::Grid(UnitId::from(text(field)))),
            Home::Parent(parent) => {
                kind = kind_named(parent.kind)?;
                if let Some(field) = parent.field {
                    let Ok(up) = text(field).parse() else {
                        return Ok(HomeOf::Lost);
                    };
                    id = up;
                }
            }
            Home::Noted => {
                let subject = (Kind::named(text("of")), text("record").parse());
                let (Some(of), Ok(record)) = subject else {
                    return Ok(HomeOf::Lost);
                };
                (kind, id) = (of, record);
            }
            Home::AuthorAnd(_) => return Ok(HomeOf::None),
        }
    }
}

fn members(connection: &Connection, scope: i64) -> Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT record.kind, record.id FROM membership
         JOIN record ON record.key = membership.key
         WHERE membership.scope = ?1",
    )?;
    Ok(statement
        .query_map([scope], key_of)?
        .collect::<rusqlite::Result<_>>()?)
}
