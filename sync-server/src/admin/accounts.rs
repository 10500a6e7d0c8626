//! Accounts and duties: opening, granting, revoking, blocking, codes for phones.
//!
//! What a restored database must not undo is noted beside it first; a crash in between leaves a
//! note of something that the operator was not told and does again.

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::invitation::{Address, Trust};
use pocketbook_records::rights::{Duty, Role};
use pocketbook_records::time::Millis;

use super::AdminError;
use super::wire::{EnrolCode, Outcome};
use crate::beside::Outside;
use crate::desk::session::hash_password;
use crate::store::accounts::{self, User};
use crate::store::org;
use crate::{Batch, Fault, Server, enrol};

/// The shortest password of a desk.
const MIN_PASSWORD: usize = 8;

/// An account to be opened.
pub(super) struct New {
    pub(super) login: String,
    pub(super) name: String,
    pub(super) number: Option<String>,
    pub(super) password: Option<String>,
}

/// Who is what where.
pub(super) struct DutyAsked {
    pub(super) user: String,
    pub(super) role: Role,
    pub(super) unit: String,
}

pub(super) async fn add(server: &Server, new: New) -> Result<Outcome, AdminError> {
    let login = new.login.trim().to_owned();
    if login.is_empty() || new.name.trim().is_empty() {
        return Err(AdminError::BadInput("login and name are needed".into()));
    }
    let is_short = |password: &String| password.chars().count() < MIN_PASSWORD;
    if new.password.as_ref().is_some_and(is_short) {
        return Err(AdminError::ShortPassword);
    }
    let password = new
        .password
        .map(|password| crate::may_block(|| hash_password(&password, server.entropy())));
    let name = new.name.trim().to_owned();
    let taken = login.clone();
    let put = move |batch: &mut Batch<'_>| {
        if accounts::user_by_login(batch.store(), &login)?.is_some() {
            return Ok(None);
        }
        let user = User {
            user: UserId(batch.uuid()),
            login: login.clone(),
            name: name.clone(),
            number: new.number.clone(),
            password: password.clone(),
            blocked: false,
        };
        accounts::put_user(batch, &user)?;
        batch.commit()?;
        Ok(Some(user.user))
    };
    let id = server.writer().run_async(put).await?;
    id.map(|id| Outcome::User { id })
        .ok_or(AdminError::LoginTaken(taken))
}

pub(super) async fn grant(
    server: &Server,
    asked: DutyAsked,
    from: Option<Millis>,
    until: Option<Millis>,
) -> Result<Outcome, AdminError> {
    let now = server.now();
    let duty = Duty {
        user: user(server, &asked.user)?.user,
        role: asked.role,
        unit: unit(server, asked.unit)?,
        from: from.unwrap_or(now),
        until,
    };
    if until.is_some_and(|until| until <= duty.from) {
        return Err(AdminError::EndsBeforeItBegins);
    }
    // Given again without a date, a duty that runs on stays as it is.
    let running = server.read(|store| org::duties(store, duty.user))?;
    let is_so = running.iter().any(|known| {
        (known.role, &known.unit, known.until) == (duty.role, &duty.unit, duty.until)
            && (known.from == duty.from || (from.is_none() && known.from <= now))
    });
    if is_so {
        return Ok(Outcome::Duty { changed: false });
    }
    let noted = Outside::Grant {
        at: now,
        duty: duty.clone(),
    };
    server.outside().append(&[noted]).map_err(Fault::from)?;
    let put = move |batch: &mut Batch<'_>| {
        batch.commit()?;
        Ok(org::put_duty(batch, &duty)?)
    };
    server.writer().run_async(put).await?;
    Ok(Outcome::Duty { changed: true })
}

pub(super) async fn revoke(server: &Server, asked: DutyAsked) -> Result<Outcome, AdminError> {
    let now = server.now();
    let user = user(server, &asked.user)?.user;
    let (role, unit) = (asked.role, unit(server, asked.unit)?);
    let noted = Outside::Revoke {
        at: now,
        user,
        role,
        unit: unit.clone(),
        until: now,
    };
    server.outside().append(&[noted]).map_err(Fault::from)?;
    let end = move |batch: &mut Batch<'_>| {
        batch.commit()?;
        Ok(org::end_duties(batch, user, role, &unit, now)? > 0)
    };
    let changed = server.writer().run_async(end).await?;
    Ok(Outcome::Duty { changed })
}

pub(super) async fn set_blocked(
    server: &Server,
    login: String,
    blocked: bool,
) -> Result<Outcome, AdminError> {
    let user = user(server, &login)?;
    if user.blocked == blocked {
        let confirmed = if blocked {
            0
        } else {
            let confirm = move |batch: &mut Batch<'_>| {
                batch.commit()?;
                Ok(accounts::confirm_readmitted(batch, user.user)?)
            };
            server.writer().run_async(confirm).await?
        };
        return Ok(Outcome::Standing {
            changed: confirmed > 0,
        });
    }
    let (at, user) = (server.now(), user.user);
    let noted = if blocked {
        Outside::Block { at, user }
    } else {
        Outside::Unblock { at, user }
    };
    server.outside().append(&[noted]).map_err(Fault::from)?;
    let set = move |batch: &mut Batch<'_>| {
        batch.commit()?;
        if !blocked {
            accounts::confirm_readmitted(batch, user)?;
        }
        Ok(accounts::set_blocked(batch, user, blocked)?)
    };
    server.writer().run_async(set).await?;
    Ok(Outcome::Standing { changed: true })
}

pub(super) async fn enrol_code(
    server: &Server,
    login: String,
    url: Option<String>,
    trust: Option<Trust>,
) -> Result<Outcome, AdminError> {
    let user = user(server, &login)?.user;
    let known = server.address();
    let url = url
        .as_deref()
        .or(known.map(|known| known.url.as_str()))
        .ok_or(AdminError::NoAddress)?;
    let trust = trust
        .or_else(|| known.map(|known| known.trust.clone()))
        .unwrap_or(Trust::Web);
    let address = Address::new(url, trust).ok_or(AdminError::Address)?;
    let (invitation, expires_at) = enrol::invite(server, user, address).await?;
    Ok(Outcome::Code(EnrolCode {
        invitation,
        expires_at,
    }))
}

fn user(server: &Server, login: &str) -> Result<User, AdminError> {
    let found = server.read(|store| accounts::user_by_login(store, login))?;
    found.ok_or_else(|| AdminError::UnknownUser(login.to_owned()))
}

fn unit(server: &Server, code: String) -> Result<UnitId, AdminError> {
    let unit = UnitId(code);
    match server.read(|store| org::unit(store, &unit))? {
        Some(_) => Ok(unit),
        None => Err(AdminError::UnknownUnit(unit.0)),
    }
}
