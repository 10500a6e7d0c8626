//! A line between one phone and the server, as bad as somebody wants it: a TCP proxy on loopback
//! with a speed, a delay, a byte after which it breaks, and a weather that sends faults.
//!
//! Bytes wait their turn in each direction as they would before a real 512 kbit/s; all connections
//! of a link share it. A break ends every connection, with what was on its way in it. Faults befall
//! one connection each ([`super::faults`]).

#![expect(
    clippy::disallowed_methods,
    reason = "this network is made in real time and on real sockets"
)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use super::faults::{Coming, Fault, Weather};

/// Bytes that pass at once on a slow link: 32 ms of 512 kbit/s.
const PIECE: usize = 2 * 1024;
/// And on one without a limit.
const LARGE_PIECE: usize = 64 * 1024;
/// So soon does a connection that hangs in a fault hear that the weather has cleared.
const LOOK: Duration = Duration::from_millis(50);

/// How good a link is.
#[derive(Debug, Clone, Copy)]
pub enum Quality {
    /// As fast as the machine.
    Good,
    /// So many kbit/s in each direction, so many ms each way.
    Slow {
        /// Speed.
        kbit_s: u64,
        /// Delay of each connection's beginning.
        delay_ms: u64,
    },
}

/// A link; it ends with this value.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    wire: Arc<Wire>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Wire {
    server: SocketAddr,
    /// No limit is zero.
    bytes_s: AtomicU64,
    delay_ms: AtomicU64,
    /// The line is broken once so many bytes have come down.
    breaks_at: AtomicU64,
    weather: Option<Arc<Weather>>,
    up: Direction,
    down: Direction,
}

#[derive(Debug, Default)]
struct Direction {
    bytes: AtomicU64,
    /// When the last byte on its way will have passed.
    free_at: Mutex<Option<Instant>>,
}

impl Link {
    /// Opens a good link to a server.
    pub async fn open(server: SocketAddr) -> io::Result<Self> {
        Self::open_in(server, None).await
    }

    /// Opens a link to a server that stands in a weather.
    pub async fn open_in(server: SocketAddr, weather: Option<Arc<Weather>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let wire = Arc::new(Wire {
            server,
            bytes_s: AtomicU64::new(0),
            delay_ms: AtomicU64::new(0),
            breaks_at: AtomicU64::new(u64::MAX),
            weather,
            up: Direction::default(),
            down: Direction::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&wire)));
        Ok(Self {
            address,
            wire,
            serving,
        })
    }

    /// Returns the address that a phone takes for its server's.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Becomes better or worse.
    pub fn becomes(&self, quality: Quality) {
        let (kbit_s, delay_ms) = match quality {
            Quality::Good => (0, 0),
            Quality::Slow { kbit_s, delay_ms } => (kbit_s, delay_ms),
        };
        self.wire.bytes_s.store(kbit_s * 1000 / 8, Ordering::SeqCst);
        self.wire.delay_ms.store(delay_ms, Ordering::SeqCst);
    }

    /// Will break when so many bytes have come from the server, and stay broken.
    pub fn breaks_after(&self, bytes_down: u64) {
        self.wire
            .breaks_at
            .store(self.bytes_down() + bytes_down, Ordering::SeqCst);
    }

    /// Is whole again.
    pub fn is_mended(&self) {
        self.wire.breaks_at.store(u64::MAX, Ordering::SeqCst);
    }

    /// Returns the bytes that went to the server.
    pub fn bytes_up(&self) -> u64 {
        self.wire.up.bytes.load(Ordering::SeqCst)
    }

    /// Returns the bytes that came from the server.
    pub fn bytes_down(&self) -> u64 {
        self.wire.down.bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, wire: Arc<Wire>) {
    // They end with the link.
    let mut connections = JoinSet::new();
    while let Ok((phone, _)) = listener.accept().await {
        connections.spawn(connect(phone, Arc::clone(&wire)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(phone: TcpStream, wire: Arc<Wire>) {
    if wire.is_broken() {
        return;
    }
    sleep(Duration::from_millis(wire.delay_ms.load(Ordering::SeqCst))).await;
    let Ok(server) = TcpStream::connect(wire.server).await else {
        return;
    };
    // A small piece must not wait for the next one.
    if phone
        .set_nodelay(true)
        .and(server.set_nodelay(true))
        .is_err()
    {
        return;
    }
    let (from_phone, to_phone) = phone.into_split();
    let (from_server, to_server) = server.into_split();
    // Whoever hangs up first ends both directions; what he had sent has passed by then.
    tokio::select! {
        _ = pass(from_phone, to_server, &wire, &wire.up) => {}
        _ = pass(from_server, to_phone, &wire, &wire.down) => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    wire: &Wire,
    direction: &Direction,
) -> io::Result<()> {
    let mut buffer = vec![0; LARGE_PIECE];
    let mut fate = Fate::under(wire.weather.as_deref());
    loop {
        let bytes_s = wire.bytes_s.load(Ordering::SeqCst);
        let most = if bytes_s == 0 { LARGE_PIECE } else { PIECE };
        let read = from.read(&mut buffer[..most.min(fate.room())]).await?;
        if read == 0 {
            return Ok(());
        }
        if let Some(passed) = direction.turn(read as u64, bytes_s) {
            sleep_until(passed).await;
        }
        if wire.is_broken() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        match fate.meets(read).await {
            Some(Fault::Cut) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::HalfClose { ms }) => {
                to.shutdown().await?;
                fate.waits(ms).await;
                return Ok(());
            }
            Some(Fault::Stall { ms }) => fate.waits(ms).await,
            Some(Fault::Corrupt) => buffer[read - 1] ^= 1 << (read % 8),
            Some(Fault::Throttle { .. }) | None => {}
        }
        to.write_all(&buffer[..read]).await?;
        direction.bytes.fetch_add(read as u64, Ordering::SeqCst);
    }
}

/// What the weather has in store for one direction of one connection.
struct Fate<'w> {
    weather: Option<&'w Weather>,
    coming: Option<Coming>,
    /// Speed and bytes of the slow stretch that it is on.
    slow: Option<(u64, usize)>,
}

impl<'w> Fate<'w> {
    fn under(weather: Option<&'w Weather>) -> Self {
        let mut fate = Self {
            weather,
            coming: None,
            slow: None,
        };
        fate.draws();
        fate
    }

    fn draws(&mut self) {
        let weather = self.weather.filter(|weather| !weather.has_cleared());
        self.coming = weather.map(Weather::next);
    }

    /// Returns how many bytes may pass before something is looked at, at least one.
    fn room(&self) -> usize {
        let until = self.coming.map_or(LARGE_PIECE, |coming| coming.after + 1);
        match self.slow {
            Some(_) => until.min(PIECE),
            None => until,
        }
    }

    /// Lets bytes pass; returns the fault that befalls the last of them.
    async fn meets(&mut self, bytes: usize) -> Option<Fault> {
        let weather = self.weather.filter(|weather| !weather.has_cleared())?;
        if let Some((bytes_s, left)) = self.slow.take() {
            sleep(Duration::from_micros(bytes as u64 * 1_000_000 / bytes_s)).await;
            self.slow = left.checked_sub(bytes).map(|left| (bytes_s, left));
        }
        let coming = self.coming.as_mut()?;
        if let Some(after) = coming.after.checked_sub(bytes) {
            coming.after = after;
            return None;
        }
        let fault = coming.fault;
        weather.note(fault);
        if let Fault::Throttle { bytes_s, bytes } = fault {
            self.slow = Some((bytes_s, bytes));
        }
        self.draws();
        Some(fault)
    }

    /// Waits, but not when the weather has cleared.
    async fn waits(&self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < until && !self.weather.is_none_or(Weather::has_cleared) {
            sleep(LOOK).await;
        }
    }
}

impl Wire {
    fn is_broken(&self) -> bool {
        self.down.bytes.load(Ordering::SeqCst) >= self.breaks_at.load(Ordering::SeqCst)
    }
}

impl Direction {
    /// Queues bytes up behind those before them; says when they will have passed.
    fn turn(&self, bytes: u64, bytes_s: u64) -> Option<Instant> {
        let micros = (bytes * 1_000_000).checked_div(bytes_s)?;
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = free_at.map_or_else(Instant::now, |free_at| free_at.max(Instant::now()));
        let passed = begins + Duration::from_micros(micros);
        *free_at = Some(passed);
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(weather: &Weather, after: usize, fault: Fault) -> Fate<'_> {
        Fate {
            weather: Some(weather),
            coming: Some(Coming { after, fault }),
            slow: None,
        }
    }

    #[tokio::test]
    async fn a_fault_befalls_the_byte_that_it_was_drawn_for_and_no_other() {
        let weather = Weather::of(1);
        let mut fate = fate(&weather, 5, Fault::Corrupt);

        assert_eq!(fate.room(), 6);
        assert_eq!(fate.meets(3).await, None);
        assert_eq!(fate.room(), 3);
        assert_eq!(fate.meets(3).await, Some(Fault::Corrupt));
        assert_eq!(weather.tally().corrupted, 1);
        assert!(fate.coming.is_some(), "the next one is drawn");
    }

    #[tokio::test]
    async fn nothing_befalls_a_line_once_the_weather_has_cleared() {
        let weather = Weather::of(1);
        let mut fate = fate(&weather, 0, Fault::Cut);
        weather.clears();

        assert_eq!(fate.meets(1).await, None);
        fate.waits(u64::MAX / 2_000_000).await;
        assert_eq!(weather.tally().total(), 0);
    }
}
