//! What a phone may hear instead of its server's answer.

use pocketbook::engine::SyncError;
use pocketbook::seams::TransportError;
use pocketbook_tests::world::{Fault, On, World};

#[tokio::test]
async fn whatever_answers_instead_of_the_server_the_outbox_stays_and_goes_when_the_line_is_good() {
    let world = World::new(161).await;
    let grid = world.grid(0);
    world.settle(&grid, 10).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let flat = wang.flat(0);
    let ours = r#"{"asof":{"epoch":1,"commit":0,"time":0}}"#;

    type Heard = fn(&SyncError) -> bool;
    let not_ours: Heard = |error| matches!(error, SyncError::NotOurs);
    let cut: Heard = |error| matches!(error, SyncError::Transport(TransportError::Cut));
    let table: Vec<(&str, Fault, Heard)> = vec![
        ("a hotel's page", Fault::SignInPage, not_ours),
        ("a proxy's 413", Fault::Status(413), |error| {
            matches!(error, SyncError::TooMuch)
        }),
        ("a proxy's 502", Fault::Status(502), |error| {
            matches!(error, SyncError::ServerFault { status: 502 })
        }),
        ("a proxy's 503", Fault::Status(503), |error| {
            matches!(error, SyncError::Busy { .. })
        }),
        ("a proxy's 401", Fault::Status(401), not_ours),
        ("a proxy's 403", Fault::Status(403), not_ours),
        ("a redirect", Fault::Status(302), not_ours),
        ("nothing", Fault::Answer("application/x-ndjson", ""), cut),
        (
            "a text",
            Fault::Answer("application/x-ndjson", "hello\n"),
            not_ours,
        ),
        (
            "another object",
            Fault::Answer("application/x-ndjson", "{}\n"),
            not_ours,
        ),
        (
            "half of our own",
            Fault::Answer("application/x-ndjson", ours),
            cut,
        ),
        (
            "wrong types",
            Fault::Answer("application/x-ndjson", "{\"asof\":7}\n"),
            not_ours,
        ),
        (
            "a list",
            Fault::Answer("application/x-ndjson", "[1,2]\n"),
            not_ours,
        ),
        (
            "plain JSON",
            Fault::Answer("application/json", "{}\n"),
            not_ours,
        ),
        ("a line cut at once", Fault::CutAnswer(0), cut),
        ("a line cut in the answer", Fault::CutAnswer(100), cut),
        ("no request at all", Fault::LoseRequest, cut),
    ];
    crate::table::counted("answers of others", table.len());
    for (n, (what, fault, expected)) in table.into_iter().enumerate() {
        wang.visits(flat, what);
        wang.line().weather(move |_| Some(fault));

        let heard = wang.sync().await.expect_err(what);
        assert!(expected(&heard), "{what}: {heard:?}");
        let sentence = heard.to_string();
        assert!(
            !sentence.is_empty() && !sentence.contains('<'),
            "{what}: {sentence}"
        );
        assert_eq!(wang.status().waiting, 1, "{what}: the entry stays");
        assert_eq!(wang.home(flat).visits.len(), n + 1, "{what}: and is shown");

        wang.line().is_good();
        // Whoever asked for quiet gets it.
        world.hours_pass(1);
        wang.syncs().await;
        assert_eq!(wang.status().waiting, 0, "{what}: it goes on a good line");
    }
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_server_that_does_not_know_the_phone_never_costs_it_its_outbox() {
    let world = World::new(162).await;
    let grid = world.grid(0);
    world.settle(&grid, 5).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    wang.visits(wang.flat(0), "一切正常");
    let refusal = r#"{"type":"unknown-caller","title":"设备未注册 · unknown","status":401}"#;
    wang.line()
        .weather(move |_| Some(Fault::Refusal(401, refusal)));

    for _ in 0..3 {
        let heard = wang.sync().await.expect_err("not let in");
        assert!(matches!(heard, SyncError::NotLetIn(_)), "{heard:?}");
    }
    assert_eq!(wang.status().waiting, 1);
    assert!(!wang.flats().is_empty(), "and nothing is taken from her");

    wang.line().is_good();
    wang.syncs().await;
    world.check(&[&wang]).await;
}

#[tokio::test]
async fn a_pocket_book_that_was_tampered_with_is_not_taken() {
    let world = World::new(163).await;
    let grid = world.grid(0);
    world.publishes(|_| {}).await;
    let wang = world.worker("王", &grid).await;
    wang.syncs().await;
    let version = wang
        .store()
        .book_version(&world.community())
        .expect("reads");
    assert!(version.is_some());
    let renewed = |file: &mut pocketbook_tests::data::PartFile| {
        if let Some(article) = file.part.articles.first_mut() {
            article.title.push_str("（修订）");
        }
    };
    world.publishes(renewed).await;

    wang.line().next(
        On::Book,
        Fault::Answer(
            "application/json",
            r#"{"manifest":{},"key_id":1,"signature":"00"}"#,
        ),
    );
    let _ = wang.sync().await;
    assert_eq!(
        wang.store()
            .book_version(&world.community())
            .expect("reads"),
        version,
        "the old book stays"
    );
    assert!(
        !wang
            .store()
            .articles("approval-items")
            .expect("reads")
            .is_empty()
    );

    wang.syncs().await;
    assert!(
        wang.store()
            .book_version(&world.community())
            .expect("reads")
            > version
    );
}
