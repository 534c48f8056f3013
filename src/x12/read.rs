//! Segments pulled from any [`Read`], in memory that does not grow with the file.
//!
//! ```
//! let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
//! *260102*0304*U*00401*000000001*0*P*>~GS*PO*A*B*20260102*0304*1*X*004010~GE*0*1~IEA*1*000000001~";
//! let mut reader = transload::x12::Reader::new(&file[..]);
//! let mut tags = Vec::new();
//! while let Some(segment) = reader.next()? {
//!     tags.push(String::from_utf8_lossy(segment.tag()).into_owned());
//! }
//! assert_eq!(tags, ["ISA", "GS", "GE", "IEA"]);
//! # Ok::<(), transload::x12::Error>(())
//! ```

use std::io::Read;
use std::ops::Range;

use super::isa::{self, LOOKAHEAD};
use super::source::{Encoding, Source};
use super::tokens::{CHUNK, Index};
use super::unknown::Start;
use super::{Delimiters, Error, Fault, Finding, Location, Position, Segment, Text, text};

/// Bytes read at a time: large enough that a system call and the copy of an unfinished segment
/// cost nothing, small enough to stay in the second-level cache.
pub const WINDOW: usize = 64 * 1024;

/// Bytes of one segment. The longest lawful element of a set in use has 4,096 characters; what is
/// longer than this is a wrong terminator. The rest of such a segment is skipped, with a finding.
pub const SEGMENT_LIMIT: usize = 64 * 1024;

/// Bytes of one BIN or BDS segment, which is held whole.
pub const BINARY_LIMIT: usize = 64 * 1024 * 1024;

/// Findings kept until they are taken. A file that is wrong in every segment is told so often
/// enough by these; what comes after them is dropped.
pub const FINDINGS_LIMIT: usize = 10_000;

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Outside an interchange: looks for ISA.
    Outside,
    /// Between ISA and IEA.
    Inside,
    /// Inside an interchange whose segments cannot be told apart: looks for the next ISA.
    Lost,
}

/// Reads segments, envelopes included, and notes what is wrong with them as bytes. What is wrong
/// with them as envelopes is found by [`Envelopes`](super::Envelopes).
pub struct Reader<R> {
    pub(super) source: Source<R>,
    pub(super) form: Encoding,
    pub(super) buffer: Vec<u8>,
    pub(super) filled: usize,
    /// The first byte that is not yet part of a segment.
    pub(super) start: usize,
    pub(super) ended: bool,
    pub(super) index: Index,
    pub(super) cursor: usize,
    /// The index ends here.
    pub(super) scanned: usize,
    /// Bytes above 0x7F, stray line feeds, and whatever else is not plain inside an element, occur
    /// before these places only.
    pub(super) high: usize,
    pub(super) stray: usize,
    pub(super) odd: usize,
    /// Where `start` stood in the file, and how many bytes came before it as they were delivered.
    pub(super) place: Position,
    pub(super) logical: u64,
    /// Where the current segment stands in the file, and in the buffer.
    pub(super) at: Position,
    pub(super) found: Range<usize>,
    pub(super) delimiters: Delimiters,
    /// The bytes of the terminator after its first: none unless it was transcoded.
    pub(super) tail: Vec<u8>,
    pub(super) terminator: u8,
    pub(super) state: State,
    pub(super) opened: bool,
    pub(super) interchanges: u32,
    /// The first bytes of the file, for telling what it is if it is not X12.
    pub(super) sample: Start,
    /// Ends of the current segment's elements.
    pub(super) ends: Vec<u32>,
    /// The rest of a segment beyond the limit waits to be skipped.
    pub(super) skipping: bool,
    /// Told once an interchange.
    pub(super) told: Told,
    pub(super) findings: Vec<Finding>,
    pub(super) empties: u32,
    /// The file ends inside a segment.
    pub(super) truncated: bool,
    /// The current segment is an ISA that was read as one.
    pub(super) header: bool,
    /// Bytes of the file that the current segment takes, where the file was decoded.
    pub(super) extent: u64,
}

/// What is told once an interchange, however often it occurs.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lowercase: bool,
    pub(super) charset: bool,
    /// A length of BIN was wrong: large ones are not believed again, because each costs a read.
    pub(super) binary: bool,
}

impl<R: Read> Reader<R> {
    /// A reader at the start of a file.
    pub fn new(source: R) -> Reader<R> {
        Reader {
            source: Source::new(source),
            form: Encoding::Plain,
            buffer: vec![0; WINDOW],
            filled: 0,
            start: 0,
            ended: false,
            index: Index::new(),
            cursor: 0,
            scanned: 0,
            high: 0,
            stray: 0,
            odd: 0,
            place: Position {
                offset: 0,
                line: 1,
                column: 1,
                ordinal: 0,
            },
            logical: 0,
            at: Position::default(),
            found: 0..0,
            delimiters: Delimiters::default(),
            tail: Vec::new(),
            terminator: b'~',
            state: State::Outside,
            opened: false,
            interchanges: 0,
            sample: Start::default(),
            ends: Vec::with_capacity(64),
            skipping: false,
            told: Told::default(),
            findings: Vec::new(),
            empties: 0,
            truncated: false,
            header: false,
            extent: 0,
        }
    }

    /// The next segment, or `None` at the end of the file.
    ///
    /// # Errors
    /// [`Error::Io`] from the source; [`Error::NotX12`] at the end of a file without any ISA.
    // Not an iterator: a segment borrows the reader's buffer.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Segment<'_>>, Error> {
        Ok(self.advance()?.then(|| self.current()))
    }

    /// The segment that [`advance`](Self::advance) found.
    #[inline]
    pub(super) fn current(&self) -> Segment<'_> {
        // An ISA is found without the index.
        let plain = self.found.start >= self.odd && !self.header;
        let bytes = &self.buffer[self.found.clone()];
        Segment::new(bytes, &self.ends, &self.at).known(plain)
    }

    /// The separators of the current interchange.
    pub fn delimiters(&self) -> &Delimiters {
        &self.delimiters
    }

    /// How many segments were read, envelopes included; empty ones are none.
    pub fn segments(&self) -> u32 {
        self.place.ordinal
    }

    /// Where the next byte stands.
    pub fn position(&self) -> Position {
        self.place
    }

    /// Takes what was found since the last call, at most [`FINDINGS_LIMIT`] of them.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Whether the file ended inside a segment other than IEA.
    pub(super) fn truncated(&self) -> bool {
        self.truncated
    }

    pub(super) fn note(&mut self, fault: Fault, location: Location, message: Text, fix: Text) {
        self.push(Finding::new(fault, location, message, fix));
    }

    pub(super) fn push(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_LIMIT {
            self.findings.push(finding);
        }
    }

    /// Finds the next segment: whether there is one.
    // It stays here, and is not given: a segment is small, and copying it costs as much as reading it
    // (what was stored in parts is loaded as a whole, and waits for the parts).
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        if !self.opened {
            self.open()?;
        }
        self.header = false;
        loop {
            if self.skipping {
                self.skip_segment()?;
            }
            if self.state != State::Inside {
                return self.hunt();
            }
            if !self.skip_breaks()? {
                return Ok(false);
            }
            if self.at_isa()? {
                return self.hunt();
            }
            let Some((end, next)) = self.segment()? else {
                return Ok(false);
            };
            if end == self.start {
                self.empty();
                self.step(next);
                continue;
            }
            self.take(end);
            let from = self.start;
            self.inspect();
            if self.ends[0] == 3 && self.buffer[from..].starts_with(b"IEA") {
                self.state = State::Outside;
            }
            self.measure();
            self.step(next);
            return Ok(true);
        }
    }

    /// The segment from `start` to `end` is the current one.
    #[inline]
    pub(super) fn take(&mut self, end: usize) {
        let Position {
            offset,
            line,
            column,
            ordinal,
        } = self.place;
        let ordinal = ordinal.saturating_add(1);
        self.place.ordinal = ordinal;
        self.at = Position {
            offset,
            line,
            column,
            ordinal,
        };
        self.found = self.start..end;
    }

    fn open(&mut self) -> Result<(), Error> {
        self.opened = true;
        let (filled, form) = self.source.open(&mut self.buffer)?;
        self.ended = filled == 0;
        self.filled = filled;
        self.form = form;
        self.sample = Start::of(&self.buffer[..filled]);
        let told = match form {
            Encoding::Plain => return Ok(()),
            Encoding::Utf16 { .. } => (
                text!("the file is UTF-16: two bytes a character"),
                text!("save the file as plain text (ASCII or UTF-8)"),
            ),
            Encoding::Wrapped { width, .. } => (
                text!(
                    "the file is cut into lines of {width} bytes, through the segments",
                    width
                ),
                text!(
                    "send the interchange without line breaks, or with one after each terminator"
                ),
            ),
        };
        self.note(Fault::Transcoded, self.place.into(), told.0, told.1);
        Ok(())
    }

    /// Where the segment at `start` stands, before it is known where it ends.
    pub(super) fn here(&self) -> Location {
        let text = &self.buffer[self.start..self.filled];
        let tag = text
            .iter()
            .take(3)
            .take_while(|b| b.is_ascii_alphanumeric());
        Location {
            segment: self.place.ordinal.saturating_add(1),
            tag: tag.map(|&b| char::from(b)).collect(),
            ..self.place.into()
        }
    }

    /// Whether `n` bytes stand at `start`; reads on where they do not yet.
    pub(super) fn ensure(&mut self, n: usize) -> Result<bool, Error> {
        while self.filled - self.start < n && self.fill()? {}
        Ok(self.filled - self.start >= n)
    }

    /// Reads more behind what is not used yet, which moves to the front. False at the end.
    pub(super) fn fill(&mut self) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        self.rescan(0);
        if self.buffer.len() > WINDOW && self.filled < WINDOW / 2 {
            // A large BIN has been read: its memory is given back.
            self.buffer.truncate(WINDOW);
            self.buffer.shrink_to_fit();
        } else if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let read = self.source.read(&mut self.buffer[self.filled..])?;
        self.filled += read;
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// Forgets the index: it starts again at `from`.
    pub(super) fn rescan(&mut self, from: usize) {
        self.index.clear();
        self.cursor = 0;
        self.scanned = from;
        self.high = from;
        self.stray = from;
        self.odd = from;
    }

    /// Takes the size in the file of the segment that stands at `start`.
    #[inline]
    pub(super) fn measure(&mut self) {
        if self.form != Encoding::Plain {
            let text = &self.buffer[self.found.clone()];
            self.extent = self.source.extent(self.logical, text);
        }
    }

    /// Moves on to `to`.
    #[inline]
    fn step(&mut self, to: usize) {
        let plain = self.form == Encoding::Plain;
        if plain && self.terminator != b'\n' && self.start >= self.stray && to <= self.scanned {
            let length = to - self.start;
            self.place.offset += length as u64;
            self.place.column = self.place.column.saturating_add(length as u32);
            self.start = to;
        } else {
            self.step_counting(to);
        }
    }

    /// The same, where there may be line feeds on the way.
    pub(super) fn step_counting(&mut self, to: usize) {
        self.logical += (to - self.start) as u64;
        let passed = &self.buffer[self.start..to];
        self.source.locate(&mut self.place, self.logical, passed);
        self.start = to;
    }

    /// Passes over line breaks and blanks after a terminator. False at the end of the file.
    fn skip_breaks(&mut self) -> Result<bool, Error> {
        let mut blank_lines = 0u32;
        loop {
            if self.start == self.filled {
                if !self.fill()? {
                    return Ok(false);
                }
                if self.form != Encoding::Plain {
                    // A line break may have been taken out right before what was read.
                    self.step_counting(self.start);
                }
            }
            match self.buffer[self.start] {
                // Nearly all: it is asked first.
                b'!'.. => break,
                b'\n' => {
                    blank_lines += 1;
                    if self.form == Encoding::Plain {
                        self.place.offset += 1;
                        self.place.line += 1;
                        self.place.column = 1;
                        self.start += 1;
                        self.logical += 1;
                    } else {
                        self.step_counting(self.start + 1);
                    }
                }
                b' ' | b'\t' | b'\r' => self.step_counting(self.start + 1),
                _ => break,
            }
        }
        if blank_lines > 0 && self.terminator == b'\n' && self.state == State::Inside {
            self.empty();
        }
        // The breaks may be separators to the index: the cursor goes behind them.
        while self.cursor < self.index.len() && self.index.get(self.cursor) < self.start {
            self.cursor += 1;
        }
        self.scanned = self.scanned.max(self.start);
        Ok(true)
    }

    fn empty(&mut self) {
        self.empties += 1;
        self.note(
            Fault::EmptySegment,
            self.place.into(),
            text!("a segment terminator with nothing before it"),
            text!("take the extra terminator out"),
        );
    }

    /// Finds the end of the segment at `start`, and the start of what follows its terminator.
    /// `None` where only padding is left.
    fn segment(&mut self) -> Result<Option<(usize, usize)>, Error> {
        if let Some(found) = self.binary()? {
            return Ok(Some(found));
        }
        'window: loop {
            self.ends.clear();
            loop {
                if let Some(found) = self.indexed() {
                    return Ok(Some(found));
                }
                if self.scanned.saturating_sub(self.start) > SEGMENT_LIMIT {
                    return Ok(Some(self.cut()));
                }
                if self.scan() {
                    continue;
                }
                if self.fill()? {
                    continue 'window;
                }
                return Ok(self.unfinished());
            }
        }
    }

    /// Takes elements from the index up to the terminator, if that is in it.
    #[inline]
    fn indexed(&mut self) -> Option<(usize, usize)> {
        let start = self.start as u32;
        for &at in self.index.from(self.cursor) {
            self.cursor += 1;
            self.ends.push(at - start);
            if self.buffer[at as usize] == self.terminator {
                if self.ends_here(at as usize) {
                    let next = at as usize + 1 + self.tail.len();
                    return Some((at as usize, next));
                }
                self.ends.pop();
            }
        }
        None
    }

    /// Indexes the next stretch. False where the window holds no more.
    fn scan(&mut self) -> bool {
        let to = self.filled.min(self.scanned + CHUNK);
        if to <= self.scanned {
            return false;
        }
        let from = self.scanned;
        let seen = self
            .index
            .scan(&self.buffer, from, to, &self.delimiters, self.terminator);
        self.cursor = 0;
        self.scanned = to;
        if seen.high {
            self.high = to;
        }
        if seen.stray_line_feed {
            self.stray = to;
        }
        if seen.odd {
            self.odd = to;
        }
        true
    }

    /// Whether the whole of a transcoded terminator stands at `at`. Where the window ends in the
    /// midst of it the caller sees no terminator, reads on and comes again.
    pub(super) fn ends_here(&self, at: usize) -> bool {
        self.tail.is_empty() || self.buffer[at + 1..self.filled].starts_with(&self.tail)
    }

    /// Whether another interchange starts here, in the midst of this one.
    fn at_isa(&mut self) -> Result<bool, Error> {
        if self.buffer[self.start] | 0x20 != b'i' {
            return Ok(false);
        }
        self.ensure(LOOKAHEAD)?;
        let here = &self.buffer[self.start..self.filled];
        // An ISA through which this interchange's segments end is data that looks like one.
        let own = |v: &&[u8]| v.contains(&self.terminator);
        Ok(isa::parse(here).is_some_and(|isa| !isa.values.iter().any(own)))
    }
}

/// A number of digits only; `None` where there are others or too many.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is made while it is read.
    struct Endless {
        left: u32,
        part: Vec<u8>,
    }

    impl std::io::Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.part.is_empty() && self.left > 0 {
                self.left -= 1;
                self.part = match self.left % 5001 {
                    0 => b"SE*5002*0001~\nST*850*0001~\n".to_vec(),
                    n => format!("PO1*{n}*10*EA*9.95**VN*A-{n}~\n").into_bytes(),
                };
            }
            let n = into.len().min(self.part.len());
            into[..n].copy_from_slice(&self.part[..n]);
            self.part.drain(..n);
            Ok(n)
        }
    }

    /// Twenty sets of five thousand lines: no buffer grows after the first of them, and none is
    /// made anew.
    #[test]
    fn x12_case_096_memory_is_flat() {
        const HEAD: &str = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260102*0304*U*00401*000000001*0*P*>~\nGS*PO*A*B*20260102*0304*1*X*004010~\nST*850*0001~\n";
        let mut reader = Reader::new(Endless {
            left: 20 * 5001,
            part: HEAD.as_bytes().to_vec(),
        });
        let memory = |r: &Reader<Endless>| {
            let buffers = (r.buffer.as_ptr(), r.ends.as_ptr());
            let sizes = (r.buffer.capacity(), r.ends.capacity());
            (buffers, sizes, r.findings.capacity(), r.tail.capacity())
        };
        for _ in 0..10 {
            reader.next().unwrap();
        }
        let first = memory(&reader);
        while reader.next().unwrap().is_some() {
            assert_eq!(memory(&reader), first);
        }
        assert_eq!(reader.segments(), 3 + 20 * 5001 + 20);
        assert_eq!(reader.buffer.len(), WINDOW);
    }
}
