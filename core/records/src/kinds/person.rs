//! Residents (居民). What everyone in the grid may read is `person`; identity number, phone,
//! health and sensitive tags are `person-sensitive`, a companion under the same id.

use crate::kind;
use crate::kind::{Home, Listing, Parent};

kind! {
    /// A resident (居民), general part.
    Person PERSON "person", General, Home::Parent(Parent { kind: "household", field: Some("household") });
    [
        list Listing { under: Some("household"), sort: &["name"], time: None };
    ]

    /// The household he or she belongs to.
    household: Id, Register, Creation;
    /// Name (姓名).
    name: Text(60), NeverAuto;
    /// Relation to the head of the household (与户主关系).
    relation: Text(20), Register;
    /// male or female.
    sex: Text(10), Register;
    /// Day of birth.
    birth: Day, Register;
    /// The identity number as others see it.
    masked_id: Text(20), Register, Derived;
    /// The phone as others see it.
    masked_phone: Text(24), Register, Derived;
    /// Care tags (标签): code → proof, since, review.
    tags: Map, Map;
    /// Notes: id, text, by, at.
    notes: List, Append;
    /// Photos.
    photos: Blobs, Set;
    /// Moved out on this day (迁出).
    moved_out: Day, NeverAuto;
    /// Died on this day.
    died: Day, NeverAuto;
}

kind! {
    /// A resident's sensitive part; its id is the person's.
    PersonSensitive PERSON_SENSITIVE "person-sensitive", Sensitive,
        Home::Parent(Parent { kind: "person", field: None });
    []

    /// Identity number (身份证号).
    id_number: IdNumber, NeverAuto;
    /// Phone (电话).
    phone: Phone, Register;
    /// Health in words.
    health: Text(500), Register;
    /// Sensitive tags: code → proof, since, review.
    tags: Map, Map;
    /// Notes: id, text, by, at.
    notes: List, Append;
}
