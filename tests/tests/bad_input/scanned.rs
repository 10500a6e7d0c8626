//! What a phone's camera reads instead of an invitation, and what an editor hands over instead of a
//! page of the pocket book.

use pocketbook_records::invitation::{Code, Invitation, InvitationError};
use pocketbook_server::book::folder::{FolderError, Layer, PartFile};
use pocketbook_server::book::{BookError, publish};
use pocketbook_tests::world::World;
use serde_json::{Value, json};

use crate::table::{bad, walk};

/// An invitation as a server writes it.
const GOOD: &str = concat!(
    r#"{"v":1,"url":"https://qindu.example:8420","#,
    r#""pin":"LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM","epoch":3,"#,
    r#""code":"7777-7777-7777-7777","#,
    r#""bundle":[1,"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"],"#,
    r#""seal":[1,"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"]}"#
);

fn with(field: &str, value: Value) -> String {
    let mut invitation: Value = serde_json::from_str(GOOD).expect("a good one");
    invitation[field] = value;
    invitation.to_string()
}

#[tokio::test]
async fn whatever_else_is_scanned_is_told_what_it_is() {
    use InvitationError::{BadCode, Damaged, Newer, NotOne};
    assert!(Invitation::parse(GOOD).is_ok());
    let table = vec![
        bad("nothing", String::new(), NotOne),
        bad(
            "B18 a page of a hotel",
            "<html>sign in</html>".to_owned(),
            NotOne,
        ),
        bad(
            "an address of the web",
            "https://qindu.example:8420".to_owned(),
            NotOne,
        ),
        bad(
            "a code of a payment app",
            "wxp://f2f0abcdef".to_owned(),
            NotOne,
        ),
        bad(
            "a visiting card",
            "BEGIN:VCARD\nFN:王\nEND:VCARD".to_owned(),
            NotOne,
        ),
        bad(
            "a wireless network",
            "WIFI:S:grid;T:WPA;P:x;;".to_owned(),
            NotOne,
        ),
        bad("another app's JSON", r#"{"code":7}"#.to_owned(), NotOne),
        bad("half of one", GOOD[..GOOD.len() / 2].to_owned(), NotOne),
        bad("one and something after it", format!("{GOOD}x"), NotOne),
        bad("two of them", format!("{GOOD}{GOOD}"), NotOne),
        bad(
            "one of four kilobytes and more",
            format!("{GOOD}{}", " ".repeat(4_096)),
            NotOne,
        ),
        bad(
            "B8 two versions",
            GOOD.replacen("\"v\":1", "\"v\":1,\"v\":2", 1),
            NotOne,
        ),
        bad("B9 a version of a half", with("v", json!(1.5)), NotOne),
        bad("B9 a version below nothing", with("v", json!(-1)), NotOne),
        bad("no version", with("v", json!(0)), NotOne),
        bad("B10 one of a newer server", with("v", json!(2)), Newer(2)),
        bad(
            "B10 one of the far future",
            with("v", json!(u64::MAX)),
            Newer(u64::MAX),
        ),
        bad(
            "an address without https",
            with("url", json!("qindu.example")),
            Damaged("address"),
        ),
        bad(
            "a file for an address",
            with("url", json!("file:///etc/passwd")),
            Damaged("address"),
        ),
        bad(
            "a script for an address",
            with("url", json!("javascript:alert(1)")),
            Damaged("address"),
        ),
        bad(
            "an address with a line break",
            with("url", json!("https://a\nb")),
            Damaged("address"),
        ),
        bad(
            "an address in Chinese",
            with("url", json!("https://秦都")),
            Damaged("address"),
        ),
        bad(
            "an address of 200 letters",
            with("url", json!(format!("https://{}", "a".repeat(193)))),
            Damaged("address"),
        ),
        bad(
            "a key one letter short",
            with("pin", json!("LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmto")),
            Damaged("server key"),
        ),
        bad(
            "a key in another alphabet",
            with("pin", json!("LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM")),
            Damaged("server key"),
        ),
        bad(
            "a key and an authority",
            with("ca", json!("MIL_")),
            Damaged("server key"),
        ),
        bad(
            "a signing key of nothing",
            with("bundle", json!([1, ""])),
            Damaged("bundle key"),
        ),
        bad(
            "a sealing key of a byte",
            with("seal", json!([1, "AQ"])),
            Damaged("sealing key"),
        ),
        bad(
            "a sealing key without number",
            with("seal", json!(["AQ"])),
            Damaged("content"),
        ),
        bad(
            "B9 an epoch beyond counting",
            with("epoch", json!(4_294_967_296_u64)),
            Damaged("content"),
        ),
        bad(
            "a code one letter short",
            with("code", json!("7777-7777-7777-777")),
            BadCode,
        ),
        bad(
            "a code with a U",
            with("code", json!("UUUU-7777-7777-7777")),
            BadCode,
        ),
        bad(
            "a code in full width",
            with("code", json!("７７７７-7777-7777-7777")),
            BadCode,
        ),
        bad("no code", with("code", json!("")), BadCode),
        bad(
            "a number for a code",
            with("code", json!(7_777_777_777_777_777_u64)),
            Damaged("content"),
        ),
    ];
    let rows = table.into_iter().map(|row| row.wrapped());
    walk(
        "scanned invitations",
        rows.collect(),
        async |_, text: String| Invitation::parse(&text).err(),
    )
    .await;
    let typed: Result<Code, _> = "7".repeat(5_000).parse();
    assert_eq!(typed, Err(BadCode));
}

#[tokio::test]
async fn a_page_of_the_book_that_is_none_is_named_and_nothing_is_published() {
    let world = World::new(351).await;
    let article = json!({"id": "1", "title": "一"});
    let part = |articles: Value| json!({"part": "guides", "title": "指南", "title_en": "Guides", "articles": articles});
    let text = |value: &Value| (Layer::District, value.to_string());
    let with = |field: &str, value: Value| {
        let mut part = part(json!([article]));
        part[field] = value;
        text(&part)
    };
    let wrong = |text: &str| format!("failed to read the part guides: {text}");
    let no_object = || wrong("it is not a JSON object");
    let no_name = || wrong("an article has no \"id\" or no \"title\"");
    let unknown =
        |level: &str| format!("failed to find the {level} x in the organisation: import it first");
    let table = vec![
        bad("nothing", (Layer::District, String::new()), no_object()),
        bad(
            "a page of the web",
            (Layer::District, "<html>".to_owned()),
            no_object(),
        ),
        bad("a list", (Layer::District, "[]".to_owned()), no_object()),
        bad(
            "half of one",
            (Layer::District, "{\"part\":\"guides\"".to_owned()),
            no_object(),
        ),
        bad(
            "B56 a byte order mark",
            (Layer::District, format!("\u{feff}{}", part(json!([])))),
            no_object(),
        ),
        bad(
            "B7 a hundred thousand lists",
            (
                Layer::District,
                format!("{{\"part\":{}", "[".repeat(100_000)),
            ),
            no_object(),
        ),
        bad(
            "another part's name",
            with("part", json!("offers")),
            wrong("its \"part\" is not the name of the file"),
        ),
        bad(
            "a number for a name",
            with("part", json!(1)),
            wrong("its \"part\" is not the name of the file"),
        ),
        bad(
            "no title",
            with("title", json!("")),
            wrong("it has no \"title\" or no \"title_en\""),
        ),
        bad(
            "no English title",
            with("title_en", Value::Null),
            wrong("it has no \"title\" or no \"title_en\""),
        ),
        bad(
            "no articles",
            with("articles", Value::Null),
            wrong("it has no \"articles\""),
        ),
        bad(
            "one article, not a list",
            with("articles", article.clone()),
            wrong("it has no \"articles\""),
        ),
        bad(
            "an article that is a text",
            with("articles", json!(["一"])),
            no_name(),
        ),
        bad(
            "an article without an id",
            with("articles", json!([{"title": "一"}])),
            no_name(),
        ),
        bad(
            "an article with a number for an id",
            with("articles", json!([{"id": 1, "title": "一"}])),
            no_name(),
        ),
        bad(
            "an article without a title",
            with("articles", json!([{"id": "1", "title": ""}])),
            no_name(),
        ),
        bad(
            "two articles of one id",
            with("articles", json!([article, article])),
            wrong("two articles have the same \"id\""),
        ),
        bad(
            "a street that is not there",
            (
                Layer::Street("x".into()),
                part(json!([article])).to_string(),
            ),
            unknown("street"),
        ),
        bad(
            "a community that is not there",
            (
                Layer::Community("x".into()),
                part(json!([article])).to_string(),
            ),
            unknown("community"),
        ),
    ];
    let before = world.town().server().asof().commit;
    walk("pages of the book", table, async |_, (layer, text)| {
        let name = "guides".to_owned();
        let file = PartFile { layer, name, text };
        match publish(&world.town().server(), &[file]).await {
            Ok(edition) => format!("{edition:?}"),
            Err(error) => error.to_string(),
        }
    })
    .await;
    let nothing = publish(&world.town().server(), &[]).await;
    assert!(matches!(
        nothing,
        Err(BookError::Folder(FolderError::Empty))
    ));
    assert_eq!(
        world.town().server().asof().commit,
        before,
        "nothing was published"
    );
}
