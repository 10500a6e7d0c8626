//! Signing in at a desk, and out.
//!
//! A password is checked with argon2 whether or not there is such an account, so that the time
//! tells nothing. After five wrong ones in a row the account waits, twice as long with each more,
//! at most an hour; the right password opens it again. The token is 256 random bits and lives for
//! twelve hours; only its hash is kept.

use std::sync::LazyLock;

use argon2::password_hash::PasswordHasher;
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use pocketbook_records::ids::{EnrolmentId, UserId};
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::rights::{Cover, Role};
use pocketbook_records::time::{Interval, Millis};
use tokio::sync::Semaphore;

use crate::caller::{Station, hash_secret};
use crate::seams::Entropy;
use crate::store::accounts::{self, Failures, NewEnrolment, User};
use crate::store::{Store, org};
use crate::{Batch, Caller, Fault, Refusal, Server};

/// A session ends after so long.
pub const SESSION_MS: Millis = 12 * 60 * 60 * 1000;
/// So many wrong passwords in a row cost nothing.
const FREE_FAILURES: u32 = 5;
/// The first wait; it doubles with each further failure.
const FIRST_WAIT_MS: Millis = 30 * 1000;
/// The longest wait.
const LONGEST_WAIT_MS: Millis = 60 * 60 * 1000;
/// Checking a password takes 19 MiB and tens of milliseconds; more at once would starve phones.
const CHECKS_AT_ONCE: usize = 2;

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such login, no password set, or a wrong one: alike on purpose.
    #[error("failed to sign in: login or password is wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("failed to sign in so soon after wrong passwords")]
    Wait {
        /// Until then.
        wait_ms: u64,
    },
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<Fault> for SignInError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
    }
}

/// A session that was begun.
#[derive(Debug, Clone)]
pub struct Session {
    /// The secret half of the token.
    pub token: [u8; 32],
    /// When it ends by itself.
    pub expires_at: Millis,
    /// The account.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// What it is now.
    pub roles: Vec<Role>,
}

/// The door of the desk.
#[derive(Debug)]
pub struct Door {
    checks: Semaphore,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            checks: Semaphore::new(CHECKS_AT_ONCE),
        }
    }
}

impl Door {
    /// Signs somebody in.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub async fn sign_in(
        &self,
        server: &Server,
        login: &str,
        password: &str,
    ) -> Result<Session, SignInError> {
        let now = server.now();
        let known = server.read(|store| known(store, login))?;
        if let Some(wait_ms) = known.as_ref().and_then(|known| known.wait_ms(now)) {
            return Err(SignInError::Wait { wait_ms });
        }
        let hash = known.as_ref().and_then(|known| known.user.password.clone());
        let is_right = {
            let _turn = self.checks.acquire().await;
            crate::may_block(|| verify(hash.as_deref(), password))
        };
        let Some(known) = known else {
            return Err(SignInError::Wrong);
        };
        if !is_right {
            let user = known.user.user;
            let note = move |batch: &mut Batch<'_>| note_failure(batch, user);
            server.writer().run_async(note).await?;
            return Err(SignInError::Wrong);
        }
        if known.user.blocked {
            return Err(Refusal::Locked.into());
        }
        let mut token = [0; 32];
        server.entropy().fill(&mut token);
        let user = known.user;
        let begin = move |batch: &mut Batch<'_>| begin(batch, &user, token);
        Ok(server.writer().run_async(begin).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Fails if the server can't write.
    pub async fn sign_out(&self, server: &Server, caller: &Caller) -> Result<(), Refusal> {
        let enrolment = caller.enrolment;
        let end = move |batch: &mut Batch<'_>| Ok(accounts::revoke_enrolment(batch, enrolment)?);
        Ok(server.writer().run_async(end).await?)
    }
}

/// Hashes a password for keeping.
pub fn hash_password(password: &str, entropy: &dyn Entropy) -> String {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("a salt of 16 bytes and the default parameters are valid")
        .to_string()
}

/// Checks a password, or nothing at the same price.
fn verify(hash: Option<&str>, password: &str) -> bool {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| {
        Argon2::default()
            .hash_password_with_salt(b"nobody's", b"sixteen bytes of")
            .expect("a salt of 16 bytes and the default parameters are valid")
            .to_string()
    });
    let is_right = PasswordHash::new(hash.unwrap_or(&NOBODYS)).is_ok_and(|known| {
        Argon2::default()
            .verify_password(password.as_bytes(), &known)
            .is_ok()
    });
    is_right && hash.is_some()
}

struct Known {
    user: User,
    failures: Failures,
}

impl Known {
    fn wait_ms(&self, now: Millis) -> Option<u64> {
        u64::try_from(self.failures.closed_until.saturating_sub(now))
            .ok()
            .filter(|wait| *wait > 0)
    }
}

fn known(store: Store<'_>, login: &str) -> Result<Option<Known>, Fault> {
    let Some(user) = accounts::user_by_login(store, login)? else {
        return Ok(None);
    };
    let failures = accounts::failures(store, user.user)?;
    Ok(Some(Known { user, failures }))
}

/// Counts within the writer, so that guesses at the same time count each.
fn note_failure(batch: &mut Batch<'_>, user: UserId) -> Result<(), Fault> {
    let count = accounts::failures(batch.store(), user)?
        .count
        .saturating_add(1);
    let wait = count.checked_sub(FREE_FAILURES).map_or(0, |doublings| {
        FIRST_WAIT_MS
            .saturating_mul(1 << doublings.min(20))
            .min(LONGEST_WAIT_MS)
    });
    let failures = Failures {
        count,
        closed_until: batch.now().saturating_add(wait),
    };
    Ok(accounts::set_failures(batch, user, failures)?)
}

fn begin(batch: &mut Batch<'_>, user: &User, token: [u8; 32]) -> Result<Session, Fault> {
    let now = batch.now();
    let expires_at = now.saturating_add(SESSION_MS);
    accounts::set_failures(batch, user.user, Failures::default())?;
    let enrolment = EnrolmentId(batch.uuid());
    let new = NewEnrolment {
        enrolment,
        user: user.user,
        station: Station::Desk,
        secret: hash_secret(&token),
        device: "desk",
        schema: SCHEMA,
        expires_at: Some(expires_at),
    };
    accounts::put_enrolment(batch, &new)?;
    let mut roles: Vec<Role> = org::duties(batch.store(), user.user)?
        .into_iter()
        .filter(|duty| duty.covers(Interval::moment(now)) == Cover::Wholly)
        .map(|duty| duty.role)
        .collect();
    roles.sort_unstable();
    roles.dedup();
    Ok(Session {
        token,
        expires_at,
        user: user.user,
        name: user.name.clone(),
        roles,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::SeededEntropy;

    #[test]
    fn only_the_right_password_of_an_account_with_one_fits() {
        let hash = hash_password("秦都口袋书2026", &SeededEntropy::new(1));

        assert!(verify(Some(&hash), "秦都口袋书2026"));
        assert!(!verify(Some(&hash), "秦都口袋书2025"));
        assert!(!verify(None, "nobody's"));
        assert!(!verify(Some("no hash"), ""));
    }
}
