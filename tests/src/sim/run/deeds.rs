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
use crate::sim::oracle::{What, Write};
use crate::sim::tape::{Spot, Who};
use crate::world::people::fields;
use crate::world::pictures::photo;

impl Day {
    pub(super) fn target(&self, spot: Spot, n: usize) -> (&'static Kind, &'static str, RecordId) {
        match spot {
            Spot::Tenure => (&HOUSEHOLD, "tenure", pick(&self.homes, n)),
            Spot::Relation => (&PERSON, "relation", pick(&self.people, n)),
            Spot::Phone => (&PERSON_SENSITIVE, "phone", pick(&self.people, n)),
            Spot::Name => (&PERSON, "name", pick(&self.people, n)),
        }
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
                    is_allowed: who == 1 || self.has_grid,
                };
                let said = format!("{} as {}", write.what, mseq.0);
                self.oracle.noted(write);
                said
            }
            Err(error) => format!("not saved: {error:?}"),
        }
    }

    pub(super) fn looks(&mut self, who: Who, spot: Spot, n: usize) -> String {
        let (kind, path, id) = self.target(spot, n);
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
        let (kind, path, id) = self.target(spot, n);
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
        let home = pick(&self.homes, n);
        let Some(screen) = self.phones[who].finds(&HOUSEHOLD, home) else {
            return nothing();
        };
        let knocks = self.knocks.entry(home).or_default();
        let bit = 1_i64 << *knocks;
        *knocks += 1;
        let to = screen.value("knocks").as_i64().unwrap_or(0) + bit;
        let saved = self.phones[who].tries_to_enter(&screen, "knocks", json!(to));
        self.wrote(who, &HOUSEHOLD, home, What::Bit(bit), saved)
    }

    pub(super) fn moves(&mut self, n: usize) -> String {
        let home = pick(&self.homes, n);
        let Some(screen) = self.phones[1].finds(&HOUSEHOLD, home) else {
            return nothing();
        };
        let is_here = screen.value("grid") == json!(self.grid);
        let to = if is_here { &self.other } else { &self.grid };
        let args = fields(json!({ "grid": to }));
        let book = self.phones[1].book();
        let saved = book.command(&HOUSEHOLD, &screen.shown, "move", args);
        self.oracle.moved(home);
        self.wrote(1, &HOUSEHOLD, home, What::Other, saved)
    }

    pub(super) fn tags(&mut self, who: Who, n: usize) -> String {
        let person = pick(&self.people, n);
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
        let person = pick(&self.people, n);
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
        let home = pick(&self.homes, n);
        if self.phones[who].finds(&HOUSEHOLD, home).is_none() {
            return nothing();
        }
        let name = self.value(Spot::Name, false, n);
        let of = json!({"household": home, "name": name, "relation": "child"});
        let (id, said) = self.creates(who, &PERSON, of);
        self.people.push(id);
        said
    }

    pub(super) fn visits(&mut self, who: Who, n: usize) -> String {
        let home = pick(&self.homes, n);
        if self.phones[who].finds(&HOUSEHOLD, home).is_none() {
            return nothing();
        }
        let at = self.phones[who].store().now().expect("reads").wall;
        let of = json!({"household": home, "purpose": "routine", "result": "met", "at": at});
        self.creates(who, &VISIT, of).1
    }

    pub(super) fn reports(&mut self, who: Who, with_photo: bool) -> String {
        let phone = &self.phones[who];
        let draft = phone.drafts_cover(&self.grid, "东门");
        if with_photo {
            // A full phone takes no photo; the report goes on without.
            let taken = photo(self.cases.len());
            let _ = phone.book().add_photo(draft, &taken, Size::Master);
        }
        let saved = phone.book().report(draft);
        self.cases.push(draft.id);
        let authored = saved.map(|report| report.authored);
        self.wrote(who, &CASE, draft.id, What::Born, authored)
    }

    pub(super) fn commands(&mut self, who: Who, n: usize) -> String {
        let Some(id) = newest(&self.cases, n) else {
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

    pub(super) async fn desk_moves(&self, n: usize) -> String {
        let Some(case) = newest(&self.cases, n) else {
            return nothing();
        };
        // Sessions end after hours.
        let desk = self.world.signs_in("陈").await;
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
        let person = pick(&self.people, n);
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
