//! The tray: own work that must be corrected (需修改) or on which others decide, and, for a head,
//! the work that waits for him.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Mid, RecordId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE, Parked};
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::overlay::overlay;
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::Reason;

use crate::books::{Book, Change, Entry, NewRecord, correction};
use crate::error::{Anew, Error, Result};
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

    /// Corrects an item: the changes are laid over what was authored, and sent in its place with
    /// everything else that it held. See [`correction`] for how a change names what it changes.
    ///
    /// # Errors
    /// [`Error::DoAnew`] for a decision and a deletion: there is nothing in them to correct.
    pub fn fix(&self, item: &TrayItem, changes: &[Change]) -> Result<Authored> {
        let old = item.frozen.as_ref().ok_or(Error::NotFound)?;
        let mid = Mid(item.item.fields.mid.ok_or(Error::NotFound)?);
        let kind = Kind::named(&old.kind).ok_or(Error::NotFound)?;
        let mut fresh = match old.op {
            Op::Create => self.corrected_creation(kind, old, changes)?,
            Op::Patch => {
                let edit = self.edit_of(kind, old.id, old.seen, changes)?;
                correction::edit(old, edit)
            }
            Op::Command => self.corrected_command(kind, old, mid, changes)?,
            Op::Decide => return Err(Error::DoAnew(Anew::Decision)),
            Op::Delete => return Err(Error::DoAnew(Anew::Deletion)),
            // What it says is not here.
            Op::Void | Op::Later => return Err(Error::NotFound),
        };
        fresh.blobs = blobs_named(&fresh);
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
        let (of_args, of_fields) = correction::split(changes);
        let mut fields = Fields::new();
        overlay(kind, &mut fields, old);
        for change in of_fields {
            path::set(&mut fields, &path_of(change)?, change.to.clone());
        }
        let mut command = old.command.clone();
        correction::arguments(command.as_mut(), &of_args)?;
        let new = NewRecord {
            id: Some(old.id),
            fields,
            command: command.map(|command| (command.name, command.args)),
        };
        Ok(self.creation_of(kind, new)?.1)
    }

    /// The step is given anew from where the record stands now, which its own preview hides.
    fn corrected_command(
        &self,
        kind: &Kind,
        old: &Frozen,
        mid: Mid,
        changes: &[Change],
    ) -> Result<Frozen> {
        let (of_args, of_fields) = correction::split(changes);
        if let Some(change) = of_fields.first() {
            return Err(Error::Refused(Reason::BadValue(change.path.clone())));
        }
        let mut command = old.command.clone();
        correction::arguments(command.as_mut(), &of_args)?;
        let command = command.ok_or(Error::NotFound)?;
        let mut shown = self.store()?.shown(kind, old.id)?.ok_or(Error::NotFound)?;
        correction::take_back(&mut shown.fields, mid);
        self.command_of(kind, &shown, &command.name, command.args)
    }
}

fn path_of(change: &Change) -> Result<Path> {
    let path = Path::parse(&change.path);
    path.map_err(|_| Error::Refused(Reason::BadValue(change.path.clone())))
}

impl TrayItem {
    /// Returns the record that the item is about.
    pub fn record(&self) -> Option<RecordId> {
        self.item.fields.record.map(RecordId)
    }
}
