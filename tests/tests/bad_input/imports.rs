//! Lines of household files that an operator hands over: each bad one is named by what is wrong with
//! it, never by what stands in it, and the others are taken.

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_server::admin::carry_out;
use pocketbook_server::admin::wire::{Command, Event};
use pocketbook_tests::world::World;
use pocketbook_tests::world::check::Truth;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::table::{bad, walk};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0000 + n)
}

/// A good line.
fn line(world: &World, n: u128) -> Value {
    json!({
        "grid": world.grid(0),
        "household": {"id": id(n), "tenure": "own", "tags": {},
            "place": {"compound": "渭滨苑", "building": "3", "unit": "2", "room": "501"}},
        "people": [{"id": id(n + 1), "name": "欧阳𠮷", "relation": "head", "birth": "1949-12-31",
            "id_number": "11010519491231002X", "phone": "13812345678"}],
    })
}

/// What is said of a line: the part of the reason in English; nothing if it is taken.
async fn told(world: &World, line: &str) -> Option<String> {
    let mut reason = None;
    let mut lines = std::iter::once(Ok(line.to_owned()));
    let mut hear = |event| {
        if let Event::BadLine { reason: heard, .. } = event {
            let english = heard.split(" · ").last().unwrap_or_default().to_owned();
            reason = Some(english);
        }
    };
    let server = world.town().server();
    let done = carry_out(&server, Command::ImportPeople, &mut lines, &mut hear).await;
    done.expect("a bad line is no failure of the import");
    reason
}

#[tokio::test]
async fn a_line_that_does_not_fit_is_named_and_leaves_no_trace() {
    let world = World::new(331).await;
    let no_line = |column: u32| Some(format!("not a household line, near column {column}"));
    let fault = |field: &str| Some(format!("{field} does not fit"));
    let good = line(&world, 1);
    let with = |pointer: &str, value: Value| {
        let mut line = good.clone();
        let place = line.pointer_mut(pointer).expect("a field of the line");
        *place = value;
        line.to_string()
    };
    let person = |field: &str, value: &str| with(&format!("/people/0/{field}"), json!(value));
    let number = |value: &str| person("id_number", value);
    let phone = |value: &str| person("phone", value);
    let mut misspelt = good.clone();
    misspelt["people"][0]["id_numer"] = json!("x");

    let table = vec![
        bad(
            "B50 a wrong check digit",
            number("110105194912310021"),
            fault("id_number"),
        ),
        bad(
            "B50 fifteen digits",
            number("110105491231002"),
            fault("id_number"),
        ),
        bad(
            "B50 a small x",
            number("11010519491231002x"),
            fault("id_number"),
        ),
        bad(
            "B50 full-width digits",
            number("１１０１０５１９４９１２３１００２Ｘ"),
            fault("id_number"),
        ),
        bad(
            "B50 an apostrophe before it",
            number("'11010519491231002X"),
            fault("id_number"),
        ),
        bad(
            "B50 blanks around it",
            number(" 11010519491231002X "),
            fault("id_number"),
        ),
        bad("B50 no digits", number(""), fault("id_number")),
        bad(
            "B51 rounded by a spreadsheet",
            number("1.10105E+17"),
            fault("id_number"),
        ),
        bad(
            "B51 a number, not a text",
            with("/people/0/id_number", json!(110_105_194_912_310_020_u64)),
            no_line(0),
        ),
        bad(
            "B52 a leap day that was none in the number",
            number("110105190002290014"),
            fault("id_number"),
        ),
        bad(
            "B52 a leap day that was none",
            person("birth", "1900-02-29"),
            fault("birth"),
        ),
        bad(
            "B52 a thirteenth month",
            person("birth", "1949-13-01"),
            fault("birth"),
        ),
        bad(
            "B52 a day in another order",
            person("birth", "31.12.1949"),
            fault("birth"),
        ),
        bad(
            "B52 a year of nine thousand",
            person("birth", "9999-12-31"),
            fault("birth"),
        ),
        bad(
            "B52 a day without its year",
            person("birth", "12-31"),
            fault("birth"),
        ),
        bad("B54 a phone in letters", phone("一三八"), fault("phone")),
        bad(
            "B54 a phone in full width",
            phone("１３８１２３４５６７８"),
            fault("phone"),
        ),
        bad("B54 a phone of four digits", phone("1234"), fault("phone")),
        bad(
            "B54 a phone of twenty-one digits",
            phone("123456789012345678901"),
            fault("phone"),
        ),
        bad(
            "B54 two phones in one",
            phone("13812345678/13912345678"),
            fault("phone"),
        ),
        bad(
            "B54 a phone with an extension",
            phone("029-88888888转12"),
            fault("phone"),
        ),
        bad(
            "B57 a formula for a phone",
            phone("=cmd|' /C calc'!A0"),
            fault("phone"),
        ),
        bad(
            "B58 an address of ten thousand letters",
            with("/household/place/compound", json!("长".repeat(10_000))),
            fault("place"),
        ),
        bad(
            "an address with NUL",
            with("/household/place/compound", json!("a\u{0}b")),
            fault("place"),
        ),
        bad(
            "a name of sixty-one letters",
            person("name", &"王".repeat(61)),
            fault("name"),
        ),
        bad("a name with NUL", person("name", "a\u{0}b"), fault("name")),
        bad(
            "a tag with a slash",
            with("/household/tags", json!({"a/b": {}})),
            fault("tags"),
        ),
        bad(
            "a tag without a name",
            with("/household/tags", json!({"": {}})),
            fault("tags"),
        ),
        bad(
            "a tag with NUL",
            with("/household/tags", json!({"a\u{0}": {}})),
            fault("tags"),
        ),
        bad("a misspelt field", misspelt.to_string(), no_line(0)),
        bad(
            "a grid that is not there",
            with("/grid", json!("x")),
            Some("no grid x".to_owned()),
        ),
        bad(
            "a household that is no id",
            with("/household/id", json!("1")),
            no_line(0),
        ),
        bad("no people", with("/people", Value::Null), no_line(0)),
        bad("half a line", good.to_string()[..80].to_owned(), no_line(0)),
        bad(
            "B56 a byte order mark",
            format!("\u{feff}{good}"),
            no_line(0),
        ),
        bad(
            "B56 commas for a line",
            "渭滨苑,3,2,501,欧阳".to_owned(),
            no_line(0),
        ),
    ];
    let before = world.town().server().asof().commit;
    walk("lines of household files", table, async |_, line| {
        let told = told(&world, &line).await;
        // Which column is the decoder's own affair.
        told.map(|text| match text.split_once("near column ") {
            Some((said, _)) => format!("{said}near column 0"),
            None => text,
        })
    })
    .await;
    assert_eq!(
        world.town().server().asof().commit,
        before,
        "nothing was recorded"
    );

    assert_eq!(
        told(&world, &good.to_string()).await,
        None,
        "the same ids are free"
    );
    let truth = Truth::of(&world.town().server());
    for kind in [&HOUSEHOLD, &PERSON, &PERSON_SENSITIVE] {
        assert_eq!(truth.of_kind(kind).count(), 1, "{}", kind.name);
    }
}

/// What looks odd and is right: each is taken.
#[tokio::test]
async fn a_line_that_only_looks_odd_is_taken() {
    let world = World::new(332).await;
    let table = [
        (
            "B53 a rare character in a name",
            "/people/0/name",
            json!("𠮷𡋾"),
        ),
        ("B53 a composed letter", "/people/0/name", json!("é")),
        (
            "B53 the same letter in two",
            "/people/0/name",
            json!("e\u{301}"),
        ),
        (
            "B54 a phone with its country",
            "/people/0/phone",
            json!("+86 138-1234-5678"),
        ),
        (
            "B52 a real leap day",
            "/people/0/birth",
            json!("2000-02-29"),
        ),
        ("B57 a formula for a name", "/people/0/name", json!("=1+1")),
        (
            "B44 a name from right to left",
            "/people/0/name",
            json!("\u{202e}王"),
        ),
        ("B58 nobody lives there", "/people", json!([])),
    ];
    let mut rows = Vec::new();
    for (n, (name, pointer, value)) in (0..).zip(table) {
        let mut line = line(&world, 100 + 10 * n);
        *line.pointer_mut(pointer).expect("a field of the line") = value;
        rows.push(bad(name, line.to_string(), None));
    }
    walk("odd lines of household files", rows, async |_, line| {
        told(&world, &line).await
    })
    .await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    world.check(&[&wang]).await;
}
