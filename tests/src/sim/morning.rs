//! Mornings: everybody has a phone that is enrolled and in step, and nothing has happened yet.
//!
//! To get there takes longer than most days do. So a morning is made once for each size of the
//! world and copied for each run, folders and all. Ids and keys are those of the morning; whatever
//! a day draws it draws from its own seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pocketbook_records::ids::{RecordId, UnitId, UserId};
use tempfile::TempDir;

use super::alone;
use super::cast::{Cast, Member, Size};
use crate::world::{Phone, World};

/// The clerk at the street's desk.
pub(super) const CLERK: &str = "陈";

/// No day has this seed.
const SEED: u64 = u64::MAX;

/// So many homes has a grid in which homes may move.
const HOMES: usize = 4;

/// A pair of grids with its homes.
#[derive(Debug, Clone)]
pub(super) struct Beat {
    pub(super) grid: UnitId,
    /// Where its head moves homes.
    pub(super) other: Option<UnitId>,
    pub(super) homes: Vec<RecordId>,
    pub(super) people: Vec<RecordId>,
    pub(super) cases: Vec<RecordId>,
    pub(super) knocks: BTreeMap<RecordId, u32>,
}

/// A world in which a day begins.
pub(super) struct Day {
    pub(super) world: World,
    pub(super) phones: Vec<Phone>,
    pub(super) beats: Vec<Beat>,
    pub(super) members: Vec<Member>,
    pub(super) grids: Vec<UnitId>,
}

/// A morning that was made, as it lies in its folder.
struct Morning {
    folder: PathBuf,
    cast: Cast,
    beats: Vec<Beat>,
    users: Vec<UserId>,
    grids: Vec<UnitId>,
}

/// The mornings that were made so far.
pub struct Mornings {
    /// In memory, where there is room: a disk's slowness shows nothing here, and power cuts have
    /// their own proof.
    place: TempDir,
    made: Mutex<BTreeMap<Size, Arc<OnceLock<Morning>>>>,
}

impl Default for Mornings {
    fn default() -> Self {
        let memory = Path::new("/dev/shm");
        let has_room = rustix::fs::statvfs(memory)
            .is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) > ROOM);
        let place = match has_room {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        Self {
            place: place.expect("a folder for worlds"),
            made: Mutex::default(),
        }
    }
}

/// So much room in memory is enough for some runs at once.
const ROOM: u64 = 2 << 30;

impl std::fmt::Debug for Mornings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mornings")
    }
}

impl Mornings {
    /// Begins a day: a copy of the morning of this size.
    pub(super) async fn day(&self, seed: u64, size: Size) -> Day {
        if size == Size::District {
            return made(self.place.path(), seed, size).await;
        }
        let made = Arc::clone(self.made().entry(size).or_default());
        made.get_or_init(|| Morning::make(self.place.path(), size))
            .begins(seed, self.place.path())
    }

    fn made(&self) -> std::sync::MutexGuard<'_, BTreeMap<Size, Arc<OnceLock<Morning>>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Morning {
    fn make(place: &Path, size: Size) -> Self {
        let day = alone(made(place, SEED, size));
        let folder = place.join(format!("morning-{size}"));
        for (who, phone) in day.phones.iter().enumerate() {
            phone.is_copied_to(&folder.join(who.to_string()));
        }
        day.world.town().is_copied_to(&folder.join("server"));
        Self {
            folder,
            cast: size.cast(),
            users: day.phones.iter().map(Phone::user).collect(),
            beats: day.beats,
            grids: day.grids,
        }
    }

    fn begins(&self, seed: u64, place: &Path) -> Day {
        let world = World::of_in(seed, &self.folder.join("server"), place);
        let mut phones = Vec::new();
        for (who, member) in self.cast.members.iter().enumerate() {
            let folder = self.folder.join(who.to_string());
            let device = format!("phone-{who}");
            phones.push(Phone::of_on(world.town(), &member.name, &device, &folder));
            if member.account == who {
                for grid in &member.grids {
                    world.has_duty(self.users[who], member.role, &self.grids[*grid]);
                }
            }
        }
        Day {
            world,
            phones,
            beats: self.beats.clone(),
            members: self.cast.members.clone(),
            grids: self.grids.clone(),
        }
    }
}

/// Makes a morning: the district is founded, homes are settled, everybody enrols and synchronises.
async fn made(place: &Path, seed: u64, size: Size) -> Day {
    let cast = size.cast();
    let world = match size {
        Size::Phones(_) => World::new_in(seed, place).await,
        Size::District => World::wide_in(seed, place).await,
    };
    let grids = cast.grids.unwrap_or_else(|| world.grids().to_vec());
    let mut phones: Vec<Phone> = Vec::new();
    for (who, member) in cast.members.iter().enumerate() {
        let device = format!("phone-{who}");
        if member.account != who {
            phones.push(world.another_device(&member.name, &device).await);
            continue;
        }
        let user = world.account_of_phone(&member.name).await;
        for grid in &member.grids {
            let grid = &grids[*grid];
            world.grant(user, &member.name, member.role, grid).await;
        }
        phones.push(world.another_device(&member.name, &device).await);
    }
    for (grid, other) in &cast.beats {
        let homes = if other.is_some() { HOMES } else { 1 };
        world.settle(&grids[*grid], homes).await;
    }
    world.street_desk(CLERK).await;
    let mut beats = Vec::new();
    for phone in &phones {
        phone.syncs().await;
    }
    for (number, (grid, other)) in cast.beats.iter().enumerate() {
        let mut here = cast.members.iter().zip(&phones);
        let only = |member: &Member| member.beats == [number];
        let (_, phone) = here
            .find(|(member, _)| only(member))
            .expect("somebody works in every beat");
        let homes = phone.flats();
        let people = homes.iter().flat_map(|home| phone.home(*home).people);
        beats.push(Beat {
            grid: grids[*grid].clone(),
            other: other.map(|other| grids[other].clone()),
            people: people.map(|file| file.person.id).collect(),
            homes,
            cases: Vec::new(),
            knocks: BTreeMap::new(),
        });
    }
    Day {
        world,
        phones,
        beats,
        members: cast.members,
        grids,
    }
}
