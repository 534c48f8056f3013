//! What does not end as it should: the last bytes of a file, and a segment beyond the limit.

use std::io::Read;

use super::read::{Reader, SEGMENT_LIMIT};
use super::{Error, Fault, text};

impl<R: Read> Reader<R> {
    /// The last bytes of the file: a segment without a terminator, or padding.
    pub(super) fn unfinished(&mut self) -> Option<(usize, usize)> {
        let rest = &self.buffer[self.start..self.filled];
        let padding = |b: &&u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0x1A);
        let end = self.filled - rest.iter().rev().take_while(padding).count();
        let text = &self.buffer[self.start..end];
        if text.is_empty() {
            self.step_counting(self.filled);
            return None;
        }
        let length = text.len() as u32;
        let last = text.len() >= 3 && text[..3].eq_ignore_ascii_case(b"IEA");
        self.ends.retain(|&e| e < length);
        self.ends.push(length);
        self.truncated = !last;
        if last {
            self.note(
                Fault::NoTerminator,
                self.here(),
                text!("the file ends without a terminator after IEA"),
                text!("end every segment with the terminator"),
            );
        }
        Some((end, self.filled))
    }

    /// A segment beyond the limit: its first elements, and the rest skipped at the next call.
    pub(super) fn cut(&mut self) -> (usize, usize) {
        self.note(
            Fault::TooLong,
            self.here(),
            text!(
                "a segment of more than {limit} bytes: the rest of it was skipped",
                limit = SEGMENT_LIMIT
            ),
            text!("look for a lost terminator, or put large data into BIN"),
        );
        while self
            .ends
            .last()
            .is_some_and(|&e| e as usize > SEGMENT_LIMIT)
        {
            self.ends.pop();
        }
        if self
            .ends
            .last()
            .is_none_or(|&e| (e as usize) < SEGMENT_LIMIT)
        {
            self.ends.push(SEGMENT_LIMIT as u32);
        }
        self.skipping = true;
        let end = self.start + SEGMENT_LIMIT;
        self.rescan(end);
        (end, end)
    }

    /// Skips to behind the next terminator.
    pub(super) fn skip_segment(&mut self) -> Result<(), Error> {
        self.skipping = false;
        loop {
            let rest = &self.buffer[self.start..self.filled];
            match memchr::memchr(self.terminator, rest) {
                Some(at) => {
                    let here = self.start + at;
                    let found = self.ends_here(here);
                    let next = here + 1 + if found { self.tail.len() } else { 0 };
                    self.step_counting(next);
                    self.rescan(next);
                    if found {
                        return Ok(());
                    }
                }
                None => {
                    self.step_counting(self.filled);
                    if !self.fill()? {
                        return Ok(());
                    }
                }
            }
        }
    }
}
