//! A damaged database: set aside, and the work in it carried over.

use std::path::Path;
use std::sync::Arc;

use pocketbook::books::salvage;

use crate::book::{Account, seams};
use crate::error::Result;
use crate::guard::caught;
use crate::platform::{KeyProvider, PhoneFacts};

/// What could be carried over from a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Salvaged {
    /// Where the damaged file lies now: hand it to the operators.
    pub set_aside: String,
    /// Whether the enrolment was readable; else the device enrols anew.
    pub is_enrolled: bool,
    /// Changes that had not been handed in and are saved.
    pub changes: u64,
    /// Changes that can't be read any more.
    pub lost: u64,
    /// Drafts saved.
    pub drafts: u64,
}

/// Sets the damaged database of an account aside (it is kept) and begins a new one with all work
/// of the old one that can still be read. For when opening says that the book is damaged, and
/// while no book of that folder is open. Afterwards open it as ever: the rest comes from the
/// server.
#[uniffi::export]
pub fn set_aside_and_salvage(
    account: Account,
    keys: Arc<dyn KeyProvider>,
    phone: Arc<dyn PhoneFacts>,
) -> Result<Salvaged> {
    caught(|| {
        let (seams, _) = seams(&account, keys, phone)?;
        let (_, saved) = salvage::salvage(Path::new(&account.folder), &account.name, seams)?;
        Ok(saved.into())
    })
}

impl From<salvage::Salvaged> for Salvaged {
    fn from(saved: salvage::Salvaged) -> Self {
        let salvage::Salvaged {
            set_aside,
            account,
            changes,
            lost,
            drafts,
        } = saved;
        Self {
            set_aside: set_aside.to_string_lossy().into_owned(),
            is_enrolled: account,
            changes: changes as u64,
            lost: lost as u64,
            drafts: drafts as u64,
        }
    }
}
