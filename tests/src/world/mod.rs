//! The world in which Pocketbook is tested: a district, its server, phones and desks, all real and
//! in one process; only the surroundings are played.
//!
//! # One story
//! ```no_run
//! # use pocketbook_tests::world::World;
//! # async fn story() {
//! let world = World::new(7).await;
//! let grid = world.grid(0);
//! world.settle(&grid, 40).await;
//! let wang = world.worker("王", &grid).await;
//! wang.syncs().await;
//! let flat = wang.flat(0);
//! wang.offline();
//! wang.visits(flat, "一切正常");
//! wang.online();
//! wang.syncs().await;
//! world.check(&[&wang]).await;
//! # }
//! ```
//!
//! # The rooms
//! - [`town`]: the server behind its real router, and the operator's commands.
//! - [`phone`]: an account on a device and its lives; [`people`]: what a worker does with it, in
//!   the words of the trade.
//! - [`desk`]: whoever works at a desk, over HTTP; [`client`]: requests by hand.
//! - [`seams`]: true time and wrong clocks, chance by seed, storage that runs full. [`network`]:
//!   the line; [`faults`]: what may happen on it.
//! - [`check`]: the oracle. It works out for itself what each phone must hold and compares record
//!   by record.
//! - [`handmade`]: a phone that sends whatever a test writes, for the bad inputs.
//!
//! # What it promises
//! A seed repeats a world: time moves only when someone moves it, ids and secrets come from the
//! seed, nothing sleeps, no port is bound, no order between tests matters.

pub mod check;
pub mod client;
pub mod desk;
pub mod faults;
pub mod handmade;
pub mod network;
pub mod people;
pub mod phone;
pub mod pictures;
pub mod seams;
pub mod town;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::invitation::Invitation;
use pocketbook_records::rights::Role;
use pocketbook_records::time::Millis;
use pocketbook_server::admin::wire::{Command, Outcome};

pub use self::check::Comparison;
pub use self::client::{Client, Reply};
pub use self::desk::Desk;
pub use self::faults::{Fault, On};
pub use self::handmade::HandMade;
pub use self::network::Line;
pub use self::phone::{Phone, files_with};
pub use self::town::Town;
use crate::data::{Layer, Level, OrgFile, OrgUnit, PartFile, households, parts};

/// So long is an hour.
pub const HOUR: Millis = 3_600_000;

/// A district in which a story happens.
#[derive(Debug)]
pub struct World {
    town: Arc<Town>,
    street: UnitId,
    community: UnitId,
    grids: Vec<UnitId>,
    org: OrgFile,
}

/// How much of the district there is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Community,
    District,
}

impl World {
    /// Founds the district: one real street with one community and its grids, the desks and
    /// handling units, and nobody in it yet.
    pub async fn new(seed: u64) -> Self {
        Self::within(Town::found(seed), Reach::Community).await
    }

    /// The same, with its folder in this one.
    pub async fn new_in(seed: u64, place: &Path) -> Self {
        Self::within(Town::found_in(seed, place), Reach::Community).await
    }

    /// Founds a district with the whole of it: nine streets with all their grids.
    pub async fn wide(seed: u64) -> Self {
        Self::within(Town::found(seed), Reach::District).await
    }

    /// The same, with its folder in this one.
    pub async fn wide_in(seed: u64, place: &Path) -> Self {
        Self::within(Town::found_in(seed, place), Reach::District).await
    }

    async fn within(town: Town, reach: Reach) -> Self {
        let world = Self::around(town, reach);
        let line = serde_json::to_string(&world.org).expect("the organisation is plain data");
        world.town.does(Command::ImportOrg, vec![line]).await;
        world
    }

    /// Opens the district of a data directory that an earlier world left.
    pub fn of(seed: u64, data: &Path) -> Self {
        Self::around(Town::of(seed, data), Reach::Community)
    }

    /// The same, with its folder in this one.
    pub fn of_in(seed: u64, data: &Path, place: &Path) -> Self {
        Self::around(Town::of_in(seed, data, place), Reach::Community)
    }

    fn around(town: Town, reach: Reach) -> Self {
        static STORED: LazyLock<OrgFile> =
            LazyLock::new(|| OrgFile::read().expect("the stored organisation reads"));
        let stored = &*STORED;
        let first = stored.grids_with_team(2).next();
        let community = first.expect("a grid with a team").parent.clone();
        let street = community[..9].to_owned();
        let is_there = |unit: &&OrgUnit| match unit.level {
            _ if reach == Reach::District => true,
            Level::Street => unit.code == street,
            Level::Community => unit.code == community,
            Level::Grid => unit.parent == community,
            Level::Unit => unit.parent == street || unit.parent == stored.district.code,
        };
        let org = OrgFile {
            district: stored.district.clone(),
            units: stored.units.iter().filter(is_there).cloned().collect(),
            workers: Vec::new(),
        };
        let grids = org
            .grids()
            .filter(|grid| grid.parent == community)
            .map(|grid| UnitId::from(grid.code.as_str()))
            .collect();
        Self {
            town: Arc::new(town),
            street: UnitId(street),
            community: UnitId(community),
            grids,
            org,
        }
    }

    /// Returns the town.
    pub fn town(&self) -> &Arc<Town> {
        &self.town
    }

    /// Returns a grid of the community.
    pub fn grid(&self, n: usize) -> UnitId {
        self.grids[n].clone()
    }

    /// Returns all grids of the community.
    pub fn grids(&self) -> &[UnitId] {
        &self.grids
    }

    /// Returns the street.
    pub fn street(&self) -> UnitId {
        self.street.clone()
    }

    /// Returns the community.
    pub fn community(&self) -> UnitId {
        self.community.clone()
    }

    /// Returns a community of the same street, in a wide world.
    pub fn sibling_community(&self) -> UnitId {
        let mut others = self.org.units.iter().filter(|unit| {
            unit.level == Level::Community
                && unit.parent == self.street.0
                && unit.code != self.community.0
        });
        let other = others.next().expect("a street has several communities");
        UnitId::from(other.code.as_str())
    }

    /// Returns a grid of a street, in a wide world.
    pub fn grid_of(&self, street: &UnitId) -> UnitId {
        let mut grids = self.org.grids();
        let grid = grids.find(|grid| grid.code.starts_with(&street.0));
        UnitId::from(grid.expect("a street has grids").code.as_str())
    }

    /// Returns the unit that mends what is broken in the streets.
    pub fn menders(&self) -> UnitId {
        UnitId::from("U-municipal")
    }

    /// Lets time pass.
    pub fn hours_pass(&self, hours: i64) {
        self.town.time.passes(hours * HOUR);
    }

    /// Imports the files of so many generated households of a grid.
    pub async fn settle(&self, grid: &UnitId, count: usize) {
        let lines = households(self.town.seed, &grid.0, count);
        let lines = lines.map(|line| serde_json::to_string(&line).expect("a line is plain data"));
        self.town.does(Command::ImportPeople, lines.collect()).await;
    }

    /// Publishes the stored pocket book, or what a test made of it.
    pub async fn publishes(&self, mut edit: impl FnMut(&mut PartFile)) -> Outcome {
        let mut files = parts().expect("the stored book reads");
        files.iter_mut().for_each(&mut edit);
        let lines = files
            .iter()
            .filter_map(|file| self.book_line(file))
            .collect();
        self.town.does(Command::PublishBook, lines).await
    }

    /// A file of the book as `publish-book` hands it on; none for other streets and communities.
    fn book_line(&self, file: &PartFile) -> Option<String> {
        use pocketbook_server::book::folder::{Layer as For, PartFile as Line};
        let layer = match &file.layer {
            Layer::District => For::District,
            Layer::Street(code) if *code == self.street.0 => For::Street(code.clone()),
            Layer::Community(code) if *code == self.community.0 => For::Community(code.clone()),
            _ => return None,
        };
        let text = serde_json::to_string(&file.part).expect("a part is plain data");
        let line = Line {
            layer,
            name: file.part.part.clone(),
            text,
        };
        Some(serde_json::to_string(&line).expect("a line is plain data"))
    }

    /// A grid worker with an enrolled phone, not yet synced.
    pub async fn worker(&self, name: &str, grid: &UnitId) -> Phone {
        self.with_phone(name, Role::GridWorker, grid).await
    }

    /// A grid head with an enrolled phone, who may sit down at a desk too.
    pub async fn head(&self, name: &str, grid: &UnitId) -> Phone {
        self.with_phone(name, Role::GridHead, grid).await
    }

    /// Somebody of any role with an enrolled phone.
    pub async fn with_phone(&self, name: &str, role: Role, unit: &UnitId) -> Phone {
        let user = self.account(name).await;
        self.grant(user, name, role, unit).await;
        let phone = Phone::new(&self.town, name, "phone");
        phone.enrols(&self.code(name).await.code).await;
        phone
    }

    /// One more device of somebody who has an account, enrolled.
    pub async fn another_device(&self, name: &str, device: &str) -> Phone {
        let phone = Phone::new(&self.town, name, device);
        phone.enrols(&self.code(name).await.code).await;
        phone
    }

    /// A clerk of the street's desk, signed in.
    pub async fn street_desk(&self, name: &str) -> Desk {
        let street = self.street();
        self.at_desk(name, Role::StreetDesk, &street).await
    }

    /// Somebody of any role, signed in at a desk.
    pub async fn at_desk(&self, name: &str, role: Role, unit: &UnitId) -> Desk {
        let user = self.account(name).await;
        self.grant(user, name, role, unit).await;
        self.signs_in(name).await
    }

    /// Somebody who has an account signs in at a desk.
    pub async fn signs_in(&self, name: &str) -> Desk {
        Desk::sign_in(
            Client::unknown(Arc::clone(&self.town)),
            name,
            town::PASSWORD,
        )
        .await
    }

    /// Opens an account.
    pub async fn account(&self, name: &str) -> UserId {
        self.opens_account(name, Some(town::PASSWORD)).await
    }

    /// Opens an account of somebody who never sits down at a desk.
    pub async fn account_of_phone(&self, name: &str) -> UserId {
        self.opens_account(name, None).await
    }

    async fn opens_account(&self, name: &str, password: Option<&str>) -> UserId {
        let command = Command::AddUser {
            login: name.to_owned(),
            name: name.to_owned(),
            number: None,
            password: password.map(str::to_owned),
        };
        match self.town.does(command, Vec::new()).await {
            Outcome::User { id } => id,
            other => panic!("{other:?}"),
        }
    }

    /// Gives a duty, from now on.
    pub async fn grant(&self, user: UserId, name: &str, role: Role, unit: &UnitId) {
        let command = Command::Grant {
            user: name.to_owned(),
            role,
            unit: unit.0.clone(),
            from: None,
            until: None,
        };
        self.town.does(command, Vec::new()).await;
        self.town.posts(user, role, unit);
    }

    /// Notes a duty that somebody has in a district that was copied.
    pub fn has_duty(&self, user: UserId, role: Role, unit: &UnitId) {
        self.town.posts(user, role, unit);
    }

    /// Ends a duty, now.
    pub async fn revoke(&self, phone: &Phone, role: Role, unit: &UnitId) {
        let user = phone.name().to_owned();
        let command = Command::Revoke {
            user,
            role,
            unit: unit.0.clone(),
        };
        self.town.does(command, Vec::new()).await;
        self.town.recalls(phone.user(), role, unit);
    }

    /// Invites a new phone with a one-time code.
    pub async fn code(&self, name: &str) -> Invitation {
        let command = Command::EnrolCode {
            user: name.to_owned(),
            url: Some("https://qindu.example".to_owned()),
            trust: None,
        };
        match self.town.does(command, Vec::new()).await {
            Outcome::Code(code) => code.invitation,
            other => panic!("{other:?}"),
        }
    }

    /// Compares the server and these phones, and fails the test if they differ.
    pub async fn check(&self, phones: &[&Phone]) -> Comparison {
        let comparison = check::compare(&self.town, phones).await;
        assert!(
            comparison.differences.is_empty(),
            "{:#?}",
            comparison.differences
        );
        comparison
    }
}
