//! Values of contents: what does not fit its field is named by it, what no text can mean is refused.

use pocketbook_records::receipt::Outcome::Rejected;
use pocketbook_records::receipt::Reason;
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::table::{bad, walk};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "x": inner }))
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_by_its_field() {
    let stage = Stage::new(341).await;
    let wrong = |field: &str| (Rejected, Some(Reason::BadValue(field.to_owned())));
    let malformed = || (Rejected, Some(Reason::Malformed));
    let servers = |field: &str| (Rejected, Some(Reason::ServerField(field.to_owned())));
    let id = |text: &str| stage.sensitive("id_number", json!(text));
    let phone = |text: &str| stage.sensitive("phone", json!(text));
    let day = |text: &str| stage.home("moved_out", json!(text));
    let many: Vec<_> = (0..501).map(|n| format!("t{n}")).collect();
    let rows = vec![
        bad("B50 a wrong check digit", id("110105194912310021"), wrong("id_number")),
        bad("B50 fifteen digits", id("110105491231002"), wrong("id_number")),
        bad("B50 a small x", id("11010519491231002x"), wrong("id_number")),
        bad("B50 full-width digits", id("１１０１０５１９４９１２３１００２Ｘ"), wrong("id_number")),
        bad("B51 rounded by a spreadsheet", id("1.10105E+17"), wrong("id_number")),
        bad("B51 a number, not a text", stage.sensitive("id_number", json!(110_105_194_912_310_020_i64)), wrong("id_number")),
        bad("B54 letters in a phone", phone("138x1234567"), wrong("phone")),
        bad("B54 dashes for a phone", phone("-----"), wrong("phone")),
        bad("B54 a phone of twenty-one digits", phone("123456789012345678901"), wrong("phone")),
        bad("B69 the 29th of February 2026", day("2026-02-29"), wrong("moved_out")),
        bad("B69 the 29th of February 1900", day("1900-02-29"), wrong("moved_out")),
        bad("B69 the year 9999", day("9999-12-31"), wrong("moved_out")),
        bad("B69 the year zero", day("0000-00-00"), wrong("moved_out")),
        bad("B69 the year minus one", day("-001-01-01"), wrong("moved_out")),
        bad("B69 a moment, not a day", day("2026-11-25T08:00:00Z"), wrong("moved_out")),
        bad("B69 a day in full width", day("２０２６-１１-２５"), wrong("moved_out")),
        bad("B69 a moment in words", stage.home("last_visit", json!("today")), wrong("last_visit")),
        bad("a flag for a text", stage.home("tenure", json!(true)), wrong("tenure")),
        bad("a list for a text", stage.home("tenure", json!(["own"])), wrong("tenure")),
        bad("a text for a group", stage.home("pin", json!("34.3, 108.7")), wrong("pin")),
        bad("an id that is none", stage.home("head", json!("王")), wrong("head")),
        bad("B58 an address of ten thousand letters", stage.home("place", json!({"compound": "长".repeat(10_000)})), wrong("place")),
        bad("B7 a group of five levels", stage.home("pin", nested(5)), malformed()),
        bad("B7 a group of eight levels", stage.home("pin", nested(8)), malformed()),
        bad("B7 an argument of five levels", stage.step("withdraw", json!({"reason": nested(4)})), malformed()),
        bad("B7 a list's element of four levels", stage.edits(json!({"add": {"notes": [{"id": "n", "x": nested(3)}]}})), malformed()),
        bad("a list of five hundred and one", stage.edits(json!({"add": {"tags": many}})), wrong("tags")),
        bad("a tag with a slash", stage.edits(json!({"add": {"tags": ["a/b"]}})), wrong("tags")),
        bad("a tag without a name", stage.edits(json!({"add": {"tags": [""]}})), wrong("tags")),
        bad("a tag of eighty-one letters", stage.edits(json!({"add": {"tags": ["a".repeat(81)]}})), wrong("tags")),
        bad("a photo that is no name", stage.edits(json!({"add": {"photos": ["IMG_0001.jpg"]}})), wrong("photos")),
        bad("B44 a photo that climbs", stage.edits(json!({"add": {"photos": ["../../keys"]}})), wrong("photos")),
        bad("a note without an id", stage.edits(json!({"add": {"notes": [{"text": "狗"}]}})), wrong("notes")),
        bad("a register counted", stage.edits(json!({"inc": {"tenure": 1}})), wrong("tenure")),
        bad("a counter set", stage.home("knocks", json!(7)), wrong("knocks")),
        bad("a set set", stage.home("photos", json!([])), wrong("photos")),
        bad("B65 a count below all counting", stage.edits(json!({"inc": {"knocks": i64::MIN}})), wrong("knocks")),
        bad("a step below a register", stage.home("tenure/x", json!("own")), wrong("tenure")),
        bad("four steps down", stage.home("tags/a/b/c", json!("x")), malformed()),
        bad("an object in a tag", stage.home("tags/a/b", json!({"x": 1})), wrong("tags")),
        bad("a mask that only the server makes", stage.content("person", stage.person, "patch", json!({"set": [{"path": "masked_id", "to": "1"}]})), servers("masked_id")),
        bad("another household for a person", stage.content("person", stage.person, "patch", json!({"set": [{"path": "household", "to": stage.flat}]})), servers("household")),
        bad("no edit in an edit", stage.edits(json!({})), malformed()),
        bad("an edit in a deletion", stage.content("household", stage.flat, "delete", json!({"inc": {"knocks": 1}})), malformed()),
        bad("an edit in a void", stage.content("household", stage.flat, "void", json!({"inc": {"knocks": 1}})), malformed()),
        bad("a step in an edit", stage.edits(json!({"inc": {"knocks": 1}, "command": {"name": "move", "expect": {"state": "", "turn": 0}}})), malformed()),
        bad("an edit in a decision", stage.edits(json!({"op": "decide", "inc": {"knocks": 1}, "decide": {"choice": {"candidate": "base"}, "seen": []}})), malformed()),
        bad("content later, and where is not said", stage.edits(json!({"op": "later"})), malformed()),
        bad("a schema of nothing", stage.edits(json!({"schema": 0, "inc": {"knocks": 1}})), malformed()),
        bad("a schema beyond counting", stage.edits(json!({"schema": 65_536, "inc": {"knocks": 1}})), malformed()),
    ];
    let rows = rows
        .into_iter()
        .map(|row| row.with(|content| content.to_string()));
    walk("values of contents", rows.collect(), async |_, text| {
        stage.word(&text).await
    })
    .await;

    let raw = |to: &str| stage.text_with(r#""rent""#, to);
    let texts = vec![
        bad("B9 1e400", raw("1e400"), malformed()),
        bad("B9 minus nothing", raw("-0"), malformed()),
        bad(
            "B9 NaN in quotes where a number stands",
            stage.home("last_visit", json!("NaN")).to_string(),
            wrong("last_visit"),
        ),
        bad("B9 2^63", raw("9223372036854775808"), malformed()),
        bad(
            "B8 a value twice",
            stage.text_with(r#""to":"#, r#""to":"own","to":"#),
            malformed(),
        ),
        bad(
            "B8 a kind twice",
            stage.text_with(r#""kind":"#, r#""kind":"visit","kind":"#),
            malformed(),
        ),
        bad("B2 half a surrogate", raw(r#""\ud83d""#), malformed()),
        bad(
            "B91 NUL in a path",
            stage.text_with("tenure", r"ten\u0000ure"),
            malformed(),
        ),
        bad(
            "a text for a content",
            r#""household""#.to_owned(),
            malformed(),
        ),
        bad("a list for a content", "[]".to_owned(), malformed()),
        bad("nothing for a content", "null".to_owned(), malformed()),
    ];
    walk("texts of contents", texts, async |_, text| {
        stage.word(&text).await
    })
    .await;
    let grid = stage.world.grid(0);
    let feng = stage.world.worker("冯", &grid).await;
    feng.syncs().await;
    stage.world.check(&[&feng]).await;
}
