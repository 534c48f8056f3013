//! A 997 as a value, and as segments.

use super::header::text;
use super::read::number;
use super::{Delimiters, Fault, Finding, Location, Position, Segment, Segments, components};

/// What a 997 says about a group or a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// `A`.
    #[default]
    Accepted,
    /// `E`: accepted, and there is something to mend.
    AcceptedWithErrors,
    /// `P`, of a group only: some sets were rejected.
    PartlyAccepted,
    /// `R`.
    Rejected,
    /// `M`, `W`, `X` (rejected for security reasons), or a code of nobody's.
    Other(String),
}

impl Verdict {
    /// The code in AK501 or AK901.
    pub fn code(&self) -> &str {
        match self {
            Verdict::Accepted => "A",
            Verdict::AcceptedWithErrors => "E",
            Verdict::PartlyAccepted => "P",
            Verdict::Rejected => "R",
            Verdict::Other(code) => code,
        }
    }

    fn of(code: &str) -> Verdict {
        match code {
            "A" => Verdict::Accepted,
            "E" => Verdict::AcceptedWithErrors,
            "P" => Verdict::PartlyAccepted,
            "R" => Verdict::Rejected,
            other => Verdict::Other(other.to_owned()),
        }
    }

    /// Whether the partner took what was sent. A partly accepted group is not: ask its sets.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Verdict::Accepted | Verdict::AcceptedWithErrors)
    }
}

/// A 997: AK1 to AK9.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionalAcknowledgment {
    /// AK101: GS01 of the group.
    pub functional_id: String,
    /// AK102: GS06 of the group.
    pub control_number: String,
    /// AK103: GS08 of the group, from release 005010 on.
    pub version: Option<String>,
    /// The sets that are spoken of. An acknowledgment of a group that was accepted whole may
    /// name none.
    pub sets: Vec<SetVerdict>,
    /// AK901.
    pub verdict: Verdict,
    /// AK902: sets that GE01 declared.
    pub included: u64,
    /// AK903: sets that were received.
    pub received: u64,
    /// AK904: sets that were accepted.
    pub accepted: u64,
    /// AK905 to AK909.
    pub codes: Vec<String>,
}

/// AK2 to AK5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetVerdict {
    /// AK201: ST01.
    pub id: String,
    /// AK202: ST02.
    pub control_number: String,
    /// AK203: ST03, from release 005010 on.
    pub implementation: Option<String>,
    /// AK3, in the order of the set.
    pub segments: Vec<SegmentFault>,
    /// AK501.
    pub verdict: Verdict,
    /// AK502 to AK506.
    pub codes: Vec<String>,
}

/// AK3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentFault {
    /// AK301.
    pub tag: String,
    /// AK302: its place in the set; ST is 1.
    pub position: u32,
    /// AK303.
    pub in_loop: Option<String>,
    /// AK304 and, in later releases, its repetitions and neighbours.
    pub codes: Vec<String>,
    /// AK4.
    pub elements: Vec<ElementFault>,
}

/// AK4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementFault {
    /// AK401-1: its place in the segment.
    pub element: u32,
    /// AK401-2: its place in the composite.
    pub component: Option<u32>,
    /// AK402: its number in the standard's dictionary.
    pub reference: Option<String>,
    /// AK403.
    pub code: String,
    /// AK404: the bad value.
    pub copy: Option<String>,
}

impl FunctionalAcknowledgment {
    /// The body of a set 997, for an interchange with these separators. Copies of bad values that
    /// hold a separator are left out, because nothing could carry them.
    pub fn write(&self, delimiters: &Delimiters) -> Segments {
        let mut body = Segments::default();
        let version = self.version.as_deref().unwrap_or_default();
        put(
            &mut body,
            &["AK1", &self.functional_id, &self.control_number, version],
            &[],
        );
        for set in &self.sets {
            set.write(&mut body, delimiters);
        }
        let counts = [self.included, self.received, self.accepted].map(|n| n.to_string());
        let [included, received, accepted] = &counts;
        put(
            &mut body,
            &["AK9", self.verdict.code(), included, received, accepted],
            &self.codes,
        );
        body
    }

    /// Reads the body of a set 997, as lenient as every reader here: what has no place is a
    /// finding.
    pub fn read(
        body: &Segments,
        delimiters: &Delimiters,
    ) -> (FunctionalAcknowledgment, Vec<Finding>) {
        let mut read = FunctionalAcknowledgment::default();
        let mut findings = Vec::new();
        for segment in body.iter() {
            let set = read.sets.last_mut();
            match (segment.tag(), set) {
                (b"AK1", _) => {
                    read.functional_id = value(&segment, 1);
                    read.control_number = value(&segment, 2);
                    read.version = some(value(&segment, 3));
                }
                (b"AK2", _) => read.sets.push(SetVerdict {
                    id: value(&segment, 1),
                    control_number: value(&segment, 2),
                    implementation: some(value(&segment, 3)),
                    ..SetVerdict::default()
                }),
                (b"AK3", Some(set)) => set.segments.push(SegmentFault {
                    tag: value(&segment, 1),
                    position: count(&segment, 2) as u32,
                    in_loop: some(value(&segment, 3)),
                    codes: rest(&segment, 4),
                    elements: Vec::new(),
                }),
                (b"AK4", Some(SetVerdict { segments, .. })) if !segments.is_empty() => {
                    let last = segments.len() - 1;
                    segments[last]
                        .elements
                        .push(ElementFault::read(&segment, delimiters));
                }
                (b"AK5", Some(set)) => {
                    set.verdict = Verdict::of(&value(&segment, 1));
                    set.codes = rest(&segment, 2);
                }
                (b"AK9", _) => {
                    read.verdict = Verdict::of(&value(&segment, 1));
                    read.included = count(&segment, 2);
                    read.received = count(&segment, 3);
                    read.accepted = count(&segment, 4);
                    read.codes = rest(&segment, 5);
                }
                _ => findings.push(misplaced(&segment)),
            }
        }
        (read, findings)
    }
}

impl SetVerdict {
    fn write(&self, body: &mut Segments, delimiters: &Delimiters) {
        let implementation = self.implementation.as_deref().unwrap_or_default();
        put(
            body,
            &["AK2", &self.id, &self.control_number, implementation],
            &[],
        );
        for fault in &self.segments {
            let position = fault.position.to_string();
            let in_loop = fault.in_loop.as_deref().unwrap_or_default();
            put(body, &["AK3", &fault.tag, &position, in_loop], &fault.codes);
            for element in &fault.elements {
                element.write(body, delimiters);
            }
        }
        put(body, &["AK5", self.verdict.code()], &self.codes);
    }
}

impl ElementFault {
    fn write(&self, body: &mut Segments, delimiters: &Delimiters) {
        let mut place = self.element.to_string();
        if let Some(component) = self.component {
            place.push(char::from(delimiters.component));
            place.push_str(&component.to_string());
        }
        let reference = self.reference.as_deref().unwrap_or_default();
        let clean = |c: &&str| !c.bytes().any(|b| delimiters.clashes(b));
        let copy = self.copy.as_deref().filter(clean).unwrap_or_default();
        put(body, &["AK4", &place, reference, &self.code, copy], &[]);
    }

    fn read(segment: &Segment<'_>, delimiters: &Delimiters) -> ElementFault {
        let mut place = components(segment.element(1), delimiters).map(|c| number(&text(c)));
        let mut next = || place.next().flatten().map(|n| n as u32);
        ElementFault {
            element: next().unwrap_or_default(),
            component: next(),
            reference: some(value(segment, 2)),
            code: value(segment, 3),
            copy: some(value(segment, 4)),
        }
    }
}

/// Appends a segment of `parts` and `codes`, without the empty ones at its end.
fn put(body: &mut Segments, parts: &[&str], codes: &[String]) {
    let all = parts
        .iter()
        .copied()
        .chain(codes.iter().map(String::as_str));
    let mut all: Vec<&[u8]> = all.map(str::as_bytes).collect();
    while all.last().is_some_and(|p| p.is_empty()) {
        all.pop();
    }
    body.push_parts(&all, Position::default());
}

fn value(segment: &Segment<'_>, number: usize) -> String {
    text(segment.element(number)).into_owned()
}

fn some(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn count(segment: &Segment<'_>, element: usize) -> u64 {
    number(text(segment.element(element)).trim()).unwrap_or_default()
}

/// The elements from `first` on that are not empty.
fn rest(segment: &Segment<'_>, first: usize) -> Vec<String> {
    let all = (first..=segment.count()).map(|n| value(segment, n));
    all.filter(|v| !v.is_empty()).collect()
}

fn misplaced(segment: &Segment<'_>) -> Finding {
    Finding::new(
        Fault::SegmentUnexpected,
        Location::of(segment),
        format!("{segment:?} has no place here in a 997"),
        "send AK1, then AK2 to AK5 for each set, then AK9",
    )
}
