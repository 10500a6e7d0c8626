//! The network.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use thiserror::Error;

/// Reaches one server.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and returns as soon as status and headers are here; the body follows.
    ///
    /// Any status is a response: an error means that none came. Nothing is repeated, redirected
    /// or unpacked on the way. Dropping the future or the response ends the exchange; the server
    /// may have acted on it all the same.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// Returns the whole address of a path, for uploaders of the platform.
    fn url(&self, path: &str) -> String;
}

/// How a request acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads headers only.
    Head,
    /// Hands in.
    Post,
    /// Appends.
    Patch,
}

/// What is sent.
#[derive(Clone)]
pub struct Request {
    /// How it acts.
    pub method: Method,
    /// Path and query, from `/v1` on.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Whole: files go in pieces of bounded size.
    pub body: Bytes,
}

impl Request {
    /// Returns a request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for Request {
    /// Leaves out headers and body: they hold the credential and personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.method, self.path)
    }
}

/// A body as it arrives.
pub type Body = BoxStream<'static, Result<Bytes, TransportError>>;

/// What comes back.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Pieces of any size; an error ends it.
    pub body: Body,
}

impl Response {
    /// Returns the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(held, _)| held == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why no response came, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransportError {
    /// There is no network.
    #[error("reach the server: there is no network")]
    Offline,
    /// The server's address leads nowhere.
    #[error("reach the server: nothing answers at its address")]
    Unreachable,
    /// The line broke.
    #[error("finish the exchange: the connection broke")]
    Cut,
    /// Nothing came for too long.
    #[error("finish the exchange: the server did not answer in time")]
    Timeout,
    /// Someone else answers for the server, or its certificate expired.
    #[error("trust the server: its certificate is not the one of the district")]
    BadCertificate,
    /// What was to be sent, or what came back, is not HTTP.
    #[error("speak with the server: a message is malformed")]
    Garbled,
}
