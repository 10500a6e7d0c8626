//! Making an answer: from memory if nothing is new, else from one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use pocketbook_records::ids::Mseq;
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{
    Answer, Key, Minimum, Mode, PAGE_BYTES, Page, Pull, Refused, Request,
};

use super::contact;
use super::hand_in::Handed;
use crate::caller::Caller;
use crate::feed::View;
use crate::feed::cursor::Cursor;
use crate::feed::frames::Stream;
use crate::feed::held::Held;
use crate::keyring::Keyring;
use crate::present::{Known, Picture};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::districts::Head;
use crate::store::{Store, accounts, blobs, bundles, districts, histories, org, receipts};
use crate::writer::Fault;

/// The oldest schema that may pull.
const OLDEST_PULL: u16 = 1;

type Streams = Vec<Stream>;

impl Server {
    /// Answers from memory; none if there is, or may be, anything new.
    pub(super) fn answer_from_memory(
        &self,
        caller: &Caller,
        request: &Request,
        handed: &Handed,
    ) -> Option<Answer> {
        if handed.first.is_some() || request.schema < OLDEST_PULL {
            return None;
        }
        let now = self.now();
        let keyring = self.keyring();
        self.0.present.look(|picture| {
            let known = picture.known(caller.enrolment)?;
            let is_current = known.granted.until.is_none_or(|until| now < until);
            let is_settled = request.settled_mseq >= known.enrolment.received;
            let is_closed = known.enrolment.caller.locked || !has_good_echo(keyring, request);
            if !is_current || !is_settled || is_closed {
                return None;
            }
            let mut answer = envelope(keyring, &picture.head, &known, now);
            if let Some(pull) = &request.pull {
                answer.scopes = still_pages(keyring, picture, &known, pull)?;
                answer.grants = Some(known.granted.scopes.iter().cloned().collect());
            }
            Some(answer)
        })
    }

    /// Answers from one snapshot. Says too which scopes are to be streamed, and whether this is
    /// the enrolment's first exchange.
    pub(super) async fn answer(
        &self,
        caller: &Caller,
        request: Arc<Request>,
        handed: Handed,
    ) -> Result<(Answer, Streams, bool), Refusal> {
        let generation = self.0.present.generation();
        let (caller, now) = (caller.clone(), self.now());
        let read = move |store: Store<'_>| read(store, &caller, &request, &handed, now);
        let (answer, streams, known) = self.read_async(read).await?;
        let is_first = known.enrolment.synced_at.is_none();
        self.0.present.find(generation, Arc::new(known));
        Ok((answer, streams, is_first))
    }
}

fn read(
    store: Store<'_>,
    caller: &Caller,
    request: &Request,
    handed: &Handed,
    now: Millis,
) -> Result<(Answer, Streams, Known), Refusal> {
    let head = districts::head(store.sql, store.district)?;
    let known = know(store, caller, now)?.ok_or(Refusal::UnknownCaller)?;
    let mut answer = envelope(store.keyring, &head, &known, now);
    let settled = match handed.first {
        Some(first) => request.settled_mseq.min(Mseq(first.0.saturating_sub(1))),
        None => request.settled_mseq,
    };
    answer.receipts = receipts::above(store, caller.enrolment, settled)?;
    answer.out_of_order = handed.out_of_order;
    answer.clone = handed.clone;
    let mut streams = Vec::new();
    if let Some(pull) = &request.pull {
        answer.refused = refused(store.keyring, request, &known);
        if answer.refused.is_none() {
            let view = View {
                store,
                asof: answer.asof,
                granted: &known.granted,
                held: &Held::by(pull, store, answer.asof.epoch),
                maker: pull.takes_links.then_some(caller.enrolment),
            };
            streams = tell(&view, pull, handed, &mut answer)?;
        }
    }
    Ok((answer, streams, known))
}

/// Puts the news into an answer.
fn tell(
    view: &View<'_>,
    pull: &Pull,
    handed: &Handed,
    answer: &mut Answer,
) -> Result<Streams, Fault> {
    let mut keys: Vec<Key> = pull.want.iter().chain(&handed.touched).cloned().collect();
    keys.sort();
    keys.dedup();
    answer.bodies = view.bodies(&keys, pull.max_bytes.unwrap_or(PAGE_BYTES))?;
    let news = view.news(pull)?;
    answer.grants = Some(view.granted.scopes.iter().cloned().collect());
    answer.scopes = news.scopes;
    if news.has_bad_cursor {
        answer.refused = Some(Refused::BadCursor);
    }
    Ok(news.streams)
}

fn refused(keyring: &Keyring, request: &Request, known: &Known) -> Option<Refused> {
    if known.enrolment.caller.locked {
        Some(Refused::Locked)
    } else if request.schema < OLDEST_PULL {
        Some(Refused::UpdateApp)
    } else if has_good_echo(keyring, request) {
        None
    } else {
        Some(Refused::BadCursor)
    }
}

fn has_good_echo(keyring: &Keyring, request: &Request) -> bool {
    let echo = request.echo.as_ref();
    echo.is_none_or(|echo| contact::is_genuine(keyring, echo))
}

/// Reads what is known of a caller.
fn know(store: Store<'_>, caller: &Caller, now: Millis) -> Result<Option<Known>, Fault> {
    let Some(enrolment) = accounts::enrolment(store, caller.enrolment)? else {
        return Ok(None);
    };
    let granted = org::granted(store, caller.user, now)?;
    let mut carried = Vec::new();
    for community in &granted.communities {
        carried.extend(bundles::newest(store, community)?);
    }
    Ok(Some(Known {
        enrolment,
        granted,
        wanted: blobs::wanted(store, caller.user)?,
        bundles: carried,
        forks: histories::gone(store)?.0,
        durable: districts::durable(store)?,
    }))
}

/// Everything of an answer that is not news.
fn envelope(keyring: &Keyring, head: &Head, known: &Known, now: Millis) -> Answer {
    let asof = head.asof(now);
    let tag = head.tag();
    Answer {
        asof,
        tag,
        mac: contact::seal(keyring, &asof, tag),
        contact: contact::token(keyring, known.enrolment.caller.enrolment, asof.time),
        received_mseq: known.enrolment.received,
        out_of_order: None,
        receipts: Vec::new(),
        durable: known.durable,
        refused: None,
        grants: None,
        bodies: Vec::new(),
        scopes: BTreeMap::new(),
        wanted: known.wanted.clone(),
        forks: known.forks.clone(),
        bundles: known.bundles.clone(),
        minimum: Minimum {
            pull: OLDEST_PULL,
            current: SCHEMA,
        },
        clone: None,
        retry_after_ms: None,
    }
}

/// Returns the pages of scopes that all stand where the caller left them; none if one moved on.
fn still_pages(
    keyring: &Keyring,
    picture: &Picture,
    known: &Known,
    pull: &Pull,
) -> Option<BTreeMap<Scope, Page>> {
    if !pull.want.is_empty() {
        return None;
    }
    let mut pages = BTreeMap::new();
    for (scope, ask) in &pull.scopes {
        if !known.granted.scopes.contains(scope) {
            continue;
        }
        let (Mode::Pages, Some(cursor)) = (&ask.mode, &ask.cursor) else {
            return None;
        };
        let name = scope.to_string();
        let head = picture.scopes.get(&name).cloned().unwrap_or_default();
        let place = Cursor::read(keyring, &name, cursor)?;
        if (place.epoch, place.seq) != (picture.head.epoch, head.seq) {
            return None;
        }
        let page = Page {
            cursor: cursor.clone(),
            through: picture.head.last,
            caught_up: true,
            digest: Some(head.digest.into()),
            total: Some(head.count),
            ..Page::default()
        };
        pages.insert(scope.clone(), page);
    }
    Some(pages)
}
