//! Slowing down who guesses: failed enrolments and failed sign-ins, counted per address.
//!
//! Codes and passwords are strong on their own (80 random bits, argon2); this keeps a guesser from
//! costing the server anything. Only *failures* count, so a whole district that enrols in one
//! morning from behind one address is not slowed down. The counts live in memory: a restart
//! forgives.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use pocketbook_records::time::Millis;

/// So many failures are free …
const FREE: i64 = 20;
/// … and one more each so many milliseconds.
const REFILL_MS: Millis = 3_000;
/// More addresses than this are not told apart.
const MOST_ADDRESSES: usize = 10_000;

/// Failures by address, as the moment at which all of them are forgiven.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    forgiven_at: Mutex<BTreeMap<Option<IpAddr>, Millis>>,
}

/// Who asks, as far as the line tells; behind a proxy everybody is the proxy.
pub(super) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip())
}

impl Throttle {
    /// Returns how long this address has to wait, if it has.
    pub(super) fn wait_ms(&self, peer: Option<IpAddr>, now: Millis) -> Option<u64> {
        let forgiven_at = self.lock().get(&peer).copied().unwrap_or(now);
        let over = forgiven_at - now - FREE * REFILL_MS;
        u64::try_from(over).ok().filter(|wait| *wait > 0)
    }

    /// Counts a failure.
    pub(super) fn failed(&self, peer: Option<IpAddr>, now: Millis) {
        let mut all = self.lock();
        if all.len() >= MOST_ADDRESSES {
            all.retain(|_, forgiven_at| *forgiven_at > now);
        }
        let peer = peer.filter(|_| all.len() < MOST_ADDRESSES);
        let forgiven_at = all.entry(peer).or_insert(now);
        *forgiven_at = (*forgiven_at).max(now) + REFILL_MS;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Option<IpAddr>, Millis>> {
        self.forgiven_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_waits_and_others_do_not() {
        let throttle = Throttle::default();
        let (guesser, other) = ("10.0.0.1".parse().ok(), "10.0.0.2".parse().ok());

        for _ in 0..=FREE {
            throttle.failed(guesser, 1_000);
        }

        assert_eq!(throttle.wait_ms(guesser, 1_000), Some(3_000));
        assert_eq!(throttle.wait_ms(other, 1_000), None);
        assert_eq!(throttle.wait_ms(guesser, 4_000), None);
    }
}
