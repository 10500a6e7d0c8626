//! Serving: the address, the certificate, the admin socket, and how it all ends.
//!
//! Personal data never crosses a network in clear: an address that others can reach needs a
//! certificate or the word that a proxy encrypts. Phones are told by their invitation where the server
//! is and by what they know it. The end is graceful: no new requests, the ones
//! begun are answered, the log of the database is folded in. It need not be: after `kill -9`
//! everything that was answered is on the disk.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that binds the server's address"
)]

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use pocketbook_records::invitation::{Address, Trust};
use pocketbook_records::wire::KEPT_OPEN_S;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::admin::socket;
use crate::blobs::Blobs;
use crate::{Server, api};

/// A line that brings no byte for so long is given up; an upload goes on at its offset.
const SILENCE: Duration = Duration::from_secs(60);
/// Headers, and each request of a connection, arrive within this time.
const HEADERS: Duration = Duration::from_secs(KEPT_OPEN_S);
/// Requests in progress get so long when the server stops.
const GRACE: Duration = Duration::from_secs(30);

/// What protects the line.
#[derive(Debug, Clone)]
pub enum Line {
    /// Nothing: only this machine can reach it.
    Loopback,
    /// A proxy in front of it encrypts.
    BehindProxy,
    /// This certificate chain and key, PEM files.
    Tls {
        /// The certificate, then those that signed it.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

impl Line {
    /// Returns where phones reach a server that listens there: `told`, or the address itself if it
    /// is one that can be reached as it stands.
    ///
    /// What phones shall know it by is read off its certificate: if the web's authorities vouch
    /// for it, that is enough, and it may be renewed with another key; else it is the key.
    ///
    /// # Errors
    /// See [`ServeError::Certificate`] and [`ServeError::Address`].
    pub fn reached_at(
        &self,
        listening: SocketAddr,
        told: Option<&str>,
    ) -> Result<Option<Address>, ServeError> {
        let own = match self {
            _ if listening.ip().is_unspecified() => None,
            Self::BehindProxy => None,
            Self::Loopback => Some(format!("http://{listening}")),
            Self::Tls { .. } => Some(format!("https://{listening}")),
        };
        let trust = match self {
            Self::Loopback | Self::BehindProxy => Trust::Web,
            Self::Tls { cert, .. } => known_by(cert).map_err(ServeError::Certificate)?,
        };
        let url = told.map(str::to_owned).or(own);
        url.map(|url| Address::new(&url, trust).ok_or(ServeError::Address))
            .transpose()
    }
}

fn known_by(cert: &Path) -> io::Result<Trust> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(io::Error::other)?;
    let (own, signers) = chain
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let parsed = ParsedCertificate::try_from(own).map_err(io::Error::other)?;
    let web = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let now = UnixTime::now();
    let vouched = verify_server_cert_signed_by_trust_anchor(&parsed, &web, signers, now, known.all);
    Ok(match vouched {
        Ok(()) => Trust::Web,
        Err(_) => Trust::in_key(&parsed.subject_public_key_info()),
    })
}

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Others could reach it and listen in.
    #[error(
        "failed to serve {0} without encryption: give --cert and --key, or --behind-proxy if a \
         proxy encrypts (对外地址须加密：请提供证书，或声明前面有加密代理)"
    )]
    InClear(SocketAddr),
    /// The address is taken or not this machine's.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key can't be used.
    #[error("failed to use the certificate")]
    Certificate(#[source] io::Error),
    /// The address that phones shall reach is none.
    #[error("failed to use --url: it is not the address of a web server")]
    Address,
    /// The admin socket can't be made.
    #[error("failed to open the admin socket")]
    AdminSocket(#[source] io::Error),
    /// The connection loop ended by itself.
    #[error("failed to go on serving")]
    Broke(#[source] io::Error),
}

/// Binds an address, if the line may be used with it.
///
/// # Errors
/// See [`ServeError::InClear`] and [`ServeError::Listen`].
pub fn bind(address: SocketAddr, line: &Line) -> Result<TcpListener, ServeError> {
    if matches!(line, Line::Loopback) && !address.ip().is_loopback() {
        return Err(ServeError::InClear(address));
    }
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    Ok(listener)
}

/// Serves until `stop` resolves, then ends gracefully. `ready` is called when phones and operators
/// are heard.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(
    server: Server,
    listener: TcpListener,
    line: Line,
    ready: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let blobs = Arc::new(Blobs::of(server.clone()));
    let router = api::router_with(server.clone(), Arc::clone(&blobs));
    let mut router = router.layer(RequestBodyTimeoutLayer::new(SILENCE));
    if matches!(line, Line::BehindProxy) {
        router = router.layer(map_request(take_the_proxys_word));
    }
    let admin = socket::bind(server.dir()).map_err(ServeError::AdminSocket)?;
    ready();
    let stopping = CancellationToken::new();
    let admin = tokio::spawn(admin.serve(server.clone(), stopping.clone()));
    let tidying = tokio::spawn(async move { server.tidies().await });
    let pressing = tokio::spawn(async move { blobs.press_arrivals().await });

    let handle = Handle::new();
    let web = web(router, listener, line, handle.clone());
    tokio::pin!(web);
    let served = tokio::select! {
        served = &mut web => served,
        () = stop => {
            tracing::info!("stopping");
            handle.graceful_shutdown(Some(GRACE));
            web.await
        }
    };
    tidying.abort();
    pressing.abort();
    stopping.cancel();
    if admin.await.is_err() {
        tracing::error!("the admin socket ended in a panic");
    }
    served
}

async fn web(
    router: Router,
    listener: TcpListener,
    line: Line,
    handle: Handle<SocketAddr>,
) -> Result<(), ServeError> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut plain = axum_server::from_tcp(listener)
        .map_err(ServeError::Broke)?
        .handle(handle)
        .first_request_timeout(HEADERS);
    plain.http_builder().http1().header_read_timeout(HEADERS);
    let plain = plain.acceptor(NoDelayAcceptor::new());
    match line {
        Line::Loopback | Line::BehindProxy => plain.serve(service).await,
        Line::Tls { cert, key } => {
            install_ring();
            let config = RustlsConfig::from_pem_chain_file(cert, key)
                .await
                .map_err(ServeError::Certificate)?;
            let tls = |tcp| RustlsAcceptor::new(config).acceptor(tcp);
            plain.map(tls).serve(service).await
        }
    }
    .map_err(ServeError::Broke)
}

/// Behind a proxy everybody comes from the proxy. The last address in `X-Forwarded-For` is the one
/// that the proxy itself has seen; those before it are anybody's invention.
async fn take_the_proxys_word(mut request: Request) -> Request {
    let seen: Option<IpAddr> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|address| address.trim().parse().ok());
    if let Some(seen) = seen {
        let address = ConnectInfo(SocketAddr::new(seen, 0));
        request.extensions_mut().insert(address);
    }
    request
}

/// Says which cryptography TLS uses; a second call changes nothing.
fn install_ring() {
    let provider = rustls::crypto::ring::default_provider();
    if provider.install_default().is_err() {
        tracing::debug!("a provider of cryptography is in place already");
    }
}

/// Resolves when the system asks the process to end.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signals = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "failed to hear signals: only kill -9 ends this process");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = signals.0.recv() => {}
        _ = signals.1.recv() => {}
    }
}
