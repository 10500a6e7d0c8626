//! Whoever works at a desk: over the server's HTTP interface, as a console would.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::TryStreamExt;
use pocketbook::seams::http::{HttpTransport, Trust};
use pocketbook::seams::system::{SystemClock, SystemEntropy};
use pocketbook::seams::{Method, Request, Transport, uuid_v7};
use pocketbook_records::ids::{BlobHash, RecordId};
use serde_json::{Value, json};

use super::Result;

/// Somebody signed in at a desk, or a phone's credential in other hands.
#[derive(Debug)]
pub(crate) struct Desk {
    http: HttpTransport,
    bearer: String,
}

/// What a desk hears.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads the body as JSON after a success.
    fn ok(&self) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        Err(format!(
            "status {}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        )
        .into())
    }

    /// Returns the name of a refusal.
    pub(crate) fn refusal(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["type"].as_str().unwrap_or_default().to_owned()
    }
}

impl Desk {
    /// Returns a desk that shows a credential which somebody has already.
    pub(crate) fn with(url: &str, bearer: &str) -> Result<Self> {
        let http = HttpTransport::new(url, &Trust::Web)?;
        Ok(Self {
            http,
            bearer: bearer.to_owned(),
        })
    }

    /// Signs in.
    pub(crate) async fn sign_in(url: &str, login: &str, password: &str) -> Result<Self> {
        let mut desk = Self::with(url, "")?;
        let asked = json!({"login": login, "password": password});
        let session = desk.posts("/v1/desk/session", &asked).await?.ok()?;
        let token = session["token"]
            .as_str()
            .ok_or("a session without a token")?;
        desk.bearer = if token.starts_with("desk.") {
            token.to_owned()
        } else {
            format!("desk.{token}")
        };
        Ok(desk)
    }

    /// Reads an address.
    pub(crate) async fn gets(&self, path: &str) -> Result<Reply> {
        self.sends(Request::new(Method::Get, path)).await
    }

    /// Looks at a case; none if it is not this desk's to see.
    pub(crate) async fn finds(&self, case: RecordId) -> Result<Option<Value>> {
        let reply = self.gets(&format!("/v1/desk/cases/{case}")).await?;
        if reply.status == 404 {
            Ok(None)
        } else {
            Ok(Some(reply.ok()?["body"].take()))
        }
    }

    /// Returns the fields of a case.
    pub(crate) async fn case(&self, case: RecordId) -> Result<Value> {
        Ok(self
            .finds(case)
            .await?
            .ok_or("the case is not at this desk")?)
    }

    /// Returns on whose phones the photos of a case still are, one name per photo.
    pub(crate) async fn missing(&self, case: RecordId) -> Result<Vec<String>> {
        let shown = self.gets(&format!("/v1/desk/cases/{case}")).await?.ok()?;
        let missing = shown["missing"].as_array().into_iter().flatten();
        let names = missing.filter_map(|photo| photo["with"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Gives a command to a case as it stands; returns what came of it.
    pub(crate) async fn tries(
        &self,
        case: RecordId,
        command: &str,
        args: Value,
        photos: &[BlobHash],
    ) -> Result<Reply> {
        let shown = self.case(case).await?;
        let mut expect = json!({"state": shown["state"], "turn": shown["turn"]});
        if shown["transition"].is_string() {
            expect["after"] = shown["transition"].clone();
        }
        let step = json!({
            "mid": uuid_v7(&SystemClock::new(), &SystemEntropy),
            "expect": expect, "args": args, "photos": photos,
        });
        self.posts(&format!("/v1/desk/cases/{case}/commands/{command}"), &step)
            .await
    }

    /// Gives a command to a case as it stands; returns the case's fields afterwards.
    pub(crate) async fn does(
        &self,
        case: RecordId,
        command: &str,
        args: Value,
        photos: &[BlobHash],
    ) -> Result<Value> {
        let mut done = self.tries(case, command, args, photos).await?.ok()?;
        Ok(done["case"]["body"].take())
    }

    /// Returns the rows of a list.
    pub(crate) async fn lists(&self, path: &str) -> Result<Vec<Value>> {
        let list = self.gets(path).await?.ok()?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Uploads a photo in one piece.
    pub(crate) async fn uploads(&self, photo: &[u8]) -> Result<BlobHash> {
        let hash = BlobHash::of(photo);
        let announced = Request::new(Method::Post, "/v1/blobs")
            .header("tus-resumable", "1.0.0")
            .header("upload-length", photo.len().to_string())
            .header(
                "upload-metadata",
                format!("sha256 {}", BASE64.encode(hash.to_string())),
            );
        let begun = self.sends(announced).await?;
        let piece = Request::new(Method::Patch, format!("/v1/blobs/{hash}"))
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", "0")
            .header("content-type", "application/offset+octet-stream")
            .body(photo.to_vec());
        let done = self.sends(piece).await?;
        match (begun.status, done.status) {
            (201, 204) => Ok(hash),
            _ => Err(format!("a photo was not taken: {}", done.refusal()).into()),
        }
    }

    async fn posts(&self, path: &str, json: &Value) -> Result<Reply> {
        let request = Request::new(Method::Post, path).header("content-type", "application/json");
        self.sends(request.body(json.to_string())).await
    }

    async fn sends(&self, request: Request) -> Result<Reply> {
        let request = match self.bearer.as_str() {
            "" => request,
            bearer => request.header("authorization", format!("Bearer {bearer}")),
        };
        let answer = self.http.send(request).await?;
        let status = answer.status;
        let pieces: Vec<_> = answer.body.try_collect().await?;
        Ok(Reply {
            status,
            body: pieces.concat(),
        })
    }
}
