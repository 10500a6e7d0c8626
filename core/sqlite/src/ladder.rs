//! The migration ladder: numbered steps that bring any older database to today's schema.
//!
//! A step is SQL text; its number is its place in the table, and the number reached is the file's
//! `user_version`. A fresh file climbs every step, so that a fresh database and a migrated one are
//! equal by construction. Steps that left the house are never edited; a new one is appended.
//!
//! Reference checks are off while climbing, since SQLite rebuilds a table by dropping it; before a
//! step is committed all references are checked at once.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{Damage, OpenError};

/// The schema of one kind of database, as the steps that lead to it.
#[derive(Debug, Clone, Copy)]
pub struct Ladder {
    /// What the database is called in errors.
    pub name: &'static str,
    /// Marks the file as ours; not 0, and different for each kind of database.
    pub application_id: i32,
    /// All steps ever shipped, in order.
    pub steps: &'static [Step],
}

/// One step: the first leads to version 1.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The statements, without `BEGIN` and `COMMIT`.
    pub sql: &'static str,
}

impl Ladder {
    /// Returns the version this build knows.
    pub(crate) fn top(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("a table in the program is short")
    }

    /// Reads the version a file stands at: 0 for an empty one. Refuses a file of somebody else
    /// and one from the future. Only reads.
    pub(crate) fn standing(&self, connection: &Connection) -> Result<u32, OpenError> {
        let application_id = read_number(connection, "PRAGMA application_id")?;
        let version = read_number(connection, "PRAGMA user_version")?;
        let is_empty = application_id == 0 && version == 0 && !has_tables(connection)?;
        if application_id != self.application_id && !is_empty {
            return Err(OpenError::NotOurs {
                found: application_id,
            });
        }

        let found = u32::try_from(version)
            .map_err(|_| OpenError::Damaged(Damage::ImpossibleVersion(version)))?;
        let known = self.top();
        if found > known {
            return Err(OpenError::FromNewerApp { found, known });
        }
        Ok(found)
    }

    /// Takes the steps that are missing, each in its own transaction.
    pub(crate) fn climb(&self, connection: &Connection) -> Result<(), OpenError> {
        while self.standing(connection)? < self.top() {
            self.take_step(connection)?;
        }
        Ok(())
    }

    fn take_step(&self, connection: &Connection) -> Result<(), OpenError> {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        // Another process may have climbed while this one waited for the lock.
        let standing = self.standing(&transaction)?;
        let Some(step) = self.steps.get(standing as usize) else {
            return Ok(());
        };
        let version = standing + 1;

        let text = format!(
            "{}
             ;
             PRAGMA application_id = {};
             PRAGMA user_version = {version};",
            step.sql, self.application_id
        );
        transaction
            .execute_batch(&text)
            .map_err(|source| self.explain(version, source))?;
        if has_broken_references(&transaction)? {
            return Err(OpenError::StepBreaksReferences {
                ladder: self.name,
                version,
            });
        }
        transaction
            .commit()
            .map_err(|source| self.explain(version, source))
    }

    /// Blames the step only for what is not the disk's, the lock's or the file's fault.
    fn explain(&self, version: u32, source: rusqlite::Error) -> OpenError {
        match OpenError::from(source) {
            OpenError::Setting(source) => OpenError::Step {
                ladder: self.name,
                version,
                source,
            },
            known => known,
        }
    }
}

fn read_number(connection: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    connection.query_row(pragma, [], |row| row.get(0))
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
        row.get(0)
    })
}

fn has_broken_references(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("PRAGMA foreign_key_check")?.exists([])
}
