//! The planted bugs: the rules of `core/docs/sync.md`, each taken out in a few words.

mod device;
mod disks;
mod doors;
mod effects;
mod exchange;
mod feed;
mod judging;
mod late;
mod merge;
mod moves;
mod phone;
mod returning;
mod rights;
mod tray;

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
        phone::BUGS,
        doors::BUGS,
        returning::BUGS,
        tray::BUGS,
    ];
    all.into_iter().flatten().collect()
}
