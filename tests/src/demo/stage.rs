//! The stage: where the day takes place, and who is in it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use pocketbook::seams::Entropy;
use pocketbook::seams::system::SystemEntropy;
use pocketbook_records::ids::UnitId;
use pocketbook_records::rights::Role;
use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_tests::data::{HouseholdLine, OrgFile, OrgUnit, households};
use pocketbook_tests::stack::district::District;
use pocketbook_tests::stack::link::Link;
use tempfile::TempDir;

use super::desk::Desk;
use super::phone::Phone;
use super::{Args, Result};
use pocketbook_tests::stack::screen::Screen;

/// From this the residents follow.
const SEED: u64 = 20_261_125;
/// Whoever mends what is broken in the streets.
pub(crate) const MENDERS: &str = "U-municipal";

/// Where it takes place.
pub(crate) struct Stage<'s> {
    /// The terminal.
    pub(crate) screen: &'s Screen,
    /// The server.
    pub(crate) district: District,
    /// The real organisation.
    pub(crate) org: OrgFile,
    /// Two neighbouring grids of one community.
    pub(crate) grids: [OrgUnit; 2],
    /// So many households live in each.
    pub(crate) households: usize,
    /// Whether less is carried over the slow line.
    pub(crate) is_short: bool,
    password: String,
    folder: TempDir,
}

/// Who plays.
pub(crate) struct Cast {
    /// A grid worker (网格员) of both grids.
    pub(crate) wang: Arc<Phone>,
    /// Another one.
    pub(crate) li: Arc<Phone>,
    /// The head of both grids (网格长), at a desk.
    pub(crate) zhao: Desk,
    /// The street's desk (综合窗口).
    pub(crate) chen: Desk,
    /// The handling unit (处置单位).
    pub(crate) sun: Desk,
}

/// Login, name, role of all who play.
pub(crate) const PEOPLE: [(&str, &str, Role); 5] = [
    ("wang", "王", Role::GridWorker),
    ("li", "李", Role::GridWorker),
    ("zhao", "赵", Role::GridHead),
    ("chen", "陈", Role::StreetDesk),
    ("sun", "孙", Role::Handler),
];

impl<'s> Stage<'s> {
    /// Finds the place and starts the server.
    pub(crate) fn set(screen: &'s Screen, args: &Args) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pocketbook-demo-")
            .tempdir()?;
        let org = OrgFile::read()?;
        let grids = org
            .neighbours()
            .ok_or("no two neighbouring grids with a team")?;
        let district = District::begin(
            &folder.path().join("server"),
            &folder.path().join("server.log"),
            None,
        )?;
        Ok(Self {
            screen,
            district,
            org,
            grids,
            households: usize::try_from(args.households())?,
            is_short: args.short,
            password: new_password(),
            folder,
        })
    }

    /// Returns the folder of this run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the password of everyone at a desk, made for this run.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// Returns the server's log.
    pub(crate) fn district_log(&self) -> String {
        self.district.log()
    }

    /// Returns the code of a grid.
    pub(crate) fn grid(&self, n: usize) -> UnitId {
        UnitId::from(self.grids[n].code.as_str())
    }

    /// Returns the code of their street.
    pub(crate) fn street(&self) -> UnitId {
        let community = self
            .org
            .units
            .iter()
            .find(|unit| unit.code == self.grids[0].parent);
        UnitId::from(
            community
                .map(|unit| unit.parent.as_str())
                .unwrap_or_default(),
        )
    }

    /// Returns a unit's name.
    pub(crate) fn name_of<'o>(&'o self, code: &'o str) -> &'o str {
        self.org
            .units
            .iter()
            .find(|unit| unit.code == code)
            .map_or(code, |unit| &unit.name)
    }

    /// Makes the households that live in a grid.
    pub(crate) fn residents(&self, n: usize) -> impl Iterator<Item = HouseholdLine> + use<> {
        households(SEED, &self.grids[n].code, self.households)
    }

    /// Returns the phone numbers of all who live in a grid.
    pub(crate) fn numbers(&self, n: usize) -> BTreeSet<String> {
        self.residents(n)
            .flat_map(|line| line.people)
            .filter_map(|person| person.phone)
            .collect()
    }

    /// Returns where somebody has his duties.
    pub(crate) fn posts(&self, role: Role) -> Vec<UnitId> {
        match role {
            Role::StreetDesk => vec![self.street()],
            Role::Handler => vec![UnitId::from(MENDERS)],
            _ => vec![self.grid(0), self.grid(1)],
        }
    }

    /// Opens the accounts, enrols the phones and signs the desks in.
    pub(crate) async fn cast(&self) -> Result<Cast> {
        for (login, name, role) in PEOPLE {
            self.opens_account(login, name, role)?;
        }
        let url = self.district.url();
        Ok(Cast {
            wang: self.phone("王", "wang").await?,
            li: self.phone("李", "li").await?,
            zhao: Desk::sign_in(&url, "zhao", &self.password).await?,
            chen: Desk::sign_in(&url, "chen", &self.password).await?,
            sun: Desk::sign_in(&url, "sun", &self.password).await?,
        })
    }

    fn opens_account(&self, login: &str, name: &str, role: Role) -> Result<()> {
        let at_desk = role != Role::GridWorker;
        self.district.does(&Command::AddUser {
            login: login.to_owned(),
            name: name.to_owned(),
            number: None,
            password: at_desk.then(|| self.password.clone()),
        })?;
        for unit in self.posts(role) {
            let user = login.to_owned();
            self.district.does(&Command::Grant {
                user,
                role,
                unit: unit.0,
                from: None,
                until: None,
            })?;
        }
        Ok(())
    }

    async fn phone(&self, name: &'static str, login: &str) -> Result<Arc<Phone>> {
        let asked = Command::EnrolCode {
            user: login.to_owned(),
            url: None,
            trust: None,
        };
        let Outcome::Code(made) = self.district.does(&asked)? else {
            return Err("the server made no code".into());
        };
        let code = made.invitation.code.to_string();
        let link = Link::open(self.district.address()).await?;
        let folder = self.folder().join(format!("phone-{login}"));
        Ok(Arc::new(
            Phone::enrol(name, login, &folder, link, &code).await?,
        ))
    }
}

fn new_password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = [0; 12];
    SystemEntropy.fill(&mut random);
    random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}
