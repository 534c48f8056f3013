//! Splitting a multipart (RFC 2046 §5.1), giving the bytes of a part exactly as they came, because
//! a signature covers them.
//!
//! ```text
//! multipart = [preamble] line-end "--" boundary *blank line-end part
//!             line-end "--" boundary *blank line-end part … line-end "--" boundary "--" [epilogue]
//! ```
//!
//! The line end before a boundary belongs to the boundary. A boundary counts only as a whole line.

use std::io::{self, BufRead, Read};

use memchr::memmem::Finder;

use super::error::Error;
use super::mime::read_from;

/// Longest boundary (RFC 2046 §5.1.1).
pub const BOUNDARY_LENGTH: usize = 70;

/// Most blanks after a boundary that still make it one.
const TRAILING_BLANKS: usize = 128;

/// Splits a multipart body, part by part, as it streams by.
pub(crate) struct Multipart<'a> {
    source: &'a mut dyn BufRead,
    /// LF, two hyphens, the boundary.
    needle: Finder<'static>,
    window: Vec<u8>,
    /// Where the unread bytes of the window start.
    start: usize,
    /// Unread bytes that are known to belong to the current part.
    ready: usize,
    delimiter: Option<Delimiter>,
    /// Whether boundary lines end with CRLF, as the first one did.
    crlf: bool,
    ended: bool,
}

/// A boundary line in the window, behind the bytes that are ready.
struct Delimiter {
    /// Length with its line ends.
    length: usize,
    closing: bool,
    crlf: bool,
}

impl<'a> Multipart<'a> {
    /// # Errors
    /// No boundary, or one that is too long.
    pub(crate) fn new(
        source: &'a mut dyn BufRead,
        boundary: Option<&str>,
    ) -> Result<Multipart<'a>, Error> {
        let boundary = boundary.unwrap_or_default();
        if boundary.is_empty() || boundary.len() > BOUNDARY_LENGTH {
            return Err(Error::Mime(
                "a multipart without a boundary of 1 to 70 characters".into(),
            ));
        }
        Ok(Multipart {
            source,
            needle: Finder::new(&format!("\n--{boundary}")).into_owned(),
            // So that a boundary may stand in the very first line.
            window: vec![b'\n'],
            start: 0,
            ready: 0,
            delimiter: None,
            crlf: true,
            ended: false,
        })
    }

    /// The next part, whatever is left of the current one skipped; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Part<'_, 'a>>, Error> {
        while self.fill()? {
            self.start += self.ready;
            self.ready = 0;
        }
        match self.delimiter.take() {
            Some(found) => {
                self.start += found.length;
                self.crlf = found.crlf;
                Ok((!found.closing).then_some(Part { multipart: self }))
            }
            None => Err(Error::Truncated(
                "a multipart without its closing boundary".into(),
            )),
        }
    }

    /// Skips the epilogue. A `strict` one is blank: inside an envelope whatever else may stand
    /// there would let who has recorded a message put other blocks behind it, and learn from our
    /// answer whether they end in padding, which tells what is in them, byte by byte.
    pub(crate) fn finish(mut self, strict: bool) -> Result<(), Error> {
        self.window.drain(..self.start);
        let mut blank = self.window.iter().all(u8::is_ascii_whitespace);
        loop {
            let data = self.source.fill_buf()?;
            let taken = data.len();
            if taken == 0 {
                break;
            }
            blank = blank && data.iter().all(u8::is_ascii_whitespace);
            self.source.consume(taken);
        }
        match blank || !strict {
            true => Ok(()),
            false => Err(Error::Mime(
                "bytes after the closing boundary of an encrypted message".into(),
            )),
        }
    }

    /// Makes bytes ready; `false` at the end of the part.
    fn fill(&mut self) -> Result<bool, Error> {
        loop {
            if self.ready > 0 || self.delimiter.is_some() {
                return Ok(self.ready > 0);
            }
            self.scan();
            if self.ready > 0 || self.delimiter.is_some() {
                continue;
            }
            if self.ended {
                return Err(Error::Truncated(
                    "a multipart without its closing boundary".into(),
                ));
            }
            self.window.drain(..self.start);
            self.start = 0;
            let data = self.source.fill_buf()?;
            let taken = data.len().min(32 * 1024);
            self.ended = taken == 0;
            self.window.extend_from_slice(&data[..taken]);
            self.source.consume(taken);
        }
    }

    /// Looks for a boundary line among the unread bytes.
    fn scan(&mut self) {
        let unread = &self.window[self.start..];
        let needle = self.needle.needle().len();
        for at in self.needle.find_iter(unread) {
            let before = match unread[..at].last() {
                Some(b'\r') if self.crlf => at - 1,
                _ => at,
            };
            match boundary_line(&unread[at + needle..], self.ended) {
                Line::Boundary {
                    length,
                    closing,
                    crlf,
                } => {
                    let length = at - before + needle + length;
                    self.ready = before;
                    self.delimiter = Some(Delimiter {
                        length,
                        closing,
                        crlf,
                    });
                    return;
                }
                Line::Unknown => {
                    self.ready = before;
                    return;
                }
                Line::Text => {}
            }
        }
        // The start of a boundary, and a CR before it, may stand at the end.
        let kept = if self.ended { 0 } else { needle + 1 };
        self.ready = unread.len().saturating_sub(kept);
    }
}

enum Line {
    Boundary {
        length: usize,
        closing: bool,
        crlf: bool,
    },
    Text,
    /// The line is not whole yet.
    Unknown,
}

/// What follows the boundary's characters decides whether the line is one.
fn boundary_line(rest: &[u8], ended: bool) -> Line {
    let after = rest.strip_prefix(b"--").unwrap_or(rest);
    let closing = after.len() < rest.len();
    let blanks = after
        .iter()
        .take_while(|byte| b" \t".contains(byte))
        .count();
    let crlf = after[blanks..].starts_with(b"\r\n");
    let so_far = rest.len() - after.len() + blanks;
    match &after[blanks..] {
        [b'\n', ..] => Line::Boundary {
            length: so_far + 1,
            closing,
            crlf,
        },
        [b'\r', b'\n', ..] => Line::Boundary {
            length: so_far + 2,
            closing,
            crlf,
        },
        [] if ended && closing => Line::Boundary {
            length: so_far,
            closing,
            crlf,
        },
        [] | [b'\r'] | [b'-'] if !ended && blanks < TRAILING_BLANKS => Line::Unknown,
        _ => Line::Text,
    }
}

/// One part, its bytes exactly as they came.
pub(crate) struct Part<'m, 'a> {
    multipart: &'m mut Multipart<'a>,
}

impl BufRead for Part<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let more = self.multipart.fill().map_err(io::Error::other)?;
        let (start, ready) = (self.multipart.start, self.multipart.ready);
        Ok(if more {
            &self.multipart.window[start..start + ready]
        } else {
            &[]
        })
    }

    fn consume(&mut self, count: usize) {
        self.multipart.start += count;
        self.multipart.ready -= count;
    }
}

impl Read for Part<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        read_from(self, out)
    }
}
