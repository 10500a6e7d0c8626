//! A phone enrols by the QR code on the operator's screen, over TLS, with a certificate that nobody
//! vouches for.

#![expect(
    clippy::disallowed_methods,
    reason = "the server is served as the command serves it: from files, on a port of its own"
)]

use std::path::Path;
use std::sync::Arc;

use pocketbook::books::account;
use pocketbook::engine::{Credential, Engine, Reason, SyncError, accept};
use pocketbook::seams::folder::{Folder, KeyFolder};
use pocketbook::seams::http::HttpTransport;
use pocketbook::seams::system::{SystemClock, SystemEntropy, Workstation};
use pocketbook::seams::{Seams, TransportError};
use pocketbook_records::invitation::{Invitation, Trust};
use pocketbook_records::wire::EnrolAnswer;
use pocketbook_server::admin::carry_out;
use pocketbook_server::admin::wire::{Command, Outcome};
use pocketbook_server::serve::{Line, bind, serve};
use pocketbook_server::{Options, Server};
use rcgen::{CertifiedKey, KeyPair};
use tokio::sync::oneshot;

/// A district's server on a port of this machine; it ends with the test's runtime.
struct Served {
    server: Server,
    _stop: oneshot::Sender<()>,
}

impl Served {
    async fn with(folder: &Path, certificate: &CertifiedKey<KeyPair>) -> Self {
        let (cert, key) = (folder.join("server.pem"), folder.join("server.key"));
        std::fs::write(&cert, certificate.cert.pem()).expect("a file in the test's folder");
        let pem = certificate.signing_key.serialize_pem();
        std::fs::write(&key, pem).expect("a file in the test's folder");
        let line = Line::Tls { cert, key };
        let data = folder.join("server");
        let server = Server::init(&data, "610402", "秦都区", Options::default());
        let server = server.expect("a fresh folder takes a district");
        let listener = bind(([127, 0, 0, 1], 0).into(), &line).expect("a free port");
        let listening = listener.local_addr().expect("it listens");
        let reached_at = line.reached_at(listening, None).expect("it can be reached");
        server.is_reached_at(reached_at.expect("a whole address"));
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let (ready, is_ready) = oneshot::channel();
        let ready = || ready.send(()).expect("somebody waits for it");
        tokio::spawn(serve(server.clone(), listener, line, ready, stopped));
        is_ready.await.expect("it serves");
        Self {
            server,
            _stop: stop,
        }
    }

    async fn does(&self, command: Command) -> Outcome {
        let done = carry_out(&self.server, command, &mut std::iter::empty(), &mut |_| {}).await;
        done.expect("the command is carried out")
    }

    /// What the operator's screen shows, word for word.
    async fn invites(&self, login: &str) -> String {
        let command = Command::EnrolCode {
            user: login.to_owned(),
            url: None,
            trust: None,
        };
        match self.does(command).await {
            Outcome::Code(made) => made.invitation.write(),
            other => panic!("{other:?}"),
        }
    }
}

/// Follows what was scanned on a new phone, to the end of its first exchange.
async fn enrols(folder: &Path, invitation: &Invitation) -> Result<EnrolAnswer, SyncError> {
    let entropy = Arc::new(SystemEntropy);
    let (url, trust) = (&invitation.server.url, &invitation.server.trust);
    let keys = KeyFolder::open(folder.join("keys"), entropy.clone()).expect("a folder for keys");
    let seams = Seams {
        clock: Arc::new(SystemClock::new()),
        entropy,
        transport: Arc::new(HttpTransport::new(url, trust).expect("an address")),
        keys: Arc::new(keys),
        files: Arc::new(Folder::open(folder.join("files")).expect("a folder for files")),
        platform: Arc::new(Workstation::new(folder)),
    };
    let (transport, secret) = (
        seams.transport.clone(),
        seams.keys.enrolment_secret("wang").expect("a secret"),
    );
    let answer = accept(transport, invitation, (&secret, None), "phone").await?;
    let store = Arc::new(account::open(folder, "wang", seams)?);
    store.adopt(&answer)?;
    let credential = Credential {
        enrolment: answer.enrolment,
        secret,
    };
    let engine = Engine::new(store, &credential, Arc::new(()));
    engine.sync_once(Reason::Asked).await?;
    Ok(answer)
}

fn certificate() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["qindu.example".to_owned()]).expect("a certificate")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_enrols_by_the_qr_code_and_believes_the_key_that_it_names_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::with(folder.path(), &certificate()).await;
    served
        .does(Command::AddUser {
            login: "wang".to_owned(),
            name: "王".to_owned(),
            number: None,
            password: None,
        })
        .await;
    let scanned = served.invites("wang").await;
    let invitation = Invitation::parse(&scanned).expect("an invitation");
    assert!(matches!(invitation.server.trust, Trust::Key(_)));

    // Somebody else answers under the server's address: another key, so nothing is told to him.
    let mut wrong = invitation.clone();
    wrong.server.trust = Trust::in_key(b"the key of somebody else");
    let refused = enrols(&folder.path().join("wrong"), &wrong).await;
    let Err(SyncError::Transport(reason @ TransportError::BadCertificate)) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        reason
            .to_string()
            .contains("its certificate is not the one of the district"),
        "{reason}"
    );
    // Nobody vouches for it on the web either.
    wrong.server.trust = Trust::Web;
    let refused = enrols(&folder.path().join("web"), &wrong).await;
    assert!(matches!(
        refused,
        Err(SyncError::Transport(TransportError::BadCertificate))
    ));

    let enrolled = enrols(&folder.path().join("right"), &invitation).await;

    let enrolled = enrolled.expect("the right key, and a code that nobody has used");
    assert_eq!(enrolled.name, "王");
}
