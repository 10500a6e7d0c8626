use super::*;

#[tokio::test]
async fn the_same_code_and_secret_get_the_same_answer_until_first_use() {
    let world = World::new().await;
    let code = world.code("W1").await;
    let asked = enrolment(&code, &[1; 32]);

    let first = world.post("/v1/enrol", None, &asked).await;
    let again = world.post("/v1/enrol", None, &asked).await;
    let other_phone = enrolment(&code, &[2; 32]);
    let other = world.post("/v1/enrol", None, &other_phone).await;

    assert_eq!(first.status, 200);
    assert_eq!(first.json(), again.json());
    assert_eq!(
        (other.status.as_u16(), other.refusal().as_str()),
        (403, "code-used")
    );
}

#[tokio::test]
async fn unknown_and_expired_codes_are_told_apart() {
    let world = World::new().await;
    let code = world.code("W1").await;
    let unknown = enrolment("AAAA-BBBB-CCCC-DDDD", &[1; 32]);

    let answer = world.post("/v1/enrol", None, &unknown).await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().as_str()),
        (404, "code-unknown")
    );

    world.clock.advance(crate::enrol::CODE_MS + 1);
    let answer = world
        .post("/v1/enrol", None, &enrolment(&code, &[1; 32]))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.refusal().as_str()),
        (410, "code-expired")
    );
}

#[tokio::test]
async fn a_guesser_is_told_to_wait() {
    let world = World::new().await;
    let guess = enrolment("AAAA-BBBB-CCCC-DDDD", &[1; 32]);
    for _ in 0..25 {
        world.post("/v1/enrol", None, &guess).await;
    }

    let answer = world.post("/v1/enrol", None, &guess).await;

    assert_eq!(
        (answer.status.as_u16(), answer.refusal().as_str()),
        (429, "too-many")
    );
    assert!(answer.json()["retry_after_ms"].as_u64() > Some(0));
    assert_ne!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn a_code_for_a_blocked_account_enrols_nobody() {
    let world = World::new().await;
    let code = world.code("W1").await;
    world
        .command(Command::Block { user: "W1".into() }, &[])
        .await;

    let answer = world
        .post("/v1/enrol", None, &enrolment(&code, &[1; 32]))
        .await;

    assert_eq!(
        (answer.status.as_u16(), answer.refusal().as_str()),
        (403, "locked")
    );
}
