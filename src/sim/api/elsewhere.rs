//! What this box has nothing of: labels and slips for consumers' parcels, and notifications to a queue in
//! a cloud.
//!
//! Their operations are there, with token, rate and query as published. Lists are empty, a single
//! thing is not found, and what is submitted is held to the model and then refused, with the reason.

use serde_json::{Value, json};

use super::{Reply, missing};
use crate::bridge::spapi::Endpoint;

/// What a list is called in the answer of an operation.
const LISTS: [(&str, &str); 3] = [
    ("getShippingLabels", "shippingLabels"),
    ("getCustomerInvoices", "customerInvoices"),
    ("getPackingSlips", "packingSlips"),
];

pub(super) fn read(endpoint: &Endpoint, place: &str) -> Reply {
    match LISTS.iter().find(|(name, _)| *name == endpoint.name) {
        Some((_, list)) => {
            let mut payload = json!({});
            payload[list] = Value::Array(Vec::new());
            (200, json!({"payload": payload}))
        }
        None if endpoint.name == "getDestinations" => (200, json!({"payload": []})),
        None if endpoint.name == "getSubscriptions" => {
            (200, json!({"payload": {"subscriptions": []}}))
        }
        None => missing("thing for this operation in the box,", place),
    }
}
