//! Requests by hand: what a console, an operator with `curl`, or somebody who should not sends to
//! the server's real router.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pocketbook_records::ids::BlobHash;
use pocketbook_records::wire::Problem;
use serde::de::DeserializeOwned;

use super::town::Town;

/// Whoever sends requests by hand: a desk, an operator with `curl`, somebody who should not.
#[derive(Debug, Clone)]
pub struct Client {
    town: Arc<Town>,
    bearer: Option<String>,
}

impl Client {
    /// Returns a client that shows no credential.
    pub fn unknown(town: Arc<Town>) -> Self {
        Self { town, bearer: None }
    }

    /// Returns a client that shows this credential.
    pub fn with(town: Arc<Town>, bearer: String) -> Self {
        Self {
            town,
            bearer: Some(bearer),
        }
    }

    /// Returns the credential that it shows, if any.
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// Returns the town.
    pub fn town(&self) -> &Arc<Town> {
        &self.town
    }

    /// Sends a request as it is.
    pub async fn sends(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.into())
            .expect("a request that HTTP can carry");
        let answer = self.town.answers(request).await.expect("the server runs");
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("an answer from memory");
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Reads an address.
    pub async fn gets(&self, path: &str) -> Reply {
        self.sends("GET", path, &[], Body::empty()).await
    }

    /// Posts JSON.
    pub async fn posts(&self, path: &str, json: &serde_json::Value) -> Reply {
        self.sends(
            "POST",
            path,
            &[("content-type", "application/json")],
            json.to_string(),
        )
        .await
    }

    /// Uploads a file in one piece and returns its name.
    pub async fn uploads(&self, bytes: &[u8]) -> String {
        let hash = BlobHash::of(bytes).to_string();
        let begun = self.announces(&hash, bytes.len()).await;
        assert_eq!(begun.status, 201, "{begun:?}");
        let done = self.appends(&hash, 0, bytes.to_vec()).await;
        assert_eq!(done.status, 204, "{done:?}");
        hash
    }

    /// Announces an upload.
    pub async fn announces(&self, hash: &str, length: usize) -> Reply {
        let name = BASE64.encode(hash);
        let (length, name) = (length.to_string(), format!("sha256 {name}"));
        let headers = [
            ("tus-resumable", "1.0.0"),
            ("upload-length", length.as_str()),
            ("upload-metadata", name.as_str()),
        ];
        self.sends("POST", "/v1/blobs", &headers, Body::empty())
            .await
    }

    /// Appends to an upload.
    pub async fn appends(&self, hash: &str, offset: usize, bytes: Vec<u8>) -> Reply {
        let offset = offset.to_string();
        let headers = [
            ("tus-resumable", "1.0.0"),
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        self.sends("PATCH", &format!("/v1/blobs/{hash}"), &headers, bytes)
            .await
    }
}

/// What a client hears.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("status {}, {error}: {:?}", self.status, self.body))
    }

    /// Reads the body as JSON after a success.
    pub fn ok(&self) -> serde_json::Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {:?}",
            self.status,
            self.body
        );
        self.json()
    }

    /// Reads the body as a refusal of the server's own, and holds every refusal to its form: the
    /// same status inside as outside, a sentence in Chinese and English.
    pub fn problem(&self) -> Problem {
        let sort = self.headers.get("content-type").map(|sort| sort.as_bytes());
        assert_eq!(
            sort,
            Some(&b"application/problem+json"[..]),
            "{} {:?}",
            self.status,
            self.body
        );
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status);
        let (chinese, english) = problem.title.split_once(" · ").expect("two languages");
        assert!(
            !chinese.is_ascii() && english.is_ascii(),
            "{}",
            problem.title
        );
        problem
    }
}
