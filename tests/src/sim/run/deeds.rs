//! What people do: each deed is tried as a screen would try it, and noted with what was shown.

use pocketbook::books::{NewRecord, Take};
use pocketbook::photos::Size;
use pocketbook::store::outbox::Authored;
use pocketbook_records::ids::RecordId;
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use serde_json::{Value, json};

use super::{Day, newest, nothing, pick};
use crate::sim::cast::{Standing, Who};
use crate::sim::morning::{Beat, CLERK};
use crate::sim::oracle::{What, Write};
use crate::sim::tape::Spot;
use crate::world::Desk;
use crate::world::people::fields;
use crate::world::pictures::small;

/// So many knocks at a home have a bit of their own.
const KNOCKS: u32 = 62;

impl Day {
    /// Returns the beat in which somebody works, one of them if he has several.
    fn beat(&mut self, who: Who, n: usize) -> &mut Beat {
        let beats = &self.members[who].beats;
        &mut self.beats[beats[n % beats.len()]]
    }

    fn home(&mut self, who: Who, n: usize) -> RecordId {
        pick(&self.beat(who, n).homes, n)
    }

    fn person(&mut self, who: Who, n: usize) -> Option<RecordId> {
        let people = &self.beat(who, n).people;
        (!people.is_empty()).then(|| pick(people, n))
    }

    fn target(
        &mut self,
        who: Who,
        spot: Spot,
        n: usize,
    ) -> Option<(&'static Kind, &'static str, RecordId)> {
        Some(match spot {
            Spot::Tenure => (&HOUSEHOLD, "tenure", self.home(who, n)),
            Spot::Relation => (&PERSON, "relation", self.person(who, n)?),
            Spot::Phone => (&PERSON_SENSITIVE, "phone", self.person(who, n)?),
            Spot::Name => (&PERSON, "name", self.person(who, n)?),
        })
    }

    pub(super) fn value(&mut self, spot: Spot, again: bool, n: usize) -> Value {
        self.drawn += 1;
        let known = self.values.entry(spot).or_default();
        if again && !known.is_empty() {
            return pick(known, n);
        }
        let value = match spot {
            Spot::Phone => json!(format!("154{:08}", self.drawn)),
            _ => json!(format!("值{}", self.drawn)),
        };
        known.push(value.clone());
        value
    }

    pub(super) fn wrote(
        &mut self,
        who: Who,
        kind: &'static Kind,
        id: RecordId,
        what: What,
        saved: pocketbook::Result<Authored>,
    ) -> String {
        match saved {
            Ok(Authored { mid, mseq }) => {
                let write = Write {
                    who,
                    mid,
                    mseq: mseq.0,
                    kind: kind.name,
                    id,
                    what,
                    // In the other grid lie homes that were moved there, with all who live in them.
                    is_allowed: self.has_grid[who] || self.is_lent[who],
                };
                let said = format!("{} as {}", write.what, mseq.0);
                self.oracle.noted(write);
                said
            }
            Err(error) => format!("not saved: {error:?}"),
        }
    }

    pub(super) fn looks(&mut self, who: Who, spot: Spot, n: usize) -> String {
        let Some((kind, path, id)) = self.target(who, spot, n) else {
            return nothing();
        };
        let Some(screen) = self.phones[who].finds(kind, id) else {
            return nothing();
        };
        let said = screen.value(path).to_string();
        self.screens.insert((who, spot, id), screen);
        said
    }

    pub(super) fn enters(
        &mut self,
        who: Who,
        spot: Spot,
        n: usize,
        stale: bool,
        again: bool,
    ) -> String {
        let Some((kind, path, id)) = self.target(who, spot, n) else {
            return nothing();
        };
        let old = stale.then(|| self.screens.get(&(who, spot, id)).cloned());
        let shown = old.flatten().or_else(|| self.phones[who].finds(kind, id));
        let Some(screen) = shown else {
            return nothing();
        };
        let (was, to) = (screen.value(path), self.value(spot, again, n));
        if was == to {
            return nothing();
        }
        let saved = self.phones[who].tries_to_enter(&screen, path, to.clone());
        // It may be left open, and be typed into once more.
        self.screens.insert((who, spot, id), screen);
        let what = What::Value { path, was, to };
        self.wrote(who, kind, id, what, saved)
    }

    pub(super) fn knocks(&mut self, who: Who, n: usize) -> String {
        let home = self.home(who, n);
        let Some(screen) = self.phones[who].finds(&HOUSEHOLD, home) else {
            return nothing();
        };
        let knocks = self.beat(who, n).knocks.entry(home).or_default();
        if *knocks == KNOCKS {
            return nothing();
        }
        let bit = 1_i64 << *knocks;
        *knocks += 1;
        let to = screen.value("knocks").as_i64().unwrap_or(0) + bit;
        let saved = self.phones[who].tries_to_enter(&screen, "knocks", json!(to));
        self.wrote(who, &HOUSEHOLD, home, What::Bit(bit), saved)
    }

    /// A head moves the home; whoever is none leaves it where it is.
    pub(super) fn moves(&mut self, who: Who, n: usize) -> String {
        if self.members[who].standing != Standing::Holds {
            return nothing();
        }
        let home = self.home(who, n);
        let beat = self.beat(who, n);
        let (grid, other) = (beat.grid.clone(), beat.other.clone());
        let shown = self.phones[who].finds(&HOUSEHOLD, home);
        let (Some(screen), Some(other)) = (shown, other) else {
            return nothing();
        };
        let is_here = screen.value("grid") == json!(grid);
        let args = fields(json!({ "grid": if is_here { other } else { grid } }));
        let book = self.phones[who].book();
        let saved = book.command(&HOUSEHOLD, &screen.shown, "move", args);
        self.oracle.moved(home);
        self.wrote(who, &HOUSEHOLD, home, What::Other, saved)
    }

    pub(super) fn tags(&mut self, who: Who, n: usize) -> String {
        let Some(person) = self.person(who, n) else {
            return nothing();
        };
        let Some(screen) = self.phones[who].finds(&PERSON, person) else {
            return nothing();
        };
        self.drawn += 1;
        let (tag, path) = [
            ("tags/old-alone", "tags/old-alone/proof"),
            ("tags/disabled", "tags/disabled/proof"),
        ][n % 2];
        let was = screen.value(path);
        let to = match was {
            Value::String(_) if n < 2 => Value::Null,
            _ => json!(format!("证{}", self.drawn)),
        };
        let shall_be = match &to {
            Value::Null => Value::Null,
            proof => json!({ "proof": proof }),
        };
        let saved = self.phones[who].tries_to_enter(&screen, tag, shall_be);
        let what = What::Value { path, was, to };
        self.wrote(who, &PERSON, person, what, saved)
    }

    pub(super) fn notes(&mut self, who: Who, n: usize) -> String {
        let Some(person) = self.person(who, n) else {
            return nothing();
        };
        let Some(screen) = self.phones[who].finds(&PERSON, person) else {
            return nothing();
        };
        let id = self.phones[who].store().new_id().to_string();
        let mut notes = screen
            .value("notes")
            .as_array()
            .cloned()
            .unwrap_or_default();
        notes.push(json!({"id": id, "text": "敲门无人"}));
        let saved = self.phones[who].tries_to_enter(&screen, "notes", Value::Array(notes));
        self.wrote(who, &PERSON, person, What::Item(id), saved)
    }

    pub(super) fn creates(
        &mut self,
        who: Who,
        kind: &'static Kind,
        of: Value,
    ) -> (RecordId, String) {
        let id = self.phones[who].store().new_id();
        let new = NewRecord {
            id: Some(id),
            fields: fields(of),
            command: None,
        };
        let saved = self.phones[who].book().create(kind, new);
        let said = self.wrote(
            who,
            kind,
            id,
            What::Born,
            saved.map(|(_, authored)| authored),
        );
        (id, said)
    }

    pub(super) fn adds(&mut self, who: Who, n: usize) -> String {
        let home = self.home(who, n);
        if self.phones[who].finds(&HOUSEHOLD, home).is_none() {
            return nothing();
        }
        let name = self.value(Spot::Name, false, n);
        let of = json!({"household": home, "name": name, "relation": "child"});
        let (id, said) = self.creates(who, &PERSON, of);
        self.beat(who, n).people.push(id);
        said
    }

    pub(super) fn visits(&mut self, who: Who, n: usize) -> String {
        let home = self.home(who, n);
        if self.phones[who].finds(&HOUSEHOLD, home).is_none() {
            return nothing();
        }
        let at = self.phones[who].store().now().expect("reads").wall;
        let of = json!({"household": home, "purpose": "routine", "result": "met", "at": at});
        self.creates(who, &VISIT, of).1
    }

    pub(super) fn reports(&mut self, who: Who, with_photo: bool) -> String {
        let (grid, cases) = {
            let beat = self.beat(who, 0);
            (beat.grid.clone(), beat.cases.len())
        };
        let phone = &self.phones[who];
        let draft = phone.drafts_cover(&grid, "东门");
        if with_photo {
            // A full phone takes no photo; the report goes on without.
            let _ = phone.book().add_photo(draft, &small(cases), Size::Master);
        }
        let saved = phone.book().report(draft);
        self.beat(who, 0).cases.push(draft.id);
        let authored = saved.map(|report| report.authored);
        self.wrote(who, &CASE, draft.id, What::Born, authored)
    }

    pub(super) fn commands(&mut self, who: Who, n: usize) -> String {
        let Some(id) = newest(&self.beat(who, n).cases, n) else {
            return nothing();
        };
        let Some(screen) = self.phones[who].finds(&CASE, id) else {
            return nothing();
        };
        let (command, args) = match screen.value("state").as_str() {
            Some("submitted") => ("withdraw", json!({})),
            Some("returned") => ("complete", json!({})),
            Some("accepted") => ("dispatch", json!({"unit": self.world.menders()})),
            _ => return nothing(),
        };
        let saved = self.phones[who]
            .book()
            .case_command(id, command, fields(args));
        self.wrote(who, &CASE, id, What::Other, saved)
    }

    /// The clerk signs in where his session has ended.
    async fn desk(&mut self) -> Desk {
        if let Some(desk) = self.desk.take() {
            let still = desk.client().gets("/v1/desk/cases?limit=1").await;
            if still.status == 200 {
                return desk;
            }
        }
        self.world.signs_in(CLERK).await
    }

    pub(super) async fn desk_moves(&mut self, n: usize) -> String {
        let beat = &self.beats[n % self.beats.len()];
        let Some(case) = newest(&beat.cases, n) else {
            return nothing();
        };
        let desk = self.desk().await;
        let came = self.moves_at(&desk, case, n).await;
        self.desk = Some(desk);
        came
    }

    async fn moves_at(&self, desk: &Desk, case: RecordId, n: usize) -> String {
        let Some(shown) = desk.finds(case).await else {
            return nothing();
        };
        let state = shown["body"]["state"].as_str().or(shown["state"].as_str());
        let (command, args) = match (state, n % 2) {
            (Some("submitted"), 0) => ("accept", json!({})),
            (Some("submitted"), _) => ("return", json!({"reason": "地点不清"})),
            (Some("accepted"), _) => ("dispatch", json!({"unit": self.world.menders()})),
            _ => return nothing(),
        };
        let step = desk.step(case, args).await;
        let reply = desk.sends(case, command, &step).await;
        format!("{command} {}", reply.status)
    }

    pub(super) fn decides(&mut self, who: Who, n: usize) -> String {
        let reviews = self.phones[who].book().reviews(None).expect("reads");
        let Some(review) = (!reviews.is_empty()).then(|| &reviews[n % reviews.len()]) else {
            return nothing();
        };
        let choice = &review.candidates[n % review.candidates.len()];
        let of = &review.review.fields;
        let (Some(kind), Some(record)) = (of.of.as_deref().and_then(Kind::named), of.record) else {
            return nothing();
        };
        let what = What::Decided {
            path: of.path.clone().unwrap_or_default(),
            seen: review.candidates.iter().map(|c| c.id.clone()).collect(),
        };
        let saved = self.phones[who]
            .book()
            .decide(review, Take::Candidate(choice.id.clone()));
        self.wrote(who, kind, RecordId(record), what, saved)
    }

    pub(super) fn deletes(&mut self, who: Who, n: usize) -> String {
        let Some(person) = self.person(who, n) else {
            return nothing();
        };
        let Some(screen) = self.phones[who].finds(&PERSON, person) else {
            return nothing();
        };
        let rev = screen.shown.rev;
        let mut shown = screen.shown.fields;
        let sensitive = self.phones[who].finds(&PERSON_SENSITIVE, person);
        shown.extend(sensitive.into_iter().flat_map(|also| also.shown.fields));
        let saved = self.phones[who].book().delete(&PERSON, person, rev);
        self.wrote(who, &PERSON, person, What::Gone(shown), saved)
    }
}
