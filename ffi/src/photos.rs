//! Photos: those that are here, those that others took, and those that failed.

use std::sync::Arc;

use pocketbook::store::blobs::{FailedPhoto, PhotoState, Rendering};
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::wire::Key;

use crate::book::PocketBook;
use crate::error::Result;

#[uniffi::export]
impl PocketBook {
    /// Returns a photo's bytes, if that rendering is here.
    pub fn photo(&self, hash: BlobHash, rendering: Rendering) -> Result<Option<Vec<u8>>> {
        self.call(|opened| Ok(opened.book.store()?.photo(hash, rendering)?))
    }

    /// Says where a photo stands, if it is known here.
    pub fn photo_state(&self, hash: BlobHash) -> Result<Option<PhotoState>> {
        self.call(|opened| Ok(opened.book.store()?.photo_state(hash)?))
    }

    /// Fetches a photo that a record names and that is not here; then [`Self::photo`] has it. It
    /// may be on its way still, on the phone of whoever took it: [`Obstacle::PhotoOnItsWay`].
    ///
    /// [`Obstacle::PhotoOnItsWay`]: crate::error::Obstacle::PhotoOnItsWay
    pub async fn fetch_photo(&self, kind: String, record: RecordId, hash: BlobHash) -> Result<()> {
        let opened = self.opened()?;
        opened.book.store()?;
        let asks = Arc::clone(&opened);
        let fetch = async move {
            let of = Key { kind, id: record };
            Ok(asks.enrolled()?.fetch_photo(&of, hash).await?)
        };
        opened.tasks.carry_out(fetch).await
    }

    /// Returns the photos that failed: the server refused them, or they are damaged here.
    pub fn failed_photos(&self) -> Result<Vec<FailedPhoto>> {
        self.call(|opened| Ok(opened.book.store()?.failed_photos()?))
    }

    /// Has a photo sent again that failed. One that is damaged must be taken again: the same
    /// picture chosen once more takes its place.
    pub fn retry_photo(&self, hash: BlobHash) -> Result<()> {
        self.write(|opened| Ok(opened.book.store()?.retry_photo(hash)?))
    }

    /// Gives a photo up that failed; its record stays.
    pub fn drop_photo(&self, hash: BlobHash) -> Result<()> {
        self.call(|opened| Ok(opened.book.store()?.drop_photo(hash)?))
    }
}
