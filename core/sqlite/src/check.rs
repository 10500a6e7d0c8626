//! Asking a database whether it is whole.

use rusqlite::Connection;

use crate::is_damaged;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Every page is readable and in order.
    Sound,
    /// Something is broken.
    Damaged {
        /// SQLite's findings, a hundred at most; they name tables and pages, never content.
        findings: Vec<String>,
    },
}

/// Reads the whole database and says whether it is sound (`quick_check`: everything but the
/// agreement of indexes with their tables).
///
/// Takes time in proportion to the file: for a doctor's call and for a doubt, not for each start.
///
/// # Errors
/// Fails only if the check could not be made, for instance because the database is busy.
pub fn check(connection: &Connection) -> rusqlite::Result<Health> {
    match findings(connection) {
        Ok(findings) if findings == ["ok"] => Ok(Health::Sound),
        Ok(findings) => Ok(Health::Damaged { findings }),
        Err(error) if is_damaged(&error) => Ok(Health::Damaged {
            findings: vec![error.to_string()],
        }),
        Err(error) => Err(error),
    }
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("PRAGMA quick_check(100)")?
        .query_map([], |row| row.get(0))?
        .collect()
}
