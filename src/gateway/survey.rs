//! Looking through an interchange before it is used: whether it is whole, and what is wrong with
//! its envelopes. Nothing of its sets is kept.

use std::collections::HashMap;
use std::io::Read;

use crate::x12::{
    Envelopes, Error, Event, FINDINGS_LIMIT, Fault, Finding, Interchange, Position, Segments,
    TransactionSet,
};

/// Bytes of one set that is read; a larger one is held for a person. The largest that are sent, ship
/// notices of every carton, have twenty million; as a document they take some ten times as much
/// memory.
pub(super) const SET_BYTES: usize = 32 << 20;

/// An interchange that was looked through.
pub(super) struct Survey {
    /// Its header; no groups.
    pub(super) interchange: Interchange,
    /// What reading it says, in the order of its segments.
    pub(super) findings: Vec<Finding>,
    /// First and last segment of each set that something is said of.
    sets: Vec<(u32, u32)>,
    /// Faults of the envelopes of groups, by the place of their GS.
    codes: HashMap<u32, Vec<String>>,
}

impl Survey {
    /// The findings that are about no set.
    pub(super) fn outside_sets(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| {
            let at = finding.location.segment;
            let before = self.sets.partition_point(|(first, _)| *first <= at);
            before == 0 || self.sets[before - 1].1 < at
        })
    }

    /// The findings about a set with this body.
    pub(super) fn own(&self, set: &TransactionSet, body: &Body) -> Vec<Finding> {
        let (first, last) = (set.position.ordinal, body.last_ordinal(set));
        let from = self
            .findings
            .partition_point(|f| f.location.segment < first);
        let to = self
            .findings
            .partition_point(|f| f.location.segment <= last);
        self.findings[from..to.max(from)].to_vec()
    }

    /// The faults of the envelope of the group whose GS stands there.
    pub(super) fn codes(&self, group: Position) -> Vec<String> {
        self.codes.get(&group.ordinal).cloned().unwrap_or_default()
    }
}

/// The segments of a set, pulled one at a time.
#[derive(Default)]
pub(super) struct Body {
    /// Those that there is room for.
    pub(super) segments: Segments,
    /// There were more.
    pub(super) cut: bool,
    last: u32,
}

impl Body {
    /// Pulls the body of the set that was begun, into memory that served the set before.
    pub(super) fn pull(
        walk: &mut Envelopes<impl Read>,
        mut segments: Segments,
    ) -> Result<Body, Error> {
        segments.clear();
        let (mut body, mut bytes) = (Body::default(), 0);
        body.segments = segments;
        while let Some(segment) = walk.segment()? {
            bytes += segment.bytes().len();
            body.last = segment.position().ordinal;
            body.cut |= bytes > SET_BYTES;
            if !body.cut {
                body.segments.push(segment);
            }
        }
        if body.cut {
            body.segments = Segments::default();
        }
        Ok(body)
    }

    /// Passes it over.
    fn skip(walk: &mut Envelopes<impl Read>) -> Result<Body, Error> {
        let mut body = Body::default();
        while let Some(segment) = walk.segment()? {
            body.last = segment.position().ordinal;
        }
        Ok(body)
    }

    fn last_ordinal(&self, set: &TransactionSet) -> u32 {
        let trailer = set.trailer.as_ref().map(|t| t.position.ordinal);
        trailer.unwrap_or(self.last.max(set.position.ordinal))
    }
}

/// Surveys of a file's interchanges, one after the other.
pub(super) struct Surveys<R> {
    walk: Envelopes<R>,
    /// The next interchange: its ISA was read to find the end of the one before.
    next: Option<Interchange>,
    /// What was said at its place.
    said: Vec<Finding>,
}

/// The group that is being looked through.
struct Group {
    first: u32,
    last: u32,
}

impl<R: Read> Surveys<R> {
    pub(super) fn new(source: R) -> Surveys<R> {
        Surveys {
            walk: Envelopes::new(source),
            next: None,
            said: Vec::new(),
        }
    }

    /// The next interchange; none at the end.
    ///
    /// # Errors
    /// As [`Envelopes::next`].
    pub(super) fn next(&mut self) -> Result<Option<Survey>, Error> {
        while self.next.is_none() {
            match self.walk.next()? {
                None => return Ok(None),
                Some(event) => self.next = begun(&event),
            }
        }
        let Some(interchange) = self.next.take() else {
            return Ok(None);
        };
        let mut survey = Survey {
            interchange,
            findings: std::mem::take(&mut self.said),
            sets: Vec::new(),
            codes: HashMap::new(),
        };
        self.through(&mut survey)?;
        survey
            .findings
            .sort_by_key(|finding| finding.location.segment);
        Ok(Some(survey))
    }

    /// Goes on to the next ISA, or to the end.
    fn through(&mut self, survey: &mut Survey) -> Result<(), Error> {
        let (mut group, mut body) = (None, Body::default());
        while let Some(event) = self.walk.next()? {
            match event {
                Event::Interchange(..) => {
                    self.next = begun(&event);
                    break;
                }
                Event::Group(_, position) => {
                    let first = position.ordinal;
                    group = Some(Group { first, last: first });
                }
                Event::SetBegin(_) => body = Body::skip(&mut self.walk)?,
                Event::Set(set) => {
                    let (first, last) = (set.position.ordinal, body.last_ordinal(set));
                    survey.take(self.walk.take_findings());
                    let spoken = survey
                        .findings
                        .iter()
                        .rev()
                        .any(|finding| (first..=last).contains(&finding.location.segment));
                    if spoken {
                        survey.sets.push((first, last));
                    }
                    if let Some(group) = &mut group {
                        group.last = last;
                    }
                }
                Event::GroupEnd(trailer) => {
                    let trailer = trailer.map(|trailer| trailer.position.ordinal);
                    survey.take(self.walk.take_findings());
                    if let Some(group) = group.take() {
                        survey.close(&group, trailer);
                    }
                }
                Event::InterchangeEnd(_) => survey.take(self.walk.take_findings()),
                Event::Ta1(_) => {}
            }
        }
        // What stands between two interchanges is said of the first.
        let next = self
            .next
            .as_ref()
            .map_or(u32::MAX, |one| one.position.ordinal);
        let said = self.walk.take_findings().into_iter();
        let (before, after) = said.partition(|finding| finding.location.segment < next);
        survey.take(before);
        self.said = after;
        Ok(())
    }
}

impl Survey {
    /// Keeps findings, as many as a reader would.
    fn take(&mut self, findings: Vec<Finding>) {
        let room = FINDINGS_LIMIT.saturating_sub(self.findings.len());
        self.findings.extend(findings.into_iter().take(room));
    }

    /// A group has ended, with or without its GE.
    fn close(&mut self, group: &Group, trailer: Option<u32>) {
        let own = group.first..=trailer.unwrap_or(group.last);
        let own = self
            .findings
            .iter()
            .filter(|f| own.contains(&f.location.segment));
        // A GE is missed where the next GS stands.
        let own = own.filter(|f| f.fault != Fault::MissingGe);
        let codes = own.filter_map(|finding| finding.code_997()?.strip_prefix("AK905="));
        let missing = trailer.is_none().then_some("3");
        let codes: Vec<String> = codes.chain(missing).map(str::to_owned).collect();
        if !codes.is_empty() {
            self.codes.insert(group.first, codes);
        }
    }
}

/// The interchange that an event begins.
fn begun(event: &Event<'_>) -> Option<Interchange> {
    let Event::Interchange(header, delimiters, position) = event else {
        return None;
    };
    Some(Interchange {
        header: (*header).clone(),
        delimiters: **delimiters,
        position: *position,
        ..Interchange::default()
    })
}
