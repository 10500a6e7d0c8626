//! One job's part of a writing transaction.

use std::collections::HashMap;
use std::sync::Arc;

use pocketbook_records::history::Lost;
use pocketbook_records::ids::{Commit, EnrolmentId, Epoch, Mseq, UnitId, UserId};
use pocketbook_records::rights::Duty;
use pocketbook_records::time::Millis;

use super::{BLOCK, Fault, Seat};
use crate::beside::{self, Ordinal};
use crate::keyring::Keyring;
use crate::present::Change;
use crate::seams::{Entropy, uuid_v7};
use crate::store::accounts::phones;
use crate::store::districts::{self, Head};
use crate::store::{Store, histories, org, scopes};

/// What the jobs of one transaction share: head rows, read once and written once.
pub(super) struct Group {
    head: Head,
    scopes: HashMap<String, scopes::Head>,
    duties: HashMap<UserId, Arc<[Duty]>>,
    above: HashMap<UnitId, Arc<[UnitId]>>,
    earlier: HashMap<EnrolmentId, Vec<(EnrolmentId, Mseq)>>,
    lost: Option<Lost>,
    change: Change,
}

impl Group {
    pub(super) fn begin(seat: &Seat) -> Result<Self, Fault> {
        let mut head = districts::head(&seat.sql, seat.district)?;
        head.time = head.time.max(seat.clock.now_ms());
        Ok(Self {
            head,
            scopes: HashMap::new(),
            duties: HashMap::new(),
            above: HashMap::new(),
            earlier: HashMap::new(),
            lost: None,
            change: Change::default(),
        })
    }

    /// Writes the head rows that changed and says what memory must know.
    pub(super) fn close(mut self, seat: &Seat) -> Result<Change, Fault> {
        let store = seat.store();
        for (scope, head) in self.scopes {
            if head.is_changed() {
                scopes::put_head(store, &scope, &head)?;
                self.change.heads.push((scope, head));
            }
        }
        if self.change.commits > 0 {
            districts::put_head(&seat.sql, seat.district, &self.head)?;
            self.change.head = Some(self.head);
        }
        Ok(self.change)
    }
}

/// The transaction as one job sees it.
pub struct Batch<'a> {
    seat: &'a Seat,
    group: &'a mut Group,
    commit: Option<Commit>,
    lines: u32,
}

impl<'a> Batch<'a> {
    pub(super) fn new(seat: &'a Seat, group: &'a mut Group) -> Self {
        Self {
            seat,
            group,
            commit: None,
            lines: 0,
        }
    }

    /// Returns the rows as this transaction sees them.
    pub fn store(&self) -> Store<'a> {
        self.seat.store()
    }

    /// Returns the keys.
    pub fn keyring(&self) -> &'a Keyring {
        &self.seat.keyring
    }

    /// Returns the source of randomness.
    pub fn entropy(&self) -> &'a dyn Entropy {
        self.seat.entropy.as_ref()
    }

    /// Makes a UUIDv7.
    pub fn uuid(&self) -> uuid::Uuid {
        uuid_v7(self.now(), self.entropy())
    }

    /// Returns the server's time: never before that of an earlier commit.
    pub fn now(&self) -> Millis {
        self.group.head.time
    }

    /// Returns the present history.
    pub fn epoch(&self) -> Epoch {
        self.group.head.epoch
    }

    /// Returns this job's commit; the first call gives the number.
    pub fn commit(&mut self) -> Result<Commit, Fault> {
        if let Some(commit) = self.commit {
            return Ok(commit);
        }
        let next = Commit(self.group.head.last.0 + 1);
        let reserved = Commit::new(self.group.head.epoch, self.group.head.reserved);
        if next > reserved {
            return Err(Fault::Exhausted);
        }
        self.group.head.last = next;
        self.group.change.commits += 1;
        self.commit = Some(next);
        Ok(next)
    }

    /// Begins the next history, whose numbers are reserved beside the database first: whichever of
    /// the two is rolled back, none of them is used twice.
    pub(crate) fn begin_epoch(&mut self) -> Result<(), Fault> {
        let head = &mut self.group.head;
        let noted = beside::read_ordinal(&self.seat.dir)?;
        let highest = noted.map_or(head.epoch, |noted| noted.ordinal.max(head.epoch));
        let next = Epoch(highest.0.checked_add(1).ok_or(Fault::Exhausted)?);
        let ordinal = Ordinal {
            ordinal: next,
            reserved: BLOCK,
        };
        beside::write_ordinal(&self.seat.dir, &ordinal)?;
        head.epoch = next;
        head.last = Commit::new(next, 0);
        head.reserved = BLOCK;
        self.commit = None;
        self.group.lost = None;
        Ok(())
    }

    /// Returns the place of the next journal line in this commit, and the hash of the last one.
    pub(crate) fn journal(&mut self) -> (u32, &mut [u8; 32]) {
        self.lines += 1;
        (self.lines, &mut self.group.head.journal)
    }

    /// Returns a scope's head for changing; read once and written once per transaction.
    pub(crate) fn scope(&mut self, scope: &str) -> Result<&mut scopes::Head, Fault> {
        if !self.group.scopes.contains_key(scope) {
            let head = scopes::head(self.store(), scope)?;
            self.group.scopes.insert(scope.to_owned(), head);
        }
        self.group
            .scopes
            .get_mut(scope)
            .ok_or(Fault::Sql(crate::store::SqlError::Stored("a scope's head")))
    }

    /// Returns somebody's duties, past and future ones too.
    pub fn duties(&mut self, user: UserId) -> Result<Arc<[Duty]>, Fault> {
        if let Some(duties) = self.group.duties.get(&user) {
            return Ok(duties.clone());
        }
        let duties: Arc<[Duty]> = org::duties(self.store(), user)?.into();
        self.group.duties.insert(user, duties.clone());
        Ok(duties)
    }

    /// Returns the enrolments that one continues, each with its first number in the next.
    pub(crate) fn earlier(
        &mut self,
        enrolment: EnrolmentId,
    ) -> Result<Vec<(EnrolmentId, Mseq)>, Fault> {
        if let Some(earlier) = self.group.earlier.get(&enrolment) {
            return Ok(earlier.clone());
        }
        let earlier = phones::earlier(self.store(), enrolment)?;
        self.group.earlier.insert(enrolment, earlier.clone());
        Ok(earlier)
    }

    /// Returns what restores threw away.
    pub(crate) fn lost(&mut self) -> Result<Lost, Fault> {
        if self.group.lost.is_none() {
            self.group.lost = Some(histories::lost(self.store())?);
        }
        Ok(self.group.lost.clone().unwrap_or_default())
    }

    /// Returns a unit and all above it.
    pub fn above(&mut self, unit: &UnitId) -> Result<Arc<[UnitId]>, Fault> {
        if let Some(units) = self.group.above.get(unit) {
            return Ok(units.clone());
        }
        let units: Arc<[UnitId]> = org::above(self.store(), unit)?.into();
        self.group.above.insert(unit.clone(), units.clone());
        Ok(units)
    }

    /// Notes that units, accounts, duties, codes or pocket books changed: what memory knows of
    /// callers and their grants is read anew.
    pub fn note_org(&mut self) {
        self.group.duties.clear();
        self.group.above.clear();
        self.group.earlier.clear();
        self.group.change.org = true;
    }

    /// Notes that something of an account changed, for all its enrolments: wanted files.
    pub fn note_user(&mut self, user: UserId) {
        self.group.change.users.push(user);
    }

    /// Notes that something of an enrolment changed: receipts, credential.
    pub fn note_enrolment(&mut self, enrolment: EnrolmentId) {
        self.group.earlier.clear();
        self.group.change.enrolments.push(enrolment);
    }

    /// Ends the job: notes its commit.
    pub(super) fn close(self) -> Result<(), Fault> {
        if self.commit.is_some() {
            districts::put_commit(&self.seat.sql, self.seat.district, &self.group.head)?;
        }
        Ok(())
    }
}

impl Seat {
    pub(super) fn store(&self) -> Store<'_> {
        Store {
            sql: &self.sql,
            district: self.district,
            keyring: &self.keyring,
        }
    }
}
