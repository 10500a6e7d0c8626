//! What an exchange asked of its scopes, and whether the answer brought it on.

use std::collections::BTreeMap;

use pocketbook_records::scope::Scope;
use pocketbook_records::wire::{Answer, Ask, Mode};

/// Says whether an answer brings a scope on that is read by pages, or says where one differs.
pub(super) fn moves_a_cursor(asked: &BTreeMap<Scope, Ask>, answer: &Answer) -> bool {
    asked.iter().any(|(scope, ask)| {
        answer.scopes.get(scope).is_some_and(|page| match ask.mode {
            Mode::Pages => ask.cursor.as_ref() != Some(&page.cursor),
            Mode::Pairs { .. } => true,
            Mode::Frames { .. } | Mode::Parts { .. } => false,
        })
    })
}

/// Says whether frames follow the answer.
pub(super) fn asks_for_frames(asked: &BTreeMap<Scope, Ask>) -> bool {
    asked
        .values()
        .any(|ask| matches!(ask.mode, Mode::Frames { .. } | Mode::Parts { .. }))
}
