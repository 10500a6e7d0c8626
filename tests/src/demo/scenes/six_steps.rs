//! The six-step loop 信息收集 → 立案受理 → 分流转办 → 问题处置 → 结果反馈 → 核查结单, with one return.

use pocketbook_tests::world::pictures::stored;
use serde_json::json;

use super::{Day, text};
use crate::Result;
use crate::stage::{Cast, MENDERS, Stage};

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let (screen, case) = (stage.screen, day.case);
    screen.scene("井盖：六步闭环", "The manhole cover: six steps");
    let is_hidden = cast.sun.finds(case).await?.is_none();
    let accepted = cast.chen.does(case, "accept", json!({}), &[]).await?;
    let number = text(&accepted["number"]);
    cast.chen
        .does(
            case,
            "dispatch",
            json!({"unit": MENDERS, "limit_hours": 24}),
            &[],
        )
        .await?;
    screen.tell(
        format!("陈受理立案 {number}，派给{}。", stage.name_of(MENDERS)),
        format!("Chen files it as {number} and dispatches it to the municipal menders."),
    );
    screen.check(
        is_hidden && cast.sun.finds(case).await?.is_some() && !number.is_empty(),
        "处置单位派到才看得见，派之前看不见",
        "The handling unit sees it once it is dispatched, and not before",
    );
    mend(stage, cast, day).await?;
    screen.tell(
        "赵到现场核查：还在松动，拍照退回。孙重新固定，再反馈，赵结单。",
        "Zhao looks at it: still loose, sent back with a photo. Sun fixes it again; Zhao closes.",
    );
    let proof = cast
        .zhao
        .uploads(&stored("real/iphone4_receipt_gps.jpg"))
        .await?;
    cast.zhao
        .does(case, "send_back", json!({"reason": "井盖仍松动"}), &[proof])
        .await?;
    let after = cast
        .sun
        .uploads(&stored("real/orientation_landscape_5.jpg"))
        .await?;
    cast.sun
        .does(case, "done", json!({"reply": "重新固定"}), &[after])
        .await?;
    cast.chen
        .does(case, "feedback", json!({"reply": "已当面告知"}), &[])
        .await?;
    cast.zhao.does(case, "close", json!({}), &[]).await?;
    cast.wang.delivers().await?;
    cast.li.delivers().await?;
    let on_phone = cast.wang.book().case(case)?.fields;
    screen.check(
        on_phone.state.as_deref() == Some("closed") && on_phone.number.as_deref() == Some(&number),
        format!("王的手机上：{number}，已结单，全过程可查"),
        format!("On Wang's phone: {number} is closed, with every step and who took it"),
    );
    Ok(())
}

/// The menders' first answer, with and without its proof.
async fn mend(stage: &Stage<'_>, cast: &Cast, day: &Day) -> Result<()> {
    let without = cast
        .sun
        .tries(day.case, "done", json!({"reply": "已更换"}), &[])
        .await?;
    stage.screen.check(
        (without.status, without.refusal().as_str()) == (422, "missing"),
        "孙想不附照片就办结：被拒绝，部件损坏必须有处置后照片",
        "Sun tries to finish without a photo: refused, component damage needs an 'after' photo",
    );
    let after = cast
        .sun
        .uploads(&stored("real/orientation_landscape_3.jpg"))
        .await?;
    cast.sun
        .does(day.case, "done", json!({"reply": "已更换井盖"}), &[after])
        .await?;
    cast.chen
        .does(day.case, "feedback", json!({"reply": "已电话告知"}), &[])
        .await?;
    Ok(())
}
