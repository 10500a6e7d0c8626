//! Who may see a file.
//!
//! A file is *delivered* by an account, and *named* by records. To read it one must read a record
//! that names it; having delivered it is enough only until one does, since a grid may have been
//! taken since. Who delivered it or may read it is told that it is here, so that an upload that was
//! cut can end and none is made twice; from then on he counts as having delivered it.

use pocketbook_records::ids::{BlobHash, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::time::Millis;

use crate::desk::reach;
use crate::store::blobs::{Reference, is_deliverer, references};
use crate::store::{Store, records};
use crate::{Caller, Fault};

/// Says whether a caller may read a file: he reads a record that names it and whose author had the
/// right to name it, or none names it yet and he delivered it.
pub(super) fn may_read(
    store: Store<'_>,
    caller: &Caller,
    hash: BlobHash,
    now: Millis,
) -> Result<bool, Fault> {
    let references = references(store, hash)?;
    if references.is_empty() {
        return Ok(is_deliverer(store, hash, caller.user)?);
    }
    for reference in &references {
        if reads(store, caller.user, reference, now)?
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
    if is_deliverer(store, hash, reference.user)? {
        return Ok(true);
    }
    for other in all {
        if is_deliverer(store, hash, other.user)? && reads(store, reference.user, other, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn reads(
    store: Store<'_>,
    user: UserId,
    reference: &Reference,
    now: Millis,
) -> Result<bool, Fault> {
    let Some(kind) = Kind::named(&reference.key.kind) else {
        return Ok(false);
    };
    match records::find(store, kind, reference.key.id)? {
        Some(record) => Ok(reach::may_read(store, user, &record, now)?),
        None => Ok(false),
    }
}
