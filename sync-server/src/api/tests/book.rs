use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::{Manifest, SignedManifest};

use super::*;
use crate::admin::told;
use crate::book::folder::{Layer, PartFile};
use crate::book::publish;

fn part(layer: Layer, name: &str, title: &str) -> PartFile {
    let text = json!({
        "part": name, "title": title, "title_en": "…",
        "articles": [{"id": format!("{name}-1"), "title": title}],
    });
    PartFile {
        layer,
        name: name.into(),
        text: text.to_string(),
    }
}

fn edition(offers: &str) -> Vec<PartFile> {
    vec![
        part(Layer::Community(COMMUNITY.into()), "stations", "驿站"),
        part(Layer::District, "offers", offers),
        part(Layer::Street("610402001".into()), "resources", "资源"),
    ]
}

async fn manifest(world: &World, phone: &Phone) -> (Manifest, SignedManifest) {
    let path = format!("/v1/book/manifest?unit={COMMUNITY}");
    let answer = world.get(&path, Some(&phone.bearer)).await;
    assert_eq!(answer.status, 200);
    let signed: SignedManifest = serde_json::from_slice(&answer.body).unwrap();
    (serde_json::from_str(signed.manifest.get()).unwrap(), signed)
}

#[tokio::test]
async fn a_community_gets_its_three_layers_signed() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    publish(&world.server, &edition("特惠")).await.unwrap();

    let (manifest, signed) = manifest(&world, &phone).await;

    let parts: Vec<&str> = manifest.parts.iter().map(|p| p.part.as_str()).collect();
    assert_eq!(
        (manifest.version, parts),
        (1, vec!["offers", "resources", "stations"])
    );
    let key = world.server.keyring().bundle().key.0;
    let key = VerifyingKey::from_bytes(&key).unwrap();
    let signature = Signature::from_slice(&hex::decode(&signed.signature).unwrap()).unwrap();
    key.verify(signed.manifest.get().as_bytes(), &signature)
        .unwrap();

    let path = format!("/v1/book/parts/{}", manifest.parts[0].hash);
    let bytes = world.get(&path, Some(&phone.bearer)).await;
    assert_eq!(BlobHash::of(&bytes.body), manifest.parts[0].hash);
    assert!(bytes.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn the_version_grows_only_if_something_changed() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    publish(&world.server, &edition("特惠")).await.unwrap();

    let same = publish(&world.server, &edition("特惠")).await.unwrap();
    assert_eq!((same.renewed, same.unchanged, same.parts), (0, 1, 0));
    assert_eq!(manifest(&world, &phone).await.0.version, 1);

    let other = publish(&world.server, &edition("新特惠")).await.unwrap();
    assert_eq!((other.renewed, other.parts), (1, 1));
    assert_eq!(manifest(&world, &phone).await.0.version, 2);
}

#[tokio::test]
async fn one_wrong_file_publishes_nothing() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let mut wrong = edition("特惠");
    wrong.push(part(Layer::Community("999".into()), "stations", "驿站"));

    let error = publish(&world.server, &wrong).await.unwrap_err();

    assert!(told(&error).contains("community 999"), "{}", told(&error));
    let path = format!("/v1/book/manifest?unit={COMMUNITY}");
    assert_eq!(
        world.get(&path, Some(&phone.bearer)).await.refusal(),
        "not-found"
    );
    let query = world.get("/v1/book/manifest", Some(&phone.bearer)).await;
    assert_eq!(query.refusal(), "bad-query");
}
