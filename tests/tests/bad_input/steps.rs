//! Steps out of turn, parents that are not there, records that nobody may make; and what only looks
//! odd and is taken.

use pocketbook_records::ids::RecordId;
use pocketbook_records::receipt::Outcome::{Applied, Parked, Rejected};
use pocketbook_records::receipt::Reason;
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::table::{bad, walk};

#[tokio::test]
async fn a_step_or_a_parent_that_can_not_be_is_parked_or_refused() {
    let stage = Stage::new(342).await;
    let parked = |reason: Reason| (Parked, Some(reason));
    let rejected = |reason: Reason| (Rejected, Some(reason));
    let nobody = RecordId(stage.phone.uuid());
    let own = RecordId(stage.phone.uuid());
    let visit = |household: Value| {
        stage.new_record("visit", json!({"household": household, "result": "met"}))
    };
    let itself = stage.content(
        "person",
        own,
        "create",
        json!({"set": [{"path": "household", "to": own}, {"path": "name", "to": "王"}]}),
    );
    let ahead = stage.edits(json!({"seen": 1_u64 << 62, "inc": {"knocks": 1}}));
    let rows = vec![
        bad(
            "B17 a visit to no household",
            visit(json!(nobody)),
            parked(Reason::NotYours),
        ),
        bad("B17 a visit to itself", itself, parked(Reason::NotYours)),
        bad(
            "B17 a visit to a case",
            visit(json!(stage.case)),
            parked(Reason::NotYours),
        ),
        bad(
            "B17 a visit to nothing",
            stage.new_record("visit", json!({"result": "met"})),
            parked(Reason::NotYours),
        ),
        bad(
            "a household without a grid",
            stage.new_record("household", json!({"tenure": "own"})),
            rejected(Reason::BadValue("grid".into())),
        ),
        bad(
            "a household in a grid that is not there",
            stage.new_record("household", json!({"grid": "x"})),
            parked(Reason::NotYours),
        ),
        bad(
            "a household in another's grid",
            stage.new_record("household", json!({"grid": stage.world.grid(1)})),
            parked(Reason::NotYours),
        ),
        bad(
            "a review that somebody makes up",
            stage.new_record("review", json!({})),
            rejected(Reason::Malformed),
        ),
        bad(
            "a tray item that somebody makes up",
            stage.new_record("parked", json!({})),
            rejected(Reason::Malformed),
        ),
        bad(
            "an edit of what is not there",
            stage.content("household", nobody, "patch", json!({"inc": {"knocks": 1}})),
            parked(Reason::NotYours),
        ),
        bad(
            "a deletion of what is not there",
            stage.content("household", nobody, "delete", json!({})),
            parked(Reason::NotYours),
        ),
        bad(
            "a decision of no review",
            stage.content(
                "review",
                nobody,
                "decide",
                json!({"decide": {"choice": {"candidate": "base"}, "seen": []}}),
            ),
            parked(Reason::NotYours),
        ),
        bad(
            "B62 accepted by a worker",
            stage.step("accept", json!({})),
            parked(Reason::NotPermitted),
        ),
        bad(
            "B62 returned by a worker",
            stage.step("return", json!({"reason": "x"})),
            parked(Reason::NotPermitted),
        ),
        bad(
            "B62 dispatched before it is accepted",
            stage.step("dispatch", json!({"unit": "U-municipal"})),
            parked(Reason::WrongState),
        ),
        bad(
            "B62 done before it is handled",
            stage.step("done", json!({"reply": "x"})),
            parked(Reason::WrongState),
        ),
        bad(
            "B62 closed before it is checked",
            stage.step("close", json!({})),
            parked(Reason::WrongState),
        ),
        bad(
            "B62 reopened before it is closed",
            stage.step("reopen", json!({"reason": "x"})),
            parked(Reason::WrongState),
        ),
        bad(
            "B62 rated before it is closed",
            stage.step("rate", json!({"rating": 6})),
            parked(Reason::WrongState),
        ),
        bad(
            "B62 a step that nobody knows",
            stage.step("teleport", json!({})),
            rejected(Reason::UnknownCommand),
        ),
        bad(
            "B62 a step with an empty name",
            stage.step("", json!({})),
            rejected(Reason::UnknownCommand),
        ),
        bad(
            "B10 a kind of a newer app",
            stage.new_record("spaceship", json!({})),
            rejected(Reason::UnknownKind),
        ),
        bad(
            "a kind in capitals",
            stage.new_record("HOUSEHOLD", json!({})),
            rejected(Reason::UnknownKind),
        ),
        bad("B13 a screen ahead of the server", ahead, (Applied, None)),
        bad(
            "B54 a phone with its country",
            stage.sensitive("phone", json!("+86 138-1234-5678")),
            (Applied, None),
        ),
        bad(
            "B69 the last second of 32 bits",
            stage.home("last_visit", json!(2_147_483_647_999_i64)),
            (Applied, None),
        ),
        bad(
            "B69 the end of time",
            stage.home("last_visit", json!(i64::MAX)),
            (Applied, None),
        ),
        bad(
            "B69 the beginning of time",
            stage.home("known_since", json!(i64::MIN)),
            (Applied, None),
        ),
        bad(
            "B53 a rare character",
            stage.home("door_code", json!("𠮷👨‍👩‍👧")),
            (Applied, None),
        ),
        bad(
            "B44 right to left",
            stage.home("tenure", json!("\u{202e}nwo")),
            (Applied, None),
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|row| row.with(|content| content.to_string()));
    walk(
        "steps and parents of contents",
        rows.collect(),
        async |_, text| stage.word(&text).await,
    )
    .await;
    let grid = stage.world.grid(0);
    let feng = stage.world.worker("冯", &grid).await;
    feng.syncs().await;
    stage.world.check(&[&feng]).await;
}
