//! The keys of a set, taken from its segments as they go by.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::{Answer, FILE, Facts, Spot};
use crate::canonical::Decimal;
use crate::lifecycle::check::{is_added, per, sign};
use crate::lifecycle::{Given, Kind, Line, Paper, Parties, Purpose, Remark, Sums, Verdict};
use crate::x12::{Delimiters, Form, FunctionalAcknowledgment, Segment, Segments, TransactionSet};

/// Reads the keys of one set.
pub(super) struct Keys {
    /// What set it is of.
    of: Of,
    file: u32,
    set: u32,
    paper: Paper<Spot>,
    sums: Sums<Spot>,
    /// Whether lines are kept, and not only added up.
    keeps: bool,
    /// Segments of an acknowledgment.
    answer: Segments,
    /// Levels by HL01: the one around, and the order said in it.
    levels: BTreeMap<String, (String, Option<Arc<str>>)>,
    level: String,
    /// LIN01 and the ids of the last LIN.
    item: (Box<str>, Ids),
    /// What a tax belongs to here, and whether the charge around it counts.
    given: Given,
    counts: bool,
    /// Units and qualifiers, which come again and again.
    words: Vec<Arc<str>>,
    /// Lines with a price, in this set and those before it in the file.
    lines: usize,
}

/// Qualifiers and ids.
type Ids = Box<[(Arc<str>, Box<str>)]>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Paper(Kind),
    Answer(Form),
}

impl Keys {
    /// `None` for a set of another kind.
    pub(super) fn of(facts: &Facts, set: &TransactionSet) -> Option<Keys> {
        let of = match set.id.as_str() {
            "850" => Of::Paper(Kind::Order),
            "855" => Of::Paper(Kind::Answer),
            "856" => Of::Paper(Kind::Notice),
            "810" => Of::Paper(Kind::Invoice),
            "997" if facts.several => Of::Answer(Form::F997),
            "999" if facts.several => Of::Answer(Form::F999),
            _ => return None,
        };
        let kind = match of {
            Of::Paper(kind) => kind,
            Of::Answer(_) => Kind::Answer,
        };
        let (file, ordinal) = (facts.file, set.position.ordinal);
        Some(Keys {
            of,
            file,
            set: ordinal,
            paper: Paper {
                kind,
                parties: facts.parties.clone(),
                number: "".into(),
                order: "".into(),
                purpose: Purpose::New,
                written: facts.written,
                at: Spot::place(file, b"ST", set.position),
                lines: Vec::new(),
                packages: Vec::new(),
            },
            sums: Sums::default(),
            keeps: facts.several && !facts.cut,
            answer: Segments::default(),
            levels: BTreeMap::new(),
            level: String::new(),
            item: Default::default(),
            given: Given::Whole,
            counts: true,
            words: Vec::new(),
            lines: facts.lines,
        })
    }

    fn at(&self, segment: &Segment<'_>) -> Spot {
        Spot::of(self.file, self.set, segment)
    }

    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        match self.of {
            Of::Answer(_) if self.answer.len() < FILE => self.answer.push(*segment),
            Of::Answer(_) => {}
            Of::Paper(kind) => match (kind, segment.tag()) {
                (Kind::Order | Kind::Answer, b"PO1") | (Kind::Invoice, b"IT1") => {
                    self.priced(segment);
                }
                (Kind::Invoice, b"TDS" | b"TXI" | b"SAC" | b"PAM") => self.money(segment),
                (Kind::Invoice, b"REF") if segment.element(1) == b"PO" => {
                    if let Some(line) = self.paper.lines.last_mut() {
                        line.order = text(segment, 2).into();
                    }
                }
                (Kind::Answer, b"ACK") => self.verdict(segment),
                (Kind::Notice, b"HL" | b"PRF" | b"LIN" | b"SN1" | b"MAN" | b"DTM") => {
                    self.level(segment);
                }
                (Kind::Order, b"BEG") => self.head(segment, 3, 3),
                (Kind::Answer, b"BAK") => self.head(segment, 3, 3),
                (Kind::Notice, b"BSN") => self.head(segment, 2, 0),
                (Kind::Invoice, b"BIG") => self.head(segment, 2, 4),
                _ => {}
            },
        }
    }

    /// The first segment: number, order, purpose.
    fn head(&mut self, segment: &Segment<'_>, number: usize, order: usize) {
        let at = self.at(segment);
        self.paper.at = at;
        self.paper.number = text(segment, number).into();
        if order > 0 {
            self.paper.order = text(segment, order).into();
        }
        // X12 353, which an invoice has in BIG08.
        let purpose = if self.paper.kind == Kind::Invoice {
            8
        } else {
            1
        };
        self.paper.purpose = match segment.element(purpose) {
            b"01" | b"03" | b"17" => Purpose::Void,
            b"04" | b"05" | b"07" | b"09" | b"15" | b"18" | b"22" | b"CO" => Purpose::Again,
            _ => Purpose::New,
        };
        if self.paper.kind == Kind::Notice
            && let Some(day) = day(segment, 3)
        {
            self.sums.told(day, at);
        }
    }

    /// A line with a price.
    fn priced(&mut self, segment: &Segment<'_>) {
        (self.given, self.counts) = (Given::Line, true);
        let bills = self.paper.kind == Kind::Invoice;
        // All of an invoice is added up; of a long order the first prices tell enough.
        self.lines += 1;
        if self.lines > FILE && !bills {
            return;
        }
        let at = self.at(segment);
        let (quantity, price) = (number(segment, 2), number(segment, 4));
        if bills {
            self.sums
                .line(quantity, price, per(basis(segment.element(5))));
        }
        if let Some(price) = price {
            self.sums.price(price, &at);
        }
        if self.keeps {
            let (order, number, ids) = (
                self.paper.order.clone(),
                text(segment, 1),
                self.ids(segment, 6),
            );
            self.line(order, number.into(), ids, quantity, segment, price);
        }
    }

    fn line(
        &mut self,
        order: Arc<str>,
        number: Box<str>,
        ids: Ids,
        quantity: Option<Decimal>,
        segment: &Segment<'_>,
        price: Option<Decimal>,
    ) {
        // One more than may be kept says that there are more.
        if self.paper.lines.len() <= FILE {
            let (unit, at) = (self.word(segment, 3), self.at(segment));
            let line = Line {
                order,
                number,
                ids,
                quantity,
                unit,
                price,
                verdict: None,
                at,
            };
            self.paper.lines.push(line);
        }
    }

    /// Pairs of qualifier and id from an element on.
    fn ids(&mut self, segment: &Segment<'_>, first: usize) -> Ids {
        let pairs = (first..segment.count()).step_by(2);
        let pairs = pairs.filter(|at| !segment.element(at + 1).is_empty());
        pairs
            .map(|at| (self.word(segment, at), text(segment, at + 1).into()))
            .collect()
    }

    /// A unit or a qualifier.
    fn word(&mut self, segment: &Segment<'_>, element: usize) -> Arc<str> {
        /// Words that are known: a set has few.
        const FEW: usize = 16;
        let word = segment.element(element);
        if let Some(known) = self.words.iter().find(|known| known.as_bytes() == word) {
            return known.clone();
        }
        let word: Arc<str> = text(segment, element).into();
        if self.words.len() < FEW {
            self.words.push(word.clone());
        }
        word
    }

    fn verdict(&mut self, segment: &Segment<'_>) {
        let said = match segment.element(1) {
            b"IR" | b"ID" | b"R1" | b"R2" | b"R3" | b"R4" | b"R5" => Verdict::Rejected,
            b"AA" | b"AC" | b"AR" | b"BP" | b"DR" | b"IA" | b"IB" | b"IC" | b"IE" | b"IP"
            | b"IQ" | b"IS" | b"SP" => Verdict::Taken,
            _ => return,
        };
        if let Some(line) = self.paper.lines.last_mut() {
            line.verdict = Some(said.and(line.verdict));
        }
    }

    fn money(&mut self, segment: &Segment<'_>) {
        let at = self.at(segment);
        match segment.tag() {
            b"TDS" => {
                (self.given, self.counts) = (Given::Whole, true);
                if let Some(total) = cents(segment, 1) {
                    self.sums.total(total, at);
                }
            }
            b"SAC" => {
                if self.given == Given::Whole {
                    self.given = Given::Charge;
                }
                let kind = match segment.element(1) {
                    b"C" => "charge",
                    b"S" => "service",
                    b"A" => "allowance",
                    b"P" => "promotion",
                    _ => "",
                };
                let sign = sign(kind, &text(segment, 12));
                self.counts = sign.is_some();
                if let Some(sign) = sign {
                    let amount = cents(segment, 5).map(Decimal::value);
                    let signed = amount.and_then(|amount| amount.checked_mul(sign.value()));
                    self.sums.charge(signed.map(Decimal::new));
                }
            }
            b"TXI" if self.counts && is_added(&text(segment, 7)) => {
                self.sums.tax(self.given, number(segment, 2), &at);
            }
            // X12 522: the total of a line.
            b"PAM" if segment.element(4) == b"1" && self.given == Given::Line => {
                if let Some(said) = number(segment, 5) {
                    self.sums.amount(said, at);
                }
            }
            _ => {}
        }
    }

    fn level(&mut self, segment: &Segment<'_>) {
        match segment.tag() {
            b"HL" if self.keeps && self.levels.len() <= FILE => {
                self.level = text(segment, 1);
                let around = (text(segment, 2), None);
                self.levels.insert(self.level.clone(), around);
            }
            b"PRF" if self.keeps => {
                let order: Arc<str> = text(segment, 1).into();
                if self.paper.order.is_empty() {
                    self.paper.order = order.clone();
                }
                if let Some(level) = self.levels.get_mut(&self.level) {
                    level.1 = Some(order);
                }
            }
            b"LIN" if self.keeps => self.item = (text(segment, 1).into(), self.ids(segment, 2)),
            b"SN1" if self.keeps => {
                let (number_said, ids) = std::mem::take(&mut self.item);
                let (order, quantity) = (self.order_here(), number(segment, 2));
                self.line(order, number_said, ids, quantity, segment, None);
            }
            b"MAN" if self.keeps && self.paper.packages.len() <= FILE => {
                // X12 88: numbers that are used once, with or without `00` before them.
                if let b"GM" | b"AA" = segment.element(1) {
                    let package = (text(segment, 2).into(), self.at(segment));
                    self.paper.packages.push(package);
                }
            }
            // A notice has a date for each of its goods: only those of the journey are read.
            b"DTM" => match segment.element(1) {
                b"011" => day(segment, 2)
                    .into_iter()
                    .for_each(|day| self.sums.left(day)),
                b"017" => {
                    let at = self.at(segment);
                    day(segment, 2)
                        .into_iter()
                        .for_each(|day| self.sums.arrives(day, at));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// The order of the level that is open, or of the nearest around it.
    fn order_here(&self) -> Arc<str> {
        /// Levels nest no deeper; one that is its own ancestor is a fault that is told elsewhere.
        const DEPTH: usize = 16;
        let mut at = self.level.as_str();
        for _ in 0..DEPTH {
            match self.levels.get(at) {
                Some((_, Some(order))) => return order.clone(),
                Some((around, None)) => at = around,
                None => break,
            }
        }
        self.paper.order.clone()
    }

    /// Lines with a price so far.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// What is kept of the set, and what is doubtful in it.
    pub(super) fn end(
        self,
        by: &Delimiters,
    ) -> (Option<Paper<Spot>>, Option<Answer>, Vec<Remark<Spot>>) {
        match self.of {
            Of::Paper(_) => (Some(self.paper), None, self.sums.remarks()),
            Of::Answer(form) => {
                let (said, _) = FunctionalAcknowledgment::read(form, &self.answer, by);
                let parties: Parties = self.paper.parties;
                let first = self.answer.get(0);
                let answer = first.map(|first| Answer {
                    said,
                    parties,
                    at: Spot::of(self.file, self.set, &first),
                });
                (None, answer, Vec::new())
            }
        }
    }
}

/// The word of a price's basis (X12 639), where it is for something else than one unit.
fn basis(raw: &[u8]) -> &'static str {
    match raw {
        b"HP" => "per_hundred",
        b"QH" => "quoted_per_hundred",
        b"TP" => "per_thousand",
        b"QS" => "quoted_per_thousand",
        b"LM" => "catalog_per_thousand",
        b"PD" | b"LD" | b"RD" | b"TD" | b"WD" => "per_dozen",
        b"HF" | b"HT" => "per_hundredweight",
        b"KP" | b"PP" | b"PT" => "per_pound",
        b"VQ" => "variable_quantity",
        _ => "",
    }
}

fn text(segment: &Segment<'_>, element: usize) -> String {
    String::from_utf8_lossy(segment.element(element)).into_owned()
}

fn number(segment: &Segment<'_>, element: usize) -> Option<Decimal> {
    std::str::from_utf8(segment.element(element))
        .ok()?
        .parse()
        .ok()
}

/// A number without a point, whose last two digits are decimals.
fn cents(segment: &Segment<'_>, element: usize) -> Option<Decimal> {
    let whole = number(segment, element).filter(|_| !segment.element(element).contains(&b'.'))?;
    let cent: Decimal = "0.01".parse().ok()?;
    whole.value().checked_mul(cent.value()).map(Decimal::new)
}

fn day(segment: &Segment<'_>, element: usize) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(&text(segment, element), "%Y%m%d").ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;
    use crate::cli::files::below;
    use crate::cli::walk::{Guides, Make, Seen, walk_keeping};
    use crate::lifecycle::check;
    use crate::mapping::Library;
    use crate::x12::Fault;

    /// As people compare two papers.
    fn shown<P>(paper: &Paper<P>) -> String {
        let (kind, purpose, order) = (paper.kind, paper.purpose, &paper.order);
        let mut shown = format!("{kind:?} {} of {order} {purpose:?}", paper.number);
        for line in &paper.lines {
            let (order, number, ids, verdict) =
                (&line.order, &line.number, line.ids.len(), line.verdict);
            let price = line.price.map(|price| price.to_string());
            let quantity = line.quantity.map(|quantity| quantity.to_string());
            shown += &format!("\n{order} {number} {ids} {quantity:?} {price:?} {verdict:?}");
        }
        let packages = paper
            .packages
            .iter()
            .map(|(number, _)| format!("\n{number}"));
        shown + &packages.collect::<String>()
    }

    /// The keys that are taken from the wire, without a guide, are those of the document.
    #[test]
    fn keys_are_those_of_the_documents() {
        const SUMS: [Fault; 5] = [
            Fault::TotalDiffers,
            Fault::TaxDiffers,
            Fault::LineAmount,
            Fault::ValueScale,
            Fault::DateOrder,
        ];
        let guides = Guides {
            library: Library::embedded(),
            partner: None,
        };
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
        let (mut compared, mut doubts) = (0, 0);
        for file in below(&samples, 8).unwrap() {
            if file.extension().is_none_or(|extension| extension != "edi") {
                continue;
            }
            let (mut facts, mut papers, mut wrong) = (Facts::new(0, true), Vec::new(), 0);
            let source = File::open(&file).unwrap();
            let read = walk_keeping(
                source,
                &guides,
                Make::Documents,
                1,
                Some(&mut facts),
                &mut |seen| {
                    if let Seen::Set(seen) = seen
                        && let Some(document) = seen.document
                        && let Some(paper) = Paper::of(&document, None, ())
                    {
                        papers.push(paper);
                        let found = seen.findings.iter();
                        let found = found
                            .filter(|noted| SUMS.contains(&noted.finding.fault))
                            .count();
                        assert_eq!(found, check::of(&document).len(), "{}", file.display());
                        wrong += found;
                    }
                    Ok(())
                },
            );
            // What is damaged in a sample may be kept otherwise in a document.
            if read.is_err() || !file.components().any(|part| part.as_os_str() == "pass") {
                continue;
            }
            let of_wire: Vec<String> = facts.kept.papers.iter().map(shown).collect();
            let of_document: Vec<String> = papers.iter().map(shown).collect();
            assert_eq!(of_wire, of_document, "{}", file.display());
            compared += papers.len();
            doubts += wrong;
        }
        assert!(compared > 30, "{compared}");
        assert_eq!(doubts, 0, "a sample that passes is doubted");
    }
}
