//! Whatever was delivered how often, cut off and sent again: its effect is that of one.
//!
//! Counted from the phones' own journals: each knock at a door counts once, and whatever was
//! created and taken is there unless somebody deleted it.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook_records::ids::RecordId;
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::mutation::{Frozen, Op};
use pocketbook_records::path::Path;
use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::screen::Finding;
use pocketbook_tests::world::check::Truth;

use super::audit::Examined;

/// Compares what the journals say was taken with what is there.
pub(super) fn once(truth: &Truth, examined: &[Examined]) -> Result<Finding> {
    let taken = taken(examined)?;
    let mut knocks: BTreeMap<RecordId, i64> = BTreeMap::new();
    let counter = Path::field("knocks");
    for work in &taken {
        if let Some(by) = work.inc.get(&counter) {
            *knocks.entry(work.id).or_default() += by;
        }
    }
    let miscounted = knocks.iter().filter(|(home, expected)| {
        let held = truth.get(&HOUSEHOLD, **home);
        let counted = held.and_then(|held| held.body.get("knocks")?.as_i64());
        counted != Some(**expected)
    });
    let miscounted = miscounted.count();
    let of = |op: Op| taken.iter().filter(move |work| work.op == op);
    let deleted: BTreeSet<RecordId> = of(Op::Delete).map(|work| work.id).collect();
    let born: Vec<_> = of(Op::Create).collect();
    let missing = born.iter().filter(|work| {
        let kind = Kind::named(&work.kind);
        let is_there = kind.is_some_and(|kind| truth.get(kind, work.id).is_some());
        !is_there && !deleted.contains(&work.id)
    });
    let missing = missing.count();
    let times: i64 = knocks.values().sum();
    Ok(Finding {
        what: ("效果只有一次", "Each effect is there once"),
        found: (
            format!(
                "敲门 {times} 次，{miscounted} 户不符；新建 {} 条，缺 {missing} 条",
                born.len()
            ),
            format!(
                "{times} knocks, {miscounted} homes miscounted; {} created, {missing} missing",
                born.len()
            ),
        ),
        holds: miscounted == 0 && missing == 0 && times > 0,
    })
}

fn taken(examined: &[Examined]) -> Result<Vec<Frozen>> {
    const TAKEN: [&str; 3] = ["applied", "merged", "conflict"];
    let journals = examined.iter().flat_map(|one| &one.journal);
    let taken = journals.filter(|kept| {
        let outcome = kept.outcome.as_deref().unwrap_or_default();
        TAKEN.contains(&outcome)
    });
    let read = |frozen: &str| {
        Frozen::parse(frozen).map_err(|reason| format!("a journal does not read: {reason:?}"))
    };
    Ok(taken
        .map(|kept| read(&kept.frozen))
        .collect::<std::result::Result<_, _>>()?)
}
