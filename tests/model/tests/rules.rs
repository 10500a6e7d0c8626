//! Each rule, taken out, breaks an invariant, and the search shows how.

use pocketbook_model::invariants::{
    BROUGHT_BACK, COMPLETE, CONSERVED, EFFECT_OF_ONE, EQUAL, NO_FLICKER, NOT_ASKED_AGAIN,
    NOTHING_OVERWRITTEN, ONE_BODY, PHOTO_KEPT, PURGED, REVOKES_STAND, SAME_RECEIPT,
    SETTLED_BY_RECEIPT,
};
use pocketbook_model::{Play, Rules, Scene};
use stateright::{Checker, HasDiscoveries, Model};

const ALL: Rules = Rules::PROTOCOL;

/// Without which rule, in which scene, which invariants fall.
#[rustfmt::skip]
const FALLS: [(Rules, Scene, &[&str]); 24] = [
    (Rules { receipts_dedupe: false, ..ALL }, Scene::EXCHANGE, &[EFFECT_OF_ONE, SAME_RECEIPT]),
    (Rules { settled_by_mid: false, ..ALL }, Scene::EXCHANGE, &[SETTLED_BY_RECEIPT, BROUGHT_BACK]),
    (Rules { batches_leave_no_hole: false, ..ALL }, Scene::RESTART, &[BROUGHT_BACK]),
    (Rules { journal_until_durable: false, ..ALL }, Scene::RESTORE, &[CONSERVED, BROUGHT_BACK]),
    (Rules { screen_says_what_it_saw: false, ..ALL }, Scene::EXCHANGE, &[NOTHING_OVERWRITTEN]),
    (Rules { own_chain: false, ..ALL }, Scene::CHAIN, &[NOT_ASKED_AGAIN]),
    (Rules { decisions_cover_candidates: false, ..ALL }, Scene::REVIEW, &[NOTHING_OVERWRITTEN]),
    (Rules { overlaid_until_read: false, ..ALL }, Scene::EXCHANGE, &[NO_FLICKER]),
    (Rules { overlay_keeps_its_rev: false, ..ALL }, Scene::RESTART, &[NOTHING_OVERWRITTEN]),
    (Rules { cursor_moves_with_page: false, ..ALL }, Scene::EXCHANGE, &[COMPLETE, EQUAL]),
    (Rules { pages_fit_their_cursor: false, ..ALL }, Scene::SCOPES, &[COMPLETE, EQUAL]),
    (Rules { late_answers_yield_receipts_only: false, ..ALL }, Scene::REVOKE, &[PURGED]),
    (Rules { revoke_purges: false, ..ALL }, Scene::SCOPES, &[PURGED]),
    (Rules { revoke_spares_outbox: false, ..ALL }, Scene::SCOPES, &[CONSERVED, BROUGHT_BACK]),
    (Rules { forks_are_told: false, ..ALL }, Scene::RESTORE, &[BROUGHT_BACK]),
    (Rules { lost_words_settle_nothing: false, ..ALL }, Scene::REVOKE, &[BROUGHT_BACK]),
    (Rules { lost_words_settle_nothing: false, ..ALL }, Scene::PHOTOS, &[PHOTO_KEPT]),
    (Rules { histories_are_told_apart: false, ..ALL }, Scene::RESTART, &[NOTHING_OVERWRITTEN]),
    (Rules { proofs_are_honoured: false, ..ALL }, Scene::RESTORE, &[NOT_ASKED_AGAIN]),
    (Rules { lost_screens_count_as_shown: false, ..ALL }, Scene::RESTORE, &[NOT_ASKED_AGAIN]),
    (Rules { lost_reviews_open_again: false, ..ALL }, Scene::RESTART, &[NOTHING_OVERWRITTEN]),
    (Rules { commits_leap: false, ..ALL }, Scene::RESTORE, &[ONE_BODY, BROUGHT_BACK]),
    (Rules { outside_log_is_replayed: false, ..ALL }, Scene::REVOKE, &[REVOKES_STAND]),
    (Rules { files_until_durable: false, ..ALL }, Scene::PHOTOS, &[PHOTO_KEPT]),
];

#[test]
fn each_rule_taken_out_breaks_what_it_protects() {
    for (rules, scene, falls) in FALLS {
        for invariant in falls {
            falls_without(rules, scene, invariant);
        }
    }
}

#[test]
fn each_rule_is_taken_out_once() {
    let mut taken_out: Vec<String> = FALLS.iter().map(|(rules, ..)| missing(*rules)).collect();
    taken_out.sort();
    taken_out.dedup();

    let rules = format!("{ALL:?}").matches("true").count();

    assert_eq!(taken_out.len(), rules, "{taken_out:?}");
}

/// Returns the name of the rule that is not in force.
fn missing(rules: Rules) -> String {
    let text = format!("{rules:?}");
    let before = text.split(": false").next().expect("a first part");
    before
        .rsplit([' ', ','])
        .next()
        .expect("a last part")
        .to_owned()
}

#[expect(clippy::print_stdout, reason = "a counterexample is for people")]
fn falls_without(rules: Rules, scene: Scene, invariant: &'static str) {
    let found = HasDiscoveries::AnyOf([invariant].into());
    let checker = Play { scene, rules }
        .checker()
        .threads(2)
        .finish_when(found)
        .spawn_bfs()
        .join();
    let rule = missing(rules);
    let path = checker.discovery(invariant);
    let path = path.unwrap_or_else(|| panic!("{invariant} holds without {rule} in {}", scene.name));
    println!("without {rule}: {invariant}");
    println!("    {:?}", path.into_actions());
}
