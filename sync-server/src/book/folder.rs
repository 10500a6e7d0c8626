//! A pocket book as its editors hand it in: a folder of layers.
//!
//! `district/*.json` is for everybody, `street/<code>/*.json` and `community/<code>/*.json` for
//! one unit. A file is one part: `{"part", "title", "title_en", "articles": […]}`. Its name is the
//! part's, so that two files never claim the same part. Nothing is published unless every file
//! is right.

#![expect(
    clippy::disallowed_methods,
    reason = "an editor's folder is read where the command was given"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whom a part is for, in the order in which a manifest lists its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The whole district.
    District,
    /// The street with this code.
    Street(String),
    /// The community with this code.
    Community(String),
}

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFile {
    /// Whom it is for.
    pub layer: Layer,
    /// The file's name without its extension.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What a manifest says of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) part: String,
    pub(super) title: String,
    pub(super) articles: u64,
    /// The bytes that travel and are hashed: sorted and without white space, so that an editor's
    /// re-indented file is no new version.
    pub(super) bytes: Vec<u8>,
}

/// Why a folder is not a pocket book.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The disk refused.
    #[error("failed to read {path}")]
    Unreadable {
        /// Which file or folder.
        path: String,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// A file lies where no layer is.
    #[error(
        "failed to place {path}: only district/, street/<code>/ and community/<code>/ are layers"
    )]
    Misplaced {
        /// Which file.
        path: String,
    },
    /// There is no part in it.
    #[error("failed to find a part in the folder")]
    Empty,
    /// A file is not a part.
    #[error("failed to read the part {name}: {wrong}")]
    NotAPart {
        /// Its name.
        name: String,
        /// What is wrong.
        wrong: &'static str,
    },
}

/// Reads a folder, the district's parts first.
///
/// # Errors
/// See [`FolderError`]; the first wrong file ends it.
pub fn read(folder: &Path) -> Result<Vec<PartFile>, FolderError> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let mut parts = files
        .iter()
        .map(|file| read_file(folder, file))
        .collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() {
        return Err(FolderError::Empty);
    }
    parts.sort_by(|a, b| (&a.layer, &a.name).cmp(&(&b.layer, &b.name)));
    Ok(parts)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    let unreadable = |source| FolderError::Unreadable {
        path: folder.display().to_string(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|sort| sort == "json") {
            files.push(path);
        }
    }
    Ok(())
}

fn read_file(folder: &Path, file: &Path) -> Result<PartFile, FolderError> {
    let path = || file.display().to_string();
    let (layer, name) =
        place(folder, file).ok_or_else(|| FolderError::Misplaced { path: path() })?;
    let text = fs::read_to_string(file).map_err(|source| FolderError::Unreadable {
        path: path(),
        source,
    })?;
    Ok(PartFile { layer, name, text })
}

fn place(folder: &Path, file: &Path) -> Option<(Layer, String)> {
    let name = file.file_stem()?.to_str()?.to_owned();
    let way = file.strip_prefix(folder).ok()?.parent()?;
    let way: Vec<&str> = way
        .iter()
        .map(|step| step.to_str())
        .collect::<Option<_>>()?;
    let layer = match way[..] {
        ["district"] => Layer::District,
        ["street", code] => Layer::Street(code.to_owned()),
        ["community", code] => Layer::Community(code.to_owned()),
        _ => return None,
    };
    Some((layer, name))
}

impl PartFile {
    /// Checks the part and brings it to the form in which it travels.
    pub(super) fn check(&self) -> Result<Part, FolderError> {
        let wrong = |wrong| FolderError::NotAPart {
            name: self.name.clone(),
            wrong,
        };
        let fields: Map<String, Value> =
            serde_json::from_str(&self.text).map_err(|_| wrong("it is not a JSON object"))?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("part") != self.name {
            return Err(wrong("its \"part\" is not the name of the file"));
        }
        if text("title").is_empty() || text("title_en").is_empty() {
            return Err(wrong("it has no \"title\" or no \"title_en\""));
        }
        let Some(articles) = fields.get("articles").and_then(Value::as_array) else {
            return Err(wrong("it has no \"articles\""));
        };
        let is_named = |article: &Value| {
            ["id", "title"].iter().all(|name| {
                article
                    .get(name)
                    .and_then(Value::as_str)
                    .is_some_and(|t| !t.is_empty())
            })
        };
        if !articles.iter().all(is_named) {
            return Err(wrong("an article has no \"id\" or no \"title\""));
        }
        let mut ids: Vec<_> = articles.iter().map(|article| &article["id"]).collect();
        ids.sort_by_key(|id| id.as_str());
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(wrong("two articles have the same \"id\""));
        }
        Ok(Part {
            part: self.name.clone(),
            title: text("title").to_owned(),
            articles: articles.len() as u64,
            bytes: serde_json::to_vec(&fields).expect("what was read as JSON is written as JSON"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> PartFile {
        PartFile {
            layer: Layer::District,
            name: "offers".into(),
            text: text.into(),
        }
    }

    #[test]
    fn a_part_is_taken_in_canonical_form() {
        let part = file(
            r#"{"title":"特惠","part":"offers","title_en":"Offers","articles":[{"title":"一","id":"1"}]}"#,
        );

        let part = part.check().unwrap();

        assert_eq!((part.title.as_str(), part.articles), ("特惠", 1));
        assert!(part.bytes.starts_with(br#"{"articles":[{"id":"1""#));
    }

    #[test]
    fn what_is_no_part_is_named() {
        for text in [
            "",
            "[]",
            r#"{"part":"other","title":"t","title_en":"t","articles":[]}"#,
            r#"{"part":"offers","title":"t","articles":[]}"#,
            r#"{"part":"offers","title":"t","title_en":"t"}"#,
            r#"{"part":"offers","title":"t","title_en":"t","articles":[{"id":"1"}]}"#,
            r#"{"part":"offers","title":"t","title_en":"t","articles":[{"id":"1","title":"a"},{"id":"1","title":"b"}]}"#,
        ] {
            assert!(file(text).check().is_err(), "{text}");
        }
    }
}
