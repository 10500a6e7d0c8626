//! Enrolling a phone: a one-time code becomes an identity.
//!
//! An administrator makes a code (80 random bits, in four groups that can be read aloud), of which
//! only the hash is kept; the phone gets it in an [`Invitation`] that also tells where this server
//! is and by which keys it is known. The phone has made its secret before it asks and shows the secret's
//! hash: the same code with the same hash gets the same answer until the enrolment's first
//! exchange, so that an answer lost on the way costs nothing. With another hash the code is used.
//!
//! Where two phones turn out to have one identity (a folder was copied, a phone was set back to an
//! old backup of itself), the one that is told asks *again*, in the name of the identity that it
//! shows ([`enrol_again`]), and gets one of its own. The other keeps the old one.

use pocketbook_records::ids::{EnrolmentId, Mseq, UnitId, UserId};
use pocketbook_records::invitation::{Address, Code, Invitation};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{Continues, EnrolAgain, EnrolAnswer, EnrolRequest};
use sha2::{Digest, Sha256};

use crate::caller::{Caller, Station};
use crate::store::accounts::{self, Enrolment, NewEnrolment, phones};
use crate::store::{districts, org};
use crate::{Batch, Fault, Refusal, Server};

/// A code can be used for so long.
pub const CODE_MS: Millis = 24 * 60 * 60 * 1000;

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

/// Makes a code for an account and invites a phone with it to the server at this address; returns
/// the invitation and when it expires.
///
/// # Errors
/// Fails if the server can't write.
pub async fn invite(
    server: &Server,
    user: UserId,
    address: Address,
) -> Result<(Invitation, Millis), Fault> {
    let mut random = [0; 16];
    server.entropy().fill(&mut random);
    let code = Code::of(random);
    let hash = hash(&code);
    let put = move |batch: &mut Batch<'_>| {
        let expires_at = batch.now().saturating_add(CODE_MS);
        let new = accounts::Code {
            user,
            expires_at,
            enrolment: None,
        };
        accounts::put_code(batch, &hash, &new)?;
        Ok(expires_at)
    };
    let expires_at = server.writer().run_async(put).await?;
    let keyring = server.keyring();
    let invitation = Invitation {
        server: address,
        epoch: server.asof().epoch,
        code,
        bundle: keyring.bundle(),
        sealing: keyring.parcel(),
    };
    Ok((invitation, expires_at))
}

fn hash(code: &Code) -> [u8; 32] {
    Sha256::digest(code.plain()).into()
}

/// Enrols a phone.
///
/// # Errors
/// See [`EnrolError`].
pub async fn enrol(server: &Server, request: EnrolRequest) -> Result<EnrolAnswer, EnrolError> {
    if request.device.chars().count() > MAX_DEVICE || request.code.len() > 100 {
        return Err(Refusal::Malformed("a name or code that long").into());
    }
    if request.device.chars().any(char::is_control) || request.device.contains(['<', '>']) {
        return Err(Refusal::Malformed("a device's name with such characters").into());
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
    let Ok(typed) = request.code.parse() else {
        return Ok(Err(EnrolError::Unknown));
    };
    let code_hash = hash(&typed);
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
            Some(found) => {
                // Its numbers may have gone on under the earlier enrolment meanwhile.
                take_over(batch, (enrolment, user.user), request.continues)?;
                answer(batch, &user, enrolment, found.secret, found.enrolled_at).map(Ok)
            }
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
    take_over(batch, (enrolment, user.user), request.continues)?;
    let used = accounts::Code {
        enrolment: Some(enrolment),
        ..code
    };
    accounts::put_code(batch, &code_hash, &used)?;
    batch.note_enrolment(enrolment);
    answer(batch, &user, enrolment, new.secret, batch.now()).map(Ok)
}

/// The same account on the same installation: numbers go on, and what waits there was authored
/// after what the earlier enrolment had handed in. Somebody else's is none.
fn take_over(
    batch: &mut Batch<'_>,
    (enrolment, user): (EnrolmentId, UserId),
    continues: Option<Continues>,
) -> Result<(), Fault> {
    let Some(continues) = continues else {
        return Ok(());
    };
    let earlier = accounts::enrolment(batch.store(), continues.enrolment)?;
    let Some(earlier) = earlier.filter(|earlier| earlier.caller.user == user) else {
        return Ok(());
    };
    let received = continues.first_mseq.0.saturating_sub(1);
    let received = Mseq(received.min(i64::MAX.unsigned_abs() - 1));
    let first = Mseq(received.0 + 1);
    phones::note_continues(batch, enrolment, continues.enrolment, first)?;
    Ok(accounts::note_received(
        batch,
        enrolment,
        received,
        earlier.last_from,
    )?)
}

/// Gives a phone an identity of its own, in the name of the one that it shares with another phone.
/// The same hash gets the same answer, also after its first use: whoever else has that secret is a
/// copy too, and is found out again.
///
/// # Errors
/// [`Refusal::Locked`] if the account or the shared enrolment is: who is locked out gets no second
/// key. Its work waits.
pub async fn enrol_again(
    server: &Server,
    caller: &Caller,
    request: EnrolAgain,
) -> Result<EnrolAnswer, Refusal> {
    if !(1..=i64::MAX.unsigned_abs()).contains(&request.first_mseq.0) {
        return Err(Refusal::Malformed("numbers begin with 1"));
    }
    let shared = caller.enrolment;
    let job = move |batch: &mut Batch<'_>| part(batch, shared, &request);
    server.writer().run_async(job).await?
}

/// The outer error is the transaction's, the inner one the phone's.
fn part(
    batch: &mut Batch<'_>,
    shared: EnrolmentId,
    request: &EnrolAgain,
) -> Result<Result<EnrolAnswer, Refusal>, Fault> {
    let Some(shared) = accounts::enrolment(batch.store(), shared)? else {
        return Ok(Err(Refusal::UnknownCaller));
    };
    if shared.caller.locked {
        return Ok(Err(Refusal::Locked));
    }
    let secret = request.secret_hash.0;
    if shared.secret == secret {
        return Ok(Err(Refusal::Malformed("the secret is to be a new one")));
    }
    let Some(user) = accounts::user(batch.store(), shared.caller.user)? else {
        return Ok(Err(Refusal::UnknownCaller));
    };
    if let Some(found) = phones::with_secret(batch.store(), user.user, &secret)? {
        let enrolment = found.caller.enrolment;
        if found.synced_at.is_none() {
            go_on(batch, &shared, enrolment, request)?;
        }
        return answer(batch, &user, enrolment, secret, found.enrolled_at).map(Ok);
    }
    let enrolment = EnrolmentId(batch.uuid());
    let device = phones::device(batch.store(), shared.caller.enrolment)?;
    let new = NewEnrolment {
        enrolment,
        user: user.user,
        station: Station::Phone,
        secret,
        device: &device.unwrap_or_default(),
        schema: request.schema,
        expires_at: None,
    };
    accounts::put_enrolment(batch, &new)?;
    go_on(batch, &shared, enrolment, request)?;
    answer(batch, &user, enrolment, secret, batch.now()).map(Ok)
}

/// Numbers go on at the first one that is the phone's own. When that was authored is bounded by
/// the work before it, unless the other phone has gone on since: then nothing of the shared
/// enrolment's says.
fn go_on(
    batch: &mut Batch<'_>,
    shared: &Enrolment,
    enrolment: EnrolmentId,
    request: &EnrolAgain,
) -> Result<(), Fault> {
    let received = Mseq(request.first_mseq.0 - 1);
    let not_before = match received >= shared.received {
        true => shared.last_from,
        false => phones::began(batch.store(), shared.caller.user)?,
    };
    let first = request.first_mseq;
    phones::note_continues(batch, enrolment, shared.caller.enrolment, first)?;
    Ok(accounts::note_received(
        batch, enrolment, received, not_before,
    )?)
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
        bundle_key: hex::encode(keyring.bundle().key.0),
        sealing_key: hex::encode(keyring.parcel().key.0),
    })
}
