//! The district's server: a process of its own, started from this very program, that can be told,
//! stopped and killed like any other.
//!
//! A program that has a district must become the server when its first word is [`PART`].

#![expect(
    clippy::disallowed_methods,
    reason = "the server is a process of its own and its directory is looked into from outside"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use pocketbook_records::ids::BlobHash;
use pocketbook_server::admin::socket;
use pocketbook_server::admin::wire::{self, Event, Outcome};
use serde::Serialize;
use tokio::task::block_in_place;

use super::Result;
use super::certificate::Certificate;

/// The word by which this program knows that it is to be the server.
pub const PART: &str = "pocketbook-server";

/// The server's process and its data directory.
#[derive(Debug)]
pub struct District {
    folder: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    certificate: Option<Certificate>,
    process: Mutex<Option<Child>>,
}

impl District {
    /// Sets a district up in a folder and begins to serve it on a free port, encrypted if there is
    /// a certificate for it.
    pub fn begin(folder: &Path, log: &Path, certificate: Option<Certificate>) -> Result<Self> {
        let made = server()?
            .args([
                "init",
                "--district-code",
                "610402",
                "--district-name",
                "秦都区",
            ])
            .arg(folder)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("服务器目录没有建成 · the server's folder was not made".into());
        }
        Self::open(folder, log, certificate)
    }

    /// Begins to serve a district that lies in a folder already.
    pub fn open(folder: &Path, log: &Path, certificate: Option<Certificate>) -> Result<Self> {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (process, address) = start(folder, log, any_port, certificate.as_ref())?;
        Ok(Self {
            folder: folder.to_owned(),
            log: log.to_owned(),
            address,
            certificate,
            process: Mutex::new(Some(process)),
        })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its address.
    pub fn url(&self) -> String {
        self.url_at(self.address)
    }

    /// Returns its address for who reaches it by another one: through a [`Link`](super::link::Link).
    pub fn url_at(&self, address: SocketAddr) -> String {
        match self.certificate {
            Some(_) => format!("https://{address}"),
            None => format!("http://{address}"),
        }
    }

    /// Returns its data directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the number of its process.
    pub fn process(&self) -> Option<u32> {
        self.running().as_ref().map(Child::id)
    }

    /// Tells the running server what an operator would; waits until it is done.
    pub fn does(&self, command: &wire::Command) -> Result<Outcome> {
        self.takes(command, std::iter::empty::<()>(), |_| {})
    }

    /// As before, with input, one value a line; `progress` hears how many are done.
    pub fn takes(
        &self,
        command: &wire::Command,
        input: impl Iterator<Item = impl Serialize> + Send,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<Outcome> {
        let mut ended = None;
        let asked = block_in_place(|| {
            socket::ask(
                &self.folder,
                command,
                input.map(|value| serde_json::to_string(&value).map_err(io::Error::from)),
                |event| match event {
                    Event::Progress { done, .. } => progress(done),
                    event => ended = Some(event),
                },
            )
        })?;
        match (asked, ended) {
            (Some(()), Some(Event::Done { outcome })) => Ok(outcome),
            (_, Some(Event::Failed { reason } | Event::BadLine { reason, .. })) => {
                Err(reason.into())
            }
            _ => Err("服务器没有应答 · the server gave no answer".into()),
        }
    }

    /// `kill -9`.
    pub fn is_killed(&self) -> Result<()> {
        if let Some(mut process) = self.running().take() {
            process.kill()?;
            block_in_place(|| process.wait())?;
        }
        Ok(())
    }

    /// Begins again, at the same address.
    pub fn begins_again(&self) -> Result<()> {
        let (process, _) = start(
            &self.folder,
            &self.log,
            self.address,
            self.certificate.as_ref(),
        )?;
        *self.running() = Some(process);
        Ok(())
    }

    /// Ends it in good order, as a system that shuts down does.
    pub fn ends(&self) -> Result<()> {
        let Some(mut process) = self.running().take() else {
            return Ok(());
        };
        // A shell knows `kill` on every system.
        let kill = format!("kill -TERM {}", process.id());
        Command::new("sh")
            .args(["-c", &kill])
            .stderr(Stdio::null())
            .status()?;
        let ended = block_in_place(|| process.wait())?;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("the server ended with {ended}").into())
        }
    }

    /// Returns what lies in its spool: uploads that are not whole, with the bytes on the disk.
    pub fn spool(&self) -> io::Result<BTreeMap<BlobHash, Part>> {
        let mut parts = BTreeMap::new();
        for owner in entries(&self.folder.join("data/spool"))? {
            for file in entries(&owner)? {
                let name = file
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                let named = name.split_once('-');
                let Some((Ok(hash), Ok(of))) = named.map(|(hash, of)| (hash.parse(), of.parse()))
                else {
                    continue;
                };
                match fs::metadata(&file) {
                    Ok(found) => drop(parts.insert(
                        hash,
                        Part {
                            bytes: found.len(),
                            of,
                        },
                    )),
                    // It has become whole in this moment.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(parts)
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for District {
    fn drop(&mut self) {
        if let Some(mut process) = self.running().take() {
            // The program ended early: nothing of the district is kept.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// An upload that is not whole.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Bytes on the server's disk.
    pub bytes: u64,
    /// Of so many.
    pub of: u64,
}

fn server() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(PART).stdin(Stdio::null());
    Ok(command)
}

fn start(
    folder: &Path,
    log: &Path,
    listen: SocketAddr,
    certificate: Option<&Certificate>,
) -> Result<(Child, SocketAddr)> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut process = server()?
        .args(["serve", "--listen", &listen.to_string()])
        .args(certificate.map(Certificate::arguments).unwrap_or_default())
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let mut first = String::new();
    if let Some(out) = process.stdout.take() {
        block_in_place(|| BufReader::new(out).read_line(&mut first))?;
    }
    let address = first
        .trim()
        .split_once("://")
        .and_then(|(_, at)| at.parse().ok());
    let Some(address) = address else {
        process.kill()?;
        process.wait()?;
        return Err("服务器没有启动 · the server did not start".into());
    };
    Ok((process, address))
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        found => found?.map(|entry| Ok(entry?.path())).collect(),
    }
}
