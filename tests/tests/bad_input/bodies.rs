//! Bodies of an exchange that are none: not text, not packed rightly, too deep, too many, of the
//! wrong shape, numbers that are none.

use std::io::Write;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};
use pocketbook_records::wire::{MAX_MUTATIONS, MAX_SCOPES, MAX_WANT};
use pocketbook_tests::world::{HandMade, World};
use serde_json::{Value, json};

use crate::stage::phone_of;
use crate::table::{bad, refused, walk};

/// Headers beside the credential, and the body.
type Sent = (Vec<(&'static str, &'static str)>, Body);

const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

fn plain(body: impl Into<Body>) -> Sent {
    (vec![JSON], body.into())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A request with one field exchanged.
fn with(phone: &HandMade, field: &str, value: Value) -> Sent {
    let mut request = serde_json::to_value(phone.request(vec![])).expect("plain data");
    request[field] = value;
    plain(request.to_string())
}

/// A request whose text is changed where no tree could be.
fn text_with(phone: &HandMade, from: &str, to: &str) -> Sent {
    let text = serde_json::to_string(&phone.request(vec![])).expect("plain data");
    assert!(text.contains(from), "{text}");
    plain(text.replacen(from, to, 1))
}

/// A request that asks one scope in a mode.
fn asking(phone: &HandMade, mode: Value) -> Sent {
    let scope = phone.enrolled.grants[0].to_string();
    with(phone, "pull", json!({"scopes": {scope: {"mode": mode}}}))
}

fn endless(piece: &'static [u8]) -> Body {
    let pieces = stream::repeat_with(move || Ok::<_, std::io::Error>(Bytes::from_static(piece)));
    Body::from_stream(pieces)
}

fn broken_after(text: &'static [u8]) -> Body {
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let pieces = [Ok(Bytes::from_static(text)), Err(cut)];
    Body::from_stream(stream::iter(pieces).boxed())
}

#[tokio::test]
async fn a_body_that_is_none_is_refused_in_words_and_leaves_no_trace() {
    let world = World::new(301).await;
    let phone = phone_of(&world, "王").await;
    let good = serde_json::to_string(&phone.request(vec![])).expect("plain data");
    let key = json!({"kind": "household", "id": phone.uuid()});
    let put = json!({"kind": "household", "id": phone.uuid(), "rev": 1, "schema": 1, "body": {}});
    let malformed = || refused(400, "malformed");
    let too_large = || refused(413, "too-large");
    let scopes: Value = (0..=MAX_SCOPES)
        .map(|n| (format!("unit:{n}"), json!({"mode": "pages"})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let many = |n: usize, one: &Value| json!(vec![one.clone(); n]);
    let half: Vec<u8> = good.bytes().flat_map(|byte| [byte, 0]).collect();
    let deep = |open: &str, n: usize| plain(format!("{{\"proto\":{}", open.repeat(n)));

    let table = vec![
        bad(
            "B1 no body and no type",
            (vec![], Body::empty()),
            malformed(),
        ),
        bad("B1 blanks", plain(" \n\t "), malformed()),
        bad("B1 null", plain("null"), malformed()),
        bad(
            "B2 Latin letters in a name",
            plain(&b"{\"proto\":\"\xe9\"}"[..]),
            malformed(),
        ),
        bad("B2 UTF-16", plain(half), malformed()),
        bad(
            "B2 a byte order mark",
            plain(format!("\u{feff}{good}")),
            malformed(),
        ),
        bad(
            "B2 half a surrogate",
            text_with(&phone, "handmade", r"\ud800"),
            malformed(),
        ),
        bad(
            "B3 a brace short",
            plain(good[..good.len() - 1].to_owned()),
            malformed(),
        ),
        bad(
            "B3 two requests",
            plain(format!("{good}{good}")),
            malformed(),
        ),
        bad(
            "B3 something after it",
            plain(format!("{good} x")),
            malformed(),
        ),
        bad(
            "B5 a body without end",
            (vec![JSON], endless(b"                ")),
            too_large(),
        ),
        bad(
            "B5 a list without end",
            (vec![JSON], endless(b"[[[[[[[[[[[[[[[[")),
            too_large(),
        ),
        bad(
            "B5 a line that breaks",
            (vec![JSON], broken_after(b"{\"proto\":")),
            refused(400, "body-cut"),
        ),
        bad(
            "B6 packed twice, said once",
            (vec![JSON, GZIP], packed(&packed(good.as_bytes())).into()),
            malformed(),
        ),
        bad(
            "B6 packed twice, said twice",
            (
                vec![JSON, ("content-encoding", "gzip, gzip")],
                packed(&packed(good.as_bytes())).into(),
            ),
            refused(415, "unknown-encoding"),
        ),
        bad(
            "B6 packed nothing",
            (vec![JSON, GZIP], packed(b"").into()),
            malformed(),
        ),
        bad(
            "B6 nothing, said to be packed",
            (vec![JSON, GZIP], Body::empty()),
            refused(400, "bad-gzip"),
        ),
        bad(
            "B6 a wrong sum",
            (vec![JSON, GZIP], spoiled(packed(good.as_bytes())).into()),
            refused(400, "bad-gzip"),
        ),
        bad(
            "B6 a bomb of lists",
            (vec![JSON, GZIP], packed(&vec![b'['; 32 << 20]).into()),
            too_large(),
        ),
        bad("B7 100,000 lists", deep("[", 100_000), malformed()),
        bad("B7 100,000 objects", deep("{\"a\":", 100_000), malformed()),
        bad(
            "B8 a field twice",
            text_with(&phone, "\"proto\"", "\"proto\":[1,1],\"proto\""),
            malformed(),
        ),
        bad(
            "B9 1e400",
            text_with(&phone, "\"schema\":1", "\"schema\":1e400"),
            malformed(),
        ),
        bad(
            "B9 NaN",
            text_with(&phone, "\"schema\":1", "\"schema\":NaN"),
            malformed(),
        ),
        bad(
            "B9 a half",
            text_with(&phone, "\"schema\":1", "\"schema\":1.5"),
            malformed(),
        ),
        bad(
            "B9 a number as text",
            text_with(&phone, "\"schema\":1", "\"schema\":\"1\""),
            malformed(),
        ),
        bad(
            "B9 minus nothing",
            text_with(&phone, "\"settled_mseq\":0", "\"settled_mseq\":-0"),
            malformed(),
        ),
        bad(
            "B9 2^64",
            text_with(
                &phone,
                "\"settled_mseq\":0",
                "\"settled_mseq\":18446744073709551616",
            ),
            malformed(),
        ),
        bad(
            "B9 a clock beyond all time",
            text_with(
                &phone,
                "\"monotonic_ms\":1",
                "\"monotonic_ms\":9223372036854775808",
            ),
            malformed(),
        ),
        bad(
            "B10 a mode of a newer app",
            asking(&phone, json!("quantum")),
            malformed(),
        ),
        bad(
            "B10 a mode with too much",
            asking(&phone, json!({"frames": {}, "pages": {}})),
            malformed(),
        ),
        bad(
            "B10 a scope of a newer app",
            with(
                &phone,
                "pull",
                json!({"scopes": {"planet:x": {"mode": "pages"}}}),
            ),
            malformed(),
        ),
        bad(
            "B16 100,000 mutations",
            plain(hundred_thousand(&good)),
            too_large(),
        ),
        bad(
            "B16 too many scopes",
            with(&phone, "pull", json!({"scopes": scopes})),
            too_large(),
        ),
        bad(
            "B16 too many wishes",
            with(
                &phone,
                "pull",
                json!({"scopes": {}, "want": many(MAX_WANT + 1, &key)}),
            ),
            too_large(),
        ),
        bad(
            "B16 too many witnesses",
            with(&phone, "witness", many(MAX_WANT + 1, &put)),
            too_large(),
        ),
        bad(
            "B16 too many spans",
            asking(
                &phone,
                json!({"parts": {"spans": many(2_049, &json!({"kind": "x"}))}}),
            ),
            too_large(),
        ),
        bad(
            "B16 too many proofs",
            with(&phone, "proofs", many(MAX_MUTATIONS + 1, &proof(&phone))),
            too_large(),
        ),
        bad(
            "protocols the wrong way round",
            with(&phone, "proto", json!([2, 1])),
            refused(400, "protocol"),
        ),
        bad(
            "protocols before the first",
            with(&phone, "proto", json!([0, 0])),
            refused(400, "protocol"),
        ),
        bad(
            "one protocol",
            with(&phone, "proto", json!([1])),
            malformed(),
        ),
        bad(
            "three protocols",
            with(&phone, "proto", json!([1, 1, 1])),
            malformed(),
        ),
        bad("no clock", with(&phone, "now", Value::Null), malformed()),
        bad(
            "an enrolment that is no id",
            with(&phone, "enrolment", json!("王")),
            malformed(),
        ),
        bad(
            "a number of nothing",
            with(
                &phone,
                "mutations",
                json!([{"mid": phone.uuid(), "mseq": 0, "frozen": {}}]),
            ),
            malformed(),
        ),
        bad(
            "the number 2^63",
            with(
                &phone,
                "mutations",
                json!([{"mid": phone.uuid(), "mseq": 1_u64 << 63, "frozen": {}}]),
            ),
            malformed(),
        ),
        bad(
            "numbers backwards",
            with(
                &phone,
                "mutations",
                json!([{"mid": phone.uuid(), "mseq": 2, "frozen": {}}, {"mid": phone.uuid(), "mseq": 1, "frozen": {}}]),
            ),
            malformed(),
        ),
        bad(
            "a mutation without content",
            with(
                &phone,
                "mutations",
                json!([{"mid": phone.uuid(), "mseq": 1}]),
            ),
            malformed(),
        ),
        bad(
            "an echo cut short",
            with(
                &phone,
                "echo",
                json!({"epoch": 1, "commit": 1, "tag": "00", "mac": "00"}),
            ),
            malformed(),
        ),
        bad(
            "a form",
            (
                vec![("content-type", "application/x-www-form-urlencoded")],
                Body::from("proto=1"),
            ),
            refused(415, "not-json"),
        ),
        bad(
            "a type that is none",
            (
                vec![("content-type", "application/json5")],
                Body::from(good.clone()),
            ),
            refused(415, "not-json"),
        ),
    ];
    let before = world.town().server().asof().commit;
    walk("bodies of requests", table, async |_, (headers, body)| {
        let reply = phone
            .client()
            .sends("POST", "/v1/sync", &headers, body)
            .await;
        if reply.status == 200 {
            return refused(200, "");
        }
        refused(reply.status, &reply.problem().kind)
    })
    .await;
    assert_eq!(
        world.town().server().asof().commit,
        before,
        "nothing was recorded"
    );
}

fn proof(phone: &HandMade) -> Value {
    json!({"enrolment": phone.enrolment(), "epoch": 1, "commit": 1, "received_at": 1,
        "receipts": [], "key_id": 1, "mac": "00".repeat(16)})
}

/// A gzip stream whose sum of its content is another's.
fn spoiled(mut stream: Vec<u8>) -> Vec<u8> {
    let at = stream.len() - 8;
    stream[at] ^= 0xff;
    stream
}

/// A request with more mutations than a district makes in a year.
fn hundred_thousand(good: &str) -> String {
    let one = r#"{"mid":"01890000-0000-7000-8000-00000000000a","mseq":1,"frozen":0},"#;
    let body = good.strip_suffix('}').expect("an object");
    format!("{body},\"mutations\":[{}0]}}", one.repeat(100_000))
}
