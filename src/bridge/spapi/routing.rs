//! Routing: a 753's request for a carrier ⇄ `SubmitShipments`, and the answer of
//! `GetShipmentDetails` → a 754's instructions.
//!
//! A request of the API goes to one place: a 753 to several becomes as many. It asks only where
//! the buyer pays the freight. The answer has the buyer's own number of the shipment (ARN), which
//! the ship notice repeats.

use super::decimal::whole;
use super::loss::{LossKind, Report, Way};
use super::parts::SHIPMENTS;
use super::rows::{Row, Via};
use super::walk::Walk;
use super::{Context, document, tree};
use crate::canonical::{RoutingInstructions, RoutingRequest};
use serde_json::Value;

const ROWS: [Row; 3] = [
    Row("number", "vendorShipmentIdentifier", Via::Text),
    Row("purpose", "transactionType", Via::Code("routing_purpose")),
    Row("made", "transactionDate", Via::Moment),
];

/// X12 432: a pickup that is asked for, and one that is agreed.
const REQUESTED: &str = "10";
const SCHEDULED: &str = "69";

/// One shipment a destination.
#[must_use]
pub fn to_api(request: &RoutingRequest, context: &Context) -> (Vec<Value>, Report) {
    let count = request.destinations.len().max(1);
    let (first, mut report) = shipment_to_api(request, 0, count, context);
    let mut shipments = vec![first];
    for n in 1..count {
        let (shipment, told) = shipment_to_api(request, n, count, context);
        shipments.push(shipment);
        report.join(told);
    }
    (shipments, report)
}

fn shipment_to_api(
    request: &RoutingRequest,
    n: usize,
    count: usize,
    context: &Context,
) -> (Value, Report) {
    let mut only = request.clone();
    // The others are told of with their own shipment; this one keeps its place in the list.
    for (place, destination) in only.destinations.iter_mut().enumerate() {
        if place != n {
            *destination = Default::default();
        }
    }
    let mut walk = Walk::new("routing_request", Way::ToApi, tree(&only), context);
    let destination = format!("destinations[{n}]");
    walk.rows_to_api(&ROWS);
    if walk.ours.has("purpose") {
        walk.refuse("purpose");
    }
    if !walk.theirs.has("transactionType") {
        walk.add(LossKind::Synthesised, "transactionType", "New");
    }
    let number = walk.theirs.text("vendorShipmentIdentifier");
    if let Some(number) = number.filter(|_| count > 1) {
        walk.note(LossKind::Split, "number", &number);
        let own = format!("{number}-{}", n + 1);
        walk.theirs.put("vendorShipmentIdentifier", own);
    }
    walk.now("transactionDate");
    walk.add(LossKind::Synthesised, "shipmentFreightTerm", "Collect");
    walk.party_to_api("ship_from", "shipFromParty", SHIPMENTS);
    walk.party_to_api(&format!("{destination}.ship_to"), "shipToParty", SHIPMENTS);
    walk.vendor_code("sellingParty");
    walk.vendor_code("shipFromParty");
    walk.loads_to_api(&destination);
    walk.pickup_to_api(&destination);
    walk.end_to_api()
}

/// A request of the API as a 753's.
#[must_use]
pub fn request_from_api(shipment: Value, context: &Context) -> (RoutingRequest, Report) {
    let mut walk = Walk::of("routing_request", "Shipment", shipment, context);
    let destination = "destinations[0]";
    walk.rows_from_api(&ROWS);
    walk.means_nothing("shipmentFreightTerm", "Collect");
    walk.party_from_api("ship_from", "shipFromParty", SHIPMENTS);
    walk.party_from_api(&format!("{destination}.ship_to"), "shipToParty", SHIPMENTS);
    walk.orders_from_api(&format!("{destination}.orders"));
    let loads = format!("{destination}.unit_loads");
    for (name, word) in [
        ("totalPalletStackable", "Y"),
        ("totalPalletNonStackable", "N"),
    ] {
        let count = format!("shipmentMeasurements.{name}");
        if whole(&walk.theirs.text(&count).unwrap_or_default()).is_some_and(|n| n > 0)
            && !walk.ours.has(&loads)
        {
            walk.back(&format!("{loads}.count"), &count, Via::Whole);
            walk.means(&format!("{loads}.packaging"), "PLT", &count);
            walk.means(&format!("{loads}.stackable"), word, &count);
        }
    }
    let pickup = "collectFreightPickupDetails.requestedPickUp";
    walk.date_from_api(&format!("{destination}.dates"), REQUESTED, pickup);
    document(walk.end_from_api())
}

/// An answer of the API as a 754's instructions.
#[must_use]
pub fn from_api(shipment: Value, context: &Context) -> (RoutingInstructions, Report) {
    let mut walk = Walk::of("routing_instructions", "Shipment", shipment, context);
    let routed = "shipments[0]";
    walk.add(LossKind::Synthesised, "purpose", "response");
    walk.means_nothing("transactionType", "New");
    walk.back("earlier", "vendorShipmentIdentifier", Via::Text);
    if let Some(number) = walk.theirs.text("buyerReferenceNumber") {
        walk.means("number", number, "buyerReferenceNumber");
    }
    walk.reference_from_api(
        &format!("{routed}.references"),
        "BX",
        "buyerReferenceNumber",
    );
    let lading = "transportationDetails.billOfLadingNumber";
    walk.reference_from_api(&format!("{routed}.references"), "BM", lading);
    let pro = "transportationDetails.carrierDetails.shipmentReferenceNumber";
    walk.reference_from_api(&format!("{routed}.references"), "CN", pro);
    walk.back("made", "currentshipmentStatusDate", Via::Moment);
    walk.add(LossKind::Synthesised, &format!("{routed}.number"), "1");
    walk.back(
        &format!("{routed}.carrier"),
        "transportationDetails.carrierDetails.code",
        Via::Text,
    );
    let term = "shipmentFreightTerm";
    walk.back(
        &format!("{routed}.services[0].payment"),
        term,
        Via::Code("freight_term"),
    );
    walk.party_from_api("ship_from", "shipFromParty", SHIPMENTS);
    walk.party_from_api(&format!("{routed}.ship_to"), "shipToParty", SHIPMENTS);
    walk.orders_from_api(&format!("{routed}.orders"));
    let pickup = "collectFreightPickupDetails.scheduledPickUp";
    walk.date_from_api(&format!("{routed}.dates"), SCHEDULED, pickup);
    document(walk.end_from_api())
}

impl Walk<'_> {
    /// Orders, and what they weigh and take together.
    fn loads_to_api(&mut self, destination: &str) {
        let measurements = "shipmentMeasurements";
        let orders = format!("{destination}.orders");
        for n in 0..self.ours.len(&orders) {
            let place = format!("purchaseOrders[{n}].purchaseOrderNumber");
            self.over(&format!("{orders}[{n}].order_number"), &place, Via::Text);
        }
        if self.ours.len(&orders) == 1 {
            let order = format!("{orders}[0]");
            for (name, place, table) in [
                ("weight", "shipmentWeight", "lading_weight"),
                ("volume", "shipmentVolume", "lading_volume"),
            ] {
                let place = format!("{measurements}.{place}");
                self.measure_to_api(&format!("{order}.{name}"), &place, table);
            }
            if self.ours.text(&format!("{order}.packaging")).as_deref() == Some("CTN") {
                let count = format!("{measurements}.totalCartonCount");
                self.over(&format!("{order}.count"), &count, Via::Whole);
                if self.theirs.has(&count) {
                    self.said(&format!("{order}.packaging"), &count);
                }
            }
        }
        let loads = format!("{destination}.unit_loads");
        let part = |name: &str| self.ours.text(&format!("{loads}.{name}"));
        let stackable = part("stackable");
        let name = match stackable.as_deref() {
            Some("Y") => "totalPalletStackable",
            Some("N") => "totalPalletNonStackable",
            _ => return,
        };
        if part("packaging").as_deref() == Some("PLT") {
            let count = format!("{measurements}.{name}");
            self.over(&format!("{loads}.count"), &count, Via::Whole);
            if self.theirs.has(&count) {
                self.said(&format!("{loads}.packaging"), &count);
                self.said(&format!("{loads}.stackable"), &count);
            }
        }
    }

    fn pickup_to_api(&mut self, destination: &str) {
        let place = "collectFreightPickupDetails.requestedPickUp";
        for n in 0..self.ours.len(&format!("{destination}.dates")) {
            let date = format!("{destination}.dates[{n}]");
            let is = self.ours.text(&format!("{date}.qualifier")).as_deref() == Some(REQUESTED);
            if is && !self.theirs.has(place) {
                self.over(&format!("{date}.moment"), place, Via::Moment);
                if self.theirs.has(place) {
                    self.said(&format!("{date}.qualifier"), place);
                }
            }
        }
    }

    fn date_from_api(&mut self, list: &str, code: &str, theirs: &str) {
        if self.theirs.has(theirs) {
            let date = format!("{list}[{}]", self.ours.len(list));
            self.back(&format!("{date}.moment"), theirs, Via::Moment);
            self.means(&format!("{date}.qualifier"), code, theirs);
        }
    }

    fn orders_from_api(&mut self, list: &str) {
        let measurements = "shipmentMeasurements";
        for n in 0..self.theirs.len("purchaseOrders") {
            let place = format!("purchaseOrders[{n}].purchaseOrderNumber");
            self.back(&format!("{list}[{n}].order_number"), &place, Via::Text);
        }
        if self.ours.len(list) == 1 {
            let order = format!("{list}[0]");
            let count = format!("{measurements}.totalCartonCount");
            if self.theirs.has(&count) {
                self.back(&format!("{order}.count"), &count, Via::Whole);
                self.means(&format!("{order}.packaging"), "CTN", &count);
            }
            let weight = format!("{measurements}.shipmentWeight");
            self.measure_from_api(&order, "weight", &weight, "lading_weight");
            let volume = format!("{measurements}.shipmentVolume");
            self.measure_from_api(&order, "volume", &volume, "lading_volume");
        }
    }
}
