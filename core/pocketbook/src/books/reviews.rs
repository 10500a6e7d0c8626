//! Reviews (待确认): mine, theirs, what it was; decided offline.

use pocketbook_records::decide::candidates;
use pocketbook_records::ids::{RecordId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::kinds::review::{BASE, Candidate, REVIEW, REVIEW_SENSITIVE, Review};
use pocketbook_records::mutation::{Choice, Decide, Frozen, Op};
use serde_json::Value;

use crate::books::{Book, Entry};
use crate::error::{Error, Result};
use crate::store::lists::{self, MAX_PAGE, Shown};
use crate::store::outbox::Authored;

/// A field on which people disagree, as the screen shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenReview {
    /// The review.
    pub review: Entry<Review>,
    /// The kind of the review: general or sensitive.
    pub kind: &'static str,
    /// Every value that was written, with its author.
    pub candidates: Vec<Candidate>,
    /// 我的: this account's.
    pub mine: Option<Candidate>,
    /// 对方的: the latest of somebody else.
    pub theirs: Option<Candidate>,
    /// 原来的: what it was before.
    pub before: Option<Candidate>,
}

/// What a review shall be decided to.
#[derive(Debug, Clone, PartialEq)]
pub enum Take {
    /// One of the candidates, by id.
    Candidate(String),
    /// Another value.
    Value(Value),
}

impl Book {
    /// Returns the open reviews of this account's grids, or of one record.
    pub fn reviews(&self, record: Option<RecordId>) -> Result<Vec<OpenReview>> {
        let store = self.store()?;
        let me = store.account()?.user;
        let under = record.map(|id| id.to_string());
        let mut open = Vec::new();
        for kind in [&REVIEW, &REVIEW_SENSITIVE] {
            let mut after = None;
            loop {
                let page = store.list(kind, under.as_deref(), after.as_ref(), MAX_PAGE)?;
                open.extend(
                    page.rows
                        .into_iter()
                        .filter(is_open)
                        .map(|shown| read(kind, shown, me)),
                );
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(open)
    }

    /// Decides a review; works offline. What the screen showed goes with it, so that a value which
    /// nobody has looked at is never settled away.
    pub fn decide(&self, shown: &OpenReview, take: Take) -> Result<Authored> {
        let store = self.store()?;
        let kind = Kind::named(shown.kind).ok_or(Error::NotFound)?;
        let mut frozen = Frozen::new(kind, shown.review.id, Op::Decide, store.now()?);
        frozen.seen = shown.review.rev;
        let mut seen: Vec<String> = shown.candidates.iter().map(|c| c.id.clone()).collect();
        seen.extend(shown.review.fields.transition.map(|mid| mid.to_string()));
        let choice = match take {
            Take::Candidate(id) => Choice::Candidate(id),
            Take::Value(value) => Choice::Value(value),
        };
        frozen.decide = Some(Decide { choice, seen });
        store.author(frozen)
    }

    /// Returns one review, open or closed.
    pub fn review(&self, id: RecordId) -> Result<OpenReview> {
        let store = self.store()?;
        let me = store.account()?.user;
        for kind in [&REVIEW, &REVIEW_SENSITIVE] {
            if let Some(shown) = store.read(|connection| lists::one(connection, kind, id))? {
                return Ok(read(kind, shown, me));
            }
        }
        Err(Error::NotFound)
    }
}

fn is_open(shown: &Shown) -> bool {
    pocketbook_records::decide::is_open(&shown.fields)
}

fn read(kind: &'static Kind, shown: Shown, me: UserId) -> OpenReview {
    let candidates = candidates(&shown.fields);
    let latest = |wanted: &dyn Fn(&&Candidate) -> bool| {
        candidates
            .iter()
            .filter(wanted)
            .max_by_key(|c| c.at.map(|at| at.to))
            .cloned()
    };
    OpenReview {
        mine: latest(&|c| c.by == Some(me)),
        theirs: latest(&|c| c.id != BASE && c.by != Some(me)),
        before: candidates.iter().find(|c| c.id == BASE).cloned(),
        kind: kind.name,
        review: Entry::read(shown, Review::read),
        candidates,
    }
}
