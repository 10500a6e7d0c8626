//! Histories: which commits are here, and which restores and roll-backs threw away.

use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, Hex};
use pocketbook_records::wire::{Echo, Fork};

use super::{SqlError, Store};
use crate::params;
use crate::writer::{Batch, Fault};

/// Returns the intervals that were thrown away.
pub fn lost(store: Store<'_>) -> Result<Lost, SqlError> {
    let forks = store.sql.all(
        "SELECT after, until
         FROM lost_intervals
         WHERE district = $1
         ORDER BY until",
        params![store.district],
        |row| {
            Ok(Fork {
                after: row.get(0)?,
                until: row.get(1)?,
            })
        },
    )?;
    Ok(Lost(forks))
}

/// Returns the intervals that phones must take for lost: a backup may be of a history that an
/// earlier restore threw away, and then what it holds of it is here again (seed 16).
pub(crate) fn gone(store: Store<'_>) -> Result<Lost, SqlError> {
    let mut lost = lost(store)?;
    for fork in &mut lost.0 {
        let here = at_or_before(store, fork.until)?;
        fork.after = here.map_or(fork.after, |(commit, _)| commit.max(fork.after));
    }
    lost.0.retain(|fork| fork.after < fork.until);
    Ok(lost)
}

/// Finds the roll-back that an echo of ours tells of: the journal stood elsewhere at its commit,
/// and nobody has noted yet that this was lost. The interval begins after the last commit below
/// it that is here, and ends before the next one.
pub(crate) fn told_by(store: Store<'_>, echo: &Echo) -> Result<Option<Fork>, SqlError> {
    if lost(store)?.holds(echo.commit) {
        return Ok(None);
    }
    let before = at_or_before(store, echo.commit)?;
    let tag = before.map_or(Hex([0; 8]), |(_, tag)| tag);
    let head = super::districts::head(store.sql, store.district)?;
    if tag == echo.tag && echo.commit <= head.last {
        return Ok(None);
    }
    let next: Option<Commit> = store.sql.one(
        "SELECT number
         FROM commits
         WHERE district = $1 AND number > $2
         ORDER BY number
         LIMIT 1",
        params![store.district, echo.commit],
        |row| row.get(0),
    )?;
    let end = Commit::new(head.epoch, head.reserved);
    Ok(Some(Fork {
        after: before.map_or(Commit(0), |(commit, _)| commit),
        until: next.map_or(end.max(echo.commit), |next| Commit(next.0 - 1)),
    }))
}

/// Returns the last commit that is here, with the journal's tag at it.
fn at_or_before(store: Store<'_>, commit: Commit) -> Result<Option<(Commit, Hex<8>)>, SqlError> {
    store.sql.one(
        "SELECT number, tag
         FROM commits
         WHERE district = $1 AND number <= $2
         ORDER BY number DESC
         LIMIT 1",
        params![store.district, commit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Returns the last commit of all.
pub(crate) fn newest(store: Store<'_>) -> Result<Commit, SqlError> {
    let newest = at_or_before(store, Commit(i64::MAX.unsigned_abs()))?;
    Ok(newest.map_or(Commit(0), |(commit, _)| commit))
}

/// Notes an interval as thrown away.
pub(crate) fn note_lost(batch: &Batch<'_>, fork: Fork) -> Result<(), SqlError> {
    let store = batch.store();
    store
        .sql
        .execute(
            "INSERT INTO lost_intervals (district, until, after)
             VALUES ($1, $2, $3)
             ON CONFLICT (district, until) DO UPDATE SET after = excluded.after",
            params![store.district, fork.until, fork.after],
        )
        .map(drop)
}

/// Begins the next history. Official numbers leap, so that none of those that were given and lost
/// is given again.
pub(crate) fn begin_anew(batch: &mut Batch<'_>) -> Result<(), Fault> {
    batch.begin_epoch()?;
    super::districts::leap(batch)?;
    batch.commit()?;
    batch.note_org();
    Ok(())
}

#[cfg(test)]
mod tests {
    use pocketbook_records::rights::Role;

    use super::*;
    use crate::testing::{District, GRID};

    #[test]
    fn an_echo_from_elsewhere_tells_of_a_roll_back_once() {
        let district = District::new();
        let mut phone = district.phone(1, Role::GridWorker, GRID);
        let answer = district.sync(&mut phone);
        let told = |commit: Commit, tag: Hex<8>| {
            let (epoch, mac) = (answer.asof.epoch, answer.mac);
            let echo = Echo {
                epoch,
                commit,
                tag,
                mac,
            };
            district.server.read(|store| told_by(store, &echo)).unwrap()
        };
        let (here, tag) = (answer.asof.commit, answer.tag);
        let ahead = Commit(here.0 + 5);

        assert_eq!(told(here, tag), None);
        assert!(
            told(here, Hex([9; 8])).is_some(),
            "the journal stood elsewhere"
        );
        let fork = told(ahead, tag).expect("it lies beyond the head");
        assert_eq!(fork.after, here);
        assert!(fork.until > ahead, "others may have been told of more");

        district.write(move |batch| Ok(note_lost(batch, fork)?));
        assert_eq!(told(ahead, tag), None);
    }
}
