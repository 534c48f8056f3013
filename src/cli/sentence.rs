//! A document in one sentence: who does what for whom, how many lines, how much.

use std::collections::BTreeSet;

use crate::canonical::{
    ApplicationAdvice, Code, Currency, Decimal, Document, InventoryAdvice, Invoice, Level, Money,
    Party, PurchaseOrderChange, PurchaseOrderChangeAcknowledgment, Quantity, RemittanceAdvice,
    RoutingInstructions, RoutingRequest, ShipNotice,
};
use crate::x12::{GroupHeader, TransactionSet};

/// What people call the sets that trade uses, in our words.
#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("753", "routing request"), ("754", "routing instructions"),
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
        Document::PurchaseOrderChange(change) => change.lines.len(),
        Document::PurchaseOrderChangeAcknowledgment(answer) => answer.lines.len(),
        Document::ApplicationAdvice(advice) => advice.results.len(),
        Document::InventoryAdvice(advice) => advice.lines.len(),
        Document::RoutingRequest(request) => {
            request.destinations.iter().map(|d| d.orders.len()).sum()
        }
        Document::RoutingInstructions(answer) => answer.shipments.len(),
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
        Some(Document::PurchaseOrderChange(change)) => changes(change, sender, receiver),
        Some(Document::PurchaseOrderChangeAcknowledgment(answer)) => {
            answers(answer, sender, receiver)
        }
        Some(Document::ApplicationAdvice(advice)) => advises(advice, sender, receiver),
        Some(Document::InventoryAdvice(advice)) => stocks(advice, sender, receiver),
        Some(Document::RoutingRequest(request)) => asks_way(request, sender, receiver),
        Some(Document::RoutingInstructions(answer)) => tells_way(answer, sender, receiver),
        None => format!(
            "{} {}: {sender} to {receiver}, {}.",
            capital(&title(&set.id)),
            set.control_number,
            count(set.segments.len() + 2, "segment"),
        ),
    }
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

fn changes(change: &PurchaseOrderChange, sender: &str, receiver: &str) -> String {
    let which = change.change_number.as_deref();
    format!(
        "Change{} of purchase order {}: {} sends {} to {}, {}{}.",
        which.map_or(String::new(), |number| format!(" {number}")),
        numbered(change.number.as_deref(), change.ordered_on),
        name(change.buyer.as_ref(), sender),
        article(change.purpose.as_ref(), "a change"),
        name(change.vendor.as_ref(), receiver),
        count(change.lines.len(), "line"),
        money(
            change.total.as_ref().and_then(|total| total.amount),
            change.currency.as_ref()
        ),
    )
}

fn answers(answer: &PurchaseOrderChangeAcknowledgment, sender: &str, receiver: &str) -> String {
    format!(
        "Answer to the change of purchase order {}: {} says {} to {}, {}{}.",
        numbered(answer.order_number.as_deref(), answer.ordered_on),
        name(answer.vendor.as_ref(), sender),
        answer.status.as_ref().map_or("something", Code::as_str),
        name(answer.buyer.as_ref(), receiver),
        count(answer.lines.len(), "line"),
        money(
            answer.total.as_ref().and_then(|total| total.amount),
            answer.currency.as_ref()
        ),
    )
}

fn advises(advice: &ApplicationAdvice, sender: &str, receiver: &str) -> String {
    let made = advice.made.as_ref().and_then(|made| made.date);
    let errors: usize = advice.results.iter().map(|r| r.errors.len()).sum();
    let said = match advice.results.as_slice() {
        [one] => format!(
            "{} of {}",
            one.status.as_ref().map_or("something", Code::as_str),
            one.id.as_deref().unwrap_or("what it does not name"),
        ),
        many => {
            let status = many.iter().filter_map(|result| result.status.as_ref());
            let rejected = status.filter(|status| status.as_str().ends_with("rejected"));
            format!("{} results, {} rejected,", many.len(), rejected.count())
        }
    };
    format!(
        "Application advice {}: {} says {said} to {}; {}.",
        numbered(advice.number.as_deref(), made),
        name(advice.from.as_ref(), sender),
        name(advice.to.as_ref(), receiver),
        count(errors, "error"),
    )
}

/// `a cancellation`, as the code says it; where it says nothing, `otherwise`.
fn article(code: Option<&Code>, otherwise: &str) -> String {
    code.filter(|code| code.raw().is_none())
        .map_or(otherwise.to_owned(), |code| {
            let article = match code.as_str().starts_with(['a', 'e', 'i', 'o', 'u']) {
                true => "an",
                false => "a",
            };
            format!("{article} {}", code.as_str().replace('_', " "))
        })
}

fn stocks(advice: &InventoryAdvice, sender: &str, receiver: &str) -> String {
    let made = advice.made.as_ref().and_then(|made| made.date);
    let place = advice.warehouse.as_ref().or(advice.ship_from.as_ref());
    let place = match name(place, "") {
        "" => String::new(),
        name => format!(" at {name}"),
    };
    format!(
        "Stock report {}: {} tells {} the stock of {}{place}.",
        numbered(advice.number.as_deref(), made),
        name(advice.vendor.as_ref(), sender),
        name(advice.buyer.as_ref(), receiver),
        count(advice.lines.len(), "item"),
    )
}

fn asks_way(request: &RoutingRequest, sender: &str, receiver: &str) -> String {
    let made = request.made.as_ref().and_then(|made| made.date);
    let orders = request.destinations.iter().map(|place| place.orders.len());
    let place = match name(request.ship_from.as_ref(), "") {
        "" => String::new(),
        name => format!(" from {name}"),
    };
    format!(
        "Routing request {}: {sender} asks {receiver} how to send {}{place} to {}.",
        numbered(request.number.as_deref(), made),
        count(orders.sum(), "order"),
        count(request.destinations.len(), "place"),
    )
}

fn tells_way(answer: &RoutingInstructions, sender: &str, receiver: &str) -> String {
    let made = answer.made.as_ref().and_then(|made| made.date);
    let carriers = answer.shipments.iter().filter_map(|s| s.carrier.as_deref());
    let carriers: BTreeSet<&str> = carriers.collect();
    let carriers = Vec::from_iter(carriers).join(", ");
    let by = if carriers.is_empty() { "" } else { " by " };
    format!(
        "Routing instructions {}: {sender} tells {receiver} how to send {}{by}{carriers}.",
        numbered(answer.number.as_deref(), made),
        count(answer.shipments.len(), "shipment"),
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
