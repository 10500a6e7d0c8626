//! Witness: what a record held in a history that was lost, as a phone remembers it.
//!
//! Phones bring their own work back ([`crate::merge`]); what desks did has no phone, but lies in
//! the mirrors of those who read it. A witness is not an edit of its bearer: it says what stood
//! there at one lost rev. So it never takes anything away that its rev had not shown:
//!
//! - *states* and the server's own fields come back as a whole if its turn is later;
//! - a *register* comes back if what is stored now had been shown at that rev;
//! - *max*, *min*, *set*, *map* and *append* are united;
//! - *counters* are left to those who counted: their mutations come back one by one;
//! - what is *derived* follows the record that it is made of.
//!
//! What comes back is stamped as seen at that rev, so that mutations which it includes are not
//! carried out once more.

use serde_json::Value;

use crate::body::Fields;
use crate::ids::Rev;
use crate::kind::{Field, Kind, Owner, Rule};
use crate::merge::Stored;
use crate::path::{self, Path};
use crate::stamp::{Author, Stamp, Stamps};

/// Lays a witness of a rev over a record; `author` is the server itself, with `origin` the rev.
/// Returns the fields and stamps afterwards.
pub fn lay_over(
    kind: &Kind,
    stored: &Stored,
    witness: &Fields,
    rev: Rev,
    author: &Author,
) -> (Fields, Stamps) {
    let mut bringing = Bringing {
        stored,
        rev,
        author,
        body: stored.body.clone(),
        stamps: stored.stamps.clone(),
    };
    let turn = |body: &Fields| body.get("turn").and_then(Value::as_i64).unwrap_or(0);
    let is_further = turn(witness) > turn(&stored.body);
    for field in kind.fields {
        let value = witness.get(field.name).unwrap_or(&Value::Null);
        match (field.rule, field.owner) {
            (Rule::Counter, _) | (_, Owner::Derived) => {}
            (Rule::State, _) | (_, Owner::Server) if kind.workflow.is_some() => {
                if is_further {
                    bringing.take(Path::field(field.name), value);
                }
            }
            (Rule::Max, _) => bringing.take_if(field, value, |stored, new| new > stored),
            (Rule::Min, _) => bringing.take_if(field, value, |stored, new| new < stored),
            (Rule::Set | Rule::Append, _) => bringing.unite(field, value),
            (Rule::Map, _) => bringing.take_leaves(field, value),
            _ => bringing.take_if_shown(Path::field(field.name), value),
        }
    }
    (bringing.body, bringing.stamps)
}

struct Bringing<'a> {
    stored: &'a Stored,
    rev: Rev,
    author: &'a Author,
    body: Fields,
    stamps: Stamps,
}

impl Bringing<'_> {
    fn take(&mut self, path: Path, value: &Value) {
        if path::get(&self.body, &path) == value {
            return;
        }
        path::set(&mut self.body, &path, value.clone());
        let stamp = self.author.stamp(Some(self.rev));
        self.stamps.fields.insert(path, stamp);
    }

    fn take_if_shown(&mut self, path: Path, value: &Value) {
        let last: &Stamp = self
            .stamps
            .fields
            .get(&path)
            .unwrap_or(&self.stored.created);
        if self.author.lost.includes(Some(self.rev), last.origin) {
            self.take(path, value);
        }
    }

    fn take_if(&mut self, field: &Field, value: &Value, wins: impl Fn(i64, i64) -> bool) {
        let path = Path::field(field.name);
        let stored = path::get(&self.body, &path).as_i64();
        let is_better = |new: i64| stored.is_none_or(|stored| wins(stored, new));
        if value.as_i64().is_some_and(is_better) {
            path::set(&mut self.body, &path, value.clone());
        }
    }

    /// Elements that somebody has taken out since stay out.
    fn unite(&mut self, field: &Field, value: &Value) {
        let path = Path::field(field.name);
        let mut items = match path::get(&self.body, &path) {
            Value::Array(items) => items.clone(),
            _ => Vec::new(),
        };
        for item in value.as_array().into_iter().flatten() {
            let name = item.as_str().or_else(|| item.get("id")?.as_str());
            let is_out = name.is_some_and(|name| self.was_taken_out(&path, name));
            if !is_out && !items.contains(item) {
                items.push(item.clone());
            }
        }
        let key = |item: &Value| {
            let id = item.get("id").and_then(Value::as_str);
            item.as_str().or(id).unwrap_or_default().to_owned()
        };
        items.sort_by_key(key);
        if !items.is_empty() {
            path::set(&mut self.body, &path, Value::Array(items));
        }
    }

    fn take_leaves(&mut self, field: &Field, value: &Value) {
        let path = Path::field(field.name);
        let elements = value.as_object().into_iter().flatten();
        for (key, leaves) in elements {
            let Ok(element) = path.join(key) else {
                continue;
            };
            if self.was_taken_out(&path, key) {
                continue;
            }
            if path::get(&self.body, &element).is_null() {
                path::set(&mut self.body, &element, Value::Object(Fields::new()));
            }
            for (name, leaf) in leaves.as_object().into_iter().flatten() {
                if let Ok(path) = element.join(name) {
                    self.take_if_shown(path, leaf);
                }
            }
        }
    }

    fn was_taken_out(&self, path: &Path, name: &str) -> bool {
        let element = path.join(name).ok();
        let stamp = element.and_then(|element| self.stamps.elements.get(&element));
        stamp.is_some_and(|stamp| stamp.gone.is_some())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::history::Lost;
    use crate::ids::{Commit, EnrolmentId, Epoch, Mid, Mseq, UserId};
    use crate::kinds::household::HOUSEHOLD;
    use crate::time::Interval;
    use crate::wire::Fork;

    fn at(epoch: u32, n: u32) -> Commit {
        Commit::new(Epoch(epoch), n)
    }

    fn author(commit: Commit, origin: Option<Commit>) -> Author {
        Author {
            enrolment: EnrolmentId(Uuid::nil()),
            user: UserId(Uuid::nil()),
            mid: Mid(Uuid::nil()),
            mseq: Mseq(0),
            at: Interval::moment(0),
            own_chain: false,
            earlier: Vec::new(),
            holder: true,
            commit,
            origin,
            lost: Lost(vec![Fork {
                after: at(1, 100),
                until: at(1, 200),
            }]),
        }
    }

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(fields) => fields,
            other => panic!("no object: {other}"),
        }
    }

    fn stored(body: Value) -> Stored {
        Stored {
            body: fields(body),
            created: author(at(1, 50), None).stamp(None),
            stamps: Stamps::default(),
        }
    }

    fn after(stored: &Stored, witness: Value) -> (Fields, Stamps) {
        let author = author(at(2, 7), Some(at(1, 150)));
        lay_over(&HOUSEHOLD, stored, &fields(witness), at(1, 150), &author)
    }

    #[test]
    fn a_register_comes_back_if_what_is_stored_had_been_shown() {
        let before = stored(json!({"tenure": "own", "knocks": 3}));
        let (body, stamps) = after(&before, json!({"tenure": "rent", "knocks": 5}));
        assert_eq!(body["tenure"], "rent");
        assert_eq!(body["knocks"], 3, "counters come back by who counted");
        let stamp = &stamps.fields[&Path::field("tenure")];
        assert_eq!((stamp.origin, stamp.seen), (at(1, 150), Some(at(1, 150))));

        let mut newer = before;
        let written = author(at(2, 3), None).stamp(Some(at(2, 2)));
        newer.stamps.fields.insert(Path::field("tenure"), written);
        let (body, _) = after(&newer, json!({"tenure": "rent"}));
        assert_eq!(body["tenure"], "own", "what came since stays");
    }

    #[test]
    fn states_come_back_as_a_whole_and_never_go_backwards() {
        let before = stored(json!({"grid": "a", "turn": 1, "state": "standing"}));
        let later = json!({"grid": "b", "turn": 2, "state": "standing", "steps": [{"id": "1"}]});
        let (body, _) = after(&before, later.clone());
        assert_eq!(Value::Object(body.clone()), later);
        let (body, _) = after(&stored(later.clone()), Value::Object(before.body));
        assert_eq!(Value::Object(body), later);
    }

    #[test]
    fn what_is_of_many_is_united_and_what_was_taken_out_stays_out() {
        let mut before = stored(json!({
            "tags": {"a": {"proof": "1"}}, "notes": [{"id": "2", "text": "x"}], "last_visit": 7
        }));
        before.stamps.elements.insert(
            Path::parse("tags/c").unwrap(),
            crate::stamp::ElementStamp {
                gone: Some(at(2, 1)),
                ..Default::default()
            },
        );
        let (body, _) = after(
            &before,
            json!({
                "tags": {"b": {"proof": "2"}, "c": {}}, "notes": [{"id": "1", "text": "y"}],
                "last_visit": 5
            }),
        );
        assert_eq!(
            body["tags"],
            json!({"a": {"proof": "1"}, "b": {"proof": "2"}})
        );
        assert_eq!(body["notes"][0]["id"], "1");
        assert_eq!(body["last_visit"], 7);
    }
}
