//! The door from the apps' side: what is written is read back, whatever is wrong has a typed
//! answer, and nothing panics.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail too")]
#![expect(
    clippy::disallowed_methods,
    reason = "these tests read photos, damage a database and play a server"
)]

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use pocketbook::books::account;
use pocketbook::photos::Size;
use pocketbook::seams::folder::Folder;
use pocketbook::seams::http::{HttpTransport, Trust};
use pocketbook::seams::system::{SystemClock, SystemEntropy, Workstation};
use pocketbook::seams::{Facts, Keys, KeysError, Network, Seams, Secret};
use pocketbook::store::blobs::Rendering;
use pocketbook_ffi::models::Take;
use pocketbook_ffi::{
    Account, CallbackError, Change, EnrolFault, FirstCommand, KeyProvider, KeyPurpose,
    KeystoreError, NewIssue, NewPerson, NewVisit, Obstacle, PhoneFacts, PhotoFault, PocketBook,
    PocketbookError, read_invitation, set_aside_and_salvage,
};
use pocketbook_records::ids::{BlobHash, Hex, Mid, RecordId, Rev, UnitId, UserId};
use pocketbook_records::invitation;
use pocketbook_records::mutation::Expect;
use pocketbook_records::wire::{Certificate, EnrolAnswer};
use uuid::Uuid;

const GRID: &str = "610402001001001";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn key(purpose: KeyPurpose) -> u8 {
    match purpose {
        KeyPurpose::Database => 1,
        KeyPurpose::Files => 2,
        KeyPurpose::Enrolment => 3,
    }
}

/// One key per purpose, and the same for ever.
struct Keystore;

impl KeyProvider for Keystore {
    fn key(&self, _: String, purpose: KeyPurpose) -> Result<Vec<u8>, KeystoreError> {
        Ok(vec![key(purpose); 32])
    }
    fn forget(&self, _: String) -> Result<(), KeystoreError> {
        Ok(())
    }
}

impl Keys for Keystore {
    fn database_key(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Database); 32]))
    }
    fn file_key(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Files); 32]))
    }
    fn enrolment_secret(&self, _: &str) -> Result<Secret, KeysError> {
        Ok(Secret::new([key(KeyPurpose::Enrolment); 32]))
    }
    fn forget(&self, _: &str) -> Result<(), KeysError> {
        Ok(())
    }
}

/// A keystore that gives too little.
struct ShortKeys;

impl KeyProvider for ShortKeys {
    fn key(&self, _: String, _: KeyPurpose) -> Result<Vec<u8>, KeystoreError> {
        Ok(vec![1; 5])
    }
    fn forget(&self, _: String) -> Result<(), KeystoreError> {
        Ok(())
    }
}

struct Online;

impl PhoneFacts for Online {
    fn facts(&self) -> Result<Facts, CallbackError> {
        let network = Network::Unmetered;
        Ok(Facts {
            network,
            free_bytes: None,
            battery_percent: None,
            is_foreground: true,
        })
    }
}

/// A phone whose facts throw.
struct Broken;

impl PhoneFacts for Broken {
    fn facts(&self) -> Result<Facts, CallbackError> {
        Err(CallbackError::Failed)
    }
}

fn at(folder: &Path, server: &str) -> Account {
    Account {
        folder: folder.to_string_lossy().into_owned(),
        name: "wang".into(),
        server: server.into(),
        authority_pem: None,
        server_key: None,
    }
}

fn open(folder: &Path, server: &str) -> Arc<PocketBook> {
    PocketBook::open(at(folder, server), Arc::new(Keystore), Arc::new(Online)).unwrap()
}

/// Opens a book as it is after its device was enrolled.
fn enrolled(folder: &Path, server: &str) -> Arc<PocketBook> {
    let seams = Seams {
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        transport: Arc::new(HttpTransport::new(server, &Trust::Web).unwrap()),
        keys: Arc::new(Keystore),
        files: Arc::new(Folder::open(folder.join("files")).unwrap()),
        platform: Arc::new(Workstation::new(folder)),
    };
    let (enrolment, user) = (
        pocketbook_records::ids::EnrolmentId(Uuid::from_u128(1)),
        UserId(Uuid::from_u128(2)),
    );
    let certificate = Certificate {
        enrolment,
        user,
        secret_hash: Default::default(),
        at: 0,
        key_id: 1,
        signature: String::new(),
    };
    let answer = EnrolAnswer {
        enrolment,
        user,
        name: "王".into(),
        district: UnitId::from("610402"),
        epoch: pocketbook_records::ids::Epoch(1),
        grants: vec![
            format!("grid:{GRID}:general").parse().unwrap(),
            format!("grid:{GRID}:sensitive").parse().unwrap(),
        ],
        certificate,
        bundle_key: String::new(),
        sealing_key: String::new(),
    };
    account::open(folder, "wang", seams)
        .unwrap()
        .adopt(&answer)
        .unwrap();
    open(folder, server)
}

fn wait<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(call)
}

fn photo(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/data/photos")
            .join(name),
    )
    .unwrap()
}

fn household(book: &PocketBook) -> RecordId {
    let fields = format!(
        r#"{{"grid":"{GRID}","place":{{"compound":"试点小区","building":"3","room":501,"wing":"东"}},
            "tags":{{"party-home":{{"proof":"证明"}}}},"pin":{{"lat_e7":343137720,"lon_e7":1086975690}}}}"#
    );
    book.create("household".into(), fields, None, None)
        .unwrap()
        .record
}

fn issue(photos: Vec<Vec<u8>>) -> NewIssue {
    NewIssue {
        grid: UnitId::from(GRID),
        category: "E0205".into(),
        place: "东门".into(),
        text: None,
        household: None,
        photos,
    }
}

fn person(household: RecordId, id_number: Option<&str>) -> NewPerson {
    NewPerson {
        household,
        name: "郑".into(),
        relation: None,
        sex: None,
        birth: None,
        id_number: id_number.map(str::to_owned),
        phone: Some("15400001111".into()),
    }
}

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

fn no_badges() -> pocketbook_ffi::models::Badges {
    pocketbook_ffi::models::Badges {
        is_waiting: false,
        needs_fixing: false,
        is_parked: false,
        is_in_conflict: false,
    }
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
