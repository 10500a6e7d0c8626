//! The pocket book (口袋书) in the form that `publish-book` reads.
//!
//! One file is one part. Its folder says for whom: `district/` for all, `street/<code>/` and
//! `community/<code>/` for one. A community's book is the district's parts, its street's and its own.
//! `sections` is what a worker reads; `source` keeps the item as its office delivered it, form included.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{DataError, collect_json, data_folder, read_json};

/// Whom a part is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The whole district.
    District,
    /// The street with this code.
    Street(String),
    /// The community with this code.
    Community(String),
}

/// A part with the place where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct PartFile {
    /// Whom it is for.
    pub layer: Layer,
    /// The stored file.
    pub path: PathBuf,
    /// Its content.
    pub part: Part,
}

/// One part, such as the approval items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The name, unique in its layer and equal to the file's stem.
    pub part: String,
    /// The title.
    pub title: String,
    /// The title in English.
    pub title_en: String,
    /// The articles in reading order.
    pub articles: Vec<Article>,
}

/// One article: an approval item, a provider, a guide, an offer …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// Unique in the whole book.
    pub id: String,
    /// The title.
    pub title: String,
    /// Other words by which people ask for it.
    pub aliases: Vec<String>,
    /// One sentence for the list.
    pub summary: String,
    /// The text.
    pub sections: Vec<Section>,
    /// The item as delivered.
    pub source: serde_json::Value,
    /// First day, as `YYYY-MM-DD`.
    pub valid_from: String,
    /// Last day, if it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// A headed paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The text; lines are separated by `\n`.
    pub text: String,
}

/// Returns the folder that `publish-book` takes.
pub fn book_folder() -> PathBuf {
    data_folder().join("book")
}

/// Reads all parts, the district's first, each layer in the order of names.
pub fn parts() -> Result<Vec<PartFile>, DataError> {
    let mut paths = Vec::new();
    collect_json(&book_folder(), &mut paths)?;
    let mut files = paths
        .into_iter()
        .map(read_part)
        .collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| (&a.layer, &a.path).cmp(&(&b.layer, &b.path)));
    Ok(files)
}

fn read_part(path: PathBuf) -> Result<PartFile, DataError> {
    let layer = layer_of(&path).ok_or_else(|| DataError::Misplaced { path: path.clone() })?;
    let part = read_json(&path)?;
    Ok(PartFile { layer, path, part })
}

fn layer_of(path: &Path) -> Option<Layer> {
    let folder = path.strip_prefix(book_folder()).ok()?.parent()?;
    let names: Vec<&str> = folder
        .iter()
        .map(|name| name.to_str())
        .collect::<Option<_>>()?;
    match names[..] {
        ["district"] => Some(Layer::District),
        ["street", code] => Some(Layer::Street(code.to_owned())),
        ["community", code] => Some(Layer::Community(code.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::{Level, OrgFile};
    use super::*;

    fn book() -> Vec<PartFile> {
        parts().expect("the stored book reads")
    }

    fn district_part<'a>(book: &'a [PartFile], name: &str) -> &'a Part {
        let file = book
            .iter()
            .find(|file| file.layer == Layer::District && file.part.part == name);
        &file.expect("the district has this part").part
    }

    fn holds_float_or_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Number(number) => number.is_f64(),
            Value::Array(items) => items.iter().any(holds_float_or_null),
            Value::Object(fields) => fields.values().any(holds_float_or_null),
            Value::Bool(_) | Value::String(_) => false,
        }
    }

    #[test]
    fn the_district_has_ten_parts_and_its_76_items_with_forms() {
        let book = book();

        let district: Vec<_> = book
            .iter()
            .filter(|file| file.layer == Layer::District)
            .collect();
        let items = district_part(&book, "approval-items");

        assert_eq!(district.len(), 10);
        assert_eq!(items.articles.len(), 76);
        assert!(
            items
                .articles
                .iter()
                .all(|item| item.source["form"]["sections"].is_array())
        );
        assert_eq!(district_part(&book, "issue-categories").articles.len(), 158);
    }

    #[test]
    fn every_article_can_be_read_and_no_id_repeats() {
        let book = book();
        let mut ids = BTreeSet::new();

        for article in book.iter().flat_map(|file| &file.part.articles) {
            assert!(ids.insert(&article.id), "{} repeats", article.id);
            assert!(
                !article.title.is_empty()
                    && !article.summary.is_empty()
                    && !article.sections.is_empty()
            );
            assert!(
                article
                    .sections
                    .iter()
                    .all(|section| !section.text.is_empty()),
                "{}",
                article.id
            );
        }
        assert_eq!(ids.len(), 519);
    }

    #[test]
    fn the_book_holds_no_float_and_no_null() {
        for article in book().iter().flat_map(|file| &file.part.articles) {
            assert!(!holds_float_or_null(&article.source), "{}", article.id);
        }
    }

    #[test]
    fn layers_carry_codes_of_real_units_and_files_the_name_of_their_part() {
        let org = OrgFile::read().expect("the organisation reads");
        let has = |level, code: &str| org.units_at(level).any(|unit| unit.code == code);

        for file in book() {
            assert_eq!(
                file.path.file_stem().and_then(|stem| stem.to_str()),
                Some(file.part.part.as_str())
            );
            assert!(match &file.layer {
                Layer::District => true,
                Layer::Street(code) => has(Level::Street, code),
                Layer::Community(code) => has(Level::Community, code),
            });
        }
    }

    #[test]
    fn every_handling_unit_answers_for_some_category() {
        let org = OrgFile::read().expect("the organisation reads");
        let book = book();
        let named: BTreeSet<_> = district_part(&book, "issue-categories")
            .articles
            .iter()
            .filter_map(|category| category.source["handling_unit"].as_str())
            .collect();

        let district_units = org
            .units
            .iter()
            .filter(|unit| unit.code.starts_with("U-") && unit.parent == "610402");

        for unit in district_units {
            assert!(named.contains(unit.name.as_str()), "{}", unit.code);
        }
    }
}
