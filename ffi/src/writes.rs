//! The generic writes: whatever kind, whatever field, whatever command.
//!
//! When one returns, it is on the disk and in the outbox. What can't be right wherever the record
//! stands now is refused at once, with the field's name.

use pocketbook::books::{self, NewRecord};
use pocketbook::store::lists::Shown;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{Mid, RecordId, Rev};
use pocketbook_records::mutation::Expect;
use serde_json::json;

use crate::book::PocketBook;
use crate::error::Result;
use crate::json;
use crate::models::Saved;
use crate::reads::table;

/// One value that a screen showed and its user changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Change {
    /// Where: a field, `field/key` of a map, or `field/key/leaf`.
    pub path: String,
    /// What was shown, JSON; none for nothing.
    pub was_json: Option<String>,
    /// What it shall be, JSON; none takes it away.
    pub to_json: Option<String>,
}

/// A first command of a new record.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FirstCommand {
    /// Its name.
    pub name: String,
    /// Its arguments, a JSON object.
    #[uniffi(default = None)]
    pub args_json: Option<String>,
}

impl Change {
    pub(crate) fn read(self) -> Result<books::Change> {
        Ok(books::Change {
            was: json::value(self.was_json.as_deref(), &self.path)?,
            to: json::value(self.to_json.as_deref(), &self.path)?,
            path: self.path,
        })
    }

    pub(crate) fn read_all(changes: Vec<Self>) -> Result<Vec<books::Change>> {
        changes.into_iter().map(Self::read).collect()
    }
}

#[uniffi::export]
impl PocketBook {
    /// Saves a new record. `fields_json` is a JSON object; `id` names the record if it has a name
    /// already (the sensitive companion of a person has the person's).
    #[uniffi::method(default(id = None, first = None))]
    pub fn create(
        &self,
        kind: String,
        fields_json: String,
        id: Option<RecordId>,
        first: Option<FirstCommand>,
    ) -> Result<Saved> {
        self.write(|opened| {
            let command = match first {
                Some(first) => Some((
                    first.name,
                    json::fields(first.args_json.as_deref(), "args")?,
                )),
                None => None,
            };
            let new = NewRecord {
                id,
                fields: json::fields(Some(&fields_json), "fields")?,
                command,
            };
            let (id, authored) = opened.book.create(table(&kind)?, new)?;
            Ok(Saved::new(id, authored))
        })
    }

    /// Saves changes of a record. `seen` is the `rev` that the screen showed.
    pub fn edit(
        &self,
        kind: String,
        record: RecordId,
        seen: Option<Rev>,
        changes: Vec<Change>,
    ) -> Result<Saved> {
        self.write(|opened| {
            let changes = Change::read_all(changes)?;
            Ok(Saved::new(
                record,
                opened.book.edit(table(&kind)?, record, seen, &changes)?,
            ))
        })
    }

    /// Gives a command to a record. `seen` and `expect` are what the screen showed; `args_json` is
    /// a JSON object.
    #[uniffi::method(default(args_json = None))]
    pub fn command(
        &self,
        kind: String,
        record: RecordId,
        seen: Option<Rev>,
        expect: Expect,
        name: String,
        args_json: Option<String>,
    ) -> Result<Saved> {
        self.write(|opened| {
            let args = json::fields(args_json.as_deref(), "args")?;
            let shown = Shown {
                id: record,
                rev: seen,
                fields: standing(&expect),
                mark: 0,
            };
            Ok(Saved::new(
                record,
                opened.book.command(table(&kind)?, &shown, &name, args)?,
            ))
        })
    }

    /// Takes a record away.
    pub fn delete(&self, kind: String, record: RecordId, seen: Option<Rev>) -> Result<Saved> {
        self.write(|opened| {
            Ok(Saved::new(
                record,
                opened.book.delete(table(&kind)?, record, seen)?,
            ))
        })
    }

    /// Takes back own work that was not sent yet.
    pub fn withdraw(&self, mutation: Mid) -> Result<()> {
        self.write(|opened| Ok(opened.book.withdraw(mutation)?))
    }
}

/// Writes down where a record stood on the screen.
fn standing(expect: &Expect) -> Fields {
    let mut fields = Fields::new();
    fields.insert("state".into(), json!(expect.state));
    fields.insert("turn".into(), json!(expect.turn));
    if let Some(after) = expect.after {
        fields.insert("transition".into(), json!(after));
    }
    fields
}
