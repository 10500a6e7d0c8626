//! Single values: who is enrolled, where the conversation with the server stands.

use rusqlite::{Connection, OptionalExtension, types::FromSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;

/// The account's user id.
pub(crate) const USER: &str = "user";
/// The last answer applied: [`pocketbook_records::wire::Echo`].
pub(crate) const ECHO: &str = "echo";
/// Its snapshot: [`pocketbook_records::wire::AsOf`].
pub(crate) const ASOF: &str = "asof";
/// The last answer received: [`pocketbook_records::time::Contact`].
pub(crate) const CONTACT: &str = "contact";
/// The enrolment: [`crate::books::account::Account`].
pub(crate) const ACCOUNT: &str = "account";
/// When an exchange last ended with everything in step (wall ms).
pub(crate) const LAST_SUCCESS: &str = "last_success";
/// When the server last answered at all (wall ms).
pub(crate) const LAST_CONTACT: &str = "last_contact";
/// The greatest commit that is in a backup of the server.
pub(crate) const DURABLE: &str = "durable";
/// What restores threw away, as far as this device has heard: [`pocketbook_records::wire::Fork`]s.
pub(crate) const FORKS: &str = "forks";
/// Own work up to this number may have left this device: it can't be withdrawn any more.
pub(crate) const SENT: &str = "sent";
/// Own work up to this number was looked at: what of it is settled and old has no content.
pub(crate) const EXPIRED: &str = "expired";
/// Why the server refused to be pulled from, if it did.
pub(crate) const REFUSED: &str = "refused";

/// Set while another device has this identity: what the secret of an own one will be made of
/// ([`crate::store::clones`]).
pub(crate) const PARTING: &str = "parting";

/// Set once records that came before thumbnails travelled were looked through for photos.
pub(crate) const THUMBNAILS: &str = "thumbnails";

/// Reads a plain value.
pub(crate) fn read<T: FromSql>(connection: &Connection, name: &str) -> Result<Option<T>> {
    Ok(connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Writes a plain text.
pub(crate) fn write(connection: &Connection, name: &str, value: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

/// Reads a structured value.
pub(crate) fn read_json<T: DeserializeOwned>(
    connection: &Connection,
    name: &str,
) -> Result<Option<T>> {
    Ok(match read::<String>(connection, name)? {
        Some(text) => Some(serde_json::from_str(&text)?),
        None => None,
    })
}

/// Writes a structured value.
pub(crate) fn write_json<T: Serialize>(
    connection: &Connection,
    name: &str,
    value: &T,
) -> Result<()> {
    write(connection, name, &serde_json::to_string(value)?)
}

/// Forgets a value.
pub(crate) fn forget(connection: &Connection, name: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM meta WHERE name = ?1")?
        .execute([name])?;
    Ok(())
}
