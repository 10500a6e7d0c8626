//! Reviews (待确认): mine, theirs, what it was.

use pocketbook::books::{self, Entry, OpenReview};
use pocketbook_records::ids::{Mid, RecordId, Rev, UserId};
use pocketbook_records::kinds::review::{self, REVIEW, REVIEW_SENSITIVE};
use pocketbook_records::time::Interval;

use super::Badges;
use crate::error::Result;
use crate::json;

/// A field on which people disagree.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Review {
    /// Its id.
    pub id: RecordId,
    /// What the screen shows.
    pub rev: Option<Rev>,
    /// Its badges.
    pub badges: Badges,
    /// Whether it is about a sensitive record.
    pub is_sensitive: bool,
    /// Whether it waits for a decision.
    pub is_open: bool,
    /// Kind of the record in question.
    pub of: String,
    /// The record in question.
    pub record: Option<RecordId>,
    /// The field; `*` for the record as a whole.
    pub path: String,
    /// Whether only head or clerk decide.
    pub is_held: bool,
    /// Every value that was written.
    pub candidates: Vec<Candidate>,
    /// 我的: this account's.
    pub mine: Option<Candidate>,
    /// 对方的: the latest of somebody else.
    pub theirs: Option<Candidate>,
    /// 原来的: what it was before.
    pub before: Option<Candidate>,
    /// The candidate that is shown meanwhile, or was chosen.
    pub shown: Option<String>,
    /// Who closed it.
    pub decided_by: Option<UserId>,
    /// The decision that closed it.
    pub decision: Option<Mid>,
    /// When it was opened (ms, server time).
    pub opened_at: Option<i64>,
}

/// One value of a review.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// The value, JSON; none means "taken away".
    pub value_json: Option<String>,
    /// Who wrote it.
    pub by: Option<UserId>,
    /// When.
    pub at: Option<Interval>,
}

/// What a review shall be decided to.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Take {
    /// One of the candidates.
    Candidate {
        /// Its id.
        id: String,
    },
    /// Another value.
    Value {
        /// The value, JSON; none takes the field away.
        value_json: Option<String>,
    },
}

impl From<review::Candidate> for Candidate {
    fn from(candidate: review::Candidate) -> Self {
        let review::Candidate { id, value, by, at } = candidate;
        Self {
            id,
            value_json: json::text(&value),
            by,
            at,
        }
    }
}

impl From<OpenReview> for Review {
    fn from(open: OpenReview) -> Self {
        let OpenReview {
            review:
                Entry {
                    id,
                    rev,
                    mark,
                    fields,
                },
            kind,
            candidates,
            mine,
            theirs,
            before,
        } = open;
        Self {
            id,
            rev,
            badges: Badges::of(mark),
            is_sensitive: kind == REVIEW_SENSITIVE.name,
            is_open: fields.state.as_deref() == Some("open"),
            of: fields.of.unwrap_or_default(),
            record: fields.record.map(RecordId),
            path: fields.path.unwrap_or_default(),
            is_held: fields.held.unwrap_or(false),
            candidates: candidates.into_iter().map(Into::into).collect(),
            mine: mine.map(Into::into),
            theirs: theirs.map(Into::into),
            before: before.map(Into::into),
            shown: fields.shown,
            decided_by: fields.decided_by.map(UserId),
            decision: fields.transition.map(Mid),
            opened_at: fields.opened_at,
        }
    }
}

impl Review {
    /// Returns the review as the core was asked to show it: a decision counts for what its author
    /// has seen, not for what came meanwhile.
    pub(crate) fn as_shown(&self) -> OpenReview {
        let kind = if self.is_sensitive {
            &REVIEW_SENSITIVE
        } else {
            &REVIEW
        };
        let seen = |candidate: &Candidate| review::Candidate {
            id: candidate.id.clone(),
            value: serde_json::Value::Null,
            by: candidate.by,
            at: candidate.at,
        };
        OpenReview {
            review: Entry {
                id: self.id,
                rev: self.rev,
                mark: 0,
                fields: review::Review {
                    transition: self.decision.map(|mid| mid.0),
                    ..Default::default()
                },
            },
            kind: kind.name,
            candidates: self.candidates.iter().map(seen).collect(),
            mine: None,
            theirs: None,
            before: None,
        }
    }
}

impl Take {
    pub(crate) fn read(self) -> Result<books::Take> {
        Ok(match self {
            Self::Candidate { id } => books::Take::Candidate(id),
            Self::Value { value_json } => {
                books::Take::Value(json::value(value_json.as_deref(), "value")?)
            }
        })
    }
}
