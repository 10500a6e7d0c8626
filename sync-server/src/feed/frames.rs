//! Frames: a scope's first sync, piece by piece. A frame is written straight into its line; bodies
//! are copied from the row.

use std::collections::VecDeque;
use std::fmt::Write;

use pocketbook_records::ids::{RecordId, Rev, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{FRAME_BYTES, Key, Link, Mode, Span};

use super::cursor::Cursor;
use super::held::{Held, Newcomer};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::{Row, Store, accounts, districts, org, records, scopes};
use crate::writer::Fault;

/// About what a link takes.
const LINK_BYTES: usize = 110;

/// The frames of an answer, each read in a snapshot of its own when it is asked for.
pub struct Frames {
    server: Server,
    caller: crate::Caller,
    streams: VecDeque<Stream>,
}

/// A scope to be streamed.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    scope: Scope,
    /// Only these parts of it; none: all of it.
    spans: Option<Vec<Span>>,
    /// The row to go on after.
    after: Option<Key>,
    held: Held,
}

impl Stream {
    /// Returns the stream that was asked for, if one was.
    pub(super) fn asked(scope: &Scope, mode: &Mode, held: &Held) -> Option<Self> {
        let (spans, after, held) = match mode {
            Mode::Frames { after } => (None, after, held.clone()),
            // Whoever doubts what he holds is sent it whole.
            Mode::Parts { spans, after } => (Some(spans.clone()), after, Held::default()),
            Mode::Pages | Mode::Pairs { .. } => return None,
        };
        Some(Self {
            scope: scope.clone(),
            spans,
            after: after.clone(),
            held,
        })
    }

    /// Returns where to read records of a kind: after one id, up to another.
    fn parts_of(&self, kind: &Kind) -> Vec<(Option<RecordId>, Option<RecordId>)> {
        let resume = self.after.as_ref().filter(|key| key.kind == kind.name);
        let resume = resume.map(|key| key.id);
        let Some(spans) = &self.spans else {
            return vec![(resume, None)];
        };
        let of_kind = spans.iter().filter(|span| span.kind == kind.name);
        let part = |span: &Span| (span.after.max(resume), span.to);
        of_kind
            .map(part)
            .filter(|(after, to)| to.is_none_or(|to| after.is_none_or(|after| after < to)))
            .collect()
    }
}

/// One frame and where the next one begins.
struct Read {
    line: String,
    next: Option<Key>,
}

impl Frames {
    pub(crate) fn new(server: &Server, caller: &crate::Caller, streams: Vec<Stream>) -> Self {
        Self {
            server: server.clone(),
            caller: caller.clone(),
            streams: streams.into(),
        }
    }

    /// Reads the next frame: one line of JSON without its end; none after the last. A scope whose
    /// grant has ended meanwhile ends here too, without a last frame.
    pub async fn next(&mut self) -> Result<Option<String>, Refusal> {
        while let Some(mut stream) = self.streams.pop_front() {
            let now = self.server.now();
            let (caller, asked) = (self.caller.clone(), stream.clone());
            let read = move |store: Store<'_>| {
                if is_granted(store, &caller, &asked.scope, now)? {
                    frame(store, &asked, FRAME_BYTES).map(Some)
                } else {
                    Ok::<_, Fault>(None)
                }
            };
            let Some(Read { line, next }) = self.server.read_async(read).await? else {
                continue;
            };
            if next.is_some() {
                stream.after = next;
                self.streams.push_front(stream);
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
fn frame(store: Store<'_>, stream: &Stream, full: usize) -> Result<Read, Fault> {
    let name = stream.scope.to_string();
    let head = districts::head(store.sql, store.district)?;
    let seq = scopes::head(store, &name)?.seq;
    let epoch = head.epoch;
    let cursor = Cursor {
        epoch,
        seq,
        through: head.last,
    };
    let cursor = cursor.write(store.keyring, &name);
    let mut line = String::with_capacity(full + full / 4);
    line.push_str("{\"scope\":");
    line.push_str(&serde_json::to_string(&stream.scope)?);
    let _ = write!(
        line,
        ",\"cursor\":\"{cursor}\",\"commit\":{},\"rows\":[",
        head.last
    );
    let start = line.len();

    let position = |key: &Key| kinds::ALL.iter().position(|kind| kind.name == key.kind);
    let begun = stream.after.as_ref().and_then(position).unwrap_or(0);
    let parts = kinds::ALL[begun..].iter().flat_map(|kind| {
        let parts = stream.parts_of(kind).into_iter();
        parts.map(move |part| (kind, part))
    });
    let mut last = stream.after.clone();
    let mut links: Vec<Link> = Vec::new();
    let mut is_full = false;
    for (kind, part) in parts {
        scopes::shelf(store, (&name, kind.name), part, |row| {
            if line.len() - start + links.len() * LINK_BYTES >= full {
                is_full = true;
                return Ok(false);
            }
            let (id, rev) = (row.get(0)?, row.get(1)?);
            let newcomer = Newcomer {
                kind: kind.name,
                id,
                rev,
                since: row.get(5)?,
            };
            let key = Key {
                kind: kind.name.to_owned(),
                id,
            };
            if stream.held.has(store, newcomer)? {
                let kind = key.kind.clone();
                links.push(Link {
                    kind,
                    id,
                    rev,
                    likeness: None,
                });
            } else {
                if line.len() > start {
                    line.push(',');
                }
                write_row(store, &mut line, kind, row)?;
            }
            last = Some(key);
            Ok(true)
        })?;
        if is_full {
            break;
        }
    }
    line.push(']');
    if !links.is_empty() {
        line.push_str(",\"links\":");
        line.push_str(&serde_json::to_string(&links)?);
        line.push_str(",\"end\":");
        line.push_str(&serde_json::to_string(&last)?);
    }
    let _ = write!(line, ",\"last\":{}}}", !is_full);
    Ok(Read {
        line,
        next: last.filter(|_| is_full),
    })
}

fn write_row(store: Store<'_>, line: &mut String, kind: &Kind, row: &Row<'_>) -> Result<(), Fault> {
    let (id, rev, schema): (RecordId, Rev, u16) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (body, sealed) = (row.maybe_text(3)?, row.maybe_bytes(4)?);
    let text = records::text_of(store, (kind.name, id, rev), body, sealed)?;
    let name = kind.name;
    // Writing to a String never fails.
    let _ = write!(
        line,
        "{{\"kind\":\"{name}\",\"id\":\"{id}\",\"rev\":{rev},\"schema\":{schema},\"body\":{text}}}"
    );
    Ok(())
}
