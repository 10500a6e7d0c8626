//! Whoever works at a desk: the street's window, a handling unit, a head sitting down. All over
//! HTTP, through the server's real router, as the console does it.

use pocketbook_records::ids::{Mid, RecordId, UnitId};
use pocketbook_records::wire::Problem;
use serde_json::{Value, json};

use super::client::{Client, Reply};
use super::seams::Chance;

/// Somebody signed in at a desk.
#[derive(Debug)]
pub struct Desk {
    client: Client,
    chance: Chance,
    name: String,
}

impl Desk {
    /// Signs in.
    pub async fn sign_in(unknown: Client, login: &str, password: &str) -> Self {
        let asked = json!({"login": login, "password": password});
        let session = unknown.posts("/v1/desk/session", &asked).await.ok();
        let token = session["token"]
            .as_str()
            .expect("a session has a token")
            .to_owned();
        let town = unknown.town().clone();
        let chance = Chance::new(town.seed, &format!("desk/{login}/{token}"));
        let bearer = if token.starts_with("desk.") {
            token
        } else {
            format!("desk.{token}")
        };
        Self {
            client: Client::with(town, bearer),
            chance,
            name: login.to_owned(),
        }
    }

    /// Returns the client, for requests of a test's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the person's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a fresh name for a step.
    pub fn mid(&self) -> Mid {
        let mut random = [0; 10];
        pocketbook::seams::Entropy::fill(&self.chance, &mut random);
        let now = u64::try_from(self.client.town().time.now()).unwrap_or(0);
        Mid(uuid::Builder::from_unix_timestamp_millis(now, &random).into_uuid())
    }

    /// Looks at a case; none if it is not this desk's to see.
    pub async fn finds(&self, case: RecordId) -> Option<Value> {
        let reply = self.client.gets(&format!("/v1/desk/cases/{case}")).await;
        match reply.status {
            404 => {
                reply.problem();
                None
            }
            _ => Some(reply.ok()),
        }
    }

    /// Looks at a case.
    pub async fn sees(&self, case: RecordId) -> Value {
        self.finds(case)
            .await
            .unwrap_or_else(|| panic!("{} does not see the case", self.name))
    }

    /// Returns the fields of a case.
    pub async fn case(&self, case: RecordId) -> Value {
        body_of(&self.sees(case).await)
    }

    /// Returns the state of a case.
    pub async fn state_of(&self, case: RecordId) -> String {
        self.case(case).await["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Lists the cases of a state.
    pub async fn cases(&self, state: &str) -> Vec<RecordId> {
        let list = self
            .client
            .gets(&format!("/v1/desk/cases?state={state}&limit=200"))
            .await
            .ok();
        ids(&list)
    }

    /// Takes a call of the 12345 line.
    pub async fn takes_call(&self, grid: &UnitId, ticket: &str, text: &str) -> RecordId {
        let asked = json!({
            "mid": self.mid(), "grid": grid, "category": "C0101", "place": "东门", "text": text,
            "source": "12345", "ticket": ticket, "caller": "来电人", "phone": "15400001234",
        });
        let made = self.client.posts("/v1/desk/cases", &asked).await.ok();
        let id = made["id"].as_str().or_else(|| made["case"]["id"].as_str());
        id.and_then(|id| id.parse().ok())
            .unwrap_or_else(|| panic!("no id in {made}"))
    }

    /// Returns the body of a request that gives a command to a case as it stands.
    pub async fn step(&self, case: RecordId, args: Value) -> Value {
        let shown = self.case(case).await;
        let mut expect = json!({"state": shown["state"], "turn": shown["turn"]});
        if shown["transition"].is_string() {
            expect["after"] = shown["transition"].clone();
        }
        let photos = args.get("photos").cloned().unwrap_or_else(|| json!([]));
        let mut args = args;
        if let Value::Object(args) = &mut args {
            args.remove("photos");
        }
        json!({"mid": self.mid(), "expect": expect, "args": args, "photos": photos})
    }

    /// Sends such a request.
    pub async fn sends(&self, case: RecordId, command: &str, step: &Value) -> Reply {
        self.client
            .posts(&format!("/v1/desk/cases/{case}/commands/{command}"), step)
            .await
    }

    /// Gives a command to a case as it stands; returns the case's fields afterwards.
    pub async fn does(&self, case: RecordId, command: &str, args: Value) -> Value {
        let step = self.step(case, args).await;
        let done = self.sends(case, command, &step).await.ok();
        body_of(&done["case"])
    }

    /// Gives a command that the server does not take.
    pub async fn may_not(&self, case: RecordId, command: &str, args: Value) -> Problem {
        let step = self.step(case, args).await;
        self.sends(case, command, &step).await.problem()
    }

    /// 受理.
    pub async fn accepts(&self, case: RecordId) -> Value {
        self.does(case, "accept", json!({})).await
    }

    /// 退回补正.
    pub async fn returns(&self, case: RecordId, reason: &str) -> Value {
        self.does(case, "return", json!({"reason": reason})).await
    }

    /// 分派.
    pub async fn dispatches(&self, case: RecordId, unit: &UnitId, hours: i64) -> Value {
        self.does(
            case,
            "dispatch",
            json!({"unit": unit, "limit_hours": hours}),
        )
        .await
    }

    /// 处置完毕, with an "after" photo.
    pub async fn has_done(&self, case: RecordId, reply: &str, after: &[u8]) -> Value {
        let photo = self.client.uploads(after).await;
        self.does(case, "done", json!({"reply": reply, "photos": [photo]}))
            .await
    }

    /// 反馈.
    pub async fn feeds_back(&self, case: RecordId, reply: &str) -> Value {
        self.does(case, "feedback", json!({"reply": reply})).await
    }

    /// 核查结单.
    pub async fn closes(&self, case: RecordId) -> Value {
        self.does(case, "close", json!({})).await
    }

    /// Returns the open reviews.
    pub async fn reviews(&self) -> Vec<Value> {
        rows(&self.client.gets("/v1/desk/reviews").await.ok())
    }

    /// Decides a review for a candidate, having seen all of them.
    pub async fn decides(&self, review: &Value, candidate: &str) -> Reply {
        let body = body_of(review);
        let seen: Vec<&Value> = body["candidates"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| &c["id"])
            .collect();
        let asked = json!({"mid": self.mid(), "choice": {"candidate": candidate}, "seen": seen});
        let id = review["id"].as_str().expect("a review has an id");
        self.client
            .posts(&format!("/v1/desk/reviews/{id}/decide"), &asked)
            .await
    }

    /// Returns what is parked.
    pub async fn parked(&self) -> Vec<Value> {
        rows(&self.client.gets("/v1/desk/parked").await.ok())
    }

    /// Gives a command to a parked item as it stands: release or refuse.
    pub async fn tray(&self, item: &Value, command: &str, args: Value) -> Reply {
        let body = body_of(item);
        let expect = json!({"state": body["state"], "turn": body["turn"].as_i64().unwrap_or(0)});
        let asked = json!({"mid": self.mid(), "expect": expect, "args": args});
        let id = item["id"].as_str().expect("an item has an id");
        self.client
            .posts(&format!("/v1/desk/parked/{id}/commands/{command}"), &asked)
            .await
    }

    /// Returns the radar of unsynced work.
    pub async fn radar(&self) -> Vec<Value> {
        rows(&self.client.gets("/v1/desk/radar").await.ok())
    }
}

/// A record's fields, however deep they lie in what the desk was told.
fn body_of(told: &Value) -> Value {
    let inner = told.get("case").unwrap_or(told);
    inner.get("body").unwrap_or(inner).clone()
}

/// The rows of a list, whatever the list is called.
fn rows(list: &Value) -> Vec<Value> {
    let named = || list.as_object()?.values().find_map(Value::as_array);
    list.as_array().or_else(named).cloned().unwrap_or_default()
}

fn ids(list: &Value) -> Vec<RecordId> {
    rows(list)
        .iter()
        .filter_map(|row| row["id"].as_str()?.parse().ok())
        .collect()
}
