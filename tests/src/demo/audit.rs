//! The last table, computed from the stores themselves.
//!
//! The server's process has ended in good order; its directory is opened as any program may open
//! it. What each phone must hold is worked out from the duties that were given, not from what the
//! server says ([`check`]); what became of each piece of work, from the receipts in the server's
//! database against the list of what the phones authored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pocketbook::store::blobs::Rendering;
use pocketbook_records::ids::{BlobHash, Mid, Mseq, RecordId};
use pocketbook_records::kinds::case::CASE;
use pocketbook_records::kinds::household::HOUSEHOLD;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::kinds::review::{self, REVIEW_SENSITIVE};
use pocketbook_records::receipt::Outcome;
use pocketbook_records::scope::Scope;
use pocketbook_server::store::receipts;
use pocketbook_server::{Options, Server};
use pocketbook_tests::stack::folders;
use pocketbook_tests::stack::outcomes::Outcomes;
use pocketbook_tests::world::check::{self, Comparison, Reader, Truth};
use serde_json::Value;

use super::Result;
use super::desk::Desk;
use super::phone::Phone;
use super::scenes::{Day, LIS_NUMBER, WANGS_NUMBER};
use super::stage::{Cast, Stage};
use pocketbook_tests::stack::screen::{Finding, grouped};

/// What is looked at when the day is over.
pub(crate) struct Audit<'a> {
    /// Where it took place.
    pub(crate) stage: &'a Stage<'a>,
    /// Who played.
    pub(crate) cast: &'a Cast,
    /// What was done.
    pub(crate) day: &'a Day,
    /// The backup.
    pub(crate) backup: &'a Path,
}

impl Audit<'_> {
    /// Ends the server and compares everything with everything.
    pub(crate) async fn findings(&self) -> Result<Vec<Finding>> {
        self.stage.screen.scene("核对", "The reckoning");
        self.stage.screen.tell(
            "服务器正常退出。打开它的数据目录和两部手机的数据库，逐条比对：",
            "The server ends in good order. Its directory and both phones' databases are compared:",
        );
        let served = self.photos_served().await?;
        self.stage.district.ends()?;
        let server = Server::open(self.stage.district.folder(), Options::inline())?;
        let truth = Truth::of(&server);
        let (wang, li) = (&self.cast.wang, &self.cast.li);
        let both = [self.stage.grid(0), self.stage.grid(1)];
        Ok(vec![
            equal(
                &truth,
                wang,
                &check::scopes_of_worker(wang.user(), &both),
                ("王的手机 = 服务器", "Wang's phone = server"),
            ),
            equal(
                &truth,
                li,
                &check::scopes_of_worker(li.user(), &both[..1]),
                ("李的手机 = 服务器", "Li's phone = server"),
            ),
            self.photos(&truth, &served)?,
            queues(&[wang, li])?,
            nothing_lost(&server, &[wang, li])?,
            self.everyone_there(&truth),
            self.conflict_kept(&truth),
            self.steps(&truth),
            self.backup_equals(&truth)?,
        ])
    }

    /// Fetches every photo that a case names, as its reader does.
    async fn photos_served(&self) -> Result<BTreeSet<BlobHash>> {
        let reader = Desk::with(&self.stage.district.url(), self.cast.wang.bearer())?;
        let mut served = BTreeSet::new();
        for (key, shown) in check::shown_in(self.cast.wang.store()) {
            for hash in check::photos_of(key.0, &shown.body) {
                let there = reader.gets(&format!("/v1/blobs/{hash}")).await?;
                if there.status == 200 && BlobHash::of(&there.body) == hash {
                    served.insert(hash);
                }
            }
        }
        Ok(served)
    }

    fn photos(&self, truth: &Truth, served: &BTreeSet<BlobHash>) -> Result<Finding> {
        let named = photos_named(truth);
        let kept = folders::hashes_in(&self.stage.district.folder().join("data/blobs"))?;
        let mut own = 0;
        for hash in &self.day.photos {
            let here = self.cast.wang.store().photo(*hash, Rendering::Master)?;
            own += usize::from(here.is_some_and(|bytes| BlobHash::of(&bytes) == *hash));
        }
        let holds =
            !named.is_empty() && named == kept && named == *served && own == self.day.photos.len();
        Ok(Finding {
            what: ("照片：SHA-256 一致", "Photos equal by SHA-256"),
            found: (
                format!(
                    "{} 张：服务器 {}，下载 {}，手机 {own}",
                    named.len(),
                    kept.len(),
                    served.len()
                ),
                format!(
                    "{} named: {} on disk, {} fetched, {own} on phone",
                    named.len(),
                    kept.len(),
                    served.len()
                ),
            ),
            holds,
        })
    }

    /// Every imported resident is still there, and both newcomers.
    fn everyone_there(&self, truth: &Truth) -> Finding {
        let lines: Vec<_> = (0..2).flat_map(|n| self.stage.residents(n)).collect();
        let homes = lines
            .iter()
            .filter(|line| truth.get(&HOUSEHOLD, RecordId(line.household.id)).is_some());
        let people: Vec<_> = lines.iter().flat_map(|line| &line.people).collect();
        let there = people
            .iter()
            .filter(|person| truth.get(&PERSON, RecordId(person.id)).is_some());
        let (homes, there) = (homes.count(), there.count());
        let all = truth.of_kind(&PERSON).count();
        Finding {
            what: (
                "导入的住户都在，新登记 2 人",
                "All residents, and two newcomers",
            ),
            found: (
                format!("{} 户，{} 人", grouped(homes as u64), grouped(all as u64)),
                format!(
                    "{} households, {} residents",
                    grouped(homes as u64),
                    grouped(all as u64)
                ),
            ),
            holds: homes == lines.len() && there == people.len() && all == people.len() + 2,
        }
    }

    /// The number that was chosen is on file, and every number that anybody wrote is on record.
    fn conflict_kept(&self, truth: &Truth) -> Finding {
        let id = review::id(PERSON_SENSITIVE.name, self.day.head, "phone");
        let review = truth.get(&REVIEW_SENSITIVE, id);
        let candidates = review.and_then(|review| review.body.get("candidates")?.as_array());
        let values: BTreeSet<_> = candidates
            .into_iter()
            .flatten()
            .filter_map(|candidate| candidate["value"].as_str())
            .collect();
        let wanted = BTreeSet::from([self.day.old_phone.as_str(), WANGS_NUMBER, LIS_NUMBER]);
        let is_closed =
            review.is_some_and(|review| review.body.get("state") == Some(&Value::from("closed")));
        let on_file = truth.get(&PERSON_SENSITIVE, self.day.head);
        let on_file = on_file.and_then(|person| person.body.get("phone")?.as_str());
        Finding {
            what: (
                "电话冲突：已裁决，各值都在",
                "Conflict decided, all values kept",
            ),
            found: (
                format!("现为 {}，存 {} 个值", on_file.unwrap_or("无"), values.len()),
                format!(
                    "{} on file, {} values on record",
                    on_file.unwrap_or("none"),
                    values.len()
                ),
            ),
            holds: is_closed && values == wanted && on_file == Some(LIS_NUMBER),
        }
    }

    fn steps(&self, truth: &Truth) -> Finding {
        const LOOP: [&str; 9] = [
            "report",
            "accept",
            "dispatch",
            "done",
            "feedback",
            "send_back",
            "done",
            "feedback",
            "close",
        ];
        let case = truth.get(&CASE, self.day.case);
        let steps = case
            .and_then(|case| case.body.get("steps")?.as_array())
            .cloned()
            .unwrap_or_default();
        let taken: Vec<_> = steps
            .iter()
            .filter_map(|step| step["command"].as_str())
            .collect();
        let by = steps
            .iter()
            .filter(|step| step["by"].is_string() && step["at"].is_i64())
            .count();
        Finding {
            what: (
                "井盖一案：每步有人有时",
                "The case: who took each step, when",
            ),
            found: (
                format!("{} 步，{by} 步记有何人何时，退回 1 次", taken.len()),
                format!("{} steps, sent back once, {by} signed", taken.len()),
            ),
            holds: taken == LOOP && by == LOOP.len(),
        }
    }

    /// The backup, with the keys that are kept apart from it, is the same district.
    fn backup_equals(&self, truth: &Truth) -> Result<Finding> {
        let folder = self.stage.folder().join("restored");
        folders::copy(self.backup, &folder.join("data"))?;
        for beside in ["keys", "beside"] {
            folders::copy(
                &self.stage.district.folder().join(beside),
                &folder.join(beside),
            )?;
        }
        let server = Server::open(&folder, Options::inline())?;
        let (copied, photos) = (
            Truth::of(&server),
            folders::hashes_in(&self.backup.join("blobs"))?,
        );
        let records = copied.records().len();
        Ok(Finding {
            what: ("备份 = 服务器", "Backup = server"),
            found: (
                format!(
                    "{} 条记录，{} 张照片",
                    grouped(records as u64),
                    photos.len()
                ),
                format!(
                    "{} records, {} photos",
                    grouped(records as u64),
                    photos.len()
                ),
            ),
            holds: copied.records() == truth.records() && photos == photos_named(truth),
        })
    }
}

fn photos_named(truth: &Truth) -> BTreeSet<BlobHash> {
    let cases = truth.of_kind(&CASE);
    cases
        .flat_map(|(_, case)| check::photos_of(CASE.name, &case.body))
        .collect()
}

fn equal(
    truth: &Truth,
    phone: &Phone,
    entitled: &[Scope],
    what: (&'static str, &'static str),
) -> Finding {
    let mut comparison = Comparison::default();
    let reader = Reader {
        name: phone.name(),
        user: phone.user(),
        entitled,
        store: phone.store(),
    };
    check::compare_store(truth, &reader, &mut comparison);
    let (records, differing) = (
        grouped(comparison.records as u64),
        comparison.differences.len(),
    );
    let first = comparison
        .differences
        .first()
        .map(|first| format!("; {first}"))
        .unwrap_or_default();
    Finding {
        what,
        found: (
            format!("逐条比对 {records} 条，{differing} 条不同"),
            format!("{records} records compared, {differing} differ{first}"),
        ),
        holds: differing == 0 && comparison.records > 0,
    }
}

fn queues(phones: &[&std::sync::Arc<Phone>]) -> Result<Finding> {
    let (mut changes, mut photos, mut in_step) = (0, 0, 0);
    for phone in phones {
        let status = phone.status()?;
        changes += status.waiting;
        photos += status.photos;
        in_step += usize::from(phone.is_in_step()?);
    }
    Ok(Finding {
        what: ("两部手机的待发队列", "What waits on both phones"),
        found: (
            format!("{changes} 项改动，{photos} 张照片"),
            format!("{changes} changes, {photos} photos"),
        ),
        holds: changes == 0 && photos == 0 && in_step == phones.len(),
    })
}

/// Every piece of work that a phone authored has exactly one terminal receipt on the server.
fn nothing_lost(server: &Server, phones: &[&std::sync::Arc<Phone>]) -> Result<Finding> {
    let (mut authored, mut judged) = (0, 0);
    let mut outcomes = Outcomes::default();
    for phone in phones {
        let rows = server.read(|store| receipts::above(store, phone.enrolment(), Mseq(0)))?;
        let all: Vec<_> = rows.into_iter().flat_map(|row| row.receipts).collect();
        let by_mid: BTreeMap<Mid, Outcome> = all
            .iter()
            .map(|receipt| (receipt.mid, receipt.outcome))
            .collect();
        authored += phone.authored().len();
        judged += all.len();
        for work in phone.authored() {
            outcomes.count(by_mid.get(&work.mid).copied());
        }
    }
    Ok(Finding {
        what: (
            "没有丢失：所做 = 服务器回执",
            "Nothing lost: work = receipts",
        ),
        found: (
            format!("{authored} = {}", outcomes.told().0),
            format!("{authored} = {}", outcomes.told().1),
        ),
        holds: authored == judged && authored > 0 && outcomes.lost() == 0,
    })
}
