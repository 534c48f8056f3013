//! A segment: bytes as received, where each element ends, and where it stood in the file.
//!
//! [`Segment`] is a view that costs nothing to copy; [`Segments`] holds many of them in two
//! buffers, so that a set of a thousand segments is three allocations and not three thousand.
//! Nothing is decoded here: components and repetitions are split when they are asked for, because
//! only a guide knows whether `A>B` is a composite or a name with a `>` in it.
//!
//! ```
//! use transload::x12::{Segments, Position};
//! let mut segments = Segments::default();
//! segments.push_parts(&[b"PO1", b"1", b"10", b"EA"], Position::default());
//! let po1 = segments.get(0).unwrap();
//! assert_eq!(po1.tag(), b"PO1");
//! assert_eq!(po1.element(2), b"10");
//! assert_eq!(po1.element(9), b"");
//! ```

use super::Delimiters;

/// Where a segment starts in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it, from the start of the file.
    pub offset: u64,
    /// Line, from 1, counting line feeds.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
    /// Ordinal in the file, from 1; ISA, GS, ST and their trailers are counted.
    pub ordinal: u32,
}

/// One segment, borrowed: `bytes` without its terminator, and the end of each element in them.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    position: &'a Position,
    plain: bool,
}

impl<'a> Segment<'a> {
    /// A view over `bytes`, whose element `i` (0 is the tag) ends at `ends[i]`. `ends` must be
    /// ascending, not empty, and its last must be `bytes.len()`.
    #[inline]
    pub fn new(bytes: &'a [u8], ends: &'a [u32], position: &'a Position) -> Segment<'a> {
        debug_assert_eq!(ends.last().copied(), Some(bytes.len() as u32));
        Segment {
            bytes,
            ends,
            position,
            plain: false,
        }
    }

    /// The same, known to be plain or not.
    #[inline]
    pub(super) fn known(self, plain: bool) -> Segment<'a> {
        Segment { plain, ..self }
    }

    /// Whether it surely holds nothing but printable ASCII, and no separator of its interchange
    /// inside an element. `false` says nothing.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The segment identifier, as received.
    #[inline]
    pub fn tag(&self) -> &'a [u8] {
        self.element(0)
    }

    /// Element `number` (1 is `PO101`), or empty where the segment is shorter.
    #[inline]
    pub fn element(&self, number: usize) -> &'a [u8] {
        let Some(&end) = self.ends.get(number) else {
            return b"";
        };
        &self.bytes[self.start(number)..end as usize]
    }

    /// How many elements follow the tag, empty ones counted.
    #[inline]
    pub fn count(&self) -> usize {
        self.ends.len() - 1
    }

    /// All bytes between the previous terminator and its own.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The ends of its elements in [`bytes`](Self::bytes).
    #[inline]
    pub fn ends(&self) -> &'a [u32] {
        self.ends
    }

    /// Where it starts in the file.
    #[inline]
    pub fn position(&self) -> Position {
        *self.position
    }

    /// The offset of element `number` from the segment's start; the segment's end where it has
    /// no such element.
    #[inline]
    pub fn start(&self, number: usize) -> usize {
        match number {
            0 => 0,
            n => self.ends.get(n - 1).map_or(self.bytes.len(), |&end| {
                (end as usize + 1).min(self.bytes.len())
            }),
        }
    }
}

impl std::fmt::Debug for Segment<'_> {
    /// As it would be read by a person: `PO1*1*10*EA`, whatever the separators were.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for number in 0..self.ends.len() {
            let star = if number == 0 { "" } else { "*" };
            write!(f, "{star}{}", String::from_utf8_lossy(self.element(number)))?;
        }
        Ok(())
    }
}

/// The repetitions of an element: itself alone where the interchange has no repetition separator.
pub fn repetitions<'a>(
    element: &'a [u8],
    delimiters: &Delimiters,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let separator = delimiters.repetition;
    element.split(move |&b| Some(b) == separator)
}

/// The components of one repetition.
pub fn components<'a>(
    element: &'a [u8],
    delimiters: &Delimiters,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let separator = delimiters.component;
    element.split(move |&b| b == separator)
}

/// Segments in order, in shared buffers.
#[derive(Clone, Default)]
pub struct Segments {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    marks: Vec<Mark>,
}

/// Where one segment's bytes and ends start in the shared buffers.
#[derive(Clone, Copy)]
struct Mark {
    bytes: usize,
    ends: usize,
    position: Position,
}

impl Segments {
    /// Appends a copy of `segment`.
    pub fn push(&mut self, segment: Segment<'_>) {
        self.mark(*segment.position);
        self.bytes.extend_from_slice(segment.bytes);
        self.ends.extend_from_slice(segment.ends);
    }

    /// Appends a segment made of its tag and elements, as they are (an element that is empty
    /// stays, also at the end).
    pub fn push_parts(&mut self, parts: &[&[u8]], position: Position) {
        self.mark(position);
        let start = self.bytes.len();
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                self.bytes.push(b'*');
            }
            self.bytes.extend_from_slice(part);
            self.ends.push((self.bytes.len() - start) as u32);
        }
        if parts.is_empty() {
            self.ends.push(0);
        }
    }

    fn mark(&mut self, position: Position) {
        self.marks.push(Mark {
            bytes: self.bytes.len(),
            ends: self.ends.len(),
            position,
        });
    }

    /// Segment `index`, from 0.
    pub fn get(&self, index: usize) -> Option<Segment<'_>> {
        let mark = self.marks.get(index)?;
        let next = self.marks.get(index + 1);
        let bytes_end = next.map_or(self.bytes.len(), |m| m.bytes);
        let ends_end = next.map_or(self.ends.len(), |m| m.ends);
        Some(Segment::new(
            &self.bytes[mark.bytes..bytes_end],
            &self.ends[mark.ends..ends_end],
            &mark.position,
        ))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Segment<'_>> {
        (0..self.marks.len()).map(|i| self.get(i).expect("index is below len"))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Bytes of memory in use, about.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of_val(&self.ends[..]) + size_of_val(&self.marks[..])
    }

    /// Forgets all segments and keeps the memory for the next set.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.marks.clear();
    }
}

impl std::fmt::Debug for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Segments {
    /// Same tags and elements in the same order; where they stood does not count.
    fn eq(&self, other: &Segments) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(a, b)| {
                a.count() == b.count() && (0..=a.count()).all(|n| a.element(n) == b.element(n))
            })
    }
}
