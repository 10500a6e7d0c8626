//! A small district for tests: two grids, their people, phones and desks, in one process on one
//! thread.

#![expect(
    clippy::disallowed_methods,
    reason = "tests look at files that no seam would show them"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use pocketbook_records::body;
use pocketbook_records::ids::{EnrolmentId, Mid, Mseq, RecordId, Rev, UnitId, UserId};
use pocketbook_records::kind::Kind;
use pocketbook_records::mutation::{Command, Expect, Frozen, Mutation, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::receipt::Receipt;
use pocketbook_records::rights::{Duty, Role};
use pocketbook_records::scope::Scope;
use pocketbook_records::time::{At, Contact, Now};
use pocketbook_records::wire::{Answer, Ask, Mode, Pending, Pull, Request};

use crate::beside::{Outside, OutsideLog};
use crate::caller::{Caller, Station, hash_secret};
use crate::exchange::{DeskReceipt, SyncAnswer};
use crate::refusal::Refusal;
use crate::seams::{SeededEntropy, SetClock};
use crate::server::{Form, Options, Server};
use crate::store::accounts::{self, NewEnrolment, User};
use crate::store::org::{self, Unit};
use crate::store::records::{self, Record};

/// The moment at which every test begins.
pub(crate) const DAWN: i64 = 1_790_000_000_000;
pub(crate) const GRID: &str = "610402001001001";
pub(crate) const OTHER: &str = "610402001001002";

pub(crate) struct District {
    pub(crate) server: Server,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) dir: TempDir,
}

/// Runs what never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("inline work never waits")
}

/// Reads a file as a thief would.
pub(crate) fn bytes_of(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

/// Puts a file in another one's place, as a careless hand would.
pub(crate) fn put_back(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// Returns the rights that a file is open with.
#[cfg(unix)]
pub(crate) fn mode_of(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub(crate) fn id(n: u128) -> RecordId {
    RecordId(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000 | n,
    ))
}

pub(crate) fn person(n: u128) -> UserId {
    UserId(id(0x1000 + n).0)
}

impl District {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at(DAWN));
        let server = Server::init(dir.path(), "610402", "秦都区", options(&clock)).unwrap();
        let district = Self { server, clock, dir };
        district.settle();
        district
    }

    /// Closes the server and opens it anew.
    pub(crate) fn reopen(self) -> Self {
        let Self { server, clock, dir } = self;
        drop(server);
        let server = Server::open(dir.path(), options(&clock)).unwrap();
        Self { server, clock, dir }
    }

    fn settle(&self) {
        self.write(|batch| {
            let units = [
                ("610402001", "street", "610402"),
                ("610402001001", "community", "610402001"),
                (GRID, "grid", "610402001001"),
                (OTHER, "grid", "610402001001"),
                ("water", "unit", "610402"),
            ];
            for (unit, level, parent) in units {
                let unit = Unit {
                    unit: unit.into(),
                    level: level.into(),
                    name: unit.into(),
                    parent: Some(parent.into()),
                    extra: "{}".into(),
                };
                org::put_unit(batch, &unit)?;
            }
            batch.commit()?;
            Ok(())
        });
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut crate::Batch<'_>) -> Result<T, crate::Fault> + Send + 'static,
    ) -> T {
        self.server.writer().run(job).unwrap()
    }

    pub(crate) fn grant(&self, user: UserId, role: Role, unit: &str) {
        let from = self.server.now() - 1000;
        let duty = Duty {
            user,
            role,
            unit: UnitId::from(unit),
            from,
            until: None,
        };
        let line = Outside::Grant {
            at: from,
            duty: duty.clone(),
        };
        let log = OutsideLog::open(self.dir.path()).unwrap();
        log.append(&[line]).unwrap();
        self.write(move |batch| Ok(org::put_duty(batch, &duty)?));
    }

    pub(crate) fn revoke(&self, user: UserId, role: Role, unit: &str) {
        let (unit, until) = (UnitId::from(unit), self.server.now());
        self.write(move |batch| Ok(org::end_duties(batch, user, role, &unit, until)?));
    }

    fn enrol(&self, n: u128, station: Station) -> Caller {
        let user = person(n);
        let enrolment = EnrolmentId(id(0x2000 + n + (station as u128) * 0x100).0);
        self.write(move |batch| {
            let account = User {
                user,
                login: format!("u{n}"),
                name: format!("u{n}"),
                number: None,
                password: None,
                blocked: false,
            };
            accounts::put_user(batch, &account)?;
            let new = NewEnrolment {
                enrolment,
                user,
                station,
                secret: hash_secret(&[u8::try_from(n).unwrap_or(0); 32]),
                device: "test",
                schema: 1,
                expires_at: (station == Station::Desk).then_some(i64::MAX),
            };
            accounts::put_enrolment(batch, &new)?;
            Ok(())
        });
        Caller {
            enrolment,
            user,
            station,
            locked: false,
        }
    }

    /// A phone of somebody with one duty.
    pub(crate) fn phone(&self, n: u128, role: Role, unit: &str) -> Phone {
        let caller = self.enrol(n, Station::Phone);
        self.grant(caller.user, role, unit);
        Phone::of(caller)
    }

    /// A desk session of somebody with one duty.
    pub(crate) fn desk(&self, n: u128, role: Role, unit: &str) -> Caller {
        let caller = self.enrol(n, Station::Desk);
        self.grant(caller.user, role, unit);
        caller
    }

    pub(crate) fn command(
        &self,
        desk: &Caller,
        (kind, id): (&Kind, RecordId),
        name: &str,
        args: Value,
    ) -> DeskReceipt {
        let at = self.server.at();
        let record = self.record(kind, id);
        let frozen = command(kind, &record, name, args, at);
        let mid = Mid(crate::seams::uuid_v7(
            self.server.now(),
            self.server.entropy(),
        ));
        now(self.server.apply_desk(desk, mid, frozen)).unwrap()
    }

    pub(crate) fn record(&self, kind: &Kind, id: RecordId) -> Record {
        self.find(kind, id).expect("the record is there")
    }

    pub(crate) fn find(&self, kind: &Kind, id: RecordId) -> Option<Record> {
        let kind = Kind::named(kind.name).unwrap();
        let found = self.server.read(|store| records::find(store, kind, id));
        found.unwrap()
    }

    pub(crate) fn sync(&self, phone: &mut Phone) -> Answer {
        self.try_sync(phone).unwrap()
    }

    pub(crate) fn try_sync(&self, phone: &mut Phone) -> Result<Answer, Refusal> {
        let request = phone.request(self.server.now());
        let SyncAnswer { answer, .. } = now(self.server.sync(&phone.caller, request))?;
        phone.hear(&answer, self.server.now());
        Ok(answer)
    }

    /// Hands in what a phone authored and returns the new receipts.
    pub(crate) fn hand_in(&self, phone: &mut Phone) -> Vec<Receipt> {
        let settled = phone.settled;
        let answer = self.sync(phone);
        let receipts = answer.receipts.into_iter().flat_map(|row| row.receipts);
        receipts.filter(|r| r.mseq > settled).collect()
    }
}

fn options(clock: &Arc<SetClock>) -> Options {
    Options {
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        form: Form::Inline,
    }
}

/// A phone that remembers just enough.
pub(crate) struct Phone {
    pub(crate) caller: Caller,
    pub(crate) mseq: u64,
    pub(crate) settled: Mseq,
    pub(crate) outbox: Vec<Mutation>,
    pub(crate) cursors: BTreeMap<Scope, Option<String>>,
    pub(crate) contact: Option<Contact>,
    /// Milliseconds since its boot, which was at [`DAWN`].
    pub(crate) monotonic_ms: i64,
}

impl Phone {
    fn of(caller: Caller) -> Self {
        Self {
            caller,
            mseq: 0,
            settled: Mseq(0),
            outbox: Vec::new(),
            cursors: BTreeMap::new(),
            contact: None,
            monotonic_ms: 0,
        }
    }

    pub(crate) fn at(&self) -> At {
        At {
            wall: 0,
            boot: "b".into(),
            monotonic_ms: self.monotonic_ms,
            contact: self.contact.clone(),
        }
    }

    pub(crate) fn author(&mut self, frozen: &Frozen) -> Mid {
        self.mseq += 1;
        let mid = Mid(Uuid::from_u128(
            self.caller.enrolment.0.as_u128() << 16 | u128::from(self.mseq),
        ));
        self.outbox.push(Mutation {
            mid,
            mseq: Mseq(self.mseq),
            frozen: frozen.freeze(),
        });
        mid
    }

    pub(crate) fn create(&mut self, kind: &Kind, id: RecordId, fields: Value) -> Mid {
        let frozen = create(kind, id, &fields, self.at());
        self.author(&frozen)
    }

    pub(crate) fn edit(
        &mut self,
        (kind, id): (&Kind, RecordId),
        seen: Option<Rev>,
        sets: &[(&str, Value, Value)],
    ) -> Mid {
        let frozen = patch(kind, id, seen, sets, self.at());
        self.author(&frozen)
    }

    pub(crate) fn command(&mut self, record: &Record, name: &str, args: Value) -> Mid {
        let frozen = command(record.kind, record, name, args, self.at());
        self.author(&frozen)
    }

    /// Builds the request that a phone sends now, with everything that has no receipt.
    pub(crate) fn request(&mut self, now: i64) -> Request {
        self.monotonic_ms = self.monotonic_ms.max(now - DAWN);
        let scopes = self.cursors.iter().map(|(scope, cursor)| {
            let ask = Ask {
                cursor: cursor.clone(),
                mode: Mode::Pages,
            };
            (scope.clone(), ask)
        });
        Request {
            proto: (1, 1),
            enrolment: self.caller.enrolment,
            echo: None,
            settled_mseq: self.settled,
            highest_mseq: Mseq(self.mseq),
            pending: Pending::default(),
            now: Now {
                wall: now,
                boot: "b".into(),
                monotonic_ms: self.monotonic_ms,
            },
            contact: self.contact.clone(),
            certificate: None,
            schema: 1,
            pull: Some(Pull {
                scopes: scopes.collect(),
                ..Pull::default()
            }),
            mutations: self.outbox.clone(),
            proofs: Vec::new(),
            witness: Vec::new(),
        }
    }

    fn hear(&mut self, answer: &Answer, now: i64) {
        self.settled = answer.received_mseq.max(self.settled);
        self.outbox.retain(|m| m.mseq > self.settled);
        for scope in answer.grants.iter().flatten() {
            self.cursors.entry(scope.clone()).or_default();
        }
        for (scope, page) in &answer.scopes {
            let cursor = Some(page.cursor.clone());
            self.cursors.insert(scope.clone(), cursor);
        }
        self.contact = Some(Contact {
            token: answer.contact.clone(),
            boot: "b".into(),
            monotonic_ms: now - DAWN,
        });
    }
}

pub(crate) fn create(kind: &Kind, id: RecordId, fields: &Value, at: At) -> Frozen {
    let mut frozen = Frozen::new(kind, id, Op::Create, at);
    for (name, value) in fields.as_object().unwrap() {
        let path = Path::parse(name).unwrap();
        match value {
            Value::Array(items) => {
                frozen.add.insert(path, items.clone());
            }
            to => frozen.set.push(Set {
                path,
                was: Value::Null,
                to: to.clone(),
            }),
        }
    }
    frozen
}

pub(crate) fn patch(
    kind: &Kind,
    id: RecordId,
    seen: Option<Rev>,
    sets: &[(&str, Value, Value)],
    at: At,
) -> Frozen {
    let mut frozen = Frozen::new(kind, id, Op::Patch, at);
    frozen.seen = seen;
    for (path, was, to) in sets {
        frozen.set.push(Set {
            path: Path::parse(path).unwrap(),
            was: was.clone(),
            to: to.clone(),
        });
    }
    frozen
}

pub(crate) fn command(kind: &Kind, record: &Record, name: &str, args: Value, at: At) -> Frozen {
    let mut frozen = Frozen::new(kind, record.id, Op::Command, at);
    frozen.seen = Some(record.rev);
    frozen.command = Some(Command {
        name: name.into(),
        args: body::parse(&args.to_string()).unwrap(),
        expect: Expect::of(kind, &record.body),
    });
    frozen
}

pub(crate) fn household() -> Value {
    json!({ "grid": GRID, "tenure": "own", "place": { "compound": "A", "building": "3" } })
}
