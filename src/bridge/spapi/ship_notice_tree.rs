//! The way back of a ship notice: references become a tree again.
//!
//! `shipmentStructure` says the order of the levels; without it, what is there does. Each quantity
//! of an item (in a carton, on a pallet, or by itself) is hung into the tree under its order,
//! pallet and carton. A carton of several orders, where orders come first, is repeated under each,
//! with the same marks.

use serde_json::Value;

use super::loss::{Loss, LossKind};
use super::parts::SHIPMENTS;
use super::rows::{Via, Walk, whole};
use super::ship_notice::{ASIN, EXPIRY, MEASUREMENTS, REFERENCES, ROWS, STRUCTURES};
use super::{Context, codes, document};
use crate::canonical::ShipNotice;

/// So much of an item, and where it is.
struct Unit {
    order: Option<String>,
    pallet: Option<usize>,
    carton: Option<usize>,
    item: usize,
    amount: Option<String>,
    unit: Option<String>,
}

/// A notice of the API as a tree.
#[must_use]
pub fn from_api(notice: Value, context: &Context) -> (ShipNotice, Vec<Loss>) {
    let mut walk = Walk::of("ship_notice", "ShipmentConfirmation", notice, context);
    walk.back(
        "purpose",
        "shipmentConfirmationType",
        Via::Code("confirmation"),
    );
    let shipment = "levels[0]";
    walk.ours.put("levels[0].level", "shipment");
    for (name, theirs) in [
        ("shipped", "shippedDate"),
        ("expected", "estimatedDeliveryDate"),
    ] {
        walk.back(&format!("{shipment}.{name}"), theirs, Via::Moment);
    }
    walk.rows_from_api(&ROWS);
    walk.shipment_from_api(shipment);
    let chain = walk.chain_of_structure();
    if let Some((_, code)) = STRUCTURES.iter().find(|(codes, _)| *codes == chain) {
        walk.ours.put("structure", *code);
        walk.note(LossKind::Inferred, "structure", code);
    }
    let units = walk.units();
    let depth = |letter: char| {
        let place = chain.find(letter).unwrap_or(chain.len() - 1);
        vec!["levels"; place + 1].join(".")
    };
    let items = walk.items();
    walk.report.moved("aside", &depth('I'));
    let pallets = walk.pallets();
    walk.report.moved("aside", &depth('T'));
    let cartons = walk.cartons();
    walk.report.moved("aside", &depth('P'));
    let nodes = Nodes {
        items,
        pallets,
        cartons,
    };
    let mut levels = walk.ours.get("levels[0]").cloned().unwrap_or_default();
    for unit in &units {
        nodes.hang(&mut levels, unit, &chain[1..], &mut walk);
    }
    walk.ours.put("levels[0]", levels);
    let (value, mut losses) = walk.end_from_api();
    (document(value, &mut losses), losses)
}

impl Walk<'_> {
    fn shipment_from_api(&mut self, level: &str) {
        self.party_from_api(&format!("{level}.ship_to"), "shipToParty", SHIPMENTS);
        self.party_from_api(&format!("{level}.ship_from"), "shipFromParty", SHIPMENTS);
        let party = format!("{level}.parties[0]");
        self.party_from_api(&party, "sellingParty", SHIPMENTS);
        if self.ours.has(&party) {
            self.ours.put(&format!("{party}.role"), "VN");
            self.note(LossKind::Inferred, &format!("{party}.role"), "VN");
        }
        for (code, theirs) in REFERENCES {
            self.reference_from_api(&format!("{level}.references"), code, theirs);
        }
        let routing = format!("{level}.routing[0]");
        self.back(
            &format!("{routing}.carrier"),
            "transportationDetails.carrierScac",
            Via::Text,
        );
        if self.ours.has(&routing) {
            self.ours
                .put(&format!("{routing}.carrier_qualifier"), "scac");
        }
        self.mode_from_api(&format!("{routing}.mode"));
        self.lading_from_api(&format!("{level}.lading"));
    }

    /// A reference of a kind, after those that are there.
    pub(super) fn reference_from_api(&mut self, list: &str, code: &str, theirs: &str) {
        if self.theirs.has(theirs) {
            let reference = format!("{list}[{}]", self.ours.len(list));
            self.back(&format!("{reference}.id"), theirs, Via::Text);
            self.ours.put(&format!("{reference}.qualifier"), code);
        }
    }

    /// Two words of theirs that are one of ours; where they are not, the first alone.
    fn mode_from_api(&mut self, ours: &str) {
        let (mode, kind) = ("transportationDetails.transportationMode", "shipmentType");
        let said = |path: &str| self.theirs.text(path).unwrap_or_default();
        let both = format!("{}/{}", said(mode), said(kind));
        let found = codes::ours("transport_mode", &both);
        if let Some((word, _)) = found {
            self.theirs.take(kind);
            self.theirs.take(mode);
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
                self.ours.put(&format!("{lading}.packaging"), code);
            }
        }
        let first = format!("{list}[0]");
        let weight = format!("{MEASUREMENTS}.grossShipmentWeight");
        self.measure_from_api(&first, "weight", &weight, "weight");
        if self.ours.has(&format!("{first}.weight")) {
            self.ours.put(&format!("{first}.weight_qualifier"), "G");
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
                self.theirs
                    .take(&format!("shippedItems[{n}].itemSequenceNumber"))
            })
            .collect();
        let mut units = Vec::new();
        for c in 0..self.theirs.len("cartons") {
            let pallet = self.pallet_of(c);
            for n in 0..self.theirs.len(&format!("cartons[{c}].items")) {
                let item = format!("cartons[{c}].items[{n}]");
                units.extend(self.unit(&item, &sequences, pallet, Some(c)));
            }
            self.theirs
                .take(&format!("cartons[{c}].cartonSequenceNumber"));
        }
        for p in 0..self.theirs.len("pallets") {
            for n in 0..self.theirs.len(&format!("pallets[{p}].items")) {
                let item = format!("pallets[{p}].items[{n}]");
                units.extend(self.unit(&item, &sequences, Some(p), None));
            }
            self.cartons_are_referred_to(p);
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
        self.theirs.take(&format!("{item}.itemReference"));
        let order = self.order_of(index, Some(item));
        Some(Unit {
            order,
            pallet,
            carton,
            item: index,
            amount: self.theirs.take(&format!("{item}.shippedQuantity.amount")),
            unit: self
                .theirs
                .take(&format!("{item}.shippedQuantity.unitOfMeasure")),
        })
    }

    fn order_of(&mut self, item: usize, contained: Option<&str>) -> Option<String> {
        let own = contained.and_then(|item| {
            self.theirs
                .take(&format!("{item}.itemDetails.purchaseOrderNumber"))
        });
        own.or_else(|| {
            self.theirs.text(&format!(
                "shippedItems[{item}].itemDetails.purchaseOrderNumber"
            ))
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

    fn cartons_are_referred_to(&mut self, pallet: usize) {
        let details = format!("pallets[{pallet}].cartonReferenceDetails");
        let list = format!("{details}.cartonReferenceNumbers");
        let count = self.theirs.len(&list);
        self.theirs.clear(&list);
        self.theirs
            .take_if(&format!("{details}.cartonCount"), &count.to_string());
    }

    /// What each entry says beside its quantity, as the fields of a level.
    fn items(&mut self) -> Vec<Value> {
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
                    walk.ours.put(&format!("{date}.qualifier"), code);
                }
            }
        };
        (0..self.theirs.len("shippedItems"))
            .map(|n| self.aside(n, make))
            .collect()
    }

    fn pallets(&mut self) -> Vec<Value> {
        let make = |walk: &mut Self, n: usize| {
            let theirs = format!("pallets[{n}]");
            walk.marks_from_api(&format!("{theirs}.palletIdentifiers"));
            walk.back("aside.pallet.tiers", &format!("{theirs}.tier"), Via::Count);
            walk.back(
                "aside.pallet.blocks",
                &format!("{theirs}.block"),
                Via::Count,
            );
            walk.size_from_api("aside.pallet", &theirs);
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

    fn cartons(&mut self) -> Vec<Value> {
        let make = |walk: &mut Self, n: usize| {
            let theirs = format!("cartons[{n}]");
            walk.marks_from_api(&format!("{theirs}.cartonIdentifiers"));
            let tracking = format!("{theirs}.trackingNumber");
            if walk.theirs.has(&tracking) {
                let range = format!("aside.marks[{}].ranges[0]", walk.ours.len("aside.marks"));
                walk.ours
                    .put(&format!("{range}.qualifier"), "carrier_package");
                walk.back(&format!("{range}.first"), &tracking, Via::Text);
            }
            walk.size_from_api("aside.pack", &theirs);
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
    fn aside(&mut self, n: usize, make: impl Fn(&mut Self, usize)) -> Value {
        make(self, n);
        let made = self.ours.get("aside").cloned().unwrap_or_default();
        if let Value::Object(map) = &mut self.ours.0 {
            map.shift_remove("aside");
        }
        match made {
            Value::Null => Value::Object(Default::default()),
            made => made,
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

    fn size_from_api(&mut self, ours: &str, theirs: &str) {
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
            Via::Code("length"),
        );
    }
}

/// What the levels of pallets, cartons and items say.
struct Nodes {
    items: Vec<Value>,
    pallets: Vec<Value>,
    cartons: Vec<Value>,
}

impl Nodes {
    /// Hangs a quantity of an item below `level`, along what is left of the chain.
    fn hang(&self, level: &mut Value, unit: &Unit, chain: &str, walk: &mut Walk<'_>) {
        let Some(letter) = chain.chars().next() else {
            return;
        };
        let rest = &chain[1..];
        let (word, key, said) = match letter {
            'O' => ("order", unit.order.clone(), None),
            'T' => (
                "tare",
                unit.pallet.map(|n| n.to_string()),
                unit.pallet.map(|n| (&self.pallets, n)),
            ),
            'P' => (
                "pack",
                unit.carton.map(|n| n.to_string()),
                unit.carton.map(|n| (&self.cartons, n)),
            ),
            _ => return self.hang_item(level, unit, rest, walk),
        };
        let Some(key) = key else {
            return self.hang(level, unit, rest, walk);
        };
        let tag = format!("{letter}{key}");
        let place = child(level, &tag).unwrap_or_else(|| {
            let mut node = said.map_or_else(Default::default, |(all, n)| all[n].clone());
            if !node.is_object() {
                node = Value::Object(Default::default());
            }
            node["level"] = word.into();
            if letter == 'O' {
                node["order"]["number"] = key.clone().into();
            }
            if walk.seen(&tag) {
                walk.note(LossKind::Split, "levels", &tag);
            }
            push(level, node, &tag)
        });
        self.hang(&mut level["levels"][place], unit, rest, walk);
    }

    fn hang_item(&self, level: &mut Value, unit: &Unit, rest: &str, walk: &mut Walk<'_>) {
        let mut node = self.items[unit.item].clone();
        if let Some(amount) = &unit.amount {
            node["item"]["quantity"]["value"] = amount.clone().into();
        }
        let word = unit
            .unit
            .as_deref()
            .and_then(|unit| codes::ours("unit", unit));
        if let Some((word, _)) = word {
            node["item"]["quantity"]["unit"] = word.into();
        }
        node["level"] = "item".into();
        let place = push(level, node, "");
        self.hang(&mut level["levels"][place], unit, rest, walk);
    }
}

/// The name under which a node remembers what it is while the tree is built: null is no leaf, and
/// the object goes when the tree is pruned.
const TAG: &str = "\u{0}tag";

fn child(level: &Value, tag: &str) -> Option<usize> {
    level["levels"]
        .as_array()?
        .iter()
        .position(|child| child[TAG].get(tag).is_some())
}

fn push(level: &mut Value, mut node: Value, tag: &str) -> usize {
    if !tag.is_empty() {
        node[TAG][tag] = Value::Null;
    }
    if !level["levels"].is_array() {
        level["levels"] = Value::Array(Vec::new());
    }
    let list = level["levels"]
        .as_array_mut()
        .expect("it was made an array");
    list.push(node);
    list.len() - 1
}
