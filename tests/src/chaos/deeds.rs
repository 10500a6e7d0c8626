//! What a worker does at random: few homes and few people, so that phones meet in them.

use pocketbook::Error;
use pocketbook::books::{OpenReview, Take};
use pocketbook_records::ids::{BlobHash, Mid, RecordId, UnitId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_tests::sim::tape::Dice;
use pocketbook_tests::stack::hands::{Hands, object};
use pocketbook_tests::world::pictures;
use serde_json::{Value, json};

/// Homes of a grid in which something happens.
const HOMES: usize = 4;
/// People of a home to whom it happens.
const PEOPLE: usize = 3;

/// A piece of work that was answered as saved, with its photos.
pub(crate) type Saved = (Mid, Vec<BlobHash>);

/// Somebody at work.
pub(crate) struct Worker {
    hands: Hands,
    grids: Vec<UnitId>,
    dice: Dice,
    last: Option<Mid>,
}

impl Worker {
    /// Returns a worker of these grids.
    pub(crate) fn new(hands: Hands, grids: Vec<UnitId>, dice: Dice) -> Self {
        Self {
            hands,
            grids,
            dice,
            last: None,
        }
    }

    /// Returns how long the worker walks to the next deed.
    pub(crate) fn pause_ms(&mut self) -> u64 {
        10 + self.dice.below(150) as u64
    }

    /// Does something; nothing if there is nothing to do it with, or the rules refuse it.
    pub(crate) fn does_something(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let done = match self.dice.below(100) {
            0..22 => self.enters_number(),
            22..35 => self.notes_tenure(),
            35..46 => self.tags(),
            46..60 => self.knocks(),
            60..69 => self.visits(),
            69..77 => self.registers(),
            77..80 => self.deletes(),
            80..88 => self.reports(),
            88..92 => self.takes_back(),
            _ => self.decides(),
        };
        match done {
            Ok(done) => {
                self.last = done.last().map(|(mid, _)| *mid);
                Ok(done)
            }
            // Somebody else was faster, or it makes no sense any more.
            Err(Error::Refused(_) | Error::NotFound | Error::AlreadySent) => Ok(Vec::new()),
            done => done,
        }
    }

    fn grid(&mut self) -> UnitId {
        let n = self.dice.below(self.grids.len());
        self.grids[n].clone()
    }

    fn home(&mut self) -> pocketbook::Result<RecordId> {
        let grid = self.grid();
        let homes = self.hands.households(&grid)?;
        let here = homes.len().min(HOMES);
        match here {
            0 => Err(Error::NotFound),
            _ => Ok(homes[self.dice.below(here)]),
        }
    }

    fn person(&mut self) -> pocketbook::Result<RecordId> {
        let home = self.home()?;
        let people = self.hands.book().household(home)?.people;
        match people.len().min(PEOPLE) {
            0 => Err(Error::NotFound),
            some => Ok(people[self.dice.below(some)].person.id),
        }
    }

    fn enters_number(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let person = self.person()?;
        let number = format!("154{:08}", self.dice.below(100_000_000));
        let done = self
            .hands
            .enters(&PERSON_SENSITIVE, person, "phone", number)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    fn notes_tenure(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let home = self.home()?;
        let tenure = ["own", "rent", "empty", "lent"][self.dice.below(4)];
        let done = self.hands.enters(&HOUSEHOLD, home, "tenure", tenure)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    fn tags(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let person = self.person()?;
        let path = ["tags/old-alone", "tags/disabled"][self.dice.below(2)];
        let to = match self.hands.value(&PERSON, person, path)? {
            Value::Null => json!({"proof": format!("证{}", self.dice.below(1_000))}),
            _ => Value::Null,
        };
        let done = self.hands.enters(&PERSON, person, path, to)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    fn knocks(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let home = self.home()?;
        let knocks = self.hands.value(&HOUSEHOLD, home, "knocks")?;
        let one_more = knocks.as_i64().unwrap_or(0) + 1;
        let done = self.hands.enters(&HOUSEHOLD, home, "knocks", one_more)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    fn visits(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let home = self.home()?;
        let at = self.hands.store().now()?.wall;
        let visit = json!({"household": home, "purpose": "routine", "result": "met", "at": at});
        let (_, done) = self.hands.creates(&VISIT, visit)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    fn registers(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let home = self.home()?;
        let name = format!("新{}", self.dice.below(1_000));
        let general = json!({"household": home, "name": name, "relation": "other"});
        let number = format!("154{:08}", self.dice.below(100_000_000));
        let sensitive = json!({"phone": number});
        let (_, done) = self
            .hands
            .book()
            .add_person(object(general), object(sensitive))?;
        Ok(vec![(done.mid, Vec::new())])
    }

    /// Newcomers only, so that people are left.
    fn deletes(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let home = self.home()?;
        let people = self.hands.book().household(home)?.people;
        let is_new = |name: &Option<String>| name.as_deref().is_some_and(|n| n.starts_with('新'));
        let newcomer = people
            .iter()
            .find(|one| is_new(&one.person.fields.name))
            .ok_or(Error::NotFound)?;
        let (id, rev) = (newcomer.person.id, newcomer.person.rev);
        let done = self.hands.book().delete(&PERSON, id, rev)?;
        Ok(vec![(done.mid, Vec::new())])
    }

    /// What was just saved, unless it is on its way: the number stays, with nothing under it.
    fn takes_back(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let last = self.last.take().ok_or(Error::NotFound)?;
        self.hands.book().withdraw(last)?;
        Ok(Vec::new())
    }

    fn reports(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let grid = self.grid();
        let case = json!({
            "grid": grid, "category": "C0101", "place": "东门", "text": "井盖破损",
            "pin": {"lat_e7": 343_282_600, "lon_e7": 1_087_213_630, "by": "hand"},
        });
        let photos: Vec<_> = (0..self.dice.below(2))
            .map(|_| pictures::varied(self.dice.below(6), self.dice.below(usize::MAX)))
            .collect();
        let done = self.hands.reports(case, &photos)?;
        let shown = self.hands.book().case(done.id)?;
        let hashes = shown.fields.photos;
        Ok(vec![(done.authored.mid, hashes)])
    }

    fn decides(&mut self) -> pocketbook::Result<Vec<Saved>> {
        let reviews: Vec<OpenReview> = self.hands.book().reviews(None)?;
        if reviews.is_empty() {
            return Ok(Vec::new());
        }
        let review = &reviews[self.dice.below(reviews.len())];
        if review.candidates.is_empty() {
            return Ok(Vec::new());
        }
        let choice = &review.candidates[self.dice.below(review.candidates.len())];
        let take = Take::Candidate(choice.id.clone());
        let done = self.hands.book().decide(review, take)?;
        Ok(vec![(done.mid, Vec::new())])
    }
}
