//! Where the stored input lies and how it is read. The only part of the data that touches the disk.

#![expect(
    clippy::disallowed_methods,
    reason = "stored test input is read from the source tree, not by a device"
)]

use std::fs::{read, read_dir};
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why stored input could not be read.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file or folder is missing or unreadable.
    #[error("read {}", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// The file is not what its type says.
    #[error("understand {}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A file lies where no layer of the book is.
    #[error("place {} in a layer of the book", path.display())]
    Misplaced {
        /// Which file.
        path: PathBuf,
    },
}

/// Returns the folder of the stored input.
pub fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// Reads a file as the type says.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    let bytes = read(path).map_err(|source| DataError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| DataError::Malformed {
        path: path.to_owned(),
        source,
    })
}

/// Adds every JSON file below `folder`.
pub(super) fn collect_json(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let unreadable = |source| DataError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    for entry in read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect_json(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    Ok(())
}
