//! The buyer's state, and the agenda of what happens next.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::bill::Bill;
use super::edi::set_of;
use super::notice::Notice;
use super::order::Order;
use super::payment::Payment;
use super::scenario::{Scenario, What};
use super::seed::Seed;
use super::{Door, Reason, Saying, Verdict};
use crate::bridge::spapi::advice;
use crate::canonical::{
    ApplicationAdvice, ApplicationError, ApplicationResult, Code, Document, DocumentKind,
};

/// A document that came, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    /// When its outcome is known to who asks.
    pub(super) known: DateTime<Utc>,
    pub(super) kind: DocumentKind,
    /// The order that it is about; the first one.
    pub(super) order: String,
    /// Why it was refused; nothing where it counts.
    pub(super) reasons: Vec<Reason>,
}

/// What happens at a time.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The order of this position is made.
    Appear(usize),
    /// It is said again.
    Again(String),
    /// `units` of a line less.
    Decrease(String, usize, u32),
    Cancel(String),
    /// The goods of a notice are at the dock.
    Arrive(String),
    /// What is due at a door is paid.
    Pay(Door),
    /// A deduction is paid back.
    Reverse {
        bill: String,
        order: String,
        cents: i64,
        door: Door,
    },
    /// Something is said.
    Say(Box<Saying>),
}

/// A buyer: its orders, what was said to them, and its money. The times that it is given never go
/// back; an earlier one counts as the last.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    pub(super) seed: u64,
    /// How many orders there will be.
    count: usize,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    pub(super) orders: BTreeMap<String, Order>,
    /// Their numbers, in the order in which they were made.
    sequence: Vec<String>,
    agenda: BTreeMap<(DateTime<Utc>, u64), Event>,
    /// What makes the keys of the agenda differ, and keeps its order.
    turn: u64,
    said: Vec<Saying>,
    pub(super) notices: BTreeMap<String, Notice>,
    /// SSCCs of packages, with when each was told.
    pub(super) packages: BTreeMap<String, DateTime<Utc>>,
    pub(super) bills: BTreeMap<String, Bill>,
    /// Invoices that are not paid, by when they are.
    pub(super) unpaid: BTreeMap<(Door, DateTime<Utc>), Vec<String>>,
    pub(super) payments: Vec<Payment>,
    pub(super) submissions: BTreeMap<String, Submission>,
    refused: BTreeMap<&'static str, usize>,
}

impl World {
    /// A buyer who makes so many orders from `start` on, by a scenario and a seed.
    #[must_use]
    pub fn new(scenario: Scenario, seed: u64, start: DateTime<Utc>, orders: usize) -> World {
        let mut world = World {
            scenario,
            seed,
            count: orders,
            start,
            now: start,
            orders: BTreeMap::new(),
            sequence: Vec::new(),
            agenda: BTreeMap::new(),
            turn: 0,
            said: Vec::new(),
            notices: BTreeMap::new(),
            packages: BTreeMap::new(),
            bills: BTreeMap::new(),
            unpaid: BTreeMap::new(),
            payments: Vec::new(),
            submissions: BTreeMap::new(),
            refused: BTreeMap::new(),
        };
        if orders > 0 {
            world.put(start, Event::Appear(1));
        }
        world
    }

    /// Its scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// When its first order was made: what `hours` of a scenario counts from, where nothing else is
    /// said.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The latest time that it was told.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The position of an order, from 1: what `orders` of a scenario's happenings means.
    #[must_use]
    pub fn position(&self, order: &str) -> Option<usize> {
        self.orders.get(order).map(|order| order.position)
    }

    /// How many orders were made by a door so far.
    #[must_use]
    pub fn made(&self, door: Door) -> usize {
        // The doors come round and round.
        let (rounds, rest) = (
            self.sequence.len() / self.scenario.doors.len(),
            self.sequence.len() % self.scenario.doors.len(),
        );
        let own = |some: &[Door]| some.iter().filter(|one| **one == door).count();
        rounds * own(&self.scenario.doors) + own(&self.scenario.doors[..rest])
    }

    /// Why documents were refused so far, and how many for each reason.
    #[must_use]
    pub fn refusals(&self) -> &BTreeMap<&'static str, usize> {
        &self.refused
    }

    /// When something is due next; none where nothing more happens by itself.
    #[must_use]
    pub fn next(&self) -> Option<DateTime<Utc>> {
        match self.said.is_empty() {
            true => self.agenda.keys().next().map(|(at, _)| *at),
            false => Some(self.now),
        }
    }

    /// What the buyer says by now: orders, changes, and by EDI what was refused, routing and
    /// remittances too. The EDI door sends what is its own; by the API, who asks finds the same.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Saying> {
        self.pass(now);
        std::mem::take(&mut self.said)
    }

    /// Takes a document of the vendor. Everything up to `now` happens before.
    pub fn take(&mut self, document: &Document, door: Door, now: DateTime<Utc>) -> Verdict {
        self.pass(now);
        let (order, judged) = match document {
            Document::PurchaseOrderAcknowledgment(answer) => self.answered(answer, door),
            Document::ShipNotice(notice) => self.noticed(notice, door),
            Document::Invoice(invoice) => self.billed(invoice, door),
            Document::RoutingRequest(request) => self.asked_for_a_carrier(request, door),
            Document::InventoryAdvice(_) => (String::new(), Ok(Vec::new())),
            other => {
                let kind = other.kind().as_str();
                let sentence = format!("the buyer takes no {kind}");
                (String::new(), Err(vec![reason("unwanted", "", sentence)]))
            }
        };
        let id = self.submission_id();
        let known = self.now + TimeDelta::minutes(self.scenario.outcome_minutes);
        let reasons = match &judged {
            Ok(_) => Vec::new(),
            Err(reasons) => reasons.clone(),
        };
        let codes: BTreeSet<&'static str> = reasons.iter().map(|reason| reason.code).collect();
        for code in codes {
            *self.refused.entry(code).or_default() += 1;
        }
        let submission = Submission {
            known,
            kind: document.kind(),
            order,
            reasons,
        };
        if door == Door::Edi && !submission.reasons.is_empty() {
            let advice = self.advice(&id, document, &submission);
            self.put(known, Event::Say(Box::new(advice)));
        }
        self.submissions.insert(id.clone(), submission);
        match judged {
            Ok(remarks) => Verdict::Accepted { id, remarks },
            Err(reasons) => Verdict::Refused { id, reasons },
        }
    }

    /// A number as the API gives one: a time, and what nobody can read anything into.
    fn submission_id(&self) -> String {
        let n = self.submissions.len() as u64;
        let mut draw = Seed::of(self.seed, "submission", n);
        let (a, b) = (draw.next(), draw.next());
        let at = self.now.format("%Y%m%d%H%M%S");
        format!(
            "{at}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        )
    }

    /// Puts something on the agenda.
    pub(super) fn put(&mut self, at: DateTime<Utc>, event: Event) {
        self.turn += 1;
        self.agenda.insert((at.max(self.now), self.turn), event);
    }

    /// Lets everything happen that is due.
    pub(super) fn pass(&mut self, now: DateTime<Utc>) {
        let now = now.max(self.now);
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = at.max(self.now);
            self.happen(event);
        }
        self.now = now;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Appear(position) => self.appear(position),
            Event::Again(number) => self.say_order(&number),
            Event::Decrease(number, line, units) => self.decrease(&number, line, units),
            Event::Cancel(number) => self.cancel(&number),
            Event::Arrive(notice) => self.arrive(&notice),
            Event::Pay(door) => self.pay(door),
            Event::Reverse {
                bill,
                order,
                cents,
                door,
            } => self.reverse(&bill, &order, cents, door),
            Event::Say(saying) => self.said.push(*saying),
        }
    }

    /// Makes an order, and puts what will happen to it on the agenda.
    fn appear(&mut self, position: usize) {
        let at = self.now;
        let order = Order::invent(&self.scenario, self.seed, position, at);
        let number = order.number.clone();
        let scenario = self.scenario.clone();
        self.sequence.push(number.clone());
        self.orders.insert(number.clone(), order);
        self.say_order(&number);
        for one in scenario.happens.iter().filter(|one| one.to(position)) {
            let event = match one.what {
                What::Duplicate => Event::Again(number.clone()),
                What::Decrease => Event::Decrease(number.clone(), one.line, one.units),
                What::Cancel => Event::Cancel(number.clone()),
                _ => continue,
            };
            self.put(at + one.delay(), event);
        }
        if position < self.count {
            let last = position.is_multiple_of(scenario.together.max(1));
            let minutes = if last { scenario.every_minutes } else { 0 };
            let next = at + TimeDelta::minutes(minutes);
            self.put(next, Event::Appear(position + 1));
        }
    }

    fn say_order(&mut self, number: &str) {
        if let Some(order) = self.orders.get(number) {
            let document = Document::PurchaseOrder(order.document(&self.scenario));
            self.say(number.to_owned(), document);
        }
    }

    /// Says something about an order, by the order's door.
    pub(super) fn say(&mut self, order: String, document: Document) {
        let door = self
            .orders
            .get(&order)
            .map_or(Door::Edi, |order| order.door);
        self.said.push(Saying {
            at: self.now,
            door,
            order,
            document,
        });
    }

    /// Says a remittance by EDI.
    pub(super) fn say_to_all(&mut self, document: Document) {
        self.said.push(Saying {
            at: self.now,
            door: Door::Edi,
            order: String::new(),
            document,
        });
    }

    fn decrease(&mut self, number: &str, line: usize, units: u32) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(number) else {
            return;
        };
        let at = line.clamp(1, order.lines.len()) - 1;
        let line = &mut order.lines[at];
        // What is shipped cannot be taken back.
        line.ordered = line.ordered.saturating_sub(units).max(line.shipped);
        line.cap();
        (order.changed, order.moved) = (Some(now), now);
        let change = order.change(&[at], now);
        self.say(number.to_owned(), Document::PurchaseOrderChange(change));
    }

    fn cancel(&mut self, number: &str) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(number) else {
            return;
        };
        if order.lines.iter().any(|line| line.shipped > 0) {
            return;
        }
        order.cancelled = true;
        for line in &mut order.lines {
            line.ordered = 0;
            line.cap();
        }
        (order.changed, order.moved) = (Some(now), now);
        let all: Vec<usize> = (0..order.lines.len()).collect();
        let change = order.change(&all, now);
        self.say(number.to_owned(), Document::PurchaseOrderChange(change));
    }

    /// The 824 of what was refused.
    fn advice(&self, id: &str, document: &Document, refused: &Submission) -> Saying {
        let set = set_of(refused.kind).map_or("", |(set, _)| set);
        let error = |reason: &Reason| ApplicationError {
            code: Some("ZZZ".to_owned()),
            message: Some(format!("{} {}", reason.code, reason.sentence)),
            value: Some(reason.path.clone()).filter(|path| !path.is_empty()),
            ..ApplicationError::default()
        };
        let mut advice = ApplicationAdvice {
            purpose: Some(Code::new("original")),
            number: Some(id.to_owned()),
            made: Some(super::order::moment(refused.known)),
            results: vec![ApplicationResult {
                status: Some(Code::new("set_rejected")),
                qualifier: Some(advice::qualifier(set).to_owned()),
                id: document.number().map(str::to_owned),
                set: Some(set.to_owned()).filter(|set| !set.is_empty()),
                errors: refused.reasons.iter().map(error).collect(),
                ..ApplicationResult::default()
            }],
            ..ApplicationAdvice::default()
        };
        advice::fit(&mut advice);
        Saying {
            at: refused.known,
            door: Door::Edi,
            order: refused.order.clone(),
            document: Document::ApplicationAdvice(advice),
        }
    }

    /// Its orders, in the order in which they were made.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Order> {
        let order = |number: &String| self.orders.get(number);
        self.sequence.iter().filter_map(order)
    }
}

impl super::order::Line {
    /// No more is to come than is ordered.
    fn cap(&mut self) {
        self.accepted = self.accepted.min(self.ordered);
        self.backordered = self.backordered.min(self.ordered - self.accepted);
        self.rejected = (self.rejected).min(self.ordered - self.accepted - self.backordered);
    }
}

/// A reason.
pub(super) fn reason(code: &'static str, path: impl Into<String>, sentence: String) -> Reason {
    Reason {
        code,
        path: path.into(),
        sentence,
    }
}
