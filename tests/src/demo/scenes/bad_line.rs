//! A bad line, and a server that is killed in the middle of a photo.

use std::collections::BTreeMap;
use std::sync::Arc;

use pocketbook::store::blobs::{PhotoState, Rendering};
use pocketbook_records::ids::BlobHash;
use tokio::task::JoinHandle;

use super::{Day, a_moment, kb};
use crate::Result;
use crate::line::appends;
use crate::phone::Phone;
use crate::stage::{Cast, Stage};
use pocketbook_tests::stack::district::Part;
use pocketbook_tests::stack::link::Quality;
use pocketbook_tests::stack::screen::Bar;

const LOOK_MS: u64 = 10;

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let (screen, wang) = (stage.screen, &cast.wang);
    screen.scene("网络很差，服务器被杀", "A bad line, and a server killed");
    screen.tell(
        "王有了一点信号：512 kbit/s，丢请求、丢应答、重复发送。",
        "Wang has a little signal: 512 kbit/s; requests and answers get lost, or arrive twice.",
    );
    wang.link().becomes(Quality::Slow {
        kbit_s: 512,
        delay_ms: 60,
    });
    wang.line().turns_bad();
    wang.comes_online();
    let sending = tokio::spawn({
        let wang = Arc::clone(wang);
        async move { wang.delivers().await }
    });
    let bytes = master_bytes(wang, day)?;
    let left = kill_within_a_photo(stage, wang, &bytes, &sending).await?;
    let before = wang.line().count();
    let is_gone = cast.chen.gets("/v1/health").await.is_err();
    stage.district.begins_again()?;
    tell_of_kill(stage, cast, day, &left, is_gone).await?;
    let bar = photo_bar(stage, &bytes);
    while !sending.is_finished() {
        show(stage, wang, &bytes, &bar)?;
        a_moment(LOOK_MS).await;
    }
    let bursts = sending.await??;
    drop(bar);
    check_resumed(stage, wang, &left, before);
    check_arrived(stage, cast, day, bursts).await?;
    wang.link().becomes(Quality::Good);
    Ok(())
}

fn master_bytes(wang: &Phone, day: &Day) -> Result<BTreeMap<BlobHash, u64>> {
    let length = |hash: &BlobHash| -> Result<_> {
        let master = wang
            .store()
            .photo(*hash, Rendering::Master)?
            .ok_or("a photo is not on the phone")?;
        Ok((*hash, master.len() as u64))
    };
    day.photos.iter().map(length).collect()
}

fn photo_bar(stage: &Stage<'_>, bytes: &BTreeMap<BlobHash, u64>) -> Bar {
    stage
        .screen
        .bar(bytes.values().sum(), "王的照片", "Wang's photos")
}

/// Waits until the largest photo is half there, kills the server and says what lies on its disk.
async fn kill_within_a_photo(
    stage: &Stage<'_>,
    wang: &Phone,
    bytes: &BTreeMap<BlobHash, u64>,
    sending: &JoinHandle<Result<u32>>,
) -> Result<BTreeMap<BlobHash, Part>> {
    let largest = bytes
        .iter()
        .max_by_key(|(_, bytes)| **bytes)
        .map(|(hash, _)| *hash);
    let largest = largest.ok_or("the report has no photos")?;
    let bar = photo_bar(stage, bytes);
    let is_half_there =
        |part: &Part| part.bytes * 10 > part.of * 3 && part.bytes * 10 < part.of * 8;
    while !stage
        .district
        .spool()?
        .get(&largest)
        .is_some_and(is_half_there)
    {
        if sending.is_finished() {
            return Err("no photo was seen half there".into());
        }
        show(stage, wang, bytes, &bar)?;
        a_moment(LOOK_MS).await;
    }
    stage.district.is_killed()?;
    Ok(stage.district.spool()?)
}

fn show(stage: &Stage<'_>, wang: &Phone, bytes: &BTreeMap<BlobHash, u64>, bar: &Bar) -> Result<()> {
    let spool = stage.district.spool()?;
    let mut there = 0;
    for (hash, whole) in bytes {
        there += match wang.store().photo_state(*hash)? {
            Some(PhotoState::Stored) => *whole,
            _ => spool.get(hash).map_or(0, |part| part.bytes),
        };
    }
    bar.at(there);
    Ok(())
}

async fn tell_of_kill(
    stage: &Stage<'_>,
    cast: &Cast,
    day: &Day,
    left: &BTreeMap<BlobHash, Part>,
    is_gone: bool,
) -> Result<()> {
    let half = left
        .values()
        .max_by_key(|part| part.of)
        .ok_or("no photo was under way")?;
    let process = stage.district.process().unwrap_or_default();
    stage.screen.check(
        is_gone && half.bytes > 0 && half.bytes < half.of,
        format!(
            "一张照片传到 {} / {} 时，服务器被 kill -9；以 {process} 号进程重启",
            kb(half.bytes),
            kb(half.of)
        ),
        format!(
            "With {} of {} of a photo there, the server was killed (kill -9) and started again",
            kb(half.bytes),
            kb(half.of)
        ),
    );
    let case = cast.chen.case(day.case).await?;
    let named = case["photos"].as_array().map_or(0, Vec::len);
    let missing = cast.chen.missing(day.case).await?;
    let with_wang = missing.iter().filter(|with| *with == "王").count();
    let missing = missing.len();
    stage.screen.check(
        case["state"] == "submitted" && named == 3 && missing > 0 && with_wang == missing,
        format!("街道已看到上报的文字，3 张照片还有 {missing} 张在王的手机上：文字不等照片"),
        format!("The street reads the report already, {missing} of its 3 photos are still on Wang's phone"),
    );
    Ok(())
}

/// Looks where each photo went on that was half there: at the offset on the server's disk, and
/// nothing before it was taken again.
fn check_resumed(stage: &Stage<'_>, wang: &Phone, left: &BTreeMap<BlobHash, Part>, before: usize) {
    let passed = wang.line().passed();
    let after = &passed[before.min(passed.len())..];
    let went_on = |hash: &BlobHash, part: &Part| {
        let name = hash.to_string();
        let pieces = after
            .iter()
            .filter_map(|passed| Some((appends(&passed.request)?, passed.status)));
        let own: Vec<_> = pieces.filter(|((hash, _), _)| *hash == name).collect();
        let is_taken_again = |((_, offset), status): &((&str, u64), Option<u16>)| {
            *status == Some(204) && *offset < part.bytes
        };
        own.iter().any(|((_, offset), _)| *offset == part.bytes) && !own.iter().any(is_taken_again)
    };
    let begun: Vec<_> = left
        .iter()
        .filter(|(_, part)| (1..part.of).contains(&part.bytes))
        .collect();
    let at_offset = begun
        .iter()
        .filter(|(hash, part)| went_on(hash, part))
        .count();
    let begun = begun.len();
    stage.screen.check(
        begun > 0 && at_offset == begun,
        format!("重启后，{begun} 张传了一部分的照片都从断点续传，没有从头再来"),
        format!("After the restart, {at_offset} of {begun} half-sent photos went on at the offset on the disk"),
    );
}

async fn check_arrived(stage: &Stage<'_>, cast: &Cast, day: &Day, bursts: u32) -> Result<()> {
    let (screen, wang) = (stage.screen, &cast.wang);
    let tally = wang.line().turns_good();
    screen.check(
        wang.is_in_step()? && tally.lost > 0 && tally.answers_lost > 0 && tally.twice > 0,
        format!(
            "{} 次请求：丢 {}，丢应答 {}，重复 {}；点了 {bursts} 次「同步」，全部送达",
            tally.sent, tally.lost, tally.answers_lost, tally.twice
        ),
        format!(
            "{} requests: {} lost, {} answers lost, {} arrived twice; all is delivered after {bursts} taps on 'sync'",
            tally.sent, tally.lost, tally.answers_lost, tally.twice
        ),
    );
    let mut equal = 0;
    for hash in &day.photos {
        let there = cast.chen.gets(&format!("/v1/blobs/{hash}")).await?;
        equal += usize::from(there.status == 200 && BlobHash::of(&there.body) == *hash);
    }
    let up = wang.link().bytes_up();
    screen.check(
        equal == day.photos.len(),
        format!(
            "街道打开 {equal}/3 张照片，SHA-256 与手机一致（上行共 {}）",
            kb(up)
        ),
        format!("The street opens {equal} of 3 photos, SHA-256 as on the phone"),
    );
    let seen = cast.zhao.lists("/v1/desk/cases?limit=200").await?;
    let own = seen
        .iter()
        .filter(|case| case["body"]["category"] == "C0101")
        .count();
    screen.check(
        own == 1,
        "重复送达没有生出第二件事",
        "What arrived twice is there once",
    );
    Ok(())
}
