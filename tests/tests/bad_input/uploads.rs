//! Headers, addresses and pieces of an upload that do not fit together, and what is read back.

use axum::body::{Body, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{StreamExt, stream};
use pocketbook_records::ids::BlobHash;
use pocketbook_tests::world::{HandMade, World};

use crate::stage::phone_of;
use crate::table::{Bad, Refusal, bad, refused, walk};

/// Method, address, headers and body of a request.
struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

const OCTETS: &str = "application/offset+octet-stream";

/// An announcement with one header exchanged; none leaves it out.
fn announcing(hash: &str, name: &'static str, value: Option<&str>) -> Sent {
    let metadata = format!("sha256 {}", BASE64.encode(hash));
    let all = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", "12"),
        ("upload-metadata", &metadata),
    ];
    let mut headers: Vec<_> = all
        .into_iter()
        .filter(|(held, _)| *held != name)
        .map(|(held, value)| (held, value.to_owned()))
        .collect();
    headers.extend(value.map(|value| (name, value.to_owned())));
    Sent {
        method: "POST",
        path: "/v1/blobs".to_owned(),
        headers,
        body: Body::empty(),
    }
}

/// A piece of an upload with one header exchanged; none leaves it out.
fn appending(hash: &str, name: &'static str, value: Option<&str>, body: impl Into<Body>) -> Sent {
    let all = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "0"),
        ("content-type", OCTETS),
    ];
    let mut headers: Vec<_> = all
        .into_iter()
        .filter(|(held, _)| *held != name)
        .map(|(held, value)| (held, value.to_owned()))
        .collect();
    headers.extend(value.map(|value| (name, value.to_owned())));
    Sent {
        method: "PATCH",
        path: format!("/v1/blobs/{hash}"),
        headers,
        body: body.into(),
    }
}

fn reading(path: &str, range: Option<&str>) -> Sent {
    Sent {
        method: "GET",
        path: path.to_owned(),
        headers: range
            .map(|range| ("range", range.to_owned()))
            .into_iter()
            .collect(),
        body: Body::empty(),
    }
}

fn announcements(hash: &str) -> Vec<Bad<Sent, Refusal>> {
    let header = || refused(400, "bad-header");
    let version = || refused(412, "tus-version");
    let metadata = |text: &str| announcing(hash, "upload-metadata", Some(text));
    let named = |text: &str| metadata(&format!("sha256 {}", BASE64.encode(text)));
    let length = |text: &str| announcing(hash, "upload-length", Some(text));
    vec![
        bad(
            "no version of tus",
            announcing(hash, "tus-resumable", None),
            version(),
        ),
        bad(
            "tus 0.2",
            announcing(hash, "tus-resumable", Some("0.2.2")),
            version(),
        ),
        bad(
            "tus 1",
            announcing(hash, "tus-resumable", Some("1")),
            version(),
        ),
        bad(
            "no length",
            announcing(hash, "upload-length", None),
            header(),
        ),
        bad("a length below nothing", length("-1"), header()),
        bad("a length of a half", length("1.5"), header()),
        bad("a length in words", length("twelve"), header()),
        bad("a length of 2^64", length("18446744073709551616"), header()),
        bad(
            "B4 two thousand million bytes",
            length("2147483648"),
            refused(413, "too-large"),
        ),
        bad("B31 no bytes", length("0"), refused(400, "empty-upload")),
        bad(
            "no name",
            announcing(hash, "upload-metadata", None),
            header(),
        ),
        bad("an empty name", metadata(""), header()),
        bad("a name of another sort", metadata("md5 AAAA"), header()),
        bad("a name that is no base64", metadata("sha256 ***"), header()),
        bad(
            "a name in bytes, not in hex",
            metadata(&format!("sha256 {}", BASE64.encode([0; 32]))),
            header(),
        ),
        bad("a name in capitals", named(&hash.to_uppercase()), header()),
        bad("a name one digit short", named(&hash[1..]), header()),
        bad(
            "B44 a name that climbs",
            named("../../../../etc/passwd"),
            header(),
        ),
        bad("B44 a name with NUL", named("a\0b"), header()),
        bad("B44 a name of 4 KB", named(&"a".repeat(4_096)), header()),
        bad(
            "B44 a name from right to left",
            named("\u{202e}gpj.exe"),
            header(),
        ),
    ]
}

fn pieces(hash: &str) -> Vec<Bad<Sent, Refusal>> {
    let header = || refused(400, "bad-header");
    let twelve = || Bytes::from_static(b"twelve bytes");
    let at = |offset: &str| appending(hash, "upload-offset", Some(offset), twelve());
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let cut = Body::from_stream(stream::iter([Err::<Bytes, _>(cut)]).boxed());
    let address = |path: &str| Sent {
        path: format!("/v1/blobs/{path}"),
        ..appending(hash, "upload-offset", Some("0"), twelve())
    };
    let other = BlobHash::of(b"another").to_string();
    vec![
        bad(
            "a piece without a version of tus",
            appending(hash, "tus-resumable", None, twelve()),
            refused(412, "tus-version"),
        ),
        bad(
            "a piece without an offset",
            appending(hash, "upload-offset", None, twelve()),
            header(),
        ),
        bad("a piece at an offset below nothing", at("-1"), header()),
        bad("B42 a piece ahead", at("6"), refused(409, "wrong-offset")),
        bad(
            "B42 a piece behind the end",
            at("12"),
            refused(409, "wrong-offset"),
        ),
        bad(
            "B42 a piece at the end of counting",
            at("18446744073709551615"),
            refused(409, "wrong-offset"),
        ),
        bad(
            "a piece of no type",
            appending(hash, "content-type", None, twelve()),
            refused(415, "not-octets"),
        ),
        bad(
            "a piece as a picture",
            appending(hash, "content-type", Some("image/jpeg"), twelve()),
            refused(415, "not-octets"),
        ),
        bad(
            "a piece as JSON",
            appending(hash, "content-type", Some("application/json"), twelve()),
            refused(415, "not-octets"),
        ),
        bad(
            "a piece of what nobody announced",
            address(&other),
            refused(404, "no-upload"),
        ),
        bad(
            "a piece of what is no name",
            address("x"),
            refused(404, "not-found"),
        ),
        bad(
            "a piece of a name in capitals",
            address(&hash.to_uppercase()),
            refused(404, "not-found"),
        ),
        bad(
            "B44 a piece of a name that climbs",
            address("%2e%2e%2fkeys"),
            refused(404, "not-found"),
        ),
        bad(
            "B44 a piece of NUL",
            address("%00"),
            refused(404, "not-found"),
        ),
        bad(
            "B42 a line that breaks at once",
            appending(hash, "upload-offset", Some("0"), cut),
            refused(400, "body-cut"),
        ),
        bad(
            "B42 other bytes than announced",
            appending(
                hash,
                "upload-offset",
                Some("0"),
                Bytes::from_static(b"other bytes!"),
            ),
            refused(460, "hash-mismatch"),
        ),
        bad(
            "B42 one byte more than announced",
            appending(
                hash,
                "upload-offset",
                Some("0"),
                Bytes::from_static(b"twelve bytes!"),
            ),
            refused(413, "longer-than-announced"),
        ),
    ]
}

fn reads(hash: &str) -> Vec<Bad<Sent, Refusal>> {
    let here = format!("/v1/blobs/{hash}");
    let missing = || refused(404, "not-found");
    let range = |text: &str| reading(&here, Some(text));
    let json = |text: String| Sent {
        method: "POST",
        path: "/v1/thumbnails".to_owned(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: Body::from(text),
    };
    vec![
        bad(
            "a range behind the end",
            range("bytes=12-"),
            refused(416, "bad-range"),
        ),
        bad(
            "a range of nothing",
            range("bytes=-0"),
            refused(416, "bad-range"),
        ),
        bad(
            "a range backwards",
            range("bytes=5-4"),
            refused(416, "bad-range"),
        ),
        bad(
            "a range beyond counting",
            range("bytes=18446744073709551615-"),
            refused(416, "bad-range"),
        ),
        bad(
            "a file that is not here",
            reading(&format!("/v1/blobs/{}", "0".repeat(64)), None),
            missing(),
        ),
        bad(
            "a file of no name",
            reading("/v1/blobs/%20", None),
            missing(),
        ),
        bad(
            "B44 a file that climbs",
            reading("/v1/blobs/..%2f..%2fkeys%2fkeyring.json", None),
            missing(),
        ),
        bad(
            "a part of a book that is none",
            reading("/v1/book/parts/..", None),
            missing(),
        ),
        bad(
            "a part of a book that is not here",
            reading(&format!("/v1/book/parts/{hash}"), None),
            missing(),
        ),
        bad(
            "thumbnails of nobody knows what",
            json("{}".into()),
            refused(400, "malformed"),
        ),
        bad(
            "thumbnails of no names",
            json(r#"{"hashes":["x"]}"#.into()),
            refused(400, "malformed"),
        ),
        bad(
            "B41 one photo five hundred times",
            json(format!(
                "{{\"hashes\":[{}]}}",
                vec![format!("\"{hash}\""); 500].join(",")
            )),
            refused(413, "too-large"),
        ),
        bad(
            "seventeen thumbnails",
            json(format!(
                "{{\"hashes\":[{}]}}",
                vec![format!("\"{hash}\""); 17].join(",")
            )),
            refused(413, "too-large"),
        ),
    ]
}

async fn sends(phone: &HandMade, sent: Sent) -> Refusal {
    let headers: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let reply = phone
        .client()
        .sends(sent.method, &sent.path, &headers, sent.body)
        .await;
    if reply.status < 400 {
        return refused(reply.status, "");
    }
    refused(reply.status, &reply.problem().kind)
}

#[tokio::test]
async fn an_upload_that_does_not_fit_together_is_refused_and_begun_anew() {
    let world = World::new(321).await;
    let phone = phone_of(&world, "王").await;
    let hash = BlobHash::of(b"twelve bytes").to_string();

    walk(
        "announcements of files",
        announcements(&hash),
        async |_, sent| sends(&phone, sent).await,
    )
    .await;
    walk("pieces of files", pieces(&hash), async |_, sent| {
        // Each meets an upload that has just begun.
        phone.client().announces(&hash, 12).await;
        sends(&phone, sent).await
    })
    .await;
    assert_eq!(phone.client().uploads(b"twelve bytes").await, hash);
    walk("reads of files", reads(&hash), async |_, sent| {
        sends(&phone, sent).await
    })
    .await;
}
