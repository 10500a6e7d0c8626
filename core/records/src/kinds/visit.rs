//! Visits (走访): what a worker did at a door. Written once; a mistake is corrected by a
//! redaction that stays visible.

use crate::kind;
use crate::kind::{Ages, Home, Listing, Parent};

kind! {
    /// A visit (走访).
    Visit VISIT "visit", General, Home::Parent(Parent { kind: "household", field: Some("household") });
    [
        list Listing { under: Some("household"), sort: &[], time: Some("at") };
        append_only true;
        ages Ages::Always;
    ]

    /// The household visited.
    household: Id, Register, Creation;
    /// The persons met.
    people: Texts, Set, Creation;
    /// Why: routine, care, check, request.
    purpose: Text(20), Register, Creation;
    /// met, no-answer, refused, moved, died.
    result: Text(20), Register, Creation;
    /// What there is to say.
    note: Text(2000), Register, Creation;
    /// When, by the worker's own word (ms); the provable interval is the server's.
    at: Time, Register, Creation;
    /// Photos.
    photos: Blobs, Set, Creation;
    /// The resident's signature.
    signature: Text(64), Register, Creation;
    /// Place stamp, if the worker chose to give one: lat_e7, lon_e7.
    pin: Group, Register, Creation;
    /// Redactions: id, text, by, at.
    redactions: List, Append;
}
