//! The account: who is enrolled here, and where its files lie.

use std::path::{Path, PathBuf};

use pocketbook_records::ids::{EnrolmentId, Epoch, Mseq, UnitId, UserId};
use pocketbook_records::wire::{Certificate, Continues, EnrolAnswer};
use pocketbook_sqlite::{Access, Options, RawKey, is_encryption_built};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::seal::SealKey;
use crate::seams::Seams;
use crate::store::clones::{self, Salt};
use crate::store::{LADDER, Store, meta, receipts, scopes};

/// What the server told this enrolment about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The identity that authors.
    pub enrolment: EnrolmentId,
    /// The account.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// The district.
    pub district: UnitId,
    /// The history in which it was enrolled.
    pub epoch: Epoch,
    /// The server's signed word.
    pub certificate: Certificate,
    /// Ed25519 key that signs pocket books, hex.
    pub bundle_key: String,
    /// Key that recovery parcels are sealed to, hex.
    pub sealing_key: String,
    /// What its secret is made of besides the keystore's, if it parted from a clone of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

/// Returns the database file of an account inside its folder.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("book.db")
}

/// Opens an account's store, creating it if there is none. `account` names it to the keystore.
pub fn open(folder: &Path, account: &str, seams: Seams) -> Result<Store> {
    let key = database_key(account, &seams)?;
    let file_key = SealKey::new(*seams.keys.file_key(account)?.bytes());
    Store::open(&database(folder), account, (key, file_key), seams)
}

/// Opens a database that was set aside, to read what it still gives.
pub(crate) fn open_damaged(file: &Path, account: &str, seams: &Seams) -> Result<Connection> {
    let key = database_key(account, seams)?;
    let options = Options {
        key,
        access: Access::ReadOnly,
        ..Options::new(file)
    };
    Ok(pocketbook_sqlite::open(&options, &LADDER)?)
}

fn database_key(account: &str, seams: &Seams) -> Result<Option<RawKey>> {
    Ok(match is_encryption_built() {
        true => Some(raw_key(seams.keys.database_key(account)?.bytes())),
        false => None,
    })
}

/// The key and, behind it, the salt that SQLCipher wants: fixed for one key, so that the file can
/// be opened by the key alone.
fn raw_key(key: &[u8; 32]) -> RawKey {
    let salt = Sha256::new()
        .chain_update(b"pocketbook salt")
        .chain_update(key)
        .finalize();
    let mut raw = [0; RawKey::LEN];
    raw[..32].copy_from_slice(key);
    raw[32..].copy_from_slice(&salt[..16]);
    RawKey::new(raw)
}

/// Takes an enrolment whose secret is made with this salt.
pub(crate) fn adopt(
    connection: &Connection,
    answer: &EnrolAnswer,
    salt: Option<Salt>,
) -> Result<()> {
    let account = Account {
        enrolment: answer.enrolment,
        user: answer.user,
        name: answer.name.clone(),
        district: answer.district.clone(),
        epoch: answer.epoch,
        certificate: answer.certificate.clone(),
        bundle_key: answer.bundle_key.clone(),
        sealing_key: answer.sealing_key.clone(),
        salt,
    };
    let known: Option<String> = meta::read(connection, meta::USER)?;
    if known.is_some_and(|known| known != account.user.to_string()) {
        return Err(Error::OtherAccount);
    }
    let earlier: Option<Account> = meta::read_json(connection, meta::ACCOUNT)?;
    if earlier.is_some_and(|earlier| earlier.enrolment != account.enrolment) {
        clones::forget_other(connection)?;
    }
    meta::write_json(connection, meta::ACCOUNT, &account)?;
    meta::write(connection, meta::USER, &account.user.to_string())?;
    scopes::admit(connection, &answer.grants)?;
    Ok(())
}

impl Store {
    /// Takes the server's answer to an enrolment under [`Self::enrolment_secret`].
    ///
    /// # Errors
    /// [`Error::OtherAccount`] if the book is another account's: its work would be handed in under
    /// the new one's name. The same account may enrol again, whatever became of its enrolment.
    pub fn adopt(&self, answer: &EnrolAnswer) -> Result<()> {
        self.write(|transaction| {
            let earlier: Option<Account> = meta::read_json(transaction, meta::ACCOUNT)?;
            adopt(
                transaction,
                answer,
                earlier.and_then(|earlier| earlier.salt),
            )
        })
    }

    /// Returns what a new enrolment of this account takes over, if there was one.
    pub fn continues(&self) -> Result<Option<Continues>> {
        self.read(|connection| {
            let account: Option<Account> = meta::read_json(connection, meta::ACCOUNT)?;
            let settled = receipts::settled_mseq(connection)?;
            Ok(account.map(|account| Continues {
                enrolment: account.enrolment,
                first_mseq: Mseq(settled.0 + 1),
            }))
        })
    }

    /// Returns who is enrolled here.
    pub fn account(&self) -> Result<Account> {
        self.read(|connection| meta::read_json(connection, meta::ACCOUNT))?
            .ok_or(Error::NotEnrolled)
    }
}
