//! Household files: the list of a grid, a household with its people, visits and cases.

use pocketbook_records::body::Fields;
use pocketbook_records::ids::{RecordId, UnitId};
use pocketbook_records::kinds::case::{CASE, Case};
use pocketbook_records::kinds::household::{HOUSEHOLD, Household};
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE, Person, PersonSensitive};
use pocketbook_records::kinds::visit::{VISIT, Visit};

use crate::books::{Book, Entry, NewRecord};
use crate::error::{Error, Result};
use crate::store::lists::{self, After, Rows};
use crate::store::outbox::Authored;

/// A household with everything that hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct HouseholdFile {
    /// The household.
    pub household: Entry<Household>,
    /// Its people.
    pub people: Vec<PersonFile>,
    /// Visits, the newest first.
    pub visits: Vec<Entry<Visit>>,
    /// Cases, the newest first.
    pub cases: Vec<Entry<Case>>,
}

/// A person, with the sensitive part where this account may read it.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonFile {
    /// What everyone in the grid may read.
    pub person: Entry<Person>,
    /// The rest.
    pub sensitive: Option<Entry<PersonSensitive>>,
}

impl Book {
    /// Returns a page of the households of a grid, or of all grids here, by address.
    pub fn households(
        &self,
        grid: Option<&UnitId>,
        after: Option<&After>,
        limit: usize,
    ) -> Result<Rows<Entry<Household>>> {
        let page =
            self.store()?
                .list(&HOUSEHOLD, grid.map(|grid| grid.0.as_str()), after, limit)?;
        let rows = page
            .rows
            .into_iter()
            .map(|shown| Entry::read(shown, Household::read))
            .collect();
        Ok(Rows {
            rows,
            next: page.next,
        })
    }

    /// Returns a household with its people, visits and cases, read at one moment.
    pub fn household(&self, id: RecordId) -> Result<HouseholdFile> {
        self.store()?.read(|connection| {
            let household = lists::one(connection, &HOUSEHOLD, id)?.ok_or(Error::NotFound)?;
            let under = id.to_string();
            let mut people = Vec::new();
            for shown in lists::all_under(connection, &PERSON, &under)? {
                let sensitive = lists::one(connection, &PERSON_SENSITIVE, shown.id)?;
                people.push(PersonFile {
                    person: Entry::read(shown, Person::read),
                    sensitive: sensitive.map(|shown| Entry::read(shown, PersonSensitive::read)),
                });
            }
            let visits = lists::all_under(connection, &VISIT, &under)?;
            let cases = lists::all_under(connection, &CASE, &under)?;
            Ok(HouseholdFile {
                household: Entry::read(household, Household::read),
                people,
                visits: visits
                    .into_iter()
                    .map(|shown| Entry::read(shown, Visit::read))
                    .collect(),
                cases: cases
                    .into_iter()
                    .map(|shown| Entry::read(shown, Case::read))
                    .collect(),
            })
        })
    }

    /// Registers a resident, the part for the entitled too if there is anything in it. Both are
    /// saved or neither; what the general part became is returned.
    pub fn add_person(&self, general: Fields, sensitive: Fields) -> Result<(RecordId, Authored)> {
        let new = |id, fields| NewRecord {
            id,
            fields,
            command: None,
        };
        let (id, person) = self.creation_of(&PERSON, new(None, general))?;
        let mut both = vec![person];
        if !sensitive.is_empty() {
            let companion = self.creation_of(&PERSON_SENSITIVE, new(Some(id), sensitive))?;
            both.push(companion.1);
        }
        let authored = self.store()?.author_all(both)?;
        let person = authored.first().ok_or(Error::NotFound)?;
        Ok((id, *person))
    }
}
