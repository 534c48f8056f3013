//! Consumers' orders (direct fulfillment): those of a scenario that says `direct = true`.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::orders::paged;
use super::query::Query;
use super::{Reply, missing, stamp};
use crate::sim::order::{Line, Order, money};
use crate::sim::{Seed, State, VENDOR_CODE, World};

/// Orders on a page.
const PAGE: usize = 100;
/// A window of orders, and how long ago it may begin.
const SPAN: (TimeDelta, TimeDelta) = (TimeDelta::days(7), TimeDelta::days(186));
/// In how many days an order is to leave.
const LEAVES: TimeDelta = TimeDelta::days(2);
/// Names that are nobody's.
const NAMES: [&str; 4] = ["Ada Sample", "Bo Example", "Cy Placeholder", "Di Nobody"];

pub(super) fn list(world: &World, query: &Query, now: DateTime<Utc>) -> Reply {
    listed(world, query, now).unwrap_or_else(|reply| reply)
}

fn listed(world: &World, query: &Query, now: DateTime<Utc>) -> Result<Reply, Reply> {
    let created = query.window(("createdAfter", "createdBefore"), now, SPAN)?;
    let status = query.word("status", &["NEW", "SHIPPED", "ACCEPTED", "CANCELLED"])?;
    let details = query.word("includeDetails", &["true", "false"])? != Some("false");
    let ascending = query.word("sortOrder", &["ASC", "DESC"])? == Some("ASC");
    let place = query.text("shipFromPartyId");
    let wanted = |order: &&Order| {
        created.has(order.created)
            && status.is_none_or(|status| status == word(order))
            && place.is_none_or(|place| place == order.warehouse)
    };
    let mut all: Vec<&Order> = world.shown(true, now).filter(wanted).collect();
    if ascending {
        all.reverse();
    }
    let (page, next) = query.page(all, PAGE)?;
    let said = |order: &Order| record(world, order, details);
    let page = page.into_iter().map(said).collect();
    Ok((200, json!({"payload": paged("orders", page, next)})))
}

pub(super) fn one(world: &World, number: &str, now: DateTime<Utc>) -> Reply {
    match world.shown_one(number, true, now) {
        Some(order) => (200, json!({"payload": record(world, order, true)})),
        None => missing("consumer's order", number),
    }
}

fn word(order: &Order) -> &'static str {
    match order.state() {
        State::New => "NEW",
        State::Acknowledged => "ACCEPTED",
        State::Rejected | State::Cancelled => "CANCELLED",
        State::Shipped | State::Invoiced | State::Paid => "SHIPPED",
    }
}

fn record(world: &World, order: &Order, details: bool) -> Value {
    let mut record = json!({"purchaseOrderNumber": order.number});
    if !details {
        return record;
    }
    let mut draw = Seed::of(world.seed, "consumer", order.position as u64);
    let name = NAMES[usize::try_from(draw.below(NAMES.len() as u64)).unwrap_or(0)];
    let item = |(line, n): (&Line, usize)| {
        json!({
            "itemSequenceNumber": n.to_string(),
            "buyerProductIdentifier": line.item.asin,
            "vendorProductIdentifier": line.item.upc,
            "title": format!("Item {}", line.item.asin),
            "orderedQuantity": {"amount": line.ordered, "unitOfMeasure": "Each"},
            "netPrice": {"currencyCode": "USD", "amount": money(line.item.price).to_string()},
        })
    };
    record["orderDetails"] = json!({
        "customerOrderNumber": format!("C{}", order.number),
        "orderDate": stamp(order.created),
        "orderStatus": word(order),
        "shipmentDetails": {
            "isPriorityShipment": false,
            "isPslipRequired": false,
            "shipMethod": "SIMX_GROUND",
            "shipmentDates": {"requiredShipDate": stamp(order.created + LEAVES)},
            "messageToCustomer": "Thank you for this sample",
        },
        "sellingParty": {"partyId": VENDOR_CODE},
        "shipFromParty": {"partyId": order.warehouse},
        "shipToParty": {
            "name": name,
            "addressLine1": format!("{} Sample Street", 1 + draw.below(900)),
            "city": "Reno",
            "stateOrRegion": "NV",
            "postalCode": "89501",
            "countryCode": "US",
        },
        "billToParty": {"partyId": "SIMBT"},
        "items": order.lines.iter().zip(1..).map(item).collect::<Vec<Value>>(),
    });
    record
}
