//! Requests that are none: too large, cut, packed wrongly, of the wrong shape, by nobody.

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::receipt::Outcome;
use pocketbook_records::rights::Role;
use pocketbook_records::wire::{MAX_MUTATIONS, MAX_REQUEST_BYTES};
use pocketbook_tests::world::{Client, HandMade, World};
use serde_json::json;

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// What it is, content type, encoding, body; status and name of the refusal.
type Line<'l> = (&'l str, &'l str, &'l str, Vec<u8>, u16, &'l str);

async fn phone_of(world: &World) -> HandMade {
    let user = world.account("王").await;
    world
        .grant(user, "王", Role::GridWorker, &world.grid(0))
        .await;
    HandMade::enrol(world.town(), "王", &world.code("王").await.code).await
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_in_words_and_leaves_no_trace() {
    let world = World::new(101).await;
    let phone = phone_of(&world).await;
    let good = serde_json::to_vec(&phone.request(vec![])).expect("plain data");
    let with = |field: &str, value: serde_json::Value| {
        let mut request = serde_json::to_value(phone.request(vec![])).expect("plain data");
        request[field] = value;
        request.to_string().into_bytes()
    };
    let flat = json!({"mid": "x", "mseq": 1, "frozen": {}});
    let many: Vec<_> = (1..=MAX_MUTATIONS + 1)
        .map(|n| json!({"mid": phone.uuid(), "mseq": n, "frozen": {}}))
        .collect();
    let with_hole: Vec<_> = [1, 3]
        .map(|n| json!({"mid": phone.uuid(), "mseq": n, "frozen": {}}))
        .into();
    let endless: Vec<_> = [u64::MAX, u64::MAX]
        .map(|n| json!({"mid": phone.uuid(), "mseq": n, "frozen": {}}))
        .into();
    let someone = phone.uuid();
    let json = "application/json";

    let table: Vec<Line<'_>> = vec![
        ("empty", json, "", vec![], 400, "malformed"),
        ("not JSON", json, "", b"hello".to_vec(), 400, "malformed"),
        (
            "HTML",
            "text/html",
            "",
            b"<html></html>".to_vec(),
            415,
            "not-json",
        ),
        (
            "truncated",
            json,
            "",
            good[..good.len() / 2].to_vec(),
            400,
            "malformed",
        ),
        ("a list", json, "", b"[]".to_vec(), 400, "malformed"),
        ("no fields", json, "", b"{}".to_vec(), 400, "malformed"),
        (
            "a wrong type",
            json,
            "",
            with("settled_mseq", json!("three")),
            400,
            "malformed",
        ),
        (
            "a negative number",
            json,
            "",
            with("settled_mseq", json!(-1)),
            400,
            "malformed",
        ),
        (
            "a mutation of a wrong type",
            json,
            "",
            with("mutations", json!([flat])),
            400,
            "malformed",
        ),
        (
            "numbers with a hole",
            json,
            "",
            with("mutations", json!(with_hole)),
            400,
            "malformed",
        ),
        (
            "numbers beyond all counting",
            json,
            "",
            with("mutations", json!(endless)),
            400,
            "malformed",
        ),
        (
            "a protocol of the future",
            json,
            "",
            with("proto", json!([7, 9])),
            400,
            "protocol",
        ),
        (
            "too many mutations",
            json,
            "",
            with("mutations", json!(many)),
            413,
            "too-large",
        ),
        (
            "too many bytes",
            json,
            "",
            vec![b' '; MAX_REQUEST_BYTES + 1],
            413,
            "too-large",
        ),
        (
            "a bomb",
            json,
            "gzip",
            packed(&vec![b' '; 64 * 1024 * 1024]),
            413,
            "too-large",
        ),
        ("not packed", json, "gzip", good.clone(), 400, "bad-gzip"),
        (
            "packed and cut",
            json,
            "gzip",
            packed(&good)[..40].to_vec(),
            400,
            "bad-gzip",
        ),
        (
            "packed otherwise",
            json,
            "br",
            good.clone(),
            415,
            "unknown-encoding",
        ),
        (
            "another's identity",
            json,
            "",
            with("enrolment", json!(someone)),
            401,
            "unknown-caller",
        ),
    ];
    let before = world.town().server().asof().commit;
    crate::table::counted("requests", table.len());
    for (what, sort, encoding, body, status, kind) in table {
        let mut headers = vec![("content-type", sort)];
        if !encoding.is_empty() {
            headers.push(("content-encoding", encoding));
        }
        let reply = phone
            .client()
            .sends("POST", "/v1/sync", &headers, body)
            .await;
        assert_eq!(
            (reply.status, reply.problem().kind.as_str()),
            (status, kind),
            "{what}"
        );
    }
    assert_eq!(
        world.town().server().asof().commit,
        before,
        "nothing was recorded"
    );

    let sound = phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0)}));
    let words = phone.hands_in(vec![phone.numbers(&sound)]).await;
    assert_eq!(
        words[0].outcome,
        Outcome::Applied,
        "and the phone goes on as ever"
    );
}

#[tokio::test]
async fn nobody_in_particular_is_told_nothing() {
    let world = World::new(102).await;
    let phone = phone_of(&world).await;
    let request = serde_json::to_value(phone.request(vec![])).expect("plain data");
    let enrolment = phone.enrolment();
    let (zeros, short) = ("0".repeat(64), "0".repeat(10));

    for bearer in [
        String::new(),
        "x".to_owned(),
        format!("{enrolment}.{short}"),
        format!("{enrolment}.{zeros}"),
        format!("{}.{zeros}", phone.uuid()),
        format!("desk.{zeros}"),
    ] {
        let stranger = Client::with(world.town().clone(), bearer.clone());
        let reply = stranger.posts("/v1/sync", &request).await;
        assert_eq!(
            (reply.status, reply.problem().kind.as_str()),
            (401, "unknown-caller"),
            "{bearer}"
        );
    }
    let unknown = Client::unknown(world.town().clone());
    for path in [
        "/v1/desk/cases",
        "/v1/desk/radar",
        "/v1/book/manifest?unit=x",
    ] {
        assert_eq!(unknown.gets(path).await.problem().status, 401, "{path}");
    }
    assert_eq!(
        unknown.gets("/v1/nothing").await.problem().kind,
        "no-such-address"
    );
    let wrong = unknown.sends("PUT", "/v1/sync", &[], Body::empty()).await;
    assert_eq!(
        (wrong.status, wrong.problem().kind.as_str()),
        (405, "wrong-method")
    );
}

#[tokio::test]
async fn a_blocked_account_hands_in_and_reads_nothing() {
    let world = World::new(103).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let visit = wang.visits(wang.flat(0), "一切正常");
    let block = pocketbook_server::admin::wire::Command::Block {
        user: "王".to_owned(),
    };
    world.town().does(block, vec![]).await;

    let _ = wang.sync().await;

    assert_eq!(wang.status().waiting, 0, "her work was taken");
    assert_eq!(
        wang.status().state,
        pocketbook::store::status::SyncState::Locked
    );
    let truth = pocketbook_tests::world::check::Truth::of(&world.town().server());
    assert!(
        truth
            .get(&pocketbook_records::kinds::visit::VISIT, visit)
            .is_some()
    );
}

/// B3: cut at every byte. Nothing short of the whole is taken for a request.
#[tokio::test]
async fn a_request_cut_at_any_byte_is_refused() {
    let world = World::new(302).await;
    let phone = phone_of(&world).await;
    let good = serde_json::to_vec(&phone.request(vec![])).expect("plain data");
    for length in 0..good.len() {
        let reply = phone
            .client()
            .sends(
                "POST",
                "/v1/sync",
                &[("content-type", "application/json")],
                good[..length].to_vec(),
            )
            .await;
        assert_eq!(reply.problem().kind, "malformed", "{length} bytes");
    }
}
