//! Content that comes after its mutation: one that never got through whole was handed in as
//! `later{hash, bytes}` and lies in the tray; its bytes come by the door of files.
//!
//! They are no file: nothing keeps them but the tray item and the journal. Whoever announced them
//! under his number is the only one who can bring them, and what they say is decided as if it had
//! come then. Brought again, they find the item decided and do nothing.

use serde_json::json;
use uuid::Uuid;

use pocketbook_records::ids::{BlobHash, Commit, UserId};
use pocketbook_records::mutation::{Frozen, Later, Op};
use pocketbook_records::receipt::Reason;

use super::verdict::Judged;
use super::{Ruling, Work, decide, dependants};
use crate::caller::Caller;
use crate::store::records::Record;
use crate::store::waits::{self, Waiting};
use crate::store::{Store, accounts};
use crate::writer::{Batch, Fault};

/// Names what a mutation without content waits for.
pub(super) fn target(later: &Later) -> Uuid {
    Uuid::new_v5(&CONTENTS, &later.hash.0)
}

/// Names the space of contents; drawn once, never to change.
const CONTENTS: Uuid = uuid::uuid!("5a0e6c0c-3f0d-5b8e-9c41-7b1d1f6f2a58");

/// Says whether an account has announced a file of this name and length as the content of a
/// mutation.
pub(crate) fn is_announced(
    store: Store<'_>,
    caller: &Caller,
    hash: BlobHash,
    bytes: u64,
) -> Result<bool, Fault> {
    let later = Later { hash, bytes };
    for waiting in waits::of(store, target(&later))? {
        if is_by(store, caller.user, &waiting)? && dependants::item(store, &waiting)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_by(store: Store<'_>, user: UserId, waiting: &Waiting) -> Result<bool, Fault> {
    let author = accounts::enrolment(store, waiting.enrolment)?;
    Ok(author.is_some_and(|author| author.caller.user == user))
}

/// Decides what waited for a content, whose bytes hash to its name. Returns the commit that knows
/// it.
pub(crate) fn arrived(
    batch: &mut Batch<'_>,
    caller: &Caller,
    hash: BlobHash,
    bytes: &[u8],
) -> Result<Commit, Fault> {
    let later = Later {
        hash,
        bytes: bytes.len() as u64,
    };
    let mut freed = Vec::new();
    for waiting in waits::of(batch.store(), target(&later))? {
        if !is_by(batch.store(), caller.user, &waiting)? {
            continue;
        }
        let Some(item) = dependants::find(batch, &waiting)? else {
            continue;
        };
        let Some(announced) = Work::of_item(batch, &item, Ruling::Ordinary)? else {
            continue;
        };
        if !announces(&announced, &later) {
            continue;
        }
        let (work, filled) = fill(announced, &item, bytes);
        let judged = match &work.frozen {
            Err(reason) => Judged::rejected(reason.clone()),
            Ok(_) => decide(batch, &work)?,
        };
        let done = dependants::settle(batch, &work, (&item, &filled), judged)?;
        freed.extend(done.frees);
    }
    dependants::decide_again(batch, &freed)?;
    batch.commit()
}

fn announces(work: &Work, later: &Later) -> bool {
    let frozen = work.frozen.as_ref().ok();
    frozen.is_some_and(|frozen| frozen.op == Op::Later && frozen.later.as_ref() == Some(later))
}

/// Puts the content in the place of its announcement, if it is one of that record.
fn fill(announced: Work, item: &Record, bytes: &[u8]) -> (Work, Record) {
    let is_of_record = |frozen: &Frozen| {
        let named = announced.target();
        (frozen.kind.as_str(), frozen.id) == named && !matches!(frozen.op, Op::Later | Op::Void)
    };
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::Malformed);
    let read = text.and_then(|text| Ok((text, Frozen::parse(text)?)));
    let mut filled = item.clone();
    match read {
        Ok((text, frozen)) if is_of_record(&frozen) => {
            filled.body.insert("frozen".into(), json!(text));
            if !frozen.blobs.is_empty() {
                filled.body.insert("photos".into(), json!(frozen.blobs));
            }
            let work = Work {
                text: text.to_owned(),
                frozen: Ok(frozen),
                ..announced
            };
            (work, filled)
        }
        read => {
            let reason = read.err().unwrap_or(Reason::Malformed);
            let work = Work {
                frozen: Err(reason),
                ..announced
            };
            (work, filled)
        }
    }
}
