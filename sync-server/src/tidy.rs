//! What the server puts away by itself once a day.
//!
//! - Settled work that is old enough to be kept at the desk only ([`crate::archive`]).
//! - Names of records that left a scope so long ago that hardly a phone still needs to hear of it.
//!   One that was away for longer finds its cursor below the scope's floor and compares
//!   ([`crate::feed`]) instead of being told what changed; it is never told less than it must hear.
//! - Uploads that nobody has gone on with. Whoever still wants one begins it anew.

use std::time::Duration;

use pocketbook_records::time::Millis;

use crate::server::Server;
use crate::store::{districts, scopes};
use crate::writer::{Batch, Fault};
use crate::{blobs, may_block};

/// How long settled work stays on the phones, and departures are remembered.
const TWO_YEARS_MS: Millis = 2 * 365 * 24 * 3_600_000;
/// How long an upload may rest.
const RESTS: Duration = Duration::from_secs(30 * 24 * 3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Server {
    /// Forgets which records left a scope before a moment; returns how many.
    pub async fn forget_departed(&self, before: Millis) -> Result<u64, Fault> {
        let job = move |batch: &mut Batch<'_>| match districts::last_before(batch.store(), before)?
        {
            Some(commit) => scopes::forget_gone(batch, commit),
            None => Ok(0),
        };
        self.writer().run_async(job).await
    }

    /// Tidies up now and then once a day, for as long as it is polled.
    pub(crate) async fn tidies(&self) {
        loop {
            let then = self.now() - TWO_YEARS_MS;
            if let Err(fault) = self.archive_aged(then).await {
                tracing::error!(%fault, "what is old could not be archived");
            }
            if let Err(fault) = self.forget_departed(then).await {
                tracing::error!(%fault, "what left long ago could not be forgotten");
            }
            if let Err(error) = may_block(|| blobs::forget_abandoned(self, RESTS)) {
                tracing::error!(%error, "uploads that rest could not be forgotten");
            }
            tokio::time::sleep(DAY).await;
        }
    }
}
