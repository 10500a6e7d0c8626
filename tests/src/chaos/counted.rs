//! The phone's line, which notes in the diary what was answered: a burst that was killed has no
//! report, and its exchanges took place all the same.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pocketbook::seams::http::HttpTransport;
use pocketbook::seams::{Method, Request, Response, Transport, TransportError};

use super::diary::Diary;

/// Real HTTP, with its answers counted.
#[derive(Debug)]
pub(crate) struct Counted {
    http: HttpTransport,
    diary: Arc<Mutex<Diary>>,
}

impl Counted {
    /// Counts what passes over a transport.
    pub(crate) fn over(http: HttpTransport, diary: Arc<Mutex<Diary>>) -> Self {
        Self { http, diary }
    }
}

#[async_trait]
impl Transport for Counted {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let method = request.method;
        let is_exchange = method == Method::Post && request.path.starts_with("/v1/sync");
        let is_piece = method == Method::Patch;
        let answer = self.http.send(request).await?;
        if (200..300).contains(&answer.status) && (is_exchange || is_piece) {
            let word = if is_piece { "piece" } else { "exchange" };
            let mut diary = self.diary.lock().unwrap_or_else(PoisonError::into_inner);
            // What can't be counted is missing in a table, and nowhere else.
            let _ = diary.counts(word);
        }
        Ok(answer)
    }

    fn url(&self, path: &str) -> String {
        self.http.url(path)
    }
}
