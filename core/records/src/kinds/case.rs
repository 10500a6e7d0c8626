//! Cases (事件): issue reports, door-to-door intakes, complaints and suggestions on the six-step
//! loop 信息收集 → 立案受理 → 分流转办 → 问题处置 → 结果反馈 → 核查结单.

use crate::kind;
use crate::kind::{Ages, Home, Listing, Parent};
use crate::workflow::Need::{Fields, Photo, PhotoIfComponent, Text, Time, Within, WithinDays};
use crate::workflow::Who::{Author, Clerk, Desk, Handler, Head, Named, OtherHead, Worker};
use crate::workflow::{Line, Workflow};

kind! {
    /// A case (事件).
    Case CASE "case", General, Home::Grid("grid");
    [
        unit "unit";
        list Listing { under: Some("household"), sort: &["state"], time: Some("reported_at") };
        workflow &LOOP;
        ages Ages::In(&["closed", "withdrawn", "voided", "merged"]);
    ]

    /// The grid it lies in.
    grid: Text(40), State, Creation;
    /// What it is.
    sort: OneOf(SORTS), Register, Creation;
    /// Whom it comes from.
    source: OneOf(SOURCES), Register, Creation;
    /// Ticket number of the 12345 line.
    ticket: Text(40), Register, Creation;
    /// The household that it concerns.
    household: Id, Register, Creation;
    /// The person that it concerns.
    person: Id, Register, Creation;
    /// Who wrote it.
    author: Id, Register, Server;
    /// Category code; `C…` is damage to a component (部件), `E…` an event (事件).
    category: Text(20), Register;
    /// What is the matter.
    text: Text(4000), Register;
    /// Where, in words.
    place: Text(200), Register;
    /// Where: lat_e7, lon_e7 and `by` (fix or hand).
    pin: Group, Register;
    /// Photos of the report.
    photos: Blobs, Set;
    /// When it was reported, by the author's word (ms).
    reported_at: Time, Register, Creation;
    /// Approval item and its version, mode, appointment (intakes).
    item: Group, Register;
    /// Answers of the form: question → value.
    answers: Map, Map;
    /// Materials: material → photo, checked.
    materials: Map, Map;
    /// Trips that the resident was saved (少跑一次).
    trips_saved: Integer, Counter;
    /// Remarks: id, text, by, at.
    remarks: List, Append;

    /// Where it stands in the loop.
    state: Text(20), State, Server;
    /// Grows with each transition.
    turn: Integer, State, Server;
    /// The mutation of the last transition.
    transition: Id, State, Server;
    /// Each transition with person, time and arguments.
    steps: List, State, Server;
    /// Official number, given when the desk accepts.
    number: Text(40), Register, Server;
    /// The unit that handles it.
    unit: Text(40), State, Server;
    /// Units that help.
    co_units: Texts, State, Server;
    /// Working hours it may take.
    limit_hours: Integer, State, Server;
    /// The case that it was merged into (并案).
    merged_into: Id, State, Server;
    /// The checker named for closing it.
    checker: Id, State, Server;
    /// The resident's rating, 1 to 5.
    rating: Integer, State, Server;
}

kind! {
    /// What only the entitled may read of a case: the caller of the 12345 line.
    CaseSensitive CASE_SENSITIVE "case-sensitive", Sensitive,
        Home::Parent(Parent { kind: "case", field: None });
        []

    /// The caller's name.
    caller: Text(60), Register;
    /// The caller's phone.
    phone: Phone, Register;
}

/// What a case is: an issue report, a door-to-door intake, a complaint, a suggestion.
pub const SORTS: &[&str] = &["issue", "intake", "complaint", "suggestion"];

/// Whom a case comes from: 网格员, 居民, 群, 12345 热线, 上级, 问卷, 上门办.
pub const SOURCES: &[&str] = &[
    "worker",
    "resident",
    "group",
    "12345",
    "superior",
    "questionnaire",
    "intake",
];

const OPEN: &[&str] = &[
    "submitted",
    "returned",
    "accepted",
    "handling",
    "suspended",
    "feedback",
    "checking",
];

/// The six-step loop. States: draft 草稿, submitted 待受理, returned 退回补正, accepted 待分派,
/// handling 处置中, suspended 挂起, feedback 待反馈, checking 待核查, closed 已结单,
/// withdrawn 已撤回, voided 已作废, merged 已并案.
pub static LOOP: Workflow = Workflow {
    start: "draft",
    lines: &[
        line(
            &["draft"],
            "report",
            "submitted",
            &[Author],
            &[Fields(&["category", "place"])],
        ),
        line(
            &["draft"],
            "close_on_spot",
            "closed",
            &[Author],
            &[Fields(&["category", "place"]), Photo],
        ),
        line(
            &["submitted", "returned"],
            "withdraw",
            "withdrawn",
            &[Author],
            &[],
        ),
        Line {
            sets: &[("number", "number"), ("limit_hours", "limit_hours")],
            ..line(&["submitted"], "accept", "accepted", &[Desk, Clerk], &[])
        },
        line(
            &["submitted"],
            "return",
            "returned",
            &[Desk, Clerk],
            &[Text("reason")],
        ),
        line(&["returned"], "complete", "submitted", &[Author], &[]),
        Line {
            sets: &[("case", "merged_into")],
            ..line(
                &["submitted", "accepted"],
                "merge_into",
                "merged",
                &[Desk],
                &[Text("case")],
            )
        },
        line(
            &["merged"],
            "split",
            "submitted",
            &[Desk],
            &[Text("reason")],
        ),
        line(OPEN, "void", "voided", &[Desk], &[Text("reason")]),
        line(
            &["voided"],
            "unvoid",
            "submitted",
            &[Desk],
            &[Text("reason")],
        ),
        Line {
            sets: &[
                ("unit", "unit"),
                ("co_units", "co_units"),
                ("limit_hours", "limit_hours"),
                ("checker", "checker"),
            ],
            ..line(
                &["accepted"],
                "dispatch",
                "handling",
                &[Desk, Head],
                &[Text("unit")],
            )
        },
        line(
            &["handling"],
            "done",
            "feedback",
            &[Handler],
            &[Text("reply"), PhotoIfComponent],
        ),
        line(
            &["handling"],
            "transfer",
            "accepted",
            &[Handler],
            &[Text("reason")],
        ),
        line(
            &["handling"],
            "suspend",
            "suspended",
            &[Handler, Desk],
            &[Text("reason"), Time("until")],
        ),
        line(&["suspended"], "resume", "handling", &[Handler, Desk], &[]),
        Line {
            to: None,
            ..line(OPEN, "urge", "", &[Desk], &[Text("reason")])
        },
        line(
            &["feedback"],
            "feedback",
            "checking",
            &[Desk, Worker],
            &[Text("reply")],
        ),
        line(
            &["feedback"],
            "send_back",
            "handling",
            &[Desk, Worker],
            &[Text("reason")],
        ),
        line(
            &["checking"],
            "close",
            "closed",
            &[OtherHead, Clerk, Named("checker")],
            &[],
        ),
        line(
            &["checking"],
            "send_back",
            "handling",
            &[OtherHead, Clerk, Named("checker")],
            &[Text("reason"), Photo],
        ),
        Line {
            to: None,
            sets: &[("rating", "rating")],
            ..line(
                &["closed"],
                "rate",
                "",
                &[Desk, Worker],
                &[Within("rating", 1, 5)],
            )
        },
        line(
            &["closed"],
            "reopen",
            "submitted",
            &[Desk],
            &[Text("reason"), WithinDays(30)],
        ),
    ],
};

const fn line(
    from: &'static [&'static str],
    command: &'static str,
    to: &'static str,
    who: &'static [crate::workflow::Who],
    needs: &'static [crate::workflow::Need],
) -> Line {
    Line {
        from,
        command,
        to: Some(to),
        who,
        needs,
        sets: &[],
    }
}
