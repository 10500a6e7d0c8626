//! Work without a signal: 王's round, and 李 in the same household.

use pocketbook::seams::Clock;
use pocketbook::seams::system::SystemClock;
use pocketbook::store::status::SyncState;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_tests::world::pictures::stored;
use serde_json::json;

use super::{Day, LIS_NUMBER, WANGS_NUMBER, address, kb, text};
use crate::Result;
use crate::phone::Phone;
use crate::stage::{Cast, Stage};

/// Photos as phones took them, with the camera's place and orientation.
const PHOTOS: [&str; 3] = [
    "real/oppo_13mp_gps.jpg",
    "real/sony_roadsign_gps_direction.jpg",
    "real/orientation_portrait_6.jpg",
];
/// And smaller ones.
const SMALL_PHOTOS: [&str; 3] = [
    "real/htc_parking_gps.jpg",
    "real/sony_roadsign_gps_direction.jpg",
    "real/orientation_portrait_6.jpg",
];

/// 王's round.
pub(super) fn play(stage: &Stage<'_>, cast: &Cast) -> Result<Day> {
    let (screen, wang) = (stage.screen, &cast.wang);
    screen.scene("没有信号的上午", "A morning without a signal");
    wang.goes_offline();
    cast.li.goes_offline();
    let passed = wang.line().count();
    let flat = home_of_two(wang, stage)?;
    let people = wang.home(flat)?.people;
    let (head, relative) = (people[0].person.id, people[1].person.id);
    let old_phone = text(&wang.value(&PERSON_SENSITIVE, head, "phone")?);
    screen.tell(
        format!("王在{}走访：电话改为 {WANGS_NUMBER}，登记新住户刘小雨；门口井盖破损，拍三张照片上报。", address(wang, flat)?),
        "Wang visits a household, corrects a phone number, registers a newcomer, and reports a broken manhole cover with three photos.",
    );
    let began_ms = SystemClock::new().monotonic_ms();
    visit(wang, flat, "老人在家，一切正常")?;
    wang.enters(&PERSON_SENSITIVE, head, "phone", WANGS_NUMBER)?;
    wang.creates(
        &PERSON,
        json!({"household": flat, "name": "刘小雨", "relation": "child", "sex": "female"}),
    )?;
    let saved_ms = SystemClock::new().monotonic_ms() - began_ms;
    let case = report_cover(wang, stage)?;
    let status = wang.status()?;
    screen.check(
        (status.waiting, status.photos) == (4, 3) && wang.line().count() == passed,
        format!("全部已存进手机（三处改动 {saved_ms} 毫秒），没有联网"),
        format!(
            "All of it is saved on the phone (three changes in {saved_ms} ms); no network was asked"
        ),
    );
    screen.check(
        status.state == SyncState::Waiting,
        format!(
            "状态「待同步」：{} 项改动，{} 张照片，{}",
            status.waiting,
            status.photos,
            kb(status.photo_bytes)
        ),
        "It says 'waiting', and for how much; never 'in step' too early",
    );
    let photos = wang.book().case(case)?.fields.photos;
    Ok(Day {
        flat,
        head,
        relative,
        old_phone,
        case,
        photos,
    })
}

/// 李 in the same household, at the same time.
pub(super) fn play_neighbour(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let (screen, li) = (stage.screen, &cast.li);
    screen.scene("同一户，另一部手机", "The same household, another phone");
    screen.tell(
        format!("李也没信号，也在这一户：加标签「空巢老人」，改为租住，登记租客马腾，电话改为 {LIS_NUMBER}。"),
        "Li, offline too, is at the same door: a tag, the tenancy, a new member, and another phone number.",
    );
    let shown = text(&li.value(&PERSON_SENSITIVE, day.head, "phone")?);
    li.enters(
        &PERSON,
        day.relative,
        "tags/empty-nest",
        json!({"proof": "子女在外地"}),
    )?;
    li.enters(
        &HOUSEHOLD,
        day.flat,
        "tenure",
        tenure_other_than_shown(li, day.flat)?,
    )?;
    li.creates(
        &PERSON,
        json!({"household": day.flat, "name": "马腾", "relation": "other", "sex": "male"}),
    )?;
    li.enters(&PERSON_SENSITIVE, day.head, "phone", LIS_NUMBER)?;
    screen.check(
        shown == day.old_phone && li.status()?.waiting == 4,
        "李看到的还是旧号码：两人都没看过对方的改动",
        "Li saw the old number: neither has seen what the other wrote",
    );
    Ok(())
}

/// Finds a home in which at least two people live, the first of them with a phone.
fn home_of_two(wang: &Phone, stage: &Stage<'_>) -> Result<RecordId> {
    for flat in wang.households(&stage.grid(0))? {
        let people = wang.home(flat)?.people;
        let first = people.first().and_then(|first| first.sensitive.as_ref());
        if people.len() >= 2 && first.is_some_and(|first| first.fields.phone.is_some()) {
            return Ok(flat);
        }
    }
    Err("no household of two".into())
}

pub(super) fn visit(phone: &Phone, household: RecordId, note: &str) -> Result<RecordId> {
    let at = SystemClock::new().wall_ms();
    let visit = json!({"household": household, "purpose": "routine", "result": "met", "note": note, "at": at});
    phone.creates(&VISIT, visit)
}

pub(super) fn tenure_other_than_shown(phone: &Phone, household: RecordId) -> Result<&'static str> {
    let shown = phone.value(&HOUSEHOLD, household, "tenure")?;
    Ok(if shown == "rent" { "lent" } else { "rent" })
}

fn report_cover(wang: &Phone, stage: &Stage<'_>) -> Result<RecordId> {
    let photos = if stage.is_short { SMALL_PHOTOS } else { PHOTOS };
    let cameras: Vec<_> = photos.iter().map(|name| stored(name)).collect();
    let report = wang.reports(
        json!({
            "grid": stage.grid(0), "sort": "issue", "source": "worker", "category": "C0101",
            "place": "东门外人行道", "text": "井盖破损，车辆经过有响声", "reported_at": SystemClock::new().wall_ms(),
        }),
        &cameras,
    )?;
    Ok(report.id)
}
