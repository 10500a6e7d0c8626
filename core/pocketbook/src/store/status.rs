//! How the work stands: the bar at the top of every screen.

use pocketbook_records::wire::{Pending, Refused};
use rusqlite::{Connection, OptionalExtension};

use crate::error::Result;
use crate::store::{Store, from_sql_int, meta, scopes};

/// What the bar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// 首次同步: the first sync is under way.
    FirstSync {
        /// How far, in percent.
        percent: u8,
    },
    /// 待同步: something waits here, or there may be news.
    Waiting,
    /// 有冲突 or 需修改: everything is in step, but somebody must look at something.
    NeedsAttention,
    /// 已同步: the server has confirmed everything, photos too, and all scopes are caught up.
    Synced,
    /// The account is locked; work is handed in, nothing is pulled.
    Locked,
    /// The app is too old to pull; work is handed in all the same.
    UpdateApp,
}

/// How the work stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// What the bar says.
    pub state: SyncState,
    /// Own changes without a receipt.
    pub waiting: u64,
    /// Photos and files not yet stored.
    pub photos: u64,
    /// Their bytes.
    pub photo_bytes: u64,
    /// Photos and files that the server refused; they are kept here.
    pub failed_photos: u64,
    /// When the oldest change was made (wall ms).
    pub oldest: Option<i64>,
    /// When all was last in step (wall ms).
    pub last_success: Option<i64>,
    /// When the server last answered (wall ms).
    pub last_contact: Option<i64>,
    /// Own changes that must be corrected (需修改).
    pub needs_fixing: u64,
    /// Own changes on which others decide.
    pub parked: u64,
    /// Open reviews (待确认).
    pub reviews: u64,
}

impl Store {
    /// Says how the work stands.
    pub fn status(&self) -> Result<SyncStatus> {
        self.read(status)
    }

    /// Notes that everything is in step, if it is and the last answer did not say so.
    pub fn note_success(&self) -> Result<()> {
        let is_news = |connection: &Connection| {
            let answered = time(connection, meta::LAST_CONTACT)?;
            let noted = time(connection, meta::LAST_SUCCESS)?;
            Ok(noted != answered && is_in_step(connection)?)
        };
        if !self.read(is_news)? {
            return Ok(());
        }
        let now = self.seams.clock.wall_ms();
        self.write(|transaction| note_success(transaction, now))
    }
}

/// Notes that everything is in step.
pub(crate) fn note_success(connection: &Connection, now: i64) -> Result<()> {
    meta::write(connection, meta::LAST_SUCCESS, &now.to_string())
}

/// Says whether everything is in step: nothing waits here, and every scope is read to its head.
pub(crate) fn is_in_step(connection: &Connection) -> Result<bool> {
    let refused: Option<Refused> = meta::read_json(connection, meta::REFUSED)?.flatten();
    let is_open = !matches!(refused, Some(Refused::Locked | Refused::UpdateApp));
    Ok(is_open && !is_waiting(connection)? && scopes::progress(connection)?.is_caught_up)
}

fn is_waiting(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM authored WHERE outcome IS NULL)
                 OR EXISTS (SELECT 1 FROM blob WHERE state = 'waiting')
                 OR EXISTS (
                     SELECT 1 FROM later CROSS JOIN authored USING (mseq)
                     WHERE authored.outcome IS NOT NULL
                 )",
        )?
        .query_row([], |row| row.get(0))?)
}

fn time(connection: &Connection, name: &str) -> Result<Option<i64>> {
    Ok(meta::read::<String>(connection, name)?.and_then(|text| text.parse().ok()))
}

fn status(connection: &Connection) -> Result<SyncStatus> {
    let pending = pending(connection)?;
    let progress = scopes::progress(connection)?;
    let refused: Option<Refused> = meta::read_json(connection, meta::REFUSED)?.flatten();
    let me: Option<String> = meta::read(connection, meta::USER)?;
    let count = |kinds: &str, state: &str, mine: bool| -> Result<u64> {
        let (general, sensitive) = kinds.split_once(' ').unwrap_or((kinds, kinds));
        let n: i64 = connection
            .prepare_cached(
                "SELECT COUNT(*) FROM record
                 WHERE kind IN (?1, ?2) AND json_extract(COALESCE(shown, body), '$.state') = ?3
                   AND (?4 = 0 OR json_extract(body, '$.author') = ?5)",
            )?
            .query_row(
                rusqlite::params![general, sensitive, state, mine, me],
                |row| row.get(0),
            )?;
        Ok(from_sql_int(n))
    };
    let needs_fixing = count("parked parked-sensitive", "rejected", true)?;
    let parked = count("parked parked-sensitive", "parked", true)?;
    let reviews = count("review review-sensitive", "open", false)?;
    let failed_photos: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM blob WHERE state = 'failed'")?
        .query_row([], |row| row.get(0))?;
    let failed_photos = from_sql_int(failed_photos);
    let state = match refused {
        Some(Refused::Locked) => SyncState::Locked,
        Some(Refused::UpdateApp) => SyncState::UpdateApp,
        _ if progress.is_first => SyncState::FirstSync {
            percent: percent(&progress),
        },
        _ if pending.mutations > 0 || pending.blobs > 0 || !progress.is_caught_up => {
            SyncState::Waiting
        }
        _ if needs_fixing + reviews + failed_photos > 0 => SyncState::NeedsAttention,
        _ => SyncState::Synced,
    };
    Ok(SyncStatus {
        state,
        waiting: pending.mutations,
        photos: pending.blobs,
        photo_bytes: pending.bytes,
        failed_photos,
        oldest: pending.oldest,
        last_success: time(connection, meta::LAST_SUCCESS)?,
        last_contact: time(connection, meta::LAST_CONTACT)?,
        needs_fixing,
        parked,
        reviews,
    })
}

fn percent(progress: &scopes::Progress) -> u8 {
    if progress.total == 0 {
        return 0;
    }
    u8::try_from((progress.here * 100 / progress.total).min(99)).unwrap_or(99)
}

/// What waits on this device, as a request tells it to the server's radar.
pub(crate) fn pending(connection: &Connection) -> Result<Pending> {
    let mutations: i64 = connection
        .prepare_cached("SELECT COUNT(*) FROM authored WHERE outcome IS NULL")?
        .query_row([], |row| row.get(0))?;
    let oldest: Option<i64> = connection
        .prepare_cached(
            "SELECT authored FROM authored WHERE outcome IS NULL ORDER BY mseq LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let (blobs, bytes): (i64, i64) = connection
        .prepare_cached(
            "SELECT COUNT(*), COALESCE(SUM(bytes - sent), 0) FROM (
                 SELECT bytes, sent FROM blob WHERE state = 'waiting'
                 UNION ALL
                 SELECT later.bytes, later.sent FROM later CROSS JOIN authored USING (mseq)
                 WHERE authored.outcome IS NOT NULL
             )",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Pending {
        mutations: from_sql_int(mutations),
        blobs: from_sql_int(blobs),
        bytes: from_sql_int(bytes),
        oldest,
    })
}
