//! A backup is made while the server serves, and looked at by the doctor.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pocketbook_server::admin::wire::{Command, Level, Outcome};

use super::kb;
use crate::Result;
use crate::desk::{Desk, Reply};
use crate::stage::Stage;

/// Returns the folder of the backup; the keys are not in it.
pub(super) fn play(stage: &Stage<'_>) -> Result<PathBuf> {
    let screen = stage.screen;
    screen.scene("备份", "A backup");
    let folder = stage.folder().join("backup");
    let asked = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let asking = tokio::spawn(ask(
        Desk::with(&stage.district.url(), "")?,
        Arc::clone(&asked),
    ));
    let made = stage.district.does(&Command::Backup {
        folder: folder.clone(),
    });
    let [answered, failed] = [0, 1].map(|n| asked[n].load(Ordering::SeqCst));
    asking.abort();
    let Outcome::Backup { blobs, bytes, .. } = made? else {
        return Err("no backup was made".into());
    };
    screen.check(
        answered > 0 && failed == 0 && blobs > 0,
        format!(
            "备份完成：数据库加 {blobs} 张照片，{}，密钥另存；期间 {answered} 次请求都有应答",
            kb(bytes)
        ),
        format!(
            "Made: database and {blobs} photos, {}, keys kept apart; {answered} requests were answered meanwhile",
            kb(bytes)
        ),
    );
    let Outcome::Findings { findings } = stage.district.does(&Command::Doctor)? else {
        return Err("the doctor found nothing to say".into());
    };
    // A warning, such as a disk that fills up, is about the machine and not about the day.
    let alarms = findings
        .iter()
        .filter(|finding| finding.level == Level::Alarm);
    let alarms: Vec<_> = alarms.map(|finding| finding.text.as_str()).collect();
    screen.check(
        alarms.is_empty(),
        format!(
            "体检 {} 项，{} 个警报{}",
            findings.len(),
            alarms.len(),
            alarms.join("；")
        ),
        format!(
            "The doctor looks at {} things and raises {} alarms",
            findings.len(),
            alarms.len()
        ),
    );
    Ok(folder)
}

/// Asks the server how it is, again and again; counts answers and failures.
async fn ask(desk: Desk, asked: Arc<[AtomicUsize; 2]>) {
    let [answered, failed] = &*asked;
    loop {
        let counted = match desk.gets("/v1/health").await {
            Ok(Reply { status: 200, .. }) => answered,
            _ => failed,
        };
        counted.fetch_add(1, Ordering::SeqCst);
    }
}
