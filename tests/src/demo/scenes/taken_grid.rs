//! A grid is taken from a worker: what is no longer hers leaves the phone, what she did before
//! still counts, what she does after waits for the head.

use std::collections::BTreeSet;

use pocketbook::seams::Files;
use pocketbook::seams::folder::Folder;
use pocketbook::store::blobs::Rendering;
use pocketbook_records::ids::{BlobHash, RecordId};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::wire::Command;
use pocketbook_tests::world::pictures::stored;
use serde_json::json;

use super::{a_moment, offline};
use crate::Result;
use crate::phone::Phone;
use crate::stage::{Cast, Stage};
use pocketbook_tests::stack::folders::numbers_in;

/// Moments this far apart are told apart by the server, whatever a request takes on its way.
const APART_MS: u64 = 800;

/// What 李 left in the grid.
struct Left {
    before: RecordId,
    tenure: &'static str,
    after: RecordId,
    case: RecordId,
    photo: BlobHash,
    numbers: BTreeSet<String>,
    stood_in_clear: usize,
}

/// Returns the photo that 李 took there.
pub(super) async fn play(stage: &Stage<'_>, cast: &Cast) -> Result<BlobHash> {
    let (screen, li) = (stage.screen, &cast.li);
    let taken = &stage.grids[1];
    screen.scene("收回一个网格", "A grid is taken away");
    let left = work_while_it_is_hers(stage, li).await?;
    screen.tell(
        format!("李离线改了一户；此时{}不再归李管；李还不知道，又改了一户。", taken.name),
        "Offline, Li edits a household; then the grid is no longer Li's; unaware, Li edits one more.",
    );
    li.goes_offline();
    li.enters(&HOUSEHOLD, left.before, "tenure", left.tenure)?;
    a_moment(APART_MS).await;
    let (user, unit) = ("li".to_owned(), taken.code.clone());
    stage.district.does(&Command::Revoke {
        user,
        role: Role::GridWorker,
        unit,
    })?;
    a_moment(APART_MS).await;
    li.enters(&HOUSEHOLD, left.after, "door_code", "2468#")?;
    li.comes_online();
    li.delivers().await?;
    cast.wang.delivers().await?;
    check_purged(stage, li, &left)?;
    check_work(stage, cast, &left).await?;
    Ok(left.photo)
}

/// Once a backup holds the photo, the phone lets go of it.
pub(super) async fn check_released(stage: &Stage<'_>, li: &Phone, photo: BlobHash) -> Result<()> {
    li.delivers().await?;
    let files = Files::list(&Folder::open(li.folder().join("files"))?, "")?;
    let photo = photo.to_string();
    stage.screen.check(
        !files.iter().any(|name| name.starts_with(&photo)),
        "备份里有了，李的手机上封存的那张照片就删了",
        "Now that a backup holds it, the sealed photo is gone from Li's phone",
    );
    Ok(())
}

/// 李 reports something in the grid, with a photo, and hands it in.
async fn work_while_it_is_hers(stage: &Stage<'_>, li: &Phone) -> Result<Left> {
    let grid = stage.grid(1);
    let report = li.reports(
        json!({"grid": grid, "sort": "issue", "source": "worker", "category": "C0101", "place": "北门", "text": "雨水箅子缺失"}),
        &[stored("real/lumia_dusk_gps_west.jpg")],
    )?;
    li.delivers().await?;
    let photo = *li
        .book()
        .case(report.id)?
        .fields
        .photos
        .first()
        .ok_or("the case has no photo")?;
    let households = li.households(&grid)?;
    let (Some(before), Some(after)) = (households.first(), households.get(1)) else {
        return Err("the grid has no households".into());
    };
    let numbers = stage.numbers(1);
    Ok(Left {
        before: *before,
        tenure: offline::tenure_other_than_shown(li, *before)?,
        after: *after,
        case: report.id,
        photo,
        stood_in_clear: numbers_in(li.folder(), &numbers)?.len(),
        numbers,
    })
}

fn check_purged(stage: &Stage<'_>, li: &Phone, left: &Left) -> Result<()> {
    let screen = stage.screen;
    let gone = li.households(&stage.grid(1))?.is_empty() && li.finds(&CASE, left.case)?.is_none();
    let kept = li.households(&stage.grid(0))?.len();
    screen.check(
        gone && kept == stage.households,
        format!("李的手机上，这个网格的住户和事件都没了；自己的 {kept} 户还在"),
        format!("From Li's phone its households and cases are gone; the other grid's {kept} stay"),
    );
    let photo = li.store().photo(left.photo, Rendering::Master)?;
    screen.check(
        photo.is_none(),
        "她在那里拍的照片也看不到了：加密封存，等备份里有了就删",
        "Nor can the photo that she took there be seen: sealed, until a backup holds it",
    );
    let still = numbers_in(li.folder(), &left.numbers)?.len();
    let was = left.stood_in_clear;
    screen.check(
        still == 0 && (was > 0 || pocketbook_sqlite::is_encryption_built()),
        format!("逐字节查手机的所有文件：该网格居民的电话，之前 {was} 个，现在 {still} 个"),
        format!("Byte by byte through all its files: residents' phone numbers found before {was}, now {still}"),
    );
    Ok(())
}

async fn check_work(stage: &Stage<'_>, cast: &Cast, left: &Left) -> Result<()> {
    let (screen, wang) = (stage.screen, &cast.wang);
    screen.check(
        wang.value(&HOUSEHOLD, left.before, "tenure")? == left.tenure,
        "收回之前的改动：已采纳，王看得到",
        "The edit made before that moment is applied: Wang sees it",
    );
    let parked = cast.zhao.lists("/v1/desk/parked").await?;
    let waits = parked.iter().any(|item| {
        item["body"]["record"] == left.after.to_string() && item["body"]["state"] == "parked"
    });
    let is_untouched = wang.value(&HOUSEHOLD, left.after, "door_code")?.is_null();
    screen.check(
        waits && parked.len() == 1 && is_untouched,
        "收回之后的改动：没有生效，在赵的待处理里等候决定",
        "The edit made after it changed nothing: it waits, parked, for the head",
    );
    let status = cast.li.status()?;
    screen.check(
        (status.waiting, status.parked) == (0, 1),
        "李的手机都交上去了，也看得到有一件等别人决定",
        "Li's phone has handed everything in, and says that one waits for others",
    );
    Ok(())
}
