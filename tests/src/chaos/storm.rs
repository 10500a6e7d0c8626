//! The storm: who takes part, what is killed when, and how it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pocketbook::seams::Clock;
use pocketbook::seams::system::SystemClock;
use pocketbook_records::ids::UnitId;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_server::book::folder;
use pocketbook_tests::data::{OrgFile, book_folder, households};
use pocketbook_tests::sim::tape::Dice;
use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::certificate::Certificate;
use pocketbook_tests::stack::district::District;
use pocketbook_tests::stack::faults::Weather;
use pocketbook_tests::stack::link::Link;
use pocketbook_tests::stack::screen::Screen;

use super::phone::{Orders, Task};
use super::process::Phone;

/// The workers, and in which of two grids each works.
const WORKERS: [(&str, &[usize]); 4] = [
    ("wang", &[0]),
    ("li", &[0]),
    ("zhao", &[0, 1]),
    ("qian", &[1]),
];
/// Whoever loses the second grid and gets it back, as it comes.
const ROAMER: usize = 2;
/// Households of each grid.
const HOUSEHOLDS: usize = 30;
/// Phones that are not in step so long after a storm, and as long as it raged besides, will not
/// be: what there is to do grows with it.
const LONGEST_SETTLING_MS: i64 = 120_000;
/// First all that waits goes out, then what the others handed in comes.
const ROUNDS: [Task; 2] = [Task::Settle, Task::SettleWithPhotos];
/// Between two looks at processes that are to end.
const LOOK_MS: u64 = 50;

/// What befell processes and people.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Blows {
    /// Servers.
    pub(crate) servers: u64,
    /// Phones.
    pub(crate) phones: u64,
    /// Servers that ended in good order, in the middle of everything.
    pub(crate) good_ends: u64,
    /// Times that a grid was taken from somebody, or given back.
    pub(crate) duties: u64,
}

/// A district with its phones under faults.
pub(crate) struct Storm<'s> {
    /// The terminal.
    pub(crate) screen: &'s Screen,
    /// The server.
    pub(crate) district: District,
    /// The phones.
    pub(crate) phones: Vec<Phone>,
    /// What befalls their lines.
    pub(crate) weather: Arc<Weather>,
    /// What befell them so far.
    pub(crate) blows: Blows,
    /// Where the grids lie.
    pub(crate) community: UnitId,
    /// The grid that comes and goes.
    roamed: UnitId,
    /// What went wrong while it raged.
    pub(crate) violations: Vec<String>,
    /// How long it raged.
    pub(crate) seconds: u64,
    dice: Dice,
    folder: PathBuf,
    clock: SystemClock,
}

impl<'s> Storm<'s> {
    /// Sets up the district and its phones; none of them is started.
    pub(crate) async fn gathers(screen: &'s Screen, seed: u64, run: &Path) -> Result<Self> {
        screen.scene("搭台", "Setting the stage");
        let certificate = Certificate::for_loopback(run)?;
        let district = District::begin(
            &run.join("server"),
            &run.join("server.log"),
            Some(certificate),
        )?;
        let org = OrgFile::read()?;
        let grids = org
            .neighbours()
            .ok_or("no two neighbouring grids with a team")?;
        let community = UnitId(grids[0].parent.clone());
        let grids = grids.map(|grid| UnitId(grid.code));
        district.takes(&Command::ImportOrg, std::iter::once(&org), |_| {})?;
        let lines = grids
            .iter()
            .flat_map(|grid| households(seed, &grid.0, HOUSEHOLDS));
        district.takes(&Command::ImportPeople, lines, |_| {})?;
        let book = folder::read(&book_folder())?;
        district.takes(&Command::PublishBook, book.iter(), |_| {})?;
        let mut storm = Self {
            screen,
            district,
            phones: Vec::new(),
            weather: Weather::of(seed),
            blows: Blows::default(),
            community,
            roamed: grids[1].clone(),
            violations: Vec::new(),
            seconds: 0,
            dice: Dice::new(seed),
            folder: run.to_owned(),
            clock: SystemClock::new(),
        };
        for (n, (login, posts)) in WORKERS.into_iter().enumerate() {
            let posts: Vec<_> = posts.iter().map(|post| grids[*post].clone()).collect();
            let seed = seed.wrapping_add((n as u64 + 1) << 32);
            let phone = storm.invites(login, posts, seed).await?;
            storm.phones.push(phone);
        }
        screen.tell(
            format!(
                "服务器在 {}，证书只为这次而制；{} 部手机各是一个进程，各走一条坏线路。",
                storm.district.url(),
                storm.phones.len()
            ),
            "The server has a certificate of its own; each phone is a process behind a bad line.",
        );
        Ok(storm)
    }

    async fn invites(&self, login: &'static str, grids: Vec<UnitId>, seed: u64) -> Result<Phone> {
        self.district.does(&Command::AddUser {
            login: login.to_owned(),
            name: login.to_owned(),
            number: None,
            password: None,
        })?;
        for grid in &grids {
            self.district.does(&granted(login, grid))?;
        }
        let weather = Some(Arc::clone(&self.weather));
        let link = Link::open_in(self.district.address(), weather).await?;
        let asked = Command::EnrolCode {
            user: login.to_owned(),
            url: Some(self.district.url_at(link.address())),
            trust: None,
        };
        let Outcome::Code(made) = self.district.does(&asked)? else {
            return Err("the server made no code".into());
        };
        let orders = Orders {
            folder: self.folder.join(format!("phone-{login}")),
            invitation: made.invitation,
            grids,
            seed,
            task: Task::Work,
        };
        Phone::new(login, orders, link)
    }

    /// Lets everybody work for so many seconds, and kills at random.
    pub(crate) async fn rages(&mut self, seconds: u64) -> Result<()> {
        self.screen.scene("风暴", "The storm");
        let bar = self
            .screen
            .bar(seconds, "网络出错，进程被杀", "faults and kills");
        let began_ms = self.clock.monotonic_ms();
        for phone in &mut self.phones {
            phone.starts(Task::Work)?;
        }
        while self.seconds < seconds {
            let pause_ms = 200 + self.dice.below(1_200) as u64;
            self.clock.sleep(pause_ms).await;
            self.looks_after_phones()?;
            // None is left to chance.
            let n = match self.blows {
                Blows { servers: 0, .. } => 0,
                Blows { good_ends: 0, .. } => 2,
                Blows { duties: 0, .. } => 4,
                _ => self.dice.below(11),
            };
            match n {
                0..2 => self.kills_server().await?,
                2 => self.ends_server().await?,
                3 => self.kills_phone_twice().await?,
                4 => self.takes_or_gives_grid()?,
                _ => self.kills_phone().await?,
            }
            let raged_ms = self.clock.monotonic_ms() - began_ms;
            self.seconds = u64::try_from(raged_ms / 1_000)?;
            bar.at(self.seconds);
        }
        Ok(())
    }

    /// A phone's process ends only if it is killed.
    fn looks_after_phones(&mut self) -> Result<()> {
        for phone in &mut self.phones {
            if let Some(status) = phone.has_ended()? {
                let what = format!("{}'s process ended by itself with {status}", phone.login);
                self.violations.push(what);
                phone.starts(Task::Work)?;
            }
        }
        Ok(())
    }

    async fn kills_server(&mut self) -> Result<()> {
        self.district.is_killed()?;
        self.blows.servers += 1;
        let gone_ms = self.dice.below(1_200) as u64;
        self.clock.sleep(gone_ms).await;
        self.district.begins_again()
    }

    /// As a system that is brought up to date does it. What hangs in a fault may keep it waiting.
    async fn ends_server(&mut self) -> Result<()> {
        self.district.ends()?;
        self.blows.good_ends += 1;
        self.district.begins_again()
    }

    /// The district's word on who works where; what the worker did meanwhile is judged by it.
    fn takes_or_gives_grid(&mut self) -> Result<()> {
        let phone = &mut self.phones[ROAMER];
        let command = if phone.orders.grids.contains(&self.roamed) {
            phone.orders.grids.retain(|grid| *grid != self.roamed);
            Command::Revoke {
                user: phone.login.to_owned(),
                role: Role::GridWorker,
                unit: self.roamed.0.clone(),
            }
        } else {
            phone.orders.grids.push(self.roamed.clone());
            granted(phone.login, &self.roamed)
        };
        self.district.does(&command)?;
        self.blows.duties += 1;
        Ok(())
    }

    /// The second time while it opens or enrols.
    async fn kills_phone_twice(&mut self) -> Result<()> {
        self.kills_phone().await?;
        let moment_ms = self.dice.below(200) as u64;
        self.clock.sleep(moment_ms).await;
        self.kills_phone().await
    }

    async fn kills_phone(&mut self) -> Result<()> {
        let n = self.dice.below(self.phones.len());
        self.blows.phones += u64::from(self.phones[n].is_killed()?);
        let dark_ms = self.dice.below(400) as u64;
        self.clock.sleep(dark_ms).await;
        self.phones[n].starts(Task::Work)
    }

    /// Clears the weather and brings all phones in step.
    pub(crate) async fn clears(&mut self) -> Result<()> {
        self.screen.scene("雨过天晴", "It clears");
        let began_ms = self.clock.monotonic_ms();
        self.weather.clears();
        self.looks_after_phones()?;
        for phone in &mut self.phones {
            let status = phone.stops()?;
            if !status.success() {
                let what = format!("{}'s process stopped with {status}", phone.login);
                self.violations.push(what);
            }
        }
        for task in ROUNDS {
            self.settles(task).await?;
        }
        let seconds = (self.clock.monotonic_ms() - began_ms) / 1_000;
        self.screen.tell(
            format!("网络恢复，{seconds} 秒后各手机都已同步。"),
            format!("The lines are good again; {seconds} s later all phones are in step."),
        );
        Ok(())
    }

    async fn settles(&mut self, task: Task) -> Result<()> {
        let raged_ms = i64::try_from(self.seconds * 1_000)?;
        let until_ms = self.clock.monotonic_ms() + LONGEST_SETTLING_MS + raged_ms;
        for phone in &mut self.phones {
            phone.starts(task)?;
        }
        while self.phones.iter().any(Phone::is_running) {
            if self.clock.monotonic_ms() > until_ms {
                break;
            }
            for phone in &mut self.phones {
                if let Some(status) = phone.has_ended()?
                    && !status.success()
                {
                    let what = format!("{}'s phone settled with {status}", phone.login);
                    self.violations.push(what);
                }
            }
            self.clock.sleep(LOOK_MS).await;
        }
        for phone in &mut self.phones {
            if phone.is_killed()? {
                let what = format!("{}'s phone does not get in step", phone.login);
                self.violations.push(what);
            }
        }
        Ok(())
    }

    /// Returns a folder for the backup.
    pub(crate) fn backup(&self) -> PathBuf {
        self.folder.join("backup")
    }
}

fn granted(login: &str, grid: &UnitId) -> Command {
    Command::Grant {
        user: login.to_owned(),
        role: Role::GridWorker,
        unit: grid.0.clone(),
        from: None,
        until: None,
    }
}
