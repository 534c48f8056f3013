//! A set's body, checked or translated while it is read: memory does not grow with the set.
//!
//! Segments of which something is told are kept, for excerpts; what is told only at the set's end
//! about a segment that was not kept is shown as far as the bytes read last reach.

use std::cell::RefCell;
use std::io::Read;

use super::across::Facts;
use super::crew::LARGE;
use super::excerpt::Recent;
use super::walk::{Noted, noted};
use crate::mapping::Reader;
use crate::x12::{self, Delimiters, Envelopes, Finding, Segments};

/// A body on its way.
pub(super) struct Body<'a> {
    pub(super) delimiters: &'a Delimiters,
    pub(super) recent: &'a RefCell<Recent>,
    pub(super) kept: Segments,
    /// What the envelope's reader found in it.
    pub(super) found: Vec<Noted>,
    /// Who keeps its keys.
    pub(super) facts: Option<&'a mut Facts>,
}

/// What was read of a body.
pub(super) struct Pulled {
    /// All of it where `reading` is `None`, else what something is told of.
    pub(super) segments: Segments,
    pub(super) found: Vec<Noted>,
    pub(super) reading: Option<Made>,
}

/// The guide's findings, and the document's JSON where that was asked for.
pub(super) type Made = (Vec<Finding>, Vec<u8>);

impl Body<'_> {
    /// Reads it by `begin` and `end`. Where it is to be collected it is not, unless it has more
    /// than [`LARGE`] segments.
    pub(super) fn read<'r, R: Read>(
        mut self,
        envelopes: &mut Envelopes<R>,
        collect: bool,
        begin: impl FnOnce() -> Reader<'r>,
        end: impl FnOnce(Reader<'r>) -> Made,
    ) -> Result<Pulled, x12::Error> {
        self.kept.clear();
        if collect {
            while self.kept.len() <= LARGE {
                let Some(segment) = envelopes.segment()? else {
                    return Ok(self.end(None));
                };
                self.kept.push(segment);
                self.noted(envelopes);
            }
        }
        let mut reader = begin();
        if collect {
            let mut told = Segments::default();
            for segment in self.kept.iter() {
                if let Some(facts) = &mut self.facts {
                    facts.segment(&segment);
                }
                if reader.segment(&segment) {
                    told.push(segment);
                }
            }
            self.kept = told;
        }
        self.rest(&mut reader, envelopes)?;
        Ok(self.end(Some(end(reader))))
    }

    fn rest<R: Read>(
        &mut self,
        reader: &mut Reader<'_>,
        envelopes: &mut Envelopes<R>,
    ) -> Result<(), x12::Error> {
        while let Some(segment) = envelopes.segment()? {
            if let Some(facts) = &mut self.facts {
                facts.segment(&segment);
            }
            if reader.segment(&segment) {
                self.kept.push(segment);
            }
            self.noted(envelopes);
        }
        Ok(())
    }

    /// Takes what the envelope's reader found while its bytes are at hand.
    #[inline]
    fn noted<R: Read>(&mut self, envelopes: &mut Envelopes<R>) {
        if envelopes.has_findings() {
            let recent = self.recent.borrow();
            let found = envelopes.take_findings();
            let found = noted(found, &self.kept, self.delimiters, Some(&recent));
            self.found.extend(found);
        }
    }

    fn end(self, reading: Option<Made>) -> Pulled {
        Pulled {
            segments: self.kept,
            found: self.found,
            reading,
        }
    }
}
