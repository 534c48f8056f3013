//! A 997 or 999 as a value, and as segments.

use serde::{Serialize, Serializer};

use super::form::Form;
use super::header::text;
use super::read::number;
use super::{Delimiters, Fault, Finding, Location, Position, Segment, Segments, components, text};

/// What an acknowledgment says about an interchange, a group or a set.
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

    /// What a code in AK501 or AK901 says.
    pub fn of(code: &str) -> Verdict {
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

impl Serialize for Verdict {
    /// As its code.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A 997 or 999: AK1 to AK9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FunctionalAcknowledgment {
    /// Which of the two.
    #[serde(skip)]
    pub form: Form,
    /// AK101: GS01 of the group.
    pub functional_id: String,
    /// AK102: GS06 of the group.
    pub control_number: String,
    /// AK103: GS08 of the group, from release 005010 on.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// AK2 to AK5 (IK5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetVerdict {
    /// AK201: ST01.
    pub id: String,
    /// AK202: ST02.
    pub control_number: String,
    /// AK203: ST03, from release 005010 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// AK3, in the order of the set.
    pub segments: Vec<SegmentFault>,
    /// AK501.
    pub verdict: Verdict,
    /// AK502 to AK506.
    pub codes: Vec<String>,
}

/// AK3 (IK3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SegmentFault {
    /// AK301.
    pub tag: String,
    /// AK302: its place in the set; ST is 1.
    pub position: u32,
    /// AK303.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub in_loop: Option<String>,
    /// AK304 and, in later releases, its repetitions and neighbours.
    pub codes: Vec<String>,
    /// AK4.
    pub elements: Vec<ElementFault>,
}

/// AK4 (IK4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ElementFault {
    /// AK401-1: its place in the segment.
    pub element: u32,
    /// AK401-2: its place in the composite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u32>,
    /// AK401-3: which repetition of the element, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u32>,
    /// AK402: its number in the standard's dictionary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// AK403.
    pub code: String,
    /// AK404: the bad value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
}

impl FunctionalAcknowledgment {
    /// The body of its set, for an interchange with these separators. Copies of bad values that
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
            set.write(self.form, &mut body, delimiters);
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

    /// Reads the body of a set that has this form by its ST01; but what matters is understood in
    /// either vocabulary. What has no place is a finding. CTX, which says in a 999 what a segment
    /// belongs to, is passed over.
    pub fn read(
        form: Form,
        body: &Segments,
        delimiters: &Delimiters,
    ) -> (FunctionalAcknowledgment, Vec<Finding>) {
        let mut read = FunctionalAcknowledgment {
            form,
            ..FunctionalAcknowledgment::default()
        };
        let mut findings = Vec::new();
        for segment in body.iter() {
            if !read.take(&segment, delimiters) {
                findings.push(misplaced(&segment));
            }
        }
        (read, findings)
    }

    /// Takes one segment; false where it has no place.
    fn take(&mut self, segment: &Segment<'_>, delimiters: &Delimiters) -> bool {
        let text = |n| value(segment, n);
        match (segment.tag(), self.sets.last_mut()) {
            (b"AK1", _) => {
                self.functional_id = text(1);
                self.control_number = text(2);
                self.version = some(text(3));
            }
            (b"AK2", _) => self.sets.push(SetVerdict {
                id: text(1),
                control_number: text(2),
                implementation: some(text(3)),
                ..SetVerdict::default()
            }),
            (b"AK3" | b"IK3", Some(set)) => set.segments.push(SegmentFault {
                tag: text(1),
                position: count(segment, 2) as u32,
                in_loop: some(text(3)),
                codes: rest(segment, 4),
                elements: Vec::new(),
            }),
            (b"AK4" | b"IK4", Some(SetVerdict { segments, .. })) => match segments.last_mut() {
                Some(fault) => fault.elements.push(ElementFault::read(segment, delimiters)),
                None => return false,
            },
            (b"AK5" | b"IK5", Some(set)) => {
                set.verdict = Verdict::of(&text(1));
                set.codes = rest(segment, 2);
            }
            (b"AK9", _) => {
                self.verdict = Verdict::of(&text(1));
                self.included = count(segment, 2);
                self.received = count(segment, 3);
                self.accepted = count(segment, 4);
                self.codes = rest(segment, 5);
            }
            (b"CTX", Some(_)) => {}
            _ => return false,
        }
        true
    }
}

impl SetVerdict {
    fn write(&self, form: Form, body: &mut Segments, delimiters: &Delimiters) {
        let implementation = self.implementation.as_deref().unwrap_or_default();
        put(
            body,
            &["AK2", &self.id, &self.control_number, implementation],
            &[],
        );
        let [in_segment, in_element, end] = form.tags();
        for fault in &self.segments {
            let position = fault.position.to_string();
            let in_loop = fault.in_loop.as_deref().unwrap_or_default();
            let parts = [in_segment, &fault.tag, &position, in_loop];
            put(body, &parts, &fault.codes);
            for element in &fault.elements {
                element.write(in_element, body, delimiters);
            }
        }
        put(body, &[end, self.verdict.code()], &self.codes);
    }
}

impl ElementFault {
    fn write(&self, tag: &str, body: &mut Segments, delimiters: &Delimiters) {
        let mut place = self.element.to_string();
        let separator = char::from(delimiters.component);
        if self.component.is_some() || self.repetition.is_some() {
            place.push(separator);
            place += &self.component.map_or(String::new(), |n| n.to_string());
        }
        if let Some(repetition) = self.repetition {
            place.push(separator);
            place += &repetition.to_string();
        }
        let reference = self.reference.as_deref().unwrap_or_default();
        let clean = |c: &&str| !c.bytes().any(|b| delimiters.clashes(b));
        let copy = self.copy.as_deref().filter(clean).unwrap_or_default();
        put(body, &[tag, &place, reference, &self.code, copy], &[]);
    }

    fn read(segment: &Segment<'_>, delimiters: &Delimiters) -> ElementFault {
        let mut place = components(segment.element(1), delimiters).map(|c| number(&text(c)));
        let mut next = || place.next().flatten().map(|n| n as u32);
        ElementFault {
            element: next().unwrap_or_default(),
            component: next(),
            repetition: next(),
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
        text!(
            "{segment} has no place here in an acknowledgment",
            segment = format!("{segment:?}")
        ),
        text!("send AK1, then AK2 to AK5 (IK5) for each set, then AK9"),
    )
}
