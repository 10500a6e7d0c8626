//! One exchange with a phone: its work is taken in, then it is told what is new.
//!
//! # The life of an exchange
//!
//! 1. The envelope is checked against the limits of the message. Content of single mutations is
//!    not looked at here: a bad one is its own receipt's matter.
//! 2. Work is handed to the writer ([`hand_in`]), also for locked accounts: hand-in is always
//!    open.
//! 3. If nothing is new, the answer is made from memory ([`crate::present`]); else it is read in
//!    one snapshot ([`answer`]): receipts, then pages, bodies and grants for those who may read.
//! 4. Frames of scopes that are synced for the first time follow as they are asked for.
//!
//! What is authored on the server's own side, by desks and imports, comes in by the same door
//! ([`inside`]).

pub mod answer;
mod contact;
pub mod hand_in;
pub mod inside;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pocketbook_records::wire::{
    self, Ask, Echo, MAX_MUTATIONS, MAX_SCOPES, MAX_SPANS, MAX_WANT, Mode, PROTO, Put,
};

use crate::apply::witness;
use crate::caller::Caller;
use crate::feed::frames::Frames;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::accounts::{self, Contact};
use crate::store::{histories, org};
use crate::writer::Fault;

pub use inside::{Authored, DeskReceipt};

/// What a phone is answered: one line, then frames as they are read.
pub struct SyncAnswer {
    /// The first line.
    pub answer: wire::Answer,
    /// The lines after it.
    pub frames: Frames,
}

impl Server {
    /// Answers one request of a phone.
    pub async fn sync(
        &self,
        caller: &Caller,
        request: wire::Request,
    ) -> Result<SyncAnswer, Refusal> {
        check(caller, &request)?;
        let said = Contact {
            at: self.now(),
            pending: request.pending.clone(),
            skew: request.now.wall.saturating_sub(self.now()),
        };
        self.0.present.note_contact(caller.enrolment, said.clone());
        if let Some(echo) = self.strange_echo(&request).await? {
            self.fork(echo).await?;
        }
        self.hear(caller, &request).await?;
        let request = Arc::new(request);
        let handed = if request.mutations.is_empty() {
            hand_in::Handed::default()
        } else {
            self.hand_in(caller, request.clone(), said.clone()).await?
        };
        if let Some(answer) = self.answer_from_memory(caller, &request, &handed) {
            let frames = Frames::new(self, caller, Vec::new());
            return Ok(SyncAnswer { answer, frames });
        }
        let (answer, streams, is_first) = self.answer(caller, request, handed).await?;
        if is_first {
            self.note_first(caller, said).await?;
        }
        let frames = Frames::new(self, caller, streams);
        Ok(SyncAnswer { answer, frames })
    }

    /// Hears what a phone remembers of a history that was lost.
    async fn hear(&self, caller: &Caller, request: &wire::Request) -> Result<(), Refusal> {
        if request.witness.is_empty() || caller.locked {
            return Ok(());
        }
        let hears = |shown: Vec<Put>| {
            let caller = caller.clone();
            move |batch: &mut crate::Batch<'_>| {
                let granted = org::granted(batch.store(), caller.user, batch.now())?;
                for put in &shown {
                    witness::hear(batch, &caller, &granted.scopes, put)?;
                }
                Ok(())
            }
        };
        let together = self.writer().run_async(hears(request.witness.clone()));
        match together.await {
            Err(fault) if fault.may_be_one_mutation() => {}
            heard => return Ok(heard?),
        }
        for put in &request.witness {
            let alone = self.writer().run_async(hears(vec![put.clone()]));
            match alone.await {
                Err(fault) if fault.may_be_one_mutation() => {
                    tracing::error!(id = %put.id, %fault, "a witness was left aside because the server fails at it");
                }
                heard => heard?,
            }
        }
        Ok(())
    }

    /// Returns the request's echo if it is ours and tells of a history that is not here. What this
    /// process has committed itself needs no look into the database.
    async fn strange_echo(&self, request: &wire::Request) -> Result<Option<Echo>, Refusal> {
        let genuine = |echo: &&Echo| contact::is_genuine(self.keyring(), echo);
        let Some(echo) = request.echo.as_ref().filter(genuine) else {
            return Ok(None);
        };
        let is_own = self.0.present.look(|picture| {
            echo.epoch == picture.head.epoch
                && picture.opened < echo.commit
                && echo.commit <= picture.head.last
        });
        if is_own {
            return Ok(None);
        }
        let asked = echo.clone();
        let told = self.read_async(move |store| Ok::<_, Fault>(histories::told_by(store, &asked)?));
        Ok(told.await?.map(|_| echo.clone()))
    }

    /// Notes that an enrolment has begun: its code can't be used again.
    async fn note_first(&self, caller: &Caller, said: Contact) -> Result<(), Refusal> {
        let enrolment = caller.enrolment;
        let note = move |batch: &mut crate::Batch<'_>| {
            accounts::note_contact(batch, enrolment, &said)?;
            batch.note_enrolment(enrolment);
            Ok(())
        };
        Ok(self.writer().run_async(note).await?)
    }
}

fn has_too_many_spans(ask: &Ask) -> bool {
    matches!(&ask.mode, Mode::Parts { spans, .. } if spans.len() > MAX_SPANS)
}

/// Checks the envelope.
fn check(caller: &Caller, request: &wire::Request) -> Result<(), Refusal> {
    let (lowest, highest) = request.proto;
    if !(lowest..=highest).contains(&PROTO) {
        return Err(Refusal::Protocol);
    }
    if request.enrolment != caller.enrolment {
        return Err(Refusal::UnknownCaller);
    }
    let pull = request.pull.as_ref();
    let is_large = request.mutations.len() > MAX_MUTATIONS
        || request.witness.len() > MAX_WANT
        || request.proofs.len() > MAX_MUTATIONS
        || pull.is_some_and(|p| {
            p.scopes.len() > MAX_SCOPES
                || p.want.len() > MAX_WANT
                || p.scopes.values().any(has_too_many_spans)
        });
    if is_large {
        return Err(Refusal::TooLarge);
    }
    let in_order = request
        .mutations
        .windows(2)
        .all(|pair| Some(pair[1].mseq.0) == pair[0].mseq.0.checked_add(1));
    let numbers = 1..=i64::MAX.unsigned_abs();
    let are_numbers = request
        .mutations
        .iter()
        .all(|mutation| numbers.contains(&mutation.mseq.0));
    if !in_order || !are_numbers {
        return Err(Refusal::Malformed("mutations are numbered without holes"));
    }
    Ok(())
}
