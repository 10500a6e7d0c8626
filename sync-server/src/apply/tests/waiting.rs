//! What waits for something else, and when it is decided.

use super::*;

fn tray(district: &District, receipt: &Receipt) -> crate::store::records::Record {
    district.record(&PARKED, tray_id(receipt.mid))
}

/// What a seed has found: a decision of a review that a restored server had forgotten was parked,
/// and lay with nobody when the conflict came back.
#[test]
fn a_decision_that_came_before_its_review_is_decided_when_it_opens() {
    let (district, mut wang, rev) = with_household();
    let (mut li, mut head) = (li(&district), head(&district));
    let review = review::id("household", HOME, "tenure");
    let (choice, seen) = (Choice::Value(json!("lent")), vec!["base".to_owned()]);
    decide(&mut head, review, &REVIEW, choice, seen);
    let early = district.hand_in(&mut head).remove(0);
    assert_eq!(early.outcome, Outcome::Parked);

    for (phone, to) in [(&mut wang, "rent"), (&mut li, "empty")] {
        let change = ("tenure", json!("own"), json!(to));
        phone.edit((&HOUSEHOLD, HOME), Some(rev), &[change]);
        district.hand_in(phone);
    }

    assert_eq!(tray(&district, &early).text("state"), Some("released"));
    let held = candidates(&district, &REVIEW, review);
    assert!(held.contains(&early.mid.to_string()), "{held:?}");
}
