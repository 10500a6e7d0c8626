//! What a console asks for: pages, states and records that are none.

use axum::body::Body;
use pocketbook_tests::world::World;
use serde_json::json;

use crate::table::{bad, refused, walk};

#[tokio::test]
async fn a_list_that_can_not_be_is_refused_and_a_page_of_any_size_is_bounded() {
    let world = World::new(361).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let case = chen.takes_call(&grid, "20260612-0079", "井盖破损").await;
    let query = || refused(400, "bad-query");
    let missing = || refused(404, "not-found");
    let fine = || refused(200, "");
    let cases = |query: &str| ("GET", format!("/v1/desk/cases?{query}"));
    let get = |path: &str| ("GET", path.to_owned());
    let table = vec![
        bad("B68 a page of minus one", cases("limit=-1"), query()),
        bad("B68 a page of a half", cases("limit=0.5"), query()),
        bad(
            "B68 a page of 2^64",
            cases("limit=18446744073709551616"),
            query(),
        ),
        bad("B68 a page in words", cases("limit=ten"), query()),
        bad("B68 a page of no number", cases("limit="), query()),
        bad("B68 a page of nothing", cases("limit=0"), fine()),
        bad("B68 a page of 2^31", cases("limit=2147483648"), fine()),
        bad("B68 two sizes", cases("limit=1&limit=2"), query()),
        bad("a state that nobody knows", cases("state=zzz"), query()),
        bad("a state with NUL", cases("state=%00"), query()),
        bad("a state that is no text", cases("state=%ff"), query()),
        bad(
            "B67 a state of quotes",
            cases("state=%22%20OR%201=1"),
            query(),
        ),
        bad("a place that nobody gave", cases("after=x"), query()),
        bad(
            "a place of 10,000 letters",
            cases(&format!("after={}", "9".repeat(10_000))),
            query(),
        ),
        bad("a case of no id", get("/v1/desk/cases/x"), missing()),
        bad("a case of blanks", get("/v1/desk/cases/%20%20"), missing()),
        bad(
            "B44 a case that climbs",
            get("/v1/desk/cases/..%2f..%2fradar"),
            missing(),
        ),
        bad(
            "a case that nobody reported",
            get(&format!("/v1/desk/cases/{}", chen.mid())),
            missing(),
        ),
        bad("a book for nobody", get("/v1/book/manifest"), query()),
        bad(
            "a book for a unit that is not there",
            get("/v1/book/manifest?unit=x"),
            missing(),
        ),
        bad(
            "an address that is not there",
            get("/v1/desk/nothing"),
            refused(404, "no-such-address"),
        ),
        bad(
            "an address that climbs",
            get("/v1/../../etc/passwd"),
            refused(404, "no-such-address"),
        ),
        bad(
            "a case deleted",
            ("DELETE", format!("/v1/desk/cases/{case}")),
            refused(405, "wrong-method"),
        ),
        bad(
            "a way of asking that nobody knows",
            ("BREW", "/v1/desk/cases".to_owned()),
            refused(405, "wrong-method"),
        ),
    ];
    walk("questions of consoles", table, async |_, (method, path)| {
        let reply = chen.client().sends(method, &path, &[], Body::empty()).await;
        if reply.status < 400 {
            return refused(reply.status, "");
        }
        refused(reply.status, &reply.problem().kind)
    })
    .await;
    assert_eq!(chen.state_of(case).await, "submitted");
}

#[tokio::test]
async fn a_call_or_step_that_can_not_be_is_refused_and_changes_nothing() {
    let world = World::new(362).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let case = chen.takes_call(&grid, "20260612-0080", "井盖破损").await;
    let call = |field: &str, value: serde_json::Value| {
        let mut call = json!({
            "mid": chen.mid(), "grid": grid, "category": "C0101", "place": "东门",
            "text": "井盖", "source": "12345",
        });
        call[field] = value;
        call
    };
    let malformed = || refused(400, "malformed");
    let unfit = || refused(422, "not-taken");
    let table = vec![
        bad("no id for the call", call("mid", json!("")), malformed()),
        bad("a number for a place", call("place", json!(7)), malformed()),
        bad(
            "a category of ten thousand letters",
            call("category", json!("C".repeat(10_000))),
            unfit(),
        ),
        bad(
            "a text of 4,001 letters",
            call("text", json!("长".repeat(4_001))),
            unfit(),
        ),
        bad(
            "a place of 201 letters",
            call("place", json!("长".repeat(201))),
            unfit(),
        ),
        bad(
            "B54 a caller's phone in letters",
            call("phone", json!("一三八")),
            unfit(),
        ),
        bad(
            "a caller with NUL",
            call("caller", json!("a\u{0}b")),
            unfit(),
        ),
        bad("a pin in words", call("pin", json!("东门")), unfit()),
        bad(
            "B7 a pin of five levels",
            call("pin", json!({"a": {"b": {"c": {"d": {"e": 1}}}}})),
            malformed(),
        ),
        bad(
            "a grid that is not there, for the tray",
            call("grid", json!("x")),
            refused(202, ""),
        ),
        bad(
            "a grid of another street, for the tray",
            call("grid", json!("610402001001001")),
            refused(202, ""),
        ),
    ];
    walk("calls at a desk", table, async |_, call| {
        let reply = chen.client().posts("/v1/desk/cases", &call).await;
        if reply.status < 400 {
            return refused(reply.status, "");
        }
        refused(reply.status, &reply.problem().kind)
    })
    .await;

    chen.accepts(case).await;
    let args = vec![
        bad("dispatched to nobody", json!({}), refused(422, "missing")),
        bad(
            "dispatched to blanks",
            json!({"unit": "  "}),
            refused(422, "missing"),
        ),
        bad(
            "dispatched to a unit that is not there",
            json!({"unit": "x"}),
            unfit(),
        ),
        bad(
            "dispatched with hours in words",
            json!({"unit": "U-municipal", "limit_hours": "two"}),
            unfit(),
        ),
        bad(
            "dispatched with a number for helpers",
            json!({"unit": "U-municipal", "co_units": 7}),
            unfit(),
        ),
        bad(
            "dispatched with a checker of no id",
            json!({"unit": "U-municipal", "checker": "王"}),
            unfit(),
        ),
        bad(
            "dispatched with photos of no name",
            json!({"unit": "U-municipal", "photos": ["x"]}),
            malformed(),
        ),
    ];
    walk("arguments of steps", args, async |_, args| {
        let step = chen.step(case, args).await;
        let reply = chen.sends(case, "dispatch", &step).await;
        if reply.status < 400 {
            return refused(reply.status, "");
        }
        refused(reply.status, &reply.problem().kind)
    })
    .await;
    assert_eq!(chen.state_of(case).await, "accepted");
}
