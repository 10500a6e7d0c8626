//! The oracle: server and phones, record by record.
//!
//! It believes neither side. What a phone must hold it works out from the duties that the operator
//! gave and from the records' own fields (a child's grid is its household's, a review's is that of
//! the record in question), without the server's index. Then it compares: every record of an
//! entitled scope is on the phone, shown as the same canonical body at the same rev; nothing else
//! is there; what waits is nothing; each photo has the bytes of its name on both sides.
//!
//! Own work in the tray lies over what is shown, by design. Of those records only presence is
//! compared.

use std::collections::{BTreeMap, BTreeSet};

use pocketbook::store::blobs::Rendering;
use pocketbook::store::status::SyncState;
use pocketbook_records::body::{self, Fields};
use pocketbook_records::ids::{BlobHash, Commit, RecordId, UnitId, UserId};
use pocketbook_records::kind::{Home, Kind, Shape};
use pocketbook_records::kinds;
use pocketbook_records::scope::{Scope, scopes};
use pocketbook_server::store::{Store, records};
use pocketbook_server::{Fault, Server, params};
use serde_json::Value;

use super::client::Client;
use super::phone::Phone;
use super::town::Town;

/// A record's kind and id.
pub type Key = (&'static str, RecordId);

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Records compared, over all phones.
    pub records: usize,
    /// Photos compared by SHA-256, over all phones.
    pub photos: usize,
    /// What differs; empty if all is well.
    pub differences: Vec<String>,
}

/// A record as one side has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The commit that last changed it.
    pub rev: Commit,
    /// Its fields.
    pub body: Fields,
}

/// All records of a server that phones may hold.
#[derive(Debug)]
pub struct Truth {
    records: BTreeMap<Key, Held>,
    /// The deleted and the archived ones: what hangs on them lies where they lay.
    gone: BTreeMap<Key, Held>,
}

impl Truth {
    /// Reads a server's records in one snapshot.
    pub fn of(server: &Server) -> Self {
        let read = |gone| server.read(|store| all(store, gone, Commit::default()));
        Self {
            records: read(false).expect("the server's records read"),
            gone: read(true).expect("the others read"),
        }
    }

    /// Reads what was changed after a commit and is still there.
    pub fn since(server: &Server, commit: Commit) -> Self {
        let read = server.read(|store| all(store, false, commit));
        Self {
            records: read.expect("the server's records read"),
            gone: BTreeMap::new(),
        }
    }

    /// Returns one record.
    pub fn get(&self, kind: &'static Kind, id: RecordId) -> Option<&Held> {
        self.records.get(&(kind.name, id))
    }

    /// Returns all of a kind.
    pub fn of_kind(&self, kind: &'static Kind) -> impl Iterator<Item = (RecordId, &Held)> {
        self.records
            .iter()
            .filter(|((name, _), _)| *name == kind.name)
            .map(|((_, id), held)| (*id, held))
    }

    /// Returns every record with its body: to tell whether anything changed at all.
    pub fn records(&self) -> &BTreeMap<Key, Held> {
        &self.records
    }

    /// Returns the records that lie in any of these scopes.
    pub fn within(&self, granted: &[Scope]) -> BTreeMap<Key, &Held> {
        let lies_within = |key: Key, held: &Held| {
            let kind = Kind::named(key.0).expect("the server keeps known kinds");
            let home = self.home(kind, key.1, &held.body, 0);
            scopes(kind, &held.body, home.as_ref())
                .iter()
                .any(|scope| granted.contains(scope))
        };
        let records = self.records.iter();
        records
            .filter(|(key, held)| lies_within(**key, held))
            .map(|(key, held)| (*key, held))
            .collect()
    }

    /// Works out a record's grid from what it hangs on.
    fn home(&self, kind: &'static Kind, id: RecordId, body: &Fields, height: u8) -> Option<UnitId> {
        let of = |kind: &'static str, id: RecordId| {
            let key = (kind, id);
            let held = self.records.get(&key).or_else(|| self.gone.get(&key))?;
            (height < 5).then(|| self.home(Kind::named(kind)?, id, &held.body, height + 1))?
        };
        match kind.home {
            Home::Grid(field) => text(body, field).map(UnitId::from),
            Home::Parent(parent) => match parent.field {
                Some(field) => of(parent.kind, id_in(body, field)?),
                None => of(parent.kind, id),
            },
            Home::Noted => of(Kind::named(text(body, "of")?)?.name, id_in(body, "record")?),
            // Only what waits for the holder lies in his grid; corrections are the author's.
            Home::AuthorAnd(_) if text(body, "state") != Some("parked") => None,
            Home::AuthorAnd(_) => {
                let of_kind = Kind::named(text(body, "of")?)?;
                let record = id_in(body, "record")?;
                of(of_kind.name, record).or_else(|| self.home_of_unborn(of_kind, body))
            }
        }
    }

    /// A parked creation's record does not exist; its grid is the one that it names.
    fn home_of_unborn(&self, kind: &'static Kind, item: &Fields) -> Option<UnitId> {
        let frozen = pocketbook_records::mutation::Frozen::parse(text(item, "frozen")?).ok()?;
        let mut body = Fields::new();
        pocketbook_records::overlay::overlay(kind, &mut body, &frozen);
        self.home(kind, frozen.id, &body, 1)
    }

    /// Returns the records over which this account's own work in the tray lies.
    fn in_own_tray(&self, user: UserId) -> BTreeSet<Key> {
        let trays = [&kinds::parked::PARKED, &kinds::parked::PARKED_SENSITIVE];
        let items = trays.into_iter().flat_map(|kind| self.of_kind(kind));
        let mine = items.filter(|(_, item)| {
            let is_open = matches!(text(&item.body, "state"), Some("parked" | "rejected"));
            is_open && text(&item.body, "author") == Some(&user.to_string())
        });
        let key = |item: &Held| {
            Some((
                Kind::named(text(&item.body, "of")?)?.name,
                id_in(&item.body, "record")?,
            ))
        };
        mine.filter_map(|(_, item)| key(item)).collect()
    }
}

/// Compares a server with phones that have nothing left to do.
pub async fn compare(town: &std::sync::Arc<Town>, phones: &[&Phone]) -> Comparison {
    let truth = Truth::of(&town.server());
    let mut comparison = Comparison::default();
    for phone in phones {
        compare_queues(phone, &mut comparison);
        compare_records(town, &truth, phone, &mut comparison);
        let client = Client::with(std::sync::Arc::clone(town), phone.bearer());
        compare_photos(town, &truth, phone, &client, &mut comparison).await;
    }
    comparison
}

fn compare_queues(phone: &Phone, comparison: &mut Comparison) {
    let status = phone.status();
    let is_done = matches!(status.state, SyncState::Synced | SyncState::NeedsAttention);
    if !is_done || status.waiting > 0 || status.photos > 0 {
        comparison
            .differences
            .push(format!("{phone:?} is not done: {status:?}"));
    }
}

fn compare_records(town: &Town, truth: &Truth, phone: &Phone, comparison: &mut Comparison) {
    let reader = Reader {
        name: &format!("{phone:?}"),
        user: phone.user(),
        entitled: &town.entitled(phone.user()),
        store: &phone.store(),
    };
    compare_store(truth, &reader, comparison);
}

/// Returns what a worker of these grids may read.
pub fn scopes_of_worker(user: UserId, grids: &[UnitId]) -> Vec<Scope> {
    let of_grid = |grid: &UnitId| [Scope::General(grid.clone()), Scope::Sensitive(grid.clone())];
    std::iter::once(Scope::User(user))
        .chain(grids.iter().flat_map(of_grid))
        .collect()
}

/// An account on a device, and what it may read.
#[derive(Debug)]
pub struct Reader<'r> {
    /// What it is called where it differs.
    pub name: &'r str,
    /// The account.
    pub user: UserId,
    /// Its scopes, worked out without the server.
    pub entitled: &'r [Scope],
    /// What the device holds.
    pub store: &'r pocketbook::store::Store,
}

/// Compares a device's store with the truth, record by record.
pub fn compare_store(truth: &Truth, reader: &Reader<'_>, comparison: &mut Comparison) {
    let name = reader.name;
    let mut expected = truth.within(reader.entitled);
    let in_tray = truth.in_own_tray(reader.user);
    for (key, shown) in shown_in(reader.store) {
        let Some(held) = expected.remove(&key) else {
            if !in_tray.contains(&key) {
                comparison
                    .differences
                    .push(format!("{name} holds {key:?}, which is not its"));
            }
            continue;
        };
        comparison.records += 1;
        if in_tray.contains(&key) {
            continue;
        }
        let (here, there) = (body::write(&shown.body), body::write(&held.body));
        if here != there || shown.rev != held.rev {
            let revs = (shown.rev, held.rev);
            comparison.differences.push(format!(
                "{name} shows {key:?} {revs:?} as {here}, the server has {there}"
            ));
        }
    }
    // A deletion in the own tray hides its record.
    for key in expected.keys().filter(|key| !in_tray.contains(*key)) {
        comparison.differences.push(format!("{name} lacks {key:?}"));
    }
}

/// Returns every record that a phone shows.
pub fn shown_on(phone: &Phone) -> BTreeMap<Key, Held> {
    shown_in(&phone.store())
}

/// Returns every record that a device's store shows.
pub fn shown_in(store: &pocketbook::store::Store) -> BTreeMap<Key, Held> {
    let mut shown = BTreeMap::new();
    for kind in kinds::ALL {
        let mut after = None;
        loop {
            let page = store
                .list(kind, None, after.as_ref(), 200)
                .expect("the store reads");
            for row in page.rows {
                let held = Held {
                    rev: row.rev.unwrap_or_default(),
                    body: row.fields,
                };
                assert!(
                    shown.insert((kind.name, row.id), held).is_none(),
                    "a list shows a record twice"
                );
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    shown
}

async fn compare_photos(
    town: &Town,
    truth: &Truth,
    phone: &Phone,
    client: &Client,
    comparison: &mut Comparison,
) {
    let readable = truth.within(&town.entitled(phone.user()));
    let hashes: BTreeSet<BlobHash> = readable
        .iter()
        .flat_map(|(key, held)| photos_of(key.0, &held.body))
        .collect();
    for hash in hashes {
        comparison.photos += 1;
        let there = client.gets(&format!("/v1/blobs/{hash}")).await;
        if there.status != 200 || BlobHash::of(&there.body) != hash {
            comparison.differences.push(format!(
                "the server gives {phone:?} {} for {hash}",
                there.status
            ));
        }
        let here = phone
            .store()
            .photo(hash, Rendering::Master)
            .expect("the photo's file reads");
        if here.is_some_and(|here| BlobHash::of(&here) != hash) {
            comparison
                .differences
                .push(format!("{phone:?} has other bytes for {hash}"));
        }
    }
}

/// Returns the photos that a record names, those of its steps too.
pub fn photos_of(kind: &str, body: &Fields) -> Vec<BlobHash> {
    let kind = Kind::named(kind).expect("a known kind");
    let blobs = kind
        .fields
        .iter()
        .filter(|field| field.shape == Shape::Blobs);
    let own = blobs.filter_map(|field| body.get(field.name));
    let steps = body
        .get("steps")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let stepped = steps.filter_map(|step| step.get("args")?.get("photos"));
    let lists = own.chain(stepped).filter_map(Value::as_array).flatten();
    lists
        .filter_map(|hash| hash.as_str()?.parse().ok())
        .collect()
}

fn all(store: Store<'_>, gone: bool, since: Commit) -> Result<BTreeMap<Key, Held>, Fault> {
    let keys = store.sql.all(
        "SELECT kind, id
         FROM records
         WHERE district = $1 AND (deleted = 1 OR archived = 1) = $2 AND rev > $3",
        params![store.district, gone, since],
        |row| Ok((row.text(0)?.to_owned(), row.get::<RecordId>(1)?)),
    )?;
    let mut records = BTreeMap::new();
    for (kind, id) in keys {
        let kind = Kind::named(&kind).expect("the server keeps known kinds");
        let found = records::find(store, kind, id)?.expect("a row that was just listed");
        records.insert(
            (kind.name, id),
            Held {
                rev: found.rev,
                body: found.body,
            },
        );
    }
    Ok(records)
}

fn text<'f>(body: &'f Fields, field: &str) -> Option<&'f str> {
    body.get(field).and_then(Value::as_str)
}

fn id_in(body: &Fields, field: &str) -> Option<RecordId> {
    text(body, field)?.parse().ok()
}
