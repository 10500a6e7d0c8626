//! The district is set up: the real server, the real organisation, invented residents.

use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_server::book::folder;
use pocketbook_tests::data::book_folder;

use crate::Result;
use crate::stage::{Cast, Stage};
use pocketbook_tests::stack::screen::grouped;

pub(super) async fn play(stage: &Stage<'_>) -> Result<Cast> {
    let screen = stage.screen;
    screen.title(
        "口袋书 · 秦都区网格员的离线工作本",
        "Pocketbook: the offline working book of Qindu District's grid workers",
    );
    screen.scene("搭台", "Setting the stage");
    let process = stage.district.process().unwrap_or_default();
    screen.tell(
        format!(
            "启动真实的服务器进程（{process} 号），{}",
            stage.district.url()
        ),
        "The real server, in a process of its own.",
    );
    take_organisation(stage)?;
    take_residents(stage)?;
    take_book(stage)?;
    let cast = stage.cast().await?;
    let street = stage.street();
    screen.tell(
        format!("人物：网格员王、李，网格长赵，{}的陈，处置单位的孙。", stage.name_of(&street.0)),
        "The cast: grid workers Wang and Li with a phone each, their head Zhao, Chen at the street's desk, Sun of the handling unit.",
    );
    Ok(cast)
}

fn take_organisation(stage: &Stage<'_>) -> Result<()> {
    let outcome = stage
        .district
        .takes(&Command::ImportOrg, std::iter::once(&stage.org), |_| {})?;
    let Outcome::Org { units, users, .. } = outcome else {
        return Err("no organisation".into());
    };
    stage.screen.check(
        units > 1_000 && users == 1_212,
        format!(
            "秦都区组织架构：{units} 个单位，{users} 名工作人员",
            units = grouped(units),
            users = grouped(users)
        ),
        "Qindu's organisation with its real codes: units and staff",
    );
    Ok(())
}

fn take_residents(stage: &Stage<'_>) -> Result<()> {
    let total = stage.households * 2;
    let people: usize = (0..2)
        .flat_map(|n| stage.residents(n))
        .map(|line| line.people.len())
        .sum();
    let bar = stage
        .screen
        .bar(total as u64, "导入户档案", "importing households");
    let lines = (0..2).flat_map(|n| stage.residents(n));
    let outcome = stage
        .district
        .takes(&Command::ImportPeople, lines, |done| bar.at(done))?;
    drop(bar);
    let Outcome::People { added, bad, .. } = outcome else {
        return Err("no residents".into());
    };
    let [one, other] = &stage.grids;
    stage.screen.check(
        bad == 0 && added >= (total + people) as u64,
        format!(
            "{}、{}：各 {} 户，共 {} 人",
            one.name,
            other.name,
            stage.households,
            grouped(people as u64)
        ),
        format!(
            "Two grids, {} households each, {} residents, all invented",
            stage.households,
            grouped(people as u64)
        ),
    );
    Ok(())
}

fn take_book(stage: &Stage<'_>) -> Result<()> {
    let files = folder::read(&book_folder())?;
    let bar = stage.screen.bar(
        files.len() as u64,
        "发布口袋书",
        "publishing the pocket book",
    );
    let outcome = stage
        .district
        .takes(&Command::PublishBook, files.iter(), |done| bar.at(done))?;
    drop(bar);
    let Outcome::Book { renewed, parts, .. } = outcome else {
        return Err("no pocket book".into());
    };
    stage.screen.check(
        renewed > 0 && parts == files.len() as u64,
        format!("发布并签名口袋书：{renewed} 个社区，{parts} 个部分"),
        "The pocket book, signed, an edition for each community",
    );
    Ok(())
}
