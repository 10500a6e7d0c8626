//! The tags of persons and households, each with the class that decides who may read it.

use serde::{Deserialize, Serialize};

use super::files::{DataError, data_folder, read_json};

/// Who may read a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TagClass {
    /// Everyone who sees the household file.
    General,
    /// Only who holds the sensitive scope of the grid: health, disability, pregnancy, minors, corrections.
    Sensitive,
}

/// One tag (标签) of the district's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The code that records carry.
    pub code: String,
    /// The word on screens.
    pub zh: String,
    /// Who may read it.
    pub class: TagClass,
}

/// Reads the catalogue of tags.
pub fn tags() -> Result<Vec<Tag>, DataError> {
    read_json(&data_folder().join("tags.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_disability_are_sensitive_and_membership_is_not() {
        let tags = tags().expect("the stored file reads");

        let class_of = |code: &str| {
            tags.iter()
                .find(|tag| tag.code == code)
                .map(|tag| tag.class)
        };

        assert_eq!(class_of("disabled"), Some(TagClass::Sensitive));
        assert_eq!(class_of("mental-illness"), Some(TagClass::Sensitive));
        assert_eq!(class_of("pregnant"), Some(TagClass::Sensitive));
        assert_eq!(class_of("party-member"), Some(TagClass::General));
    }
}
