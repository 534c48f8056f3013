//! 997 and 999, the functional acknowledgments: what was wrong with a group, said in the standard's
//! codes.
//!
//! | segment | says |
//! |---|---|
//! | AK1 | which group (GS01, GS06, from release 005010 on GS08) |
//! | AK2 … AK5 | a set (ST01, ST02) … and its verdict, with up to five codes |
//! | AK3 | a segment: tag, place in the set (ST is 1), loop, up to five codes |
//! | AK4 | an element: place, reference number, code, copy of the bad value |
//! | AK9 | the group's verdict, sets included, received, accepted, up to five codes |
//!
//! [`acknowledge`] builds one for each group from findings; [`FunctionalAcknowledgment::write`]
//! makes it the body of a set, [`FunctionalAcknowledgment::read`] is its twin, and [`reply`]
//! addresses it back. Which fault earns which code stands in the table of [`Fault`]; where a 999
//! differs stands in [`Form`].
//!
//! Nothing is acknowledged that is itself an acknowledgment (GS01 = FA): two gateways would
//! answer each other for ever.

use chrono::NaiveDateTime;

use super::form::Form;
use super::read::number;
use super::verdict::{ElementFault, FunctionalAcknowledgment, SegmentFault, SetVerdict, Verdict};
use super::{
    Delimiters, Fault, Finding, FunctionalGroup, GroupHeader, Interchange, InterchangeHeader,
    Location, Segment, Severity, TransactionSet, components, repetitions,
};

/// AK404 copies bad data up to this length.
const COPY_LIMIT: usize = 99;

/// Repeats of AK4 in an AK3, and codes in a list: what 004010 allows.
const ELEMENTS_LIMIT: usize = 99;
pub(super) const CODES_LIMIT: usize = 5;

/// AK301 and AK303 at their longest.
const TAG_LIMIT: usize = 3;
const LOOP_LIMIT: usize = 4;

/// GS01 of a group that holds acknowledgments.
const ACKNOWLEDGMENTS: &str = "FA";

/// Acknowledges each group of `interchange` that is not itself an acknowledgment. `findings` are
/// those of reading and of the guides; each says by its segment's ordinal which set it is about.
///
/// A set with a finding of error severity is rejected; one with a milder finding that has a code
/// is accepted with errors noted. A group whose own envelope is at fault rejects all sets.
pub fn acknowledge(
    interchange: &Interchange,
    findings: &[Finding],
    form: Form,
) -> Vec<FunctionalAcknowledgment> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|f| f.location.segment);
    let groups = interchange.groups.iter();
    let due = groups.filter(|g| g.header.functional_id != ACKNOWLEDGMENTS);
    due.map(|group| of_group(form, group, &interchange.delimiters, &sorted))
        .collect()
}

/// Those of `sorted` that are about segments `first` to `last` of the file.
fn between<'a, 'f>(sorted: &'a [&'f Finding], first: u32, last: u32) -> &'a [&'f Finding] {
    let from = sorted.partition_point(|f| f.location.segment < first);
    let to = sorted.partition_point(|f| f.location.segment <= last);
    &sorted[from..to.max(from)]
}

/// Ordinal of the last segment of `interchange` that is known.
pub(super) fn last_ordinal(interchange: &Interchange) -> u32 {
    let group = interchange.groups.last().map(FunctionalGroup::last_ordinal);
    let ta1 = interchange.ta1.iter().last();
    let inside = group.or(ta1.map(|s| s.position().ordinal));
    let trailer = interchange.trailer.as_ref().map(|t| t.position.ordinal);
    trailer.or(inside).unwrap_or(interchange.position.ordinal)
}

fn of_group(
    form: Form,
    group: &FunctionalGroup,
    delimiters: &Delimiters,
    sorted: &[&Finding],
) -> FunctionalAcknowledgment {
    let mut acknowledgment = FunctionalAcknowledgment::of(form, &group.header);
    for set in &group.sets {
        let own = between(sorted, set.position.ordinal, set.last_ordinal());
        let verdict = verdict_of(form, set, delimiters, own.iter().copied());
        acknowledgment.sets.push(verdict);
    }
    let first = group.position.ordinal;
    let own = between(sorted, first, group.last_ordinal()).iter();
    // A GE is missed where the next GS stands.
    let own = own.filter(|f| f.fault != Fault::MissingGe);
    let codes = own.filter_map(|f| f.code_in("AK905=").map(str::to_owned));
    let mut codes: Vec<String> = codes.collect();
    if group.trailer.is_none() {
        codes.push("3".to_owned());
    }
    let declared = group.trailer.as_ref().and_then(|t| number(&t.count));
    acknowledgment.close(declared, codes);
    acknowledgment
}

impl FunctionalAcknowledgment {
    /// An acknowledgment of the group with this header, with no set in it yet.
    pub fn of(form: Form, header: &GroupHeader) -> FunctionalAcknowledgment {
        let version = form.names_version(header.release());
        FunctionalAcknowledgment {
            form,
            functional_id: header.functional_id.clone(),
            control_number: header.control_number.clone(),
            version: Some(header.version.clone()).filter(|v| version && !v.is_empty()),
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
        let count = |verdict| self.sets.iter().filter(|s| s.verdict == verdict).count() as u64;
        let rejected = count(Verdict::Rejected);
        let noted = count(Verdict::AcceptedWithErrors) > 0;
        self.accepted = self.received - rejected;
        // A set may be so damaged that it was not even found.
        let lost = self.included > self.received;
        self.verdict = match (rejected, self.accepted) {
            _ if !self.codes.is_empty() => Verdict::Rejected,
            (0, 0) if lost => Verdict::Rejected,
            (0, _) if lost => Verdict::PartlyAccepted,
            (0, _) if noted => Verdict::AcceptedWithErrors,
            (0, _) => Verdict::Accepted,
            (_, 0) => Verdict::Rejected,
            _ => Verdict::PartlyAccepted,
        };
    }
}

/// The verdict of one set, from the findings about its segments; others are passed over.
pub fn set_verdict(
    form: Form,
    set: &TransactionSet,
    delimiters: &Delimiters,
    findings: &[Finding],
) -> SetVerdict {
    let range = set.position.ordinal..=set.last_ordinal();
    let own = findings
        .iter()
        .filter(|f| range.contains(&f.location.segment));
    verdict_of(form, set, delimiters, own)
}

fn verdict_of<'f>(
    form: Form,
    set: &TransactionSet,
    delimiters: &Delimiters,
    own: impl Iterator<Item = &'f Finding>,
) -> SetVerdict {
    let mut verdict = SetVerdict {
        id: set.id.clone(),
        control_number: set.control_number.clone(),
        implementation: set.implementation.clone(),
        ..SetVerdict::default()
    };
    let mut rejected = set.trailer.is_none();
    let mut codes = Vec::new();
    let first = set.position.ordinal;
    // An SE is missed where the next ST stands.
    let of_previous = |f: &&Finding| f.fault == Fault::MissingSe && f.location.segment == first;
    for finding in own.filter(|f| !of_previous(f)) {
        let in_group = finding.code_in("AK905=").is_some();
        rejected |= finding.severity == Severity::Error && !in_group;
        codes.extend(finding.code_in("AK502=").map(str::to_owned));
        verdict.note(form, finding, set, delimiters);
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
    fn note(
        &mut self,
        form: Form,
        finding: &Finding,
        set: &TransactionSet,
        delimiters: &Delimiters,
    ) {
        let (of_segment, of_element) = form.codes(finding);
        // The segment has an element in error.
        let Some(code) = of_segment.or(of_element.map(|_| "8")) else {
            return;
        };
        let location = &finding.location;
        let tag = identifier(&location.tag, TAG_LIMIT);
        if tag.is_empty() {
            // An empty segment has no name that AK301 could give.
            return;
        }
        let position = location.segment - set.position.ordinal + 1;
        let Some(fault) = self.fault(form, tag, position, code, location) else {
            return;
        };
        if let (Some(code), Some(element)) = (of_element, location.element)
            && fault.elements.len() < ELEMENTS_LIMIT
        {
            let segment = segment_at(set, location.segment);
            fault.elements.push(ElementFault {
                element,
                component: location.component,
                repetition: location.repetition.filter(|&n| n > 1),
                reference: location.data_element.map(|n| n.to_string()),
                code: code.to_owned(),
                copy: segment.and_then(|s| copy(&s, location, delimiters)),
            });
        }
    }

    /// The AK3 of a segment that has `code` in it; none where the segment's codes are full.
    fn fault(
        &mut self,
        form: Form,
        tag: &str,
        position: u32,
        code: &str,
        location: &Location,
    ) -> Option<&mut SegmentFault> {
        let room = form.codes_per_segment();
        let same = |s: &SegmentFault| s.position == position && s.tag == tag;
        let has = |s: &SegmentFault| s.codes.iter().any(|c| c == code);
        let all = &self.segments;
        let known = all.iter().position(|s| same(s) && has(s));
        let known = known.or_else(|| all.iter().position(|s| same(s) && s.codes.len() < room));
        if known.is_none() && room > 1 && all.iter().any(same) {
            return None;
        }
        let at = known.unwrap_or(all.len());
        if known.is_none() {
            let id = location.in_loop.as_deref();
            let id = id.map(|id| identifier(id, LOOP_LIMIT)).unwrap_or_default();
            self.segments.push(SegmentFault {
                tag: tag.to_owned(),
                position,
                in_loop: (!id.is_empty()).then(|| id.to_owned()),
                ..SegmentFault::default()
            });
        }
        let fault = &mut self.segments[at];
        if !has(fault) {
            fault.codes.push(code.to_owned());
        }
        Some(fault)
    }
}

/// The letters and digits that `text` starts with: a guide's name for a loop goes on after its
/// first segment's tag, and a damaged tag may hold anything.
fn identifier(text: &str, limit: usize) -> &str {
    let end = text.bytes().take(limit);
    &text[..end.take_while(u8::is_ascii_alphanumeric).count()]
}

/// The segment of `set` with that ordinal in the file.
fn segment_at(set: &TransactionSet, ordinal: u32) -> Option<Segment<'_>> {
    let first = set.segments.get(0)?.position().ordinal;
    let at = |i: u32| set.segments.get(i as usize);
    let found = at(ordinal.checked_sub(first)?)?;
    (found.position().ordinal == ordinal).then_some(found)
}

/// The bad value, clipped, if it can stand in an acknowledgment.
fn copy(segment: &Segment<'_>, location: &Location, delimiters: &Delimiters) -> Option<String> {
    let at = |n: Option<u32>| n.map(|n| (n as usize).saturating_sub(1));
    let mut value = segment.element(location.element? as usize);
    if let Some(n) = at(location.repetition) {
        value = repetitions(value, delimiters).nth(n)?;
    }
    if let Some(n) = at(location.component) {
        value = components(value, delimiters).nth(n)?;
    }
    let text = super::header::text(value);
    let text: String = text.chars().take(COPY_LIMIT).collect();
    let clean = !text.trim().is_empty() && !text.chars().any(char::is_control);
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
/// the release of each group that is acknowledged (999: in its own), one FA group for each.
pub fn reply(
    inbound: &Interchange,
    acknowledgments: &[FunctionalAcknowledgment],
    numbers: ReplyNumbers,
    at: NaiveDateTime,
) -> Interchange {
    let newest = acknowledgments.iter().any(|a| a.form == Form::F999);
    let version = &inbound.header.version[..];
    let version = if newest {
        version.max("00501")
    } else {
        version
    };
    let mut interchange = addressed_back(inbound, version, numbers.interchange, at);
    for (i, acknowledgment) in (0u32..).zip(acknowledgments) {
        let form = acknowledgment.form;
        let about = inbound.groups.iter().find(|g| {
            g.header.functional_id == acknowledgment.functional_id
                && g.header.control_number == acknowledgment.control_number
        });
        let about = about.map(|g| g.header.clone()).unwrap_or_default();
        let implementation = form.implementation().map(str::to_owned);
        let group = GroupHeader {
            functional_id: ACKNOWLEDGMENTS.to_owned(),
            sender: about.receiver,
            receiver: about.sender,
            control_number: (numbers.group + i).to_string(),
            agency: "X".to_owned(),
            version: implementation.clone().unwrap_or(about.version),
            ..GroupHeader::default()
        };
        let body = acknowledgment.write(&interchange.delimiters);
        let number = format!("{:04}", numbers.set + i);
        let set = TransactionSet {
            implementation,
            ..TransactionSet::new(form.set_id(), &number, body)
        };
        let group = FunctionalGroup::new(group.at(at), vec![set]);
        interchange.groups.push(group);
    }
    interchange
}

/// An interchange without content that goes back to where `inbound` came from.
pub(super) fn addressed_back(
    inbound: &Interchange,
    version: &str,
    number: u32,
    at: NaiveDateTime,
) -> Interchange {
    let header = InterchangeHeader {
        sender: inbound.header.receiver.clone(),
        receiver: inbound.header.sender.clone(),
        standard: String::new(),
        version: version.to_owned(),
        control_number: format!("{number:09}"),
        usage: inbound.header.usage.clone(),
        ..InterchangeHeader::default()
    };
    let mut delimiters = inbound.delimiters;
    if !delimiters.are_usable() {
        delimiters = Delimiters::default();
    }
    if header.has_repetition() && delimiters.repetition.is_none() {
        let free = |&b: &u8| !delimiters.clashes(b);
        delimiters.repetition = [b'^', b'!', b'|'].into_iter().find(free);
    }
    Interchange::new(header.at(at), delimiters, Vec::new())
}
