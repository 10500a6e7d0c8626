//! The pocket book on its way to the phone.
//!
//! A community's book is a signed manifest over parts that are named by their hash and shared with
//! other communities of the street and the district. So a new edition costs the manifest and the
//! parts that changed.
//!
//! *What it promises.* The book changes as a whole, in one transaction, or stays as it is: a cut in
//! the middle, a part with a wrong hash, a manifest of another community or an older edition
//! played back all leave the old book readable. The signature is checked over the manifest's bytes
//! as they came, with the key that the enrolment's answer named; what signs the manifest vouches by
//! hash for every part.

use ed25519_dalek::{Signature, VerifyingKey};
use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::wire::{Manifest, ManifestPart, SignedManifest};

use crate::engine::SyncError;
use crate::engine::call::{Server, read_json, read_whole};
use crate::seams::{Method, Request};
use crate::store::Store;

/// The longest manifest.
const MAX_MANIFEST: usize = 1024 * 1024;
/// The longest part.
const MAX_PART: u64 = 16 * 1024 * 1024;

/// Brings a community's book up to the server's edition.
pub(crate) async fn read_book(
    server: &Server,
    store: &Store,
    unit: &UnitId,
) -> Result<(), SyncError> {
    let path = format!("/v1/book/manifest?unit={}", in_query(&unit.0));
    let response = server.ask(Request::new(Method::Get, path)).await?;
    let signed: SignedManifest = read_json(response, MAX_MANIFEST).await?;
    let manifest = check(&signed, &store.account()?.bundle_key, unit)?;
    if store.book_version(unit)? >= Some(manifest.version) {
        return Ok(());
    }
    let mut parts = Vec::new();
    for part in store.missing_parts(&manifest)? {
        parts.push((part.hash, read_part(server, &part).await?));
    }
    Ok(store.put_book(&signed, &manifest, &parts)?)
}

/// Checks who signed a manifest and for whom.
fn check(signed: &SignedManifest, key: &str, unit: &UnitId) -> Result<Manifest, SyncError> {
    let text = signed.manifest.get();
    let key = from_hex(key).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = from_hex(&signed.signature).map(|bytes| Signature::from_bytes(&bytes));
    let (Some(key), Some(signature)) = (key, signature) else {
        return Err(SyncError::Forged);
    };
    key.verify_strict(text.as_bytes(), &signature)
        .map_err(|_| SyncError::Forged)?;
    let manifest: Manifest = serde_json::from_str(text).map_err(|_| SyncError::NotOurs)?;
    if manifest.unit == *unit {
        Ok(manifest)
    } else {
        Err(SyncError::Forged)
    }
}

async fn read_part(server: &Server, part: &ManifestPart) -> Result<Vec<u8>, SyncError> {
    let limit = usize::try_from(part.bytes.min(MAX_PART)).unwrap_or(usize::MAX);
    let path = format!("/v1/book/parts/{}", part.hash);
    let response = server.ask(Request::new(Method::Get, path)).await?;
    let bytes = read_whole(response, limit).await?;
    if BlobHash::of(&bytes) == part.hash {
        Ok(bytes)
    } else {
        Err(SyncError::Forged)
    }
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Writes a text so that it can stand in a query.
fn in_query(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            written.push(char::from(byte));
        } else {
            written.push('%');
            written.push_str(&hex::encode_upper([byte]));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use ed25519_dalek::{Signer, SigningKey};
    use serde_json::json;

    use super::*;
    use crate::engine::testing::{Said, World, good_answer, read_request};
    use crate::engine::{Reason, SyncEvent};

    /// What the server has: a signed manifest and parts by hash.
    #[derive(Clone)]
    struct Shelf {
        signed: serde_json::Value,
        parts: Vec<(BlobHash, Vec<u8>)>,
    }

    fn part(name: &str, article: &str) -> Vec<u8> {
        json!({"part": name, "title": name, "articles": [{"id": article, "title": article}]})
            .to_string()
            .into_bytes()
    }

    fn shelf(key: &SigningKey, unit: &str, version: u64, parts: &[Vec<u8>]) -> Shelf {
        let parts: Vec<_> = parts.iter().map(|p| (BlobHash::of(p), p.clone())).collect();
        let listed: Vec<_> = parts
            .iter()
            .map(|(hash, bytes)| {
                let bytes = bytes.len();
                json!({"part": "p", "unit": "qindu", "title": "p", "hash": hash,
                       "bytes": bytes, "articles": 1})
            })
            .collect();
        let manifest =
            json!({"unit": unit, "version": version, "at": 1, "parts": listed}).to_string();
        let signature = hex::encode(key.sign(manifest.as_bytes()).to_bytes());
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        Shelf {
            signed: json!({"manifest": manifest, "key_id": 1, "signature": signature}),
            parts,
        }
    }

    fn serves(world: &World, shelf: Shelf) {
        world.line.answers(move |request| {
            if request.path.starts_with("/v1/book/manifest") {
                return Ok(Said::status(200).body("application/json", shelf.signed.to_string()));
            }
            let wanted = request.path.strip_prefix("/v1/book/parts/").unwrap();
            let found = shelf
                .parts
                .iter()
                .find(|(hash, _)| hash.to_string() == wanted);
            Ok(match found {
                Some((_, bytes)) => Said::status(200)
                    .body("application/json", bytes.clone())
                    .packed(),
                None => Said::problem(404, "not-found"),
            })
        });
    }

    async fn read(world: &World) -> Result<(), SyncError> {
        read_book(&world.server(), &world.store, &"c 1".into()).await
    }

    fn version(world: &World) -> Option<u64> {
        world.store.book_version(&"c 1".into()).unwrap()
    }

    #[tokio::test]
    async fn a_new_edition_costs_the_parts_that_changed() {
        let world = World::new();
        let (a, b, c) = (part("a", "1"), part("b", "2"), part("c", "3"));
        serves(&world, shelf(&world.bundle_key, "c 1", 1, &[a.clone(), b]));
        read(&world).await.unwrap();
        assert_eq!(version(&world), Some(1));
        let before = world.line.asked().len();

        serves(&world, shelf(&world.bundle_key, "c 1", 2, &[a, c.clone()]));
        read(&world).await.unwrap();

        let asked = world.line.asked();
        let new = format!("Get /v1/book/parts/{}", BlobHash::of(&c));
        assert_eq!(
            asked[before..],
            ["Get /v1/book/manifest?unit=c%201", new.as_str()]
        );
        assert_eq!(version(&world), Some(2));
        assert!(world.store.article("3").unwrap().is_some());
        assert!(world.store.article("2").unwrap().is_none());
    }

    #[tokio::test]
    async fn the_list_of_parts_says_the_title_of_each_part_and_not_of_an_article() {
        let world = World::new();
        let parts = [part("guides", "1"), part("offers", "2")];
        serves(&world, shelf(&world.bundle_key, "c 1", 1, &parts));
        read(&world).await.unwrap();

        let listed = world.store.book_parts().unwrap();

        let listed: Vec<_> = listed
            .iter()
            .map(|part| (part.title.as_str(), part.articles))
            .collect();
        assert_eq!(listed, [("guides", 1), ("offers", 1)]);
    }

    #[tokio::test]
    async fn what_is_not_signed_for_this_community_changes_nothing() {
        let world = World::new();
        serves(
            &world,
            shelf(&world.bundle_key, "c 1", 5, &[part("a", "1")]),
        );
        read(&world).await.unwrap();
        let foreign = SigningKey::from_bytes(&[6; 32]);
        let mut tampered = shelf(&world.bundle_key, "c 1", 7, &[part("b", "2")]);
        tampered.signed["manifest"]["version"] = 8.into();
        let mut unsigned = tampered.clone();
        unsigned.signed["signature"] = "zz".into();

        for (shelf, is_error) in [
            (shelf(&foreign, "c 1", 6, &[part("b", "2")]), true),
            (shelf(&world.bundle_key, "c 2", 6, &[part("b", "2")]), true),
            (tampered, true),
            (unsigned, true),
            (shelf(&world.bundle_key, "c 1", 4, &[part("b", "2")]), false),
        ] {
            serves(&world, shelf);
            assert_eq!(read(&world).await.is_err(), is_error);
            assert_eq!(version(&world), Some(5));
            assert!(world.store.article("1").unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn a_part_that_is_wrong_or_missing_leaves_the_old_book_whole() {
        let world = World::new();
        serves(
            &world,
            shelf(&world.bundle_key, "c 1", 1, &[part("a", "1")]),
        );
        read(&world).await.unwrap();
        let next = || {
            shelf(
                &world.bundle_key,
                "c 1",
                2,
                &[part("b", "2"), part("c", "3")],
            )
        };
        let mut wrong = next();
        wrong.parts[1].1 = part("c", "4");
        let mut longer = next();
        longer.parts[1].1.extend_from_slice(b"          ");
        let mut missing = next();
        missing.parts.pop();

        for shelf in [wrong, longer, missing] {
            serves(&world, shelf);
            assert!(read(&world).await.is_err());
            assert_eq!(version(&world), Some(1));
            assert!(world.store.article("1").unwrap().is_some());
        }
        serves(&world, next());
        read(&world).await.unwrap();
        assert_eq!(version(&world), Some(2));
    }

    #[tokio::test]
    async fn a_book_that_fails_is_put_off_and_records_are_in_step() {
        let world = World::new();
        let reads = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&reads);
        let shelf = shelf(&world.bundle_key, "c 1", 3, &[]);
        let mut n = 0;
        world.line.answers(move |request| {
            if request.path == "/v1/sync" {
                n += 1;
                let mut answer = good_answer(&read_request(request), n);
                answer.bundles = vec![pocketbook_records::wire::BundleVersion {
                    unit: "c 1".into(),
                    version: 3,
                    manifest: BlobHash::of(b""),
                }];
                let frame = crate::engine::testing::frame;
                let last = frame(crate::engine::testing::my_scope(), n, &[], true);
                return Ok(Said::lines(&answer, &[last]));
            }
            *counted.lock().unwrap() += 1;
            Ok(match *counted.lock().unwrap() {
                1 => Said::html(500),
                _ => Said::status(200).body("application/json", shelf.signed.to_string()),
            })
        });
        let engine = world.engine();

        let first = engine.sync_once(Reason::Asked).await.unwrap();
        let second = engine.sync_once(Reason::Asked).await.unwrap();

        assert_eq!((first.books, first.put_off), (0, 1));
        assert_eq!((second.books, second.put_off), (1, 0));
        assert!(
            world
                .ears
                .0
                .lock()
                .unwrap()
                .contains(&SyncEvent::Book("c 1".into()))
        );
    }
}
