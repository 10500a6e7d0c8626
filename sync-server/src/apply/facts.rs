//! Everything that a decision may ask for, read before it is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, EnrolmentId, Mid, Mseq, UnitId};
use pocketbook_records::kind::{Home, Kind};
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::rights::Duty;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Millis;

use super::standing::{Question, Standing, Stay};
use super::{Ruling, Work, reviews, tray};
use crate::caller::Station;
use crate::store::records::{self, Brief, Record};
use crate::store::{districts, ledger, org, scopes};
use crate::writer::{Batch, Fault};

/// The record that another one hangs on, as far as it is known.
#[derive(Debug)]
pub(super) enum Parent {
    /// The kind has none.
    NotNeeded,
    /// It was not named, or is not here.
    Unknown(Option<Uuid>),
    /// It is here, perhaps deleted.
    Known(Brief),
}

/// What a decision knows.
pub(super) struct Facts {
    pub(super) kind: &'static Kind,
    /// The mutation, with `was` as its author would have seen it had his rejected work not been.
    pub(super) edit: Frozen,
    pub(super) commit: Commit,
    pub(super) now: Millis,
    /// What restores threw away.
    pub(super) lost: Lost,
    /// The author's enrolments before this one: a phone that enrolled again knows its own work.
    pub(super) earlier: Vec<(EnrolmentId, Mseq)>,
    pub(super) record: Option<Record>,
    /// Whether the id was deleted or merged, also if its record is gone.
    pub(super) is_spent: bool,
    pub(super) parent: Parent,
    /// Where the record lies now, or would.
    pub(super) home: Option<UnitId>,
    pub(super) standing: Standing,
    /// Paths with an open review, among those that the mutation sets.
    pub(super) reviewed: BTreeSet<Path>,
    /// An own mutation that it builds on and that lies in the tray.
    pub(super) bound_by: Option<Mid>,
    /// What hangs on a record that is to be deleted, and its open reviews.
    pub(super) hanging: Vec<Brief>,
    pub(super) open_reviews: Vec<Record>,
    /// The companions that go with it, each with its open reviews.
    pub(super) companions: Vec<(Record, Vec<Record>)>,
    /// The record whose review is decided.
    pub(super) target: Option<Record>,
    /// The hours that a case of this category may take.
    pub(super) limit_hours: Option<i64>,
    /// Whether the unit or grid that the command names exists.
    pub(super) names_known_unit: bool,
}

impl Facts {
    pub(super) fn gather(
        batch: &mut Batch<'_>,
        kind: &'static Kind,
        work: &Work,
        frozen: &Frozen,
    ) -> Result<Self, Fault> {
        let store = batch.store();
        let record = records::find(store, kind, frozen.id)?;
        let is_spent = record.is_none()
            && frozen.op == Op::Create
            && ledger::holds(store, kind.name, frozen.id)?;
        let parent = parent(batch, kind, frozen, record.as_ref())?;
        let home = match (&record, &parent) {
            (Some(record), _) => record.home.clone(),
            (None, Parent::Known(parent)) => parent.home.clone(),
            (None, _) => named_grid(kind, frozen),
        };
        let stays = stays(batch, kind, work, home.as_ref(), record.as_ref(), &parent)?;
        let standing = standing(batch, kind, work, frozen, record.as_ref(), &stays)?;
        let bound_by = tray::binding(batch, frozen)?;
        let mut facts = Self {
            kind,
            edit: tray::as_seen_without_rejected(batch, frozen)?,
            commit: batch.commit()?,
            now: batch.now(),
            lost: batch.lost()?,
            earlier: batch.earlier(work.author.enrolment)?,
            is_spent,
            parent,
            home: home.filter(|_| !stays.is_empty()),
            standing,
            reviewed: BTreeSet::new(),
            bound_by,
            hanging: Vec::new(),
            open_reviews: Vec::new(),
            companions: Vec::new(),
            target: None,
            limit_hours: None,
            names_known_unit: false,
            record,
        };
        facts.gather_for(batch, frozen)?;
        Ok(facts)
    }

    /// Reads what only this sort of change asks for.
    fn gather_for(&mut self, batch: &Batch<'_>, frozen: &Frozen) -> Result<(), Fault> {
        let store = batch.store();
        let Some(record) = &self.record else {
            return Ok(());
        };
        match frozen.op {
            Op::Create | Op::Patch if reviews::any_about(store, record)? => {
                for Set { path, .. } in &frozen.set {
                    if reviews::is_open(store, record, path)? {
                        self.reviewed.insert(path.clone());
                    }
                }
            }
            Op::Delete => {
                self.hanging = records::hanging_on(store, record.id)?;
                self.open_reviews = reviews::open_of(store, record, &self.hanging)?;
                for brief in self.hanging.iter().filter(|brief| !brief.deleted) {
                    let parent = brief.kind.parent();
                    let shares_id = parent.is_some_and(|parent| parent.field.is_none());
                    if !shares_id || brief.id != record.id {
                        continue;
                    }
                    if let Some(companion) = records::find(store, brief.kind, brief.id)? {
                        let reviews = reviews::open_of(store, &companion, &self.hanging)?;
                        self.companions.push((companion, reviews));
                    }
                }
            }
            Op::Decide => self.target = reviews::target(store, record)?,
            Op::Command => {
                let command = frozen.command.as_ref();
                let named = command.and_then(|command| {
                    let unit = command.args.get("unit").or(command.args.get("grid"))?;
                    unit.as_str().map(UnitId::from)
                });
                if let Some(unit) = named {
                    let found = org::unit(store, &unit)?;
                    let is_move = command.is_some_and(|command| command.name == "move");
                    self.names_known_unit =
                        found.is_some_and(|unit| !is_move || unit.level == "grid");
                }
                if let Some(category) = record.text("category") {
                    self.limit_hours = districts::limit_hours(store, category)?;
                }
            }
            Op::Create | Op::Patch | Op::Void | Op::Later => {}
        }
        Ok(())
    }
}

/// Returns the value that a creation gives a field.
fn created(frozen: &Frozen, field: &str) -> Option<String> {
    let set = frozen.set.iter().find(|set| set.path.as_str() == field)?;
    set.to.as_str().map(str::to_owned)
}

fn named_grid(kind: &Kind, frozen: &Frozen) -> Option<UnitId> {
    match kind.home {
        Home::Grid(field) if frozen.op == Op::Create => created(frozen, field).map(UnitId),
        _ => None,
    }
}

fn parent(
    batch: &Batch<'_>,
    kind: &Kind,
    frozen: &Frozen,
    record: Option<&Record>,
) -> Result<Parent, Fault> {
    let Some(parent) = kind.parent().filter(|_| record.is_none()) else {
        return Ok(Parent::NotNeeded);
    };
    let named = match parent.field {
        Some(field) => created(frozen, field).and_then(|id| id.parse().ok()),
        None => Some(frozen.id),
    };
    let (Some(id), Some(kind)) = (named, Kind::named(parent.kind)) else {
        return Ok(Parent::Unknown(None));
    };
    Ok(match records::brief(batch.store(), kind, id)? {
        Some(found) => Parent::Known(found),
        None => Parent::Unknown(Some(id.0)),
    })
}

/// Returns where the record lay over the authoring interval, latest last; nothing if its grid is
/// not known.
fn stays(
    batch: &mut Batch<'_>,
    kind: &'static Kind,
    work: &Work,
    home: Option<&UnitId>,
    record: Option<&Record>,
    parent: &Parent,
) -> Result<Vec<Stay>, Fault> {
    let Some(home) = home else {
        return Ok(Vec::new());
    };
    let units = batch.above(home)?;
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let (since, kind, id) = match (record, parent) {
        (Some(record), _) => (record.home_since, kind, record.id),
        (None, Parent::Known(parent)) => (parent.home_since, parent.kind, parent.id),
        (None, _) => (0, kind, pocketbook_records::ids::RecordId(Uuid::nil())),
    };
    if work.at.from >= since {
        return Ok(vec![Stay::always(units)]);
    }
    let mut stays = Vec::new();
    let store = batch.store();
    let mut from = Millis::MIN;
    for left in scopes::left(store, kind, id)? {
        let (Scope::General(grid) | Scope::Sensitive(grid)) = left.scope else {
            continue;
        };
        let to = districts::time_of(store, left.gone)?.unwrap_or(since);
        let units = batch.above(&grid)?;
        stays.push(Stay { units, from, to });
        from = to;
    }
    // One that was deleted or archived left its scopes, and lay where it lay until it was moved.
    if let Some(last) = stays.last_mut() {
        last.to = last.to.max(since);
    }
    stays.push(Stay {
        units,
        from: since.max(from),
        to: Millis::MAX,
    });
    Ok(stays)
}

fn standing(
    batch: &mut Batch<'_>,
    kind: &'static Kind,
    work: &Work,
    frozen: &Frozen,
    record: Option<&Record>,
    stays: &[Stay],
) -> Result<Standing, Fault> {
    if work.author.station == Station::System {
        return Ok(Standing::system());
    }
    let user = work.author.user;
    let wrote = record.and_then(|record| record.text("author"));
    let unit = kind
        .unit
        .and_then(|field| record?.text(field))
        .map(UnitId::from);
    let question = Question {
        kind,
        op: frozen.op,
        user,
        is_author: match record {
            Some(_) => wrote.is_some_and(|author| author == user.to_string()),
            None => frozen.op == Op::Create,
        },
        unit: unit.as_ref(),
        at: work.at,
    };
    let duties = batch.duties(user)?;
    Ok(match work.ruling {
        // A phone that was restarted since bounds the moment less narrowly than it had.
        Ruling::Ordinary if work.retold.is_some() => {
            Standing::of(&duties, stays, &question).without_doubt()
        }
        Ruling::Ordinary => Standing::of(&duties, stays, &question),
        Ruling::Released(by) => {
            let both: Vec<Duty> = duties.iter().chain(&*batch.duties(by)?).cloned().collect();
            Standing::released(&both, stays, &question)
        }
    })
}

/// Says whether somebody may read a record now, on the phone or at a desk.
pub(super) fn reads(batch: &mut Batch<'_>, work: &Work, record: &Record) -> Result<bool, Fault> {
    if work.author.station == Station::System {
        return Ok(true);
    }
    let (user, now) = (work.author.user, batch.now());
    let duties: Arc<[Duty]> = batch.duties(user)?;
    let running = |duty: &&Duty| duty.from <= now && duty.until.is_none_or(|until| now < until);
    let of_unit = record.kind.unit.and_then(|field| record.text(field));
    if let Home::AuthorAnd(field) = record.kind.home
        && record.text(field) == Some(user.to_string().as_str())
    {
        return Ok(true);
    }
    let above: Arc<[UnitId]> = match &record.home {
        Some(home) => batch.above(home)?,
        None => Arc::new([]),
    };
    Ok(duties.iter().filter(running).any(|duty| {
        let by_unit = duty.role.reads_unit() && of_unit == Some(duty.unit.0.as_str());
        by_unit || (duty.role.reads(record.kind.class) && above.contains(&duty.unit))
    }))
}
