//! All that a database holds, as text that can be compared.

#![expect(
    clippy::disallowed_methods,
    reason = "the oracle believes the file, not the product"
)]

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Writes all rows of all tables down, without those that `is_left_out` names by their table; an
/// error says what is wrong with the file itself.
pub(crate) fn tables(
    database: &Path,
    is_left_out: impl Fn(&str) -> bool,
) -> Result<String, String> {
    let read = || -> rusqlite::Result<(String, String)> {
        let file = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let health = file.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let mut names =
            file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        let names = names.query_map([], |row| row.get(0))?;
        let mut all = String::new();
        for name in names.collect::<rusqlite::Result<Vec<String>>>()? {
            if !is_left_out(&name) {
                rows(&file, &name, &mut all)?;
            }
        }
        Ok((health, all))
    };
    let (health, all) = read().map_err(|error| error.to_string())?;
    match health == "ok" {
        true => Ok(all),
        false => Err(health),
    }
}

fn rows(file: &Connection, table: &str, into: &mut String) -> rusqlite::Result<()> {
    let mut lines = Vec::new();
    let mut statement = file.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut line = table.to_owned();
        for column in 0..columns {
            let _ = match row.get_ref(column)? {
                ValueRef::Null => write!(line, "|"),
                ValueRef::Integer(number) => write!(line, "|{number}"),
                ValueRef::Real(number) => write!(line, "|{number}"),
                ValueRef::Text(text) => write!(line, "|{}", String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => write!(line, "|{}", hex::encode(bytes)),
            };
        }
        lines.push(line);
    }
    lines.sort();
    for line in lines {
        into.push_str(&line);
        into.push('\n');
    }
    Ok(())
}
