//! A first sync is cut and goes on where it was; the second phone's comes through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pocketbook::engine::SyncError;
use pocketbook::store::status::SyncState;
use pocketbook_tests::world::check::shown_in;

use super::kb;
use crate::Result;
use crate::phone::Phone;
use crate::stage::{Cast, Stage};
use pocketbook_tests::stack::link::Quality;
use pocketbook_tests::stack::screen::grouped;

const LINE: Quality = Quality::Slow {
    kbit_s: 3_000,
    delay_ms: 20,
};

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast) -> Result<()> {
    stage
        .screen
        .scene("首次同步，四成处断线", "The first sync, cut at 40 %");
    let bytes = whole(stage, &cast.li).await?;
    cut(stage, &cast.wang, bytes * 4 / 10).await?;
    resume(stage, cast).await?;
    read_book(stage, &cast.wang)
}

/// 李's comes through; returns how many bytes it took.
async fn whole(stage: &Stage<'_>, li: &Arc<Phone>) -> Result<u64> {
    stage.screen.tell(
        "李和王注册新手机，下载两个网格的档案。李先来。",
        "Li and Wang enrol new phones and load the files of their two grids. Li first.",
    );
    li.link().becomes(LINE);
    let bar = stage.screen.bar(100, "李的首次同步", "Li's first sync");
    let (shown, counted) = (bar.clone(), Arc::new(AtomicU64::new(0)));
    let (counting, looking) = (Arc::clone(&counted), Arc::clone(li));
    let watch = move |percent: u8| {
        shown.at(percent.into());
        counting.store(looking.link().bytes_down(), Ordering::SeqCst);
    };
    li.syncs_watched(watch).await?;
    drop(bar);
    li.link().becomes(Quality::Good);
    let (all, bytes) = (shown_in(li.store()).len(), counted.load(Ordering::SeqCst));
    stage.screen.check(
        li.status()?.state == SyncState::Synced && all > 0,
        format!(
            "李的手机：{} 条，{}，状态「已同步」",
            grouped(all as u64),
            kb(bytes)
        ),
        format!(
            "Li's phone: {} records, {}; it says 'in step'",
            grouped(all as u64),
            kb(bytes)
        ),
    );
    Ok(bytes)
}

async fn cut(stage: &Stage<'_>, wang: &Phone, bytes: u64) -> Result<()> {
    stage.screen.tell(
        "王下到四成时走进电梯，信号断了。",
        "At 40 % Wang steps into a lift: the signal is gone.",
    );
    wang.link().becomes(LINE);
    wang.link().breaks_after(bytes);
    let bar = stage.screen.bar(100, "王的首次同步", "Wang's first sync");
    let shown = bar.clone();
    let ended = wang
        .syncs_watched(move |percent| shown.at(percent.into()))
        .await;
    drop(bar);
    let SyncState::FirstSync { percent } = wang.status()?.state else {
        return Err("the first sync was not cut".into());
    };
    let kept = shown_in(wang.store()).len();
    stage.screen.check(
        matches!(ended, Err(SyncError::Transport(_))) && kept > 0,
        format!(
            "收到 {}（四成）时断线：完整收到的 {} 条（{percent}%）已在手机里，可以翻看",
            kb(bytes),
            grouped(kept as u64)
        ),
        format!(
            "Cut after {}: the {} records ({percent} %) that came whole are kept and can be read",
            kb(bytes),
            grouped(kept as u64)
        ),
    );
    Ok(())
}

async fn resume(stage: &Stage<'_>, cast: &Cast) -> Result<()> {
    let wang = &cast.wang;
    let kept = shown_in(wang.store()).len();
    wang.link().is_mended();
    wang.link().becomes(Quality::Good);
    let report = wang.syncs().await?;
    let (all, lis) = (
        shown_in(wang.store()).len(),
        shown_in(cast.li.store()).len(),
    );
    stage.screen.check(
        report.rows + kept as u64 == all as u64
            && all == lis
            && wang.status()?.state == SyncState::Synced,
        format!(
            "接着下载：只补 {} 条，合计 {} 条，没有一条重来",
            grouped(report.rows),
            grouped(all as u64)
        ),
        format!(
            "Resumed: only the missing {} of {} came, none twice",
            grouped(report.rows),
            grouped(all as u64)
        ),
    );
    let households =
        wang.households(&stage.grid(0))?.len() + wang.households(&stage.grid(1))?.len();
    stage.screen.check(
        households == stage.households * 2,
        format!("住户列表完整：{} 户", grouped(households as u64)),
        format!(
            "The list of households is whole: {}",
            grouped(households as u64)
        ),
    );
    Ok(())
}

fn read_book(stage: &Stage<'_>, wang: &Phone) -> Result<()> {
    let parts = wang.store().book_parts()?;
    let articles: u64 = parts.iter().map(|part| part.articles).sum();
    let items = wang.store().articles("approval-items")?;
    let first = items.first().ok_or("no approval items")?;
    let opened = wang.store().article(&first.id)?;
    stage.screen.check(
        items.len() == 76 && opened.is_some(),
        format!(
            "口袋书也在手机里：{articles} 篇，其中 {} 项审批事项，如「{}」",
            items.len(),
            first.title
        ),
        format!(
            "The pocket book is on the phone too: {articles} articles, {} approval items",
            items.len()
        ),
    );
    Ok(())
}
