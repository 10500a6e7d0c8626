//! What follows from a change without anybody having authored it: official numbers, masks,
//! companions, descendants of a moved household, references to files.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use pocketbook_records::id_number;
use pocketbook_records::ids::{BlobHash, Commit, RecordId, UnitId};
use pocketbook_records::kind::{Home, Kind, Shape};
use pocketbook_records::kinds;
use pocketbook_records::kinds::person::{PERSON, PERSON_SENSITIVE};
use pocketbook_records::path::Path;
use pocketbook_records::scope::{Scope, scopes as scopes_of};
use pocketbook_records::wire::Key;

use super::{Done, write};
use crate::apply::Work;
use crate::apply::verdict::{Change, Effect};
use crate::store::records::{self, Brief, Record};
use crate::store::scopes::{self, Passage};
use crate::store::{blobs, districts, ledger};
use crate::writer::{Batch, Fault};

/// Gives the official number of the year.
pub(super) fn number(
    batch: &mut Batch<'_>,
    work: &Work,
    effect: &mut Effect,
    done: &mut Done,
) -> Result<(), Fault> {
    let Some(change) = effect.record.as_mut().filter(|_| effect.needs_number) else {
        return Ok(());
    };
    let given = work
        .retold
        .as_ref()
        .and_then(|retold| retold.number.clone());
    let number = match given {
        // Given in a history that was lost, and on paper since.
        Some(number) => number,
        None => json!(districts::official_number(batch)?),
    };
    change.after.body.insert("number".into(), number.clone());
    done.assigned.insert(Path::field("number"), number);
    Ok(())
}

/// A companion is deleted and restored with the record whose id it shares; the ledger is told.
pub(super) fn bury_or_raise(
    batch: &mut Batch<'_>,
    change: &Change,
    done: &mut Done,
) -> Result<(), Fault> {
    let Record {
        kind, id, deleted, ..
    } = change.after;
    let store = batch.store();
    if change
        .before
        .as_ref()
        .is_none_or(|before| before.deleted == deleted)
    {
        return Ok(());
    }
    if deleted {
        let commit: Commit = batch.commit()?;
        ledger::enter(store, kind.name, id, commit)?;
    } else {
        ledger::strike(store, kind.name, id)?;
    }
    let companions = kinds::ALL.iter().filter(|other| {
        let parent = other.parent();
        parent.is_some_and(|parent| parent.kind == kind.name && parent.field.is_none())
    });
    for companion in companions {
        let Some(before) = records::find(store, companion, id)? else {
            continue;
        };
        if before.deleted != deleted {
            let mut after = before.clone();
            after.deleted = deleted;
            write(batch, Change::of(&before, after), done)?;
        }
    }
    Ok(())
}

/// Derives what others may see of an identity number and a phone.
pub(super) fn mask(batch: &mut Batch<'_>, change: &Change, done: &mut Done) -> Result<(), Fault> {
    let sensitive = &change.after;
    if sensitive.kind.name != PERSON_SENSITIVE.name || !change.renews {
        return Ok(());
    }
    let Some(before) = records::find(batch.store(), &PERSON, sensitive.id)? else {
        return Ok(());
    };
    let mut after = before.clone();
    let masks = [
        (
            "masked_id",
            sensitive.text("id_number").map(id_number::mask),
        ),
        (
            "masked_phone",
            sensitive.text("phone").map(id_number::mask_phone),
        ),
    ];
    for (field, masked) in masks {
        match masked {
            Some(masked) => after.body.insert(field.into(), json!(masked)),
            None => after.body.remove(field),
        };
    }
    let change = Change::of(&before, after);
    if change.renews {
        write(batch, change, done)?;
    }
    Ok(())
}

/// Moves everything that hangs on a record to another grid; bodies and revs stay.
pub(super) fn move_descendants(
    batch: &mut Batch<'_>,
    root: RecordId,
    home: &UnitId,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let mut roots = vec![root];
    while let Some(id) = roots.pop() {
        for brief in records::hanging_on(batch.store(), id)? {
            if brief.home.is_some() && seen.insert((brief.kind.name, brief.id)) {
                roots.push(follow(batch, &brief, home)?);
            }
        }
    }
    Ok(())
}

/// Moves one of them and returns on what more may hang: on the record that a tray item is about,
/// which may not exist yet, else on itself.
fn follow(batch: &mut Batch<'_>, brief: &Brief, home: &UnitId) -> Result<RecordId, Fault> {
    let Brief {
        kind,
        id,
        rev,
        deleted,
        archived,
        ..
    } = *brief;
    let body = match kind.home {
        // Only these lie in scopes that the body names.
        Home::AuthorAnd(_) => records::find(batch.store(), kind, id)?.map(|record| record.body),
        _ => None,
    };
    let body = body.unwrap_or_default();
    let place = |home: Option<&UnitId>| -> Vec<Scope> {
        if deleted || archived {
            Vec::new()
        } else {
            scopes_of(kind, &body, home)
        }
    };
    let (from, to) = (place(brief.home.as_ref()), place(Some(home)));
    let since = batch.now();
    records::rehome(batch.store(), brief, home, since)?;
    let passage = Passage {
        kind,
        id,
        from: (&from, rev),
        to: (&to, rev),
        deleted: false,
    };
    scopes::pass(batch, &passage)?;
    let about = body.get("record").and_then(Value::as_str);
    Ok(about.and_then(|id| id.parse().ok()).unwrap_or(id))
}

/// Notes the files that a mutation refers to.
pub(in crate::apply) fn refer(
    batch: &mut Batch<'_>,
    work: &Work,
    kind: &Kind,
    id: RecordId,
) -> Result<(), Fault> {
    let Ok(frozen) = &work.frozen else {
        return Ok(());
    };
    let mut hashes: BTreeSet<BlobHash> = frozen.blobs.iter().copied().collect();
    let is_blobs = |path: &Path| {
        let named = Kind::named(&frozen.kind);
        let field = named.and_then(|kind| kind.field(path.root()));
        field.is_some_and(|field| field.shape == Shape::Blobs)
    };
    let added = frozen.add.iter().filter(|(path, _)| is_blobs(path));
    let added = added.flat_map(|(_, items)| items.iter());
    let args = frozen
        .command
        .iter()
        .filter_map(|command| command.args.get("photos")?.as_array());
    let signed = frozen
        .set
        .iter()
        .filter(|set| set.path.as_str() == "signature");
    let all = added.chain(args.flatten()).chain(signed.map(|set| &set.to));
    hashes.extend(all.filter_map(|value| value.as_str()?.parse::<BlobHash>().ok()));
    let key = Key {
        kind: kind.name.to_owned(),
        id,
    };
    for hash in hashes {
        blobs::refer(batch, hash, &key, &work.author)?;
    }
    Ok(())
}
