//! Photos that are none, and uploads that go wrong.

use std::collections::BTreeMap;

use pocketbook::Error;
use pocketbook::photos::{PhotoError, Size};
use pocketbook::seams::Files;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::pictures::{photo, stored};
use pocketbook_tests::world::{HandMade, Phone, World};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    verdict: String,
    #[serde(default)]
    either: bool,
}

#[tokio::test]
async fn every_malformed_picture_is_judged_as_expected_and_a_refused_one_leaves_nothing_behind() {
    let world = World::new(151).await;
    let grid = world.grid(0);
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let expected: BTreeMap<String, Expected> =
        serde_json::from_slice(&stored("malformed/expected.json")).expect("the verdicts read");
    crate::table::counted("malformed pictures", expected.len());
    let draft = wang.drafts_cover(&grid, "东门");
    let mut taken = 0;

    for (name, expected) in &expected {
        let before = files(&wang);
        let photo =
            wang.book()
                .add_photo(draft, &stored(&format!("malformed/{name}")), Size::Master);
        match (&photo, expected.verdict.as_str()) {
            (Ok(_), "accept" | "accept_warn") => taken += 1,
            (Err(Error::Photo(_)), "reject") => {}
            (Ok(_) | Err(Error::Photo(_)), _) if expected.either || is_other_format(&photo) => {}
            (verdict, wanted) => panic!("{name}: {verdict:?}, expected {wanted}"),
        }
        if photo.is_err() {
            assert_eq!(files(&wang), before, "{name}: no file is left");
        }
    }

    assert!(taken > 10);
    let here = wang
        .store()
        .draft(draft.id)
        .expect("reads")
        .expect("the draft stands")
        .fields;
    assert_eq!(here["place"], "东门");
    wang.book()
        .report(draft)
        .expect("what was taken is reported");
    wang.syncs().await;
    world.check(&[&wang]).await;
}

fn files(phone: &Phone) -> Vec<String> {
    phone.storage().list("").expect("the account's files")
}

/// Formats other than JPEG and PNG may be refused by name.
fn is_other_format(photo: &pocketbook::Result<BlobHash>) -> bool {
    matches!(
        photo,
        Err(Error::Photo(PhotoError::UnsupportedFormat { .. }))
    )
}

#[tokio::test]
async fn an_upload_that_goes_wrong_is_refused_in_words_and_can_be_begun_anew() {
    let world = World::new(152).await;
    let user = world.account("王").await;
    world
        .grant(user, "王", Role::GridWorker, &world.grid(0))
        .await;
    let phone = HandMade::enrol(world.town(), "王", &world.code("王").await.code).await;
    let client = phone.client();
    let bytes = photo(0)[..50_000].to_vec();
    let hash = BlobHash::of(&bytes).to_string();

    let nothing = BlobHash::of(b"").to_string();
    assert_eq!(
        client.announces(&nothing, 0).await.problem().kind,
        "empty-upload"
    );
    assert_eq!(
        client
            .announces(&hash, 200 * 1024 * 1024)
            .await
            .problem()
            .kind,
        "too-large"
    );
    assert_eq!(
        client.announces("not-a-hash", 10).await.problem().kind,
        "bad-header"
    );
    assert_eq!(
        client.appends(&hash, 0, vec![1]).await.problem().kind,
        "no-upload"
    );

    assert_eq!(client.announces(&hash, bytes.len()).await.status, 201);
    assert_eq!(
        client.announces(&hash, bytes.len()).await.status,
        201,
        "twice is once"
    );
    let ahead = client.appends(&hash, 10, bytes[10..].to_vec()).await;
    assert_eq!(
        (ahead.status, ahead.problem().kind.as_str()),
        (409, "wrong-offset")
    );
    assert_eq!(
        client
            .appends(&hash, 0, bytes[..20_000].to_vec())
            .await
            .status,
        204
    );
    let again = client.appends(&hash, 0, bytes[..20_000].to_vec()).await;
    assert_eq!(
        again.problem().kind,
        "wrong-offset",
        "a repeated piece is not appended twice"
    );
    let mut too_long = bytes[20_000..].to_vec();
    too_long.push(0);
    assert_eq!(
        client.appends(&hash, 20_000, too_long).await.problem().kind,
        "longer-than-announced"
    );

    // Other bytes than announced: seen at the last one, and begun anew.
    let offset = offset_of(client, &hash).await;
    if offset < bytes.len() {
        let wrong = vec![0; bytes.len() - offset];
        let mismatch = client.appends(&hash, offset, wrong).await;
        assert_eq!(
            (mismatch.status, mismatch.problem().kind.as_str()),
            (460, "hash-mismatch")
        );
    }
    assert_eq!(client.uploads(&bytes).await, hash);
    assert_eq!(
        &client.gets(&format!("/v1/blobs/{hash}")).await.body[..],
        &bytes[..]
    );
}

async fn offset_of(client: &pocketbook_tests::world::Client, hash: &str) -> usize {
    let head = [("tus-resumable", "1.0.0")];
    let reply = client
        .sends(
            "HEAD",
            &format!("/v1/blobs/{hash}"),
            &head,
            axum::body::Body::empty(),
        )
        .await;
    let offset = reply
        .headers
        .get("upload-offset")
        .and_then(|offset| offset.to_str().ok());
    offset
        .and_then(|offset| offset.parse().ok())
        .unwrap_or(usize::MAX)
}

#[tokio::test]
async fn another_grid_s_photo_is_not_told_of_and_uploaded_again_by_who_has_it_too() {
    let world = World::new(153).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    let wang = world.worker("王", &grid).await;
    let feng = world.worker("冯", &other).await;
    wang.syncs().await;
    let case = wang.reports_cover(&grid, "东门", &[photo(0)]).id;
    wang.syncs().await;
    let hash = wang.book().case(case).expect("here").fields.photos[0];
    let client = pocketbook_tests::world::Client::with(world.town().clone(), feng.bearer());

    let foreign = client.gets(&format!("/v1/blobs/{hash}")).await.problem();
    let unknown = client
        .gets(&format!("/v1/blobs/{}", BlobHash::of(b"nothing")))
        .await
        .problem();
    assert_eq!(foreign, unknown, "no word on whether it exists");

    // A reference alone opens nothing: its author has neither delivered nor could read the bytes.
    let named =
        serde_json::json!({"grid": other, "category": "E0205", "place": "x", "photos": [hash]});
    feng.creates(&CASE, pocketbook_tests::world::people::fields(named));
    feng.syncs().await;
    assert_eq!(
        client
            .gets(&format!("/v1/blobs/{hash}"))
            .await
            .problem()
            .status,
        404
    );

    feng.reports_cover(&other, "西门", &[photo(0)]);
    feng.syncs().await;
    assert_eq!(
        client.gets(&format!("/v1/blobs/{hash}")).await.status,
        200,
        "uploaded again, stored once"
    );
}
