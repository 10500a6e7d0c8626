//! The pocket book's tables: one manifest per community, parts shared among them, articles cut
//! out of their parts so that a list reads titles only.

use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::wire::{Manifest, ManifestPart, SignedManifest};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Result;
use crate::store::{Store, from_sql_int, sql_int};

/// A part as it was published.
#[derive(Debug, Deserialize)]
struct PartFile {
    part: String,
    title: String,
    articles: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct ArticleHead {
    id: String,
    title: String,
}

/// A part of the pocket book, for the list of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPart {
    /// Its name.
    pub part: String,
    /// Its title.
    pub title: String,
    /// How many articles it has.
    pub articles: u64,
}

/// An article's line in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleTitle {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

impl Store {
    /// Returns the version that is here for a community.
    pub fn book_version(&self, unit: &UnitId) -> Result<Option<u64>> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT version FROM book WHERE unit = ?1")?
                .query_row([&unit.0], |row| row.get(0))
                .optional()?
                .map(from_sql_int))
        })
    }

    /// Returns the parts of a manifest that are not here yet.
    pub fn missing_parts(&self, manifest: &Manifest) -> Result<Vec<ManifestPart>> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM book_part WHERE hash = ?1)")?;
            let mut missing = Vec::new();
            for part in &manifest.parts {
                if !statement.query_row([part.hash.0], |row| row.get::<_, bool>(0))? {
                    missing.push(part.clone());
                }
            }
            Ok(missing)
        })
    }

    /// Puts a checked manifest and its missing parts in, and drops parts that no manifest names.
    pub fn put_book(
        &self,
        signed: &SignedManifest,
        manifest: &Manifest,
        parts: &[(BlobHash, Vec<u8>)],
    ) -> Result<()> {
        self.write(|transaction| {
            for (hash, bytes) in parts {
                let part: PartFile = serde_json::from_slice(bytes)?;
                transaction.execute(
                    "INSERT OR IGNORE INTO book_part (hash, part, title) VALUES (?1, ?2, ?3)",
                    params![hash.0, part.part, part.title],
                )?;
                for (n, article) in part.articles.iter().enumerate() {
                    let head: ArticleHead = serde_json::from_str(article.get())?;
                    transaction
                        .prepare_cached(
                            "INSERT OR IGNORE INTO article (hash, n, id, title, body)
                             VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute(params![
                            hash.0,
                            sql_int(n as u64),
                            head.id,
                            head.title,
                            article.get()
                        ])?;
                }
            }
            transaction.execute(
                "INSERT OR REPLACE INTO book (unit, version, manifest) VALUES (?1, ?2, ?3)",
                params![
                    manifest.unit.0,
                    sql_int(manifest.version),
                    serde_json::to_string(signed)?
                ],
            )?;
            transaction.execute(
                "DELETE FROM book_part WHERE lower(hex(hash)) NOT IN (
                     SELECT json_extract(part.value, '$.hash')
                     FROM book, json_each(book.manifest, '$.manifest.parts') AS part
                 )",
                [],
            )?;
            Ok(())
        })
    }

    /// Returns the parts of the pocket book.
    pub fn book_parts(&self) -> Result<Vec<BookPart>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT part, MIN(book_part.title), COUNT(article.id) FROM book_part
                 LEFT JOIN article USING (hash) GROUP BY part ORDER BY part",
            )?;
            Ok(statement
                .query_map([], |row| {
                    Ok(BookPart {
                        part: row.get(0)?,
                        title: row.get(1)?,
                        articles: from_sql_int(row.get(2)?),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Returns the titles of a part, in the book's order.
    pub fn articles(&self, part: &str) -> Result<Vec<ArticleTitle>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT article.id, article.title FROM article JOIN book_part USING (hash)
                 WHERE part = ?1 ORDER BY hash, n",
            )?;
            Ok(statement
                .query_map([part], |row| {
                    Ok(ArticleTitle {
                        id: row.get(0)?,
                        title: row.get(1)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Returns an article as it was published, JSON.
    pub fn article(&self, id: &str) -> Result<Option<String>> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT body FROM article WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()?)
        })
    }
}
