//! The children of a loop as a segment's place is looked for among them: all that tells whether it
//! belongs to one stands side by side, because that is asked several times a segment.

use super::guide::{Guide, Pattern, Use, UseId};
use super::packed;
use crate::x12::{Delimiters, Segment, components};

/// A child of an owner, with all that tells whether a segment belongs to it side by side.
#[derive(Debug)]
pub(crate) struct Candidate {
    id: u32,
    pub(crate) order: u32,
    capacity: u32,
    group_max: u32,
    /// Its number among its owner's children, that of its group's counter, and that of the counter
    /// of all that fill its list: its own again where no other does.
    child: u16,
    counter: u16,
    pool: u16,
    /// Whether other uses share tag and position, and the order of their segments is the list's.
    pub(crate) shares: bool,
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

impl Candidate {
    /// `counters` are its own, that of its group, and that of its list.
    pub(crate) fn new(id: UseId, one: &Use, [child, counter, pool]: [u16; 3]) -> Candidate {
        let test = match &one.when[..] {
            [] => Test::Nothing,
            [when] if when.component == 0 => match (&when.patterns[..], when.element) {
                ([Pattern::Is(text)], element) => match packed::key(text.as_bytes()) {
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
            capacity: one.capacity(),
            group_max: one.group_max,
            child,
            counter,
            pool,
            shares: one.shares && one.level.is_none(),
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
                    *seen = (element, packed::key(segment.element(usize::from(element))));
                }
                seen.1 == Some(value)
            }
            Test::Long => self.fits_long(guide, segment, by),
        }
    }

    #[inline(never)]
    fn fits_long(&self, guide: &Guide, segment: &Segment<'_>, by: &Delimiters) -> bool {
        guide.uses[self.id()].when.iter().all(|when| {
            let element = segment.element(when.element);
            let value = match when.component {
                0 => element,
                n => components(element, by).nth(n - 1).unwrap_or(b""),
            };
            when.patterns.iter().any(|p| p.fits(value))
        })
    }

    /// Counts one more of it, and tells how many of its list were there before.
    #[inline]
    pub(crate) fn count(&self, counts: &mut [u32]) -> u32 {
        let pool = usize::from(self.pool);
        let before = counts[pool];
        counts[self.child()] += 1;
        counts[usize::from(self.counter)] += 1;
        if pool != self.child() {
            counts[pool] += 1;
        }
        before
    }

    /// Whether no more of it may come, by the counters of an occurrence of its owner.
    #[inline]
    pub(crate) fn is_full(&self, counts: &[u32]) -> bool {
        counts[self.child()] >= self.capacity || counts[usize::from(self.counter)] >= self.group_max
    }
}
