//! The segment that a finding is about, with a caret under its element.
//!
//! An excerpt is taken while the file goes by, because stdin cannot be read twice and a set is not
//! kept: from the set where it is about one, else from the bytes read last.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::lang::width_of;
use crate::x12::{Delimiters, Finding, Location, Segment, Segments, WINDOW};

/// Columns shown of a segment: what fits beside a margin on most terminals.
const WIDTH: usize = 96;
/// Columns kept before the caret where the segment is longer than [`WIDTH`].
const BEFORE: usize = 32;
/// Bytes looked at before and after a place: no envelope segment is longer.
const AROUND: usize = 256;

/// One line of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The segment, clipped; control characters are shown as `·`.
    pub text: String,
    /// Columns before the caret.
    pub from: usize,
    /// Columns that the caret underlines.
    pub width: usize,
    /// Bytes that it is about.
    pub length: usize,
}

impl Excerpt {
    /// `from` and `to` are byte places in `bytes`.
    fn new(bytes: &[u8], from: usize, to: usize) -> Excerpt {
        let shown = |bytes: &[u8]| -> Vec<char> {
            let text = String::from_utf8_lossy(bytes);
            let plain = |c: char| if c.is_control() { '·' } else { c };
            text.chars().map(plain).collect()
        };
        let from = from.min(bytes.len());
        let to = to.clamp(from, bytes.len());
        let mut chars = shown(&bytes[..from]);
        let first = chars.len();
        chars.extend(shown(&bytes[from..to]));
        let last = chars.len();
        chars.extend(shown(&bytes[to..]));
        let (start, end) = clip(&chars, first);
        if start > 0 {
            chars[start] = '…';
        }
        if end < chars.len() {
            chars[end - 1] = '…';
        }
        let columns = |chars: &[char]| chars.iter().map(|&c| width_of(c)).sum::<usize>();
        Excerpt {
            from: columns(&chars[start..first]),
            width: columns(&chars[first..last.min(end).max(first)]).max(1),
            text: chars[start..end].iter().collect(),
            length: to - from,
        }
    }

    /// The part of `segment` that `location` names.
    pub(super) fn of(
        segment: &Segment<'_>,
        location: &Location,
        delimiters: &Delimiters,
    ) -> Excerpt {
        let Some(number) = location.element.map(|n| n as usize) else {
            return Excerpt::new(segment.bytes(), 0, segment.tag().len());
        };
        let (mut from, mut value) = (segment.start(number), segment.element(number));
        let parts = [
            (location.repetition, delimiters.repetition),
            (location.component, Some(delimiters.component)),
        ];
        for (index, separator) in parts {
            let (Some(index), Some(separator)) = (index, separator) else {
                continue;
            };
            let nth = (index as usize).saturating_sub(1);
            if let Some(part) = value.split(|&b| b == separator).nth(nth) {
                let before = value.split(|&b| b == separator).take(nth);
                from += before.map(|part| part.len() + 1).sum::<usize>();
                value = part;
            }
        }
        Excerpt::new(segment.bytes(), from, from + value.len())
    }
}

/// The part of `chars` around `first` that fits into [`WIDTH`] columns.
fn clip(chars: &[char], first: usize) -> (usize, usize) {
    let back = |mut at: usize, room: &mut usize| {
        while at > 0 && width_of(chars[at - 1]) <= *room {
            at -= 1;
            *room -= width_of(chars[at]);
        }
        at
    };
    let mut end = back(first, &mut BEFORE.clone());
    let (start, mut room) = (end, WIDTH);
    while end < chars.len() && width_of(chars[end]) <= room {
        room -= width_of(chars[end]);
        end += 1;
    }
    match end == chars.len() {
        true => (back(start, &mut room), end),
        false => (start, end),
    }
}

/// The segment with this ordinal in a set.
pub(super) fn segment_at(segments: &Segments, ordinal: u32) -> Option<Segment<'_>> {
    let (mut low, mut high) = (0, segments.len());
    while low < high {
        let middle = (low + high) / 2;
        let segment = segments.get(middle)?;
        match segment.position().ordinal.cmp(&ordinal) {
            std::cmp::Ordering::Equal => return Some(segment),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// The bytes read last.
#[derive(Default)]
pub(super) struct Recent {
    bytes: Vec<u8>,
    /// Where `bytes` start in the file.
    offset: u64,
}

impl Recent {
    /// Enough for what the reader has taken in and not yet told about, twice.
    const KEEP: usize = 4 * WINDOW;

    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > 2 * Self::KEEP {
            let cut = self.bytes.len().saturating_sub(Self::KEEP);
            self.bytes.drain(..cut);
            self.offset += cut as u64;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The segment around the finding's place, as far as it is still here.
    pub(super) fn excerpt(&self, finding: &Finding, delimiters: &Delimiters) -> Option<Excerpt> {
        let at = usize::try_from(finding.location.offset.checked_sub(self.offset)?).ok()?;
        if at >= self.bytes.len() {
            return None;
        }
        let ends = |b: &u8| *b == delimiters.segment || matches!(b, b'\r' | b'\n');
        let before = &self.bytes[at.saturating_sub(AROUND)..at];
        let start = match finding.location.element {
            Some(_) => at - before.iter().rev().take_while(|b| !ends(b)).count(),
            None => at,
        };
        let after = &self.bytes[at..self.bytes.len().min(at + AROUND)];
        let length = after.iter().take_while(|b| !ends(b)).count();
        let value = after[..length].iter();
        let value = value.take_while(|b| **b != delimiters.element).count();
        let segment = &self.bytes[start..at + length];
        // Another encoding than single bytes: nothing to point at.
        let legible = !segment.is_empty() && !segment.contains(&0);
        legible.then(|| Excerpt::new(segment, at - start, at - start + value))
    }
}

/// A source that remembers the bytes read last.
pub(super) struct Remembering<R> {
    pub(super) source: R,
    pub(super) recent: Rc<RefCell<Recent>>,
}

impl<R: Read> Read for Remembering<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.recent.borrow_mut().push(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_segment_is_clipped_around_its_caret() {
        let bytes = format!("MSG*{}*HERE*{}", "a".repeat(200), "b".repeat(200));
        let excerpt = Excerpt::new(bytes.as_bytes(), 205, 209);
        assert_eq!(excerpt.text.chars().count(), WIDTH);
        let marked: String = excerpt.text.chars().skip(excerpt.from).take(4).collect();
        assert_eq!((marked.as_str(), excerpt.width), ("HERE", 4));
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
    }

    #[test]
    fn caret_stays_where_nothing_stands() {
        let excerpt = Excerpt::new(b"REF*DP", 6, 6);
        assert_eq!((excerpt.from, excerpt.width), (6, 1));
        assert_eq!(Excerpt::new(b"\x1dA\x00", 0, 1).text, "·A·");
    }

    #[test]
    fn caret_stands_under_wide_characters() {
        let bytes = "N1*ST*上海仓库*92*ABCD".as_bytes();
        let excerpt = Excerpt::new(bytes, 6, 18);
        assert_eq!((excerpt.from, excerpt.width), (6, 8));
        let excerpt = Excerpt::new(bytes, 19, 21);
        assert_eq!((excerpt.from, excerpt.width), (15, 2));
        let long = "箱".repeat(100);
        let excerpt = Excerpt::new(long.as_bytes(), 150, 153);
        assert_eq!((excerpt.from, excerpt.width), (BEFORE - 1, 2));
        assert!(
            crate::lang::width(&excerpt.text) <= WIDTH,
            "{}",
            excerpt.text
        );
    }
}
