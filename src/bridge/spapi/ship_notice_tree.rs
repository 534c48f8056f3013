//! The way back of a ship notice: references become a tree again.
//!
//! `shipmentStructure` says the order of the levels; without it, what is there does. Each quantity
//! of an item (in a carton, on a pallet, or by itself) is hung into the tree under its order,
//! pallet and carton. A carton of several orders, where orders come first, is repeated under each,
//! with the same marks.

use serde_json::Value;

use super::decimal::whole;
use super::levels::{ASIDE, Node, Nodes, Unit};
use super::loss::{LossKind, Report};
use super::parts::SHIPMENTS;
use super::rows::Via;
use super::ship_notice::{ASIN, EXPIRY, MEASUREMENTS, REFERENCES, ROWS, STRUCTURES};
use super::tree::Tree;
use super::walk::Walk;
use super::{Context, codes, document};
use crate::canonical::ShipNotice;

/// A notice of the API as a tree.
#[must_use]
pub fn from_api(notice: Value, context: &Context) -> (ShipNotice, Report) {
    let mut walk = Walk::of("ship_notice", "ShipmentConfirmation", notice, context);
    walk.back(
        "purpose",
        "shipmentConfirmationType",
        Via::Code("confirmation"),
    );
    let shipment = "levels[0]";
    walk.means("levels[0].level", "shipment", "");
    for (name, theirs) in [
        ("shipped", "shippedDate"),
        ("expected", "estimatedDeliveryDate"),
    ] {
        walk.back(&format!("{shipment}.{name}"), theirs, Via::Moment);
    }
    walk.rows_from_api(&ROWS);
    walk.shipment_from_api(shipment);
    let record = walk.theirs.clone();
    let chain = walk.chain_of_structure();
    if let Some((_, code)) = STRUCTURES.iter().find(|(codes, _)| *codes == chain) {
        walk.add(LossKind::Inferred, "structure", *code);
    }
    let units = walk.units();
    let nodes = Nodes {
        items: walk.items(),
        pallets: walk.pallets(),
        cartons: walk.cartons(),
    };
    let mut levels = walk.ours.get("levels[0]").cloned().unwrap_or_default();
    for unit in &units {
        nodes.hang((&mut levels, shipment), unit, &chain[1..], &mut walk);
    }
    walk.ours.put("levels[0]", levels);
    for (list, letter, count) in [
        ("cartons", 'P', nodes.cartons.len()),
        ("pallets", 'T', nodes.pallets.len()),
    ] {
        for n in 0..count {
            if !walk.was_seen(&format!("{letter}{n}")) {
                walk.not_hung(&record, &format!("{list}[{n}]"));
            }
        }
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    fn shipment_from_api(&mut self, level: &str) {
        self.party_from_api(&format!("{level}.ship_to"), "shipToParty", SHIPMENTS);
        self.party_from_api(&format!("{level}.ship_from"), "shipFromParty", SHIPMENTS);
        let party = format!("{level}.parties[0]");
        self.party_from_api(&party, "sellingParty", SHIPMENTS);
        if self.ours.has(&party) {
            let role = format!("{party}.role");
            self.add(LossKind::Inferred, &role, "VN");
            self.trace(&role, "sellingParty.partyId");
        }
        for (code, theirs) in REFERENCES {
            self.reference_from_api(&format!("{level}.references"), code, theirs);
        }
        let routing = format!("{level}.routing[0]");
        let scac = "transportationDetails.carrierScac";
        self.back(&format!("{routing}.carrier"), scac, Via::Text);
        if self.ours.has(&routing) {
            self.means(&format!("{routing}.carrier_qualifier"), "scac", scac);
        }
        self.mode_from_api(&format!("{routing}.mode"));
        self.lading_from_api(&format!("{level}.lading"));
    }

    /// A reference of a kind, after those that are there.
    pub(super) fn reference_from_api(&mut self, list: &str, code: &str, theirs: &str) {
        if self.theirs.has(theirs) {
            let reference = format!("{list}[{}]", self.ours.len(list));
            self.back(&format!("{reference}.id"), theirs, Via::Text);
            self.means(&format!("{reference}.qualifier"), code, theirs);
        }
    }

    /// Two words of theirs that are one of ours; where they are not, the first alone.
    fn mode_from_api(&mut self, ours: &str) {
        let (mode, kind) = ("transportationDetails.transportationMode", "shipmentType");
        let said = |path: &str| self.theirs.text(path).unwrap_or_default();
        let both = format!("{}/{}", said(mode), said(kind));
        let found = codes::ours("transport_mode", &both);
        if let Some((word, exact)) = found {
            for place in [kind, mode] {
                if let Some(text) = self.theirs.take(place) {
                    self.trace(ours, place);
                    if !exact {
                        self.note(LossKind::Normalised, place, text);
                    }
                }
            }
            self.ours.put(ours, word);
        } else {
            self.back(ours, mode, Via::Code("transport_mode"));
        }
    }

    fn lading_from_api(&mut self, list: &str) {
        for (code, name) in [("CTN", "cartonCount"), ("PLT", "palletCount")] {
            let count = format!("{MEASUREMENTS}.{name}");
            if self.theirs.has(&count) {
                let lading = format!("{list}[{}]", self.ours.len(list));
                self.back(&format!("{lading}.count"), &count, Via::Count);
                self.means(&format!("{lading}.packaging"), code, &count);
            }
        }
        let first = format!("{list}[0]");
        let weight = format!("{MEASUREMENTS}.grossShipmentWeight");
        self.measure_from_api(&first, "weight", &weight, "weight");
        if self.ours.has(&format!("{first}.weight")) {
            let place = format!("{weight}.value");
            self.means(&format!("{first}.weight_qualifier"), "G", &place);
        }
        self.measure_from_api(
            &first,
            "volume",
            &format!("{MEASUREMENTS}.shipmentVolume"),
            "volume",
        );
    }

    pub(super) fn measure_from_api(
        &mut self,
        ours: &str,
        name: &str,
        theirs: &str,
        table: &'static str,
    ) {
        if self.theirs.has(&format!("{theirs}.value")) {
            self.back(
                &format!("{ours}.{name}"),
                &format!("{theirs}.value"),
                Via::Decimal,
            );
            let unit = format!("{ours}.{name}_unit");
            self.back(&unit, &format!("{theirs}.unitOfMeasure"), Via::Code(table));
        }
    }

    /// The levels from the top to the last, as letters.
    fn chain_of_structure(&mut self) -> String {
        let said = self.theirs.text("shipmentStructure");
        if let Some((chain, _)) = said.and_then(|said| codes::ours("shipment_structure", &said)) {
            self.theirs.take("shipmentStructure");
            self.trace("levels", "shipmentStructure");
            return chain.to_owned();
        }
        let letters = [
            (self.theirs.len("pallets") > 0, "T"),
            (self.theirs.len("cartons") > 0, "P"),
        ];
        let middle: String = letters
            .iter()
            .filter(|(there, _)| *there)
            .map(|(_, letter)| *letter)
            .collect();
        format!("SO{middle}I")
    }

    /// Every quantity of an item, with its containers; what was taken of it is taken.
    fn units(&mut self) -> Vec<Unit> {
        let sequences: Vec<Option<String>> = (0..self.theirs.len("shippedItems"))
            .map(|n| {
                let place = format!("shippedItems[{n}].itemSequenceNumber");
                let said = self.theirs.take(&place)?;
                self.numbered(&place, &said, n);
                Some(said)
            })
            .collect();
        let mut units = Vec::new();
        for c in 0..self.theirs.len("cartons") {
            let pallet = self.pallet_of(c);
            for n in 0..self.theirs.len(&format!("cartons[{c}].items")) {
                let item = format!("cartons[{c}].items[{n}]");
                units.extend(self.unit(&item, &sequences, pallet, Some(c)));
            }
        }
        for p in 0..self.theirs.len("pallets") {
            for n in 0..self.theirs.len(&format!("pallets[{p}].items")) {
                let item = format!("pallets[{p}].items[{n}]");
                units.extend(self.unit(&item, &sequences, Some(p), None));
            }
        }
        for item in 0..sequences.len() {
            let quantity = format!("shippedItems[{item}].shippedQuantity");
            let text = |walk: &Self, name: &str| walk.theirs.text(&format!("{quantity}.{name}"));
            let mine = units.iter().filter(|unit| unit.item == item);
            let parts: Option<Vec<i64>> = mine.map(|unit| whole(unit.amount.as_deref()?)).collect();
            let sum = parts
                .filter(|parts| !parts.is_empty())
                .map(|parts| parts.iter().sum::<i64>());
            if units.iter().all(|unit| unit.item != item) {
                units.push(Unit {
                    at: format!("shippedItems[{item}]"),
                    order: self.order_of(item, None),
                    pallet: None,
                    carton: None,
                    item,
                    amount: text(self, "amount"),
                    unit: text(self, "unitOfMeasure"),
                });
                self.theirs.take(&format!("{quantity}.amount"));
            } else if sum.map(|sum| sum.to_string()) == text(self, "amount") {
                self.theirs.take(&format!("{quantity}.amount"));
            }
        }
        units
    }

    fn unit(
        &mut self,
        item: &str,
        sequences: &[Option<String>],
        pallet: Option<usize>,
        carton: Option<usize>,
    ) -> Option<Unit> {
        let reference = self.theirs.text(&format!("{item}.itemReference"));
        let index = sequences
            .iter()
            .position(|one| reference.is_some() && *one == reference)?;
        let place = format!("{item}.itemReference");
        if let Some(said) = self.theirs.take(&place) {
            self.numbered(&place, &said, index);
        }
        let order = self.order_of(index, Some(item));
        Some(Unit {
            at: item.to_owned(),
            order,
            pallet,
            carton,
            item: index,
            amount: self.theirs.take(&format!("{item}.shippedQuantity.amount")),
            unit: self.unit_of(item),
        })
    }

    /// The unit of a quantity that a carton or a pallet holds, if there is a word for it.
    fn unit_of(&mut self, item: &str) -> Option<String> {
        let place = format!("{item}.shippedQuantity.unitOfMeasure");
        let said = self.theirs.text(&place)?;
        let (_, exact) = codes::ours("unit", &said)?;
        if !exact {
            self.note(LossKind::Normalised, &place, &said);
        }
        self.theirs.take(&place)
    }

    fn order_of(&mut self, item: usize, contained: Option<&str>) -> Option<(String, String)> {
        let order = "itemDetails.purchaseOrderNumber";
        let own = contained.and_then(|item| {
            let place = format!("{item}.{order}");
            Some((self.theirs.take(&place)?, place))
        });
        own.or_else(|| {
            let place = format!("shippedItems[{item}].{order}");
            Some((self.theirs.text(&place)?, place))
        })
    }

    fn pallet_of(&self, carton: usize) -> Option<usize> {
        let sequence = self
            .theirs
            .text(&format!("cartons[{carton}].cartonSequenceNumber"))?;
        (0..self.theirs.len("pallets")).find(|p| {
            let list = format!("pallets[{p}].cartonReferenceDetails.cartonReferenceNumbers");
            (0..self.theirs.len(&list))
                .any(|n| self.theirs.text(&format!("{list}[{n}]")).as_ref() == Some(&sequence))
        })
    }

    /// Takes out how a carton is named, and where its pallet names it.
    pub(super) fn carton_is_named(&mut self, path: &str, unit: &Unit) {
        let Some(carton) = unit.carton else { return };
        let own = format!("cartons[{carton}].cartonSequenceNumber");
        let Some(sequence) = self.theirs.take(&own) else {
            return;
        };
        let path = format!("{path}.level");
        self.trace(&path, &own);
        self.numbered(&own, &sequence, carton);
        let Some(pallet) = unit.pallet else { return };
        let details = format!("pallets[{pallet}].cartonReferenceDetails");
        let list = format!("{details}.cartonReferenceNumbers");
        let count = self.theirs.len(&list);
        for n in 0..count {
            let place = format!("{list}[{n}]");
            if self.theirs.take_if(&place, &sequence) {
                self.trace(&path, &place);
                self.numbered(&place, &sequence, carton);
            }
        }
        let total = format!("{details}.cartonCount");
        if self.theirs.take_if(&total, &count.to_string()) {
            self.trace(&path, &total);
        }
    }

    /// Numbers within a notice are given anew: 001, 002 …
    fn numbered(&mut self, place: &str, said: &str, index: usize) {
        if said != format!("{:03}", index + 1) {
            self.note(LossKind::Normalised, place, said);
        }
    }

    /// A carton or a pallet of which nothing is said to hold anything has no place in the tree.
    fn not_hung(&mut self, record: &Tree, place: &str) {
        for (path, value) in record.leaves() {
            let mine = path
                .strip_prefix(place)
                .is_some_and(|rest| rest.starts_with('.'));
            if mine && !self.theirs.has(&path) {
                self.note(LossKind::Dropped, &path, value);
            }
        }
    }

    /// What each entry says beside its quantity, as the fields of a level.
    fn items(&mut self) -> Vec<Node> {
        let make = |walk: &mut Self, n: usize| {
            let (entry, level) = (format!("shippedItems[{n}]"), "aside".to_owned());
            walk.ids_from_api(&format!("{level}.item"), &entry, ASIN);
            let unit = format!("{entry}.shippedQuantity.unitOfMeasure");
            walk.back(
                &format!("{level}.item.quantity.unit"),
                &unit,
                Via::Unit("unit"),
            );
            let size = format!("{entry}.shippedQuantity.unitSize");
            walk.back(
                &format!("{level}.item.quantity.pack_size"),
                &size,
                Via::Count,
            );
            walk.theirs
                .take(&format!("{entry}.itemDetails.purchaseOrderNumber"));
            walk.reference_from_api(
                &format!("{level}.references"),
                "LT",
                &format!("{entry}.itemDetails.lotNumber"),
            );
            for (code, name) in EXPIRY {
                let theirs = format!("{entry}.{name}");
                if walk.theirs.has(&theirs) {
                    let list = format!("{level}.dates");
                    let date = format!("{list}[{}]", walk.ours.len(&list));
                    walk.back(&format!("{date}.moment"), &theirs, Via::Moment);
                    walk.means(&format!("{date}.qualifier"), code, &theirs);
                }
            }
        };
        (0..self.theirs.len("shippedItems"))
            .map(|n| self.aside(n, make))
            .collect()
    }

    fn pallets(&mut self) -> Vec<Node> {
        let make = |walk: &mut Self, n: usize| {
            let theirs = format!("pallets[{n}]");
            walk.marks_from_api(&format!("{theirs}.palletIdentifiers"));
            walk.back("aside.pallet.tiers", &format!("{theirs}.tier"), Via::Count);
            walk.back(
                "aside.pallet.blocks",
                &format!("{theirs}.block"),
                Via::Count,
            );
            walk.size_from_api("aside.pallet", &theirs, "length");
            walk.measure_from_api(
                "aside.pallet",
                "gross_weight",
                &format!("{theirs}.weight"),
                "weight",
            );
        };
        (0..self.theirs.len("pallets"))
            .map(|n| self.aside(n, make))
            .collect()
    }

    fn cartons(&mut self) -> Vec<Node> {
        let make = |walk: &mut Self, n: usize| {
            let theirs = format!("cartons[{n}]");
            walk.marks_from_api(&format!("{theirs}.cartonIdentifiers"));
            let tracking = format!("{theirs}.trackingNumber");
            if walk.theirs.has(&tracking) {
                let range = format!("aside.marks[{}].ranges[0]", walk.ours.len("aside.marks"));
                walk.means(&format!("{range}.qualifier"), "carrier_package", &tracking);
                walk.back(&format!("{range}.first"), &tracking, Via::Text);
            }
            walk.size_from_api("aside.pack", &theirs, "length");
            walk.measure_from_api(
                "aside.pack",
                "weight",
                &format!("{theirs}.weight"),
                "weight",
            );
        };
        (0..self.theirs.len("cartons"))
            .map(|n| self.aside(n, make))
            .collect()
    }

    /// What `make` puts under `aside`, taken out again.
    fn aside(&mut self, n: usize, make: impl Fn(&mut Self, usize)) -> Node {
        make(self, n);
        let made = match &mut self.ours.0 {
            Value::Object(map) => map.shift_remove(ASIDE),
            _ => None,
        };
        Node {
            value: made.unwrap_or_else(|| Value::Object(Default::default())),
            told: self.report.aside(ASIDE),
        }
    }

    fn marks_from_api(&mut self, list: &str) {
        for n in 0..self.theirs.len(list) {
            let range = format!("aside.marks[{n}].ranges[0]");
            let kind = format!("{list}[{n}].containerIdentificationType");
            self.back(&format!("{range}.qualifier"), &kind, Via::Code("container"));
            if self.ours.has(&format!("{range}.qualifier")) {
                let number = format!("{list}[{n}].containerIdentificationNumber");
                self.back(&format!("{range}.first"), &number, Via::Text);
            }
        }
    }

    pub(super) fn size_from_api(&mut self, ours: &str, theirs: &str, table: &'static str) {
        for name in ["length", "width", "height"] {
            self.back(
                &format!("{ours}.{name}"),
                &format!("{theirs}.dimensions.{name}"),
                Via::Decimal,
            );
        }
        let unit = format!("{ours}.dimension_unit");
        self.back(
            &unit,
            &format!("{theirs}.dimensions.unitOfMeasure"),
            Via::Code(table),
        );
    }
}
