//! Accounts, their enrolments (phones, desk sessions, the system itself) and one-time codes.

pub(crate) mod phones;

use pocketbook_records::ids::{EnrolmentId, Mseq, UserId};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{Certificate, Pending};

use super::{Row, SqlError, Store};
use crate::caller::{Caller, Credential, Station};
use crate::params;
use crate::writer::{Batch, Fault};

/// The account that imports and publishing are authored by.
pub const SYSTEM_USER: UserId = UserId(uuid::uuid!("00000000-0000-7000-8000-000000000001"));
/// The system's one enrolment.
pub const SYSTEM: EnrolmentId = EnrolmentId(uuid::uuid!("00000000-0000-7000-8000-000000000002"));

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub user: UserId,
    /// The name that it signs in with.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// The staff number.
    pub number: Option<String>,
    /// Hash of the password, argon2; none for phones only.
    pub password: Option<String>,
    /// Whether reading is closed to it.
    pub blocked: bool,
}

/// Writes an account; one of this id gets the new name, number and password.
pub fn put_user(batch: &mut Batch<'_>, user: &User) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO users (district, user, login, name, number, password, blocked)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (district, user) DO UPDATE SET
             login = excluded.login,
             name = excluded.name,
             number = excluded.number,
             password = excluded.password,
             blocked = excluded.blocked",
        params![
            store.district,
            user.user,
            user.login,
            user.name,
            user.number,
            user.password,
            user.blocked
        ],
    )?;
    batch.note_org();
    Ok(())
}

fn read_user(row: &Row<'_>) -> Result<User, SqlError> {
    Ok(User {
        user: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        number: row.get(3)?,
        password: row.get(4)?,
        blocked: row.get(5)?,
    })
}

/// Reads an account.
pub fn user(store: Store<'_>, user: UserId) -> Result<Option<User>, SqlError> {
    store.sql.one(
        "SELECT user, login, name, number, password, blocked
         FROM users
         WHERE district = $1 AND user = $2",
        params![store.district, user],
        read_user,
    )
}

/// Finds an account by the name that it signs in with.
pub fn user_by_login(store: Store<'_>, login: &str) -> Result<Option<User>, SqlError> {
    store.sql.one(
        "SELECT user, login, name, number, password, blocked
         FROM users
         WHERE district = $1 AND login = $2",
        params![store.district, login],
        read_user,
    )
}

/// Closes or opens an account for reading.
pub fn set_blocked(batch: &mut Batch<'_>, user: UserId, blocked: bool) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "UPDATE users
         SET blocked = $1
         WHERE district = $2 AND user = $3",
        params![blocked, store.district, user],
    )?;
    batch.note_org();
    Ok(())
}

/// Wrong passwords of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// So many in a row.
    pub count: u32,
    /// No password is looked at before.
    pub closed_until: Millis,
}

/// Returns the wrong passwords of an account.
pub fn failures(store: Store<'_>, user: UserId) -> Result<Failures, SqlError> {
    let found = store.sql.one(
        "SELECT failures, closed_until
         FROM users
         WHERE district = $1 AND user = $2",
        params![store.district, user],
        |row| {
            Ok(Failures {
                count: row.get(0)?,
                closed_until: row.get(1)?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Notes the wrong passwords of an account.
pub fn set_failures(batch: &Batch<'_>, user: UserId, failures: Failures) -> Result<(), SqlError> {
    let store = batch.store();
    store
        .sql
        .execute(
            "UPDATE users
             SET failures = $1, closed_until = $2
             WHERE district = $3 AND user = $4",
            params![failures.count, failures.closed_until, store.district, user],
        )
        .map(drop)
}

/// An enrolment to be written.
#[derive(Debug, Clone)]
pub struct NewEnrolment<'a> {
    /// Its id.
    pub enrolment: EnrolmentId,
    /// The account.
    pub user: UserId,
    /// What it is.
    pub station: Station,
    /// Hash of its secret or token.
    pub secret: [u8; 32],
    /// What it calls itself.
    pub device: &'a str,
    /// The schema that its app knows.
    pub schema: u16,
    /// When it ends by itself.
    pub expires_at: Option<Millis>,
}

/// Writes a new enrolment; nothing of it was authored before now.
pub fn put_enrolment(batch: &mut Batch<'_>, new: &NewEnrolment<'_>) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO enrolments
             (district, enrolment, user, station, secret, device, schema, enrolled_at, last_from,
              expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        params![
            store.district,
            new.enrolment,
            new.user,
            new.station.name(),
            new.secret,
            new.device,
            new.schema,
            batch.now(),
            new.expires_at
        ],
    )?;
    Ok(())
}

/// Ends an enrolment for reading, a desk session for good; handing in stays open to phones.
pub fn revoke_enrolment(batch: &mut Batch<'_>, enrolment: EnrolmentId) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "UPDATE enrolments
         SET revoked = 1
         WHERE district = $1 AND enrolment = $2",
        params![store.district, enrolment],
    )?;
    batch.note_enrolment(enrolment);
    Ok(())
}

/// What is known of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Who it is when it calls.
    pub caller: Caller,
    /// Hash of its secret or token.
    pub secret: [u8; 32],
    /// When it ends by itself.
    pub expires_at: Option<Millis>,
    /// The highest mutation with a receipt.
    pub received: Mseq,
    /// Its last mutation was not authored before this.
    pub last_from: Millis,
    /// Its last exchange; none before the first.
    pub synced_at: Option<Millis>,
    /// When it was enrolled.
    pub enrolled_at: Millis,
}

const ENROLMENT: &str = "
    SELECT e.enrolment, e.user, e.station, e.revoked, u.blocked, e.secret, e.expires_at,
           e.received_mseq, e.last_from, e.synced_at, e.enrolled_at
    FROM enrolments AS e
    JOIN users AS u ON u.district = e.district AND u.user = e.user
    WHERE e.district = $1 AND";

fn read_enrolment(row: &Row<'_>) -> Result<Enrolment, SqlError> {
    Ok(Enrolment {
        caller: Caller {
            enrolment: row.get(0)?,
            user: row.get(1)?,
            station: Station::named(row.text(2)?),
            locked: row.get::<bool>(3)? || row.get::<bool>(4)?,
        },
        secret: row.get(5)?,
        expires_at: row.get(6)?,
        received: row.get(7)?,
        last_from: row.get(8)?,
        synced_at: row.get(9)?,
        enrolled_at: row.get(10)?,
    })
}

/// Reads an enrolment.
pub fn enrolment(store: Store<'_>, enrolment: EnrolmentId) -> Result<Option<Enrolment>, SqlError> {
    store.sql.one(
        &format!("{ENROLMENT} e.enrolment = $2"),
        params![store.district, enrolment],
        read_enrolment,
    )
}

/// Finds the enrolment that shows a credential; whether the secret fits is the caller's to check.
pub fn presented(store: Store<'_>, credential: &Credential) -> Result<Option<Enrolment>, SqlError> {
    match credential {
        Credential::Phone(id, _) => enrolment(store, *id),
        Credential::Desk(token) => store.sql.one(
            &format!("{ENROLMENT} e.secret = $2 AND e.station = 'desk'"),
            params![store.district, token],
            read_enrolment,
        ),
    }
}

/// What an enrolment is called that a restored server knows by its certificate only. It reads
/// nothing until an operator lets it.
const READMITTED: &str = "readmitted";

/// Writes an enrolment that was made in a history that was lost; its account too, blocked, if that
/// is lost as well.
pub(crate) fn readmit(batch: &mut Batch<'_>, lost: &Certificate) -> Result<(), SqlError> {
    if user(batch.store(), lost.user)?.is_none() {
        let unknown = User {
            user: lost.user,
            login: format!("lost-{}", lost.user),
            name: "（恢复前的账号）".to_owned(),
            number: None,
            password: None,
            blocked: true,
        };
        put_user(batch, &unknown)?;
    }
    let new = NewEnrolment {
        enrolment: lost.enrolment,
        user: lost.user,
        station: Station::Phone,
        secret: lost.secret_hash.0,
        device: READMITTED,
        schema: pocketbook_records::kind::SCHEMA,
        expires_at: None,
    };
    put_enrolment(batch, &new)?;
    note_received(batch, lost.enrolment, Mseq(0), lost.at)?;
    revoke_enrolment(batch, lost.enrolment)
}

/// Lets somebody's readmitted enrolments read again; returns how many.
pub(crate) fn confirm_readmitted(batch: &mut Batch<'_>, user: UserId) -> Result<usize, SqlError> {
    let store = batch.store();
    let confirmed = store.sql.execute(
        "UPDATE enrolments
         SET revoked = 0, device = 'phone'
         WHERE district = $1 AND user = $2 AND device = $3",
        params![store.district, user, READMITTED],
    )?;
    batch.note_org();
    Ok(confirmed)
}

/// Notes how far an enrolment's work has been taken.
pub(crate) fn note_received(
    batch: &mut Batch<'_>,
    enrolment: EnrolmentId,
    received: Mseq,
    last_from: Millis,
) -> Result<(), SqlError> {
    let store = batch.store();
    store.sql.execute(
        "UPDATE enrolments
         SET received_mseq = $1, last_from = $2
         WHERE district = $3 AND enrolment = $4",
        params![received, last_from, store.district, enrolment],
    )?;
    batch.note_enrolment(enrolment);
    Ok(())
}

/// What an enrolment said of itself in its last exchange: the radar of unsynced work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// When, by the server's clock.
    pub at: Millis,
    /// What waits on it.
    pub pending: Pending,
    /// Its wall clock less ours, in ms.
    pub skew: Millis,
}

/// Notes what an enrolment said of itself.
pub(crate) fn note_contact(
    batch: &Batch<'_>,
    enrolment: EnrolmentId,
    contact: &Contact,
) -> Result<(), Fault> {
    let store = batch.store();
    store.sql.execute(
        "UPDATE enrolments
         SET synced_at = $1, pending = $2, skew = $3
         WHERE district = $4 AND enrolment = $5",
        params![
            contact.at,
            serde_json::to_string(&contact.pending)?,
            contact.skew,
            store.district,
            enrolment
        ],
    )?;
    Ok(())
}

/// One phone on the radar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blip {
    /// The phone.
    pub enrolment: EnrolmentId,
    /// Its account.
    pub user: UserId,
    /// The account's name.
    pub name: String,
    /// What the phone calls itself.
    pub device: String,
    /// What it said last; none before its first exchange.
    pub contact: Option<Contact>,
}

/// Returns all phones as they last spoke.
pub fn radar(store: Store<'_>) -> Result<Vec<Blip>, Fault> {
    let found = store.sql.all(
        "SELECT e.enrolment, e.user, u.name, e.device, e.synced_at, e.pending, e.skew
         FROM enrolments AS e
         JOIN users AS u ON u.district = e.district AND u.user = e.user
         WHERE e.district = $1 AND e.station = 'phone'
         ORDER BY e.enrolment",
        params![store.district],
        |row| {
            let at: Option<Millis> = row.get(4)?;
            let pending = row.maybe_text(5)?.map(serde_json::from_str::<Pending>);
            let contact = at.zip(pending).map(|(at, pending)| {
                let skew = row.get::<Option<Millis>>(6)?.unwrap_or(0);
                Ok::<_, Fault>(Contact {
                    at,
                    pending: pending?,
                    skew,
                })
            });
            let (enrolment, user) = (row.get(0)?, row.get(1)?);
            let (name, device) = (row.get(2)?, row.get(3)?);
            Ok(contact.transpose().map(|contact| Blip {
                enrolment,
                user,
                name,
                device,
                contact,
            }))
        },
    )?;
    found.into_iter().collect()
}

/// A one-time code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// For which account.
    pub user: UserId,
    /// Until when.
    pub expires_at: Millis,
    /// What it was used for.
    pub enrolment: Option<EnrolmentId>,
}

/// Writes a code by its hash.
pub fn put_code(batch: &Batch<'_>, code: &[u8; 32], new: &Code) -> Result<(), SqlError> {
    let store = batch.store();
    store
        .sql
        .execute(
            "INSERT INTO codes (district, code, user, expires_at, enrolment)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (district, code) DO UPDATE SET enrolment = excluded.enrolment",
            params![
                store.district,
                code,
                new.user,
                new.expires_at,
                new.enrolment
            ],
        )
        .map(drop)
}

/// Finds a code by its hash.
pub fn code(store: Store<'_>, code: &[u8; 32]) -> Result<Option<Code>, SqlError> {
    store.sql.one(
        "SELECT user, expires_at, enrolment
         FROM codes
         WHERE district = $1 AND code = $2",
        params![store.district, code],
        |row| {
            Ok(Code {
                user: row.get(0)?,
                expires_at: row.get(1)?,
                enrolment: row.get(2)?,
            })
        },
    )
}
