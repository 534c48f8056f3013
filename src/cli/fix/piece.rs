//! One segment that may be changed.

use crate::x12::{Delimiters, Position, Segment};

/// A segment's own bytes, by elements; the first is its tag.
pub(super) struct Piece {
    pub(super) position: Position,
    parts: Vec<Vec<u8>>,
}

impl Piece {
    pub(super) fn of(segment: &Segment<'_>) -> Piece {
        let parts = (0..=segment.count()).map(|n| segment.element(n).to_vec());
        Piece {
            position: segment.position(),
            parts: parts.collect(),
        }
    }

    pub(super) fn tag(&self) -> &[u8] {
        &self.parts[0]
    }

    /// Element `number`, or nothing where it is shorter.
    pub(super) fn element(&self, number: usize) -> &[u8] {
        self.parts.get(number).map_or(&[], Vec::as_slice)
    }

    /// The same as text.
    pub(super) fn text(&self, number: usize) -> String {
        String::from_utf8_lossy(self.element(number)).into_owned()
    }

    /// How many elements follow the tag.
    pub(super) fn count(&self) -> usize {
        self.parts.len() - 1
    }

    /// Puts `value` in the place of element `number`.
    pub(super) fn set(&mut self, number: usize, value: &[u8]) {
        if self.parts.len() <= number {
            self.parts.resize(number + 1, Vec::new());
        }
        self.parts[number] = value.to_vec();
    }

    /// Puts `value` in the place of one repetition or component of element `number`.
    pub(super) fn set_part(
        &mut self,
        number: usize,
        (repetition, component): (Option<u32>, Option<u32>),
        value: &[u8],
        delimiters: &Delimiters,
    ) {
        let whole = self.element(number).to_vec();
        let value = match component {
            None => value.to_vec(),
            Some(nth) => {
                let one = part(&whole, delimiters.repetition, repetition);
                with(&one, delimiters.component, nth, value)
            }
        };
        let value = match (repetition, delimiters.repetition) {
            (Some(nth), Some(separator)) => with(&whole, separator, nth, &value),
            // The first of several repetitions goes without a number.
            (None, Some(separator)) if whole.contains(&separator) => {
                with(&whole, separator, 1, &value)
            }
            _ => value,
        };
        self.set(number, &value);
    }

    /// Leaves out empty elements at the end; whether there were any.
    pub(super) fn trim(&mut self) -> bool {
        let last = self.parts.iter().rposition(|part| !part.is_empty());
        let kept = last.unwrap_or(0) + 1;
        let trims = kept < self.parts.len();
        self.parts.truncate(kept);
        trims
    }

    /// As bytes between two terminators.
    pub(super) fn bytes(&self, delimiters: &Delimiters) -> Vec<u8> {
        self.parts.join(&delimiters.element)
    }
}

/// The `nth` part of `whole`, from 1; the first where none is said.
fn part(whole: &[u8], separator: Option<u8>, nth: Option<u32>) -> Vec<u8> {
    let mut parts = whole.split(|b| Some(*b) == separator);
    let nth = nth.unwrap_or(1).saturating_sub(1) as usize;
    parts.nth(nth).unwrap_or_default().to_vec()
}

/// `whole` with `value` as its `nth` part, from 1.
fn with(whole: &[u8], separator: u8, nth: u32, value: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = whole.split(|b| *b == separator).collect();
    if let Some(part) = parts.get_mut((nth as usize).saturating_sub(1)) {
        *part = value;
    }
    parts.join(&separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::Segments;

    #[test]
    fn a_part_is_changed_and_the_rest_stays() {
        let mut segments = Segments::default();
        segments.push_parts(&[b"REF", b"A>B^C>D", b""], Position::default());
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let mut piece = Piece::of(&segments.get(0).unwrap());
        piece.set_part(1, (Some(2), Some(1)), b"X", &delimiters);
        piece.set_part(1, (None, Some(2)), b"Y", &delimiters);
        assert!(piece.trim());
        assert_eq!(piece.bytes(&delimiters), b"REF*A>Y^X>D");
        piece.set(3, b"Z");
        assert_eq!(piece.bytes(&delimiters), b"REF*A>Y^X>D**Z");
    }
}
