//! Invoices in the buyer's books, and what became of them (finances 2026-06-25).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::query::Query;
use super::{Reply, context, invalid, missing, stamp};
use crate::sim::bill::{Bill, Part};
use crate::sim::order::{midnight, money};
use crate::sim::{VENDOR_CODE, World};

/// Invoices on a page.
const PAGE: usize = 100;
/// The longest window of issue dates, which may begin as long ago as anything does.
const SPAN: (TimeDelta, TimeDelta) = (TimeDelta::days(90), TimeDelta::days(3650));
/// Which window counts where none is said.
const LAST: TimeDelta = TimeDelta::days(90);
/// The payee's code, which follows an invoice's number in its identifier.
const PAYEE: &str = "SIMPY";
/// Parts of a settlement by our reasons: the model's own words for them.
const PARTS: [(&str, &str); 8] = [
    ("discount", "QuickPayDiscount"),
    ("shortage", "QuantityVarianceAmount"),
    ("reversal", "QuantityVarianceAmount"),
    ("price_claim", "PriceVariance"),
    ("late_notice", "Chargeback"),
    ("chargeback", "Chargeback"),
    ("provision", "Provision"),
    ("other", "Other"),
];

pub(super) fn list(world: &World, query: &Query, now: DateTime<Utc>) -> Reply {
    listed(world, query, now).unwrap_or_else(|reply| reply)
}

fn listed(world: &World, query: &Query, now: DateTime<Utc>) -> Result<Reply, Reply> {
    market(query, now)?;
    let issued = query.window(("fromIssueDate", "toIssueDate"), now, SPAN)?;
    let modified = query.window(("invoicesModifiedAfter", "\0"), now, SPAN)?;
    let wanted = |bill: &&Bill| match (issued.said(), modified.said()) {
        (false, false) => issue(bill) >= now - LAST,
        _ => issued.has(issue(bill)) && modified.has(updated(bill)),
    };
    let found = world.bills.values().filter(wanted);
    let all: Vec<&Bill> = found.collect();
    let count = all.len();
    let (page, next) = query.page(all, PAGE)?;
    let page: Vec<Value> = page.into_iter().map(header).collect();
    let mut body = json!({"invoices": page, "numOfRecords": count});
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    Ok((200, body))
}

fn market(query: &Query, now: DateTime<Utc>) -> Result<(), Reply> {
    let own = context(now).site.marketplace;
    match query.text("marketplaceId") {
        Some(id) if id == own => Ok(()),
        id => {
            let message = format!(
                "marketplaceId is {:?}, and the account's is {own}",
                id.unwrap_or_default()
            );
            Err(invalid(&message, "marketplaceId"))
        }
    }
}

pub(super) fn one(world: &World, id: &str, query: &Query, now: DateTime<Utc>) -> Reply {
    if let Err(reply) = market(query, now) {
        return reply;
    }
    let number = id.strip_suffix(PAYEE).and_then(|id| id.strip_suffix('~'));
    match number.and_then(|number| world.bills.get(number)) {
        Some(bill) => {
            let items = bill
                .parts
                .iter()
                .flat_map(|(order, part)| items(world, order, part));
            let items: Vec<Value> = items.collect();
            (
                200,
                json!({"invoiceHeader": header(bill), "invoiceItems": items}),
            )
        }
        None => missing("invoice", id),
    }
}

fn issue(bill: &Bill) -> DateTime<Utc> {
    midnight(bill.on.value().and_time(chrono::NaiveTime::MIN).and_utc())
}

fn updated(bill: &Bill) -> DateTime<Utc> {
    bill.settled.unwrap_or(bill.taken)
}

/// An amount, as this API writes one: a JSON number.
fn amount(cents: i64) -> Value {
    let number: serde_json::Number = money(cents).to_string().parse().unwrap_or(0.into());
    json!({"currencyCode": "USD", "currencyAmount": number})
}

fn header(bill: &Bill) -> Value {
    let off: i64 = bill.taken_off.iter().map(|(_, cents)| cents).sum();
    let status = match bill.settled {
        None => "IN_PROGRESS",
        Some(_) if off > 0 => "PARTIALLY_PAID",
        Some(_) => "PAID",
    };
    let related = |name: &str, values: Vec<String>| json!({"relatedIdentifierName": name, "relatedIdentifierValue": values});
    let mut numbers = vec![
        related("PURCHASE_ORDER_IDS", bill.parts.keys().cloned().collect()),
        related("VENDOR_CODE", vec![VENDOR_CODE.to_owned()]),
        related("PAYEE_CODE", vec![PAYEE.to_owned()]),
    ];
    let mut header = json!({
        "invoiceNumber": bill.number,
        "invoiceIdentifier": format!("{}~{PAYEE}", bill.number),
        "invoiceStatus": status,
        "invoiceType": "AP_INVENTORY",
        "payer": {"partnerId": "SIMPAY", "partnerType": "AMAZON", "partnerName": "Buyer in the box"},
        "payee": {"partnerId": VENDOR_CODE, "partnerType": "VENDOR", "partnerName": "Vendor of the box"},
        "issueDate": stamp(issue(bill)),
        "dueDate": stamp(bill.due),
        "invoiceAmount": amount(bill.total),
        "creationDate": stamp(bill.taken),
        "lastUpdatedDate": stamp(updated(bill)),
    });
    if bill.settled.is_some() {
        let part = |name: &str, cents: i64| json!({"breakdownType": name, "breakdownAmount": amount(cents)});
        let mut parts = vec![part("AmountPaid", bill.paid)];
        for (reason, name) in PARTS {
            let own = bill.taken_off.iter().filter(|(known, _)| *known == reason);
            let cents: i64 = own.map(|(_, cents)| cents).sum();
            if cents != 0 {
                parts.push(part(name, cents));
            }
        }
        header["invoiceSettlementBreakdowns"] = parts.into();
        numbers.push(related("UNIQUE_PAYMENT_IDS", bill.payments.clone()));
    }
    header["relatedIdentifiers"] = numbers.into();
    header
}

fn items<'a>(
    world: &'a World,
    number: &'a str,
    part: &'a Part,
) -> impl Iterator<Item = Value> + 'a {
    let order = world.orders.get(number);
    let item = move |(n, (line, count, price)): (usize, &(usize, u32, i64))| {
        let line = &order?.lines[*line];
        let total = price * i64::from(*count);
        let matched = (*count).min(line.received);
        let claim = |price: i64| (price - line.price).max(0) * i64::from(*count);
        let mut context = json!({
            "lineItemType": "GOODS",
            "itemIdentifiers": [{"itemIdentifierName": "ASIN", "itemIdentifierValue": line.item.asin}],
            "matchingContext": {"matchedQuantity": matched, "matchedAmount": amount(line.cents(matched))},
        });
        let mut reasons = Vec::new();
        let matching = &mut context["matchingContext"];
        if line.arrived > line.received {
            matching["quantityVariance"] = (line.arrived - line.received).into();
            reasons.push(json!({"varianceType": "PQV", "defectTypes": ["SHORTAGES_IN_TRANSIT"]}));
        }
        if claim(*price) > 0 {
            matching["priceVariance"] = amount(claim(*price));
            reasons.push(json!({"varianceType": "PPV", "defectTypes": ["OVERBILLING"]}));
        }
        if !reasons.is_empty() {
            matching["varianceReasons"] = reasons.into();
        }
        Some(json!({
            "lineItemId": format!("{number}-{}", n + 1),
            "unitCost": amount(*price),
            "quantity": count,
            "totalAmount": amount(total),
            "lineItemContext": context,
            "relatedItemIdentifiers": [{"relatedIdentifierName": "PURCHASE_ORDER_IDS",
                "relatedIdentifierValue": [number]}],
        }))
    };
    part.lines.iter().enumerate().filter_map(item)
}
