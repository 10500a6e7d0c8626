//! What is shown: the mirror, overlaid with own work.
//!
//! A worker sees what she did at once and for good: her edit lies over the server's body from the
//! transaction that saved it until the server's word on it has *visibly* arrived. That moment is
//! not the receipt. **An own mutation stays overlaid until it has a receipt whose commit is no
//! later than the commit at which the row's body was read, or than the commit through which a
//! scope that holds the row is caught up** (sync-protocol §2; simpler rules flickered or counted
//! twice in most simulated runs). A parked or rejected one stays until its tray item is settled,
//! so that a parked new resident does not vanish from her author's list.
//!
//! The view is therefore a function of mirror, own mutations, receipts and tray, and [`refresh`]
//! computes it for one record. It is stored (`record.shown`, `record.mark`, the listing columns)
//! only where it differs from the mirror: a clean record is stored once, and a first sync writes
//! each record one time.
//!
//! What it refuses: to judge. Whether an edit wins is the server's word; here it is laid over
//! ([`pocketbook_records::overlay::overlay`]), marked as waiting.

use pocketbook_records::body::{self, Fields};
use pocketbook_records::decide::{self, Decided};
use pocketbook_records::history::Lost;
use pocketbook_records::ids::{EnrolmentId, Mid, Mseq, RecordId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Command, Frozen, Op};
use pocketbook_records::overlay::overlay;
use pocketbook_records::path::{self, Path};
use pocketbook_records::stamp::Author;
use pocketbook_records::time::Interval;
use pocketbook_records::workflow;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::error::Result;
use crate::store::meta;

/// Marks of a row, for the badge beside it.
pub mod mark {
    /// 待同步: own work that the server has not confirmed.
    pub const WAITING: i64 = 1;
    /// 需修改: the author must correct something.
    pub const NEEDS_FIXING: i64 = 2;
    /// Someone else must decide about own work.
    pub const PARKED: i64 = 4;
    /// 有冲突: a review is open.
    pub const IN_CONFLICT: i64 = 8;
}

/// Recomputes what is shown of one record. Call it in the transaction that changed its mirror, an
/// own mutation, a receipt, a tray item or a review about it.
pub(crate) fn refresh(connection: &Connection, kind: &Kind, id: RecordId) -> Result<()> {
    let mut own = Own::gather(connection, kind, id)?;
    let stored: Option<Option<String>> = connection
        .prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind.name, id.as_bytes()], |row| row.get(0))
        .optional()?;
    if !matches!(stored, Some(Some(_))) && !own.creates(kind) {
        // The record was deleted or taken from this phone; edits alone do not make one.
        own.entries.clear();
    }
    if own.is_empty() && matches!(stored, Some(None)) {
        connection
            .prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?
            .execute(params![kind.name, id.as_bytes()])?;
        return Ok(());
    }
    if stored.is_none() && own.is_empty() {
        return Ok(());
    }
    let mut marks = own.mark();
    if has_open_review(connection, id)? {
        marks |= mark::IN_CONFLICT;
    }
    let base = stored.flatten();
    if let (true, Some(text)) = (own.is_empty(), &base) {
        return show_as_stored(connection, (kind, id), text, marks);
    }
    let mut fields = match &base {
        Some(text) => body::parse(text).unwrap_or_default(),
        None => Fields::new(),
    };
    let hidden = own.lay_over(connection, kind, &mut fields)?;
    let listed = listing(kind, &fields);
    let text = body::write(&fields);
    let shown = (base.as_deref() != Some(text.as_str())).then_some(text);
    connection
        .prepare_cached(
            "INSERT INTO record (kind, id, schema, shown, hidden, mark, under, sort)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (kind, id) DO UPDATE SET
                 shown = ?4, hidden = ?5, mark = ?6, under = ?7, sort = ?8",
        )?
        .execute(params![
            kind.name,
            id.as_bytes(),
            pocketbook_records::kind::SCHEMA,
            shown,
            hidden,
            marks,
            listed.under,
            listed.sort
        ])?;
    Ok(())
}

/// Own work on a record was taken and still lies over it: all that changes is the mark, once nothing
/// else waits. Call it in the transaction that took the receipt.
pub(crate) fn confirm(connection: &Connection, kind: &Kind, id: RecordId) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE record SET mark = mark & ~?3
             WHERE kind = ?1 AND id = ?2
               AND NOT EXISTS (
                   SELECT 1 FROM authored
                   WHERE overlaid = 1 AND outcome IS NULL AND kind = ?1 AND id = ?2
               )
               AND NOT EXISTS (
                   SELECT 1 FROM authored
                   WHERE overlaid = 1 AND outcome IS NULL AND about_kind = ?1 AND about_id = ?2
               )",
        )?
        .execute(params![kind.name, id.as_bytes(), mark::WAITING])?;
    Ok(())
}

/// Nothing lies over it any more.
fn show_as_stored(
    connection: &Connection,
    (kind, id): (&Kind, RecordId),
    text: &str,
    marks: i64,
) -> Result<()> {
    let fields = body::pick(text, &listed_fields(kind)).unwrap_or_default();
    let listed = listing(kind, &fields);
    connection
        .prepare_cached(
            "UPDATE record SET shown = NULL, hidden = 0, mark = ?3, under = ?4, sort = ?5
             WHERE kind = ?1 AND id = ?2",
        )?
        .execute(params![
            kind.name,
            id.as_bytes(),
            marks,
            listed.under,
            listed.sort
        ])?;
    Ok(())
}

/// The columns that lists hang on.
pub(crate) struct Listed {
    /// A record's id or a grid.
    pub(crate) under: String,
    /// The sorting text.
    pub(crate) sort: String,
}

/// Returns the listing columns of a body, as its kind declares them.
pub(crate) fn listing(kind: &Kind, fields: &Fields) -> Listed {
    let under = kind.listing.under.unwrap_or("grid");
    let under = fields
        .get(under)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let sort = match kind.listing.time {
        // Newest first in an ascending index.
        Some(time) => {
            let at = fields.get(time).and_then(Value::as_i64).unwrap_or(0);
            format!("{:016x}", i64::MAX.wrapping_sub(at))
        }
        None => kind.sort_text(fields),
    };
    Listed { under, sort }
}

/// Returns the names of the fields that [`listing`] reads.
pub(crate) fn listed_fields(kind: &Kind) -> Vec<&'static str> {
    let sort = kind
        .listing
        .sort
        .iter()
        .map(|path| path.split('/').next().unwrap_or(path));
    sort.chain(kind.listing.time)
        .chain([kind.listing.under.unwrap_or("grid")])
        .collect()
}

fn has_open_review(connection: &Connection, id: RecordId) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM record
                 WHERE kind IN ('review', 'review-sensitive') AND under = ?1
                   AND json_extract(COALESCE(shown, body), '$.state') = 'open'
             )",
        )?
        .query_row([id.to_string()], |row| row.get(0))?)
}

/// Own work that lies over one record.
struct Own {
    /// In the order of authoring.
    entries: Vec<OwnEntry>,
}

struct OwnEntry {
    mid: Mid,
    mseq: Mseq,
    frozen: Frozen,
    wall: i64,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waiting,
    Acknowledged,
    Parked,
    Rejected,
}

impl Own {
    fn gather(connection: &Connection, kind: &Kind, id: RecordId) -> Result<Self> {
        let mut entries = Vec::new();
        let mut statement = connection.prepare_cached(
            "SELECT mid, mseq, frozen, authored, outcome FROM authored
             WHERE overlaid = 1 AND kind = ?1 AND id = ?2
             UNION ALL
             SELECT mid, mseq, frozen, authored, outcome FROM authored
             WHERE overlaid = 1 AND about_kind = ?1 AND about_id = ?2
             ORDER BY mseq",
        )?;
        let mut rows = statement.query(params![kind.name, id.as_bytes()])?;
        while let Some(row) = rows.next()? {
            let mid: [u8; 16] = row.get(0)?;
            let outcome: Option<String> = row.get(4)?;
            let Ok(frozen) = Frozen::parse(row.get_ref(2)?.as_str().unwrap_or_default()) else {
                continue;
            };
            entries.push(OwnEntry {
                mid: Mid(uuid::Uuid::from_bytes(mid)),
                mseq: Mseq(u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()),
                frozen,
                wall: row.get(3)?,
                standing: match outcome.as_deref() {
                    None => Standing::Waiting,
                    Some("parked") => Standing::Parked,
                    Some("rejected") => Standing::Rejected,
                    Some(_) => Standing::Acknowledged,
                },
            });
        }
        let mut own = Self { entries };
        own.add_tray(connection, kind, id)?;
        Ok(own)
    }

    /// Tray items of the same account authored elsewhere (another phone, an earlier enrolment).
    fn add_tray(&mut self, connection: &Connection, kind: &Kind, id: RecordId) -> Result<()> {
        let me: Option<String> = meta::read(connection, meta::USER)?;
        let mut statement = connection.prepare_cached(
            "SELECT body FROM record
             WHERE kind IN ('parked', 'parked-sensitive') AND under = ?1 AND body IS NOT NULL",
        )?;
        let mut rows = statement.query([id.to_string()])?;
        let mut foreign = Vec::new();
        while let Some(row) = rows.next()? {
            let item =
                body::parse(row.get_ref(0)?.as_str().unwrap_or_default()).unwrap_or_default();
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
            let standing = match text("state") {
                "parked" => Standing::Parked,
                "rejected" => Standing::Rejected,
                _ => continue,
            };
            let Ok(mid) = text("mid").parse::<Mid>() else {
                continue;
            };
            let is_foreign = text("of") == kind.name && Some(text("author")) == me.as_deref();
            if !is_foreign || is_authored_here(connection, mid)? {
                continue;
            }
            let Ok(frozen) = Frozen::parse(text("frozen")) else {
                continue;
            };
            foreign.push(OwnEntry {
                mid,
                mseq: Mseq(0),
                wall: frozen.at.wall,
                frozen,
                standing,
            });
        }
        self.entries.splice(0..0, foreign);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn creates(&self, kind: &Kind) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.frozen.kind == kind.name && entry.frozen.op == Op::Create)
    }

    fn mark(&self) -> i64 {
        self.entries.iter().fold(0, |mark, entry| {
            mark | match entry.standing {
                Standing::Waiting => mark::WAITING,
                Standing::Acknowledged => 0,
                Standing::Parked => mark::PARKED,
                Standing::Rejected => mark::NEEDS_FIXING,
            }
        })
    }

    /// Lays everything over the body; says whether the record is taken away.
    fn lay_over(&self, connection: &Connection, kind: &Kind, fields: &mut Fields) -> Result<bool> {
        let mut hidden = false;
        let user = meta::read::<String>(connection, meta::USER)?.and_then(|id| id.parse().ok());
        for entry in &self.entries {
            if entry.frozen.kind != kind.name {
                if let Some((path, value)) = settled_by(connection, entry, user)? {
                    path::set(fields, &path, value);
                }
                continue;
            }
            match entry.frozen.op {
                Op::Delete => hidden = true,
                Op::Decide => preview_decision(entry, user, fields),
                Op::Create => {
                    hidden = false;
                    if let (Some(_), Some(user)) = (kind.field("author"), user) {
                        fields.entry("author").or_insert_with(|| json!(user));
                    }
                }
                _ => {}
            }
            overlay(kind, fields, &entry.frozen);
            if let Some(command) = &entry.frozen.command {
                preview_command(kind, fields, command, entry, user);
            }
        }
        Ok(hidden)
    }
}

/// Own work of this phone lies over the view, or was taken off it for a reason.
fn is_authored_here(connection: &Connection, mid: Mid) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM authored WHERE mid = ?1)")?
        .query_row([mid.as_bytes()], |row| row.get(0))?)
}

fn preview_command(
    kind: &Kind,
    fields: &mut Fields,
    command: &Command,
    entry: &OwnEntry,
    user: Option<UserId>,
) {
    let Some(workflow) = kind.workflow else {
        return;
    };
    let state = workflow.state(fields);
    let line = workflow
        .lines
        .iter()
        .find(|l| l.command == command.name && l.from.contains(&state));
    if let Some(line) = line {
        workflow::carry_out(fields, line, &command.args, entry.mid, user, entry.wall);
    }
}

fn preview_decision(entry: &OwnEntry, user: Option<UserId>, review: &mut Fields) {
    if let (Some(decision), Some(user)) = (&entry.frozen.decide, user)
        && let Ok(Decided::Settled { review: after, .. } | Decided::Proposed { review: after }) =
            decide::decide(review, decision, &author_of(entry, user))
    {
        *review = after;
    }
}

/// Returns what an own decision of a review sets in the record that the review is about.
fn settled_by(
    connection: &Connection,
    entry: &OwnEntry,
    user: Option<UserId>,
) -> Result<Option<(Path, Value)>> {
    let (Some(decision), Some(user)) = (&entry.frozen.decide, user) else {
        return Ok(None);
    };
    let review: Option<Option<String>> = connection
        .prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2")?
        .query_row(
            params![entry.frozen.kind, entry.frozen.id.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(review) = review.flatten().and_then(|text| body::parse(&text).ok()) else {
        return Ok(None);
    };
    let path = review
        .get("path")
        .and_then(Value::as_str)
        .and_then(|path| Path::parse(path).ok());
    let settled = decide::decide(&review, decision, &author_of(entry, user));
    Ok(match (path, settled) {
        (Some(path), Ok(Decided::Settled { value, .. })) if path.as_str() != decide::WHOLE => {
            Some((path, value))
        }
        _ => None,
    })
}

/// The device's own author: the preview supposes neither a holder's rights nor a commit.
fn author_of(entry: &OwnEntry, user: UserId) -> Author {
    Author {
        enrolment: EnrolmentId(uuid::Uuid::nil()),
        user,
        mid: entry.mid,
        mseq: entry.mseq,
        at: Interval::moment(entry.wall),
        own_chain: true,
        earlier: Vec::new(),
        holder: false,
        commit: pocketbook_records::ids::Commit::default(),
        origin: None,
        lost: Lost::default(),
    }
}
