//! Tray items: mutations that somebody must look at, kept whole.
//!
//! *Parked* (待确认): someone else must decide; in the holder's and the author's view, never
//! deleted. *Rejected* (需修改): the author must correct it; in the author's view until replaced
//! or discarded.

use crate::kind;
use crate::kind::{Ages, Home, Listing};
use crate::workflow::{Line, Need, Who, Workflow};

macro_rules! parked_kind {
    ($(#[$doc:meta])* $struct:ident $table:ident $name:literal $class:ident) => {
        kind! {
            $(#[$doc])*
            $struct $table $name, $class, Home::AuthorAnd("author");
    [
                list Listing { under: Some("record"), sort: &["state"], time: Some("arrived_at") };
                workflow &TRAY;
                ages Ages::In(&["released", "replaced", "discarded"]);
    ]

            /// The mutation's name.
            mid: Id, Register, Server;
            /// Who authored it.
            author: Id, Register, Server;
            /// Its enrolment.
            enrolment: Id, Register, Server;
            /// Its place in that enrolment's work.
            mseq: Integer, Register, Server;
            /// Kind of the record that it would change.
            of: Text(40), Register, Server;
            /// Id of that record.
            record: Id, Register, Server;
            /// Why it lies here: see [`crate::receipt::Reason`].
            reason: Text(40), Register, Server;
            /// The frozen mutation as it came, JSON text.
            frozen: Text(200000), Register, Server;
            /// When it was authored, not before (ms).
            authored_from: Time, Register, Server;
            /// When it was authored, not after (ms).
            authored_to: Time, Register, Server;
            /// When it came (ms, server time).
            arrived_at: Time, Register, Server;
            /// Photos that belong to it.
            photos: Blobs, Set, Server;

            /// parked, rejected, released, replaced or discarded.
            state: Text(20), State, Server;
            /// Grows with each transition.
            turn: Integer, State, Server;
            /// The mutation of the last transition.
            transition: Id, State, Server;
            /// Each transition with person and time.
            steps: List, State, Server;
        }
    };
}

parked_kind! {
    /// A tray item about a general record (待处理件).
    Parked PARKED "parked" General
}

parked_kind! {
    /// A tray item about a sensitive record.
    ParkedSensitive PARKED_SENSITIVE "parked-sensitive" Sensitive
}

/// The way through the tray.
pub static TRAY: Workflow = Workflow {
    start: "parked",
    lines: &[
        Line {
            from: &["parked"],
            command: "release",
            to: Some("released"),
            who: &[Who::OtherHead, Who::Clerk, Who::Desk],
            needs: &[],
            sets: &[],
        },
        Line {
            from: &["parked"],
            command: "refuse",
            to: Some("rejected"),
            who: &[Who::OtherHead, Who::Clerk, Who::Desk],
            needs: &[Need::Text("reason")],
            sets: &[],
        },
        Line {
            from: &["parked", "rejected"],
            command: "discard",
            to: Some("discarded"),
            who: &[Who::Author],
            needs: &[],
            sets: &[],
        },
    ],
};
