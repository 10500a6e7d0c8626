//! Reviews and the tray: what somebody must look at.

use pocketbook_records::ids::RecordId;

use crate::book::PocketBook;
use crate::error::{PocketbookError, Result};
use crate::json;
use crate::models::{Review, Saved, Take, TrayItem};
use crate::writes::Change;

#[uniffi::export]
impl PocketBook {
    /// Returns the open reviews of this account's grids, or of one record.
    #[uniffi::method(default(record = None))]
    pub fn reviews(&self, record: Option<RecordId>) -> Result<Vec<Review>> {
        self.call(|opened| {
            Ok(opened
                .book
                .reviews(record)?
                .into_iter()
                .map(Into::into)
                .collect())
        })
    }

    /// Returns one review, open or closed.
    pub fn review(&self, id: RecordId) -> Result<Review> {
        self.call(|opened| Ok(opened.book.review(id)?.into()))
    }

    /// Decides a review as the screen showed it: a candidate that came meanwhile is never settled
    /// away unseen.
    pub fn decide(&self, review: Review, take: Take) -> Result<Saved> {
        self.write(|opened| {
            Ok(Saved::new(
                review.id,
                opened.book.decide(&review.as_shown(), take.read()?)?,
            ))
        })
    }

    /// Returns what lies open in the tray: own work to be corrected or waiting for others, and for
    /// a head the work that waits for him.
    pub fn tray(&self) -> Result<Vec<TrayItem>> {
        self.call(|opened| Ok(opened.book.tray()?.into_iter().map(Into::into).collect()))
    }

    /// Corrects an own tray item: the changes are laid over what was authored, and sent in its
    /// place. A path names a field, or an argument of the command as `args/<name>`; what no change
    /// names stays, photos too. A decision and a deletion are done again instead.
    pub fn fix(&self, item: RecordId, changes: Vec<Change>) -> Result<Saved> {
        self.write(|opened| {
            let changes = Change::read_all(changes)?;
            let mut lying = opened.book.tray()?.into_iter();
            let found = lying
                .find(|lies| lies.item.id == item)
                .ok_or(PocketbookError::NotFound)?;
            let record = found.record().ok_or(PocketbookError::NotFound)?;
            Ok(Saved::new(record, opened.book.fix(&found, &changes)?))
        })
    }

    /// Throws an own tray item away.
    pub fn discard(&self, item: TrayItem) -> Result<Saved> {
        self.settle_item(item, "discard", None)
    }

    /// Lets a waiting tray item of somebody else take effect.
    pub fn release(&self, item: TrayItem) -> Result<Saved> {
        self.settle_item(item, "release", None)
    }

    /// Sends a waiting tray item back to its author, with the reason.
    pub fn refuse(&self, item: TrayItem, reason: String) -> Result<Saved> {
        let args = serde_json::json!({ "reason": reason });
        self.settle_item(item, "refuse", json::text(&args))
    }
}

impl PocketBook {
    fn settle_item(
        &self,
        item: TrayItem,
        command: &str,
        args_json: Option<String>,
    ) -> Result<Saved> {
        self.command(
            item.kind,
            item.id,
            item.rev,
            item.expect,
            command.to_owned(),
            args_json,
        )
    }
}
