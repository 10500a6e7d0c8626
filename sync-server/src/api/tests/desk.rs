use pocketbook_records::ids::Mid;

use super::*;

fn mid(n: u8) -> Mid {
    Mid::from_slice(&[n; 16]).unwrap()
}

/// A telephone call to the 12345 line.
fn call(n: u8, grid: &str) -> Value {
    json!({
        "mid": mid(n), "grid": grid, "category": "C0101", "place": "渭阳西路", "text": "井盖缺失",
        "source": "12345", "ticket": "T-1", "caller": "孙", "phone": "15412345678",
    })
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_look_alike() {
    let world = World::new().await;
    world.desk("clerk", "street-desk", "610402001").await;

    for (login, password) in [
        ("clerk", "wrong"),
        ("nobody", "wrong"),
        ("W1", ""),
        ("system", ""),
    ] {
        let sign_in = json!({"login": login, "password": password});
        let answer = world.post("/v1/desk/session", None, &sign_in).await;
        assert_eq!(
            (answer.status.as_u16(), answer.refusal().as_str()),
            (401, "wrong-password")
        );
    }
}

#[tokio::test]
async fn wrong_passwords_close_the_account_for_a_growing_while() {
    let world = World::new().await;
    world.desk("clerk", "street-desk", "610402001").await;
    let (wrong, right) = (
        json!({"login": "clerk", "password": "wrong"}),
        json!({"login": "clerk", "password": "correct horse"}),
    );
    for _ in 0..5 {
        assert_eq!(
            world.post("/v1/desk/session", None, &wrong).await.refusal(),
            "wrong-password"
        );
    }

    let closed = world.post("/v1/desk/session", None, &right).await;
    assert_eq!(
        (closed.status.as_u16(), closed.refusal().as_str()),
        (429, "sign-in-locked")
    );
    assert_eq!(closed.json()["retry_after_ms"], 30_000);
    world.clock.advance(30_001);
    assert_eq!(
        world.post("/v1/desk/session", None, &wrong).await.refusal(),
        "wrong-password"
    );
    let closed = world.post("/v1/desk/session", None, &right).await;
    assert_eq!(closed.json()["retry_after_ms"], 60_000);
    world.clock.advance(60_001);
    assert_eq!(
        world.post("/v1/desk/session", None, &right).await.status,
        200
    );
}

#[tokio::test]
async fn a_session_ends_by_itself_by_signing_out_or_by_a_block() {
    let world = World::new().await;
    let token = world.desk("clerk", "street-desk", "610402001").await;
    assert_eq!(world.get("/v1/desk/cases", Some(&token)).await.status, 200);
    world.clock.advance(crate::desk::session::SESSION_MS);
    assert_eq!(
        world.get("/v1/desk/cases", Some(&token)).await.refusal(),
        "session-expired"
    );

    let token = world.desk("second", "street-desk", "610402001").await;
    let out = request(
        Method::DELETE,
        "/v1/desk/session",
        Some(&token),
        &[],
        Body::empty(),
    );
    assert_eq!(world.send(out).await.status, 204);
    assert_eq!(world.get("/v1/desk/cases", Some(&token)).await.status, 401);

    let token = world.desk("third", "street-desk", "610402001").await;
    world
        .command(
            Command::Block {
                user: "third".into(),
            },
            &[],
        )
        .await;
    assert_eq!(world.get("/v1/desk/cases", Some(&token)).await.status, 401);
}

#[tokio::test]
async fn a_call_becomes_a_case_that_goes_through_the_loop() {
    let world = World::new().await;
    let desk = world.desk("clerk", "street-desk", "610402001").await;
    let handler = world.desk("water", "handler", "U-water").await;

    let created = world
        .post("/v1/desk/cases", Some(&desk), &call(1, GRID))
        .await;
    assert_eq!(
        created.status,
        201,
        "{}",
        String::from_utf8_lossy(&created.body)
    );
    let again = world
        .post("/v1/desk/cases", Some(&desk), &call(1, GRID))
        .await;
    assert_eq!(created.json()["receipt"], again.json()["receipt"]);
    let id = created.json()["case"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/desk/cases/{id}");
    let whole = world.get(&path, Some(&desk)).await.json();
    assert_eq!(whole["body"]["state"], "submitted");
    assert_eq!(whole["sensitive"]["phone"], "15412345678");
    assert_eq!(
        world.get(&path, Some(&handler)).await.refusal(),
        "not-found"
    );

    let steps = [
        (&desk, "accept", json!({}), "accepted"),
        (&desk, "dispatch", json!({"unit": "U-water"}), "handling"),
    ];
    for (n, (token, name, args, state)) in (2..).zip(steps) {
        let seen = world.get(&path, Some(token)).await.json();
        let step = json!({
            "mid": mid(n), "args": args,
            "expect": {
                "state": seen["body"]["state"], "turn": seen["body"]["turn"],
                "after": seen["body"]["transition"],
            },
        });
        let taken = world
            .post(&format!("{path}/commands/{name}"), Some(token), &step)
            .await;
        assert_eq!(
            taken.status,
            200,
            "{}",
            String::from_utf8_lossy(&taken.body)
        );
        assert_eq!(
            taken.json()["receipt"]["outcome"],
            "applied",
            "{}",
            taken.json()
        );
        assert_eq!(taken.json()["case"]["body"]["state"], state);
    }

    // The handler reads what was dispatched to its unit, and nothing sensitive.
    let seen = world.get(&path, Some(&handler)).await.json();
    assert_eq!(seen["body"]["unit"], "U-water");
    assert_eq!(seen["sensitive"], Value::Null);
    let listed = world
        .get("/v1/desk/cases?state=handling", Some(&handler))
        .await
        .json();
    assert_eq!(listed["items"][0]["id"], json!(id));
    let unknown = json!({"mid": mid(9), "expect": {"state": "handling", "turn": 3}});
    let answer = world
        .post(&format!("{path}/commands/fly"), Some(&handler), &unknown)
        .await;
    assert_eq!(
        answer.status,
        404,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first_and_only_of_own_grids() {
    let world = World::new().await;
    let desk = world.desk("clerk", "street-desk", "610402001").await;
    let head = world.desk("head", "grid-head", OTHER_GRID).await;
    for n in 1..=5 {
        world.clock.advance(60_000);
        let grid = if n == 3 { OTHER_GRID } else { GRID };
        world
            .post("/v1/desk/cases", Some(&desk), &call(n, grid))
            .await;
    }

    let mut seen = Vec::new();
    let mut path = "/v1/desk/cases?limit=2".to_owned();
    loop {
        let page = world.get(&path, Some(&desk)).await.json();
        for item in page["items"].as_array().unwrap() {
            seen.push(item["body"]["reported_at"].as_i64().unwrap());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/desk/cases?limit=2&after={next}");
    }

    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b));
    let own = world.get("/v1/desk/cases", Some(&head)).await.json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["body"]["grid"], OTHER_GRID);
    for wrong in ["after=nonsense", "limit=many"] {
        let answer = world
            .get(&format!("/v1/desk/cases?{wrong}"), Some(&desk))
            .await;
        assert_eq!(answer.refusal(), "bad-query");
    }
}

#[tokio::test]
async fn the_radar_shows_the_phones_that_somebody_answers_for() {
    let world = World::new().await;
    let (wang, _li) = (world.phone("W1").await, world.phone("W2").await);
    let head = world.desk("head", "grid-head", GRID).await;

    let radar = world.get("/v1/desk/radar", Some(&head)).await.json();

    let phones = radar["phones"].as_array().unwrap();
    assert_eq!(phones.len(), 1);
    assert_eq!(phones[0]["enrolment"], json!(wang.enrolment));
    assert_eq!(phones[0]["last_contact"], Value::Null);
}
