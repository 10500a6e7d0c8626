//! The API as a caller sees it, in one process: the real router over a real store.

mod blobs;
mod book;
mod desk;
mod enrol;
mod refusals;
mod sync;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use pocketbook_records::ids::{EnrolmentId, Hex};
use pocketbook_records::wire::{EnrolAnswer, EnrolRequest, Problem};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::admin::carry_out;
use crate::admin::wire::{Command, Outcome};
use crate::caller::hash_secret;
use crate::seams::{SeededEntropy, SetClock};
use crate::server::Form;
use crate::{Options, Server};

/// Monday, 9:00 in China.
const MONDAY: i64 = 1_795_395_600_000;
pub(super) const GRID: &str = "610402001001001";
pub(super) const OTHER_GRID: &str = "610402001001002";
pub(super) const COMMUNITY: &str = "610402001001";

/// A small district with its server.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) clock: Arc<SetClock>,
    router: Router,
    _dir: TempDir,
}

/// What a request was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// Returns the name of the refusal after checking that it is one of ours.
    pub(super) fn refusal(&self) -> String {
        let sort = self.headers.get("content-type").expect("a problem");
        assert_eq!(sort, "application/problem+json");
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, self.status.as_u16());
        assert!(problem.title.contains(" · "), "{}", problem.title);
        problem.kind
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// An enrolled phone.
pub(super) struct Phone {
    pub(super) enrolment: EnrolmentId,
    pub(super) bearer: String,
}

impl World {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at(MONDAY));
        let options = Options {
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            form: Form::Inline,
        };
        let server = Server::init(dir.path(), "610402", "秦都区", options).unwrap();
        let router = super::router(server.clone());
        let world = Self {
            server,
            clock,
            router,
            _dir: dir,
        };
        let org = json!({
            "district": {"code": "610402", "name": "秦都区"},
            "units": [
                {"code": "610402001", "level": "street", "name": "甲街道", "parent": "610402"},
                {"code": COMMUNITY, "level": "community", "name": "乙社区", "parent": "610402001"},
                {"code": GRID, "level": "grid", "name": "一网格", "parent": COMMUNITY},
                {"code": OTHER_GRID, "level": "grid", "name": "二网格", "parent": COMMUNITY},
                {"code": "U-water", "level": "unit", "name": "自来水公司", "parent": "610402"},
            ],
            "workers": [
                {"number": "W1", "name": "王", "role": "grid-worker", "unit": GRID},
                {"number": "W2", "name": "李", "role": "grid-worker", "unit": OTHER_GRID},
                {"number": "H1", "name": "赵", "role": "grid-head", "unit": GRID},
            ],
        });
        world.command(Command::ImportOrg, &[org.to_string()]).await;
        world
    }

    pub(super) async fn command(&self, command: Command, input: &[String]) -> Outcome {
        let mut lines = input.iter().cloned().map(Ok);
        let outcome = carry_out(&self.server, command, &mut lines, &mut |_| ()).await;
        outcome.expect("the command is carried out")
    }

    pub(super) async fn code(&self, user: &str) -> String {
        let asked = Command::EnrolCode {
            user: user.into(),
            url: Some("https://qindu.example".into()),
            trust: None,
        };
        match self.command(asked, &[]).await {
            Outcome::Code(code) => code.invitation.code.to_string(),
            other => panic!("no code: {other:?}"),
        }
    }

    pub(super) async fn phone(&self, user: &str) -> Phone {
        let code = self.code(user).await;
        let secret: [u8; 32] = Sha256::digest(&code).into();
        let answer = self
            .post("/v1/enrol", None, &enrolment(&code, &secret))
            .await;
        assert_eq!(answer.status, 200);
        let enrolled: EnrolAnswer = serde_json::from_slice(&answer.body).unwrap();
        Phone {
            enrolment: enrolled.enrolment,
            bearer: format!("{}.{}", enrolled.enrolment, hex::encode(secret)),
        }
    }

    /// Opens an account with a duty and signs it in; returns the token.
    pub(super) async fn desk(&self, login: &str, role: &str, unit: &str) -> String {
        self.command(
            Command::AddUser {
                login: login.into(),
                name: "钱".into(),
                number: None,
                password: Some("correct horse".into()),
            },
            &[],
        )
        .await;
        self.command(
            Command::Grant {
                user: login.into(),
                role: role.parse().unwrap(),
                unit: unit.into(),
                from: None,
                until: None,
            },
            &[],
        )
        .await;
        let sign_in = json!({"login": login, "password": "correct horse"});
        let answer = self.post("/v1/desk/session", None, &sign_in).await;
        assert_eq!(answer.status, 200);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(super) async fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        self.send(request(Method::GET, path, bearer, &[], Body::empty()))
            .await
    }

    pub(super) async fn post(&self, path: &str, bearer: Option<&str>, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        let body = Body::from(body.to_string());
        self.send(request(Method::POST, path, bearer, &json, body))
            .await
    }
}

pub(super) fn enrolment(code: &str, secret: &[u8; 32]) -> Value {
    let request = EnrolRequest {
        code: code.into(),
        secret_hash: Hex(hash_secret(secret)),
        device: "手机".into(),
        schema: 1,
        continues: None,
    };
    serde_json::to_value(request).unwrap()
}

pub(super) fn request(
    method: Method,
    path: &str,
    bearer: Option<&str>,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}
