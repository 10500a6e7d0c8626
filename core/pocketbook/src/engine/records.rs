//! When records are exchanged, and how many at once.

use pocketbook_records::ids::Mseq;
use pocketbook_records::wire::{FIRST_BATCH_BYTES, MAX_MUTATIONS, MAX_REQUEST_BYTES};

use super::pace::{Errand, Moment, Pace};
use super::plan::{Answered, Exchange, Heard, Streamed, Trouble};
use crate::store::hand_in::Start;

/// How often news are asked for while someone looks.
pub(crate) const POLL_MS: i64 = 30_000;
/// And otherwise.
const POLL_UNSEEN_MS: i64 = 15 * 60_000;
/// Answers in a row that may bring nothing although something was due.
const FRUITLESS: u32 = 3;
/// A mutation that failed alone so often, although the line is good, goes without its content.
const ALONE: u32 = 3;
/// At this size a batch is one mutation.
const LEAST_BATCH: usize = 1024;
/// The rest of a request, cursors above all, needs room too.
const MOST_BATCH: usize = MAX_REQUEST_BYTES / 4 * 3;

/// The part of the mind that exchanges records: one exchange at a time on the line, while the answer
/// of the one before it is taken in. The frames that follow an answer are no longer part of it: work
/// is handed in beside them.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    hand_in: Errand,
    pull: Errand,
    running: Option<Exchange>,
    /// Answered, and being taken in.
    heard: Option<Exchange>,
    /// From where work may go ahead meanwhile.
    next: Option<Mseq>,
    is_streaming: bool,
    /// The last joint exchange failed: each goes by itself.
    apart: bool,
    /// Where the work begins.
    start: Start,
    batch: Pace,
    /// How often in a row one mutation by itself was not answered.
    alone: u32,
    fruitless: u32,
    poll_at_ms: i64,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self {
            hand_in: Errand::default(),
            pull: Errand::default(),
            running: None,
            heard: None,
            next: None,
            is_streaming: false,
            apart: false,
            start: Start::FirstWaiting,
            batch: Pace::new(FIRST_BATCH_BYTES, LEAST_BATCH, MOST_BATCH),
            alone: 0,
            fruitless: 0,
            poll_at_ms: 0,
        }
    }

    pub(crate) fn start_over(&mut self) {
        for exchange in [self.running.take(), self.heard.take()] {
            exchange
                .into_iter()
                .for_each(|exchange| self.still_due(exchange));
        }
        self.pull.is_due |= std::mem::take(&mut self.is_streaming);
    }

    pub(crate) fn due(&mut self) {
        self.hand_in.is_due = true;
        self.pull.is_due = true;
    }

    pub(crate) fn try_now(&mut self) {
        self.hand_in.try_now();
        self.pull.try_now();
        self.fruitless = 0;
    }

    pub(crate) fn is_time_to_poll(&self, now_ms: i64) -> bool {
        self.poll_at_ms <= now_ms
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some() || self.heard.is_some() || self.is_streaming
    }

    /// Returns from when what is due may be tried.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        let due = [self.hand_in.next_ms(), self.pull.next_ms()];
        due.into_iter().flatten().min()
    }

    /// Returns from when there is something to do: what is due, or the next look for news.
    pub(crate) fn next_ms(&self) -> i64 {
        let pull = self.pull.next_ms().unwrap_or(self.poll_at_ms);
        self.hand_in
            .next_ms()
            .map_or(pull, |hand_in| hand_in.min(pull))
    }

    /// Begins an exchange if one is ready and none runs.
    pub(crate) fn begin(&mut self, now_ms: i64) -> Option<Exchange> {
        if self.running.is_some() {
            return None;
        }
        let exchange = match self.heard {
            Some(_) => self.exchange_ahead(now_ms)?,
            None => self.next_exchange(now_ms)?,
        };
        if exchange.hands_in() {
            self.hand_in.begun();
        }
        if exchange.pull {
            self.pull.begun();
        }
        if exchange.announces {
            self.alone = 0;
        }
        self.running = Some(exchange);
        self.running
    }

    /// An answer is here: from now on the line is free.
    pub(crate) fn heard(&mut self, heard: Heard) {
        self.heard = self.running.take();
        self.next = heard.next;
        if self.heard.is_some_and(Exchange::hands_in) {
            self.alone = 0;
            if !heard.out_of_order {
                self.batch.arrived(heard.sent_bytes, heard.took_ms);
            }
        }
    }

    /// Returns work that goes ahead, unless news are to be asked for with it.
    fn exchange_ahead(&mut self, now_ms: i64) -> Option<Exchange> {
        let next = self.next.take()?;
        let is_calm = !self.apart && !self.hand_in.is_failing() && !self.batch.is_slowest();
        (is_calm && !self.pull.is_ready(now_ms)).then_some(Exchange {
            bytes: self.batch.bytes(),
            count: MAX_MUTATIONS,
            start: Start::Ahead(next),
            pull: false,
            announces: false,
        })
    }

    fn next_exchange(&self, now_ms: i64) -> Option<Exchange> {
        let hand_in = self.hand_in.is_ready(now_ms);
        let apart = self.apart || self.hand_in.is_failing() != self.pull.is_failing();
        let pull = self.pull.is_ready(now_ms) && !self.is_streaming && !(apart && hand_in);
        let count = match (hand_in, self.batch.is_slowest()) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => MAX_MUTATIONS,
        };
        (hand_in || pull).then_some(Exchange {
            bytes: self.batch.bytes(),
            count,
            start: self.start,
            pull,
            announces: hand_in && self.alone >= ALONE && !self.pull.is_failing(),
        })
    }

    pub(crate) fn answered(&mut self, answered: &Answered, moment: Moment) {
        let Some(exchange) = self.heard.take() else {
            return;
        };
        self.start = answered
            .out_of_order
            .map_or(Start::FirstWaiting, Start::Asked);
        // What is on its way already will say itself whether there is more.
        let more_work = answered.more_work && self.running.is_none();
        self.hand_in.is_due |= more_work || answered.out_of_order.is_some();
        self.pull.is_due |= answered.more_news;
        self.is_streaming |= answered.frames_follow;
        if !answered.frames_follow && self.goes_round(answered.is_fruitful) {
            return self.put_off(exchange, moment);
        }
        if exchange.hands_in() {
            self.hand_in.succeeded();
        }
        if exchange.pull {
            let poll = match moment.is_foreground {
                true => POLL_MS,
                false => POLL_UNSEEN_MS,
            };
            let told = answered
                .poll_after_ms
                .map_or(0, |ms| moment.after_order(ms));
            self.poll_at_ms = told.max(moment.ms + poll);
            if !answered.frames_follow {
                self.pull.succeeded();
            }
        }
        // What went ahead says nothing of the two together.
        if !matches!(exchange.start, Start::Ahead(_)) {
            self.apart = false;
        }
    }

    pub(crate) fn streamed(&mut self, end: Result<Streamed, Trouble>, moment: Moment) {
        self.is_streaming = false;
        let Ok(streamed) = end else {
            return self.pull.failed(moment);
        };
        self.pull.is_due |= streamed.more_news;
        if self.goes_round(streamed.is_fruitful) {
            self.pull.failed(moment);
        } else {
            self.pull.succeeded();
        }
    }

    /// Says whether answers keep bringing nothing although something is due.
    fn goes_round(&mut self, is_fruitful: bool) -> bool {
        let is_stuck = !is_fruitful && (self.hand_in.is_due || self.pull.is_due);
        self.fruitless = if is_stuck { self.fruitless + 1 } else { 0 };
        self.fruitless >= FRUITLESS
    }

    /// An exchange was not answered, or its answer could not be taken.
    pub(crate) fn unanswered(&mut self, trouble: Trouble, moment: Moment) {
        let Some(exchange) = self.heard.take().or_else(|| self.running.take()) else {
            return;
        };
        let is_joint = exchange.hands_in() && exchange.pull;
        if exchange.pull {
            // The line itself may be at fault.
            self.alone = 0;
        } else if exchange.count == 1 && matches!(trouble, Trouble::BadLine | Trouble::TooMuch) {
            self.alone = self.alone.saturating_add(1);
        }
        let was_slowest = self.batch.is_slowest();
        if exchange.hands_in() && matches!(trouble, Trouble::BadLine | Trouble::TooMuch) {
            self.batch.slow_down();
        }
        self.apart = !matches!(
            trouble,
            Trouble::NoLine | Trouble::Refused | Trouble::Busy(_)
        );
        match trouble {
            Trouble::Busy(_) => self.still_due(exchange),
            // A matter of what went, not of when: something else goes at once.
            Trouble::TooMuch | Trouble::Fault if is_joint => self.still_due(exchange),
            Trouble::TooMuch if exchange.hands_in() && !was_slowest => self.still_due(exchange),
            _ => self.put_off(exchange, moment),
        }
    }

    fn still_due(&mut self, exchange: Exchange) {
        self.hand_in.is_due |= exchange.hands_in();
        self.pull.is_due |= exchange.pull;
    }

    fn put_off(&mut self, exchange: Exchange, moment: Moment) {
        if exchange.hands_in() {
            self.hand_in.failed(moment);
        }
        if exchange.pull {
            self.pull.failed(moment);
        }
    }

    #[cfg(test)]
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch.bytes()
    }
}
