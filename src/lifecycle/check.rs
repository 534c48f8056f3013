//! One document against itself: its sums, its prices, its days.
//!
//! | what is said | is held against |
//! |---|---|
//! | the total of an invoice (X12 TDS01) | quantity × price of each line, + charges − allowances, + tax |
//! | the tax of the whole (TXI in the summary) | the taxes of the lines and of their charges |
//! | the amount of a line (PAM, where it says the line's total) | its quantity × its price |
//! | a price without a point | the prices of the other lines |
//! | the day of arrival of a ship notice | the days when the goods left, and when it was told |
//!
//! Of taxes, those of the whole count where there are any, else those of the lines; a tax that is in
//! the price or for information counts nowhere, nor does a charge that is billed elsewhere. A sum in
//! which one part cannot be reckoned (a price per pound, a charge in percent only) is not held
//! against anything: what cannot be known is not guessed. Each line may be rounded to a cent.

use chrono::NaiveDate;

use super::{Part, Remark, What};
use crate::canonical::{Charge, Code, Decimal, Document, Invoice, Moment, Money, Quantity, Tax};

/// Prices without a point that are kept of one document: of more, nobody reads on.
const WHOLE: usize = 100;

/// A sum; nothing where a part of it is not known.
#[derive(Clone, Copy, Debug)]
struct Sum(Option<Decimal>);

impl Default for Sum {
    fn default() -> Sum {
        Sum(Some(Decimal::default()))
    }
}

impl Sum {
    fn add(&mut self, amount: Option<Decimal>) {
        self.0 = self.0.and_then(|sum| sum.checked_add(amount?));
    }
}

/// What a charge or a tax belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A line.
    Line,
    /// A charge of the whole.
    Charge,
    /// The whole.
    Whole,
}

/// The money and the days of one document, added up as they go by. `P` is where a value stands.
#[derive(Clone, Debug)]
pub struct Sums<P> {
    lines: Sum,
    charges: Sum,
    /// Of lines, of charges of the whole, of the whole.
    taxes: [Sum; 3],
    taxed: [bool; 3],
    /// Amounts that may be rounded.
    parts: u32,
    /// Quantity times price of the line that is open.
    extension: Option<Decimal>,
    total: Option<(Decimal, P)>,
    tax: Option<P>,
    /// The least and the greatest price with a point, how many have one, and those without.
    pointed: Option<(Decimal, Decimal)>,
    count: u32,
    whole: Vec<(Decimal, P)>,
    told: Option<(NaiveDate, P)>,
    left: Option<NaiveDate>,
    arrives: Option<(NaiveDate, P)>,
    remarks: Vec<Remark<P>>,
}

impl<P> Default for Sums<P> {
    fn default() -> Sums<P> {
        Sums {
            lines: Sum::default(),
            charges: Sum::default(),
            taxes: Default::default(),
            taxed: Default::default(),
            parts: 0,
            extension: None,
            total: None,
            tax: None,
            pointed: None,
            count: 0,
            whole: Vec::new(),
            told: None,
            left: None,
            arrives: None,
            remarks: Vec::new(),
        }
    }
}

impl<P: Clone> Sums<P> {
    /// A line of what is to be paid: how much of it, the price, and of how many that is the price
    /// (nothing where it is not of a number of units).
    pub fn line(&mut self, quantity: Option<Decimal>, price: Option<Decimal>, per: Option<u32>) {
        self.parts += 1;
        self.extension = quantity.and_then(|quantity| {
            let amount = times(quantity, price?)?;
            match per? {
                1 => Some(amount),
                per => amount.value().checked_div(per.into()).map(Decimal::new),
            }
        });
        self.lines.add(self.extension);
    }

    /// The price of a line, and where it stands.
    pub fn price(&mut self, price: Decimal, at: &P) {
        if price.value().scale() > 0 {
            let (least, most) = self.pointed.unwrap_or((price, price));
            let least = if price.value() < least.value() {
                price
            } else {
                least
            };
            let most = if price.value() > most.value() {
                price
            } else {
                most
            };
            self.pointed = Some((least, most));
            self.count += 1;
        } else if self.whole.len() < WHOLE {
            self.whole.push((price, at.clone()));
        }
    }

    /// What is said to be the amount of the line that is open.
    pub fn amount(&mut self, said: Decimal, at: P) {
        if let Some(reckoned) = self.extension
            && !near(said, reckoned, 1)
        {
            let reckoned = plain(reckoned);
            let what = What::Extension { said, reckoned };
            self.remarks.push(Remark::new(at, Part::Amount, what));
        }
    }

    /// A charge, less than nothing where it is an allowance; nothing where it is not known.
    pub fn charge(&mut self, amount: Option<Decimal>) {
        self.parts += 1;
        self.charges.add(amount);
    }

    /// A tax that is not in the price.
    pub fn tax(&mut self, of: Given, amount: Option<Decimal>, at: &P) {
        self.parts += 1;
        self.taxes[of as usize].add(amount);
        self.taxed[of as usize] = true;
        if of == Given::Whole && self.tax.is_none() {
            self.tax = Some(at.clone());
        }
    }

    /// What is to be paid.
    pub fn total(&mut self, total: Decimal, at: P) {
        self.total = Some((total, at));
    }

    /// The day on which a notice was made.
    pub fn told(&mut self, day: NaiveDate, at: P) {
        self.told = Some((day, at));
    }

    /// The day on which the goods left; the first that is said counts.
    pub fn left(&mut self, day: NaiveDate) {
        self.left.get_or_insert(day);
    }

    /// The day on which they arrive; the first that is said counts.
    pub fn arrives(&mut self, day: NaiveDate, at: P) {
        self.arrives.get_or_insert((day, at));
    }

    /// What is doubtful, when all went by.
    pub fn remarks(mut self) -> Vec<Remark<P>> {
        self.prices();
        self.totals();
        self.days();
        self.remarks
    }

    /// A price without a point that, with one, would be like those of the other lines.
    fn prices(&mut self) {
        // One other line is no measure.
        let Some((least, most)) = self.pointed.filter(|_| self.count > 1) else {
            return;
        };
        for (price, at) in std::mem::take(&mut self.whole) {
            let Some(meant) = times(price, exact("0.01")) else {
                continue;
            };
            let like = (least.value()..=most.value()).contains(&meant.value());
            if like && price.value() > most.value() {
                let what = What::PriceScale {
                    price,
                    least,
                    most,
                    meant,
                };
                self.remarks.push(Remark::new(at, Part::Price, what));
            }
        }
    }

    fn totals(&mut self) {
        let [of_lines, of_charges, of_whole] = self.taxes.map(|sum| sum.0);
        if let (Some(at), true) = (self.tax.take(), self.taxed[Given::Line as usize]) {
            let all = add(of_lines, of_charges);
            let due = [of_lines, all].into_iter().flatten();
            if let (Some(said), Some(reckoned)) = (of_whole, of_lines)
                && !due.clone().any(|due| near(said, due, self.parts))
            {
                let (said, reckoned) = (plain(said), plain(reckoned));
                let what = What::Taxes { said, reckoned };
                self.remarks.push(Remark::new(at, Part::Amount, what));
            }
        }
        let Some((said, at)) = self.total.take() else {
            return;
        };
        if let Some(what) = self.scale(said) {
            self.remarks.push(Remark::new(at, Part::Amount, what));
            return;
        }
        let whole = self.taxed[Given::Whole as usize];
        let below = add(of_lines, of_charges);
        // The tax of the whole may or may not hold that of its charges.
        let taxes = match whole {
            true => [of_whole, add(of_whole, of_charges)],
            false => [below, below],
        };
        let (Some(lines), Some(charges), Some(tax)) = (self.lines.0, self.charges.0, taxes[0])
        else {
            return;
        };
        let sums = taxes.map(|tax| add(add(Some(lines), Some(charges)), tax));
        let Some(reckoned) = sums[0] else {
            return;
        };
        // A credit may be said without its sign.
        let fits = |sum: &Decimal| {
            near(said, *sum, self.parts) || near(Decimal::new(-said.value()), *sum, self.parts)
        };
        if self.parts > 0 && !sums.iter().flatten().any(fits) {
            let [reckoned, lines, charges, taxes] = [reckoned, lines, charges, tax].map(plain);
            let what = What::Total {
                said,
                reckoned,
                lines,
                charges,
                taxes,
            };
            self.remarks.push(Remark::new(at, Part::Amount, what));
        }
    }

    /// Whether the total is a hundred times the lines' sum, or a hundredth of it, give or take what
    /// charges and taxes may add.
    fn scale(&self, total: Decimal) -> Option<What<P>> {
        let sum = self.lines.0?;
        if sum.value() <= Decimal::default().value() {
            return None;
        }
        let near = |much: &&str| {
            let due = times(sum, exact(much))?;
            let (low, high) = (times(due, exact("0.8"))?, times(due, exact("1.2"))?);
            Some((low.value()..=high.value()).contains(&total.value()))
        };
        let mut scales = ["100", "1000", "0.01", "0.001"].into_iter();
        let times = scales.find(|much| near(much) == Some(true))?;
        let sum = plain(sum);
        Some(What::TotalScale { total, times, sum })
    }

    /// Goods arrive after they have left, and are told of before they arrive.
    fn days(&mut self) {
        let Some((arrives, at)) = self.arrives.take() else {
            return;
        };
        if let Some(leaves) = self.left.filter(|leaves| *leaves > arrives) {
            let what = What::LeavesLate { arrives, leaves };
            self.remarks.push(Remark::new(at, Part::Day, what));
        }
        if let Some((told, at)) = self.told.take().filter(|(told, _)| *told > arrives) {
            let what = What::ToldLate { arrives, told };
            self.remarks.push(Remark::new(at, Part::Day, what));
        }
    }
}

/// The check of a whole document, which stands at one place.
pub fn of(document: &Document) -> Vec<Remark<()>> {
    let mut sums = Sums::default();
    match document {
        Document::PurchaseOrder(it) => {
            it.lines
                .iter()
                .for_each(|line| priced(&mut sums, &line.price));
        }
        Document::PurchaseOrderAcknowledgment(it) => {
            it.lines
                .iter()
                .for_each(|line| priced(&mut sums, &line.price));
        }
        Document::Invoice(it) => billed(&mut sums, it),
        Document::ShipNotice(it) => {
            let day = |moment: &Moment| moment.date.map(|date| date.value());
            if let Some(day) = it.made.as_ref().and_then(day) {
                sums.told(day, ());
            }
            let own = (it.shipped.as_ref(), it.expected.as_ref());
            let levels = it.levels.iter().flat_map(|level| level.walk());
            let levels = levels.map(|level| (level.shipped.as_deref(), level.expected.as_deref()));
            for (left, arrives) in [own].into_iter().chain(levels) {
                if let Some(day) = left.and_then(day) {
                    sums.left(day);
                }
                if let Some(day) = arrives.and_then(day) {
                    sums.arrives(day, ());
                }
            }
        }
        _ => {}
    }
    sums.remarks()
}

fn lined(sums: &mut Sums<()>, quantity: &Option<Quantity>, price: &Option<Money>) {
    let quantity = quantity.as_ref().and_then(|quantity| quantity.value);
    let basis = price.as_ref().and_then(|price| price.basis.as_ref());
    let amount = price.as_ref().and_then(|price| price.amount);
    sums.line(quantity, amount, per(basis.map_or("", Code::as_str)));
    priced(sums, price);
}

fn priced(sums: &mut Sums<()>, price: &Option<Money>) {
    if let Some(price) = price.as_ref().and_then(|price| price.amount) {
        sums.price(price, &());
    }
}

fn billed(sums: &mut Sums<()>, invoice: &Invoice) {
    let taxes = |sums: &mut Sums<()>, of, taxes: &[Tax]| {
        let counts = |tax: &&Tax| is_added(tax.included.as_deref().unwrap_or_default());
        for tax in taxes.iter().filter(counts) {
            sums.tax(of, tax.amount, &());
        }
    };
    let charges = |sums: &mut Sums<()>, of, charges: &[Charge]| {
        for charge in charges {
            let kind = charge.kind.as_ref().map_or("", Code::as_str);
            if let Some(sign) = sign(kind, charge.handling.as_deref().unwrap_or_default()) {
                sums.charge(charge.amount.and_then(|amount| times(amount, sign)));
                taxes(sums, of, &charge.taxes);
            }
        }
    };
    for line in &invoice.lines {
        lined(sums, &line.quantity, &line.price);
        taxes(sums, Given::Line, &line.taxes);
        charges(sums, Given::Line, &line.charges);
        for subline in &line.sublines {
            charges(sums, Given::Line, &subline.charges);
            taxes(sums, Given::Line, &subline.taxes);
        }
    }
    taxes(sums, Given::Whole, &invoice.taxes);
    charges(sums, Given::Charge, &invoice.charges);
    if let Some(total) = invoice.totals.as_ref().and_then(|totals| totals.total) {
        sums.total(total, ());
    }
}

/// How many units a price of this kind is for; `None` where it is for something else than units.
pub fn per(basis: &str) -> Option<u32> {
    match basis {
        "per_hundred" | "quoted_per_hundred" => Some(100),
        "per_thousand" | "quoted_per_thousand" | "catalog_per_thousand" => Some(1000),
        word if word.ends_with("_dozen") || word.starts_with("per_hundred") => None,
        "per_kilogram" | "per_pound" | "per_ton" | "variable_quantity" => None,
        _ => Some(1),
    }
}

/// What an amount of this kind, settled this way (X12 331), does to the total: 1, −1, or nothing.
pub fn sign(kind: &str, handling: &str) -> Option<Decimal> {
    // Billed back, by credit or by cheque, from stock, for information only.
    if matches!(handling, "01" | "03" | "04" | "09" | "15") {
        return None;
    }
    match kind {
        "charge" | "service" => Some(exact("1")),
        "allowance" | "promotion" => Some(exact("-1")),
        _ => None,
    }
}

/// Whether a tax of this relationship (X12 662) is added to the price.
pub fn is_added(relationship: &str) -> bool {
    matches!(relationship, "" | "A")
}

/// A number of ours.
fn exact(text: &str) -> Decimal {
    text.parse().unwrap_or_default()
}

fn times(one: Decimal, other: Decimal) -> Option<Decimal> {
    one.value().checked_mul(other.value()).map(Decimal::new)
}

fn add(one: Option<Decimal>, other: Option<Decimal>) -> Option<Decimal> {
    one?.checked_add(other?)
}

/// As people write a sum: with two decimals, or more where it has them.
fn plain(sum: Decimal) -> Decimal {
    let mut sum = sum.value().normalize();
    if sum.scale() < 2 {
        sum.rescale(2);
    }
    Decimal::new(sum)
}

/// Whether two amounts are one, where each of so many parts may be rounded to a cent.
fn near(one: Decimal, other: Decimal, parts: u32) -> bool {
    let room = times(exact("0.005"), Decimal::new(parts.max(1).into()));
    let apart = one.value().checked_sub(other.value());
    match (apart, room) {
        (Some(apart), Some(room)) => apart.abs() <= room.value(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(lines: &[(&str, &str, &str)], more: &str, total: &str) -> Vec<String> {
        let lines: Vec<String> = lines
            .iter()
            .map(|(quantity, price, basis)| {
                format!(
                    r#"{{"quantity":{{"value":"{quantity}"}},"price":{{"amount":"{price}","basis":"{basis}"}}}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"document":"invoice","lines":[{}],{more}"totals":{{"total":"{total}"}}}}"#,
            lines.join(",")
        );
        let document: Document = serde_json::from_str(&json).unwrap();
        let said = of(&document).into_iter().map(|remark| match remark.what {
            What::Total { reckoned, .. } => reckoned.to_string(),
            What::Taxes { said, reckoned } => format!("tax {said}, not {reckoned}"),
            What::TotalScale { times, .. } => format!("times {times}"),
            other => format!("{other:?}"),
        });
        said.collect()
    }

    const TEN: (&str, &str, &str) = ("10", "4.50", "per_each");
    const FREIGHT: &str = r#""charges":[{"kind":"charge","amount":"15.00"}],"#;

    macro_rules! totals {
        ($($name:ident: $lines:expr, $more:expr, $total:expr => $said:expr;)*) => {$(
            #[test]
            fn $name() {
                assert_eq!(total($lines, $more, $total), $said as [&str; _]);
            }
        )*};
    }

    totals! {
        lines_make_the_total: &[TEN, ("3", "0.3333", "net")], "", "46.00" => [];
        another_total: &[TEN], "", "45.10" => ["45.00"];
        a_price_per_thousand: &[("2500", "12", "per_thousand")], "", "30.00" => [];
        a_price_per_pound_is_not_guessed: &[TEN, ("2", "12", "per_pound")], "", "1.00" => [];
        a_charge_is_in_it: &[TEN], FREIGHT, "60.00" => [];
        a_charge_that_is_forgotten: &[TEN], FREIGHT, "45.00" => ["60.00"];
        a_charge_that_is_billed_back:
            &[TEN], r#""charges":[{"kind":"allowance","amount":"5.00","handling":"01"}],"#, "45.00" => [];
        tax_is_in_it: &[TEN], r#""taxes":[{"amount":"3.15"}],"#, "48.15" => [];
        tax_that_is_in_the_price: &[TEN], r#""taxes":[{"amount":"3.15","included":"I"}],"#, "45.00" => [];
        a_credit_without_its_sign: &[("-10", "4.50", "net")], "", "45.00" => [];
        cents_for_dollars: &[TEN], "", "4500.00" => ["times 100"];
    }

    #[test]
    fn the_tax_of_the_whole_is_that_of_the_lines() {
        let invoice = |of_line: &str, of_whole: &str| {
            let json = format!(
                r#"{{"document":"invoice","lines":[{{"quantity":{{"value":"10"}},
                "price":{{"amount":"4.50"}},"taxes":[{{"amount":"{of_line}"}}]}}],
                "taxes":[{{"amount":"{of_whole}"}}]}}"#
            );
            of(&serde_json::from_str(&json).unwrap())
        };
        assert_eq!(invoice("3.15", "3.15"), []);
        let said = invoice("3.15", "3.51");
        let what = What::Taxes {
            said: exact("3.51"),
            reckoned: exact("3.15"),
        };
        assert_eq!(said, [Remark::new((), Part::Amount, what)]);
    }
}
