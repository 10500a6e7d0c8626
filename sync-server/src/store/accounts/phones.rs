//! The phones of one account, seen together: one may turn out to be two, and goes on with what it
//! began under another enrolment.

use pocketbook_records::ids::{EnrolmentId, Mseq, UserId};
use pocketbook_records::time::Millis;

use super::{ENROLMENT, Enrolment, read_enrolment};
use crate::params;
use crate::store::{SqlError, Store};
use crate::writer::Batch;

/// More enrolments in a row are not followed.
const MOST_IN_A_ROW: usize = 16;

/// Finds the phone of an account that has a secret; the latest, if it enrolled more than once
/// with it.
pub(crate) fn with_secret(
    store: Store<'_>,
    user: UserId,
    secret: &[u8; 32],
) -> Result<Option<Enrolment>, SqlError> {
    store.sql.one(
        &format!(
            "{ENROLMENT} e.user = $2 AND e.secret = $3 AND e.station = 'phone'
             ORDER BY e.enrolled_at DESC, e.enrolment DESC
             LIMIT 1"
        ),
        params![store.district, user, secret],
        read_enrolment,
    )
}

/// Returns what a phone calls itself.
pub(crate) fn device(store: Store<'_>, enrolment: EnrolmentId) -> Result<Option<String>, SqlError> {
    store.sql.one(
        "SELECT device
         FROM enrolments
         WHERE district = $1 AND enrolment = $2",
        params![store.district, enrolment],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// Returns the enrolments of an account's phones.
pub(crate) fn all(store: Store<'_>, user: UserId) -> Result<Vec<EnrolmentId>, SqlError> {
    store.sql.all(
        "SELECT enrolment
         FROM enrolments
         WHERE district = $1 AND user = $2 AND station = 'phone'
         ORDER BY enrolment",
        params![store.district, user],
        |row| row.get(0),
    )
}

/// Returns a time before which no phone of an account authored anything.
pub(crate) fn began(store: Store<'_>, user: UserId) -> Result<Millis, SqlError> {
    let began = store.sql.one(
        "SELECT COALESCE(MIN(CASE WHEN last_from < enrolled_at THEN last_from ELSE enrolled_at END), 0)
         FROM enrolments
         WHERE district = $1 AND user = $2 AND station = 'phone'",
        params![store.district, user],
        |row| row.get(0),
    )?;
    Ok(began.unwrap_or(0))
}

/// Notes that a phone goes on with what it began under an earlier enrolment: the numbers below the
/// first are its own as well.
pub(crate) fn note_continues(
    batch: &Batch<'_>,
    enrolment: EnrolmentId,
    earlier: EnrolmentId,
    first: Mseq,
) -> Result<(), SqlError> {
    let store = batch.store();
    store
        .sql
        .execute(
            "UPDATE enrolments
             SET continues = $1, first_mseq = $2
             WHERE district = $3 AND enrolment = $4",
            params![earlier, first, store.district, enrolment],
        )
        .map(drop)
}

/// Returns the earlier enrolments of a phone, each with the first number that was no longer its
/// own under it.
pub(crate) fn earlier(
    store: Store<'_>,
    enrolment: EnrolmentId,
) -> Result<Vec<(EnrolmentId, Mseq)>, SqlError> {
    let mut earlier: Vec<(EnrolmentId, Mseq)> = Vec::new();
    let mut at = enrolment;
    while earlier.len() < MOST_IN_A_ROW {
        let before = store.sql.one(
            "SELECT continues, first_mseq
             FROM enrolments
             WHERE district = $1 AND enrolment = $2",
            params![store.district, at],
            |row| Ok((row.get::<Option<EnrolmentId>>(0)?, row.get::<Mseq>(1)?)),
        )?;
        let Some((Some(before), first)) = before else {
            break;
        };
        let first = earlier.last().map_or(first, |(_, later)| first.min(*later));
        earlier.push((before, first));
        at = before;
    }
    Ok(earlier)
}
