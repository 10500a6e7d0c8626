//! Importing the organisation: units, the people who work in them, and their duties.
//!
//! ```json
//! {"district": {"code": "610402", "name": "…"},
//!  "units": [{"code": "…", "level": "grid", "name": "…", "parent": "…", "kind": "…", "center": {…}}],
//!  "workers": [{"number": "W01001", "name": "…", "role": "grid-worker", "unit": "…", "phone": "…"}]}
//! ```
//!
//! All of it is one commit or none. A worker gets an account whose login is the staff number, and
//! the duty from now on; whoever is here already keeps name, duties and password. Nothing is taken
//! away: a duty that is missing in the file is ended by `revoke`, by a person.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use pocketbook_records::ids::{UnitId, UserId};
use pocketbook_records::rights::{Duty, Role};
use pocketbook_records::time::Millis;
use serde::Deserialize;
use serde_json::Value;

use super::AdminError;
use super::wire::Outcome;
use crate::beside::Outside;
use crate::store::accounts::{self, User};
use crate::store::{SqlError, districts, org};
use crate::{Batch, Fault, Server};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrgFile {
    district: District,
    units: Vec<UnitLine>,
    #[serde(default)]
    workers: Vec<Worker>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct District {
    code: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitLine {
    code: String,
    level: Level,
    name: String,
    parent: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    center: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Street,
    Community,
    Grid,
    Unit,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Street => "street",
            Self::Community => "community",
            Self::Grid => "grid",
            Self::Unit => "unit",
        }
    }

    /// Says whether a unit of this level may lie below one of the other.
    fn fits_below(self, parent: &str) -> bool {
        match self {
            Self::Street => parent == "district",
            Self::Community => parent == "street",
            Self::Grid => parent == "community",
            Self::Unit => true,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Worker {
    number: String,
    name: String,
    role: Role,
    unit: String,
    /// Taken note of by the district's directory, not here.
    #[serde(default, rename = "phone")]
    _phone: Option<String>,
}

/// What the file asks for, checked.
struct Plan {
    units: Vec<org::Unit>,
    /// Number and name; a person with two duties has one account.
    users: BTreeMap<String, String>,
    duties: Vec<(String, Role, UnitId)>,
}

pub(super) async fn import(
    server: &Server,
    input: &mut dyn Iterator<Item = io::Result<String>>,
) -> Result<Outcome, AdminError> {
    let line = input
        .next()
        .ok_or_else(|| AdminError::BadInput("it is empty".into()))?
        .map_err(AdminError::Input)?;
    let file: OrgFile = serde_json::from_str(&line)
        .map_err(|error| AdminError::BadInput(format!("near column {}", error.column())))?;
    let (district, _) = server.read(districts::name)?;
    let plan = plan(file, &district)?;

    // Ids are made before the note beside the database, which names them.
    let now = server.now();
    let fresh = fresh(server, &plan, now)?;
    let notes: Vec<Outside> = fresh
        .duties
        .iter()
        .map(|duty| Outside::Grant {
            at: now,
            duty: duty.clone(),
        })
        .collect();
    if !notes.is_empty() {
        server.outside().append(&notes).map_err(Fault::from)?;
    }
    let (users, duties) = (fresh.users.len() as u64, fresh.duties.len() as u64);
    let put = move |batch: &mut Batch<'_>| write(batch, &plan.units, &fresh);
    let units = server.writer().run_async(put).await?;
    Ok(Outcome::Org {
        units,
        users,
        duties,
    })
}

fn plan(file: OrgFile, district: &str) -> Result<Plan, AdminError> {
    let wrong = |what: String| AdminError::BadInput(what);
    if file.district.code != district {
        return Err(wrong(format!(
            "it is of district {}, this server of {district}",
            file.district.code
        )));
    }
    let mut levels = BTreeMap::from([(file.district.code.clone(), "district")]);
    let mut units = vec![org::Unit {
        unit: UnitId(file.district.code),
        level: "district".into(),
        name: file.district.name,
        parent: None,
        extra: "{}".into(),
    }];
    for line in file.units {
        let fits = levels
            .get(&line.parent)
            .is_some_and(|parent| line.level.fits_below(parent));
        if !fits {
            return Err(wrong(format!("no place for unit {}", line.code)));
        }
        if levels
            .insert(line.code.clone(), line.level.name())
            .is_some()
        {
            return Err(wrong(format!("unit {} stands twice", line.code)));
        }
        let extra = serde_json::json!({ "kind": line.kind, "center": line.center });
        units.push(org::Unit {
            unit: UnitId(line.code),
            level: line.level.name().into(),
            name: line.name,
            parent: Some(UnitId(line.parent)),
            extra: extra.to_string(),
        });
    }
    let mut users = BTreeMap::new();
    let mut duties = Vec::new();
    for worker in file.workers {
        if worker.number.trim().is_empty() || !levels.contains_key(&worker.unit) {
            return Err(wrong(format!("no place for worker {}", worker.number)));
        }
        duties.push((worker.number.clone(), worker.role, UnitId(worker.unit)));
        users.insert(worker.number, worker.name);
    }
    Ok(Plan {
        units,
        users,
        duties,
    })
}

/// What is not here yet.
struct Fresh {
    users: Vec<User>,
    duties: Vec<Duty>,
}

fn fresh(server: &Server, plan: &Plan, now: Millis) -> Result<Fresh, AdminError> {
    let known = server.read(|store| -> Result<_, SqlError> {
        let mut known = BTreeMap::new();
        for login in plan.users.keys() {
            if let Some(user) = accounts::user_by_login(store, login)? {
                known.insert(login.clone(), (user.user, org::duties(store, user.user)?));
            }
        }
        Ok(known)
    })?;
    let mut ids: BTreeMap<&str, UserId> = known
        .iter()
        .map(|(login, (user, _))| (login.as_str(), *user))
        .collect();
    let mut users = Vec::new();
    for (number, name) in &plan.users {
        ids.entry(number).or_insert_with(|| {
            let user = UserId(crate::seams::uuid_v7(now, server.entropy()));
            users.push(User {
                user,
                login: number.clone(),
                name: name.clone(),
                number: Some(number.clone()),
                password: None,
                blocked: false,
            });
            user
        });
    }
    let runs: BTreeSet<(UserId, Role, &UnitId)> = known
        .values()
        .flat_map(|(_, duties)| duties)
        .filter(|duty| duty.until.is_none_or(|until| until > now))
        .map(|duty| (duty.user, duty.role, &duty.unit))
        .collect();
    let duties = plan.duties.iter().filter_map(|(number, role, unit)| {
        let user = *ids.get(number.as_str())?;
        (!runs.contains(&(user, *role, unit))).then(|| Duty {
            user,
            role: *role,
            unit: unit.clone(),
            from: now,
            until: None,
        })
    });
    let duties = duties.collect();
    Ok(Fresh { users, duties })
}

fn write(batch: &mut Batch<'_>, units: &[org::Unit], fresh: &Fresh) -> Result<u64, Fault> {
    let mut changed = 0;
    for unit in units {
        changed += u64::from(org::put_unit(batch, unit)?);
    }
    for user in &fresh.users {
        accounts::put_user(batch, user)?;
    }
    for duty in &fresh.duties {
        org::put_duty(batch, duty)?;
    }
    if changed > 0 || !fresh.users.is_empty() || !fresh.duties.is_empty() {
        batch.commit()?;
    }
    Ok(changed)
}
