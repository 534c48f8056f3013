//! What was sent: the file that an acknowledgment speaks of, and where in it.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::cli::ack::noted;
use crate::cli::excerpt::{Excerpt, segment_at};
use crate::cli::walk::{Guides, Noted, Trouble};
use crate::mapping;
use crate::x12::{
    self, Finding, FunctionalGroup, GroupHeader, Interchange, Location, Segment, TransactionSet,
};

/// A file that was sent, read whole.
pub(super) struct Original {
    pub(super) name: String,
    pub(super) interchanges: Vec<Interchange>,
    /// What `check` finds in it, in the order of its segments.
    findings: Vec<Noted>,
}

/// A set that was sent.
pub(super) struct Sent<'o> {
    pub(super) interchange: &'o Interchange,
    pub(super) header: &'o GroupHeader,
    pub(super) set: &'o TransactionSet,
}

/// A place in the original.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Place {
    file: String,
    #[serde(flatten)]
    pub(super) location: Location,
    #[serde(skip)]
    pub(super) excerpt: Excerpt,
    /// What stands there: an element's value, or the whole segment.
    pub(super) value: String,
}

impl Place {
    /// `order.edi:12:9, byte 431`.
    pub(super) fn text(&self) -> String {
        let Location {
            line,
            column,
            offset,
            ..
        } = self.location;
        format!("{}:{line}:{column}, byte {offset}", self.file)
    }
}

impl Original {
    /// Reads it and checks it.
    pub(super) fn read(name: &str, bytes: &[u8], guides: &Guides) -> Result<Self, Trouble> {
        let interchanges = x12::read(bytes)?.interchanges;
        let mut findings = noted(bytes, guides)?;
        findings.sort_by_key(|noted| noted.finding.location.segment);
        Ok(Original {
            name: name.to_owned(),
            interchanges,
            findings,
        })
    }

    /// What `check` finds, in order.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let all = self.findings.iter().map(|noted| noted.finding.clone());
        all.collect()
    }

    /// Findings about these segments of the file.
    fn about(&self, segments: RangeInclusive<u32>) -> &[Noted] {
        let at = |noted: &Noted| noted.finding.location.segment;
        let from = self
            .findings
            .partition_point(|noted| at(noted) < *segments.start());
        let to = self
            .findings
            .partition_point(|noted| at(noted) <= *segments.end());
        &self.findings[from..to.max(from)]
    }

    /// The first finding about these segments that earns a code, as `AK502=4`, and where it is.
    pub(super) fn earning(
        &self,
        code: &str,
        segments: RangeInclusive<u32>,
    ) -> Option<(&Finding, Option<Place>)> {
        let mut all = self.about(segments).iter();
        let found = all.find(|noted| noted.finding.code_997() == Some(code))?;
        let place = found.excerpt.as_ref().map(|excerpt| Place {
            file: self.name.clone(),
            location: found.finding.location.clone(),
            value: excerpt
                .text
                .chars()
                .skip(excerpt.from)
                .take(excerpt.width)
                .collect(),
            excerpt: excerpt.clone(),
        });
        Some((&found.finding, place))
    }

    /// The interchange with this ISA13.
    pub(super) fn interchange(&self, number: &str) -> Option<&Interchange> {
        let mut all = self.interchanges.iter();
        all.find(|one| alike(&one.header.control_number, number))
    }

    /// All groups with their interchanges.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&Interchange, &FunctionalGroup)> {
        let all = self.interchanges.iter();
        all.flat_map(|one| one.groups.iter().map(move |group| (one, group)))
    }

    /// The group with this GS01 and GS06.
    pub(super) fn group(&self, id: &str, number: &str) -> Option<(&Interchange, &FunctionalGroup)> {
        self.groups().find(|(_, group)| {
            let header = &group.header;
            header.functional_id == id && alike(&header.control_number, number)
        })
    }

    /// The finding of ours about a segment or, where `element` is given, about that element.
    pub(super) fn finding(&self, segment: u32, element: Option<u32>) -> Option<&Finding> {
        let mut here = self
            .about(segment..=segment)
            .iter()
            .map(|noted| &noted.finding);
        // The mildest says most: a wrong code is also too long, and has a code that is near.
        let of = here.clone().filter(|f| f.location.element == element);
        of.min_by_key(|finding| finding.severity)
            .or_else(|| here.find(|_| element.is_none()))
    }
}

impl<'o> Sent<'o> {
    /// The segment at `position` of the set, ST being 1; ST and SE themselves are not kept.
    pub(super) fn segment(&self, position: u32) -> Option<Segment<'o>> {
        let ordinal = self.ordinal(position)?;
        segment_at(&self.set.segments, ordinal)
    }

    fn ordinal(&self, position: u32) -> Option<u32> {
        self.set
            .position
            .ordinal
            .checked_add(position.checked_sub(1)?)
    }

    /// The number of the document, where a guide reads it.
    pub(super) fn number(&self, guides: &Guides) -> Option<String> {
        let (partner, version) = (guides.partner.as_deref(), &self.header.version);
        let guide = guides.library.guide(partner, version, &self.set.id)?.ok()?;
        let delimiters = &self.interchange.delimiters;
        let document = mapping::read(&guide, &self.set.segments, delimiters).document?;
        document.number().map(str::to_owned)
    }

    /// Where it is: a part of `segment`.
    pub(super) fn place(
        &self,
        original: &Original,
        segment: &Segment<'_>,
        element: Option<u32>,
        component: Option<u32>,
        repetition: Option<u32>,
    ) -> Place {
        let mut location = match element.filter(|&n| n > 0) {
            Some(number) => Location::of_element(segment, number as usize),
            None => Location::of(segment),
        };
        location.component = component;
        location.repetition = repetition;
        let excerpt = Excerpt::of(segment, &location, &self.interchange.delimiters);
        let mut value = match location.element {
            Some(number) => segment.element(number as usize),
            None => segment.bytes(),
        };
        let delimiters = &self.interchange.delimiters;
        let nth = |n: Option<u32>| n.map(|n| (n as usize).saturating_sub(1));
        if let Some(n) = nth(repetition) {
            value = x12::repetitions(value, delimiters).nth(n).unwrap_or(value);
        }
        if let Some(n) = nth(component) {
            value = x12::components(value, delimiters).nth(n).unwrap_or(value);
        }
        Place {
            file: original.name.clone(),
            location,
            excerpt,
            value: String::from_utf8_lossy(value).into_owned(),
        }
    }
}

/// Whether two control numbers are one: zeros in front do not count.
pub(in crate::cli) fn alike(one: &str, other: &str) -> bool {
    one.trim().trim_start_matches('0') == other.trim().trim_start_matches('0')
}
