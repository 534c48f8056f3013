//! What goes over the wire to the API of tests, and how it shows an order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use transload::bridge::spapi::Endpoint;

use super::server::Order;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An order as the API shows it at a time.
pub(crate) fn shown(order: &Order, now: DateTime<Utc>) -> Value {
    let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let changed = order.changed.filter(|changed| *changed <= now);
    let quantity = order.quantity + if changed.is_some() { 12 } else { 0 };
    let party = |id: &str| json!({ "partyId": id });
    let mut details = json!({
        "purchaseOrderDate": stamp(order.created),
        "purchaseOrderStateChangedDate": stamp(order.created),
        "purchaseOrderType": "RegularOrder",
        "sellingParty": party("TNDBX"),
        "shipToParty": party("ABC1"),
        "billToParty": party("BILLX"),
        "deliveryWindow": "2026-12-01T08:00:00Z--2026-12-08T08:00:00Z",
        "items": [{
            "itemSequenceNumber": "1",
            "vendorProductIdentifier": super::CONTENT,
            "orderedQuantity": {"amount": quantity, "unitOfMeasure": "Eaches", "unitSize": 1},
            "isBackOrderAllowed": false,
            "netCost": {"amount": "9.95", "currencyCode": "USD"},
        }],
    });
    if let Some(changed) = changed {
        details["purchaseOrderChangedDate"] = stamp(changed).into();
    }
    json!({
        "purchaseOrderNumber": order.number,
        "purchaseOrderState": "New",
        "orderDetails": details,
    })
}

/// A consumer's order.
pub(crate) fn direct(order: &Order, _: DateTime<Utc>) -> Value {
    let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "purchaseOrderNumber": order.number,
        "orderDetails": {
            "customerOrderNumber": "112-1",
            "orderDate": stamp(order.created),
            "orderStatus": "NEW",
            "shipmentDetails": {"isPriorityShipment": false, "isPslipRequired": false,
                "shipMethod": "GROUND_HOME",
                "shipmentDates": {"requiredShipDate": stamp(order.created)}},
            "sellingParty": {"partyId": "TNDBX"},
            "shipFromParty": {"partyId": "TKW2"},
            "shipToParty": {"name": super::CONTENT, "addressLine1": "7 Lantern Street",
                "city": "Ashby", "stateOrRegion": "OH", "postalCode": "44805", "countryCode": "US"},
            "billToParty": {"partyId": "BILLX"},
            "items": [{
                "itemSequenceNumber": "1",
                "vendorProductIdentifier": super::CONTENT,
                "orderedQuantity": {"amount": order.quantity, "unitOfMeasure": "Each"},
                "netPrice": {"amount": "17.25", "currencyCode": "USD"},
            }],
        },
    })
}

/// The operation that a request is of, and the value in its path.
pub(crate) fn matched(asked: &Asked) -> Option<(&'static Endpoint, String)> {
    Endpoint::all()
        .filter(|one| one.method == asked.method)
        .find_map(|one| {
            let (before, after) = match one.path.split_once('{') {
                Some((before, rest)) => (before, rest.split_once('}')?.1),
                None if one.path == asked.path => return Some((one, String::new())),
                None => return None,
            };
            let value = asked.path.strip_prefix(before)?.strip_suffix(after)?;
            (!value.contains('/')).then(|| (one, value.to_owned()))
        })
}

pub(crate) fn parse(head: &str, body: Vec<u8>) -> Asked {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Asked {
        method,
        path: path.to_owned(),
        query: pairs(query),
        headers: lines.filter_map(header).collect(),
        body,
    }
}

pub(crate) fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), unescaped(value)))
    };
    text.split('&').filter_map(pair).collect()
}

fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, more @ ..] = rest {
        let hex = more.get(..2).filter(|_| *first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = &more[if byte.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
