//! What a worker's hands do on a phone: look at a record, change it from what was shown, create,
//! report. Each verb answers what it saved.

use std::sync::Arc;

use pocketbook::Result;
use pocketbook::books::{Book, CaseDraft, Change, NewRecord, Report};
use pocketbook::error::Error;
use pocketbook::photos::Size;
use pocketbook::store::Store;
use pocketbook::store::lists::Shown;
use pocketbook::store::outbox::Authored;
use pocketbook::store::status::SyncState;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::Reason;
use serde_json::Value;

/// Somebody at a phone.
pub struct Hands {
    store: Arc<Store>,
    book: Book,
}

impl Hands {
    /// Returns who holds the phone with this store.
    pub fn on(store: Arc<Store>) -> Self {
        Self {
            book: Book::new(store.clone()),
            store,
        }
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Returns the verbs.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Says whether the server has confirmed everything and all news are here.
    pub fn is_in_step(&self) -> Result<bool> {
        let status = self.store.status()?;
        let has_settled = matches!(status.state, SyncState::Synced | SyncState::NeedsAttention);
        Ok(has_settled && status.waiting == 0 && status.photos == 0)
    }

    /// Returns all households of a grid that are here.
    pub fn households(&self, grid: &UnitId) -> Result<Vec<RecordId>> {
        let mut households = Vec::new();
        let mut after = None;
        loop {
            let page = self.book.households(Some(grid), after.as_ref(), 200)?;
            households.extend(page.rows.into_iter().map(|row| row.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(households),
            }
        }
    }

    /// Looks at a record; none if it is not on this phone.
    pub fn finds(&self, kind: &Kind, id: RecordId) -> Result<Option<Shown>> {
        self.store.shown(kind, id)
    }

    /// Returns a value as it is shown, null if there is none.
    pub fn value(&self, kind: &Kind, id: RecordId, at: &str) -> Result<Value> {
        let shown = self.finds(kind, id)?.ok_or(Error::NotFound)?;
        Ok(path::get(&shown.fields, &parsed(at)?).clone())
    }

    /// Changes a value from what is shown.
    pub fn enters(
        &self,
        kind: &Kind,
        id: RecordId,
        at: &str,
        to: impl Into<Value>,
    ) -> Result<Authored> {
        let shown = self.finds(kind, id)?.ok_or(Error::NotFound)?;
        let change = Change {
            path: at.to_owned(),
            was: path::get(&shown.fields, &parsed(at)?).clone(),
            to: to.into(),
        };
        self.book.edit(kind, id, shown.rev, &[change])
    }

    /// Creates a record.
    pub fn creates(&self, kind: &Kind, fields: Value) -> Result<(RecordId, Authored)> {
        let new = NewRecord {
            id: None,
            fields: object(fields),
            command: None,
        };
        self.book.create(kind, new)
    }

    /// Reports a case with photos as the camera gave them.
    pub fn reports(&self, fields: Value, photos: &[Vec<u8>]) -> Result<Report> {
        let draft: CaseDraft = self.book.draft_case(None, &object(fields))?;
        for camera in photos {
            self.book.add_photo(draft, camera, Size::Master)?;
        }
        self.book.report(draft)
    }
}

/// Reads an object as a record's fields.
pub fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

fn parsed(at: &str) -> Result<Path> {
    Path::parse(at).map_err(|_| Error::Refused(Reason::BadValue(at.to_owned())))
}
