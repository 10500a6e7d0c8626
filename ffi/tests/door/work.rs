//! A worker's work through the door: written, read back, taken further.

use super::*;

#[test]
fn what_is_written_is_read_back_typed() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let id = household(&book);
    let added = book
        .add_person(person(id, Some("11010519491231002X")))
        .unwrap();
    let visit = NewVisit {
        household: id,
        purpose: "care".into(),
        result: "met".into(),
        people: vec![added.record],
        note: None,
        at: Some(1_700_000_000_000),
        photos: vec![photo("malformed/ok_grey.jpg")],
    };
    book.record_visit(visit).unwrap();

    let file = book.household(id).unwrap();

    let place = file.household.place.clone().unwrap();
    assert_eq!(
        (place.compound.as_deref(), place.room.as_deref()),
        (Some("试点小区"), Some("501"))
    );
    assert!(
        place.json.contains(r#""wing":"东""#),
        "what is not known goes back with an edit"
    );
    assert_eq!(file.household.tags[0].proof.as_deref(), Some("证明"));
    assert_eq!(
        file.household.pin.as_ref().map(|pin| pin.lat_e7),
        Some(343_137_720)
    );
    assert!(file.household.badges.is_waiting);
    assert_eq!(
        file.household.expect,
        Expect {
            state: "standing".into(),
            turn: 0,
            after: None
        }
    );
    let sensitive = file.people[0].sensitive.as_ref().unwrap();
    assert_eq!(sensitive.id_number.as_deref(), Some("11010519491231002X"));
    assert_eq!(file.visits[0].people, [added.record]);
    assert_eq!(file.visits[0].at, Some(1_700_000_000_000));
    assert!(
        book.photo(file.visits[0].photos[0], Rendering::Thumbnail)
            .unwrap()
            .is_some()
    );
}

#[test]
fn an_edit_carries_what_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let id = household(&book);
    let shown = book.household(id).unwrap().household;
    let change = |path: &str, was: Option<&str>, to: Option<&str>| Change {
        path: path.into(),
        was_json: was.map(str::to_owned),
        to_json: to.map(str::to_owned),
    };

    let edits = vec![
        change("tenure", None, Some(r#""rent""#)),
        change("tags/party-home", Some(&shown.tags[0].json), None),
        change("knocks", Some("0"), Some("2")),
    ];
    let saved = book.edit("household".into(), id, shown.rev, edits).unwrap();

    let after = book.household(id).unwrap().household;
    assert_eq!(
        (after.tenure.as_deref(), after.knocks, after.tags.len()),
        (Some("rent"), 2, 0)
    );
    book.withdraw(saved.mutation).unwrap();
    assert_eq!(book.household(id).unwrap().household, shown);
}

#[test]
fn a_case_takes_its_steps_from_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let reported = book
        .report_issue(issue(vec![photo("malformed/ok_grey.jpg")]))
        .unwrap();
    let case = book.case(reported.record).unwrap();
    assert_eq!(
        (case.expect.state.as_str(), case.photos.len()),
        ("submitted", 1)
    );
    assert_eq!(case.author, Some(UserId(Uuid::from_u128(2))));

    let offers = book.commands("case".into(), case.id).unwrap();
    let commands: Vec<&str> = offers.iter().map(|offer| offer.command.as_str()).collect();
    assert_eq!(commands, ["withdraw"]);
    book.command(
        "case".into(),
        case.id,
        case.rev,
        case.expect.clone(),
        "withdraw".into(),
        None,
    )
    .unwrap();

    let after = book.case(case.id).unwrap();
    assert_eq!(after.expect.state, "withdrawn");
    assert_eq!(after.steps.len(), 2);
    let stale = book.command(
        "case".into(),
        case.id,
        case.rev,
        after.expect,
        "withdraw".into(),
        None,
    );
    assert_eq!(
        stale,
        Err(PocketbookError::ShowAnew {
            reason: "wrong-state".into()
        })
    );
    assert_eq!(book.cases(10, None).unwrap().rows.len(), 1);
}

#[test]
fn what_can_not_be_saved_whole_is_not_saved_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let id = household(&book);
    let waiting = book.status().unwrap().waiting;

    let bad_number = book.add_person(person(id, Some("110105194912310020")));
    let bad_photo = book.report_issue(issue(vec![
        photo("malformed/ok_grey.jpg"),
        photo("real/small_no_exif.heic"),
    ]));

    assert_eq!(
        bad_number,
        Err(PocketbookError::CorrectField {
            field: "id_number".into()
        })
    );
    let heic = PhotoFault::Format {
        name: "HEIC".into(),
    };
    assert_eq!(bad_photo, Err(PocketbookError::PhotoUnusable { why: heic }));
    assert_eq!(book.status().unwrap().waiting, waiting);
    assert_eq!(book.household(id).unwrap().people.len(), 0);
    assert_eq!(book.drafts().unwrap(), []);
}

#[test]
fn a_draft_outlives_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let fields = format!(r#"{{"grid":"{GRID}","category":"E0205","place":"东门"}}"#);
    let draft = book.draft_case(fields, None).unwrap();
    let hash = book
        .add_photo(draft, photo("malformed/ok_grey.jpg"), Size::Papers)
        .unwrap();
    book.close_book().unwrap();

    let book = open(folder.path(), NOWHERE);

    let found = book.drafts().unwrap();
    assert_eq!(
        (found[0].id, found[0].photos.as_slice()),
        (draft, [hash].as_slice())
    );
    book.report(draft).unwrap();
    assert_eq!(book.case(draft).unwrap().photos, [hash]);
    assert_eq!(book.drafts().unwrap(), []);
}

#[test]
fn a_second_opening_keeps_who_is_enrolled() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);

    let enrolment = book.enrolment().unwrap().unwrap();

    assert_eq!(
        (enrolment.name.as_str(), enrolment.district.0.as_str()),
        ("王", "610402")
    );
}

#[test]
fn a_decision_needs_a_review() {
    let folder = tempfile::tempdir().unwrap();
    let book = enrolled(folder.path(), NOWHERE);
    let review = pocketbook_ffi::models::Review {
        id: RecordId(Uuid::max()),
        rev: None,
        badges: no_badges(),
        is_sensitive: true,
        is_open: true,
        of: "person".into(),
        record: None,
        path: "phone".into(),
        is_held: false,
        candidates: vec![],
        mine: None,
        theirs: None,
        before: None,
        shown: None,
        decided_by: None,
        decision: None,
        opened_at: None,
    };

    let unknown = book.decide(review.clone(), Take::Candidate { id: "base".into() });
    let garbled = book.decide(
        review,
        Take::Value {
            value_json: Some("{".into()),
        },
    );

    assert_eq!(unknown, Err(PocketbookError::NotFound));
    assert_eq!(
        garbled,
        Err(PocketbookError::CorrectField {
            field: "value".into()
        })
    );
}
