//! Commands: steps of a record's workflow.

use serde_json::{Value, json};

use pocketbook_records::body::Fields;
use pocketbook_records::ids::UnitId;
use pocketbook_records::kind::{Home, Shape};
use pocketbook_records::mutation::Command;
use pocketbook_records::path::Path;
use pocketbook_records::receipt::{Outcome, Reason};
use pocketbook_records::workflow::{self, Illegal, Line, Workflow};

use super::{admit, duplicate, is_in, known};
use crate::apply::Work;
use crate::apply::facts::Facts;
use crate::apply::verdict::{Change, Effect, Taken, Verdict};
use crate::caller::Station;
use crate::store::records::Record;

pub(super) fn command(facts: &Facts, work: &Work) -> Result<Taken, Verdict> {
    let record = known(facts)?;
    admit(facts)?;
    if record.deleted {
        return Err(Verdict::parked(Reason::Gone));
    }
    let given = facts.edit.command.as_ref();
    let given = given.ok_or(Verdict::Rejected(Reason::Malformed))?;
    let state = record.stamps.fields.get(&Path::field("state"));
    if is_in(facts, work, record, state) {
        return Ok(duplicate(record));
    }
    if is_stale(facts.kind.workflow, record, given) {
        return Err(stale(facts, given));
    }
    let (line, args) = legal(facts, &record.body, given, work)?;
    let mut after = record.clone();
    carry_out(&mut after, line, &args, work);
    let mut effect = Effect {
        needs_number: line.sets.contains(&("number", "number")) && record.text("number").is_none(),
        ..Effect::default()
    };
    if let Home::Grid(field) = facts.kind.home
        && let Some(grid) = after.text(field).map(UnitId::from)
        && after.home.as_ref() != Some(&grid)
    {
        after.home = Some(grid.clone());
        after.home_since = facts.now;
        effect.rehome = Some(grid);
    }
    effect.record = Some(Change::of(record, after));
    Ok(Taken::of(Outcome::Applied, effect))
}

/// Says whether the author's screen showed another transition than the last.
pub(in super::super) fn is_stale(
    workflow: Option<&'static Workflow>,
    record: &Record,
    given: &Command,
) -> bool {
    let state = workflow.map_or("", |workflow| workflow.state(&record.body));
    let turn = record.body.get("turn").and_then(Value::as_u64).unwrap_or(0);
    let last = record.transition();
    let shown = given.expect.after;
    given.expect.state != state
        || u64::from(given.expect.turn) != turn
        || shown.is_some_and(|shown| Some(shown) != last)
}

/// A stale command with nothing attached is a notice; one with work attached is for the head.
fn stale(facts: &Facts, given: &Command) -> Verdict {
    let attached = ["photos", "amount", "reply"]
        .iter()
        .any(|name| match given.args.get(*name) {
            Some(Value::Array(items)) => !items.is_empty(),
            value => value.is_some(),
        });
    if attached || !facts.edit.blobs.is_empty() {
        Verdict::parked(Reason::Stale)
    } else {
        Verdict::Superseded
    }
}

/// Finds the line of a command, with its arguments as the server takes them.
pub(super) fn legal(
    facts: &Facts,
    body: &Fields,
    given: &Command,
    work: &Work,
) -> Result<(&'static Line, Fields), Verdict> {
    let workflow = facts.kind.workflow;
    let workflow = workflow.ok_or(Verdict::Rejected(Reason::UnknownCommand))?;
    let line = workflow
        .step(
            body,
            &given.name,
            &given.args,
            &facts.standing.actor,
            work.at,
        )
        .map_err(|illegal| {
            // What a worker did in good faith and offline waits for somebody; a desk is told.
            let may_wait = matches!(illegal, Illegal::WrongState { .. } | Illegal::NotYours(_));
            match may_wait && work.author.station == Station::Phone {
                true => Verdict::parked(illegal.into()),
                false => Verdict::Rejected(illegal.into()),
            }
        })?;
    let mut args = given.args.clone();
    // Official numbers are the server's to give.
    args.remove("number");
    let sets = |field: &str| line.sets.iter().any(|(_, to)| *to == field);
    if sets("limit_hours")
        && !args.contains_key("limit_hours")
        && !body.contains_key("limit_hours")
        && let Some(hours) = facts.limit_hours
    {
        args.insert("limit_hours".into(), json!(hours));
    }
    check_args(facts, line, &args)?;
    Ok((line, args))
}

fn check_args(facts: &Facts, line: &Line, args: &Fields) -> Result<(), Verdict> {
    let bad = |argument: &str| Err(Verdict::Rejected(Reason::BadValue(argument.to_owned())));
    for (argument, field) in line.sets {
        let fits = match (args.get(*argument), facts.kind.field(field)) {
            (Some(value), Some(field)) => field.shape.accepts(value),
            _ => true,
        };
        let names_unit = matches!(*argument, "unit" | "grid") && args.contains_key(*argument);
        if !fits || (names_unit && !facts.names_known_unit) {
            return bad(argument);
        }
    }
    let photos = args.get("photos").unwrap_or(&Value::Null);
    if !Shape::Blobs.accepts(photos) {
        return bad("photos");
    }
    Ok(())
}

pub(super) fn carry_out(record: &mut Record, line: &Line, args: &Fields, work: &Work) {
    let user = Some(work.author.user);
    workflow::carry_out(&mut record.body, line, args, work.mid, user, work.at.to);
}
