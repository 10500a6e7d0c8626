//! A folder of this machine as a phone: its database, files and keys lie in it, its clock and
//! chance are the machine's.

use std::path::Path;
use std::sync::Arc;

use pocketbook::seams::folder::{Folder, KeyFolder};
use pocketbook::seams::system::{SystemClock, SystemEntropy};
use pocketbook::seams::{Platform, Seams, Transport};

use super::Result;

/// Returns the world of a phone that lies in a folder, made if need be.
pub fn seams(
    folder: &Path,
    transport: Arc<dyn Transport>,
    platform: Arc<dyn Platform>,
) -> Result<Seams> {
    let keys = KeyFolder::open(folder.join("keys"), Arc::new(SystemEntropy))?;
    Ok(Seams {
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        transport,
        keys: Arc::new(keys),
        files: Arc::new(Folder::open(folder.join("files"))?),
        platform,
    })
}
