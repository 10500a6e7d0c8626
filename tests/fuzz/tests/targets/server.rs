//! The server's doors: whatever a phone hands in gets a word, whatever a request says is refused in
//! words, whatever an editor or an operator hands over is taken or named; and the database is sound
//! afterwards.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use pocketbook_fuzz::{folder, vary};
use pocketbook_records::ids::BlobHash;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Role;
use pocketbook_records::wire::{Manifest, Mode};
use pocketbook_server::admin::wire::{Command, Level, Outcome as Done};
use pocketbook_server::book;
use pocketbook_tests::world::{Desk, HandMade, Reply, World, check};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use crate::device::Device;

/// A district with somebody who hands in; inputs follow one another in it.
struct District {
    runtime: Runtime,
    world: World,
    worker: HandMade,
    head: HandMade,
    clerk: Desk,
}

impl District {
    fn new(seed: u64) -> AssertUnwindSafe<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let (world, worker, head, clerk) = runtime.block_on(async {
            let world = World::new(seed).await;
            let worker = enrolled(&world, "王", Role::GridWorker).await;
            let head = enrolled(&world, "赵", Role::GridHead).await;
            let clerk = world.street_desk("陈").await;
            (world, worker, head, clerk)
        });
        AssertUnwindSafe(Self {
            runtime,
            world,
            worker,
            head,
            clerk,
        })
    }

    /// Fails unless the district can go on: the doctor finds nothing, and a phone that comes new
    /// holds what the server holds.
    fn is_sound(&self) {
        self.runtime.block_on(async {
            let Done::Findings { findings } =
                self.world.town().does(Command::Doctor, Vec::new()).await
            else {
                panic!("a doctor finds something");
            };
            for finding in findings {
                let is_wrong = finding.level == Level::Alarm && !finding.about.contains("backup");
                assert!(!is_wrong || finding.about.contains("space"), "{finding:?}");
            }
            self.world.town().restarts();
            let grid = self.world.grid(0);
            let feng = self.world.worker("冯", &grid).await;
            feng.syncs().await;
            let found = check::compare(self.world.town(), &[&feng])
                .await
                .differences;
            // Nobody has uploaded the photos that the inputs name.
            let wrong = found.iter().filter(|text| !text.contains(" 404 for "));
            assert_eq!(wrong.count(), 0, "{found:#?}");
        });
    }
}

async fn enrolled(world: &World, name: &str, role: Role) -> HandMade {
    let user = world.account(name).await;
    world.grant(user, name, role, &world.grid(0)).await;
    HandMade::enrol(world.town(), name, &world.code(name).await.code).await
}

/// Hands a list of contents in, by a worker and a head in turn. `@flat`, `@case`, `@grid` and `@new`
/// stand for a household and a case that are there, their grid, and an id that is not.
async fn hand_in(district: &District, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (world, worker) = (&district.world, &district.worker);
    let grid = world.grid(0);
    let home = worker.creation(&HOUSEHOLD, json!({"grid": grid, "tenure": "own"}));
    let at = serde_json::to_string(&worker.at()).expect("plain data");
    let case = worker.uuid();
    let report = format!(
        r#"{{"schema":1,"kind":"case","id":"{case}","op":"create","at":{at},
            "set":[{{"path":"grid","to":"{grid}"}},{{"path":"category","to":"E0205"}},{{"path":"place","to":"东门"}}],
            "command":{{"name":"report","expect":{{"state":"draft","turn":0}}}}}}"#
    );
    let text = text
        .replace("@flat", &home.id.to_string())
        .replace("@case", &case.to_string())
        .replace("@grid", &grid.0)
        .replace("@new", &worker.uuid().to_string());
    let Ok(contents) = serde_json::from_str::<Vec<Box<RawValue>>>(&text) else {
        return;
    };
    let first = vec![worker.numbers(&home), worker.numbers_text(&report)];
    for word in worker.hands_in(first).await {
        assert_eq!(word.outcome, Outcome::Applied, "{word:?}");
    }
    for (n, content) in contents.iter().take(12).enumerate() {
        let phone = [worker, &district.head][n % 2];
        let words = phone
            .hands_in(vec![phone.numbers_text(content.get())])
            .await;
        assert_ne!(
            words[0].reason,
            Some(Reason::ServerFault),
            "the server fails at {}",
            content.get()
        );
    }
    let pulled = worker
        .asks(&worker.pull(&Mode::Frames { after: None }))
        .await;
    assert_eq!(pulled.answer.refused, None);
}

/// Sends a request as it stands in the input: method and address, headers, an empty line, a body.
/// `@hash` stands for a file that was announced.
async fn ask(district: &District, hash: &str, bytes: &[u8]) {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head).replace("@hash", hash);
    let mut lines = head.lines();
    let Some((method, path)) = lines.next().and_then(|line| line.split_once(' ')) else {
        return;
    };
    // Who may not ask is a table's affair: here everybody may.
    let client = match path.starts_with("/v1/desk") {
        true => district.clerk.client(),
        false => district.worker.client(),
    };
    let bearer = format!("Bearer {}", client.bearer().unwrap_or_default());
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("authorization", bearer);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Body::from(body.to_vec())) else {
        return;
    };
    let answer = district.world.town().answers(request).await;
    let (parts, body) = answer.expect("the server runs").into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("whole");
    let status = parts.status.as_u16();
    assert!(status < 500, "{status} to {head}");
    let number = |name: &str| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(value.parse::<u64>().expect("our own header"))
    };
    if let (Some(offset), Some(length)) = (number("upload-offset"), number("upload-length")) {
        assert!((1..=32 * 1024 * 1024).contains(&length), "{length}");
        assert!(offset <= length);
    }
    if status >= 400 && method != "HEAD" {
        let reply = Reply {
            status,
            headers: parts.headers,
            body,
        };
        assert_eq!(reply.problem().status, status);
    }
}

/// Publishes an edition. What is published is read by a phone as it was written.
async fn publish(district: &District, bytes: &[u8]) {
    let Ok(files) = serde_json::from_slice::<Vec<book::folder::PartFile>>(bytes) else {
        return;
    };
    let server = district.world.town().server();
    if book::publish(&server, &files).await.is_err() {
        return;
    }
    let unit = district.world.community();
    let signed = book::manifest(&server, &unit).expect("it was published");
    let manifest: Manifest = serde_json::from_str(signed.manifest.get()).expect("a manifest");
    let mut parts = Vec::new();
    for part in &manifest.parts {
        let bytes = book::part(&server, part.hash).expect("the shelf reads");
        let bytes = bytes.expect("what a manifest names is on the shelf");
        assert_eq!(bytes.len() as u64, part.bytes);
        assert_eq!(BlobHash::of(&bytes), part.hash);
        parts.push((part.hash, bytes));
    }
    let device = Device::new();
    let stored = device.store.put_book(&signed, &manifest, &parts);
    stored.expect("a phone takes what was published");
    let listed: u64 = device
        .store
        .book_parts()
        .expect("lists")
        .iter()
        .map(|p| p.articles)
        .sum();
    let mut hashes: Vec<_> = manifest
        .parts
        .iter()
        .map(|part| (part.hash, part.articles))
        .collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(
        listed,
        hashes.iter().map(|(_, articles)| articles).sum::<u64>()
    );
    device.is_sound();
}

/// Imports lines of household files: each is taken or named, and the others go on.
async fn import(district: &District, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let text = text.replace("@grid", &district.world.grid(0).0);
    let lines: Vec<String> = text.lines().take(6).map(str::to_owned).collect();
    let count = u64::try_from(lines.len()).expect("a few lines");
    let (_, bad) = district
        .world
        .town()
        .tries(Command::ImportPeople, lines)
        .await;
    assert!(
        bad.iter().all(|number| (1..=count).contains(number)),
        "{bad:?}"
    );
}

#[test]
fn hand_ins() {
    let district = District::new(201);
    let run = |bytes: &[u8]| district.runtime.block_on(hand_in(&district, bytes));
    bolero::check!(name = folder("hand_ins"))
        .with_iterations(0)
        .with_shrink_time(Duration::ZERO)
        .for_each(run);
    vary("hand_ins", 50, run);
    district.is_sound();
}

#[test]
fn requests() {
    let hash = BlobHash::of(b"twelve bytes").to_string();
    let district = District::new(202);
    let run = |bytes: &[u8]| district.runtime.block_on(ask(&district, &hash, bytes));
    bolero::check!(name = folder("requests"))
        .with_iterations(0)
        .with_shrink_time(Duration::ZERO)
        .for_each(run);
    vary("requests", 600, run);
    district.is_sound();
}

#[test]
fn editions() {
    let district = District::new(203);
    let run = |bytes: &[u8]| district.runtime.block_on(publish(&district, bytes));
    bolero::check!(name = folder("editions"))
        .with_iterations(0)
        .with_shrink_time(Duration::ZERO)
        .for_each(run);
    vary("editions", 100, run);
    district.is_sound();
}

#[test]
fn imports() {
    let district = District::new(204);
    let run = |bytes: &[u8]| district.runtime.block_on(import(&district, bytes));
    bolero::check!(name = folder("imports"))
        .with_iterations(0)
        .with_shrink_time(Duration::ZERO)
        .for_each(run);
    vary("imports", 150, run);
    district.is_sound();
}
