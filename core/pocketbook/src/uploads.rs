//! Photos and files on their way to the server, piece by piece.
//!
//! The protocol is the core of tus 1.0: an upload is announced (`POST`), goes on at an offset
//! (`PATCH`) and can be asked how far it is (`HEAD`). What counts is the server's word on the
//! offset; the number kept here is a guess that saves a question. A guess that was wrong costs one
//! more request and nothing else: an upload that is not known there is announced anew, one that is
//! further on goes on from there.
//!
//! *The life of one piece.* Up to so many bytes are unsealed and sent. When the last one arrives,
//! the server compares the whole with its name and answers with the commit that noted it; only
//! that word makes a file `stored` here. When a line breaks in the middle, what had arrived counts.
//!
//! *What is given up.* Only what can never arrive: a file that the server finds too large, or one
//! that is damaged here. It stays on the phone with the reason, and its record is not held up.
//!
//! The same upload can be handed to the platform's own background uploader as an [`UploadJob`].
//! Such an uploader sends a plain file, so the rest of the photo lies unsealed in `outgoing/` from
//! [`job`] to [`report`]; at the next job for the same photo it is written anew.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use pocketbook_records::ids::{BlobHash, Commit};

use crate::engine::call::{Server, refusal};
use crate::engine::{Piece, SyncError};
use crate::error::Error;
use crate::seal::SealError;
use crate::seams::{FilesError, Method, Request, Response, TransportError};
use crate::store::Store;
use crate::store::blobs::Upload;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const OFFSET: &str = "upload-offset";
const STORED: &str = "pocketbook-stored";
/// So much of a file is copied at once for the platform's uploader.
const COPY_BYTES: usize = 256 * 1024;

/// An upload as the platform's own uploader carries it out: one `PATCH` with a file as its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadJob {
    /// The photo.
    pub hash: BlobHash,
    /// Where to.
    pub url: String,
    /// With which headers, the credential included.
    pub headers: Vec<(&'static str, String)>,
    /// The file to send whole: a name in the account's files.
    pub file: String,
    /// Where in the photo that file begins.
    pub offset: u64,
}

/// Where an upload stands on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It goes on at this offset.
    At(u64),
    /// It is whole, and noted.
    Stored(Commit),
}

/// Sends the next piece of a file.
pub(crate) async fn send_piece(
    server: &Server,
    store: &Store,
    upload: &Upload,
    most_bytes: usize,
) -> Result<Piece, SyncError> {
    let sent = async {
        let guess = match upload.sent {
            0 => announce(server, upload).await?,
            sent => Standing::At(sent),
        };
        append(server, store, upload, guess, most_bytes).await
    };
    match sent.await {
        Err(error) => give_up(store, upload.hash, error),
        Ok(piece) => Ok(piece),
    }
}

/// Prepares an upload for the platform's uploader; none if the server has it whole already.
pub(crate) async fn job(
    server: &Server,
    store: &Store,
    upload: &Upload,
) -> Result<Option<UploadJob>, SyncError> {
    // Nobody corrects a platform's uploader on its way, so here the offset is asked, not guessed.
    let offset = match ask_offset(server, upload).await? {
        Standing::At(offset) => offset,
        Standing::Stored(commit) => {
            store.note_stored(upload.hash, commit)?;
            return Ok(None);
        }
    };
    let file = copy_plain(store, upload.hash, offset)?;
    let (url, mut headers) = server.address(&path(upload.hash));
    headers.extend(append_headers(offset));
    Ok(Some(UploadJob {
        hash: upload.hash,
        url,
        headers,
        file,
        offset,
    }))
}

/// Takes what became of a job: the status and headers that the platform's uploader received.
pub(crate) fn report(
    store: &Store,
    hash: BlobHash,
    status: u16,
    headers: Vec<(String, String)>,
) -> Result<Piece, SyncError> {
    store
        .seams
        .files
        .remove(&outgoing(hash))
        .map_err(Error::from)?;
    let body = Box::pin(futures_util::stream::empty());
    let response = Response {
        status,
        headers,
        body,
    };
    match (status, standing(&response)) {
        (204, Some(standing)) => settle(store, hash, standing, 0),
        // What arrived is not known; the next piece asks.
        _ => Err(SyncError::of_status(status, None, None)),
    }
}

fn path(hash: BlobHash) -> String {
    format!("/v1/blobs/{hash}")
}

fn outgoing(hash: BlobHash) -> String {
    format!("outgoing/{hash}")
}

/// Announces an upload; one that was announced before stays as it is.
async fn announce(server: &Server, upload: &Upload) -> Result<Standing, SyncError> {
    let name = BASE64.encode(upload.hash.to_string());
    let request = Request::new(Method::Post, "/v1/blobs")
        .header(TUS.0, TUS.1)
        .header("upload-length", upload.bytes.to_string())
        .header("upload-metadata", format!("sha256 {name}"));
    let response = server.send(request).await?;
    match response.status {
        200 | 201 => Ok(standing(&response).unwrap_or(Standing::At(0))),
        413 => Err(SyncError::TooLarge),
        _ => Err(refusal(response).await),
    }
}

async fn ask_offset(server: &Server, upload: &Upload) -> Result<Standing, SyncError> {
    let request = Request::new(Method::Head, path(upload.hash)).header(TUS.0, TUS.1);
    let response = server.send(request).await?;
    match (response.status, standing(&response)) {
        (200 | 204, Some(standing)) => Ok(standing),
        (404 | 410 | 460, _) => announce(server, upload).await,
        _ => Err(refusal(response).await),
    }
}

async fn append(
    server: &Server,
    store: &Store,
    upload: &Upload,
    guess: Standing,
    most_bytes: usize,
) -> Result<Piece, SyncError> {
    let mut at = guess;
    for is_guess in [true, false] {
        let offset = match at {
            Standing::At(offset) => offset,
            stored @ Standing::Stored(_) => return settle(store, upload.hash, stored, 0),
        };
        let piece = read(store, upload, offset, most_bytes)?;
        let bytes = piece.len();
        let clock = Arc::clone(&store.seams.clock);
        let began_ms = clock.monotonic_ms();
        let response = server
            .send(append_request(upload.hash, offset, piece))
            .await?;
        match (response.status, standing(&response)) {
            // Without this a server that takes nothing would be sent the same piece for ever.
            (204, Some(Standing::At(now_at))) if now_at <= offset => {
                return Err(SyncError::NotOurs);
            }
            (204, Some(standing)) => {
                let end = settle(store, upload.hash, standing, bytes)?;
                return Ok(end.took(clock.monotonic_ms() - began_ms));
            }
            (409, Some(told)) if is_guess => at = told,
            (404 | 409 | 410, _) if is_guess => at = ask_offset(server, upload).await?,
            (460, _) => return Err(mismatch(store, upload)?),
            _ => return Err(refusal(response).await),
        }
    }
    // The offset moved twice while we were looking: someone else sends this photo too.
    Err(TransportError::Cut.into())
}

fn append_headers(offset: u64) -> [(&'static str, String); 3] {
    [
        (TUS.0, TUS.1.to_owned()),
        (OFFSET, offset.to_string()),
        ("content-type", "application/offset+octet-stream".to_owned()),
    ]
}

fn append_request(hash: BlobHash, offset: u64, piece: Bytes) -> Request {
    append_headers(offset)
        .into_iter()
        .fold(
            Request::new(Method::Patch, path(hash)),
            |request, (name, value)| request.header(name, value),
        )
        .body(piece)
}

fn read(store: &Store, upload: &Upload, offset: u64, most: usize) -> Result<Bytes, SyncError> {
    let left = usize::try_from(upload.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut piece = vec![0; left.min(most)];
    let read = store.read_upload(upload.hash, offset, &mut piece)?;
    piece.truncate(read);
    Ok(piece.into())
}

/// Reads the server's word on an upload.
fn standing(response: &Response) -> Option<Standing> {
    let number = |name| response.header(name)?.parse().ok();
    match number(STORED) {
        Some(commit) => Some(Standing::Stored(Commit(commit))),
        None => number(OFFSET).map(Standing::At),
    }
}

fn settle(
    store: &Store,
    hash: BlobHash,
    standing: Standing,
    bytes: usize,
) -> Result<Piece, SyncError> {
    match standing {
        Standing::At(offset) => {
            store.note_sent(hash, offset)?;
            Ok(Piece::Sent { bytes, took_ms: 0 })
        }
        Standing::Stored(commit) => {
            store.note_stored(hash, commit)?;
            Ok(Piece::Last)
        }
    }
}

/// The bytes that arrived are not those of the name: begin anew, unless they are wrong here.
fn mismatch(store: &Store, upload: &Upload) -> Result<SyncError, SyncError> {
    store.note_sent(upload.hash, 0)?;
    let whole = read(store, upload, 0, usize::MAX)?;
    if BlobHash::of(&whole) == upload.hash {
        Ok(SyncError::Forged)
    } else {
        Ok(Error::Seal(SealError::Changed { chunk: 0 }).into())
    }
}

/// Notes what can never arrive; passes on what may arrive another time.
fn give_up(store: &Store, hash: BlobHash, error: SyncError) -> Result<Piece, SyncError> {
    let reason = match &error {
        SyncError::TooLarge => "too-large",
        SyncError::Store(Error::Files(FilesError::Missing)) => "damaged",
        SyncError::Store(Error::Seal(seal)) if !matches!(seal, SealError::Io(_)) => "damaged",
        _ => return Err(error),
    };
    store.note_refused(hash, reason)?;
    Ok(Piece::Last)
}

/// Writes the rest of a photo as the plain file that the platform's uploader needs.
fn copy_plain(store: &Store, hash: BlobHash, offset: u64) -> Result<String, SyncError> {
    let file = outgoing(hash);
    let files = &store.seams.files;
    files.remove(&file).map_err(Error::from)?;
    files.create(&file).map_err(Error::from)?;
    let mut piece = vec![0; COPY_BYTES];
    let mut at = offset;
    loop {
        let read = store.read_upload(hash, at, &mut piece)?;
        if read == 0 {
            return Ok(file);
        }
        files.append(&file, &piece[..read]).map_err(Error::from)?;
        at += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::engine::testing::{Said, World, good};
    use crate::engine::{Reason, SyncEvent};
    use crate::store::blobs::PhotoState;

    /// A server's spool: what arrived of each photo, and when the line breaks.
    #[derive(Default)]
    struct Spool {
        arrived: BTreeMap<String, Vec<u8>>,
        lengths: BTreeMap<String, usize>,
        exchanges: u32,
        /// The nth piece (from 1) arrives up to here only.
        cut: Option<(u32, usize)>,
        pieces: u32,
    }

    impl Spool {
        fn answer(&mut self, request: &Request) -> Result<Said, TransportError> {
            let header = |name: &str| {
                let found = request.headers.iter().find(|(held, _)| *held == name);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            };
            if request.path == "/v1/sync" {
                self.exchanges += 1;
                return Ok(good(request, self.exchanges));
            }
            if request.method == Method::Post {
                let encoded = header("upload-metadata");
                let name = BASE64
                    .decode(encoded.strip_prefix("sha256 ").unwrap())
                    .unwrap();
                let name = String::from_utf8(name).unwrap();
                self.lengths
                    .insert(name.clone(), header("upload-length").parse().unwrap());
                self.arrived.entry(name.clone()).or_default();
                return Ok(Said::status(201).header("location", format!("/v1/blobs/{name}")));
            }
            let name = request.path.strip_prefix("/v1/blobs/").unwrap();
            let Some(arrived) = self.arrived.get_mut(name) else {
                return Ok(Said::problem(404, "no-upload"));
            };
            if request.method == Method::Head {
                return Ok(Said::status(200).header(OFFSET, arrived.len()));
            }
            if header(OFFSET) != arrived.len().to_string() {
                return Ok(Said::problem(409, "wrong-offset").header(OFFSET, arrived.len()));
            }
            self.pieces += 1;
            if let Some((nth, bytes)) = self.cut
                && nth == self.pieces
            {
                arrived.extend_from_slice(&request.body[..bytes]);
                return Err(TransportError::Cut);
            }
            arrived.extend_from_slice(&request.body);
            let said = Said::status(204).header(OFFSET, arrived.len());
            if arrived.len() < self.lengths[name] {
                return Ok(said);
            }
            if BlobHash::of(arrived).to_string() != name {
                self.arrived.remove(name);
                return Ok(Said::problem(460, "hash-mismatch"));
            }
            Ok(said.header(STORED, 77))
        }
    }

    fn spool(world: &World, spool: Spool) -> Arc<Mutex<Spool>> {
        let spool = Arc::new(Mutex::new(spool));
        let answers = Arc::clone(&spool);
        world
            .line
            .answers(move |request| answers.lock().unwrap().answer(request));
        spool
    }

    fn only(world: &World) -> Upload {
        world.store.next_uploads(2).unwrap().remove(0)
    }

    fn state(world: &World, hash: BlobHash) -> Option<PhotoState> {
        world.store.photo_state(hash).unwrap()
    }

    #[tokio::test]
    async fn photos_follow_their_records_and_arrive_whole() {
        let world = World::new();
        let photos: Vec<BlobHash> = (0..4).map(|n| world.author_with_photo(n)).collect();
        let spool = spool(&world, Spool::default());

        let report = world.engine().sync_once(Reason::Asked).await.unwrap();

        assert_eq!((report.photos, report.put_off), (4, 0));
        for hash in photos {
            let arrived = &spool.lock().unwrap().arrived[&hash.to_string()];
            assert_eq!(BlobHash::of(arrived), hash);
            assert_eq!(state(&world, hash), Some(PhotoState::Stored));
            assert!(
                world
                    .ears
                    .0
                    .lock()
                    .unwrap()
                    .contains(&SyncEvent::Photo(hash))
            );
        }
        let asked = world.line.asked();
        let first_photo = asked
            .iter()
            .position(|line| line.contains("blobs"))
            .unwrap();
        assert!(
            asked[first_photo..]
                .iter()
                .all(|line| line.contains("blobs"))
        );
        assert_eq!(world.store.status().unwrap().photos, 0);
    }

    #[tokio::test]
    async fn an_upload_goes_on_at_the_byte_where_it_was_cut() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        let spool = spool(
            &world,
            Spool {
                cut: Some((2, 1_000)),
                ..Spool::default()
            },
        );
        let engine = world.engine();
        let report = engine.sync_once(Reason::Asked).await.unwrap();
        assert_eq!((report.photos, report.put_off), (0, 1));
        assert_eq!(world.store.status().unwrap().photos, 1);

        let report = engine.sync_once(Reason::Connected).await.unwrap();

        assert_eq!(report.photos, 1);
        let arrived = &spool.lock().unwrap().arrived[&hash.to_string()];
        assert_eq!(BlobHash::of(arrived), hash);
        let asked = world.line.asked();
        assert_eq!(
            asked
                .iter()
                .filter(|line| line.starts_with("Post /v1/blobs"))
                .count(),
            1
        );
        assert_eq!(
            asked.iter().filter(|line| line.starts_with("Head")).count(),
            0
        );
    }

    #[tokio::test]
    async fn an_upload_that_the_server_has_forgotten_is_announced_anew() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        world.store.note_sent(hash, 5_000).unwrap();
        spool(&world, Spool::default());

        let end = send_piece(&world.server(), &world.store, &only(&world), 1 << 24).await;

        assert_eq!(end.unwrap(), Piece::Last);
        assert_eq!(state(&world, hash), Some(PhotoState::Stored));
    }

    #[tokio::test]
    async fn bytes_that_changed_on_their_way_are_sent_again_from_the_start() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        let bytes = only(&world).bytes;
        world.store.note_sent(hash, 5_000).unwrap();
        let wrong = BTreeMap::from([(hash.to_string(), vec![0; 5_000])]);
        let lengths = BTreeMap::from([(hash.to_string(), usize::try_from(bytes).unwrap())]);
        spool(
            &world,
            Spool {
                arrived: wrong,
                lengths,
                ..Spool::default()
            },
        );

        let end = send_piece(&world.server(), &world.store, &only(&world), 1 << 24).await;

        assert!(matches!(end, Err(SyncError::Forged)));
        assert_eq!(only(&world).sent, 0);
        let again = send_piece(&world.server(), &world.store, &only(&world), 1 << 24).await;
        assert_eq!(again.unwrap(), Piece::Last);
    }

    #[tokio::test]
    async fn a_photo_that_is_damaged_here_is_given_up_with_its_reason_and_stops_no_other() {
        let world = World::new();
        let bad = world.author_with_photo(1);
        let good = world.author_with_photo(2);
        world.store.seams.files.remove(&format!("{bad}.m")).unwrap();
        spool(&world, Spool::default());

        let report = world.engine().sync_once(Reason::Asked).await.unwrap();

        assert_eq!(report.put_off, 0);
        assert_eq!(state(&world, bad), Some(PhotoState::Failed));
        assert_eq!(state(&world, good), Some(PhotoState::Stored));
    }

    #[tokio::test]
    async fn a_photo_that_the_server_finds_too_large_stays_here_with_the_reason() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        world.line.answers(|_| Ok(Said::problem(413, "too-large")));

        let end = send_piece(&world.server(), &world.store, &only(&world), 1 << 20).await;

        assert_eq!(end.unwrap(), Piece::Last);
        assert_eq!(state(&world, hash), Some(PhotoState::Failed));
    }

    #[tokio::test]
    async fn nothing_but_the_servers_word_makes_a_photo_stored() {
        let answers: [fn() -> Said; 7] = [
            || Said::html(200),
            || Said::status(204),
            || Said::status(204).header(OFFSET, 0),
            || Said::status(204).header(OFFSET, "all"),
            || Said::problem(401, "unknown"),
            || Said::html(413),
            || Said::problem(409, "wrong-offset"),
        ];
        for answer in answers {
            let world = World::new();
            let hash = world.author_with_photo(1);
            world.store.note_sent(hash, 10).unwrap();
            world.line.answers(move |_| Ok(answer()));

            let end = send_piece(&world.server(), &world.store, &only(&world), 1 << 20).await;

            assert!(end.is_err());
            assert_eq!(state(&world, hash), Some(PhotoState::Waiting));
        }
    }

    #[tokio::test]
    async fn the_platforms_uploader_carries_a_job_out_and_reports() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        let spool = spool(&world, Spool::default());
        let engine = world.engine();
        let first = send_piece(&world.server(), &world.store, &only(&world), 9_000).await;
        assert!(matches!(first.unwrap(), Piece::Sent { bytes: 9_000, .. }));

        let job = engine.upload_job(hash).await.unwrap().unwrap();

        let files = &world.store.seams.files;
        assert_eq!(job.url, format!("https://qindu.example/v1/blobs/{hash}"));
        assert!(job.headers.iter().any(|(name, _)| *name == "authorization"));
        let mut body = vec![0; usize::try_from(files.len(&job.file).unwrap().unwrap()).unwrap()];
        files.read_at(&job.file, 0, &mut body).unwrap();
        let mut request = Request::new(Method::Patch, path(hash)).body(body);
        request.headers = job.headers;
        let said = spool.lock().unwrap().answer(&request).unwrap().response();
        engine
            .report_upload(hash, said.status, said.headers)
            .unwrap();

        assert_eq!(state(&world, hash), Some(PhotoState::Stored));
        assert_eq!(files.len(&job.file).unwrap(), None);
        assert_eq!(engine.upload_job(hash).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_job_that_failed_leaves_the_photo_waiting() {
        let world = World::new();
        let hash = world.author_with_photo(1);
        spool(&world, Spool::default());
        let engine = world.engine();
        let job = engine.upload_job(hash).await.unwrap().unwrap();

        assert!(engine.report_upload(hash, 500, Vec::new()).is_err());

        assert_eq!(state(&world, hash), Some(PhotoState::Waiting));
        assert_eq!(world.store.seams.files.len(&job.file).unwrap(), None);
        engine.sync_once(Reason::Asked).await.unwrap();
        assert_eq!(state(&world, hash), Some(PhotoState::Stored));
    }
}
