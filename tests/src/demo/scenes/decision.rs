//! The conflict is decided, offline.

use pocketbook::books::Take;
use pocketbook_records::kinds::person::PERSON_SENSITIVE;

use super::{Day, LIS_NUMBER};
use crate::Result;
use crate::stage::{Cast, Stage};

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let (screen, wang) = (stage.screen, &cast.wang);
    screen.scene("离线裁决冲突", "A conflict decided offline");
    screen.tell(
        "王又没信号。她当面核实：李记的号码对，选「对方的」。",
        "Offline again, Wang asks the resident: Li's number is right. She takes 'theirs'.",
    );
    wang.goes_offline();
    let reviews = wang.book().reviews(Some(day.head))?;
    let review = reviews.first().ok_or("the review is not on the phone")?;
    let theirs = review
        .theirs
        .clone()
        .ok_or("the review lacks the other's value")?;
    wang.decides(review, Take::Candidate(theirs.id))?;
    screen.check(
        wang.value(&PERSON_SENSITIVE, day.head, "phone")? == LIS_NUMBER,
        "马上显示新号码，裁决排队等候上线",
        "Her screen shows it at once; the decision waits for a line",
    );
    wang.comes_online();
    wang.delivers().await?;
    cast.li.delivers().await?;
    let mut settled = 0;
    for phone in [wang, &cast.li] {
        let shows = phone.value(&PERSON_SENSITIVE, day.head, "phone")? == LIS_NUMBER;
        settled += usize::from(shows && phone.book().reviews(Some(day.head))?.is_empty());
    }
    let open = cast.zhao.lists("/v1/desk/reviews").await?;
    screen.check(
        settled == 2 && open.is_empty(),
        format!("两部手机都是 {LIS_NUMBER}，没有待确认的了"),
        "Both phones show Li's number, and nothing is open any more",
    );
    Ok(())
}
