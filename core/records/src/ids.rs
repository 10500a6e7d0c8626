//! Names of things: newtypes, so that two bare strings or numbers never stand side by side.
//!
//! All of them are small values that print and parse as the text or number that travels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not the id it claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read {0}")]
pub struct IdError(&'static str);

impl IdError {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self(what)
    }
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Returns the sixteen bytes, as stored.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads the sixteen bytes that [`Self::as_bytes`] gave.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                Uuid::from_slice(bytes).map(Self).map_err(|_| IdError($what))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError($what))
            }
        }
    };
}

uuid_newtype!(
    /// Names a record within its kind. UUIDv7 where we make it; any UUID is accepted.
    RecordId,
    "a record id"
);
uuid_newtype!(
    /// Names a mutation for ever; unique in a district. UUIDv7.
    Mid,
    "a mutation id"
);
uuid_newtype!(
    /// Names an account on an installation: the identity that authors.
    EnrolmentId,
    "an enrolment id"
);
uuid_newtype!(
    /// Names a person with an account (工作人员).
    UserId,
    "a user id"
);

/// Names a unit of the organisation: district, street, community, grid or handling unit.
///
/// Opaque: codes and names are attributes, since communities get re-coded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitId(pub String);

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for UnitId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

macro_rules! number_newtype {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_newtype!(
    /// Counts the mutations of one enrolment: 1, 2, 3 …, given in the transaction that authors
    /// them, no holes.
    Mseq(u64)
);
number_newtype!(
    /// Numbers one applied batch, desk call or admin step: epoch ordinal · 2^32 + n. No number is
    /// ever used twice, across restores too.
    Commit(u64)
);
number_newtype!(
    /// Numbers one history of the server; a restore begins the next.
    Epoch(u32)
);

/// The commit that last changed a record: (kind, id, rev) names exactly one stored body.
pub type Rev = Commit;

impl Commit {
    /// Returns the commit number `n` of an epoch.
    pub fn new(epoch: Epoch, n: u32) -> Self {
        Self(u64::from(epoch.0) << 32 | u64::from(n))
    }

    /// Returns the epoch that this commit belongs to.
    pub fn epoch(self) -> Epoch {
        Epoch(u32::try_from(self.0 >> 32).expect("a u64 shifted by 32 fits"))
    }
}

/// Names the bytes of a photo or file: SHA-256 of the plain bytes, hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// Hashes plain bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(IdError("a SHA-256 in lower-case hex"));
        }
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| IdError("a SHA-256 in lower-case hex"))?;
        Ok(Self(bytes))
    }
}

impl Serialize for BlobHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A few bytes that travel as hex: tags, digests, checks, codes of a MAC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Hex<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| serde::de::Error::custom(IdError("hex of the right length")))?;
        Ok(Self(bytes))
    }
}

/// Returns the first eight bytes of the SHA-256 of some bytes: tells two contents apart, proves
/// nothing.
pub fn check8(bytes: &[u8]) -> Hex<8> {
    check_of(BlobHash::of(bytes))
}

/// Returns the same of a hash.
pub fn check_of(hash: BlobHash) -> Hex<8> {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.0[..8]);
    Hex(first)
}
