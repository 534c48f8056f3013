//! A document in one sentence: who does what for whom, how many lines, how much.

use super::ack::word;
use crate::canonical::{
    Currency, Decimal, Document, Invoice, Level, Money, Party, Quantity, RemittanceAdvice,
    ShipNotice,
};
use crate::x12::{Delimiters, Form, FunctionalAcknowledgment, GroupHeader, TransactionSet};

/// What people call the sets that trade uses, in our words.
#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("810", "invoice"), ("812", "credit or debit adjustment"), ("820", "payment"),
    ("824", "application advice"), ("830", "forecast"), ("832", "price catalogue"),
    ("846", "stock report"), ("850", "purchase order"), ("852", "product activity"),
    ("855", "order acknowledgment"), ("856", "ship notice"), ("860", "order change"),
    ("861", "receipt"), ("862", "shipping schedule"), ("864", "text message"),
    ("865", "order change acknowledgment"), ("869", "order status inquiry"),
    ("870", "order status"), ("940", "warehouse order"), ("944", "warehouse receipt"),
    ("945", "warehouse advice"), ("997", "acknowledgment of syntax"),
    ("999", "acknowledgment of syntax"),
];

/// `850 purchase order`, or the set's number alone.
pub(super) fn title(set: &str) -> String {
    match NAMES.iter().find(|(id, _)| *id == set) {
        Some((id, name)) => format!("{id} {name}"),
        None => format!("set {set}"),
    }
}

/// `1 line`, `2 lines`.
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// How many lines a document has.
pub(super) fn lines(document: &Document) -> usize {
    match document {
        Document::PurchaseOrder(order) => order.lines.len(),
        Document::PurchaseOrderAcknowledgment(answer) => answer.lines.len(),
        Document::Invoice(invoice) => invoice.lines.len(),
        Document::ShipNotice(notice) => shipped(notice),
        Document::RemittanceAdvice(advice) => {
            advice.remittances.iter().map(|r| r.items.len()).sum()
        }
    }
}

/// How many of a notice's levels say what was shipped.
fn shipped(notice: &ShipNotice) -> usize {
    let levels = notice.levels.iter().flat_map(Level::walk);
    levels.filter(|level| level.item.is_some()).count()
}

/// The sentence.
pub(super) fn sentence(
    document: Option<&Document>,
    group: &GroupHeader,
    set: &TransactionSet,
) -> String {
    let (sender, receiver) = (&group.sender, &group.receiver);
    match document {
        Some(Document::PurchaseOrder(order)) => {
            let total = order.total.as_ref().and_then(|total| total.amount);
            let lines = order.lines.iter();
            let total = total.or_else(|| sum(lines.map(|l| (&l.quantity, &l.price))));
            format!(
                "Purchase order {}: {} orders {} from {}{}{}.",
                numbered(order.number.as_deref(), order.ordered_on),
                name(order.buyer.as_ref(), sender),
                count(order.lines.len(), "line"),
                name(order.vendor.as_ref(), receiver),
                destination(order.ship_to.as_ref()),
                money(total, order.currency.as_ref()),
            )
        }
        Some(Document::PurchaseOrderAcknowledgment(answer)) => {
            let total = answer.total.as_ref().and_then(|total| total.amount);
            format!(
                "Answer to purchase order {}: {} says {} to {}, {}{}.",
                numbered(answer.order_number.as_deref(), answer.ordered_on),
                name(answer.vendor.as_ref(), sender),
                answer
                    .status
                    .as_ref()
                    .map_or("something", |status| status.as_str()),
                name(answer.buyer.as_ref(), receiver),
                count(answer.lines.len(), "line"),
                money(total, answer.currency.as_ref()),
            )
        }
        Some(Document::Invoice(invoice)) => bills(invoice, sender, receiver),
        Some(Document::ShipNotice(notice)) => sends(notice, sender, receiver),
        Some(Document::RemittanceAdvice(advice)) => pays(advice, sender, receiver),
        None if Form::of(&set.id).is_some() => answers(group, set),
        None => format!(
            "{} {}: {sender} to {receiver}, {}.",
            capital(&title(&set.id)),
            set.control_number,
            count(set.segments.len() + 2, "segment"),
        ),
    }
}

/// What a 997 or 999 says in all.
fn answers(header: &GroupHeader, set: &TransactionSet) -> String {
    let form = Form::of(&set.id).unwrap_or_default();
    // Separators do not matter: no composite is looked at.
    let delimiters = Delimiters::default();
    let said = FunctionalAcknowledgment::read(form, &set.segments, &delimiters).0;
    let (sender, receiver) = (&header.sender, &header.receiver);
    format!(
        "{} {}: {sender} says to {receiver} that group {} {} is {}, {} of {}.",
        capital(&title(&set.id)),
        set.control_number,
        said.functional_id,
        said.control_number,
        word(&said.verdict),
        said.accepted,
        count(said.received as usize, "set"),
    )
}

fn bills(invoice: &Invoice, sender: &str, receiver: &str) -> String {
    let total = invoice.totals.as_ref().and_then(|totals| totals.total);
    let order = invoice.order_number.as_deref();
    format!(
        "Invoice {}: {} bills {} to {}{}{}.",
        numbered(invoice.number.as_deref(), invoice.invoiced_on),
        name(
            invoice.vendor.as_ref().or(invoice.remit_to.as_ref()),
            sender
        ),
        count(invoice.lines.len(), "line"),
        name(
            invoice.bill_to.as_ref().or(invoice.buyer.as_ref()),
            receiver
        ),
        order.map_or(String::new(), |order| format!(" for order {order}")),
        money(total, invoice.currency.as_ref()),
    )
}

fn sends(notice: &ShipNotice, sender: &str, receiver: &str) -> String {
    let made = notice.made.as_ref().and_then(|made| made.date);
    format!(
        "Ship notice {}: {sender} sends {} to {receiver}.",
        numbered(notice.number.as_deref(), made),
        count(shipped(notice), "item"),
    )
}

fn pays(advice: &RemittanceAdvice, sender: &str, receiver: &str) -> String {
    format!(
        "Remittance advice {}: {} pays {}{}.",
        numbered(advice.number.as_deref(), advice.paid_on),
        name(advice.payer.as_ref(), sender),
        name(advice.payee.as_ref(), receiver),
        money(advice.total, advice.currency.as_ref()),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn numbered(number: Option<&str>, date: Option<crate::canonical::Date>) -> String {
    let number = number.unwrap_or("without a number");
    date.map_or(number.to_owned(), |date| format!("{number} of {date}"))
}

/// The party's name, else its id, else who sent or gets the group.
fn name<'a>(party: Option<&'a Party>, otherwise: &'a str) -> &'a str {
    let id = |party: &'a Party| party.id.as_ref()?.id.as_deref();
    let party = party.and_then(|party| party.name.as_deref().or_else(|| id(party)));
    party.unwrap_or(otherwise)
}

fn destination(party: Option<&Party>) -> String {
    match name(party, "") {
        "" => String::new(),
        name => format!(", to {name}"),
    }
}

fn money(amount: Option<Decimal>, currency: Option<&Currency>) -> String {
    let currency = currency.and_then(|currency| currency.code.as_deref());
    match (amount, currency) {
        (Some(amount), Some(currency)) => format!("; {amount} {currency} in all"),
        (Some(amount), None) => format!("; {amount} in all"),
        (None, _) => String::new(),
    }
}

/// What the lines come to, where each says quantity and price in one unit.
fn sum<'a>(
    mut lines: impl Iterator<Item = (&'a Option<Quantity>, &'a Option<Money>)>,
) -> Option<Decimal> {
    let worth = |(quantity, price): (&Option<Quantity>, &Option<Money>)| {
        let (quantity, price) = (quantity.as_ref()?, price.as_ref()?);
        let same = price.unit.is_none() || price.unit == quantity.unit;
        let value = quantity.value?.value().checked_mul(price.amount?.value());
        value.filter(|_| same)
    };
    let first = worth(lines.next()?)?;
    let total = lines.try_fold(first, |total, line| total.checked_add(worth(line)?))?;
    Some(Decimal::new(total))
}
