//! Synchronising: now, in the background, and how it stands.

use std::sync::Arc;

use pocketbook::engine::{Reason, SyncReport};
use pocketbook::store::status::SyncStatus;
use pocketbook::store::trace::Vanished;

use crate::book::PocketBook;
use crate::error::Result;

#[uniffi::export]
impl PocketBook {
    /// Says how the work stands; a locked book answers too.
    pub fn status(&self) -> Result<SyncStatus> {
        self.call(|opened| Ok(opened.store.status()?))
    }

    /// Says why records are no longer here, the latest first: for whoever looks for one.
    pub fn vanished(&self, most: u32) -> Result<Vec<Vanished>> {
        self.call(|opened| Ok(opened.book.store()?.vanished(most as usize)?))
    }

    /// Brings device and server in step, and returns once that is done or must wait. Photos that
    /// must wait are no failure: the report counts them, and so does the status.
    pub async fn sync_now(&self) -> Result<SyncReport> {
        let opened = self.opened()?;
        let engine = opened.enrolled()?;
        opened
            .tasks
            .carry_out(async move { Ok(engine.sync_once(Reason::Asked).await?) })
            .await
    }

    /// Ends every call under way that waits for the network, between two steps; what was under way
    /// is still due. Synchronising in the background goes on.
    pub fn cancel_sync(&self) -> Result<()> {
        self.call(|opened| {
            opened.tasks.cancel();
            Ok(())
        })
    }

    /// Keeps device and server in step for as long as the app lives: while it is in the
    /// foreground, mostly.
    pub fn start_background_sync(&self) -> Result<()> {
        self.call(|opened| {
            let engine = opened.enrolled()?;
            opened.tasks.keep_doing(async move { engine.run().await })
        })
    }

    /// Ends what [`Self::start_background_sync`] began.
    pub fn stop_background_sync(&self) -> Result<()> {
        self.call(|opened| {
            opened.tasks.stop_doing();
            Ok(())
        })
    }

    /// Tells the synchronisation in the background that there is a reason to look: the app came to
    /// the foreground, a network appeared, a push message came.
    pub fn wake(&self, reason: Reason) -> Result<()> {
        self.call(|opened| {
            if let Some(engine) = Arc::clone(opened).engine() {
                engine.kick(reason);
            }
            Ok(())
        })
    }
}
