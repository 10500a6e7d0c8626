//! Names and numbers of mutations used twice, by others, or out of order.

use pocketbook_records::ids::Mseq;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::Mutation;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::rights::Role;
use pocketbook_tests::world::check::Truth;
use pocketbook_tests::world::handmade::receipts;
use pocketbook_tests::world::{HandMade, World};
use serde_json::json;

async fn two_phones(seed: u64) -> (World, HandMade, HandMade) {
    let world = World::new(seed).await;
    let mut phones = Vec::new();
    for name in ["王", "李"] {
        let user = world.account(name).await;
        world
            .grant(user, name, Role::GridWorker, &world.grid(0))
            .await;
        phones.push(HandMade::enrol(world.town(), name, &world.code(name).await.code).await);
    }
    let li = phones.pop().expect("two were enrolled");
    let wang = phones.pop().expect("two were enrolled");
    (world, wang, li)
}

fn home(world: &World, phone: &HandMade) -> Mutation {
    phone.numbers(&phone.creation(&HOUSEHOLD, json!({"grid": world.grid(0)})))
}

#[tokio::test]
async fn a_name_that_another_phone_used_is_refused_loudly() {
    let (world, wang, li) = two_phones(121).await;
    let first = home(&world, &wang);
    wang.hands_in(vec![first.clone()]).await;
    let before = Truth::of(&world.town().server());

    let borrowed = Mutation {
        mid: first.mid,
        ..home(&world, &li)
    };
    let after = home(&world, &li);
    let words = li.hands_in(vec![borrowed, after]).await;

    assert_eq!(
        (words[0].outcome, words[0].reason.clone()),
        (Outcome::Rejected, Some(Reason::MidReused))
    );
    assert_eq!(words[1].outcome, Outcome::Applied);
    let truth = Truth::of(&world.town().server());
    assert!(
        before
            .records()
            .iter()
            .all(|(key, held)| truth.records().get(key) == Some(held))
    );
}

#[tokio::test]
async fn a_name_used_again_for_other_content_is_refused_loudly() {
    let (world, wang, _) = two_phones(122).await;
    let first = home(&world, &wang);
    wang.hands_in(vec![first.clone()]).await;

    let again = Mutation {
        mid: first.mid,
        ..home(&world, &wang)
    };
    let words = wang.hands_in(vec![again]).await;

    assert_eq!(
        (words[0].outcome, words[0].reason.clone()),
        (Outcome::Rejected, Some(Reason::MidReused))
    );
    let truth = Truth::of(&world.town().server());
    assert_eq!(truth.of_kind(&HOUSEHOLD).count(), 1);
}

#[tokio::test]
async fn a_repeat_gets_the_same_receipts_however_it_is_split() {
    let (world, wang, _) = two_phones(123).await;
    let work: Vec<_> = (0..5).map(|_| home(&world, &wang)).collect();
    let first = receipts(&wang.asks(&wang.request(work.clone())).await.answer);
    let commit = world.town().server().asof().commit;

    for split in [&work[..], &work[..2], &work[2..], &work[4..]] {
        let heard = wang.asks(&wang.request(split.to_vec())).await;
        assert_eq!(
            receipts(&heard.answer),
            first,
            "all words above what is settled, as they were"
        );
    }
    assert_eq!(world.town().server().asof().commit, commit);
}

#[tokio::test]
async fn a_batch_that_begins_too_late_is_told_where_to_begin_and_not_recorded() {
    let (world, wang, _) = two_phones(124).await;
    let work: Vec<_> = (0..4).map(|_| home(&world, &wang)).collect();
    wang.hands_in(work[..1].to_vec()).await;
    let commit = world.town().server().asof().commit;

    let heard = wang.asks(&wang.request(work[2..].to_vec())).await;

    assert_eq!(heard.answer.out_of_order, Some(Mseq(2)));
    assert_eq!(heard.answer.received_mseq, Mseq(1));
    assert_eq!(world.town().server().asof().commit, commit);
    let words = wang.hands_in(work[1..].to_vec()).await;
    assert!(words.iter().all(|word| word.outcome == Outcome::Applied));
}

#[tokio::test]
async fn a_number_used_for_two_works_loses_neither() {
    let (world, wang, _) = two_phones(125).await;
    let first = home(&world, &wang);
    wang.hands_in(vec![first.clone()]).await;

    // The same identity on another phone: the same number, another work.
    let other = Mutation {
        mseq: first.mseq,
        ..home(&world, &wang)
    };
    let reply = wang.sends(&wang.request(vec![other])).await;

    let told = match reply.status {
        200 => pocketbook_tests::world::handmade::heard(&reply)
            .answer
            .clone
            .map(|clone| clone.first_mseq),
        _ => {
            assert_eq!(reply.problem().kind, "clone");
            Some(first.mseq)
        }
    };
    assert_eq!(
        told,
        Some(first.mseq),
        "the phone is told from where on it is not alone"
    );
    let truth = Truth::of(&world.town().server());
    assert_eq!(
        truth.of_kind(&HOUSEHOLD).count(),
        1,
        "the first stays, the second keeps its work"
    );
}
