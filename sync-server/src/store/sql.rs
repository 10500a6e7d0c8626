//! The seam to the database engine: one text of plain SQL per function, parameters `$1 … $n` in
//! the order of first appearance, rows read by position.
//!
//! Only SQLite stands behind it now; PostgreSQL fits behind the same few methods. What a store
//! module may know of an engine ends here: it binds [`Param`]s, reads [`Column`]s and gets an
//! [`SqlError`] that is sorted by what the server can do about it.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};

use pocketbook_sqlite::{Access, Deleted, Ladder, OpenError};

use super::{Column, Param};

/// What went wrong, sorted by what can be done.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// No room: nothing was recorded, the caller may come back.
    #[error("failed to write to a full disk")]
    Full(#[source] rusqlite::Error),
    /// Somebody else holds the database.
    #[error("failed to get hold of a busy database")]
    Busy(#[source] rusqlite::Error),
    /// A row with this key is there already.
    #[error("failed to add a row that is there already")]
    Duplicate(#[source] rusqlite::Error),
    /// Our statement or the database is broken.
    #[error("failed to run a statement")]
    Broken(#[source] rusqlite::Error),
    /// The database can't be opened for another reader.
    #[error("failed to open the database for reading")]
    Open(#[from] OpenError),
    /// A stored value is not what the column holds.
    #[error("failed to read {0} from a stored row")]
    Stored(&'static str),
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        if pocketbook_sqlite::is_disk_full(&error) {
            return Self::Full(error);
        }
        if pocketbook_sqlite::is_busy(&error) {
            return Self::Busy(error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Duplicate(error),
            _ => Self::Broken(error),
        }
    }
}

/// One row of a result, read by position.
pub struct Row<'r>(&'r rusqlite::Row<'r>);

impl Row<'_> {
    /// Reads a column.
    pub fn get<T: Column>(&self, column: usize) -> Result<T, SqlError> {
        T::read(self.0.get_ref(column)?)
    }

    /// Reads text without copying it.
    pub fn text(&self, column: usize) -> Result<&str, SqlError> {
        let value = self.0.get_ref(column)?;
        value.as_str().map_err(|_| SqlError::Stored("text"))
    }

    /// Reads text that may be absent without copying it.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, SqlError> {
        match self.0.get_ref(column)? {
            ValueRef::Null => Ok(None),
            value => value
                .as_str()
                .map(Some)
                .map_err(|_| SqlError::Stored("text")),
        }
    }

    /// Reads bytes that may be absent without copying them.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, SqlError> {
        match self.0.get_ref(column)? {
            ValueRef::Null => Ok(None),
            value => value
                .as_blob()
                .map(Some)
                .map_err(|_| SqlError::Stored("bytes")),
        }
    }
}

/// A connection to the district's database.
pub struct Sql(Connection);

impl Sql {
    /// Opens the database for the writer; creates it and brings it up to date.
    pub fn open(path: &Path, ladder: &Ladder) -> Result<Self, OpenError> {
        let options = pocketbook_sqlite::Options {
            cache_kib: 64 * 1024,
            // A district's phones hand in at the same hour: pages that all of them touch are folded
            // in once and not with every group.
            log_pages: 8_000,
            statements: 256,
            ..pocketbook_sqlite::Options::new(path)
        };
        pocketbook_sqlite::open(&options, ladder).map(Self)
    }

    /// Opens the database for a reader.
    pub fn open_reader(path: &Path, ladder: &Ladder) -> Result<Self, OpenError> {
        let options = pocketbook_sqlite::Options {
            access: Access::ReadOnly,
            deleted: Deleted::LeftInPlace,
            cache_kib: 16 * 1024,
            statements: 128,
            ..pocketbook_sqlite::Options::new(path)
        };
        pocketbook_sqlite::open(&options, ladder).map(Self)
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, SqlError> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(params))?)
    }

    /// Reads at most one row.
    pub fn one<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        rows.next()?.map(|row| read(&Row(row))).transpose()
    }

    /// Reads all rows.
    pub fn all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut all = Vec::new();
        self.each::<SqlError>(sql, params, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// Reads rows until `read` says that it has enough.
    pub fn each<E: From<SqlError>>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut statement = self.0.prepare_cached(sql).map_err(SqlError::from)?;
        let query = statement.query(rusqlite::params_from_iter(params));
        let mut rows = query.map_err(SqlError::from)?;
        while let Some(row) = rows.next().map_err(SqlError::from)? {
            if !read(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    /// Begins the one writing transaction.
    pub fn begin_writing(&self) -> Result<(), SqlError> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    /// Begins a snapshot: all reads until the end see one state.
    pub fn begin_reading(&self) -> Result<(), SqlError> {
        self.execute("BEGIN DEFERRED", &[]).map(drop)
    }

    /// Makes a transaction durable.
    pub fn commit(&self) -> Result<(), SqlError> {
        self.execute("COMMIT", &[]).map(drop)
    }

    /// Ends a transaction without a trace. SQLite may have done so by itself.
    pub fn roll_back(&self) -> Result<(), SqlError> {
        if self.0.is_autocommit() {
            return Ok(());
        }
        self.execute("ROLLBACK", &[]).map(drop)
    }

    /// Cuts the log back into the database, for a graceful stop.
    pub fn checkpoint(&self) -> Result<(), SqlError> {
        self.one("PRAGMA wal_checkpoint(TRUNCATE)", &[], |_| Ok(()))
            .map(drop)
    }

    /// Returns the engine's own connection: for backups and checks, which are the engine's.
    pub fn engine(&self) -> &Connection {
        &self.0
    }
}
