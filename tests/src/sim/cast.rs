//! Who has a phone in a run, and at which grids.
//!
//! A run has 2 to 12 phones, most have few; named runs have more. The grids come in pairs, the
//! beats: workers have the first of a pair, its head has both and moves homes between them, and a
//! supervisor has all. Some accounts have two phones.

use std::fmt;

use pocketbook_records::ids::UnitId;
use pocketbook_records::rights::Role;

use super::tape::Dice;
use crate::data::OrgFile;

/// Somebody with a phone, by number.
pub type Who = usize;

/// What the oracle may expect of somebody's duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A worker whose grid may be taken and given back.
    Roams,
    /// A worker who keeps his grid, while homes may leave it.
    Stays,
    /// A head or supervisor, who keeps every grid to which a home of his may go.
    Holds,
}

/// Somebody with a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub name: String,
    /// The first phone of the account: this one, unless it is a second phone.
    pub account: Who,
    /// What he is at his grids.
    pub role: Role,
    /// The grids, by their place in the cast's list.
    pub grids: Vec<usize>,
    /// The beats in which he works.
    pub beats: Vec<usize>,
    /// What may be expected of his duties.
    pub standing: Standing,
}

/// How many phones there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// So many, in one community.
    Phones(usize),
    /// One for each worker and head of the district: 1,212 in 886 grids.
    District,
}

/// All who have a phone.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The people, one for each phone.
    pub members: Vec<Member>,
    /// For each beat its grid, and the one to which its homes may move.
    pub beats: Vec<(usize, Option<usize>)>,
    /// The grids, if they are others than the community's.
    pub grids: Option<Vec<UnitId>>,
}

/// A community has grids for so many beats.
const MOST_BEATS: usize = 6;
/// From so many phones on there is a supervisor.
const SUPERVISED: usize = 6;

impl Size {
    /// Draws the size of a run: mostly small, since few phones in one grid meet most.
    pub fn drawn(dice: &mut Dice) -> Self {
        Self::Phones(match dice.below(10) {
            0..=4 => 2,
            5..=6 => 3,
            7 => 4,
            8 => 5 + dice.below(2),
            _ => 7 + dice.below(6),
        })
    }

    /// Returns how many phones there are.
    pub fn phones(self) -> usize {
        match self {
            Self::Phones(phones) => phones,
            Self::District => self.cast().members.len(),
        }
    }

    /// Returns who they are.
    pub fn cast(self) -> Cast {
        match self {
            Self::Phones(phones) => of_community(phones),
            Self::District => of_district(),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phones(phones) => write!(f, "{phones} phones"),
            Self::District => f.write_str("the whole district"),
        }
    }
}

fn of_community(phones: usize) -> Cast {
    let beats = phones.div_ceil(5).min(MOST_BEATS);
    let mut members: Vec<Member> = (0..phones)
        .map(|who| in_beat(who, who % beats, who / beats, beats))
        .collect();
    if phones >= SUPERVISED {
        members[phones - 1] = Member {
            name: "督导".to_owned(),
            account: phones - 1,
            role: Role::GridHead,
            grids: (0..2 * beats).collect(),
            beats: (0..beats).collect(),
            standing: Standing::Holds,
        };
    }
    Cast {
        members,
        beats: (0..beats)
            .map(|beat| (2 * beat, Some(2 * beat + 1)))
            .collect(),
        grids: None,
    }
}

/// Casts the phone at a place in its beat: the worker, the head, another worker, and then second
/// phones of the first two before there are more workers.
fn in_beat(who: Who, beat: usize, place: usize, beats: usize) -> Member {
    let is_head = matches!(place, 1 | 4);
    let account = match place {
        3 => beat,
        4 => beats + beat,
        _ => who,
    };
    let (first, other) = (2 * beat, 2 * beat + 1);
    Member {
        name: name(account),
        account,
        role: if is_head {
            Role::GridHead
        } else {
            Role::GridWorker
        },
        grids: if is_head {
            vec![first, other]
        } else {
            vec![first]
        },
        beats: vec![beat],
        standing: match place {
            0 | 3 => Standing::Roams,
            _ if is_head => Standing::Holds,
            _ => Standing::Stays,
        },
    }
}

fn of_district() -> Cast {
    let org = OrgFile::read().expect("the stored organisation reads");
    let grids: Vec<UnitId> = org
        .grids()
        .map(|grid| UnitId::from(grid.code.as_str()))
        .collect();
    let members = org.workers.iter().enumerate().map(|(who, worker)| {
        let mut places = grids.iter();
        let grid = places.position(|grid| grid.0 == worker.unit);
        let grid = grid.expect("workers work in grids");
        Member {
            name: worker.number.clone(),
            account: who,
            role: worker.role,
            grids: vec![grid],
            beats: vec![grid],
            standing: match worker.role {
                Role::GridHead => Standing::Holds,
                _ => Standing::Stays,
            },
        }
    });
    Cast {
        members: members.collect(),
        beats: (0..grids.len()).map(|grid| (grid, None)).collect(),
        grids: Some(grids),
    }
}

fn name(account: Who) -> String {
    const FAMILIES: [&str; 12] = [
        "王", "赵", "李", "孙", "周", "吴", "郑", "冯", "褚", "卫", "蒋", "沈",
    ];
    let family = FAMILIES[account % FAMILIES.len()];
    match account / FAMILIES.len() {
        0 => family.to_owned(),
        more => format!("{family}{more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_beat_has_a_worker_and_a_head_at_every_size() {
        for phones in 2..=50 {
            let cast = Size::Phones(phones).cast();
            assert_eq!(cast.members.len(), phones);
            for beat in 0..cast.beats.len() {
                let here = || cast.members.iter().filter(|one| one.beats.contains(&beat));
                assert!(here().any(|one| one.role == Role::GridWorker), "{phones}");
                assert!(
                    here().any(|one| one.standing == Standing::Holds),
                    "{phones}"
                );
            }
        }
    }

    #[test]
    fn the_district_has_a_phone_for_everyone_in_its_grids() {
        let cast = Size::District.cast();
        assert_eq!((cast.members.len(), cast.beats.len()), (1_212, 886));
    }
}
