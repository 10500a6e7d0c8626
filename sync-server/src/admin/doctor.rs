//! A doctor's round: what is wrong, what will be, and what to do about it.

#![expect(
    clippy::disallowed_methods,
    reason = "a doctor looks at the files of the data directory"
)]

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pocketbook_records::ids::BlobHash;
use pocketbook_records::time::Millis;
use pocketbook_sqlite::Health;

use super::AdminError;
use super::wire::{Finding, Level, Outcome};
use crate::Server;
use crate::beside;
use crate::store::{SqlError, blobs, bundles, districts, histories};

/// A backup older than this is an alarm: one night was missed.
const OLDEST_BACKUP_MS: Millis = 26 * 60 * 60 * 1000;
/// Unfinished uploads above this are worth a look.
const MANY_UPLOADS: u64 = 10_000;
/// Less free space than this is a warning, less than a tenth of it an alarm.
const FREE_BYTES: u64 = 10 * 1024 * 1024 * 1024;

/// Looks at everything; takes time in proportion to the database.
pub(super) fn examine(server: &Server) -> Result<Outcome, AdminError> {
    let mut findings = vec![
        database(server)?,
        keys(server.dir()),
        ordinal(server)?,
        history(server)?,
        files(server)?,
        book(server)?,
        uploads(&server.data()),
        space(server.dir()),
        backup(server)?,
    ];
    findings.sort();
    Ok(Outcome::Findings { findings })
}

fn finding(level: Level, about: &str, text: impl Into<String>) -> Finding {
    Finding {
        level,
        about: about.into(),
        text: text.into(),
    }
}

fn database(server: &Server) -> Result<Finding, AdminError> {
    let about = "数据库 · database";
    let health = server
        .read(|store| pocketbook_sqlite::check(store.sql.engine()).map_err(SqlError::from))?;
    Ok(match health {
        Health::Sound => finding(Level::Good, about, "完好 · sound"),
        Health::Damaged { findings } => finding(
            Level::Alarm,
            about,
            format!(
                "已损坏，请停止服务并从备份恢复 · damaged: stop the server and restore a backup ({})",
                findings.join("; ")
            ),
        ),
    })
}

fn keys(dir: &Path) -> Finding {
    let about = "密钥 · keys";
    match fs::metadata(dir.join("keys/keyring.json")) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => finding(
            Level::Alarm,
            about,
            "其他用户可读，请 chmod 600 · readable by others: chmod 600 keys/keyring.json",
        ),
        Ok(_) => finding(
            Level::Good,
            about,
            "只有本用户可读 · readable by its owner only; is there a copy of it apart?",
        ),
        Err(_) => finding(
            Level::Alarm,
            about,
            "读不到 keys/keyring.json · keys/keyring.json can't be read",
        ),
    }
}

fn ordinal(server: &Server) -> Result<Finding, AdminError> {
    let about = "提交编号 · commit numbers";
    let head = server.read(|store| districts::head(store.sql, store.district))?;
    let beside = beside::read_ordinal(server.dir()).map_err(crate::Fault::from)?;
    Ok(match beside {
        Some(noted) if noted.ordinal == head.epoch && noted.reserved >= head.reserved => {
            finding(Level::Good, about, format!("{}", head.last))
        }
        Some(_) => finding(
            Level::Alarm,
            about,
            "数据库与 beside/ordinal.json 不一致：其中之一被回退 · one of the database and beside/ordinal.json was rolled back",
        ),
        None => finding(
            Level::Alarm,
            about,
            "缺少 beside/ordinal.json · beside/ordinal.json is missing",
        ),
    })
}

fn history(server: &Server) -> Result<Finding, AdminError> {
    let about = "历史 · histories";
    let lost = server.read(histories::lost)?.0;
    Ok(match lost.last() {
        None => finding(
            Level::Good,
            about,
            "从未恢复或回退 · never restored or rolled back",
        ),
        Some(fork) => finding(
            Level::Warning,
            about,
            format!(
                "恢复或回退过 {n} 次；提交 {after} 之后丢失的由手机补回 · restored or rolled back {n} times; phones bring back what was lost after commit {after}",
                n = lost.len(),
                after = fork.after
            ),
        ),
    })
}

fn files(server: &Server) -> Result<Finding, AdminError> {
    let about = "照片与文件 · files";
    let stored = server.read(blobs::all)?;
    let missing = stored
        .iter()
        .filter(|(hash, bytes)| !has_bytes(&blob_path(&server.data(), *hash), *bytes))
        .count();
    Ok(if missing == 0 {
        finding(Level::Good, about, format!("{}", stored.len()))
    } else {
        finding(
            Level::Alarm,
            about,
            format!(
                "缺少 {missing} 个，请从备份取回 · {missing} are missing: take them from a backup"
            ),
        )
    })
}

/// Returns where a file lies in a data directory or a backup of one.
pub(super) fn blob_path(dir: &Path, hash: BlobHash) -> std::path::PathBuf {
    let hash = hash.to_string();
    let (shelf, rest) = hash.split_at(2);
    dir.join("blobs").join(shelf).join(rest)
}

fn has_bytes(path: &Path, bytes: u64) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == bytes)
}

fn book(server: &Server) -> Result<Finding, AdminError> {
    let about = "口袋书 · pocket book";
    let parts = server.read(bundles::parts)?;
    let path = |hash: &BlobHash| server.data().join("book").join(hash.to_string());
    let missing = parts
        .iter()
        .filter(|(hash, bytes)| !has_bytes(&path(hash), *bytes))
        .count();
    Ok(match (parts.len(), missing) {
        (0, _) => finding(
            Level::Warning,
            about,
            "尚未发布，请运行 publish-book · nothing published yet: run publish-book",
        ),
        (all, 0) => finding(Level::Good, about, format!("{all}")),
        _ => finding(
            Level::Alarm,
            about,
            format!("缺少 {missing} 份，请重新发布 · {missing} parts are missing: publish again"),
        ),
    })
}

fn uploads(dir: &Path) -> Finding {
    let about = "未完成的上传 · unfinished uploads";
    match count_files(&dir.join("spool")) {
        Ok(count) if count <= MANY_UPLOADS => finding(Level::Good, about, format!("{count}")),
        Ok(count) => finding(
            Level::Warning,
            about,
            format!("{count} 个，请查看 data/spool/ · {count}: look into data/spool/"),
        ),
        Err(_) => finding(
            Level::Alarm,
            about,
            "读不到 data/spool/ · data/spool/ can't be read",
        ),
    }
}

fn count_files(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut count = 0;
    for entry in entries {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() {
            count_files(&entry.path())?
        } else {
            1
        };
    }
    Ok(count)
}

fn space(dir: &Path) -> Finding {
    let about = "磁盘空间 · disk space";
    let Some(free) = free_bytes(dir) else {
        return finding(
            Level::Warning,
            about,
            "无法得知剩余空间 · the free space can't be told",
        );
    };
    let gib = free / (1024 * 1024 * 1024);
    let text = format!("剩余 {gib} GiB · {gib} GiB free");
    match free {
        free if free < FREE_BYTES / 10 => finding(Level::Alarm, about, text),
        free if free < FREE_BYTES => finding(Level::Warning, about, text),
        _ => finding(Level::Good, about, text),
    }
}

fn backup(server: &Server) -> Result<Finding, AdminError> {
    let about = "备份 · backup";
    let taken = server.read(|store| -> Result<_, SqlError> {
        let durable = districts::durable(store)?;
        districts::time_of(store, durable)
    })?;
    let Some(taken) = taken else {
        return Ok(finding(
            Level::Alarm,
            about,
            "还没有备份，请运行 backup · there is none: run backup",
        ));
    };
    let age = server.now().saturating_sub(taken);
    let hours = age / (60 * 60 * 1000);
    let text = format!("{hours} 小时前 · {hours} hours ago");
    let level = if age > OLDEST_BACKUP_MS {
        Level::Alarm
    } else {
        Level::Good
    };
    Ok(finding(level, about, text))
}

/// What is free to this user.
fn free_bytes(dir: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(dir).ok()?;
    system.f_bavail.checked_mul(system.f_frsize)
}
