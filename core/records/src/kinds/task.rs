//! Tasks (任务): work that a head gives to the workers of a grid.

use crate::kind;
use crate::kind::{Ages, Home, Listing};
use crate::workflow::{Line, Need, Who, Workflow};

kind! {
    /// A task (任务).
    Task TASK "task", General, Home::Grid("grid");
    [
        list Listing { under: None, sort: &["state"], time: Some("due") };
        workflow &TASKS;
        ages Ages::In(&["done", "cancelled"]);
    ]

    /// The grid it is for.
    grid: Text(40), State, Creation;
    /// Who gave it.
    author: Id, Register, Server;
    /// What is to be done.
    title: Text(200), Register;
    /// More about it.
    text: Text(4000), Register;
    /// By when (ms).
    due: Time, Register;
    /// The workers it is for; empty means all of the grid.
    workers: Texts, Set;
    /// The household it concerns.
    household: Id, Register, Creation;
    /// Remarks: id, text, by, at.
    remarks: List, Append;

    /// open, done or cancelled.
    state: Text(20), State, Server;
    /// Grows with each transition.
    turn: Integer, State, Server;
    /// The mutation of the last transition.
    transition: Id, State, Server;
    /// Each transition with person and time.
    steps: List, State, Server;
}

static TASKS: Workflow = Workflow {
    start: "open",
    lines: &[
        Line {
            from: &["open"],
            command: "finish",
            to: Some("done"),
            who: &[Who::Worker],
            needs: &[],
            sets: &[],
        },
        Line {
            from: &["open"],
            command: "cancel",
            to: Some("cancelled"),
            who: &[Who::Author, Who::Head],
            needs: &[Need::Text("reason")],
            sets: &[],
        },
        Line {
            from: &["done", "cancelled"],
            command: "reopen",
            to: Some("open"),
            who: &[Who::Author, Who::Head],
            needs: &[Need::Text("reason")],
            sets: &[],
        },
    ],
};
