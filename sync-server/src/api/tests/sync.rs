use std::io::Read;

use flate2::read::GzDecoder;
use pocketbook_records::ids::Mseq;
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::scope::Scope;
use pocketbook_records::time::Now;
use pocketbook_records::wire;

use super::*;

fn first_sync(phone: &Phone) -> Value {
    let scope = Scope::General(GRID.into());
    let frames = wire::Ask {
        cursor: None,
        mode: wire::Mode::Frames { after: None },
    };
    let request = wire::Request {
        proto: (wire::PROTO, wire::PROTO),
        enrolment: phone.enrolment,
        echo: None,
        settled_mseq: Mseq(0),
        highest_mseq: Mseq(0),
        pending: wire::Pending::default(),
        now: Now {
            wall: MONDAY,
            boot: "boot".into(),
            monotonic_ms: 1,
        },
        contact: None,
        certificate: None,
        schema: SCHEMA,
        pull: Some(wire::Pull {
            scopes: [(scope, frames)].into(),
            ..wire::Pull::default()
        }),
        mutations: Vec::new(),
        proofs: Vec::new(),
        witness: Vec::new(),
    };
    serde_json::to_value(request).unwrap()
}

fn household(n: u32) -> String {
    json!({
        "grid": GRID,
        "household": {
            "id": format!("00000000-0000-7000-8000-0000000{n:05}"),
            "place": {"compound": "小区", "building": "1", "unit": "1", "room": n.to_string()},
        },
        "people": [],
    })
    .to_string()
}

/// Reads the lines of an answer: the first one, and the number of rows in those after it.
fn read(lines: &[u8]) -> (wire::Answer, usize) {
    let text = std::str::from_utf8(lines).unwrap();
    assert!(text.ends_with('\n'));
    let mut lines = text.lines();
    let answer = serde_json::from_str(lines.next().unwrap()).unwrap();
    let frames: Vec<wire::Frame> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(frames.last().is_some_and(|frame| frame.last));
    (answer, frames.iter().map(|frame| frame.rows.len()).sum())
}

#[tokio::test]
async fn a_first_sync_is_lines_of_an_answer_and_its_frames_packed_or_plain() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let people: Vec<String> = (0..2_000).map(household).collect();
    world.command(Command::ImportPeople, &people).await;

    let asked = first_sync(&phone);
    let plain = world.post("/v1/sync", Some(&phone.bearer), &asked).await;
    let headers = [
        ("content-type", "application/json"),
        ("accept-encoding", "br, gzip;q=0.8"),
    ];
    let bearer = Some(phone.bearer.as_str());
    let body = Body::from(asked.to_string());
    let packed = world
        .send(request(Method::POST, "/v1/sync", bearer, &headers, body))
        .await;

    assert_eq!(plain.header("content-type"), "application/x-ndjson");
    assert_eq!(plain.header("content-encoding"), "");
    let (answer, rows) = read(&plain.body);
    assert_eq!(rows, 2_000);
    assert!(
        answer
            .grants
            .unwrap()
            .contains(&Scope::General(GRID.into()))
    );
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 3 < plain.body.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(packed.body.as_slice())
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(read(&unpacked).1, 2_000);
}

#[tokio::test]
async fn a_code_that_has_begun_its_work_is_used() {
    let world = World::new().await;
    let code = world.code("W1").await;
    let asked = enrolment(&code, &[1; 32]);
    let enrolled = world.post("/v1/enrol", None, &asked).await;
    let enrolled: EnrolAnswer = serde_json::from_slice(&enrolled.body).unwrap();
    let phone = Phone {
        enrolment: enrolled.enrolment,
        bearer: format!("{}.{}", enrolled.enrolment, hex::encode([1; 32])),
    };

    let synced = world
        .post("/v1/sync", Some(&phone.bearer), &first_sync(&phone))
        .await;
    assert_eq!(synced.status, 200);

    let again = world.post("/v1/enrol", None, &asked).await;
    assert_eq!(
        (again.status.as_u16(), again.refusal().as_str()),
        (403, "code-used")
    );
}

#[tokio::test]
async fn what_waits_on_a_phone_shows_on_the_radar() {
    let world = World::new().await;
    let phone = world.phone("W1").await;
    let head = world.desk("head", "grid-head", GRID).await;
    let mut asked = first_sync(&phone);
    asked["pending"] = json!({"mutations": 3, "blobs": 2, "bytes": 700, "oldest": MONDAY});
    asked["now"]["wall"] = json!(MONDAY + 3_600_000);

    world.post("/v1/sync", Some(&phone.bearer), &asked).await;

    let radar = world.get("/v1/desk/radar", Some(&head)).await.json();
    let blip = &radar["phones"][0];
    assert_eq!(
        (blip["mutations"].as_u64(), blip["bytes"].as_u64()),
        (Some(3), Some(700))
    );
    assert_eq!(blip["clock_is_wrong"], true);
    assert_eq!(blip["last_contact"], MONDAY);
}
