//! The merge: what becomes of an edit that meets a record as others have left it.
//!
//! One function for everyone: the server decides with [`merge`], the device previews with
//! [`overlay`](crate::overlay::overlay). It is pure and deterministic, and knows kinds only through their tables.
//!
//! **The screen says what it saw.** Every register edit carries the value that was shown (`was`)
//! and the value that it shall be (`to`). A register is in conflict if and only if what is stored
//! is neither of the two, and was not written by an earlier mutation of the same phone: judging
//! by the revision shown instead loses values (sync-protocol §5.1 has the counts).
//!
//! In conflict the field's declared rule speaks:
//!
//! - *register*: the value of the later authoring interval is shown meanwhile; if they overlap,
//!   the later arrival. A [`Dispute`] always holds both, so nothing is overwritten silently.
//! - *never-auto*: the stored value stays until head or clerk decide.
//! - *counter* adds; *max* and *min* compare; *set*, *append* and *map* are per element: an add
//!   wins over a remove that had not seen it, and a remove of a map's key that had not seen an
//!   edit of one of its registers disputes that register.
//!
//! None of the latter depends on the order of arrival. States change by commands only
//! ([`crate::workflow`]); reviews are decided by [`crate::decide`].
//!
//! After a restore phones bring back what the server had lost ([`crate::history`]). What somebody
//! had been shown who has written since is done already; and an edit made upon lost history
//! applies without comparing `was` if its author had been shown whatever is stored now.

use serde_json::Value;

use crate::body::Fields;
use crate::ids::{Commit, EnrolmentId, Mid, Mseq, UserId};
use crate::kind::{Kind, Rule};
use crate::kinds::review::{BASE, Candidate};
use crate::mutation::{Frozen, Set};
use crate::overlay::{count, put_element, rule, take_element};
use crate::path::{self, Path};
use crate::receipt::{Fate, FateKind};
use crate::stamp::{Added, Author, Stamp, Stamps};
use crate::time::Interval;

/// A record as the server holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its fields.
    pub body: Fields,
    /// Who created it.
    pub created: Stamp,
    /// Who wrote what since.
    pub stamps: Stamps,
}

/// A field on which people disagree.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispute {
    /// Where.
    pub path: Path,
    /// Whether only head and clerk decide.
    pub held: bool,
    /// The values known to this mutation; a review's list is the union of all.
    pub candidates: Vec<Candidate>,
    /// The candidate that is stored meanwhile.
    pub shown: String,
}

/// What the merge makes of an edit.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The fields afterwards.
    pub body: Fields,
    /// The stamps afterwards.
    pub stamps: Stamps,
    /// What did not simply become the stored value.
    pub fates: Vec<Fate>,
    /// What a review must hold.
    pub disputes: Vec<Dispute>,
}

/// Judges the edits of a mutation against a record.
///
/// `stored` is the record, or what a creation starts from; `under_review` says whether a field
/// has an open review. The mutation has passed [`Frozen::check`].
pub fn merge(
    kind: &Kind,
    stored: Stored,
    edit: &Frozen,
    author: &Author,
    under_review: &dyn Fn(&Path) -> bool,
) -> Merged {
    let mut judge = Judge {
        created: stored.created,
        edit,
        author,
        under_review,
        out: Merged {
            body: stored.body,
            stamps: stored.stamps,
            fates: Vec::new(),
            disputes: Vec::new(),
        },
    };
    for set in edit.set.iter().filter(|set| set.was != set.to) {
        match rule(kind, &set.path) {
            Rule::Max => judge.compare(set, |stored, to| to > stored),
            Rule::Min => judge.compare(set, |stored, to| to < stored),
            rule => judge.register(set, rule == Rule::NeverAuto),
        }
    }
    for (path, by) in &edit.inc {
        if !judge.is_done_already(path) {
            count(&mut judge.out.body, path, *by);
        }
    }
    for (path, items) in &edit.add {
        if !judge.is_done_already(path) {
            items.iter().for_each(|item| judge.add(kind, path, item));
        }
    }
    for (path, items) in &edit.remove {
        if !judge.is_done_already(path) {
            items.iter().for_each(|item| judge.remove(kind, path, item));
        }
    }
    judge.out
}

struct Judge<'a> {
    created: Stamp,
    edit: &'a Frozen,
    author: &'a Author,
    under_review: &'a dyn Fn(&Path) -> bool,
    out: Merged,
}

impl Judge<'_> {
    fn register(&mut self, set: &Set, never_auto: bool) {
        let now = path::get(&self.out.body, &set.path).clone();
        let last = self
            .out
            .stamps
            .fields
            .get(&set.path)
            .unwrap_or(&self.created)
            .clone();
        let mine = self.author.mid.to_string();
        if self.is_done_already(&set.path) {
            return;
        }
        if now == set.to {
            self.write(set);
            return;
        }
        let in_conflict =
            now != set.was && !self.is_own(last.enrolment, last.mseq) && !self.is_made_upon(&last);
        let reviewed = (self.under_review)(&set.path);
        // A holder who saw the stored value may overwrite a field that waits for him.
        let waits_for_holder = never_auto && reviewed && !self.author.holder;
        let is_later = !last.at.is_after(self.author.at);
        let wins = if in_conflict {
            !never_auto && is_later
        } else {
            !waits_for_holder
        };
        if in_conflict || reviewed {
            let mut candidates = vec![candidate(last.mid.to_string(), &now, last.user, last.at)];
            if in_conflict {
                let base = Candidate {
                    id: BASE.into(),
                    value: set.was.clone(),
                    by: None,
                    at: None,
                };
                candidates.push(base);
            }
            candidates.push(candidate(
                mine.clone(),
                &set.to,
                self.author.user,
                self.author.at,
            ));
            let fate = match (wins, never_auto) {
                (true, _) => FateKind::Shown,
                (false, true) => FateKind::Proposed,
                (false, false) => FateKind::Behind,
            };
            self.out
                .fates
                .push(fate_of(&set.path, fate, Some(last.mid)));
            let shown = if wins { mine } else { last.mid.to_string() };
            self.out.disputes.push(Dispute {
                path: set.path.clone(),
                held: never_auto,
                candidates,
                shown,
            });
        }
        if wins {
            self.write(set);
        }
    }

    /// Whether a mutation that is brought back had been shown to who has written the field since.
    fn is_done_already(&self, path: &Path) -> bool {
        let stamps = &self.out.stamps.fields;
        let last = stamps
            .get(path)
            .or_else(|| stamps.get(&Path::field(path.root())));
        let last = last.unwrap_or(&self.created);
        let lost = &self.author.lost;
        self.author
            .origin
            .is_some_and(|origin| lost.includes(last.seen, origin))
    }

    /// Whether the edit was made upon lost history that held what is stored now.
    fn is_made_upon(&self, last: &Stamp) -> bool {
        let lost = &self.author.lost;
        let seen = self.edit.seen.filter(|seen| lost.holds(*seen));
        lost.includes(seen, last.origin)
    }

    fn write(&mut self, set: &Set) {
        path::set(&mut self.out.body, &set.path, set.to.clone());
        self.out
            .stamps
            .fields
            .insert(set.path.clone(), self.stamp());
        if !set.to.is_null()
            && let Some(key) = element_of(&set.path)
        {
            self.note_add(key);
        }
    }

    fn compare(&mut self, set: &Set, wins: impl Fn(i64, i64) -> bool) {
        let stored = path::get(&self.out.body, &set.path).as_i64();
        let to = set.to.as_i64();
        if stored.is_none_or(|stored| to.is_some_and(|to| wins(stored, to))) {
            path::set(&mut self.out.body, &set.path, set.to.clone());
        }
    }

    fn add(&mut self, kind: &Kind, path: &Path, item: &Value) {
        put_element(kind, &mut self.out.body, path, item);
        if rule(kind, path) != Rule::Append
            && let Some(Ok(element)) = item.as_str().map(|name| path.join(name))
        {
            self.note_add(element);
        }
    }

    fn note_add(&mut self, element: Path) {
        let added = Added {
            commit: self.author.commit,
            origin: self.author.origin,
            mseq: self.author.mseq,
        };
        let stamp = self.out.stamps.elements.entry(element).or_default();
        stamp.adds.insert(self.author.enrolment, added);
        stamp.gone = None;
    }

    fn remove(&mut self, kind: &Kind, path: &Path, item: &str) {
        let Ok(element) = path.join(item) else { return };
        let disputed = rule(kind, path) == Rule::Map && self.dispute_unseen_leaves(&element);
        if disputed || !self.has_seen_adds(&element) {
            self.out
                .fates
                .push(fate_of(&element, FateKind::Stays, None));
            return;
        }
        take_element(kind, &mut self.out.body, path, item);
        let stamp = self.out.stamps.elements.entry(element).or_default();
        stamp.adds.clear();
        stamp.gone = Some(self.author.commit);
    }

    /// A remove of a map's key disputes each register below it that its author had not seen.
    fn dispute_unseen_leaves(&mut self, element: &Path) -> bool {
        let Value::Object(leaves) = path::get(&self.out.body, element).clone() else {
            return false;
        };
        let mut disputed = self
            .out
            .disputes
            .iter()
            .any(|d| element_of(&d.path).as_ref() == Some(element));
        for name in leaves.keys() {
            let Ok(leaf) = element.join(name) else {
                continue;
            };
            let last = self.out.stamps.fields.get(&leaf).unwrap_or(&self.created);
            let seen = self.has_seen(last.commit, Some(last.origin));
            if seen || self.is_own(last.enrolment, last.mseq) {
                continue;
            }
            let set = Set {
                path: leaf,
                was: Value::Null,
                to: Value::Null,
            };
            let candidates = vec![
                candidate(last.mid.to_string(), &leaves[name], last.user, last.at),
                candidate(
                    self.author.mid.to_string(),
                    &Value::Null,
                    self.author.user,
                    self.author.at,
                ),
            ];
            let (shown, against) = (last.mid.to_string(), last.mid);
            self.out
                .fates
                .push(fate_of(&set.path, FateKind::Behind, Some(against)));
            self.out.disputes.push(Dispute {
                path: set.path,
                held: false,
                candidates,
                shown,
            });
            disputed = true;
        }
        disputed
    }

    fn has_seen_adds(&self, element: &Path) -> bool {
        match self.out.stamps.elements.get(element) {
            Some(stamp) => stamp.adds.iter().all(|(who, add)| {
                self.has_seen(add.commit, add.origin) || self.is_own(*who, add.mseq)
            }),
            None => {
                let created = &self.created;
                self.has_seen(created.commit, Some(created.origin))
                    || self.is_own(created.enrolment, created.mseq)
            }
        }
    }

    /// Whether the author had been shown what a commit did, here or in a history that was lost.
    fn has_seen(&self, commit: Commit, origin: Option<Commit>) -> bool {
        let lost = &self.author.lost;
        lost.includes(self.edit.seen, commit)
            || origin.is_some_and(|origin| lost.includes(self.edit.seen, origin))
    }

    fn is_own(&self, enrolment: EnrolmentId, mseq: Mseq) -> bool {
        self.author.is_own(enrolment, mseq)
    }

    fn stamp(&self) -> Stamp {
        self.author.stamp(self.edit.seen)
    }
}

fn candidate(id: String, value: &Value, by: UserId, at: Interval) -> Candidate {
    Candidate {
        id,
        value: value.clone(),
        by: Some(by),
        at: Some(at),
    }
}

fn fate_of(path: &Path, fate: FateKind, against: Option<Mid>) -> Fate {
    Fate {
        path: path.clone(),
        fate,
        against,
        review: None,
    }
}

/// Returns the path of the map's element that a leaf lies in.
fn element_of(leaf: &Path) -> Option<Path> {
    let mut segments = leaf.segments();
    let (field, key) = (segments.next()?, segments.next()?);
    segments.next()?;
    Path::field(field).join(key).ok()
}
