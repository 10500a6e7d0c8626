//! Tray items: own work to be corrected (需修改), and work that waits for a decision (待确认).

use pocketbook::books::correction::ARGS;
use pocketbook::books::{self, Entry};
use pocketbook_records::ids::{BlobHash, Mid, RecordId, Rev, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE};
use pocketbook_records::mutation::{Expect, Frozen};
use pocketbook_records::time::Interval;

use super::Badges;
use super::parts::expect;
use crate::json;
use crate::writes::Change;

/// Something in the tray.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct TrayItem {
    /// Its id.
    pub id: RecordId,
    /// Its own kind, `parked` or `parked-sensitive`: for commands on it.
    pub kind: String,
    /// What the screen shows.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// Where it stands (parked or rejected): goes back with a command.
    pub expect: Expect,
    /// Whether this account authored it.
    pub is_mine: bool,
    /// The mutation.
    pub mutation: Option<Mid>,
    /// Who authored it.
    pub author: Option<UserId>,
    /// Kind of the record that it would change.
    pub of: String,
    /// That record.
    pub record: Option<RecordId>,
    /// A short name of why it lies here.
    pub reason: String,
    /// When it was authored.
    pub authored: Option<Interval>,
    /// When it came (ms, server time).
    pub arrived_at: Option<i64>,
    /// Photos that belong to it.
    pub photos: Vec<BlobHash>,
    /// The values that it would set, and the arguments of its command as `args/<name>`: what a
    /// correction may name.
    pub changes: Vec<Change>,
    /// The command that it would give.
    pub command: Option<String>,
    /// All that was authored, JSON as it was sent.
    pub authored_json: String,
}

impl From<books::TrayItem> for TrayItem {
    fn from(item: books::TrayItem) -> Self {
        let (kind, is_mine) = (table(item.kind), item.is_mine);
        let (changes, command) = item.frozen.map(meant).unwrap_or_default();
        let Entry {
            id,
            rev,
            mark,
            fields,
        } = item.item;
        Self {
            id,
            kind: kind.name.to_owned(),
            rev,
            badges: Badges::of(mark),
            expect: expect(kind, fields.state, fields.turn, fields.transition),
            is_mine,
            mutation: fields.mid.map(Mid),
            author: fields.author.map(UserId),
            of: fields.of.unwrap_or_default(),
            record: fields.record.map(RecordId),
            reason: fields.reason.unwrap_or_default(),
            authored: fields
                .authored_from
                .zip(fields.authored_to)
                .map(|(from, to)| Interval { from, to }),
            arrived_at: fields.arrived_at,
            photos: fields.photos,
            changes,
            command,
            authored_json: fields.frozen.unwrap_or_default(),
        }
    }
}

fn table(kind: &str) -> &'static Kind {
    if kind == PARKED_SENSITIVE.name {
        &PARKED_SENSITIVE
    } else {
        &PARKED
    }
}

fn meant(frozen: Frozen) -> (Vec<Change>, Option<String>) {
    let change = |set: pocketbook_records::mutation::Set| Change {
        path: set.path.to_string(),
        was_json: json::text(&set.was),
        to_json: json::text(&set.to),
    };
    let mut changes: Vec<Change> = frozen.set.into_iter().map(change).collect();
    let command = frozen.command.map(|command| {
        changes.extend(command.args.iter().map(|(name, value)| Change {
            path: format!("{ARGS}{name}"),
            was_json: None,
            to_json: json::text(value),
        }));
        command.name
    });
    (changes, command)
}
