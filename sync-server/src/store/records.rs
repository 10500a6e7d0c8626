//! Records as they stand. Bodies of general kinds are text, kept byte for byte; those of
//! sensitive kinds are sealed, bound to kind, id and rev, with blind columns to find them by.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{Commit, Mid, RecordId, Rev, UnitId};
use pocketbook_records::kind::{Class, Home, Kind, Shape};
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::scope::{Scope, scopes};
use pocketbook_records::stamp::{Stamp, Stamps};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::Put;

use super::{Row, SqlError, Store};
use crate::keyring::Keyring;
use crate::params;
use crate::writer::Fault;

/// A record whole.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id.
    pub id: RecordId,
    /// The commit that last changed it.
    pub rev: Rev,
    /// The schema that its body was written with.
    pub schema: u16,
    /// Whether it was deleted; the body is kept for a restore.
    pub deleted: bool,
    /// Whether it is old enough to be kept at the desk only; a change brings it back.
    pub archived: bool,
    /// Its fields.
    pub body: Fields,
    /// Who created it.
    pub created: Stamp,
    /// Who wrote what since.
    pub stamps: Stamps,
    /// The grid noted for it, and since when.
    pub home: Option<UnitId>,
    /// The moment from when on `home` holds; 0 if it never lay elsewhere.
    pub home_since: Millis,
}

#[derive(Serialize)]
struct StampsOut<'a> {
    created: &'a Stamp,
    since: &'a Stamps,
}

#[derive(Deserialize)]
struct StampsIn {
    created: Stamp,
    since: Stamps,
}

impl Record {
    /// Returns the scopes that it lies in; none once it is deleted.
    pub fn scopes(&self) -> Vec<Scope> {
        if self.deleted {
            return Vec::new();
        }
        scopes(self.kind, &self.body, self.home.as_ref())
    }

    /// Returns the scopes whose phones hold it.
    pub fn synced_scopes(&self) -> Vec<Scope> {
        if self.archived {
            return Vec::new();
        }
        self.scopes()
    }

    /// Returns a field's text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    /// Returns a field's id.
    pub fn id_in(&self, field: &str) -> Option<RecordId> {
        self.text(field).and_then(|id| id.parse().ok())
    }

    /// Returns the record that it hangs on: its parent, or the one that it is about.
    pub fn parent(&self) -> Option<RecordId> {
        match self.kind.home {
            Home::Parent(parent) => match parent.field {
                Some(field) => self.id_in(field),
                None => Some(self.id),
            },
            Home::AuthorAnd(_) => self.parent_of_unborn().or_else(|| self.id_in("record")),
            Home::Noted => self.id_in("record"),
            Home::Grid(_) => None,
        }
    }

    /// Returns what the record of a creation in the tray would hang on: there is no record yet for
    /// the item to hang on, and the item goes where its home goes.
    fn parent_of_unborn(&self) -> Option<RecordId> {
        let frozen = Frozen::parse(self.text("frozen")?).ok()?;
        let Home::Parent(parent) = Kind::named(&frozen.kind)?.home else {
            return None;
        };
        let field = parent.field.filter(|_| frozen.op == Op::Create)?;
        let mut sets = frozen.set.iter();
        let named = sets.find(|set| set.path.root() == field)?;
        named.to.as_str()?.parse().ok()
    }

    /// Returns the mutation of its last transition.
    pub fn transition(&self) -> Option<Mid> {
        self.text("transition").and_then(|mid| mid.parse().ok())
    }

    /// Returns the record as it travels.
    pub fn as_put(&self) -> Result<Put, serde_json::Error> {
        Ok(Put {
            kind: self.kind.name.to_owned(),
            id: self.id,
            rev: self.rev,
            schema: self.schema,
            body: serde_json::value::to_raw_value(&self.body)?,
        })
    }

    fn blind(&self, keyring: &Keyring, shape: Shape, what: &str) -> Option<Vec<u8>> {
        let mut fields = self.kind.fields.iter();
        let field = fields.find(|field| field.shape == shape)?;
        let value = self.text(field.name)?;
        Some(blind(keyring, what, value))
    }
}

/// What is stored instead of an identity number, to find it by.
pub const BLIND_ID: &str = "id-number";
/// What is stored instead of a phone, to find it by.
pub const BLIND_PHONE: &str = "phone";

/// Returns the column's value by which an identity number or phone is found.
pub fn blind(keyring: &Keyring, what: &str, value: &str) -> Vec<u8> {
    let plain: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
    keyring.blind(what, &plain)
}

fn place(kind: &str, id: RecordId, rev: Rev, part: &str) -> Vec<u8> {
    format!("{kind}/{id}/{rev}/{part}").into_bytes()
}

/// Returns a stored body's text.
pub(crate) fn text_of<'r>(
    store: Store<'_>,
    (kind, id, rev): (&str, RecordId, Rev),
    body: Option<&'r str>,
    sealed: Option<&[u8]>,
) -> Result<std::borrow::Cow<'r, str>, Fault> {
    if let Some(text) = body {
        return Ok(text.into());
    }
    let sealed = sealed.ok_or(SqlError::Stored("a body"))?;
    let plain = store.keyring.open(&place(kind, id, rev, "body"), sealed)?;
    let text = String::from_utf8(plain).map_err(|_| SqlError::Stored("a body's text"))?;
    Ok(text.into())
}

/// Reads a record, deleted ones too.
pub fn find(store: Store<'_>, kind: &'static Kind, id: RecordId) -> Result<Option<Record>, Fault> {
    let found = store.sql.one(
        "SELECT rev, schema, deleted, body, sealed, stamps, home, home_since, archived
         FROM records
         WHERE district = $1 AND kind = $2 AND id = $3",
        params![store.district, kind.name, id],
        |row| Ok(read(store, kind, id, row)),
    )?;
    found.transpose()
}

fn read(
    store: Store<'_>,
    kind: &'static Kind,
    id: RecordId,
    row: &Row<'_>,
) -> Result<Record, Fault> {
    let rev: Rev = row.get(0)?;
    let text = text_of(
        store,
        (kind.name, id, rev),
        row.maybe_text(3)?,
        row.maybe_bytes(4)?,
    )?;
    let stored = row.maybe_bytes(5)?.unwrap_or_default();
    let stamps: StampsIn = match kind.class {
        Class::General => serde_json::from_slice(stored)?,
        Class::Sensitive => {
            let place = place(kind.name, id, rev, "stamps");
            serde_json::from_slice(&store.keyring.open(&place, stored)?)?
        }
    };
    Ok(Record {
        kind,
        id,
        rev,
        schema: row.get(1)?,
        deleted: row.get(2)?,
        body: body::parse(&text)?,
        created: stamps.created,
        stamps: stamps.since,
        home: row.get(6)?,
        home_since: row.get(7)?,
        archived: row.get(8)?,
    })
}

/// Writes a record.
pub(crate) fn put(store: Store<'_>, record: &Record) -> Result<(), Fault> {
    let text = body::write(&record.body);
    let stamps = serde_json::to_vec(&StampsOut {
        created: &record.created,
        since: &record.stamps,
    })?;
    let seal = |part: &str, plain: &[u8]| {
        let place = place(record.kind.name, record.id, record.rev, part);
        store.keyring.seal(&place, plain)
    };
    let (body, sealed, stamps) = match record.kind.class {
        Class::General => (Some(text), None, stamps),
        Class::Sensitive => (
            None,
            Some(seal("body", text.as_bytes())),
            seal("stamps", &stamps),
        ),
    };
    let state = record.text("state");
    let sort = (record.kind.class == Class::General && !record.kind.listing.sort.is_empty())
        .then(|| record.kind.sort_text(&record.body));
    let time = record.kind.listing.time;
    let time = time.and_then(|field| record.body.get(field)?.as_i64());
    let (parent, transition) = (record.parent(), record.transition());
    let unit = record.kind.unit.and_then(|field| record.text(field));
    let blind_id = record.blind(store.keyring, Shape::IdNumber, BLIND_ID);
    let blind_phone = record.blind(store.keyring, Shape::Phone, BLIND_PHONE);
    let columns = params![
        store.district,
        record.kind.name,
        record.id,
        record.rev,
        record.schema,
        record.deleted,
        body,
        sealed,
        stamps,
        record.home,
        record.home_since,
        parent,
        transition,
        unit,
        state,
        sort,
        time,
        blind_id,
        blind_phone,
        record.archived
    ];
    // Most changes leave all columns alone that an index knows: then none is written.
    let is_done = store.sql.execute(
        "UPDATE records SET
             rev = $4, schema = $5, deleted = $6, body = $7, sealed = $8, stamps = $9,
             home_since = $11, transition = $13, sort = $16
         WHERE district = $1 AND kind = $2 AND id = $3
             AND home IS NOT DISTINCT FROM $10
             AND parent IS NOT DISTINCT FROM $12
             AND unit IS NOT DISTINCT FROM $14
             AND state IS NOT DISTINCT FROM $15
             AND time IS NOT DISTINCT FROM $17
             AND blind_id IS NOT DISTINCT FROM $18
             AND blind_phone IS NOT DISTINCT FROM $19
             AND archived = $20",
        columns,
    )? > 0;
    if is_done {
        return Ok(());
    }
    store.sql.execute(
        "INSERT INTO records
             (district, kind, id, rev, schema, deleted, body, sealed, stamps, home, home_since,
              parent, transition, unit, state, sort, time, blind_id, blind_phone,
              archived)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, $20)
         ON CONFLICT (district, kind, id) DO UPDATE SET
             rev = excluded.rev,
             schema = excluded.schema,
             deleted = excluded.deleted,
             body = excluded.body,
             sealed = excluded.sealed,
             stamps = excluded.stamps,
             home = excluded.home,
             home_since = excluded.home_since,
             parent = excluded.parent,
             transition = excluded.transition,
             unit = excluded.unit,
             state = excluded.state,
             sort = excluded.sort,
             time = excluded.time,
             blind_id = excluded.blind_id,
             blind_phone = excluded.blind_phone,
             archived = excluded.archived",
        columns,
    )?;
    Ok(())
}

/// What the index and the rights need of a record, without its body.
#[derive(Debug, Clone)]
pub struct Brief {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id.
    pub id: RecordId,
    /// The commit that last changed it.
    pub rev: Rev,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether it is kept at the desk only.
    pub archived: bool,
    /// The grid noted for it.
    pub home: Option<UnitId>,
    /// The moment from when on `home` holds.
    pub home_since: Millis,
}

fn read_brief(kind: &'static Kind, id: RecordId, row: &Row<'_>) -> Result<Brief, SqlError> {
    Ok(Brief {
        kind,
        id,
        rev: row.get(0)?,
        deleted: row.get(1)?,
        home: row.get(2)?,
        home_since: row.get(3)?,
        archived: row.get(4)?,
    })
}

/// Reads what the rights need of a record.
pub fn brief(
    store: Store<'_>,
    kind: &'static Kind,
    id: RecordId,
) -> Result<Option<Brief>, SqlError> {
    store.sql.one(
        "SELECT rev, deleted, home, home_since, archived
         FROM records
         WHERE district = $1 AND kind = $2 AND id = $3",
        params![store.district, kind.name, id],
        |row| read_brief(kind, id, row),
    )
}

/// Returns the state that a record is in; none if there is no record, or no state.
pub fn state(store: Store<'_>, kind: &Kind, id: RecordId) -> Result<Option<String>, SqlError> {
    let state = store.sql.one(
        "SELECT state
         FROM records
         WHERE district = $1 AND kind = $2 AND id = $3",
        params![store.district, kind.name, id],
        |row| row.get(0),
    )?;
    Ok(state.flatten())
}

/// Says whether there is a record of this id, deleted ones too.
pub fn is_known(store: Store<'_>, kind: &str, id: RecordId) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM records
         WHERE district = $1 AND kind = $2 AND id = $3",
        params![store.district, kind, id],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Returns what hangs on a record: children, companions, reviews and tray items about it.
pub fn hanging_on(store: Store<'_>, id: RecordId) -> Result<Vec<Brief>, SqlError> {
    let found = store.sql.all(
        "SELECT rev, deleted, home, home_since, archived, kind, id
         FROM records
         WHERE district = $1 AND parent = $2
         ORDER BY kind, id",
        params![store.district, id],
        |row| {
            let kind = Kind::named(row.text(5)?);
            kind.map(|kind| read_brief(kind, row.get(6)?, row))
                .transpose()
        },
    )?;
    Ok(found.into_iter().flatten().collect())
}

/// Says whether anything of a kind hangs on a record.
pub(crate) fn hangs_on(store: Store<'_>, kind: &Kind, id: RecordId) -> Result<bool, SqlError> {
    let found = store.sql.one(
        "SELECT 1
         FROM records
         WHERE district = $1 AND parent = $2 AND kind = $3
         LIMIT 1",
        params![store.district, id, kind.name],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Notes another grid for a record whose body stays as it is.
pub(crate) fn rehome(
    store: Store<'_>,
    record: &Brief,
    home: &UnitId,
    since: Millis,
) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "UPDATE records
             SET home = $1, home_since = $2
             WHERE district = $3 AND kind = $4 AND id = $5",
            params![home, since, store.district, record.kind.name, record.id],
        )
        .map(drop)
}

/// Returns the records of a kind that lie in a grid.
pub(crate) fn lying_in(
    store: Store<'_>,
    kind: &Kind,
    home: &UnitId,
) -> Result<Vec<RecordId>, SqlError> {
    store.sql.all(
        "SELECT id
         FROM records
         WHERE district = $1 AND kind = $2 AND home = $3 AND deleted = 0
         ORDER BY id",
        params![store.district, kind.name, home],
        |row| row.get(0),
    )
}

/// Reads records of a kind whose time lies before a moment and that were last changed in a commit
/// or before it, by (time, id) after one, until `read` has enough: time, id, state.
pub(crate) fn untouched(
    store: Store<'_>,
    kind: &Kind,
    (before, through): (Millis, Commit),
    after: Option<(Millis, RecordId)>,
    mut read: impl FnMut(Millis, RecordId, Option<&str>) -> bool,
) -> Result<(), SqlError> {
    let (time, id) = after.unwrap_or((Millis::MIN, RecordId(uuid::Uuid::nil())));
    store.sql.each(
        "SELECT time, id, state
         FROM records
         WHERE district = $1 AND kind = $2 AND time < $3 AND (time, id) > ($4, $5)
             AND archived = 0 AND deleted = 0 AND rev <= $6
         ORDER BY time, id",
        params![store.district, kind.name, before, time, id, through],
        |row| Ok(read(row.get(0)?, row.get(1)?, row.maybe_text(2)?)),
    )
}

/// Notes whether a record is kept at the desk only.
pub(crate) fn note_archived(store: Store<'_>, record: &Record) -> Result<(), SqlError> {
    store
        .sql
        .execute(
            "UPDATE records
             SET archived = $1
             WHERE district = $2 AND kind = $3 AND id = $4",
            params![record.archived, store.district, record.kind.name, record.id],
        )
        .map(drop)
}
