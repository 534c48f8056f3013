//! The rules for invoices (810, `submitInvoices`): nothing is invoiced that was not shipped, no number
//! is used twice, and the total is the sum of its parts. What is dearer than agreed counts, and the
//! difference is claimed when it is paid.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::{Judged, by_other_door, unknown};
use super::ledger::{Difference, Step};
use super::order::{cents, midnight, money, units};
use super::world::{Event, World, reason};
use super::{Door, Reason};
use crate::canonical::{Charge, Date, Invoice, InvoiceLine, Tax};

/// The hour of the day at which is paid.
const PAID_AT: TimeDelta = TimeDelta::hours(6);
/// What an invoice's line says of its order (X12 128).
const ORDER: &str = "PO";

/// An invoice that counts.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    pub(super) number: String,
    pub(super) door: Door,
    pub(super) on: Date,
    pub(super) taken: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
    pub(super) total: i64,
    /// What of it is of each order.
    pub(super) parts: BTreeMap<String, Part>,
    /// When it was settled.
    pub(super) settled: Option<DateTime<Utc>>,
    /// What its payment took off, by reason, in cents; and the payments that it stands in.
    pub(super) taken_off: Vec<(&'static str, i64)>,
    pub(super) payments: Vec<String>,
    pub(super) paid: i64,
}

/// What of an invoice is of one order.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Lines: which, how many, at which price in cents.
    pub(super) lines: Vec<(usize, u32, i64)>,
    /// Cents in all.
    pub(super) cents: i64,
    /// Charges that were not agreed, in cents.
    pub(super) charges: i64,
    /// Why it is not what was shipped.
    differences: Vec<(&'static str, i64)>,
}

impl World {
    pub(super) fn billed(&mut self, invoice: &Invoice, door: Door) -> (String, Judged) {
        let now = self.now();
        let mut wrong = Vec::new();
        let number = invoice.number.clone().unwrap_or_default();
        self.judge_head(invoice, &number, &mut wrong);
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for (n, line) in invoice.lines.iter().enumerate() {
            self.bill_line(
                invoice,
                line,
                &format!("lines[{n}]"),
                &mut parts,
                &mut wrong,
            );
        }
        if invoice.lines.is_empty() {
            wrong.push(reason(
                "no_lines",
                "lines",
                "nothing is invoiced".to_owned(),
            ));
        }
        self.judge_parts(&parts, &mut wrong);
        // What the whole is charged with is of its first order.
        let first = parts.keys().next().cloned().unwrap_or_default();
        if let Some(part) = parts.get_mut(&first) {
            part.adjust(&invoice.charges, &invoice.taxes);
        }
        let sum: i64 = parts.values().map(|part| part.cents).sum();
        let order = match parts.keys().next() {
            Some(order) => order.clone(),
            None => invoice.order_number.clone().unwrap_or_default(),
        };
        let total = judge_total(invoice, sum, &mut wrong);
        let remarks = self.remarks(invoice, &parts, door);
        if !wrong.is_empty() {
            return (order, Err(wrong));
        }
        let on = invoice.invoiced_on.unwrap_or(Date::new(now.date_naive()));
        let terms = &self.scenario().terms;
        let days = match terms.discount_basis_points {
            0 => terms.net_days,
            _ => terms.discount_days,
        };
        let issued = midnight(on.value().and_time(chrono::NaiveTime::MIN).and_utc());
        let due = issued + TimeDelta::days(days.into()) + PAID_AT;
        let bill = Bill {
            number: number.clone(),
            door,
            on,
            taken: now,
            due: due.max(now),
            total,
            parts,
            settled: None,
            taken_off: Vec::new(),
            payments: Vec::new(),
            paid: 0,
        };
        let unpaid = self.unpaid.entry((door, bill.due)).or_default();
        unpaid.push(number.clone());
        if unpaid.len() == 1 {
            self.put(bill.due, Event::Pay(door));
        }
        self.book(&bill);
        self.bills.insert(number, bill);
        (order, Ok(remarks))
    }

    /// Writes a bill into its orders.
    fn book(&mut self, bill: &Bill) {
        let now = self.now();
        for (number, part) in &bill.parts {
            let Some(order) = self.orders.get_mut(number) else {
                continue;
            };
            for (line, count, _) in &part.lines {
                order.lines[*line].invoiced += count;
            }
            order.invoiced += part.cents;
            order.open += 1;
            order.open_cents += part.cents;
            order.moved = now;
            let entry = |&(reason, cents): &(&'static str, i64)| Difference {
                step: Step::Invoice,
                reason,
                cents,
            };
            order.entries.extend(part.differences.iter().map(entry));
        }
    }

    fn judge_head(&self, invoice: &Invoice, number: &str, wrong: &mut Vec<Reason>) {
        let mut fault = |code, path: &str, sentence| wrong.push(reason(code, path, sentence));
        let today = self.now().date_naive();
        if number.is_empty() {
            fault(
                "number_missing",
                "number",
                "the invoice has no number".to_owned(),
            );
        }
        if let Some(before) = self.bills.get(number) {
            let sentence = format!("invoice {number} came on {}", before.taken.date_naive());
            fault("number_used", "number", sentence);
        }
        if let Some(on) = invoice.invoiced_on.filter(|on| on.value() > today) {
            fault(
                "date_in_the_future",
                "invoiced_on",
                format!("{on} is a day to come"),
            );
        }
        let kind = invoice.kind.as_ref().map_or("", |kind| kind.as_str());
        if kind.starts_with("credit") {
            let sentence = "credit notes are not taken here".to_owned();
            fault("credit_note", "kind", sentence);
        }
        let code = invoice
            .currency
            .as_ref()
            .and_then(|currency| currency.code.as_deref());
        if let Some(code) = code.filter(|code| *code != "USD") {
            fault(
                "currency_differs",
                "currency.code",
                format!("{code} is not the order's USD"),
            );
        }
    }

    fn bill_line(
        &self,
        invoice: &Invoice,
        line: &InvoiceLine,
        at: &str,
        parts: &mut BTreeMap<String, Part>,
        wrong: &mut Vec<Reason>,
    ) {
        let own = line
            .references
            .iter()
            .find(|one| one.qualifier.as_deref() == Some(ORDER));
        let number = own
            .and_then(|one| one.id.clone())
            .or(invoice.order_number.clone());
        let number = number.unwrap_or_default();
        let Some(order) = self.orders.get(&number) else {
            if !wrong.iter().any(|one| one.code == "unknown_order") {
                wrong.push(unknown(&number, "order_number"));
            }
            return;
        };
        let index = match line.ids.is_empty() {
            true => line
                .number
                .as_deref()
                .and_then(|number| order.numbered(number)),
            false => order.listed(&line.ids),
        };
        let Some(index) = index else {
            let sentence = format!("order {number} has no such item");
            wrong.push(reason("unknown_item", format!("{at}.ids"), sentence));
            return;
        };
        let Some((count, price)) = counted(line, at, wrong) else {
            return;
        };
        if invoice
            .invoiced_on
            .is_some_and(|on| on.value() < order.created.date_naive())
        {
            let sentence = format!("it is older than order {number}");
            wrong.push(reason("older_than_order", "invoiced_on", sentence));
        }
        let part = parts.entry(number).or_default();
        let agreed = order.lines[index].price;
        part.lines.push((index, count, price));
        part.cents += price * i64::from(count);
        let word = match price > agreed {
            true => "price_above_order",
            false => "price_below_order",
        };
        part.differ(word, (price - agreed) * i64::from(count));
        part.adjust(&line.charges, &line.taxes);
    }

    fn judge_parts(&self, parts: &BTreeMap<String, Part>, wrong: &mut Vec<Reason>) {
        for (number, part) in parts {
            let Some(order) = self.orders.get(number) else {
                continue;
            };
            let mut sums: BTreeMap<usize, u32> = BTreeMap::new();
            for (line, count, _) in &part.lines {
                *sums.entry(*line).or_default() += count;
            }
            if order.lines.iter().all(|line| line.shipped == 0) {
                let sentence = format!("nothing of order {number} was shipped");
                wrong.push(reason("not_shipped", "order_number", sentence));
                continue;
            }
            for (line, count) in sums {
                let own = &order.lines[line];
                if count > own.shipped - own.invoiced {
                    let sentence = format!(
                        "line {} of order {number}: {count} are invoiced, {} were shipped and {} of \
                         these invoiced before",
                        line + 1,
                        own.shipped,
                        own.invoiced
                    );
                    wrong.push(reason("quantity_above_shipped", "lines", sentence));
                }
            }
        }
    }

    fn remarks(
        &self,
        invoice: &Invoice,
        parts: &BTreeMap<String, Part>,
        door: Door,
    ) -> Vec<Reason> {
        let mut remarks = Vec::new();
        for (number, part) in parts {
            let Some(order) = self.orders.get(number) else {
                continue;
            };
            remarks.extend(by_other_door(order, door));
            for (line, _, price) in &part.lines {
                let agreed = order.lines[*line].price;
                if *price > agreed {
                    let (price, agreed) = (money(*price), money(agreed));
                    let sentence = format!(
                        "line {} of order {number} costs {price} and not {agreed}: the difference \
                         will be claimed",
                        line + 1
                    );
                    remarks.push(reason("price_above_order", "lines", sentence));
                }
            }
            if part.charges > 0 {
                let sentence = format!(
                    "{} were not agreed and will be claimed",
                    money(part.charges)
                );
                remarks.push(reason("charge_not_agreed", "charges", sentence));
            }
        }
        let days = invoice.terms.first().and_then(|terms| terms.net_days);
        let agreed = self.scenario().terms.net_days;
        if let Some(days) = days.filter(|days| *days != agreed) {
            let sentence = format!("{days} days are not the {agreed} that are agreed, which count");
            remarks.push(reason("terms_differ", "terms[0].net_days", sentence));
        }
        remarks
    }
}

/// How many of a line, at which price in cents; what is wrong with either is told.
fn counted(line: &InvoiceLine, at: &str, wrong: &mut Vec<Reason>) -> Option<(u32, i64)> {
    let value = line.quantity.as_ref().and_then(|quantity| quantity.value);
    let count = value.and_then(units).filter(|count| *count > 0);
    if count.is_none() {
        let sentence = "it is not a whole number of eaches above 0".to_owned();
        let path = format!("{at}.quantity.value");
        wrong.push(reason("not_a_quantity", path, sentence));
    }
    let price = line.price.as_ref().and_then(|price| price.amount);
    let price = price.and_then(cents).filter(|price| *price > 0);
    if price.is_none() {
        let sentence = "it is no price in whole cents".to_owned();
        let path = format!("{at}.price.amount");
        wrong.push(reason("not_a_price", path, sentence));
    }
    count.zip(price)
}

/// The total that counts: the one that is said, which must be the sum.
fn judge_total(invoice: &Invoice, sum: i64, wrong: &mut Vec<Reason>) -> i64 {
    let path = "totals.total";
    let said = invoice.totals.as_ref().and_then(|totals| totals.total);
    match said.map(|said| (said, cents(said))) {
        None => wrong.push(reason("no_total", path, "no total is said".to_owned())),
        Some((_, Some(0))) => {
            wrong.push(reason(
                "total_of_nothing",
                path,
                "the total is nothing".to_owned(),
            ));
        }
        Some((_, Some(said))) if said == sum => {}
        // Where lines are wrong, their sum says nothing.
        Some(_) if !wrong.is_empty() => {}
        Some((said, _)) => {
            let sentence = format!("it says {said}, and its lines come to {}", money(sum));
            wrong.push(reason("total_differs", path, sentence));
        }
    }
    sum
}

impl Part {
    fn differ(&mut self, reason: &'static str, cents: i64) {
        if cents != 0 {
            self.differences.push((reason, cents));
        }
    }

    /// Charges, allowances and taxes, of a line or of the whole.
    fn adjust(&mut self, charges: &[Charge], taxes: &[Tax]) {
        for charge in charges {
            let amount = charge.amount.and_then(cents).unwrap_or(0);
            let allowance = charge
                .kind
                .as_ref()
                .is_some_and(|kind| kind.as_str() == "allowance");
            let (word, amount) = match allowance {
                true => ("allowance", -amount),
                false => ("charge", amount),
            };
            self.cents += amount;
            self.charges += amount.max(0);
            self.differ(word, amount);
        }
        let tax: i64 = taxes
            .iter()
            .filter_map(|tax| tax.amount)
            .filter_map(cents)
            .sum();
        self.cents += tax;
        self.differ("tax", tax);
    }
}
