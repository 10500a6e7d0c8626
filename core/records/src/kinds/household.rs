//! Household files (户档案): a home, where it lies and how it is held. People hang on it.

use crate::kind;
use crate::kind::{Home, Listing};
use crate::workflow::{Line, Need, Who, Workflow};

kind! {
    /// A household file (户档案).
    Household HOUSEHOLD "household", General, Home::Grid("grid");
    [
        list Listing { under: None, sort: &["place/compound", "place/building", "place/unit", "place/room"], time: None };
        workflow &MOVES;
    ]

    /// The grid it lies in; changed by the command `move` only, since scopes hang on it.
    grid: Text(40), State, Creation;
    /// Always `standing`: a household's commands change its grid, not its state.
    state: Text(20), State, Server;
    /// Grows with each move.
    turn: Integer, State, Server;
    /// The mutation of the last move.
    transition: Id, State, Server;
    /// Its moves between grids.
    steps: List, State, Server;
    /// Compound, building, unit, room (小区-幢-单元-室); one value.
    place: Group, Register;
    /// own, rent, empty, lent, business (产权).
    tenure: Text(20), Register;
    /// here or elsewhere (户籍在此, 人户分离).
    registration: Text(20), Register;
    /// The person who is its head (户主).
    head: Id, Register;
    /// Tags of the home itself: party home and the like.
    tags: Map, Map;
    /// Code of the front door.
    door_code: Text(20), Register;
    /// Where the door is: lat_e7, lon_e7 (WGS-84, 1e-7 degrees).
    pin: Group, Register;
    /// Notes: id, text, by, at.
    notes: List, Append;
    /// Photos that belong to the home.
    photos: Blobs, Set;
    /// Answers to the district's own questions: question → value, by, at.
    extras: Map, Map;
    /// How often somebody knocked.
    knocks: Integer, Counter;
    /// The day of the last visit (ms).
    last_visit: Time, Max;
    /// Since when the household is known (ms).
    known_since: Time, Min;
    /// The day on which all moved out (迁出); never decided by a machine.
    moved_out: Day, NeverAuto;
}

/// The one command of a household: moving it to another grid.
static MOVES: Workflow = Workflow {
    start: "standing",
    lines: &[Line {
        from: &["standing"],
        command: "move",
        to: None,
        who: &[Who::Head, Who::Clerk, Who::Desk],
        needs: &[Need::Text("grid")],
        sets: &[("grid", "grid")],
    }],
};
