//! What went wrong, and in which state of the phone it did: a table without empty cells.
//!
//! A fault that never met a phone with photos to send proves nothing about photos. Each fault is
//! counted once per run and state; a run without it counts too, since some bugs show only where
//! nothing else goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pocketbook::store::status::SyncStatus;

/// How a phone stood when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing waited.
    InStep,
    /// Work waited.
    Working,
    /// Photos waited.
    Photos,
    /// Its user was asked something.
    Asked,
}

/// All of them, in the order of the table's columns.
pub const PHASES: [Phase; 4] = [Phase::InStep, Phase::Working, Phase::Photos, Phase::Asked];

impl Phase {
    /// Returns how a phone stands.
    pub fn of(status: &SyncStatus) -> Self {
        match status {
            status if status.photos > 0 => Self::Photos,
            status if status.waiting > 0 => Self::Working,
            status if status.needs_fixing + status.parked + status.reviews > 0 => Self::Asked,
            _ => Self::InStep,
        }
    }
}

/// How often each fault met a phone in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    met: BTreeMap<&'static str, BTreeMap<Phase, u64>>,
    runs_with: BTreeMap<&'static str, u64>,
    runs: u64,
}

impl Coverage {
    /// Notes a fault.
    pub fn meets(&mut self, fault: &'static str, phase: Phase) {
        *self.met.entry(fault).or_default().entry(phase).or_default() += 1;
    }

    /// Adds what another run met.
    pub fn adds(&mut self, run: &Self) {
        self.runs += 1;
        for (fault, phases) in &run.met {
            *self.runs_with.entry(fault).or_default() += 1;
            for (phase, times) in phases {
                *self
                    .met
                    .entry(fault)
                    .or_default()
                    .entry(*phase)
                    .or_default() += times;
            }
        }
    }

    /// Returns how often a fault was met.
    pub fn times(&self, fault: &str) -> u64 {
        self.met
            .get(fault)
            .map_or(0, |phases| phases.values().sum())
    }

    /// Returns how many of these faults met a phone in every state.
    pub fn whole(&self, expected: &[&'static str]) -> usize {
        let is_whole =
            |fault: &&&str| self.met.get(**fault).map(BTreeMap::len) == Some(PHASES.len());
        expected.iter().filter(is_whole).count()
    }

    /// Returns what is missing: faults that never met a state, were met too rarely to mean
    /// anything, or were in nearly every run.
    pub fn gaps(&self, expected: &[&'static str]) -> Vec<String> {
        let mut gaps = Vec::new();
        let unknown: BTreeSet<_> = self.met.keys().collect();
        for fault in expected.iter().chain(unknown).collect::<BTreeSet<_>>() {
            let phases = self.met.get(fault).cloned().unwrap_or_default();
            for phase in PHASES.iter().filter(|phase| !phases.contains_key(phase)) {
                gaps.push(format!("{fault} never met {phase:?}"));
            }
            let times: u64 = phases.values().sum();
            if times < 20 {
                gaps.push(format!("{fault} was met {times} times only"));
            }
            let runs = self.runs_with.get(fault).copied().unwrap_or(0);
            if runs * 5 > self.runs * 4 {
                gaps.push(format!(
                    "{fault} is absent from less than a fifth of the runs"
                ));
            }
        }
        gaps
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:24}", "")?;
        for phase in PHASES {
            write!(f, "{:>9}", format!("{phase:?}"))?;
        }
        writeln!(f, "{:>9}", "absent")?;
        for (fault, phases) in &self.met {
            write!(f, "{fault:24}")?;
            for phase in PHASES {
                write!(f, "{:>9}", phases.get(&phase).copied().unwrap_or(0))?;
            }
            let with = self.runs_with.get(fault).copied().unwrap_or(0);
            writeln!(f, "{:>8}%", 100 - 100 * with / self.runs.max(1))?;
        }
        Ok(())
    }
}
