//! Reproducible numbers: dice, identities, ID and phone numbers that no real person can have.
//!
//! Within one grid no ID number and no phone number repeats: both are permutations of the person's ordinal
//! (an ID number up to [`PEOPLE_PER_GRID`]). Nothing is remembered between grids, so people of different grids
//! may share an ID number: one in two hundred in a street of 190,000 households, hardly anyone in a few grids.

use uuid::{Builder, Uuid, Variant, Version};

use super::household::Sex;

/// Area codes that no edition of GB/T 2260 ever assigned: the first is local, the others are elsewhere.
pub const RESERVED_AREAS: [&str; 6] = ["610499", "419999", "519999", "629999", "149999", "429999"];

const DAYS: u64 = 365;
const SERIALS: u64 = 500;
/// How many people of one grid get an ID number of their own.
pub(super) const PEOPLE_PER_GRID: u64 = DAYS * SERIALS;
const PHONES: u64 = 100_000_000;
const MONTH_DAYS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Returns the check character of GB 11643 for the first 17 digits of an ID number, if they are digits.
pub fn check_digit(first_17: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    if first_17.len() != WEIGHTS.len() {
        return None;
    }
    let mut sum = 0;
    for (digit, weight) in first_17.chars().zip(WEIGHTS) {
        sum += digit.to_digit(10)? * weight;
    }
    "10X98765432".chars().nth((sum % 11) as usize)
}

/// Tells whether a mobile number lies in the range that is not in service.
pub fn is_reserved_phone(phone: &str) -> bool {
    phone.len() == 11 && phone.starts_with("154") && phone.bytes().all(|byte| byte.is_ascii_digit())
}

/// Mixes a word into a key; the finisher of splitmix64.
pub(super) fn mix(key: u64, word: u64) -> u64 {
    let mut z = (key ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// splitmix64: small, fast, the same on every machine.
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    pub(super) fn new(key: u64) -> Self {
        Self { state: key }
    }

    pub(super) fn roll(&mut self) -> u64 {
        let rolled = mix(self.state, 0);
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        rolled
    }

    /// Rolls 0 to `bound` - 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((self.roll() >> 32) * bound) >> 32
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most + 1 - least)
    }

    pub(super) fn chance(&mut self, per_10_000: u64) -> bool {
        self.below(10_000) < per_10_000
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).expect("below a length")]
    }

    /// Picks one of `from` by weight.
    pub(super) fn weigh<T: Copy>(&mut self, from: &[(T, u64)]) -> T {
        let mut rest = self.below(from.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in from {
            if rest < *weight {
                return *item;
            }
            rest -= weight;
        }
        from[0].0
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.roll(), self.roll());
        Builder::from_u128(u128::from(high) << 64 | u128::from(low))
            .with_variant(Variant::RFC4122)
            .with_version(Version::Custom)
            .into_uuid()
    }
}

/// A birth date and the ID number that goes with it.
pub(super) struct Birth {
    pub(super) date: String,
    pub(super) id_number: String,
}

/// Gives the person with this ordinal in a grid a birthday in `year` and an ID number.
pub(super) fn birth(area: &str, year: u64, sex: Sex, grid_key: u64, ordinal: u64) -> Birth {
    let slot = id_slot(grid_key, ordinal);
    let (month, day) = month_and_day(slot / SERIALS);
    let serial = slot % SERIALS * 2 + u64::from(sex == Sex::Male);
    let mut id_number = format!("{area}{year:04}{month:02}{day:02}{serial:03}");
    id_number.push(check_digit(&id_number).expect("seventeen digits"));
    Birth {
        date: format!("{year:04}-{month:02}-{day:02}"),
        id_number,
    }
}

pub(super) fn phone(grid_key: u64, ordinal: u64) -> String {
    let number = (grid_key % PHONES + ordinal % PHONES * 61_803_399) % PHONES;
    format!("154{number:08}")
}

/// A quadratic permutation of the slots: every prime factor of their number divides the square's coefficient.
fn id_slot(grid_key: u64, ordinal: u64) -> u64 {
    let x = ordinal % PEOPLE_PER_GRID;
    (grid_key % PEOPLE_PER_GRID + 77_777 * x + 730 * 97 * x * x) % PEOPLE_PER_GRID
}

/// The 29th of February is nobody's birthday: a day must exist in every year.
fn month_and_day(mut day: u64) -> (u64, u64) {
    for (month, days) in (1..).zip(MONTH_DAYS) {
        if day < days {
            return (month, day + 1);
        }
        day -= days;
    }
    (12, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digit_follows_the_example_of_the_standard() {
        assert_eq!(check_digit("11010519491231002"), Some('X'));
        assert_eq!(check_digit("44052418800101001"), Some('4'));
        assert_eq!(check_digit("1101051949123100"), None);
        assert_eq!(check_digit("1101051949123100x"), None);
    }

    #[test]
    fn slots_of_one_grid_are_a_permutation() {
        let mut slots: Vec<_> = (0..PEOPLE_PER_GRID)
            .map(|ordinal| id_slot(42, ordinal))
            .collect();

        slots.sort_unstable();

        assert!(slots.into_iter().eq(0..PEOPLE_PER_GRID));
    }

    #[test]
    fn days_of_the_year_run_from_new_year_to_its_eve() {
        assert_eq!(month_and_day(0), (1, 1));
        assert_eq!(month_and_day(58), (2, 28));
        assert_eq!(month_and_day(59), (3, 1));
        assert_eq!(month_and_day(364), (12, 31));
    }
}
