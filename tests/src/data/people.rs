//! Any number of households for a grid, in the form that `import-people` reads: one JSON line each.
//!
//! A household follows from (seed, grid, number) alone: asking for more extends what a smaller request gave,
//! and a bench, a test and the demo speak of the same people. Ages, relations, tenure and the frequency of
//! tags are plausible, not statistics. Rooms are filled building by building, so that neighbours are neighbours.
//!
//! Lines leave one by one; nothing is collected.

use super::circumstances::{Lives, health_note, household_tags, tags_of};
use super::family::{Member, bears_family_name, compose};
use super::household::{HouseholdFile, HouseholdLine, Person, Place, Registration, Tenure};
use super::names;
use super::numbers::{self, Dice, RESERVED_AREAS, mix};

const BUILDINGS_PER_COMPOUND: u64 = 12;

/// Ages are counted at the end of this year.
pub const REFERENCE_YEAR: u64 = 2024;

/// People are numbered within a grid by household and seat at its table.
const SEATS: u64 = 8;

const TENURES: [(Tenure, u64); 5] = [
    (Tenure::Own, 67),
    (Tenure::Rent, 22),
    (Tenure::Empty, 5),
    (Tenure::Lent, 4),
    (Tenure::Business, 2),
];

/// Yields the first `count` households of a grid.
pub fn households(
    seed: u64,
    grid: &str,
    count: usize,
) -> impl Iterator<Item = HouseholdLine> + use<> {
    let grid = GridSource::new(seed, grid);
    (0..count as u64).map(move |number| grid.household(number))
}

struct GridSource {
    code: String,
    key: u64,
}

impl GridSource {
    fn new(seed: u64, code: &str) -> Self {
        let key = code
            .bytes()
            .fold(mix(seed, 0), |key, byte| mix(key, u64::from(byte)));
        Self {
            code: code.to_owned(),
            key,
        }
    }

    fn household(&self, number: u64) -> HouseholdLine {
        let mut dice = Dice::new(mix(self.key, number));
        let id = dice.uuid();
        let tenure = dice.weigh(&TENURES);
        let elsewhere = match tenure {
            Tenure::Own => 800,
            Tenure::Rent | Tenure::Business => 6_000,
            Tenure::Empty | Tenure::Lent => 3_000,
        };
        let registration = if dice.chance(elsewhere) {
            Registration::Elsewhere
        } else {
            Registration::Here
        };
        let members = if tenure == Tenure::Empty {
            Vec::new()
        } else {
            compose(&mut dice)
        };
        let tags = household_tags(&mut dice, &members);
        let people = self.people(&mut dice, number, registration, &members);
        let household = HouseholdFile {
            id,
            place: self.place(number),
            tenure,
            registration,
            tags,
        };
        HouseholdLine {
            grid: self.code.clone(),
            household,
            people,
        }
    }

    fn place(&self, number: u64) -> Place {
        let (floors, doors, units) = if self.key.is_multiple_of(3) {
            (6, 2, 4)
        } else {
            (18, 4, 2)
        };
        let building = number / (floors * doors * units);
        let flat = number % (floors * doors * units);
        let (unit, floor, door) = (flat / (floors * doors), flat / doors % floors, flat % doors);
        Place {
            compound: names::compound_name(self.key, building / BUILDINGS_PER_COMPOUND),
            building: (building % BUILDINGS_PER_COMPOUND + 1).to_string(),
            unit: (unit + 1).to_string(),
            room: ((floor + 1) * 100 + door + 1).to_string(),
        }
    }

    fn people(
        &self,
        dice: &mut Dice,
        number: u64,
        registration: Registration,
        members: &[Member],
    ) -> Vec<Person> {
        let area = match registration {
            Registration::Here => RESERVED_AREAS[0],
            Registration::Elsewhere => dice.pick(&RESERVED_AREAS[1..]),
        };
        let family = names::surname(dice);
        let lives = Lives::of(registration, members);
        let mut people = Vec::with_capacity(members.len());
        for (seat, member) in (0..).zip(members) {
            let ordinal = number * SEATS + seat;
            let year = REFERENCE_YEAR - member.age;
            let birth = numbers::birth(area, year, member.sex, self.key, ordinal);
            let surname = if bears_family_name(member, members) {
                family
            } else {
                names::surname(dice)
            };
            let (tags, sensitive_tags) = tags_of(dice, member, &lives, &birth.id_number);
            people.push(Person {
                id: dice.uuid(),
                name: names::full_name(dice, surname, member.sex, year),
                relation: member.relation,
                sex: member.sex,
                birth: birth.date,
                phone: (member.age >= 12 && dice.chance(9_000))
                    .then(|| numbers::phone(self.key, ordinal)),
                id_number: dice
                    .chance(if member.age == 0 { 5_000 } else { 9_900 })
                    .then_some(birth.id_number),
                health: health_note(dice, member, &sensitive_tags),
                tags,
                sensitive_tags,
            });
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Relation, Sex, TagClass, check_digit, is_reserved_phone, tags};
    use super::*;

    const GRID: &str = "610402004001001";

    #[test]
    fn the_same_request_yields_the_same_people_and_another_seed_others() {
        let first: Vec<_> = households(7, GRID, 50).collect();

        assert!(households(7, GRID, 50).eq(first.iter().cloned()));
        assert!(households(8, GRID, 50).all(|line| {
            first
                .iter()
                .all(|known| known.household.id != line.household.id)
        }));
    }

    #[test]
    fn a_larger_request_extends_a_smaller_one() {
        let larger = households(7, GRID, 500).take(100);

        assert!(households(7, GRID, 100).eq(larger));
    }

    #[test]
    fn nothing_that_should_be_unique_repeats_in_20_000_households() {
        let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
        let (mut id_numbers, mut phones) = (BTreeSet::new(), BTreeSet::new());

        for line in households(7, GRID, 20_000) {
            assert!(ids.insert(line.household.id));
            assert!(places.insert(line.household.place));
            for person in line.people {
                assert!(ids.insert(person.id));
                assert!(
                    person
                        .id_number
                        .is_none_or(|number| id_numbers.insert(number))
                );
                assert!(person.phone.is_none_or(|phone| phones.insert(phone)));
            }
        }
        assert!(ids.iter().all(|id| id.get_version_num() == 8));
    }

    #[test]
    fn numbers_are_reserved_valid_and_agree_with_birth_and_sex() {
        for person in households(7, GRID, 5_000).flat_map(|line| line.people) {
            assert!(person.phone.is_none_or(|phone| is_reserved_phone(&phone)));
            let Some(number) = person.id_number else {
                continue;
            };
            assert!(RESERVED_AREAS.contains(&&number[..6]), "{number}");
            assert_eq!(number[6..14], person.birth.replace('-', ""));
            assert_eq!(
                number[16..17].parse::<u32>().map(|serial| serial % 2 == 1),
                Ok(person.sex == Sex::Male)
            );
            assert_eq!(check_digit(&number[..17]), number.chars().last());
        }
    }

    #[test]
    fn households_have_about_2_6_people_with_the_head_first() {
        let lines: Vec<_> = households(7, GRID, 20_000).collect();

        let people: usize = lines.iter().map(|line| line.people.len()).sum();

        assert!(
            (2 * 20_000 + 10_000..=2 * 20_000 + 14_000).contains(&people),
            "{people}"
        );
        for line in &lines {
            let heads = line
                .people
                .iter()
                .filter(|person| person.relation == Relation::Head)
                .count();
            assert_eq!(heads, usize::from(line.household.tenure != Tenure::Empty));
            assert!(
                line.people
                    .first()
                    .is_none_or(|person| person.relation == Relation::Head)
            );
        }
    }

    #[test]
    fn every_tag_is_in_the_catalogue_under_the_class_that_carries_it() {
        let catalogue = tags().expect("the stored tags read");
        let of_class = |class| -> BTreeSet<String> {
            catalogue
                .iter()
                .filter(|tag| tag.class == class)
                .map(|tag| tag.code.clone())
                .collect()
        };
        let (mut general, mut sensitive) = (BTreeSet::new(), BTreeSet::new());

        for line in households(7, GRID, 20_000) {
            general.extend(line.household.tags.into_keys());
            for person in line.people {
                general.extend(person.tags.into_keys());
                sensitive.extend(person.sensitive_tags.into_keys());
            }
        }

        assert_eq!(general, of_class(TagClass::General));
        assert_eq!(sensitive, of_class(TagClass::Sensitive));
    }

    #[test]
    fn a_line_survives_its_json() {
        for line in households(7, GRID, 200) {
            let json = serde_json::to_string(&line).expect("a line is plain data");
            assert_eq!(
                serde_json::from_str::<HouseholdLine>(&json).expect("and reads back"),
                line
            );
        }
    }
}
