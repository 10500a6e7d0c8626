//! What a phone shows of a history that was lost lends it nothing that it had not had there.

use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::rights::Role;
use pocketbook_server::store::records;
use pocketbook_tests::world::{HandMade, World};
use serde_json::json;

/// Whether a home counts as taken in a history that was lost.
fn is_retold(world: &World, home: pocketbook_records::ids::RecordId) -> bool {
    let server = world.town().server();
    let made = server.read(|store| records::find(store, &HOUSEHOLD, home));
    let created = made.expect("it reads").expect("it is there").created;
    created.origin != created.commit
}

async fn hand_made(world: &World, name: &str) -> HandMade {
    let user = world.account(name).await;
    let grid = world.grid(0);
    world.grant(user, name, Role::GridWorker, &grid).await;
    HandMade::enrol(world.town(), name, &world.code(name).await.code).await
}

#[tokio::test]
async fn a_true_proof_is_about_one_content_of_one_account() {
    let world = World::new(102).await;
    let grid = world.grid(0);
    let (wang, li) = (hand_made(&world, "王").await, hand_made(&world, "李").await);
    let backup = world.town().backs_up("night").await;
    let homes = [(); 3].map(|()| wang.creation(&HOUSEHOLD, json!({"grid": grid})));
    let [first, second, third] = homes.each_ref().map(|home| wang.numbers(home));
    let work = vec![first.clone(), second.clone(), third.clone()];
    let proofs = wang.asks(&wang.request(work)).await.answer.receipts;
    world.town().restores(&backup);

    // 李 shows it for the very same content.
    let mut stolen = li.numbers(&homes[0]);
    stolen.mid = first.mid;
    let mut request = li.request(vec![stolen]);
    request.proofs = proofs.clone();
    li.asks(&request).await;
    // 王 shows it for another content, and for what it is about.
    let other = wang.creation(&HOUSEHOLD, json!({"grid": grid, "tenure": "rent"}));
    wang.takes_back_number();
    wang.takes_back_number();
    wang.takes_back_number();
    let mut forged = wang.numbers(&other);
    forged.mid = second.mid;
    let mut true_one = wang.numbers(&homes[2]);
    true_one.mid = third.mid;
    let mut request = wang.request(vec![forged, true_one]);
    request.proofs = proofs;
    wang.asks(&request).await;

    assert!(!is_retold(&world, homes[0].id), "another account's");
    assert!(!is_retold(&world, other.id), "another content's");
    assert!(is_retold(&world, homes[2].id), "and its own it does prove");
}
