//! What whoever watches a run sees: Chinese first, English beneath, in eighty columns.
//!
//! A Chinese character is two columns wide, so lines are measured and broken here. Colours are
//! left out where nobody sees them (a pipe, `NO_COLOR`).

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The widest line.
const COLUMNS: usize = 78;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// One line of the last table.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: (&'static str, &'static str),
    /// What was found.
    pub found: (String, String),
    /// Whether it is as it should be.
    pub holds: bool,
}

/// The terminal.
#[derive(Debug)]
pub struct Screen {
    is_coloured: bool,
    scenes: usize,
    scene: AtomicUsize,
    checks: AtomicUsize,
    failures: AtomicUsize,
}

impl Screen {
    /// Returns the screen over standard output, for a run of so many scenes.
    pub fn new(scenes: usize) -> Self {
        let is_coloured = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            is_coloured,
            scenes,
            scene: AtomicUsize::new(0),
            checks: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
        }
    }

    /// Returns how many checks failed.
    pub fn failures(&self) -> usize {
        self.failures.load(Ordering::SeqCst)
    }

    /// Returns how many checks were made.
    pub fn checks(&self) -> usize {
        self.checks.load(Ordering::SeqCst)
    }

    /// Says what this is.
    pub fn title(&self, zh: &str, en: &str) {
        self.line("", "");
        self.wrapped(&[BOLD, CYAN], zh, 1, 1);
        self.wrapped(&[DIM], en, 1, 1);
    }

    /// Begins the next scene.
    pub fn scene(&self, zh: &str, en: &str) {
        let n = self.scene.fetch_add(1, Ordering::SeqCst) + 1;
        let head = format!("── {n}/{}  {zh} ", self.scenes);
        let rest = "─".repeat(COLUMNS.saturating_sub(width(&head)));
        self.line("", "");
        self.line(&format!("{BOLD}{CYAN}"), &format!("{head}{rest}"));
        self.wrapped(&[CYAN], en, 9, 9);
    }

    /// Tells what happens.
    pub fn tell(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        self.wrapped(&[], zh.as_ref(), 3, 3);
        self.wrapped(&[DIM], en.as_ref(), 3, 3);
    }

    /// Says what was checked.
    pub fn check(&self, holds: bool, zh: impl AsRef<str>, en: impl AsRef<str>) {
        self.count(holds);
        let (mark, colour) = if holds { ("✓", GREEN) } else { ("✗", RED) };
        let first = format!("{mark} {}", zh.as_ref());
        self.wrapped(&[colour], &first, 3, 5);
        self.wrapped(&[DIM], en.as_ref(), 5, 5);
    }

    /// Shows the last table.
    pub fn table(&self, findings: &[Finding]) {
        let rule = "─".repeat(COLUMNS);
        self.line(DIM, &rule);
        self.row(BOLD, "", ("核对 · Check", "结果 · Found"));
        self.line(DIM, &rule);
        for finding in findings {
            self.count(finding.holds);
            let (mark, colour) = if finding.holds {
                ("✓", GREEN)
            } else {
                ("✗", RED)
            };
            self.row(colour, mark, (finding.what.0, &finding.found.0));
            self.row(DIM, "", (finding.what.1, &finding.found.1));
        }
        self.line(DIM, &rule);
    }

    /// Prints two cells side by side, each broken where it is too wide.
    fn row(&self, colour: &str, mark: &str, (left, right): (&str, &str)) {
        const LEFT: usize = 34;
        let (left, right) = (wrap(left, LEFT), wrap(right, COLUMNS - LEFT - 7));
        for n in 0..left.len().max(right.len()) {
            let [left, right] = [&left, &right].map(|cell| cell.get(n).map_or("", String::as_str));
            let mark = if n == 0 && !mark.is_empty() {
                mark
            } else {
                " "
            };
            let gap = " ".repeat(LEFT.saturating_sub(width(left)) + 2);
            self.line(colour, &format!("   {mark} {left}{gap}{right}"));
        }
    }

    /// Says how it ended.
    pub fn end(&self, zh: &str, en: &str) {
        let colour = if self.failures() == 0 { GREEN } else { RED };
        self.line("", "");
        self.wrapped(&[BOLD, colour], zh, 1, 1);
        self.wrapped(&[DIM], en, 1, 1);
    }

    /// Prints a line as it is: an address, a password.
    pub fn plain(&self, text: &str) {
        self.line("", text);
    }

    /// Says that the run could not go on.
    pub fn broken(&self, why: &str) {
        self.line("", "");
        self.wrapped(&[BOLD, RED], &format!("✗ 中断：{why}"), 1, 3);
        self.wrapped(&[DIM], &format!("It could not go on: {why}"), 3, 3);
    }

    /// Shows the end of the server's log.
    pub fn log(&self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(12)..] {
            self.line(DIM, line);
        }
    }

    /// Returns a bar for something that takes a while; it goes when it is dropped.
    pub fn bar(&self, total: u64, zh: &str, en: &str) -> Bar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let form = format!("   {zh} · {en}  {{bar:24.cyan/dim}} {{percent:>3}} %");
        if let Ok(style) = ProgressStyle::with_template(&form)
            && stderr().is_terminal()
        {
            bar.set_style(style.progress_chars("━━─"));
        }
        Bar(bar)
    }

    fn count(&self, holds: bool) {
        self.checks.fetch_add(1, Ordering::SeqCst);
        self.failures
            .fetch_add(usize::from(!holds), Ordering::SeqCst);
    }

    fn wrapped(&self, colours: &[&str], text: &str, first: usize, others: usize) {
        let colour = colours.concat();
        for (n, line) in wrap(text, COLUMNS - first.max(others)).iter().enumerate() {
            let indent = " ".repeat(if n == 0 { first } else { others });
            self.line(&colour, &format!("{indent}{line}"));
        }
    }

    fn line(&self, colour: &str, text: &str) {
        let mut out = stdout().lock();
        // Whoever closed the pipe has seen enough.
        let _ = match self.is_coloured && !colour.is_empty() {
            true => writeln!(out, "{colour}{text}{PLAIN}"),
            false => writeln!(out, "{text}"),
        };
    }
}

/// A bar on the screen.
#[derive(Debug, Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Shows how far it is.
    pub fn at(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Returns a number with its thousands set apart.
pub fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn columns_of(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Breaks a text into lines: between words, and between any two Chinese characters but before a
/// closing mark.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
        let line = lines.last_mut().expect("there is a first line");
        if width(line) + width(piece.trim_end()) > columns && !line.is_empty() {
            line.truncate(line.trim_end().len());
            lines.push(piece.trim_start().to_owned());
        } else {
            line.push_str(piece);
        }
    }
    lines
}

fn pieces(text: &str) -> Vec<&str> {
    const CLOSING: &str = "，。；：、！？）」』》";
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last: Option<char> = None;
    for (at, letter) in text.char_indices() {
        let may_break = last.is_some_and(|last| {
            let is_wide = columns_of(last) == 2 || columns_of(letter) == 2;
            (is_wide || last == ' ')
                && !CLOSING.contains(letter)
                && letter != ' '
                && !"（「『《".contains(last)
        });
        if may_break {
            pieces.push(&text[start..at]);
            start = at;
        }
        last = Some(letter);
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_screen_and_nothing_is_lost() {
        let text =
            "李把 3 幢 2 单元 501 室的电话改成 15411110002，和王改的不一样：两个都留着，等人来定。";
        for columns in 12..60 {
            let lines = wrap(text, columns);
            assert!(
                lines.iter().all(|line| width(line) <= columns.max(14)),
                "{lines:?}"
            );
            assert!(
                lines
                    .iter()
                    .all(|line| !line.starts_with(['，', '。', '：'])),
                "{lines:?}"
            );
            let whole: String = lines.concat();
            assert_eq!(whole.replace(' ', ""), text.replace(' ', ""));
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0_u64, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
