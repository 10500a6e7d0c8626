//! What a correction makes of the work that it puts right.
//!
//! A change of a correction names a field as any edit does (`phone`, `tags/lives-alone/proof`), or
//! an argument of the command that was given as `args/<name>` (`args/reason`, `args/photos`): a
//! report may have a field and an argument of one name. Whatever no change names is sent again as
//! it was.
//!
//! Everything here is pure; [`super::Book::fix`] brings what was authored and what is shown.

use std::collections::BTreeMap;

use pocketbook_records::body::Fields;
use pocketbook_records::ids::Mid;
use pocketbook_records::mutation::{Command, Frozen};
use pocketbook_records::path::Path;
use pocketbook_records::receipt::Reason;
use serde_json::{Value, json};

use crate::books::Change;
use crate::error::{Error, Result};

/// What stands before the name of an argument.
pub const ARGS: &str = "args/";

/// Parts the changes of arguments from those of fields.
pub(super) fn split(changes: &[Change]) -> (Vec<&Change>, Vec<&Change>) {
    changes
        .iter()
        .partition(|change| change.path.starts_with(ARGS))
}

/// Lays changes over the arguments of a command.
pub(super) fn arguments(command: Option<&mut Command>, changes: &[&Change]) -> Result<()> {
    let Some(first) = changes.first() else {
        return Ok(());
    };
    let bad = |change: &Change| Error::Refused(Reason::BadValue(change.path.clone()));
    let args = &mut command.ok_or_else(|| bad(first))?.args;
    for change in changes {
        let name = change.path.strip_prefix(ARGS).unwrap_or_default();
        if name.is_empty() || name.contains('/') {
            return Err(bad(change));
        }
        match &change.to {
            Value::Null => args.remove(name),
            to => args.insert(name.to_owned(), to.clone()),
        };
    }
    Ok(())
}

/// Lays an edit over the edit that it puts right: what both say together.
pub(super) fn edit(old: &Frozen, mut fresh: Frozen) -> Frozen {
    for set in &mut fresh.set {
        // The person was shown what the record held when the first edit was made.
        if let Some(earlier) = old.set.iter().find(|earlier| earlier.path == set.path) {
            set.was = earlier.was.clone();
        }
    }
    let kept = old
        .set
        .iter()
        .filter(|set| !fresh.set.iter().any(|new| new.path == set.path));
    let kept: Vec<_> = kept.cloned().collect();
    fresh.set.extend(kept);
    for (path, by) in &old.inc {
        // The number on the screen had counted the first edit already.
        let sum = fresh.inc.entry(path.clone()).or_default();
        *sum = sum.saturating_add(*by);
    }
    let taken = fresh.remove.clone();
    let is_taken = |path: &Path, item: &Value| {
        let taken = taken.get(path).map_or(&[][..], Vec::as_slice);
        item.as_str()
            .is_some_and(|item| taken.iter().any(|gone| gone == item))
    };
    let given = fresh.add.clone();
    let is_given = |path: &Path, item: &String| {
        let given = given.get(path).map_or(&[][..], Vec::as_slice);
        given.contains(&json!(item))
    };
    join(&mut fresh.add, &old.add, |path, item| !is_taken(path, item));
    join(&mut fresh.remove, &old.remove, |path, item| {
        !is_given(path, item)
    });
    fresh
}

/// Adds the earlier elements that still hold to the later ones.
fn join<T: Clone + PartialEq>(
    later: &mut BTreeMap<Path, Vec<T>>,
    earlier: &BTreeMap<Path, Vec<T>>,
    holds: impl Fn(&Path, &T) -> bool,
) {
    for (path, items) in earlier {
        let mut kept: Vec<T> = items
            .iter()
            .filter(|item| holds(path, item))
            .cloned()
            .collect();
        let more = later.remove(path).unwrap_or_default();
        kept.retain(|item| !more.contains(item));
        kept.extend(more);
        if !kept.is_empty() {
            later.insert(path.clone(), kept);
        }
    }
}

/// Takes a step that was only previewed back, with those that were built on it: leaves state, turn
/// and last transition as they were before.
pub(super) fn take_back(shown: &mut Fields, mid: Mid) {
    let Some(Value::Array(steps)) = shown.get("steps") else {
        return;
    };
    let is_it = |step: &Value| step.get("id") == Some(&json!(mid));
    let Some(place) = steps.iter().position(is_it) else {
        return;
    };
    let step = steps[place].clone();
    let before = steps[..place].to_vec();
    let turn = step.get("turn").and_then(Value::as_i64).unwrap_or(1) - 1;
    let last = before.last().and_then(|last| last.get("id")).cloned();
    let mut put = |field: &str, value: Option<Value>| match value {
        Some(value) => shown.insert(field.to_owned(), value),
        None => shown.remove(field),
    };
    put("state", step.get("from").cloned());
    put("turn", (turn > 0).then(|| json!(turn)));
    put("transition", last);
    put("steps", Some(Value::Array(before)));
}

#[cfg(test)]
mod tests {
    use pocketbook_records::ids::RecordId;
    use pocketbook_records::kinds::case::CASE;
    use pocketbook_records::kinds::household::HOUSEHOLD;
    use pocketbook_records::mutation::{Expect, Op, Set};
    use pocketbook_records::time::At;
    use pocketbook_records::workflow;
    use uuid::Uuid;

    use super::*;

    fn patch() -> Frozen {
        let at = At {
            wall: 0,
            boot: "boot".into(),
            monotonic_ms: 0,
            contact: None,
        };
        Frozen::new(&HOUSEHOLD, RecordId(Uuid::nil()), Op::Patch, at)
    }

    fn at(path: &str) -> Path {
        Path::parse(path).unwrap()
    }

    fn change(path: &str, to: Value) -> Change {
        Change {
            path: path.into(),
            was: Value::Null,
            to,
        }
    }

    fn set(path: &str, was: Value, to: Value) -> Set {
        Set {
            path: at(path),
            was,
            to,
        }
    }

    #[test]
    fn what_no_change_names_is_sent_again() {
        let mut old = patch();
        old.set = vec![set("tenure", json!("own"), json!("x"))];
        old.inc.insert(at("knocks"), 2);
        old.add.insert(at("tags"), vec![json!("a")]);
        old.remove.insert(at("tags"), vec!["b".into()]);

        assert_eq!(edit(&old, patch()), old);
    }

    #[test]
    fn both_edits_together_make_what_the_screen_showed() {
        let mut old = patch();
        old.set = vec![set("tenure", json!("own"), json!("x"))];
        old.inc.insert(at("knocks"), 2);
        old.add.insert(at("tags"), vec![json!("a"), json!("b")]);
        old.remove.insert(at("tags"), vec!["c".into(), "d".into()]);
        let mut later = patch();
        later.set = vec![set("tenure", json!("x"), json!("rent"))];
        later.inc.insert(at("knocks"), -1);
        later.add.insert(at("tags"), vec![json!("c"), json!("e")]);
        later.remove.insert(at("tags"), vec!["b".into()]);

        let both = edit(&old, later);

        assert_eq!(both.set, [set("tenure", json!("own"), json!("rent"))]);
        assert_eq!(both.inc[&at("knocks")], 1);
        assert_eq!(both.add[&at("tags")], [json!("a"), json!("c"), json!("e")]);
        assert_eq!(both.remove[&at("tags")], ["d", "b"]);
    }

    #[test]
    fn a_change_of_an_argument_leaves_the_others() {
        let mut command = Command {
            name: "send_back".into(),
            args: Fields::from_iter([
                ("reason".to_owned(), json!("x")),
                ("photos".to_owned(), json!(["h"])),
                ("until".to_owned(), json!(7)),
            ]),
            expect: Expect {
                state: "feedback".into(),
                turn: 3,
                after: None,
            },
        };
        let changes = [
            change("args/reason", json!("还漏水")),
            change("args/until", Value::Null),
        ];
        let (of_args, of_fields) = split(&changes);

        arguments(Some(&mut command), &of_args).unwrap();

        assert!(of_fields.is_empty());
        assert_eq!(
            Value::Object(command.args.clone()),
            json!({"reason": "还漏水", "photos": ["h"]})
        );
        for path in ["args/", "args/a/b"] {
            let bad = change(path, json!(1));
            assert!(arguments(Some(&mut command), &[&bad]).is_err(), "{path}");
        }
        assert!(arguments(None, &[&change("args/reason", json!("x"))]).is_err());
    }

    #[test]
    fn a_step_taken_back_leaves_the_record_as_it_stood_before() {
        let mut fields = Fields::new();
        let give = |fields: &mut Fields, name: &str, n: u128| {
            let state = CASE.workflow.unwrap().state(fields).to_owned();
            let mut lines = CASE.workflow.unwrap().lines.iter();
            let line = lines
                .find(|line| line.command == name && line.from.contains(&state.as_str()))
                .unwrap();
            let mid = Mid(Uuid::from_u128(n));
            workflow::carry_out(fields, line, &Fields::new(), mid, None, 0);
            mid
        };
        let none = fields.clone();
        let first = give(&mut fields, "report", 1);
        let reported = fields.clone();
        let second = give(&mut fields, "withdraw", 2);

        let mut shown = fields.clone();
        take_back(&mut shown, second);
        assert_eq!(shown, reported);
        take_back(&mut fields, first);
        fields.remove("steps");
        fields.remove("state");
        assert_eq!(fields, none, "what was built on it goes with it");
        take_back(&mut shown, Mid(Uuid::nil()));
        assert_eq!(shown, reported, "a step that was not shown is none");
    }
}
