//! Taking work in: in order per enrolment, each mutation once, whatever the line repeats.

use std::ops::Range;
use std::sync::Arc;

use pocketbook_records::ids::{Hex, Mseq};
use pocketbook_records::mutation::{self, Frozen, Mutation};
use pocketbook_records::path::Path;
use pocketbook_records::receipt::{Outcome, Receipt, ReceiptRow};
use pocketbook_records::time::{self, Interval, Millis};
use pocketbook_records::wire::{CloneFound, Key, Request};

use super::contact;
use crate::apply::{self, Retold, Ruling, Work};
use crate::caller::Caller;
use crate::keyring::Purpose;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::accounts::{self, Contact, phones};
use crate::store::receipts;
use crate::writer::{Batch, Fault};

/// What came of a hand-in, besides the receipts that are stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handed {
    /// Records whose bodies the author can't work out alone.
    pub(super) touched: Vec<Key>,
    /// Set if the batch began too late: send from here.
    pub(super) out_of_order: Option<Mseq>,
    /// Set if another phone uses this identity.
    pub(super) clone: Option<CloneFound>,
    /// The first number of the batch: all receipts from here on are answered again.
    pub(super) first: Option<Mseq>,
}

/// A batch on its way through the writer.
struct Push {
    caller: Caller,
    request: Arc<Request>,
    said: Contact,
}

/// Whether a mutation is read, or known to be what the server fails at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Apply,
    Park,
}

impl Server {
    /// Hands a batch to the writer. If the server fails at it, it is halved until the one mutation
    /// is found that it fails at; that one is parked and an alarm is raised.
    pub(super) async fn hand_in(
        &self,
        caller: &Caller,
        request: Arc<Request>,
        said: Contact,
    ) -> Result<Handed, Refusal> {
        let all = 0..request.mutations.len();
        let first = request.mutations.first().map(|mutation| mutation.mseq);
        let push = Arc::new(Push {
            caller: caller.clone(),
            request,
            said,
        });
        let mut handed = Handed {
            first,
            ..Handed::default()
        };
        let mut parts = vec![(all, Care::Apply)];
        while let Some((part, care)) = parts.pop() {
            let (job, range) = (push.clone(), part.clone());
            let taken = self
                .writer()
                .run_async(move |batch| job.take(batch, range.clone(), care))
                .await;
            match taken {
                Ok(taken) => {
                    handed.touched.extend(taken.touched);
                    handed.out_of_order = taken.out_of_order;
                    handed.clone = taken.clone;
                    if handed.out_of_order.is_some() || handed.clone.is_some() {
                        break;
                    }
                }
                Err(fault) if fault.may_be_one_mutation() && care == Care::Apply => {
                    halve(&mut parts, part, &push.request.mutations, &fault);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(handed)
    }
}

fn halve(
    parts: &mut Vec<(Range<usize>, Care)>,
    part: Range<usize>,
    mutations: &[Mutation],
    fault: &Fault,
) {
    if part.len() == 1 {
        let mid = mutations.get(part.start).map(|mutation| mutation.mid);
        tracing::error!(?mid, %fault, "a mutation was parked because the server fails at it");
        parts.push((part, Care::Park));
        return;
    }
    let middle = part.start + part.len() / 2;
    parts.push((middle..part.end, Care::Apply));
    parts.push((part.start..middle, Care::Apply));
}

impl Push {
    /// Applies what is new of a part of the batch.
    fn take(&self, batch: &mut Batch<'_>, part: Range<usize>, care: Care) -> Result<Handed, Fault> {
        let enrolment = self.caller.enrolment;
        let mut handed = Handed::default();
        let known = accounts::enrolment(batch.store(), enrolment)?;
        let Some(known) = known else {
            return Ok(handed);
        };
        let mutations = &self.request.mutations[part];
        let next = Mseq(known.received.0 + 1);
        if mutations.first().is_some_and(|first| first.mseq > next) {
            handed.out_of_order = Some(next);
            return Ok(handed);
        }
        let repeated = mutations.iter().take_while(|m| m.mseq < next).count();
        let (old, new) = mutations.split_at(repeated);
        handed.clone = self.find_clone(batch, old)?;
        if handed.clone.is_some() || new.is_empty() {
            return Ok(handed);
        }
        let mut last_from = known.last_from;
        let mut receipts = Vec::with_capacity(new.len());
        for mutation in new {
            let work = self.work(batch, mutation, last_from)?;
            last_from = work.at.from.max(last_from);
            let applied = match care {
                Care::Apply => apply::apply(batch, &work)?,
                Care::Park => apply::park_faulty(batch, &work)?,
            };
            receipts.push(applied.receipt);
            handed.touched.extend(applied.touched);
        }
        conclude(batch, &self.caller, receipts, last_from)?;
        accounts::note_contact(batch, enrolment, &self.said)?;
        Ok(handed)
    }

    /// Looks for another phone with this identity: a number that was used for two names.
    fn find_clone(&self, batch: &Batch<'_>, old: &[Mutation]) -> Result<Option<CloneFound>, Fault> {
        for mutation in old {
            let used = receipts::used(batch.store(), mutation.mid)?;
            let ours = used.filter(|used| {
                used.enrolment == self.caller.enrolment && used.mseq == mutation.mseq
            });
            match ours {
                Some(used) if used.check == mutation::check(mutation.frozen.get()) => {}
                Some(_) => {
                    let mid = mutation.mid;
                    tracing::error!(%mid, "a mutation came again with other content");
                }
                // Refused for its name, it left no name behind.
                None if was_refused(batch, self, mutation)? => {}
                None => {
                    let (enrolment, first_mseq) = (self.caller.enrolment, mutation.mseq);
                    tracing::warn!(%enrolment, "two phones have one identity");
                    return Ok(Some(CloneFound { first_mseq }));
                }
            }
        }
        Ok(None)
    }

    fn work(
        &self,
        batch: &mut Batch<'_>,
        mutation: &Mutation,
        last_from: Millis,
    ) -> Result<Work, Fault> {
        let text = mutation.frozen.get().to_owned();
        let frozen = Frozen::parse(&text);
        let proof = self.proof_of(batch, mutation)?;
        let received = proof.map_or(batch.now(), |(row, _)| row.received_at);
        let at = match &frozen {
            Ok(frozen) => {
                let contact = frozen.at.contact.as_ref();
                let time = contact.and_then(|contact| {
                    contact::time_of(batch.keyring(), self.caller.enrolment, &contact.token)
                });
                let time = match (time, contact) {
                    (None, Some(contact)) => self.heard_earlier(batch, &contact.token)?,
                    _ => time,
                };
                let (now, arrives) = (&self.request.now, batch.now());
                let at = time::bound(&frozen.at, time, now, arrives, last_from);
                // What is told again came first when its receipt says, not now.
                Interval {
                    from: at.from.min(received),
                    to: at.to.min(received),
                }
            }
            Err(_) => Interval {
                from: last_from.min(received),
                to: received,
            },
        };
        // What lay in the tray there had no effect that anybody could have been shown.
        let had_effect =
            |receipt: &Receipt| !matches!(receipt.outcome, Outcome::Parked | Outcome::Rejected);
        let retold = proof.filter(|(_, receipt)| had_effect(receipt));
        let retold = retold.map(|(row, receipt)| Retold {
            origin: row.commit,
            number: receipt.assigned.get(&Path::field("number")).cloned(),
        });
        Ok(Work {
            author: self.caller.clone(),
            mid: mutation.mid,
            mseq: mutation.mseq,
            text,
            frozen,
            at,
            ruling: Ruling::Ordinary,
            retold,
        })
    }

    /// Reads a token that was given to this account under another enrolment: a phone that enrolled
    /// again hands in what it had authored before.
    fn heard_earlier(&self, batch: &Batch<'_>, token: &str) -> Result<Option<Millis>, Fault> {
        let phones = phones::all(batch.store(), self.caller.user)?;
        let mut times = phones
            .into_iter()
            .map(|phone| contact::time_of(batch.keyring(), phone, token));
        Ok(times.find_map(|time| time))
    }

    /// Finds the proof that a mutation had been taken in a history that was lost: a row of ours,
    /// about this content of this account. Anything else proves nothing.
    fn proof_of(
        &self,
        batch: &mut Batch<'_>,
        mutation: &Mutation,
    ) -> Result<Option<(&ReceiptRow, &Receipt)>, Fault> {
        if self.request.proofs.is_empty() {
            return Ok(None);
        }
        let check = mutation::check(mutation.frozen.get());
        let names = |receipt: &&Receipt| receipt.mid == mutation.mid && receipt.check == check;
        for row in &self.request.proofs {
            let Some(receipt) = row.receipts.iter().find(names) else {
                continue;
            };
            // A history that is not known to be lost may be one that is still to come: a backup was
            // put back by hand, and the echo that would tell is not here yet.
            let is_lost = batch.lost()?.holds(row.commit);
            let is_own = self.is_own(batch, row)?;
            let keyring = batch.keyring();
            let is_ours =
                is_own && keyring.verifies(Purpose::Receipts, &row.signed_bytes(), &row.mac.0);
            if is_lost && is_ours {
                return Ok(Some((row, receipt)));
            }
            tracing::error!(mid = %mutation.mid, "a proof that proves nothing was left aside");
        }
        Ok(None)
    }

    /// Says whether a row is about work of this account, under this enrolment or an earlier one.
    fn is_own(&self, batch: &Batch<'_>, row: &ReceiptRow) -> Result<bool, Fault> {
        if row.enrolment == self.caller.enrolment {
            return Ok(true);
        }
        let earlier = accounts::enrolment(batch.store(), row.enrolment)?;
        Ok(earlier.is_some_and(|earlier| earlier.caller.user == self.caller.user))
    }
}

fn was_refused(batch: &Batch<'_>, push: &Push, mutation: &Mutation) -> Result<bool, Fault> {
    let stored = receipts::find(batch.store(), push.caller.enrolment, mutation.mseq)?;
    Ok(stored.is_some_and(|receipt| receipt.mid == mutation.mid))
}

/// Stores the receipts of a run and notes how far the enrolment's work has been taken.
pub(super) fn conclude(
    batch: &mut Batch<'_>,
    author: &Caller,
    receipts: Vec<Receipt>,
    last_from: Millis,
) -> Result<(), Fault> {
    let Some(last) = receipts.last().map(|receipt| receipt.mseq) else {
        return Ok(());
    };
    let mut row = ReceiptRow {
        enrolment: author.enrolment,
        epoch: batch.epoch(),
        commit: batch.commit()?,
        received_at: batch.now(),
        receipts,
        key_id: batch.keyring().code_key(),
        mac: Hex([0; 16]),
    };
    row.mac = Hex(batch.keyring().code(Purpose::Receipts, &row.signed_bytes()));
    receipts::put(batch, &row)?;
    accounts::note_received(batch, author.enrolment, last, last_from)?;
    Ok(())
}
