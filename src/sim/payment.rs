//! Payment: by terms on the clock, with what is taken off it, and a remittance that says so.
//!
//! | item of a remittance | is |
//! |---|---|
//! | `R-1` | invoice R-1 in full, less the discount for early payment |
//! | `R-1SC` | missing goods of it, taken off |
//! | `R-1SCR` | that, paid back |
//! | `R-1PC` | what was dearer than agreed, or not agreed at all, taken off |
//! | `VCBSINV7` | a chargeback, taken off |
//! | `PROVISION7` | a provision for what will be claimed, held back |

use chrono::{DateTime, Utc};

use super::Door;
use super::VENDOR_CODE;
use super::bill::Bill;
use super::ledger::{Difference, Step};
use super::order::money;
use super::scenario::What;
use super::world::{Event, World};
use crate::canonical::{
    Code, Currency, Date, DateReference, Document, Identifier, Moment, PaidItem, Party, Reference,
    Remittance, RemittanceAdvice,
};

/// A payment that was made.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) number: String,
    pub(super) at: DateTime<Utc>,
    pub(super) items: Vec<Item>,
}

/// One item of a payment.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What it is called in the remittance.
    pub(super) id: String,
    /// The invoice that it came with.
    pub(super) bill: String,
    pub(super) order: String,
    /// Why, where it takes something off or pays it back.
    pub(super) reason: Option<&'static str>,
    /// What was invoiced; nothing of what takes off.
    pub(super) invoiced: i64,
    /// Taken off for early payment.
    pub(super) discount: i64,
    /// What is paid; negative takes off.
    pub(super) paid: i64,
}

impl Payment {
    pub(super) fn total(&self) -> i64 {
        self.items.iter().map(|item| item.paid).sum()
    }
}

impl World {
    /// What was remitted so far, in cents.
    pub(super) fn remitted(&self) -> i64 {
        self.payments.iter().map(Payment::total).sum()
    }

    /// Pays what is due at a door.
    pub(super) fn pay(&mut self, door: Door) {
        let now = self.now();
        let mut numbers = Vec::new();
        let span = (door, DateTime::UNIX_EPOCH)..=(door, now);
        while let Some((key, _)) = self.unpaid.range(span.clone()).next() {
            let key = *key;
            numbers.extend(self.unpaid.remove(&key).unwrap_or_default());
        }
        let due = |number: &String| self.bills.get(number).cloned();
        let bills: Vec<Bill> = numbers.iter().filter_map(due).collect();
        let mut items = Vec::new();
        for bill in bills {
            self.settle(&bill, &mut items);
        }
        self.remit(door, items);
    }

    /// Settles an invoice: what is paid of it, and what is taken off.
    fn settle(&mut self, bill: &Bill, items: &mut Vec<Item>) {
        let now = self.now();
        let points = self.scenario().terms.discount_basis_points;
        let start = items.len();
        for (number, part) in &bill.parts {
            let item = |id: String, reason: Option<&'static str>, paid: i64| Item {
                id,
                bill: bill.number.clone(),
                order: number.clone(),
                reason,
                invoiced: 0,
                discount: 0,
                paid,
            };
            // Half a cent goes to the payer.
            let discount = (part.cents * points + 5_000) / 10_000;
            items.push(Item {
                invoiced: part.cents,
                discount,
                ..item(bill.number.clone(), None, part.cents - discount)
            });
            let (mut short, mut dear) = (0, part.charges);
            let Some(order) = self.orders.get_mut(number) else {
                continue;
            };
            for (line, count, price) in &part.lines {
                let line = &mut order.lines[*line];
                let missing = (line.arrived - line.received - line.claimed).min(*count);
                line.claimed += missing;
                short += i64::from(missing) * price;
                dear += i64::from(count - missing) * (price - line.price).max(0);
            }
            let goods: i64 = part
                .lines
                .iter()
                .map(|(line, count, _)| order.lines[*line].cents(*count))
                .sum();
            let position = order.position;
            let late = goods * self.late_cost(number) / 10_000;
            let extra = |what: What| {
                self.scenario()
                    .happens(what, position)
                    .map_or(0, |one| one.cents)
            };
            let n = position;
            for (id, reason, cents) in [
                (format!("{}SC", bill.number), "shortage", short),
                (format!("{}PC", bill.number), "price_claim", dear),
                (format!("VCBSINV{n}L"), "late_notice", late),
                (format!("VCBSINV{n}"), "chargeback", extra(What::Chargeback)),
                (format!("PROVISION{n}"), "provision", extra(What::Provision)),
            ] {
                if cents != 0 {
                    items.push(item(id, Some(reason), -cents));
                }
            }
            let back = self.scenario().happens(What::Reversal, position);
            if let Some(delay) = back.filter(|_| short > 0).map(|one| one.delay()) {
                let event = Event::Reverse {
                    bill: bill.number.clone(),
                    order: number.clone(),
                    cents: short,
                    door: bill.door,
                };
                self.put(now + delay, event);
            }
        }
        let settled: Vec<Item> = items[start..].to_vec();
        self.write_off(bill, &settled);
    }

    /// Writes into the orders and the bill what its payment says.
    fn write_off(&mut self, bill: &Bill, items: &[Item]) {
        let now = self.now();
        for item in items {
            let Some(order) = self.orders.get_mut(&item.order) else {
                continue;
            };
            order.paid += item.paid;
            order.moved = now;
            let mut entry = |reason: &'static str, cents: i64| {
                if cents != 0 {
                    let step = Step::Payment;
                    order.entries.push(Difference {
                        step,
                        reason,
                        cents,
                    });
                }
            };
            match item.reason {
                Some(reason) => entry(reason, item.paid),
                None => {
                    entry("discount", -item.discount);
                    order.open -= 1;
                    order.open_cents -= item.invoiced;
                }
            }
        }
        if let Some(bill) = self.bills.get_mut(&bill.number) {
            bill.settled = Some(now);
            for item in items {
                match item.reason {
                    Some(reason) => bill.taken_off.push((reason, -item.paid)),
                    None if item.discount != 0 => bill.taken_off.push(("discount", item.discount)),
                    None => {}
                }
            }
        }
    }

    /// Pays a shortage back.
    pub(super) fn reverse(&mut self, bill: &str, order: &str, cents: i64, door: Door) {
        let item = Item {
            id: format!("{bill}SCR"),
            bill: bill.to_owned(),
            order: order.to_owned(),
            reason: Some("reversal"),
            invoiced: 0,
            discount: 0,
            paid: cents,
        };
        if let Some(order) = self.orders.get_mut(order) {
            order.paid += cents;
            order.entries.push(Difference {
                step: Step::Payment,
                reason: "reversal",
                cents,
            });
        }
        if let Some(bill) = self.bills.get_mut(bill) {
            bill.taken_off.push(("reversal", -cents));
        }
        self.remit(door, vec![item]);
    }

    /// Pays these items, and says so where that is said by EDI.
    fn remit(&mut self, door: Door, items: Vec<Item>) {
        if items.is_empty() {
            return;
        }
        let payment = Payment {
            number: format!(
                "{}{:06}",
                self.now().format("%Y%m%d"),
                self.payments.len() + 1
            ),
            at: self.now(),
            items,
        };
        for item in &payment.items {
            if let Some(bill) = self.bills.get_mut(&item.bill) {
                bill.paid += item.paid;
                if bill.payments.last() != Some(&payment.number) {
                    bill.payments.push(payment.number.clone());
                }
            }
        }
        if door == Door::Edi {
            self.say_to_all(Document::RemittanceAdvice(payment.document()));
        }
        self.payments.push(payment);
    }
}

impl Payment {
    /// The remittance that says it.
    pub(super) fn document(&self) -> RemittanceAdvice {
        let day = Date::new(self.at.date_naive());
        let party = |name: &str, id: &str| Party {
            name: Some(name.to_owned()),
            id: Some(Identifier {
                qualifier: Some(Code::new("assigned_by_buyer")),
                id: Some(id.to_owned()),
                ..Identifier::default()
            }),
            ..Party::default()
        };
        RemittanceAdvice {
            handling: Some(Code::new("payment_and_remittance")),
            total: Some(money(self.total().max(0))),
            credit_debit: Some("C".to_owned()),
            method: Some(Code::new("ach")),
            paid_on: Some(day),
            trace: Some("1".to_owned()),
            number: Some(self.number.clone()),
            currency: Some(Currency {
                role: Some("PR".to_owned()),
                code: Some("USD".to_owned()),
                ..Currency::default()
            }),
            dates: vec![DateReference {
                qualifier: Some("097".to_owned()),
                moment: Some(Moment {
                    date: Some(day),
                    ..Moment::default()
                }),
                ..DateReference::default()
            }],
            payer: Some(party("Buyer in the box", "SIMPAY")),
            payee: Some(party("Vendor of the box", VENDOR_CODE)),
            remittances: vec![Remittance {
                number: Some("1".to_owned()),
                items: self.items.iter().map(Item::document).collect(),
                ..Remittance::default()
            }],
            ..RemittanceAdvice::default()
        }
    }
}

impl Item {
    fn document(&self) -> PaidItem {
        let amount = |cents: i64| (cents != 0).then(|| money(cents));
        PaidItem {
            qualifier: Some("IV".to_owned()),
            id: Some(self.id.clone()),
            paid: Some(money(self.paid)),
            invoiced: amount(self.invoiced),
            discount: amount(self.discount),
            references: vec![Reference {
                qualifier: Some("PO".to_owned()),
                id: Some(self.order.clone()),
                ..Reference::default()
            }],
            ..PaidItem::default()
        }
    }
}
