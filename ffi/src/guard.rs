//! The net under every call: a panic becomes an error, and work that waits has an owner.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, JoinError};

use crate::error::{Obstacle, PocketbookError, Result};

/// Does a piece of work; should it panic, that is an [`PocketbookError::Internal`].
///
/// Unwind safety holds by the core's own means: a transaction that is not committed is rolled
/// back, and no lock of the core minds being poisoned.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(PocketbookError::internal("panic")))
}

/// The threads of one book and the work under way on them. When it is dropped all of it ends at
/// its next pause.
pub(crate) struct Tasks {
    /// Always there but while being dropped.
    runtime: Option<Runtime>,
    /// What [`Tasks::cancel`] ends.
    asked: Mutex<Vec<AbortHandle>>,
    background: Mutex<Option<AbortHandle>>,
}

impl Tasks {
    pub(crate) fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("pocketbook")
            .enable_all()
            .build()
            .map_err(|_| PocketbookError::internal("no-threads"))?;
        Ok(Self {
            runtime: Some(runtime),
            asked: Mutex::default(),
            background: Mutex::default(),
        })
    }

    /// Does work that [`Self::cancel`] may end. Dropping the future that waits for it ends
    /// nothing: a screen that went away has not said "stop".
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let task = self.runtime()?.spawn(work);
        self.note(task.abort_handle());
        task.await.unwrap_or_else(|end| Err(ended(&end)))
    }

    fn note(&self, task: AbortHandle) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|earlier| !earlier.is_finished());
        asked.push(task);
    }

    /// Ends what was begun, between two of its steps.
    pub(crate) fn cancel(&self) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.drain(..).for_each(|task| task.abort());
    }

    /// Does work in the background, in the place of what was done there before.
    pub(crate) fn keep_doing(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let task = self.runtime()?.spawn(work).abort_handle();
        self.change_background(Some(task));
        Ok(())
    }

    /// Ends the work in the background.
    pub(crate) fn stop_doing(&self) {
        self.change_background(None);
    }

    fn change_background(&self, next: Option<AbortHandle>) {
        let mut background = self
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = std::mem::replace(&mut *background, next) {
            earlier.abort();
        }
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or(PocketbookError::Closed)
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        // The last owner may be one of these very threads, which could not wait for itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn ended(end: &JoinError) -> PocketbookError {
    if end.is_panic() {
        PocketbookError::internal("panic")
    } else {
        PocketbookError::Retry {
            why: Obstacle::Stopped,
            after_ms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_the_call() {
        let end: Result<()> = caught(|| panic!("planted"));

        assert_eq!(end, Err(PocketbookError::internal("panic")));
    }

    #[test]
    fn a_panic_in_work_that_waits_is_an_error_of_that_call_and_of_no_other() {
        let tasks = Tasks::new().unwrap();
        let waits = Builder::new_current_thread().build().unwrap();

        let planted: Result<()> = waits.block_on(tasks.carry_out(async { panic!("planted") }));
        let next = waits.block_on(tasks.carry_out(async { Ok(7) }));

        assert_eq!(planted, Err(PocketbookError::internal("panic")));
        assert_eq!(next, Ok(7));
    }

    #[test]
    fn the_last_owner_may_be_one_of_its_own_threads() {
        let tasks = std::sync::Arc::new(Tasks::new().unwrap());
        let (gone, goes) = std::sync::mpsc::channel();
        let owner = std::sync::Arc::clone(&tasks);

        tasks
            .keep_doing(async move {
                drop(owner);
                let _ = gone.send(());
            })
            .unwrap();
        drop(tasks);

        assert_eq!(goes.recv(), Ok(()));
    }
}
