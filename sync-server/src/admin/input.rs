//! Where a command's input comes from: the operator's own files, read line by line.

#![expect(
    clippy::disallowed_methods,
    reason = "an operator's files are read where the command was given"
)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};

use serde_json::Value;

use super::RunError;
use super::cli::Input;
use crate::book::folder;

/// Lines, read as they are needed.
pub(super) type Lines = Box<dyn Iterator<Item = io::Result<String>> + Send>;

impl Input {
    /// Opens it; nothing but a pocket book's folder is read before it is needed.
    pub(super) fn open(&self) -> Result<Lines, RunError> {
        Ok(match self {
            Self::None => Box::new(std::iter::empty()),
            Self::Lines(path) => {
                let file = File::open(path).map_err(RunError::Input)?;
                Box::new(BufReader::with_capacity(256 * 1024, file).lines())
            }
            Self::Whole(path) => {
                let text = fs::read(path).map_err(RunError::Input)?;
                let value: Value = serde_json::from_slice(&text)
                    .map_err(|error| RunError::Input(io::Error::other(error)))?;
                Box::new(std::iter::once(Ok(value.to_string())))
            }
            Self::Book(path) => {
                let parts = folder::read(path)?;
                let line = |part| serde_json::to_string(&part).map_err(io::Error::other);
                Box::new(parts.into_iter().map(line))
            }
        })
    }
}
