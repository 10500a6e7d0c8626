//! The view after every step: what a screen shows of own work.

use std::collections::BTreeMap;

use pocketbook_records::body::Fields;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;

use super::{Oracle, What, Write, named, to, was};
use crate::sim::cast::{Standing, Who};
use crate::sim::look::Device;
use crate::world::Phone;

impl Oracle {
    /// I21: an own edit that was not refused never gives way to what its author had left behind.
    pub(super) fn own_edits_do_not_flicker(
        &self,
        who: Who,
        phone: &Phone,
        broken: &mut Vec<String>,
    ) {
        if self.phones[who].is_away {
            // Accepted work on a grid that was taken is uncovered just before the grid goes.
            return;
        }
        let mut spots: BTreeMap<(&str, RecordId, &str), Vec<&Write>> = BTreeMap::new();
        for write in &self.writes {
            if let What::Value { path, .. } = write.what {
                spots
                    .entry((write.kind, write.id, path))
                    .or_default()
                    .push(write);
            }
        }
        for ((kind, id, path), writes) in spots {
            let (own, others): (Vec<_>, Vec<_>) = writes.iter().partition(|w| w.who == who);
            let Some(last) = own.last().copied() else {
                continue;
            };
            if self.is_disputed(kind, id, path) || !self.stands(last) {
                continue;
            }
            let Some(screen) = phone.finds(named(kind), id) else {
                continue;
            };
            let shown = screen.value(path);
            let is_foreign = others.iter().any(|write| *to(write) == shown);
            let is_left = own
                .iter()
                .any(|write| *was(write) == shown || *to(write) == shown);
            if shown != *to(last) && !is_foreign && is_left {
                broken.push(format!(
                    "I21: {kind} {id} shows {shown} again after {}",
                    last.what
                ));
            }
        }
    }

    pub(super) fn is_disputed(&self, kind: &str, id: RecordId, path: &str) -> bool {
        let mut writes = self.writes.iter();
        writes.any(|write| match &write.what {
            What::Decided { path: at, .. } => write.id == id && (at == path || at == "*"),
            What::Gone(_) => write.id == id,
            What::Value { path: at, .. } => {
                let is_here = write.kind == kind && write.id == id && *at == path;
                is_here && self.disputed.contains(&write.mid)
            }
            _ => false,
        })
    }

    /// I21: what own work does not touch is shown as the mirror has it.
    pub(super) fn the_mirror_shows_through(
        &self,
        who: Who,
        phone: &Phone,
        device: &Device,
        broken: &mut Vec<String>,
    ) {
        for (kind, id, _, text) in &device.mirror {
            // Commands and decisions touch what is in none of their paths.
            if self.moved.contains(id) {
                continue;
            }
            let plain = [&HOUSEHOLD, &PERSON, &PERSON_SENSITIVE, &VISIT];
            let kind = plain.into_iter().find(|plain| plain.name == kind);
            let Some(screen) = kind.and_then(|kind| phone.finds(kind, *id)) else {
                continue;
            };
            // What waits in the tray lies over the record on every phone of the account.
            let own = self.of_account(who).filter(|write| write.id == *id);
            let touched: Vec<&str> = own.map(|write| field(&write.what)).collect();
            let body: Fields = serde_json::from_str(text).expect("a body in the mirror");
            for (name, value) in body {
                if !touched.contains(&name.as_str()) && screen.value(&name) != value {
                    let shown = screen.value(&name);
                    broken.push(format!(
                        "I21: {who} sees {name} of {id} as {shown}, not {value}"
                    ));
                }
            }
        }
    }

    /// I21: no knock counts twice, none that was seen vanishes.
    pub(super) fn knocks_count_once_in_the_view(
        &mut self,
        who: Who,
        phone: &Phone,
        broken: &mut Vec<String>,
    ) {
        if self.phones[who].is_away {
            // What waits in the tray is all that is shown of a home that was taken.
            return;
        }
        if self.was_restored && pocketbook_sqlite::is_encryption_built() {
            // Nobody can see from outside which history an encrypted phone knows.
            return;
        }
        let mut homes: BTreeMap<RecordId, (i64, i64)> = BTreeMap::new();
        for write in &self.writes {
            if let What::Bit(bit) = write.what {
                let (own, all) = homes.entry(write.id).or_default();
                *all |= bit;
                if write.who == who && self.stands(write) {
                    *own |= bit;
                }
            }
        }
        for (home, (own, all)) in homes {
            let Some(screen) = phone.finds(&HOUSEHOLD, home) else {
                continue;
            };
            let shown = screen.value("knocks").as_i64().unwrap_or(0);
            let before = self.knocks.insert((who, home), shown).unwrap_or(0);
            if (before | own) & !shown != 0 || shown & !all != 0 {
                broken.push(format!(
                    "I21: {who} sees {shown:b} knocks of {all:b}, own {own:b}, before {before:b}"
                ));
            }
        }
    }

    /// I21: what somebody created stays visible to him.
    pub(super) fn own_creations_stay_visible(
        &self,
        who: Who,
        phone: &Phone,
        broken: &mut Vec<String>,
    ) {
        let known = &self.phones[who];
        let may_lose = known.standing != Standing::Holds && !self.moved.is_empty();
        if known.is_away || may_lose {
            // What he created goes with the home that it hangs on.
            return;
        }
        for write in self
            .of(who)
            .filter(|write| matches!(write.what, What::Born))
        {
            let is_there = phone.finds(named(write.kind), write.id).is_some();
            if !is_there && !self.is_deleted(write.id) {
                broken.push(format!(
                    "I21: {} {} vanished for {who}",
                    write.kind, write.id
                ));
            }
        }
    }
}

/// Returns the field that a change touches.
fn field(what: &What) -> &str {
    match what {
        What::Value { path, .. } => path.split('/').next().unwrap_or(path),
        What::Decided { path, .. } => path.split('/').next().unwrap_or(path),
        What::Bit(_) => "knocks",
        What::Item(_) => "notes",
        What::Other => "grid",
        What::Born | What::Gone(_) => "",
    }
}
