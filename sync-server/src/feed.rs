//! One page: what changed in a scope since a caller last asked, and the first sync of a scope.
//!
//! # The life of a page
//!
//! A phone names each scope with the cursor at which its last page ended. Everything that it is
//! told is read in one snapshot: its duties, expanded to scopes; the heads; the rows. A scope that
//! is not granted *in that snapshot* is not answered at all. Rows come strictly by the scope's
//! sequence, which one writer gives, so that order of sequence, of commits and of becoming visible
//! are one: nothing ever appears at or below a cursor that was handed out.
//!
//! There is one row per record and scope, with the latest number. A page is therefore never longer
//! than the scope, however long a phone was away, and nothing has to be compacted.
//!
//! - *put*: the record as it stands. Its body is copied from the row to the line; it is never
//!   parsed on the way. Sensitive bodies are opened here and nowhere else.
//! - *link*: the same without its body, which the caller has from the scope that it left ([`held`]), or has
//!   made himself.
//! - *leave*: it lies in the scope no more; where it went is told only if that is granted too, and
//!   that it is old enough for the desk alone if that is why.
//! - *tomb*: it was deleted.
//!
//! # What a page promises
//!
//! `through` names the commit up to which the scope has been read whole: if there is more, it is
//! the one before the commit of the first row that was left out, since a commit may be cut by the
//! end of a page. `caught_up` is said only if the page ends at the head, and carries the digest of
//! all that the scope holds, so that a phone can compare without a question.
//!
//! # Comparing
//!
//! A phone whose digest differs, or whose cursor can't be served, asks for the digests of
//! [ranges](pairs) and then for the frames of those that differ: two rounds, and nothing travels
//! that is equal.
//!
//! # First sync
//!
//! A scope that a phone does not hold yet is streamed in [`frames`], by kind and id, each of them
//! one short snapshot of its own with its own check of grants; pages then take over from the
//! lowest cursor of any frame used. So a stream can break anywhere, and a slow phone never holds a
//! snapshot open.
//!
//! # What it refuses
//!
//! A cursor that this server did not make, or that lies above the head: it belongs to another
//! history. Offsets, and queries by time.

pub mod cursor;
pub mod frames;
pub(crate) mod held;
mod pairs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use pocketbook_records::ids::{Commit, EnrolmentId, RecordId, Rev, check8};
use pocketbook_records::kind::{Field, Kind, Owner};
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{
    AsOf, Ask, Entry, Key, Likeness, Link, Mode, PAGE_BYTES, Page, Pull, Put,
};

use crate::store::org::Granted;
use crate::store::scopes::{self, Head};
use crate::store::{Row, Store, journal, records};
use crate::writer::Fault;

use cursor::Cursor;
use frames::Stream;
use held::{Held, Newcomer};

/// What an entry costs besides its body.
const ENTRY_BYTES: usize = 120;

/// A snapshot as one caller may see it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) store: Store<'a>,
    pub(crate) asof: AsOf,
    pub(crate) granted: &'a Granted,
    /// What he has read before.
    pub(crate) held: &'a Held,
    /// His enrolment, if what its work has made may be named instead of sent.
    pub(crate) maker: Option<EnrolmentId>,
}

/// What a caller is told of his scopes.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) scopes: BTreeMap<Scope, Page>,
    /// Set if any cursor was not ours: that scope has no page.
    pub(crate) has_bad_cursor: bool,
    /// Scopes to be streamed in frames.
    pub(crate) streams: Vec<Stream>,
}

impl View<'_> {
    /// Reads the pages that a request asks for, within its limit of bytes. Scopes come in the
    /// order of urgency that [`Scope`] sorts by: own and unit work before the grids' files.
    pub(crate) fn news(&self, pull: &Pull) -> Result<News, Fault> {
        let mut news = News::default();
        let mut budget = pull.max_bytes.unwrap_or(PAGE_BYTES).min(4 * PAGE_BYTES);
        for (scope, ask) in &pull.scopes {
            if !self.granted.scopes.contains(scope) {
                continue;
            }
            let name = scope.to_string();
            let head = scopes::head(self.store, &name)?;
            match &ask.mode {
                Mode::Pages => match self.start_of(&name, ask, &head) {
                    Some(after) => {
                        let page = self.page(&name, &head, after, &mut budget)?;
                        news.scopes.insert(scope.clone(), page);
                    }
                    None => news.has_bad_cursor = true,
                },
                Mode::Frames { .. } | Mode::Parts { .. } => {
                    news.streams
                        .extend(Stream::asked(scope, &ask.mode, self.held));
                    news.scopes
                        .insert(scope.clone(), self.overture(&name, &head));
                }
                Mode::Pairs { .. } => {
                    let mut page = self.overture(&name, &head);
                    page.ranges = pairs::ranges(self.store, &name, head.count)?;
                    news.scopes.insert(scope.clone(), page);
                }
            }
        }
        Ok(news)
    }

    /// Returns the number that a page begins after; none if the cursor is not ours.
    fn start_of(&self, scope: &str, ask: &Ask, head: &Head) -> Option<u64> {
        let Some(text) = &ask.cursor else {
            return Some(0);
        };
        let cursor = Cursor::read(self.store.keyring, scope, text)?;
        let is_of_this_history = cursor.epoch == self.asof.epoch && cursor.seq <= head.seq;
        (is_of_this_history && cursor.seq >= head.floor).then_some(cursor.seq)
    }

    /// The page of a scope that is streamed: where pages start once all frames are in.
    fn overture(&self, scope: &str, head: &Head) -> Page {
        Page {
            cursor: self.cursor(scope, head.seq, self.asof.commit),
            through: self.asof.commit,
            total: Some(head.count),
            ..Page::default()
        }
    }

    fn page(
        &self,
        scope: &str,
        head: &Head,
        after: u64,
        budget: &mut usize,
    ) -> Result<Page, Fault> {
        let mut page = Page {
            through: self.asof.commit,
            ..Page::default()
        };
        let mut at = after;
        let mut makers = Makers::default();
        let read = |row: &Row<'_>| {
            if *budget == 0 {
                page.through = Commit(row.get::<Commit>(3)?.0 - 1);
                return Ok(false);
            }
            let (entry, bytes) = self.entry(row, &mut makers)?;
            page.entries.push(entry);
            *budget = budget.saturating_sub(bytes);
            at = row.get(0)?;
            Ok(true)
        };
        if after < head.seq {
            scopes::page(self.store, scope, after, read)?;
        }
        page.caught_up = at == head.seq;
        page.cursor = self.cursor(scope, at, page.through);
        if page.caught_up {
            page.digest = Some(head.digest.into());
            page.total = Some(head.count);
        }
        Ok(page)
    }

    /// Makes one row's entry and says about how many bytes it takes.
    fn entry(&self, row: &Row<'_>, makers: &mut Makers) -> Result<(Entry, usize), Fault> {
        let (kind, id): (String, RecordId) = (row.get(1)?, row.get(2)?);
        let Some(commit) = row.get::<Option<Commit>>(4)? else {
            let (rev, since) = (row.get(7)?, row.get(12)?);
            let newcomer = Newcomer {
                kind: &kind,
                id,
                rev,
                since,
            };
            if self.held.has(self.store, newcomer)? {
                return Ok((link(kind, id, rev, None), ENTRY_BYTES));
            }
            let put = self.put(kind, id, row, 7)?;
            if self.has_made(&put, makers)? {
                let likeness = Likeness {
                    schema: put.schema,
                    check: check8(put.body.get().as_bytes()),
                };
                return Ok((link(put.kind, id, rev, Some(likeness)), ENTRY_BYTES));
            }
            let bytes = put.body.get().len() + ENTRY_BYTES;
            return Ok((Entry::Put(put), bytes));
        };
        let is_tomb: bool = row.get(6)?;
        let entry = if is_tomb {
            let rev = commit;
            Entry::Tomb { kind, id, rev }
        } else {
            let to = row.maybe_text(5)?.and_then(|scope| scope.parse().ok());
            let to = to.filter(|scope| self.granted.scopes.contains(scope));
            Entry::Leave {
                kind,
                id,
                commit,
                archived: to.is_none() && row.get(11)?,
                to,
            }
        };
        Ok((entry, ENTRY_BYTES))
    }

    /// Says whether the caller's own work made a record what it is: then he has the body on his
    /// screen. It need not be so, as where others' edits came in between; he will see that.
    fn has_made(&self, put: &Put, makers: &mut Makers) -> Result<bool, Fault> {
        let Some(caller) = self.maker else {
            return Ok(false);
        };
        // What the server puts into a body itself is on nobody's screen before.
        let is_filled_in = |field: &Field| field.owner == Owner::Derived || field.name == "author";
        let kind = Kind::named(&put.kind);
        let is_as_made = kind.is_some_and(|kind| !kind.fields.iter().any(is_filled_in));
        Ok(is_as_made && makers.of(self.store, put.rev)? == Some(caller))
    }

    /// Copies a body from the columns rev, schema, body and sealed, beginning at `first`.
    fn put(&self, kind: String, id: RecordId, row: &Row<'_>, first: usize) -> Result<Put, Fault> {
        let rev = row.get(first)?;
        let (body, sealed) = (row.maybe_text(first + 2)?, row.maybe_bytes(first + 3)?);
        let text = records::text_of(self.store, (&kind, id, rev), body, sealed)?;
        Ok(Put {
            kind,
            id,
            rev,
            schema: row.get(first + 1)?,
            body: RawValue::from_string(text.into_owned())?,
        })
    }

    /// Reads single records that the caller may read, as many as the limit allows.
    pub(crate) fn bodies(&self, keys: &[Key], max_bytes: usize) -> Result<Vec<Put>, Fault> {
        let mut bodies = Vec::new();
        let mut bytes = 0;
        for Key { kind, id } in keys {
            if bytes >= max_bytes {
                break;
            }
            let record = match Kind::named(kind) {
                Some(kind) => records::find(self.store, kind, *id)?,
                None => None,
            };
            let granted = |scope: &Scope| self.granted.scopes.contains(scope);
            let record = record.filter(|record| record.synced_scopes().iter().any(granted));
            if let Some(record) = record {
                let put = record.as_put()?;
                bytes += put.body.get().len() + ENTRY_BYTES;
                bodies.push(put);
            }
        }
        Ok(bodies)
    }

    fn cursor(&self, scope: &str, seq: u64, through: Commit) -> String {
        let epoch = self.asof.epoch;
        let cursor = Cursor {
            epoch,
            seq,
            through,
        };
        cursor.write(self.store.keyring, scope)
    }
}

fn link(kind: String, id: RecordId, rev: Rev, likeness: Option<Likeness>) -> Entry {
    Entry::Link(Link {
        kind,
        id,
        rev,
        likeness,
    })
}

/// Who made the commits of a page, the last one remembered: a hand-in of many edits is one commit.
#[derive(Default)]
struct Makers(Option<(Rev, Option<EnrolmentId>)>);

impl Makers {
    fn of(&mut self, store: Store<'_>, rev: Rev) -> Result<Option<EnrolmentId>, Fault> {
        if let Some((known, maker)) = self.0
            && known == rev
        {
            return Ok(maker);
        }
        let maker = journal::maker(store, rev)?;
        self.0 = Some((rev, maker));
        Ok(maker)
    }
}
