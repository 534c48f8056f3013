//! Orders as the API gives them, and what became of them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::odd;
use super::query::Query;
use super::{Reply, context, missing, stamp};
use crate::bridge::spapi::{order, poll};
use crate::sim::order::{Line, Order, money};
use crate::sim::{Door, State, VENDOR_CODE, What, World};

/// Orders on a page.
const PAGE: usize = 100;
/// A window of orders, and how long ago it may begin: six months and what they are longer.
const SPAN: (TimeDelta, TimeDelta) = (poll::WINDOW, TimeDelta::days(186));

impl World {
    /// The orders that the API shows by now, the latest first: consumers' ones, or the others.
    pub(super) fn shown(&self, direct: bool, now: DateTime<Utc>) -> impl Iterator<Item = &Order> {
        let own = self.scenario().direct == direct;
        let all: Vec<&Order> = self.in_order().filter(|_| own).collect();
        let shown = move |order: &&Order| self.shows(order, direct, now);
        all.into_iter().rev().filter(shown)
    }

    /// The order of a number, if the API shows it.
    pub(super) fn shown_one(
        &self,
        number: &str,
        direct: bool,
        now: DateTime<Utc>,
    ) -> Option<&Order> {
        let order = self.orders.get(number);
        order.filter(|order| self.shows(order, direct, now))
    }

    fn shows(&self, order: &Order, direct: bool, now: DateTime<Utc>) -> bool {
        let own = self.scenario().direct == direct && order.door == Door::Api;
        own && !self.hidden(order, now)
    }

    fn hidden(&self, order: &Order, now: DateTime<Utc>) -> bool {
        let happens = self.scenario().happens(What::Hidden, order.position);
        happens.is_some_and(|one| now < order.created + TimeDelta::hours(one.lasts))
    }
}

pub(super) fn list(world: &World, query: &Query, now: DateTime<Utc>) -> Reply {
    listed(world, query, now).unwrap_or_else(|reply| reply)
}

fn listed(world: &World, query: &Query, now: DateTime<Utc>) -> Result<Reply, Reply> {
    let created = query.window(("createdAfter", "createdBefore"), now, SPAN)?;
    let changed = query.window(("changedAfter", "changedBefore"), now, SPAN)?;
    let state = query.word("purchaseOrderState", &["New", "Acknowledged", "Closed"])?;
    let cancelled = query.word("poItemState", &["Cancelled"])?.is_some();
    let is_changed = query
        .word("isPOChanged", &["true", "false"])?
        .map(|word| word == "true");
    let details = query.word("includeDetails", &["true", "false"])? != Some("false");
    let ascending = query.word("sortOrder", &["ASC", "DESC"])? == Some("ASC");
    let vendor = query.text("orderingVendorCode");
    let old = odd::during(world, What::OldOrders, now);
    let wanted = |order: &&Order| {
        let in_changed = match order.changed {
            Some(at) => changed.has(at),
            None => !changed.said(),
        };
        (created.has(order.created) || old)
            && in_changed
            && state.is_none_or(|state| state == word(order))
            && (!cancelled || order.lines.iter().any(|line| line.ordered == 0))
            && is_changed.is_none_or(|wanted| wanted == order.changed.is_some())
            && vendor.is_none_or(|vendor| vendor == VENDOR_CODE)
    };
    let mut all: Vec<&Order> = world.shown(false, now).filter(wanted).collect();
    if ascending {
        all.reverse();
    }
    let (page, next) = query.page(all, PAGE)?;
    let said = |order: &Order| record(world, order, details, now);
    let page = page.into_iter().map(said).collect();
    Ok((200, json!({"payload": paged("orders", page, next)})))
}

/// A list with its pagination.
pub(super) fn paged(list: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut payload = json!({});
    if let Some(next) = next {
        payload["pagination"] = json!({"nextToken": next});
    }
    payload[list] = page.into();
    payload
}

pub(super) fn one(world: &World, number: &str, now: DateTime<Utc>) -> Reply {
    match world.shown_one(number, false, now) {
        Some(order) => (200, json!({"payload": record(world, order, true, now)})),
        None => missing("order", number),
    }
}

fn word(order: &Order) -> &'static str {
    match order.state() {
        State::New => "New",
        State::Paid | State::Cancelled | State::Rejected => "Closed",
        _ => "Acknowledged",
    }
}

/// An order as the API gives it.
fn record(world: &World, order: &Order, details: bool, now: DateTime<Utc>) -> Value {
    let document = order.document(world.scenario());
    let (mut record, _) = order::to_api(&document, &context(now));
    record["purchaseOrderState"] = word(order).into();
    let said = &mut record["orderDetails"];
    said["purchaseOrderDate"] = stamp(order.created).into();
    said["purchaseOrderStateChangedDate"] = stamp(order.moved).into();
    if let Some(changed) = order.changed {
        said["purchaseOrderChangedDate"] = stamp(changed).into();
    }
    said["paymentMethod"] = "Invoice".into();
    if let Some(one) = world
        .scenario()
        .happens(What::NegativeQuantity, order.position)
    {
        let line = one.line.clamp(1, order.lines.len()) - 1;
        said["items"][line]["orderedQuantity"]["amount"] = (-i64::from(one.units)).into();
    }
    if world
        .scenario()
        .happens(What::WrongCase, order.position)
        .is_some()
    {
        odd::in_another_case(&mut record);
    }
    if !details && let Some(map) = record.as_object_mut() {
        map.shift_remove("orderDetails");
    }
    record
}

pub(super) fn statuses(
    world: &World,
    acknowledged: &BTreeMap<String, String>,
    query: &Query,
    now: DateTime<Utc>,
) -> Reply {
    told(world, acknowledged, query, now).unwrap_or_else(|reply| reply)
}

fn told(
    world: &World,
    acknowledged: &BTreeMap<String, String>,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Reply, Reply> {
    const CONFIRMED: [&str; 4] = ["ACCEPTED", "PARTIALLY_ACCEPTED", "REJECTED", "UNCONFIRMED"];
    const RECEIVED: [&str; 3] = ["NOT_RECEIVED", "PARTIALLY_RECEIVED", "RECEIVED"];
    let created = query.window(("createdAfter", "createdBefore"), now, SPAN)?;
    let updated = query.window(("updatedAfter", "updatedBefore"), now, SPAN)?;
    let status = query.word("purchaseOrderStatus", &["OPEN", "CLOSED"])?;
    let confirmation = query.word("itemConfirmationStatus", &CONFIRMED)?;
    let receipt = query.word("itemReceiveStatus", &RECEIVED)?;
    let ascending = query.word("sortOrder", &["ASC", "DESC"])? == Some("ASC");
    let (number, vendor) = (
        query.text("purchaseOrderNumber"),
        query.text("orderingVendorCode"),
    );
    let place = query.text("shipToPartyId");
    let wanted = |order: &&Order| {
        created.has(order.created)
            && updated.has(order.moved)
            && vendor.is_none_or(|vendor| vendor == VENDOR_CODE)
            && place.is_none_or(|place| place == order.warehouse)
            && status.is_none_or(|status| status == open(order))
            && confirmation
                .is_none_or(|word| order.lines.iter().any(|line| confirmed(line) == word))
            && receipt.is_none_or(|word| order.lines.iter().any(|line| received(line) == word))
    };
    let mut all: Vec<&Order> = match number {
        Some(number) => world
            .shown_one(number, false, now)
            .into_iter()
            .filter(wanted)
            .collect(),
        None => world.shown(false, now).filter(wanted).collect(),
    };
    if ascending {
        all.reverse();
    }
    let (page, next) = query.page(all, PAGE)?;
    let said = |order: &Order| order_status(order, acknowledged.get(&order.number));
    let page = page.into_iter().map(said).collect();
    Ok((200, json!({"payload": paged("ordersStatus", page, next)})))
}

fn open(order: &Order) -> &'static str {
    let done = |line: &Line| received(line) == "RECEIVED";
    match order.cancelled || order.rejected() || order.lines.iter().all(done) {
        true => "CLOSED",
        false => "OPEN",
    }
}

fn confirmed(line: &Line) -> &'static str {
    match (line.answered, line.due()) {
        (None, _) => "UNCONFIRMED",
        (_, 0) => "REJECTED",
        (_, due) if due < line.ordered => "PARTIALLY_ACCEPTED",
        _ => "ACCEPTED",
    }
}

fn received(line: &Line) -> &'static str {
    match line.received {
        0 if line.arrived == 0 => "NOT_RECEIVED",
        _ if line.arrived < line.due() => "PARTIALLY_RECEIVED",
        _ => "RECEIVED",
    }
}

fn quantity(units: u32) -> Value {
    json!({"amount": units, "unitOfMeasure": "Eaches", "unitSize": 1})
}

fn order_status(order: &Order, said: Option<&String>) -> Value {
    let party = |id: &str| json!({"partyId": id});
    let item = |(line, n): (&Line, usize)| {
        let mut answer = json!({"confirmationStatus": confirmed(line)});
        if let Some(at) = line.answered {
            let at = said.cloned().unwrap_or_else(|| stamp(at));
            answer["acceptedQuantity"] = quantity(line.due());
            answer["rejectedQuantity"] = quantity(line.rejected);
            answer["acknowledgementStatusDetails"] = json!([{"acknowledgementDate": at,
                "acceptedQuantity": quantity(line.due()), "rejectedQuantity": quantity(line.rejected)}]);
        }
        json!({
            "itemSequenceNumber": n.to_string(),
            "buyerProductIdentifier": line.item.asin,
            "vendorProductIdentifier": line.item.upc,
            "netCost": {"amount": money(line.item.price).to_string(), "currencyCode": "USD"},
            "orderedQuantity": {"orderedQuantity": quantity(line.ordered)},
            "acknowledgementStatus": answer,
            "receivingStatus": {"receiveStatus": received(line), "receivedQuantity": quantity(line.received)},
        })
    };
    json!({
        "purchaseOrderNumber": order.number,
        "purchaseOrderStatus": open(order),
        "purchaseOrderDate": stamp(order.created),
        "lastUpdatedDate": stamp(order.moved),
        "sellingParty": party(VENDOR_CODE),
        "shipToParty": party(order.warehouse),
        "itemStatus": order.lines.iter().zip(1..).map(item).collect::<Vec<Value>>(),
    })
}
