use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::engine::Reason;
use crate::engine::testing::{
    Said, World, empty_answer, frame, good, good_answer, my_scope, read_request,
};

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
            answer.out_of_order = Some(pocketbook_records::ids::Mseq(1));
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
