//! Power cuts at every change of a scenario, each followed by the real opening.
//!
//! While a scenario runs its disk is watched. Afterwards the disk is built as it was after each
//! change, with what was not synced kept, dropped or torn, and the product opens it. It must find
//! a state that the scenario went through, not older than what was last promised: all or nothing,
//! and nothing promised lost. Some openings are cut off themselves, at each of their changes.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "images of disks are built in folders; the count of points is the result"
)]

use std::fs;
use std::path::Path;

use pocketbook_tests::proofs;
use tempfile::TempDir;

use super::disk::{Disk, Op};
use super::image::{Cut, Image};

/// Opens what lies in a folder by the product's own way, checks that all it says of itself is
/// true, and returns its state in a form that can be compared.
pub(crate) type Opens<'a> = &'a dyn Fn(&Path) -> Result<String, String>;

/// Every how many points the opening itself is cut off too.
const RECOVERY_STRIDE: usize = 41;

/// In how many ways what was not synced is torn at each point; `TORN=n` says otherwise.
fn torn() -> u64 {
    let asked = std::env::var("TORN").ok();
    asked.and_then(|torn| torn.parse().ok()).unwrap_or(4)
}

/// A machine's disk under watch while a scenario goes on.
pub(crate) struct Watch {
    base: Image,
    /// The disk.
    pub(crate) disk: Disk,
}

/// What a scenario did to a machine's disk.
pub(crate) struct Recorded {
    base: Image,
    ops: Vec<Op>,
}

impl Watch {
    /// Begins.
    pub(crate) fn over(folder: &Path) -> Self {
        let disk = Disk::watch(folder);
        Self {
            base: Image::of(folder),
            disk,
        }
    }

    /// Ends: all was promised.
    pub(crate) fn ends(self) -> Recorded {
        self.disk.promise();
        Recorded {
            base: self.base,
            ops: self.disk.ops(),
        }
    }
}

/// Cuts the power at every change of a scenario, which goes through so many states: each step of it
/// is one commit.
///
/// # Panics
/// Where an opening finds what it must not, or there are more states between than there may be.
pub(crate) fn sweeps((name, expected): (&str, usize), recorded: &Recorded, opens: Opens<'_>) {
    let bench = Bench::new(opens);
    let mut image = recorded.base.clone();
    // The states that the scenario went through, and the one that was last promised.
    let mut states = vec![
        bench
            .finds(&image, Cut::Kept)
            .expect("the scenario's begin opens"),
    ];
    let mut promised = 0;
    let mut points = 1;
    for (k, op) in recorded.ops.iter().enumerate() {
        image.applies(op);
        if matches!(op, Op::Promise) {
            promised = states.len() - 1;
            continue;
        }
        let at = |cut: Cut| {
            let all = recorded.ops.len();
            format!("{name}, after change {k} of {all} ({op}), {cut:?}")
        };
        let now = bench
            .finds(&image, Cut::Kept)
            .unwrap_or_else(|error| panic!("{}: {error}", at(Cut::Kept)));
        if states.last() != Some(&now) {
            assert!(!states.contains(&now), "{}: back in time", at(Cut::Kept));
            states.push(now);
        }
        let torn = torn();
        let mut cuts: Vec<Cut> = (k as u64 * torn..(k as u64 + 1) * torn)
            .map(Cut::Torn)
            .collect();
        // Only by a sync does it change what is dropped.
        if matches!(op, Op::Sync(_)) {
            cuts.push(Cut::Dropped);
        }
        points += 1 + cuts.len();
        for cut in cuts {
            let found = bench.finds(&image, cut);
            let found = found.unwrap_or_else(|error| panic!("{}: {error}", at(cut)));
            let place = states.iter().position(|state| *state == found);
            match place {
                None => panic!("{}: half a step\n{}", at(cut), differing(&states, &found)),
                Some(place) if place < promised => panic!("{}: a promise is lost", at(cut)),
                Some(_) => {}
            }
        }
        if k % RECOVERY_STRIDE == 0 {
            points += bench.recovers(&image, &states[promised..]);
        }
    }
    println!("{name}: {points} points, {} states", states.len());
    proofs::tell("crash-points", points as u64);
    assert_eq!(states.len(), expected, "{name}: states");
}

/// The lines in which a state differs from the last of those that are known.
fn differing(states: &[String], found: &str) -> String {
    let last = states.last().expect("there is a first one");
    let known: Vec<&str> = last.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    let less = known.iter().filter(|line| !found.contains(line));
    let more = found.iter().filter(|line| !known.contains(line));
    let cut = |line: &str| line.chars().take(300).collect::<String>();
    let less = less.map(|line| format!("- {}\n", cut(line)));
    let more = more.map(|line| format!("+ {}\n", cut(line)));
    less.chain(more).collect()
}

/// Where images are built and opened.
struct Bench<'a> {
    place: TempDir,
    opens: Opens<'a>,
}

impl<'a> Bench<'a> {
    /// In memory, if the machine has such a place.
    fn new(opens: Opens<'a>) -> Self {
        let memory = Path::new("/dev/shm");
        let place = match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        Self {
            place: place.expect("a folder for images"),
            opens,
        }
    }

    /// Builds an image and opens it.
    fn finds(&self, image: &Image, cut: Cut) -> Result<String, String> {
        let folder = self.place.path().join("disk");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        image
            .lies_in(&folder, cut)
            .map_err(|error| error.to_string())?;
        (self.opens)(&folder)
    }

    /// Opens an image under watch, and cuts the power at each change of the opening. Returns how
    /// many points that were.
    fn recovers(&self, image: &Image, allowed: &[String]) -> usize {
        let folder = self.place.path().join("recovered");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for an image");
        image.lies_in(&folder, Cut::Dropped).expect("it is built");
        let watch = Watch::over(&folder);
        (self.opens)(&folder).expect("it opened before");
        let opened = watch.ends();
        let mut image = opened.base;
        for (k, op) in opened.ops.iter().enumerate() {
            image.applies(op);
            let found = self.finds(&image, Cut::Torn(k as u64));
            let found =
                found.unwrap_or_else(|error| panic!("cut off at {k} of an opening: {error}"));
            assert!(
                allowed.contains(&found),
                "cut off at {k} of an opening: {}",
                differing(allowed, &found)
            );
        }
        opened.ops.len()
    }
}
