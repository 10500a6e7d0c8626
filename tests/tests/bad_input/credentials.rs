//! Who asks: credentials that are missing, doubled, of another kind, of another person or over; and
//! codes that enrol nobody.

use axum::body::Body;
use axum::http::Request;
use pocketbook_records::rights::Role;
use pocketbook_tests::world::handmade::enrol_request;
use pocketbook_tests::world::{Client, Reply, World};
use serde_json::{Value, json};

use crate::stage::phone_of;
use crate::table::{Refusal, bad, refused, walk};

fn heard(reply: &Reply) -> Refusal {
    if reply.status < 400 {
        return refused(reply.status, "");
    }
    refused(reply.status, &reply.problem().kind)
}

/// Posts to an address with these `Authorization` headers.
async fn shows(world: &World, path: &str, credentials: &[String], body: &str) -> Refusal {
    let mut request = Request::post(path).header("content-type", "application/json");
    for credential in credentials {
        request = request.header("authorization", credential);
    }
    let request = request.body(Body::from(body.to_owned()));
    let answer = world
        .town()
        .answers(request.expect("HTTP carries it"))
        .await;
    let (parts, body) = answer.expect("the server runs").into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    heard(&Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.expect("an answer from memory"),
    })
}

#[tokio::test]
async fn a_credential_that_is_none_opens_nothing() {
    let world = World::new(311).await;
    let (wang, li) = (phone_of(&world, "王").await, phone_of(&world, "李").await);
    let chen = world.street_desk("陈").await;
    let good = wang.client().bearer().expect("it has one").to_owned();
    let (id, secret) = good.split_once('.').expect("two parts");
    let desk = chen.client().bearer().expect("it has one").to_owned();
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiLnjosifQ.";
    let none = || refused(401, "unknown-caller");

    let table = vec![
        bad("B19 none", vec![], none()),
        bad("B19 an empty one", vec![String::new()], none()),
        bad("B19 the word alone", vec!["Bearer".to_owned()], none()),
        bad(
            "B19 the word and a blank",
            vec!["Bearer ".to_owned()],
            none(),
        ),
        bad(
            "B19 a stranger's before the right one",
            vec![
                format!("Bearer {id}.{}", "0".repeat(64)),
                format!("Bearer {good}"),
            ],
            none(),
        ),
        bad("B20 another scheme", vec![format!("Basic {good}")], none()),
        bad("B20 no scheme", vec![good.clone()], none()),
        bad("B20 a token with algorithm none", bearer(jwt), none()),
        bad(
            "B20 a digest",
            vec!["Digest username=\"王\"".replace('王', "wang")],
            none(),
        ),
        bad("B23 a desk's at a phone's door", bearer(&desk), none()),
        bad(
            "B27 one's name, another's secret",
            bearer(&format!("{}.{secret}", li.enrolment())),
            none(),
        ),
        bad(
            "B28 ten million letters",
            bearer(&"a".repeat(10_000_000)),
            none(),
        ),
        bad(
            "B28 ten million digits of a secret",
            bearer(&format!("{id}.{}", "0".repeat(10_000_000))),
            none(),
        ),
        bad(
            "a secret one digit short",
            bearer(&good[..good.len() - 1]),
            none(),
        ),
        bad(
            "a secret one digit long",
            bearer(&format!("{good}0")),
            none(),
        ),
        bad(
            "a secret that is no hex",
            bearer(&format!("{id}.{}", "g".repeat(64))),
            none(),
        ),
        bad("no name", bearer(&format!(".{secret}")), none()),
        bad("no secret", bearer(&format!("{id}.")), none()),
        bad(
            "a name that is no id",
            bearer(&format!("1.{secret}")),
            none(),
        ),
        bad(
            "the hash of the secret",
            bearer(&format!("{id}.{}", hash_of(secret))),
            none(),
        ),
    ];
    // What is asked is sound, so that nothing but the credential is at fault.
    let mut asked = serde_json::to_value(wang.request(vec![])).expect("plain data");
    asked["certificate"] = Value::Null;
    walk("credentials", table, async |_, credentials| {
        shows(&world, "/v1/sync", &credentials, &asked.to_string()).await
    })
    .await;
    let phone_at_desk = Client::with(world.town().clone(), good.clone());
    assert_eq!(
        heard(&phone_at_desk.gets("/v1/desk/cases").await),
        none(),
        "B23 a phone's at a desk's door"
    );
}

fn hash_of(secret: &str) -> String {
    let bytes = hex::decode(secret).expect("a secret is hex");
    pocketbook_records::ids::BlobHash::of(&bytes).to_string()
}

#[tokio::test]
async fn a_code_that_enrols_nobody_says_why() {
    let world = World::new(312).await;
    for name in ["王", "李", "冯"] {
        let user = world.account(name).await;
        world
            .grant(user, name, Role::GridWorker, &world.grid(0))
            .await;
    }
    let code = async |name: &str| world.code(name).await.code.to_string();
    let expired = code("王").await;
    world.hours_pass(25);
    let (used, good, blocked) = (code("王").await, code("李").await, code("冯").await);
    let client = Client::unknown(world.town().clone());
    let request = |code: &str, byte: u8| {
        serde_json::to_value(enrol_request(code, &[byte; 32])).expect("plain data")
    };
    client.posts("/v1/enrol", &request(&used, 1)).await.ok();
    let block = pocketbook_server::admin::wire::Command::Block {
        user: "冯".to_owned(),
    };
    world.town().does(block, vec![]).await;
    let with = |field: &str, value: Value| {
        let mut asked = request(&good, 1);
        asked[field] = value;
        asked
    };
    let unknown = || refused(404, "code-unknown");
    let malformed = || refused(400, "malformed");

    let table = vec![
        bad(
            "B21 a day and an hour old",
            request(&expired, 1),
            refused(410, "code-expired"),
        ),
        bad(
            "B29 used by another phone",
            request(&used, 2),
            refused(403, "code-used"),
        ),
        bad(
            "B26 of a blocked account",
            request(&blocked, 1),
            refused(403, "locked"),
        ),
        bad(
            "a code that nobody made",
            request("7777-7777-7777-7777", 1),
            unknown(),
        ),
        bad("a code too short", with("code", json!("7777")), unknown()),
        bad("no code", with("code", json!("")), unknown()),
        bad(
            "a code in Chinese",
            with("code", json!("七七七七")),
            unknown(),
        ),
        bad(
            "a code of a hundred letters and one",
            with("code", json!("7".repeat(101))),
            malformed(),
        ),
        bad(
            "a number for a code",
            with("code", json!(7777)),
            malformed(),
        ),
        bad(
            "a hash one byte short",
            with("secret_hash", json!("00".repeat(31))),
            malformed(),
        ),
        bad(
            "a hash that is no hex",
            with("secret_hash", json!("zz".repeat(32))),
            malformed(),
        ),
        bad(
            "a device with a very long name",
            with("device", json!("长".repeat(81))),
            malformed(),
        ),
        bad(
            "a device with a line break",
            with("device", json!("a\nb")),
            malformed(),
        ),
        bad(
            "a device with a script",
            with("device", json!("<script>")),
            malformed(),
        ),
        bad(
            "a schema beyond counting",
            with("schema", json!(65_536)),
            malformed(),
        ),
        bad(
            "a continuation of nothing",
            with("continues", json!({"enrolment": "x"})),
            malformed(),
        ),
    ];
    walk("enrolments", table, async |_, asked| {
        heard(&client.posts("/v1/enrol", &asked).await)
    })
    .await;
    client.posts("/v1/enrol", &request(&good, 1)).await.ok();
}

#[tokio::test]
async fn an_identity_of_ones_own_is_given_to_whoever_shows_the_shared_one() {
    let world = World::new(313).await;
    let (wang, li) = (phone_of(&world, "王").await, phone_of(&world, "李").await);
    let (gone, feng) = (phone_of(&world, "冯").await, phone_of(&world, "周").await);
    let block = pocketbook_server::admin::wire::Command::Block {
        user: "周".to_owned(),
    };
    world.town().does(block, vec![]).await;
    let chen = world.street_desk("陈").await;
    let bearer = |client: &Client| client.bearer().expect("it has one").to_owned();
    let (hers, his) = (bearer(wang.client()), bearer(li.client()));
    let (her_id, her_secret) = hers.split_once('.').expect("two parts");
    let (_, his_secret) = his.split_once('.').expect("two parts");
    let own_hash = hash_of(her_secret);
    let asked = json!({"secret_hash": "7b".repeat(32), "first_mseq": 1, "schema": 1});
    let with = |field: &str, value: Value| {
        let mut asked = asked.clone();
        asked[field] = value;
        asked
    };
    let as_of = |token: &str, asked: Value| (vec![format!("Bearer {token}")], asked.to_string());
    let (none, malformed) = (
        || refused(401, "unknown-caller"),
        || refused(400, "malformed"),
    );

    let table = vec![
        bad("nobody", (vec![], asked.to_string()), none()),
        bad(
            "an enrolment that nobody has",
            as_of(&format!("{}.{her_secret}", gone.uuid()), asked.clone()),
            none(),
        ),
        bad(
            "a wrong secret",
            as_of(&format!("{her_id}.{}", "0".repeat(64)), asked.clone()),
            none(),
        ),
        bad(
            "another account's secret",
            as_of(&format!("{her_id}.{his_secret}"), asked.clone()),
            none(),
        ),
        bad(
            "the new secret before it is known",
            as_of(&format!("{her_id}.{}", "7b".repeat(32)), asked.clone()),
            none(),
        ),
        bad(
            "a desk's session",
            as_of(&bearer(chen.client()), asked.clone()),
            none(),
        ),
        bad(
            "a locked account",
            as_of(&bearer(feng.client()), asked.clone()),
            refused(403, "locked"),
        ),
        bad(
            "the secret that it has",
            as_of(&hers, with("secret_hash", json!(own_hash))),
            malformed(),
        ),
        bad(
            "a hash one byte short",
            as_of(&hers, with("secret_hash", json!("00".repeat(31)))),
            malformed(),
        ),
        bad(
            "a number below the first",
            as_of(&hers, with("first_mseq", json!(0))),
            malformed(),
        ),
        bad(
            "a number beyond counting",
            as_of(&hers, with("first_mseq", json!(u64::MAX))),
            malformed(),
        ),
        bad(
            "a number below nothing",
            as_of(&hers, with("first_mseq", json!(-1))),
            malformed(),
        ),
        bad(
            "a schema beyond counting",
            as_of(&hers, with("schema", json!(65_536))),
            malformed(),
        ),
        bad("nothing asked", as_of(&hers, json!({})), malformed()),
    ];
    walk("identities", table, async |_, (credentials, body)| {
        shows(&world, "/v1/enrol/again", &credentials, &body).await
    })
    .await;

    // A hash of his that she shows is hers from then on, and his phone is none the wiser.
    let stolen = with("secret_hash", json!(hash_of(his_secret)));
    let given = wang.client().posts("/v1/enrol/again", &stolen).await.ok();
    assert_eq!(given["user"], json!(wang.user()));
    assert_ne!(given["enrolment"], json!(li.enrolment()));
    let first = wang.client().posts("/v1/enrol/again", &asked).await.ok();
    let again = wang.client().posts("/v1/enrol/again", &asked).await.ok();
    assert_eq!(first["enrolment"], again["enrolment"]);
    assert_ne!(first["enrolment"], json!(wang.enrolment()));
}
