//! Cursors that this server never gave.

use std::collections::BTreeMap;

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::mutation::Frozen;
use pocketbook_records::receipt::Outcome;
use pocketbook_records::rights::Role;
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Ask, Entry, Key, Mode, Pull, Refused, Request};
use pocketbook_server::admin::wire::Command;
use pocketbook_tests::world::handmade::receipts;
use pocketbook_tests::world::{HandMade, World};
use serde_json::json;

async fn phone(world: &World) -> HandMade {
    let user = world.account("王").await;
    world
        .grant(user, "王", Role::GridWorker, &world.grid(0))
        .await;
    HandMade::enrol(world.town(), "王", &world.code("王").await.code).await
}

/// Reads the cursors that a phone has after its first sync.
async fn cursors(phone: &HandMade) -> BTreeMap<Scope, String> {
    let heard = phone.asks(&phone.pull(&Mode::Frames { after: None })).await;
    heard
        .answer
        .scopes
        .into_iter()
        .map(|(scope, page)| (scope, page.cursor))
        .collect()
}

fn asking(phone: &HandMade, scope: &Scope, cursor: &str) -> Request {
    let ask = Ask {
        cursor: Some(cursor.to_owned()),
        mode: Mode::Pages,
    };
    let scopes = BTreeMap::from([(scope.clone(), ask)]);
    Request {
        pull: Some(Pull {
            scopes,
            ..Pull::default()
        }),
        ..phone.request(vec![])
    }
}

#[tokio::test]
async fn a_cursor_of_another_server_or_the_future_is_refused_and_work_is_taken_all_the_same() {
    let world = World::new(131).await;
    let other = World::new(132).await;
    let (wang, foreign) = (phone(&world).await, phone(&other).await);
    for (world, phone) in [(&world, &wang), (&other, &foreign)] {
        let home = phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0)}));
        phone.hands_in(vec![phone.numbers(&home)]).await;
    }
    let general = Scope::General(world.grid(0));
    let (mine, theirs) = (cursors(&wang).await, cursors(&foreign).await);
    let own = mine[&general].clone();
    let mut parts = own.splitn(3, '.');
    let (epoch, seq) = (
        parts.next().expect("an epoch"),
        parts.next().expect("a sequence"),
    );
    let rest = parts.next().expect("a commit and a code").to_owned();
    let ahead = format!(
        "{epoch}.{}.{rest}",
        seq.parse::<u64>().expect("a number") + 1_000
    );
    let (through, mac) = rest.split_once('.').expect("a code after the commit");
    let further = through.parse::<u64>().expect("a number") + 1;
    let further = format!("{epoch}.{seq}.{further}.{mac}");

    let table = [
        ("another server's", theirs[&general].clone()),
        (
            "another scope's",
            mine[&Scope::Sensitive(world.grid(0))].clone(),
        ),
        ("of the future", ahead),
        ("read further than it was", further),
        ("without its code", format!("{epoch}.{seq}")),
        ("empty", String::new()),
        ("garbage", "不是游标".to_owned()),
        ("endless", "9".repeat(10_000)),
    ];
    crate::table::counted("cursors", table.len());
    for (what, cursor) in table {
        let work = wang.numbers(&wang.creation(&HOUSEHOLD, json!({"grid": world.grid(0)})));
        let mid = work.mid;
        let request = Request {
            mutations: vec![work],
            ..asking(&wang, &general, &cursor)
        };
        let heard = wang.asks(&request).await;
        assert_eq!(heard.answer.refused, Some(Refused::BadCursor), "{what}");
        assert!(
            !heard.answer.scopes.contains_key(&general),
            "{what}: no page is sent"
        );
        let word = receipts(&heard.answer)
            .into_iter()
            .find(|word| word.mid == mid);
        assert_eq!(
            word.map(|word| word.outcome),
            Some(Outcome::Applied),
            "{what}"
        );
    }
    let fine = wang.asks(&asking(&wang, &general, &own)).await;
    assert_eq!(fine.answer.refused, None);
    assert!(!fine.answer.scopes[&general].entries.is_empty());
}

/// A cursor says what its holder has been sent. Whoever shows another's is named what he may read
/// anyhow, gets it whole for the asking, and hears nothing of what he may not read.
#[tokio::test]
async fn a_cursor_of_somebody_else_opens_nothing() {
    let world = World::new(134).await;
    let (grid, other) = (world.grid(0), world.grid(1));
    let wang = phone(&world).await;
    let home = wang.creation(&HOUSEHOLD, json!({"grid": grid}));
    let person = wang.creation(&PERSON, json!({"household": home.id, "name": "甲"}));
    let stays = wang.creation(&HOUSEHOLD, json!({"grid": grid}));
    let work = [&home, &person, &stays].map(|work| wang.numbers(work));
    wang.hands_in(work.into()).await;
    let (here, there) = (Scope::General(grid.clone()), Scope::General(other.clone()));
    let hers = cursors(&wang).await[&here].clone();
    let user = world.account("冯").await;
    world.grant(user, "冯", Role::GridWorker, &other).await;
    let feng = HandMade::enrol(world.town(), "冯", &world.code("冯").await.code).await;
    let moved = Command::MoveHouseholds {
        from: grid,
        to: other,
        all: false,
    };
    world.town().does(moved, vec![home.id.to_string()]).await;

    let key = |work: &Frozen| Key {
        kind: work.kind.clone(),
        id: work.id,
    };
    let mut request = asking(&feng, &here, &hers);
    let pull = request.pull.as_mut().expect("it pulls");
    pull.takes_links = true;
    pull.want = vec![key(&person), key(&stays)];
    pull.scopes.insert(
        there.clone(),
        Ask {
            cursor: None,
            mode: Mode::Pages,
        },
    );
    let heard = feng.asks(&request).await;

    assert!(!heard.answer.scopes.contains_key(&here));
    let told = &heard.answer.scopes[&there].entries;
    let [Entry::Put(household), Entry::Link(named)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((household.id, named.id), (home.id, person.id));
    let bodies: Vec<_> = heard.answer.bodies.iter().map(|put| put.id).collect();
    assert_eq!(bodies, [person.id], "and nothing of the home that stayed");
}

#[tokio::test]
async fn a_phone_whose_cursor_is_refused_reads_anew_and_keeps_its_outbox() {
    let world = World::new(133).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.offline();
    let visit = wang.visits(wang.flat(0), "一切正常");

    // Its cursors are spoiled on the disk.
    let connection = open(&wang.database());
    if let Some(connection) = connection {
        let spoiled = connection.execute("UPDATE scope SET cursor = cursor || 'x'", []);
        assert!(spoiled.expect("the database is in clear") > 0);
        drop(connection);
        wang.online();
        let _ = wang.sync().await;
        wang.syncs().await;
        assert_eq!(wang.home(wang.flat(0)).visits[0].id, visit);
        world.check(&[&wang]).await;
    }
}

/// Opens a phone's database beside the app; none where it is encrypted.
#[expect(
    clippy::disallowed_methods,
    reason = "the test is the fault that spoils the file"
)]
fn open(path: &std::path::Path) -> Option<rusqlite::Connection> {
    if pocketbook_sqlite::is_encryption_built() {
        return None;
    }
    Some(rusqlite::Connection::open(path).expect("the database opens"))
}
