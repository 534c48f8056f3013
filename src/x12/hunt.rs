//! Between interchanges: looks for ISA, tells of what it passes, and takes the separators.

use std::io::Read;

use super::isa::{self, LOOKAHEAD};
use super::read::{Reader, State, Told};
use super::settle::{line_break, settle};
use super::{Error, Fault, Position, text};

impl<R: Read> Reader<R> {
    /// Looks for ISA, and takes it.
    pub(super) fn hunt(&mut self) -> Result<bool, Error> {
        let mut passed = Passed::new(self.place);
        loop {
            self.ensure(LOOKAHEAD)?;
            let here = &self.buffer[self.start..self.filled];
            if here.is_empty() {
                break;
            }
            if here.starts_with(b"\xEF\xBB\xBF") {
                self.note(
                    Fault::ByteOrderMark,
                    self.place.into(),
                    text!("a byte order mark (EF BB BF) before ISA"),
                    text!("save the file as UTF-8 without a byte order mark"),
                );
                let next = self.start + 3;
                self.step_counting(next);
                self.place.column = 1;
                passed.from = self.place;
                continue;
            }
            if isa::parse(here).is_some() {
                self.tell(&passed);
                self.begin();
                return Ok(true);
            }
            // The next byte that ISA could start at; words that only look like it are passed.
            let word = |i: usize| i > 0 && here[i - 1].is_ascii_alphanumeric();
            let next = memchr::memchr2_iter(b'I', b'i', here).find(|&i| i > 0 && !word(i));
            let mut skip = next.unwrap_or(here.len());
            if !self.ended {
                skip = skip.min((here.len().saturating_sub(LOOKAHEAD)).max(1));
            }
            passed.add(&here[..skip]);
            let to = self.start + skip;
            self.step_counting(to);
        }
        if self.interchanges == 0 {
            return Err(Error::NotX12(self.sample.resemblance()));
        }
        self.tell(&passed);
        Ok(false)
    }

    /// Tells of bytes outside interchanges.
    fn tell(&mut self, passed: &Passed) {
        let first = self.interchanges == 0;
        let (from, to) = (passed.from.offset, self.place.offset);
        if self.state == State::Lost || from == to || (passed.line_breaks_only && !first) {
            return;
        }
        let (fault, what) = match passed.padding {
            true => (Fault::Padding, text!("padding")),
            false => (Fault::StrayBytes, text!("stray bytes")),
        };
        let count = to - from;
        let place = if first {
            text!("before ISA")
        } else {
            text!("after IEA")
        };
        self.note(
            fault,
            passed.from.into(),
            text!(
                "{count} bytes of {what} {place}, at offsets {from} to {to}",
                count,
                what,
                place,
                from,
                to = to - 1
            ),
            text!("send nothing outside ISA to IEA"),
        );
    }

    /// Takes ISA, which stands at `start`.
    fn begin(&mut self) {
        self.interchanges += 1;
        self.told = Told::default();
        self.header = true;
        let from = self.start;
        // Where it ends follows.
        self.take(from);
        let header = isa::parse(&self.buffer[from..self.filled]).expect("the caller parsed it");
        let settled = settle(&header, self.at);
        let length = header.length;
        let end = from + length;
        self.found.end = end;
        self.ends.clear();
        self.ends.push(3);
        self.ends.extend(header.values.iter().scan(3, |at, value| {
            *at += 1 + value.len() as u32;
            Some(*at)
        }));
        self.ends.push(length as u32);
        self.findings.extend(settled.findings);
        self.delimiters = settled.delimiters;
        self.terminator = settled.terminator.first().copied().unwrap_or(b'~');
        self.tail = settled.terminator.get(1..).unwrap_or_default().to_vec();
        self.state = if settled.readable {
            State::Inside
        } else {
            State::Lost
        };
        let next = (end + settled.skip).min(self.filled);
        self.delimiters.line_break = line_break(&self.buffer[next..self.filled]);
        if self.buffer[from..from + 3] != *b"ISA" {
            self.buffer[from..from + 3].make_ascii_uppercase();
            self.told.lowercase = true;
            self.complain(Fault::LowercaseTag);
        }
        self.measure();
        self.step_counting(next);
        self.rescan(next);
    }
}

/// What was passed over outside interchanges.
struct Passed {
    from: Position,
    padding: bool,
    line_breaks_only: bool,
}

impl Passed {
    fn new(from: Position) -> Passed {
        Passed {
            from,
            padding: true,
            line_breaks_only: true,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let break_byte = |b: &u8| matches!(b, b'\r' | b'\n');
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | 0 | 0x1A);
        self.line_breaks_only &= bytes.iter().all(break_byte);
        self.padding &= bytes.iter().all(|b| break_byte(b) || blank(b));
    }
}
