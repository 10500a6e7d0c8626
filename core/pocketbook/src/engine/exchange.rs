//! One exchange over the wire: a request out; an answer and frames in, line by line.
//!
//! A line that was received whole is good, whatever happens after it. So the answer is handed over
//! as soon as its line ends, and frames in groups while the rest still arrives; when the stream
//! breaks, what came before the break is handed over first and the break is told afterwards.

use std::collections::VecDeque;
use std::io::BufRead;

use futures_util::FutureExt;
use pocketbook_records::wire::{self, Answer, Frame};
use serde::de::DeserializeOwned;

use super::call::{Server, Unpacked, is_of_type, pack};
use super::error::SyncError;
use crate::seams::{Method, Request, TransportError};

/// The longest line: a frame aims at 256 KiB, an answer at 1 MiB, a single record may stick out.
const MAX_LINE: usize = 16 * 1024 * 1024;
/// Frames are applied in groups of so many bytes: one transaction each.
const GROUP_BYTES: usize = 2 * 1024 * 1024;

/// A request, written.
#[derive(Debug)]
pub(crate) struct Written {
    request: Request,
    /// Bytes before packing.
    pub(crate) bytes: usize,
}

/// Writes a request for the wire.
pub(crate) fn write(request: &wire::Request) -> Result<Written, serde_json::Error> {
    let plain = serde_json::to_vec(request)?;
    let bytes = plain.len();
    let (body, is_packed) = pack(plain);
    let mut request = Request::new(Method::Post, "/v1/sync")
        .header("content-type", "application/json")
        .body(body);
    if is_packed {
        request = request.header("content-encoding", "gzip");
    }
    Ok(Written { request, bytes })
}

/// Sends a request and waits for the answer's line.
pub(crate) async fn begin(
    server: &Server,
    written: Written,
) -> Result<(Answer, Frames), SyncError> {
    let response = server.ask(written.request).await?;
    if !is_of_type(&response, "application/x-ndjson") {
        return Err(SyncError::NotOurs);
    }
    let mut lines = Lines::new(Unpacked::new(response));
    let answer = lines.next().await?.ok_or(TransportError::Cut)?;
    let answer = parse(&answer)?;
    Ok((answer, Frames { lines, broke: None }))
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, SyncError> {
    serde_json::from_slice(line).map_err(|_| SyncError::NotOurs)
}

/// The frames that follow an answer.
pub(crate) struct Frames {
    lines: Lines,
    /// Why there will be no more, kept until what came before was taken.
    broke: Option<SyncError>,
}

impl Frames {
    /// Returns the next group of frames, those that are here already; an empty one at the end.
    pub(crate) async fn next_group(&mut self) -> Result<Vec<Frame>, SyncError> {
        let mut group = Vec::new();
        let mut bytes = 0;
        while self.broke.is_none() && bytes < GROUP_BYTES {
            let next = if group.is_empty() {
                self.next().await
            } else {
                // Nothing waits for the line: what is here is applied while more arrives.
                let Some(next) = self.next().now_or_never() else {
                    break;
                };
                next
            };
            match next {
                Ok(Some((frame, line_bytes))) => {
                    group.push(frame);
                    bytes += line_bytes;
                }
                Ok(None) => break,
                Err(error) => self.broke = Some(error),
            }
        }
        match self.broke.take() {
            Some(error) if group.is_empty() => Err(error),
            broke => {
                self.broke = broke;
                Ok(group)
            }
        }
    }

    /// Waits for the end where no frame is expected: a connection that was read to its end is used
    /// again.
    pub(crate) async fn see_out(mut self) {
        while let Ok(Some(_)) = self.next().await {}
    }

    async fn next(&mut self) -> Result<Option<(Frame, usize)>, SyncError> {
        let Some(line) = self.lines.next().await? else {
            return Ok(None);
        };
        Ok(Some((parse(&line)?, line.len())))
    }
}

/// Cuts a stream of bytes into lines.
struct Lines {
    unpacked: Unpacked,
    whole: VecDeque<Vec<u8>>,
    begun: Vec<u8>,
}

impl Lines {
    fn new(unpacked: Unpacked) -> Self {
        Self {
            unpacked,
            whole: VecDeque::new(),
            begun: Vec::new(),
        }
    }

    /// Returns the next line that is not empty. A line without its end was cut.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, SyncError> {
        loop {
            if let Some(line) = self.whole.pop_front() {
                return Ok(Some(line));
            }
            match self.unpacked.next().await? {
                Some(bytes) => self.take(&bytes)?,
                None if self.begun.is_empty() => return Ok(None),
                None => return Err(TransportError::Cut.into()),
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), SyncError> {
        while !bytes.is_empty() {
            // Reading from memory doesn't fail.
            let _ = bytes.read_until(b'\n', &mut self.begun);
            if self.begun.len() > MAX_LINE {
                return Err(SyncError::NotOurs);
            }
            if self.begun.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.begun);
                if !line.trim_ascii().is_empty() {
                    self.whole.push_back(line);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{
        Line, Said, credential, empty_answer, frame, my_scope, read_request,
    };

    fn written() -> Written {
        Written {
            request: Request::new(Method::Post, "/v1/sync"),
            bytes: 0,
        }
    }

    /// Returns the answer's outcome and, after it, the frames' groups until the end or an error.
    async fn read(
        said: Said,
    ) -> (
        Result<Answer, SyncError>,
        Vec<Vec<Frame>>,
        Option<SyncError>,
    ) {
        let line = Line::new();
        let mut said = Some(said);
        line.answers(move |_| Ok(said.take().unwrap()));
        let server = Server::new(line, &credential());
        let (answer, mut frames) = match begin(&server, written()).await {
            Ok(begun) => begun,
            Err(error) => return (Err(error), Vec::new(), None),
        };
        let mut groups = Vec::new();
        loop {
            match frames.next_group().await {
                Ok(group) if group.is_empty() => return (Ok(answer), groups, None),
                Ok(group) => groups.push(group),
                Err(error) => return (Ok(answer), groups, Some(error)),
            }
        }
    }

    fn frames() -> Vec<Frame> {
        (1..=3)
            .map(|n| frame(my_scope(), 5, &[n], n == 3))
            .collect()
    }

    #[tokio::test]
    async fn an_answer_and_its_frames_arrive_however_they_are_cut_and_packed() {
        for said in [
            Said::lines(&empty_answer(5), &frames()),
            Said::lines(&empty_answer(5), &frames()).in_pieces(1),
            Said::lines(&empty_answer(5), &frames()).packed(),
            Said::lines(&empty_answer(5), &frames())
                .packed()
                .in_pieces(7),
        ] {
            let (answer, groups, broke) = read(said).await;

            assert_eq!(answer.unwrap().asof.commit, frames()[0].commit);
            assert_eq!(groups.concat().len(), 3);
            assert!(broke.is_none());
        }
    }

    #[tokio::test]
    async fn what_came_whole_before_a_cut_is_handed_over_before_the_cut_is_told() {
        let whole = Said::lines(&empty_answer(5), &frames());
        let two = Said::lines(&empty_answer(5), &frames()[..2]);

        let (answer, groups, broke) = read(whole.cut_after(two.body_len() + 10)).await;

        assert!(answer.is_ok());
        assert_eq!(groups.concat().len(), 2);
        assert!(matches!(
            broke,
            Some(SyncError::Transport(TransportError::Cut))
        ));
    }

    #[tokio::test]
    async fn a_stream_that_ends_in_the_middle_of_a_line_was_cut() {
        let text = serde_json::to_string(&empty_answer(5)).unwrap();
        for text in [&text[..], &text[..20], ""] {
            let said = Said::status(200).body("application/x-ndjson", text.to_owned());
            let (answer, ..) = read(said).await;
            assert!(matches!(
                answer,
                Err(SyncError::Transport(TransportError::Cut))
            ));
        }
    }

    #[tokio::test]
    async fn a_packed_stream_without_its_end_was_cut() {
        let mut packed = Said::lines(&empty_answer(5), &frames()).packed();
        packed.shorten(4);

        let (answer, _, broke) = read(packed).await;

        assert!(answer.is_ok());
        assert!(matches!(
            broke,
            Some(SyncError::Transport(TransportError::Cut))
        ));
    }

    #[tokio::test]
    async fn whoever_is_not_our_server_is_not_believed() {
        let line = |text: &str| Said::status(200).body("application/x-ndjson", text.to_owned());
        let mut wrong = serde_json::to_value(empty_answer(5)).unwrap();
        wrong["received_mseq"] = "many".into();
        for said in [
            Said::html(200),
            Said::html(302),
            Said::html(403),
            Said::html(404),
            Said::status(204),
            Said::status(200).body("application/json", "{}"),
            line("<html>\n"),
            line("{}\n"),
            line("[1,2]\n"),
            line("\u{0}\n"),
            line(&format!("{wrong}\n")),
            line("this is not what it says it is\n").header("content-encoding", "gzip"),
            Said::status(200).body("application/x-ndjson", vec![0xff, 0xfe, b'\n']),
        ] {
            let (answer, ..) = read(said).await;
            assert!(matches!(answer, Err(SyncError::NotOurs)), "{answer:?}");
        }
    }

    #[tokio::test]
    async fn a_frame_of_the_wrong_shape_ends_the_stream_and_keeps_what_came_before() {
        let mut text = serde_json::to_string(&empty_answer(5)).unwrap() + "\n";
        text += &(serde_json::to_string(&frames()[0]).unwrap() + "\n{\"rows\":7}\n");
        text += &(serde_json::to_string(&frames()[1]).unwrap() + "\n");

        let (answer, groups, broke) =
            read(Said::status(200).body("application/x-ndjson", text)).await;

        assert!(answer.is_ok());
        assert_eq!(groups.concat().len(), 1);
        assert!(matches!(broke, Some(SyncError::NotOurs)));
    }

    #[tokio::test]
    async fn a_line_without_end_does_not_fill_the_memory() {
        let endless = vec![b' '; MAX_LINE + 2];
        for said in [
            Said::status(200).body("application/x-ndjson", endless.clone()),
            Said::status(200)
                .body("application/x-ndjson", endless)
                .packed(),
        ] {
            let (answer, ..) = read(said).await;
            assert!(matches!(answer, Err(SyncError::NotOurs)));
        }
    }

    #[tokio::test]
    async fn refusals_say_what_to_do() {
        let told = |said| async { read(said).await.0.unwrap_err() };

        assert!(matches!(told(Said::html(413)).await, SyncError::TooMuch));
        assert!(matches!(
            told(Said::problem(413, "too-large")).await,
            SyncError::TooMuch
        ));
        assert!(matches!(
            told(Said::problem(401, "unknown")).await,
            SyncError::NotLetIn(_)
        ));
        assert!(matches!(
            told(Said::problem(403, "locked")).await,
            SyncError::NotLetIn(_)
        ));
        assert!(matches!(
            told(Said::problem(400, "malformed")).await,
            SyncError::Refused(_)
        ));
        assert!(matches!(
            told(Said::html(502)).await,
            SyncError::ServerFault { status: 502 }
        ));
        let busy = Said::html(503).header("retry-after", 7);
        assert!(matches!(
            told(busy).await,
            SyncError::Busy {
                retry_after_ms: 7_000
            }
        ));
        let garbled = Said::status(401).body("application/problem+json", "{");
        assert!(matches!(told(garbled).await, SyncError::NotOurs));
        let word = r#"{"type":"busy","title":"","status":503,"retry_after_ms":1234}"#;
        let busy = Said::status(503).body("application/problem+json; charset=utf-8", word);
        assert!(matches!(
            told(busy).await,
            SyncError::Busy {
                retry_after_ms: 1_234
            }
        ));
    }

    #[tokio::test]
    async fn large_groups_are_handed_over_while_the_rest_arrives() {
        let ids: Vec<u128> = (0..8_000).collect();
        let many: Vec<Frame> = (0..6).map(|_| frame(my_scope(), 5, &ids, false)).collect();

        let (_, groups, broke) = read(Said::lines(&empty_answer(5), &many)).await;

        assert!(groups.len() > 1 && broke.is_none());
        assert_eq!(groups.concat().len(), 6);
    }

    #[test]
    fn a_request_is_packed_if_that_is_worth_it() {
        let world = crate::engine::testing::World::new();
        for _ in 0..20 {
            world.author();
        }
        let limits = crate::store::hand_in::BatchLimits {
            bytes: 1 << 20,
            count: 100,
            start: crate::store::hand_in::Start::FirstWaiting,
            pull: true,
        };
        let request = world.store.next_request(limits).unwrap();

        let written = write(&request).unwrap();

        assert!(written.request.body.len() < written.bytes / 3);
        assert_eq!(read_request(&written.request).mutations.len(), 20);
    }
}
