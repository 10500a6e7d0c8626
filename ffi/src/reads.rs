//! Reads: one typed record or one page of them, from the device alone.

use pocketbook::store::lists::After;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kind::Kind;

use crate::book::PocketBook;
use crate::error::{PocketbookError, Result};
use crate::models::{Case, CasePage, HouseholdFile, HouseholdPage, Record, RecordPage};

#[uniffi::export]
impl PocketBook {
    /// Returns a page of the households of a grid, or of all grids here, by address.
    #[uniffi::method(default(grid = None, after = None))]
    pub fn households(
        &self,
        limit: u32,
        grid: Option<UnitId>,
        after: Option<After>,
    ) -> Result<HouseholdPage> {
        self.call(|opened| {
            Ok(opened
                .book
                .households(grid.as_ref(), after.as_ref(), limit as usize)?
                .into())
        })
    }

    /// Returns a household with its people, visits and cases, read at one moment.
    pub fn household(&self, id: RecordId) -> Result<HouseholdFile> {
        self.call(|opened| Ok(opened.book.household(id)?.into()))
    }

    /// Returns a page of all cases here, by household and then the newest first.
    #[uniffi::method(default(after = None))]
    pub fn cases(&self, limit: u32, after: Option<After>) -> Result<CasePage> {
        self.call(|opened| Ok(opened.book.cases(after.as_ref(), limit as usize)?.into()))
    }

    /// Returns one case.
    pub fn case(&self, id: RecordId) -> Result<Case> {
        self.call(|opened| Ok(opened.book.case(id)?.into()))
    }

    /// Returns a record of any kind as it is shown.
    pub fn record(&self, kind: String, id: RecordId) -> Result<Record> {
        self.call(|opened| {
            let kind = table(&kind)?;
            let shown = opened.book.store()?.shown(kind, id)?;
            Ok(Record::of(kind, shown.ok_or(PocketbookError::NotFound)?))
        })
    }

    /// Returns a page of the records of any kind, under one record or grid or under all.
    #[uniffi::method(default(under = None, after = None))]
    pub fn records(
        &self,
        kind: String,
        limit: u32,
        under: Option<String>,
        after: Option<After>,
    ) -> Result<RecordPage> {
        self.call(|opened| {
            let kind = table(&kind)?;
            let page = opened.book.store()?.list(
                kind,
                under.as_deref(),
                after.as_ref(),
                limit as usize,
            )?;
            Ok(RecordPage::of(kind, page))
        })
    }
}

/// Returns the table of a kind that was named by its text.
pub(crate) fn table(kind: &str) -> Result<&'static Kind> {
    Kind::named(kind).ok_or_else(|| PocketbookError::field("kind"))
}
