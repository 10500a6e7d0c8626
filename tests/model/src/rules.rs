//! The protective rules, each of which can be taken out.
//!
//! A rule that no search shows to be needed goes out for good (sync-protocol, opening); so every
//! field here has a line in `tests/rules.rs` that says which invariant falls without it.

/// The rules in force; all of them are the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// A mutation that has a receipt is not carried out again; its receipt is repeated (§3).
    pub receipts_dedupe: bool,
    /// Own work is settled by a receipt that names its mid, not by an answer that came well (§3).
    pub settled_by_mid: bool,
    /// A batch that starts above the next number is not taken (§3).
    pub batches_leave_no_hole: bool,
    /// Acknowledged work is kept until a backup has it (§2).
    pub journal_until_durable: bool,
    /// An edit carries the value and rev that were shown, and is judged by them (§5.1).
    pub screen_says_what_it_saw: bool,
    /// Nobody is in conflict with his own earlier work (§5.1).
    pub own_chain: bool,
    /// A review is closed only by who had been shown all its candidates (§5.4).
    pub decisions_cover_candidates: bool,
    /// Own work lies over the mirror until the row that holds it has been read (§2).
    pub overlaid_until_read: bool,
    /// While own work lies over a record, an edit has not been shown what arrived beneath it.
    pub overlay_keeps_its_rev: bool,
    /// Cursor and rows change in one transaction (§4).
    pub cursor_moves_with_page: bool,
    /// A page applies only if it was asked from the stored cursor (§4).
    pub pages_fit_their_cursor: bool,
    /// An answer older than the newest applied one yields receipts only (§4).
    pub late_answers_yield_receipts_only: bool,
    /// A scope that is no longer granted is purged (§4).
    pub revoke_purges: bool,
    /// Own work about a purged scope is still handed in (§4).
    pub revoke_spares_outbox: bool,
    /// A restored server tells which commits it lost, and phones bring back what these held (§6).
    pub forks_are_told: bool,
    /// A receipt, or a stored photo, of a lost commit settles nothing, however late it comes (§6).
    pub lost_words_settle_nothing: bool,
    /// Whether something was shown is asked of histories, not of numbers alone (§6).
    pub histories_are_told_apart: bool,
    /// The receipt of work that is brought back says what it had been (§6).
    pub proofs_are_honoured: bool,
    /// An edit made upon lost history applies to whatever that history held (§6).
    pub lost_screens_count_as_shown: bool,
    /// Work that is brought back and had been in conflict opens its review again (§6).
    pub lost_reviews_open_again: bool,
    /// A restored server begins a new block of commits (§2).
    pub commits_leap: bool,
    /// Grants and revokes are replayed from outside the database after a restore (§6).
    pub outside_log_is_replayed: bool,
    /// A photo is kept until a backup has it, not only until it is stored (§7).
    pub files_until_durable: bool,
}

impl Rules {
    /// All of them.
    pub const PROTOCOL: Self = Self {
        receipts_dedupe: true,
        settled_by_mid: true,
        batches_leave_no_hole: true,
        journal_until_durable: true,
        screen_says_what_it_saw: true,
        own_chain: true,
        decisions_cover_candidates: true,
        overlaid_until_read: true,
        overlay_keeps_its_rev: true,
        cursor_moves_with_page: true,
        pages_fit_their_cursor: true,
        late_answers_yield_receipts_only: true,
        revoke_purges: true,
        revoke_spares_outbox: true,
        forks_are_told: true,
        lost_words_settle_nothing: true,
        histories_are_told_apart: true,
        proofs_are_honoured: true,
        lost_screens_count_as_shown: true,
        lost_reviews_open_again: true,
        commits_leap: true,
        outside_log_is_replayed: true,
        files_until_durable: true,
    };
}
