//! The papers of a vendor that does nothing wrong: what is accepted, packed and billed, as documents.
//!
//! They are pure functions of an order and of how much of each line is meant. Who he is, where he
//! ships from and how he numbers things is made up here.

use chrono::{DateTime, NaiveDate, Utc};

use crate::canonical::{
    AcknowledgedLine, Address, Code, Currency, Date, Decimal, Identifier, Invoice, InvoiceLine,
    InvoiceTotals, Lading, Level, LineAcknowledgment, MarkRange, Marks, Moment, OrderLine,
    OrderReference, Party, PurchaseOrder, PurchaseOrderAcknowledgment, Quantity, Reference,
    Routing, ShipNotice, ShippedItem, Terms,
};
use crate::sim::with_check_digit;

/// Most units in one carton.
const CARTON: u32 = 48;
/// What the number of a ship notice begins with; its order's follows.
const NOTICE: &str = "SN-";
/// What the number of an invoice begins with; its order's follows.
const INVOICE: &str = "R-";
/// The GS1 company prefix of nobody.
const PREFIX: &str = "0999999";
/// Days until an invoice is due.
pub(super) const NET_DAYS: u32 = 60;

/// The order that a paper of this number is about.
pub(super) fn order_of(number: &str) -> &str {
    let cut = |prefix| number.strip_prefix(prefix);
    cut(NOTICE).or_else(|| cut(INVOICE)).unwrap_or(number)
}

fn word(text: &str) -> Option<Code> {
    Some(Code::new(text))
}

fn date(at: DateTime<Utc>) -> Option<Date> {
    Some(Date::new(at.date_naive()))
}

fn moment(at: DateTime<Utc>) -> Moment {
    Moment {
        date: date(at),
        time: at.format("%H:%M").to_string().parse().ok(),
        ..Moment::default()
    }
}

fn decimal(units: u32) -> Option<Decimal> {
    units.to_string().parse().ok()
}

fn eaches(units: u32) -> Option<Quantity> {
    Some(Quantity {
        value: decimal(units),
        unit: word("each"),
        ..Quantity::default()
    })
}

/// Cents as dollars.
pub(super) fn money(cents: i64) -> Option<Decimal> {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    format!("{sign}{whole}.{rest:02}").parse().ok()
}

/// Dollars as cents; nothing where there is a part of a cent.
pub(super) fn cents(amount: Decimal) -> Option<i64> {
    let mut amount = amount.value();
    amount.rescale(2);
    amount.to_string().replace('.', "").parse().ok()
}

/// How many of a line are ordered.
pub(super) fn ordered(line: &OrderLine) -> u32 {
    let value = line.quantity.as_ref().and_then(|quantity| quantity.value);
    value.map_or(0, |value| {
        value.value().normalize().to_string().parse().unwrap_or(0)
    })
}

/// A line's price, in cents.
pub(super) fn price(line: &OrderLine) -> i64 {
    let price = line.price.as_ref().and_then(|price| price.amount);
    price.and_then(cents).unwrap_or(0)
}

/// What is said to one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) accepted: u32,
    pub(super) backordered: u32,
    pub(super) rejected: u32,
}

/// The answer to an order, line by line.
pub(super) fn acknowledgment(
    order: &PurchaseOrder,
    answers: &[Answered],
    at: DateTime<Utc>,
) -> PurchaseOrderAcknowledgment {
    let said = |status: &str, units: u32| {
        (units > 0).then(|| LineAcknowledgment {
            status: word(status),
            quantity: eaches(units),
            ..LineAcknowledgment::default()
        })
    };
    let line = |(line, answer): (&OrderLine, &Answered)| AcknowledgedLine {
        number: line.number.clone(),
        quantity: line.quantity.clone(),
        price: line.price.clone(),
        ids: line.ids.clone(),
        acknowledgments: [
            said("accepted", answer.accepted),
            said("backordered", answer.backordered),
            said("rejected", answer.rejected),
        ]
        .into_iter()
        .flatten()
        .collect(),
        ..AcknowledgedLine::default()
    };
    let whole = order.lines.iter().zip(answers);
    let changed = whole
        .clone()
        .any(|(line, answer)| answer.accepted != ordered(line));
    PurchaseOrderAcknowledgment {
        purpose: word("original"),
        status: word(match changed {
            true => "accepted_with_detail_and_change",
            false => "accepted_with_detail_no_change",
        }),
        order_number: order.number.clone(),
        ordered_on: order.ordered_on,
        acknowledged_on: date(at),
        lines: whole.map(line).collect(),
        ..PurchaseOrderAcknowledgment::default()
    }
}

/// The SSCC of a carton, 18 digits: `order` is the order's place among the vendor's orders.
pub(super) fn sscc(order: usize, carton: usize) -> String {
    with_check_digit(format!(
        "0{PREFIX}{:09}",
        (order * 1000 + carton) % 1_000_000_000
    ))
}

/// Where the goods are.
fn warehouse() -> Party {
    Party {
        name: Some("Simulated Vendor".to_owned()),
        id: Some(Identifier {
            qualifier: word("assigned_by_buyer"),
            id: Some("SIMVN".to_owned()),
            ..Identifier::default()
        }),
        address: Some(Address {
            lines: vec!["1 Loopback Road".to_owned()],
            city: Some("Columbus".to_owned()),
            state: Some("OH".to_owned()),
            postal_code: Some("43085".to_owned()),
            country: Some("US".to_owned()),
            ..Address::default()
        }),
        ..Party::default()
    }
}

fn reference(qualifier: &str, id: String) -> Reference {
    Reference {
        qualifier: Some(qualifier.to_owned()),
        id: Some(id),
        ..Reference::default()
    }
}

/// The ship notice of so many units of each line: cartons of one item each, below their order.
/// `position` is the order's place among the vendor's orders, `mark` a carton's SSCC by its place,
/// from 1.
pub(super) fn notice(
    order: &PurchaseOrder,
    units: &[u32],
    position: usize,
    (left, told): (DateTime<Utc>, DateTime<Utc>),
    mark: &dyn Fn(usize) -> String,
) -> ShipNotice {
    let number = order.number.clone().unwrap_or_default();
    let mut cartons: Vec<Level> = Vec::new();
    for (line, &units) in order.lines.iter().zip(units) {
        let mut left = units;
        while left > 0 {
            let packed = left.min(CARTON);
            left -= packed;
            cartons.push(carton(line, packed, mark(cartons.len() + 1)));
        }
    }
    let count = u32::try_from(cartons.len()).unwrap_or(u32::MAX);
    let orders = Level {
        level: word("order"),
        order: Some(Box::new(OrderReference {
            number: order.number.clone(),
            ordered_on: order.ordered_on,
            ..OrderReference::default()
        })),
        levels: cartons.into(),
        ..Level::default()
    };
    let shipment = Level {
        level: word("shipment"),
        lading: vec![Lading {
            packaging: Some("CTN".to_owned()),
            count: Some(count),
            weight_qualifier: Some("G".to_owned()),
            weight: decimal(count * 12),
            weight_unit: word("pound"),
            ..Lading::default()
        }]
        .into(),
        routing: vec![Routing {
            carrier_qualifier: word("scac"),
            carrier: Some("SIMC".to_owned()),
            mode: Some("M".to_owned()),
            ..Routing::default()
        }]
        .into(),
        references: vec![
            reference("BM", format!("SIMVN{number}")),
            reference("CN", format!("PRO{position:07}")),
        ]
        .into(),
        shipped: Some(Box::new(moment(left))),
        expected: Some(Box::new(moment(left + chrono::TimeDelta::days(6)))),
        ship_from: Some(Box::new(warehouse())),
        ship_to: order.ship_to.clone().map(Box::new),
        levels: vec![orders].into(),
        ..Level::default()
    };
    ShipNotice {
        purpose: word("original"),
        number: Some(format!("{NOTICE}{number}")),
        made: Some(moment(told)),
        structure: Some("0001".to_owned()),
        levels: vec![shipment],
        ..ShipNotice::default()
    }
}

fn carton(line: &OrderLine, units: u32, mark: String) -> Level {
    let item = Level {
        level: word("item"),
        item: Some(Box::new(ShippedItem {
            number: line.number.clone(),
            ids: line.ids.clone(),
            quantity: eaches(units),
            ..ShippedItem::default()
        })),
        ..Level::default()
    };
    let range = MarkRange {
        qualifier: word("sscc"),
        first: Some(mark),
        ..MarkRange::default()
    };
    let marks = Marks {
        ranges: vec![range],
        ..Marks::default()
    };
    Level {
        level: word("pack"),
        marks: vec![marks].into(),
        levels: vec![item].into(),
        ..Level::default()
    }
}

/// The invoice of so many units of each line, at the order's prices.
pub(super) fn invoice(order: &PurchaseOrder, units: &[u32], today: NaiveDate) -> Invoice {
    let billed = order
        .lines
        .iter()
        .zip(units)
        .filter(|(_, units)| **units > 0);
    let line = |(line, units): (&OrderLine, &u32)| InvoiceLine {
        number: line.number.clone(),
        quantity: eaches(*units),
        price: line.price.clone(),
        ids: line.ids.clone(),
        references: vec![reference("PO", order.number.clone().unwrap_or_default())],
        ..InvoiceLine::default()
    };
    let total = billed
        .clone()
        .map(|(line, units)| price(line) * i64::from(*units))
        .sum();
    let number = order.number.as_deref().unwrap_or_default();
    Invoice {
        invoiced_on: Some(Date::new(today)),
        number: Some(format!("{INVOICE}{number}")),
        ordered_on: order.ordered_on,
        order_number: order.number.clone(),
        currency: Some(Currency {
            role: Some("SE".to_owned()),
            code: Some("USD".to_owned()),
            ..Currency::default()
        }),
        remit_to: Some(Party {
            role: Some("RE".to_owned()),
            ..warehouse()
        }),
        bill_to: Some(buyer()),
        ship_to: order.ship_to.clone(),
        terms: vec![Terms {
            kind: word("basic"),
            from: word("invoice_date"),
            net_days: Some(NET_DAYS),
            ..Terms::default()
        }],
        lines: billed.map(line).collect(),
        totals: Some(InvoiceTotals {
            total: money(total),
            ..InvoiceTotals::default()
        }),
        ..Invoice::default()
    }
}

/// Who is billed, in full.
fn buyer() -> Party {
    Party {
        name: Some("Simulated Buyer".to_owned()),
        id: Some(Identifier {
            qualifier: word("assigned_by_buyer"),
            id: Some("SIMAP".to_owned()),
            ..Identifier::default()
        }),
        address: Some(Address {
            lines: vec!["2 Loopback Road".to_owned()],
            city: Some("Seattle".to_owned()),
            state: Some("WA".to_owned()),
            postal_code: Some("98109".to_owned()),
            country: Some("US".to_owned()),
            ..Address::default()
        }),
        ..Party::default()
    }
}
