//! Publishing the pocket book (口袋书): editors hand in a folder, communities get signed versions.
//!
//! # The life of one edition
//! [`folder`] reads the layers, every part is checked and brought to the form in which it travels,
//! its hash becomes its name. Parts go to the shelf first; then one commit compares each
//! community's table of contents (district, street, community parts) with its newest manifest and
//! signs a new version only where something changed. A phone that holds version 7 downloads
//! nothing but the parts that version 8 names and it lacks.
//!
//! # What it promises
//! Versions are immutable and only grow. An edition is published for all communities or, if one
//! file is wrong, for none. The same folder again changes nothing.
//!
//! Working hours per issue category come with the part `issue-categories`, because editors keep
//! them there: the desk's time limits follow what is published.

pub mod folder;
mod shelf;

use pocketbook_records::ids::{BlobHash, UnitId};
use pocketbook_records::wire::{BundleVersion, Manifest, ManifestPart, SignedManifest};
use serde_json::Value;
use serde_json::value::RawValue;

use self::folder::{FolderError, Layer, Part, PartFile};
use crate::store::{Store, bundles, districts, org};
use crate::{Batch, Fault, Refusal, Server, may_block};

/// What an edition changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edition {
    /// Communities with a new version.
    pub renewed: u64,
    /// Communities whose book stays as it is.
    pub unchanged: u64,
    /// Parts that were not on the shelf.
    pub parts: u64,
}

/// Why an edition was not published, or a part not read.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file is wrong.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A layer's unit is not in the organisation.
    #[error("failed to find the {level} {code} in the organisation: import it first")]
    UnknownUnit {
        /// `street` or `community`.
        level: &'static str,
        /// The folder's name.
        code: String,
    },
    /// There is nobody to publish for.
    #[error("failed to find a community: import the organisation first")]
    NoCommunity,
    /// The shelf refused.
    #[error("failed to write the parts")]
    Shelf(#[from] std::io::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Fault),
}

/// A part with its name and place.
#[derive(Clone)]
struct Placed {
    layer: Layer,
    hash: BlobHash,
    part: Part,
}

/// Publishes an edition.
///
/// # Errors
/// See [`BookError`]; nothing was published then.
pub async fn publish(server: &Server, files: &[PartFile]) -> Result<Edition, BookError> {
    let mut placed = files
        .iter()
        .map(|file| {
            let part = file.check()?;
            Ok(Placed {
                layer: file.layer.clone(),
                hash: BlobHash::of(&part.bytes),
                part,
            })
        })
        .collect::<Result<Vec<_>, FolderError>>()?;
    placed.sort_by(|a, b| (&a.layer, &a.part.part).cmp(&(&b.layer, &b.part.part)));
    if placed.is_empty() {
        return Err(FolderError::Empty.into());
    }
    shelf::put(
        &server.data(),
        placed.iter().map(|p| (p.hash, p.part.bytes.as_slice())),
    )?;
    let job = move |batch: &mut Batch<'_>| write(batch, &placed);
    server.writer().run_async(job).await?
}

/// The outer error is the transaction's, the inner one the edition's.
fn write(batch: &mut Batch<'_>, placed: &[Placed]) -> Result<Result<Edition, BookError>, Fault> {
    let (district, _) = districts::name(batch.store())?;
    let of_level = |level| org::below(batch.store(), &UnitId(district.clone()), level);
    let (streets, communities) = (of_level("street")?, of_level("community")?);
    if communities.is_empty() {
        return Ok(Err(BookError::NoCommunity));
    }
    for one in placed {
        let (level, code, known) = match &one.layer {
            Layer::District => continue,
            Layer::Street(code) => ("street", code, &streets),
            Layer::Community(code) => ("community", code, &communities),
        };
        if !known.iter().any(|unit| unit.0 == *code) {
            let code = code.clone();
            return Ok(Err(BookError::UnknownUnit { level, code }));
        }
    }

    let mut edition = Edition::default();
    for community in &communities {
        let above = org::above(batch.store(), community)?;
        let parts: Vec<ManifestPart> = placed
            .iter()
            .filter_map(|one| listed(one, &district, &above))
            .collect();
        if renew(batch, community, parts)? {
            edition.renewed += 1;
        } else {
            edition.unchanged += 1;
        }
    }
    for one in placed {
        let unit = match &one.layer {
            Layer::District => UnitId(district.clone()),
            Layer::Street(code) | Layer::Community(code) => UnitId(code.clone()),
        };
        let part = bundles::Part {
            hash: one.hash,
            part: &one.part.part,
            unit: &unit,
            bytes: one.part.bytes.len() as u64,
        };
        edition.parts += u64::from(bundles::put_part(batch, &part)?);
        if one.part.part == "issue-categories" && edition.renewed > 0 {
            set_limits(batch, &one.part)?;
        }
    }
    if edition.renewed > 0 {
        batch.commit()?;
    }
    Ok(Ok(edition))
}

/// Returns a part's line in the manifest of the community that `above` begins with, if it is for
/// this community.
fn listed(one: &Placed, district: &str, above: &[UnitId]) -> Option<ManifestPart> {
    let unit = match &one.layer {
        Layer::District => district,
        Layer::Street(code) | Layer::Community(code) => code.as_str(),
    };
    if !above.iter().any(|unit_above| unit_above.0 == unit) {
        return None;
    }
    Some(ManifestPart {
        part: one.part.part.clone(),
        unit: UnitId::from(unit),
        title: one.part.title.clone(),
        hash: one.hash,
        bytes: one.part.bytes.len() as u64,
        articles: one.part.articles,
    })
}

/// Signs a new version for a community, if its contents differ from the newest one.
fn renew(
    batch: &mut Batch<'_>,
    community: &UnitId,
    parts: Vec<ManifestPart>,
) -> Result<bool, Fault> {
    let newest = bundles::manifest(batch.store(), community)?;
    if let Some(newest) = &newest {
        let held: Manifest = serde_json::from_str(&newest.text)?;
        if held.parts == parts {
            return Ok(false);
        }
    }
    let manifest = Manifest {
        unit: community.clone(),
        version: newest.map_or(0, |newest| newest.version.version) + 1,
        at: batch.now(),
        parts,
    };
    let text = serde_json::to_string(&manifest)?;
    let (key_id, signature) = batch.keyring().sign(text.as_bytes());
    let signed = bundles::Manifest {
        version: BundleVersion {
            unit: manifest.unit,
            version: manifest.version,
            manifest: BlobHash::of(text.as_bytes()),
        },
        text,
        key_id,
        signature,
        at: manifest.at,
    };
    bundles::put_manifest(batch, &signed)?;
    Ok(true)
}

/// Takes the working hours per category from the part that lists them.
fn set_limits(batch: &Batch<'_>, part: &Part) -> Result<(), Fault> {
    let part: Value = serde_json::from_slice(&part.bytes)?;
    for article in part["articles"].as_array().into_iter().flatten() {
        let limit = &article["source"]["limit"];
        let (Some(category), Some(value)) = (article["id"].as_str(), limit["value"].as_i64())
        else {
            continue;
        };
        // A working day is 09:00 to 12:00 and 14:00 to 18:00.
        let hours = match limit["kind"].as_str() {
            Some("work_day") => value.saturating_mul(7),
            _ => value,
        };
        districts::set_limit_hours(batch, category, hours)?;
    }
    Ok(())
}

/// Returns the newest manifest of a community.
///
/// # Errors
/// [`Refusal::NotFound`] if nothing was published for it.
pub fn manifest(server: &Server, unit: &UnitId) -> Result<SignedManifest, Refusal> {
    let read = |store: Store<'_>| bundles::manifest(store, unit).map_err(Refusal::from);
    let stored = may_block(|| server.read(read))?;
    let stored = stored.ok_or(Refusal::NotFound)?;
    Ok(SignedManifest {
        manifest: RawValue::from_string(stored.text).map_err(Fault::from)?,
        key_id: stored.key_id,
        signature: stored.signature,
    })
}

/// Returns the bytes of a part.
///
/// # Errors
/// `None` if it was never published; otherwise what the disk or the database said.
pub fn part(server: &Server, hash: BlobHash) -> Result<Option<Vec<u8>>, BookError> {
    may_block(|| {
        if !server.read(|store| bundles::has_part(store, hash).map_err(Fault::from))? {
            return Ok(None);
        }
        Ok(Some(shelf::read(&server.data(), hash)?))
    })
}
