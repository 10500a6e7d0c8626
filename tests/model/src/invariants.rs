//! What must hold in every state, named after the invariants of `core/docs/sync.md` §8.

use stateright::Property;

use crate::heal::healed;
use crate::phone::Photo;
use crate::words::{Mid, Mids, Outcome};
use crate::world::{Play, World};

/// I3: what a cursor has passed is here.
pub const COMPLETE: &str = "I3: a scope is complete through its cursor";
/// I4: any number of deliveries has the effect of one.
pub const EFFECT_OF_ONE: &str = "I4: any number of deliveries has the effect of one";
/// I4: a repeat returns the same receipt.
pub const SAME_RECEIPT: &str = "I4: a repeat returns the same receipt";
/// I5: an outbox entry leaves only by its receipt.
pub const SETTLED_BY_RECEIPT: &str = "I5: an entry is settled only by a receipt naming it";
/// I7: nothing that was authored is nowhere.
pub const CONSERVED: &str = "I7: what was authored waits, is kept, or is in a backup";
/// I8: no value disappears unseen.
pub const NOTHING_OVERWRITTEN: &str = "I8: a value goes only by who had been shown it";
/// I8, the other way round: nobody is asked about what he had been shown.
pub const NOT_ASKED_AGAIN: &str = "I8: nobody is asked about what he was shown";
/// I11: nothing of a scope that is not granted is here.
pub const PURGED: &str = "I11: nothing outside the grants is on a phone";
/// I15: after contact with all phones everything acknowledged is there again.
pub const BROUGHT_BACK: &str = "I15: after contact with all phones all work is at the server";
/// I15: no revoke is undone.
pub const REVOKES_STAND: &str = "I15: no grant or revoke is undone";
/// I16: a file goes only when its photo is durable.
pub const PHOTO_KEPT: &str = "I16: a photo is on its phone or in a backup";
/// I20: equal when caught up.
pub const EQUAL: &str = "I20: once all is delivered phones equal the server";
/// I21: an accepted edit never flickers back.
pub const NO_FLICKER: &str = "I21: an accepted own edit never flickers back";
/// I27: no commit number means two histories.
pub const ONE_BODY: &str = "I27: a rev names one body";

/// Returns all of them.
pub fn all() -> Vec<Property<Play>> {
    vec![
        Property::always(COMPLETE, complete),
        Property::always(EFFECT_OF_ONE, effect_of_one),
        Property::always(SAME_RECEIPT, same_receipt),
        Property::always(SETTLED_BY_RECEIPT, settled_by_receipt),
        Property::always(CONSERVED, conserved),
        Property::always(NOTHING_OVERWRITTEN, nothing_overwritten),
        Property::always(NOT_ASKED_AGAIN, nobody_asked_again),
        Property::always(PURGED, purged),
        Property::always(BROUGHT_BACK, brought_back),
        Property::always(REVOKES_STAND, revokes_stand),
        Property::always(PHOTO_KEPT, photo_kept),
        Property::always(EQUAL, equal),
        Property::always(NO_FLICKER, no_flicker),
        Property::always(ONE_BODY, one_body),
    ]
}

fn complete(_: &Play, world: &World) -> bool {
    let server = &world.server;
    let mut phones = world
        .phones
        .iter()
        .filter(|phone| phone.lost == server.lost);
    phones.all(|phone| {
        let mut scopes = server.database.records.iter().enumerate();
        scopes.all(|(scope, record)| {
            let is_told = record.row.rev <= phone.cursors[scope];
            !is_told || phone.mirror[scope] == Some(record.row)
        })
    })
}

fn effect_of_one(_: &Play, world: &World) -> bool {
    let database = &world.server.database;
    let words = database.receipts.iter().flatten().flatten();
    let taken = words
        .filter(|receipt| receipt.outcome != Outcome::Parked)
        .count();
    let visits = database
        .records
        .iter()
        .map(|record| usize::from(record.row.visits));
    visits.sum::<usize>() == taken
}

fn same_receipt(_: &Play, world: &World) -> bool {
    let mut settled = world
        .phones
        .iter()
        .flat_map(|phone| phone.own.iter().flatten());
    settled.all(|own| {
        let here = own
            .receipt
            .filter(|receipt| !world.server.lost.holds(receipt.commit));
        let there = world.server.database.receipt(own.mutation.mid);
        here.is_none() || there.is_none() || here == there
    })
}

fn settled_by_receipt(_: &Play, world: &World) -> bool {
    let mut entries = world
        .phones
        .iter()
        .flat_map(|phone| phone.own.iter().flatten());
    entries.all(|own| {
        let is_lost = own
            .receipt
            .is_some_and(|receipt| world.server.lost.holds(receipt.commit));
        let there = world.server.database.receipt(own.mutation.mid);
        !own.is_settled || is_lost || there.is_some()
    })
}

fn conserved(_: &Play, world: &World) -> bool {
    world.phones.iter().all(|phone| {
        let kept = Mids::default().and(phone.own.iter().flatten().map(|own| own.mutation.mid));
        let mut authored = phone.written.iter().flat_map(|mids| mids.iter());
        authored.all(|mid| kept.has(mid) || world.server.backup.receipt(mid).is_some())
    })
}

/// Every value that the server has taken is stored, in a review, or parked, or was shown to the
/// author of such a one, or to the author of one that was shown to him, and so on.
fn nothing_overwritten(_: &Play, world: &World) -> bool {
    let database = &world.server.database;
    let authored = world.phones.iter().flat_map(|phone| phone.written);
    let authored = authored.fold(Mids::default(), Mids::with);
    let word = |mid: Mid| database.receipt(mid).map(|receipt| receipt.outcome);
    let parked = authored
        .iter()
        .filter(|mid| word(*mid) == Some(Outcome::Parked));
    let held = database
        .records
        .iter()
        .map(|record| record.row.review.and([record.row.value]));
    let mut kept = held.fold(Mids::default().and(parked), Mids::with);
    for _ in authored.iter() {
        let shown = kept.iter().map(|value| world.shown[value.index()]);
        kept = shown.fold(kept, Mids::with);
    }
    authored
        .iter()
        .all(|mid| word(mid).is_none() || kept.has(mid))
}

fn purged(_: &Play, world: &World) -> bool {
    world.phones.iter().all(|phone| {
        let (_, grants) = phone.heard;
        let mut rows = phone.mirror.iter().enumerate();
        let shown = phone.screen.is_none_or(|screen| grants.has(screen.scope));
        shown && rows.all(|(scope, row)| row.is_none() || grants.has(scope))
    })
}

fn revokes_stand(_: &Play, world: &World) -> bool {
    world.server.database.grants == world.server.outside_log
}

fn photo_kept(_: &Play, world: &World) -> bool {
    let backed_up = &world.server.backup.photos;
    world
        .phones
        .iter()
        .zip(backed_up)
        .all(|(phone, backed_up)| {
            let mut photos = phone.photos.iter().zip(backed_up);
            photos.all(|(photo, backup)| *photo != Photo::Dropped || backup.is_some())
        })
}

fn no_flicker(_: &Play, world: &World) -> bool {
    world.phones.iter().all(|phone| {
        let taken = phone
            .own
            .iter()
            .flatten()
            .filter(|own| own.is_settled && !own.is_overlaid);
        taken.into_iter().all(|own| {
            let row = phone.mirror[own.mutation.scope];
            let read = phone.cursors[own.mutation.scope];
            let is_read = own.receipt.is_some_and(|receipt| receipt.commit <= read);
            row.is_none() || is_read
        })
    })
}

fn one_body(_: &Play, world: &World) -> bool {
    let bodies = [&world.server.database, &world.server.backup].map(|database| database.records);
    (0..bodies[0].len()).all(|scope| {
        let of_phones = world.phones.iter().filter_map(|phone| phone.mirror[scope]);
        let mut known: Vec<_> = bodies.iter().map(|records| records[scope].row).collect();
        known.extend(of_phones);
        let differ = |one: usize, other: usize| {
            known[one].rev == known[other].rev && known[one] != known[other]
        };
        !(0..known.len()).any(|one| (0..one).any(|other| differ(one, other)))
    })
}

fn brought_back(play: &Play, world: &World) -> bool {
    let Some(world) = healed(play, world) else {
        return true;
    };
    world.phones.iter().all(|phone| {
        let mut authored = phone.written.iter().flat_map(|mids| mids.iter());
        let waits = phone.own.iter().flatten().any(|own| !own.is_settled);
        !waits && authored.all(|mid| world.server.database.receipt(mid).is_some())
    })
}

fn equal(play: &Play, world: &World) -> bool {
    let Some(world) = healed(play, world) else {
        return true;
    };
    world.phones.iter().enumerate().all(|(at, phone)| {
        let mut rows = phone
            .mirror
            .iter()
            .zip(&world.server.database.records)
            .enumerate();
        rows.all(|(scope, (row, record))| {
            let is_granted = world.server.database.grants[at].has(scope);
            *row == is_granted.then_some(record.row)
        })
    })
}

/// Nobody is asked to choose between a value and what its author was shown, unless the word on it
/// was lost before its own author heard it: her work comes as if for the first time. A review that
/// was lost comes back candidate by candidate, so all phones must have been heard.
///
/// Two questions are put up with. A stamp knows its own author's screen and not whose screens had
/// led to that; and a second restore finds in the receipts only where the first one had them
/// decided anew.
fn nobody_asked_again(play: &Play, world: &World) -> bool {
    let Some(world) = healed(play, world).filter(|world| world.server.lost.epoch() < 2) else {
        return true;
    };
    let knew = |one: Mid, other: Mid| one == other || world.shown[one.index()].has(other);
    let are_strangers = |one: Mid, other: Mid| !knew(one, other) && !knew(other, one);
    let mut reviews = world
        .server
        .database
        .records
        .iter()
        .map(|record| record.row.review);
    reviews.all(|review| {
        let values = || review.iter().filter(|mid| *mid != Mid::NONE);
        let has_stranger = |one: Mid| values().any(|other| are_strangers(one, other));
        let has_unheard = values().any(|mid| world.unheard.has(mid));
        review.is_empty() || has_unheard || values().any(has_stranger)
    })
}
