//! What a client's process does on the clock: the workloads, as the harness defines them.

#![expect(clippy::disallowed_methods, reason = "a bench measures the true clock")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use pocketbook::photos::Size;
use pocketbook::store::lists::MAX_PAGE;
use pocketbook_records::body::Fields;
use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::invitation::Invitation;
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::wire::Key;
use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::hands::object;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::machine::{cpu_seconds, disk_bytes, peak_mb, wire_bytes};
use super::noise;
use super::phone::{Phone, documents, with_originals};
use super::stage::Content;

/// So many photos, as the harness says.
const PHOTOS: usize = 100;
/// A screen full of photos fetches so many at once.
const FETCHED_AT_ONCE: usize = 4;
/// A seed is entered in strides; nobody waits for it.
const AUTHORED_AT_ONCE: usize = 2_000;
/// One edit is seen so often; the median counts.
const TIMES: usize = 20;

/// What a client is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Enters all households; no workload.
    Seed,
    /// First sync.
    W1,
    /// Edits handed in.
    W2,
    /// Two phones change the same records.
    W3,
    /// Photos up and down.
    W4,
    /// One edit seen by the other phone, and nothing to synchronise.
    W5,
    /// Many phones hand in at once.
    W6,
}

/// What a client is told, as its one argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) task: Task,
    pub(crate) data: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) invitations: Vec<Invitation>,
    pub(crate) households: usize,
    pub(crate) grids: usize,
    /// So many edits.
    pub(crate) edits: usize,
}

impl Orders {
    /// Does it; returns the figures.
    pub(crate) async fn carry_out(&self) -> Result<Map<String, Value>> {
        let figures = match self.task {
            Task::Seed => self.seed().await?,
            Task::W1 => self.first_sync().await?,
            Task::W2 => self.hand_in().await?,
            Task::W3 => self.meet().await?,
            Task::W4 => self.photos().await?,
            Task::W5 => self.one_edit().await?,
            Task::W6 => self.all_at_once().await?,
        };
        Ok(object(figures))
    }

    async fn seed(&self) -> Result<Value> {
        let content = Content {
            households: self.households,
            grids: self.grids,
            is_divided: false,
        };
        let units = content.units()?;
        let phone = self.phone(0).await?;
        let documents = documents(&self.data, "households", self.households)?;
        let mut created = Vec::with_capacity(AUTHORED_AT_ONCE);
        for (n, document) in documents.iter().enumerate() {
            let unit = &units[content.grid_of(n)];
            created.push(document.creation(unit, phone.store.now()?)?);
            if created.len() == AUTHORED_AT_ONCE || n + 1 == documents.len() {
                phone.store.author_all(std::mem::take(&mut created))?;
            }
        }
        phone.sync().await?;
        Ok(json!({"check": phone.sum()?.told()}))
    }

    async fn first_sync(&self) -> Result<Value> {
        let clock = Clock::starts();
        let phone = self.phone(0).await?;
        phone.sync().await?;
        let spent = clock.stops();
        let disk = disk_bytes(&phone.folder);
        let commits = phone.store.commits();
        Ok(spent.told(
            self.households,
            json!({
                "client_disk_bytes": disk, "commits": commits, "check": phone.sum()?.told(),
            }),
        ))
    }

    async fn hand_in(&self) -> Result<Value> {
        let phone = self.phone_in_step(0).await?;
        let versions = with_originals(&self.data, "edits", self.edits)?;
        let saving = Instant::now();
        phone.save(&versions)?;
        let saved = saving.elapsed();
        let before = phone.store.commits();
        let clock = Clock::starts();
        let report = phone.sync().await?;
        let spent = clock.stops();
        let waiting = phone.store.status()?.waiting;
        if report.settled != self.edits as u64 || waiting > 0 {
            return Err(format!("{} settled, {waiting} wait", report.settled).into());
        }
        Ok(spent.told(
            self.edits,
            json!({
                "local_write_s": saved.as_secs_f64(), "commits": phone.store.commits() - before,
                "exchanges": report.exchanges, "check": phone.sum()?.told(),
            }),
        ))
    }

    async fn meet(&self) -> Result<Value> {
        let (a, b) = (self.phone_in_step(0).await?, self.phone_in_step(1).await?);
        a.save(&with_originals(&self.data, "edits3-a", usize::MAX)?)?;
        b.save(&with_originals(&self.data, "edits3-b", usize::MAX)?)?;
        let clock = Clock::starts();
        a.sync().await?;
        b.sync().await?;
        a.sync().await?;
        let spent = clock.stops();
        let kept = a.book.reviews(None)?.len();
        let is_equal = a.sum()? == b.sum()?;
        Ok(spent.told(
            2_000,
            json!({"rounds": 1, "equal": is_equal, "conflicts_kept": kept}),
        ))
    }

    async fn photos(&self) -> Result<Value> {
        let (a, b) = (self.phone_in_step(0).await?, self.phone_in_step(1).await?);
        let content = Content {
            households: self.households,
            grids: self.grids,
            is_divided: false,
        };
        let grid = content.units()?.swap_remove(0);
        let mut bytes = 0;
        for n in 0..PHOTOS as u64 {
            let draft = a.book.draft_case(None, &case(&grid))?;
            let hash = a.book.add_photo(draft, &noise::photo(n)?, Size::Master)?;
            bytes += a.master(hash)?.len();
            a.book.report(draft)?;
        }
        let start = wire_bytes();
        let clock = Clock::starts();
        a.sync().await?;
        let (up, after_up) = (clock.elapsed(), wire_bytes());
        b.sync().await?;
        let hashes = fetch_all(&b).await?;
        let spent = clock.stops();
        let mut is_same = hashes.len() == PHOTOS;
        for hash in hashes {
            is_same &= a.master(hash)? == b.master(hash)?;
        }
        let down = spent.wall - up;
        Ok(spent.told(
            PHOTOS,
            json!({
                "up_s": up.as_secs_f64(), "down_s": down.as_secs_f64(),
                "up_wire": after_up - start, "down_wire": wire_bytes() - after_up,
                "same": is_same, "photo_bytes": bytes,
            }),
        ))
    }

    async fn one_edit(&self) -> Result<Value> {
        let (a, b) = (self.phone_in_step(0).await?, self.phone_in_step(1).await?);
        a.sync().await?;
        b.sync().await?;
        let mut seen = Figures::default();
        let mut nothing = Figures::default();
        let mut commits = Vec::new();
        for version in with_originals(&self.data, "edits", TIMES)? {
            a.save(std::slice::from_ref(&version))?;
            let before = a.store.commits() + b.store.commits();
            seen.takes(async {
                a.sync().await?;
                b.sync().await
            })
            .await?;
            commits.push(a.store.commits() + b.store.commits() - before);
            let (mine, others) = (a.shown(version.1.id)?, b.shown(version.1.id)?);
            if mine.fields != others.fields {
                return Err("the edit has not arrived".into());
            }
            nothing.takes(async { a.sync().await }).await?;
        }
        commits.sort_unstable();
        Ok(json!({
            "wall_s": seen.median_ms() / 1e3,
            "edit_to_seen_ms": seen.median_ms(), "ms_min": seen.least_ms(),
            "empty_ms": nothing.median_ms(), "empty_ms_min": nothing.least_ms(),
            "edit_wire": seen.median_wire(), "empty_wire": nothing.median_wire(),
            "commits": commits[commits.len() / 2],
            "client_peak_rss_mb": peak_mb(None),
        }))
    }

    async fn all_at_once(&self) -> Result<Value> {
        let each = self.edits / self.invitations.len();
        let versions = with_originals(&self.data, "edits", self.edits)?;
        let mut phones = Vec::new();
        for (n, own) in versions.chunks(each).enumerate() {
            let phone = self.phone_in_step(n).await?;
            phone.save(own)?;
            phones.push(Arc::new(phone));
        }
        let clock = Clock::starts();
        let pushing = phones.iter().map(|phone| {
            let phone = Arc::clone(phone);
            tokio::spawn(async move {
                let start = Instant::now();
                let done = phone.sync().await;
                (start.elapsed(), done.map(|report| report.settled))
            })
        });
        let mut times = Vec::new();
        let mut troubles = Vec::new();
        for ended in join_all(pushing.collect::<Vec<_>>()).await {
            let (time, settled) = ended?;
            times.push(time.as_secs_f64() * 1e3);
            if !matches!(settled, Ok(settled) if settled == each as u64) {
                troubles.push(format!("{settled:?}"));
            }
        }
        let spent = clock.stops();
        times.sort_by(f64::total_cmp);
        let part = |of: usize| times[(times.len() * of / 100).min(times.len() - 1)];
        let rate = self.edits as f64 / spent.wall.as_secs_f64();
        Ok(spent.told(
            self.edits,
            json!({
                "edits_per_s": rate, "p50_ms": part(50), "p99_ms": part(99),
                "errors": troubles.len(), "troubles": troubles,
            }),
        ))
    }

    async fn phone(&self, n: usize) -> Result<Phone> {
        Phone::set_up(
            &self.folder.join(format!("phone-{n}")),
            &self.invitations[n],
        )
        .await
    }

    async fn phone_in_step(&self, n: usize) -> Result<Phone> {
        Phone::in_step(
            &self.folder.join(format!("phone-{n}")),
            &self.invitations[n],
        )
        .await
    }
}

/// What stands in a report besides its photo.
fn case(grid: &UnitId) -> Fields {
    object(json!({
        "grid": grid, "category": "C0101", "place": "东门", "text": "井盖破损",
        "pin": {"lat_e7": 343_282_600, "lon_e7": 1_087_213_630, "by": "hand"},
    }))
}

/// Looks at every photo of every case.
async fn fetch_all(phone: &Phone) -> Result<Vec<BlobHash>> {
    let mut wanted = Vec::new();
    let mut after = None;
    loop {
        let page = phone.book.cases(after.as_ref(), MAX_PAGE)?;
        for case in page.rows {
            wanted.extend(case.fields.photos.iter().map(|hash| (case.id, *hash)));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let fetching = stream::iter(wanted).map(|(id, hash)| async move {
        let of = Key {
            kind: CASE.name.to_owned(),
            id,
        };
        phone.engine.fetch_photo(&of, hash).await?;
        Ok(hash)
    });
    let fetched = fetching.buffer_unordered(FETCHED_AT_ONCE);
    fetched.collect::<Vec<_>>().await.into_iter().collect()
}

/// What a stretch of work took.
struct Spent {
    wall: Duration,
    wire: u64,
    cpu: f64,
    peak_mb: f64,
}

impl Spent {
    /// Returns it in the words of the harness, with what else is to be told.
    fn told(&self, records: usize, more: Value) -> Value {
        let wall = self.wall.as_secs_f64();
        let mut told = object(json!({
            "wall_s": wall, "records_per_s": records as f64 / wall, "wire_bytes": self.wire,
            "client_cpu_s": self.cpu, "client_peak_rss_mb": self.peak_mb,
        }));
        told.extend(object(more));
        Value::Object(told)
    }
}

/// Runs while work is on the clock.
struct Clock {
    start: Instant,
    wire: u64,
    cpu: f64,
}

impl Clock {
    fn starts() -> Self {
        Self {
            wire: wire_bytes(),
            cpu: cpu_seconds(None),
            start: Instant::now(),
        }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn stops(&self) -> Spent {
        Spent {
            wall: self.start.elapsed(),
            wire: wire_bytes() - self.wire,
            cpu: cpu_seconds(None) - self.cpu,
            peak_mb: peak_mb(None),
        }
    }
}

/// Times and bytes of a thing done several times.
#[derive(Default)]
struct Figures {
    ms: Vec<f64>,
    wire: Vec<u64>,
}

impl Figures {
    async fn takes<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<()> {
        let clock = Clock::starts();
        work.await?;
        let spent = clock.stops();
        self.ms.push(spent.wall.as_secs_f64() * 1e3);
        self.wire.push(spent.wire);
        Ok(())
    }

    fn median_ms(&self) -> f64 {
        let mut sorted = self.ms.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    fn least_ms(&self) -> f64 {
        self.ms.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median_wire(&self) -> u64 {
        let mut sorted = self.wire.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }
}
