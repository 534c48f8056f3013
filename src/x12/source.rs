//! What stands between a file and the single bytes that X12 is made of: UTF-16, and lines that
//! were cut at a fixed column. Both are undone while reading, and positions stay the file's own.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Result};

use super::Position;

/// Bytes from the source, decoded and unwrapped.
pub(super) struct Source<R> {
    inner: R,
    form: Encoding,
    /// Bytes of UTF-16 that await their other half.
    pending: Vec<u8>,
    /// Columns delivered of the current line, where lines are wrapped.
    column: usize,
    /// Bytes delivered, where lines are wrapped.
    delivered: u64,
    /// Line breaks that were taken out and not yet passed.
    breaks: VecDeque<Break>,
    /// The last one that was passed.
    passed: Break,
}

/// A line break that was taken out.
#[derive(Clone, Copy, Default)]
struct Break {
    /// Bytes delivered before it.
    at: u64,
    /// Bytes taken out, this break's included.
    removed: u64,
    /// Lines that it ends, with those before it.
    lines: u32,
}

/// How the file's bytes become X12's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are.
    Plain,
    /// Two bytes a character.
    Utf16 { big_endian: bool },
    /// Cut into lines of `width` bytes, each followed by `line_break` bytes.
    Wrapped { width: usize, line_break: usize },
}

impl<R: Read> Source<R> {
    pub(super) fn new(inner: R) -> Source<R> {
        Source {
            inner,
            form: Encoding::Plain,
            pending: Vec::new(),
            column: 0,
            delivered: 0,
            breaks: VecDeque::new(),
            passed: Break::default(),
        }
    }

    /// Fills `buffer` for the first time, and finds out what the file is made of.
    pub(super) fn open(&mut self, buffer: &mut [u8]) -> Result<(usize, Encoding)> {
        let filled = fill(&mut self.inner, buffer)?;
        self.form = detect(&buffer[..filled], filled < buffer.len());
        let filled = match self.form {
            Encoding::Plain => filled,
            Encoding::Wrapped { .. } => self.unwrap_lines(&mut buffer[..filled]),
            // The text shrinks to half at least, or grows to one and a half where it is Chinese;
            // what has no room waits.
            Encoding::Utf16 { .. } => {
                self.pending = buffer[..filled].to_vec();
                self.read(buffer)?
            }
        };
        Ok((filled, self.form))
    }

    /// Fills `buffer` as far as the source goes; 0 at its end only.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.form {
            Encoding::Plain => fill(&mut self.inner, buffer),
            Encoding::Utf16 { big_endian } => self.decode(buffer, big_endian),
            Encoding::Wrapped { .. } => loop {
                let raw = fill(&mut self.inner, buffer)?;
                let kept = self.unwrap_lines(&mut buffer[..raw]);
                if kept > 0 || raw == 0 {
                    return Ok(kept);
                }
            },
        }
    }

    fn decode(&mut self, buffer: &mut [u8], big_endian: bool) -> Result<usize> {
        // Three bytes of UTF-8 at most for two of UTF-16.
        let want = buffer.len() / 3 * 2;
        let mut raw = std::mem::take(&mut self.pending);
        if raw.len() < want {
            let have = raw.len();
            raw.resize(want, 0);
            let got = fill(&mut self.inner, &mut raw[have..])?;
            raw.truncate(have + got);
        }
        let mut take = raw.len().min(want) / 2 * 2;
        let unit = |i: usize| match big_endian {
            true => u16::from_be_bytes([raw[i], raw[i + 1]]),
            false => u16::from_le_bytes([raw[i], raw[i + 1]]),
        };
        if take >= 4 && (0xD800..0xDC00).contains(&unit(take - 2)) {
            take -= 2;
        }
        let mut filled = 0;
        for c in char::decode_utf16((0..take).step_by(2).map(unit)) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            filled += c.encode_utf8(&mut buffer[filled..]).len();
        }
        self.pending = raw.split_off(take);
        Ok(filled)
    }

    /// Takes the line breaks at the wrapping column out of `bytes`; returns how many stay.
    fn unwrap_lines(&mut self, bytes: &mut [u8]) -> usize {
        let Encoding::Wrapped { width, .. } = self.form else {
            return bytes.len();
        };
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if self.column >= width && matches!(byte, b'\r' | b'\n') {
                self.take_out(self.delivered + kept as u64, byte == b'\n');
                continue;
            }
            bytes[kept] = byte;
            kept += 1;
            self.column += 1;
        }
        self.delivered += kept as u64;
        kept
    }

    /// Remembers a byte of a line break that is not delivered.
    fn take_out(&mut self, at: u64, ends_line: bool) {
        let last = self.breaks.back().copied().unwrap_or(self.passed);
        let one = Break {
            at,
            removed: last.removed + 1,
            lines: last.lines + u32::from(ends_line),
        };
        match self.breaks.back_mut().filter(|b| b.at == at) {
            Some(same) => *same = one,
            None => self.breaks.push_back(one),
        }
        if ends_line {
            self.column = 0;
        }
    }

    /// How many bytes of the file the delivered `bytes` stand for, of which `logical` were
    /// delivered before: line breaks inside them count, those around them do not.
    pub(super) fn extent(&self, logical: u64, bytes: &[u8]) -> u64 {
        let length = bytes.len() as u64;
        match self.form {
            Encoding::Plain => length,
            Encoding::Utf16 { .. } => 2 * utf16_units(bytes),
            Encoding::Wrapped { .. } => {
                let inside = |b: &&Break| b.at > logical && b.at < logical + length;
                let last = self.breaks.iter().take_while(|b| b.at < logical + length);
                let before = last.clone().take_while(|b| b.at <= logical).last();
                let before = before.map_or(self.passed.removed, |b| b.removed);
                length + last.filter(inside).last().map_or(0, |b| b.removed - before)
            }
        }
    }

    /// Moves `position` over `bytes`, as they were delivered, to where the next byte stood in
    /// the file; `logical` counts the bytes delivered so far.
    pub(super) fn locate(&mut self, position: &mut Position, logical: u64, bytes: &[u8]) {
        if let Encoding::Wrapped { .. } = self.form {
            while let Some(next) = self.breaks.front().filter(|b| b.at <= logical) {
                self.passed = *next;
                self.breaks.pop_front();
            }
            position.offset = logical + self.passed.removed;
            position.line = 1 + self.passed.lines;
            position.column = 1 + (logical - self.passed.at) as u32;
            return;
        }
        position.offset += match self.form {
            Encoding::Utf16 { .. } => 2 * utf16_units(bytes),
            _ => bytes.len() as u64,
        };
        match memchr::memrchr(b'\n', bytes) {
            None => position.column = position.column.saturating_add(bytes.len() as u32),
            Some(last) => {
                position.line += memchr::memchr_iter(b'\n', bytes).count() as u32;
                position.column = (bytes.len() - last) as u32;
            }
        }
    }
}

/// Every character outside the basic plane is two units; its UTF-8 starts with `F0` or higher.
fn utf16_units(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .map(|&b| match b {
            0x80..0xC0 => 0,
            0xF0.. => 2,
            _ => 1,
        })
        .sum()
}

/// Reads until `buffer` is full or the source ends, so that what is found never depends on the
/// sizes in which the bytes happened to arrive.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

fn detect(start: &[u8], whole: bool) -> Encoding {
    match start {
        [0xFF, 0xFE, ..] | [b'I', 0, b'S', 0, b'A', 0, ..] => Encoding::Utf16 { big_endian: false },
        [0xFE, 0xFF, ..] | [0, b'I', 0, b'S', 0, b'A', ..] => Encoding::Utf16 { big_endian: true },
        _ => wrapped(start, whole).unwrap_or(Encoding::Plain),
    }
}

/// Lines of one width, the first of which starts with ISA, and which do not all end in the same
/// byte as they would if each were one segment.
fn wrapped(start: &[u8], whole: bool) -> Option<Encoding> {
    /// Narrower than that and an interchange of equal short segments would be taken for one.
    const LEAST_WIDTH: usize = 40;
    if !start.starts_with(b"ISA") {
        return None;
    }
    let first = memchr::memchr(b'\n', start)?;
    let line_break = if start[..first].ends_with(b"\r") {
        2
    } else {
        1
    };
    let width = (first + 1).checked_sub(line_break)?;
    let mut lines: Vec<&[u8]> = start.split_inclusive(|&b| b == b'\n').collect();
    if !whole || lines.last().is_some_and(|l| l.len() < width + line_break) {
        let last = lines.pop()?;
        if last.len() > width + line_break {
            return None;
        }
    }
    // Where the first break does not cut ISA, two equal lines may be chance.
    let enough = if width < 106 { 2 } else { 3 };
    let one_width = lines.len() >= enough && lines.iter().all(|l| l.len() == width + line_break);
    let ending = |l: &&[u8]| l[width - 1];
    let same = || lines.iter().all(|l| ending(l) == ending(&lines[0]));
    (width >= LEAST_WIDTH && one_width && !same())
        .then_some(Encoding::Wrapped { width, line_break })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8]) -> (Vec<u8>, Encoding) {
        let mut source = Source::new(bytes);
        let mut buffer = vec![0; 100];
        let (n, form) = source.open(&mut buffer).unwrap();
        let mut all = buffer[..n].to_vec();
        loop {
            match source.read(&mut buffer).unwrap() {
                0 => return (all, form),
                n => all.extend_from_slice(&buffer[..n]),
            }
        }
    }

    #[test]
    fn utf16_becomes_utf8_across_windows() {
        let text = "ISA*日本😀*".repeat(40);
        let mut le = vec![0xFF, 0xFE];
        le.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let (all, form) = read_all(&le);
        assert_eq!(form, Encoding::Utf16 { big_endian: false });
        assert_eq!(String::from_utf8(all).unwrap(), format!("\u{FEFF}{text}"));
    }

    #[test]
    fn a_lone_surrogate_at_the_end_does_not_hang() {
        let (all, _) = read_all(&[b'I', 0, b'S', 0, b'A', 0, 0x00, 0xD8]);
        assert!(all.starts_with(b"ISA"));
    }

    #[test]
    fn equal_lines_are_unwrapped_and_unequal_ones_are_not() {
        let wrapped = format!("ISA{}\n{}\nshort", "a".repeat(42), "b".repeat(45));
        assert_eq!(read_all(wrapped.as_bytes()).0.len(), 95);
        let segments = format!("ISA{}~\n{}~\nshort", "a".repeat(42), "b".repeat(45));
        assert_eq!(read_all(segments.as_bytes()).0.len(), segments.len());
    }
}
