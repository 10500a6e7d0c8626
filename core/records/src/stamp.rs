//! Stamps: who last wrote a field, seen from where.
//!
//! They are sparse (a field never changed since the record's creation carries the creation's
//! stamp), live on the server only, and are all that the merge needs besides the body. Stamps of
//! elements survive the element's removal (`gone`) and hold the last add per enrolment, so that a
//! remove takes only what its author had seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::Lost;
use crate::ids::{Commit, EnrolmentId, Mid, Mseq, UserId};
use crate::path::Path;
use crate::time::Interval;

/// Says which mutation last wrote a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The commit that wrote it here.
    pub commit: Commit,
    /// The commit that first wrote it; differs from `commit` after a restore.
    pub origin: Commit,
    /// The rev that the author had been shown.
    pub seen: Option<Commit>,
    /// The identity that authored it.
    pub enrolment: EnrolmentId,
    /// Its place in that identity's work.
    pub mseq: Mseq,
    /// Its name.
    pub mid: Mid,
    /// The account behind the identity.
    pub user: UserId,
    /// When it was authored, as far as can be bounded.
    pub at: Interval,
}

/// Who authored the mutation being judged, and in which commit it arrives.
#[derive(Debug, Clone)]
pub struct Author {
    /// The identity.
    pub enrolment: EnrolmentId,
    /// The account.
    pub user: UserId,
    /// The mutation's name.
    pub mid: Mid,
    /// Its place.
    pub mseq: Mseq,
    /// When it was authored.
    pub at: Interval,
    /// Whether earlier mutations of the identity count as seen: for a phone, whose screens show
    /// its own work; not for desk sessions and imports.
    pub own_chain: bool,
    /// Earlier identities of the same phone, each with the first number that was no longer its own
    /// under it.
    pub earlier: Vec<(EnrolmentId, Mseq)>,
    /// Whether the author may decide `never_auto` fields of this record.
    pub holder: bool,
    /// The commit.
    pub commit: Commit,
    /// The commit that took it in a history that was lost, if a phone brings it back.
    pub origin: Option<Commit>,
    /// What restores threw away.
    pub lost: Lost,
}

impl Author {
    /// Says whether a mutation is an earlier one of the same phone's, so that the author knew it.
    pub fn is_own(&self, enrolment: EnrolmentId, mseq: Mseq) -> bool {
        let is_earlier = |(who, first): &(EnrolmentId, Mseq)| *who == enrolment && mseq < *first;
        let is_own = enrolment == self.enrolment && mseq <= self.mseq;
        self.own_chain && (is_own || self.earlier.iter().any(is_earlier))
    }

    /// Returns the stamp that this author leaves.
    pub fn stamp(&self, seen: Option<Commit>) -> Stamp {
        Stamp {
            commit: self.commit,
            origin: self.origin.unwrap_or(self.commit),
            seen,
            enrolment: self.enrolment,
            mseq: self.mseq,
            mid: self.mid,
            user: self.user,
            at: self.at,
        }
    }
}

/// The stamp of an element of a map or set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementStamp {
    /// The last add per enrolment.
    pub adds: BTreeMap<EnrolmentId, Added>,
    /// The remove that took it, if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Commit>,
}

/// One enrolment's last add of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The commit that added it here.
    pub commit: Commit,
    /// The commit that first added it, if that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Commit>,
    /// Its place in the enrolment's work.
    pub mseq: Mseq,
}

/// The stamps of one record, besides that of its creation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    /// By path of the register.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Path, Stamp>,
    /// By path of the element.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elements: BTreeMap<Path, ElementStamp>,
}
