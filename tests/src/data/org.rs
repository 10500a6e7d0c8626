//! The district's organisation in the form that `import-org` reads.
//!
//! Streets and communities are real, grids and workers are a sample in the real proportions: 606 of 886 grids
//! have a head and nobody else, 42 have a head and at least two workers.

use std::path::PathBuf;

use pocketbook_records::rights::Role;
use serde::{Deserialize, Serialize};

use super::files::{DataError, data_folder, read_json};

/// The whole organisation of one district.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgFile {
    /// The district itself.
    pub district: District,
    /// Everything below it, parents first.
    pub units: Vec<OrgUnit>,
    /// The people who work in the grids.
    pub workers: Vec<Worker>,
}

/// A district (区).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct District {
    /// Six digits of GB/T 2260.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// 街道.
    Street,
    /// 社区.
    Community,
    /// 网格.
    Grid,
    /// A desk or a handling unit (处置单位).
    Unit,
}

/// One unit of the district.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgUnit {
    /// The business key.
    pub code: String,
    /// What it is.
    pub level: Level,
    /// Its name.
    pub name: String,
    /// Code of the unit above.
    pub parent: String,
    /// What a grid consists of, such as 居民小区.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The middle of a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Center>,
}

/// A point in 1e-7 degrees, WGS-84.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Center {
    /// Latitude.
    pub lat_e7: i64,
    /// Longitude.
    pub lon_e7: i64,
}

/// A person with a role in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// The staff number.
    pub number: String,
    /// The name.
    pub name: String,
    /// What the person does.
    pub role: Role,
    /// Code of the unit, a grid for grid workers and heads.
    pub unit: String,
    /// The mobile phone.
    pub phone: String,
}

/// Returns the path of the stored organisation.
pub fn org_path() -> PathBuf {
    data_folder().join("org/qindu.json")
}

impl OrgFile {
    /// Reads the stored organisation of Qindu.
    pub fn read() -> Result<Self, DataError> {
        read_json(&org_path())
    }

    /// Returns the units of one level, in file order.
    pub fn units_at(&self, level: Level) -> impl Iterator<Item = &OrgUnit> {
        self.units.iter().filter(move |unit| unit.level == level)
    }

    /// Returns all grids.
    pub fn grids(&self) -> impl Iterator<Item = &OrgUnit> {
        self.units_at(Level::Grid)
    }

    /// Finds two grids of homes in one community that both have a head and two workers.
    pub fn neighbours(&self) -> Option<[OrgUnit; 2]> {
        self.units_at(Level::Community).find_map(|community| {
            let of_community = self
                .grids_with_team(2)
                .filter(|grid| grid.parent == community.code);
            let has_homes = |grid: &&OrgUnit| grid.kind.as_deref() == Some("居民小区");
            let mut grids = of_community.filter(has_homes).cloned();
            Some([grids.next()?, grids.next()?])
        })
    }

    /// Returns the people of one unit.
    pub fn workers_of<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = &'a Worker> {
        self.workers
            .iter()
            .filter(move |worker| worker.unit == unit)
    }

    /// Returns the head of a grid.
    pub fn head_of<'a>(&'a self, grid: &'a str) -> Option<&'a Worker> {
        self.workers_of(grid)
            .find(|worker| worker.role == Role::GridHead)
    }

    /// Returns the grids that have a head and at least `workers` grid workers beside.
    pub fn grids_with_team(&self, workers: usize) -> impl Iterator<Item = &OrgUnit> {
        self.grids().filter(move |grid| {
            let hands = self
                .workers_of(&grid.code)
                .filter(|worker| worker.role == Role::GridWorker)
                .count();
            hands >= workers && self.head_of(&grid.code).is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::is_reserved_phone;
    use super::*;

    fn qindu() -> OrgFile {
        OrgFile::read().expect("the stored organisation reads")
    }

    #[test]
    fn qindu_has_the_counts_of_its_own_description() {
        let org = qindu();

        assert_eq!(org.units_at(Level::Street).count(), 9);
        assert_eq!(org.units_at(Level::Community).count(), 103);
        assert_eq!(org.grids().count(), 886);
        assert_eq!(org.workers.len(), 1212);
        assert!(
            org.grids()
                .all(|grid| grid.kind.is_some() && grid.center.is_some())
        );
    }

    #[test]
    fn parents_come_before_their_children_and_codes_do_not_repeat() {
        let org = qindu();
        let mut seen = BTreeSet::from([org.district.code.as_str()]);

        for unit in &org.units {
            assert!(
                seen.contains(unit.parent.as_str()),
                "{} has no parent yet",
                unit.code
            );
            assert!(seen.insert(&unit.code), "{} repeats", unit.code);
        }
    }

    #[test]
    fn every_worker_has_a_unit_and_a_reserved_phone() {
        let org = qindu();
        let codes: BTreeSet<_> = org.units.iter().map(|unit| unit.code.as_str()).collect();

        for worker in &org.workers {
            assert!(codes.contains(worker.unit.as_str()), "{}", worker.number);
            assert!(is_reserved_phone(&worker.phone), "{}", worker.number);
        }
    }

    #[test]
    fn every_grid_has_a_head_and_some_have_two_workers_beside() {
        let org = qindu();

        assert_eq!(org.grids_with_team(0).count(), 886);
        assert_eq!(org.grids_with_team(2).count(), 42);
    }
}
