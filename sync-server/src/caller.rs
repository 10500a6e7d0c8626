//! Who is asking: an enrolment of an account, recognised by its credential.
//!
//! A phone shows `<enrolment>.<secret>`, a desk `desk.<token>`. Only hashes of secrets are kept.
//! A caller is found whether or not his account is locked: hand-in is open to everyone ever
//! enrolled, and what he may read is asked anew in each snapshot.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use pocketbook_records::ids::{EnrolmentId, UserId};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::Certificate;

use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::accounts::{self, Enrolment};

/// What sort of installation an enrolment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Station {
    /// A phone or iPad: its screens show its own work, so its own chain counts as seen.
    Phone,
    /// A desk session.
    Desk,
    /// The server itself: imports and publishing.
    System,
}

impl Station {
    /// Returns the text that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Desk => "desk",
            Self::System => "system",
        }
    }

    /// Reads the stored text.
    pub fn named(name: &str) -> Self {
        match name {
            "desk" => Self::Desk,
            "system" => Self::System,
            _ => Self::Phone,
        }
    }
}

/// A recognised caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The identity that authors.
    pub enrolment: EnrolmentId,
    /// The account behind it.
    pub user: UserId,
    /// What sort of installation it is.
    pub station: Station,
    /// Whether reading is closed to it: account blocked or enrolment revoked.
    pub locked: bool,
}

/// A credential as it stands in `Authorization: Bearer …`.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A phone's identity and the hash of its secret.
    Phone(EnrolmentId, [u8; 32]),
    /// The hash of a desk session's token.
    Desk([u8; 32]),
}

impl Credential {
    /// Reads the text after `Bearer`.
    pub fn read(bearer: &str) -> Result<Self, Refusal> {
        let (who, secret) = bearer.split_once('.').ok_or(Refusal::UnknownCaller)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(secret, &mut bytes).map_err(|_| Refusal::UnknownCaller)?;
        let hash = hash_secret(&bytes);
        if who == "desk" {
            return Ok(Self::Desk(hash));
        }
        let enrolment = who.parse().map_err(|_| Refusal::UnknownCaller)?;
        Ok(Self::Phone(enrolment, hash))
    }
}

/// Returns what is stored of a secret.
pub fn hash_secret(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Server {
    /// Recognises a caller by the text after `Bearer`.
    pub async fn caller(&self, bearer: &str) -> Result<Caller, Refusal> {
        let credential = Credential::read(bearer)?;
        let known = match &credential {
            Credential::Phone(enrolment, _) => {
                let known = self.0.present.look(|picture| picture.known(*enrolment));
                known.map(|known| known.enrolment.clone())
            }
            Credential::Desk(_) => None,
        };
        let found = match known {
            Some(found) => Some(found),
            None => {
                let asked = credential.clone();
                self.read_async(move |store| {
                    accounts::presented(store, &asked).map_err(Refusal::from)
                })
                .await?
            }
        };
        admit(&credential, found, self.now())
    }
}

impl Server {
    /// Recognises a phone that was enrolled in a history that was lost, by the certificate that it
    /// shows: its work is taken, and it reads nothing until an operator lets it.
    pub async fn readmit(
        &self,
        bearer: &str,
        certificate: Option<&Certificate>,
    ) -> Result<Caller, Refusal> {
        let Credential::Phone(enrolment, hash) = Credential::read(bearer)? else {
            return Err(Refusal::UnknownCaller);
        };
        let vouched = certificate.filter(|lost| {
            lost.enrolment == enrolment
                && bool::from(lost.secret_hash.0.ct_eq(&hash))
                && self.keyring().vouches(lost)
        });
        let lost = vouched.cloned().ok_or(Refusal::UnknownCaller)?;
        let job = move |batch: &mut crate::Batch<'_>| {
            // Known since: whoever shows another secret is somebody else.
            if accounts::enrolment(batch.store(), lost.enrolment)?.is_some() {
                return Ok(false);
            }
            batch.commit()?;
            accounts::readmit(batch, &lost)?;
            Ok(true)
        };
        if self.writer().run_async(job).await? {
            tracing::error!(%enrolment, "a phone enrolled after the backup waits to be let in: unblock its account");
        }
        self.caller(bearer).await
    }
}

/// Says whether the secret fits and the session still runs.
fn admit(
    credential: &Credential,
    found: Option<Enrolment>,
    now: Millis,
) -> Result<Caller, Refusal> {
    let found = found.ok_or(Refusal::UnknownCaller)?;
    let (Credential::Phone(_, hash) | Credential::Desk(hash)) = credential;
    if !bool::from(found.secret.ct_eq(hash)) {
        return Err(Refusal::UnknownCaller);
    }
    let is_over = found.expires_at.is_some_and(|expires_at| expires_at <= now);
    if found.caller.station == Station::Desk && (is_over || found.caller.locked) {
        return Err(Refusal::SessionExpired);
    }
    Ok(found.caller)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::{District, now, person};

    fn bearer(enrolment: EnrolmentId, secret: [u8; 32]) -> String {
        format!("{enrolment}.{}", hex::encode(secret))
    }

    #[test]
    fn a_phone_of_a_lost_history_is_known_by_its_own_certificate_and_secret_and_reads_nothing() {
        let district = District::new();
        let [lost, other] = [1, 2].map(|n| EnrolmentId(Uuid::from_u128(n)));
        let (secret, guessed) = ([1; 32], [2; 32]);
        let keyring = district.server.keyring();
        let certificate = keyring.certify(lost, person(1), hash_secret(&secret), 7);
        let forged = Certificate {
            at: 8,
            ..certificate.clone()
        };

        for (bearer, shown) in [
            (bearer(lost, secret), &forged),
            (bearer(lost, guessed), &certificate),
            (bearer(other, secret), &certificate),
        ] {
            let refused = now(district.server.readmit(&bearer, Some(shown)));
            assert!(matches!(refused, Err(Refusal::UnknownCaller)));
            let find = |store: crate::store::Store<'_>| accounts::enrolment(store, lost);
            assert!(district.server.read(find).unwrap().is_none());
        }

        let bearer = bearer(lost, secret);
        let known = now(district.server.readmit(&bearer, Some(&certificate))).unwrap();
        assert!(known.locked, "it hands in and waits for an operator");
    }
}
