//! Door one: what the worker does.
//!
//! Every local write of every feature comes through [`Store::author`]: one transaction that gives
//! the mutation its number, freezes its bytes, puts it into the outbox, lays it over the view and
//! hands its photos to the upload queue. When it returns, the work is on the disk (`synchronous =
//! FULL`); when it fails, nothing of it is there and the sentence says why. No network is asked.
//!
//! *The life of an entry.* It waits. Just before a request leaves its number is noted as sent (in a
//! transaction of its own: from then on it may have arrived, so it can't be withdrawn any more,
//! only undone by a new mutation). A receipt that names its mid makes it an entry of the journal:
//! the same row, `outcome` filled. It stays overlaid until the mirror visibly contains it
//! ([`crate::store::view`]), and stored until the server's backup does.
//!
//! *What it promises.* Numbers have no holes: `mseq` is given in the transaction that authors.
//! An edit during an upload is a new entry. An entry leaves the outbox by a receipt only.
//!
//! *What it refuses.* A change that can't be right wherever the record stands now
//! ([`Frozen::check`]) is refused here, with the field's name, rather than coming back tomorrow as
//! 需修改. What `was` shown is the caller's word: the core never fills it in from a newer mirror.

use pocketbook_records::ids::{BlobHash, Mid, Mseq, RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Frozen, MAX_FROZEN, Op};
use pocketbook_records::receipt::Reason;
use pocketbook_records::time::At;
use pocketbook_records::{body, path};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::seams::uuid_v7;
use crate::store::blobs::names;
use crate::store::{
    Store, drafts, from_sql_int, hand_in, id_column, kind_named, meta, sql_int, view,
};

/// What a write became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authored {
    /// The mutation's name.
    pub mid: Mid,
    /// Its number.
    pub mseq: Mseq,
}

impl Store {
    /// Returns the device's note of this moment, for a mutation about to be authored.
    pub fn now(&self) -> Result<At> {
        let contact = self.read(|connection| meta::read_json(connection, meta::CONTACT))?;
        let clock = &self.seams.clock;
        Ok(At {
            wall: clock.wall_ms(),
            boot: clock.boot(),
            monotonic_ms: clock.monotonic_ms(),
            contact,
        })
    }

    /// Returns an id for a new record.
    pub fn new_id(&self) -> RecordId {
        RecordId(uuid_v7(&*self.seams.clock, &*self.seams.entropy))
    }

    /// Saves a mutation. `blobs` of it must have been taken before ([`crate::photos`]).
    pub fn author(&self, frozen: Frozen) -> Result<Authored> {
        let mid = Mid(uuid_v7(&*self.seams.clock, &*self.seams.entropy));
        self.write(|transaction| author_in(transaction, mid, frozen))
    }

    /// Saves the mutations of one action of a person, in this order: all of them or none.
    pub fn author_all(&self, all: Vec<Frozen>) -> Result<Vec<Authored>> {
        let (clock, entropy) = (&*self.seams.clock, &*self.seams.entropy);
        let named: Vec<_> = all
            .into_iter()
            .map(|frozen| (Mid(uuid_v7(clock, entropy)), frozen))
            .collect();
        self.write(|transaction| {
            let author = |(mid, frozen)| author_in(transaction, mid, frozen);
            named.into_iter().map(author).collect()
        })
    }

    /// Takes back an entry that was not sent: its number stays, without content.
    pub fn withdraw(&self, mid: Mid) -> Result<()> {
        self.write(|transaction| withdraw_in(transaction, mid))
    }
}

fn author_in(connection: &Connection, mid: Mid, mut frozen: Frozen) -> Result<Authored> {
    let kind = kind_named(&frozen.kind).map_err(|_| Error::Refused(Reason::UnknownKind))?;
    frozen.set.retain(|set| set.was != set.to);
    frozen.check(kind).map_err(Error::Refused)?;
    frozen.deps = depends_on(connection, kind, &frozen)?;
    frozen.seen = really_seen(connection, &frozen)?;
    let about = about(connection, &frozen)?;
    let text = frozen.freeze();
    if text.get().len() > MAX_FROZEN {
        return Err(Error::Refused(Reason::TooLarge));
    }
    let mseq = next_mseq(connection)?;
    let (about_kind, about_id) = about
        .as_ref()
        .map(|(kind, id)| (*kind, id.as_bytes()))
        .unzip();
    connection
        .prepare_cached(
            "INSERT INTO authored (mseq, mid, kind, id, about_kind, about_id, frozen, authored)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            sql_int(mseq.0),
            mid.as_bytes(),
            kind.name,
            frozen.id.as_bytes(),
            about_kind,
            about_id,
            text.get(),
            frozen.at.wall
        ])?;
    for hash in &frozen.blobs {
        names::hand_in(connection, *hash, kind.name, frozen.id)?;
    }
    drafts::forget(connection, frozen.id)?;
    view::refresh(connection, kind, frozen.id)?;
    if let Some((kind, id)) = about {
        view::refresh(connection, kind_named(kind)?, id)?;
    }
    if let Some(replaces) = &frozen.replaces {
        replace(connection, replaces.mid)?;
    }
    Ok(Authored { mid, mseq })
}

/// What was parked or rejected is no longer laid over once its author has put it right.
fn replace(connection: &Connection, mid: Mid) -> Result<()> {
    let replaced: Option<(String, uuid::Uuid)> = connection
        .prepare_cached("UPDATE authored SET overlaid = 0 WHERE mid = ?1 RETURNING kind, id")?
        .query_row([mid.as_bytes()], |row| {
            Ok((row.get(0)?, id_column(row, 1)?))
        })
        .optional()?;
    if let Some((kind, id)) = replaced {
        view::refresh(connection, kind_named(&kind)?, RecordId(id))?;
    }
    Ok(())
}

fn withdraw_in(connection: &Connection, mid: Mid) -> Result<()> {
    let entry = connection
        .prepare_cached(
            "SELECT mseq, kind, id, frozen FROM authored WHERE mid = ?1 AND outcome IS NULL",
        )?
        .query_row([mid.as_bytes()], |row| {
            Ok((
                Mseq(from_sql_int(row.get(0)?)),
                row.get::<_, String>(1)?,
                id_column(row, 2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .optional()?;
    let Some((mseq, kind, id, text)) = entry else {
        return Err(Error::NotFound);
    };
    if mseq <= hand_in::sent(connection)? {
        return Err(Error::AlreadySent);
    }
    let kind = kind_named(&kind)?;
    let old = Frozen::parse(&text).map_err(Error::Refused)?;
    let void = Frozen::new(kind, RecordId(id), Op::Void, old.at);
    connection
        .prepare_cached("UPDATE authored SET frozen = ?2, overlaid = 0 WHERE mid = ?1")?
        .execute(params![mid.as_bytes(), void.freeze().get()])?;
    view::refresh(connection, kind, RecordId(id))?;
    old.blobs
        .into_iter()
        .try_for_each(|hash| names::let_go(connection, hash))
}

/// Returns the number that the next mutation gets.
pub(crate) fn next_mseq(connection: &Connection) -> Result<Mseq> {
    Ok(Mseq(highest_mseq(connection)?.0 + 1))
}

/// Returns the highest number ever given. The journal keeps at least its last row.
pub(crate) fn highest_mseq(connection: &Connection) -> Result<Mseq> {
    let highest: i64 = connection
        .prepare_cached("SELECT COALESCE(MAX(mseq), 0) FROM authored")?
        .query_row([], |row| row.get(0))?;
    Ok(Mseq(from_sql_int(highest)))
}

/// Own mutations that this one builds on and that the server has not settled: those that created
/// the record or its parent, set the same path, or are earlier commands on it.
fn depends_on(connection: &Connection, kind: &Kind, frozen: &Frozen) -> Result<Vec<Mid>> {
    let mut parents = vec![frozen.id];
    for name in kind
        .listing
        .under
        .into_iter()
        .chain(kind.parent().and_then(|parent| parent.field))
    {
        let field = path::Path::field(name);
        let named = frozen
            .set
            .iter()
            .find(|set| set.path == field)
            .and_then(|set| set.to.as_str());
        parents.extend(named.and_then(|id| id.parse::<RecordId>().ok()));
    }
    let mut deps = Vec::new();
    let mut statement = connection.prepare_cached(
        // Sealed work waits as well: an old screen may outlive its grid. Not by OR, and the second half
        // by its few entries: else the whole outbox is looked through.
        "SELECT mid, id, frozen, mseq FROM authored
         WHERE id = ?1 AND mseq < ?2 AND overlaid = 1
           AND (outcome IS NULL OR outcome IN ('parked', 'rejected'))
         UNION ALL
         SELECT mid, id, frozen, mseq FROM authored INDEXED BY authored_sealed
         WHERE id = ?1 AND mseq < ?2 AND overlaid = -1
           AND (outcome IS NULL OR outcome IN ('parked', 'rejected'))
         ORDER BY mseq",
    )?;
    let place = place(connection, frozen)?;
    for parent in parents {
        let mut rows = statement.query(params![parent.as_bytes(), place])?;
        while let Some(row) = rows.next()? {
            let Ok(earlier) = Frozen::parse(row.get_ref(2)?.as_str().unwrap_or_default()) else {
                continue;
            };
            let mid = Mid(id_column(row, 0)?);
            if builds_on(frozen, &earlier) && !deps.contains(&mid) {
                deps.push(mid);
            }
        }
    }
    Ok(deps)
}

/// The rev that the screen showed where this mutation changes something: what arrived beneath own
/// work that still lies over the same field was never on it. After a restore that makes a
/// difference between what was known and overwritten, and what nobody saw.
fn really_seen(connection: &Connection, frozen: &Frozen) -> Result<Option<Rev>> {
    let mut statement = connection.prepare_cached(
        // Not by OR, which would look through the whole outbox.
        "SELECT frozen FROM authored WHERE overlaid = 1 AND kind = ?1 AND id = ?2
         UNION ALL
         SELECT frozen FROM authored WHERE overlaid = 1 AND about_kind = ?1 AND about_id = ?2",
    )?;
    let mut seen = frozen.seen;
    let mut rows = statement.query(params![frozen.kind, frozen.id.as_bytes()])?;
    while let Some(row) = rows.next()? {
        if let Ok(earlier) = Frozen::parse(row.get_ref(0)?.as_str().unwrap_or_default())
            && (earlier.op == Op::Decide || changes_the_same(frozen, &earlier))
        {
            seen = seen.min(earlier.seen);
        }
    }
    Ok(seen)
}

/// A correction stands where the mutation stood that it replaces: what came after that one may be
/// waiting for it, and must not be waited for.
fn place(connection: &Connection, frozen: &Frozen) -> Result<i64> {
    let Some(replaces) = &frozen.replaces else {
        return Ok(i64::MAX);
    };
    let replaced = connection
        .prepare_cached("SELECT mseq FROM authored WHERE mid = ?1")?
        .query_row([replaces.mid.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(replaced.unwrap_or(0))
}

fn builds_on(later: &Frozen, earlier: &Frozen) -> bool {
    if earlier.op == Op::Create {
        return later.id != earlier.id || later.kind != earlier.kind || later.op != Op::Create;
    }
    if later.id != earlier.id || later.kind != earlier.kind {
        return false;
    }
    changes_the_same(later, earlier)
}

fn changes_the_same(later: &Frozen, earlier: &Frozen) -> bool {
    let same_path = later
        .set
        .iter()
        .any(|set| earlier.set.iter().any(|e| e.path == set.path));
    same_path || (later.command.is_some() && earlier.command.is_some())
}

/// A decision also changes the record that its review is about.
fn about(connection: &Connection, frozen: &Frozen) -> Result<Option<(&'static str, RecordId)>> {
    if frozen.op != Op::Decide {
        return Ok(None);
    }
    let review = shown(connection, &frozen.kind, frozen.id)?.ok_or(Error::NotFound)?;
    let review = body::parse(&review).unwrap_or_default();
    let kind = review
        .get("of")
        .and_then(Value::as_str)
        .and_then(Kind::named);
    let id = review
        .get("record")
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok());
    Ok(kind.zip(id).map(|(kind, id)| (kind.name, id)))
}

/// Returns what is shown of a record, and nothing of one taken away.
pub(crate) fn shown(connection: &Connection, kind: &str, id: RecordId) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached(
            "SELECT COALESCE(shown, body) FROM record WHERE kind = ?1 AND id = ?2 AND hidden = 0",
        )?
        .query_row(params![kind, id.as_bytes()], |row| row.get(0))
        .optional()?
        .flatten())
}

/// Returns the files that a change names, for [`Frozen::blobs`].
pub(crate) fn blobs_named(frozen: &Frozen) -> Vec<BlobHash> {
    let added = frozen.add.values().flatten();
    let args = frozen
        .command
        .iter()
        .flat_map(|command| command.args.values());
    let set = frozen.set.iter().map(|set| &set.to);
    let lists = args.clone().filter_map(Value::as_array).flatten();
    let mut hashes: Vec<BlobHash> = added
        .chain(lists)
        .chain(args)
        .chain(set)
        .filter_map(|v| v.as_str()?.parse().ok())
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}
