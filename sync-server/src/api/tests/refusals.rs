use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pocketbook_records::wire::MAX_REQUEST_BYTES;

use super::*;

const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

/// Name, headers, body, and how it is refused.
type Bad<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16, &'a str);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn sync(world: &World, phone: &Phone, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let bearer = Some(phone.bearer.as_str());
    world
        .send(request(
            Method::POST,
            "/v1/sync",
            bearer,
            headers,
            Body::from(body),
        ))
        .await
}

#[tokio::test]
async fn a_bad_envelope_is_refused_in_our_words_and_records_nothing() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let before = world.server.asof().commit;
    let truncated = gzip(&vec![b' '; 10_000]);
    let cut = truncated[..truncated.len() - 4].to_vec();
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    let html = b"<html><body>Please log in</body></html>".to_vec();
    let table: [Bad<'_>; 11] = [
        ("empty", &[JSON], vec![], 400, "malformed"),
        ("not JSON", &[JSON], b"{".to_vec(), 400, "malformed"),
        ("HTML as JSON", &[JSON], html.clone(), 400, "malformed"),
        (
            "HTML",
            &[("content-type", "text/html")],
            html,
            415,
            "not-json",
        ),
        (
            "wrong types",
            &[JSON],
            br#"{"proto":"one"}"#.to_vec(),
            400,
            "malformed",
        ),
        (
            "NaN",
            &[JSON],
            br#"{"proto":NaN}"#.to_vec(),
            400,
            "malformed",
        ),
        ("not gzip", &[JSON, GZIP], b"{}".to_vec(), 400, "bad-gzip"),
        ("truncated gzip", &[JSON, GZIP], cut, 400, "bad-gzip"),
        (
            "another packing",
            &[JSON, ("content-encoding", "br")],
            vec![1],
            415,
            "unknown-encoding",
        ),
        ("gzip bomb", &[JSON, GZIP], bomb, 413, "too-large"),
        (
            "over the limit",
            &[JSON],
            vec![b' '; MAX_REQUEST_BYTES + 1],
            413,
            "too-large",
        ),
    ];

    for (name, headers, body, status, kind) in table {
        let answer = sync(&world, &phone, headers, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.refusal().as_str()),
            (status, kind),
            "{name}"
        );
    }
    assert_eq!(world.server.asof().commit, before);
}

#[tokio::test]
async fn nobody_unknown_gets_past_the_door() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let wrong_secret = format!("{}.{}", phone.enrolment, "00".repeat(32));
    let bearers = [
        None,
        Some(""),
        Some("nonsense"),
        Some("desk.00"),
        Some(wrong_secret.as_str()),
    ];

    for bearer in bearers {
        for path in [
            "/v1/desk/cases",
            "/v1/desk/radar",
            "/v1/book/manifest?unit=x",
        ] {
            let answer = world.get(path, bearer).await;
            assert_eq!(
                (answer.status.as_u16(), answer.refusal().as_str()),
                (401, "unknown-caller")
            );
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        let answer = world.post("/v1/sync", bearer, &json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.refusal().as_str()),
            (401, "unknown-caller")
        );
    }
    // A phone is no desk, and a desk no phone.
    let answer = world.get("/v1/desk/cases", Some(&phone.bearer)).await;
    assert_eq!(answer.refusal(), "unknown-caller");
    let token = world.desk("clerk", "street-desk", "610402001").await;
    let answer = world.post("/v1/sync", Some(&token), &json!({})).await;
    assert_eq!(answer.refusal(), "unknown-caller");
}

#[tokio::test]
async fn even_a_wrong_address_is_answered_in_our_words() {
    let world = World::new().await;

    let nowhere = world.get("/v2/sync", None).await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.refusal().as_str()),
        (404, "no-such-address")
    );
    let wrong_method = world.get("/v1/enrol", None).await;
    assert_eq!(
        (
            wrong_method.status.as_u16(),
            wrong_method.refusal().as_str()
        ),
        (405, "wrong-method")
    );
}

#[tokio::test]
async fn the_document_names_every_route_and_the_page_needs_no_network() {
    let world = World::new().await;

    let document = world.get("/openapi.json", None).await.json();
    let page = world.get("/docs/", None).await;

    for path in [
        "/v1/enrol",
        "/v1/sync",
        "/v1/blobs",
        "/v1/blobs/{hash}",
        "/v1/book/manifest",
        "/v1/book/parts/{hash}",
        "/v1/desk/session",
        "/v1/desk/cases",
        "/v1/desk/cases/{id}",
        "/v1/desk/cases/{id}/commands/{name}",
        "/v1/desk/reviews",
        "/v1/desk/reviews/{id}/decide",
        "/v1/desk/parked",
        "/v1/desk/parked/{id}/commands/{name}",
        "/v1/desk/radar",
        "/v1/health",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(document["components"]["securitySchemes"]["phone"].is_object());
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.body).unwrap();
    assert!(
        !text.contains("https://"),
        "the page loads something from elsewhere"
    );
}

#[tokio::test]
async fn health_says_where_the_server_stands_and_packs_nothing_small() {
    let world = World::new().await;

    let answer = world
        .send(request(
            Method::GET,
            "/v1/health",
            None,
            &[("accept-encoding", "gzip")],
            Body::empty(),
        ))
        .await;

    assert_eq!(answer.json()["status"], "ok");
    assert_eq!(answer.json()["commit"], world.server.asof().commit.0);
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_back() {
    let full = Arc::new(tokio::sync::Semaphore::new(0));
    let router = Router::new()
        .route("/", axum::routing::get(async || "never"))
        .layer(axum::middleware::from_fn_with_state(
            full,
            crate::api::bounded,
        ));

    let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();

    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
}

#[tokio::test]
async fn a_panic_ends_one_request_in_our_words() {
    let router = Router::new()
        .route(
            "/",
            axum::routing::get(async || -> () { panic!("a phone number") }),
        )
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            crate::api::panicked,
        ));

    let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();

    assert_eq!(answer.status(), 500);
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert!(
        !String::from_utf8(body.to_vec())
            .unwrap()
            .contains("phone number")
    );
}
