//! Residents (居民), with the sensitive part where this account may read it.

use pocketbook::books::{Entry, PersonFile};
use pocketbook_records::ids::{BlobHash, RecordId, Rev};
use pocketbook_records::kinds::person;

use super::{Badges, Note, Tag};

/// A resident (居民).
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Person {
    /// The id.
    pub id: RecordId,
    /// What the screen shows: goes back with an edit of kind `person`.
    pub rev: Option<Rev>,
    /// The badges.
    pub badges: Badges,
    /// The household he or she belongs to.
    pub household: Option<RecordId>,
    /// Name (姓名).
    pub name: Option<String>,
    /// Relation to the head of the household (与户主关系).
    pub relation: Option<String>,
    /// male or female.
    pub sex: Option<String>,
    /// Day of birth.
    pub birth: Option<String>,
    /// The identity number as others see it.
    pub masked_id: Option<String>,
    /// The phone as others see it.
    pub masked_phone: Option<String>,
    /// Care tags (标签).
    pub tags: Vec<Tag>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Photos.
    pub photos: Vec<BlobHash>,
    /// Moved out on this day (迁出).
    pub moved_out: Option<String>,
    /// Died on this day.
    pub died: Option<String>,
    /// The rest, for who may read it.
    pub sensitive: Option<PersonSensitive>,
}

/// A resident's sensitive part.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct PersonSensitive {
    /// What the screen shows: goes back with an edit of kind `person-sensitive`, same id.
    pub rev: Option<Rev>,
    /// The badges.
    pub badges: Badges,
    /// Identity number (身份证号).
    pub id_number: Option<String>,
    /// Phone (电话).
    pub phone: Option<String>,
    /// Health in words.
    pub health: Option<String>,
    /// Sensitive tags.
    pub tags: Vec<Tag>,
    /// Notes.
    pub notes: Vec<Note>,
}

impl From<PersonFile> for Person {
    fn from(file: PersonFile) -> Self {
        let PersonFile {
            person:
                Entry {
                    id,
                    rev,
                    mark,
                    fields,
                },
            sensitive,
        } = file;
        let person::Person {
            household,
            name,
            relation,
            sex,
            birth,
            masked_id,
            masked_phone,
            tags,
            notes,
            photos,
            moved_out,
            died,
        } = fields;
        Self {
            id,
            rev,
            badges: Badges::of(mark),
            household: household.map(RecordId),
            name,
            relation,
            sex,
            birth,
            masked_id,
            masked_phone,
            tags: Tag::all(&tags),
            notes: Note::all(&notes),
            photos,
            moved_out,
            died,
            sensitive: sensitive.map(Into::into),
        }
    }
}

impl From<Entry<person::PersonSensitive>> for PersonSensitive {
    fn from(entry: Entry<person::PersonSensitive>) -> Self {
        let person::PersonSensitive {
            id_number,
            phone,
            health,
            tags,
            notes,
        } = entry.fields;
        Self {
            rev: entry.rev,
            badges: Badges::of(entry.mark),
            id_number,
            phone,
            health,
            tags: Tag::all(&tags),
            notes: Note::all(&notes),
        }
    }
}
