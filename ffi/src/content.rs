//! What is read as a whole: the pocket book's articles, and photos.

use pocketbook::store::blobs::{PhotoState, Rendering};
use pocketbook::store::book::{ArticleTitle, BookPart};
use pocketbook_records::ids::{BlobHash, UnitId};

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

    /// Returns a photo's bytes, if that rendering is here.
    pub fn photo(&self, hash: BlobHash, rendering: Rendering) -> Result<Option<Vec<u8>>> {
        self.call(|opened| Ok(opened.book.store()?.photo(hash, rendering)?))
    }

    /// Says where a photo stands, if it is known here.
    pub fn photo_state(&self, hash: BlobHash) -> Result<Option<PhotoState>> {
        self.call(|opened| Ok(opened.book.store()?.photo_state(hash)?))
    }
}
