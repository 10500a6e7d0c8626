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
    self, Ask, MAX_MUTATIONS, MAX_SCOPES, MAX_SPANS, MAX_WANT, Mode, PROTO,
};

use crate::caller::Caller;
use crate::feed::frames::Frames;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::store::accounts::{self, Contact};

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
