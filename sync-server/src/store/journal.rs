//! The audit journal: append-only, never synced. Each line's hash covers the line before, and of
//! the content only a salted hash, so that content can be erased and the chain still proves that
//! nothing was put in, taken out or changed.

use sha2::{Digest, Sha256};

use pocketbook_records::ids::{Commit, EnrolmentId, Mid, RecordId, UserId};
use pocketbook_records::kind::Class;
use pocketbook_records::receipt::Outcome;

use super::{SqlError, Store};
use crate::params;
use crate::writer::{Batch, Fault};

/// One line to be written.
pub(crate) struct Line<'a> {
    pub(crate) mid: Mid,
    pub(crate) enrolment: EnrolmentId,
    pub(crate) user: UserId,
    pub(crate) kind: &'a str,
    pub(crate) id: RecordId,
    pub(crate) outcome: Outcome,
    /// What was authored.
    pub(crate) content: &'a str,
    /// Whether it is sealed.
    pub(crate) class: Class,
}

const SALT: usize = 16;

/// Returns what was authored under a name in a commit; none if it was erased.
pub(crate) fn content(
    store: Store<'_>,
    (mid, class): (Mid, Class),
    commit: Commit,
) -> Result<Option<String>, Fault> {
    let kept: Option<Option<Vec<u8>>> = store.sql.one(
        "SELECT value
         FROM journal
         WHERE district = $1 AND number = $2 AND mid = $3
         LIMIT 1",
        params![store.district, commit, mid],
        |row| Ok(row.maybe_bytes(0)?.map(<[u8]>::to_vec)),
    )?;
    let Some(mut value) = kept.flatten() else {
        return Ok(None);
    };
    if class == Class::Sensitive {
        value = store.keyring.open(mid.as_bytes(), &value)?;
    }
    Ok(String::from_utf8(value.split_off(SALT.min(value.len()))).ok())
}

/// Returns the enrolment whose work made a commit; none for a commit without any.
pub(crate) fn maker(store: Store<'_>, commit: Commit) -> Result<Option<EnrolmentId>, SqlError> {
    store.sql.one(
        "SELECT enrolment
         FROM journal
         WHERE district = $1 AND number = $2
         LIMIT 1",
        params![store.district, commit],
        |row| row.get(0),
    )
}

/// Appends a line.
pub(crate) fn append(batch: &mut Batch<'_>, line: &Line<'_>) -> Result<(), Fault> {
    let mut value = vec![0; SALT];
    batch.entropy().fill(&mut value);
    value.extend_from_slice(line.content.as_bytes());
    let value_hash: [u8; 32] = Sha256::digest(value.as_slice()).into();
    if line.class == Class::Sensitive {
        value = batch.keyring().seal(line.mid.as_bytes(), &value);
    }
    let outcome = serde_json::to_string(&line.outcome)?;
    let outcome = outcome.trim_matches('"');
    let commit = batch.commit()?;
    let (place, head) = batch.journal();
    let hash: [u8; 32] = Sha256::new()
        .chain_update(*head)
        .chain_update(commit.0.to_be_bytes())
        .chain_update(place.to_be_bytes())
        .chain_update(line.mid.as_bytes())
        .chain_update(line.enrolment.as_bytes())
        .chain_update(line.user.as_bytes())
        .chain_update(line.id.as_bytes())
        .chain_update(line.kind)
        .chain_update([0])
        .chain_update(outcome)
        .chain_update([0])
        .chain_update(value_hash)
        .finalize()
        .into();
    *head = hash;
    let store = batch.store();
    store.sql.execute(
        "INSERT INTO journal
             (district, number, line, mid, enrolment, user, kind, id, outcome, value, value_hash,
              hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            store.district,
            commit,
            place,
            line.mid,
            line.enrolment,
            line.user,
            line.kind,
            line.id,
            outcome,
            value,
            value_hash,
            hash
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use pocketbook_records::kinds::household::HOUSEHOLD;
    use pocketbook_records::rights::Role;

    use super::*;
    use crate::testing::{District, GRID, household, id};

    /// A line as it is hashed, without the hash before it; the hash of its value; its own.
    type Written = (Vec<u8>, Vec<u8>, Vec<u8>);

    fn written(district: &District) -> Vec<Written> {
        let lines = "SELECT number, line, mid, enrolment, user, id, kind, outcome, value_hash, hash
                     FROM journal ORDER BY number, line";
        let read = |store: Store<'_>| {
            store.sql.all(lines, &[], |row| {
                let bytes =
                    |n: usize| Ok::<_, SqlError>(row.maybe_bytes(n)?.unwrap_or_default().to_vec());
                let place = u32::try_from(row.get::<i64>(1)?).unwrap_or_default();
                let (commit, mid): (Commit, Mid) = (row.get(0)?, row.get(2)?);
                let (enrolment, user): (EnrolmentId, UserId) = (row.get(3)?, row.get(4)?);
                let (id, kind, outcome): (RecordId, String, String) =
                    (row.get(5)?, row.get(6)?, row.get(7)?);
                let line = [
                    commit.0.to_be_bytes().as_slice(),
                    &place.to_be_bytes(),
                    mid.as_bytes(),
                    enrolment.as_bytes(),
                    user.as_bytes(),
                    id.as_bytes(),
                    kind.as_bytes(),
                    &[0],
                    outcome.as_bytes(),
                    &[0],
                    &bytes(8)?,
                ]
                .concat();
                Ok((line, bytes(8)?, bytes(9)?))
            })
        };
        district.server.read(read).unwrap()
    }

    #[test]
    fn each_line_seals_the_one_before_it_and_no_value_can_be_guessed_by_its_hash() {
        let district = District::new();
        for n in [1, 2, 3] {
            let mut phone = district.phone(n, Role::GridWorker, GRID);
            phone.create(&HOUSEHOLD, id(7), household());
            district.hand_in(&mut phone);
        }

        let written = written(&district);

        assert_eq!(written.len(), 3);
        for pair in written.windows(2) {
            let [(_, value_before, before), (line, value, hash)] = pair else {
                continue;
            };
            assert_eq!(
                Sha256::digest([before.as_slice(), line].concat()).as_slice(),
                hash
            );
            assert_ne!(value_before, value, "one content, two salts");
        }
    }
}
