//! Door two: what the server says.
//!
//! An [`Answer`] is applied in one transaction: receipts, loose bodies, pages of each scope,
//! grants, cursors. Frames of a first sync, which may be many, are applied in groups while the
//! stream still runs. Whatever changed is then shown ([`crate::store::view`]).
//!
//! *Rules that keep a late or repeated answer from doing harm* (sync-protocol §4):
//!
//! - An answer read at an older snapshot than the newest applied one yields receipts only; frames
//!   behind it are not taken either ([`crate::engine`]).
//! - A page applies only if the cursor that it was asked from is still the stored one.
//! - Nothing replaces a newer rev: put, frame and loose body alike.
//! - A deletion heard of during a first sync is remembered and wins over older frames.
//! - Cursor and rows change in the same transaction, or neither.
//!
//! *What it promises.* A scope is called complete only when it equals the server's state at one
//! commit. A row goes when its last scope goes; own work about it stays sealed in the outbox
//! ([`crate::store::purge`]). Bodies are stored as the bytes that came; only the fields that lists
//! hang on are read from them.
//!
//! *What it refuses.* Nothing in an answer makes an outbox entry vanish: only a receipt that names
//! its mid settles it, and even then its bytes stay in the journal.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::body;
use pocketbook_records::ids::{Commit, RecordId, check8};
use pocketbook_records::kind::Home;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Contact;
use pocketbook_records::wire::{
    Answer, AsOf, Ask, Echo, Entry, Frame, Key, Likeness, Link, Mode, Page, Put, Refused,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;
use crate::store::blobs::{names, thumbnails};
use crate::store::trace::{self, Why};
use crate::store::{
    Store, clones, compare, histories, journal, kind_named, meta, purge, receipts, scopes, sql_int,
    status, tombs, view, wants,
};

/// What an answer changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Kinds of which something changed: lists of these are stale.
    pub kinds: BTreeSet<&'static str>,
    /// Receipts that settled own work.
    pub receipts: usize,
    /// Rows written.
    pub rows: usize,
    /// Records that were asked for singly and came.
    pub found: usize,
    /// Whether there is more to pull.
    pub more: bool,
    /// The snapshot was older than what is here; only receipts were taken.
    pub was_stale: bool,
    /// The server has a new history: work and bodies that it lost are brought back.
    pub brings_back: bool,
    /// Another device turned out to have this identity: nothing is handed in before this one has
    /// one of its own.
    pub is_shared: bool,
}

impl Store {
    /// Applies an answer. `asked` is what the request asked of each scope, `received` the device's
    /// note of the moment at which the answer came.
    pub fn apply_answer(
        &self,
        asked: &BTreeMap<Scope, Ask>,
        answer: &Answer,
        received: Contact,
    ) -> Result<Applied> {
        let (applied, purged) = self.write(|transaction| {
            let mut door = Door::open(transaction, answer.asof.commit, self.seams.clock.wall_ms())?;
            meta::write_json(transaction, meta::CONTACT, &received)?;
            meta::write(transaction, meta::LAST_CONTACT, &door.wall.to_string())?;
            let newest: Option<AsOf> = meta::read_json(transaction, meta::ASOF)?;
            if newest.is_some_and(|newest| newest.epoch < answer.asof.epoch) {
                histories::adopt(transaction, &answer.forks, &mut door.touched)?;
                door.applied.brings_back = true;
            }
            let read = newest.map_or(Commit::default(), |newest| newest.commit);
            let read = read.max(scopes::read_through(transaction)?);
            let settled = receipts::take(transaction, &answer.receipts, read)?;
            door.applied.receipts = settled.count;
            door.touched.extend(settled.touched);
            door.confirmed = settled.confirmed;
            histories::forget_proofs(transaction)?;
            if newest.is_some_and(|newest| is_older(answer.asof, newest)) {
                door.applied.was_stale = true;
            } else {
                door.applied.is_shared = clones::note(transaction, &*self.seams.entropy, answer)?;
                door.take_news(asked, answer)?;
            }
            let wall = door.wall;
            let closed = door.close()?;
            if status::is_in_step(transaction)? {
                status::note_success(transaction, wall)?;
            }
            Ok(closed)
        })?;
        purge::finish(self, &purged)?;
        Ok(applied)
    }

    /// Applies frames of a first sync, in the order in which they came.
    pub fn apply_frames(&self, frames: &[Frame]) -> Result<Applied> {
        let (applied, purged) = self.write(|transaction| {
            let mut door = Door::open(transaction, Commit::default(), self.seams.clock.wall_ms())?;
            for frame in frames {
                door.take_frame(frame)?;
            }
            door.close()
        })?;
        purge::finish(self, &purged)?;
        Ok(applied)
    }
}

fn is_older(one: AsOf, other: AsOf) -> bool {
    (one.epoch, one.commit) < (other.epoch, other.commit)
}

/// The door while it is open: one transaction.
pub(crate) struct Door<'t> {
    pub(crate) connection: &'t Connection,
    /// The commit at which loose bodies and pages were read.
    asof: Commit,
    pub(crate) wall: i64,
    /// Whether own work lies over any record: such a record needs more than storing.
    is_any_overlaid: bool,
    /// Whether anything was read: only then may own work be visible that was not before.
    has_read: bool,
    /// Records to be shown anew.
    pub(crate) touched: BTreeSet<Key>,
    /// Records that lose the mark of what waits, unless more of it does.
    confirmed: BTreeSet<Key>,
    pub(crate) applied: Applied,
    pub(crate) purged: purge::Purged,
    /// Records about which own work is sealed; looked up once something is put.
    sealed: Option<BTreeSet<Key>>,
    /// Whether sealed work may come back: its record did, or the first sync of a scope has ended.
    may_bring_back: bool,
}

impl<'t> Door<'t> {
    fn open(connection: &'t Connection, asof: Commit, wall: i64) -> Result<Self> {
        Ok(Self {
            connection,
            asof,
            wall,
            is_any_overlaid: receipts::is_any_overlaid(connection)?,
            has_read: false,
            touched: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            applied: Applied::default(),
            purged: purge::Purged::default(),
            sealed: None,
            may_bring_back: false,
        })
    }

    fn take_news(&mut self, asked: &BTreeMap<Scope, Ask>, answer: &Answer) -> Result<()> {
        self.has_read = answer.grants.is_some() || !answer.scopes.is_empty();
        if let Some(grants) = &answer.grants {
            // Before the pages: what one of them takes away may have gone to a new scope.
            self.applied.more |= scopes::admit(self.connection, grants)?;
        }
        for put in &answer.bodies {
            self.put(put, self.asof)?;
        }
        for (scope, page) in &answer.scopes {
            self.take_page(scope, asked.get(scope), page)?;
        }
        if let Some(grants) = &answer.grants {
            purge::keep_only(self, grants)?;
        }
        let refused = serde_json::to_string(&answer.refused)?;
        meta::write(self.connection, meta::REFUSED, &refused)?;
        if answer.refused == Some(Refused::BadCursor) {
            self.applied.more = true;
            scopes::doubt_unanswered(self.connection, asked, answer)?;
        }
        let echo = Echo {
            epoch: answer.asof.epoch,
            commit: answer.asof.commit,
            tag: answer.tag,
            mac: answer.mac,
        };
        meta::write_json(self.connection, meta::ECHO, &echo)?;
        meta::write_json(self.connection, meta::ASOF, &answer.asof)?;
        names::want(self.connection, &answer.wanted, answer.asof.commit)?;
        let durable = answer.durable.to_string();
        let known: Option<String> = meta::read(self.connection, meta::DURABLE)?;
        if self.purged.has_rows() || known.as_ref() != Some(&durable) {
            self.purged
                .add_files(names::release(self.connection, answer.durable)?);
        }
        journal::expire(self.connection, answer.durable, answer.asof.time)?;
        meta::write(self.connection, meta::DURABLE, &durable)
    }

    fn take_page(&mut self, name: &Scope, asked: Option<&Ask>, page: &Page) -> Result<()> {
        let Some(scope) = scopes::find(self.connection, name)? else {
            return Ok(());
        };
        if let Some(total) = page.total {
            scopes::note_total(self.connection, scope.id, total)?;
        }
        let Some(Ask { mode, cursor: from }) = asked else {
            return Ok(());
        };
        if *from != scope.cursor {
            self.applied.more = true;
            return Ok(());
        }
        match mode {
            Mode::Pages => {}
            Mode::Pairs { .. } if scope.is_to_be_compared => {
                self.applied.more |=
                    !compare::take_ranges(self.connection, scope.id, page, self.wall)?;
                return Ok(());
            }
            Mode::Pairs { .. } | Mode::Frames { .. } | Mode::Parts { .. } => return Ok(()),
        }
        for entry in &page.entries {
            self.take_entry(scope.id, entry)?;
        }
        let caught_up = page.caught_up && !wants::any_of(self.connection, scope.id)?;
        scopes::advance(self.connection, scope.id, page, caught_up)?;
        let mut is_equal = caught_up;
        if caught_up {
            self.part_unconfirmed(scope.id)?;
            is_equal = compare::verify(self.connection, scope.id, page, self.wall)?;
        }
        self.applied.more |= !is_equal;
        Ok(())
    }

    fn take_entry(&mut self, scope: i64, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Put(put) => {
                if let Some(key) = self.put(put, self.asof)? {
                    scopes::join(self.connection, scope, key)?;
                }
                Ok(())
            }
            Entry::Link(link) => self.link(scope, link, self.asof),
            Entry::Leave {
                kind,
                id,
                commit,
                to,
                archived,
            } => {
                let key = Key {
                    kind: kind.clone(),
                    id: *id,
                };
                wants::forget(self.connection, scope, &key)?;
                if let (Some(to), Some(row)) = (to, find(self.connection, kind, *id)?)
                    && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?
                {
                    return Ok(());
                }
                if *archived {
                    receipts::settle_archived(self.connection, &key)?;
                }
                purge::leave(self, scope, &key, Why::left(*archived))
            }
            Entry::Tomb { kind, id, rev } => {
                tombs::remember(self.connection, kind, *id, *rev)?;
                let key = Key {
                    kind: kind.clone(),
                    id: *id,
                };
                wants::forget(self.connection, scope, &key)?;
                purge::bury(self, &key, *rev)
            }
        }
    }

    /// A scope was read to its head: what waited for its word and was not named by it goes.
    fn part_unconfirmed(&mut self, scope: i64) -> Result<()> {
        for (from, key) in scopes::unconfirmed(self.connection, scope)? {
            purge::leave(self, from, &key, Why::Moved)?;
            self.may_bring_back = true;
        }
        Ok(())
    }

    fn take_frame(&mut self, frame: &Frame) -> Result<()> {
        self.has_read = true;
        let Some(scope) = scopes::find(self.connection, &frame.scope)? else {
            return Ok(());
        };
        if scope.cursor.is_some() {
            // A repeated stream of a first sync that is over.
            return Ok(());
        }
        for put in &frame.rows {
            if tombs::is_buried(self.connection, (&put.kind, put.id), put.rev)? {
                continue;
            }
            if scope.is_being_compared {
                compare::overrule(self.connection, put, frame.commit)?;
            }
            if let Some(key) = self.put(put, frame.commit)? {
                scopes::join(self.connection, scope.id, key)?;
            }
        }
        for link in &frame.links {
            if !tombs::is_buried(self.connection, (&link.kind, link.id), link.rev)? {
                self.link(scope.id, link, frame.commit)?;
            }
        }
        if scopes::note_frame(self.connection, &scope, frame)? {
            self.part_unconfirmed(scope.id)?;
        }
        self.applied.more |= frame.last;
        self.may_bring_back |= frame.last;
        Ok(())
    }

    /// Puts a record that lies here already into a scope. If it does not, or is older and not what
    /// own work has made of it, it is asked for.
    fn link(&mut self, scope: i64, link: &Link, asof: Commit) -> Result<()> {
        if kind_named(&link.kind).is_err() {
            return Ok(());
        }
        let rev = sql_int(link.rev.0);
        let here: Option<(i64, Option<i64>)> = self
            .connection
            .prepare_cached("SELECT key, rev FROM record WHERE kind = ?1 AND id = ?2")?
            .query_row(params![link.kind, link.id.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let is_here = match (here, link.likeness) {
            (Some((_, Some(here))), _) if here >= rev => {
                if here == rev {
                    self.note_read(link, asof)?;
                }
                true
            }
            (Some((key, _)), Some(likeness)) => self.adopt_shown(key, link, likeness, asof)?,
            _ => false,
        };
        if let Some((key, _)) = here {
            scopes::join(self.connection, scope, key)?;
        }
        if !is_here {
            wants::note(self.connection, scope, link)?;
        }
        self.touch_if_overlaid(Key {
            kind: link.kind.clone(),
            id: link.id,
        })
    }

    fn note_read(&self, link: &Link, asof: Commit) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE record SET asof = MAX(asof, ?3) WHERE kind = ?1 AND id = ?2")?
            .execute(params![link.kind, link.id.as_bytes(), sql_int(asof.0)])?;
        Ok(())
    }

    /// What is shown becomes the body, if it is the one that the server has; else says no.
    fn adopt_shown(&self, key: i64, link: &Link, likeness: Likeness, asof: Commit) -> Result<bool> {
        let shown: String = self
            .connection
            .prepare_cached("SELECT COALESCE(shown, body, '') FROM record WHERE key = ?1")?
            .query_row([key], |row| row.get(0))?;
        if check8(shown.as_bytes()) != likeness.check {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "UPDATE record SET body = ?2, rev = ?3, schema = ?4, asof = MAX(asof, ?5)
                 WHERE key = ?1",
            )?
            .execute(params![
                key,
                shown,
                sql_int(link.rev.0),
                likeness.schema,
                sql_int(asof.0)
            ])?;
        Ok(true)
    }

    /// Stores a body unless a newer one is here; returns the row's key.
    fn put(&mut self, put: &Put, asof: Commit) -> Result<Option<i64>> {
        // A kind from a newer server is left to a newer app: its scope is pulled anew then.
        let Ok(kind) = kind_named(&put.kind) else {
            return Ok(None);
        };
        let text = put.body.get();
        let fields = body::pick(text, &view::listed_fields(kind))?;
        let listed = view::listing(kind, &fields);
        let columns = params![
            kind.name,
            put.id.as_bytes(),
            sql_int(put.rev.0),
            put.schema,
            sql_int(asof.0),
            text,
            listed.under,
            listed.sort
        ];
        let is_new = self
            .connection
            .prepare_cached(
                "INSERT INTO record (kind, id, rev, schema, asof, body, under, sort)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (kind, id) DO NOTHING",
            )?
            .execute(columns)?
            > 0;
        let key: i64 = match is_new {
            true => self.connection.last_insert_rowid(),
            false => self
                .connection
                .prepare_cached(
                    "UPDATE record SET
                         body = CASE WHEN rev IS NULL OR rev < ?3 THEN ?6 ELSE body END,
                         schema = CASE WHEN rev IS NULL OR rev < ?3 THEN ?4 ELSE schema END,
                         under = CASE WHEN rev IS NULL OR rev < ?3 THEN ?7 ELSE under END,
                         sort = CASE WHEN rev IS NULL OR rev < ?3 THEN ?8 ELSE sort END,
                         rev = MAX(COALESCE(rev, 0), ?3),
                         asof = CASE WHEN rev IS NULL OR rev <= ?3 THEN MAX(asof, ?5) ELSE asof END
                     WHERE kind = ?1 AND id = ?2
                     RETURNING key",
                )?
                .query_row(columns, |row| row.get(0))?,
        };
        for scope in wants::answer(self.connection, put)? {
            self.applied.found += 1;
            scopes::join(self.connection, scope, key)?;
        }
        thumbnails::expect(self.connection, (kind.name, put.id), text, self.wall)?;
        self.applied.rows += 1;
        self.applied.kinds.insert(kind.name);
        let key_of = Key {
            kind: kind.name.to_owned(),
            id: put.id,
        };
        if self.sealed()?.contains(&key_of) {
            self.may_bring_back = true;
        }
        self.touch_if_overlaid(key_of)?;
        // It lies over its record, which may be the next one to come.
        self.is_any_overlaid |= matches!(kind.home, Home::AuthorAnd(_));
        self.touched
            .extend(receipts::take_tray(self.connection, kind, text)?);
        Ok(Some(key))
    }

    fn touch_if_overlaid(&mut self, key: Key) -> Result<()> {
        if self.is_any_overlaid && receipts::is_overlaid(self.connection, &key)? {
            self.touched.insert(key);
        }
        Ok(())
    }

    fn sealed(&mut self) -> Result<&BTreeSet<Key>> {
        let sealed = match self.sealed.take() {
            Some(sealed) => sealed,
            None => purge::sealed(self.connection)?,
        };
        Ok(self.sealed.insert(sealed))
    }

    fn close(mut self) -> Result<(Applied, purge::Purged)> {
        if self.may_bring_back {
            purge::bring_back(&mut self)?;
        }
        if self.purged.has_rows() {
            trace::forget_old(self.connection, self.wall)?;
        }
        if self.has_read {
            receipts::uncover(self.connection, &mut self.touched)?;
        } else {
            receipts::uncover_these(self.connection, &mut self.touched)?;
        }
        for key in self.confirmed.difference(&self.touched) {
            if let Ok(kind) = kind_named(&key.kind) {
                self.applied.kinds.insert(kind.name);
                view::confirm(self.connection, kind, key.id)?;
            }
        }
        for key in &self.touched {
            if let Ok(kind) = kind_named(&key.kind) {
                self.applied.kinds.insert(kind.name);
                view::refresh(self.connection, kind, key.id)?;
            }
        }
        if self.purged.has_rows() {
            self.purged.add_files(names::forget_gone(self.connection)?);
        }
        Ok((self.applied, self.purged))
    }
}

/// Returns the key of a row.
pub(crate) fn find(connection: &Connection, kind: &str, id: RecordId) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT key FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind, id.as_bytes()], |row| row.get(0))
        .optional()?)
}
