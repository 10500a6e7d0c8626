//! Another device has this identity: a folder was copied with its keys, or a phone was set back to
//! an old copy of itself. The server finds it; this device parts from its clone.
//!
//! *The life of a parting.* An answer says that a number was used for two names, or that more was
//! received than was ever authored here. In the transaction that takes the answer a salt is made:
//! from now on nothing is handed in. The engine shows the server the hash of a new secret (the
//! keystore's and the salt, hashed) and gets an enrolment of its own; adopting it takes the salt
//! into the account. Own work without receipt keeps its names and numbers and goes on under the new
//! enrolment, whose count begins there; what has a receipt stays the old one's. A kill in between
//! repeats the question with the same salt, and the same hash gets the same answer.
//!
//! *What it promises.* Both devices' work is kept, and counted once. A copy made after the salt is
//! a clone still, and is found out again.
//!
//! *What it refuses.* A second secret in the keystore: it would ask more of every platform, and a
//! copy of database and keystore would have it as well.

use pocketbook_records::ids::{BlobHash, Hex, Mseq};
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::wire::{Answer, EnrolAgain, EnrolAnswer};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::books::account::{self, Account};
use crate::error::Result;
use crate::seams::{Entropy, Secret};
use crate::store::{Store, meta, outbox, receipts, sql_int};

/// What makes one secret of an account another.
pub type Salt = Hex<32>;

/// Takes from an answer whether another device has this identity; says whether that is news.
pub(crate) fn note(
    connection: &Connection,
    entropy: &dyn Entropy,
    answer: &Answer,
) -> Result<bool> {
    let is_shared =
        answer.clone.is_some() || answer.received_mseq > outbox::highest_mseq(connection)?;
    if !is_shared || is_parting(connection)? {
        return Ok(false);
    }
    let mut salt = [0; 32];
    entropy.fill(&mut salt);
    meta::write_json(connection, meta::PARTING, &Hex(salt))?;
    Ok(true)
}

/// Says whether this device is about to get an identity of its own.
pub(crate) fn is_parting(connection: &Connection) -> Result<bool> {
    Ok(salt(connection)?.is_some())
}

fn salt(connection: &Connection) -> Result<Option<Salt>> {
    meta::read_json(connection, meta::PARTING)
}

/// Forgets what was said to the identity that this device had: it has another one now, and the
/// other device's numbers are none of its own.
pub(crate) fn forget_other(connection: &Connection) -> Result<()> {
    connection.execute(
        "DELETE FROM receipt WHERE first_mseq > ?1",
        params![sql_int(receipts::settled_mseq(connection)?.0)],
    )?;
    meta::forget(connection, meta::PARTING)
}

impl Store {
    /// Returns the secret by which the server knows this account on this phone, or will know it.
    ///
    /// # Errors
    /// Fails if the keystore does.
    pub fn enrolment_secret(&self) -> Result<Secret> {
        let account: Option<Account> =
            self.read(|connection| meta::read_json(connection, meta::ACCOUNT))?;
        self.secret(account.and_then(|account| account.salt))
    }

    fn secret(&self, salt: Option<Salt>) -> Result<Secret> {
        let kept = self.seams.keys.enrolment_secret(&self.name)?;
        let Some(salt) = salt else {
            return Ok(kept);
        };
        let mixed = Sha256::new()
            .chain_update(b"pocketbook enrolment")
            .chain_update(kept.bytes())
            .chain_update(salt.0)
            .finalize();
        Ok(Secret::new(mixed.into()))
    }

    /// Returns what this device asks for, if another one has its identity.
    pub(crate) fn parting(&self) -> Result<Option<EnrolAgain>> {
        let (salt, settled) =
            self.read(|connection| Ok((salt(connection)?, receipts::settled_mseq(connection)?)))?;
        let Some(salt) = salt else {
            return Ok(None);
        };
        let secret = self.secret(Some(salt))?;
        Ok(Some(EnrolAgain {
            secret_hash: Hex(BlobHash::of(secret.bytes()).0),
            first_mseq: Mseq(settled.0 + 1),
            schema: SCHEMA,
        }))
    }

    /// Takes the identity that is this device's own.
    pub(crate) fn part(&self, answer: &EnrolAnswer) -> Result<()> {
        self.write(|transaction| {
            let salt = salt(transaction)?;
            account::adopt(transaction, answer, salt)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::testing::{World, empty_answer, enrol_answer, good_answer};
    use crate::store::hand_in::{BatchLimits, Start};
    use pocketbook_records::ids::EnrolmentId;
    use pocketbook_records::time::Contact;
    use pocketbook_records::wire;

    use super::*;

    fn contact() -> Contact {
        Contact {
            token: String::new(),
            boot: String::new(),
            monotonic_ms: 0,
        }
    }

    fn own_name() -> EnrolAnswer {
        EnrolAnswer {
            enrolment: EnrolmentId(uuid::Uuid::from_u128(70)),
            ..enrol_answer("k")
        }
    }

    fn request(world: &World) -> wire::Request {
        let limits = BatchLimits {
            bytes: 1 << 20,
            count: 100,
            start: Start::FirstWaiting,
            pull: false,
        };
        world.store.next_request(limits).unwrap()
    }

    fn hears(world: &World, answer: &Answer) -> bool {
        let applied = world
            .store
            .apply_answer(&Default::default(), answer, contact());
        applied.unwrap().is_shared
    }

    #[test]
    fn the_secret_of_an_own_name_is_another_one_and_stays_the_same() {
        let world = World::new();
        let shared = world.store.enrolment_secret().unwrap();
        assert!(world.store.parting().unwrap().is_none());
        let told = Answer {
            received_mseq: Mseq(1),
            ..empty_answer(1)
        };

        assert!(hears(&world, &told), "it is news");
        let asked = world.store.parting().unwrap().unwrap();
        assert!(!hears(&world, &told), "and then it is not");

        let again = world.store.parting().unwrap().unwrap();
        assert_eq!(asked.secret_hash, again.secret_hash);
        assert_ne!(asked.secret_hash.0, BlobHash::of(shared.bytes()).0);
        world.store.part(&own_name()).unwrap();
        let own = world.store.enrolment_secret().unwrap();
        assert_eq!(asked.secret_hash.0, BlobHash::of(own.bytes()).0);
        assert!(world.store.parting().unwrap().is_none());
    }

    #[test]
    fn the_number_that_was_given_last_is_no_sign_of_a_clone() {
        let world = World::new();
        world.author();
        let told = Answer {
            received_mseq: Mseq(1),
            ..empty_answer(1)
        };

        assert!(!hears(&world, &told));
    }

    #[test]
    fn a_word_to_the_identity_that_it_had_settles_nothing() {
        let world = World::new();
        world.author();
        let late = good_answer(&request(&world), 2);
        world.store.adopt(&own_name()).unwrap();

        hears(&world, &late);

        assert_eq!(world.waiting(), 1);
        let answer = good_answer(&request(&world), 3);
        hears(&world, &answer);
        assert_eq!(world.waiting(), 0);
    }
}
