//! Redrawing grids: households move from one grid to another, many at once. A grid is split by
//! taking in the new one (`import-org`), giving its duty, and moving what it shall hold; it is
//! merged by moving all that it holds, and only then ending its duties: so phones that hold both
//! are sent no record twice.
//!
//! Each move is the same mutation that a head gives, authored by the system, a few per commit, so
//! that phones wait for none of it. A command that broke off is given again: what has moved is no
//! longer in the first grid.

use std::io;

use pocketbook_records::ids::{Mid, RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Command, Expect, Frozen, Op};
use pocketbook_records::receipt::Outcome as Fate;
use serde_json::json;

use super::AdminError;
use super::wire::{Event, Outcome};
use crate::store::{Store, org, records};
use crate::{Fault, Server};

/// Households per commit; their people, visits and tasks follow in the same one.
const BATCH: usize = 50;

/// Which households move.
pub(super) enum Which<'a> {
    /// All that lie in the grid.
    All,
    /// Those whose ids are given, one a line.
    Listed(&'a mut dyn Iterator<Item = io::Result<String>>),
}

/// Moves households from one grid to another.
pub(super) async fn move_households(
    server: &Server,
    (from, to): (UnitId, UnitId),
    which: Which<'_>,
    tell: &mut dyn FnMut(Event),
) -> Result<Outcome, AdminError> {
    for grid in [&from, &to] {
        let unit = server.read(|store| org::unit(store, grid))?;
        if unit.is_none_or(|unit| unit.level != "grid") {
            return Err(AdminError::UnknownUnit(grid.0.clone()));
        }
    }
    let there = server.read(|store| records::lying_in(store, &HOUSEHOLD, &from))?;
    let (ids, mut bad) = match which {
        Which::All => (there, 0),
        Which::Listed(lines) => listed(&there, lines, tell)?,
    };
    let mut moved = 0;
    for part in ids.chunks(BATCH) {
        let moves = server.read(|store| moves(store, server, part, &to))?;
        for authored in server.author_as_system(moves).await? {
            match authored.outcome {
                Fate::Applied => moved += 1,
                _ => bad += 1,
            }
        }
        let (done, total) = (moved + bad, Some(ids.len() as u64));
        tell(Event::Progress { done, total });
    }
    Ok(Outcome::Households { moved, bad })
}

/// Reads the ids of households; a line that names none of this grid is left out.
fn listed(
    there: &[RecordId],
    lines: &mut dyn Iterator<Item = io::Result<String>>,
    tell: &mut dyn FnMut(Event),
) -> Result<(Vec<RecordId>, u64), AdminError> {
    let (mut ids, mut bad) = (Vec::new(), 0);
    for (number, line) in (1..).zip(lines) {
        let line = line.map_err(AdminError::Input)?;
        if line.trim().is_empty() {
            continue;
        }
        match line.trim().parse::<RecordId>() {
            Ok(id) if there.contains(&id) && !ids.contains(&id) => ids.push(id),
            _ => {
                bad += 1;
                let reason = "不是该网格的户 · no household of that grid".to_owned();
                tell(Event::BadLine { number, reason });
            }
        }
    }
    Ok((ids, bad))
}

fn moves(
    store: Store<'_>,
    server: &Server,
    ids: &[RecordId],
    to: &UnitId,
) -> Result<Vec<(Mid, Frozen)>, Fault> {
    let kind: &'static Kind = &HOUSEHOLD;
    let mut moves = Vec::new();
    for id in ids {
        let Some(household) = records::find(store, kind, *id)? else {
            continue;
        };
        let mut frozen = Frozen::new(kind, *id, Op::Command, server.at());
        frozen.seen = Some(household.rev);
        frozen.command = Some(Command {
            name: "move".to_owned(),
            args: [("grid".to_owned(), json!(to))].into_iter().collect(),
            expect: Expect::of(kind, &household.body),
        });
        let mid = Mid(crate::seams::uuid_v7(server.now(), server.entropy()));
        moves.push((mid, frozen));
    }
    Ok(moves)
}
