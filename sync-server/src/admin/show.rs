//! How answers look in a terminal: a sentence, a table, a QR code.

use comfy_table::{Cell, Color, ContentArrangement, Table};
use fast_qr::qr::QRBuilder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::cli::say;
use super::restore::Restored;
use super::wire::{EnrolCode, Event, Finding, Level, Outcome};

/// Shows events as they come and remembers how it ended.
pub(super) struct Screen {
    bar: ProgressBar,
    /// Whether the command was carried out.
    pub(super) is_done: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self {
            bar,
            is_done: false,
        }
    }

    pub(super) fn show(&mut self, event: Event) {
        match event {
            Event::Progress { done, total } => self.progress(done, total),
            Event::BadLine { number, reason } => {
                self.bar.suspend(|| {
                    say(format_args!(
                        "第 {number} 行未导入 · line {number}: {reason}"
                    ))
                });
            }
            Event::Done { outcome } => {
                self.bar.finish_and_clear();
                self.is_done = is_good(&outcome);
                self.outcome(&outcome);
            }
            Event::Failed { reason } => {
                self.bar.finish_and_clear();
                say(format_args!("未完成 · {reason}"));
            }
        }
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        let form = match total {
            Some(total) => {
                self.bar.set_length(total);
                "{bar:40} {human_pos}/{human_len} {eta}"
            }
            None => "{spinner} {human_pos} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            self.bar.set_style(style);
        }
        self.bar.set_position(done);
    }

    fn outcome(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Org {
                units,
                users,
                duties,
            } => say(format_args!(
                "组织架构已导入：{units} 个单位、{users} 个账号、{duties} 项职责有变动\n\
                 Organisation taken: {units} units, {users} accounts, {duties} duties new or changed"
            )),
            Outcome::People { added, known, bad } => say(format_args!(
                "户档案已导入：新增 {added} 条，已有 {known} 条，未导入 {bad} 行\n\
                 Household files taken: {added} records new, {known} known, {bad} lines left out"
            )),
            Outcome::Households { moved, bad } => say(format_args!(
                "户档案已迁移：{moved} 户，未迁移 {bad} 户\n\
                 Households moved: {moved}, left where they are: {bad}"
            )),
            Outcome::Book {
                renewed,
                unchanged,
                parts,
            } => say(format_args!(
                "口袋书已发布：{renewed} 个社区有新版本，{unchanged} 个不变，新内容 {parts} 份\n\
                 Pocket book published: {renewed} communities renewed, {unchanged} unchanged, {parts} parts new"
            )),
            Outcome::User { id } => say(format_args!("账号已建立 · Account opened: {id}")),
            Outcome::Duty { changed: true } => say("职责已更新 · Duty changed"),
            Outcome::Standing { changed: true } => say("账号已更新 · Account changed"),
            Outcome::Duty { changed: false } | Outcome::Standing { changed: false } => {
                say("本来如此，没有变动 · It was so already");
            }
            Outcome::Code(code) => self.code(code),
            Outcome::Backup {
                commit,
                blobs,
                bytes,
            } => say(format_args!(
                "备份完成：{blobs} 个文件，{bytes} 字节，截至提交 {commit}。密钥目录 keys/ 不在备份中，请另行保管\n\
                 Backed up: {blobs} files, {bytes} bytes, through commit {commit}. keys/ is not in it: keep a copy apart"
            )),
            Outcome::Findings { findings } => say(table(findings)),
        }
    }

    fn code(&self, code: &EnrolCode) {
        let invitation = &code.invitation;
        let payload = invitation.write();
        if let Ok(picture) = QRBuilder::new(payload.as_str()).build() {
            say(picture.to_str());
        }
        say(format_args!(
            "请用手机扫描，24 小时内有效，只能用一次 · Scan with the phone within 24 hours, once\n\
             服务器 · Server: {}\n注册码 · Code: {}\n{payload}",
            invitation.server.url, invitation.code
        ));
    }
}

/// Says what a restore brought.
pub(super) fn restored(restored: &Restored) -> String {
    let made_at = chrono::DateTime::from_timestamp_millis(restored.made_at + CHINA_MS);
    let made_at = made_at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string());
    format!(
        "已恢复到 {made_at} 的备份；原来的数据移到 data.replaced-*，未删除。\n\
         之后的工作（提交 {after} 之后）由各手机同步时自动补回；备份之后新注册的手机须用 unblock 放行。\n\
         Restored the backup of {made_at}; the data that was there is kept in data.replaced-*.\n\
         What came after commit {after} is brought back by the phones as they sync; phones enrolled \
         since need an `unblock`.",
        after = restored.lost.after
    )
}

const CHINA_MS: i64 = 8 * 60 * 60 * 1000;

/// A doctor who found an alarm and an import that left lines out have not ended well, so that a
/// timer's mail tells of it.
fn is_good(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::People { bad, .. } | Outcome::Households { bad, .. } => *bad == 0,
        Outcome::Findings { findings } => findings.iter().all(|f| f.level != Level::Alarm),
        _ => true,
    }
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new();
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["", "项目 · What", "情况 · Finding"]);
    for finding in findings {
        let mark = match finding.level {
            Level::Alarm => Cell::new("✗").fg(Color::Red),
            Level::Warning => Cell::new("!").fg(Color::Yellow),
            Level::Good => Cell::new("✓").fg(Color::Green),
        };
        table.add_row([mark, Cell::new(&finding.about), Cell::new(&finding.text)]);
    }
    table
}
