#![expect(
    clippy::disallowed_methods,
    reason = "a test plays what a kill leaves on the disk"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use pocketbook_records::ids::BlobHash;

use super::*;
use crate::blobs::MAX_BYTES;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const OCTETS: (&str, &str) = ("content-type", "application/offset+octet-stream");
const PHOTO: &[u8] = b"not a photo, but bytes";

impl World {
    async fn announce(&self, phone: &Phone, hash: BlobHash, length: u64) -> Answer {
        let metadata = format!("sha256 {}", BASE64_STANDARD.encode(hash.to_string()));
        let length = length.to_string();
        let headers = [
            TUS,
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
        ];
        let bearer = Some(phone.bearer.as_str());
        self.send(request(
            Method::POST,
            "/v1/blobs",
            bearer,
            &headers,
            Body::empty(),
        ))
        .await
    }

    async fn append(&self, phone: &Phone, hash: BlobHash, offset: u64, body: Body) -> Answer {
        let offset = offset.to_string();
        let headers = [TUS, OCTETS, ("upload-offset", offset.as_str())];
        let (path, bearer) = (format!("/v1/blobs/{hash}"), Some(phone.bearer.as_str()));
        self.send(request(Method::PATCH, &path, bearer, &headers, body))
            .await
    }

    async fn offset(&self, phone: &Phone, hash: BlobHash) -> Answer {
        let (path, bearer) = (format!("/v1/blobs/{hash}"), Some(phone.bearer.as_str()));
        self.send(request(Method::HEAD, &path, bearer, &[TUS], Body::empty()))
            .await
    }

    async fn read(&self, phone: &Phone, hash: BlobHash, headers: &[(&str, &str)]) -> Answer {
        let (path, bearer) = (format!("/v1/blobs/{hash}"), Some(phone.bearer.as_str()));
        self.send(request(Method::GET, &path, bearer, headers, Body::empty()))
            .await
    }

    async fn upload(&self, phone: &Phone, bytes: &'static [u8]) -> BlobHash {
        let hash = BlobHash::of(bytes);
        self.announce(phone, hash, bytes.len() as u64).await;
        let answer = self.append(phone, hash, 0, Body::from(bytes)).await;
        assert_eq!(answer.status, 204);
        hash
    }
}

#[tokio::test]
async fn a_photo_goes_up_in_pieces_and_comes_down_whole_or_in_part() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);

    let begun = world.announce(&phone, hash, PHOTO.len() as u64).await;
    assert_eq!(begun.status, 201);
    assert_eq!(begun.header("location"), format!("/v1/blobs/{hash}"));
    let first = world
        .append(&phone, hash, 0, Body::from(&PHOTO[..10]))
        .await;
    assert_eq!(
        (first.status.as_u16(), first.header("upload-offset")),
        (204, "10")
    );
    assert_eq!(first.header("pocketbook-stored"), "");
    assert_eq!(
        world.offset(&phone, hash).await.header("upload-offset"),
        "10"
    );
    let last = world
        .append(&phone, hash, 10, Body::from(&PHOTO[10..]))
        .await;

    assert_eq!(last.status, 204);
    let commit = world.server.asof().commit.to_string();
    assert_eq!(last.header("pocketbook-stored"), commit);
    // Whoever lost the answer asks again and is told the same.
    assert_eq!(
        world.offset(&phone, hash).await.header("pocketbook-stored"),
        commit
    );
    let again = world.announce(&phone, hash, PHOTO.len() as u64).await;
    assert_eq!(again.header("pocketbook-stored"), commit);
    let repeated = world
        .append(&phone, hash, PHOTO.len() as u64, Body::empty())
        .await;
    assert_eq!(repeated.header("pocketbook-stored"), commit);
    assert_eq!(world.read(&phone, hash, &[]).await.body, PHOTO);
    let part = world.read(&phone, hash, &[("range", "bytes=4-8")]).await;
    assert_eq!(
        (part.status.as_u16(), part.body.as_slice()),
        (206, &PHOTO[4..9])
    );
    assert_eq!(
        part.header("content-range"),
        format!("bytes 4-8/{}", PHOTO.len())
    );
    let beyond = world.read(&phone, hash, &[("range", "bytes=99-")]).await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.refusal().as_str()),
        (416, "bad-range")
    );
}

#[tokio::test]
async fn what_arrived_before_a_cut_counts() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);
    world.announce(&phone, hash, PHOTO.len() as u64).await;
    let broken = stream::iter([
        Ok(Bytes::from_static(&PHOTO[..7])),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);

    let cut = world
        .append(&phone, hash, 0, Body::from_stream(broken))
        .await;

    assert_eq!(
        (cut.status.as_u16(), cut.refusal().as_str()),
        (400, "body-cut")
    );
    assert_eq!(
        world.offset(&phone, hash).await.header("upload-offset"),
        "7"
    );
    let rest = world.append(&phone, hash, 7, Body::from(&PHOTO[7..])).await;
    assert_ne!(rest.header("pocketbook-stored"), "");
}

#[tokio::test]
async fn an_upload_whose_last_byte_came_before_a_kill_is_finished_by_asking() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);
    world.announce(&phone, hash, PHOTO.len() as u64).await;
    world.append(&phone, hash, 0, Body::from(&PHOTO[..7])).await;
    let name = format!("spool/{}/{hash}-{}", phone.enrolment, PHOTO.len());
    std::fs::write(world.server.data().join(name), PHOTO).unwrap();

    let asked = world.offset(&phone, hash).await;

    assert_eq!(asked.header("upload-offset"), PHOTO.len().to_string());
    assert_ne!(asked.header("pocketbook-stored"), "");
}

#[tokio::test]
async fn bytes_that_are_not_what_their_name_says_begin_anew() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);
    let length = PHOTO.len() as u64;
    world.announce(&phone, hash, length).await;

    let wrong = world
        .append(&phone, hash, 0, Body::from(vec![0; PHOTO.len()]))
        .await;

    assert_eq!(
        (wrong.status.as_u16(), wrong.refusal().as_str()),
        (460, "hash-mismatch")
    );
    assert_eq!(
        world
            .announce(&phone, hash, length)
            .await
            .header("upload-offset"),
        "0"
    );
    let right = world.append(&phone, hash, 0, Body::from(PHOTO)).await;
    assert_ne!(right.header("pocketbook-stored"), "");
}

#[tokio::test]
async fn wrong_uploads_are_refused_by_name() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);

    let unknown = world.append(&phone, hash, 0, Body::from(PHOTO)).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.refusal().as_str()),
        (404, "no-upload")
    );
    let empty = world.announce(&phone, BlobHash::of(b""), 0).await;
    assert_eq!(
        (empty.status.as_u16(), empty.refusal().as_str()),
        (400, "empty-upload")
    );
    let huge = world.announce(&phone, hash, MAX_BYTES + 1).await;
    assert_eq!(
        (huge.status.as_u16(), huge.refusal().as_str()),
        (413, "too-large")
    );

    world.announce(&phone, hash, PHOTO.len() as u64).await;
    let ahead = world.append(&phone, hash, 5, Body::from(PHOTO)).await;
    assert_eq!(
        (ahead.status.as_u16(), ahead.refusal().as_str()),
        (409, "wrong-offset")
    );
    assert_eq!(ahead.header("upload-offset"), "0");
    let longer = world
        .append(&phone, hash, 0, Body::from([PHOTO, PHOTO].concat()))
        .await;
    assert_eq!(
        (longer.status.as_u16(), longer.refusal().as_str()),
        (413, "longer-than-announced")
    );

    let (path, bearer) = (format!("/v1/blobs/{hash}"), Some(phone.bearer.as_str()));
    let bare = request(Method::PATCH, &path, bearer, &[OCTETS], Body::empty());
    assert_eq!(world.send(bare).await.refusal(), "tus-version");
    let form = request(Method::PATCH, &path, bearer, &[TUS], Body::empty());
    assert_eq!(world.send(form).await.refusal(), "not-octets");
    let no_offset = request(Method::PATCH, &path, bearer, &[TUS, OCTETS], Body::empty());
    assert_eq!(world.send(no_offset).await.refusal(), "bad-header");
    let no_hash = request(
        Method::GET,
        "/v1/blobs/nonsense",
        bearer,
        &[],
        Body::empty(),
    );
    assert_eq!(world.send(no_hash).await.refusal(), "not-found");
}

#[tokio::test]
async fn nobody_learns_that_anothers_photo_exists() {
    let world = World::new().await;
    let (wang, li) = (world.phone("W1").await, world.phone("W2").await);
    let hash = world.upload(&wang, PHOTO).await;

    let read = world.read(&li, hash, &[]).await;
    assert_eq!(
        (read.status.as_u16(), read.refusal().as_str()),
        (404, "not-found")
    );
    assert_eq!(world.offset(&li, hash).await.status, 404);
    let begun = world.announce(&li, hash, PHOTO.len() as u64).await;
    assert_eq!(
        (
            begun.header("upload-offset"),
            begun.header("pocketbook-stored")
        ),
        ("0", "")
    );

    // The same photo by its own right: uploaded again, stored once, noted by a commit of its own.
    let before = world.server.asof().commit;
    world.upload(&li, PHOTO).await;
    let told = world.offset(&li, hash).await;
    let stored = told.header("pocketbook-stored").parse::<u64>();
    assert!(stored.expect("a commit") > before.0);
    let files = world.server.read(crate::store::blobs::all);
    assert_eq!(files.expect("it reads").len(), 1);
    assert_eq!(world.read(&li, hash, &[]).await.body, PHOTO);
}

#[tokio::test]
async fn a_blocked_account_hands_photos_in_and_reads_none() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    world
        .command(Command::Block { user: "W1".into() }, &[])
        .await;

    let hash = world.upload(&phone, PHOTO).await;

    let read = world.read(&phone, hash, &[]).await;
    assert_eq!(
        (read.status.as_u16(), read.refusal().as_str()),
        (403, "locked")
    );
}

#[tokio::test]
async fn the_capabilities_are_told_to_everybody() {
    let world = World::new().await;

    let answer = world
        .send(request(
            Method::OPTIONS,
            "/v1/blobs",
            None,
            &[],
            Body::empty(),
        ))
        .await;

    assert_eq!(
        (answer.status.as_u16(), answer.header("tus-version")),
        (204, "1.0.0")
    );
    assert_eq!(answer.header("tus-max-size"), MAX_BYTES.to_string());
}

#[tokio::test]
async fn a_record_shows_its_photo_to_its_readers_and_a_guessed_hash_shows_nothing() {
    let world = World::new().await;
    let desk = |bearer| Phone {
        enrolment: EnrolmentId::from_slice(&[0; 16]).unwrap(),
        bearer,
    };
    let clerk = desk(world.desk("clerk", "street-desk", "610402001").await);
    let (reader, other) = (world.phone("W1").await, world.phone("W2").await);
    let guesser = desk(world.desk("head", "grid-head", OTHER_GRID).await);
    let hash = world.upload(&clerk, PHOTO).await;
    let case = |n: u8, grid: &str| {
        json!({
            "mid": pocketbook_records::ids::Mid::from_slice(&[n; 16]).unwrap(), "grid": grid,
            "category": "C0101", "place": "渭阳西路", "text": "井盖缺失", "source": "12345",
            "photos": [hash],
        })
    };

    let rightful = case(1, GRID);
    let told = world
        .post("/v1/desk/cases", Some(&clerk.bearer), &rightful)
        .await;
    assert_eq!(told.status, 201);
    assert_eq!(world.read(&reader, hash, &[]).await.body, PHOTO);
    assert_eq!(world.read(&other, hash, &[]).await.status, 404);
    let thumbnails = async |who: &Phone| {
        let told = world
            .post(
                "/v1/thumbnails",
                Some(&who.bearer),
                &json!({"hashes": [hash]}),
            )
            .await;
        assert_eq!(told.status, 200);
        told.json()["thumbnails"].clone()
    };
    let none_can_be_made = json!({(hash.to_string()): null});
    assert_eq!(thumbnails(&reader).await, none_can_be_made);
    assert_eq!(thumbnails(&other).await, json!({}));

    // A head of another grid writes the hash into a case of his own.
    let guessed = case(2, OTHER_GRID);
    let told = world
        .post("/v1/desk/cases", Some(&guesser.bearer), &guessed)
        .await;
    assert_eq!(told.status, 201);
    assert_eq!(world.read(&guesser, hash, &[]).await.status, 404);
    assert_eq!(thumbnails(&guesser).await, json!({}));
    assert_eq!(world.read(&other, hash, &[]).await.status, 404);
}

#[tokio::test]
async fn wrong_questions_for_thumbnails_are_refused_by_name() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let many: Vec<_> = (0..17).map(|n| BlobHash([n; 32])).collect();
    for (asked, status, kind) in [
        (json!({"hashes": many}), 413, "too-large"),
        (json!({"hashes": ["x"]}), 400, "malformed"),
        (json!({}), 400, "malformed"),
        (json!([7]), 400, "malformed"),
    ] {
        let told = world
            .post("/v1/thumbnails", Some(&phone.bearer), &asked)
            .await;
        assert_eq!(
            (told.status.as_u16(), told.refusal()),
            (status, kind.into())
        );
    }
    let told = world
        .post("/v1/thumbnails", None, &json!({"hashes": []}))
        .await;
    assert_eq!(told.status, 401);
}

#[tokio::test]
async fn a_refused_piece_is_heard_out_so_that_the_phone_hears_where_to_go_on() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let hash = BlobHash::of(PHOTO);
    world.announce(&phone, hash, PHOTO.len() as u64).await;
    world
        .append(&phone, hash, 0, Body::from(&PHOTO[..10]))
        .await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let pieces = stream::iter(0..8).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1024]))
    });

    let refused = world
        .append(&phone, hash, 5, Body::from_stream(pieces))
        .await;

    assert_eq!(
        (refused.status.as_u16(), refused.header("upload-offset")),
        (409, "10")
    );
    assert_eq!(sent.load(Ordering::SeqCst), 8);
}
