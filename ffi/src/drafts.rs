//! Drafts: a case begun, with its photos, and handed in as one.

use pocketbook::books::CaseDraft;
use pocketbook::photos::Size;
use pocketbook_records::ids::{BlobHash, RecordId};

use crate::book::PocketBook;
use crate::error::Result;
use crate::json;
use crate::models::{Draft, Saved};

#[uniffi::export]
impl PocketBook {
    /// Begins a case, or saves one begun as it stands; returns its id. A draft survives a kill and
    /// is nobody else's business until it is handed in.
    #[uniffi::method(default(draft = None))]
    pub fn draft_case(&self, fields_json: String, draft: Option<RecordId>) -> Result<RecordId> {
        self.call(|opened| {
            let fields = json::fields(Some(&fields_json), "fields")?;
            Ok(opened
                .book
                .draft_case(draft.map(|id| CaseDraft { id }), &fields)?
                .id)
        })
    }

    /// Adds a photo to a draft, as the camera gave it: JPEG or PNG. It is turned, scaled, stripped
    /// of everything but its pixels, and sealed; returns its name. Takes about a tenth of a second.
    pub fn add_photo(&self, draft: RecordId, camera: Vec<u8>, size: Size) -> Result<BlobHash> {
        self.call(|opened| {
            Ok(opened
                .book
                .add_photo(CaseDraft { id: draft }, &camera, size)?)
        })
    }

    /// Hands a draft in: creates the case and reports it.
    pub fn report(&self, draft: RecordId) -> Result<Saved> {
        self.write(|opened| {
            let report = opened.book.report(CaseDraft { id: draft })?;
            Ok(Saved::new(report.id, report.authored))
        })
    }

    /// Hands a draft in as settled on the spot (自处理), with its photos as proof.
    pub fn close_on_spot(&self, draft: RecordId) -> Result<Saved> {
        self.write(|opened| {
            let report = opened.book.close_on_spot(CaseDraft { id: draft })?;
            Ok(Saved::new(report.id, report.authored))
        })
    }

    /// Returns all drafts, the newest first.
    pub fn drafts(&self) -> Result<Vec<Draft>> {
        self.call(|opened| {
            Ok(opened
                .book
                .store()?
                .drafts()?
                .into_iter()
                .map(Into::into)
                .collect())
        })
    }

    /// Throws a draft away, its photos too.
    pub fn discard_draft(&self, draft: RecordId) -> Result<()> {
        self.call(|opened| Ok(opened.book.store()?.discard_draft(draft)?))
    }
}
