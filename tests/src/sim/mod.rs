//! The seeded simulation: days that nobody thought up, in a world where everything goes wrong.
//!
//! # A run
//! A seed draws a [`Tape`]: what the people of some grids ([`cast`]) do, 2 to 12 phones, and what
//! their lines, clocks, phones and server do to them. [`run()`] plays it against the real device
//! stores, engines and server, in virtual time, and looks after every step at whatever the step
//! may have changed, now and then at everything. It ends in healing: all faults off, two rounds of
//! synchronising, and then everything must be in step.
//!
//! # What makes it fast
//! A day begins with a copy of a morning ([`Mornings`]), in memory where there is room; a step's
//! look is at the phone that acted and at what the server committed; photos are small.
//!
//! # What is checked
//! [`oracle`] has one function for each invariant of the protocol that a step can break. It knows
//! what each screen showed, what each author meant and what passed on the lines; with the product
//! it shares the types of the wire and of the records, nothing that merges or decides.
//!
//! # What it promises
//! A seed repeats a run: [`Ran::trace`] is equal. A tape that fails is [`shrunk`] to the steps that
//! matter and is saved as a [`script`], since the tape of a seed changes when the simulation
//! grows. The checks can fail: a [`Canary`] breaks one rule behind everyone's back, and the oracle
//! must name it.
//!
//! # Known gaps
//! A phone dies between two turns of its engine, not between two writes to its disk; the server
//! between two requests. The grids are so small that a first sync is one frame. No phone is set
//! back to its own backup, and no two go on from one: chance plays that in the stories of clones.
//! The server has one clock, which is right. Where phones' databases are encrypted the oracle sees
//! only their screens.

pub mod cast;
pub mod coverage;
pub mod look;
mod morning;
pub mod oracle;
pub mod run;
pub mod script;
pub mod tape;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use sha2::{Digest, Sha256};

pub use self::cast::Size;
pub use self::coverage::Coverage;
pub use self::morning::Mornings;
pub use self::run::Canary;
pub use self::tape::{MISHAPS, Tape};
use crate::world::seams::MORNING;

/// What a run did and found.
#[derive(Debug)]
pub struct Ran {
    /// The tape.
    pub tape: Tape,
    /// Each step with what came of it.
    pub script: Vec<String>,
    /// The invariants that broke, with what broke them; empty if all held.
    pub broken: Vec<String>,
    /// The hash of everything that was seen.
    pub trace: [u8; 32],
    /// What went wrong, and when.
    pub coverage: Coverage,
    /// How much time passed in it.
    pub virtual_ms: i64,
}

impl Ran {
    /// Returns the first invariant that broke.
    pub fn invariant(&self) -> Option<&str> {
        self.broken.first().map(|first| invariant(first))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}:", self.tape.seed)?;
        for line in &self.script {
            writeln!(f, "  {line}")?;
        }
        for broken in &self.broken {
            writeln!(f, "  ✗ {broken}")?;
        }
        Ok(())
    }
}

/// Returns the name of the invariant that a finding begins with.
fn invariant(finding: &str) -> &str {
    finding.split(':').next().unwrap_or_default()
}

/// Plays a tape from the first morning to the end of its healing.
pub fn run(mornings: &Mornings, tape: Tape, canary: Option<Canary>) -> Ran {
    let script = Arc::new(Mutex::new(Vec::new()));
    let coverage = Mutex::new(Coverage::default());
    let ended = AtomicI64::new(MORNING);
    let played = catch_unwind(AssertUnwindSafe(|| {
        alone(run::play(
            mornings,
            &tape,
            canary,
            &script,
            (&coverage, &ended),
        ))
    }));
    let broken = played.unwrap_or_else(|panic| vec![format!("panic: {}", said(&*panic))]);
    let script = std::mem::take(&mut *script.lock().unwrap_or_else(PoisonError::into_inner));
    let mut trace = Sha256::new();
    for line in script.iter().chain(&broken) {
        trace.update(line);
        trace.update([0]);
    }
    Ran {
        tape,
        script,
        broken,
        trace: trace.finalize().into(),
        virtual_ms: ended.into_inner() - MORNING,
        coverage: coverage
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner),
    }
}

/// Carries a future out on this thread alone. It is no runtime's: within one, libraries hand files
/// to other threads, and how often a phone is asked meanwhile would be theirs to say.
fn alone<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// Leaves steps out for as long as the same invariant breaks without them.
pub fn shrunk(mornings: &Mornings, mut failing: Ran, canary: Option<Canary>) -> Ran {
    let mut size = failing.tape.acts.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < failing.tape.acts.len() {
            let mut shorter = failing.tape.clone();
            let end = (at + size).min(shorter.acts.len());
            shorter.acts.drain(at..end);
            let tried = run(mornings, shorter, canary);
            if tried.invariant() == failing.invariant() {
                failing = tried;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    failing
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}
