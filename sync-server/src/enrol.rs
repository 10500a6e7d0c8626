//! Enrolling a phone: a one-time code becomes an identity.
//!
//! An administrator makes a code (80 random bits, in four groups that can be read aloud), of which
//! only the hash is kept. The phone has made its secret before it asks and shows the secret's
//! hash: the same code with the same hash gets the same answer until the enrolment's first
//! exchange, so that an answer lost on the way costs nothing. With another hash the code is used.

use pocketbook_records::ids::{EnrolmentId, UnitId, UserId};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{EnrolAnswer, EnrolRequest};
use sha2::{Digest, Sha256};

use crate::caller::Station;
use crate::seams::Entropy;
use crate::store::accounts::{self, Code, NewEnrolment};
use crate::store::{districts, org};
use crate::{Batch, Fault, Refusal, Server};

/// A code can be used for so long.
pub const CODE_MS: Millis = 24 * 60 * 60 * 1000;

/// Letters and digits that are not taken for one another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The longest name that a device may give itself.
const MAX_DEVICE: usize = 80;

/// Why a phone was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Nobody made this code.
    #[error("failed to find the enrolment code")]
    Unknown,
    /// Another phone used it, or this one has begun its work.
    #[error("failed to use an enrolment code again")]
    Used,
    /// Its time is over.
    #[error("failed to use an enrolment code after its time")]
    Expired,
    /// The account is blocked.
    #[error("failed to enrol for a blocked account")]
    Blocked,
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Makes a code for an account; returns it and when it expires.
///
/// # Errors
/// Fails if the server can't write.
pub async fn make_code(server: &Server, user: UserId) -> Result<(String, Millis), Fault> {
    let code = new_code(server.entropy());
    let hash = hash(&code);
    let put = move |batch: &mut Batch<'_>| {
        let expires_at = batch.now().saturating_add(CODE_MS);
        let new = Code {
            user,
            expires_at,
            enrolment: None,
        };
        accounts::put_code(batch, &hash, &new)?;
        Ok(expires_at)
    };
    let expires_at = server.writer().run_async(put).await?;
    Ok((code, expires_at))
}

fn new_code(entropy: &dyn Entropy) -> String {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    let mut code = String::with_capacity(19);
    for (place, byte) in random.into_iter().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            code.push('-');
        }
        code.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    code
}

/// Hashes a code as people type it: any case, any dashes, O for 0, I and L for 1.
fn hash(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    Sha256::digest(plain).into()
}

/// Enrols a phone.
///
/// # Errors
/// See [`EnrolError`].
pub async fn enrol(server: &Server, request: EnrolRequest) -> Result<EnrolAnswer, EnrolError> {
    if request.device.chars().count() > MAX_DEVICE || request.code.len() > 100 {
        return Err(Refusal::Malformed("a name or code that long").into());
    }
    let job = move |batch: &mut Batch<'_>| redeem(batch, &request);
    let writing = server.writer().run_async(job);
    writing.await.map_err(Refusal::from)?
}

/// The outer error is the transaction's, the inner one the phone's.
fn redeem(
    batch: &mut Batch<'_>,
    request: &EnrolRequest,
) -> Result<Result<EnrolAnswer, EnrolError>, Fault> {
    let code_hash = hash(&request.code);
    let Some(code) = accounts::code(batch.store(), &code_hash)? else {
        return Ok(Err(EnrolError::Unknown));
    };
    let Some(user) = accounts::user(batch.store(), code.user)? else {
        return Ok(Err(EnrolError::Unknown));
    };
    if let Some(enrolment) = code.enrolment {
        let found = accounts::enrolment(batch.store(), enrolment)?;
        let same = found
            .filter(|found| found.secret == request.secret_hash.0 && found.synced_at.is_none());
        return match same {
            Some(found) => answer(batch, &user, enrolment, found.secret, found.enrolled_at).map(Ok),
            None => Ok(Err(EnrolError::Used)),
        };
    }
    if code.expires_at <= batch.now() {
        return Ok(Err(EnrolError::Expired));
    }
    if user.blocked {
        return Ok(Err(EnrolError::Blocked));
    }
    let enrolment = EnrolmentId(batch.uuid());
    let new = NewEnrolment {
        enrolment,
        user: user.user,
        station: Station::Phone,
        secret: request.secret_hash.0,
        device: &request.device,
        schema: request.schema,
        expires_at: None,
    };
    accounts::put_enrolment(batch, &new)?;
    let used = Code {
        enrolment: Some(enrolment),
        ..code
    };
    accounts::put_code(batch, &code_hash, &used)?;
    batch.note_enrolment(enrolment);
    answer(batch, &user, enrolment, new.secret, batch.now()).map(Ok)
}

fn answer(
    batch: &Batch<'_>,
    user: &accounts::User,
    enrolment: EnrolmentId,
    secret_hash: [u8; 32],
    enrolled_at: Millis,
) -> Result<EnrolAnswer, Fault> {
    let store = batch.store();
    let (district, _) = districts::name(store)?;
    let granted = org::granted(store, user.user, batch.now())?;
    let keyring = batch.keyring();
    Ok(EnrolAnswer {
        enrolment,
        user: user.user,
        name: user.name.clone(),
        district: UnitId(district),
        epoch: batch.epoch(),
        grants: granted.scopes.into_iter().collect(),
        certificate: keyring.certify(enrolment, user.user, secret_hash, enrolled_at),
        bundle_key: keyring.bundle_key(),
        sealing_key: keyring.parcel_key(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SeededEntropy;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = new_code(&SeededEntropy::new(7));

        assert_eq!(code.len(), 19);
        assert_eq!(hash(&code), hash(&code.to_lowercase().replace('-', " ")));
        assert_eq!(hash("O0IL"), hash("0011"));
    }
}
