//! What one file cannot show: an order and what answers it, a group and its 997, a number used twice.
//!
//! `check` keeps of each file the keys of its documents: who to whom, which order, and of each line
//! its item, quantity and price ([`Facts`]). When all files were read they are compared
//! ([`compare::all`]). What the keys of a single document show by themselves ([`alone::doubts`]) is
//! told with its file.
//!
//! | set | its order | a line | its item | quantity, unit, price |
//! |---|---|---|---|---|
//! | 850 | BEG03 | PO1 | PO106 to PO125 | PO102, PO103, PO104 |
//! | 855 | BAK03 | PO1 | PO106 to PO125 | PO102, PO103, PO104 |
//! | 856 | PRF01 of the level or above | SN1 | LIN02 to LIN31 | SN102, SN103 |
//! | 810 | BIG04, else REF02 of `PO` | IT1 | IT106 to IT125 | IT102, IT103, IT104 |
//!
//! These places are the standard's own in every release, so no guide is needed. What it does not do:
//! it looks at no file above [`LIMIT`], keeps no document, and knows nothing that was not among the
//! files: a missing 997 is told where others of the same partner are there.

mod alone;
mod compare;

use std::collections::BTreeMap;
use std::io::{self, Read};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::excerpt::Excerpt;
use super::walk::Noted;
use crate::canonical::Decimal;
use crate::x12::{
    self, Delimiters, Fault, Finding, Form, FunctionalAcknowledgment, Interchange, Location,
    Segment, Text, TransactionSet,
};

pub(super) use alone::doubts;
pub(super) use compare::all;

/// A larger file is checked, and not compared: it is kept while it is read.
const LIMIT: usize = 1024 * 1024;

/// Lines that are kept of all files; beyond them there is nothing to be gained by reading a list.
pub(super) const LINES: usize = 200_000;

/// A source whose bytes are kept, as long as there are not too many.
pub(super) struct Kept<R> {
    source: R,
    bytes: Option<Vec<u8>>,
}

impl<R: Read> Kept<R> {
    pub(super) fn new(source: R) -> Kept<R> {
        let bytes = Some(Vec::new());
        Kept { source, bytes }
    }

    /// What its documents say of themselves; nothing where there was too much.
    pub(super) fn facts(&self) -> Facts {
        let read = self
            .bytes
            .as_deref()
            .and_then(|bytes| x12::read(bytes).ok());
        let read = read.map(|reading| reading.interchanges);
        Facts::of(&read.unwrap_or_default())
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.bytes = self.bytes.take().filter(|kept| kept.len() + n <= LIMIT);
        if let Some(kept) = &mut self.bytes {
            kept.extend_from_slice(&buffer[..n]);
        }
        Ok(n)
    }
}

/// What is kept of a file.
#[derive(Default)]
pub(super) struct Facts {
    interchanges: Vec<Sent>,
    pub(super) papers: Vec<Paper>,
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
    sets: Vec<(String, u32)>,
}

/// Sender and receiver of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parties(String, String);

impl Parties {
    /// The other way round.
    fn back(&self) -> Parties {
        Parties(self.1.clone(), self.0.clone())
    }
}

/// A 997 or a 999.
struct Answer {
    said: FunctionalAcknowledgment,
    parties: Parties,
    at: Spot,
}

/// An order, an answer to it, a ship notice or an invoice.
pub(super) struct Paper {
    pub(super) kind: Kind,
    /// The order that it is or names first.
    pub(super) order: String,
    parties: Parties,
    /// When its interchange was written.
    written: Option<NaiveDateTime>,
    /// Its first segment.
    pub(super) at: Spot,
    pub(super) lines: Vec<Line>,
    pub(super) dates: Vec<(Day, NaiveDate, Spot)>,
    /// The total that it states, and whether in hundredths.
    pub(super) total: Option<(Decimal, Spot)>,
}

/// Kinds of papers, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Order,
    Answer,
    Notice,
    Invoice,
}

/// Days of a ship notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Told,
    Left,
    Arrives,
}

/// A line of a paper.
pub(super) struct Line {
    order: String,
    /// Its number in the order; nothing where it says none.
    number: String,
    /// Qualifiers and ids.
    ids: Vec<(String, String)>,
    quantity: Option<Decimal>,
    unit: String,
    pub(super) price: Option<Decimal>,
    /// Its segment, and the elements of quantity and price.
    pub(super) at: Spot,
    quantity_at: u32,
    pub(super) price_at: u32,
}

/// A segment that a finding may point at.
#[derive(Clone)]
pub(super) struct Spot {
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
    position: x12::Position,
    delimiters: Delimiters,
    /// The ordinal of ST in the file.
    set: Option<u32>,
}

impl Spot {
    fn of(segment: &Segment<'_>, delimiters: &Delimiters, set: Option<u32>) -> Spot {
        Spot {
            bytes: segment.bytes().into(),
            ends: segment.ends().into(),
            position: segment.position(),
            delimiters: *delimiters,
            set,
        }
    }

    /// The place of an envelope segment, whose bytes are not kept.
    fn place(tag: &str, position: x12::Position, delimiters: &Delimiters) -> Spot {
        let ends = [tag.len() as u32];
        Spot::of(
            &Segment::new(tag.as_bytes(), &ends, position),
            delimiters,
            None,
        )
    }

    /// A finding about an element of it, or all of it.
    pub(super) fn finding(&self, element: u32, fault: Fault, message: Text, fix: Text) -> Noted {
        let segment = Segment::new(&self.bytes, &self.ends, self.position);
        let there = element > 0 && element as usize <= segment.count();
        let mut location = match there {
            true => Location::of_element(&segment, element as usize),
            false => Location::of(&segment),
        };
        location.element = (element > 0).then_some(element);
        location.in_set = self.set.map(|set| location.segment - set + 1);
        let excerpt = there || element == 0 && segment.count() > 0;
        let excerpt = excerpt.then(|| Excerpt::of(&segment, &location, &self.delimiters));
        let message =
            crate::x12::text!("{place}: {message}", place = location.designator(), message);
        Noted {
            finding: Finding::new(fault, location, message, fix),
            excerpt,
        }
    }
}

impl Facts {
    fn of(interchanges: &[Interchange]) -> Facts {
        let mut facts = Facts::default();
        for interchange in interchanges {
            facts.interchange(interchange);
        }
        facts
    }

    /// How many lines are kept.
    pub(super) fn lines(&self) -> usize {
        self.papers.iter().map(|paper| 1 + paper.lines.len()).sum()
    }

    fn interchange(&mut self, interchange: &Interchange) {
        let (header, by) = (&interchange.header, &interchange.delimiters);
        let day = NaiveDate::parse_from_str(&header.date, "%y%m%d").ok();
        let time = NaiveTime::parse_from_str(&header.time, "%H%M").ok();
        let written = day.and_then(|day| Some(day.and_time(time?)));
        let mut groups = Vec::new();
        for group in &interchange.groups {
            let header = &group.header;
            let parties = Parties(header.sender.clone(), header.receiver.clone());
            let sets = group.sets.iter();
            let sets = sets.map(|set| (set.control_number.clone(), set.position.ordinal));
            groups.push(Group {
                id: header.functional_id.clone(),
                number: header.control_number.clone(),
                parties: parties.clone(),
                at: Spot::place("GS", group.position, by),
                sets: sets.collect(),
            });
            for set in &group.sets {
                match set.id.as_str() {
                    "997" => self.answer(Form::F997, set, &parties, by),
                    "999" => self.answer(Form::F999, set, &parties, by),
                    _ => self.papers.extend(paper(set, &parties, written, by)),
                }
            }
        }
        self.interchanges.push(Sent {
            sender: format!("{} {}", header.sender.qualifier, header.sender.id),
            number: header.control_number.clone(),
            at: Spot::place("ISA", interchange.position, by),
            groups,
        });
    }

    fn answer(&mut self, form: Form, set: &TransactionSet, parties: &Parties, by: &Delimiters) {
        let (said, _) = FunctionalAcknowledgment::read(form, &set.segments, by);
        if let Some(first) = set.segments.get(0) {
            self.answers.push(Answer {
                said,
                parties: parties.clone(),
                at: Spot::of(&first, by, Some(set.position.ordinal)),
            });
        }
    }
}

/// The keys of a set; `None` for a set of another kind.
fn paper(
    set: &TransactionSet,
    parties: &Parties,
    written: Option<NaiveDateTime>,
    by: &Delimiters,
) -> Option<Paper> {
    let (kind, number) = match set.id.as_str() {
        "850" => (Kind::Order, 3),
        "855" => (Kind::Answer, 3),
        "856" => (Kind::Notice, 0),
        "810" => (Kind::Invoice, 4),
        _ => return None,
    };
    let first = set.segments.get(0)?;
    let mut reader = Keys {
        paper: Paper {
            kind,
            order: text(&first, number),
            parties: parties.clone(),
            written,
            at: Spot::of(&first, by, Some(set.position.ordinal)),
            lines: Vec::new(),
            dates: Vec::new(),
            total: None,
        },
        by,
        set: set.position.ordinal,
        levels: BTreeMap::new(),
        level: String::new(),
        item: (String::new(), Vec::new()),
    };
    for segment in set.segments.iter() {
        reader.segment(&segment);
    }
    Some(reader.paper)
}

/// Reads the keys of one set.
struct Keys<'a> {
    paper: Paper,
    by: &'a Delimiters,
    set: u32,
    /// Levels by HL01: the one around, and the order said in it.
    levels: BTreeMap<String, (String, Option<String>)>,
    level: String,
    /// LIN01 and the ids of the last LIN.
    item: (String, Vec<(String, String)>),
}

impl Keys<'_> {
    fn segment(&mut self, segment: &Segment<'_>) {
        let kind = self.paper.kind;
        match (kind, segment.tag()) {
            (Kind::Order | Kind::Answer, b"PO1") | (Kind::Invoice, b"IT1") => {
                let line = Line {
                    order: self.paper.order.clone(),
                    number: text(segment, 1),
                    ids: ids(segment, 6),
                    quantity: number(segment, 2),
                    unit: text(segment, 3),
                    price: number(segment, 4),
                    at: Spot::of(segment, self.by, Some(self.set)),
                    quantity_at: 2,
                    price_at: 4,
                };
                self.paper.lines.push(line);
            }
            (Kind::Invoice, b"REF") if segment.element(1) == b"PO" => {
                if let Some(line) = self.paper.lines.last_mut() {
                    line.order = text(segment, 2);
                }
            }
            (Kind::Invoice, b"TDS") if !segment.element(1).contains(&b'.') => {
                let cents =
                    number(segment, 1).map(|n| (n, Spot::of(segment, self.by, Some(self.set))));
                self.paper.total = cents;
            }
            (Kind::Notice, b"HL") => {
                self.level = text(segment, 1);
                let around = (text(segment, 2), None);
                self.levels.insert(self.level.clone(), around);
            }
            (Kind::Notice, b"PRF") => {
                let order = text(segment, 1);
                if self.paper.order.is_empty() {
                    self.paper.order.clone_from(&order);
                }
                let level = self.levels.entry(self.level.clone()).or_default();
                level.1 = Some(order);
            }
            (Kind::Notice, b"LIN") => self.item = (text(segment, 1), ids(segment, 2)),
            (Kind::Notice, b"SN1") => {
                let (number_said, ids) = self.item.clone();
                let line = Line {
                    order: self.order_here(),
                    number: number_said,
                    ids,
                    quantity: number(segment, 2),
                    unit: text(segment, 3),
                    price: None,
                    at: Spot::of(segment, self.by, Some(self.set)),
                    quantity_at: 2,
                    price_at: 0,
                };
                self.paper.lines.push(line);
            }
            (Kind::Notice, b"BSN") => self.day(Day::Told, segment, 3),
            (Kind::Notice, b"DTM") => match segment.element(1) {
                b"011" => self.day(Day::Left, segment, 2),
                b"017" => self.day(Day::Arrives, segment, 2),
                _ => {}
            },
            _ => {}
        }
    }

    fn day(&mut self, day: Day, segment: &Segment<'_>, element: usize) {
        let date = NaiveDate::parse_from_str(&text(segment, element), "%Y%m%d");
        let at = Spot::of(segment, self.by, Some(self.set));
        self.paper
            .dates
            .extend(date.ok().map(|date| (day, date, at)));
    }

    /// The order of the level that is open, or of the nearest around it.
    fn order_here(&self) -> String {
        let mut at = self.level.as_str();
        // A level that is its own ancestor is a fault that is told elsewhere.
        for _ in 0..self.levels.len() {
            match self.levels.get(at) {
                Some((_, Some(order))) => return order.clone(),
                Some((around, None)) => at = around,
                None => break,
            }
        }
        self.paper.order.clone()
    }
}

fn text(segment: &Segment<'_>, element: usize) -> String {
    String::from_utf8_lossy(segment.element(element)).into_owned()
}

fn number(segment: &Segment<'_>, element: usize) -> Option<Decimal> {
    text(segment, element).parse().ok()
}

/// Pairs of qualifier and id from an element on.
fn ids(segment: &Segment<'_>, first: usize) -> Vec<(String, String)> {
    let pairs = (first..segment.count()).step_by(2);
    let pairs = pairs.map(|at| (text(segment, at), text(segment, at + 1)));
    pairs.filter(|(_, id)| !id.is_empty()).collect()
}
