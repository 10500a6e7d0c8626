//! What life has brought a household: tags of both classes and notes on health, about as often as in a real ledger.

use super::family::Member;
use super::household::{Registration, Sex, TagMap, TagNote};
use super::numbers::Dice;

/// What the household as a whole says about each of its members.
pub(super) struct Lives {
    alone: bool,
    among_the_aged: bool,
    without_parents: bool,
    elsewhere: bool,
}

impl Lives {
    pub(super) fn of(registration: Registration, members: &[Member]) -> Self {
        Self {
            alone: members.len() == 1,
            among_the_aged: members.iter().all(|member| member.age >= 60),
            without_parents: !members.iter().any(|member| (20..60).contains(&member.age)),
            elsewhere: registration == Registration::Elsewhere,
        }
    }
}

pub(super) fn household_tags(dice: &mut Dice, members: &[Member]) -> TagMap {
    let mut tags = TagMap::new();
    if members.is_empty() {
        return tags;
    }
    tag(&mut tags, "party-home", dice.chance(60));
    tag(&mut tags, "minimum-income", dice.chance(220));
    tag(&mut tags, "destitute-support", dice.chance(30));
    tag(&mut tags, "in-poverty", dice.chance(60));
    tags
}

/// Returns the general and the sensitive tags of a person.
pub(super) fn tags_of(
    dice: &mut Dice,
    member: &Member,
    lives: &Lives,
    id_number: &str,
) -> (TagMap, TagMap) {
    let Member { sex, age, .. } = *member;
    let is_old = age >= 60;
    let mut general = TagMap::new();
    tag(&mut general, "lives-alone", is_old && lives.alone);
    tag(&mut general, "empty-nest", lives.among_the_aged);
    tag(
        &mut general,
        "without-kin",
        is_old && lives.alone && dice.chance(700),
    );
    tag(&mut general, "advanced-age", age >= 80);
    tag(&mut general, "migrant", lives.elsewhere);
    tag(&mut general, "party-member", age >= 20 && dice.chance(850));
    tag(
        &mut general,
        "veteran",
        age >= 22 && dice.chance(if sex == Sex::Male { 300 } else { 40 }),
    );
    tag(
        &mut general,
        "volunteer",
        (18..75).contains(&age) && dice.chance(150),
    );

    let mut sensitive = TagMap::new();
    if dice.chance(if age < 50 {
        180
    } else if is_old {
        600
    } else {
        400
    }) {
        let (sort, degree) = (dice.between(1, 7), dice.between(1, 4));
        let proof = Some(format!("{id_number}{sort}{degree}"));
        sensitive.insert("disabled".to_owned(), TagNote { proof });
    }
    tag(
        &mut sensitive,
        "care-dependent",
        age >= 68 && dice.chance(450),
    );
    tag(&mut sensitive, "dementia", age >= 72 && dice.chance(200));
    tag(&mut sensitive, "serious-illness", dice.chance(40));
    tag(
        &mut sensitive,
        "pregnant",
        sex == Sex::Female && (22..=42).contains(&age) && dice.chance(180),
    );
    tag(
        &mut sensitive,
        "left-behind-child",
        age < 16 && lives.without_parents,
    );
    tag(&mut sensitive, "child-in-need", age < 16 && dice.chance(60));
    tag(
        &mut sensitive,
        "bereaved-of-only-child",
        age >= 49 && lives.among_the_aged && dice.chance(80),
    );
    tag(
        &mut sensitive,
        "mental-illness",
        age >= 18 && dice.chance(20),
    );
    tag(
        &mut sensitive,
        "community-correction",
        (18..70).contains(&age) && dice.chance(6),
    );
    (general, sensitive)
}

fn tag(tags: &mut TagMap, code: &str, applies: bool) {
    if applies {
        tags.insert(code.to_owned(), TagNote::default());
    }
}

pub(super) fn health_note(dice: &mut Dice, member: &Member, sensitive: &TagMap) -> Option<String> {
    const CARE: [&str; 3] = [
        "半失能，需助餐助洁",
        "卧床，子女轮流照护",
        "轮椅出行，需上门办理",
    ];
    const CHRONIC: [&str; 4] = [
        "高血压，每日服药",
        "糖尿病，需定期测血糖",
        "冠心病",
        "腿脚不便，上下楼困难",
    ];
    if sensitive.contains_key("care-dependent") {
        return Some(dice.pick(&CARE).to_owned());
    }
    (member.age >= 60 && dice.chance(1_500)).then(|| dice.pick(&CHRONIC).to_owned())
}
