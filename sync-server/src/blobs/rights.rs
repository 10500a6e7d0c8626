//! Who may see a file.

use pocketbook_records::ids::{BlobHash, EnrolmentId};
use pocketbook_records::kind::Kind;
use pocketbook_records::time::Millis;

use crate::desk::reach;
use crate::store::blobs::{Reference, is_owner, references};
use crate::store::{SqlError, Store, accounts, records};
use crate::{Caller, Fault};

/// Says whether a caller may see a file: he delivered it himself, or he reads a record that refers
/// to it and whose author had the right to refer to it.
pub(super) fn may_see(
    store: Store<'_>,
    caller: &Caller,
    hash: BlobHash,
    now: Millis,
) -> Result<bool, Fault> {
    if is_owner(store, hash, caller.enrolment)? {
        return Ok(true);
    }
    let references = references(store, hash)?;
    for reference in &references {
        if reads(store, caller, reference, now)?
            && is_rightful(store, hash, reference, &references, now)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A reference by somebody who never had the bytes grants nothing: else whoever guesses a hash
/// could read the file through a record of his own.
fn is_rightful(
    store: Store<'_>,
    hash: BlobHash,
    reference: &Reference,
    all: &[Reference],
    now: Millis,
) -> Result<bool, Fault> {
    if is_owner(store, hash, reference.enrolment)? {
        return Ok(true);
    }
    let Some(author) = caller_of(store, reference.enrolment)? else {
        return Ok(false);
    };
    for other in all {
        if is_owner(store, hash, other.enrolment)? && reads(store, &author, other, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn reads(
    store: Store<'_>,
    caller: &Caller,
    reference: &Reference,
    now: Millis,
) -> Result<bool, Fault> {
    let Some(kind) = Kind::named(&reference.kind) else {
        return Ok(false);
    };
    match records::find(store, kind, reference.id)? {
        Some(record) => Ok(reach::may_read(store, caller.user, &record, now)?),
        None => Ok(false),
    }
}

fn caller_of(store: Store<'_>, enrolment: EnrolmentId) -> Result<Option<Caller>, SqlError> {
    Ok(accounts::enrolment(store, enrolment)?.map(|found| found.caller))
}
