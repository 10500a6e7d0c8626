//! Canaries: values of a person that must not be found where none belong.
//!
//! A day with people, conflicts, parked work, bad input, a backup and a restore is played while
//! every line that device and server log is kept, down to *trace*. Then everything that was logged,
//! refused, asked for or written is searched for the day's names, numbers, phones, addresses and
//! words.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_tests::data::households;
use pocketbook_tests::world::handmade::HandMade;
use pocketbook_tests::world::pictures::photo;
use pocketbook_tests::world::{Fault, On, Phone, World, files_with};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

const NOTE: &str = "金丝雀走访记录";
const PLACE: &str = "金丝雀巷七号";
const TEXT: &str = "金丝雀井盖缺失";
const CALLER: &str = "金丝雀来电人";
const CALLER_PHONE: &str = "15499990001";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn is_database(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.ends_with(".db") || name.ends_with(".db-wal"))
}

/// Bad input that carries a canary; whatever is answered must not repeat it.
async fn tries_bad_input(phone: &HandMade, canary: &str, refusals: &mut Vec<u8>) {
    let client = phone.client();
    let bodies = [
        format!("{{\"{canary}\":1"),
        format!("\"{canary}\""),
        json!({"proto": [canary, 1]}).to_string(),
        json!({"mid": canary, "login": canary, "hashes": [canary]}).to_string(),
        "x".repeat(10) + canary,
    ];
    let paths = [
        "/v1/sync",
        "/v1/enrol",
        "/v1/thumbnails",
        "/v1/desk/session",
        "/v1/desk/cases",
        "/v1/desk/cases/not-an-id/commands/accept",
    ];
    for path in paths {
        for body in &bodies {
            let json = [("content-type", "application/json")];
            let reply = client.sends("POST", path, &json, body.clone()).await;
            assert!(reply.status >= 400, "{path} {}", reply.status);
            refusals.extend_from_slice(&reply.body);
        }
    }
    let mutation = phone.numbers_text(&json!({ canary: canary }).to_string());
    let reply = phone.sends(&phone.request(vec![mutation])).await;
    refusals.extend_from_slice(&reply.body);
}

async fn plays_a_day(world: &World, wang: &Phone, li: &Phone, refusals: &mut Vec<u8>) {
    let grid = world.grid(0);
    let chen = world.street_desk("陈").await;
    let home = wang.flat(0);
    wang.visits(home, NOTE);
    wang.reports_cover(&grid, PLACE, &[photo(0)]);
    wang.syncs().await;
    li.syncs().await;
    let made = json!({
        "mid": chen.mid(), "grid": grid, "category": "C0101", "place": PLACE, "text": TEXT,
        "source": "12345", "caller": CALLER, "phone": CALLER_PHONE,
    });
    chen.client().posts("/v1/desk/cases", &made).await.ok();
    wang.offline();
    li.notes_tenure(home, "rented");
    wang.notes_tenure(home, "borrowed");
    li.syncs().await;
    wang.online();
    wang.line().next(On::Sync, Fault::CutAnswer(200));
    let _ = wang.sync().await;
    wang.syncs().await;
    let code = world.code("李").await.code;
    let handmade = HandMade::enrol(world.town(), "李", &code).await;
    for canary in [NOTE, CALLER, CALLER_PHONE] {
        tries_bad_input(&handmade, canary, refusals).await;
    }
    let tries = wang.tries_to_enter(&wang.sees(&HOUSEHOLD, home), "no_such_field", json!(CALLER));
    refusals.extend_from_slice(format!("{tries:?}").as_bytes());
    if let Err(error) = tries {
        refusals.extend_from_slice(error.to_string().as_bytes());
    }
    let backup = world.town().backs_up("backup").await;
    wang.visits(home, NOTE);
    wang.syncs().await;
    world.town().restores(&backup);
    for phone in [wang, li] {
        phone.syncs().await;
        phone.syncs().await;
    }
}

#[tokio::test]
async fn nothing_of_a_person_is_found_where_it_does_not_belong() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // For the whole program: what a thread alone listens to, other tests may have switched off.
    tracing::subscriber::set_global_default(lines).expect("nobody listens yet");
    let world = World::new(1711).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    world.settle(&grid, 20).await;
    world.settle(&other, 4).await;
    let wang = world.worker("王", &grid).await;
    world
        .grant(wang.user(), "王", Role::GridWorker, &other)
        .await;
    let li = world.worker("李", &grid).await;
    wang.syncs().await;
    li.syncs().await;
    let people = households(1711, &grid.0, 20).flat_map(|line| line.people);
    let resident = people
        .into_iter()
        .find(|person| person.phone.is_some() && person.id_number.is_some())
        .expect("somebody with a number and a phone");
    let number = resident.id_number.expect("a number");
    let phone = resident.phone.expect("a phone");
    let mut refusals = Vec::new();
    plays_a_day(&world, &wang, &li, &mut refusals).await;

    let sensitive = [number.as_str(), phone.as_str(), CALLER, CALLER_PHONE];
    let general = [resident.name.as_str(), NOTE, PLACE, TEXT];
    let logged = log.text();
    assert!(logged.lines().count() > 100, "the log was kept");
    let asked: String = [&wang, &li]
        .iter()
        .flat_map(|phone| phone.line().passed())
        .map(|passed| passed.request.path)
        .collect();
    let refused = String::from_utf8_lossy(&refusals);
    let data = world.town().folder();
    for canary in sensitive.iter().chain(&general) {
        assert!(!logged.contains(canary), "{canary} was logged");
        assert!(
            !refused.contains(canary),
            "{canary} was repeated: {refused}"
        );
        assert!(!asked.contains(canary), "{canary} stood in an address");
    }
    for canary in sensitive {
        let found = files_with(&data.join("server"), canary);
        assert!(found.is_empty(), "{canary} is in clear in {found:?}");
        let found = files_with(&data.join("backup"), canary);
        assert!(found.is_empty(), "{canary} is in clear in {found:?}");
    }
    for canary in general {
        let found = files_with(data, canary);
        assert!(
            found.iter().any(|path| is_database(path)),
            "{canary} is in the server's database, or the search is blind"
        );
        let elsewhere: Vec<_> = found.iter().filter(|path| !is_database(path)).collect();
        assert!(
            elsewhere.is_empty(),
            "{canary} is in clear in {elsewhere:?}"
        );
    }
    world.revoke(&wang, Role::GridWorker, &grid).await;
    wang.syncs().await;
    // His own work stays sealed until a backup holds it; what he only read is gone.
    for canary in [
        number.as_str(),
        phone.as_str(),
        resident.name.as_str(),
        TEXT,
    ] {
        let found = wang.files_with(canary);
        assert!(found.is_empty(), "{canary} is still in {found:?}");
    }
}
