//! Direct fulfillment: a consumer's order, and what is said to it.
//!
//! Other names than in retail, and other rules: an order is filled or refused as a whole, with a
//! code; the consumer's address is always there; the carrier's method is the buyer's own word. The
//! records of v1 and of 2021-12-28 are read alike.

use super::loss::{LossKind, Report, Way};
use super::parts::{ORDERS, Spelling};
use super::rows::{Row, Via};
use super::walk::Walk;
use super::{Context, codes, document, tree};
use crate::canonical::{PurchaseOrder, PurchaseOrderAcknowledgment};
use serde_json::Value;

const BUYER: &str = "buyerProductIdentifier";
const CONSUMER: Spelling = Spelling {
    postal: "postalCode",
    tax: None,
};
/// The note that the packing slip carries.
const MESSAGE: &str = "MESSAGE";

const ORDER: [Row; 9] = [
    Row("number", "purchaseOrderNumber", Via::Text),
    Row("ordered_on", "orderDetails.orderDate", Via::Date),
    Row(
        "ext.customer_order",
        "orderDetails.customerOrderNumber",
        Via::Text,
    ),
    Row(
        "requested_shipment",
        "orderDetails.shipmentDetails.shipmentDates.requiredShipDate",
        Via::Moment,
    ),
    Row(
        "requested_delivery",
        "orderDetails.shipmentDetails.shipmentDates.promisedDeliveryDate",
        Via::Moment,
    ),
    Row(
        "lines[].number",
        "orderDetails.items[].itemSequenceNumber",
        Via::Text,
    ),
    Row(
        "lines[].quantity.value",
        "orderDetails.items[].orderedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].quantity.unit",
        "orderDetails.items[].orderedQuantity.unitOfMeasure",
        Via::Unit("direct_unit"),
    ),
    Row(
        "lines[].descriptions[0].text",
        "orderDetails.items[].title",
        Via::Text,
    ),
];

const PARTIES: [(&str, &str); 3] = [
    ("vendor", "orderDetails.sellingParty"),
    ("ship_from", "orderDetails.shipFromParty"),
    ("bill_to", "orderDetails.billToParty"),
];

const METHOD: &str = "orderDetails.shipmentDetails.shipMethod";
const TO_CONSUMER: &str = "orderDetails.shipmentDetails.messageToCustomer";

/// An order as the API would have given it.
#[must_use]
pub fn order_to_api(order: &PurchaseOrder, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new("direct_order", Way::ToApi, tree(order), context);
    walk.said_if("purpose", "original", "");
    walk.said_if("kind", "new_order", "");
    walk.rows_to_api(&ORDER);
    for (ours, theirs) in PARTIES {
        walk.party_to_api(ours, theirs, ORDERS);
    }
    walk.vendor_code("orderDetails.sellingParty");
    walk.address_to_api("ship_to", "orderDetails.shipToParty", CONSUMER);
    let qualifier = "routing[0].carrier_qualifier";
    if walk.ours.text(qualifier).as_deref() == Some("assigned_by_buyer") {
        walk.over("routing[0].carrier", METHOD, Via::Text);
        if walk.theirs.has(METHOD) {
            walk.said(qualifier, METHOD);
        }
    }
    if walk.ours.text("notes[0].id").as_deref() == Some(MESSAGE) {
        walk.over("notes[0].text[0].text", TO_CONSUMER, Via::Text);
        if walk.theirs.has(TO_CONSUMER) {
            walk.said("notes[0].id", TO_CONSUMER);
            walk.said_if("notes[0].qualifier", "ZZ", TO_CONSUMER);
        }
    }
    for n in 0..order.lines.len() {
        let (ours, theirs) = (format!("lines[{n}]"), format!("orderDetails.items[{n}]"));
        walk.ids_to_api(&ours, &theirs, BUYER);
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        walk.money_to_api(&amount, &own, &format!("{theirs}.netPrice"));
        let price = format!("{theirs}.netPrice.amount");
        walk.said_if(&format!("{ours}.price.basis"), "net", &price);
        let title = format!("{theirs}.title");
        if walk.theirs.has(&title) {
            let form = format!("{ours}.descriptions[0].form");
            walk.said_if(&form, "free_form", &title);
        }
    }
    for name in ["isPriorityShipment", "isPslipRequired"] {
        let place = format!("orderDetails.shipmentDetails.{name}");
        walk.add(LossKind::Synthesised, &place, false);
    }
    walk.now("orderDetails.orderDate");
    walk.end_to_api()
}

/// An order that the API gave.
#[must_use]
pub fn order_from_api(order: Value, context: &Context) -> (PurchaseOrder, Report) {
    let mut walk = Walk::of("direct_order", "DirectOrder", order, context);
    walk.add(LossKind::Synthesised, "purpose", "original");
    walk.add(LossKind::Synthesised, "kind", "new_order");
    walk.rows_from_api(&ORDER);
    for (ours, theirs) in PARTIES {
        walk.party_from_api(ours, theirs, ORDERS);
    }
    walk.address_from_api("ship_to", "orderDetails.shipToParty", CONSUMER);
    walk.back("routing[0].carrier", METHOD, Via::Text);
    if walk.ours.has("routing[0].carrier") {
        walk.means("routing[0].carrier_qualifier", "assigned_by_buyer", METHOD);
    }
    walk.back("notes[0].text[0].text", TO_CONSUMER, Via::Text);
    if walk.ours.has("notes[0].text[0].text") {
        walk.means("notes[0].qualifier", "ZZ", TO_CONSUMER);
        walk.means("notes[0].id", MESSAGE, TO_CONSUMER);
    }
    for n in 0..walk.theirs.len("orderDetails.items") {
        let (ours, theirs) = (format!("lines[{n}]"), format!("orderDetails.items[{n}]"));
        walk.ids_from_api(&ours, &theirs, BUYER);
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        walk.money_from_api(&amount, &own, &format!("{theirs}.netPrice"));
        if walk.ours.has(&amount) {
            let basis = format!("{ours}.price.basis");
            walk.add(LossKind::Inferred, &basis, "net");
            walk.trace(&basis, &format!("{theirs}.netPrice.amount"));
        }
        if walk.ours.has(&format!("{ours}.descriptions[0].text")) {
            let form = format!("{ours}.descriptions[0].form");
            walk.add(LossKind::Inferred, &form, "free_form");
            walk.trace(&form, &format!("{theirs}.title"));
        }
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("BY");
    }
    document(walk.end_from_api())
}

const ANSWER: [Row; 6] = [
    Row("order_number", "purchaseOrderNumber", Via::Text),
    Row("seller_number", "vendorOrderNumber", Via::Text),
    Row("acknowledged_on", "acknowledgementDate", Via::Date),
    Row(
        "lines[].number",
        "itemAcknowledgements[].itemSequenceNumber",
        Via::Text,
    ),
    Row(
        "lines[].acknowledgments[0].quantity.value",
        "itemAcknowledgements[].acknowledgedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].acknowledgments[0].quantity.unit",
        "itemAcknowledgements[].acknowledgedQuantity.unitOfMeasure",
        Via::Unit("direct_unit"),
    ),
];

/// A request that answers one order.
#[must_use]
pub fn acknowledgment_to_api(
    answer: &PurchaseOrderAcknowledgment,
    context: &Context,
) -> (Value, Report) {
    let mut walk = Walk::new("direct_acknowledgment", Way::ToApi, tree(answer), context);
    walk.said_if("purpose", "original", "");
    walk.rows_to_api(&ANSWER);
    walk.party_to_api("vendor", "sellingParty", ORDERS);
    walk.party_to_api("ship_from", "shipFromParty", ORDERS);
    walk.vendor_code("sellingParty");
    let code = "acknowledgementStatus.code";
    for n in 0..answer.lines.len() {
        let (ours, theirs) = (format!("lines[{n}]"), format!("itemAcknowledgements[{n}]"));
        walk.ids_to_api(&ours, &theirs, BUYER);
        let status = format!("{ours}.acknowledgments[0].status");
        let reason = format!("{ours}.acknowledgments[0].reason");
        let said = walk.ours.text(&status).unwrap_or_default();
        let why = walk.ours.text(&reason);
        let word = why.clone().unwrap_or_else(|| match said.as_str() {
            "accepted" => "ships_in_full".into(),
            _ => String::new(),
        });
        // Fill or kill: the first line's answer is that of the order, and no other may differ.
        let Some((theirs, same)) = codes::theirs("direct_status", &word) else {
            walk.refuse(&status);
            continue;
        };
        match walk.theirs.text(code) {
            None => walk.theirs.put(code, theirs),
            Some(first) if first == theirs => {}
            Some(_) => {
                walk.refuse(&status);
                continue;
            }
        }
        let full = word == "ships_in_full";
        if why.is_some() && (full || !same) {
            walk.note(LossKind::Dropped, &reason, why.unwrap_or_default());
        }
        if said != if full { "accepted" } else { "rejected" } {
            walk.note(LossKind::Dropped, &status, said);
        }
        walk.said(&status, code);
        walk.said(&reason, code);
    }
    walk.now("acknowledgementDate");
    walk.end_to_api()
}

/// One answer of a request.
#[must_use]
pub fn acknowledgment_from_api(
    answer: Value,
    context: &Context,
) -> (PurchaseOrderAcknowledgment, Report) {
    let mut walk = Walk::of(
        "direct_acknowledgment",
        "DirectAcknowledgement",
        answer,
        context,
    );
    walk.add(LossKind::Synthesised, "purpose", "original");
    walk.rows_from_api(&ANSWER);
    walk.ordered_on();
    walk.party_from_api("vendor", "sellingParty", ORDERS);
    walk.party_from_api("ship_from", "shipFromParty", ORDERS);
    let code = walk
        .theirs
        .text("acknowledgementStatus.code")
        .unwrap_or_default();
    if let Some((word, _)) = codes::ours("direct_status", &code) {
        walk.theirs.take("acknowledgementStatus.code");
        let code = "acknowledgementStatus.code";
        let (whole, each) = match word {
            "ships_in_full" => ("accepted_with_detail_no_change", "accepted"),
            _ => ("rejected_with_detail", "rejected"),
        };
        walk.add(LossKind::Inferred, "status", whole);
        for n in 0..walk.theirs.len("itemAcknowledgements") {
            let answer = format!("lines[{n}].acknowledgments[0]");
            walk.means(&format!("{answer}.status"), each, code);
            if walk.theirs.len("itemAcknowledgements") > 1 {
                walk.note(LossKind::Split, &format!("{answer}.status"), each);
            }
            let reason = format!("{answer}.reason");
            walk.add(LossKind::Inferred, &reason, word);
            walk.trace(&reason, code);
        }
    }
    for n in 0..walk.theirs.len("itemAcknowledgements") {
        walk.ids_from_api(
            &format!("lines[{n}]"),
            &format!("itemAcknowledgements[{n}]"),
            BUYER,
        );
    }
    document(walk.end_from_api())
}
