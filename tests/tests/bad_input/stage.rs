//! A phone made by hand with a household, somebody who lives there and a case: what bad contents of
//! mutations are about.

use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::receipt::Outcome::{self, Applied};
use pocketbook_records::receipt::Reason;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::{HandMade, World};
use serde_json::{Value, json};

/// A grid worker's phone, made by hand.
pub(crate) async fn phone_of(world: &World, name: &str) -> HandMade {
    let user = world.account(name).await;
    world
        .grant(user, name, Role::GridWorker, &world.grid(0))
        .await;
    HandMade::enrol(world.town(), name, &world.code(name).await.code).await
}

/// What becomes of a content.
pub(crate) type Word = (Outcome, Option<Reason>);

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) phone: HandMade,
    /// A household of the phone's grid.
    pub(crate) flat: RecordId,
    /// Somebody who lives there.
    pub(crate) person: RecordId,
    /// A case of the grid, reported.
    pub(crate) case: RecordId,
}

impl Stage {
    pub(crate) async fn new(seed: u64) -> Self {
        let world = World::new(seed).await;
        let phone = phone_of(&world, "王").await;
        let flat = phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0), "tenure": "own"}));
        let person = phone.creation(&PERSON, json!({"household": flat.id, "name": "李"}));
        let case = RecordId(phone.uuid());
        let (flat_id, person_id) = (flat.id, person.id);
        let mut sensitive = phone.creation(&PERSON_SENSITIVE, json!({"health": "好"}));
        sensitive.id = person.id;
        let report = json!({
            "schema": 1, "kind": "case", "id": case, "op": "create", "at": phone.at(),
            "set": [
                {"path": "grid", "to": world.grid(0)}, {"path": "category", "to": "E0205"},
                {"path": "place", "to": "东门"},
            ],
            "command": {"name": "report", "expect": {"state": "draft", "turn": 0}},
        });
        let work = vec![
            phone.numbers(&flat),
            phone.numbers(&person),
            phone.numbers(&sensitive),
            phone.numbers_text(&report.to_string()),
        ];
        for word in phone.hands_in(work).await {
            assert_eq!(word.outcome, Applied, "{word:?}");
        }
        Self {
            world,
            phone,
            flat: flat_id,
            person: person_id,
            case,
        }
    }

    /// A content with these parts beside what every content has.
    pub(crate) fn content(&self, kind: &str, id: RecordId, op: &str, parts: Value) -> Value {
        let mut content =
            json!({"schema": 1, "kind": kind, "id": id, "op": op, "at": self.phone.at()});
        for (name, value) in parts.as_object().expect("parts of a content") {
            content[name] = value.clone();
        }
        content
    }

    /// A change of one register of the person's sensitive companion.
    pub(crate) fn sensitive(&self, path: &str, to: Value) -> Value {
        let set = json!({"set": [{"path": path, "to": to}]});
        self.content("person-sensitive", self.person, "patch", set)
    }

    /// A change of one register of the household.
    pub(crate) fn home(&self, path: &str, to: Value) -> Value {
        let set = json!({"set": [{"path": path, "to": to}]});
        self.content("household", self.flat, "patch", set)
    }

    pub(crate) fn edits(&self, parts: Value) -> Value {
        self.content("household", self.flat, "patch", parts)
    }

    pub(crate) fn step(&self, name: &str, args: Value) -> Value {
        let command =
            json!({"name": name, "args": args, "expect": {"state": "submitted", "turn": 1}});
        self.content("case", self.case, "command", json!({"command": command}))
    }

    pub(crate) fn new_record(&self, kind: &str, fields: Value) -> Value {
        let set = fields.as_object().expect("fields").iter();
        let set: Vec<_> = set
            .map(|(path, to)| json!({"path": path, "to": to}))
            .collect();
        let id = RecordId(self.phone.uuid());
        self.content(kind, id, "create", json!({"set": set}))
    }

    /// A content with a part of its text exchanged for what no tree can hold.
    pub(crate) fn text_with(&self, from: &str, to: &str) -> String {
        let text = self.home("tenure", json!("rent")).to_string();
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    }

    pub(crate) async fn word(&self, text: &str) -> Word {
        let words = self
            .phone
            .hands_in(vec![self.phone.numbers_text(text)])
            .await;
        (words[0].outcome, words[0].reason.clone())
    }
}
