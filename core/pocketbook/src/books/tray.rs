//! The tray: own work that must be corrected (需修改) or on which others decide, and, for a head,
//! the work that waits for him.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE, Parked};
use pocketbook_records::mutation::{Frozen, Op};
use serde_json::Value;

use crate::books::{Book, Change, Entry, NewRecord};
use crate::error::{Error, Result};
use crate::store::lists::{MAX_PAGE, Shown};
use crate::store::outbox::{Authored, blobs_named};

/// Something in the tray.
#[derive(Debug, Clone, PartialEq)]
pub struct TrayItem {
    /// The item.
    pub item: Entry<Parked>,
    /// Its kind: general or sensitive.
    pub kind: &'static str,
    /// Whether this account authored it.
    pub is_mine: bool,
    /// What was authored.
    pub frozen: Option<Frozen>,
    shown: Shown,
}

impl Book {
    /// Returns what lies open in the tray.
    pub fn tray(&self) -> Result<Vec<TrayItem>> {
        let store = self.store()?;
        let me = store.account()?.user;
        let mut items = Vec::new();
        for kind in [&PARKED, &PARKED_SENSITIVE] {
            let mut after = None;
            loop {
                let page = store.list(kind, None, after.as_ref(), MAX_PAGE)?;
                for shown in page.rows {
                    let item = Entry::read(shown.clone(), Parked::read);
                    if !matches!(item.fields.state.as_deref(), Some("parked" | "rejected")) {
                        continue;
                    }
                    let is_mine = item.fields.author == Some(me.0);
                    let frozen = item
                        .fields
                        .frozen
                        .as_deref()
                        .and_then(|text| Frozen::parse(text).ok());
                    items.push(TrayItem {
                        item,
                        kind: kind.name,
                        is_mine,
                        frozen,
                        shown,
                    });
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(items)
    }

    /// Corrects an item: the changes are laid over what was authored, and sent in its place.
    pub fn fix(&self, item: &TrayItem, changes: &[Change]) -> Result<Authored> {
        let old = item.frozen.as_ref().ok_or(Error::NotFound)?;
        let mid = Mid(item.item.fields.mid.ok_or(Error::NotFound)?);
        let kind = Kind::named(&old.kind).ok_or(Error::NotFound)?;
        let fresh = match old.op {
            Op::Create => self.corrected_creation(kind, old, changes)?,
            _ => self.corrected_edit(kind, old, changes)?,
        };
        let turn = item
            .item
            .fields
            .turn
            .and_then(|turn| u32::try_from(turn).ok())
            .unwrap_or(0);
        self.replace(fresh, mid, turn)
    }

    /// Gives a command to an item: the author discards, a head releases or refuses.
    pub fn tray_command(&self, item: &TrayItem, name: &str, args: Fields) -> Result<Authored> {
        let kind = Kind::named(item.kind).ok_or(Error::NotFound)?;
        self.command(kind, &item.shown, name, args)
    }

    fn corrected_creation(&self, kind: &Kind, old: &Frozen, changes: &[Change]) -> Result<Frozen> {
        let mut fields = Fields::new();
        pocketbook_records::merge::overlay(kind, &mut fields, old);
        for change in changes {
            match &change.to {
                Value::Null => fields.remove(&change.path),
                to => fields.insert(change.path.clone(), to.clone()),
            };
        }
        let command = old
            .command
            .clone()
            .map(|command| (command.name, command.args));
        let (_, frozen) = self.creation_of(
            kind,
            NewRecord {
                id: Some(old.id),
                fields,
                command,
            },
        )?;
        Ok(frozen)
    }

    fn corrected_edit(&self, kind: &Kind, old: &Frozen, changes: &[Change]) -> Result<Frozen> {
        let mut fresh = self.edit_of(kind, old.id, old.seen, changes)?;
        let kept = old
            .set
            .iter()
            .filter(|set| !fresh.set.iter().any(|new| new.path == set.path));
        let kept: Vec<_> = kept.cloned().collect();
        for set in &mut fresh.set {
            // The person was shown what the record held when the first edit was made.
            if let Some(earlier) = old.set.iter().find(|earlier| earlier.path == set.path) {
                set.was = earlier.was.clone();
            }
        }
        fresh.set.extend(kept);
        for (path, items) in &old.add {
            fresh
                .add
                .entry(path.clone())
                .or_insert_with(|| items.clone());
        }
        for (path, items) in &old.remove {
            fresh
                .remove
                .entry(path.clone())
                .or_insert_with(|| items.clone());
        }
        fresh.blobs = blobs_named(&fresh);
        Ok(fresh)
    }
}

impl TrayItem {
    /// Returns the record that the item is about.
    pub fn record(&self) -> Option<RecordId> {
        self.item.fields.record.map(RecordId)
    }
}
