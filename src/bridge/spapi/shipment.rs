//! What a ship notice says of the shipment as a whole, on its way to the API: parties, papers,
//! carrier, weights and counts.

use super::codes;
use super::loss::LossKind;
use super::parts::SHIPMENTS;
use super::rows::Via;
use super::ship_notice::{MEASUREMENTS, REFERENCES};
use super::walk::Walk;

impl Walk<'_> {
    /// What the shipment says beside what it holds.
    pub(super) fn shipment_to_api(&mut self, level: &str) {
        self.moment(level, "shipped", "shippedDate");
        self.moment(level, "expected", "estimatedDeliveryDate");
        self.party_to_api(&format!("{level}.ship_to"), "shipToParty", SHIPMENTS);
        self.party_to_api(&format!("{level}.ship_from"), "shipFromParty", SHIPMENTS);
        for role in ["VN", "SU", "SE"] {
            for n in 0..self.ours.len(&format!("{level}.parties")) {
                let party = format!("{level}.parties[{n}]");
                let is = self.ours.text(&format!("{party}.role")).as_deref() == Some(role);
                if is && !self.theirs.has("sellingParty.partyId") {
                    self.party_to_api(&party, "sellingParty", SHIPMENTS);
                    let (place, path) = ("sellingParty.partyId", format!("{party}.role"));
                    if self.theirs.has(place) {
                        self.said(&path, place);
                        if role != "VN" {
                            self.note(LossKind::Dropped, &path, role);
                        }
                    }
                }
            }
        }
        for (code, theirs) in REFERENCES {
            self.reference_to_api(&format!("{level}.references"), code, theirs);
        }
        self.carrier_to_api(&format!("{level}.routing[0]"));
        for n in 0..self.ours.len(&format!("{level}.lading")) {
            self.lading_to_api(&format!("{level}.lading[{n}]"));
        }
    }

    fn moment(&mut self, level: &str, name: &str, theirs: &str) {
        self.over(&format!("{level}.{name}"), theirs, Via::Moment);
    }

    /// The first reference of a kind.
    pub(super) fn reference_to_api(&mut self, list: &str, code: &str, theirs: &str) {
        for n in 0..self.ours.len(list) {
            let reference = format!("{list}[{n}]");
            let is = self.ours.text(&format!("{reference}.qualifier")).as_deref() == Some(code);
            if is && self.ours.has(&format!("{reference}.id")) && !self.theirs.has(theirs) {
                self.over(&format!("{reference}.id"), theirs, Via::Text);
                self.said(&format!("{reference}.qualifier"), theirs);
            }
        }
    }

    fn carrier_to_api(&mut self, routing: &str) {
        let qualifier = format!("{routing}.carrier_qualifier");
        if self.ours.text(&qualifier).as_deref() == Some("scac") {
            let scac = "transportationDetails.carrierScac";
            self.over(&format!("{routing}.carrier"), scac, Via::Text);
            if self.theirs.has(scac) {
                self.said(&qualifier, scac);
            }
        }
        let mode = format!("{routing}.mode");
        let found = self
            .ours
            .text(&mode)
            .and_then(|mode| codes::theirs("transport_mode", &mode));
        if let Some((words, same)) = found {
            let said = self.ours.take(&mode).unwrap_or_default();
            if !same {
                self.note(LossKind::Dropped, &mode, said);
            }
            let (by, kind) = words.split_once('/').unwrap_or((words, ""));
            if !by.is_empty() {
                self.make("transportationDetails.transportationMode", by, &mode);
            }
            if !kind.is_empty() {
                self.make("shipmentType", kind, &mode);
            }
        }
    }

    /// Cartons and pallets are counted apart; weight and volume are of the whole.
    fn lading_to_api(&mut self, lading: &str) {
        let packaging = self
            .ours
            .text(&format!("{lading}.packaging"))
            .unwrap_or_default();
        let kinds = [("CTN", "cartonCount"), ("PLT", "palletCount")];
        if let Some((code, name)) = kinds
            .into_iter()
            .find(|(code, _)| packaging.starts_with(code))
        {
            let place = format!("{MEASUREMENTS}.{name}");
            self.over(&format!("{lading}.count"), &place, Via::Count);
            if self.theirs.has(&place) && !self.ours.has(&format!("{lading}.count")) {
                self.said(&format!("{lading}.packaging"), &place);
                if packaging != code {
                    self.note(LossKind::Dropped, &format!("{lading}.packaging"), packaging);
                }
            }
        }
        let qualifier = format!("{lading}.weight_qualifier");
        if self.ours.text(&qualifier).as_deref() == Some("G") {
            let place = format!("{MEASUREMENTS}.grossShipmentWeight");
            self.measure_to_api(&format!("{lading}.weight"), &place, "weight");
            if !self.ours.has(&format!("{lading}.weight")) {
                self.said(&qualifier, &format!("{place}.value"));
            }
        }
        let place = format!("{MEASUREMENTS}.shipmentVolume");
        self.measure_to_api(&format!("{lading}.volume"), &place, "volume");
    }

    /// A value and its unit (at the same name with `_unit`), if the API has that unit.
    pub(super) fn measure_to_api(&mut self, value: &str, theirs: &str, table: &'static str) {
        let unit = format!("{value}_unit");
        let word = self.ours.text(&unit);
        let known = word.is_some_and(|word| codes::theirs(table, &word).is_some());
        if known && !self.theirs.has(theirs) && self.ours.has(value) {
            self.over(value, &format!("{theirs}.value"), Via::Decimal);
            self.over(&unit, &format!("{theirs}.unitOfMeasure"), Via::Code(table));
        }
    }
}
