//! An order: how it is invented, what is known of it, and the documents that say it.

use chrono::{DateTime, Duration, Utc};

use super::scenario::{Scenario, What};
use super::seed::Seed;
use super::{Door, VENDOR_CODE};
use crate::canonical::{
    ChangedLine, Code, Date, Decimal, Identifier, ItemId, Moment, Money, OrderLine, Party,
    PurchaseOrder, PurchaseOrderChange, Quantity, SalesRequirement, Window, check_digit,
};

/// Items that a vendor sells: enough for orders to differ.
const ITEMS: u64 = 40;
/// Lines of the longest order.
const LINES: u64 = 4;
/// Warehouses, by codes that nobody has.
const WAREHOUSES: [&str; 4] = ["SIM1", "SIM2", "SIM3", "SIM4"];
/// Days from the order to the first day of delivery, and how many there are.
const DELIVERY: (i64, i64) = (7, 7);

/// An item, as the buyer lists it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The buyer's number.
    pub(super) asin: String,
    /// UPC, twelve digits.
    pub(super) upc: String,
    /// Price of one, in cents.
    pub(super) price: i64,
    /// How many are in a case.
    pub(super) case: u32,
}

impl Item {
    fn invent(seed: u64, n: u64) -> Item {
        let mut draw = Seed::of(seed, "item", n);
        // The manufacturer 999999 is nobody.
        let body = format!("099999{:05}", n * 7 + 101);
        Item {
            asin: format!("B0SIM{n:05}"),
            upc: with_check_digit(body),
            price: i64::try_from(250 + draw.below(5_750)).unwrap_or(250),
            case: [4, 6, 8, 12][usize::try_from(draw.below(4)).unwrap_or(0)],
        }
    }
}

/// A GS1 number of these digits.
pub(crate) fn with_check_digit(mut digits: String) -> String {
    digits.extend(check_digit(digits.as_bytes()).map(char::from));
    digits
}

/// A line, and how far it has come. Quantities are in eaches.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) item: Item,
    /// As first ordered.
    pub(super) first: u32,
    /// As ordered now.
    pub(super) ordered: u32,
    /// What was said to it last.
    pub(super) accepted: u32,
    pub(super) backordered: u32,
    pub(super) rejected: u32,
    /// When it was said; never yet.
    pub(super) answered: Option<DateTime<Utc>>,
    /// Whether the whole of it was rejected once: it cannot be accepted any more.
    pub(super) killed: bool,
    /// The price that counts, in cents.
    pub(super) price: i64,
    pub(super) shipped: u32,
    /// How much of that has arrived at the dock, and how much was found there.
    pub(super) arrived: u32,
    pub(super) received: u32,
    pub(super) invoiced: u32,
    /// Missing units that were claimed in a payment.
    pub(super) claimed: u32,
}

impl Line {
    /// What may be shipped in all.
    pub(super) fn due(&self) -> u32 {
        self.accepted + self.backordered
    }

    /// Cents of so many of it.
    pub(super) fn cents(&self, units: u32) -> i64 {
        self.price * i64::from(units)
    }
}

/// An order in the buyer's books.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// From 1.
    pub(super) position: usize,
    pub(super) number: String,
    pub(super) door: Door,
    pub(super) created: DateTime<Utc>,
    /// When it was changed last, by the buyer.
    pub(super) changed: Option<DateTime<Utc>>,
    /// When its state changed last.
    pub(super) moved: DateTime<Utc>,
    pub(super) cancelled: bool,
    /// How often the buyer changed it.
    pub(super) changes: u32,
    /// When it was acknowledged first.
    pub(super) acknowledged: Option<DateTime<Utc>>,
    /// When its last notice came that came after the goods had left.
    pub(super) late: Option<DateTime<Utc>>,
    pub(super) warehouse: &'static str,
    pub(super) lines: Vec<Line>,
    /// What was said of its money after the order: invoices, payments, deductions.
    pub(super) entries: Vec<super::ledger::Difference>,
    /// Cents that invoices which count say.
    pub(super) invoiced: i64,
    /// Cents that were paid.
    pub(super) paid: i64,
    /// Invoices that count and are not settled.
    pub(super) open: usize,
    /// What they come to for this order, in cents.
    pub(super) open_cents: i64,
}

impl Order {
    /// The order of this position, from 1: the same whatever the others are.
    pub(super) fn invent(
        scenario: &Scenario,
        seed: u64,
        position: usize,
        created: DateTime<Utc>,
    ) -> Order {
        let mut draw = Seed::of(seed, "order", position as u64);
        let count = 1 + draw.below(LINES);
        let first = draw.below(ITEMS);
        let lines = (0..count).map(|n| {
            // Items of an order differ: an answer by item is clear.
            let item = Item::invent(seed, (first + n * 7) % ITEMS);
            let units = item.case * u32::try_from(1 + draw.below(9)).unwrap_or(1);
            Line {
                price: item.price,
                item,
                first: units,
                ordered: units,
                accepted: 0,
                backordered: 0,
                rejected: 0,
                answered: None,
                killed: false,
                shipped: 0,
                arrived: 0,
                received: 0,
                invoiced: 0,
                claimed: 0,
            }
        });
        let lines = lines.collect();
        let place = usize::try_from(draw.below(WAREHOUSES.len() as u64)).unwrap_or(0);
        // Eight characters: three of the seed, so that two runs do not meet; five that count.
        let run = Seed::of(seed, "run", 0).word(3);
        Order {
            position,
            number: format!("{run}{}", base36(position, 5)),
            door: scenario.door(position),
            created,
            changed: None,
            moved: created,
            cancelled: false,
            changes: 0,
            acknowledged: None,
            late: None,
            warehouse: WAREHOUSES[place],
            lines,
            entries: Vec::new(),
            invoiced: 0,
            paid: 0,
            open: 0,
            open_cents: 0,
        }
    }

    /// The order as it stands, as a document.
    pub(super) fn document(&self, scenario: &Scenario) -> PurchaseOrder {
        let backorder = scenario.happens(What::Backorder, self.position).is_some();
        let word = match backorder {
            true => "back_order_if_out_of_stock",
            false => "no_back_order",
        };
        let day = |days: i64| Some(moment(midnight(self.created) + Duration::days(days)));
        PurchaseOrder {
            purpose: Some(Code::new("original")),
            kind: Some(Code::new("new_order")),
            number: Some(self.number.clone()),
            ordered_on: Some(Date::new(self.created.date_naive())),
            vendor_number: Some(VENDOR_CODE.to_owned()),
            sales_requirements: vec![SalesRequirement {
                requirement: Some(Code::new(word)),
                ..SalesRequirement::default()
            }],
            delivery_window: Some(Window {
                from: day(DELIVERY.0),
                to: day(DELIVERY.0 + DELIVERY.1),
                ..Window::default()
            }),
            ship_to: Some(self.ship_to()),
            lines: (self.lines.iter().zip(1..))
                .map(|(line, n)| line.document(n))
                .collect(),
            ..PurchaseOrder::default()
        }
    }

    /// What a change says: every line whose quantity is another one, or that all are cancelled.
    pub(super) fn change(&mut self, lines: &[usize], at: DateTime<Utc>) -> PurchaseOrderChange {
        let changed = |&n: &usize| {
            let line = &self.lines[n];
            let whole = line.document(n + 1);
            ChangedLine {
                number: whole.number,
                change: Some(Code::new(match line.ordered {
                    0 => "deleted",
                    _ => "quantity_decreased",
                })),
                quantity: whole.quantity,
                left_to_receive: Some(decimal(line.ordered)),
                price: whole.price,
                ids: whole.ids,
                ..ChangedLine::default()
            }
        };
        self.changes += 1;
        PurchaseOrderChange {
            change_number: Some(self.changes.to_string()),
            purpose: Some(Code::new(match self.cancelled {
                true => "cancellation",
                false => "change",
            })),
            kind: Some(Code::new("new_order")),
            number: Some(self.number.clone()),
            ordered_on: Some(Date::new(self.created.date_naive())),
            changed_on: Some(Date::new(at.date_naive())),
            vendor_number: Some(VENDOR_CODE.to_owned()),
            ship_to: Some(self.ship_to()),
            lines: lines.iter().map(changed).collect(),
            ..PurchaseOrderChange::default()
        }
    }

    fn ship_to(&self) -> Party {
        Party {
            id: Some(Identifier {
                qualifier: Some(Code::new("assigned_by_buyer")),
                id: Some(self.warehouse.to_owned()),
                ..Identifier::default()
            }),
            ..Party::default()
        }
    }

    /// The line that an answer means by its number, which counts from 1.
    pub(super) fn numbered(&self, number: &str) -> Option<usize> {
        let n: usize = number.trim().parse().ok()?;
        (1..=self.lines.len()).contains(&n).then(|| n - 1)
    }

    /// The line whose item has one of these ids.
    pub(super) fn listed(&self, ids: &[ItemId]) -> Option<usize> {
        let is = |line: &Line| ids.iter().any(|id| line.item.is(id));
        self.lines.iter().position(is)
    }

    /// Whether it was acknowledged with nothing of it to come.
    pub(super) fn rejected(&self) -> bool {
        self.acknowledged.is_some() && self.lines.iter().all(|line| line.due() == 0)
    }
}

impl Item {
    /// Whether an id is one of it, with or without the zeros of a longer GTIN.
    pub(super) fn is(&self, id: &ItemId) -> bool {
        let Some(id) = id.id.as_deref() else {
            return false;
        };
        id == self.asin || (id.len() >= 12 && id.trim_start_matches('0') == &self.upc[1..])
    }
}

impl Line {
    fn document(&self, number: usize) -> OrderLine {
        let id = |qualifier: &str, id: &str| ItemId {
            qualifier: Some(Code::new(qualifier)),
            id: Some(id.to_owned()),
            ..ItemId::default()
        };
        OrderLine {
            number: Some(number.to_string()),
            quantity: Some(Quantity {
                value: Some(decimal(self.ordered)),
                unit: Some(Code::new("each")),
                ..Quantity::default()
            }),
            price: Some(Money {
                amount: Some(money(self.item.price)),
                basis: Some(Code::new("per_each")),
                ..Money::default()
            }),
            ids: vec![id("buyer_part", &self.item.asin), id("upc", &self.item.upc)],
            ..OrderLine::default()
        }
    }
}

fn base36(mut n: usize, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let value = u8::try_from(n % 36).unwrap_or(0);
        *digit = if value < 10 {
            b'0' + value
        } else {
            b'A' + value - 10
        };
        n /= 36;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

pub(super) fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// A time as a document says it, to the minute.
pub(super) fn moment(at: DateTime<Utc>) -> Moment {
    Moment {
        date: Some(Date::new(at.date_naive())),
        time: at.format("%H:%M").to_string().parse().ok(),
        ..Moment::default()
    }
}

/// What a document says, as a time; a day without a time is none.
pub(super) fn instant(moment: &Moment) -> Option<DateTime<Utc>> {
    let (date, time) = (moment.date.as_ref()?, moment.time.as_ref()?);
    Some(date.value().and_time(time.value()).and_utc())
}

/// A count as a decimal.
pub(super) fn decimal(units: u32) -> Decimal {
    units.to_string().parse().unwrap_or_default()
}

/// Cents as a decimal of major units.
pub(super) fn money(cents: i64) -> Decimal {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    format!("{sign}{whole}.{rest:02}")
        .parse()
        .unwrap_or_default()
}

/// A decimal of major units as cents; none where it has a part of a cent, or is beyond all money.
pub(super) fn cents(amount: Decimal) -> Option<i64> {
    let text = amount.value().normalize().to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, &*text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: i64 = match fraction.len() {
        0 => 0,
        1 | 2 => format!("{fraction:0<2}").parse().ok()?,
        _ => return None,
    };
    let whole: i64 = whole.parse().ok()?;
    Some(sign * whole.checked_mul(100)?.checked_add(fraction)?)
}

/// A whole number that is not negative; none where it is another one.
pub(super) fn units(value: Decimal) -> Option<u32> {
    value.value().normalize().to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_and_back() {
        for (text, wanted) in [
            ("12.30", Some(1230)),
            ("-0.05", Some(-5)),
            ("7", Some(700)),
            ("0.005", None),
        ] {
            assert_eq!(cents(text.parse().unwrap()), wanted, "{text}");
        }
        assert_eq!(money(-5).to_string(), "-0.05");
        assert_eq!(units("12.0".parse().unwrap()), Some(12));
        assert_eq!(units("-3".parse().unwrap()), None);
        assert_eq!(units("1.5".parse().unwrap()), None);
    }

    #[test]
    fn an_item_has_a_sound_number() {
        let item = Item::invent(7, 3);
        assert_eq!(item.upc.len(), 12);
        let id = |text: &str| ItemId {
            id: Some(text.into()),
            ..ItemId::default()
        };
        assert!(item.is(&id(&item.upc)) && item.is(&id(&format!("00{}", item.upc))));
        assert!(item.is(&id(&item.asin)) && !item.is(&id("B0")));
    }

    #[test]
    fn an_order_is_the_same_whatever_the_others_are() {
        let scenario = Scenario::named("standard").unwrap();
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let order = Order::invent(&scenario, 7, 3, at).document(&scenario);
        assert_eq!(
            order,
            Order::invent(&scenario, 7, 3, at).document(&scenario)
        );
        assert_ne!(
            order,
            Order::invent(&scenario, 8, 3, at).document(&scenario)
        );
        assert_eq!(order.number.unwrap().len(), 8);
    }
}
