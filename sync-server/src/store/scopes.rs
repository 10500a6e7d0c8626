//! Memberships: one row per (scope, record) with the scope's latest number for it, and one head
//! per scope. A head's digest changes by what enters and what leaves; nobody ever recounts.

use pocketbook_records::digest::Digest;
use pocketbook_records::ids::{Commit, RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::scope::Scope;

use super::{Row, SqlError, Store};
use crate::params;
use crate::writer::{Batch, Fault};

/// Where a scope stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The last number given.
    pub seq: u64,
    /// Cursors below can't be served by pages.
    pub floor: u64,
    /// The digest of all records in it.
    pub digest: Digest,
    /// How many records are in it.
    pub count: u64,
    changed: bool,
}

impl Head {
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    fn raise_floor(&mut self, floor: u64) {
        self.floor = self.floor.max(floor);
        self.changed = true;
    }

    fn next(&mut self) -> i64 {
        self.seq += 1;
        self.changed = true;
        self.seq.cast_signed()
    }

    fn add(&mut self, kind: &Kind, id: RecordId, rev: Rev) {
        self.digest.toggle(kind.name, id, rev);
        self.count += 1;
    }

    fn take(&mut self, kind: &Kind, id: RecordId, rev: Rev) {
        self.digest.toggle(kind.name, id, rev);
        self.count = self.count.saturating_sub(1);
    }
}

/// Reads a scope's head; a scope without records has an empty one.
pub fn head(store: Store<'_>, scope: &str) -> Result<Head, SqlError> {
    let head = store.sql.one(
        "SELECT seq, floor, digest, count
         FROM heads
         WHERE district = $1 AND scope = $2",
        params![store.district, scope],
        |row| {
            Ok(Head {
                seq: row.get(0)?,
                floor: row.get(1)?,
                digest: Digest(row.get(2)?),
                count: row.get(3)?,
                changed: false,
            })
        },
    )?;
    Ok(head.unwrap_or_default())
}

/// Reads all scopes' heads.
pub fn heads(store: Store<'_>) -> Result<Vec<(String, Head)>, SqlError> {
    store.sql.all(
        "SELECT scope, seq, floor, digest, count
         FROM heads
         WHERE district = $1",
        params![store.district],
        |row| {
            let head = Head {
                seq: row.get(1)?,
                floor: row.get(2)?,
                digest: Digest(row.get(3)?),
                count: row.get(4)?,
                changed: false,
            };
            Ok((row.get(0)?, head))
        },
    )
}

pub(crate) fn put_head(store: Store<'_>, scope: &str, head: &Head) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "INSERT INTO heads (district, scope, seq, floor, digest, count)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (district, scope) DO UPDATE SET
                 seq = excluded.seq,
                 floor = excluded.floor,
                 digest = excluded.digest,
                 count = excluded.count",
            params![
                store.district,
                scope,
                head.seq.cast_signed(),
                head.floor.cast_signed(),
                head.digest.0,
                head.count.cast_signed()
            ],
        )
        .map(drop)
}

/// A record before and after a commit, as far as scopes are concerned.
pub(crate) struct Passage<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) id: RecordId,
    /// The scopes it was in, with the rev that their digests hold.
    pub(crate) from: (&'a [Scope], Rev),
    /// The scopes that it is in now.
    pub(crate) to: (&'a [Scope], Rev),
    /// Whether it left because it was deleted.
    pub(crate) deleted: bool,
}

/// Moves a record through the index: in, on or out of each scope concerned.
pub(crate) fn pass(batch: &mut Batch<'_>, passage: &Passage<'_>) -> Result<(), Fault> {
    let commit = batch.commit()?;
    let Passage {
        kind,
        id,
        from,
        to,
        deleted,
    } = *passage;
    for scope in to.0 {
        let name = scope.to_string();
        let head = batch.scope(&name)?;
        if from.0.contains(scope) {
            head.take(kind, id, from.1);
        }
        head.add(kind, id, to.1);
        let seq = head.next();
        put(batch.store(), &name, kind, id, (seq, to.1, commit))?;
    }
    for scope in from.0.iter().filter(|scope| !to.0.contains(scope)) {
        let name = scope.to_string();
        let head = batch.scope(&name)?;
        head.take(kind, id, from.1);
        let seq = head.next();
        let gone_to = to.0.iter().find(|new| !from.0.contains(new));
        let gone_to = gone_to.map(ToString::to_string);
        leave(
            batch.store(),
            &name,
            kind,
            id,
            (seq, commit),
            gone_to,
            deleted,
        )?;
    }
    Ok(())
}

fn put(
    store: Store<'_>,
    scope: &str,
    kind: &Kind,
    id: RecordId,
    (seq, rev, commit): (i64, Rev, Commit),
) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "INSERT INTO memberships (district, scope, kind, id, seq, rev, changed, since)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (district, scope, kind, id) DO UPDATE SET
                 seq = excluded.seq,
                 rev = excluded.rev,
                 changed = excluded.changed,
                 since = CASE
                     WHEN memberships.gone IS NULL THEN memberships.since
                     ELSE excluded.since
                 END,
                 gone = NULL,
                 gone_to = NULL,
                 tomb = 0",
            params![store.district, scope, kind.name, id, seq, rev, commit],
        )
        .map(drop)
}

fn leave(
    store: Store<'_>,
    scope: &str,
    kind: &Kind,
    id: RecordId,
    (seq, commit): (i64, Commit),
    gone_to: Option<String>,
    deleted: bool,
) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "UPDATE memberships
             SET seq = $1, changed = $2, gone = $2, gone_to = $3, tomb = $4
             WHERE district = $5 AND scope = $6 AND kind = $7 AND id = $8",
            params![
                seq,
                commit,
                gone_to,
                deleted,
                store.district,
                scope,
                kind.name,
                id
            ],
        )
        .map(drop)
}

/// A time in which a record was in a scope that it has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The scope.
    pub scope: Scope,
    /// The commit that put it in.
    pub since: Commit,
    /// The commit that took it out.
    pub gone: Commit,
}

/// Returns the scopes that a record has left, oldest first.
pub fn left(store: Store<'_>, kind: &Kind, id: RecordId) -> Result<Vec<Stay>, SqlError> {
    store.sql.all(
        "SELECT scope, since, gone
         FROM memberships
         WHERE district = $1 AND kind = $2 AND id = $3 AND gone IS NOT NULL
         ORDER BY gone",
        params![store.district, kind.name, id],
        |row| {
            let scope = row.text(0)?.parse();
            Ok(Stay {
                scope: scope.map_err(|_| SqlError::Stored("a scope"))?,
                since: row.get(1)?,
                gone: row.get(2)?,
            })
        },
    )
}

/// Reads a scope's rows after a number, in order, until `read` has enough. Columns: seq, kind,
/// id, changed, gone, gone_to, tomb, rev, schema, body, sealed, archived, since.
pub(crate) fn page(
    store: Store<'_>,
    scope: &str,
    after: u64,
    read: impl FnMut(&Row<'_>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    store.sql.each(
        "SELECT m.seq, m.kind, m.id, m.changed, m.gone, m.gone_to, m.tomb,
                r.rev, r.schema, r.body, r.sealed, r.archived, m.since
         FROM memberships AS m
         JOIN records AS r ON r.district = m.district AND r.kind = m.kind AND r.id = m.id
         WHERE m.district = $1 AND m.scope = $2 AND m.seq > $3
         ORDER BY m.seq",
        params![store.district, scope, after.cast_signed()],
        read,
    )
}

/// Reads the records of one kind that are in a scope, by id after one and up to another, until
/// `read` has enough. Columns: id, rev, schema, body, sealed, since.
pub(crate) fn shelf(
    store: Store<'_>,
    (scope, kind): (&str, &str),
    (after, to): (Option<RecordId>, Option<RecordId>),
    read: impl FnMut(&Row<'_>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_bytes().as_slice());
    let to: &[u8] = to.as_ref().map_or(&LAST, |id| id.as_bytes().as_slice());
    store.sql.each(
        "SELECT m.id, r.rev, r.schema, r.body, r.sealed, m.since
         FROM memberships AS m
         JOIN records AS r ON r.district = m.district AND r.kind = m.kind AND r.id = m.id
         WHERE m.district = $1 AND m.scope = $2 AND m.kind = $3 AND m.id > $4 AND m.id <= $5
             AND m.gone IS NULL
         ORDER BY m.id",
        params![store.district, scope, kind, after, to],
        read,
    )
}

/// No id comes after it.
const LAST: [u8; 16] = [0xff; 16];

/// Reads what is in a scope, by (kind, id), without bodies: kind, id, rev.
pub(crate) fn pairs(
    store: Store<'_>,
    scope: &str,
    mut take: impl FnMut(&str, RecordId, Rev),
) -> Result<(), Fault> {
    store.sql.each(
        "SELECT kind, id, rev
         FROM memberships
         WHERE district = $1 AND scope = $2 AND gone IS NULL
         ORDER BY kind, id",
        params![store.district, scope],
        |row| {
            take(row.text(0)?, row.get(1)?, row.get(2)?);
            Ok::<_, Fault>(true)
        },
    )
}

/// Forgets records that left a scope up to a commit; cursors from before them can't be served by
/// pages any more. Returns how many were forgotten.
pub(crate) fn forget_gone(batch: &mut Batch<'_>, through: Commit) -> Result<u64, Fault> {
    let store = batch.store();
    let floors: Vec<(String, u64)> = store.sql.all(
        "SELECT scope, MAX(seq)
         FROM memberships
         WHERE district = $1 AND gone <= $2
         GROUP BY scope",
        params![store.district, through],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (scope, floor) in &floors {
        batch.scope(scope)?.raise_floor(*floor);
    }
    let forgotten = batch.store().sql.execute(
        "DELETE FROM memberships
         WHERE district = $1 AND gone <= $2",
        params![store.district, through],
    )?;
    if forgotten > 0 {
        batch.commit()?;
    }
    Ok(forgotten as u64)
}
