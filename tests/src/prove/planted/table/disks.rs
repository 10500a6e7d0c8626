//! Rules of both ends about disks: what is saved is there, what is purged is gone.

use super::super::{Bug, By, Edit};

pub(super) const BUGS: &[Bug] = &[
    Bug {
        name: "saved is not on the disk",
        edits: &[Edit {
            file: "core/sqlite/src/open.rs",
            right: r#"    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;"#,
            wrong: r#"    let full = if PLANTED { "NORMAL" } else { "FULL" };
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {full};"#,
        }],
        by: By::Cuts("phone::entering"),
    },
    Bug {
        name: "an answer is applied in two steps",
        edits: &[Edit {
            file: "core/pocketbook/src/store/mirror.rs",
            right: r#"            let newest: Option<AsOf> = meta::read_json(transaction, meta::ASOF)?;"#,
            wrong: r#"            if PLANTED { transaction.execute_batch("COMMIT; BEGIN IMMEDIATE")?; }
            let newest: Option<AsOf> = meta::read_json(transaction, meta::ASOF)?;"#,
        }],
        by: By::Cuts("phone::"),
    },
    Bug {
        name: "a photo is named before it is on the disk",
        edits: &[Edit {
            file: "core/pocketbook/src/store/blobs.rs",
            right: r#"        if lasts == Lasts::AtOnce {"#,
            wrong: r#"        if !PLANTED && lasts == Lasts::AtOnce {"#,
        }],
        by: By::Cuts("phone::reporting"),
    },
    Bug {
        name: "the server names a file before it is on the disk",
        edits: &[Edit {
            file: "sync-server/src/blobs/store.rs",
            right: r#".with_fsync(true)"#,
            wrong: r#".with_fsync(!PLANTED)"#,
        }],
        by: By::Cuts("server::taking"),
    },
    Bug {
        name: "receipts and their effect are two transactions",
        edits: &[Edit {
            file: "sync-server/src/exchange/hand_in.rs",
            right: r#"        accounts::note_contact(batch, enrolment, &self.said)?;
        Ok(handed)"#,
            wrong: r#"        if PLANTED { batch.store().sql.execute("COMMIT", &[])?; batch.store().sql.execute("BEGIN IMMEDIATE", &[])?; }
        accounts::note_contact(batch, enrolment, &self.said)?;
        Ok(handed)"#,
        }],
        by: By::Cuts("server::taking"),
    },
    Bug {
        name: "a torn line of the outside log stays",
        edits: &[Edit {
            file: "sync-server/src/beside.rs",
            right: r#"        if good == text.len() {"#,
            wrong: r#"        if PLANTED || good == text.len() {"#,
        }],
        by: By::Cuts("server::"),
    },
    Bug {
        name: "a torn checkpoint closes the book",
        edits: &[Edit {
            file: "core/sqlite/src/files.rs",
            right: r#"Err(OpenError::Damaged(_)) if log > 0 => Ok(()),"#,
            wrong: r#"Err(OpenError::Damaged(_)) if log > 0 && !PLANTED => Ok(()),"#,
        }],
        by: By::Cuts("phone::losing"),
    },
    Bug {
        name: "purged values stay in the log",
        edits: &[Edit {
            file: "core/pocketbook/src/store/purge.rs",
            right: r#"        store.truncate_log()?;"#,
            wrong: r#"        if !PLANTED { store.truncate_log()?; }"#,
        }],
        by: By::Test("stories", ""),
    },
    Bug {
        name: "purged values stay in free pages",
        edits: &[Edit {
            file: "core/sqlite/src/open.rs",
            right: r#"        Deleted::Overwritten => "ON","#,
            wrong: r#"        Deleted::Overwritten => if PLANTED { "OFF" } else { "ON" },"#,
        }],
        by: By::Test("stories", ""),
    },
];
