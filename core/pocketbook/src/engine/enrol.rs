//! Enrolment: an account on an installation introduces itself.

use std::sync::Arc;

use pocketbook_records::ids::{BlobHash, Hex};
use pocketbook_records::invitation::{Invitation, PublicKey};
use pocketbook_records::kind::SCHEMA;
use pocketbook_records::wire::{Continues, EnrolAgain, EnrolAnswer, EnrolRequest};

use super::Engine;
use super::call::{Credential, Server, read_json};
use super::error::SyncError;
use super::report::SyncEvent;
use crate::seams::{Method, Request, Secret, Transport};

/// The longest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Hands in a one-time code.
///
/// The secret was made and stored *before*: if the answer is lost, the same code with the same
/// secret gets the same answer again, and nobody else who saw the code can use it. An account that
/// was enrolled here before names that enrolment ([`crate::store::Store::continues`]).
pub async fn enrol(
    transport: Arc<dyn Transport>,
    code: &str,
    (secret, continues): (&Secret, Option<Continues>),
    device: &str,
) -> Result<EnrolAnswer, SyncError> {
    let asked = EnrolRequest {
        code: code.to_owned(),
        secret_hash: Hex(BlobHash::of(secret.bytes()).0),
        device: device.to_owned(),
        schema: SCHEMA,
        continues,
    };
    let body = serde_json::to_vec(&asked).map_err(crate::error::Error::from)?;
    let request = Request::new(Method::Post, "/v1/enrol")
        .header("content-type", "application/json")
        .body(body);
    let response = Server::unknown(transport).ask(request).await?;
    read_json(response, MAX_ANSWER).await
}

/// Follows an invitation over a transport that reaches its server: hands its code in, and believes
/// the answer only if it names the keys that the invitation names.
///
/// # Errors
/// [`SyncError::Forged`] if the keys are others, and whatever [`enrol`] runs into.
pub async fn accept(
    transport: Arc<dyn Transport>,
    invitation: &Invitation,
    introduction: (&Secret, Option<Continues>),
    device: &str,
) -> Result<EnrolAnswer, SyncError> {
    let code = invitation.code.to_string();
    let answer = enrol(transport, &code, introduction, device).await?;
    let is_same = |key: &PublicKey, told: &str| hex::encode(key.key.0) == told;
    let are_same = is_same(&invitation.bundle, &answer.bundle_key)
        && is_same(&invitation.sealing, &answer.sealing_key);
    are_same.then_some(answer).ok_or(SyncError::Forged)
}

impl Engine {
    /// Gets this device an identity of its own, if another one turned out to have its present one
    /// ([`crate::store::clones`]). A server that refuses is asked again with the next hand-in;
    /// until then nothing but news is exchanged.
    pub(super) async fn part_from_clone(&self) -> Result<(), SyncError> {
        let Some(asked) = self.store.parting()? else {
            return Ok(());
        };
        match enrol_again(&self.server(), &asked).await {
            Ok(answer) => self.store.part(&answer)?,
            Err(error @ (SyncError::NotLetIn(_) | SyncError::Refused(_))) => {
                tracing::warn!(%error, "work waits: another device has this identity");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.go_on_as(&Credential::of(&self.store)?);
        self.listener.changed(SyncEvent::Status);
        Ok(())
    }
}

async fn enrol_again(server: &Server, asked: &EnrolAgain) -> Result<EnrolAnswer, SyncError> {
    let body = serde_json::to_vec(asked).map_err(crate::error::Error::from)?;
    let request = Request::new(Method::Post, "/v1/enrol/again")
        .header("content-type", "application/json")
        .body(body);
    let answer: EnrolAnswer = read_json(server.ask(request).await?, MAX_ANSWER).await?;
    // An old answer, brought by something in between, is about a secret that is not this one.
    let is_about_it = answer.certificate.secret_hash == asked.secret_hash
        && answer.certificate.enrolment == answer.enrolment;
    is_about_it.then_some(answer).ok_or(SyncError::NotOurs)
}

#[cfg(test)]
mod tests {
    use pocketbook_records::ids::Epoch;
    use pocketbook_records::invitation::{Address, Code, Trust};

    use super::*;
    use crate::engine::testing::{Line, Said, enrol_answer};

    async fn enrol_with(said: fn() -> Said) -> Result<EnrolAnswer, SyncError> {
        let line = Line::new();
        line.answers(move |_| Ok(said()));
        enrol(line, "CODE", (&Secret::new([1; 32]), None), "phone").await
    }

    #[tokio::test]
    async fn the_secret_itself_is_never_sent() {
        let line = Line::new();
        let answer = serde_json::to_string(&enrol_answer("k")).unwrap();
        line.answers(move |_| Ok(Said::status(200).body("application/json", answer.clone())));

        let secret = Secret::new([1; 32]);
        let answer = enrol(line.clone(), "CODE", (&secret, None), "phone")
            .await
            .unwrap();

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
    async fn an_answer_with_other_keys_than_the_invitations_is_not_believed() {
        let key = |byte| PublicKey {
            id: 1,
            key: Hex([byte; 32]),
        };
        let invitation = Invitation {
            server: Address::new("https://qindu.example", Trust::Web).unwrap(),
            epoch: Epoch(1),
            code: Code::of([1; 16]),
            bundle: key(1),
            sealing: key(2),
        };
        for (bundle, sealing, believed) in [(1, 2, true), (9, 2, false), (1, 9, false)] {
            let line = Line::new();
            let mut answer = enrol_answer(&hex::encode([bundle; 32]));
            answer.sealing_key = hex::encode([sealing; 32]);
            let answer = serde_json::to_string(&answer).unwrap();
            line.answers(move |_| Ok(Said::status(200).body("application/json", answer.clone())));

            let accepted = accept(line, &invitation, (&Secret::new([1; 32]), None), "phone").await;

            match accepted {
                Ok(_) => assert!(believed),
                Err(error) => assert!(!believed && matches!(error, SyncError::Forged)),
            }
        }
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
