//! Rights: what a role may read and write, and where.
//!
//! A duty is (user, role, unit, from, until). The server expands duties to scopes in the same
//! snapshot that it reads rows from, and judges each mutation over the interval in which it may
//! have been authored. Nobody both grants and reviews; the three administrators see no personal
//! data by default.

use serde::{Deserialize, Serialize};

use crate::ids::{UnitId, UserId};
use crate::kind::{Class, Kind};
use crate::mutation::Op;
use crate::time::{Interval, Millis};

/// What somebody is to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Grid worker (网格员).
    GridWorker,
    /// Part-timer (兼职).
    PartTimer,
    /// Volunteer (志愿者).
    Volunteer,
    /// Grid head (网格长).
    GridHead,
    /// Community clerk (社区).
    CommunityClerk,
    /// Street desk (综合窗口).
    StreetDesk,
    /// Handler (处置单位).
    Handler,
    /// District desk (区).
    DistrictDesk,
    /// Opens and closes accounts.
    SystemAdmin,
    /// Grants and devices.
    SecurityAdmin,
    /// Reads the audit.
    Auditor,
}

/// Why a text is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a role")]
pub struct UnknownRole;

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 11] = [
        Self::GridWorker,
        Self::PartTimer,
        Self::Volunteer,
        Self::GridHead,
        Self::CommunityClerk,
        Self::StreetDesk,
        Self::Handler,
        Self::DistrictDesk,
        Self::SystemAdmin,
        Self::SecurityAdmin,
        Self::Auditor,
    ];

    /// Returns the name that travels.
    pub fn name(self) -> &'static str {
        match self {
            Self::GridWorker => "grid-worker",
            Self::PartTimer => "part-timer",
            Self::Volunteer => "volunteer",
            Self::GridHead => "grid-head",
            Self::CommunityClerk => "community-clerk",
            Self::StreetDesk => "street-desk",
            Self::Handler => "handler",
            Self::DistrictDesk => "district-desk",
            Self::SystemAdmin => "system-admin",
            Self::SecurityAdmin => "security-admin",
            Self::Auditor => "auditor",
        }
    }

    /// Says whether the role reads a class of the grids at and below its unit.
    pub fn reads(self, class: Class) -> bool {
        match self {
            Self::GridWorker | Self::GridHead | Self::CommunityClerk | Self::StreetDesk => true,
            Self::PartTimer | Self::Volunteer | Self::DistrictDesk => class == Class::General,
            Self::Handler | Self::SystemAdmin | Self::SecurityAdmin | Self::Auditor => false,
        }
    }

    /// Says whether the role reads the scope of its unit itself: what was dispatched to it.
    pub fn reads_unit(self) -> bool {
        matches!(self, Self::Handler)
    }

    /// Says whether the role syncs records to a phone; desks above a grid work online.
    pub fn syncs(self) -> bool {
        matches!(
            self,
            Self::GridWorker | Self::PartTimer | Self::Volunteer | Self::GridHead | Self::Handler
        )
    }

    /// Says whether the role decides reviews, tray items and `never_auto` fields.
    pub fn holds(self) -> bool {
        matches!(
            self,
            Self::GridHead | Self::CommunityClerk | Self::StreetDesk
        )
    }

    /// Says whether the role may author this op on this kind. Whether a command is this
    /// person's to give is the workflow's word.
    pub fn may_write(self, kind: &Kind, op: Op) -> bool {
        match self {
            Self::GridWorker | Self::GridHead | Self::CommunityClerk | Self::StreetDesk => {
                kind.name != "task" || op == Op::Command || self.holds()
            }
            Self::PartTimer | Self::Volunteer => match kind.name {
                "visit" | "case" => matches!(op, Op::Create | Op::Patch | Op::Command),
                "task" => op == Op::Command,
                // Registering a newcomer's number blind: written, never read back.
                "person-sensitive" | "person" | "household" => op == Op::Create,
                _ => false,
            },
            Self::Handler => kind.name == "case" && op == Op::Command,
            Self::DistrictDesk | Self::SystemAdmin | Self::SecurityAdmin | Self::Auditor => false,
        }
    }
}

/// Somebody's role at a unit for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// Where; the role reaches to all below.
    pub unit: UnitId,
    /// From when.
    pub from: Millis,
    /// Until when, if it ends.
    pub until: Option<Millis>,
}

/// How much of an authoring interval a duty covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// Nothing of it.
    None,
    /// A part.
    Partly,
    /// All of it.
    Wholly,
}

impl Duty {
    /// Says how much of an interval lies within the duty.
    pub fn covers(&self, at: Interval) -> Cover {
        let until = self.until.unwrap_or(Millis::MAX);
        if at.from >= self.from && at.to < until {
            Cover::Wholly
        } else if at.to >= self.from && at.from < until {
            Cover::Partly
        } else {
            Cover::None
        }
    }
}
