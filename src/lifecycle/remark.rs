//! What there is to say, as kinds and values: words are found where somebody reads them.

use chrono::{NaiveDate, NaiveDateTime};

use super::{Kind, Line};
use crate::canonical::Decimal;

/// One thing to say of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark<P> {
    /// Where.
    pub at: P,
    /// Which value there.
    pub part: Part,
    /// What.
    pub what: What<P>,
}

impl<P> Remark<P> {
    pub(super) fn new(at: P, part: Part, what: What<P>) -> Remark<P> {
        Remark { at, part, what }
    }
}

/// The value of a place that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// A line's quantity.
    Quantity,
    /// A line's price.
    Price,
    /// An amount: a total, a tax, a line's amount.
    Amount,
    /// A day.
    Day,
    /// The number that it goes by.
    Number,
    /// The order that it names.
    Order,
}

/// A line by the name that people find it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Qualifier and id.
    Id(String, String),
    /// The number of the line.
    Line(String),
}

impl<P> Line<P> {
    /// What to call it.
    pub fn item(&self) -> Item {
        match self.ids.first() {
            Some((kind, id)) => Item::Id(kind.to_string(), id.to_string()),
            None => Item::Line(self.number.to_string()),
        }
    }
}

/// What is to be said. `by` is where the other document stands.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "a field is called what it holds")]
pub enum What<P> {
    /// A price without its point among prices with one.
    PriceScale {
        price: Decimal,
        least: Decimal,
        most: Decimal,
        meant: Decimal,
    },
    /// A total that is a hundred times the lines' sum, or a hundredth.
    TotalScale {
        total: Decimal,
        times: &'static str,
        sum: Decimal,
    },
    /// A total that is not what lines, charges and taxes come to.
    Total {
        said: Decimal,
        reckoned: Decimal,
        lines: Decimal,
        charges: Decimal,
        taxes: Decimal,
    },
    /// The tax of the whole is not that of the lines.
    Taxes { said: Decimal, reckoned: Decimal },
    /// A line's amount is not its quantity times its price.
    Extension { said: Decimal, reckoned: Decimal },
    /// Goods that arrive before they leave.
    LeavesLate {
        arrives: NaiveDate,
        leaves: NaiveDate,
    },
    /// A notice that is made when the goods are there.
    ToldLate { arrives: NaiveDate, told: NaiveDate },
    /// The number of an invoice or of a notice, or (`None`) of a package, that was used before.
    Twice {
        of: Option<Kind>,
        number: String,
        by: P,
    },
    /// A price that is not that of the order, or of its answer.
    Price {
        item: Item,
        price: Decimal,
        due: Decimal,
        order: String,
        of: Kind,
        by: P,
    },
    /// A line of the order that its answer leaves out.
    Unanswered { item: Item, order: String, by: P },
    /// A line that was rejected before, and is accepted now.
    Revived { item: Item, order: String, by: P },
    /// More or less of a line than was ordered, all documents of a kind together.
    Quantity {
        item: Item,
        how: Kind,
        quantity: Decimal,
        due: Decimal,
        order: String,
        by: P,
    },
    /// More of a line billed than shipped.
    Unshipped {
        item: Item,
        billed: Decimal,
        shipped: Decimal,
        order: String,
        by: P,
    },
    /// Written before what it follows.
    Early {
        written: NaiveDateTime,
        other: NaiveDateTime,
        by: P,
    },
}
