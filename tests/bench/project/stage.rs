//! The server's side of a run: a district that was seeded once, copied for each run and served by a
//! process of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "runs lie in folders of their own, and the harness's proxy is a program"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use pocketbook_records::ids::UnitId;
use pocketbook_records::invitation::Invitation;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::wire::{self, Outcome};
use pocketbook_sqlite::is_encryption_built;
use pocketbook_tests::data::OrgFile;
use pocketbook_tests::stack::certificate::Certificate;
use pocketbook_tests::stack::district::District;
use pocketbook_tests::stack::hands::object;
use pocketbook_tests::stack::{Result, folders};
use serde_json::{Map, Value, json};

use super::Arguments;

/// What a district holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// So many households of the data set, the first ones.
    pub(crate) households: usize,
    /// In so many grids, one after the other.
    pub(crate) grids: usize,
    /// Each grid has a worker of its own; else there are two workers of all grids.
    pub(crate) is_divided: bool,
}

impl Content {
    /// Returns the grids: the first ones of the real organisation.
    pub(crate) fn units(&self) -> Result<Vec<UnitId>> {
        let org = OrgFile::read()?;
        let grids = org.grids().take(self.grids);
        Ok(grids.map(|grid| UnitId::from(grid.code.as_str())).collect())
    }

    /// Returns which of the grids a household lies in.
    pub(crate) fn grid_of(&self, household: usize) -> usize {
        household * self.grids / self.households.max(1)
    }

    /// Returns the logins of those who carry phones.
    pub(crate) fn workers(&self) -> Vec<String> {
        match self.is_divided {
            true => (0..self.grids).map(|n| format!("worker-{n}")).collect(),
            false => vec!["worker-a".into(), "worker-b".into()],
        }
    }
}

/// Whoever entered all households.
pub(crate) const SEEDER: &str = "seeder";

/// A district that is served.
pub(crate) struct Stage {
    district: Arc<District>,
    link: Option<Link>,
}

impl Stage {
    /// Founds a district with people and no households.
    pub(crate) fn found(folder: &Path, content: &Content) -> Result<Self> {
        folder_is_new(folder)?;
        let certificate = certificate(folder)?;
        let server = folder.join("server");
        let district = District::begin(&server, &folder.join("server.log"), certificate)?;
        let stage = Self {
            district: Arc::new(district),
            link: None,
        };
        stage.district.takes(
            &wire::Command::ImportOrg,
            std::iter::once(OrgFile::read()?),
            |_| {},
        )?;
        let units = content.units()?;
        for unit in &units {
            stage.add(SEEDER, Role::GridHead, std::slice::from_ref(unit))?;
        }
        for (n, worker) in content.workers().iter().enumerate() {
            let own = match content.is_divided {
                true => &units[n..=n],
                false => &units[..],
            };
            stage.add(worker, Role::GridWorker, own)?;
        }
        Ok(stage)
    }

    /// Serves a copy of a seeded district.
    pub(crate) fn copied(seed: &Path, folder: &Path, arguments: &Arguments) -> Result<Self> {
        folder_is_new(folder)?;
        let certificate = certificate(folder)?;
        let server = folder.join("server");
        folders::copy(&seed.join("server"), &server)?;
        let district = District::open(&server, &folder.join("server.log"), certificate)?;
        let link = Link::before(district.address().port(), arguments)?;
        Ok(Self {
            district: Arc::new(district),
            link,
        })
    }

    /// Makes an account, unless it is there, and gives it a duty in each of these grids.
    fn add(&self, login: &str, role: Role, units: &[UnitId]) -> Result<()> {
        // The account is there already from the second grid on.
        let _ = self.district.does(&wire::Command::AddUser {
            login: login.to_owned(),
            name: login.to_owned(),
            number: None,
            password: None,
        });
        for unit in units {
            self.district.does(&wire::Command::Grant {
                user: login.to_owned(),
                role,
                unit: unit.to_string(),
                from: None,
                until: None,
            })?;
        }
        Ok(())
    }

    /// Invites a phone of somebody, by the way of the link if there is one.
    pub(crate) fn invite(&self, login: &str) -> Result<Invitation> {
        let address = self.district.address();
        let port = self.link.as_ref().map_or(address.port(), |link| link.port);
        let url = self.district.url_at((address.ip(), port).into());
        let asked = wire::Command::EnrolCode {
            user: login.to_owned(),
            url: Some(url),
            trust: None,
        };
        match self.district.does(&asked)? {
            Outcome::Code(made) => Ok(made.invitation),
            _ => Err("a code was asked for".into()),
        }
    }

    /// Returns the number of the server's process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.district.process()
    }

    /// Returns what passed over the link, as the harness prints it.
    pub(crate) async fn told_by_link(&self) -> Result<Map<String, Value>> {
        match &self.link {
            Some(link) => link.told().await,
            None => Ok(Map::new()),
        }
    }

    /// Ends the server in good order.
    pub(crate) fn ends(self) -> Result<()> {
        self.district.ends()
    }
}

fn folder_is_new(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Where phones are encrypted the line is too.
fn certificate(folder: &Path) -> Result<Option<Certificate>> {
    is_encryption_built()
        .then(|| Certificate::for_loopback(folder))
        .transpose()
}

/// The harness's proxy: a line with a round-trip time and a rate, which counts.
struct Link {
    process: Child,
    port: u16,
    figures: Map<String, Value>,
}

impl Link {
    fn before(server: u16, arguments: &Arguments) -> Result<Option<Self>> {
        let Some(rtt) = arguments.rtt else {
            return Ok(None);
        };
        // Its counts are served on the next port; free ones begin far above.
        let port = 18_000 + server % 2_000 * 2;
        let mut process = Command::new(&arguments.limits)
            .arg("proxy")
            .args(["--listen", &port.to_string(), "--to", &server.to_string()])
            .args(["--rtt-ms", &rtt.to_string()])
            .args(["--down-kbit", &arguments.down.to_string()])
            .args(["--up-kbit", &arguments.up.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(out) = process.stdout.take() {
            // It says so when it listens.
            BufReader::new(out).read_line(&mut String::new())?;
        }
        let figures = json!({
            "rtt_ms": rtt, "down_kbit": arguments.down, "up_kbit": arguments.up,
        });
        Ok(Some(Self {
            process,
            port,
            figures: object(figures),
        }))
    }

    async fn told(&self) -> Result<Map<String, Value>> {
        let counts = format!("http://127.0.0.1:{}/", self.port + 1);
        let text = reqwest::get(counts).await?.text().await?;
        let mut figures = self.figures.clone();
        figures.extend(object(serde_json::from_str(&text)?));
        Ok(object(json!({"link": figures})))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The run is over.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns where a seed of this content lies.
pub(crate) fn seed_folder(work: &Path, content: &Content) -> PathBuf {
    let Content {
        households,
        grids,
        is_divided,
    } = content;
    let divided = if *is_divided { "-divided" } else { "" };
    work.join(format!("seed-{households}-{grids}{divided}"))
}
