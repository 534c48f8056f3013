//! The vendor's own system, as a script: what a person and an ERP do between the gateway's folders.
//!
//! ```text
//! order ─ 1 h ─► acknowledgment ─ a day ─► goods leave ─ 10 min ─► ship notice ─ 3 h ─► invoice
//! ```
//!
//! It is honest unless its scenario says otherwise ([`Who::Vendor`](crate::sim::Who)), and what is
//! refused is said again as it should have been. It is pure: it is told the time, what came and when,
//! and gives documents; who carries them, and by which door, is none of its business.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::papers::{self, Answered, ordered};
use crate::canonical::{
    ApplicationAdvice, Charge, Code, Decimal, Document, PurchaseOrder, PurchaseOrderChange,
};
use crate::sim::{Door, Happening, Scenario, What};

/// From the order to its acknowledgment.
const ANSWER: TimeDelta = TimeDelta::hours(1);
/// From the order to the hour in which its goods leave.
const PACK: TimeDelta = TimeDelta::hours(24);
/// From there to the ship notice.
const TELL: TimeDelta = TimeDelta::minutes(10);
/// From the ship notice to the invoice.
const BILL: TimeDelta = TimeDelta::hours(3);
/// From a refusal to the right paper.
const AGAIN: TimeDelta = TimeDelta::minutes(10);

/// What the vendor does next about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Acknowledge,
    Notice,
    Bill,
}

/// A paper that is due.
#[derive(Clone, Debug)]
struct Due {
    order: String,
    step: Step,
    /// Whether it is as it should be, whatever the scenario says.
    honest: bool,
}

/// An order in the vendor's books.
#[derive(Debug)]
struct Book {
    position: usize,
    door: Door,
    order: PurchaseOrder,
    answers: Vec<Answered>,
    /// When the goods leave.
    leaves: DateTime<Utc>,
    cancelled: bool,
    /// Papers that were made again, each once.
    again: BTreeSet<Step>,
    /// Papers that were made, right or not.
    made: BTreeSet<Step>,
}

/// A paper of the vendor's.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    /// The door of its order.
    pub(super) door: Door,
    /// The document.
    pub(super) document: Document,
}

/// The vendor.
pub(super) struct Vendor {
    scenario: Scenario,
    books: BTreeMap<String, Book>,
    agenda: BTreeMap<(DateTime<Utc>, u64), Due>,
    turn: u64,
    /// What remittances said was paid, less what they took off, in cents, by order.
    pub(super) paid: BTreeMap<String, i64>,
    /// What the buyer refused, in its words: set, number, why.
    pub(super) refused: Vec<(String, String, String)>,
    /// Orders that came again as they were.
    pub(super) repeated: usize,
}

impl Vendor {
    pub(super) fn new(scenario: Scenario) -> Vendor {
        Vendor {
            scenario,
            books: BTreeMap::new(),
            agenda: BTreeMap::new(),
            turn: 0,
            paid: BTreeMap::new(),
            refused: Vec::new(),
            repeated: 0,
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// How many orders came by a door.
    pub(super) fn orders(&self, door: Door) -> usize {
        self.books.values().filter(|book| book.door == door).count()
    }

    fn plan(&mut self, at: DateTime<Utc>, order: &str, step: Step, honest: bool) {
        self.turn += 1;
        let due = Due {
            order: order.to_owned(),
            step,
            honest,
        };
        self.agenda.insert((at, self.turn), due);
    }

    /// Takes what the gateway handed over. `position` is the order's place in the scenario.
    pub(super) fn hears(
        &mut self,
        document: Document,
        door: Door,
        position: usize,
        now: DateTime<Utc>,
    ) {
        match document {
            Document::PurchaseOrder(order) => self.ordered(order, door, position, now),
            Document::PurchaseOrderChange(change) => self.changed(&change),
            Document::ApplicationAdvice(advice) => self.advised(&advice, now),
            Document::RemittanceAdvice(advice) => {
                let items = advice.remittances.iter().flat_map(|one| &one.items);
                for item in items {
                    let paid = item.paid.and_then(papers::cents).unwrap_or(0);
                    let mut named = item.references.iter();
                    let order = named.find(|one| one.qualifier.as_deref() == Some("PO"));
                    let order = order.and_then(|one| one.id.clone()).unwrap_or_default();
                    *self.paid.entry(order).or_default() += paid;
                }
            }
            _ => {}
        }
    }

    fn happens(&self, what: What, position: usize) -> Option<Happening> {
        self.scenario.happens(what, position).cloned()
    }

    fn ordered(
        &mut self,
        mut order: PurchaseOrder,
        door: Door,
        position: usize,
        now: DateTime<Utc>,
    ) {
        let number = order.number.clone().unwrap_or_default();
        // Fewer than none is a slip of the buyer's, and a person asks what was meant.
        let quantities = order
            .lines
            .iter_mut()
            .filter_map(|line| line.quantity.as_mut());
        for value in quantities.filter_map(|quantity| quantity.value.as_mut()) {
            *value = Decimal::new(value.value().abs());
        }
        if self.books.contains_key(&number) {
            self.repeated += 1;
            return;
        }
        let answers = self.answers(&order, position);
        let late = self.happens(What::LateAcknowledgment, position);
        let answer = now + ANSWER + late.map_or(TimeDelta::zero(), |one| one.delay());
        let later = self.happens(What::Backorder, position);
        let later = later.map_or(TimeDelta::zero(), |one| one.delay());
        let leaves = (now + PACK + later).max(answer + ANSWER);
        let slow = self.happens(What::LateNotice, position);
        let told = leaves + TELL + slow.map_or(TimeDelta::zero(), |one| one.delay());
        let ships = answers.iter().any(|one| one.accepted + one.backordered > 0);
        let book = Book {
            position,
            door,
            order,
            answers,
            leaves,
            cancelled: false,
            again: BTreeSet::new(),
            made: BTreeSet::new(),
        };
        self.books.insert(number.clone(), book);
        self.plan(answer, &number, Step::Acknowledge, false);
        if !ships {
            return;
        }
        if self.happens(What::EarlyNotice, position).is_some() {
            self.plan(answer - ANSWER / 2, &number, Step::Notice, false);
        }
        if self.happens(What::EarlyInvoice, position).is_some() {
            self.plan(leaves - ANSWER / 2, &number, Step::Bill, false);
        }
        self.plan(told, &number, Step::Notice, false);
        self.plan(told + BILL, &number, Step::Bill, false);
        if self.happens(What::InvoiceTwice, position).is_some() {
            self.plan(told + BILL * 2, &number, Step::Bill, false);
        }
    }

    /// What is said to each line.
    fn answers(&self, order: &PurchaseOrder, position: usize) -> Vec<Answered> {
        let whole = self.happens(What::RejectOrder, position).is_some();
        let rejected = self.happens(What::RejectLine, position);
        let later = self.happens(What::Backorder, position);
        let answer = |(n, units): (usize, u32)| {
            let here = |one: &Option<Happening>| one.clone().filter(|one| at(one, order) == n);
            let mut answer = Answered::default();
            if whole || here(&rejected).is_some() {
                answer.rejected = units;
            } else {
                answer.backordered = here(&later).map_or(0, |one| one.units.min(units));
                answer.accepted = units - answer.backordered;
            }
            answer
        };
        let units = order.lines.iter().map(ordered);
        units.enumerate().map(answer).collect()
    }

    /// The buyer wants less of lines, or nothing.
    fn changed(&mut self, change: &PurchaseOrderChange) {
        let number = change.number.clone().unwrap_or_default();
        let Some(book) = self.books.get_mut(&number) else {
            return;
        };
        let word = |code: &Option<Code>| code.as_ref().map(|code| code.as_str().to_owned());
        book.cancelled |= word(&change.purpose).is_some_and(|word| word.contains("cancel"));
        for line in &change.lines {
            let mut known = book.order.lines.iter_mut().zip(&mut book.answers);
            let Some((own, answer)) = known.find(|(own, _)| own.number == line.number) else {
                continue;
            };
            let gone = word(&line.change).is_some_and(|word| word.contains("delete"));
            let wanted = |value: Decimal| value.value().normalize().to_string().parse().ok();
            let value = line.quantity.as_ref().and_then(|quantity| quantity.value);
            let units = if gone {
                0
            } else {
                value.and_then(wanted).unwrap_or(0)
            };
            own.quantity.clone_from(&line.quantity);
            answer.accepted = answer.accepted.min(units);
            answer.backordered = answer.backordered.min(units - answer.accepted);
            answer.rejected = answer
                .rejected
                .min(units - answer.accepted - answer.backordered);
        }
    }

    /// Something was refused: the right paper follows, once.
    fn advised(&mut self, advice: &ApplicationAdvice, now: DateTime<Utc>) {
        for result in &advice.results {
            let status = result.status.as_ref().map(Code::as_str).unwrap_or_default();
            if !status.contains("reject") {
                continue;
            }
            let said = result.errors.iter().map(|error| {
                let notes = error.notes.iter().filter_map(|note| note.text.as_deref());
                let words = error.message.as_deref().into_iter().chain(notes);
                words.collect::<Vec<_>>().join(" ")
            });
            let why = said.collect::<Vec<_>>().join("; ");
            let id = result.id.clone().unwrap_or_default();
            let set = result.set.clone().unwrap_or_default();
            self.refused.push((set.clone(), id.clone(), why));
            self.again(&set, papers::order_of(&id), now);
        }
    }

    /// Makes the paper of a set that was refused again, as it should be.
    pub(super) fn again(&mut self, set: &str, order: &str, now: DateTime<Utc>) {
        let step = match set {
            "855" => Step::Acknowledge,
            "856" => Step::Notice,
            "810" => Step::Bill,
            _ => return,
        };
        let planned = self
            .agenda
            .values()
            .any(|due| due.order == order && due.step == step);
        let Some(book) = self.books.get_mut(order) else {
            return;
        };
        // What is still to come, or was right once, is not said a third time.
        let twice = self
            .scenario
            .happens(What::InvoiceTwice, book.position)
            .is_some();
        if planned || (twice && step == Step::Bill) || !book.again.insert(step) {
            return;
        }
        self.plan(now + AGAIN, order, step, true);
    }

    /// The papers that are due by now, in their order.
    pub(super) fn due(&mut self, now: DateTime<Utc>) -> Vec<Paper> {
        let mut papers = Vec::new();
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let due = entry.remove();
            papers.extend(self.paper(&due, now));
        }
        papers
    }

    fn paper(&mut self, due: &Due, now: DateTime<Utc>) -> Option<Paper> {
        let scenario = self.scenario.clone();
        let book = self.books.get_mut(&due.order)?;
        let mistake = |what: What| {
            let found = scenario.happens(what, book.position).cloned();
            found.filter(|_| !due.honest)
        };
        let first = book.made.insert(due.step);
        let nothing = book
            .answers
            .iter()
            .all(|one| one.accepted + one.backordered == 0);
        if (book.cancelled || nothing) && due.step != Step::Acknowledge {
            return None;
        }
        let document = match due.step {
            Step::Acknowledge => book.acknowledgment(&mistake, now),
            Step::Notice => {
                let early = mistake(What::EarlyNotice).is_some();
                book.notice(&mistake, if early { now } else { book.leaves }, now)
            }
            Step::Bill => book.invoice(&mistake, now),
        };
        let door = book.door;
        let wrong = [What::EarlyNotice, What::EarlyInvoice];
        if first && wrong.iter().any(|what| mistake(*what).is_some()) {
            // Its time comes, and it is planned already.
            book.again.insert(due.step);
        }
        Some(Paper { door, document })
    }
}

/// The line, from 0, that a happening is about.
fn at(one: &Happening, order: &PurchaseOrder) -> usize {
    one.line.clamp(1, order.lines.len().max(1)) - 1
}

impl Book {
    fn acknowledgment(
        &self,
        mistake: &dyn Fn(What) -> Option<Happening>,
        now: DateTime<Utc>,
    ) -> Document {
        let mut answer = papers::acknowledgment(&self.order, &self.answers, now);
        if let Some(one) = mistake(What::TooMuch) {
            let line = &mut answer.lines[at(&one, &self.order)];
            let more = self.answers[at(&one, &self.order)].accepted + one.units;
            if let Some(quantity) = line
                .acknowledgments
                .first_mut()
                .and_then(|a| a.quantity.as_mut())
            {
                quantity.value = more.to_string().parse().ok();
            }
        }
        if let Some(one) = mistake(What::WrongLine) {
            let n = at(&one, &self.order);
            answer.lines[n].number = Some((n + 2).to_string());
        }
        Document::PurchaseOrderAcknowledgment(answer)
    }

    /// Units of each line that are shipped and billed.
    fn units(&self, mistake: &dyn Fn(What) -> Option<Happening>) -> Vec<u32> {
        let mut units: Vec<u32> = self
            .answers
            .iter()
            .map(|a| a.accepted + a.backordered)
            .collect();
        if let Some(one) = mistake(What::PartialShipment) {
            let line = &mut units[at(&one, &self.order)];
            *line = line.saturating_sub(one.units);
        }
        units
    }

    fn notice(
        &self,
        mistake: &dyn Fn(What) -> Option<Happening>,
        left: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Document {
        let mut units = self.units(mistake);
        if let Some(one) = mistake(What::OverShipment) {
            units[at(&one, &self.order)] += one.units;
        }
        let wrong = mistake(What::WrongSscc).is_some();
        let same = mistake(What::SameSscc).is_some();
        let mark = |carton: usize| {
            let mut mark = papers::sscc(self.position, if same { 1 } else { carton });
            if wrong {
                let digit = mark.pop().and_then(|digit| digit.to_digit(10)).unwrap_or(0);
                mark.push_str(&((digit + 1) % 10).to_string());
            }
            mark
        };
        let times = (left, now);
        let notice = papers::notice(&self.order, &units, self.position, times, &mark);
        Document::ShipNotice(notice)
    }

    fn invoice(&self, mistake: &dyn Fn(What) -> Option<Happening>, now: DateTime<Utc>) -> Document {
        let units = self.units(mistake);
        let mut order = self.order.clone();
        if let Some(one) = mistake(What::InvoicePrice) {
            let line = &mut order.lines[at(&one, &self.order)];
            let wrong = papers::price(line) + one.cents;
            if let Some(price) = &mut line.price {
                price.amount = papers::money(wrong);
            }
        }
        let mut invoice = papers::invoice(&order, &units, now.date_naive());
        let freight = mistake(What::InvoiceFreight).map(|one| one.cents);
        if let Some(cents) = freight {
            invoice.charges.push(Charge {
                kind: Some(Code::new("charge")),
                code: Some("D240".to_owned()),
                amount: papers::money(cents),
                ..Charge::default()
            });
        }
        let off = mistake(What::InvoiceTotal).map(|one| one.cents);
        let more = freight.unwrap_or(0) + off.unwrap_or(0);
        if let Some(totals) = &mut invoice.totals {
            let total = totals.total.and_then(papers::cents).unwrap_or(0);
            totals.total = papers::money(total + more);
        }
        Document::Invoice(invoice)
    }
}
