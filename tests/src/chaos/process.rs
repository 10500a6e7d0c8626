//! A phone's process as the storm sees it: started, killed, ended in good order.

#![expect(
    clippy::disallowed_methods,
    reason = "phones are processes of their own, with logs in files"
)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use pocketbook_records::ids::UnitId;
use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::link::Link;
use tokio::task::block_in_place;

use super::phone::{Orders, PART, Task};

/// One worker's phone.
#[derive(Debug)]
pub(crate) struct Phone {
    /// The worker's login.
    pub(crate) login: &'static str,
    /// What its process is told.
    pub(crate) orders: Orders,
    /// The line to the server.
    _link: Link,
    process: Option<Child>,
}

impl Phone {
    /// Returns a phone that was not started yet; its folder is made.
    pub(crate) fn new(login: &'static str, orders: Orders, link: Link) -> Result<Self> {
        std::fs::create_dir_all(&orders.folder)?;
        Ok(Self {
            login,
            orders,
            _link: link,
            process: None,
        })
    }

    /// Returns the folder with all that is on the phone.
    pub(crate) fn folder(&self) -> &Path {
        &self.orders.folder
    }

    /// Returns where its processes write what they have to say.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder().with_extension("log")
    }

    /// Returns the grids in which its worker works.
    pub(crate) fn grids(&self) -> &[UnitId] {
        &self.orders.grids
    }

    /// Starts its process. Each start draws other deeds.
    pub(crate) fn starts(&mut self, task: Task) -> Result<()> {
        self.orders.task = task;
        self.orders.seed = self.orders.seed.wrapping_add(1);
        let log = File::options().create(true).append(true).open(self.log())?;
        let process = Command::new(std::env::current_exe()?)
            .arg(PART)
            .arg(serde_json::to_string(&self.orders)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.process = Some(process);
        Ok(())
    }

    /// `kill -9`; says whether there was something to kill.
    pub(crate) fn is_killed(&mut self) -> Result<bool> {
        let Some(mut process) = self.process.take() else {
            return Ok(false);
        };
        let had_ended = process.try_wait()?.is_some();
        process.kill()?;
        block_in_place(|| process.wait())?;
        Ok(!had_ended)
    }

    /// Tells a working process to stop and waits for its end.
    pub(crate) fn stops(&mut self) -> Result<ExitStatus> {
        let mut process = self.process.take().ok_or("no process")?;
        drop(process.stdin.take());
        Ok(block_in_place(|| process.wait())?)
    }

    /// Says how its process ended by itself, if it has.
    pub(crate) fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        let ended = process.try_wait()?;
        if ended.is_some() {
            self.process = None;
        }
        Ok(ended)
    }

    /// Says whether there is a process that was not seen to end.
    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // The run ended early.
        let _ = self.is_killed();
    }
}
