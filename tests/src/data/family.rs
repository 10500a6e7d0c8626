//! Who lives together: sizes, ages and relations that occur in a real house.

use super::household::{Relation, Sex};
use super::numbers::Dice;

/// A person before names and numbers.
pub(super) struct Member {
    pub(super) relation: Relation,
    pub(super) sex: Sex,
    pub(super) age: u64,
}

const SIZES: [(usize, u64); 6] = [(1, 21), (2, 28), (3, 23), (4, 16), (5, 8), (6, 4)];
const HEAD_AGES: [((u64, u64), u64); 5] = [
    ((22, 34), 16),
    ((35, 49), 30),
    ((50, 64), 27),
    ((65, 79), 20),
    ((80, 97), 7),
];

/// Draws the members of a household, the head first.
pub(super) fn compose(dice: &mut Dice) -> Vec<Member> {
    let size = dice.weigh(&SIZES);
    let (youngest, oldest) = dice.weigh(&HEAD_AGES);
    let age = dice.between(youngest, oldest);
    let sex = if dice.chance(6_800) {
        Sex::Male
    } else {
        Sex::Female
    };
    let mut members = Vec::with_capacity(size);
    members.push(Member {
        relation: Relation::Head,
        sex,
        age,
    });
    if size > 1 && dice.chance(8_800) {
        let age = dice.between((age - 4).max(21), age + 4);
        members.push(Member {
            relation: Relation::Spouse,
            sex: sex.other(),
            age,
        });
    }
    while members.len() < size {
        let next = next_member(dice, &members);
        members.push(next);
    }
    members
}

fn next_member(dice: &mut Dice, members: &[Member]) -> Member {
    let head = &members[0];
    let count = |relation| {
        members
            .iter()
            .filter(|member| member.relation == relation)
            .count()
    };
    let mut sex = if dice.chance(5_100) {
        Sex::Male
    } else {
        Sex::Female
    };
    let raises_grandchildren = head.age >= 65 && dice.chance(2_000);
    let (relation, age) = if head.age < 80 && count(Relation::Child) < 2 && !raises_grandchildren {
        (
            Relation::Child,
            head.age - dice.between(22, head.age.min(38)),
        )
    } else if head.age >= 65 && count(Relation::Grandchild) < 2 {
        (Relation::Grandchild, head.age - dice.between(46, 60))
    } else if head.age < 65 && count(Relation::Parent) < 2 {
        if let Some(first) = members
            .iter()
            .find(|member| member.relation == Relation::Parent)
        {
            sex = first.sex.other();
        }
        (Relation::Parent, head.age + dice.between(21, 34))
    } else {
        (Relation::Other, dice.between(18, 60))
    };
    Member { relation, sex, age }
}

/// Children and grandchildren bear the head's name, or the husband's where the head is a woman with a husband.
pub(super) fn bears_family_name(member: &Member, members: &[Member]) -> bool {
    let husband = members
        .iter()
        .any(|other| other.relation == Relation::Spouse && other.sex == Sex::Male);
    match member.relation {
        Relation::Head => !husband,
        Relation::Spouse => member.sex == Sex::Male,
        Relation::Child | Relation::Grandchild => true,
        Relation::Parent => member.sex == Sex::Male && !husband,
        Relation::Other => false,
    }
}
