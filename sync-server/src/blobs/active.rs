//! Who appends to what just now: one request per upload, and the newest one wins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::spool::Key;

/// The uploads that requests hold.
#[derive(Debug, Default)]
pub(super) struct Active {
    held: Mutex<BTreeMap<Key, Held>>,
}

#[derive(Debug, Default)]
struct Held {
    turn: Arc<Turn<()>>,
    /// Ends the request that has the turn or waits for it.
    latest: Option<CancellationToken>,
}

/// The right to touch an upload, until dropped.
pub(super) struct Hold {
    /// Fires when a newer request wants this upload.
    pub(super) superseded: CancellationToken,
    _turn: OwnedMutexGuard<()>,
}

impl Active {
    /// Ends whoever holds the upload and takes his place.
    pub(super) async fn take_over(&self, key: Key) -> Hold {
        let superseded = CancellationToken::new();
        let turn = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            // A turn that nobody has or waits for is in this map only.
            held.retain(|_, other| Arc::strong_count(&other.turn) > 1);
            let entry = held.entry(key).or_default();
            if let Some(older) = entry.latest.replace(superseded.clone()) {
                older.cancel();
            }
            Arc::clone(&entry.turn)
        };
        Hold {
            superseded,
            _turn: turn.lock_owned().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use pocketbook_records::ids::{BlobHash, EnrolmentId};

    use super::*;

    #[tokio::test]
    async fn the_newest_request_ends_the_one_that_holds_the_upload() {
        let (active, key) = (
            Active::default(),
            Key {
                owner: EnrolmentId::from_slice(&[7; 16]).unwrap(),
                hash: BlobHash::of(b"x"),
            },
        );
        let first = active.take_over(key).await;
        let second = async { active.take_over(key).await };
        let (first_ended, second) = tokio::join!(
            async {
                first.superseded.cancelled().await;
                drop(first);
                true
            },
            second
        );

        assert!(first_ended && !second.superseded.is_cancelled());
    }
}
