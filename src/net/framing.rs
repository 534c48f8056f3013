//! A second look at request heads, on the bytes as they come from the socket.
//!
//! hyper reads a head that says both `Transfer-Encoding` and `Content-Length` by the former and
//! drops the latter, and it takes a bare line feed for a line's end. Both are lawful (RFC 9112
//! sections 2.2 and 6.1), and both are how a request is smuggled past a proxy that reads them the
//! other way. This pure machine follows the same bytes and leaves one [`Verdict`] a request; where
//! it and hyper ever disagree on where a request starts, the queue is empty and the request is
//! refused.
//!
//! A chunked body is not followed: its request is the last one of its connection.
//!
//! Folded header lines, which old AS2 software sends and hyper refuses, are unfolded on the way
//! (RFC 9112 section 5.2): the line break becomes two blanks, so nothing moves.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::interim::{self, Interim};

/// What the bytes of one request head say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Why the request must be answered with 400.
    pub(super) refuse: Option<&'static str>,
    /// Whether the connection must close after the answer.
    pub(super) close: bool,
}

/// The verdicts that no request has taken yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdicts(Arc<Mutex<VecDeque<Verdict>>>);

impl Verdicts {
    /// The verdict on the next request.
    pub(super) fn next(&self) -> Verdict {
        let lost = Verdict {
            refuse: Some("request framing is ambiguous"),
            close: true,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
            .unwrap_or(lost)
    }

    fn push(&self, verdict: Verdict) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(verdict);
    }
}

/// Where in the stream we are.
#[derive(Debug)]
enum State {
    /// In a head: its bytes so far, and where its last line starts.
    Head { bytes: Vec<u8>, line: usize },
    /// In a body, with so many bytes to go.
    Body(u64),
    /// In something that is not followed to its end.
    Opaque,
}

/// The machine: fed with every byte read, in any pieces.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    most: usize,
    verdicts: Verdicts,
}

impl Framing {
    /// A machine that holds at most `most` bytes of a head; hyper refuses a longer one itself.
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: head(),
            most,
            verdicts: Verdicts::default(),
        }
    }

    /// Takes the next bytes of the stream, and unfolds header lines in them. Gives how many it
    /// took: the end of a header line waits for the byte after it, and comes again with that.
    pub(super) fn feed(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.len() - at;
            let (step, wait) = match &mut self.state {
                State::Opaque => (rest, false),
                State::Body(left) => {
                    let step = usize::try_from(*left).unwrap_or(usize::MAX).min(rest);
                    *left -= step as u64;
                    if *left == 0 {
                        self.state = head();
                    }
                    (step, false)
                }
                State::Head { .. } => self.feed_head(&mut bytes[at..]),
            };
            at += step;
            if wait {
                break;
            }
        }
        at
    }

    /// Takes bytes up to the end of a line; whether the rest has to wait.
    fn feed_head(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        let State::Head { bytes: seen, line } = &mut self.state else {
            return (0, false);
        };
        let (line_feed, header) = (memchr::memchr(b'\n', bytes), *line > 0);
        let content = line_feed.unwrap_or(bytes.len()).min(bytes.len());
        let broken = bytes[..content].ends_with(b"\r");
        let text = seen.len() - *line + content - usize::from(broken);
        let (end, wait) = match (line_feed, broken && header && text > 0) {
            (None, true) => (content - 1, true),
            (None, false) => (content, false),
            (Some(at), false) => (at + 1, false),
            (Some(at), true) => match bytes.get(at + 1) {
                None => (at - 1, true),
                Some(b' ' | b'\t') => {
                    bytes[at - 1..=at].fill(b' ');
                    (at + 1, false)
                }
                Some(_) => (at + 1, false),
            },
        };
        seen.extend_from_slice(&bytes[..end]);
        if seen.len() > self.most {
            self.state = State::Opaque;
        } else if !wait && seen.ends_with(b"\n") {
            let blank = matches!(&seen[*line..], b"\n" | b"\r\n");
            match (blank, *line) {
                (false, _) => *line = seen.len(),
                // A blank line before a request is skipped (RFC 9112 section 2.2).
                (true, 0) => seen.clear(),
                (true, _) => {
                    let (verdict, state) = judge(seen);
                    self.verdicts.push(verdict);
                    self.state = state;
                }
            }
        }
        (end, wait)
    }

    /// Bytes passed by unseen: nothing is known of this stream any more.
    fn lose(&mut self) {
        self.state = State::Opaque;
    }
}

fn head() -> State {
    State::Head {
        bytes: Vec::new(),
        line: 0,
    }
}

/// The verdict on a whole head, and what follows it.
fn judge(head: &[u8]) -> (Verdict, State) {
    let refused = |why| {
        (
            Verdict {
                refuse: Some(why),
                close: true,
            },
            State::Opaque,
        )
    };
    let (mut length, mut coded, mut hosts) = (None, false, 0);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return refused("a line ends with a bare line feed");
        };
        if line.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            return refused("a bare carriage return or a null in the head");
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            length = Some(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            coded = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        }
    }
    // Who speaks 1.0 need not know the field (RFC 9112 section 3.2).
    let old = head.split(|byte| *byte == b'\r').next();
    let old = old.is_some_and(|line| line.ends_with(b"HTTP/1.0"));
    if hosts > 1 || (hosts == 0 && !old) {
        return refused("not one Host field");
    }
    let fine = |close| Verdict {
        refuse: None,
        close,
    };
    match (length, coded) {
        (Some(_), true) => refused("both Content-Length and Transfer-Encoding"),
        (None, true) => (fine(true), State::Opaque),
        (None, false) => (fine(false), self::head()),
        (Some(value), false) => match digits(value) {
            Some(0) => (fine(false), self::head()),
            Some(length) => (fine(false), State::Body(length)),
            None => refused("a Content-Length that is not a number"),
        },
    }
}

/// The value of a run of ASCII digits, with no sign (RFC 9110 section 8.6).
fn digits(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// A stream whose bytes the machine sees as they are read.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    framing: Framing,
    /// The end of a header line that waits for what follows it: two bytes at most.
    held: Vec<u8>,
    interim: interim::Out,
}

impl<S> Watched<S> {
    /// Watches `stream`, holding at most `most` bytes of a head.
    pub(super) fn new(stream: S, most: usize) -> Self {
        Self {
            stream,
            framing: Framing::new(most),
            held: Vec::new(),
            interim: interim::Out::default(),
        }
    }

    /// What gives interim answers on it.
    pub(super) fn interim(&self) -> Interim {
        self.interim.asked()
    }

    /// Where the verdicts appear.
    pub(super) fn verdicts(&self) -> Verdicts {
        self.framing.verdicts.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let before = buf.filled().len();
            if self.held.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            } else {
                ready!(self.read_on(cx, buf))?;
            }
            if buf.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            let came = &mut buf.filled_mut()[before..];
            let taken = self.framing.feed(came);
            self.held = came[taken..].to_vec();
            buf.set_filled(before + taken);
            if taken > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Reads more after what was held.
    fn read_on(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut more = [0; 1024];
        let room = more
            .len()
            .min(buf.remaining().saturating_sub(self.held.len()));
        let mut more = ReadBuf::new(&mut more[..room]);
        if room > 0 {
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut more))?;
        }
        if more.filled().is_empty() {
            // The end, or no room to look on: what was held goes as it is.
            self.framing.lose();
        }
        let fits = self.held.len().min(buf.remaining());
        buf.put_slice(&self.held.split_off(0)[..fits]);
        buf.put_slice(more.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Watched {
            stream, interim, ..
        } = self.get_mut();
        ready!(interim.end(stream, cx))?;
        Pin::new(stream).poll_write(cx, bytes)
    }

    /// hyper flushes when it has written all that it had: the one moment for an interim answer.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Watched {
            stream, interim, ..
        } = self.get_mut();
        interim.begin();
        ready!(interim.end(stream, cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts on a stream: `.` fine, `c` fine and last, `!` refused; the same whole and byte
    /// by byte.
    fn verdicts(stream: &str) -> String {
        let stream = stream.replace(" HTTP/1.1\r\n", " HTTP/1.1\r\nHost: a\r\n");
        let run = |pieces: &mut dyn Iterator<Item = &[u8]>| -> String {
            let mut framing = Framing::new(1000);
            let mut held = Vec::new();
            for piece in pieces {
                let mut bytes = [&held, piece].concat();
                let taken = framing.feed(&mut bytes);
                held = bytes.split_off(taken);
            }
            let queue = framing.verdicts.0.lock().unwrap();
            let mark = |v: &Verdict| match v {
                Verdict {
                    refuse: Some(_), ..
                } => '!',
                Verdict { close: true, .. } => 'c',
                _ => '.',
            };
            queue.iter().map(mark).collect()
        };
        let whole = run(&mut std::iter::once(stream.as_bytes()));
        assert_eq!(
            whole,
            run(&mut stream.as_bytes().chunks(1)),
            "pieces change the verdict"
        );
        whole
    }

    #[test]
    fn heads_are_judged_as_they_stand() {
        let table = [
            ("GET / HTTP/1.1\r\n\r\n", "."),
            ("\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", ".."),
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\n\nGET / HTTP/1.1\r\n\r\n",
                "..",
            ),
            (
                "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                "..",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
                "c",
            ),
            (
                "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\nContent-Length: 5\r\n\r\n",
                "!",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "!",
            ),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "!"),
            ("GET / HTTP/1.1\nHost: a\n\n", "!"),
            ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", "!"),
            ("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", "!"),
            ("GET / HTTP/1.1\r\nA: b\r\n", ""),
            ("GET / HTTP/1.1\r\nHost: b\r\n\r\n", "!"),
            ("GET /x HTTP/1.0\r\n\r\n", "."),
            ("GET /\r\nA: HTTP/1.0\r\n\r\n", "!"),
            (
                "POST / HTTP/1.1\r\nContent-Length:\r\n 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\n",
                "..",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\tchunked\r\nContent-Length: 5\r\n\r\n",
                "!",
            ),
            (
                "POST / HTTP/1.1\r\nA: b\r\n Content-Length: 5\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                "..",
            ),
        ];
        for (stream, want) in table {
            assert_eq!(verdicts(stream), want, "{stream:?}");
        }
    }

    #[tokio::test]
    async fn folded_lines_come_out_unfolded_in_any_pieces() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let sent = b"\r\nPOST / HTTP/1.1\r\nA: b\r\n c\r\n\td\r\nHost: x\r\n\r\n\r\n a\r\n";
        let came = b"\r\nPOST / HTTP/1.1\r\nA: b   c  \td\r\nHost: x\r\n\r\n\r\n a\r\n";
        for size in [1, 2, 3, 5, 100] {
            let (mut us, them) = tokio::io::duplex(size);
            let sending = tokio::spawn(async move {
                us.write_all(sent).await.unwrap();
            });
            let mut read = Vec::new();
            let mut watched = Watched::new(them, 1000);
            watched.read_to_end(&mut read).await.unwrap();
            sending.await.unwrap();
            assert_eq!(
                read.escape_ascii().to_string(),
                came.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn a_head_over_the_limit_is_not_held() {
        let mut framing = Framing::new(100);
        framing.feed(&mut [b'a'; 1000]);
        assert!(matches!(framing.state, State::Opaque));
    }
}
