//! The children of a loop as a segment's place is looked for among them: all that tells whether it
//! belongs to one stands side by side, because that is asked several times a segment.

use super::guide::{Guide, Pattern, Use, UseId};
use super::plan::Layout;
use crate::x12::{Delimiters, Segment, components};

/// A child of an owner, with all that tells whether a segment belongs to it side by side.
#[derive(Debug)]
pub(crate) struct Candidate {
    id: u32,
    pub(crate) order: u32,
    capacity: u32,
    group_max: u32,
    /// Its number among its owner's children, and that of its group's counter.
    child: u16,
    counter: u16,
    test: Test,
}

/// What an element must be.
#[derive(Debug)]
enum Test {
    Nothing,
    /// One element is one value.
    Is(u16, u64),
    /// Anything else: the use says it.
    Long,
}

/// An element's number and its value.
pub(crate) type Seen = (u16, Option<u64>);

/// At most seven bytes as a number, with their length in front.
#[inline]
fn packed(bytes: &[u8]) -> Option<u64> {
    let length = bytes.len() as u64;
    (length < 8).then(|| bytes.iter().fold(length, |n, &b| n << 8 | u64::from(b)))
}

impl Candidate {
    pub(crate) fn new(id: UseId, child: u16, one: &Use, layout: &Layout) -> Candidate {
        let test = match &one.when[..] {
            [] => Test::Nothing,
            [when] if when.component == 0 => match (&when.patterns[..], when.element) {
                ([Pattern::Is(text)], element) => match packed(text.as_bytes()) {
                    Some(value) => Test::Is(element as u16, value),
                    None => Test::Long,
                },
                _ => Test::Long,
            },
            _ => Test::Long,
        };
        Candidate {
            id: id as u32,
            order: one.order,
            capacity: layout.capacity,
            group_max: one.group_max,
            child,
            counter: layout.counter as u16,
            test,
        }
    }

    pub(crate) fn id(&self) -> UseId {
        self.id as UseId
    }

    pub(crate) fn child(&self) -> usize {
        usize::from(self.child)
    }

    /// Whether `segment`, whose tag it has, meets every `when`. `seen` is the element that was
    /// looked at last: candidates mostly ask for the same.
    #[inline]
    pub(crate) fn fits(
        &self,
        guide: &Guide,
        segment: &Segment<'_>,
        by: &Delimiters,
        seen: &mut Seen,
    ) -> bool {
        match self.test {
            Test::Nothing => true,
            Test::Is(element, value) => {
                if seen.0 != element {
                    *seen = (element, packed(segment.element(usize::from(element))));
                }
                seen.1 == Some(value)
            }
            Test::Long => guide.uses[self.id()].when.iter().all(|when| {
                let element = segment.element(when.element);
                let value = match when.component {
                    0 => element,
                    n => components(element, by).nth(n - 1).unwrap_or(b""),
                };
                when.patterns.iter().any(|p| p.fits(value))
            }),
        }
    }

    /// Whether no more of it may come, by the counters of an occurrence of its owner.
    #[inline]
    pub(crate) fn is_full(&self, counts: &[u32]) -> bool {
        counts[self.child()] >= self.capacity || counts[usize::from(self.counter)] >= self.group_max
    }
}
