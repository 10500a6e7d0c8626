//! The day, scene by scene. Each tells what happens, lets it happen, and checks what came of it
//! in the stores.

mod backup;
mod bad_line;
mod decision;
mod first_sync;
mod meeting;
mod offline;
mod opening;
mod repeats;
mod six_steps;
mod taken_grid;

use pocketbook::seams::Clock;
use pocketbook::seams::system::SystemClock;
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_server::serve::asked_to_stop;
use pocketbook_tests::stack::screen;
use serde_json::Value;

use super::Result;
use super::audit;
use super::phone::Phone;
use super::stage::{PEOPLE, Stage};

/// What the scenes hand on: the household in question, and what was done in it.
#[derive(Debug)]
pub(crate) struct Day {
    /// The household that two workers change.
    pub(crate) flat: RecordId,
    /// The person whose phone number they disagree on.
    pub(crate) head: RecordId,
    /// The person who gets a tag.
    pub(crate) relative: RecordId,
    /// The number on file before.
    pub(crate) old_phone: String,
    /// The case of the manhole cover.
    pub(crate) case: RecordId,
    /// The photos of its report.
    pub(crate) photos: Vec<BlobHash>,
}

/// The number that 王 writes.
pub(crate) const WANGS_NUMBER: &str = "15411110001";
/// The number that 李 writes.
pub(crate) const LIS_NUMBER: &str = "15411110002";

/// Plays the day.
pub(crate) async fn play(stage: &Stage<'_>) -> Result<()> {
    let began_ms = SystemClock::new().monotonic_ms();
    let cast = opening::play(stage).await?;
    first_sync::play(stage, &cast).await?;
    let day = offline::play(stage, &cast)?;
    offline::play_neighbour(stage, &cast, &day)?;
    bad_line::play(stage, &cast, &day).await?;
    meeting::play(stage, &cast, &day).await?;
    six_steps::play(stage, &cast, &day).await?;
    decision::play(stage, &cast, &day).await?;
    repeats::play(stage, &cast).await?;
    let photo = taken_grid::play(stage, &cast).await?;
    let backup = backup::play(stage)?;
    taken_grid::check_released(stage, &cast.li, photo).await?;
    let audit = audit::Audit {
        stage,
        cast: &cast,
        day: &day,
        backup: &backup,
    };
    let findings = audit.findings().await?;
    stage.screen.table(&findings);
    let seconds = (SystemClock::new().monotonic_ms() - began_ms + 500) / 1000;
    conclude(stage, seconds);
    Ok(())
}

fn conclude(stage: &Stage<'_>, seconds: i64) {
    let (checks, failures) = (stage.screen.checks(), stage.screen.failures());
    match failures {
        0 => stage.screen.end(
            &format!("{checks} 项核对全部通过，用时 {seconds} 秒。"),
            &format!("All {checks} checks hold, in {seconds} s."),
        ),
        _ => stage.screen.end(
            &format!("{checks} 项核对中有 {failures} 项未通过，用时 {seconds} 秒。"),
            &format!("{failures} of {checks} checks do not hold, in {seconds} s."),
        ),
    }
}

/// Leaves the server open until somebody ends it.
pub(crate) async fn stay(stage: &Stage<'_>) -> Result<()> {
    stage.district.begins_again()?;
    let (screen, url) = (stage.screen, stage.district.url());
    screen.title(
        "服务器继续运行，按 Ctrl-C 结束。",
        "The server stays open; Ctrl-C ends it.",
    );
    screen.plain(&format!("   接口说明 API page      {url}/docs"));
    screen.plain(&format!("   服务状态 health        {url}/v1/health"));
    screen.plain(&format!(
        "   数据目录 data          {}",
        stage.district.folder().display()
    ));
    screen.tell(
        "工作台登录（虚构人物，密码只在本次有效）：",
        "Desks (invented people, passwords of this run):",
    );
    for (login, name, role) in PEOPLE.into_iter().skip(2) {
        let password = stage.password();
        screen.plain(&format!(
            "   {name}  {:<14} {login:<5} / {password}",
            role.name()
        ));
    }
    screen.tell("登录示例：", "Signing in, for example:");
    screen.plain(&format!("   curl {url}/v1/desk/session \\"));
    screen.plain("     -H 'content-type: application/json' \\");
    screen.plain(&format!(
        "     -d '{{\"login\":\"chen\",\"password\":\"{}\"}}'",
        stage.password()
    ));
    asked_to_stop().await;
    stage.district.ends()
}

/// Waits a moment that must be seen to lie between two others.
async fn a_moment(ms: u64) {
    SystemClock::new().sleep(ms).await;
}

/// Returns how a household is addressed.
fn address(phone: &Phone, household: RecordId) -> Result<String> {
    use pocketbook_records::kinds::household::HOUSEHOLD;
    let place = phone.value(&HOUSEHOLD, household, "place")?;
    let part = |name: &str| place[name].as_str().unwrap_or_default().to_owned();
    Ok(format!(
        "{} {} 幢 {} 单元 {} 室",
        part("compound"),
        part("building"),
        part("unit"),
        part("room")
    ))
}

/// Returns the text of a value.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns a size in kB.
fn kb(bytes: u64) -> String {
    format!("{} kB", screen::grouped(bytes.div_ceil(1000)))
}
