//! The reckoning: both sides opened from outside, against what the workers were told.
//!
//! All processes have ended. Each phone's journal is read from its database, not asked of the app;
//! the server's receipts from its; the records are compared by the oracle that the stories use.

#![expect(
    clippy::disallowed_methods,
    reason = "the audit believes the files, not the programs that wrote them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pocketbook::books::account::database;
use pocketbook::store::Store;
use pocketbook::store::blobs::Rendering;
use pocketbook_records::ids::{BlobHash, Mid};
use pocketbook_records::kinds::case::CASE;
use pocketbook_server::admin::wire::{Command, Level, Outcome};
use pocketbook_server::store::bundles;
use pocketbook_server::{Options, Server};
use pocketbook_tests::sim::look::{self, Kept};
use pocketbook_tests::stack::Result;
use pocketbook_tests::stack::folders;
use pocketbook_tests::stack::hands::Hands;
use pocketbook_tests::stack::outcomes::Outcomes;
use pocketbook_tests::stack::screen::{Finding, grouped};
use pocketbook_tests::world::check::{self, Comparison, Reader, Truth};
use rusqlite::Connection;

use super::diary::Told;
use super::phone;
use super::process::Phone;
use super::storm::Storm;
use super::{effects, tally};

/// What the doctor says about the machine and not about the data.
const OF_THE_MACHINE: [&str; 1] = ["disk space"];

/// Everything that was found about one phone.
pub(super) struct Examined {
    /// What is on it.
    pub(super) store: Arc<Store>,
    /// What its worker was told.
    pub(super) told: Told,
    /// All own work, in order.
    pub(super) journal: Vec<Kept>,
}

impl Examined {
    /// The photos of all work that was not taken back.
    fn photos_told(&self) -> impl Iterator<Item = BlobHash> {
        let void = Some("void");
        let taken_back = self
            .journal
            .iter()
            .filter(move |kept| kept.outcome.as_deref() == void);
        let taken_back: BTreeSet<Mid> = taken_back.map(|kept| kept.mid).collect();
        let photos = self.told.photos.iter();
        photos
            .filter(move |(mid, _)| !taken_back.contains(mid))
            .map(|(_, hash)| *hash)
    }
}

/// Ends the server and compares everything with everything.
pub(crate) fn findings(storm: &mut Storm<'_>) -> Result<Vec<Finding>> {
    storm.screen.tell(
        "逐条核对：告诉过网格员「已保存」的，一件都不能少。",
        "Everything is compared: what a worker was told is saved must be there.",
    );
    let doctor = ailments(storm)?;
    storm.district.ends()?;
    let server = Server::open(storm.district.folder(), Options::inline())?;
    let truth = Truth::of(&server);
    let mut examined = Vec::new();
    for phone in &storm.phones {
        examined.push(examine(phone)?);
    }
    Ok(vec![
        tally::happened(storm),
        tally::faults(storm),
        tally::work(&examined),
        kept(storm, &server, &examined)?,
        effects::once(&truth, &examined)?,
        in_step(&examined)?,
        equal(storm, &truth, &examined)?,
        photos(storm, &truth, &examined)?,
        books(storm, &server, &examined)?,
        doctor,
        tally::quiet(storm)?,
        tally::nothing_odd(storm, &examined),
    ])
}

fn examine(phone: &Phone) -> Result<Examined> {
    if pocketbook_sqlite::is_encryption_built() {
        return Err("the journals of encrypted phones can't be read from outside".into());
    }
    let journal = look::authored(&Connection::open(database(phone.folder()))?)?;
    Ok(Examined {
        store: Arc::new(phone::open(phone.folder(), &phone.orders.invitation)?),
        told: Told::read(phone.folder())?,
        journal,
    })
}

/// The doctor's word, after a backup such as every night has. A warning counts as much: that the
/// history was rolled back is one, and here nobody restored anything.
fn ailments(storm: &Storm<'_>) -> Result<Finding> {
    storm.district.does(&Command::Backup {
        folder: storm.backup(),
    })?;
    let Outcome::Findings { findings } = storm.district.does(&Command::Doctor)? else {
        return Err("the doctor found nothing to say".into());
    };
    let of_the_machine = |about: &str| OF_THE_MACHINE.iter().any(|word| about.contains(word));
    let ailments: Vec<_> = findings
        .iter()
        .filter(|finding| finding.level != Level::Good && !of_the_machine(&finding.about))
        .map(|finding| format!("; {}: {}", finding.about, finding.text))
        .collect();
    Ok(Finding {
        what: ("体检：数据一切正常", "The doctor: the data are in order"),
        found: (
            format!("{} 项，{} 项异常", findings.len(), ailments.len()),
            format!(
                "{} looked at, {} not in order{}",
                findings.len(),
                ailments.len(),
                ailments.concat()
            ),
        ),
        holds: ailments.is_empty(),
    })
}

/// What a worker was told is in the journal, and journal and receipts are the same, without holes.
fn kept(storm: &Storm<'_>, server: &Server, examined: &[Examined]) -> Result<Finding> {
    let (mut lost, mut differing) = (Vec::new(), Vec::new());
    let (mut judged, mut outcomes) = (0, Outcomes::default());
    for (phone, one) in storm.phones.iter().zip(examined) {
        let login = phone.login;
        let mids: BTreeSet<Mid> = one.journal.iter().map(|kept| kept.mid).collect();
        let missing = one.told.saved.difference(&mids);
        lost.extend(missing.map(|mid| format!("; {login} lost {mid}")));
        let rows = look::receipts(server, one.store.account()?.enrolment);
        let receipts: Vec<_> = rows.iter().flat_map(|row| &row.receipts).collect();
        judged += receipts.len();
        receipts
            .iter()
            .for_each(|receipt| outcomes.count(Some(receipt.outcome)));
        let there = receipts.iter().enumerate().map(|(n, receipt)| {
            let outcome = serde_json::to_value(receipt.outcome).ok();
            let outcome = outcome.and_then(|word| Some(word.as_str()?.to_owned()));
            (n as u64 + 1, receipt.mseq.0, receipt.mid, outcome)
        });
        let here = one.journal.iter().enumerate().map(|(n, kept)| {
            let outcome = kept.outcome.clone();
            (n as u64 + 1, kept.mseq, kept.mid, outcome)
        });
        let here: Vec<_> = here.collect();
        let has_holes = here.iter().any(|(n, mseq, _, _)| n != mseq);
        let waits = here.iter().any(|(_, _, _, outcome)| outcome.is_none());
        if has_holes || waits || !there.eq(here) {
            let (journal, receipts) = (one.journal.len(), receipts.len());
            differing.push(format!(
                "; {login}: {journal} in the journal, {receipts} receipts, holes: {has_holes}, waiting: {waits}"
            ));
        }
    }
    Ok(Finding {
        what: (
            "没有丢失，编号无空洞，回执各一",
            "None lost, no holes, one receipt each",
        ),
        found: (
            format!(
                "{judged} 份回执（{}），丢失 {}，不符 {}",
                outcomes.told().0,
                lost.len(),
                differing.len()
            ),
            format!(
                "{judged} receipts ({}), {} lost, {} phones differ{}{}",
                outcomes.told().1,
                lost.len(),
                differing.len(),
                lost.concat(),
                differing.concat()
            ),
        ),
        holds: lost.is_empty() && differing.is_empty() && judged > 0,
    })
}

fn in_step(examined: &[Examined]) -> Result<Finding> {
    let (mut waiting, mut photos, mut failed, mut in_step) = (0, 0, 0, 0);
    for one in examined {
        let status = one.store.status()?;
        waiting += status.waiting;
        photos += status.photos;
        failed += status.failed_photos;
        in_step += usize::from(Hands::on(one.store.clone()).is_in_step()?);
    }
    Ok(Finding {
        what: ("待发队列", "What waits on the phones"),
        found: (
            format!("{waiting} 项改动，{photos} 张照片，{failed} 张被拒"),
            format!("{waiting} changes, {photos} photos, {failed} refused"),
        ),
        holds: waiting == 0 && photos == 0 && failed == 0 && in_step == examined.len(),
    })
}

fn equal(storm: &Storm<'_>, truth: &Truth, examined: &[Examined]) -> Result<Finding> {
    let mut comparison = Comparison::default();
    for (phone, one) in storm.phones.iter().zip(examined) {
        let user = one.store.account()?.user;
        let reader = Reader {
            name: phone.login,
            user,
            entitled: &check::scopes_of_worker(user, phone.grids()),
            store: &one.store,
        };
        check::compare_store(truth, &reader, &mut comparison);
    }
    let (records, differences) = (comparison.records, &comparison.differences);
    let first = differences
        .first()
        .map(|first| format!("; {first}"))
        .unwrap_or_default();
    Ok(Finding {
        what: ("手机 = 服务器，逐条", "Phones = server, record by record"),
        found: (
            format!(
                "比对 {} 条，{} 条不同",
                grouped(records as u64),
                differences.len()
            ),
            format!(
                "{} compared, {} differ{first}",
                grouped(records as u64),
                differences.len()
            ),
        ),
        holds: differences.is_empty() && records > 0,
    })
}

/// The photos that cases name, those on the server's disk, and those that each phone fetched.
fn photos(storm: &Storm<'_>, truth: &Truth, examined: &[Examined]) -> Result<Finding> {
    let cases = truth.of_kind(&CASE);
    let named: BTreeSet<BlobHash> = cases
        .flat_map(|(_, case)| check::photos_of(CASE.name, &case.body))
        .collect();
    let there = folders::hashes_in(&storm.district.folder().join("data/blobs"))?;
    let told: BTreeSet<_> = examined.iter().flat_map(Examined::photos_told).collect();
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    *missing.entry("server").or_default() =
        named.difference(&there).count() + told.difference(&there).count();
    let mut on_phones = 0;
    for (phone, one) in storm.phones.iter().zip(examined) {
        for ((kind, _), shown) in check::shown_in(&one.store) {
            for hash in check::photos_of(kind, &shown.body) {
                let here = one.store.photo(hash, Rendering::Master)?;
                let is_same = here.is_some_and(|bytes| BlobHash::of(&bytes) == hash);
                on_phones += usize::from(is_same);
                *missing.entry(phone.login).or_default() += usize::from(!is_same);
            }
        }
    }
    let without: Vec<_> = missing
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(who, count)| format!("; {who} lacks {count}"))
        .collect();
    Ok(Finding {
        what: ("照片：SHA-256 一致", "Photos equal by SHA-256"),
        found: (
            format!("{} 张在服务器，手机上比对 {on_phones} 次", there.len()),
            format!(
                "{} on the server, {on_phones} compared on phones{}",
                there.len(),
                without.concat()
            ),
        ),
        holds: without.is_empty() && !named.is_empty(),
    })
}

fn books(storm: &Storm<'_>, server: &Server, examined: &[Examined]) -> Result<Finding> {
    let community = &storm.community;
    let newest = server.read(|store| bundles::newest(store, community))?;
    let newest = newest.map(|book| book.version);
    let mut current = 0;
    for one in examined {
        current += usize::from(one.store.book_version(community)? == newest);
    }
    Ok(Finding {
        what: ("口袋书：最新版", "The pocket book, newest edition"),
        found: (format!("{current} 部手机"), format!("on {current} phones")),
        holds: newest.is_some() && current == examined.len(),
    })
}
