//! A decision as a value: what is to become of a mutation, before anything is written.

use pocketbook_records::ids::{RecordId, Rev, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::merge::Dispute;
use pocketbook_records::receipt::{Fate, Outcome, Reason};
use pocketbook_records::scope::Scope;
use uuid::Uuid;

use super::Work;
use crate::store::records::Record;

/// A decision and the grid that it concerns.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Where the record lies now: whoever holds that grid sees what is parked.
    pub(super) home: Option<UnitId>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            home: None,
        }
    }
}

impl Judged {
    pub(super) fn rejected(reason: Reason) -> Self {
        Verdict::Rejected(reason).into()
    }
}

/// What is to become of a mutation.
pub(super) enum Verdict {
    /// It has an effect, or needs none.
    Taken(Box<Taken>),
    /// Someone else must decide; and what it waits for: mutations or records.
    Parked(Reason, Vec<Uuid>),
    /// The author must correct it.
    Rejected(Reason),
    /// Someone else was first and nothing is lost.
    Superseded,
    /// A number without content.
    Void,
}

impl Verdict {
    pub(super) fn parked(reason: Reason) -> Self {
        Self::Parked(reason, Vec::new())
    }
}

/// A mutation that is taken.
pub(super) struct Taken {
    pub(super) outcome: Outcome,
    /// A mark: it was taken although part of its authoring lay outside the duty.
    pub(super) mark: Option<Reason>,
    pub(super) fates: Vec<Fate>,
    pub(super) effect: Effect,
}

impl Taken {
    pub(super) fn of(outcome: Outcome, effect: Effect) -> Self {
        Self {
            outcome,
            mark: None,
            fates: Vec::new(),
            effect,
        }
    }
}

impl From<Taken> for Verdict {
    fn from(taken: Taken) -> Self {
        Self::Taken(Box::new(taken))
    }
}

/// Everything that a mutation does.
#[derive(Default)]
pub(super) struct Effect {
    /// The record that it is about.
    pub(super) record: Option<Change>,
    /// Records that change with it: companions, the field's record of a decided review.
    pub(super) also: Vec<Change>,
    /// What reviews must hold.
    pub(super) disputes: Vec<Disputed>,
    /// The grid that everything hanging on the record moves to.
    pub(super) rehome: Option<UnitId>,
    /// Whether the record gets an official number.
    pub(super) needs_number: bool,
    /// A parked mutation that is released, with what is to become of it.
    pub(super) released: Option<(Work, Verdict)>,
    /// The mutation or record that others may have waited for.
    pub(super) frees: Vec<Uuid>,
}

/// A record before and after.
pub(super) struct Change {
    pub(super) before: Option<Before>,
    pub(super) after: Record,
    /// Whether it gets a new rev: its body changes, or who added an element, since a remove takes
    /// what its author has seen. Stamps of fields alone keep the rev.
    pub(super) renews: bool,
}

/// What the index knows of a record.
#[derive(Default)]
pub(super) struct Before {
    /// Those whose phones hold it.
    pub(super) scopes: Vec<Scope>,
    pub(super) rev: Rev,
    pub(super) deleted: bool,
}

impl Change {
    pub(super) fn of(before: &Record, after: Record) -> Self {
        let renews = before.body != after.body
            || before.deleted != after.deleted
            || before.stamps.elements != after.stamps.elements;
        Self {
            before: Some(Before {
                scopes: before.synced_scopes(),
                rev: before.rev,
                deleted: before.deleted,
            }),
            after,
            renews,
        }
    }

    pub(super) fn new(after: Record) -> Self {
        Self {
            before: None,
            after,
            renews: true,
        }
    }
}

/// A disagreement about a record's field.
pub(super) struct Disputed {
    pub(super) kind: &'static Kind,
    pub(super) id: RecordId,
    pub(super) home: Option<UnitId>,
    pub(super) dispute: Dispute,
}

impl Disputed {
    pub(super) fn of(record: &Record, dispute: Dispute) -> Self {
        Self {
            kind: record.kind,
            id: record.id,
            home: record.home.clone(),
            dispute,
        }
    }
}
