//! The network, over HTTP.
//!
//! One client per server, kept for as long as the account is open, so that an exchange costs no
//! new connection. Trust is narrow: either the roots of the web, or only the authority that the
//! enrolment's QR code named; the phone's own list of authorities, to which anyone with the phone
//! in hand may add, is never asked. Without encryption only this very machine is spoken to.
//!
//! No limit is set on a whole exchange: over a bad line a first sync takes as long as it takes.
//! What ends one is silence.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the seam: elsewhere requests go through the transport handed in"
)]

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
pub use pocketbook_records::invitation::Trust;
use pocketbook_records::wire::KEPT_OPEN_S;
use reqwest::{Client, Url, redirect};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use thiserror::Error;

use super::{Method, Request, Response, Transport, TransportError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest silence, in the middle of an answer too.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Shorter than phone networks keep an idle connection in their tables, and than the server does.
const IDLE_TIMEOUT: Duration = Duration::from_secs(KEPT_OPEN_S / 4 * 3);

/// Why an address can't be used.
#[derive(Debug, Error)]
pub enum AddressError {
    /// It is not the address of a web server.
    #[error("use the server's address: it is not one")]
    NotAnAddress,
    /// It would send personal data unencrypted.
    #[error("use the server's address: it must begin with https")]
    NotEncrypted,
    /// The certificate that came with it can't be read.
    #[error("use the server's address: the certificate that came with it is damaged")]
    BadAuthority(#[source] rustls::Error),
    /// The system gives no client.
    #[error("make an HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Reaches a server over HTTP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    /// Without a slash at its end.
    base: String,
}

impl HttpTransport {
    /// Prepares to reach a server; nothing is sent.
    pub fn new(address: &str, trust: &Trust) -> Result<Self, AddressError> {
        let url = Url::parse(address).map_err(|_| AddressError::NotAnAddress)?;
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::NotAnAddress),
        };
        if !is_encrypted && !is_this_machine(&url) {
            return Err(AddressError::NotEncrypted);
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls(trust)?)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(AddressError::Client)?;
        Ok(Self {
            client,
            base: url.as_str().trim_end_matches('/').to_owned(),
        })
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls(trust: &Trust) -> Result<ClientConfig, AddressError> {
    // The provider is named here, so that nothing has to be installed for the whole process first.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(AddressError::BadAuthority)?;
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Web => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Trust::Authority(der) => roots
            .add(CertificateDer::from_slice(der))
            .map_err(AddressError::BadAuthority)?,
        Trust::Key(hash) => {
            let holder = Arc::new(Holder {
                key: Trust::Key(*hash),
                provider,
            });
            return Ok(config
                .dangerous()
                .with_custom_certificate_verifier(holder)
                .with_no_client_auth());
        }
    }
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Believes whoever holds one key: his certificate is there to carry it, and the handshake proves
/// that he has its other half.
#[derive(Debug)]
struct Holder {
    key: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Holder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        if Trust::in_key(&shown) == self.key {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut sending = self
            .client
            .request(method(request.method), self.url(&request.path))
            .body(request.body);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        let response = sending.send().await.map_err(|error| refusal(&error))?;
        let headers = response.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        Ok(Response {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response
                .bytes_stream()
                .map_err(|error| refusal(&error))
                .boxed(),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
        Method::Patch => reqwest::Method::PATCH,
    }
}

/// Finds what a person can do something about.
fn refusal(error: &reqwest::Error) -> TransportError {
    if is_certificate(error) {
        TransportError::BadCertificate
    } else if error.is_timeout() {
        TransportError::Timeout
    } else if error.is_connect() {
        TransportError::Unreachable
    } else if error.is_builder() {
        TransportError::Garbled
    } else {
        TransportError::Cut
    }
}

/// TLS errors lie below others, and `io::Error` hides its content from `source`.
fn is_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        at = match error.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn new(address: &str) -> Result<HttpTransport, AddressError> {
        HttpTransport::new(address, &Trust::Web)
    }

    /// Answers one connection with these bytes.
    fn server(answer: &'static [u8]) -> HttpTransport {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let _ = line.read(&mut asked).unwrap();
            line.write_all(answer).unwrap();
        });
        new(&address).unwrap()
    }

    async fn ask(transport: &HttpTransport) -> Result<Response, TransportError> {
        transport
            .send(Request::new(Method::Get, "/v1/health"))
            .await
    }

    #[test]
    fn personal_data_never_leaves_this_machine_unencrypted() {
        for address in [
            "http://10.0.0.1",
            "http://qindu.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
        ] {
            assert!(matches!(new(address), Err(AddressError::NotEncrypted)));
        }
        for address in [
            "http://127.0.0.1:8420",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(new(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in ["", "qindu.example", "ftp://qindu.example", "https://"] {
            assert!(matches!(new(address), Err(AddressError::NotAnAddress)));
        }
        let damaged = Trust::Authority(vec![1, 2, 3]);
        assert!(matches!(
            HttpTransport::new("https://qindu.example", &damaged),
            Err(AddressError::BadAuthority(_))
        ));
    }

    #[tokio::test]
    async fn any_status_is_a_response() {
        let transport =
            server(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");

        let response = ask(&transport).await.unwrap();

        assert_eq!(response.status, 503);
        assert_eq!(response.header("retry-after"), Some("7"));
        let body: Vec<_> = response.body.try_collect().await.unwrap();
        assert_eq!(body.concat(), b"no");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_gives_what_came_and_then_an_error() {
        let transport = server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");

        let mut body = ask(&transport).await.unwrap().body;

        assert_eq!(body.next().await.unwrap().unwrap(), "half");
        assert_eq!(body.next().await.unwrap().err(), Some(TransportError::Cut));
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_told_apart_from_a_broken_line() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", free.local_addr().unwrap());
        drop(free);

        let nobody = ask(&new(&address).unwrap()).await;
        let broken = ask(&server(b"")).await;

        assert_eq!(nobody.err(), Some(TransportError::Unreachable));
        assert_eq!(broken.err(), Some(TransportError::Cut));
    }

    /// Serves one TLS connection as `localhost` by a certificate that vouches for itself.
    fn encrypted_server() -> (String, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        serve_once(&made)
    }

    fn serve_once(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> (String, Vec<u8>) {
        serve_with(made.cert.der(), &made.signing_key)
    }

    /// Serves one TLS connection by a certificate and a key, whether or not they belong together.
    fn serve_with(shown: &CertificateDer<'static>, key: &rcgen::KeyPair) -> (String, Vec<u8>) {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let certified = rustls::sign::CertifiedKey::new(vec![shown.clone()], key);
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (line, _) = listener.accept().unwrap();
            let server = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let mut line = rustls::StreamOwned::new(server, line);
            let mut asked = [0; 4096];
            // A client that does not trust us hangs up here.
            if line.read(&mut asked).is_ok() {
                let _ = line.write_all(b"HTTP/1.1 204 Fine\r\n\r\n");
            }
        });
        (format!("https://localhost:{port}"), shown.to_vec())
    }

    #[tokio::test]
    async fn only_the_authority_of_the_enrolment_is_trusted() {
        let (address, authority) = encrypted_server();
        let right = HttpTransport::new(&address, &Trust::Authority(authority)).unwrap();
        assert_eq!(ask(&right).await.unwrap().status, 204);

        let (address, _) = encrypted_server();
        let (_, other) = encrypted_server();
        let wrong = HttpTransport::new(&address, &Trust::Authority(other)).unwrap();
        assert_eq!(
            ask(&wrong).await.err(),
            Some(TransportError::BadCertificate)
        );

        let (address, _) = encrypted_server();
        let web = ask(&new(&address).unwrap()).await;
        assert_eq!(web.err(), Some(TransportError::BadCertificate));
    }

    #[tokio::test]
    async fn who_holds_the_key_of_the_invitation_is_believed_and_nobody_else() {
        let by = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key_of = |made: &rcgen::CertifiedKey<rcgen::KeyPair>| {
            Trust::in_key(&rcgen::PublicKeyData::subject_public_key_info(
                &made.signing_key,
            ))
        };
        // The name in the certificate is another one: the key says more.
        let district = by("qindu.example");

        let (address, _) = serve_once(&district);
        let right = HttpTransport::new(&address, &key_of(&district)).unwrap();
        assert_eq!(ask(&right).await.unwrap().status, 204);

        let (address, _) = serve_once(&by("localhost"));
        let wrong = HttpTransport::new(&address, &key_of(&district)).unwrap();
        let refused = ask(&wrong).await.err();
        assert_eq!(refused, Some(TransportError::BadCertificate));
        assert!(
            TransportError::BadCertificate
                .to_string()
                .contains("not the one of the district")
        );
    }

    #[tokio::test]
    async fn a_certificate_shown_without_its_key_is_not_enough() {
        // Certificates are public: who copies the district's own has still not got its key.
        let district = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pinned = Trust::in_key(&rcgen::PublicKeyData::subject_public_key_info(
            &district.signing_key,
        ));
        let thief = Holder {
            key: pinned,
            provider: Arc::new(rustls::crypto::ring::default_provider()),
        };
        let shown = district.cert.der().clone();
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        assert!(
            thief
                .verify_server_cert(&shown, &[], &name, &[], now)
                .is_ok()
        );

        let (address, _) = serve_with(&shown, &rcgen::KeyPair::generate().unwrap());
        let transport = HttpTransport::new(&address, &thief.key).unwrap();
        assert!(ask(&transport).await.is_err());
    }

    #[test]
    fn a_path_joins_the_address_with_one_slash() {
        let transport = new("http://127.0.0.1:8420/").unwrap();

        assert_eq!(transport.url("/v1/sync"), "http://127.0.0.1:8420/v1/sync");
    }
}
