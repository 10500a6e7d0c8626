//! Single rules of the merge, of reviews and of duties, each by an example that fails without it.

use pocketbook_records::body::Fields;
use pocketbook_records::decide;
use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, EnrolmentId, Epoch, Mid, Mseq, RecordId, UnitId, UserId};
use pocketbook_records::kind::{Class, Kind};
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::PERSON;
use pocketbook_records::merge::{Merged, Stored, merge};
use pocketbook_records::mutation::{Frozen, Op, Set};
use pocketbook_records::path::{self, Path};
use pocketbook_records::rights::{Cover, Duty, Role};
use pocketbook_records::stamp::{Author, Stamps};
use pocketbook_records::time::{At, Interval};
use pocketbook_records::wire::Fork;
use pocketbook_records::workflow::Actor;
use serde_json::{Value, json};
use uuid::Uuid;

fn at(epoch: u32, n: u32) -> Commit {
    Commit::new(Epoch(epoch), n)
}

/// Commits 101 to 200 of the first history were thrown away.
fn lost() -> Lost {
    Lost(vec![Fork {
        after: at(1, 100),
        until: at(1, 200),
    }])
}

fn author(phone: u128, mseq: u64, commit: Commit) -> Author {
    Author {
        enrolment: EnrolmentId(Uuid::from_u128(phone)),
        user: UserId(Uuid::from_u128(phone + 100)),
        mid: Mid(Uuid::from_u128((phone << 64) + u128::from(mseq))),
        mseq: Mseq(mseq),
        at: Interval { from: 5, to: 6 },
        own_chain: true,
        earlier: Vec::new(),
        holder: false,
        commit,
        origin: None,
        lost: lost(),
    }
}

fn stored(body: Value) -> Stored {
    let Value::Object(body) = body else {
        panic!("an object")
    };
    Stored {
        body,
        created: author(9, 1, at(1, 1)).stamp(None),
        stamps: Stamps::default(),
    }
}

fn edit(kind: &Kind, seen: Commit) -> Frozen {
    let moment = At {
        wall: 0,
        boot: "b".into(),
        monotonic_ms: 0,
        contact: None,
    };
    let mut frozen = Frozen::new(kind, RecordId(Uuid::nil()), Op::Patch, moment);
    frozen.seen = Some(seen);
    frozen
}

fn path(text: &str) -> Path {
    Path::parse(text).expect("a path of the test")
}

/// A change of one value, by somebody who was shown a commit.
fn sets(kind: &Kind, seen: Commit, field: &str, (was, to): (Value, Value)) -> Frozen {
    let mut frozen = edit(kind, seen);
    frozen.set.push(Set {
        path: path(field),
        was,
        to,
    });
    frozen
}

/// A change of a home's tenure, by somebody who was shown a commit.
fn tenure(seen: Commit, was: &str, to: &str) -> Frozen {
    sets(&HOUSEHOLD, seen, "tenure", (json!(was), json!(to)))
}

fn adds(seen: Commit, tag: &str) -> Frozen {
    let mut frozen = edit(&PERSON, seen);
    frozen.add.insert(path("tags"), vec![json!(tag)]);
    frozen
}

fn removes(seen: Commit, tag: &str) -> Frozen {
    let mut frozen = edit(&PERSON, seen);
    frozen.remove.insert(path("tags"), vec![tag.to_owned()]);
    frozen
}

fn apply(kind: &Kind, base: &Stored, frozen: &Frozen, by: &Author) -> (Stored, Merged) {
    let merged = merge(kind, base.clone(), frozen, by, &|_| false);
    let after = Stored {
        body: merged.body.clone(),
        created: base.created.clone(),
        stamps: merged.stamps.clone(),
    };
    (after, merged)
}

#[test]
fn a_plain_edit_of_a_field_in_question_is_one_more_candidate() {
    let base = stored(json!({"tenure": "own"}));
    let frozen = tenure(at(1, 1), "own", "rent");
    let by = author(1, 1, at(1, 2));

    let merged = merge(&HOUSEHOLD, base.clone(), &frozen, &by, &|_| true);

    let [dispute] = &merged.disputes[..] else {
        panic!("one question: {merged:?}")
    };
    let ids: Vec<_> = dispute.candidates.iter().map(|one| &one.id).collect();
    assert!(ids.contains(&&by.mid.to_string()));
    assert_eq!(dispute.shown, by.mid.to_string());
}

#[test]
fn a_name_in_question_is_a_workers_proposal_and_a_holders_word() {
    let base = stored(json!({"name": "甲"}));
    let frozen = sets(&PERSON, at(1, 1), "name", (json!("甲"), json!("乙")));
    for (holder, now) in [(false, "甲"), (true, "乙")] {
        let by = Author {
            holder,
            ..author(1, 1, at(1, 2))
        };
        let merged = merge(&PERSON, base.clone(), &frozen, &by, &|_| true);
        assert_eq!(merged.body["name"], now, "by a holder: {holder}");
    }
    // What the holder was not shown is not overruled by him either.
    let stale = sets(&PERSON, at(1, 1), "name", (json!("丙"), json!("乙")));
    let by = Author {
        holder: true,
        ..author(1, 1, at(1, 2))
    };
    let merged = merge(&PERSON, base.clone(), &stale, &by, &|_| true);
    assert_eq!(merged.body["name"], "甲");
}

#[test]
fn what_somebody_was_shown_who_has_written_since_is_not_done_once_more() {
    let base = stored(json!({"tenure": "own"}));
    // In the lost history 王's "rent" was taken at 150, and 李 wrote "lent" upon it.
    let upon = tenure(at(1, 160), "rent", "lent");
    let (now, _) = apply(&HOUSEHOLD, &base, &upon, &author(2, 1, at(2, 1)));
    let again = tenure(at(1, 90), "own", "rent");
    let by = Author {
        origin: Some(at(1, 150)),
        ..author(1, 1, at(2, 2))
    };

    let (after, merged) = apply(&HOUSEHOLD, &now, &again, &by);

    assert_eq!(after.body["tenure"], "lent");
    assert!(merged.disputes.is_empty() && merged.fates.is_empty());
}

#[test]
fn an_edit_made_upon_lost_history_is_not_compared_with_what_it_was_shown_there() {
    let base = stored(json!({"tenure": "own"}));
    // Taken again after the restore: it was at 150 first.
    let first = tenure(at(1, 90), "own", "rent");
    let by = Author {
        origin: Some(at(1, 150)),
        ..author(2, 1, at(2, 1))
    };
    let (now, _) = apply(&HOUSEHOLD, &base, &first, &by);
    // Its author saw 160 there, where the field had changed twice.
    let upon = tenure(at(1, 160), "empty", "lent");
    for (seen, questions) in [(at(1, 160), 0), (at(1, 140), 1), (at(1, 90), 1)] {
        let frozen = Frozen {
            seen: Some(seen),
            ..upon.clone()
        };
        let (after, merged) = apply(&HOUSEHOLD, &now, &frozen, &author(1, 1, at(2, 2)));
        assert_eq!(merged.disputes.len(), questions, "seen {seen}");
        assert_eq!(after.body["tenure"], "lent");
    }
}

#[test]
fn a_later_number_of_the_same_phone_was_not_known_when_this_one_was_authored() {
    let base = stored(json!({"tenure": "own"}));
    let later = tenure(at(1, 1), "own", "rent");
    let (now, _) = apply(&HOUSEHOLD, &base, &later, &author(1, 7, at(1, 2)));
    let waited = tenure(at(1, 1), "own", "lent");
    let (_, merged) = apply(&HOUSEHOLD, &now, &waited, &author(1, 3, at(1, 3)));
    assert_eq!(merged.disputes.len(), 1);
}

#[test]
fn the_same_value_entered_again_is_the_later_authors() {
    let base = stored(json!({"tenure": "own"}));
    let rent = tenure(at(1, 1), "own", "rent");
    let (now, _) = apply(&HOUSEHOLD, &base, &rent, &author(1, 1, at(1, 2)));
    let (now, _) = apply(&HOUSEHOLD, &now, &rent, &author(2, 1, at(1, 3)));
    assert_eq!(
        now.stamps.fields[&path("tenure")].enrolment,
        author(2, 1, at(1, 3)).enrolment
    );
    // So the first phone can't change it any more as if nobody had said the same.
    let back = tenure(at(1, 1), "own", "lent");
    let (_, merged) = apply(&HOUSEHOLD, &now, &back, &author(1, 2, at(1, 4)));
    assert_eq!(merged.disputes.len(), 1);
}

#[test]
fn what_was_not_changed_is_no_edit() {
    let base = stored(json!({"tenure": "rent"}));
    let none = tenure(at(1, 1), "own", "own");
    let (after, merged) = apply(&HOUSEHOLD, &base, &none, &author(1, 1, at(1, 2)));
    assert_eq!(after.body["tenure"], "rent");
    assert!(merged.disputes.is_empty() && merged.stamps == Stamps::default());
}

fn is_there(person: &Stored) -> bool {
    !path::get(&person.body, &path("tags/alone")).is_null()
}

#[test]
fn an_element_that_was_taken_out_says_so_until_it_is_added_again() {
    let base = stored(json!({}));
    let tag = path("tags/alone");
    let (now, _) = apply(
        &PERSON,
        &base,
        &adds(at(1, 1), "alone"),
        &author(1, 1, at(1, 2)),
    );
    let (now, _) = apply(
        &PERSON,
        &now,
        &removes(at(1, 2), "alone"),
        &author(2, 1, at(1, 3)),
    );
    let stamp = &now.stamps.elements[&tag];
    assert_eq!((stamp.gone, stamp.adds.len()), (Some(at(1, 3)), 0));

    let (again, _) = apply(
        &PERSON,
        &now,
        &adds(at(1, 3), "alone"),
        &author(3, 1, at(1, 4)),
    );
    assert_eq!(again.stamps.elements[&tag].gone, None);
    // Who saw that add takes it out, whatever was added and taken out before.
    let (gone, merged) = apply(
        &PERSON,
        &again,
        &Frozen {
            seen: Some(at(1, 4)),
            ..removes(at(1, 4), "alone")
        },
        &author(4, 1, at(1, 5)),
    );
    assert!(merged.fates.is_empty() && !is_there(&gone));

    // Writing in it is adding it.
    let proof = sets(
        &PERSON,
        at(1, 3),
        "tags/alone/proof",
        (Value::Null, json!("p")),
    );
    let (written, _) = apply(&PERSON, &now, &proof, &author(3, 1, at(1, 4)));
    let stamp = &written.stamps.elements[&tag];
    assert_eq!((stamp.gone, stamp.adds.len()), (None, 1));
}

#[test]
fn an_add_that_was_brought_back_is_taken_out_by_who_saw_it_first() {
    let base = stored(json!({}));
    let brought = Author {
        origin: Some(at(1, 150)),
        ..author(1, 1, at(2, 1))
    };
    let (now, _) = apply(&PERSON, &base, &adds(at(1, 90), "alone"), &brought);
    for (seen, stays) in [(at(1, 160), false), (at(1, 140), true)] {
        let (after, _) = apply(
            &PERSON,
            &now,
            &removes(seen, "alone"),
            &author(2, 1, at(2, 2)),
        );
        assert_eq!(is_there(&after), stays, "seen {seen}");
    }
}

#[test]
fn a_question_asked_again_keeps_what_it_held_and_waits_anew() {
    let base = stored(json!({"tenure": "own"}));
    let rent = tenure(at(1, 1), "own", "rent");
    let (now, _) = apply(&HOUSEHOLD, &base, &rent, &author(1, 1, at(1, 2)));
    let asks = |to: &str, phone| {
        let stale = sets(&HOUSEHOLD, at(1, 1), "tenure", (json!("own"), json!(to)));
        let (_, merged) = apply(&HOUSEHOLD, &now, &stale, &author(phone, 1, at(1, 3)));
        merged.disputes[0].clone()
    };
    let record = RecordId(Uuid::nil());
    let open = |before: Option<&Fields>, to: &str, phone| {
        decide::open(before, "household", record, &asks(to, phone), 7)
    };
    let mut first = open(None, "lent", 2);
    first.insert("state".into(), json!("closed"));
    first.insert("decided_by".into(), json!("somebody"));

    let second = open(Some(&first), "empty", 3);

    assert_eq!(
        (&second["state"], &second["turn"]),
        (&json!("open"), &json!(2))
    );
    assert!(!second.contains_key("decided_by"));
    let held = decide::candidates(&second);
    let held: Vec<_> = held.iter().map(|one| one.value.as_str()).collect();
    for value in ["own", "rent", "lent", "empty"] {
        assert!(held.contains(&Some(value)), "{value} in {held:?}");
    }
}

#[test]
fn a_duty_covers_from_its_first_moment_until_before_its_end() {
    let duty = Duty {
        user: UserId(Uuid::nil()),
        role: Role::GridWorker,
        unit: UnitId::from("a"),
        from: 10,
        until: Some(20),
    };
    for (from, to, cover) in [
        (10, 19, Cover::Wholly),
        (10, 20, Cover::Partly),
        (9, 15, Cover::Partly),
        (20, 25, Cover::None),
        (5, 9, Cover::None),
    ] {
        assert_eq!(duty.covers(Interval { from, to }), cover, "{from}–{to}");
    }
}

#[test]
fn a_role_reads_and_writes_what_its_duty_is_about() {
    let kind = |name: &str| Kind::named(name).expect("a kind");
    for (role, name, op, may) in [
        (Role::Handler, "case", Op::Command, true),
        (Role::Handler, "case", Op::Patch, false),
        (Role::Handler, "household", Op::Command, false),
        (Role::Volunteer, "person", Op::Create, true),
        (Role::Volunteer, "person", Op::Patch, false),
        (Role::PartTimer, "person-sensitive", Op::Create, true),
        (Role::PartTimer, "person-sensitive", Op::Patch, false),
        (Role::PartTimer, "review", Op::Decide, false),
        (Role::GridWorker, "task", Op::Command, true),
        (Role::GridWorker, "task", Op::Create, false),
        (Role::GridHead, "task", Op::Create, true),
        (Role::DistrictDesk, "person", Op::Patch, false),
        (Role::SystemAdmin, "person", Op::Patch, false),
    ] {
        assert_eq!(
            role.may_write(kind(name), op),
            may,
            "{role:?} {name} {op:?}"
        );
    }
    for (role, general, sensitive) in [
        (Role::GridWorker, true, true),
        (Role::PartTimer, true, false),
        (Role::Volunteer, true, false),
        (Role::DistrictDesk, true, false),
        (Role::Handler, false, false),
        (Role::SystemAdmin, false, false),
        (Role::SecurityAdmin, false, false),
        (Role::Auditor, false, false),
    ] {
        let reads = (role.reads(Class::General), role.reads(Class::Sensitive));
        assert_eq!(reads, (general, sensitive), "{role:?}");
    }
}

#[test]
fn a_head_does_not_check_what_he_reported_himself() {
    let case = Kind::named("case").and_then(|kind| kind.workflow);
    let case = case.expect("cases have a workflow");
    let body: Fields = [("state".to_owned(), json!("checking"))]
        .into_iter()
        .collect();
    for (author, may) in [(true, false), (false, true)] {
        let actor = Actor {
            author,
            head: true,
            ..Actor::default()
        };
        let step = case.step(&body, "close", &Fields::new(), &actor, Interval::moment(1));
        assert_eq!(step.is_ok(), may, "his own: {author}");
    }
}
