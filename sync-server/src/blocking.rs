//! Work that blocks, within async code: a fsync, a password's hash, a file of a megabyte.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does blocking work on this thread. Where other threads of the runtime can take over what waits
/// behind it, they are told to; elsewhere (tests, simulations, subcommands) it is simply done, so
/// that a seed repeats a run.
pub(crate) fn may_block<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
