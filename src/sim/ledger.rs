//! Money, order by order: what was ordered, acknowledged, shipped, invoiced and paid, and every
//! difference between two of these with its reason. In cents.
//!
//! ```text
//! ordered + differences(acknowledgment) = acknowledged
//! acknowledged + differences(shipment)  = shipped
//! shipped + differences(invoice)        = invoiced
//! invoiced + differences(payment)       = paid
//! ```
//!
//! What a line breaks is [`Row::unexplained`], and must be nothing.

use serde::{Deserialize, Serialize};

use super::order::Order;
use super::world::World;
use super::{Door, Shortfall};

/// Between which two amounts a difference stands: it ends at this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// From ordered to acknowledged.
    Acknowledgment,
    /// From acknowledged to shipped.
    Shipment,
    /// From shipped to invoiced.
    Invoice,
    /// From invoiced to paid.
    Payment,
}

/// A difference, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub step: Step,
    /// Why, in a word that scenario files count: `shortage`, `price_claim` …
    pub reason: &'static str,
    /// How much, in cents; negative lowers.
    pub cents: i64,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was made, and nothing was said to it.
    New,
    /// It was acknowledged.
    Acknowledged,
    /// Goods are on their way or there, and not all of them are invoiced.
    Shipped,
    /// All that was shipped is invoiced, and not all of it is settled.
    Invoiced,
    /// All that was shipped is invoiced and settled.
    Paid,
    /// The vendor rejected all of it.
    Rejected,
    /// The buyer took it back before anything was shipped.
    Cancelled,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::New => "new",
            State::Acknowledged => "acknowledged",
            State::Shipped => "shipped",
            State::Invoiced => "invoiced",
            State::Paid => "paid",
            State::Rejected => "rejected",
            State::Cancelled => "cancelled",
        }
    }
}

/// One order's money, in cents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The order's number.
    pub order: String,
    /// By which door it went out.
    pub door: Door,
    /// How far it has come.
    pub state: State,
    /// As first ordered.
    pub ordered: i64,
    /// As acknowledged.
    pub acknowledged: i64,
    /// As told in ship notices, at the order's price.
    pub shipped: i64,
    /// As invoiced, with charges and taxes.
    pub invoiced: i64,
    /// As paid.
    pub paid: i64,
    /// Every difference between these.
    pub differences: Vec<Difference>,
}

impl Row {
    /// What no difference explains, in cents: the sum over the four steps of what is off.
    #[must_use]
    pub fn unexplained(&self) -> i64 {
        let sum = |step: Step| {
            let own = self.differences.iter().filter(|one| one.step == step);
            own.map(|one| one.cents).sum::<i64>()
        };
        let steps = [
            (self.ordered, Step::Acknowledgment, self.acknowledged),
            (self.acknowledged, Step::Shipment, self.shipped),
            (self.shipped, Step::Invoice, self.invoiced),
            (self.invoiced, Step::Payment, self.paid),
        ];
        let off = |(from, step, to): (i64, Step, i64)| (from + sum(step) - to).abs();
        steps.into_iter().map(off).sum()
    }
}

/// The money of a world, order by order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The currency of all amounts.
    pub currency: &'static str,
    /// The orders, in the order in which they were made.
    pub rows: Vec<Row>,
    /// What was paid in all, as the remittances say, in cents.
    pub remitted: i64,
}

impl Ledger {
    /// What no row explains: of rows, and between rows and remittances.
    #[must_use]
    pub fn unexplained(&self) -> i64 {
        let rows: i64 = self.rows.iter().map(Row::unexplained).sum();
        let paid: i64 = self.rows.iter().map(|row| row.paid).sum();
        rows + (paid - self.remitted).abs()
    }
}

impl Order {
    /// How far it has come.
    pub(super) fn state(&self) -> State {
        let shipped: u32 = self.lines.iter().map(|line| line.shipped).sum();
        let invoiced: u32 = self.lines.iter().map(|line| line.invoiced).sum();
        match () {
            () if shipped > 0 && invoiced == shipped && self.open == 0 => State::Paid,
            () if shipped > 0 && invoiced == shipped => State::Invoiced,
            () if shipped > 0 => State::Shipped,
            () if self.cancelled => State::Cancelled,
            () if self.rejected() => State::Rejected,
            () if self.acknowledged.is_some() => State::Acknowledged,
            () => State::New,
        }
    }

    /// Its money.
    pub(super) fn row(&self) -> Row {
        let mut row = Row {
            order: self.number.clone(),
            door: self.door,
            state: self.state(),
            ordered: 0,
            acknowledged: 0,
            shipped: 0,
            invoiced: self.invoiced,
            paid: self.paid,
            differences: Vec::new(),
        };
        for line in &self.lines {
            let list = |units: u32| line.item.price * i64::from(units);
            row.ordered += list(line.first);
            row.acknowledged += line.cents(line.due());
            row.shipped += line.cents(line.shipped);
            let lowered = line.first - line.ordered;
            let silent = (line.ordered).saturating_sub(line.due() + line.rejected);
            let reason = if self.cancelled {
                "cancelled"
            } else {
                "decreased"
            };
            let unanswered = match self.acknowledged {
                Some(_) => "unanswered",
                None => "not_acknowledged",
            };
            let off = i64::from(line.due()) * (line.price - line.item.price);
            row.say(Step::Acknowledgment, reason, -list(lowered));
            row.say(Step::Acknowledgment, "rejected", -list(line.rejected));
            row.say(Step::Acknowledgment, unanswered, -list(silent));
            row.say(Step::Acknowledgment, "price_below_order", off);
            let missing = i64::from(line.due()) - i64::from(line.shipped);
            row.say(Step::Shipment, "not_shipped", -line.price * missing);
            let missing = i64::from(line.shipped) - i64::from(line.invoiced);
            row.say(Step::Invoice, "not_invoiced", -line.price * missing);
        }
        row.differences.extend(self.entries.iter().cloned());
        row.say(Step::Payment, "not_due", -self.open_cents);
        row
    }
}

impl Row {
    fn say(&mut self, step: Step, reason: &'static str, cents: i64) {
        if cents != 0 {
            self.differences.push(Difference {
                step,
                reason,
                cents,
            });
        }
    }
}

impl World {
    /// The money of every order, with each difference and its reason.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger {
            currency: "USD",
            rows: self.in_order().map(Order::row).collect(),
            remitted: self.remitted(),
        }
    }

    /// In what the run did not end as its scenario says; empty where it did.
    #[must_use]
    pub fn end(&self) -> Vec<Shortfall> {
        super::scenario::judge(&self.ledger(), self.refusals(), self.scenario())
    }
}
