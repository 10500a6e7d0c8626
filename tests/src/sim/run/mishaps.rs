//! What befalls phones, lines and server, and what the operator does.

use pocketbook::engine::Reason;
use pocketbook_records::ids::UnitId;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::wire::Command;

use super::{Day, done, nothing};
use crate::sim::cast::{Standing, Who};
use crate::sim::tape::Act;
use crate::world::network::Passed;
use crate::world::{Fault, HandMade, On};

/// Somebody who has an account, and no duty anywhere.
const THIEF: &str = "贾";

impl Day {
    pub(super) async fn befalls(&mut self, act: &Act) -> String {
        match *act {
            Act::Syncs(who, ref faults, kill) => self.syncs(who, faults, kill).await,
            Act::Flaps(who, one_in) => self.flaps(who, one_in).await,
            Act::Repeats(who, n) => self.repeats(who, n).await,
            Act::Stolen(who, n) => self.is_stolen_from(who, n).await,
            Act::Killed(who) => self.is_killed(who),
            Act::Restarts => self.at_town(|day| day.world.town().restarts()),
            Act::Dies => self.at_town(|day| day.world.town().dies()),
            Act::Clock(who, minutes) => {
                self.at_town(|day| day.phones[who].clock().is_off_by(minutes * 60_000))
            }
            Act::ClockStands(who, stands) => {
                self.at_town(|day| day.phones[who].clock().stands(stands))
            }
            Act::Boots(who) => {
                self.phones[who].clock().boots();
                self.is_killed(who)
            }
            Act::Metered(who, metered) => self.at_town(|day| day.phones[who].is_metered(metered)),
            Act::Hours(hours) => self.at_town(|day| day.world.hours_pass(hours)),
            Act::Revoked(who) => self.grid_is_his(who, false).await,
            Act::Granted(who) => self.grid_is_his(who, true).await,
            Act::Lent(who, lent) => self.is_lent(who, lent).await,
            Act::Blocked(who, locked) => self.locks(who, locked).await,
            Act::BacksUp => {
                let name = format!("backup-{}", self.backups.len());
                self.backups.push(self.world.town().backs_up(&name).await);
                done()
            }
            Act::Restored => self.is_restored(),
            Act::Copied => {
                let name = format!("copy-{}", self.copies.len());
                self.copies.push(self.world.town().is_copied(&name));
                done()
            }
            Act::SetBack => self.is_set_back(),
            Act::PhoneFull(who, full) => {
                self.at_town(|day| day.phones[who].storage().is_full(full))
            }
            Act::ServerFull(full) => {
                self.is_server_full = full;
                self.at_town(|day| match full {
                    true => day.world.town().fills_disk(),
                    false => day.world.town().frees_disk(),
                })
            }
            ref deed => unreachable!("{deed} is a deed"),
        }
    }

    fn at_town(&self, happens: impl FnOnce(&Self)) -> String {
        happens(self);
        done()
    }

    fn is_restored(&mut self) -> String {
        let Some(backup) = self.backups.last() else {
            return nothing();
        };
        let restored = self.world.town().restores(backup);
        self.oracle.restored(self.world.town());
        format!("lost since {}", restored.lost.after)
    }

    fn is_set_back(&mut self) -> String {
        let Some(copy) = self.copies.last() else {
            return nothing();
        };
        self.world.town().is_rolled_back(copy);
        self.oracle.set_back(self.world.town());
        done()
    }

    async fn syncs(&mut self, who: Who, faults: &[(On, Fault)], kill: Option<u16>) -> String {
        let phone = &self.phones[who];
        for (on, fault) in faults {
            phone.line().next(*on, *fault);
        }
        let engine = phone.engine();
        let is_cut_off = async {
            match kill {
                Some(turns) => turns_pass(turns).await,
                None => {
                    phone.line().frozen().await;
                    turns_pass(40).await;
                }
            }
        };
        let ended = tokio::select! {
            biased;
            done = engine.sync_once(Reason::Asked) => Some(done),
            () = is_cut_off => None,
        };
        drop(engine);
        phone.line().is_good();
        if faults.iter().any(|(_, fault)| *fault == Fault::ServerDies) && self.is_server_full {
            // The disk is as full as it was.
            self.world.town().fills_disk();
        }
        match ended {
            Some(Ok(report)) => format!("{report:?}"),
            Some(Err(error)) => format!("{error:?}"),
            None => self.is_killed(who),
        }
    }

    async fn flaps(&mut self, who: Who, one_in: usize) -> String {
        let phone = &self.phones[who];
        let mut request = 0;
        phone.line().weather(move |_| {
            request += 1;
            (request % one_in == 0).then_some(Fault::LoseRequest)
        });
        let ended = phone.sync().await;
        phone.line().is_good();
        format!("{ended:?}")
    }

    fn passed(&self, who: Who, n: usize) -> Option<Passed> {
        let mut passed = self.phones[who].line().passed();
        passed.retain(|passed| passed.request.path == "/v1/sync");
        (!passed.is_empty()).then(|| passed.swap_remove(n % passed.len()))
    }

    async fn repeats(&self, who: Who, n: usize) -> String {
        let Some(old) = self.passed(who, n) else {
            return nothing();
        };
        format!("{}", self.phones[who].line().repeats(&old).await)
    }

    /// What a thief saw of a request that arrived, he sends under his own name.
    async fn is_stolen_from(&mut self, who: Who, n: usize) -> String {
        let seen = self.passed(who, n).filter(|seen| seen.status == Some(200));
        let Some(seen) = seen.filter(|_| !self.is_server_full) else {
            return nothing();
        };
        self.thieves += 1;
        let name = format!("{THIEF}{}", self.thieves);
        self.world.account_of_phone(&name).await;
        let code = self.world.code(&name).await.code;
        let thief = HandMade::enrol(self.world.town(), &name, &code).await;
        let line = self.phones[who].line();
        format!("{}", line.repeats_as(&seen, thief.client().bearer()).await)
    }

    fn is_killed(&mut self, who: Who) -> String {
        self.screens.retain(|(whose, ..), _| *whose != who);
        self.phones[who].is_killed();
        "opened again".to_owned()
    }

    /// Returns all phones of an account.
    fn of_account(&self, who: Who) -> Vec<Who> {
        let account = self.members[who].account;
        let all = 0..self.phones.len();
        all.filter(|one| self.members[*one].account == account)
            .collect()
    }

    async fn grid_is_his(&mut self, who: Who, has: bool) -> String {
        let member = &self.members[who];
        if member.standing != Standing::Roams || self.has_grid[who] == has {
            return nothing();
        }
        let grid = self.grids[member.grids[0]].clone();
        self.posts(who, &grid, has).await;
        for phone in self.of_account(who) {
            self.has_grid[phone] = has;
        }
        done()
    }

    async fn is_lent(&mut self, who: Who, lent: bool) -> String {
        let member = &self.members[who];
        let Some(other) = self.beats[member.beats[0]].other.clone() else {
            return nothing();
        };
        if member.role != Role::GridWorker || self.is_lent[who] == lent {
            return nothing();
        }
        self.posts(who, &other, lent).await;
        for phone in self.of_account(who) {
            self.is_lent[phone] = lent;
        }
        done()
    }

    async fn posts(&self, who: Who, grid: &UnitId, has: bool) {
        let (phone, role) = (&self.phones[who], self.members[who].role);
        match has {
            true => {
                let (user, name) = (phone.user(), phone.name());
                self.world.grant(user, name, role, grid).await;
            }
            false => self.world.revoke(phone, role, grid).await,
        }
    }

    pub(super) async fn locks(&mut self, who: Who, locked: bool) -> String {
        if self.is_locked[who] == locked {
            return nothing();
        }
        let user = self.members[who].name.clone();
        let command = match locked {
            true => Command::Block { user },
            false => Command::Unblock { user },
        };
        self.world.town().does(command, Vec::new()).await;
        for phone in self.of_account(who) {
            self.is_locked[phone] = locked;
        }
        done()
    }
}

async fn turns_pass(turns: u16) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
