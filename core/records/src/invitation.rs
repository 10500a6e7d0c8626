//! Invitations (邀请): all that a phone must know to enrol, on one QR code.
//!
//! *The life of one.* An operator asks the server for a code; the server writes it down together
//! with where it is reached, by what it is known there, and the public halves of the keys that
//! will sign pocket books and open recovery parcels. The phone scans it, reaches exactly that
//! server, hands the code in, and believes the answer only if it names the same keys: whoever
//! stands between the two has seen none of this.
//!
//! *What it promises.* What [`Invitation::write`] wrote, [`Invitation::parse`] reads, and whatever
//! else somebody scans gets a typed answer. A field that this version does not know is left alone.
//!
//! *What it refuses.* A version that it does not know: a later one may mean other things by the
//! same names. A code in another shape than the server makes them.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::ids::{BlobHash, Epoch, Hex};

/// The first version: what is on a QR code. Raised when an older reader would misunderstand it.
const VERSION: u64 = 1;

/// The longest text that is looked at; a QR code holds less.
pub const MAX_INVITATION: usize = 4096;

/// The longest address of a server.
const MAX_URL: usize = 200;

/// Letters and digits that are not taken for one another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is no invitation that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// It is something else: a web address, another app's code.
    #[error("failed to read the invitation: it is not one of Pocketbook's")]
    NotOne,
    /// A newer server wrote it.
    #[error("failed to read an invitation of version {0}: the app is too old for it")]
    Newer(u64),
    /// The one-time code has not the shape of one.
    #[error("failed to read the enrolment code: it is sixteen letters and digits")]
    BadCode,
    /// Another part of it is missing or can't be right.
    #[error("failed to read the invitation: its {0} is missing or damaged")]
    Damaged(&'static str),
}

/// Whom a device believes to be the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Whoever the web's authorities vouch for.
    Web,
    /// Only whom this authority vouches for: its certificate, DER.
    Authority(Vec<u8>),
    /// Only who holds this key: the SHA-256 of its public half (SubjectPublicKeyInfo, DER).
    Key(Hex<32>),
}

impl Trust {
    /// Returns the trust in the holder of a key, told by its public half.
    pub fn in_key(public_key_info: &[u8]) -> Self {
        Self::Key(Hex(BlobHash::of(public_key_info).0))
    }
}

/// Where phones reach a server, and by what they know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `https://…`; `http://…` for the very machine only.
    pub url: String,
    /// Whom to believe there.
    pub trust: Trust,
}

impl Address {
    /// Takes an address; none if it is not the address of a web server.
    pub fn new(url: &str, trust: Trust) -> Option<Self> {
        let host = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))?;
        let is_printed = url.bytes().all(|byte| byte.is_ascii_graphic());
        let is_one = !host.is_empty() && is_printed && url.len() <= MAX_URL;
        is_one.then(|| Self {
            url: url.to_owned(),
            trust,
        })
    }
}

/// The public half of a key of the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    /// Its number in the server's keyring.
    pub id: u32,
    /// Ed25519.
    pub key: Hex<32>,
}

/// A one-time code (注册码): sixteen of Crockford's letters and digits, 80 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Makes a code of random bytes.
    pub fn of(random: [u8; 16]) -> Self {
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        Self(letters.iter().collect())
    }

    /// Returns it without dashes, as it is compared.
    pub fn plain(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = InvitationError;

    /// Reads a code as people type it: any case, any dashes, O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, InvitationError> {
        if text.len() > MAX_INVITATION {
            return Err(InvitationError::BadCode);
        }
        let typed = text.chars().filter(char::is_ascii_alphanumeric);
        let plain: String = typed
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            })
            .collect();
        let is_one = plain.len() == 16 && plain.bytes().all(|letter| LETTERS.contains(&letter));
        is_one
            .then_some(Self(plain))
            .ok_or(InvitationError::BadCode)
    }
}

impl fmt::Display for Code {
    /// Writes it in four groups that can be read aloud.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(8);
        let (a, b) = first.split_at(4);
        let (c, d) = second.split_at(4);
        write!(f, "{a}-{b}-{c}-{d}")
    }
}

impl fmt::Debug for Code {
    /// Leaves it out: whoever has it can enrol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// What is on a QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Invitation {
    /// Where to enrol.
    pub server: Address,
    /// The history in which the code was made.
    pub epoch: Epoch,
    /// The one-time code.
    pub code: Code,
    /// The key that signs pocket books.
    pub bundle: PublicKey,
    /// The key that recovery parcels are sealed to.
    pub sealing: PublicKey,
}

/// Its fields as they are written; short names, since every byte makes it harder to scan.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u64,
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    epoch: u32,
    code: String,
    bundle: (u32, String),
    seal: (u32, String),
}

/// What every version has.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
    #[serde(rename = "code")]
    _code: serde::de::IgnoredAny,
}

impl Invitation {
    /// Writes it as it stands on the QR code.
    pub fn write(&self) -> String {
        let (pin, ca) = match &self.server.trust {
            Trust::Web => (None, None),
            Trust::Key(hash) => (Some(BASE64.encode(hash.0)), None),
            Trust::Authority(der) => (None, Some(BASE64.encode(der))),
        };
        let key = |key: &PublicKey| (key.id, BASE64.encode(key.key.0));
        let written = Written {
            v: VERSION,
            url: self.server.url.clone(),
            pin,
            ca,
            epoch: self.epoch.0,
            code: self.code.to_string(),
            bundle: key(&self.bundle),
            seal: key(&self.sealing),
        };
        serde_json::to_string(&written).expect("a few texts and numbers always serialize")
    }

    /// Reads what was scanned.
    ///
    /// # Errors
    /// See [`InvitationError`].
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        if text.len() > MAX_INVITATION {
            return Err(InvitationError::NotOne);
        }
        let versioned = serde_json::from_str::<Versioned>(text);
        match versioned.map_err(|_| InvitationError::NotOne)?.v {
            0 => return Err(InvitationError::NotOne),
            VERSION => {}
            newer => return Err(InvitationError::Newer(newer)),
        }
        let written = serde_json::from_str::<Written>(text);
        let written = written.map_err(|_| InvitationError::Damaged("content"))?;
        let trust = match (written.pin, written.ca) {
            (None, None) => Trust::Web,
            (Some(pin), None) => Trust::Key(hash(&pin, "server key")?),
            (None, Some(ca)) => Trust::Authority(bytes(&ca, "authority")?),
            (Some(_), Some(_)) => return Err(InvitationError::Damaged("server key")),
        };
        let key = |(id, key): (u32, String), what| {
            Ok(PublicKey {
                id,
                key: hash(&key, what)?,
            })
        };
        Ok(Self {
            server: Address::new(&written.url, trust).ok_or(InvitationError::Damaged("address"))?,
            epoch: Epoch(written.epoch),
            code: written.code.parse()?,
            bundle: key(written.bundle, "bundle key")?,
            sealing: key(written.seal, "sealing key")?,
        })
    }
}

fn bytes(text: &str, what: &'static str) -> Result<Vec<u8>, InvitationError> {
    let bytes = BASE64.decode(text);
    bytes.map_err(|_| InvitationError::Damaged(what))
}

fn hash(text: &str, what: &'static str) -> Result<Hex<32>, InvitationError> {
    let bytes = bytes(text, what)?.try_into();
    bytes.map(Hex).map_err(|_| InvitationError::Damaged(what))
}

impl TryFrom<String> for Invitation {
    type Error = InvitationError;

    fn try_from(text: String) -> Result<Self, InvitationError> {
        Self::parse(&text)
    }
}

impl From<Invitation> for String {
    fn from(invitation: Invitation) -> Self {
        invitation.write()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn invitation(trust: Trust) -> Invitation {
        let key = |byte| PublicKey {
            id: 1,
            key: Hex([byte; 32]),
        };
        Invitation {
            server: Address::new("https://qindu.example:8420", trust).unwrap(),
            epoch: Epoch(3),
            code: Code::of([7; 16]),
            bundle: key(1),
            sealing: key(2),
        }
    }

    fn with(field: &str, value: Value) -> Result<Invitation, InvitationError> {
        let mut written: Value =
            serde_json::from_str(&invitation(Trust::in_key(b"key")).write()).unwrap();
        written[field] = value;
        Invitation::parse(&written.to_string())
    }

    #[test]
    fn what_is_written_is_read() {
        for trust in [
            Trust::Web,
            Trust::in_key(b"a public key"),
            Trust::Authority(vec![0x30, 0x82, 0xff]),
        ] {
            let invitation = invitation(trust);
            assert_eq!(Invitation::parse(&invitation.write()), Ok(invitation));
        }
    }

    #[test]
    fn version_one_is_read_for_ever() {
        let text = concat!(
            r#"{"v":1,"url":"https://qindu.example:8420","#,
            r#""pin":"LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM","epoch":3,"#,
            r#""code":"7777-7777-7777-7777","#,
            r#""bundle":[1,"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"],"#,
            r#""seal":[1,"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"]}"#
        );

        assert_eq!(
            Invitation::parse(text),
            Ok(invitation(Trust::in_key(b"key")))
        );
        assert_eq!(invitation(Trust::in_key(b"key")).write(), text);
    }

    #[test]
    fn whatever_else_is_scanned_is_told_what_it_is() {
        for text in [
            "",
            "{}",
            "[1]",
            "null",
            "https://qindu.example",
            "weixin://dl",
            r#"{"v":1}"#,
        ] {
            assert_eq!(
                Invitation::parse(text),
                Err(InvitationError::NotOne),
                "{text}"
            );
        }
        let long = format!("{{\"v\":1,\"code\":\"{}\"}}", "0".repeat(MAX_INVITATION));
        assert_eq!(Invitation::parse(&long), Err(InvitationError::NotOne));
        assert_eq!(with("v", json!(2)), Err(InvitationError::Newer(2)));
        assert_eq!(with("v", json!(0)), Err(InvitationError::NotOne));
        for code in [
            "",
            "7777-7777-7777",
            "7777-7777-7777-7777-7",
            "UUUU-7777-7777-7777",
            "七七七七",
        ] {
            assert_eq!(
                with("code", json!(code)),
                Err(InvitationError::BadCode),
                "{code}"
            );
        }
        for (field, value) in [
            ("url", json!("qindu.example")),
            ("url", json!("https://")),
            ("url", json!("https://a b")),
            ("url", json!(7)),
            ("pin", json!("AAAA")),
            ("ca", json!("AAAA")),
            ("bundle", json!([1])),
            ("bundle", json!([1, "AQEB"])),
            ("seal", json!(null)),
            ("epoch", json!(-1)),
        ] {
            let refused = with(field, value);
            assert!(
                matches!(refused, Err(InvitationError::Damaged(_))),
                "{field}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_field_of_a_later_app_does_not_disturb() {
        assert!(with("district", json!("秦都区")).is_ok());
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code: Code = "o0il-ABCD-EFGH-JKMN".parse().unwrap();

        assert_eq!(code.plain(), "0011ABCDEFGHJKMN");
        assert_eq!(
            code.to_string().to_lowercase().replace('-', " ").parse(),
            Ok(code)
        );
    }

    #[test]
    fn the_code_shows_in_no_log() {
        let shown = format!("{:?}", invitation(Trust::Web));

        assert!(!shown.contains("7777"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}") {
            let _ = Invitation::parse(&text);
            let _ = text.parse::<Code>();
        }

        #[test]
        fn every_code_that_is_made_is_read(random: [u8; 16]) {
            let code = Code::of(random);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }
    }
}
