//! What took place: how long, what was killed, what befell the lines, what was done, and whatever
//! no fault excuses.

#![expect(
    clippy::disallowed_methods,
    reason = "logs are read as the processes left them"
)]

use std::fs;

use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::screen::{Finding, grouped};

use super::audit::Examined;
use super::storm::Storm;

pub(super) fn happened(storm: &Storm<'_>) -> Finding {
    let (seconds, blows) = (storm.seconds, storm.blows);
    Finding {
        what: ("时间与 kill -9", "Time, and kill -9"),
        found: (
            format!(
                "{seconds} 秒；服务器 {} 次，手机 {} 次；服务器正常重启 {} 次，网格收放 {} 次",
                blows.servers, blows.phones, blows.good_ends, blows.duties
            ),
            format!(
                "{seconds} s; {} of the server, {} of phones; {} ends of the server in good order; a grid taken or given {} times",
                blows.servers, blows.phones, blows.good_ends, blows.duties
            ),
        ),
        holds: blows.servers > 0 && blows.phones > 0,
    }
}

pub(super) fn faults(storm: &Storm<'_>) -> Finding {
    let met = storm.weather.tally();
    Finding {
        what: ("线路故障", "What befell connections"),
        found: (
            format!(
                "切断 {}，停顿 {}，变慢 {}，半关 {}，坏字节 {}",
                met.cut, met.stalled, met.throttled, met.half_closed, met.corrupted
            ),
            format!(
                "{} cut, {} stalled, {} throttled, {} half-closed, {} corrupted",
                met.cut, met.stalled, met.throttled, met.half_closed, met.corrupted
            ),
        ),
        holds: met.is_of_every_kind(),
    }
}

pub(super) fn work(examined: &[Examined]) -> Finding {
    let told = || examined.iter().map(|one| &one.told);
    let saved: usize = told().map(|told| told.saved.len()).sum();
    let photos: usize = told().map(|told| told.photos.len()).sum();
    let exchanges: u64 = told().map(|told| told.exchanges).sum();
    let pieces: u64 = told().map(|told| told.pieces).sum();
    Finding {
        what: ("所做的事", "What was done"),
        found: (
            format!("保存 {saved} 项，照片 {photos} 张，交换 {exchanges} 次，照片 {pieces} 块"),
            format!(
                "{saved} saved, {photos} photos, {} exchanges, {pieces} pieces of photos",
                grouped(exchanges)
            ),
        ),
        holds: examined
            .iter()
            .all(|one| !one.told.saved.is_empty() && one.told.exchanges > 0)
            && photos > 0,
    }
}

/// Nobody panicked, and the server logged no error.
pub(super) fn quiet(storm: &Storm<'_>) -> Result<Finding> {
    let mut loud = Vec::new();
    let server = storm.district.log();
    let mut logs = vec![("server", server)];
    for phone in &storm.phones {
        logs.push((phone.login, fs::read_to_string(phone.log())?));
    }
    for (who, log) in &logs {
        let is_loud = |line: &&str| line.contains("panic") || line.contains("ERROR");
        loud.extend(
            log.lines()
                .filter(is_loud)
                .map(|line| format!("; {who}: {line}")),
        );
    }
    let first: String = loud.iter().take(3).cloned().collect();
    Ok(Finding {
        what: ("日志：无恐慌、无错误", "Logs: no panic, no error"),
        found: (
            format!("{} 份日志，{} 行", logs.len(), loud.len()),
            format!("{} logs, {} lines{first}", logs.len(), loud.len()),
        ),
        holds: loud.is_empty(),
    })
}

pub(super) fn nothing_odd(storm: &Storm<'_>, examined: &[Examined]) -> Finding {
    let odd = storm.phones.iter().zip(examined).flat_map(|(phone, one)| {
        let odd = one.told.odd.iter();
        odd.map(|what| format!("; {}: {what}", phone.login))
    });
    let seen = storm.violations.iter().map(|what| format!("; {what}"));
    let all: Vec<_> = seen.chain(odd).collect();
    let first: String = all.iter().take(5).cloned().collect();
    Finding {
        what: ("故障解释不了的事", "What no fault excuses"),
        found: (format!("{} 件", all.len()), format!("{}{first}", all.len())),
        holds: all.is_empty(),
    }
}
