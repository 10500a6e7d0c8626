//! Both workers' changes of one household meet.

use std::collections::BTreeSet;

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};

use super::{Day, LIS_NUMBER, WANGS_NUMBER, text};
use crate::Result;
use crate::phone::Phone;
use crate::stage::{Cast, Stage};

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let screen = stage.screen;
    screen.scene("两份改动合在一起", "Two sets of changes meet");
    screen.tell(
        "李上线同步，王再同步一次。",
        "Li comes online and syncs; Wang syncs again.",
    );
    cast.li.comes_online();
    cast.li.delivers().await?;
    cast.wang.delivers().await?;
    let mut merged = 0;
    for phone in [&cast.wang, &cast.li] {
        merged += usize::from(is_merged(phone, day)?);
    }
    screen.check(
        merged == 2,
        "标签、租住、两位新成员：自动合并，两部手机一样，没有打扰谁",
        "Tag, tenancy and both newcomers merged in silence, the same on both phones",
    );
    let expected = BTreeSet::from([
        day.old_phone.clone(),
        WANGS_NUMBER.into(),
        LIS_NUMBER.into(),
    ]);
    let mut keeping = 0;
    for phone in [&cast.wang, &cast.li] {
        keeping += usize::from(numbers_in_review(phone, day)? == expected);
    }
    let shown = text(&cast.wang.value(&PERSON_SENSITIVE, day.head, "phone")?);
    screen.check(
        keeping == 2 && [WANGS_NUMBER, LIS_NUMBER].contains(&shown.as_str()),
        format!("电话「有冲突」：王的、李的、原来的都留着，暂显 {shown}"),
        "The phone number is in conflict: Wang's, Li's and the old one are all kept",
    );
    let reviews = cast.zhao.lists("/v1/desk/reviews").await?;
    screen.check(
        reviews.len() == 1,
        "网格长赵的待确认里也有这一件，只有这一件",
        "The head, Zhao, finds the same one open, and only that one",
    );
    Ok(())
}

fn is_merged(phone: &Phone, day: &Day) -> Result<bool> {
    let people = phone.home(day.flat)?.people;
    let names: BTreeSet<_> = people
        .iter()
        .filter_map(|person| person.person.fields.name.as_deref())
        .collect();
    let tag = phone.value(&PERSON, day.relative, "tags/empty-nest/proof")?;
    let tenure = phone.value(&HOUSEHOLD, day.flat, "tenure")?;
    let is_changed = tenure == "rent" || tenure == "lent";
    Ok(names.contains("刘小雨") && names.contains("马腾") && tag == "子女在外地" && is_changed)
}

fn numbers_in_review(phone: &Phone, day: &Day) -> Result<BTreeSet<String>> {
    let reviews = phone.book().reviews(Some(day.head))?;
    let candidates = reviews.iter().flat_map(|review| &review.candidates);
    Ok(candidates.map(|candidate| text(&candidate.value)).collect())
}
