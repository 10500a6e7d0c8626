//! The desk: wrong passwords, wrong steps, what is not this desk's to see.

use pocketbook_records::ids::RecordId;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::{Client, World};
use serde_json::json;

#[tokio::test]
async fn a_wrong_password_is_refused_and_guessing_is_slowed_down() {
    let world = World::new(141).await;
    world.street_desk("陈").await;
    let unknown = Client::unknown(world.town().clone());
    let mut kinds = Vec::new();

    for n in 0..40 {
        let login = if n % 2 == 0 { "陈" } else { "无此人" };
        let asked = json!({"login": login, "password": format!("guess-{n}")});
        let problem = unknown.posts("/v1/desk/session", &asked).await.problem();
        kinds.push((problem.status, problem.kind));
    }

    assert_eq!(
        kinds[0], kinds[1],
        "a wrong password and an unknown login sound alike"
    );
    assert_eq!(kinds[0], (401, "wrong-password".to_owned()));
    assert_eq!(kinds[39].0, 429, "{kinds:?}");
}

#[tokio::test]
async fn a_step_that_can_not_be_taken_says_why_and_changes_nothing() {
    let world = World::new(142).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let menders = world.menders();
    let sun = world.at_desk("孙", Role::Handler, &menders).await;
    let wu = world.at_desk("吴", Role::StreetDesk, &world.street()).await;
    let case = chen.takes_call(&grid, "20260612-0077", "井盖破损").await;

    for (command, args, status, kind) in [
        ("teleport", json!({}), 404, "unknown-command"),
        ("return", json!({}), 422, "missing"),
        ("return", json!({"reason": "  "}), 422, "missing"),
        ("close", json!({}), 409, "moved-on"),
        ("dispatch", json!({"unit": menders}), 409, "moved-on"),
        ("withdraw", json!({}), 403, "not-permitted"),
    ] {
        let refused = wu.may_not(case, command, args).await;
        assert_eq!(
            (refused.status, refused.kind.as_str()),
            (status, kind),
            "{command}"
        );
    }
    assert_eq!(chen.state_of(case).await, "submitted");

    let step = chen.step(case, json!({})).await;
    let nobody = RecordId(chen.mid().0);
    let unknown = chen.sends(nobody, "accept", &step).await.problem();
    let foreign = sun.sends(case, "accept", &step).await.problem();
    assert_eq!(unknown, foreign, "forbidden and unknown sound alike");
    assert_eq!((unknown.status, unknown.kind.as_str()), (404, "not-found"));

    for body in [
        json!({}),
        json!([]),
        json!({"mid": "x"}),
        json!({"mid": chen.mid(), "expect": {}}),
    ] {
        assert_eq!(
            chen.sends(case, "accept", &body).await.problem().kind,
            "malformed",
            "{body}"
        );
    }
    chen.accepts(case).await;
    let used = chen.step(case, json!({"reason": "误报"})).await;
    chen.sends(case, "urge", &used).await.ok();
    // A name that was used before carries nothing out.
    let other = chen.sends(case, "void", &used).await.problem();
    assert_eq!((other.status, other.kind.as_str()), (409, "mid-reused"));
    chen.sends(case, "urge", &used).await.ok();
    assert_eq!(chen.state_of(case).await, "accepted");
    let borrowed = wu.sends(case, "void", &used).await.problem();
    assert_eq!(
        (borrowed.status, borrowed.kind.as_str()),
        (409, "mid-reused")
    );
}

#[tokio::test]
async fn a_session_ends_by_itself_and_on_request() {
    let world = World::new(143).await;
    let chen = world.street_desk("陈").await;
    world.hours_pass(13);
    let over = chen.client().gets("/v1/desk/cases").await.problem();
    assert_eq!((over.status, over.kind.as_str()), (401, "session-expired"));

    let again = world.signs_in("陈").await;
    assert_eq!(again.cases("submitted").await, []);
    let ended = again
        .client()
        .sends("DELETE", "/v1/desk/session", &[], axum::body::Body::empty())
        .await;
    assert!((200..300).contains(&ended.status));
    assert_eq!(
        again.client().gets("/v1/desk/cases").await.problem().status,
        401
    );
}

#[tokio::test]
async fn the_radar_tells_of_work_that_is_still_on_a_phone() {
    let world = World::new(144).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let chen = world.street_desk("陈").await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.reports_cover(
        &grid,
        "东门",
        &[pocketbook_tests::world::pictures::photo(0)],
    );
    wang.line().weather(|request| {
        request
            .path
            .starts_with("/v1/blobs")
            .then_some(pocketbook_tests::world::Fault::LoseRequest)
    });
    let _ = wang.sync().await;
    let _ = wang.sync().await;

    let radar = chen.radar().await;
    let text = serde_json::to_string(&radar).expect("plain data");
    assert!(text.contains(&wang.user().to_string()), "{text}");
    let mine = radar
        .iter()
        .find(|row| row.to_string().contains(&wang.user().to_string()));
    let mine = mine.expect("王's phone").to_string();
    assert!(
        mine.contains("\"blobs\":1"),
        "one photo is still on it: {mine}"
    );
}

#[tokio::test]
async fn what_a_phone_may_not_say_a_desk_may_not_either() {
    let world = World::new(146).await;
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let case = chen.takes_call(&grid, "20260612-0078", "井盖破损").await;
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let values = [
        ("a float", "1.5"),
        ("a number beyond range", "10000000000000000000000000"),
        ("NUL", r#""a\u0000b""#),
        ("nested too deeply", deep.as_str()),
        ("a key twice", r#"{"x": 1, "x": 2}"#),
    ];
    let before = world.town().server().asof().commit;
    let json = [("content-type", "application/json")];

    for (what, value) in values {
        let mid = chen.mid();
        let call = format!(
            r#"{{"mid": "{mid}", "grid": "{grid}", "category": "C0101", "place": "东门", "text": "井盖",
                "source": "12345", "pin": {{"lat_e7": {value}}}}}"#
        );
        let step = chen.step(case, json!({})).await.to_string();
        let step = step.replace(r#""args":{}"#, &format!(r#""args":{{"reason": {value}}}"#));
        assert!(step.contains(value), "{step}");
        let command = format!("/v1/desk/cases/{case}/commands/return");
        for (path, body) in [("/v1/desk/cases", call), (command.as_str(), step)] {
            let refused = chen
                .client()
                .sends("POST", path, &json, body)
                .await
                .problem();
            assert_eq!(
                (refused.status, refused.kind.as_str()),
                (400, "malformed"),
                "{what}"
            );
        }
    }
    assert_eq!(
        world.town().server().asof().commit,
        before,
        "nothing is recorded"
    );
    for (field, value) in [
        ("sort", json!("nonsense")),
        ("source", json!("nowhere")),
        ("text", json!("a\u{0}b")),
    ] {
        let mut call = json!({
            "mid": chen.mid(), "grid": grid, "category": "C0101", "place": "东门", "text": "井盖",
            "source": "12345",
        });
        call[field] = value;
        let refused = chen.client().posts("/v1/desk/cases", &call).await.problem();
        assert_eq!(refused.status, 422, "{field}: {refused:?}");
    }
    let list = chen
        .client()
        .gets("/v1/desk/cases?state=zzz")
        .await
        .problem();
    assert_eq!((list.status, list.kind.as_str()), (400, "bad-query"));

    assert_eq!(chen.state_of(case).await, "submitted");
}
