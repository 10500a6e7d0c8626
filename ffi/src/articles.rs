//! The pocket book's articles, read as a whole.

use pocketbook::store::book::{ArticleTitle, BookPart};
use pocketbook_records::ids::UnitId;

use crate::book::PocketBook;
use crate::error::{PocketbookError, Result};

#[uniffi::export]
impl PocketBook {
    /// Returns the edition of a community's pocket book that is here, if any is.
    pub fn book_version(&self, community: UnitId) -> Result<Option<u64>> {
        self.call(|opened| Ok(opened.book.store()?.book_version(&community)?))
    }

    /// Returns the parts of the pocket book.
    pub fn book_parts(&self) -> Result<Vec<BookPart>> {
        self.call(|opened| Ok(opened.book.store()?.book_parts()?))
    }

    /// Returns the titles of a part, in the book's order.
    pub fn articles(&self, part: String) -> Result<Vec<ArticleTitle>> {
        self.call(|opened| Ok(opened.book.store()?.articles(&part)?))
    }

    /// Returns an article as it was published, JSON.
    pub fn article(&self, id: String) -> Result<String> {
        self.call(|opened| {
            opened
                .book
                .store()?
                .article(&id)?
                .ok_or(PocketbookError::NotFound)
        })
    }
}
