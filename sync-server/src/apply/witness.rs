//! Witness: a phone shows a body that it had read and that a restore threw away.
//!
//! It comes in by the same door: decided purely ([`pocketbook_records::witness`]), written with its
//! line in the journal, which names the phone that showed it. A phone can show what it likes, so it
//! is heard only where it could have read: revs that were lost, kinds that are known, records that
//! its account may read now. Reviews come back like this with what they hold; tray items do not:
//! they follow from the work that comes back.

use std::collections::BTreeSet;

use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{Commit, Mid, Mseq, UnitId};
use pocketbook_records::kind::{Home, Kind};
use pocketbook_records::merge::Stored;
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::{self, Path};
use pocketbook_records::receipt::Outcome;
use pocketbook_records::scope::Scope;
use pocketbook_records::stamp::{Author, Stamps};
use pocketbook_records::time::{At, Interval};
use pocketbook_records::wire::Put;
use pocketbook_records::witness::lay_over;
use uuid::Uuid;

use super::verdict::{Change, Effect, Judged, Taken, Verdict};
use super::{Ruling, Work, claim_name, take};
use crate::caller::{Caller, Station};
use crate::store::accounts::{SYSTEM, SYSTEM_USER};
use crate::store::records::{self, Record};
use crate::store::{ledger, receipts};
use crate::writer::{Batch, Fault};

/// Hears a witness; says whether anything came back.
pub(crate) fn hear(
    batch: &mut Batch<'_>,
    bearer: &Caller,
    granted: &BTreeSet<Scope>,
    put: &Put,
) -> Result<bool, Fault> {
    let mid = Mid(Uuid::new_v5(
        &put.id.0,
        format!("{}/{}", put.kind, put.rev).as_bytes(),
    ));
    let (Some(kind), Ok(body)) = (Kind::named(&put.kind), body::parse(put.body.get())) else {
        return Ok(false);
    };
    let is_known = receipts::used(batch.store(), mid)?.is_some();
    if is_known || !batch.lost()?.holds(put.rev) || !fits(kind, &body) {
        return Ok(false);
    }
    let at = Interval::moment(batch.now());
    let author = Author {
        enrolment: SYSTEM,
        user: SYSTEM_USER,
        mid,
        mseq: Mseq(0),
        at,
        own_chain: false,
        earlier: Vec::new(),
        holder: true,
        commit: batch.commit()?,
        origin: Some(put.rev),
        lost: batch.lost()?,
    };
    let stored = records::find(batch.store(), kind, put.id)?;
    let brought = match &stored {
        Some(record) => over(record, &body, put.rev, &author, batch.now()),
        None => anew(batch, kind, put, body, &author)?,
    };
    let Some(effect) = brought else {
        return Ok(false);
    };
    let readable = effect.record.as_ref().is_some_and(|change| {
        let scopes = stored.as_ref().unwrap_or(&change.after).scopes();
        scopes.iter().any(|scope| granted.contains(scope))
    });
    if !readable {
        return Ok(false);
    }
    let work = told(kind, put, bearer, (mid, at), &effect);
    let taken = Taken::of(Outcome::Applied, effect);
    claim_name(batch, &work)?;
    take(batch, &work, Judged::from(Verdict::from(taken)))?;
    Ok(true)
}

/// Every field that this version knows must be of its shape.
fn fits(kind: &Kind, body: &Fields) -> bool {
    let mut fields = kind.fields.iter();
    fields.all(|field| {
        body.get(field.name)
            .is_none_or(|value| field.shape.accepts(value))
    })
}

fn over(record: &Record, body: &Fields, rev: Commit, author: &Author, now: i64) -> Option<Effect> {
    if record.deleted || matches!(record.kind.home, Home::AuthorAnd(_)) {
        return None;
    }
    let stored = Stored {
        body: record.body.clone(),
        created: record.created.clone(),
        stamps: record.stamps.clone(),
    };
    let mut after = record.clone();
    (after.body, after.stamps) = lay_over(record.kind, &stored, body, rev, author);
    let mut effect = Effect::default();
    if let Home::Grid(field) = record.kind.home
        && let Some(grid) = after.text(field).map(UnitId::from)
        && after.home.as_ref() != Some(&grid)
    {
        after.home = Some(grid.clone());
        after.home_since = now;
        effect.rehome = Some(grid);
    }
    if after.body == record.body {
        return None;
    }
    effect.record = Some(Change::of(record, after));
    Some(effect)
}

fn anew(
    batch: &Batch<'_>,
    kind: &'static Kind,
    put: &Put,
    body: Fields,
    author: &Author,
) -> Result<Option<Effect>, Fault> {
    let store = batch.store();
    if ledger::holds(store, kind.name, put.id)? {
        return Ok(None);
    }
    let text = |name: &str| path::get(&body, &Path::field(name)).as_str();
    let home = match kind.home {
        Home::Grid(field) => text(field).map(UnitId::from),
        Home::Parent(parent) => {
            let id = match parent.field {
                Some(field) => text(field).and_then(|id| id.parse().ok()),
                None => Some(put.id),
            };
            match (id, Kind::named(parent.kind)) {
                (Some(id), Some(kind)) => records::brief(store, kind, id)?
                    .filter(|parent| !parent.deleted)
                    .and_then(|parent| parent.home),
                _ => None,
            }
        }
        Home::Noted => {
            let id = text("record").and_then(|id| id.parse().ok());
            match (id, text("of").and_then(Kind::named)) {
                (Some(id), Some(kind)) => {
                    records::brief(store, kind, id)?.and_then(|about| about.home)
                }
                _ => None,
            }
        }
        Home::AuthorAnd(_) => None,
    };
    let Some(home) = home else {
        return Ok(None);
    };
    let record = Record {
        kind,
        id: put.id,
        rev: author.commit,
        schema: put.schema,
        deleted: false,
        archived: false,
        body,
        created: author.stamp(Some(put.rev)),
        stamps: Stamps::default(),
        home: Some(home),
        home_since: 0,
    };
    Ok(Some(Effect {
        frees: vec![record.id.0],
        record: Some(Change::new(record)),
        ..Effect::default()
    }))
}

/// Returns the journal's view of it: the fields that come back, and who showed them.
fn told(
    kind: &'static Kind,
    put: &Put,
    bearer: &Caller,
    (mid, at): (Mid, Interval),
    effect: &Effect,
) -> Work {
    let moment = At {
        wall: at.to,
        boot: "server".to_owned(),
        monotonic_ms: 0,
        contact: None,
    };
    let mut frozen = Frozen::new(kind, put.id, Op::Patch, moment);
    frozen.seen = Some(put.rev);
    let fields = effect.record.iter().flat_map(|change| &change.after.body);
    frozen.set = fields
        .map(|(name, value)| Set {
            path: Path::field(name),
            was: serde_json::Value::Null,
            to: value.clone(),
        })
        .collect();
    Work {
        author: Caller {
            enrolment: bearer.enrolment,
            user: SYSTEM_USER,
            station: Station::System,
            locked: false,
        },
        mid,
        mseq: Mseq(0),
        text: frozen.freeze().get().to_owned(),
        frozen: Ok(frozen),
        at,
        ruling: Ruling::Ordinary,
        retold: None,
    }
}
