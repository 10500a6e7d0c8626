//! Invitations: what was scanned, read before a book is opened.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pocketbook_records::invitation;
use pocketbook_records::invitation::Trust;

use crate::error::Result;
use crate::guard::caught;

/// An invitation (邀请) from a QR code. Its first three fields are those of the account to be
/// opened; then it is accepted.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Invitation {
    /// The server's address.
    pub server: String,
    /// The district's own certificate authority, PEM, if it has one.
    pub authority_pem: Option<String>,
    /// The SHA-256 of the server's public key, hex, if it is known by that.
    pub server_key: Option<String>,
    /// All that was scanned: goes back as it is.
    pub text: String,
}

/// Reads what was scanned. No network is asked.
#[uniffi::export]
pub fn read_invitation(text: String) -> Result<Invitation> {
    caught(|| {
        let server = invitation::Invitation::parse(&text)?.server;
        let (authority_pem, server_key) = match server.trust {
            Trust::Web => (None, None),
            Trust::Authority(der) => (Some(pem(&der)), None),
            Trust::Key(hash) => (None, Some(format!("{hash:?}"))),
        };
        Ok(Invitation {
            server: server.url,
            authority_pem,
            server_key,
            text,
        })
    })
}

impl Invitation {
    pub(crate) fn read(&self) -> Result<invitation::Invitation> {
        Ok(invitation::Invitation::parse(&self.text)?)
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place.is_multiple_of(64) {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}
