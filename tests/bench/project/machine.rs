//! What Linux tells of a process and of the wire, in the words of the harness.

#![expect(
    clippy::disallowed_methods,
    reason = "figures of a run are read from /proc and from the run's own folders"
)]

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Returns the bytes that passed over loopback in this network namespace, both directions.
pub(crate) fn wire_bytes() -> u64 {
    let devices = fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    let loopback = devices
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"));
    loopback
        .and_then(|counts| counts.split_whitespace().nth(8))
        .and_then(|sent| sent.parse().ok())
        .unwrap_or(0)
}

/// Returns the processor seconds that a process has used.
pub(crate) fn cpu_seconds(process: Option<u32>) -> f64 {
    let text = fs::read_to_string(of(process, "stat")).unwrap_or_default();
    let after_name = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let mut ticks = after_name.split(' ').skip(11).take(2);
    let mut next = || {
        let ticks = ticks.next().and_then(|ticks| ticks.parse::<f64>().ok());
        ticks.unwrap_or(0.0)
    };
    // USER_HZ is 100 on every Linux that this runs on.
    (next() + next()) / 100.0
}

/// Returns the most memory that a process has held, in MB.
pub(crate) fn peak_mb(process: Option<u32>) -> f64 {
    let text = fs::read_to_string(of(process, "status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn of(process: Option<u32>, what: &str) -> String {
    match process {
        Some(process) => format!("/proc/{process}/{what}"),
        None => format!("/proc/self/{what}"),
    }
}

/// Returns the bytes of all files of a folder.
pub(crate) fn disk_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => disk_bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Prints one line of the harness: these words and the machine's load.
pub(crate) fn emit(parts: &[&Map<String, Value>]) {
    let mut line = Map::new();
    for part in parts {
        line.extend((*part).clone());
    }
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok());
    line.insert("load1".into(), json!(load.unwrap_or(0.0_f64)));
    #[expect(clippy::print_stdout, reason = "the harness reads lines")]
    {
        println!("{}", Value::Object(line));
    }
}
