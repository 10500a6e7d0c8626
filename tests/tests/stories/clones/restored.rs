//! A server that is set back behind the moment in which two phones were told apart.

use pocketbook_server::admin::wire::Command;
use serde_json::json;

use super::{all_sync, knocks, one, visits};

#[tokio::test]
async fn a_server_set_back_behind_a_parting_is_taught_all_of_it() {
    let (world, wang) = one(835).await;
    let flat = wang.flat(0);
    let backup = world.town().backs_up("night").await;
    let copy = wang.is_copied_onto("copy");
    for phone in [&wang, &copy] {
        phone.knocks(flat);
        phone.visits(flat, &format!("{phone:?}"));
    }
    all_sync(&[&wang, &copy]).await;
    copy.knocks(flat);
    copy.syncs().await;
    assert_eq!(knocks(&world, flat), json!(4));

    world.town().restores(&backup);
    copy.sync().await.ok();
    let unblock = Command::Unblock {
        user: "王".to_owned(),
    };
    world.town().does(unblock, vec![]).await;
    for _ in 0..4 {
        world.hours_pass(1);
        for phone in [&wang, &copy] {
            phone.sync().await.ok();
        }
    }

    all_sync(&[&wang, &copy]).await;
    assert_eq!(knocks(&world, flat), json!(4));
    assert_eq!(visits(&world), 3);
    world.check(&[&wang, &copy]).await;
}

#[tokio::test]
async fn a_server_set_back_behind_a_second_code_is_taught_all_of_it() {
    let (world, wang) = one(836).await;
    let flat = wang.flat(0);
    let backup = world.town().backs_up("night").await;
    wang.knocks(flat);
    wang.syncs().await;
    wang.enrols(&world.code("王").await.code).await;
    wang.knocks(flat);
    wang.syncs().await;

    world.town().restores(&backup);
    wang.sync().await.ok();
    let unblock = Command::Unblock {
        user: "王".to_owned(),
    };
    world.town().does(unblock, vec![]).await;
    world.hours_pass(1);
    wang.sync().await.ok();

    all_sync(&[&wang]).await;
    assert_eq!(knocks(&world, flat), json!(3));
    world.check(&[&wang]).await;
}
