//! A certificate for this machine that vouches for itself, as a district without a domain has one:
//! phones know its key from their invitation.

#![expect(
    clippy::disallowed_methods,
    reason = "the server reads its certificate from files"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Result;

/// A certificate and its key, PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    cert: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Makes one for loopback, in a folder that is there.
    pub fn for_loopback(folder: &Path) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let own = Self {
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        fs::write(&own.cert, made.cert.pem())?;
        fs::write(&own.key, made.signing_key.serialize_pem())?;
        Ok(own)
    }

    /// Returns the words that tell `serve` of it.
    pub fn arguments(&self) -> Vec<OsString> {
        let words = ["--cert".into(), self.cert.clone().into()];
        words
            .into_iter()
            .chain(["--key".into(), self.key.clone().into()])
            .collect()
    }
}
