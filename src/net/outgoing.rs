//! A request's body on its way out: bytes, or a file that is read while it is sent.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::spool::{BLOCK, Checked, Mark, copy};

/// A request's body. A file is read from its start for each request, so that a retry needs nothing
/// of the one before; its last bytes go out only if all are what its mark says.
#[derive(Debug, Clone)]
pub struct Outgoing {
    from: From,
    chunked: bool,
    /// Bytes at its start that do not go.
    after: u64,
}

#[derive(Debug, Clone)]
enum From {
    Memory(Bytes),
    File { path: PathBuf, len: u64, mark: Mark },
}

impl Outgoing {
    /// A file of `len` bytes with this mark.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>, len: u64, mark: impl Into<Mark>) -> Self {
        let (path, mark) = (path.into(), mark.into());
        Self {
            from: From::File { path, len, mark },
            chunked: false,
            after: 0,
        }
    }

    /// Whether to send it in chunks (RFC 9112 section 7.1), its length untold.
    #[must_use]
    pub fn chunked(self, chunked: bool) -> Self {
        Self { chunked, ..self }
    }

    /// Only what follows `len` bytes, of a transfer that broke. A file is still read from its start,
    /// so that its mark is looked at.
    #[must_use]
    pub fn after(self, len: u64) -> Self {
        Self { after: len, ..self }
    }

    /// The body for one request, and what is known of its way.
    pub(super) fn start(self) -> io::Result<(Stream, Arc<Progress>)> {
        let progress = Arc::new(Progress::default());
        let (blocks, left) = match self.from {
            From::Memory(bytes) => {
                // It fits into the socket: only the answer takes time.
                progress.finish();
                let from = usize::try_from(self.after).unwrap_or(usize::MAX);
                let bytes = bytes.slice(from.min(bytes.len())..);
                (Blocks::Memory(bytes.clone()), bytes.len() as u64)
            }
            From::File { path, len, mark } => {
                let file = Checked::new(File::open(path)?, len, mark);
                (
                    Blocks::File(read(file, self.after)),
                    len.saturating_sub(self.after),
                )
            }
        };
        progress.way().whole = left;
        let stream = Stream {
            blocks,
            left,
            chunked: self.chunked,
            progress: Arc::clone(&progress),
        };
        Ok((stream, progress))
    }
}

impl std::convert::From<Bytes> for Outgoing {
    fn from(bytes: Bytes) -> Self {
        Self {
            from: From::Memory(bytes),
            chunked: false,
            after: 0,
        }
    }
}

/// Reads beside the tasks, one block ahead, from `after` on. It ends when nobody takes blocks any more.
fn read(mut file: Checked<File>, after: u64) -> mpsc::Receiver<io::Result<Bytes>> {
    let (give, blocks) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        if let Err(why) = copy(&mut file.by_ref().take(after), &mut io::sink()) {
            let _ = give.blocking_send(Err(why));
            return;
        }
        loop {
            let mut block = BytesMut::zeroed(BLOCK);
            let read = file.read(&mut block);
            let end = !matches!(read, Ok(1..));
            let given = read.map(|len| block.split_to(len).freeze());
            if give.blocking_send(given).is_err() || end {
                return;
            }
        }
    });
    blocks
}

/// How far a body got.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Way>);

#[derive(Debug, Default)]
struct Way {
    whole: u64,
    taken: u64,
    finished: Option<Instant>,
    alive: Option<Instant>,
    failed: Option<(bool, String)>,
}

impl Progress {
    fn way(&self) -> std::sync::MutexGuard<'_, Way> {
        // Each field is set in one move, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self) {
        self.way().finished.get_or_insert_with(Instant::now);
    }

    /// They said that they are at it.
    pub(super) fn alive(&self) {
        self.way().alive = Some(Instant::now());
    }

    /// Until when an answer is waited for, where all of it went: `time` from then, or from the last
    /// that they said; `most` from then, whatever they say.
    pub(super) fn due(&self, time: Duration, most: Duration) -> Option<Instant> {
        let way = self.way();
        let finished = way.finished?;
        let last = way.alive.map_or(finished, |alive| alive.max(finished));
        Some((last + time).min(finished + most.max(time)))
    }

    /// Bytes that went to the connection.
    pub(super) fn taken(&self) -> u64 {
        self.way().taken
    }

    /// Whether there is a body, of which nothing was asked for: nobody was reached who would take it.
    pub(super) fn untouched(&self) -> bool {
        let way = self.way();
        way.whole > 0 && way.taken == 0
    }

    /// Whether the body could not be read, whether that is for good, and why.
    pub(super) fn failed(&self) -> Option<(bool, String)> {
        self.way().failed.clone()
    }
}

/// The body of one request.
pub(super) struct Stream {
    blocks: Blocks,
    left: u64,
    chunked: bool,
    progress: Arc<Progress>,
}

enum Blocks {
    Memory(Bytes),
    File(mpsc::Receiver<io::Result<Bytes>>),
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            self.progress.finish();
            return Poll::Ready(None);
        }
        let next = match &mut self.blocks {
            Blocks::Memory(bytes) => Some(Ok(std::mem::take(bytes))),
            Blocks::File(blocks) => match blocks.poll_recv(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
        };
        let cut = || Err(io::Error::from(ErrorKind::UnexpectedEof));
        match next.unwrap_or_else(cut) {
            Ok(block) if !block.is_empty() => {
                self.left = self.left.saturating_sub(block.len() as u64);
                let mut way = self.progress.way();
                way.taken += block.len() as u64;
                drop(way);
                if self.left == 0 {
                    self.progress.finish();
                }
                Poll::Ready(Some(Ok(Frame::data(block))))
            }
            other => {
                let why = other
                    .err()
                    .unwrap_or_else(|| ErrorKind::UnexpectedEof.into());
                let lost = matches!(
                    why.kind(),
                    ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                );
                self.progress.way().failed = Some((lost, why.to_string()));
                Poll::Ready(Some(Err(why)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.chunked && self.left > 0 {
            true => SizeHint::new(),
            false => SizeHint::with_exact(self.left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interim_answer_gives_time_and_not_for_ever() {
        let progress = Progress::default();
        let (time, most) = (Duration::from_secs(60), Duration::from_secs(900));
        progress.alive();
        assert_eq!(progress.due(time, most), None, "the body is not out yet");
        progress.finish();
        let finished = progress.way().finished.unwrap();
        assert_eq!(progress.due(time, most), Some(finished + time));
        for (alive, want) in [(100, 160), (880, 900), (5000, 900)] {
            progress.way().alive = Some(finished + Duration::from_secs(alive));
            let due = progress.due(time, most).unwrap();
            assert_eq!((due - finished).as_secs(), want);
        }
        let long = Duration::from_secs(1800);
        progress.way().alive = None;
        assert_eq!(
            progress.due(long, most),
            Some(finished + long),
            "what was asked for"
        );
    }
}
