//! A document in one sentence: who does what for whom, how many lines, how much.

use std::collections::BTreeSet;

use super::ack::word;
use crate::canonical::{
    ApplicationAdvice, Code, Currency, Date, Decimal, Document, InventoryAdvice, Invoice, Level,
    Money, Party, PurchaseOrder, PurchaseOrderAcknowledgment, PurchaseOrderChange,
    PurchaseOrderChangeAcknowledgment, Quantity, RoutingInstructions, RoutingRequest, ShipNotice,
};
use crate::x12::{
    Delimiters, Form, FunctionalAcknowledgment, GroupHeader, Text, TransactionSet, Value, text,
};

pub(super) use super::words::count;
use super::words::said;

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
    said(&match NAMES.iter().find(|(id, _)| *id == set) {
        Some((id, name)) => text!("{id} {name}", id = *id, name = Value::word(name)),
        None => text!("set {id}", id = set),
    })
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
    let (sender, receiver) = (group.sender.as_str(), group.receiver.as_str());
    said(&match document {
        Some(Document::PurchaseOrder(order)) => orders(order, sender, receiver),
        Some(Document::PurchaseOrderAcknowledgment(answer)) => answers(answer, sender, receiver),
        Some(Document::Invoice(invoice)) => bills(invoice, sender, receiver),
        Some(Document::ShipNotice(notice)) => text!(
            "Ship notice {number}: {sender} sends {items} to {receiver}.",
            number = numbered(
                notice.number.as_deref(),
                notice.made.as_ref().and_then(|made| made.date)
            ),
            sender,
            items = count(shipped(notice), "item"),
            receiver
        ),
        Some(Document::RemittanceAdvice(advice)) => text!(
            "Remittance advice {number}: {payer} pays {payee}{total}.",
            number = numbered(advice.number.as_deref(), advice.paid_on),
            payer = name(advice.payer.as_ref(), sender),
            payee = name(advice.payee.as_ref(), receiver),
            total = money(advice.total, advice.currency.as_ref())
        ),
        Some(Document::PurchaseOrderChange(change)) => changes(change, sender, receiver),
        Some(Document::PurchaseOrderChangeAcknowledgment(answer)) => {
            answers_change(answer, sender, receiver)
        }
        Some(Document::ApplicationAdvice(advice)) => advises(advice, sender, receiver),
        Some(Document::InventoryAdvice(advice)) => stocks(advice, sender, receiver),
        Some(Document::RoutingRequest(request)) => asks_way(request, sender, receiver),
        Some(Document::RoutingInstructions(answer)) => tells_way(answer, sender, receiver),
        None if Form::of(&set.id).is_some() => judges(group, set),
        None => text!(
            "{title} {number}: {sender} to {receiver}, {segments}.",
            title = capital(&title(&set.id)),
            number = &set.control_number,
            sender,
            receiver,
            segments = count(set.segments.len() + 2, "segment")
        ),
    })
}

/// What a 997 or 999 says in all.
fn judges(header: &GroupHeader, set: &TransactionSet) -> Text {
    let form = Form::of(&set.id).unwrap_or_default();
    // Separators do not matter: no composite is looked at.
    let delimiters = Delimiters::default();
    let said = FunctionalAcknowledgment::read(form, &set.segments, &delimiters).0;
    text!(
        "{title} {number}: {sender} says to {receiver} that group {kind} {group} is {verdict}, {accepted} of {sets}.",
        title = capital(&title(&set.id)),
        number = &set.control_number,
        sender = &header.sender,
        receiver = &header.receiver,
        kind = said.functional_id,
        group = said.control_number,
        verdict = Value::word(word(&said.verdict)),
        accepted = said.accepted,
        sets = count(said.received as usize, "set")
    )
}

fn orders(order: &PurchaseOrder, sender: &str, receiver: &str) -> Text {
    let total = order.total.as_ref().and_then(|total| total.amount);
    let lines = order.lines.iter();
    let total = total.or_else(|| sum(lines.map(|l| (&l.quantity, &l.price))));
    text!(
        "Purchase order {number}: {buyer} orders {lines} from {vendor}{to}{total}.",
        number = numbered(order.number.as_deref(), order.ordered_on),
        buyer = name(order.buyer.as_ref(), sender),
        lines = count(order.lines.len(), "line"),
        vendor = name(order.vendor.as_ref(), receiver),
        to = match name(order.ship_to.as_ref(), "") {
            "" => Text::default(),
            name => text!(", to {name}", name),
        },
        total = money(total, order.currency.as_ref())
    )
}

fn answers(answer: &PurchaseOrderAcknowledgment, sender: &str, receiver: &str) -> Text {
    let total = answer.total.as_ref().and_then(|total| total.amount);
    let status = answer.status.as_ref().map(|status| status.as_str());
    text!(
        "Answer to purchase order {number}: {vendor} says {status} to {buyer}, {lines}{total}.",
        number = numbered(answer.order_number.as_deref(), answer.ordered_on),
        vendor = name(answer.vendor.as_ref(), sender),
        status = Value::word(status.unwrap_or("something")),
        buyer = name(answer.buyer.as_ref(), receiver),
        lines = count(answer.lines.len(), "line"),
        total = money(total, answer.currency.as_ref())
    )
}

fn bills(invoice: &Invoice, sender: &str, receiver: &str) -> Text {
    let total = invoice.totals.as_ref().and_then(|totals| totals.total);
    let vendor = invoice.vendor.as_ref().or(invoice.remit_to.as_ref());
    let buyer = invoice.bill_to.as_ref().or(invoice.buyer.as_ref());
    text!(
        "Invoice {number}: {vendor} bills {lines} to {buyer}{order}{total}.",
        number = numbered(invoice.number.as_deref(), invoice.invoiced_on),
        vendor = name(vendor, sender),
        lines = count(invoice.lines.len(), "line"),
        buyer = name(buyer, receiver),
        order = match &invoice.order_number {
            Some(order) => text!(" for order {order}", order),
            None => Text::default(),
        },
        total = money(total, invoice.currency.as_ref())
    )
}

fn changes(change: &PurchaseOrderChange, sender: &str, receiver: &str) -> Text {
    let purpose = change.purpose.as_ref().filter(|code| code.raw().is_none());
    text!(
        "Change{which} of purchase order {number}: {buyer} sends {purpose} to {vendor}, {lines}{total}.",
        which = match &change.change_number {
            Some(which) => text!(" {which}", which),
            None => Text::default(),
        },
        number = numbered(change.number.as_deref(), change.ordered_on),
        buyer = name(change.buyer.as_ref(), sender),
        purpose = Value::word(&purpose.map_or("a change".to_owned(), article)),
        vendor = name(change.vendor.as_ref(), receiver),
        lines = count(change.lines.len(), "line"),
        total = money(
            change.total.as_ref().and_then(|total| total.amount),
            change.currency.as_ref()
        )
    )
}

fn answers_change(
    answer: &PurchaseOrderChangeAcknowledgment,
    sender: &str,
    receiver: &str,
) -> Text {
    let status = answer.status.as_ref().map(Code::as_str);
    text!(
        "Answer to the change of purchase order {number}: {vendor} says {status} to {buyer}, {lines}{total}.",
        number = numbered(answer.order_number.as_deref(), answer.ordered_on),
        vendor = name(answer.vendor.as_ref(), sender),
        status = Value::word(status.unwrap_or("something")),
        buyer = name(answer.buyer.as_ref(), receiver),
        lines = count(answer.lines.len(), "line"),
        total = money(
            answer.total.as_ref().and_then(|total| total.amount),
            answer.currency.as_ref()
        )
    )
}

fn advises(advice: &ApplicationAdvice, sender: &str, receiver: &str) -> Text {
    let made = advice.made.as_ref().and_then(|made| made.date);
    let errors: usize = advice.results.iter().map(|r| r.errors.len()).sum();
    let said = match advice.results.as_slice() {
        [one] => {
            let status = one.status.as_ref().map_or("something", Code::as_str);
            let status = Value::word(status);
            match &one.id {
                Some(id) => text!("{status} of {id}", status, id),
                None => text!("{status} of what it does not name", status),
            }
        }
        many => {
            let status = many.iter().filter_map(|result| result.status.as_ref());
            let rejected = status.filter(|status| status.as_str().ends_with("rejected"));
            text!(
                "{results}, {rejected} rejected,",
                results = count(many.len(), "result"),
                rejected = rejected.count()
            )
        }
    };
    text!(
        "Application advice {number}: {from} says {said} to {to}; {errors}.",
        number = numbered(advice.number.as_deref(), made),
        from = name(advice.from.as_ref(), sender),
        said,
        to = name(advice.to.as_ref(), receiver),
        errors = count(errors, "error")
    )
}

/// `a cancellation`, as the code says it.
fn article(code: &Code) -> String {
    let article = match code.as_str().starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    };
    format!("{article} {}", code.as_str().replace('_', " "))
}

fn stocks(advice: &InventoryAdvice, sender: &str, receiver: &str) -> Text {
    let made = advice.made.as_ref().and_then(|made| made.date);
    let place = advice.warehouse.as_ref().or(advice.ship_from.as_ref());
    text!(
        "Stock report {number}: {vendor} tells {buyer} the stock of {items}{place}.",
        number = numbered(advice.number.as_deref(), made),
        vendor = name(advice.vendor.as_ref(), sender),
        buyer = name(advice.buyer.as_ref(), receiver),
        items = count(advice.lines.len(), "item"),
        place = match name(place, "") {
            "" => Text::default(),
            name => text!(" at {name}", name),
        }
    )
}

fn asks_way(request: &RoutingRequest, sender: &str, receiver: &str) -> Text {
    let made = request.made.as_ref().and_then(|made| made.date);
    let orders = request.destinations.iter().map(|place| place.orders.len());
    text!(
        "Routing request {number}: {sender} asks {receiver} how to send {orders}{place} to {places}.",
        number = numbered(request.number.as_deref(), made),
        sender,
        receiver,
        orders = count(orders.sum(), "order"),
        place = match name(request.ship_from.as_ref(), "") {
            "" => Text::default(),
            name => text!(" from {name}", name),
        },
        places = count(request.destinations.len(), "place")
    )
}

fn tells_way(answer: &RoutingInstructions, sender: &str, receiver: &str) -> Text {
    let made = answer.made.as_ref().and_then(|made| made.date);
    let carriers = answer.shipments.iter().filter_map(|s| s.carrier.as_deref());
    let carriers: BTreeSet<&str> = carriers.collect();
    text!(
        "Routing instructions {number}: {sender} tells {receiver} how to send {shipments}{by}.",
        number = numbered(answer.number.as_deref(), made),
        sender,
        receiver,
        shipments = count(answer.shipments.len(), "shipment"),
        by = match carriers.is_empty() {
            true => Text::default(),
            false => text!(
                " by {carriers}",
                carriers = Vec::from_iter(carriers).join(", ")
            ),
        }
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn numbered(number: Option<&str>, date: Option<Date>) -> Text {
    let number = match number {
        Some(number) => text!("{number}", number),
        None => text!("without a number"),
    };
    match date {
        Some(date) => text!("{number} of {date}", number, date = date.to_string()),
        None => number,
    }
}

/// The party's name, else its id, else who sent or gets the group.
fn name<'a>(party: Option<&'a Party>, otherwise: &'a str) -> &'a str {
    let id = |party: &'a Party| party.id.as_ref()?.id.as_deref();
    let party = party.and_then(|party| party.name.as_deref().or_else(|| id(party)));
    party.unwrap_or(otherwise)
}

fn money(amount: Option<Decimal>, currency: Option<&Currency>) -> Text {
    let currency = currency.and_then(|currency| currency.code.as_deref());
    let Some(amount) = amount.map(|amount| amount.to_string()) else {
        return Text::default();
    };
    match currency {
        Some(currency) => text!("; {amount} {currency} in all", amount, currency),
        None => text!("; {amount} in all", amount),
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
