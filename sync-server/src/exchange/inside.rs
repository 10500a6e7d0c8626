//! What is authored on the server's own side: by desk sessions and by the system itself. The door
//! is the same; only the numbers are given here, and the moment is known.

use std::sync::Arc;

use pocketbook_records::ids::{Mid, Mseq};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::Frozen;
use pocketbook_records::receipt::{Outcome, Reason, Receipt};
use pocketbook_records::time::{At, Interval};
use pocketbook_records::wire::{MAX_MUTATIONS, Put};

use super::hand_in::conclude;
use crate::apply::{self, Ruling, Work};
use crate::caller::{Caller, Station};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::accounts::{self, SYSTEM, SYSTEM_USER};
use crate::store::{journal, receipts};
use crate::writer::{Batch, Fault};

/// What became of a desk's call.
#[derive(Debug, Clone)]
pub struct DeskReceipt {
    /// The word on it.
    pub receipt: Receipt,
    /// The record as it stands now, if the caller may read it.
    pub record: Option<Put>,
}

/// What became of something that the system authored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authored {
    /// Its name.
    pub mid: Mid,
    /// Its place.
    pub mseq: Mseq,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, if it was not taken.
    pub reason: Option<Reason>,
    /// Whether it had been authored before and nothing was done.
    pub repeated: bool,
}

impl Server {
    /// Authors one mutation for a desk session; its number is given here. The same `mid` again,
    /// also from a later session of the same account, gets the same receipt.
    pub async fn apply_desk(
        &self,
        caller: &Caller,
        mid: Mid,
        frozen: Frozen,
    ) -> Result<DeskReceipt, Refusal> {
        let caller = caller.clone();
        let job = move |batch: &mut Batch<'_>| take_desk(batch, &caller, mid, &frozen);
        self.writer().run_async(job).await?
    }

    /// Authors mutations as the system, through the same door as everybody, 2,000 per commit. One
    /// whose `mid` was used before is left alone.
    pub async fn author_as_system(
        &self,
        mutations: Vec<(Mid, Frozen)>,
    ) -> Result<Vec<Authored>, Refusal> {
        let mut authored = Vec::with_capacity(mutations.len());
        let mutations: Arc<[(Mid, Frozen)]> = mutations.into();
        for start in (0..mutations.len()).step_by(MAX_MUTATIONS) {
            let end = mutations.len().min(start + MAX_MUTATIONS);
            let all = mutations.clone();
            let job = move |batch: &mut Batch<'_>| take_system(batch, &all[start..end]);
            authored.extend(self.writer().run_async(job).await?);
        }
        Ok(authored)
    }
}

fn work(batch: &Batch<'_>, author: Caller, (mid, mseq): (Mid, Mseq), frozen: &Frozen) -> Work {
    let text = frozen.freeze().get().to_owned();
    Work {
        author,
        mid,
        mseq,
        // Read as a phone's is: what a phone may not say, a desk may not either.
        frozen: Frozen::parse(&text),
        text,
        at: Interval::moment(batch.now()),
        ruling: Ruling::Ordinary,
        retold: None,
    }
}

/// The inner refusal is this call's alone: it has written nothing.
fn take_desk(
    batch: &mut Batch<'_>,
    caller: &Caller,
    mid: Mid,
    frozen: &Frozen,
) -> Result<Result<DeskReceipt, Refusal>, Fault> {
    let store = batch.store();
    let Some(known) = accounts::enrolment(store, caller.enrolment)? else {
        return Ok(Err(Refusal::UnknownCaller));
    };
    let mseq = Mseq(known.received.0 + 1);
    let work = work(batch, caller.clone(), (mid, mseq), frozen);
    let receipt = match receipts::used(store, mid)? {
        Some(used) => match repeated(batch, &work, used)? {
            Some(receipt) => receipt,
            None => return Ok(Err(Refusal::MidReused)),
        },
        None => {
            let receipt = apply::apply(batch, &work)?.receipt;
            conclude(batch, caller, vec![receipt.clone()], batch.now())?;
            receipt
        }
    };
    let record = match Kind::named(&frozen.kind) {
        Some(kind) => apply::readable(batch, &work, kind, frozen.id)?,
        None => None,
    };
    Ok(Ok(DeskReceipt { receipt, record }))
}

/// Finds the receipt of a repeated call, if it was this account's and said the same.
fn repeated(
    batch: &Batch<'_>,
    work: &Work,
    used: receipts::Used,
) -> Result<Option<Receipt>, Fault> {
    let store = batch.store();
    let author = accounts::enrolment(store, used.enrolment)?;
    if author.is_none_or(|author| author.caller.user != work.author.user) {
        return Ok(None);
    }
    let Some(row) = receipts::row_of(store, used.enrolment, used.mseq)? else {
        return Ok(None);
    };
    let before = journal::content(store, (work.mid, work.class()), row.commit)?;
    let before = before.and_then(|text| Frozen::parse(&text).ok());
    let says_the_same = match (&before, &work.frozen) {
        (Some(before), Ok(again)) => meaning(before) == meaning(again),
        // Erased since: nobody can say any more.
        (None, _) => true,
        (Some(_), Err(_)) => false,
    };
    let receipt = row.receipts.into_iter().find(|r| r.mseq == used.mseq);
    Ok(receipt.filter(|_| says_the_same))
}

/// What a desk's call says, without the moments at which the server noted it.
fn meaning(frozen: &Frozen) -> Frozen {
    let mut meaning = frozen.clone();
    meaning.set.retain(|set| set.path.as_str() != "reported_at");
    meaning.at = At {
        wall: 0,
        monotonic_ms: 0,
        contact: None,
        ..meaning.at
    };
    meaning
}

fn take_system(batch: &mut Batch<'_>, mutations: &[(Mid, Frozen)]) -> Result<Vec<Authored>, Fault> {
    let author = Caller {
        enrolment: SYSTEM,
        user: SYSTEM_USER,
        station: Station::System,
        locked: false,
    };
    let known = accounts::enrolment(batch.store(), SYSTEM)?;
    let mut mseq = known.map_or(Mseq(0), |known| known.received);
    let mut given = Vec::new();
    let mut authored = Vec::with_capacity(mutations.len());
    for (mid, frozen) in mutations {
        if let Some(used) = receipts::used(batch.store(), *mid)? {
            authored.push(Authored {
                mid: *mid,
                mseq: used.mseq,
                outcome: Outcome::Duplicate,
                reason: None,
                repeated: true,
            });
            continue;
        }
        mseq = Mseq(mseq.0 + 1);
        let work = work(batch, author.clone(), (*mid, mseq), frozen);
        let receipt = apply::apply(batch, &work)?.receipt;
        authored.push(Authored {
            mid: *mid,
            mseq,
            outcome: receipt.outcome,
            reason: receipt.reason.clone(),
            repeated: false,
        });
        given.push(receipt);
    }
    conclude(batch, &author, given, batch.now())?;
    Ok(authored)
}
