//! The server's keys, kept apart from the database: a restored database must not bring an old
//! key, and a stolen copy of it must not be readable.
//!
//! - *mac*: what only this server ever checks (cursors, contact tokens, receipts, echoes).
//! - *seal*: sensitive bodies at rest. A sealed value is `suite (1) │ key id (4) │ nonce (24) │
//!   XChaCha20-Poly1305`, bound to what it belongs to; another suite (SM4) gets another number.
//! - *blind*: keyed hashes by which an identity number or a phone is found without being read.
//! - *bundle*: Ed25519, signs pocket books and certificates, which phones check.
//! - *parcel*: phones seal recovery parcels to its public half.
//!
//! Keys are never taken out: the last of a list is used, all of them verify and open.

use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use pocketbook_records::ids::{EnrolmentId, Hex, UserId};
use pocketbook_records::invitation::PublicKey;
use pocketbook_records::time::Millis;
use pocketbook_records::wire::Certificate;

use crate::beside::{self, BesideError};
use crate::seams::Entropy;

/// The only suite so far: XChaCha20-Poly1305.
const SUITE: u8 = 1;
const NONCE: usize = 24;
const HEADER: usize = 1 + 4 + NONCE;

/// Why a sealed value stays shut. Never says what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A suite or key that this keyring lacks.
    #[error("failed to find the key of a sealed value")]
    UnknownKey,
    /// Changed, cut, or put in another place.
    #[error("failed to open a sealed value")]
    Broken,
}

/// What a code is made over, so that a code for one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A scope's cursor.
    Cursor,
    /// The time of an answer.
    Contact,
    /// A row of receipts.
    Receipts,
    /// The echo of an answer.
    Echo,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"cursor\0",
            Self::Contact => b"contact\0",
            Self::Receipts => b"receipts\0",
            Self::Echo => b"echo\0",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Key {
    id: u32,
    key: Hex<32>,
}

#[derive(Serialize, Deserialize)]
struct Keys {
    mac: Vec<Key>,
    seal: Vec<Key>,
    blind: Vec<Key>,
    bundle: Vec<Key>,
    parcel: Vec<Key>,
}

/// The keys of one data directory.
pub struct Keyring {
    keys: Keys,
    /// Keyed once, copied for each code: the two blocks of the key are hashed only once.
    mac: Vec<(u32, Hmac<Sha256>)>,
    seal: Vec<(u32, XChaCha20Poly1305)>,
    blind: Hmac<Sha256>,
    bundle: SigningKey,
    entropy: Arc<dyn Entropy>,
}

impl Keyring {
    /// Makes new keys and writes them to the directory.
    pub fn make(dir: &Path, entropy: &dyn Entropy) -> Result<(), BesideError> {
        let fresh = || {
            let mut key = [0; 32];
            entropy.fill(&mut key);
            vec![Key {
                id: 1,
                key: Hex(key),
            }]
        };
        let keys = Keys {
            mac: fresh(),
            seal: fresh(),
            blind: fresh(),
            bundle: fresh(),
            parcel: fresh(),
        };
        beside::replace(&dir.join("keys/keyring.json"), &serde_json::to_vec(&keys)?)
    }

    /// Reads the keys of a directory; none if it has none.
    pub fn read(dir: &Path, entropy: Arc<dyn Entropy>) -> Result<Option<Self>, BesideError> {
        let keys: Option<Keys> = beside::read_json(&dir.join("keys/keyring.json"))?;
        Ok(keys.and_then(|keys| Self::of(keys, entropy)))
    }

    fn of(keys: Keys, entropy: Arc<dyn Entropy>) -> Option<Self> {
        let mac: Vec<_> = keys.mac.iter().map(|k| (k.id, hmac(&k.key.0))).collect();
        let seal: Vec<_> = keys
            .seal
            .iter()
            .map(|k| (k.id, XChaCha20Poly1305::new(&k.key.0.into())))
            .collect();
        let blind = hmac(&keys.blind.last()?.key.0);
        let bundle = SigningKey::from_bytes(&keys.bundle.last()?.key.0);
        (mac.last().is_some() && seal.last().is_some() && keys.parcel.last().is_some()).then_some(
            Self {
                mac,
                seal,
                blind,
                bundle,
                keys,
                entropy,
            },
        )
    }

    /// Makes a code with the present key.
    pub fn code<const N: usize>(&self, purpose: Purpose, bytes: &[u8]) -> [u8; N] {
        let (_, key) = self.mac.last().expect("a keyring without keys is not read");
        code(key, purpose, bytes)
    }

    /// Returns the id of the key that codes are made with now.
    pub fn code_key(&self) -> u32 {
        self.mac.last().map_or(0, |(id, _)| *id)
    }

    /// Says whether a code was made here for these bytes, with any of the keys.
    pub fn verifies<const N: usize>(
        &self,
        purpose: Purpose,
        bytes: &[u8],
        given: &[u8; N],
    ) -> bool {
        self.mac
            .iter()
            .any(|(_, key)| code::<N>(key, purpose, bytes).ct_eq(given).into())
    }

    /// Returns the hash by which a value is found without being read. `what` keeps equal texts of
    /// different fields apart.
    pub fn blind(&self, what: &str, value: &str) -> Vec<u8> {
        let mut mac = self.blind.clone();
        mac.update(what.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes()[..16].to_vec()
    }

    /// Seals a value, bound to the place that it belongs to.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let (id, key) = self
            .seal
            .last()
            .expect("a keyring without keys is not read");
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.extend_from_slice(plain);
        key.encrypt_in_place(&XNonce::from(nonce), place, &mut sealed)
            .expect("a body is far shorter than the cipher's limit");
        let mut header = [0; HEADER];
        header[0] = SUITE;
        header[1..5].copy_from_slice(&id.to_be_bytes());
        header[5..].copy_from_slice(&nonce);
        sealed.splice(..0, header);
        sealed
    }

    /// Opens what [`Self::seal`] gave for the same place.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, rest) = sealed.split_at_checked(HEADER).ok_or(SealError::Broken)?;
        let id = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let known = self.seal.iter().find(|(known, _)| *known == id);
        let (_, key) = known
            .filter(|_| header[0] == SUITE)
            .ok_or(SealError::UnknownKey)?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&header[5..]);
        let mut plain = rest.to_vec();
        key.decrypt_in_place(&XNonce::from(nonce), place, &mut plain)
            .map_err(|_| SealError::Broken)?;
        Ok(plain)
    }

    /// Signs what phones check: pocket books. Returns the key's id and the signature in hex.
    pub fn sign(&self, bytes: &[u8]) -> (u32, String) {
        let signature = hex::encode(self.bundle.sign(bytes).to_bytes());
        (self.bundle_id(), signature)
    }

    fn bundle_id(&self) -> u32 {
        self.keys.bundle.last().map_or(0, |key| key.id)
    }

    /// Returns the key that checks [`Self::sign`].
    pub fn bundle(&self) -> PublicKey {
        PublicKey {
            id: self.bundle_id(),
            key: Hex(self.bundle.verifying_key().to_bytes()),
        }
    }

    /// Returns the key that recovery parcels are sealed to.
    pub fn parcel(&self) -> PublicKey {
        let (id, seed) = self
            .keys
            .parcel
            .last()
            .map_or((0, [0; 32]), |key| (key.id, key.key.0));
        PublicKey {
            id,
            key: Hex(SigningKey::from_bytes(&seed).verifying_key().to_bytes()),
        }
    }

    /// Says whether a certificate is this server's word, under the present key or an older one.
    pub fn vouches(&self, certificate: &Certificate) -> bool {
        let Certificate {
            enrolment,
            user,
            secret_hash,
            at,
            key_id,
            ..
        } = certificate;
        let mut keys = self.keys.bundle.iter();
        let key = keys.find(|key| key.id == *key_id);
        let signature = hex::decode(&certificate.signature).ok();
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        let (Some(key), Some(signature)) = (key, signature) else {
            return false;
        };
        let signed = serde_json::to_vec(&(enrolment, user, secret_hash, at, key_id))
            .expect("plain values always serialize");
        let key = SigningKey::from_bytes(&key.key.0).verifying_key();
        key.verify(&signed, &signature).is_ok()
    }

    /// Writes the server's signed word that it knows an enrolment.
    pub fn certify(
        &self,
        enrolment: EnrolmentId,
        user: UserId,
        secret_hash: [u8; 32],
        at: Millis,
    ) -> Certificate {
        let (secret_hash, key_id) = (Hex(secret_hash), self.bundle_id());
        let signed = serde_json::to_vec(&(enrolment, user, secret_hash, at, key_id))
            .expect("plain values always serialize");
        Certificate {
            enrolment,
            user,
            secret_hash,
            at,
            key_id,
            signature: self.sign(&signed).1,
        }
    }
}

fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn code<const N: usize>(key: &Hmac<Sha256>, purpose: Purpose, bytes: &[u8]) -> [u8; N] {
    let mut mac = key.clone();
    mac.update(purpose.label());
    mac.update(bytes);
    let whole = mac.finalize().into_bytes();
    let mut code = [0; N];
    code.copy_from_slice(&whole[..N]);
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SeededEntropy;

    fn keyring() -> Keyring {
        let dir = tempfile::tempdir().unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        Keyring::make(dir.path(), entropy.as_ref()).unwrap();
        Keyring::read(dir.path(), entropy).unwrap().unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_whole() {
        let keys = keyring();
        let sealed = keys.seal(b"person/1", b"secret");
        assert_eq!(keys.open(b"person/1", &sealed).unwrap(), b"secret");
        assert_eq!(keys.open(b"person/2", &sealed), Err(SealError::Broken));
        assert_eq!(
            keys.open(b"person/1", &sealed[..40]),
            Err(SealError::Broken)
        );
        assert_ne!(sealed, keys.seal(b"person/1", b"secret"));
    }

    #[test]
    fn a_code_serves_one_purpose() {
        let keys = keyring();
        let code = keys.code::<8>(Purpose::Cursor, b"x");
        assert!(keys.verifies(Purpose::Cursor, b"x", &code));
        assert!(!keys.verifies(Purpose::Contact, b"x", &code));
        assert!(!keys.verifies(Purpose::Cursor, b"y", &code));
    }

    #[test]
    fn what_an_old_key_made_is_good_after_a_new_one_was_added() {
        let old = keyring();
        let code = old.code::<8>(Purpose::Cursor, b"x");
        let sealed = old.seal(b"person/1", b"secret");
        let enrolment = EnrolmentId(uuid::Uuid::nil());
        let certificate = old.certify(enrolment, UserId(uuid::Uuid::nil()), [3; 32], 7);

        let Keyring {
            mut keys, entropy, ..
        } = old;
        for sort in [&mut keys.mac, &mut keys.seal, &mut keys.bundle] {
            let (id, key) = (2, Hex([9; 32]));
            sort.push(Key { id, key });
        }
        let new = Keyring::of(keys, entropy).unwrap();

        assert_ne!(new.code::<8>(Purpose::Cursor, b"x"), code);
        assert!(new.verifies(Purpose::Cursor, b"x", &code));
        assert_eq!(new.open(b"person/1", &sealed).unwrap(), b"secret");
        assert_eq!(new.bundle().id, 2);
        assert!(new.vouches(&certificate));
        let other = Certificate {
            at: 8,
            ..certificate
        };
        assert!(!new.vouches(&other));
    }

    #[test]
    fn keys_are_readable_by_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        Keyring::make(dir.path(), &SeededEntropy::new(1)).unwrap();
        let file = dir.path().join("keys/keyring.json");
        assert_eq!(crate::testing::mode_of(&file), 0o600);
    }
}
