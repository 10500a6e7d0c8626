use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use pocketbook_records::ids::{EnrolmentId, Mseq};
use pocketbook_records::wire::{Answer, CloneFound, EnrolAgain, Mode, Request};
use uuid::Uuid;

use super::*;
use crate::engine::testing::{
    Said, World, empty_answer, enrol_answer, frame, good, good_answer, my_scope, read_request,
};
use crate::engine::{Credential, Reason};
use crate::store::status::SyncState;

/// Answers the nth exchange by `answer`, with commits that grow.
fn nth(
    mut answer: impl FnMut(u32, &crate::seams::Request) -> Result<Said, TransportError> + Send + 'static,
) -> impl FnMut(&crate::seams::Request) -> Result<Said, TransportError> + Send {
    let count = AtomicU32::new(0);
    move |request| answer(count.fetch_add(1, Ordering::SeqCst) + 1, request)
}

#[tokio::test]
async fn a_burst_ends_when_everything_is_in_step() {
    let world = World::new();
    world.author();
    world.line.answers(nth(|n, request| Ok(good(request, n))));

    let report = world.engine().sync_once(Reason::Asked).await.unwrap();

    assert_eq!(world.waiting(), 0);
    assert_eq!((report.handed_in, report.settled), (1, 1));
    assert_eq!(world.store.status().unwrap().state, SyncState::Synced);
    assert!(world.store.status().unwrap().last_success.is_some());
}

#[tokio::test]
async fn nothing_that_is_no_receipt_takes_anything_out_of_the_outbox() {
    for said in [
        || Said::html(200),
        || Said::html(413),
        || Said::problem(400, "malformed"),
        || Said::problem(401, "unknown"),
        || Said::problem(403, "locked"),
        || Said::problem(503, "busy"),
        || Said::html(500),
        || Said::status(204),
        || Said::lines(&empty_answer(1), &[]),
        || Said::lines(&empty_answer(1), &[]).cut_after(30),
        || Said::lines(&empty_answer(1), &[]).packed().cut_after(30),
    ] {
        let world = World::new();
        world.author();
        world.line.answers(move |_| Ok(said()));

        let ended = world.engine().sync_once(Reason::Asked).await;

        assert!(ended.is_err());
        assert_eq!(world.waiting(), 1);
        assert!(world.line.asked().len() < 20, "hammers the server");
    }
}

#[tokio::test]
async fn without_network_nothing_is_sent_and_the_worker_is_told() {
    let world = World::new();
    world.phone.0.store(false, Ordering::SeqCst);

    let ended = world.engine().sync_once(Reason::Asked).await;

    assert!(matches!(
        ended,
        Err(SyncError::Transport(TransportError::Offline))
    ));
    assert!(world.line.asked().is_empty());
}

#[tokio::test]
async fn a_first_sync_that_breaks_off_goes_on_after_the_last_row() {
    let world = World::new();
    let frames = [
        frame(my_scope(), 1, &[1, 2], false),
        frame(my_scope(), 1, &[3], true),
    ];
    let rest = frames[1..].to_vec();
    world.line.answers(nth(move |n, request| {
        let answer = good_answer(&read_request(request), 1);
        Ok(match n {
            1 => Said::lines(&answer, &frames)
                .cut_after(Said::lines(&answer, &frames[..1]).body_len() + 5),
            2 => Said::lines(&answer, &rest),
            _ => Said::lines(&answer, &[]),
        })
    }));

    let report = world.engine().sync_once(Reason::Opened).await.unwrap();

    let asked = |n: usize| world.exchanges()[n].pull.clone().unwrap().scopes[&my_scope()].clone();
    assert_eq!(report.rows, 3);
    assert_eq!(asked(0).mode, Mode::Frames { after: None });
    let Mode::Frames { after: Some(after) } = asked(1).mode else {
        panic!("starts anew")
    };
    assert_eq!(after.id.0.as_u128(), 2);
    assert_eq!(asked(2).mode, Mode::Pages);
    assert_eq!(world.store.status().unwrap().state, SyncState::Synced);
}

#[tokio::test]
async fn pull_works_while_hand_in_fails() {
    let world = World::new();
    world.author();
    world.line.answers(nth(|n, request| {
        let has_work = !read_request(request).mutations.is_empty();
        Ok(if has_work {
            Said::html(500)
        } else {
            good(request, n)
        })
    }));

    let ended = world.engine().sync_once(Reason::Asked).await;

    assert!(matches!(ended, Err(SyncError::ServerFault { status: 500 })));
    assert_eq!(world.waiting(), 1);
    let status = world.store.status().unwrap();
    assert_eq!(status.state, SyncState::Waiting);
    assert!(status.last_contact.is_some());
}

#[tokio::test]
async fn hand_in_works_while_pull_fails() {
    let world = World::new();
    world.author();
    world.line.answers(nth(|n, request| {
        let pulls = read_request(request).pull.is_some();
        Ok(if pulls {
            Said::html(500)
        } else {
            good(request, n)
        })
    }));

    let ended = world.engine().sync_once(Reason::Asked).await;

    assert!(matches!(ended, Err(SyncError::ServerFault { status: 500 })));
    assert_eq!(world.waiting(), 0);
}

#[tokio::test]
async fn a_proxy_that_lets_little_through_gets_little_at_once() {
    let world = World::new();
    for _ in 0..400 {
        world.author();
    }
    world.line.answers(nth(|n, request| {
        let mutations = read_request(request).mutations.len();
        Ok(if mutations > 50 {
            Said::html(413)
        } else {
            good(request, n)
        })
    }));

    world.engine().sync_once(Reason::Asked).await.unwrap();

    assert_eq!(world.waiting(), 0);
}

#[tokio::test]
async fn a_batch_that_began_too_late_is_sent_again_from_where_the_server_says() {
    let world = World::new();
    world.author();
    world.author();
    world.line.answers(nth(|n, request| {
        let mut answer = good_answer(&read_request(request), n);
        if n == 1 {
            answer.receipts.clear();
            answer.out_of_order = Some(Mseq(1));
        }
        Ok(Said::lines(&answer, &[frame(my_scope(), n, &[], true)]))
    }));

    world.engine().sync_once(Reason::Asked).await.unwrap();

    assert_eq!(world.waiting(), 0);
    assert_eq!(world.exchanges()[1].mutations[0].mseq.0, 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_authored_twice() {
    let world = World::new();
    world.author();
    let engine = world.engine();
    world.line.answers(|_| Err(TransportError::Cut));
    assert!(engine.sync_once(Reason::Asked).await.is_err());

    world.line.answers(nth(|n, request| Ok(good(request, n))));
    engine.sync_once(Reason::Asked).await.unwrap();

    let sent: Vec<_> = world
        .exchanges()
        .iter()
        .flat_map(|r| r.mutations.iter().map(|m| m.mid))
        .collect();
    assert!(sent.len() >= 2 && sent.iter().all(|mid| *mid == sent[0]));
    assert_eq!(world.waiting(), 0);
}

#[tokio::test]
async fn a_server_that_asks_for_quiet_gets_it() {
    let world = World::new();
    let engine = world.engine();
    world
        .line
        .answers(|_| Ok(Said::html(503).header("retry-after", 60)));
    let first = engine.sync_once(Reason::Asked).await;
    assert!(matches!(
        first,
        Err(SyncError::Busy {
            retry_after_ms: 60_000
        })
    ));

    let second = engine.sync_once(Reason::Asked).await;

    assert!(matches!(second, Err(SyncError::NotYet { ms: 60_000.. })));
    assert_eq!(world.line.asked().len(), 1);
}

#[tokio::test]
async fn work_authored_during_an_exchange_goes_in_the_same_burst() {
    let world = Arc::new(World::new());
    let engine = Arc::new(world.engine());
    let (author, kicks) = (Arc::downgrade(&world), Arc::downgrade(&engine));
    world.line.answers(nth(move |n, request| {
        let said = good(request, n);
        if n == 1 {
            author.upgrade().unwrap().author();
            kicks.upgrade().unwrap().kick(Reason::Authored);
        }
        Ok(said)
    }));

    engine.sync_once(Reason::Opened).await.unwrap();

    assert_eq!(world.waiting(), 0);
}

#[tokio::test]
async fn stopping_ends_a_burst_and_leaves_everything_due() {
    let world = World::new();
    world.author();
    let engine = Arc::new(world.engine());
    let to_stop = Arc::downgrade(&engine);
    world.line.answers(move |_| {
        to_stop.upgrade().unwrap().stop();
        Ok(Said::html(500))
    });

    let ended = engine.sync_once(Reason::Asked).await;

    assert!(matches!(ended, Err(SyncError::Stopped)));
    assert_eq!(world.ears.0.lock().unwrap().last(), Some(&SyncEvent::Ended));
    world.line.answers(nth(|n, request| Ok(good(request, n))));
    engine.sync_once(Reason::Timer).await.unwrap();
    assert_eq!(world.waiting(), 0);
}

#[tokio::test]
async fn running_asks_for_news_from_time_to_time_until_it_is_stopped() {
    let world = World::new();
    let engine = Arc::new(world.engine());
    let to_stop = Arc::downgrade(&engine);
    let times = Arc::new(Mutex::new(Vec::new()));
    let (clock, noted) = (Arc::clone(&world.clock), Arc::clone(&times));
    world.line.answers(nth(move |n, request| {
        noted
            .lock()
            .unwrap()
            .push(crate::seams::Clock::monotonic_ms(&*clock));
        if n == 5 {
            to_stop.upgrade().unwrap().stop();
        }
        Ok(good(request, n))
    }));

    engine.run().await;

    let times = times.lock().unwrap();
    assert_eq!(times[4] - times[3], 30_000);
}

/// Says that another device has the identity that the first enrolment is.
fn of_two(n: u32, request: &crate::seams::Request, again: fn(&EnrolAgain) -> Said) -> Said {
    if request.path == "/v1/enrol/again" {
        return again(&serde_json::from_slice(&request.body).unwrap());
    }
    if read_request(request).enrolment == EnrolmentId(Uuid::from_u128(7)) {
        let clone = Some(CloneFound {
            first_mseq: Mseq(1),
        });
        let answer = Answer {
            clone,
            ..empty_answer(n)
        };
        return Said::lines(&answer, &[]);
    }
    good(request, n)
}

fn own_name(asked: &EnrolAgain) -> Said {
    let mut answer = enrol_answer("k");
    answer.enrolment = EnrolmentId(Uuid::from_u128(70));
    answer.certificate.enrolment = answer.enrolment;
    answer.certificate.secret_hash = asked.secret_hash;
    Said::status(200).body("application/json", serde_json::to_string(&answer).unwrap())
}

#[tokio::test]
async fn a_device_told_of_its_clone_hands_in_under_a_name_of_its_own() {
    let world = World::new();
    world.author();
    world
        .line
        .answers(nth(|n, request| Ok(of_two(n, request, own_name))));
    let engine = world.engine();

    let report = engine.sync_once(Reason::Asked).await.unwrap();

    assert_eq!((world.waiting(), report.settled), (0, 1));
    let handed_in: Vec<_> = world
        .exchanges()
        .iter()
        .filter(|request| !request.mutations.is_empty())
        .map(|request| request.enrolment.0.as_u128())
        .collect();
    assert_eq!(handed_in, [7, 70], "told by the first, taken by the second");
    let shown = Credential::of(&world.store).unwrap();
    let asked = world.line.asked.lock().unwrap();
    let last = asked.last().unwrap();
    let secret = hex::encode(shown.secret.bytes());
    let bearer = format!("Bearer {}.{secret}", shown.enrolment);
    assert!(last.headers.contains(&("authorization", bearer)));
}

#[tokio::test]
async fn a_device_that_gets_no_name_of_its_own_keeps_its_work_and_hears_news() {
    for again in [
        |_: &EnrolAgain| Said::problem(404, "no-such-address"),
        |_: &EnrolAgain| Said::problem(403, "locked"),
        |_: &EnrolAgain| Said::problem(503, "busy"),
        |_: &EnrolAgain| Said::html(200),
        // An old answer, about a secret that is not this one.
        |_: &EnrolAgain| {
            let answer = serde_json::to_string(&enrol_answer("k")).unwrap();
            Said::status(200).body("application/json", answer)
        },
    ] {
        let world = World::new();
        world.author();
        world
            .line
            .answers(nth(move |n, request| Ok(of_two(n, request, again))));
        let engine = world.engine();

        let ended = engine.sync_once(Reason::Asked).await;

        assert!(ended.is_err());
        assert_eq!(world.waiting(), 1);
        assert_eq!(
            world.store.account().unwrap().enrolment.0.as_u128(),
            7,
            "nothing was adopted"
        );
        let exchanges = world.exchanges();
        let handed_in = exchanges.iter().filter(|r| !r.mutations.is_empty());
        assert_eq!(handed_in.count(), 1, "none goes once it is known");
        assert!(world.line.asked().len() < 20, "hammers the server");
    }
}

#[tokio::test]
async fn a_server_that_finds_clones_everywhere_is_not_asked_without_end() {
    let world = World::new();
    world.author();
    world.line.answers(nth(|n, request| {
        if request.path == "/v1/enrol/again" {
            return Ok(own_name(&serde_json::from_slice(&request.body).unwrap()));
        }
        let answer = Answer {
            received_mseq: Mseq(1_000),
            ..empty_answer(n)
        };
        Ok(Said::lines(&answer, &[]))
    }));

    let ended = world.engine().sync_once(Reason::Asked).await;

    assert!(ended.is_err());
    assert_eq!(world.waiting(), 1);
    assert!(world.line.asked().len() < 20, "hammers the server");
}

/// A phone that was in step after so many exchanges, and on which more waits than one of them holds.
async fn with_much_work() -> (World, usize) {
    let world = World::new();
    world.line.answers(nth(|n, request| Ok(good(request, n))));
    world.engine().sync_once(Reason::Asked).await.unwrap();
    let known = world.exchanges().len();
    for _ in 0..600 {
        world.author();
    }
    (world, known)
}

/// What each exchange carried: the first number and how many, and whether it asked for news.
fn carried(world: &World) -> Vec<(u64, usize, bool)> {
    let first = |request: &Request| request.mutations.first().map_or(0, |first| first.mseq.0);
    let exchanges = world.exchanges();
    let told = exchanges.iter().map(|request| {
        (
            first(request),
            request.mutations.len(),
            request.pull.is_some(),
        )
    });
    told.collect()
}

#[tokio::test]
async fn much_work_goes_in_batches_each_once_and_the_next_is_sent_while_one_is_taken_in() {
    let (world, known) = with_much_work().await;

    let report = world.engine().sync_once(Reason::Authored).await.unwrap();

    assert_eq!((report.handed_in, report.settled), (600, 600));
    let carried = &carried(&world)[known..];
    let mut next = 1;
    for (first, count, _) in carried.iter().filter(|(_, count, _)| *count > 0) {
        assert_eq!(*first, next);
        next += *count as u64;
    }
    assert!(
        carried.len() > 1
            && carried[1..]
                .iter()
                .all(|(_, count, pulls)| *count > 0 && !pulls)
    );
    // Each says that what came before it is settled, though it was not taken in when it was built.
    let asked = world.exchanges();
    for (request, (first, ..)) in asked[known..].iter().zip(carried) {
        assert_eq!(request.settled_mseq.0 + 1, *first);
    }
}

#[tokio::test]
async fn nothing_goes_ahead_of_an_answer_that_says_something_unusual() {
    let (world, known) = with_much_work().await;
    world.line.answers(nth(move |n, request| {
        let mut answer = good_answer(&read_request(request), n + 10);
        if n == 1 {
            answer.receipts.clear();
            answer.received_mseq = Mseq(0);
        }
        Ok(Said::lines(&answer, &[]))
    }));

    world.engine().sync_once(Reason::Authored).await.unwrap();

    let carried = &carried(&world)[known..];
    assert_eq!(carried[0].0, 1);
    assert_eq!(carried[1].0, 1, "the same work goes again");
    assert_eq!(world.waiting(), 0);
}
