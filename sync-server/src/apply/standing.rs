//! What an author is to a record over the interval in which he authored: pure.
//!
//! Two things move under an offline author: his duties end, and records move to other grids. Each
//! stay of the record in a grid is therefore judged by itself, over the part of the interval that
//! it covers; only what is covered everywhere is his without question.

use std::sync::Arc;

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Op;
use pocketbook_records::rights::{Cover, Duty, Role};
use pocketbook_records::time::{Interval, Millis};
use pocketbook_records::workflow::Actor;

/// A time that a record lay in one grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stay {
    /// The grid and all units above it.
    pub(super) units: Arc<[UnitId]>,
    pub(super) from: Millis,
    pub(super) to: Millis,
}

impl Stay {
    /// Returns the stay of a record that never moved.
    pub(super) fn always(units: Arc<[UnitId]>) -> Self {
        Self {
            units,
            from: Millis::MIN,
            to: Millis::MAX,
        }
    }

    fn shared(&self, at: Interval) -> Option<Interval> {
        let (from, to) = (at.from.max(self.from), at.to.min(self.to));
        (from <= to).then_some(Interval { from, to })
    }
}

/// What an author is to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// How much of the interval his duties let him author this.
    pub(super) cover: Cover,
    /// In which roles he gives commands.
    pub(super) actor: Actor,
    /// Whether he decides reviews and `never_auto` fields.
    pub(super) holder: bool,
}

/// Where and when a right is asked for.
pub(super) struct Question<'a> {
    pub(super) kind: &'a Kind,
    pub(super) op: Op,
    pub(super) user: UserId,
    /// Whether he wrote the record.
    pub(super) is_author: bool,
    /// The handling unit that the record was sent to.
    pub(super) unit: Option<&'a UnitId>,
    pub(super) at: Interval,
}

impl Standing {
    /// Judges duties against the stays of a record, latest last.
    pub(super) fn of(duties: &[Duty], stays: &[Stay], question: &Question<'_>) -> Self {
        let actor = actor(question, |role| {
            let stay = stays.last();
            duties.iter().any(|duty| {
                duty.role == role
                    && reaches(duty, stay, question.unit)
                    && duty.covers(question.at) == Cover::Wholly
            })
        });
        Self {
            cover: cover(duties, stays, question),
            holder: actor.head || actor.clerk || actor.desk,
            actor,
        }
    }

    /// Returns the standing of what was judged before: what covered it then covers it now.
    pub(super) fn without_doubt(self) -> Self {
        let cover = match self.cover {
            Cover::Partly => Cover::Wholly,
            cover => cover,
        };
        Self { cover, ..self }
    }

    /// Returns the standing of a mutation that somebody answers for: rights are waived, and roles
    /// count that its author or its releaser ever had.
    pub(super) fn released(duties: &[Duty], stays: &[Stay], question: &Question<'_>) -> Self {
        let actor = actor(question, |role| {
            let mut duties = duties.iter();
            duties.any(|duty| duty.role == role && reaches(duty, stays.last(), question.unit))
        });
        Self {
            cover: Cover::Wholly,
            holder: false,
            actor,
        }
    }

    /// Returns the standing of the server itself.
    pub(super) fn system() -> Self {
        let actor = Actor {
            author: true,
            desk: true,
            ..Actor::default()
        };
        Self {
            cover: Cover::Wholly,
            holder: true,
            actor,
        }
    }
}

fn actor(question: &Question<'_>, has: impl Fn(Role) -> bool) -> Actor {
    Actor {
        user: Some(question.user),
        author: question.is_author,
        worker: has(Role::GridWorker) || has(Role::PartTimer) || has(Role::Volunteer),
        head: has(Role::GridHead),
        clerk: has(Role::CommunityClerk),
        desk: has(Role::StreetDesk),
        handler: has(Role::Handler),
    }
}

fn reaches(duty: &Duty, stay: Option<&Stay>, unit: Option<&UnitId>) -> bool {
    match duty.role {
        Role::Handler => unit == Some(&duty.unit),
        _ => stay.is_some_and(|stay| stay.units.contains(&duty.unit)),
    }
}

fn cover(duties: &[Duty], stays: &[Stay], question: &Question<'_>) -> Cover {
    let best = |stay: Option<&Stay>, at: Interval| {
        let mine = duties.iter().filter(|duty| {
            duty.role.may_write(question.kind, question.op) && reaches(duty, stay, question.unit)
        });
        mine.map(|duty| duty.covers(at))
            .max()
            .unwrap_or(Cover::None)
    };
    let mut parts = stays
        .iter()
        .filter_map(|stay| Some(best(Some(stay), stay.shared(question.at)?)));
    let Some(first) = parts.next() else {
        return best(None, question.at);
    };
    parts.fold(
        first,
        |all, part| if all == part { all } else { Cover::Partly },
    )
}

#[cfg(test)]
mod tests {
    use pocketbook_records::kinds::household::HOUSEHOLD;

    use super::*;

    const USER: UserId = UserId(uuid::Uuid::nil());

    fn duty(unit: &str, from: Millis, until: Option<Millis>) -> Duty {
        let (role, unit) = (Role::GridWorker, UnitId::from(unit));
        Duty {
            user: USER,
            role,
            unit,
            from,
            until,
        }
    }

    fn stay(unit: &str, from: Millis, to: Millis) -> Stay {
        let units = [UnitId::from(unit), UnitId::from("district")].into();
        Stay { units, from, to }
    }

    fn covered(duties: &[Duty], stays: &[Stay], from: Millis, to: Millis) -> Cover {
        let question = Question {
            kind: &HOUSEHOLD,
            op: Op::Patch,
            user: USER,
            is_author: false,
            unit: None,
            at: Interval { from, to },
        };
        Standing::of(duties, stays, &question).cover
    }

    #[test]
    fn an_edit_before_a_revoke_is_covered_and_one_after_it_is_not() {
        let duties = [duty("a", 0, Some(100))];
        let stays = [stay("a", Millis::MIN, Millis::MAX)];
        assert_eq!(covered(&duties, &stays, 10, 90), Cover::Wholly);
        assert_eq!(covered(&duties, &stays, 90, 110), Cover::Partly);
        assert_eq!(covered(&duties, &stays, 110, 120), Cover::None);
    }

    #[test]
    fn a_record_that_moved_is_judged_where_it_lay_then() {
        let duties = [duty("a", 0, None)];
        let stays = [stay("a", Millis::MIN, 100), stay("b", 100, Millis::MAX)];
        assert_eq!(covered(&duties, &stays, 10, 50), Cover::Wholly);
        assert_eq!(covered(&duties, &stays, 50, 150), Cover::Partly);
        assert_eq!(covered(&duties, &stays, 150, 200), Cover::None);
    }

    #[test]
    fn a_duty_above_the_grid_reaches_down() {
        let mut above = duty("district", 0, None);
        above.role = Role::StreetDesk;
        let stays = [stay("a", Millis::MIN, Millis::MAX)];
        assert_eq!(covered(&[above], &stays, 1, 2), Cover::Wholly);
    }
}
