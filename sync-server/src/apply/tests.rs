//! What becomes of single mutations.

mod cases;
mod content;
mod deletion;
mod examples;
mod merging;
mod rights;
mod tray;
mod waiting;
mod witness;

use serde_json::{Value, json};

use pocketbook_records::digest::Digest;
use pocketbook_records::ids::{Mid, RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::parked::{PARKED, PARKED_SENSITIVE};
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::review::{self, REVIEW, REVIEW_SENSITIVE, tray_id};
use pocketbook_records::kinds::visit::VISIT;
use pocketbook_records::mutation::{Choice, Decide, Frozen, Op, Replaces};
use pocketbook_records::receipt::{FateKind, Outcome, Reason, Receipt};
use pocketbook_records::rights::Role;
use pocketbook_records::wire::Entry;

use crate::testing::{self, DAWN, District, GRID, OTHER, Phone, household, id, person};

const HOME: RecordId = RecordId(uuid::uuid!("01900000-0000-7000-8000-0000000000aa"));
const PHONE: &str = "13912345678";

fn wang(district: &District) -> Phone {
    district.phone(1, Role::GridWorker, GRID)
}

fn li(district: &District) -> Phone {
    district.phone(2, Role::GridWorker, GRID)
}

fn head(district: &District) -> Phone {
    district.phone(3, Role::GridHead, GRID)
}

/// A district in which Wang has made a household file, and the file's rev.
fn with_household() -> (District, Phone, Rev) {
    let district = District::new();
    let mut wang = wang(&district);
    wang.create(&HOUSEHOLD, HOME, household());
    assert_eq!(outcomes(&district.hand_in(&mut wang)), [Outcome::Applied]);
    let rev = district.record(&HOUSEHOLD, HOME).rev;
    (district, wang, rev)
}

fn outcomes(receipts: &[Receipt]) -> Vec<Outcome> {
    receipts.iter().map(|receipt| receipt.outcome).collect()
}

fn decide(phone: &mut Phone, review: RecordId, kind: &Kind, choice: Choice, seen: Vec<String>) {
    let mut frozen = Frozen::new(kind, review, Op::Decide, phone.at());
    frozen.decide = Some(Decide { choice, seen });
    phone.author(&frozen);
}

fn candidates(district: &District, kind: &Kind, review: RecordId) -> Vec<String> {
    let body = district.record(kind, review).body;
    let all = pocketbook_records::decide::candidates(&body);
    all.into_iter().map(|candidate| candidate.id).collect()
}

/// Recomputes every scope's digest from the records and compares.
pub(crate) fn digests_hold(district: &District) {
    use crate::store::{records, scopes};
    use std::collections::BTreeMap;
    district
        .server
        .read(|store| {
            let all = store.sql.all(
                "SELECT kind, id FROM records WHERE deleted = 0",
                &[],
                |row| Ok((row.get::<String>(0)?, row.get::<RecordId>(1)?)),
            )?;
            let mut digests: BTreeMap<String, (Digest, u64)> = BTreeMap::new();
            for (kind, id) in all {
                let kind = Kind::named(&kind).unwrap();
                let record = records::find(store, kind, id)?.unwrap();
                for scope in record.scopes() {
                    let (digest, count) = digests.entry(scope.to_string()).or_default();
                    digest.toggle(kind.name, id, record.rev);
                    *count += 1;
                }
            }
            for (scope, head) in scopes::heads(store)? {
                let expected = digests.get(&scope).copied().unwrap_or_default();
                assert_eq!((head.digest, head.count), expected, "{scope}");
            }
            Ok::<_, crate::Fault>(())
        })
        .unwrap();
    assert!(district.server.now() >= DAWN);
}
