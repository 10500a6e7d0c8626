//! The two-year window: what nobody has touched for two years is kept at the desk only.
//!
//! Phones hold what a worker needs at a door: households and people for as long as they are there,
//! visits and settled cases of two years (each kind's [`Ages`]). A record that is old enough leaves
//! every scope, by a *leave* that says why; it stays in its grid, so rights and the desk's lists
//! know it as before. Any change brings it back to the phones, for another two years; so does an
//! open question about it, and while one is open it does not leave.
//!
//! A record and its companions leave and come back together.

use std::sync::Arc;

use pocketbook_records::ids::{Commit, RecordId};
use pocketbook_records::kind::{Ages, Kind};
use pocketbook_records::kinds;
use pocketbook_records::time::Millis;

use crate::server::Server;
use crate::store::records::{self, Record};
use crate::store::scopes::{self, Passage};
use crate::store::{Store, districts};
use crate::writer::{Batch, Fault};

/// Records that leave in one job: others wait behind it.
const PORTION: usize = 200;

impl Server {
    /// Archives what was settled and last changed before a moment; returns how many records.
    pub async fn archive_aged(&self, before: Millis) -> Result<u64, Fault> {
        let Some(through) = self.read(|store| districts::last_before(store, before))? else {
            return Ok(0);
        };
        let mut archived = 0;
        for kind in kinds::ALL.iter().filter(|kind| kind.ages != Ages::Never) {
            let mut after = None;
            loop {
                let aged = self.read(|store| aged(store, kind, (before, through), after))?;
                let Some(last) = aged.last().copied() else {
                    break;
                };
                after = Some(last);
                let ids: Arc<[RecordId]> = aged.into_iter().map(|(_, id)| id).collect();
                archived += match self.archive_of(kind, ids.clone(), through).await {
                    Err(fault) if fault.may_be_one_mutation() => {
                        tracing::error!(%fault, "a portion could not be archived");
                        self.archive_each(kind, &ids, through).await?
                    }
                    done => done?,
                };
            }
        }
        Ok(archived)
    }

    async fn archive_of(
        &self,
        kind: &'static Kind,
        ids: Arc<[RecordId]>,
        through: Commit,
    ) -> Result<u64, Fault> {
        let job = move |batch: &mut Batch<'_>| archive(batch, kind, &ids, through);
        self.writer().run_async(job).await
    }

    /// Archives records one by one, so that one which can't be read keeps no other back.
    async fn archive_each(
        &self,
        kind: &'static Kind,
        ids: &[RecordId],
        through: Commit,
    ) -> Result<u64, Fault> {
        let mut archived = 0;
        for id in ids {
            match self.archive_of(kind, [*id].into(), through).await {
                Ok(count) => archived += count,
                Err(fault) if fault.may_be_one_mutation() => {
                    tracing::error!(%fault, kind = kind.name, %id, "a record could not be archived");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(archived)
    }
}

/// Returns the next records of a kind that are old enough, by time and id.
fn aged(
    store: Store<'_>,
    kind: &Kind,
    (before, through): (Millis, Commit),
    after: Option<(Millis, RecordId)>,
) -> Result<Vec<(Millis, RecordId)>, Fault> {
    let mut aged = Vec::new();
    records::untouched(store, kind, (before, through), after, |time, id, state| {
        if kind.ages.covers(state) {
            aged.push((time, id));
        }
        aged.len() < PORTION
    })?;
    Ok(aged)
}

/// Takes records out of all scopes, unless they were changed meanwhile.
fn archive(
    batch: &mut Batch<'_>,
    kind: &'static Kind,
    ids: &[RecordId],
    through: Commit,
) -> Result<u64, Fault> {
    let mut archived = 0;
    for id in ids {
        let Some(record) = records::find(batch.store(), kind, *id)? else {
            continue;
        };
        let is_aged = record.rev <= through && kind.ages.covers(record.text("state"));
        if record.archived || record.deleted || !is_aged {
            continue;
        }
        let kin = kin(batch.store(), kind, *id)?;
        let is_touched = kin.iter().any(|kin| kin.rev > through);
        if is_touched || is_in_question(batch.store(), *id)? {
            continue;
        }
        move_to(batch, record, true)?;
        for kin in kin {
            move_to(batch, kin, true)?;
        }
        archived += 1;
    }
    Ok(archived)
}

/// Says whether somebody's word about a record is awaited: a review or a tray item that is open.
fn is_in_question(store: Store<'_>, id: RecordId) -> Result<bool, Fault> {
    for about in records::hanging_on(store, id)? {
        let is_question = about.kind.field("of").is_some() && !about.deleted;
        if is_question
            && !about
                .kind
                .ages
                .covers(records::state(store, about.kind, about.id)?.as_deref())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A review or tray item was written: if it is open, the record that it is about is on the phones
/// of those who decide.
pub(crate) fn bring_back_subject(batch: &mut Batch<'_>, about: &Record) -> Result<(), Fault> {
    if about.kind.ages.covers(about.text("state")) {
        return Ok(());
    }
    let (Some(kind), Some(id)) = (
        about.text("of").and_then(Kind::named),
        about.id_in("record"),
    ) else {
        return Ok(());
    };
    if let Some(subject) = records::find(batch.store(), kind, id)?
        && subject.archived
    {
        bring_back_kin(batch, &subject)?;
        move_to(batch, subject, false)?;
    }
    Ok(())
}

/// A record came back to the phones: so do those that share its id.
pub(crate) fn bring_back_kin(batch: &mut Batch<'_>, record: &Record) -> Result<(), Fault> {
    for kin in kin(batch.store(), record.kind, record.id)? {
        move_to(batch, kin, false)?;
    }
    Ok(())
}

fn kin(store: Store<'_>, kind: &Kind, id: RecordId) -> Result<Vec<Record>, Fault> {
    let found = kind.kin().map(|kin| records::find(store, kin, id));
    found.filter_map(Result::transpose).collect()
}

fn move_to(batch: &mut Batch<'_>, mut record: Record, archived: bool) -> Result<(), Fault> {
    if record.archived == archived {
        return Ok(());
    }
    let from = record.synced_scopes();
    record.archived = archived;
    let to = record.synced_scopes();
    records::note_archived(batch.store(), &record)?;
    let passage = Passage {
        kind: record.kind,
        id: record.id,
        from: (&from, record.rev),
        to: (&to, record.rev),
        deleted: false,
    };
    scopes::pass(batch, &passage)
}
