//! Cases: a draft with photos, the report, the worker's commands on it.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::kinds::case::{CASE, Case};
use serde_json::{Value, json};

use crate::books::{Book, Entry, NewRecord};
use crate::error::{Error, Result};
use crate::photos::Size;
use crate::store::lists::{After, Rows};
use crate::store::outbox::Authored;

/// A case being drafted; survives a kill and holds no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseDraft {
    /// The case's future id.
    pub id: RecordId,
}

/// What was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The case.
    pub id: RecordId,
    /// The mutation that reported it.
    pub authored: Authored,
}

impl Book {
    /// Begins a case, or saves it as it stands.
    pub fn draft_case(&self, draft: Option<CaseDraft>, fields: &Fields) -> Result<CaseDraft> {
        let store = self.store()?;
        let draft = draft.unwrap_or_else(|| CaseDraft { id: store.new_id() });
        let mut fields = fields.clone();
        if let Some(earlier) = store.draft(draft.id)?
            && let Some(photos) = earlier.fields.get("photos")
        {
            fields.entry("photos").or_insert_with(|| photos.clone());
        }
        store.save_draft(&CASE, draft.id, &fields)?;
        Ok(draft)
    }

    /// Adds a photo to a draft.
    pub fn add_photo(&self, draft: CaseDraft, camera: &[u8], size: Size) -> Result<BlobHash> {
        let store = self.store()?;
        let mut fields = store.draft(draft.id)?.ok_or(Error::NotFound)?.fields;
        let (hash, prepared) = store.take_photo(&CASE, draft.id, camera, size)?;
        let photos = fields.entry("photos").or_insert_with(|| json!([]));
        if let Value::Array(photos) = photos
            && !photos.contains(&json!(hash))
        {
            photos.push(json!(hash));
        }
        // The camera's fix stands in for a place that nobody has pinned.
        if let Some(place) = &prepared.place {
            fields.entry("pin").or_insert_with(
                || json!({"lat_e7": place.lat_e7, "lon_e7": place.lon_e7, "by": "fix"}),
            );
        }
        store.save_draft(&CASE, draft.id, &fields)?;
        Ok(hash)
    }

    /// Hands a draft in: one mutation that creates the case and reports it.
    pub fn report(&self, draft: CaseDraft) -> Result<Report> {
        self.hand_in(draft, "report", Fields::new())
    }

    /// Hands a draft in as settled on the spot (自处理), with its photos as proof.
    pub fn close_on_spot(&self, draft: CaseDraft) -> Result<Report> {
        let fields = self
            .store()?
            .draft(draft.id)?
            .ok_or(Error::NotFound)?
            .fields;
        let photos = fields.get("photos").cloned().unwrap_or_else(|| json!([]));
        let args = Fields::from_iter([("photos".to_owned(), photos)]);
        self.hand_in(draft, "close_on_spot", args)
    }

    /// Returns a page of all cases here, by household and then the newest first.
    pub fn cases(&self, after: Option<&After>, limit: usize) -> Result<Rows<Entry<Case>>> {
        let page = self.store()?.list(&CASE, None, after, limit)?;
        let rows = page
            .rows
            .into_iter()
            .map(|shown| Entry::read(shown, Case::read))
            .collect();
        Ok(Rows {
            rows,
            next: page.next,
        })
    }

    /// Returns one case.
    pub fn case(&self, id: RecordId) -> Result<Entry<Case>> {
        let shown = self.store()?.shown(&CASE, id)?.ok_or(Error::NotFound)?;
        Ok(Entry::read(shown, Case::read))
    }

    /// Gives a command to a case as it is shown now: withdraw, complete, close, send back …
    pub fn case_command(&self, id: RecordId, name: &str, args: Fields) -> Result<Authored> {
        let shown = self.store()?.shown(&CASE, id)?.ok_or(Error::NotFound)?;
        self.command(&CASE, &shown, name, args)
    }

    fn hand_in(&self, draft: CaseDraft, command: &str, args: Fields) -> Result<Report> {
        let store = self.store()?;
        let mut fields = store.draft(draft.id)?.ok_or(Error::NotFound)?.fields;
        fields.entry("sort").or_insert_with(|| json!("issue"));
        fields.entry("source").or_insert_with(|| json!("worker"));
        fields
            .entry("reported_at")
            .or_insert_with(|| json!(store.seams.clock.wall_ms()));
        let new = NewRecord {
            id: Some(draft.id),
            fields,
            command: Some((command.to_owned(), args)),
        };
        let (id, authored) = self.create(&CASE, new)?;
        Ok(Report { id, authored })
    }
}
