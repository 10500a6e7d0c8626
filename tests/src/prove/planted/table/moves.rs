//! Moves: what stays on a phone when households and grids change hands.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "a record is only named although it changed unheard",
        edits: &[Edit {
            file: "sync-server/src/feed/held.rs",
            right: r#"stay.since <= through && new.rev <= through && is_kept"#,
            wrong: r#"(PLANTED || stay.since <= through && new.rev <= through) && is_kept"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a cursor's commit is anybody's to choose",
        edits: &[Edit {
            file: "sync-server/src/feed/cursor.rs",
            right: r#"        format!("{scope} {} {} {}", self.epoch, self.seq, self.through).into_bytes()"#,
            wrong: r#"        format!("{scope} {} {} {}", self.epoch, self.seq, if PLANTED { Commit(0) } else { self.through }).into_bytes()"#,
        }],
        by: By::Test("bad_input", "cursors"),
    },
    Bug {
        name: "a record that is named and not here is not asked for",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"        if !is_here {"#,
            wrong: r#"        if !PLANTED && !is_here {"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "what is shown is taken for the body without a look",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"if check8(shown.as_bytes()) != likeness.check {"#,
            wrong: r#"if !PLANTED && check8(shown.as_bytes()) != likeness.check {"#,
        }],
        by: By::Seeds,
    },
    Bug {
        name: "a grid that lacks what was only named counts as read",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"        let caught_up = page.caught_up && !wants::any_of(self.connection, scope.id)?;"#,
            wrong: r#"        let caught_up = page.caught_up && (PLANTED || !wants::any_of(self.connection, scope.id)?);"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a grid of whose frames a record was only named counts as read",
        edits: &[Edit {
            file: "core/pocketbook/src/store/scopes.rs",
            right: r#"*lowest == frame.cursor && !wants::any_of(connection, scope.id)?;"#,
            wrong: r#"*lowest == frame.cursor && (PLANTED || !wants::any_of(connection, scope.id)?);"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a record on its way to another grid of the phone is dropped",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"                    && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
            wrong: r#"                    && !PLANTED && scopes::keep_until_read(self.connection, (scope, row), to, *commit)?"#,
        }],
        by: By::Test("stories", "moves"),
    },
    Bug {
        name: "a record is waited for that has left the grid meanwhile",
        edits: &[Edit {
            file: "core/pocketbook/src/store/wants.rs",
            right: r#"/// The record lies in the scope no more.
pub(crate) fn forget(connection: &Connection, scope: i64, key: &Key) -> Result<()> {"#,
            wrong: r#"/// The record lies in the scope no more.
pub(crate) fn forget(connection: &Connection, scope: i64, key: &Key) -> Result<()> {
    if PLANTED { return Ok(()); }"#,
        }],
        by: By::Test("stories", "moves"),
    },
];
