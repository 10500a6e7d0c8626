//! One line of an import of people: a household with its members, as `import-people` reads it.
//!
//! `Debug` shows everything, because nobody in these files exists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line of an import: a household with its people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdLine {
    /// Code of the grid.
    pub grid: String,
    /// The household.
    pub household: HouseholdFile,
    /// Its people, the head first; none in an empty flat.
    pub people: Vec<Person>,
}

/// A household file (户档案).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdFile {
    /// The record's id.
    pub id: Uuid,
    /// Where it is.
    pub place: Place,
    /// How it is held.
    pub tenure: Tenure,
    /// Where its people are registered.
    pub registration: Registration,
    /// General tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: TagMap,
}

/// Compound, building, unit and room (小区-幢-单元-室).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// 小区.
    pub compound: String,
    /// 幢.
    pub building: String,
    /// 单元.
    pub unit: String,
    /// 室.
    pub room: String,
}

/// A person (人员).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The record's id.
    pub id: Uuid,
    /// The name.
    pub name: String,
    /// What the person is to the head.
    pub relation: Relation,
    /// The sex.
    pub sex: Sex,
    /// Birth date, as `YYYY-MM-DD`.
    pub birth: String,
    /// Mobile phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Citizen's ID number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// General tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: TagMap,
    /// Tags of the sensitive class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sensitive_tags: TagMap,
    /// A note on health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
}

/// Tags by code.
pub type TagMap = BTreeMap<String, TagNote>;

/// What is known about a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagNote {
    /// The document that proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// How a household is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tenure {
    /// 自有.
    Own,
    /// 租住.
    Rent,
    /// 空置.
    Empty,
    /// 借住.
    Lent,
    /// 商用.
    Business,
}

/// Where people are registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    /// 户籍在此.
    Here,
    /// 人户分离.
    Elsewhere,
}

/// What a person is to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// 户主.
    Head,
    /// 配偶.
    Spouse,
    /// 子女.
    Child,
    /// 父母.
    Parent,
    /// 孙子女.
    Grandchild,
    /// 其他.
    Other,
}

/// The sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// 男.
    Male,
    /// 女.
    Female,
}

impl Sex {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Male => Self::Female,
            Self::Female => Self::Male,
        }
    }
}
