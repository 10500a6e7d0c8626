//! One line of an import of household files, and the records that it becomes.
//!
//! ```json
//! {"grid": "610402002013001",
//!  "household": {"id": "…", "place": {"compound": "…", "building": "3", "unit": "2", "room": "501"},
//!                "tenure": "own", "registration": "here", "tags": {"party-home": {}}},
//!  "people": [{"id": "…", "name": "…", "relation": "head", "sex": "female", "birth": "1950-03-02",
//!              "phone": "…", "id_number": "…", "health": "…",
//!              "tags": {"lives-alone": {"proof": "…"}}, "sensitive_tags": {}}]}
//! ```
//!
//! A field that nobody knows makes the line wrong: a misspelt `id_numer` must not vanish.

use std::collections::BTreeMap;

use pocketbook_records::ids::RecordId;
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::{Path, PathError};
use pocketbook_records::receipt::Reason;
use pocketbook_records::time::At;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HouseholdLine {
    pub(super) grid: String,
    household: HouseholdFile,
    people: Vec<PersonFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdFile {
    id: RecordId,
    place: Place,
    #[serde(default)]
    tenure: Option<String>,
    #[serde(default)]
    registration: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    compound: String,
    building: String,
    unit: String,
    room: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    id: RecordId,
    name: String,
    relation: String,
    #[serde(default)]
    sex: Option<String>,
    #[serde(default)]
    birth: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    id_number: Option<String>,
    #[serde(default)]
    health: Option<String>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    sensitive_tags: Tags,
}

type Tags = BTreeMap<String, Tag>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    #[serde(default)]
    proof: Option<String>,
}

impl HouseholdLine {
    /// Returns the records of the line, parents first, each checked as a phone's would be.
    pub(super) fn records(self, at: &At) -> Result<Vec<Frozen>, Reason> {
        let Self {
            grid,
            household,
            people,
        } = self;
        let place = household.place;
        let head = people.iter().find(|person| person.relation == "head");
        let file = create(
            &HOUSEHOLD,
            household.id,
            at,
            [
                ("grid", Some(json!(grid))),
                (
                    "place",
                    Some(json!({
                        "compound": place.compound, "building": place.building,
                        "unit": place.unit, "room": place.room,
                    })),
                ),
                ("tenure", household.tenure.map(Value::from)),
                ("registration", household.registration.map(Value::from)),
                ("head", head.map(|person| json!(person.id))),
            ],
            &household.tags,
        )?;
        let mut records = vec![file];
        for person in people {
            let id = person.id;
            let sensitive = create(
                &PERSON_SENSITIVE,
                id,
                at,
                [
                    ("id_number", person.id_number.map(Value::from)),
                    ("phone", person.phone.map(Value::from)),
                    ("health", person.health.map(Value::from)),
                ],
                &person.sensitive_tags,
            )?;
            records.push(create(
                &PERSON,
                id,
                at,
                [
                    ("household", Some(json!(household.id))),
                    ("name", Some(json!(person.name))),
                    ("relation", Some(json!(person.relation))),
                    ("sex", person.sex.map(Value::from)),
                    ("birth", person.birth.map(Value::from)),
                ],
                &person.tags,
            )?);
            if sensitive.has_edits() {
                records.push(sensitive);
            }
        }
        Ok(records)
    }
}

fn create<const N: usize>(
    kind: &Kind,
    id: RecordId,
    at: &At,
    fields: [(&str, Option<Value>); N],
    tags: &Tags,
) -> Result<Frozen, Reason> {
    let malformed = |_: PathError| Reason::BadValue("tags".into());
    let mut frozen = Frozen::new(kind, id, Op::Create, at.clone());
    for (name, value) in fields {
        if let Some(to) = value {
            frozen.set.push(set(Path::field(name), to));
        }
    }
    let path = Path::field("tags");
    for (code, tag) in tags {
        let element = path.join(code).map_err(malformed)?;
        if let Some(proof) = &tag.proof {
            let proof_path = element.join("proof").map_err(malformed)?;
            frozen.set.push(set(proof_path, json!(proof)));
        }
        frozen
            .add
            .entry(path.clone())
            .or_default()
            .push(json!(code));
    }
    frozen.check(kind)?;
    Ok(frozen)
}

fn set(path: Path, to: Value) -> Set {
    Set {
        path,
        was: Value::Null,
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"grid":"610402002013001","household":{"id":"01890000-0000-7000-8000-000000000001",
        "place":{"compound":"甲小区","building":"3","unit":"2","room":"501"},"tenure":"own"},
        "people":[{"id":"01890000-0000-7000-8000-000000000002","name":"王","relation":"head",
        "phone":"15412345678","tags":{"lives-alone":{"proof":"证明"}}}]}"#;

    fn at() -> At {
        At {
            wall: 0,
            boot: String::new(),
            monotonic_ms: 0,
            contact: None,
        }
    }

    #[test]
    fn a_line_becomes_a_household_its_people_and_their_companions() {
        let line: HouseholdLine = serde_json::from_str(LINE).unwrap();

        let records = line.records(&at()).unwrap();

        let kinds: Vec<&str> = records.iter().map(|record| record.kind.as_str()).collect();
        assert_eq!(kinds, ["household", "person", "person-sensitive"]);
    }

    #[test]
    fn a_wrong_value_names_its_field_and_a_misspelt_one_is_no_line() {
        let wrong = LINE.replace("15412345678", "12");
        let line: HouseholdLine = serde_json::from_str(&wrong).unwrap();
        assert_eq!(
            line.records(&at()),
            Err(Reason::BadValue("phone".to_owned()))
        );
        let misspelt = LINE.replace("\"phone\"", "\"fone\"");
        assert!(serde_json::from_str::<HouseholdLine>(&misspelt).is_err());
    }
}
