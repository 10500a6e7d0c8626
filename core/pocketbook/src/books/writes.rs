//! The generic writes that every verb sits on.
//!
//! A screen says what it showed and what it shall be, per path; what that means for a set, a map,
//! a list or a counter is read off the kind's table here, once.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Mid, RecordId, Rev};
use pocketbook_records::kind::{Kind, Rule};
use pocketbook_records::mutation::{Command, Expect, Frozen, Op, Replaces, Set};
use pocketbook_records::overlay::overlay;
use pocketbook_records::path::Path;
use pocketbook_records::receipt::Reason;
use pocketbook_records::time::Interval;
use pocketbook_records::workflow::Actor;
use serde_json::{Map, Value, json};

use crate::books::Book;
use crate::error::{Error, Result};
use crate::store::lists::Shown;
use crate::store::outbox::{Authored, blobs_named};

/// One value that a screen showed and its user changed. Null stands for absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: a field, `field/key` of a map, or `field/key/leaf`.
    pub path: String,
    /// What was shown.
    pub was: Value,
    /// What it shall be.
    pub to: Value,
}

/// A record to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// Its id; drafts have one already.
    pub id: Option<RecordId>,
    /// Its fields.
    pub fields: Fields,
    /// A first command with its arguments: `report`.
    pub command: Option<(String, Fields)>,
}

impl Book {
    /// Saves changes of a record. `seen` is the rev that the screen showed.
    pub fn edit(
        &self,
        kind: &Kind,
        id: RecordId,
        seen: Option<Rev>,
        changes: &[Change],
    ) -> Result<Authored> {
        let frozen = self.edit_of(kind, id, seen, changes)?;
        self.store()?.author(frozen)
    }

    /// Saves a new record.
    pub fn create(&self, kind: &Kind, new: NewRecord) -> Result<(RecordId, Authored)> {
        let (id, frozen) = self.creation_of(kind, new)?;
        Ok((id, self.store()?.author(frozen)?))
    }

    /// Gives a command to a record as it is shown.
    pub fn command(
        &self,
        kind: &Kind,
        shown: &Shown,
        name: &str,
        args: Fields,
    ) -> Result<Authored> {
        let frozen = self.command_of(kind, shown, name, args)?;
        self.store()?.author(frozen)
    }

    pub(crate) fn command_of(
        &self,
        kind: &Kind,
        shown: &Shown,
        name: &str,
        args: Fields,
    ) -> Result<Frozen> {
        let store = self.store()?;
        may_follow(
            kind,
            &shown.fields,
            name,
            &args,
            store.seams.clock.wall_ms(),
        )?;
        let mut frozen = Frozen::new(kind, shown.id, Op::Command, store.now()?);
        frozen.seen = shown.rev;
        frozen.command = Some(Command {
            name: name.to_owned(),
            args,
            expect: Expect::of(kind, &shown.fields),
        });
        frozen.blobs = blobs_named(&frozen);
        Ok(frozen)
    }

    /// Takes a record away.
    pub fn delete(&self, kind: &Kind, id: RecordId, seen: Option<Rev>) -> Result<Authored> {
        let store = self.store()?;
        let mut frozen = Frozen::new(kind, id, Op::Delete, store.now()?);
        frozen.seen = seen;
        store.author(frozen)
    }

    /// Takes back own work that was not sent yet.
    pub fn withdraw(&self, mid: Mid) -> Result<()> {
        self.store()?.withdraw(mid)
    }

    pub(crate) fn edit_of(
        &self,
        kind: &Kind,
        id: RecordId,
        seen: Option<Rev>,
        changes: &[Change],
    ) -> Result<Frozen> {
        let mut frozen = Frozen::new(kind, id, Op::Patch, self.store()?.now()?);
        frozen.seen = seen;
        for change in changes {
            spell(kind, &mut frozen, change)?;
        }
        frozen.blobs = blobs_named(&frozen);
        Ok(frozen)
    }

    pub(crate) fn creation_of(&self, kind: &Kind, new: NewRecord) -> Result<(RecordId, Frozen)> {
        let store = self.store()?;
        let id = new.id.unwrap_or_else(|| store.new_id());
        let mut frozen = Frozen::new(kind, id, Op::Create, store.now()?);
        for (name, to) in new.fields {
            spell(
                kind,
                &mut frozen,
                &Change {
                    path: name,
                    was: Value::Null,
                    to,
                },
            )?;
        }
        if let Some((name, args)) = new.command {
            let mut fields = Fields::new();
            overlay(kind, &mut fields, &frozen);
            may_follow(kind, &fields, &name, &args, store.seams.clock.wall_ms())?;
            frozen.command = Some(Command {
                name,
                args,
                expect: Expect::of(kind, &Fields::new()),
            });
        }
        frozen.blobs = blobs_named(&frozen);
        Ok((id, frozen))
    }

    /// Saves a corrected mutation in the place of one in the tray.
    pub(crate) fn replace(&self, mut frozen: Frozen, mid: Mid, turn: u32) -> Result<Authored> {
        frozen.replaces = Some(Replaces { mid, turn });
        self.store()?.author(frozen)
    }
}

/// Checks what a device can judge of a command: that it exists, fits the state shown and brings
/// what it needs. Whether it is this user's to give is the server's word.
fn may_follow(kind: &Kind, fields: &Fields, name: &str, args: &Fields, wall: i64) -> Result<()> {
    let workflow = kind
        .workflow
        .ok_or(Error::Refused(Reason::UnknownCommand))?;
    let step = workflow.step(fields, name, args, &Actor::anyone(), Interval::moment(wall));
    step.map(drop)
        .map_err(|illegal| Error::Refused(illegal.into()))
}

/// Spells a change out as the operations of its field's rule.
fn spell(kind: &Kind, frozen: &mut Frozen, change: &Change) -> Result<()> {
    let path = Path::parse(&change.path)
        .map_err(|_| Error::Refused(Reason::BadValue(change.path.clone())))?;
    let rule = kind
        .field(path.root())
        .map_or(Rule::Register, |field| field.rule);
    match rule {
        Rule::Counter => {
            let by = change.to.as_i64().unwrap_or(0) - change.was.as_i64().unwrap_or(0);
            frozen.inc.insert(path, by);
        }
        Rule::Set => {
            let (was, to) = (texts(&change.was), texts(&change.to));
            add(
                frozen,
                &path,
                to.iter()
                    .filter(|item| !was.contains(item))
                    .map(|item| json!(item)),
            );
            take(
                frozen,
                &path,
                was.iter().filter(|item| !to.contains(item)).cloned(),
            );
        }
        Rule::Append => {
            let was = change.was.as_array().map_or(&[][..], Vec::as_slice);
            let to = change.to.as_array().map_or(&[][..], Vec::as_slice);
            add(
                frozen,
                &path,
                to.iter().filter(|item| !was.contains(item)).cloned(),
            );
        }
        Rule::Map => spell_map(frozen, &path, &change.was, &change.to)?,
        _ => frozen.set.push(Set {
            path,
            was: change.was.clone(),
            to: change.to.clone(),
        }),
    }
    Ok(())
}

fn spell_map(frozen: &mut Frozen, path: &Path, was: &Value, to: &Value) -> Result<()> {
    match path.segments().count() {
        1 | 2 => {
            let nothing = Map::new();
            let (had, has) = (
                was.as_object().unwrap_or(&nothing),
                to.as_object().unwrap_or(&nothing),
            );
            if path.segments().count() == 2 {
                spell_key(frozen, path, was, to);
            }
            let names = had
                .keys()
                .chain(has.keys().filter(|name| !had.contains_key(*name)));
            for name in names {
                let inner = path
                    .join(name)
                    .map_err(|_| Error::Refused(Reason::BadValue(path.to_string())))?;
                let value = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                spell_map(frozen, &inner, &value(had), &value(has))?;
            }
        }
        _ => frozen.set.push(Set {
            path: path.clone(),
            was: was.clone(),
            to: to.clone(),
        }),
    }
    Ok(())
}

/// A key of a map comes or goes as a whole, besides its registers.
fn spell_key(frozen: &mut Frozen, path: &Path, was: &Value, to: &Value) {
    let field = Path::field(path.root());
    let key = path.segments().nth(1).unwrap_or_default().to_owned();
    match (was.is_null(), to.is_null()) {
        (true, false) => add(frozen, &field, std::iter::once(json!(key))),
        (false, true) => take(frozen, &field, std::iter::once(key)),
        _ => {}
    }
}

fn add(frozen: &mut Frozen, path: &Path, items: impl Iterator<Item = Value>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        frozen.add.entry(path.clone()).or_default().extend(items);
    }
}

fn take(frozen: &mut Frozen, path: &Path, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        frozen.remove.entry(path.clone()).or_default().extend(items);
    }
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
