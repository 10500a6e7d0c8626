//! A phone made by hand: enrolled like any other, and then sending whatever a test writes.
//!
//! It keeps no store and takes nothing for granted; what it hands in is built piece by piece from
//! the contract's own types, or from bare text where the contract would not let it.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pocketbook_records::ids::{BlobHash, EnrolmentId, Hex, Mid, Mseq, RecordId, UserId};
use pocketbook_records::kind::{Kind, SCHEMA};
use pocketbook_records::mutation::{Frozen, Mutation, Op, Set};
use pocketbook_records::path::Path;
use pocketbook_records::receipt::Receipt;
use pocketbook_records::time::{At, Now};
use pocketbook_records::wire::{
    Answer, Ask, EnrolAnswer, EnrolRequest, Frame, Mode, PROTO, Pending, Pull, Request,
};
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{Client, Reply};
use super::seams::Chance;
use super::town::Town;

/// What came back of an exchange, line by line.
#[derive(Debug)]
pub struct Heard {
    /// The first line.
    pub answer: Answer,
    /// The lines after it.
    pub frames: Vec<Frame>,
}

/// A phone made by hand.
#[derive(Debug)]
pub struct HandMade {
    /// What the server said at its enrolment.
    pub enrolled: EnrolAnswer,
    client: Client,
    chance: Chance,
    next: AtomicU64,
}

impl HandMade {
    /// Enrols with a code and a secret of its own.
    pub async fn enrol(town: &Arc<Town>, name: &str, code: &impl Display) -> Self {
        let chance = Chance::new(town.seed, &format!("handmade/{name}"));
        let mut secret = [0; 32];
        pocketbook::seams::Entropy::fill(&chance, &mut secret);
        let asked = enrol_request(&code.to_string(), &secret);
        let unknown = Client::unknown(Arc::clone(town));
        let enrolled: EnrolAnswer = {
            let json = serde_json::to_value(&asked).expect("plain data");
            serde_json::from_value(unknown.posts("/v1/enrol", &json).await.ok())
                .expect("an enrolment")
        };
        let bearer = format!("{}.{}", enrolled.enrolment, hex::encode(secret));
        let client = Client::with(Arc::clone(town), bearer);
        Self {
            enrolled,
            client,
            chance,
            next: AtomicU64::new(1),
        }
    }

    /// Returns the client, for requests of a test's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the identity.
    pub fn enrolment(&self) -> EnrolmentId {
        self.enrolled.enrolment
    }

    /// Returns the account.
    pub fn user(&self) -> UserId {
        self.enrolled.user
    }

    /// Returns a fresh id.
    pub fn uuid(&self) -> uuid::Uuid {
        let mut random = [0; 10];
        pocketbook::seams::Entropy::fill(&self.chance, &mut random);
        let now = u64::try_from(self.client.town().time.now()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now, &random).into_uuid()
    }

    /// Returns a note of this moment, without contact.
    pub fn at(&self) -> At {
        let now = self.now();
        At {
            wall: now.wall,
            boot: now.boot,
            monotonic_ms: now.monotonic_ms,
            contact: None,
        }
    }

    fn now(&self) -> Now {
        let wall = self.client.town().time.now();
        Now {
            wall,
            boot: "handmade".to_owned(),
            monotonic_ms: wall - super::seams::MORNING + 1,
        }
    }

    /// Returns a creation.
    pub fn creation(&self, kind: &Kind, fields: Value) -> Frozen {
        let mut frozen = Frozen::new(kind, RecordId(self.uuid()), Op::Create, self.at());
        for (name, to) in super::people::fields(fields) {
            frozen.set.push(Set {
                path: Path::field(&name),
                was: Value::Null,
                to,
            });
        }
        frozen
    }

    /// Returns a change of one register.
    pub fn change(&self, kind: &Kind, id: RecordId, path: &str, was: Value, to: Value) -> Frozen {
        let mut frozen = Frozen::new(kind, id, Op::Patch, self.at());
        frozen.set.push(Set {
            path: Path::field(path),
            was,
            to,
        });
        frozen
    }

    /// Gives the next number to a content.
    pub fn numbers(&self, frozen: &Frozen) -> Mutation {
        self.numbers_text(frozen.freeze().get())
    }

    /// Gives the next number to any JSON text.
    pub fn numbers_text(&self, frozen: &str) -> Mutation {
        Mutation {
            mid: Mid(self.uuid()),
            mseq: Mseq(self.next.fetch_add(1, Ordering::SeqCst)),
            frozen: RawValue::from_string(frozen.to_owned()).expect("a test writes JSON"),
        }
    }

    /// Takes back the last number: what had it was not taken.
    pub fn takes_back_number(&self) {
        self.next.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns a request that hands work in and pulls nothing.
    pub fn request(&self, mutations: Vec<Mutation>) -> Request {
        Request {
            proto: (PROTO, PROTO),
            enrolment: self.enrolment(),
            echo: None,
            settled_mseq: Mseq(0),
            highest_mseq: Mseq(self.next.load(Ordering::SeqCst) - 1),
            pending: Pending::default(),
            now: self.now(),
            contact: None,
            certificate: Some(self.enrolled.certificate.clone()),
            schema: SCHEMA,
            pull: None,
            mutations,
            proofs: Vec::new(),
            witness: Vec::new(),
        }
    }

    /// Returns a request that asks every granted scope in a mode.
    pub fn pull(&self, mode: &Mode) -> Request {
        let ask = Ask {
            cursor: None,
            mode: mode.clone(),
        };
        let scopes = self
            .enrolled
            .grants
            .iter()
            .map(|scope| (scope.clone(), ask.clone()))
            .collect();
        Request {
            pull: Some(Pull {
                scopes,
                ..Pull::default()
            }),
            ..self.request(Vec::new())
        }
    }

    /// Sends a request and returns what comes back, whatever it is.
    pub async fn sends(&self, request: &Request) -> Reply {
        // As text, not as a tree: a frozen content must travel as it was written.
        let text = serde_json::to_string(request).expect("a request is plain data");
        self.client
            .sends(
                "POST",
                "/v1/sync",
                &[("content-type", "application/json")],
                text,
            )
            .await
    }

    /// Sends a request that is answered.
    pub async fn asks(&self, request: &Request) -> Heard {
        heard(&self.sends(request).await)
    }

    /// Hands work in and returns the words on it, in the order of the work.
    pub async fn hands_in(&self, mutations: Vec<Mutation>) -> Vec<Receipt> {
        let numbers: Vec<Mseq> = mutations.iter().map(|mutation| mutation.mseq).collect();
        let heard = self.asks(&self.request(mutations)).await;
        let receipts = receipts(&heard.answer);
        let word = |mseq: &Mseq| {
            receipts
                .iter()
                .find(|receipt| receipt.mseq == *mseq)
                .cloned()
        };
        numbers
            .iter()
            .map(|mseq| word(mseq).expect("every mutation gets a word"))
            .collect()
    }
}

/// Returns an enrolment of a secret.
pub fn enrol_request(code: &str, secret: &[u8; 32]) -> EnrolRequest {
    EnrolRequest {
        code: code.to_owned(),
        secret_hash: Hex(BlobHash::of(secret).0),
        device: "handmade".to_owned(),
        schema: SCHEMA,
        continues: None,
    }
}

/// Reads an exchange's answer.
pub fn heard(reply: &Reply) -> Heard {
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let text = std::str::from_utf8(&reply.body).expect("an answer is text");
    let mut lines = text.lines();
    let answer = lines.next().expect("an answer has a first line");
    let answer = serde_json::from_str(answer).expect("the first line is an answer");
    let frames = lines.map(|line| serde_json::from_str(line).expect("the others are frames"));
    Heard {
        answer,
        frames: frames.collect(),
    }
}

/// Returns the single words of an answer.
pub fn receipts(answer: &Answer) -> Vec<Receipt> {
    answer
        .receipts
        .iter()
        .flat_map(|row| row.receipts.iter().cloned())
        .collect()
}
