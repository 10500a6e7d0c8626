//! What a caller holds already: rows that moved from one of his scopes to another are named, not
//! sent.
//!
//! A cursor says that its holder has a scope's records as they stood at a commit, and only this
//! server can make one. A record that lay there at that commit, and has not changed since, is with
//! him in its present form; whether he still keeps it is for him to say: what he lacks he asks for
//! singly. So a phone that shows a cursor of another one gains a row without its body, of a scope
//! that it may read anyhow.

use std::collections::BTreeMap;
use std::sync::Arc;

use pocketbook_records::ids::{Commit, Epoch, RecordId, Rev};
use pocketbook_records::kind::Kind;
use pocketbook_records::scope::Scope;
use pocketbook_records::wire::Pull;

use super::cursor::Cursor;
use crate::store::{SqlError, Store, scopes};

/// How far a caller has read each of his scopes. Copies share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(Arc<BTreeMap<Scope, Commit>>);

/// A record as it lies in the scope that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer<'a> {
    pub(super) kind: &'a str,
    pub(super) id: RecordId,
    pub(super) rev: Rev,
    /// The commit that put it into the scope.
    pub(super) since: Commit,
}

impl Held {
    /// Reads the cursors of a request; those of another history say nothing.
    pub(crate) fn by(pull: &Pull, store: Store<'_>, epoch: Epoch) -> Self {
        if !pull.takes_links {
            return Self::default();
        }
        let read = pull.scopes.iter().filter_map(|(scope, ask)| {
            let name = scope.to_string();
            let cursor = Cursor::read(store.keyring, &name, ask.cursor.as_deref()?)?;
            (cursor.epoch == epoch).then_some((scope.clone(), cursor.through))
        });
        Self(Arc::new(read.collect()))
    }

    /// Says whether the caller has a record as it stands, from a scope that it has left.
    pub(super) fn has(&self, store: Store<'_>, new: Newcomer<'_>) -> Result<bool, SqlError> {
        // What was changed when it came, or after, he can't have: most records are such.
        if self.0.is_empty() || new.rev >= new.since {
            return Ok(false);
        }
        let Some(kind) = Kind::named(new.kind) else {
            return Ok(false);
        };
        let stays = scopes::left(store, kind, new.id)?;
        Ok(stays.iter().any(|stay| {
            self.0.get(&stay.scope).is_some_and(|&through| {
                // Left by the commit that brought it here: kept until it is found here.
                let is_kept = stay.gone > through || stay.gone == new.since;
                stay.since <= through && new.rev <= through && is_kept
            })
        }))
    }
}
