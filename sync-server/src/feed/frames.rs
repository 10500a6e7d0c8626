//! Frames: a scope's first sync, piece by piece. A frame is written straight into its line; bodies
//! are copied from the row.

use std::collections::VecDeque;
use std::fmt::Write;

use pocketbook_records::ids::{RecordId, Rev, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{FRAME_BYTES, Key};

use super::cursor::Cursor;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::{Row, Store, accounts, districts, org, records, scopes};
use crate::writer::Fault;

/// The frames of an answer, each read in a snapshot of its own when it is asked for.
pub struct Frames {
    server: Server,
    caller: crate::Caller,
    streams: VecDeque<(Scope, Option<Key>)>,
}

/// One frame and where the next one begins.
struct Read {
    line: String,
    next: Option<Key>,
}

impl Frames {
    pub(crate) fn new(
        server: &Server,
        caller: &crate::Caller,
        streams: Vec<(Scope, Option<Key>)>,
    ) -> Self {
        Self {
            server: server.clone(),
            caller: caller.clone(),
            streams: streams.into(),
        }
    }

    /// Reads the next frame: one line of JSON without its end; none after the last. A scope whose
    /// grant has ended meanwhile ends here too, without a last frame.
    pub async fn next(&mut self) -> Result<Option<String>, Refusal> {
        while let Some((scope, after)) = self.streams.pop_front() {
            let now = self.server.now();
            let (caller, asked) = (self.caller.clone(), scope.clone());
            let read = move |store: Store<'_>| {
                if is_granted(store, &caller, &asked, now)? {
                    frame(store, &asked, after.as_ref(), FRAME_BYTES).map(Some)
                } else {
                    Ok::<_, Fault>(None)
                }
            };
            let Some(Read { line, next }) = self.server.read_async(read).await? else {
                continue;
            };
            if next.is_some() {
                self.streams.push_front((scope, next));
            }
            return Ok(Some(line));
        }
        Ok(None)
    }
}

fn is_granted(
    store: Store<'_>,
    caller: &crate::Caller,
    scope: &Scope,
    now: Millis,
) -> Result<bool, Fault> {
    let user: UserId = caller.user;
    let enrolment = accounts::enrolment(store, caller.enrolment)?;
    let is_open = enrolment.is_some_and(|enrolment| !enrolment.caller.locked);
    Ok(is_open && org::granted(store, user, now)?.scopes.contains(scope))
}

/// Reads one frame: rows by (kind, id) after a key, until it is full.
fn frame(store: Store<'_>, scope: &Scope, after: Option<&Key>, full: usize) -> Result<Read, Fault> {
    let name = scope.to_string();
    let head = districts::head(store.sql, store.district)?;
    let seq = scopes::head(store, &name)?.seq;
    let epoch = head.epoch;
    let cursor = Cursor { epoch, seq }.write(store.keyring, &name);
    let mut line = String::with_capacity(full + full / 4);
    line.push_str("{\"scope\":");
    line.push_str(&serde_json::to_string(scope)?);
    let _ = write!(
        line,
        ",\"cursor\":\"{cursor}\",\"commit\":{},\"rows\":[",
        head.last
    );
    let start = line.len();

    let begun = after.and_then(|key| kinds::ALL.iter().position(|kind| kind.name == key.kind));
    let mut last = after.cloned();
    let mut is_full = false;
    for kind in &kinds::ALL[begun.unwrap_or(0)..] {
        let resume = after.filter(|key| key.kind == kind.name).map(|key| key.id);
        scopes::shelf(store, &name, kind.name, resume, |row| {
            if line.len() - start >= full {
                is_full = true;
                return Ok(false);
            }
            if line.len() > start {
                line.push(',');
            }
            let id = write_row(store, &mut line, kind, row)?;
            let kind = kind.name.to_owned();
            last = Some(Key { kind, id });
            Ok(true)
        })?;
        if is_full {
            break;
        }
    }
    let _ = write!(line, "],\"last\":{}}}", !is_full);
    Ok(Read {
        line,
        next: last.filter(|_| is_full),
    })
}

fn write_row(
    store: Store<'_>,
    line: &mut String,
    kind: &Kind,
    row: &Row<'_>,
) -> Result<RecordId, Fault> {
    let (id, rev, schema): (RecordId, Rev, u16) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (body, sealed) = (row.maybe_text(3)?, row.maybe_bytes(4)?);
    let text = records::text_of(store, (kind.name, id, rev), body, sealed)?;
    let name = kind.name;
    // Writing to a String never fails.
    let _ = write!(
        line,
        "{{\"kind\":\"{name}\",\"id\":\"{id}\",\"rev\":{rev},\"schema\":{schema},\"body\":{text}}}"
    );
    Ok(id)
}
