//! What is said, well or badly, and what is kept of it.

use super::*;

#[test]
fn bad_content_is_one_mutations_matter() {
    let (district, mut wang, rev) = with_household();
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.into()).unwrap();
    for text in [
        "{}",
        "7",
        r#"{"schema":1,"kind":"planet","id":"01900000-0000-7000-8000-0000000000aa","op":"create","at":{"wall":0,"boot":"b","monotonic_ms":0}}"#,
    ] {
        wang.mseq += 1;
        let mid = Mid(id(0x9000 + u128::from(wang.mseq)).0);
        wang.outbox.push(pocketbook_records::mutation::Mutation {
            mid,
            mseq: pocketbook_records::ids::Mseq(wang.mseq),
            frozen: raw(text),
        });
    }
    let sets = |path| [(path, Value::Null, json!("x"))];
    wang.edit((&HOUSEHOLD, HOME), Some(rev), &sets("colour"));
    wang.edit((&PERSON, id(7)), Some(rev), &sets("masked_id"));
    wang.edit((&HOUSEHOLD, HOME), Some(rev), &sets("grid"));
    wang.edit(
        (&HOUSEHOLD, HOME),
        Some(rev),
        &[("tenure", json!("own"), json!("rent"))],
    );
    let receipts = district.hand_in(&mut wang);
    let reasons: Vec<_> = receipts.iter().map(|r| r.reason.clone()).collect();
    assert_eq!(
        reasons,
        [
            Some(Reason::Malformed),
            Some(Reason::Malformed),
            Some(Reason::UnknownKind),
            Some(Reason::UnknownField("colour".into())),
            Some(Reason::ServerField("masked_id".into())),
            Some(Reason::ServerField("grid".into())),
            None
        ]
    );
    assert_eq!(receipts[6].outcome, Outcome::Applied);
}

#[test]
fn masks_are_derived_and_sensitive_values_are_nowhere_in_clear() {
    let (district, mut wang, _) = with_household();
    let who = id(7);
    wang.create(&PERSON, who, json!({ "household": HOME, "name": "甲" }));
    wang.create(
        &PERSON_SENSITIVE,
        who,
        json!({ "phone": PHONE, "id_number": "11010519491231002X" }),
    );
    wang.edit(
        (&PERSON_SENSITIVE, who),
        None,
        &[("phone", json!(PHONE), json!("13900001111"))],
    );
    let receipts = district.hand_in(&mut wang);
    assert_eq!(outcomes(&receipts), [Outcome::Applied; 3]);
    let person = district.record(&PERSON, who).body;
    assert_eq!(person["masked_phone"], "139****1111");
    assert_eq!(person["masked_id"], "110105********002X");
    district.server.stop();
    for name in ["data/pocketbook.db", "data/pocketbook.db-wal"] {
        let bytes = testing::bytes_of(&district.dir.path().join(name));
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!holds(PHONE) && !holds("11010519491231002X"));
    }
}
