//! The admin socket: `admin.sock` in the data directory, for whoever may open that directory.
//!
//! A running server owns its data directory, so the other subcommands ask it instead of opening
//! the database beside it. The conversation is lines of JSON: the command, its input, `"end"`; back
//! come events. Input that breaks off without its end is an error, so that half a pocket book is
//! never published. Who may connect is decided by the file system: the socket is its owner's
//! alone. There is no password to forget and no port to find.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that makes and reaches the admin socket"
)]

use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::carry_out;
use super::wire::{Command, Event};
use crate::Server;

/// The longest line: a part of a pocket book travels in one.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// The line after the last line of input; no input is a bare text.
const END: &str = "\"end\"";

/// Whoever says nothing for so long is not listened to: he would keep the server from stopping.
const SILENCE: Duration = Duration::from_secs(60);

/// Returns the path of the socket of a data directory.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("admin.sock")
}

/// A socket that is bound and whose file goes when it is dropped.
#[derive(Debug)]
pub struct Listening {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // A socket left behind is replaced by the next start, which holds the directory's lock.
        let _ = fs::remove_file(&self.path);
    }
}

/// Binds the socket of a data directory that this process has locked.
///
/// # Errors
/// Fails if the file system refuses, or if the path is longer than sockets allow (about 100 bytes).
pub fn bind(dir: &Path) -> io::Result<Listening> {
    let path = path(dir);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(Listening { listener, path })
}

impl Listening {
    /// Serves commands until told to stop; a command that has begun is finished.
    pub async fn serve(self, server: Server, stop: CancellationToken) {
        let conversations = tokio_util::task::TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted.and_then(|(stream, _)| blocking(stream)) {
                Ok(stream) => {
                    let server = server.clone();
                    let runtime = tokio::runtime::Handle::current();
                    conversations.spawn_blocking(move || {
                        if let Err(error) = runtime.block_on(converse(&server, &stream)) {
                            tracing::warn!(%error, "an admin conversation broke off");
                        }
                    });
                }
                Err(error) => tracing::warn!(%error, "failed to accept an admin conversation"),
            }
        }
        conversations.close();
        conversations.wait().await;
    }
}

fn blocking(stream: tokio::net::UnixStream) -> io::Result<UnixStream> {
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE))?;
    Ok(stream)
}

async fn converse(server: &Server, stream: &UnixStream) -> io::Result<()> {
    let mut lines = Lines(BufReader::new(stream));
    let mut out = stream;
    let first = lines
        .next()
        .unwrap_or(Err(ErrorKind::UnexpectedEof.into()))?;
    let mut input = Input {
        lines,
        is_over: false,
    };
    let last = match serde_json::from_str::<Command>(&first) {
        Ok(command) => {
            tracing::info!(command = command.name(), "admin");
            let mut broken = None;
            let outcome = carry_out(server, command, &mut input, &mut |event| {
                if broken.is_none() {
                    broken = tell(&mut out, &event).err();
                }
            })
            .await;
            match outcome {
                Ok(outcome) => Event::Done { outcome },
                Err(error) => Event::Failed {
                    reason: super::told(&error),
                },
            }
        }
        Err(_) => Event::Failed {
            reason: "failed to read the command: is the program of another version?".into(),
        },
    };
    tell(&mut out, &last)
}

fn tell(mut out: impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Lines up to the end that was announced.
struct Input<R> {
    lines: Lines<R>,
    is_over: bool,
}

impl<R: BufRead> Iterator for Input<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self
            .lines
            .next()
            .unwrap_or(Err(ErrorKind::UnexpectedEof.into()));
        self.is_over = match &line {
            Ok(line) if line.trim_end() == END => return None,
            Ok(_) => false,
            Err(_) => true,
        };
        Some(line)
    }
}

/// Lines of bounded length.
struct Lines<R>(R);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match Read::by_ref(&mut self.0)
            .take(MAX_LINE)
            .read_line(&mut line)
        {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Asks a running server, if there is one, to carry a command out: `None` if there is none.
///
/// # Errors
/// Fails if the socket is another user's, or if the conversation breaks off.
pub fn ask(
    dir: &Path,
    command: &Command,
    input: impl Iterator<Item = io::Result<String>> + Send,
    mut tell_event: impl FnMut(Event),
) -> io::Result<Option<()>> {
    let stream = match UnixStream::connect(path(dir)) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        stream => stream?,
    };
    // Both ways at once: a server that reports bad lines while we still write must not be blocked
    // by a reader that has not begun.
    let (to, from) = (stream.try_clone()?, BufReader::new(stream));
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let written = write_all(&to, command, input);
            // Else both ends would wait for each other after an input that can't be read.
            to.shutdown(Shutdown::Write)?;
            written
        });
        for line in Lines(from) {
            tell_event(serde_json::from_str(&line?).map_err(io::Error::other)?);
        }
        match writer.join() {
            // A command that failed early closes while we still write; its event says why.
            Ok(Err(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Ok(written) => written,
            Err(_) => Err(io::Error::other("the input could not be read")),
        }
    })?;
    Ok(Some(()))
}

fn write_all(
    to: &UnixStream,
    command: &Command,
    input: impl Iterator<Item = io::Result<String>>,
) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(256 * 1024, to);
    serde_json::to_writer(&mut to, command).map_err(io::Error::other)?;
    to.write_all(b"\n")?;
    for line in input {
        to.write_all(line?.trim_end_matches(['\r', '\n']).as_bytes())?;
        to.write_all(b"\n")?;
    }
    to.write_all(END.as_bytes())?;
    to.write_all(b"\n")?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Vec<Result<String, ErrorKind>> {
        let input = Input {
            lines: Lines(text.as_bytes()),
            is_over: false,
        };
        input
            .map(|line| line.map_err(|error| error.kind()))
            .collect()
    }

    #[test]
    fn input_that_breaks_off_is_an_error_and_not_an_end() {
        assert_eq!(input("a\n\"end\"\nb\n"), [Ok("a\n".into())]);
        assert_eq!(
            input("a\n"),
            [Ok("a\n".into()), Err(ErrorKind::UnexpectedEof)]
        );
    }
}
