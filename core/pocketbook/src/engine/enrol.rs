//! Enrolment: an account on an installation introduces itself.

use std::sync::Arc;

use pocketbook_records::ids::{BlobHash, Hex};
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::wire::{EnrolAnswer, EnrolRequest};

use super::call::{Server, read_json};
use super::error::SyncError;
use crate::seams::{Method, Request, Secret, Transport};

/// The longest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Hands in a one-time code.
///
/// The secret was made and stored *before*: if the answer is lost, the same code with the same
/// secret gets the same answer again, and nobody else who saw the code can use it.
pub async fn enrol(
    transport: Arc<dyn Transport>,
    code: &str,
    secret: &Secret,
    device: &str,
) -> Result<EnrolAnswer, SyncError> {
    let asked = EnrolRequest {
        code: code.to_owned(),
        secret_hash: Hex(BlobHash::of(secret.bytes()).0),
        device: device.to_owned(),
        schema: SCHEMA,
    };
    let body = serde_json::to_vec(&asked).map_err(crate::error::Error::from)?;
    let request = Request::new(Method::Post, "/v1/enrol")
        .header("content-type", "application/json")
        .body(body);
    let response = Server::unknown(transport).ask(request).await?;
    read_json(response, MAX_ANSWER).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{Line, Said, enrol_answer};

    async fn enrol_with(said: fn() -> Said) -> Result<EnrolAnswer, SyncError> {
        let line = Line::new();
        line.answers(move |_| Ok(said()));
        enrol(line, "CODE", &Secret::new([1; 32]), "phone").await
    }

    #[tokio::test]
    async fn the_secret_itself_is_never_sent() {
        let line = Line::new();
        let answer = serde_json::to_string(&enrol_answer("k")).unwrap();
        line.answers(move |_| Ok(Said::status(200).body("application/json", answer.clone())));

        let secret = Secret::new([1; 32]);
        let answer = enrol(line.clone(), "CODE", &secret, "phone").await.unwrap();

        let asked = line.asked.lock().unwrap();
        let sent: EnrolRequest = serde_json::from_slice(&asked[0].body).unwrap();
        assert_eq!(sent.secret_hash.0, BlobHash::of(&[1; 32]).0);
        assert!(!String::from_utf8_lossy(&asked[0].body).contains(&hex::encode([1; 32])));
        assert!(
            asked[0]
                .headers
                .iter()
                .all(|(name, _)| *name != "authorization")
        );
        assert_eq!(answer.name, "王");
    }

    #[tokio::test]
    async fn a_code_that_does_not_work_is_told_by_its_reason() {
        for said in [
            || Said::problem(409, "code-used"),
            || Said::problem(410, "code-expired"),
            || Said::problem(404, "code-unknown"),
        ] {
            let Err(SyncError::Refused(problem)) = enrol_with(said).await else {
                panic!()
            };
            assert!(problem.kind.starts_with("code-"));
        }
        let Err(SyncError::NotLetIn(problem)) =
            enrol_with(|| Said::problem(403, "code-used")).await
        else {
            panic!()
        };
        assert_eq!(problem.kind, "code-used");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_ours_enrols_nobody() {
        for said in [
            || Said::html(200),
            || Said::status(200).body("application/json", "{}"),
            || Said::status(200).body("application/json", "{\"enrolment\":"),
        ] {
            assert!(matches!(enrol_with(said).await, Err(SyncError::NotOurs)));
        }
    }
}
