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

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

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

    /// Takes the next bytes of the stream.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Opaque => return,
                State::Body(left) => {
                    let step = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= step as u64;
                    if *left == 0 {
                        self.state = head();
                    }
                    &bytes[step..]
                }
                State::Head { .. } => self.feed_head(bytes),
            };
        }
    }

    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let State::Head { bytes: seen, line } = &mut self.state else {
            return bytes;
        };
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        seen.extend_from_slice(&bytes[..end]);
        if seen.len() > self.most {
            self.state = State::Opaque;
        } else if seen.ends_with(b"\n") {
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
        &bytes[end..]
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
    // RFC 9112 section 3.2: a request of HTTP/1.1 has exactly one.
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if hosts > 1 || (hosts == 0 && first.trim_ascii_end().ends_with(b"HTTP/1.1")) {
        return refused("not one Host in the head");
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
}

impl<S> Watched<S> {
    /// Watches `stream`, holding at most `most` bytes of a head.
    pub(super) fn new(stream: S, most: usize) -> Self {
        Self {
            stream,
            framing: Framing::new(most),
        }
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
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.framing.feed(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
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
        let run = |pieces: &mut dyn Iterator<Item = &[u8]>| -> String {
            let mut framing = Framing::new(1000);
            pieces.for_each(|piece| framing.feed(piece));
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
        ];
        for (stream, want) in table {
            assert_eq!(verdicts(stream), want, "{stream:?}");
        }
    }

    #[test]
    fn a_head_over_the_limit_is_not_held() {
        let mut framing = Framing::new(100);
        framing.feed(&[b'a'; 1000]);
        assert!(matches!(framing.state, State::Opaque));
    }
}
