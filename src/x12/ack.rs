//! 997, the functional acknowledgment: what was wrong with a group, said in the standard's codes.
//!
//! | segment | says |
//! |---|---|
//! | AK1 | which group (GS01, GS06) |
//! | AK2 … AK5 | a set (ST01, ST02) … and its verdict, with up to five codes |
//! | AK3 | a segment: tag, place in the set (ST is 1), loop, up to five codes |
//! | AK4 | an element: place, reference number, code, copy of the bad value |
//! | AK9 | the group's verdict, sets included, received, accepted, up to five codes |
//!
//! [`acknowledge`] builds one for each group from findings; [`FunctionalAcknowledgment::write`]
//! makes it the body of a set 997, [`FunctionalAcknowledgment::read`] is its twin, and [`reply`]
//! addresses it back. Which fault earns which code stands in the table of [`Fault`](super::Fault).
//!
//! Nothing is acknowledged that is itself an acknowledgment (GS01 = FA): two gateways would
//! answer each other for ever.

use chrono::NaiveDateTime;

use super::read::number;
use super::verdict::{ElementFault, FunctionalAcknowledgment, SegmentFault, SetVerdict, Verdict};
use super::{
    Delimiters, Finding, FunctionalGroup, GroupHeader, Interchange, InterchangeHeader, Segment,
    Severity, TransactionSet, components,
};

/// AK404 copies bad data up to this length.
const COPY_LIMIT: usize = 99;

/// Repeats of AK4 in an AK3, of AK3 in a set, and codes in a list: what 004010 allows.
const ELEMENTS_LIMIT: usize = 99;
const CODES_LIMIT: usize = 5;

/// Acknowledges each group of `interchange` that is not itself an acknowledgment. `findings` are
/// those of reading and of the guides; each says by its segment's ordinal which set it is about.
///
/// A set with a finding of error severity is rejected; one with a milder finding that has a 997
/// code is accepted with errors noted. A group whose own envelope is at fault rejects all sets.
pub fn acknowledge(
    interchange: &Interchange,
    findings: &[Finding],
) -> Vec<FunctionalAcknowledgment> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|f| f.location.segment);
    let groups = interchange.groups.iter();
    let due = groups.filter(|g| g.header.functional_id != "FA");
    due.map(|group| of_group(group, &interchange.delimiters, &sorted))
        .collect()
}

/// Those of `sorted` that are about segments `first` to `last` of the file.
fn between<'a, 'f>(sorted: &'a [&'f Finding], first: u32, last: u32) -> &'a [&'f Finding] {
    let from = sorted.partition_point(|f| f.location.segment < first);
    let to = sorted.partition_point(|f| f.location.segment <= last);
    &sorted[from..to.max(from)]
}

fn of_group(
    group: &FunctionalGroup,
    delimiters: &Delimiters,
    sorted: &[&Finding],
) -> FunctionalAcknowledgment {
    let mut acknowledgment = FunctionalAcknowledgment::of(&group.header);
    for set in &group.sets {
        let own = between(sorted, set.position.ordinal, set.last_ordinal());
        let verdict = verdict_of(set, delimiters, own.iter().copied());
        acknowledgment.sets.push(verdict);
    }
    let first = group.position.ordinal;
    let last = group
        .sets
        .last()
        .map_or(first, TransactionSet::last_ordinal);
    let end = group.trailer.as_ref().map_or(last, |t| t.position.ordinal);
    let own = between(sorted, first, end).iter();
    let mut codes: Vec<String> = own.filter_map(|f| code_of(f, "AK905=")).collect();
    if group.trailer.is_none() {
        codes.push("3".to_owned());
    }
    let declared = group.trailer.as_ref().and_then(|t| number(&t.count));
    acknowledgment.close(declared, codes);
    acknowledgment
}

impl FunctionalAcknowledgment {
    /// An acknowledgment of the group with this header, with no set in it yet.
    pub fn of(header: &GroupHeader) -> FunctionalAcknowledgment {
        FunctionalAcknowledgment {
            functional_id: header.functional_id.clone(),
            control_number: header.control_number.clone(),
            ..FunctionalAcknowledgment::default()
        }
    }

    /// Settles AK9: the verdict of the group from those of its sets, from `declared` (GE01) and
    /// from `codes`, faults of the group's own envelope, which reject all sets.
    pub fn close(&mut self, declared: Option<u64>, codes: Vec<String>) {
        self.codes = distinct(codes);
        if !self.codes.is_empty() {
            for set in &mut self.sets {
                set.verdict = Verdict::Rejected;
            }
        }
        self.received = self.sets.len() as u64;
        self.included = declared.unwrap_or(self.received);
        let rejected = self
            .sets
            .iter()
            .filter(|s| s.verdict == Verdict::Rejected)
            .count() as u64;
        self.accepted = self.received - rejected;
        let noted = self
            .sets
            .iter()
            .any(|s| s.verdict == Verdict::AcceptedWithErrors);
        self.verdict = match (rejected, self.accepted) {
            _ if !self.codes.is_empty() => Verdict::Rejected,
            // A set was so damaged that it was not even found.
            (0, 1..) if self.included > self.received => Verdict::PartlyAccepted,
            (0, _) if noted => Verdict::AcceptedWithErrors,
            (0, _) => Verdict::Accepted,
            (_, 0) => Verdict::Rejected,
            _ => Verdict::PartlyAccepted,
        };
    }
}

/// The verdict of one set, from the findings about its segments; others are passed over.
pub fn set_verdict(
    set: &TransactionSet,
    delimiters: &Delimiters,
    findings: &[Finding],
) -> SetVerdict {
    let range = set.position.ordinal..=set.last_ordinal();
    let own = findings
        .iter()
        .filter(|f| range.contains(&f.location.segment));
    verdict_of(set, delimiters, own)
}

fn verdict_of<'f>(
    set: &TransactionSet,
    delimiters: &Delimiters,
    own: impl Iterator<Item = &'f Finding>,
) -> SetVerdict {
    let mut verdict = SetVerdict {
        id: set.id.clone(),
        control_number: set.control_number.clone(),
        ..SetVerdict::default()
    };
    let mut rejected = set.trailer.is_none();
    let mut codes = Vec::new();
    for finding in own {
        let in_group = finding
            .fault
            .code_997()
            .is_some_and(|c| c.starts_with("AK905"));
        rejected |= finding.severity == Severity::Error && !in_group;
        codes.extend(code_of(finding, "AK502="));
        verdict.note(finding, set, delimiters);
    }
    if set.trailer.is_none() {
        codes.push("2".to_owned());
    }
    if !verdict.segments.is_empty() || (rejected && codes.is_empty()) {
        // One or more segments in error.
        codes.push("5".to_owned());
    }
    verdict.verdict = match (rejected, codes.is_empty()) {
        (true, _) => Verdict::Rejected,
        (false, false) => Verdict::AcceptedWithErrors,
        (false, true) => Verdict::Accepted,
    };
    verdict.codes = distinct(codes);
    verdict
}

/// The code of `finding` for the element that `name` ends in.
fn code_of(finding: &Finding, name: &str) -> Option<String> {
    let code = finding.fault.code_997()?.strip_prefix(name)?;
    Some(code.to_owned())
}

/// Each code once, and no more of them than the segment has room for.
fn distinct(codes: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for code in codes {
        if kept.len() < CODES_LIMIT && !kept.contains(&code) {
            kept.push(code);
        }
    }
    kept
}

impl SetVerdict {
    /// Adds AK3 and AK4 of `finding`, if it has a code for either.
    fn note(&mut self, finding: &Finding, set: &TransactionSet, delimiters: &Delimiters) {
        let of_segment = code_of(finding, "AK304=");
        let of_element = code_of(finding, "AK403=");
        let Some(code) = of_segment
            .clone()
            .or_else(|| of_element.as_ref().map(|_| "8".to_owned()))
        else {
            return;
        };
        let location = &finding.location;
        if location.tag.is_empty() {
            // An empty segment has no name that AK301 could give.
            return;
        }
        let position = location.segment - set.position.ordinal + 1;
        let same = |s: &&mut SegmentFault| s.position == position && s.tag == location.tag;
        let fault = match self.segments.iter_mut().find(same) {
            Some(fault) => fault,
            None => {
                self.segments.push(SegmentFault {
                    tag: location.tag.clone(),
                    position,
                    in_loop: location.in_loop.clone(),
                    ..SegmentFault::default()
                });
                self.segments.last_mut().expect("one was just pushed")
            }
        };
        if fault.codes.len() < CODES_LIMIT && !fault.codes.contains(&code) {
            fault.codes.push(code);
        }
        if let (Some(code), Some(element)) = (of_element, location.element)
            && fault.elements.len() < ELEMENTS_LIMIT
        {
            let copy = segment_at(set, location.segment)
                .and_then(|s| copy(&s, location.component, element, delimiters));
            fault.elements.push(ElementFault {
                element,
                component: location.component,
                reference: None,
                code,
                copy,
            });
        }
    }
}

/// The segment of `set` with that ordinal in the file.
fn segment_at(set: &TransactionSet, ordinal: u32) -> Option<Segment<'_>> {
    let first = set.segments.get(0)?.position().ordinal;
    let at = |i: u32| set.segments.get(i as usize);
    let found = at(ordinal.checked_sub(first)?)?;
    (found.position().ordinal == ordinal).then_some(found)
}

/// The bad value, clipped, if it can stand in a 997.
fn copy(
    segment: &Segment<'_>,
    component: Option<u32>,
    element: u32,
    delimiters: &Delimiters,
) -> Option<String> {
    let value = segment.element(element as usize);
    let value = match component {
        Some(n) => components(value, delimiters).nth(n as usize - 1)?,
        None => value,
    };
    let text: String = super::header::text(value)
        .chars()
        .take(COPY_LIMIT)
        .collect();
    let clean = !text.is_empty() && !text.chars().any(char::is_control);
    clean.then_some(text)
}

/// Control numbers for a [`reply`]: the first of each kind; each further one is one higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyNumbers {
    /// ISA13.
    pub interchange: u32,
    /// GS06.
    pub group: u32,
    /// ST02.
    pub set: u32,
}

/// An interchange that takes `acknowledgments` back to where `inbound` came from: ids swapped, in
/// the release of each group that is acknowledged, one FA group for each.
pub fn reply(
    inbound: &Interchange,
    acknowledgments: &[FunctionalAcknowledgment],
    numbers: ReplyNumbers,
    at: NaiveDateTime,
) -> Interchange {
    let header = InterchangeHeader {
        sender: inbound.header.receiver.clone(),
        receiver: inbound.header.sender.clone(),
        standard: String::new(),
        version: inbound.header.version.clone(),
        control_number: format!("{:09}", numbers.interchange),
        usage: inbound.header.usage.clone(),
        ..InterchangeHeader::default()
    };
    let mut delimiters = inbound.delimiters;
    if !delimiters.are_usable() {
        delimiters = Delimiters::default();
    }
    if header.has_repetition() && delimiters.repetition.is_none() {
        delimiters.repetition = Some(b'^').filter(|&b| !delimiters.clashes(b));
    }
    let groups = (0u32..).zip(acknowledgments).map(|(i, acknowledgment)| {
        let about = inbound.groups.iter().find(|g| {
            g.header.functional_id == acknowledgment.functional_id
                && g.header.control_number == acknowledgment.control_number
        });
        let about = about.map(|g| g.header.clone()).unwrap_or_default();
        let group = GroupHeader {
            functional_id: "FA".to_owned(),
            sender: about.receiver,
            receiver: about.sender,
            control_number: (numbers.group + i).to_string(),
            agency: "X".to_owned(),
            version: about.version,
            ..GroupHeader::default()
        };
        let set = TransactionSet::new(
            "997",
            &format!("{:04}", numbers.set + i),
            acknowledgment.write(&delimiters),
        );
        FunctionalGroup::new(group.at(at), vec![set])
    });
    Interchange::new(header.at(at), delimiters, groups.collect())
}
