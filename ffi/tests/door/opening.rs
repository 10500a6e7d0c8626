//! Invitations, opening, damage, and calls that wait.

use super::*;

fn invitation(url: &str, trust: Trust) -> invitation::Invitation {
    let key = invitation::PublicKey {
        id: 1,
        key: Hex([1; 32]),
    };
    invitation::Invitation {
        server: invitation::Address::new(url, trust).unwrap(),
        epoch: pocketbook_records::ids::Epoch(1),
        code: invitation::Code::of([7; 16]),
        bundle: key,
        sealing: key,
    }
}

#[test]
fn an_invitation_says_all_that_an_account_is_opened_with() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = certificate.cert.der().to_vec();

    for (trust, pem, key) in [
        (Trust::Web, false, false),
        (Trust::in_key(b"key"), false, true),
        (Trust::Authority(der), true, false),
    ] {
        let scanned = invitation("https://localhost:1", trust).write();
        let read = read_invitation(scanned.clone()).unwrap();

        assert_eq!(read.server, "https://localhost:1");
        assert_eq!(read.text, scanned);
        assert_eq!(
            (read.authority_pem.is_some(), read.server_key.is_some()),
            (pem, key)
        );
        let account = Account {
            authority_pem: read.authority_pem.clone(),
            server_key: read.server_key.clone(),
            ..at(folder.path(), &read.server)
        };
        let book = PocketBook::open(account, Arc::new(Keystore), Arc::new(Online)).unwrap();
        // Nothing listens there: that it was asked shows that the invitation fits the book.
        let nobody = wait(book.accept(read, "phone".into()));
        assert_eq!(
            nobody,
            Err(PocketbookError::Retry {
                why: Obstacle::NoServer,
                after_ms: None
            })
        );
    }
}

#[test]
fn whatever_else_is_scanned_gets_a_typed_answer() {
    let good = invitation("https://qindu.example", Trust::Web).write();
    let why = |why| Err(PocketbookError::Enrol { why });
    for (text, refused) in [
        (String::new(), why(EnrolFault::NotAnInvitation)),
        (
            "https://qindu.example".into(),
            why(EnrolFault::NotAnInvitation),
        ),
        (
            good.replace("\"v\":1", "\"v\":2"),
            Err(PocketbookError::UpdateApp),
        ),
        (
            good.replace("7777-7777-", "7777-"),
            why(EnrolFault::DamagedInvitation),
        ),
        (
            good.replace("https", "gopher"),
            why(EnrolFault::DamagedInvitation),
        ),
    ] {
        assert_eq!(read_invitation(text.clone()), refused, "{text}");
    }
}

#[test]
fn an_invitation_to_another_server_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), NOWHERE);
    let server = Err(PocketbookError::CorrectField {
        field: "server".into(),
    });

    for elsewhere in [
        invitation("http://127.0.0.1:2", Trust::Web),
        invitation(NOWHERE, Trust::in_key(b"key")),
    ] {
        let read = read_invitation(elsewhere.write()).unwrap();
        assert_eq!(wait(book.accept(read, "phone".into())), server);
    }
}

#[test]
fn opening_refuses_what_can_not_work() {
    let folder = tempfile::tempdir().unwrap();
    let open = |account| {
        PocketBook::open(account, Arc::new(Keystore), Arc::new(Online))
            .err()
            .unwrap()
    };
    let field = |name: &str| PocketbookError::CorrectField { field: name.into() };

    for server in [
        "",
        "nonsense",
        "ftp://example.org",
        "http://example.org",
        "https://",
    ] {
        assert_eq!(open(at(folder.path(), server)), field("server"), "{server}");
    }
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let authority_pem = Some(pem.to_owned());
        assert_eq!(
            open(Account {
                authority_pem,
                ..at(folder.path(), NOWHERE)
            }),
            field("authority"),
            "{pem}"
        );
    }
    for server_key in ["", "nonsense", &"0".repeat(63)] {
        let account = Account {
            server_key: Some(server_key.to_owned()),
            ..at(folder.path(), NOWHERE)
        };
        assert_eq!(open(account), field("server_key"), "{server_key}");
    }
    let short = PocketBook::open(
        at(folder.path(), NOWHERE),
        Arc::new(ShortKeys),
        Arc::new(Online),
    )
    .err();
    assert_eq!(
        short,
        Some(PocketbookError::Internal {
            code: "keystore".into()
        })
    );
    std::fs::write(folder.path().join("book.db"), b"not a database at all").unwrap();
    let damaged = open(at(folder.path(), NOWHERE));
    assert!(
        matches!(damaged, PocketbookError::BookDamaged { .. }),
        "{damaged:?}"
    );
}

#[test]
fn a_damaged_book_is_set_aside_and_its_work_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let id = household(&book);
    let draft = book
        .draft_case(format!(r#"{{"grid":"{GRID}"}}"#), None)
        .unwrap();
    book.close_book().unwrap();
    drop(book);

    let saved = set_aside_and_salvage(
        at(folder.path(), NOWHERE),
        Arc::new(Keystore),
        Arc::new(Online),
    )
    .unwrap();

    assert_eq!((saved.is_enrolled, saved.lost), (true, 0));
    assert_eq!((saved.changes, saved.drafts), (1, 1));
    assert!(Path::new(&saved.set_aside).exists());
    let book = open(folder.path(), NOWHERE);
    assert_eq!(book.status().unwrap().waiting, 1);
    assert_eq!(book.drafts().unwrap()[0].id, draft);
    assert_eq!(book.household(id).unwrap().household.knocks, 0);
}

#[test]
fn a_call_that_waits_is_ended_by_cancelling_and_by_closing() {
    // A server that takes every connection and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let stopped = Err(PocketbookError::Retry {
        why: Obstacle::Stopped,
        after_ms: None,
    });

    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), &server);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for end in [PocketBook::cancel_sync, PocketBook::close_book] {
        let synced = runtime.block_on(async {
            let mut call = std::pin::pin!(book.sync_now());
            // The first poll begins the work.
            std::future::poll_fn(|context| {
                assert!(call.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            end(&book).unwrap();
            call.await
        });
        assert_eq!(synced, stopped);
    }
    assert_eq!(
        runtime.block_on(book.sync_now()),
        Err(PocketbookError::Closed)
    );
}

#[test]
fn without_a_server_work_waits() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    household(&book);

    let synced = wait(book.sync_now());

    assert_eq!(
        synced,
        Err(PocketbookError::Retry {
            why: Obstacle::NoServer,
            after_ms: None
        })
    );
    assert_eq!(book.status().unwrap().waiting, 1);
}
