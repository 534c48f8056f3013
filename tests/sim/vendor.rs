//! A vendor for tests: answers, ships and invoices as its scenario says, on the world itself, without
//! a gateway between. Each paper that is refused is written again as it should be, once.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use transload::canonical::{
    AcknowledgedLine, Charge, Code, Date, Document, Invoice, InvoiceLine, InvoiceTotals, Level,
    LineAcknowledgment, MarkRange, Marks, Moment, OrderReference, PurchaseOrder,
    PurchaseOrderAcknowledgment, Quantity, ShipNotice, ShippedItem,
};
use transload::sim::{Door, Scenario, Verdict, What, World};

/// What the vendor does next about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Answer,
    Notice,
    Bill,
}

/// A run: the world, and the vendor opposite.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) told: Vec<String>,
    /// Documents of the buyer, as JSON, in their order.
    pub(super) said: Vec<String>,
    agenda: BTreeMap<(DateTime<Utc>, u64), (String, Step, bool)>,
    turn: u64,
    orders: BTreeMap<String, (usize, Door, PurchaseOrder)>,
    leaves: BTreeMap<String, DateTime<Utc>>,
    packages: u64,
}

impl Run {
    /// Plays a scenario to where nothing happens any more.
    pub(super) fn play(scenario: Scenario, seed: u64, orders: usize) -> Run {
        let mut run = Run {
            world: World::new(scenario, seed, super::start(), orders),
            told: Vec::new(),
            said: Vec::new(),
            agenda: BTreeMap::new(),
            turn: 0,
            orders: BTreeMap::new(),
            leaves: BTreeMap::new(),
            packages: 0,
        };
        while let Some(now) = run.next() {
            for saying in run.world.due(now) {
                run.said
                    .push(serde_json::to_string(&saying.document).unwrap());
                run.hear(saying.document, saying.door, now);
            }
            while let Some(entry) = run
                .agenda
                .first_entry()
                .filter(|entry| entry.key().0 <= now)
            {
                let (order, step, honest) = entry.remove();
                run.work(&order, step, honest, now);
            }
        }
        run
    }

    fn next(&self) -> Option<DateTime<Utc>> {
        let own = self.agenda.keys().next().map(|(at, _)| *at);
        own.into_iter().chain(self.world.next()).min()
    }

    fn plan(&mut self, at: DateTime<Utc>, order: &str, step: Step, honest: bool) {
        self.turn += 1;
        self.agenda
            .insert((at, self.turn), (order.to_owned(), step, honest));
    }

    fn hear(&mut self, document: Document, door: Door, now: DateTime<Utc>) {
        match document {
            Document::PurchaseOrder(order) => {
                let number = order.number.clone().unwrap();
                if self.orders.contains_key(&number) {
                    return;
                }
                let position = self.world.position(&number).unwrap();
                let hours = |what| self.hours(what, position);
                let answer = now + TimeDelta::hours(1) + hours(What::LateAcknowledgment);
                let leaves = answer + TimeDelta::hours(23) + hours(What::Backorder);
                let told = leaves + TimeDelta::minutes(10) + hours(What::LateNotice);
                self.plan(answer, &number, Step::Answer, false);
                if self.does(What::EarlyInvoice, position) {
                    self.plan(leaves - TimeDelta::hours(1), &number, Step::Bill, false);
                }
                self.plan(told, &number, Step::Notice, false);
                self.plan(told + TimeDelta::hours(3), &number, Step::Bill, false);
                if self.does(What::InvoiceTwice, position) {
                    self.plan(told + TimeDelta::hours(6), &number, Step::Bill, true);
                }
                self.leaves.insert(number.clone(), leaves);
                self.orders.insert(number, (position, door, order));
            }
            Document::PurchaseOrderChange(change) => {
                let number = change.number.unwrap();
                let Some((_, _, order)) = self.orders.get_mut(&number) else {
                    return;
                };
                for line in change.lines {
                    let own = order.lines.iter_mut().find(|one| one.number == line.number);
                    own.unwrap().quantity = line.quantity;
                }
                match change
                    .purpose
                    .is_some_and(|word| word.as_str() == "cancellation")
                {
                    true => drop(self.orders.remove(&number)),
                    false => self.plan(now + TimeDelta::hours(1), &number, Step::Answer, false),
                }
            }
            _ => {}
        }
    }

    fn hours(&self, what: What, position: usize) -> TimeDelta {
        let found = self.world.scenario().happens(what, position);
        found.map_or(TimeDelta::zero(), |one| one.delay())
    }

    fn does(&self, what: What, position: usize) -> bool {
        self.world.scenario().happens(what, position).is_some()
    }

    fn work(&mut self, number: &str, step: Step, honest: bool, now: DateTime<Utc>) {
        let Some((position, door, order)) = self.orders.get(number).cloned() else {
            return;
        };
        let parts = self.parts(&order, position);
        if step != Step::Answer
            && parts
                .iter()
                .all(|(_, accepted, back, _)| accepted + back == 0)
        {
            return;
        }
        let document = match step {
            Step::Answer => answer(&order, &parts, now),
            Step::Notice => self.notice(&order, position, &parts, honest),
            Step::Bill => self.bill(&order, position, &parts, now),
        };
        let verdict = self.world.take(&document, door, now);
        self.told.push(format!("{number} {step:?} {verdict:?}"));
        let early = step == Step::Bill && self.does(What::EarlyInvoice, position);
        if let Verdict::Refused { .. } = verdict
            && !honest
            && !early
        {
            self.plan(now + TimeDelta::minutes(10), number, step, true);
        }
    }

    /// What is said to each line: ordered, accepted, back-ordered, shipped.
    fn parts(&self, order: &PurchaseOrder, position: usize) -> Vec<(u32, u32, u32, u32)> {
        let scenario = self.world.scenario();
        let at = |what, n: usize| {
            let found = scenario.happens(what, position);
            found
                .filter(|one| one.line.clamp(1, order.lines.len()) == n + 1)
                .map(|one| one.units)
        };
        let part = |(n, line): (usize, &transload::canonical::OrderLine)| {
            let ordered = line.quantity.as_ref().unwrap().value.unwrap().to_string();
            let ordered: u32 = ordered.parse().unwrap();
            if self.does(What::RejectOrder, position) || at(What::RejectLine, n).is_some() {
                return (ordered, 0, 0, 0);
            }
            let back = at(What::Backorder, n).unwrap_or(0).min(ordered);
            let short = at(What::PartialShipment, n).unwrap_or(0).min(ordered);
            (ordered, ordered - back, back, ordered - short)
        };
        order.lines.iter().enumerate().map(part).collect()
    }

    fn notice(
        &mut self,
        order: &PurchaseOrder,
        position: usize,
        parts: &[(u32, u32, u32, u32)],
        honest: bool,
    ) -> Document {
        let over = self
            .world
            .scenario()
            .happens(What::OverShipment, position)
            .cloned();
        let over = over.filter(|_| !honest);
        let wrong = !honest && self.does(What::WrongSscc, position);
        let mut cartons = Vec::new();
        for (n, (line, part)) in order.lines.iter().zip(parts).enumerate() {
            let extra = over
                .as_ref()
                .filter(|one| one.line.clamp(1, parts.len()) == n + 1);
            let count = part.3 + extra.map_or(0, |one| one.units);
            if count == 0 {
                continue;
            }
            self.packages += 1;
            let body = format!("0099999{:010}", self.packages);
            let digit = (digit(&body) + u32::from(wrong)) % 10;
            let range = MarkRange {
                qualifier: Some(Code::new("sscc")),
                first: Some(format!("{body}{digit}")),
                ..Default::default()
            };
            let item = ShippedItem {
                number: line.number.clone(),
                ids: line.ids.clone(),
                quantity: quantity(count),
                ..Default::default()
            };
            cartons.push(Level {
                level: Some(Code::new("pack")),
                marks: vec![Marks {
                    ranges: vec![range],
                    ..Default::default()
                }]
                .into(),
                levels: vec![Level {
                    level: Some(Code::new("item")),
                    item: Some(Box::new(item)),
                    ..Default::default()
                }]
                .into(),
                ..Default::default()
            });
        }
        let number = order.number.clone().unwrap();
        let leaves = self.leaves[&number];
        let order = Level {
            level: Some(Code::new("order")),
            order: Some(Box::new(OrderReference {
                number: Some(number.clone()),
                ..Default::default()
            })),
            levels: cartons.into(),
            ..Default::default()
        };
        Document::ShipNotice(ShipNotice {
            purpose: Some(Code::new("original")),
            number: Some(format!("SN{number}")),
            shipped: Some(moment(leaves)),
            expected: Some(moment(leaves + TimeDelta::days(3))),
            levels: vec![Level {
                level: Some(Code::new("shipment")),
                levels: vec![order].into(),
                ..Default::default()
            }],
            ..Default::default()
        })
    }

    fn bill(
        &self,
        order: &PurchaseOrder,
        position: usize,
        parts: &[(u32, u32, u32, u32)],
        now: DateTime<Utc>,
    ) -> Document {
        let scenario = self.world.scenario();
        let dear = scenario.happens(What::InvoicePrice, position);
        let freight = scenario
            .happens(What::InvoiceFreight, position)
            .map_or(0, |one| one.cents);
        let mut total = freight;
        let mut lines = Vec::new();
        for (n, (line, part)) in order.lines.iter().zip(parts).enumerate() {
            if part.3 == 0 {
                continue;
            }
            let price = cents(&line.price.as_ref().unwrap().amount.unwrap().to_string());
            let here = dear.filter(|one| one.line.clamp(1, parts.len()) == n + 1);
            let price = price + here.map_or(0, |one| one.cents);
            total += price * i64::from(part.3);
            let mut money = line.price.clone();
            money.as_mut().unwrap().amount = decimal(price);
            lines.push(InvoiceLine {
                number: line.number.clone(),
                quantity: quantity(part.3),
                price: money,
                ids: line.ids.clone(),
                ..Default::default()
            });
        }
        let number = order.number.clone().unwrap();
        let charge = Charge {
            kind: Some(Code::new("charge")),
            amount: decimal(freight),
            ..Default::default()
        };
        Document::Invoice(Invoice {
            invoiced_on: Some(Date::new(now.date_naive())),
            number: Some(format!("R{number}")),
            order_number: Some(number),
            lines,
            charges: if freight == 0 {
                Vec::new()
            } else {
                vec![charge]
            },
            totals: Some(InvoiceTotals {
                total: decimal(total),
                ..Default::default()
            }),
            ..Default::default()
        })
    }
}

fn answer(order: &PurchaseOrder, parts: &[(u32, u32, u32, u32)], now: DateTime<Utc>) -> Document {
    let line = |(line, part): (&transload::canonical::OrderLine, &(u32, u32, u32, u32))| {
        let (ordered, accepted, back, _) = *part;
        let said = [
            ("accepted", accepted),
            ("backordered", back),
            ("rejected", ordered - accepted - back),
        ];
        let said = said.into_iter().filter(|(_, count)| *count > 0);
        let said = said.map(|(word, count)| LineAcknowledgment {
            status: Some(Code::new(word)),
            quantity: quantity(count),
            ..Default::default()
        });
        AcknowledgedLine {
            number: line.number.clone(),
            quantity: line.quantity.clone(),
            price: line.price.clone(),
            ids: line.ids.clone(),
            acknowledgments: said.collect(),
            ..Default::default()
        }
    };
    Document::PurchaseOrderAcknowledgment(PurchaseOrderAcknowledgment {
        purpose: Some(Code::new("original")),
        order_number: order.number.clone(),
        acknowledged_on: Some(Date::new(now.date_naive())),
        lines: order.lines.iter().zip(parts).map(line).collect(),
        ..Default::default()
    })
}

fn quantity(units: u32) -> Option<Quantity> {
    Some(Quantity {
        value: units.to_string().parse().ok(),
        unit: Some(Code::new("each")),
        ..Default::default()
    })
}

fn moment(at: DateTime<Utc>) -> Moment {
    Moment {
        date: Some(Date::new(at.date_naive())),
        time: at.format("%H:%M").to_string().parse().ok(),
        ..Default::default()
    }
}

/// `12.30` → 1230.
fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

fn decimal(cents: i64) -> Option<transload::canonical::Decimal> {
    format!("{}.{:02}", cents / 100, cents % 100).parse().ok()
}

/// The check digit by the book: weights 3 and 1 from the right.
pub(super) fn digit(body: &str) -> u32 {
    let digits = body.chars().rev().map(|c| c.to_digit(10).unwrap());
    let sum: u32 = digits
        .enumerate()
        .map(|(n, d)| if n % 2 == 0 { 3 * d } else { d })
        .sum();
    (10 - sum % 10) % 10
}

/// Honest papers of one order, for tests that break them.
pub(super) struct Papers {
    pub(super) order: PurchaseOrder,
    leaves: DateTime<Utc>,
}

impl Papers {
    pub(super) fn of(order: PurchaseOrder, leaves: DateTime<Utc>) -> Papers {
        Papers { order, leaves }
    }

    fn run(&self) -> Run {
        let scenario = Scenario::named("standard").unwrap();
        let mut run = Run {
            world: World::new(scenario, 0, super::start(), 0),
            told: Vec::new(),
            said: Vec::new(),
            agenda: BTreeMap::new(),
            turn: 0,
            orders: BTreeMap::new(),
            leaves: BTreeMap::new(),
            packages: 0,
        };
        run.leaves
            .insert(self.order.number.clone().unwrap(), self.leaves);
        run
    }

    pub(super) fn answer(&self, now: DateTime<Utc>) -> Document {
        answer(&self.order, &self.run().parts(&self.order, 1), now)
    }

    pub(super) fn notice(&self, number: &str) -> Document {
        let mut run = self.run();
        let parts = run.parts(&self.order, 1);
        let Document::ShipNotice(mut notice) = run.notice(&self.order, 1, &parts, true) else {
            unreachable!("a notice is a notice")
        };
        notice.number = Some(number.to_owned());
        Document::ShipNotice(notice)
    }

    pub(super) fn bill(&self, number: &str, now: DateTime<Utc>) -> Document {
        let run = self.run();
        let parts = run.parts(&self.order, 1);
        let Document::Invoice(mut bill) = run.bill(&self.order, 1, &parts, now) else {
            unreachable!("an invoice is an invoice")
        };
        bill.number = Some(number.to_owned());
        Document::Invoice(bill)
    }
}
