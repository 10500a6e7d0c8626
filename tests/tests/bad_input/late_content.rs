//! Contents that come after their mutation and are not what was announced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pocketbook_records::ids::{BlobHash, Mid, RecordId};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::PARKED;
use pocketbook_records::kinds::review::tray_id;
use pocketbook_records::mutation::{Frozen, Later, MAX_FROZEN, Op};
use pocketbook_records::receipt::Outcome;
use pocketbook_server::store::records;
use pocketbook_tests::world::{HandMade, World};
use serde_json::{Value, json};

use crate::stage::phone_of;

/// Hands in that a content comes later; returns its name.
async fn announces(phone: &HandMade, id: RecordId, hash: BlobHash, bytes: u64) -> (Mid, Outcome) {
    let mut frozen = Frozen::new(&HOUSEHOLD, id, Op::Later, phone.at());
    frozen.later = Some(Later { hash, bytes });
    let work = phone.numbers(&frozen);
    let mid = work.mid;
    (mid, phone.hands_in(vec![work]).await[0].outcome)
}

/// Brings a file under a name; returns the last status.
async fn brings(phone: &HandMade, hash: BlobHash, bytes: &[u8]) -> u16 {
    let metadata = format!("sha256 {}", BASE64.encode(hash.to_string()));
    let length = bytes.len().to_string();
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-length", &*length),
        ("upload-metadata", &*metadata),
    ];
    let begun = phone
        .client()
        .sends("POST", "/v1/blobs", &headers, "")
        .await;
    assert!(begun.status < 300, "{begun:?}");
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("upload-offset", "0"),
        ("content-type", "application/offset+octet-stream"),
    ];
    let path = format!("/v1/blobs/{hash}");
    let sent = phone
        .client()
        .sends("PATCH", &path, &headers, bytes.to_vec());
    sent.await.status
}

/// Returns state and reason of a mutation's tray item.
fn item(world: &World, mid: Mid) -> (String, String) {
    let server = world.town().server();
    let item = server.read(|store| records::find(store, &PARKED, tray_id(mid)));
    let body = item.expect("it reads").expect("an item lies there").body;
    let text = |field: &str| {
        body.get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (text("state"), text("reason"))
}

#[tokio::test]
async fn a_content_that_is_not_what_was_announced_has_no_effect_and_one_brought_twice_has_one() {
    let world = World::new(191).await;
    let (wang, li) = (phone_of(&world, "王").await, phone_of(&world, "李").await);
    let awaited = ("parked", "awaiting-content");
    let malformed = ("rejected", "malformed");
    let home = |phone: &HandMade| phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0)}));
    let of = |frozen: &Frozen| frozen.freeze().get().as_bytes().to_vec();
    let nested = |id| {
        let mut frozen = Frozen::new(&HOUSEHOLD, id, Op::Later, wang.at());
        let hash = BlobHash::of(b"more");
        frozen.later = Some(Later { hash, bytes: 4 });
        of(&frozen)
    };
    let id = || RecordId(wang.uuid());
    let (other, void) = (
        home(&wang),
        Frozen::new(&HOUSEHOLD, id(), Op::Void, wang.at()),
    );
    let table = [
        ("no text", id(), vec![0xff, 0xfe, 0], malformed),
        (
            "no mutation",
            id(),
            b"{\"op\":\"create\"}".to_vec(),
            malformed,
        ),
        ("of another record", id(), of(&other), malformed),
        ("without content itself", void.id, of(&void), malformed),
        ("later in its turn", other.id, nested(other.id), malformed),
    ];
    crate::table::counted("contents that come later", table.len() + 3);
    for (what, id, bytes, word) in table {
        let hash = BlobHash::of(&bytes);
        let (mid, outcome) = announces(&wang, id, hash, bytes.len() as u64).await;
        assert_eq!(outcome, Outcome::Parked, "{what}");
        assert_eq!(brings(&wang, hash, &bytes).await, 204, "{what}");
        let (state, reason) = item(&world, mid);
        assert_eq!((&*state, &*reason), word, "{what}");
    }
    let too_long = announces(&wang, id(), BlobHash::of(b"x"), MAX_FROZEN as u64 + 1).await;
    assert_eq!(too_long.1, Outcome::Rejected);

    let good = home(&wang);
    let bytes = of(&good);
    let hash = BlobHash::of(&bytes);
    let (mid, _) = announces(&wang, good.id, hash, bytes.len() as u64).await;
    let mut wrong = bytes.clone();
    wrong.reverse();
    let is_waiting = || {
        let (state, reason) = item(&world, mid);
        assert_eq!((&*state, &*reason), awaited);
    };
    assert_eq!(
        brings(&wang, hash, &wrong).await,
        460,
        "other bytes of that name"
    );
    is_waiting();
    brings(&li, hash, &bytes).await;
    is_waiting();
    for _ in 0..2 {
        assert_eq!(brings(&wang, hash, &bytes).await, 204);
        assert_eq!(item(&world, mid).0, "released");
    }
    let server = world.town().server();
    let record = server.read(|store| records::find(store, &HOUSEHOLD, good.id));
    assert!(record.expect("it reads").is_some());
    let path = format!("/v1/blobs/{hash}");
    let read = wang.client().sends("GET", &path, &[], "").await;
    assert_eq!(read.status, 404, "a content is no file");
}
