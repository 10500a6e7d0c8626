//! Single mutations that can't be taken: each gets its own word, the others go through.

use pocketbook_records::ids::RecordId;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::PARKED;
use pocketbook_records::kinds::review::tray_id;
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::mutation::MAX_FROZEN;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Role;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::{HandMade, World};
use serde_json::json;

struct Stage {
    world: World,
    phone: HandMade,
    /// A household of the phone's grid.
    flat: RecordId,
    /// A case of it, reported.
    case: RecordId,
}

impl Stage {
    async fn new(seed: u64) -> Self {
        let world = World::new(seed).await;
        let user = world.account("王").await;
        world
            .grant(user, "王", Role::GridWorker, &world.grid(0))
            .await;
        let phone = HandMade::enrol(world.town(), "王", &world.code("王").await.code).await;
        let flat = phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0), "tenure": "own"}));
        let case = RecordId(phone.uuid());
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
            phone.numbers_text(&report.to_string()),
        ];
        for word in phone.hands_in(work).await {
            assert_eq!(word.outcome, Outcome::Applied, "{word:?}");
        }
        Self {
            world,
            phone,
            flat: flat.id,
            case,
        }
    }

    /// The text of a patch that sets one field of the household, with another part put in.
    fn patch(&self, part: &str) -> String {
        let at = serde_json::to_string(&self.phone.at()).expect("plain data");
        format!(
            r#"{{"schema":1,"kind":"household","id":"{}","op":"patch","at":{at},{part}}}"#,
            self.flat
        )
    }

    fn set(&self, path: &str, to: &str) -> String {
        self.patch(&format!(r#""set":[{{"path":"{path}","to":{to}}}]"#))
    }

    /// A command on the case, as it was shown after the report.
    fn command(&self, name: &str, args: &str) -> String {
        let at = serde_json::to_string(&self.phone.at()).expect("plain data");
        format!(
            r#"{{"schema":1,"kind":"case","id":"{}","op":"command","at":{at},"command":{{"name":"{name}","args":{args},"expect":{{"state":"submitted","turn":1}}}}}}"#,
            self.case
        )
    }
}

#[tokio::test]
async fn each_wrong_content_gets_its_own_word_and_is_kept_while_its_neighbours_are_taken() {
    use Outcome::{Parked, Rejected};
    let stage = Stage::new(111).await;
    let field = |reason: fn(String) -> Reason, name: &str| reason(name.to_owned());
    let own = stage.patch(r#""set":[{"path":"tenure","was":"own","to":"rent"}]"#);
    let kind = |name: &str| own.replace("\"household\"", &format!("\"{name}\""));
    let huge = "x".repeat(MAX_FROZEN);

    let table: Vec<(&str, String, Outcome, Reason)> = vec![
        (
            "unknown kind",
            kind("spaceship"),
            Rejected,
            Reason::UnknownKind,
        ),
        ("no content", "{}".into(), Rejected, Reason::Malformed),
        (
            "a number for content",
            "7".into(),
            Rejected,
            Reason::Malformed,
        ),
        (
            "unknown op",
            own.replace("\"patch\"", "\"explode\""),
            Rejected,
            Reason::Malformed,
        ),
        (
            "an op without its part",
            own.replace("\"patch\"", "\"decide\""),
            Rejected,
            Reason::Malformed,
        ),
        (
            "unknown field",
            stage.set("colour", "\"red\""),
            Rejected,
            field(Reason::UnknownField, "colour"),
        ),
        (
            "a field of the server's",
            stage.set("state", "\"gone\""),
            Rejected,
            field(Reason::ServerField, "state"),
        ),
        (
            "a field fixed at creation",
            stage.set("grid", "\"x\""),
            Rejected,
            field(Reason::ServerField, "grid"),
        ),
        (
            "duplicate keys",
            stage.set("door_code", r#"{"a":1,"a":2}"#),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a member of the mutation that nobody knows",
            stage.patch(r#""colour":1,"set":[{"path":"tenure","was":"own","to":"rent"}]"#),
            Rejected,
            field(Reason::UnknownField, "colour"),
        ),
        (
            "a member of one of its parts that nobody knows",
            stage.patch(r#""set":[{"path":"tenure","was":"own","to":"rent","by":"me"}]"#),
            Rejected,
            field(Reason::UnknownField, "set.0.by"),
        ),
        (
            "a field set twice",
            stage.patch(
                r#""set":[{"path":"tenure","was":"own","to":"rent"},{"path":"tenure","to":"own"}]"#,
            ),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a counter counted twice",
            stage.patch(r#""inc":{"knocks":1,"knocks":2}"#),
            Rejected,
            Reason::Malformed,
        ),
        (
            "elements added twice over",
            stage.patch(r#""add":{"tags":["a"],"tags":["b"]}"#),
            Rejected,
            Reason::Malformed,
        ),
        (
            "elements removed twice over",
            stage.patch(r#""remove":{"tags":["a"],"tags":["b"]}"#),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a count beyond all counting",
            stage.patch(r#""inc":{"knocks":9223372036854775807}"#),
            Rejected,
            field(Reason::BadValue, "knocks"),
        ),
        (
            "NUL",
            stage.set("door_code", r#""\u0000""#),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a float",
            stage.set("last_visit", "1.5"),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a number too great",
            stage.set("last_visit", "9223372036854775808"),
            Rejected,
            Reason::Malformed,
        ),
        (
            "too deep",
            stage.set("pin", &format!("{}1{}", "[".repeat(50), "]".repeat(50))),
            Rejected,
            Reason::Malformed,
        ),
        (
            "a wrong type",
            stage.set("tenure", "7"),
            Rejected,
            field(Reason::BadValue, "tenure"),
        ),
        (
            "a day that is none",
            stage.set("moved_out", "\"2026-02-30\""),
            Rejected,
            field(Reason::BadValue, "moved_out"),
        ),
        (
            "a path that is none",
            stage.set("a//b", "1"),
            Rejected,
            Reason::Malformed,
        ),
        (
            "too long a text",
            stage.set("tenure", &format!("\"{}\"", "长".repeat(21))),
            Rejected,
            field(Reason::BadValue, "tenure"),
        ),
        (
            "too many bytes",
            stage.set("door_code", &format!("\"{huge}\"")),
            Rejected,
            Reason::TooLarge,
        ),
        (
            "unknown command",
            stage.command("teleport", "{}"),
            Rejected,
            Reason::UnknownCommand,
        ),
        (
            "a command of another state",
            stage.command("close", "{}"),
            Parked,
            Reason::WrongState,
        ),
        (
            "a command of another person",
            stage.command("accept", "{}"),
            Parked,
            Reason::NotPermitted,
        ),
        (
            "an unknown record",
            own.replace(&stage.flat.to_string(), &stage.phone.uuid().to_string()),
            Parked,
            Reason::NotYours,
        ),
    ];
    crate::table::counted("contents", table.len());
    for (what, text, outcome, reason) in table {
        let before = stage
            .phone
            .creation(&HOUSEHOLD, json!({"grid": stage.world.grid(0)}));
        let after = stage
            .phone
            .creation(&VISIT, json!({"household": before.id, "result": "met"}));
        let bad = stage.phone.numbers_text(&text);
        let mid = bad.mid;
        let first = stage.phone.numbers(&before);
        // Numbers go in the order of the batch.
        let (first, bad) = swapped_numbers(first, bad);
        let work = vec![first, bad, stage.phone.numbers(&after)];
        let words = stage.phone.hands_in(work).await;

        assert_eq!(
            (words[1].outcome, words[1].reason.clone()),
            (outcome, Some(reason)),
            "{what}"
        );
        assert_eq!(
            words[0].outcome,
            Outcome::Applied,
            "{what}: the one before it"
        );
        assert_eq!(
            words[2].outcome,
            Outcome::Applied,
            "{what}: the one after it"
        );
        let truth = Truth::of(&stage.world.town().server());
        let general = truth.get(&PARKED, tray_id(mid));
        let sensitive = truth.get(
            &pocketbook_records::kinds::parked::PARKED_SENSITIVE,
            tray_id(mid),
        );
        let kept = general
            .or(sensitive)
            .unwrap_or_else(|| panic!("{what}: it lies in the tray"));
        if text.len() <= MAX_FROZEN {
            assert_eq!(kept.body["frozen"], text.as_str(), "{what}: whole");
        }
    }
    let truth = Truth::of(&stage.world.town().server());
    assert_eq!(
        truth.get(&HOUSEHOLD, stage.flat).expect("it stands").body["tenure"],
        "own"
    );
}

fn swapped_numbers(
    mut one: pocketbook_records::mutation::Mutation,
    mut other: pocketbook_records::mutation::Mutation,
) -> (
    pocketbook_records::mutation::Mutation,
    pocketbook_records::mutation::Mutation,
) {
    std::mem::swap(&mut one.mseq, &mut other.mseq);
    (one, other)
}

#[tokio::test]
async fn a_field_from_a_newer_app_is_kept_byte_for_byte() {
    let stage = Stage::new(112).await;
    let newer = stage
        .set("colour", r#"{"shade":"青","parts":[1,2]}"#)
        .replace("\"schema\":1", "\"schema\":2");

    let words = stage
        .phone
        .hands_in(vec![stage.phone.numbers_text(&newer)])
        .await;
    assert_eq!(words[0].outcome, Outcome::Applied, "{words:?}");
    let known = stage.phone.change(
        &HOUSEHOLD,
        stage.flat,
        "tenure",
        json!("own"),
        json!("rent"),
    );
    stage
        .phone
        .hands_in(vec![stage.phone.numbers(&known)])
        .await;

    let truth = Truth::of(&stage.world.town().server());
    let body = &truth.get(&HOUSEHOLD, stage.flat).expect("it stands").body;
    assert_eq!(body["colour"], json!({"shade": "青", "parts": [1, 2]}));
    assert_eq!(body["tenure"], "rent");
}

#[tokio::test]
async fn a_stale_command_is_told_and_one_with_photos_waits_for_the_head() {
    let stage = Stage::new(113).await;
    let chen = stage.world.street_desk("陈").await;
    chen.accepts(stage.case).await;

    let bare = stage.phone.numbers_text(&stage.command("withdraw", "{}"));
    let photo = pocketbook_records::ids::BlobHash::of(b"a photo");
    let loaded = stage.command("withdraw", &format!(r#"{{"photos":["{photo}"]}}"#));
    let loaded = stage.phone.numbers_text(&loaded);
    let words = stage.phone.hands_in(vec![bare, loaded]).await;

    assert_eq!(
        words[0].outcome,
        Outcome::Superseded,
        "nothing was attached: a notice"
    );
    assert_eq!(
        (words[1].outcome, words[1].reason.clone()),
        (Outcome::Parked, Some(Reason::Stale))
    );
    assert_eq!(chen.state_of(stage.case).await, "accepted");
}

#[tokio::test]
async fn an_identity_number_with_a_wrong_check_digit_is_refused_on_the_phone_already() {
    let world = World::new(114).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let person = wang.person(wang.flat(0), 0);
    let screen = wang.sees(&pocketbook_records::kinds::person::PERSON_SENSITIVE, person);
    let right = screen.value("id_number");
    let right = right.as_str().expect("the first person has one");
    let wrong_digit = if right.ends_with('1') { "2" } else { "1" };
    let wrong = format!("{}{wrong_digit}", &right[..17]);

    let refused = wang.tries_to_enter(&screen, "id_number", json!(wrong));

    let sentence = format!("{refused:?}");
    assert!(
        matches!(refused, Err(pocketbook::Error::Refused(Reason::BadValue(field))) if field == "id_number")
    );
    assert!(
        !sentence.contains(&wrong),
        "the number itself is in no error"
    );
    assert_eq!(wang.status().waiting, 0);
}
