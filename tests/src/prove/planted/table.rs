//! The planted bugs: the rules of `core/docs/sync.md`, each taken out in a few words.

mod device;
mod disks;
mod effects;
mod exchange;
mod feed;
mod judging;
mod late;
mod merge;
mod moves;
mod rights;

use super::Bug;

/// All of them.
pub(crate) fn table() -> Vec<&'static Bug> {
    let all = [
        merge::BUGS,
        rights::BUGS,
        judging::BUGS,
        effects::BUGS,
        exchange::BUGS,
        feed::BUGS,
        moves::BUGS,
        late::BUGS,
        device::BUGS,
        disks::BUGS,
    ];
    all.into_iter().flatten().collect()
}
