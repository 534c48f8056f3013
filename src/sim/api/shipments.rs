//! Shipments: those that need a carrier, those that were confirmed, and labels for them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::orders::paged;
use super::query::{Query, Window};
use super::{Api, Reply, stamp};
use crate::sim::{Seed, VENDOR_CODE};

/// Shipments on a page.
const PAGE: usize = 50;
/// The longest window that is taken, and how long ago it may begin: nothing is published.
const SPAN: (TimeDelta, TimeDelta) = (TimeDelta::days(366), TimeDelta::days(366));
/// How long after the request the carrier is named.
const ROUTED: TimeDelta = TimeDelta::hours(1);
/// A page of nothing, as a label: PDF in base64, written by hand.
const LABEL: &str = "JVBERi0xLjEKdHJhaWxlcjw8Pj4KJSVFT0YK";

/// A shipment of the vendor's.
pub(super) struct Shipment {
    /// As the vendor told it.
    pub(super) told: Value,
    /// When it told it.
    pub(super) at: DateTime<Utc>,
    /// Whether it is on its way: a confirmation, not a request.
    pub(super) confirmed: bool,
}

/// What is shown of a confirmation.
pub(super) fn kept(told: &Value) -> Value {
    let shown = [
        "shipmentConfirmationDate",
        "sellingParty",
        "shipFromParty",
        "shipToParty",
    ];
    let shown = shown.map(|name| (name.to_owned(), told[name].clone()));
    Value::Object(shown.into_iter().collect())
}

impl Shipment {
    fn routed(&self, now: DateTime<Utc>) -> bool {
        now >= self.at + ROUTED
    }

    fn status(&self, now: DateTime<Utc>) -> &'static str {
        match (self.confirmed, self.routed(now)) {
            (true, _) => "Shipped",
            (false, true) => "CarrierAssigned",
            (false, false) => "TransportationRequested",
        }
    }

    /// The buyer's number of it.
    fn number(&self, id: &str) -> String {
        let n = id.bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        Seed::of(n, "shipment", 0).below(10_000_000_000).to_string()
    }

    fn record(&self, id: &str, now: DateTime<Utc>) -> Value {
        let told = &self.told;
        if self.confirmed {
            return json!({
                "vendorShipmentIdentifier": id,
                "transactionType": "New",
                "transactionDate": told["shipmentConfirmationDate"],
                "currentShipmentStatus": "Shipped",
                "currentshipmentStatusDate": stamp(self.at),
                "shipmentConfirmDate": stamp(self.at),
                "sellingParty": told["sellingParty"],
                "shipFromParty": told["shipFromParty"],
                "shipToParty": told["shipToParty"],
            });
        }
        let mut record = told.clone();
        let changed = if self.routed(now) {
            self.at + ROUTED
        } else {
            self.at
        };
        record["currentShipmentStatus"] = self.status(now).into();
        record["currentshipmentStatusDate"] = stamp(changed).into();
        record["shipmentCreateDate"] = stamp(self.at).into();
        if self.routed(now) {
            record["buyerReferenceNumber"] = self.number(id).into();
            record["transportationDetails"] = json!({"carrierScac": "SIMX"});
            if !record["collectFreightPickupDetails"].is_object() {
                record["collectFreightPickupDetails"] = json!({});
            }
            let pickup = &mut record["collectFreightPickupDetails"];
            pickup["scheduledPickUp"] = stamp(self.at + TimeDelta::days(1)).into();
            pickup["carrierAssignmentDate"] = stamp(self.at + ROUTED).into();
        }
        record
    }
}

impl Api {
    pub(super) fn shipment_details(&self, query: &Query, now: DateTime<Utc>) -> Reply {
        self.details(query, now).unwrap_or_else(|reply| reply)
    }

    fn details(&self, query: &Query, now: DateTime<Utc>) -> Result<Reply, Reply> {
        const STATUSES: [&str; 4] = [
            "Created",
            "TransportationRequested",
            "CarrierAssigned",
            "Shipped",
        ];
        let status = query.word("currentShipmentStatus", &STATUSES)?;
        let window = |from, to| query.window((from, to), now, SPAN);
        let created = window("createdAfter", "createdBefore")?;
        let confirmed = window("shipmentConfirmedAfter", "shipmentConfirmedBefore")?;
        let id = query.text("vendorShipmentIdentifier");
        let number = query.text("buyerReferenceNumber");
        let place = query.text("buyerWarehouseCode");
        let ascending = query.word("sortOrder", &["ASC", "DESC"])? == Some("ASC");
        let within = |window: Window, shipment: &Shipment, of: bool| match window.said() {
            true => shipment.confirmed == of && window.has(shipment.at),
            false => true,
        };
        let wanted = |(own, shipment): &(&String, &Shipment)| {
            id.is_none_or(|id| id == own.as_str())
                && status.is_none_or(|status| status == shipment.status(now))
                && number
                    .is_none_or(|number| shipment.routed(now) && number == shipment.number(own))
                && place.is_none_or(|place| shipment.told["shipToParty"]["partyId"] == place)
                && within(created, shipment, false)
                && within(confirmed, shipment, true)
        };
        let found = self.shipments.iter().filter(wanted);
        let mut all: Vec<Value> = found
            .map(|(id, shipment)| shipment.record(id, now))
            .collect();
        if !ascending {
            all.reverse();
        }
        let (page, next) = query.page(all, PAGE)?;
        Ok((200, json!({"payload": paged("shipments", page, next)})))
    }

    pub(super) fn shipment_labels(&self, query: &Query, now: DateTime<Utc>) -> Reply {
        self.labels(query, now).unwrap_or_else(|reply| reply)
    }

    /// Labels of shipments that have a carrier.
    fn labels(&self, query: &Query, now: DateTime<Utc>) -> Result<Reply, Reply> {
        let created = query.window(("labelCreatedAfter", "labelCreatedBefore"), now, SPAN)?;
        let id = query.text("vendorShipmentIdentifier");
        let number = query.text("buyerReferenceNumber");
        query.word("sortOrder", &["ASC", "DESC"])?;
        let wanted = |(own, shipment): &(&String, &Shipment)| {
            !shipment.confirmed
                && shipment.routed(now)
                && created.has(shipment.at + ROUTED)
                && id.is_none_or(|id| id == own.as_str())
                && number.is_none_or(|number| number == shipment.number(own))
        };
        let label = |(id, shipment): (&String, &Shipment)| {
            json!({
                "labelCreateDateTime": stamp(shipment.at + ROUTED),
                "shipmentInformation": {
                    "vendorDetails": {
                        "sellingParty": {"partyId": VENDOR_CODE},
                        "vendorShipmentIdentifier": id,
                    },
                    "buyerReferenceNumber": shipment.number(id),
                    "shipToParty": shipment.told["shipToParty"],
                    "shipFromParty": shipment.told["shipFromParty"],
                    "totalLabelCount": 1,
                    "shipMode": "LTL",
                },
                "labelData": [{
                    "labelSequenceNumber": 1,
                    "labelFormat": "PDF",
                    "carrierCode": "SIMX",
                    "trackingId": format!("SIMX{}", shipment.number(id)),
                    "label": LABEL,
                }],
            })
        };
        let all = self.shipments.iter().filter(wanted).map(label).collect();
        let (page, next) = query.page(all, PAGE)?;
        Ok((
            200,
            json!({"payload": paged("transportLabels", page, next)}),
        ))
    }
}
