//! What one file cannot show: an order and what answers it, a group and its 997, a number used twice.
//!
//! While `check` reads a file, the keys of its documents go by ([`Facts`]): who to whom, which order,
//! and of each line its item, quantity and price. A document is judged by itself when its set ends
//! ([`Facts::end`]); when all files were read they are held against each other ([`Known::compare`]).
//! What is said of orders is `lifecycle`'s; the words for it are in `words`.
//!
//! | set | its order | a line | its item | quantity, unit, price |
//! |---|---|---|---|---|
//! | 850 | BEG03 | PO1 | PO106 to PO125 | PO102, PO103, PO104 |
//! | 855 | BAK03 | PO1 | PO106 to PO125 | PO102, PO103, PO104 |
//! | 856 | PRF01 of the level or above | SN1 | LIN02 to LIN31 | SN102, SN103 |
//! | 810 | BIG04, else REF02 of `PO` | IT1 | IT106 to IT125 | IT102, IT103, IT104 |
//!
//! These places are the standard's own in every release, so no guide is needed. What it does not do:
//! it keeps no document, and knows nothing that was not among the files: a missing 997 is told where
//! others of the same partner are there. No more is kept than [`FILE`] keys of a file and [`KEYS`] of
//! all: what has more is left out as a whole, and the summary says so.

mod answers;
mod keys;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::excerpt::segment_at;
use super::walk::{Noted, noted};
use crate::lifecycle::{Paper, Parties, reconcile};
use crate::x12::{
    Delimiters, Envelopes, Event, Fault, Finding, FunctionalAcknowledgment, GroupHeader,
    InterchangeHeader, Location, Position, Segment, Segments, Severity, Text, TransactionSet, text,
};

use keys::Keys;

/// Keys that are kept of one file: a megabyte of orders has about as many lines.
pub(super) const FILE: usize = 20_000;

/// Keys that are kept of all files. One takes about 400 bytes, so this is 80 MB.
pub(super) const KEYS: usize = 200_000;

/// What goes by of a file.
pub(super) struct Facts {
    file: u32,
    /// Whether it is to be compared with others.
    several: bool,
    /// Keys that may still be kept.
    left: usize,
    /// It has more of them.
    cut: bool,
    written: Option<NaiveDateTime>,
    parties: Parties,
    delimiters: Delimiters,
    kept: Kept,
    /// Lines with a price that went by.
    lines: usize,
    /// The set that goes by.
    open: Option<Keys>,
}

/// What is kept of a file.
#[derive(Default)]
struct Kept {
    interchanges: Vec<Sent>,
    papers: Vec<Paper<Spot>>,
    answers: Vec<Answer>,
}

/// An interchange, and the groups in it.
struct Sent {
    sender: String,
    number: String,
    at: Spot,
    groups: Vec<Group>,
}

/// A group, who sent it to whom, and its sets.
struct Group {
    id: String,
    number: String,
    parties: Parties,
    at: Spot,
    /// Control number, and the place of ST in the file.
    sets: Vec<(Box<str>, u32)>,
}

/// A 997 or a 999.
struct Answer {
    said: FunctionalAcknowledgment,
    parties: Parties,
    at: Spot,
}

/// A segment that a finding may point at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    file: u32,
    /// The ordinal of ST in the file; 0 outside of sets.
    set: u32,
    position: Position,
    tag: [u8; 3],
    /// Where its first elements start in it.
    starts: [u16; Spot::ELEMENTS],
}

impl Spot {
    /// No remark points further into a segment.
    const ELEMENTS: usize = 5;

    fn of(file: u32, set: u32, segment: &Segment<'_>) -> Spot {
        let mut spot = Spot::place(file, segment.tag(), segment.position());
        spot.set = set;
        for (start, element) in spot.starts.iter_mut().zip(1..=segment.count()) {
            *start = u16::try_from(segment.start(element)).unwrap_or(0);
        }
        spot
    }

    /// An envelope segment, whose elements were not kept.
    fn place(file: u32, tag: &[u8], position: Position) -> Spot {
        let mut short = [b' '; 3];
        let length = tag.len().min(short.len());
        short[..length].copy_from_slice(&tag[..length]);
        let starts = [0; Spot::ELEMENTS];
        Spot {
            file,
            set: 0,
            position,
            tag: short,
            starts,
        }
    }

    fn location(&self, element: u32) -> Location {
        let mut location = Location {
            tag: String::from_utf8_lossy(&self.tag).trim_end().to_owned(),
            in_set: (self.set > 0).then(|| self.position.ordinal - self.set + 1),
            ..self.position.into()
        };
        if element > 0 {
            let start = self.starts.get(element as usize - 1).copied().unwrap_or(0);
            location.offset += u64::from(start);
            location.column += u32::from(start);
            location.element = Some(element);
        }
        location
    }
}

/// A finding, but for the words of its place.
struct Due {
    file: u32,
    location: Location,
    fault: Fault,
    severity: Severity,
    message: Text,
    fix: Text,
}

impl Due {
    fn new(at: &Spot, element: u32, fault: Fault, message: Text, fix: Text) -> Due {
        let (file, location, severity) = (at.file, at.location(element), fault.severity());
        Due {
            file,
            location,
            fault,
            severity,
            message,
            fix,
        }
    }

    fn finding(self) -> Finding {
        let place = self.location.designator();
        let message = text!("{place}: {message}", place, message = self.message);
        let mut finding = Finding::new(self.fault, self.location, message, self.fix);
        finding.severity = self.severity;
        finding
    }
}

impl Kept {
    /// Gives back the room that lists keep to grow in: here it is of many small ones.
    fn shrink(&mut self) {
        self.interchanges.shrink_to_fit();
        self.papers.shrink_to_fit();
        self.answers.shrink_to_fit();
        for sent in &mut self.interchanges {
            sent.groups.shrink_to_fit();
            sent.groups
                .iter_mut()
                .for_each(|group| group.sets.shrink_to_fit());
        }
        for paper in &mut self.papers {
            paper.lines.shrink_to_fit();
            paper.packages.shrink_to_fit();
        }
    }
}

impl Facts {
    /// Of file number `file`, `several` of which are to be compared.
    pub(super) fn new(file: usize, several: bool) -> Facts {
        Facts {
            file: u32::try_from(file).unwrap_or(u32::MAX),
            several,
            left: FILE,
            cut: false,
            written: None,
            parties: Parties::default(),
            delimiters: Delimiters::default(),
            kept: Kept::default(),
            lines: 0,
            open: None,
        }
    }

    /// Whether there is room for so many keys more.
    fn room(&mut self, keys: usize) -> bool {
        if !self.several || self.cut {
            return false;
        }
        match self.left.checked_sub(keys) {
            Some(left) => self.left = left,
            None => {
                // Half a file is none: what it does not say would be told as missing.
                self.cut = true;
                self.kept = Kept::default();
            }
        }
        !self.cut
    }

    /// How many keys are kept.
    fn keys(&self) -> usize {
        FILE - self.left
    }

    pub(super) fn interchange(
        &mut self,
        header: &InterchangeHeader,
        by: &Delimiters,
        at: Position,
    ) {
        let day = NaiveDate::parse_from_str(&header.date, "%y%m%d").ok();
        let time = NaiveTime::parse_from_str(&header.time, "%H%M").ok();
        self.written = day.and_then(|day| Some(day.and_time(time?)));
        self.delimiters = *by;
        if self.room(1) {
            self.kept.interchanges.push(Sent {
                sender: format!("{} {}", header.sender.qualifier, header.sender.id),
                number: header.control_number.clone(),
                at: Spot::place(self.file, b"ISA", at),
                groups: Vec::new(),
            });
        }
    }

    pub(super) fn group(&mut self, header: &GroupHeader, at: Position) {
        let (sender, receiver) = (Arc::from(&*header.sender), Arc::from(&*header.receiver));
        self.parties = Parties(sender, receiver);
        if self.room(1)
            && let Some(sent) = self.kept.interchanges.last_mut()
        {
            sent.groups.push(Group {
                id: header.functional_id.clone(),
                number: header.control_number.clone(),
                parties: self.parties.clone(),
                at: Spot::place(self.file, b"GS", at),
                sets: Vec::new(),
            });
        }
    }

    /// A set begins.
    pub(super) fn begin(&mut self, set: &TransactionSet) {
        if self.room(1) {
            let sent = self.kept.interchanges.last_mut();
            if let Some(group) = sent.and_then(|sent| sent.groups.last_mut()) {
                group
                    .sets
                    .push((set.control_number.as_str().into(), set.position.ordinal));
            }
        }
        self.open = Keys::of(self, set);
    }

    /// Whether the segments of the set are of use.
    pub(super) fn listens(&self) -> bool {
        self.open.is_some()
    }

    /// A segment of it.
    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        if let Some(keys) = &mut self.open {
            keys.segment(segment);
        }
    }

    /// The set has ended: what is doubtful in it by itself.
    pub(super) fn end(&mut self) -> Vec<Finding> {
        let Some(keys) = self.open.take() else {
            return Vec::new();
        };
        self.lines = keys.lines();
        let (paper, answer, remarks) = keys.end(&self.delimiters);
        if let Some(paper) =
            paper.filter(|paper| self.room(1 + paper.lines.len() + paper.packages.len()))
        {
            self.kept.papers.push(paper);
        }
        if let Some(answer) = answer.filter(|answer| self.room(weight(&answer.said))) {
            self.kept.answers.push(answer);
        }
        let names = |_| "";
        let due = remarks
            .iter()
            .filter_map(|remark| words::due(remark, &names));
        due.map(Due::finding).collect()
    }
}

/// The keys of an acknowledgment: its sets and what it says of their segments.
fn weight(said: &FunctionalAcknowledgment) -> usize {
    1 + said
        .sets
        .iter()
        .map(|set| 1 + set.segments.len())
        .sum::<usize>()
}

/// What is kept of all files.
pub(super) struct Known {
    names: Vec<String>,
    facts: Vec<Kept>,
    /// Keys that are kept, and how many may be.
    keys: usize,
    most: usize,
    /// Files that are left out.
    pub(super) left_out: usize,
}

impl Known {
    /// Of files with these names, in the order of their numbers.
    pub(super) fn new(names: Vec<String>, most: usize) -> Known {
        Known {
            names,
            facts: Vec::new(),
            keys: 0,
            most,
            left_out: 0,
        }
    }

    /// Keeps what is known of a file, as long as there is room.
    pub(super) fn add(&mut self, mut facts: Facts) {
        if !facts.several {
            return;
        }
        match !facts.cut && self.keys + facts.keys() <= self.most {
            true => {
                self.keys += facts.keys();
                facts.kept.shrink();
                self.facts.push(facts.kept);
            }
            false => self.left_out += 1,
        }
    }

    /// What the files tell of each other, by the number of the file that it is about. `open` reads a
    /// file again, to show the segments that are meant.
    pub(super) fn compare(
        mut self,
        open: &dyn Fn(&str) -> Option<Box<dyn Read>>,
    ) -> Vec<(String, Vec<Noted>)> {
        if self.facts.len() < 2 {
            return Vec::new();
        }
        let whole = self.left_out == 0;
        let mut told = Vec::new();
        self.twice(&mut told);
        self.answers(whole, &mut told);
        let papers: Vec<Paper<Spot>> = self
            .facts
            .iter_mut()
            .flat_map(|facts| std::mem::take(&mut facts.papers))
            .collect();
        let names = |file: u32| self.name(file);
        told.extend(
            reconcile(&papers)
                .iter()
                .filter_map(|remark| words::due(remark, &names)),
        );
        let mut by_file: BTreeMap<u32, Vec<Due>> = BTreeMap::new();
        for due in told {
            by_file.entry(due.file).or_default().push(due);
        }
        let files = by_file.into_iter();
        files
            .map(|(file, due)| {
                let name = self.name(file);
                (name.to_owned(), shown(due, open(name)))
            })
            .collect()
    }

    fn name(&self, file: u32) -> &str {
        self.names.get(file as usize).map_or("", String::as_str)
    }
}

/// Findings with their segments, from the file that is read again.
fn shown(mut due: Vec<Due>, source: Option<Box<dyn Read>>) -> Vec<Noted> {
    let wanted = due.iter().map(|due| due.location.segment).collect();
    let again = source.and_then(|source| again(source, &wanted));
    let (segments, delimiters) = again.unwrap_or_default();
    for due in &mut due {
        let Some(segment) = segment_at(&segments, due.location.segment) else {
            continue;
        };
        let element = due
            .location
            .element
            .filter(|n| (*n as usize) <= segment.count());
        let place = match element {
            Some(element) => Location::of_element(&segment, element as usize),
            None => Location::of(&segment),
        };
        let (element, in_set) = (due.location.element, due.location.in_set);
        due.location = Location {
            element,
            in_set,
            ..place
        };
    }
    due.sort_by_key(|due| due.location.offset);
    let found = due.into_iter().map(Due::finding).collect();
    noted(found, &segments, &delimiters, None)
}

/// The segments of a file's sets that have these ordinals; nothing where it cannot be read again.
fn again(source: impl Read, wanted: &BTreeSet<u32>) -> Option<(Segments, Delimiters)> {
    let (mut found, mut delimiters) = (Segments::default(), Delimiters::default());
    let mut envelopes = Envelopes::new(source);
    while let Some(event) = envelopes.next().ok()? {
        match event {
            Event::Interchange(_, by, _) => delimiters = *by,
            Event::SetBegin(_) => {
                while let Some(segment) = envelopes.segment().ok()? {
                    if wanted.contains(&segment.position().ordinal) {
                        found.push(segment);
                    }
                }
            }
            _ => {}
        }
    }
    Some((found, delimiters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(file: usize, keys: usize) -> Facts {
        let mut facts = Facts::new(file, true);
        facts.room(keys);
        facts
    }

    #[test]
    fn no_more_keys_are_kept_than_there_may_be() {
        let names = (0..9).map(|n| format!("{n}.edi")).collect();
        let mut known = Known::new(names, 100);
        for (file, keys) in [40, 50, 20, 10, FILE + 1, 1].into_iter().enumerate() {
            known.add(facts(file, keys));
        }
        assert_eq!((known.keys, known.left_out), (100, 3));
        assert_eq!(known.facts.len(), 3);
    }

    #[test]
    fn half_a_file_is_none() {
        let mut facts = facts(0, FILE - 1);
        let header = InterchangeHeader::default();
        facts.interchange(&header, &Delimiters::default(), Position::default());
        assert_eq!(facts.kept.interchanges.len(), 1);
        facts.group(&GroupHeader::default(), Position::default());
        assert!(facts.cut && facts.kept.interchanges.is_empty());
    }
}
