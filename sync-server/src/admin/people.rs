//! Importing household files: a stream of lines, taken in batches through the apply door.
//!
//! Memory holds one batch, whatever the file's length. A record that is here already is left as
//! it is, so that a second import adds nothing and a broken-off one is completed; corrections are
//! made by people, at the door.

use std::collections::BTreeSet;
use std::io;

use pocketbook_records::ids::{Mid, RecordId, UnitId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Frozen;
use pocketbook_records::receipt::{Outcome as Fate, Reason};
use pocketbook_records::time::At;

use super::AdminError;
use super::household_line::HouseholdLine;
use super::wire::{Event, Outcome};
use crate::Server;
use crate::store::{SqlError, Store, districts, org, records};

/// Records per commit: enough to make its cost small, few enough to keep phones' waits short.
const BATCH: usize = 1_500;

/// Takes household files.
///
/// # Errors
/// Fails if the input can't be read or the database refuses; lines before that are taken.
pub(super) async fn import(
    server: &Server,
    input: &mut dyn Iterator<Item = io::Result<String>>,
    tell: &mut dyn FnMut(Event),
) -> Result<Outcome, AdminError> {
    let grids = grids(server)?;
    let at = server.at();
    let mut taken = Taken::default();
    let mut batch = Vec::with_capacity(BATCH);
    for (number, line) in (1..).zip(input) {
        let line = line.map_err(AdminError::Input)?;
        if line.trim().is_empty() {
            continue;
        }
        match read(&line, &grids, &at) {
            Ok(records) => batch.extend(records.into_iter().map(|frozen| (number, frozen))),
            Err(reason) => taken.leave_out(number, reason, tell),
        }
        if batch.len() >= BATCH {
            hand_in(server, std::mem::take(&mut batch), &mut taken, tell).await?;
            tell(Event::Progress {
                done: number,
                total: None,
            });
        }
    }
    hand_in(server, batch, &mut taken, tell).await?;
    Ok(Outcome::People {
        added: taken.added,
        known: taken.known,
        bad: taken.bad.len() as u64,
    })
}

#[derive(Default)]
struct Taken {
    added: u64,
    known: u64,
    bad: BTreeSet<u64>,
}

impl Taken {
    /// Reports a line once, by its first fault.
    fn leave_out(&mut self, number: u64, reason: String, tell: &mut dyn FnMut(Event)) {
        if self.bad.insert(number) {
            tell(Event::BadLine { number, reason });
        }
    }
}

fn grids(server: &Server) -> Result<BTreeSet<UnitId>, AdminError> {
    let grids = server.read(|store| -> Result<_, SqlError> {
        let (district, _) = districts::name(store)?;
        org::below(store, &UnitId(district), "grid")
    })?;
    Ok(grids.into_iter().collect())
}

/// Reads a line; its text never enters the reason.
fn read(line: &str, grids: &BTreeSet<UnitId>, at: &At) -> Result<Vec<Frozen>, String> {
    let line: HouseholdLine = serde_json::from_str(line).map_err(|error| {
        format!(
            "格式不对，第 {0} 列附近 · not a household line, near column {0}",
            error.column()
        )
    })?;
    if !grids.contains(&UnitId::from(line.grid.as_str())) {
        return Err(format!("没有网格 {0} · no grid {0}", line.grid));
    }
    line.records(at).map_err(|reason| fault(&reason))
}

fn fault(reason: &Reason) -> String {
    match reason {
        Reason::BadValue(field) => format!("{field} 的值不对 · {field} does not fit"),
        Reason::UnknownField(field) => format!("没有字段 {field} · no field {field}"),
        reason => format!("不能导入 · {}", reason.code()),
    }
}

async fn hand_in(
    server: &Server,
    batch: Vec<(u64, Frozen)>,
    taken: &mut Taken,
    tell: &mut dyn FnMut(Event),
) -> Result<(), AdminError> {
    let known = server.read(|store| known(store, &batch))?;
    let (numbers, fresh): (Vec<u64>, Vec<_>) = batch
        .into_iter()
        .filter(|(_, frozen)| !known.contains(&(frozen.kind.clone(), frozen.id)))
        .map(|(number, frozen)| (number, (mid(&frozen), frozen)))
        .unzip();
    taken.known += known.len() as u64;
    let authored = server.author_as_system(fresh).await?;
    for (number, authored) in numbers.into_iter().zip(authored) {
        match authored.outcome {
            Fate::Parked | Fate::Rejected => {
                let reason = authored.reason.as_ref().map_or_else(String::new, fault);
                taken.leave_out(number, reason, tell);
            }
            Fate::Applied if !authored.repeated => taken.added += 1,
            _ => taken.known += 1,
        }
    }
    Ok(())
}

/// Names a mutation by its content: the same line again is the same mutation, also where its
/// first one lies parked.
fn mid(frozen: &Frozen) -> Mid {
    let content = serde_json::to_vec(&(&frozen.kind, frozen.id, &frozen.set, &frozen.add))
        .expect("plain values always serialize");
    Mid(uuid::Uuid::new_v5(&IMPORTS, &content))
}

/// Names the space of imported mutations; drawn once, never to change.
const IMPORTS: uuid::Uuid = uuid::uuid!("0d8a3c52-8f6e-5c53-9d5b-5e1c7c0a9f42");

fn known(
    store: Store<'_>,
    batch: &[(u64, Frozen)],
) -> Result<BTreeSet<(String, RecordId)>, SqlError> {
    let mut known = BTreeSet::new();
    for (_, frozen) in batch {
        let kind = Kind::named(&frozen.kind).ok_or(SqlError::Stored("a kind"))?;
        if records::brief(store, kind, frozen.id)?.is_some() {
            known.insert((frozen.kind.clone(), frozen.id));
        }
    }
    Ok(known)
}
