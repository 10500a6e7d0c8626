//! Whatever is wrong has a typed answer: garbage, no enrolment, a locked or a closed book.

use super::*;

/// Calls everything there is with what can't be right.
fn garbage(book: &PocketBook) -> Vec<(&'static str, Result<(), PocketbookError>)> {
    let id = RecordId(Uuid::max());
    let hash = BlobHash([0; 32]);
    let text = || "\u{0}{\"a\":1.5e999".to_owned();
    let rev: Option<Rev> = Some(pocketbook_records::ids::Commit(u64::MAX));
    let expect = || Expect {
        state: text(),
        turn: u32::MAX,
        after: Some(Mid(Uuid::nil())),
    };
    let change = |path: &str, to: &str| Change {
        path: path.into(),
        was_json: None,
        to_json: Some(to.into()),
    };
    let visit = |photos| NewVisit {
        household: id,
        purpose: text(),
        result: text(),
        people: vec![id],
        note: Some(text()),
        at: Some(i64::MIN),
        photos,
    };
    let unit = |call: Result<_, PocketbookError>| call.map(|_: pocketbook_ffi::models::Saved| ());
    let item = pocketbook_ffi::models::TrayItem {
        id,
        kind: text(),
        rev,
        badges: no_badges(),
        expect: expect(),
        is_mine: true,
        mutation: None,
        author: None,
        of: text(),
        record: None,
        reason: text(),
        authored: None,
        arrived_at: None,
        photos: vec![],
        changes: vec![],
        command: None,
        authored_json: text(),
    };
    vec![
        ("household", book.household(id).map(drop)),
        ("case", book.case(id).map(drop)),
        ("record", book.record("person".into(), id).map(drop)),
        ("record of no kind", book.record(text(), id).map(drop)),
        (
            "records of no kind",
            book.records(text(), u32::MAX, Some(text()), None).map(drop),
        ),
        (
            "create",
            unit(book.create("household".into(), text(), None, None)),
        ),
        (
            "create of no kind",
            unit(book.create(text(), "{}".into(), None, None)),
        ),
        (
            "create with a fraction",
            unit(book.create("household".into(), r#"{"grid":1.5}"#.into(), None, None)),
        ),
        (
            "create what is no object",
            unit(book.create("household".into(), "[]".into(), None, None)),
        ),
        (
            "create with a bad command",
            unit(book.create(
                "case".into(),
                "{}".into(),
                None,
                Some(FirstCommand {
                    name: "report".into(),
                    args_json: Some(text()),
                }),
            )),
        ),
        (
            "edit nothing",
            unit(book.edit("household".into(), id, rev, vec![])),
        ),
        (
            "edit a bad path",
            unit(book.edit("household".into(), id, rev, vec![change("//", "1")])),
        ),
        (
            "edit a bad value",
            unit(book.edit("household".into(), id, rev, vec![change("tenure", "{}")])),
        ),
        (
            "edit what is the server's",
            unit(book.edit("case".into(), id, rev, vec![change("number", "\"1\"")])),
        ),
        (
            "edit with no JSON",
            unit(book.edit("household".into(), id, rev, vec![change("tenure", "{")])),
        ),
        (
            "edit of no kind",
            unit(book.edit(text(), id, rev, vec![change("tenure", "1")])),
        ),
        (
            "command of no kind",
            unit(book.command(text(), id, rev, expect(), text(), None)),
        ),
        (
            "unknown command",
            unit(book.command("case".into(), id, rev, expect(), text(), None)),
        ),
        (
            "command in no state",
            unit(book.command("case".into(), id, rev, expect(), "close".into(), None)),
        ),
        (
            "command without workflow",
            unit(book.command("person".into(), id, rev, expect(), "close".into(), None)),
        ),
        (
            "command with bad arguments",
            unit(book.command(
                "case".into(),
                id,
                rev,
                expect(),
                "close".into(),
                Some(text()),
            )),
        ),
        ("delete of no kind", unit(book.delete(text(), id, rev))),
        ("withdraw", book.withdraw(Mid(Uuid::nil()))),
        ("draft", book.draft_case(text(), Some(id)).map(drop)),
        (
            "photo of no draft",
            book.add_photo(id, photo("malformed/ok_grey.jpg"), Size::Master)
                .map(drop),
        ),
        ("report no draft", unit(book.report(id))),
        ("close no draft", unit(book.close_on_spot(id))),
        ("bad person", unit(book.add_person(person(id, Some("…"))))),
        ("bad visit", unit(book.record_visit(visit(vec![])))),
        (
            "visit with a bad photo",
            unit(book.record_visit(visit(vec![vec![]]))),
        ),
        (
            "issue with a bad photo",
            unit(book.report_issue(issue(vec![vec![0xff, 0xd8, 0xff]]))),
        ),
        (
            "issue at no place",
            unit(book.report_issue(NewIssue {
                place: text().repeat(900),
                ..issue(vec![])
            })),
        ),
        ("review", book.review(id).map(drop)),
        ("fix", unit(book.fix(id, vec![change("a", "1")]))),
        (
            "fix with no JSON",
            unit(book.fix(id, vec![change("a", "{")])),
        ),
        ("discard", unit(book.discard(item.clone()))),
        ("release", unit(book.release(item.clone()))),
        ("refuse", unit(book.refuse(item, text()))),
        ("article", book.article(text()).map(drop)),
        ("commands", book.commands("case".into(), id).map(drop)),
        ("commands of no kind", book.commands(text(), id).map(drop)),
        ("enrol", wait(book.enrol(text(), text())).map(drop)),
        (
            "accept",
            wait(book.accept(
                pocketbook_ffi::Invitation {
                    server: text(),
                    authority_pem: None,
                    server_key: None,
                    text: text(),
                },
                text(),
            ))
            .map(drop),
        ),
        ("sync", wait(book.sync_now()).map(drop)),
        (
            "fetch of no photo",
            wait(book.fetch_photo(text(), id, hash)).map(drop),
        ),
        ("retry of no photo", book.retry_photo(hash)),
        ("drop of no photo", book.drop_photo(hash)),
        (
            "report of no upload",
            book.report_upload(hash, u16::MAX, HashMap::from([(text(), text())])),
        ),
    ]
}

/// Calls everything that has an answer whatever it is asked, unless the book is shut.
fn harmless(book: &PocketBook) -> Vec<(&'static str, Result<(), PocketbookError>)> {
    vec![
        ("enrolment", book.enrolment().map(drop)),
        (
            "households",
            book.households(0, Some(UnitId(String::new())), None)
                .map(drop),
        ),
        ("cases", book.cases(u32::MAX, None).map(drop)),
        (
            "records",
            book.records("task".into(), 7, None, None).map(drop),
        ),
        ("drafts", book.drafts().map(drop)),
        ("discard_draft", book.discard_draft(RecordId(Uuid::max()))),
        (
            "book_version",
            book.book_version(UnitId(String::new())).map(drop),
        ),
        ("book_parts", book.book_parts().map(drop)),
        ("articles", book.articles(String::new()).map(drop)),
        (
            "photo",
            book.photo(BlobHash([0; 32]), Rendering::Camera).map(drop),
        ),
        ("photo_state", book.photo_state(BlobHash([0; 32])).map(drop)),
        ("failed_photos", book.failed_photos().map(drop)),
        ("status", book.status().map(drop)),
        ("vanished", book.vanished(u32::MAX).map(drop)),
        ("cancel_sync", book.cancel_sync()),
        ("stop_background_sync", book.stop_background_sync()),
        ("wake", book.wake(pocketbook::engine::Reason::Hinted)),
        ("watch", book.watch(None)),
    ]
}

#[test]
fn garbage_gets_a_typed_answer_on_every_call() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);

    for (call, end) in garbage(&book) {
        let error = end.expect_err(call);
        // A fault of ours would say "tell the operators"; garbage is the caller's to correct.
        assert!(
            !matches!(error, PocketbookError::Internal { .. }),
            "{call}: {error:?}"
        );
    }
    for (call, end) in harmless(&book) {
        assert_eq!(end, Ok(()), "{call}");
    }
    assert_eq!(book.status().unwrap().waiting, 0);
    assert_eq!(book.drafts().unwrap(), []);
}

#[test]
fn without_enrolment_every_call_answers() {
    let folder = tempfile::tempdir().unwrap();
    let book = open(folder.path(), NOWHERE);

    for (call, end) in garbage(&book) {
        let error = end.expect_err(call);
        assert!(
            !matches!(error, PocketbookError::Internal { .. }),
            "{call}: {error:?}"
        );
    }
    let not_yet = PocketbookError::Enrol {
        why: EnrolFault::NotYet,
    };
    assert_eq!(book.start_background_sync(), Err(not_yet.clone()));
    assert_eq!(book.tray().err(), Some(not_yet.clone()));
    assert_eq!(book.reviews(None).err(), Some(not_yet.clone()));
    assert_eq!(wait(book.next_upload_jobs(9)).err(), Some(not_yet));
}

#[test]
fn a_locked_book_answers_with_its_status_only() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let id = household(&book);
    book.lock().unwrap();

    assert_eq!(book.household(id).err(), Some(PocketbookError::Unlock));
    assert_eq!(book.drafts().err(), Some(PocketbookError::Unlock));
    assert_eq!(
        book.report_issue(issue(vec![])).err(),
        Some(PocketbookError::Unlock)
    );
    assert_eq!(book.status().unwrap().waiting, 1);
    book.unlock().unwrap();
    assert!(book.household(id).is_ok());
}

#[test]
fn a_closed_book_says_so_on_every_call() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    book.close_book().unwrap();
    book.close_book().unwrap();

    for (call, end) in garbage(&book).into_iter().chain(harmless(&book)) {
        assert_eq!(end, Err(PocketbookError::Closed), "{call}");
    }
}

#[test]
fn a_phone_that_can_not_say_how_it_stands_still_works() {
    let folder = tempfile::tempdir().unwrap();
    enrolled(folder.path(), NOWHERE).close_book().unwrap();
    let book = PocketBook::open(
        at(folder.path(), NOWHERE),
        Arc::new(Keystore),
        Arc::new(Broken),
    )
    .unwrap();

    household(&book);

    assert!(matches!(
        wait(book.sync_now()),
        Err(PocketbookError::Retry { .. })
    ));
}
